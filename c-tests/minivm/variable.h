/*
 * variable.h: the places that ractors share: constants, globals, class variables and instance
 * variables of classes. Each is a slot of vmshare.
 *
 * Main assigns: first rs_autoshare_mark, then the store that other ractors see. Others read: the
 * store's counterpart, then the inline test, then rs_ractor_access.
 */

#ifndef MINIVM_VARIABLE_H
#define MINIVM_VARIABLE_H

#include <pthread.h>

#include "object.h"
#include "share.h"

struct Variable {
    Value value;
    rs_slot slot;
    /* RS_SLOT_…, or 0 for what the VM itself provides. */
    uint32_t kind;
    Value name;
    struct Variable *next;
    struct Variable *next_of_class;
};

typedef struct ClassVariables {
    struct Variable *first;
    struct ClassVariables *next;
} ClassVariables;

/* All variables of a vm, for the collector, and the variables of all classes. */
typedef struct Variables {
    struct Variable *first;
    ClassVariables *classes;
} Variables;

void variables_finish(Variables *variables);
void variables_references(Variables *variables, ReferenceVisitor visit, void *data);

/* The variable at top level, or NULL. */
Variable *variable_find(Thread *thread, Value symbol);

/* Main's: finds or makes the variable. NULL with a condition pending. */
Variable *variable_define(Thread *thread, uint32_t kind, Value symbol);

/* What the vm itself provides under a name. False: no memory. */
bool variable_provide(Vm *vm, const char *name, Value value);

/* A variable of a class; `kind` is RS_SLOT_CLASS_VARIABLE or RS_SLOT_CLASS_INSTANCE_VARIABLE. */
Variable *variable_of_class(Value class, uint32_t kind, Value symbol);
Variable *variable_define_of_class(Thread *thread, Value class, uint32_t kind, Value symbol);

/* FAILED with a condition pending if it holds nothing or this ractor can't have it. */
Value variable_read(Thread *thread, Variable *variable);

/* True, or false with a condition pending. */
bool variable_assign(Thread *thread, Variable *variable, Value value);

/* Main's: empties the variable and forgets its slot. */
bool variable_remove(Thread *thread, Variable *variable);

Value make_class(Thread *thread, Value name);

#endif
