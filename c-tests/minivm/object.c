#include "object.h"

#include <stdlib.h>
#include <string.h>

#include "hash.h"
#include "ractor.h"
#include "view.h"
#include "vm.h"

const char *type_name(enum Type type)
{
    static const char *const names[TYPE_COUNT] = {
        [TYPE_FREE] = "free cell",    [TYPE_CONS] = "cons",     [TYPE_FLOAT] = "float",
        [TYPE_STRING] = "string",     [TYPE_VECTOR] = "vector", [TYPE_RECORD] = "record",
        [TYPE_ENVIRONMENT] = "scope", [TYPE_HASH] = "hash",     [TYPE_CLOSURE] = "procedure",
        [TYPE_CLASS] = "class",       [TYPE_PORT] = "port",     [TYPE_RACTOR] = "ractor",
        [TYPE_LINK] = "link",         [TYPE_REMOTE] = "remote",
    };
    return type < TYPE_COUNT ? names[type] : "unknown object";
}

/* Allocates while up to three values stand on the root stack. */
static Object *allocate_keeping(Thread *thread, enum Type type, size_t bytes, Value *values,
                                size_t count)
{
    Value *scope = roots_open(thread);
    for (size_t i = 0; i < count; i++)
        root(thread, values[i]);
    Object *object = heap_allocate(thread, type, bytes);
    memcpy(values, scope, count * sizeof(Value));
    roots_close(thread, scope);
    return object;
}

Value make_cons(Thread *thread, Value first, Value rest)
{
    Value values[] = {first, rest};
    Cons *cons = (Cons *)allocate_keeping(thread, TYPE_CONS, sizeof(Cons), values, 2);
    if (cons == NULL)
        return raise_memory(thread);
    cons->car = values[0];
    cons->cdr = values[1];
    return (Value)cons;
}

Value make_float(Thread *thread, double number)
{
    Float *object = (Float *)heap_allocate(thread, TYPE_FLOAT, sizeof(Float));
    if (object == NULL)
        return raise_memory(thread);
    object->number = number;
    return (Value)object;
}

/* The buffer is made first: `bytes` may stand in the heap's own buffers, never in its cells. */
Value make_string(Thread *thread, const char *bytes, size_t length)
{
    char *buffer = malloc(length + 1);
    if (buffer == NULL)
        return raise_memory(thread);
    memcpy(buffer, bytes, length);
    buffer[length] = '\0';
    heap_count_outside(thread, length + 1);
    String *string = (String *)heap_allocate(thread, TYPE_STRING, sizeof(String));
    if (string == NULL) {
        free(buffer);
        return raise_memory(thread);
    }
    string->bytes = buffer;
    string->length = length;
    string->capacity = length + 1;
    return (Value)string;
}

Value make_text(Thread *thread, const char *text)
{
    return make_string(thread, text, strlen(text));
}

static Value *filled_elements(size_t length, Value fill)
{
    Value *elements = malloc((length == 0 ? 1 : length) * sizeof(Value));
    if (elements != NULL)
        for (size_t i = 0; i < length; i++)
            elements[i] = fill;
    return elements;
}

Value make_vector(Thread *thread, size_t length, Value fill)
{
    heap_count_outside(thread, length * sizeof(Value));
    Vector *vector = (Vector *)allocate_keeping(thread, TYPE_VECTOR, sizeof(Vector), &fill, 1);
    if (vector == NULL)
        return raise_memory(thread);
    vector->elements = filled_elements(length, fill);
    if (vector->elements == NULL)
        return raise_memory(thread);
    vector->length = length;
    vector->capacity = length == 0 ? 1 : length;
    return (Value)vector;
}

Value make_record(Thread *thread, uint32_t record_type, const Value *fields, size_t length)
{
    Value *scope = roots_open(thread);
    for (size_t i = 0; i < length; i++)
        root(thread, fields[i]);
    size_t bytes = sizeof(Record) + length * sizeof(Value);
    Record *record = (Record *)heap_allocate(thread, TYPE_RECORD, bytes);
    if (record == NULL) {
        roots_close(thread, scope);
        return raise_memory(thread);
    }
    record->record_type = record_type;
    record->length = (uint16_t)length;
    memcpy(record->fields, scope, length * sizeof(Value));
    roots_close(thread, scope);
    return (Value)record;
}

Value make_environment(Thread *thread, Value parent, size_t variables)
{
    size_t bytes = sizeof(Environment) + variables * sizeof(Pair);
    Environment *scope =
        (Environment *)allocate_keeping(thread, TYPE_ENVIRONMENT, bytes, &parent, 1);
    if (scope == NULL)
        return raise_memory(thread);
    scope->parent = parent;
    scope->words = 2 * variables;
    for (size_t i = 0; i < variables; i++)
        scope->variables[i] = (Pair){UNBOUND, UNBOUND};
    return (Value)scope;
}

Value make_closure(Thread *thread, Value name, Value parameters, Value body, Value environment)
{
    Value values[] = {parameters, body, environment};
    Closure *closure =
        (Closure *)allocate_keeping(thread, TYPE_CLOSURE, sizeof(Closure), values, 3);
    if (closure == NULL)
        return raise_memory(thread);
    closure->name = name;
    closure->parameters = values[0];
    closure->body = values[1];
    closure->environment = values[2];
    closure->isolated = values[2] == NIL;
    return (Value)closure;
}

bool vector_push(Thread *thread, Value value, Value element)
{
    Vector *vector = vector_of(value);
    if (vector->length == vector->capacity) {
        size_t capacity = vector->capacity * 2;
        Value *elements = malloc(capacity * sizeof(Value));
        if (elements == NULL) {
            raise_memory(thread);
            return false;
        }
        memcpy(elements, vector->elements, vector->length * sizeof(Value));
        Value *before = vector->elements;
        store_field(&vector->elements, elements);
        store_field(&vector->capacity, capacity);
        free(before);
        heap_count_outside(thread, capacity * sizeof(Value));
    }
    store_field(&vector->elements[vector->length], element);
    store_field(&vector->length, vector->length + 1);
    return true;
}

bool string_append(Thread *thread, Value value, const char *bytes, size_t length)
{
    String *string = string_of(value);
    size_t needed = string->length + length + 1;
    if (needed > string->capacity) {
        size_t capacity = needed * 2;
        char *buffer = malloc(capacity);
        if (buffer == NULL) {
            raise_memory(thread);
            return false;
        }
        memcpy(buffer, string->bytes, string->length);
        memcpy(buffer + string->length, bytes, length);
        char *before = string->bytes;
        store_field(&string->bytes, buffer);
        store_field(&string->capacity, capacity);
        free(before);
        heap_count_outside(thread, capacity);
    } else {
        memmove(string->bytes + string->length, bytes, length);
    }
    string->bytes[needed - 1] = '\0';
    store_field(&string->length, needed - 1);
    return true;
}

void object_finish(Object *object)
{
    switch (object->type & TYPE_MASK) {
    case TYPE_STRING:
        free(((String *)object)->bytes);
        break;
    case TYPE_VECTOR:
        free(((Vector *)object)->elements);
        break;
    case TYPE_HASH:
        free(((Hash *)object)->table);
        break;
    case TYPE_PORT:
        if (((Port *)object)->file != NULL)
            fclose(((Port *)object)->file);
        break;
    case TYPE_RACTOR:
        ractor_release(((RactorObject *)object)->ractor);
        break;
    case TYPE_REMOTE:
        if (((Remote *)object)->image != NULL)
            view_finish((Remote *)object);
        break;
    default:
        break;
    }
}

size_t object_outside_bytes(const Object *object)
{
    switch (object->type & TYPE_MASK) {
    case TYPE_STRING:
        return ((const String *)object)->capacity;
    case TYPE_VECTOR:
        return ((const Vector *)object)->capacity * sizeof(Value);
    case TYPE_HASH:
        return hash_outside_bytes((const Hash *)object);
    default:
        return 0;
    }
}

void object_moved(Object *object)
{
    if ((object->type & TYPE_MASK) == TYPE_HASH && ((Hash *)object)->identity)
        hash_index_again((Hash *)object);
    else if (is_view((Value)object))
        view_moved((Remote *)object);
}

static void references_of(Value *places, size_t count, ReferenceVisitor visit, void *data)
{
    for (size_t i = 0; i < count; i++)
        visit(&places[i], data);
}

static void closure_references(Closure *closure, ReferenceVisitor visit, void *data)
{
    visit(&closure->parameters, data);
    visit(&closure->body, data);
    visit(&closure->environment, data);
}

void object_references(Object *object, ReferenceVisitor visit, void *data)
{
    switch (object->type & TYPE_MASK) {
    case TYPE_CONS:
        visit(&((Cons *)object)->car, data);
        visit(&((Cons *)object)->cdr, data);
        break;
    case TYPE_VECTOR:
        references_of(((Vector *)object)->elements, ((Vector *)object)->length, visit, data);
        break;
    case TYPE_RECORD:
        references_of(((Record *)object)->fields, ((Record *)object)->length, visit, data);
        break;
    case TYPE_ENVIRONMENT:
        visit(&((Environment *)object)->parent, data);
        references_of((Value *)((Environment *)object)->variables, ((Environment *)object)->words,
                      visit, data);
        break;
    case TYPE_HASH:
        hash_references((Hash *)object, visit, data);
        break;
    case TYPE_CLOSURE:
        closure_references((Closure *)object, visit, data);
        break;
    case TYPE_REMOTE:
        visit(&((Remote *)object)->target, data);
        break;
    default:
        break;
    }
}
