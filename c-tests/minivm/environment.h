/*
 * environment.h: scopes of local variables.
 */

#ifndef MINIVM_ENVIRONMENT_H
#define MINIVM_ENVIRONMENT_H

#include "object.h"

/* Where a local variable stands; `scope` is NIL if there is none of that name. */
typedef struct Place {
    Value scope;
    size_t index;
} Place;

Place environment_find(Value environment, Value name);

static inline Value *place_value(Place place)
{
    return &environment_of(place.scope)->variables[place.index].value;
}

/* One new scope with copies of all variables that can be seen from `environment` and whose names
 * occur in `code`. If `for_ractor`, those that hold something not shareable become FOREIGN.
 * NIL if there are none; FAILED. */
Value environment_flatten(Thread *thread, Value environment, Value code, bool for_ractor);

#endif
