/*
 * Copying object graphs from one ractor to another: sharing and cycles are kept, and neither depth
 * nor width matters. No collection happens meanwhile, so objects may be named by their addresses.
 */

#include <stdlib.h>
#include <string.h>

#include "condition.h"
#include "hash.h"
#include "printer.h"
#include "ractor.h"
#include "stack.h"

typedef struct Copying {
    Thread *thread;
    /* Open addressing: original to copy. */
    Pair *copies;
    size_t copies_mask;
    size_t copies_count;
    /* Copies whose references still go to originals. */
    ValueStack unfinished;
    bool failed;
} Copying;

static Pair *find_copy(const Copying *copying, Value original)
{
    size_t place = (original >> GRANULE_BITS) * UINT64_C(0x9e3779b97f4a7c15) >> 16;
    for (place &= copying->copies_mask;
         copying->copies[place].name != 0 && copying->copies[place].name != original;)
        place = (place + 1) & copying->copies_mask;
    return &copying->copies[place];
}

static bool grow_copies(Copying *copying)
{
    Pair *before = copying->copies;
    size_t places = before == NULL ? 0 : copying->copies_mask + 1;
    size_t wanted = places == 0 ? 64 : places * 2;
    Pair *copies = calloc(wanted, sizeof(Pair));
    if (copies == NULL)
        return false;
    copying->copies = copies;
    copying->copies_mask = wanted - 1;
    for (size_t i = 0; i < places; i++)
        if (before[i].name != 0)
            *find_copy(copying, before[i].name) = before[i];
    free(before);
    return true;
}

static Value copy_vector(Thread *thread, const Vector *vector)
{
    Value copy = make_vector(thread, vector->length, NIL);
    if (copy != FAILED)
        memcpy(vector_of(copy)->elements, vector->elements, vector->length * sizeof(Value));
    return copy;
}

static Value copy_cons(Thread *thread, const Cons *cons)
{
    Value copy = make_cons(thread, cons->car, cons->cdr);
    if (copy != FAILED) {
        cons_of(copy)->file = cons->file;
        cons_of(copy)->line = cons->line;
    }
    return copy;
}

static Value refuse(Thread *thread, Value value)
{
    Text text = text_start();
    print_briefly(thread->vm, &text, value);
    raise_format(thread, "isolation-error", "%s can't be sent to another ractor", text.bytes);
    text_finish(&text);
    return FAILED;
}

static Value copy_closure(Thread *thread, Value value)
{
    const Closure *closure = closure_of(value);
    if (closure->environment != NIL)
        return refuse(thread, value);
    return make_closure(thread, closure->name, closure->parameters, closure->body, NIL);
}

/* The copy refers to the originals of its children. */
static Value copy_object(Thread *thread, Value value)
{
    switch (object_type(value)) {
    case TYPE_CONS:
        return copy_cons(thread, cons_of(value));
    case TYPE_FLOAT:
        return make_float(thread, float_number(value));
    case TYPE_STRING:
        return make_string(thread, string_of(value)->bytes, string_of(value)->length);
    case TYPE_VECTOR:
        return copy_vector(thread, vector_of(value));
    case TYPE_RECORD:
        return make_record(thread, record_of(value)->record_type, record_of(value)->fields,
                           record_of(value)->length);
    case TYPE_HASH:
        return hash_copy(thread, value);
    case TYPE_CLOSURE:
        return copy_closure(thread, value);
    default:
        return refuse(thread, value);
    }
}

static Value copy_of(Copying *copying, Value value)
{
    if (!is_object(value) || share_is_shareable(&copying->thread->vm->share, value))
        return value;
    if (copying->copies_count * 2 >= copying->copies_mask && !grow_copies(copying))
        return raise_memory(copying->thread);
    Pair *known = find_copy(copying, value);
    if (known->name == value)
        return known->value;
    Value copy = copy_object(copying->thread, value);
    if (copy == FAILED)
        return FAILED;
    *known = (Pair){value, copy};
    copying->copies_count++;
    return stack_push(&copying->unfinished, copy) ? copy : raise_memory(copying->thread);
}

static void copy_reference(Value *place, void *data)
{
    Copying *copying = data;
    if (copying->failed)
        return;
    Value copy = copy_of(copying, *place);
    if (copy == FAILED)
        copying->failed = true;
    else
        *place = copy;
}

Value message_copy(Thread *thread, Value value)
{
    Copying copying = {.thread = thread};
    thread->collection_forbidden++;
    copy_reference(&value, &copying);
    while (!copying.failed && copying.unfinished.count != 0) {
        Object *copy = object_of(stack_pop(&copying.unfinished));
        object_references(copy, copy_reference, &copying);
        object_moved(copy);
    }
    thread->collection_forbidden--;
    free(copying.copies);
    free(copying.unfinished.values);
    return copying.failed ? FAILED : value;
}
