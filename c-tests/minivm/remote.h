/*
 * remote.h: objects that stand for objects of another process. Whatever a primitive does to its own
 * objects it does to these by asking their owner.
 *
 * A primitive comes here when its argument is not of the type that it works on, so ordinary objects
 * cost what they cost without all this. `expected` is that type: if the value stands for no object
 * of it, the functions raise the type-error that is due. All return FAILED with a condition
 * pending if the request fails; all may run any code and collect. Pointers to arguments go to the
 * root stack. A view (view.h) is a remote object too, but most of what it is asked it answers
 * itself.
 */

#ifndef MINIVM_REMOTE_H
#define MINIVM_REMOTE_H

#include "link.h"
#include "object.h"
#include "vmshare.h"

static inline Remote *remote_of(Value value)
{
    return (Remote *)value;
}

static inline bool is_remote(Value value)
{
    return is_type(value, TYPE_REMOTE);
}

/* What the value stands for since its link has ended, or itself. */
static inline Value remote_replacement(Value value)
{
    while (is_remote(value)) {
        Value target = remote_of(value)->target;
        Value next = remote_of(is_remote(target) ? target : value)->replacement;
        if (next == UNBOUND)
            return value;
        value = next;
    }
    return value;
}

/* The symbol of what an owner's item is called; UNBOUND: no memory. */
Value remote_type(Vm *vm, const rs_item *item);

/* Whether it stands for an object of that type, or of a type that is not known here. */
bool remote_is(Vm *vm, Value value, enum Type type);

/* Whether it stands for a record whose type has that name. */
bool remote_is_record(Value value, Value type_name);

/* What the owner answers to an operation on the value, which is remote. */
Value remote_request(Thread *thread, Value value, const rs_operation *operation);

Value remote_element(Thread *thread, Value value, enum Type expected, uint64_t index);
/* The element; FAILED. */
Value remote_set_element(Thread *thread, Value value, enum Type expected, uint64_t index,
                         const Value *element);
/* Of a record. */
Value remote_field(Thread *thread, Value record, uint64_t index);
Value remote_set_field(Thread *thread, Value record, uint64_t index, const Value *field);
/* What was there: if that is `elements[0]`, it has been replaced by `elements[1]`. */
Value remote_exchange(Thread *thread, Value value, uint64_t index, const Value *elements);
/* The sum. */
Value remote_add(Thread *thread, Value value, uint64_t index, const Value *number);

/* `arguments`: the hash, the key, then the value or default. */
Value remote_hash_get(Thread *thread, Value *arguments, size_t count);
Value remote_hash_set(Thread *thread, Value *arguments);
Value remote_hash_has(Thread *thread, Value *arguments);

Value remote_length(Thread *thread, Value value, enum Type expected);
Value remote_call(Thread *thread, Value value, const Value *arguments, size_t count);

/* Compares two values, one of which at least is remote. */
Value remote_equal(Thread *thread, const Value *values);

/* What the owner would print, as a string. */
Value remote_text(Thread *thread, Value value);

/* The owner is to tell of the value's next change (watch.h): the value. */
Value remote_watch(Thread *thread, Value value);

/* An object of the same content that is read without asking (view.h), if the owner's is shareable.
 * The value stands on the root stack. */
Value remote_share(Thread *thread, const Value *value);

/* What the owner of a view's object knows that by; of any other value, itself. */
Value remote_reference(Thread *thread, Value value);

/* What to send for a value over a link: to the owner of a view's object, that object. */
Value remote_sent(Thread *thread, rs_link receiver, Value value);

/* Whether two values are the same object, of whichever process. */
Value remote_same(Thread *thread, const Value *values);

/* An ordinary object of the same content, `depth` levels deep. */
Value remote_copy(Thread *thread, Value value, uint64_t depth);

/* A variable of a peer; a call of a procedure of a peer by its name. */
Value remote_variable(Thread *thread, Link *link, Value name);
Value remote_set_variable(Thread *thread, Link *link, Value name, const Value *value);
Value remote_call_named(Thread *thread, Link *link, Value name, const Value *arguments,
                        size_t count);

/* Lists that may go on in another process: whether there is a pair, its first element, and the
 * rest. */
bool is_pair(Thread *thread, Value value);
Value pair_first(Thread *thread, Value pair);
Value pair_rest(Thread *thread, Value pair);

/* The library's callbacks that make and replace them. */
rs_status remote_make(void *context, rs_link link, rs_remote reference, const rs_item *item,
                      rs_value *value);
rs_status remote_replace(void *context, rs_value remote, rs_value value);

#endif
