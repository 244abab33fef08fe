/*
 * The rest of minivm.h: what a C program does with values, each a primitive without the Lisp.
 */

#include <stdlib.h>
#include <string.h>

#include "condition.h"
#include "gc.h"
#include "hash.h"
#include "link.h"
#include "printer.h"
#include "ractor.h"

uint64_t vm_ractor_register(Vm *vm, const char *name)
{
    return share_ractor_new(vm->main_thread, name);
}

Thread *vm_enter(Vm *vm, uint64_t id)
{
    Ractor *ractor = ractor_new(vm, id, "guest");
    return ractor == NULL ? NULL : thread_enter(vm, id, ractor);
}

void vm_leave(Thread *thread)
{
    Vm *vm = thread->vm;
    rs_ractor id = thread->id;
    Ractor *ractor = thread->ractor;
    thread_leave(thread);
    share_ractor_free(&vm->share, id);
    ractor_release(ractor);
}

bool vm_join_parent(Thread *thread)
{
    return link_adopt(thread);
}

bool vm_serve_until_input(Thread *thread, int input)
{
    return links_serve(thread, input, UINT64_MAX) != FAILED;
}

Value vm_condition(Thread *thread)
{
    return condition_take(thread);
}

/* Text is made by malloc, so what is left is to hand it over. */
static char *text_of(Text text)
{
    return text.capacity == 0 ? strdup("") : text.bytes;
}

char *vm_condition_text(Thread *thread, Value condition)
{
    Text text = text_start();
    condition_print(thread->vm, &text, condition);
    return text_of(text);
}

char *vm_print_string(Thread *thread, Value value)
{
    Text text = text_start();
    print_readably(thread->vm, &text, value);
    return text_of(text);
}

Value *vm_roots_open(Thread *thread)
{
    return roots_open(thread);
}

void vm_roots_close(Thread *thread, Value *opened)
{
    roots_close(thread, opened);
}

Value *vm_root(Thread *thread, Value value)
{
    return root(thread, value);
}

void vm_safepoint(Thread *thread)
{
    safepoint(thread);
}

Value vm_cons(Thread *thread, Value first, Value rest)
{
    return make_cons(thread, first, rest);
}

Value vm_vector(Thread *thread, size_t length, Value fill)
{
    return make_vector(thread, length, fill);
}

Value vm_hash(Thread *thread)
{
    return make_hash(thread, false, NIL);
}

Value vm_string(Thread *thread, const char *text)
{
    return make_text(thread, text);
}

Value vm_symbol(Thread *thread, const char *name)
{
    return symbol_named(thread->vm, name);
}

Value vm_car(Value cons)
{
    return car(cons);
}

Value vm_cdr(Value cons)
{
    return cdr(cons);
}

Value vm_vector_at(Value vector, size_t index)
{
    return vector_of(vector)->elements[index];
}

size_t vm_vector_length(Value vector)
{
    return vector_of(vector)->length;
}

Value vm_hash_get(Value hash, Value key)
{
    Value value = hash_get(hash, key);
    return value == UNBOUND ? NIL : value;
}

bool vm_set_car(Thread *thread, Value cons, Value value)
{
    if (!may_write(thread, cons))
        return false;
    store_field(&cons_of(cons)->car, value);
    return true;
}

bool vm_set_cdr(Thread *thread, Value cons, Value value)
{
    if (!may_write(thread, cons))
        return false;
    store_field(&cons_of(cons)->cdr, value);
    return true;
}

bool vm_vector_set(Thread *thread, Value vector, size_t index, Value value)
{
    if (!may_write(thread, vector))
        return false;
    store_field(&vector_of(vector)->elements[index], value);
    return true;
}

bool vm_vector_push(Thread *thread, Value vector, Value value)
{
    return may_write(thread, vector) && vector_push(thread, vector, value);
}

bool vm_hash_set(Thread *thread, Value hash, Value key, Value value)
{
    return may_write(thread, hash) && hash_set(thread, hash, key, value);
}

void vm_hash_each(Thread *thread, Value hash, HashVisitor visit, void *data)
{
    bool counted = hash_begin_iteration(thread, &hash);
    const HashEntry *entry;
    for (size_t i = 0; (entry = hash_entry(hash, i)) != NULL; i++)
        if (entry->key != UNBOUND)
            visit(entry->key, entry->value, data);
    hash_end_iteration(hash, counted);
}

Variable *vm_constant(Thread *thread, const char *name)
{
    return variable_define(thread, RS_SLOT_CONSTANT, vm_symbol(thread, name));
}

bool vm_constant_set(Thread *thread, Variable *constant, Value value)
{
    return variable_assign(thread, constant, value);
}

Value vm_constant_get(Thread *thread, Variable *constant)
{
    return variable_read(thread, constant);
}
