/*
 * What the Lisp's values are to other processes and hosts: the callbacks of items, in both
 * directions. A VM author who wants images and links writes this file after share_host.c.
 *
 * What is copied: numbers, symbols, strings, conses, vectors, hashes and records. What is not, and
 * stays where it is: procedures, classes, files, ractors, links, and hashes with a default
 * procedure, since what these hold is what their procedure makes of them. A frozen string goes by
 * value. A copy is never frozen: it is nobody's but its owner's.
 *
 * What the Lisp lacks becomes what is nearest: false is nil, an integer beyond fixnums a float, a
 * symbol that is only itself the symbol of its name. A record of a type that nobody has defined
 * here gets one without operations (record.h).
 */

#include <string.h>

#include "condition.h"
#include "hash.h"
#include "record.h"
#include "remote.h"
#include "share.h"
#include "view.h"

static rs_item item_of_bytes(uint32_t kind, const char *bytes, size_t length)
{
    return (rs_item){.kind = kind, .count = length, .content.bytes = bytes};
}

static rs_item item_of_elements(uint32_t kind, const Value *elements, size_t count)
{
    return (rs_item){.kind = kind, .count = count, .content.elements = elements};
}

static rs_item item_of_symbol(Vm *vm, Value value)
{
    const Symbol *symbol = symbol_of(&vm->symbols, value);
    return item_of_bytes(RS_ITEM_SYMBOL, symbol->name, symbol->length);
}

static rs_item item_of_string(Vm *vm, Value value)
{
    const String *string = string_of(value);
    rs_item item = item_of_bytes(RS_ITEM_STRING, string->bytes, string->length);
    if (rs_frozen_p(vm->share.vm, value) == 1)
        item.flags = RS_ITEM_BY_VALUE;
    return item;
}

/* Not copied: what is known of it is what it is called. */
static rs_item item_of_opaque(Value value)
{
    const char *name = is_object(value) ? type_name(object_type(value)) : "procedure";
    return (rs_item){.kind = RS_ITEM_OPAQUE, .name = name, .name_length = strlen(name)};
}

/* Its entries don't lie in a row: `read_elements`. */
static rs_item item_of_hash(Value value)
{
    if (hash_of(value)->default_procedure != NIL)
        return item_of_opaque(value);
    rs_item item = {.kind = RS_ITEM_MAP, .count = hash_count(value)};
    item.flags = hash_of(value)->identity ? RS_MAP_IDENTITY : RS_MAP_EQUAL;
    return item;
}

/* The flags are the number of the type, which the same process finds again at once. */
static rs_item item_of_record(Vm *vm, const Record *record)
{
    rs_item item = item_of_elements(RS_ITEM_RECORD, record->fields, record->length);
    item.flags = record->record_type;
    item.name = record_type_name(vm, record);
    item.name_length = strlen(item.name);
    return item;
}

/* A third process, which asks through this one, sees the name of its type. So does the owner of a
 * view's object whose reference was not asked for. */
static rs_item item_of_remote(Vm *vm, Value value)
{
    const Symbol *type = symbol_of(&vm->symbols, remote_of(value)->type);
    if (is_view(value) && is_remote(remote_of(value)->target))
        value = remote_of(value)->target;
    return (rs_item){.kind = is_view(value) ? RS_ITEM_OPAQUE : RS_ITEM_REMOTE,
                     .content.integer = (int64_t)remote_of(value)->reference,
                     .name = type->name,
                     .name_length = type->length};
}

static rs_item item_of_object(Vm *vm, Value value)
{
    switch (object_type(value)) {
    case TYPE_CONS:
        return item_of_elements(RS_ITEM_CONS, &cons_of(value)->car, 2);
    case TYPE_FLOAT:
        return (rs_item){.kind = RS_ITEM_FLOAT, .content.number = float_number(value)};
    case TYPE_STRING:
        return item_of_string(vm, value);
    case TYPE_VECTOR:
        return item_of_elements(RS_ITEM_VECTOR, vector_of(value)->elements,
                                vector_of(value)->length);
    case TYPE_RECORD:
        return item_of_record(vm, record_of(value));
    case TYPE_HASH:
        return item_of_hash(value);
    case TYPE_REMOTE:
        return item_of_remote(vm, value);
    default:
        return item_of_opaque(value);
    }
}

/* Most fixnums never come here, since `rs_immediates` says what they are: only those that are too
 * large for a word of an image. Nil and t never do. */
static rs_item item_of(Vm *vm, Value value)
{
    value = remote_replacement(value);
    if (is_fixnum(value))
        return (rs_item){.kind = RS_ITEM_INTEGER, .content.integer = fixnum_number(value)};
    if (is_object(value))
        return item_of_object(vm, value);
    return is_symbol(value) ? item_of_symbol(vm, value) : item_of_opaque(value);
}

static rs_status read_items(void *context, const rs_value *values, size_t count, rs_item *items)
{
    for (size_t i = 0; i < count; i++)
        items[i] = item_of(context, values[i]);
    return RS_OK;
}

/* The thread remembers where it stopped among the holes of a hash, since it is asked in pieces. */
static rs_status read_elements(void *context, rs_value hash, uint64_t from, size_t count,
                               rs_value *elements)
{
    (void)context;
    HashCursor *cursor = &thread_current()->cursor;
    if (cursor->hash != hash || cursor->element != from)
        *cursor = (HashCursor){.hash = hash};
    const HashEntry *entry;
    while (count != 0 && (entry = hash_entry(hash, cursor->entry)) != NULL) {
        bool is_value = cursor->element % 2 == 1;
        if (entry->key != UNBOUND && cursor->element++ >= from) {
            *elements++ = is_value ? entry->value : entry->key;
            count--;
        }
        if (entry->key == UNBOUND || is_value)
            cursor->entry++;
    }
    return count == 0 ? RS_OK : RS_ERR_HOST;
}

static Value make_symbol(Thread *thread, const rs_item *item)
{
    Value symbol = symbol_intern(&thread->vm->symbols, item->content.bytes, item->count);
    return symbol == UNBOUND ? raise_memory(thread) : symbol;
}

static Value make_integer(Thread *thread, int64_t number)
{
    if (number >= FIXNUM_MIN && number <= FIXNUM_MAX)
        return fixnum(number);
    return make_float(thread, (double)number);
}

static Value make_big_integer(Thread *thread, const rs_item *item)
{
    const unsigned char *bytes = item->content.bytes;
    double number = 0;
    for (uint64_t i = item->count; i-- > 0;)
        number = number * 256 + bytes[i];
    return make_float(thread, (item->flags & 1) != 0 ? -number : number);
}

static Value make_record_of_item(Thread *thread, const rs_item *item)
{
    if (item->count > RECORD_FIELDS_MAX)
        return raise_format(thread, "limit-error", "a record has up to %d fields",
                            RECORD_FIELDS_MAX);
    Value name = symbol_intern(&thread->vm->symbols, item->name, item->name_length);
    if (name == UNBOUND)
        return raise_memory(thread);
    uint32_t likely = item->flags & RS_ITEM_FLAGS;
    uint32_t type = record_type_find_or_adopt(thread, name, item->count, likely);
    if (type == UINT32_MAX)
        return FAILED;
    Value fields[RECORD_FIELDS_MAX];
    for (size_t i = 0; i < item->count; i++)
        fields[i] = NIL;
    return make_record(thread, type, fields, item->count);
}

Value share_make_item(Thread *thread, const rs_item *item)
{
    switch (item->kind) {
    case RS_ITEM_NIL:
    case RS_ITEM_FALSE:
        return NIL;
    case RS_ITEM_TRUE:
        return TRUTH;
    case RS_ITEM_INTEGER:
        return make_integer(thread, item->content.integer);
    case RS_ITEM_BIG_INTEGER:
        return make_big_integer(thread, item);
    case RS_ITEM_FLOAT:
        return make_float(thread, item->content.number);
    case RS_ITEM_SYMBOL:
    case RS_ITEM_UNINTERNED_SYMBOL:
        return make_symbol(thread, item);
    case RS_ITEM_STRING:
        return make_string(thread, item->content.bytes, item->count);
    case RS_ITEM_CONS:
        return make_cons(thread, NIL, NIL);
    case RS_ITEM_VECTOR:
        return make_vector(thread, item->count, NIL);
    case RS_ITEM_MAP:
        return make_hash(thread, (item->flags & RS_ITEM_FLAGS) == RS_MAP_IDENTITY, NIL);
    case RS_ITEM_RECORD:
        return make_record_of_item(thread, item);
    default:
        return raise_type(thread, "kind of item that is known", fixnum(item->kind));
    }
}

/* What went wrong stays pending for who called the library (share.c). */
static rs_status make_items(void *context, const rs_item *items, size_t count, rs_value *values)
{
    (void)context;
    Thread *thread = thread_current();
    for (size_t i = 0; i < count; i++) {
        Value value = share_make_item(thread, &items[i]);
        if (value == FAILED)
            return RS_ERR_HOST;
        values[i] = value;
    }
    return RS_OK;
}

static bool set_entries(Thread *thread, Value hash, const rs_value *elements, size_t count)
{
    for (size_t i = 0; i < count; i += 2)
        if (!hash_set(thread, hash, elements[i], elements[i + 1]))
            return false;
    return true;
}

static rs_status set_elements(void *context, rs_value object, uint64_t from, size_t count,
                              const rs_value *elements)
{
    (void)context;
    switch (object_type(object)) {
    case TYPE_CONS:
        memcpy(&cons_of(object)->car + from, elements, count * sizeof(Value));
        return RS_OK;
    case TYPE_VECTOR:
        memcpy(vector_of(object)->elements + from, elements, count * sizeof(Value));
        return RS_OK;
    case TYPE_RECORD:
        memcpy(record_of(object)->fields + from, elements, count * sizeof(Value));
        return RS_OK;
    case TYPE_HASH:
        return set_entries(thread_current(), object, elements, count) ? RS_OK : RS_ERR_HOST;
    default:
        return RS_ERR_HOST;
    }
}

void share_describe_items(rs_host *host)
{
    host->immediates = (rs_immediates){
        .integer_shift = 1,
        .integer_tag = 1,
        .integer_bits = 63,
        .has_constants = 1,
        .nil = NIL,
        .false_value = NIL,
        .true_value = TRUTH,
    };
    host->read_items = read_items;
    host->read_elements = read_elements;
    host->make_items = make_items;
    host->set_elements = set_elements;
}
