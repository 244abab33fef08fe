/*
 * closure.h: procedures.
 *
 * A procedure that captures nothing is shareable together with its code, as any list is: that is
 * how procedures defined at top level get to other ractors. One that captures variables refers to
 * scopes which others refer to as well, so it needs to be prepared: `make-shareable` gives it a
 * scope of its own with copies of the variables that occur in its code.
 */

#ifndef MINIVM_CLOSURE_H
#define MINIVM_CLOSURE_H

#include "object.h"

/* Gives the closure its own scope. The representation changes, the procedure stays the same but
 * for no longer seeing assignments to the variables it copied. False: a condition is pending. */
bool closure_isolate(Thread *thread, Value closure);

/* The scope in which a call's body is evaluated; FAILED. `closure` stands on the root stack. */
Value closure_bind(Thread *thread, const Value *closure, const Value *arguments, size_t count);

#endif
