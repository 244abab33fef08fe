/*
 * Classes: a class variable and an instance variable of a class are slots, like constants.
 */

#include "condition.h"
#include "primitives.h"
#include "variable.h"

static Value get(Thread *thread, const Value *arguments, uint32_t kind)
{
    if (!check_type(thread, arguments[0], TYPE_CLASS) || !check_symbol(thread, arguments[1]))
        return FAILED;
    Variable *variable = variable_of_class(arguments[0], kind, arguments[1]);
    if (variable == NULL)
        return raise_format(thread, "name-error", "the class has no variable %s",
                            symbol_name(thread->vm, arguments[1]));
    return variable_read(thread, variable);
}

static Value set(Thread *thread, const Value *arguments, uint32_t kind)
{
    if (!check_type(thread, arguments[0], TYPE_CLASS) || !check_symbol(thread, arguments[1]))
        return FAILED;
    Variable *variable = variable_define_of_class(thread, arguments[0], kind, arguments[1]);
    if (variable == NULL || !variable_assign(thread, variable, arguments[2]))
        return FAILED;
    return arguments[2];
}

static Value get_class_variable(Thread *thread, Value *arguments, size_t count)
{
    (void)count;
    return get(thread, arguments, RS_SLOT_CLASS_VARIABLE);
}

static Value set_class_variable(Thread *thread, Value *arguments, size_t count)
{
    (void)count;
    return set(thread, arguments, RS_SLOT_CLASS_VARIABLE);
}

static Value get_instance_variable(Thread *thread, Value *arguments, size_t count)
{
    (void)count;
    return get(thread, arguments, RS_SLOT_CLASS_INSTANCE_VARIABLE);
}

static Value set_instance_variable(Thread *thread, Value *arguments, size_t count)
{
    (void)count;
    return set(thread, arguments, RS_SLOT_CLASS_INSTANCE_VARIABLE);
}

static const Primitive primitives[] = {
    {"cvar", get_class_variable, 2, 2},
    {"cvar-set!", set_class_variable, 3, 3},
    {"civar", get_instance_variable, 2, 2},
    {"civar-set!", set_instance_variable, 3, 3},
};

const PrimitiveTable class_primitives = {primitives, sizeof primitives / sizeof primitives[0]};
