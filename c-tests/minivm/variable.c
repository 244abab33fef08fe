#include "variable.h"

#include <stdlib.h>
#include <string.h>

#include "condition.h"
#include "gc.h"
#include "vm.h"

void variables_finish(Variables *variables)
{
    for (Variable *variable = variables->first, *next; variable != NULL; variable = next) {
        next = variable->next;
        free(variable);
    }
    for (ClassVariables *class = variables->classes, *next; class != NULL; class = next) {
        next = class->next;
        free(class);
    }
}

void variables_references(Variables *variables, ReferenceVisitor visit, void *data)
{
    for (Variable *variable = variables->first; variable != NULL; variable = variable->next)
        visit(&variable->value, data);
}

Variable *variable_find(Thread *thread, Value symbol)
{
    return __atomic_load_n(&symbol_of(&thread->vm->symbols, symbol)->variable, __ATOMIC_ACQUIRE);
}

/* Only main makes variables, so the list needs no lock; collections find it at rest. */
static Variable *make_variable(Vm *vm, uint32_t kind, Value symbol)
{
    Variable *variable = calloc(1, sizeof *variable);
    if (variable == NULL)
        return NULL;
    variable->value = UNBOUND;
    variable->slot = RS_NO_SLOT;
    variable->kind = kind;
    variable->name = symbol;
    variable->next = vm->variables.first;
    vm->variables.first = variable;
    return variable;
}

static bool refuse_unless_main(Thread *thread, Value symbol)
{
    if (thread->is_main)
        return true;
    raise_format(thread, "isolation-error", "only the main ractor may assign %s",
                 symbol_name(thread->vm, symbol));
    return false;
}

static const char *class_name(Vm *vm, Value class)
{
    return class == NIL ? NULL : symbol_name(vm, ((Class *)class)->name);
}

static bool give_slot(Thread *thread, Variable *variable, Value class)
{
    rs_slot slot = share_slot_new(thread, variable->kind, symbol_name(thread->vm, variable->name),
                                  class_name(thread->vm, class));
    __atomic_store_n(&variable->slot, slot, __ATOMIC_RELEASE);
    return slot != RS_NO_SLOT;
}

static Variable *define(Thread *thread, Variable *variable, uint32_t kind, Value symbol,
                        Value class)
{
    if (variable == NULL)
        variable = make_variable(thread->vm, kind, symbol);
    if (variable == NULL) {
        raise_memory(thread);
        return NULL;
    }
    if (variable->kind != kind && variable->slot != RS_NO_SLOT &&
        !variable_remove(thread, variable))
        return NULL;
    variable->kind = kind;
    if (variable->slot == RS_NO_SLOT && !give_slot(thread, variable, class))
        return NULL;
    return variable;
}

Variable *variable_define(Thread *thread, uint32_t kind, Value symbol)
{
    if (!refuse_unless_main(thread, symbol))
        return NULL;
    Variable *variable = define(thread, variable_find(thread, symbol), kind, symbol, NIL);
    if (variable != NULL)
        __atomic_store_n(&symbol_of(&thread->vm->symbols, symbol)->variable, variable,
                         __ATOMIC_RELEASE);
    return variable;
}

bool variable_provide(Vm *vm, const char *name, Value value)
{
    Value symbol = symbol_named(vm, name);
    if (symbol == UNBOUND)
        return false;
    Variable *variable = make_variable(vm, 0, symbol);
    if (variable == NULL)
        return false;
    variable->value = value;
    symbol_of(&vm->symbols, symbol)->variable = variable;
    return true;
}

Variable *variable_of_class(Value class, uint32_t kind, Value symbol)
{
    Variable *variable = __atomic_load_n(&((Class *)class)->variables->first, __ATOMIC_ACQUIRE);
    while (variable != NULL && (variable->name != symbol || variable->kind != kind))
        variable = variable->next_of_class;
    return variable;
}

Variable *variable_define_of_class(Thread *thread, Value class, uint32_t kind, Value symbol)
{
    if (!refuse_unless_main(thread, symbol))
        return NULL;
    Variable *known = variable_of_class(class, kind, symbol);
    Variable *variable = define(thread, known, kind, symbol, class);
    if (variable != NULL && known == NULL) {
        ClassVariables *variables = ((Class *)class)->variables;
        variable->next_of_class = variables->first;
        __atomic_store_n(&variables->first, variable, __ATOMIC_RELEASE);
    }
    return variable;
}

/* The slot is read before the value, so it can't be newer than the value. An older one, which was
 * removed in between, is answered by RS_ERR_CLOSED: look again. */
static Value read_as_guest(Thread *thread, Variable *variable)
{
    for (;;) {
        rs_slot slot = __atomic_load_n(&variable->slot, __ATOMIC_ACQUIRE);
        Value value = __atomic_load_n(&variable->value, __ATOMIC_ACQUIRE);
        if (value == UNBOUND)
            return raise_unbound(thread, variable->name);
        if (!is_object(value) || share_is_shareable(&thread->vm->share, value))
            return value;
        Value *scope = roots_open(thread);
        Value *kept = root(thread, value);
        rs_status status = share_access(thread, slot, value);
        value = *kept;
        roots_close(thread, scope);
        if (status == RS_OK)
            return value;
        if (status != RS_ERR_CLOSED && status != RS_ERR_ARGUMENT)
            return raise_status(thread, status);
        safepoint(thread);
    }
}

Value variable_read(Thread *thread, Variable *variable)
{
    if (!thread->is_main)
        return read_as_guest(thread, variable);
    return variable->value == UNBOUND ? raise_unbound(thread, variable->name) : variable->value;
}

bool variable_assign(Thread *thread, Variable *variable, Value value)
{
    if (!refuse_unless_main(thread, variable->name))
        return false;
    Value *scope = roots_open(thread);
    Value *kept = root(thread, value);
    bool marked = share_mark(thread, variable->slot, value);
    if (marked)
        __atomic_store_n(&variable->value, *kept, __ATOMIC_RELEASE);
    roots_close(thread, scope);
    return marked;
}

bool variable_remove(Thread *thread, Variable *variable)
{
    if (!refuse_unless_main(thread, variable->name))
        return false;
    rs_slot slot = variable->slot;
    __atomic_store_n(&variable->value, UNBOUND, __ATOMIC_RELEASE);
    __atomic_store_n(&variable->slot, RS_NO_SLOT, __ATOMIC_RELEASE);
    return slot == RS_NO_SLOT || share_slot_free(thread, slot);
}

Value make_class(Thread *thread, Value name)
{
    ClassVariables *variables = calloc(1, sizeof *variables);
    if (variables == NULL)
        return raise_memory(thread);
    variables->next = thread->vm->variables.classes;
    thread->vm->variables.classes = variables;
    Class *class = (Class *)heap_allocate(thread, TYPE_CLASS, sizeof(Class));
    if (class == NULL)
        return raise_memory(thread);
    class->variables = variables;
    class->name = name;
    return share_at_birth(thread, (Value) class);
}
