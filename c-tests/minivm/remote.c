#include "remote.h"

#include <string.h>

#include "condition.h"
#include "equality.h"
#include "eval.h"
#include "interrupt.h"
#include "view.h"
#include "vm.h"

/* Most bytes of what an owner prints. */
#define TEXT_BYTES_MAX 4096

/* What things of a type that is not known are called. */
#define UNKNOWN_TYPE "object"

static const char *type_of_item(const rs_item *item)
{
    switch (item->kind) {
    case RS_ITEM_CONS:
        return type_name(TYPE_CONS);
    case RS_ITEM_VECTOR:
        return type_name(TYPE_VECTOR);
    case RS_ITEM_MAP:
        return type_name(TYPE_HASH);
    case RS_ITEM_STRING:
        return type_name(TYPE_STRING);
    default:
        return UNKNOWN_TYPE;
    }
}

Value remote_type(Vm *vm, const rs_item *item)
{
    bool is_named = item->name != NULL && item->name_length != 0;
    return is_named ? symbol_intern(&vm->symbols, item->name, item->name_length)
                    : symbol_named(vm, type_of_item(item));
}

rs_status remote_make(void *context, rs_link id, rs_remote reference, const rs_item *item,
                      rs_value *value)
{
    Vm *vm = context;
    Link *link = link_of_id(vm, id);
    Value type = remote_type(vm, item);
    if (link == NULL || type == UNBOUND)
        return RS_ERR_HOST;
    Remote *remote = (Remote *)heap_allocate(thread_current(), TYPE_REMOTE, sizeof(Remote));
    if (remote == NULL)
        return RS_ERR_MEMORY;
    remote->reference = reference;
    remote->link = link;
    remote->type = type;
    remote->number = ++vm->links.remotes;
    remote->replacement = UNBOUND;
    remote->target = NIL;
    *value = (rs_value)remote;
    return RS_OK;
}

/* What can't be copied, its owner has only referred to once more: it is its own replacement. */
rs_status remote_replace(void *context, rs_value remote, rs_value value)
{
    if (remote_replacement(value) == remote)
        return RS_OK;
    remote_of(remote)->replacement = value;
    ((Vm *)context)->links.has_replaced = true;
    return RS_OK;
}

static bool has_type(Vm *vm, Value value, const char *name)
{
    const char *actual = symbol_name(vm, remote_of(value)->type);
    return strcmp(actual, name) == 0 || strcmp(actual, UNKNOWN_TYPE) == 0;
}

bool remote_is(Vm *vm, Value value, enum Type type)
{
    return is_remote(value) && has_type(vm, value, type_name(type));
}

bool remote_is_record(Value value, Value name)
{
    return is_remote(value) && remote_of(value)->type == name;
}

static bool check_remote(Thread *thread, Value value, enum Type expected)
{
    if (remote_is(thread->vm, value, expected))
        return true;
    raise_type(thread, type_name(expected), value);
    return false;
}

static Value finish(Thread *thread, Link *link, rs_status status, const Value *result)
{
    interrupt_wait_end();
    links_settle(thread);
    if (status != RS_OK)
        return raise_failed_request(thread, link, status);
    thread->condition = NIL;
    return *result;
}

Value remote_reference(Thread *thread, Value value)
{
    if (!is_view(value))
        return value;
    if (remote_of(value)->target != NIL)
        return remote_of(value)->target;
    Value *scope = roots_open(thread);
    Value *view = root(thread, value);
    Value *target = root(thread, NIL);
    const Image *image = remote_of(value)->image;
    interrupt_wait_begin();
    rs_status status =
        rs_image_object(thread->vm->share.vm, image->id, remote_of(value)->node, target);
    Value result = finish(thread, image->link, status, target);
    if (result != FAILED && is_view(*view))
        remote_of(*view)->target = result;
    roots_close(thread, scope);
    return result;
}

Value remote_sent(Thread *thread, rs_link receiver, Value value)
{
    bool comes_home = is_view(value) && remote_of(value)->link->id == receiver;
    return comes_home ? remote_reference(thread, value) : value;
}

static bool has_views(const rs_operation *operation)
{
    for (size_t i = 0; i < operation->arguments_count; i++)
        if (is_view(operation->arguments[i]))
            return true;
    return false;
}

/* Copies the arguments to the root stack as what is to be sent. */
static bool prepare_arguments(Thread *thread, const Link *link, rs_operation *operation)
{
    size_t count = operation->arguments_count;
    if (roots_are_low(thread, count))
        return raise_depth(thread) != FAILED;
    Value *copies = roots_open(thread);
    for (size_t i = 0; i < count; i++)
        root(thread, operation->arguments[i]);
    for (size_t i = 0; i < count; i++) {
        copies[i] = remote_sent(thread, link->id, copies[i]);
        if (copies[i] == FAILED)
            return false;
    }
    operation->arguments = copies;
    return true;
}

static Value ask(Thread *thread, Link *link, rs_remote reference, const rs_operation *operation)
{
    Value *scope = roots_open(thread);
    Value *result = root(thread, NIL);
    interrupt_wait_begin();
    rs_status status =
        rs_remote_request(thread->vm->share.vm, link->id, reference, operation, result);
    Value value = finish(thread, link, status, result);
    roots_close(thread, scope);
    return value;
}

static Value request(Thread *thread, Link *link, rs_remote reference, const rs_operation *operation)
{
    if (!has_views(operation))
        return ask(thread, link, reference, operation);
    Value *scope = roots_open(thread);
    rs_operation prepared = *operation;
    bool is_prepared = prepare_arguments(thread, link, &prepared);
    Value value = is_prepared ? ask(thread, link, reference, &prepared) : FAILED;
    roots_close(thread, scope);
    return value;
}

Value remote_request(Thread *thread, Value value, const rs_operation *operation)
{
    Value answer = is_view(value) ? view_read(thread, value, operation) : UNBOUND;
    if (answer != UNBOUND)
        return answer;
    value = remote_reference(thread, value);
    if (value == FAILED)
        return FAILED;
    /* An owner that has left has given this process a copy. */
    if (!is_remote(value))
        return raise_status(thread, RS_ERR_DEAD);
    return request(thread, remote_of(value)->link, remote_of(value)->reference, operation);
}

static rs_operation operation_on(uint32_t code, uint64_t index, const Value *arguments,
                                 size_t count)
{
    rs_operation operation = rs_operation_init(code);
    operation.index = index;
    operation.arguments = arguments;
    operation.arguments_count = count;
    return operation;
}

Value remote_field(Thread *thread, Value record, uint64_t index)
{
    rs_operation operation = operation_on(RS_READ_ELEMENT, index, NULL, 0);
    return remote_request(thread, record, &operation);
}

Value remote_set_field(Thread *thread, Value record, uint64_t index, const Value *field)
{
    rs_operation operation = operation_on(RS_WRITE_ELEMENT, index, field, 1);
    return remote_request(thread, record, &operation) == FAILED ? FAILED : *field;
}

Value remote_element(Thread *thread, Value value, enum Type expected, uint64_t index)
{
    return check_remote(thread, value, expected) ? remote_field(thread, value, index) : FAILED;
}

Value remote_set_element(Thread *thread, Value value, enum Type expected, uint64_t index,
                         const Value *element)
{
    return check_remote(thread, value, expected) ? remote_set_field(thread, value, index, element)
                                                 : FAILED;
}

Value remote_exchange(Thread *thread, Value value, uint64_t index, const Value *elements)
{
    rs_operation operation = operation_on(RS_EXCHANGE_ELEMENT, index, elements, 2);
    return remote_request(thread, value, &operation);
}

Value remote_add(Thread *thread, Value value, uint64_t index, const Value *number)
{
    rs_operation operation = operation_on(RS_ADD_ELEMENT, index, number, 1);
    return remote_request(thread, value, &operation);
}

/* A key that is a string of its own means its content, so the owner gets that: a frozen copy. */
static bool prepare_key(Thread *thread, Value *key)
{
    if (!is_type(*key, TYPE_STRING) || share_value_is_frozen(thread, *key))
        return true;
    Value copy = make_string(thread, string_of(*key)->bytes, string_of(*key)->length);
    if (copy != FAILED)
        *key = copy;
    return copy != FAILED && share_freeze(thread, copy);
}

Value remote_hash_get(Thread *thread, Value *arguments, size_t count)
{
    if (!check_remote(thread, arguments[0], TYPE_HASH) || !prepare_key(thread, &arguments[1]))
        return FAILED;
    rs_operation operation = operation_on(RS_READ_KEY, 0, arguments + 1, count - 1);
    return remote_request(thread, arguments[0], &operation);
}

Value remote_hash_set(Thread *thread, Value *arguments)
{
    if (!check_remote(thread, arguments[0], TYPE_HASH) || !prepare_key(thread, &arguments[1]))
        return FAILED;
    rs_operation operation = operation_on(RS_WRITE_KEY, 0, arguments + 1, 2);
    return remote_request(thread, arguments[0], &operation) == FAILED ? FAILED : arguments[2];
}

/* Asks for the value with a new pair as the default: nothing else is it. */
Value remote_hash_has(Thread *thread, Value *arguments)
{
    Value *scope = roots_open(thread);
    Value *copies = root(thread, arguments[0]);
    root(thread, arguments[1]);
    root(thread, make_cons(thread, NIL, NIL));
    Value found = copies[2] == FAILED ? FAILED : remote_hash_get(thread, copies, 3);
    Value result = found == FAILED ? FAILED : truth(found != copies[2]);
    roots_close(thread, scope);
    return result;
}

Value remote_length(Thread *thread, Value value, enum Type expected)
{
    if (!check_remote(thread, value, expected))
        return FAILED;
    rs_operation operation = operation_on(RS_READ_LENGTH, 0, NULL, 0);
    return remote_request(thread, value, &operation);
}

Value remote_call(Thread *thread, Value value, const Value *arguments, size_t count)
{
    if (!check_remote(thread, value, TYPE_CLOSURE))
        return FAILED;
    rs_operation operation = operation_on(RS_CALL, 0, arguments, count);
    return remote_request(thread, value, &operation);
}

static bool have_one_owner(const Value *values)
{
    return is_remote(values[0]) && is_remote(values[1]) &&
           remote_of(values[0])->link == remote_of(values[1])->link;
}

/* Views of one image are one, if their objects are. */
Value remote_same(Thread *thread, const Value *values)
{
    if (values[0] == values[1] || !have_one_owner(values))
        return truth(values[0] == values[1]);
    if (remote_of(values[0])->image == remote_of(values[1])->image)
        return NIL;
    Value *scope = roots_open(thread);
    Value *one = root(thread, values[0]);
    Value *other = root(thread, values[1]);
    *one = remote_reference(thread, *one);
    *other = *one == FAILED ? FAILED : remote_reference(thread, *other);
    Value result = *other == FAILED ? FAILED : truth(*one == *other);
    roots_close(thread, scope);
    return result;
}

static bool are_references(const Value *values)
{
    return have_one_owner(values) && !is_view(values[0]) && !is_view(values[1]);
}

/* Two objects that one peer is asked for are compared there. Otherwise a copy of the remote one is
 * compared here: the peer could only ask back. */
Value remote_equal(Thread *thread, const Value *values)
{
    if (values[0] == values[1])
        return TRUTH;
    if (are_references(values)) {
        rs_operation operation = operation_on(RS_EQUAL, 0, values + 1, 1);
        return remote_request(thread, values[0], &operation);
    }
    Value *scope = roots_open(thread);
    Value *copies = root(thread, values[0]);
    root(thread, values[1]);
    for (size_t i = 0; i < 2 && copies[0] != FAILED && copies[1] != FAILED; i++)
        if (is_remote(copies[i]))
            copies[i] = remote_copy(thread, copies[i], RS_WHOLE);
    bool failed = copies[0] == FAILED || copies[1] == FAILED;
    Value result = failed ? FAILED : truth(values_equal(copies[0], copies[1]) == EQUAL);
    roots_close(thread, scope);
    return result;
}

Value remote_text(Thread *thread, Value value)
{
    if (!is_remote(value))
        return raise_type(thread, "remote object", value);
    rs_operation operation = operation_on(RS_PRINT, TEXT_BYTES_MAX, NULL, 0);
    return remote_request(thread, value, &operation);
}

static Value copy_of_owner(Thread *thread, Value value, uint64_t depth)
{
    Link *link = remote_of(value)->link;
    rs_limits limits = {.depth = depth};
    Value *scope = roots_open(thread);
    Value *result = root(thread, NIL);
    interrupt_wait_begin();
    rs_status status =
        rs_remote_copy(thread->vm->share.vm, remote_of(value)->reference, &limits, result);
    Value copy = finish(thread, link, status, result);
    roots_close(thread, scope);
    return copy;
}

Value remote_share(Thread *thread, const Value *value)
{
    if (!is_remote(*value))
        return raise_type(thread, "remote object", *value);
    if (is_view(*value))
        return *value;
    Link *link = remote_of(*value)->link;
    rs_image image = 0;
    interrupt_wait_begin();
    rs_status status = rs_remote_share(thread->vm->share.vm, remote_of(*value)->reference, &image);
    if (finish(thread, link, status, value) == FAILED)
        return FAILED;
    return view_open(thread, link, image, value);
}

Value remote_watch(Thread *thread, Value value)
{
    if (!is_remote(value) || is_view(value))
        return raise_type(thread, "remote object that can change", value);
    Value *scope = roots_open(thread);
    Value *kept = root(thread, value);
    interrupt_wait_begin();
    rs_status status = rs_remote_watch(thread->vm->share.vm, remote_of(value)->reference);
    Value result = finish(thread, remote_of(*kept)->link, status, kept);
    roots_close(thread, scope);
    return result;
}

/* The owner makes copies of parts of an image. */
Value remote_copy(Thread *thread, Value value, uint64_t depth)
{
    if (is_view(value) && view_is_whole(value) && depth == RS_WHOLE)
        return view_copy(thread, value);
    value = remote_reference(thread, value);
    if (value == FAILED)
        return FAILED;
    return is_remote(value) ? copy_of_owner(thread, value, depth)
                            : share_copy(thread, value, depth);
}

static rs_operation operation_by_name(Vm *vm, uint32_t code, Value name, const Value *arguments,
                                      size_t count)
{
    const Symbol *symbol = symbol_of(&vm->symbols, name);
    rs_operation operation = operation_on(code, 0, arguments, count);
    operation.name = symbol->name;
    operation.name_length = symbol->length;
    return operation;
}

Value remote_variable(Thread *thread, Link *link, Value name)
{
    rs_operation operation = operation_by_name(thread->vm, RS_READ_VARIABLE, name, NULL, 0);
    return request(thread, link, RS_NO_REMOTE, &operation);
}

Value remote_set_variable(Thread *thread, Link *link, Value name, const Value *value)
{
    rs_operation operation = operation_by_name(thread->vm, RS_WRITE_VARIABLE, name, value, 1);
    return request(thread, link, RS_NO_REMOTE, &operation) == FAILED ? FAILED : *value;
}

Value remote_call_named(Thread *thread, Link *link, Value name, const Value *arguments,
                        size_t count)
{
    rs_operation operation = operation_by_name(thread->vm, RS_CALL, name, arguments, count);
    return request(thread, link, RS_NO_REMOTE, &operation);
}

bool is_pair(Thread *thread, Value value)
{
    return is_cons(value) || remote_is(thread->vm, value, TYPE_CONS);
}

Value pair_first(Thread *thread, Value pair)
{
    return is_cons(pair) ? car(pair) : remote_element(thread, pair, TYPE_CONS, RS_CAR);
}

Value pair_rest(Thread *thread, Value pair)
{
    return is_cons(pair) ? cdr(pair) : remote_element(thread, pair, TYPE_CONS, RS_CDR);
}
