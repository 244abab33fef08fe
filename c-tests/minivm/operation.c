#include "operation.h"

#include <string.h>

#include "condition.h"
#include "equality.h"
#include "eval.h"
#include "hash.h"
#include "link.h"
#include "primitives.h"
#include "printer.h"
#include "record.h"
#include "remote.h"

/* Where an element stands; NULL with a condition pending. */
static Value *place_of(Thread *thread, Value object, uint64_t index)
{
    Value *elements = NULL;
    size_t count = 0;
    if (is_cons(object)) {
        elements = &cons_of(object)->car;
        count = 2;
    } else if (is_type(object, TYPE_VECTOR)) {
        elements = vector_of(object)->elements;
        count = vector_of(object)->length;
    } else if (is_type(object, TYPE_RECORD)) {
        elements = record_of(object)->fields;
        count = record_of(object)->length;
    } else {
        raise_type(thread, "cons, vector or record", object);
        return NULL;
    }
    if (index < count)
        return &elements[index];
    raise_index(thread, index, count);
    return NULL;
}

Value element_at(Thread *thread, Value object, uint64_t index)
{
    const Value *place = place_of(thread, object, index);
    return place == NULL ? FAILED : *place;
}

/* Other ractors may collect during the check: the place is looked for again. */
bool element_set(Thread *thread, Value object, uint64_t index, Value element)
{
    Value *scope = roots_open(thread);
    Value *kept = root(thread, object);
    Value *kept_element = root(thread, element);
    bool allowed = place_of(thread, object, index) != NULL && may_write(thread, object);
    if (allowed) {
        if (is_type(*kept, TYPE_RECORD))
            store_field(&record_of(*kept)->prepared, 0);
        store_field(place_of(thread, *kept, index), *kept_element);
    }
    roots_close(thread, scope);
    return allowed;
}

Value element_exchange(Thread *thread, Value object, uint64_t index, const Value *elements)
{
    Value before = element_at(thread, object, index);
    if (before == FAILED || before != elements[0])
        return before;
    return element_set(thread, object, index, elements[1]) ? elements[0] : FAILED;
}

Value element_add(Thread *thread, Value object, uint64_t index, Value number)
{
    Value *scope = roots_open(thread);
    Value *kept = root(thread, object);
    Value *sum = root(thread, element_at(thread, object, index));
    if (*sum != FAILED)
        *sum = add_numbers(thread, *sum, number);
    Value result = *sum == FAILED || !element_set(thread, *kept, index, *sum) ? FAILED : *sum;
    roots_close(thread, scope);
    return result;
}

static Value name_of(Thread *thread, const rs_operation *operation)
{
    return symbol_intern(&thread->vm->symbols, operation->name, operation->name_length);
}

/* The variable that an operation names, which may be of another kind than the Lisp's `define`
 * makes; NULL with a condition pending. */
static Variable *variable_of(Thread *thread, const rs_operation *operation)
{
    Value name = name_of(thread, operation);
    Variable *variable = name == UNBOUND ? NULL : variable_find(thread, name);
    if (variable == NULL)
        raise_unbound(thread, name == UNBOUND ? symbol_named(thread->vm, "?") : name);
    return variable;
}

static Value read_variable(Thread *thread, const rs_operation *operation)
{
    Variable *variable = variable_of(thread, operation);
    return variable == NULL ? FAILED : variable_read(thread, variable);
}

/* A target is what was exported under that name: the object, not the variable. */
static Value write_variable(Thread *thread, const Value *target, const rs_operation *operation)
{
    if (*target != NIL)
        return raise_format(thread, "denied", "the name stands for an object, not for a variable");
    Variable *variable = variable_of(thread, operation);
    if (variable == NULL)
        return FAILED;
    if (variable->kind != RS_SLOT_GLOBAL)
        return raise_format(thread, "constant-error", "%s is a constant",
                            symbol_name(thread->vm, variable->name));
    return variable_assign(thread, variable, operation->arguments[0]) ? NIL : FAILED;
}

static Value read_key(Thread *thread, const Value *target, const rs_operation *operation)
{
    if (!is_type(*target, TYPE_HASH))
        return raise_type(thread, "hash", *target);
    Value value = hash_get(*target, operation->arguments[0]);
    if (value != UNBOUND)
        return value;
    if (operation->arguments_count > 1)
        return operation->arguments[1];
    Value procedure = hash_of(*target)->default_procedure;
    Value arguments[] = {*target, operation->arguments[0]};
    return procedure == NIL ? NIL : call_procedure(thread, procedure, arguments, 2);
}

static Value write_key(Thread *thread, const Value *target, const rs_operation *operation)
{
    if (!is_type(*target, TYPE_HASH))
        return raise_type(thread, "hash", *target);
    bool is_set = may_write(thread, *target) &&
                  hash_set(thread, *target, operation->arguments[0], operation->arguments[1]);
    return is_set ? NIL : FAILED;
}

static Value read_length(Thread *thread, Value target)
{
    if (is_type(target, TYPE_VECTOR))
        return fixnum((intptr_t)vector_of(target)->length);
    if (is_type(target, TYPE_STRING))
        return fixnum((intptr_t)string_of(target)->length);
    if (is_type(target, TYPE_HASH))
        return fixnum((intptr_t)hash_count(target));
    if (is_type(target, TYPE_RECORD))
        return fixnum(record_of(target)->length);
    return length_of_list(thread, target);
}

Value print_for_peer(Thread *thread, Value target, uint64_t limit)
{
    Value *scope = roots_open(thread);
    Text text = text_start();
    print_readably(thread->vm, &text, target);
    Value string = make_string(thread, text.bytes, text.length < limit ? text.length : limit);
    text_finish(&text);
    Value *kept = root(thread, string);
    bool is_frozen = string != FAILED && share_freeze(thread, string);
    roots_close(thread, scope);
    return is_frozen ? *kept : FAILED;
}

static Value call(Thread *thread, const Value *target, const rs_operation *operation)
{
    Value procedure = *target == NIL ? read_variable(thread, operation) : *target;
    if (procedure == FAILED)
        return FAILED;
    return call_procedure(thread, procedure, operation->arguments, operation->arguments_count);
}

static Value compare(Thread *thread, const Value *target, const rs_operation *operation)
{
    enum Equality equality = values_equal(*target, operation->arguments[0]);
    if (equality == UNDECIDED)
        return raise_format(thread, "depth-error", "the comparison does not end");
    return truth(equality == EQUAL);
}

/* What a code needs before it can be carried out. */
static size_t arguments_needed(uint32_t code)
{
    switch (code) {
    case RS_WRITE_VARIABLE:
    case RS_WRITE_ELEMENT:
    case RS_READ_KEY:
    case RS_EQUAL:
    case RS_ADD_ELEMENT:
        return 1;
    case RS_WRITE_KEY:
    case RS_EXCHANGE_ELEMENT:
        return 2;
    default:
        return 0;
    }
}

/* UNBOUND: there is no such operation. `target` stands on the root stack. */
static Value carry_out(Thread *thread, const Value *target, const rs_operation *operation)
{
    if (operation->arguments_count < arguments_needed(operation->code))
        return UNBOUND;
    switch (operation->code) {
    case RS_READ_VARIABLE:
        return read_variable(thread, operation);
    case RS_WRITE_VARIABLE:
        return write_variable(thread, target, operation);
    case RS_READ_ELEMENT:
        return element_at(thread, *target, operation->index);
    case RS_WRITE_ELEMENT:
        return element_set(thread, *target, operation->index, operation->arguments[0]) ? NIL
                                                                                       : FAILED;
    case RS_READ_KEY:
        return read_key(thread, target, operation);
    case RS_WRITE_KEY:
        return write_key(thread, target, operation);
    case RS_READ_LENGTH:
        return read_length(thread, *target);
    case RS_PRINT:
        return print_for_peer(thread, *target, operation->index);
    case RS_CALL:
        return call(thread, target, operation);
    case RS_EXCHANGE_ELEMENT:
        return element_exchange(thread, *target, operation->index, operation->arguments);
    case RS_ADD_ELEMENT:
        return element_add(thread, *target, operation->index, operation->arguments[0]);
    case RS_EQUAL:
        return compare(thread, target, operation);
    default:
        return UNBOUND;
    }
}

/* Whatever else a program has raised is all that is known. */
static void append_field(Vm *vm, Text *text, Value condition, enum ConditionField field)
{
    bool is_condition =
        is_type(condition, TYPE_RECORD) && record_of(condition)->length == CONDITION_FIELDS;
    print_plainly(vm, text, is_condition ? record_of(condition)->fields[field] : condition);
}

/* The peer gets the kind of the condition and its message. */
static rs_status tell_condition(Thread *thread, rs_link link)
{
    Value condition = condition_take(thread);
    Text kind = text_start();
    Text message = text_start();
    append_field(thread->vm, &kind, condition, CONDITION_KIND);
    append_field(thread->vm, &message, condition, CONDITION_MESSAGE);
    rs_link_raise(thread->vm->share.vm, link, kind.bytes, message.bytes);
    text_finish(&kind);
    text_finish(&message);
    return RS_RAISED;
}

static Value operate_or_pass_on(Thread *thread, const Value *target, const rs_operation *operation)
{
    if (stack_is_low(thread))
        return raise_depth(thread);
    /* An object of a third process: its owner is asked. */
    if (is_remote(*target))
        return remote_request(thread, *target, operation);
    return carry_out(thread, target, operation);
}

static rs_status operate(Thread *thread, rs_link link, const Value *target,
                         const rs_operation *operation, rs_value *result)
{
    Value value = operate_or_pass_on(thread, target, operation);
    if (value == FAILED)
        return tell_condition(thread, link);
    if (value == UNBOUND)
        return RS_ERR_UNSUPPORTED;
    value = remote_sent(thread, link, value);
    if (value == FAILED)
        return tell_condition(thread, link);
    *result = value;
    return RS_OK;
}

/* Whatever the program was about to do when it began to serve, it finds as it was. */
rs_status operation_carry_out(void *context, rs_link link, rs_value target,
                              const rs_operation *operation, rs_value *result)
{
    (void)context;
    Thread *thread = thread_current();
    Value *scope = roots_open(thread);
    Value *kept = root(thread, target == 0 ? NIL : target);
    Value condition = condition_take(thread);
    Value *pending = root(thread, condition);
    Site site = thread->site;
    links_settle(thread);
    rs_status status = operate(thread, link, kept, operation, result);
    thread->site = site;
    thread->condition = *pending;
    roots_close(thread, scope);
    return status;
}
