/*
 * object.h: what the heap holds. Every object begins with a word that says its type and a word for
 * the four sharing flags; object_layouts tells vmshare where the children stand.
 *
 * The collector keeps its bits in the type word, which the library never writes. The flag word the
 * library shares with the Lisp, which may rewrite it plainly if the flags are split (share.h).
 *
 * A walk of another thread may read fields while their owner runs on. Every change of a field
 * that an object's readers can see therefore is `store_field`: a relaxed atomic store, which is an
 * ordinary store on every machine, but never half done.
 */

#ifndef MINIVM_OBJECT_H
#define MINIVM_OBJECT_H

#include <stddef.h>
#include <stdio.h>

#include "minivm.h"
#include "value.h"

enum Type {
    TYPE_FREE,
    TYPE_CONS,
    TYPE_FLOAT,
    TYPE_STRING,
    TYPE_VECTOR,
    TYPE_RECORD,
    TYPE_ENVIRONMENT,
    TYPE_HASH,
    TYPE_CLOSURE,
    TYPE_CLASS,
    TYPE_PORT,
    TYPE_RACTOR,
    TYPE_LINK,
    TYPE_REMOTE,
    TYPE_COUNT,
};

#define TYPE_MASK UINT32_C(0xff)
/* The collector's: reached in this collection; moved, and the next word says where to. */
#define TYPE_MARKED UINT32_C(0x100)
#define TYPE_MOVED UINT32_C(0x200)

/* Bits of Object.flags, with flags in the header or split. The bits above them are the Lisp's: the
 * owner of a hash counts there the iterations over it that are under way (share.h). */
#define FLAG_FROZEN UINT32_C(1)
#define FLAG_SHAREABLE UINT32_C(2)
#define FLAG_AUTOSHARE UINT32_C(4)
#define FLAG_PENDING UINT32_C(8)
#define FLAG_ITERATION UINT32_C(16)

typedef struct Object {
    uint32_t type;
    uint32_t flags;
} Object;

/* Objects are aligned to 16 bytes, which leaves a word beside car and cdr: in it the reader notes
 * where in the program it read the pair; 0 for others. */
typedef struct Cons {
    Object header;
    Value car;
    Value cdr;
    uint32_t file;
    uint32_t line;
} Cons;

typedef struct Float {
    Object header;
    double number;
} Float;

typedef struct String {
    Object header;
    char *bytes;
    size_t length;
    size_t capacity;
} String;

typedef struct Vector {
    Object header;
    Value *elements;
    size_t length;
    size_t capacity;
} Vector;

/* `prepared`: the type's freeze hook has run since the last change. */
typedef struct Record {
    Object header;
    uint32_t record_type;
    uint16_t length;
    uint16_t prepared;
    Value fields[];
} Record;

typedef struct Pair {
    Value name;
    Value value;
} Pair;

/* One scope of local variables. `words` is twice the number of variables. */
typedef struct Environment {
    Object header;
    Value parent;
    size_t words;
    Pair variables[];
} Environment;

typedef struct Hash {
    Object header;
    struct HashTable *table;
    Value default_procedure;
    uint16_t identity;
    /* Set when the hash becomes shareable: its table must not be rearranged any more. */
    uint16_t sealed;
} Hash;

/* `isolated`: the environment is a copy of its own that nobody else refers to, or there is none. */
typedef struct Closure {
    Object header;
    Value name;
    Value parameters;
    Value body;
    Value environment;
    uint32_t isolated;
} Closure;

typedef struct Class {
    Object header;
    struct ClassVariables *variables;
    Value name;
} Class;

typedef struct Port {
    Object header;
    FILE *file;
} Port;

typedef struct RactorObject {
    Object header;
    struct Ractor *ractor;
} RactorObject;

typedef struct LinkObject {
    Object header;
    struct Link *link;
} LinkObject;

/* Stands for an object of another process (remote.h). `reference` is the library's; `type` is the
 * symbol of what it is called there. `replacement`: what it stands for since the link has ended, or
 * UNBOUND; the next collection puts that in the place of every reference. Of a view (view.h) those
 * are its target's, which is NIL while it is not known, and NIL for others. */
typedef struct Remote {
    Object header;
    uint64_t reference;
    struct Link *link;
    Value type;
    Value replacement;
    Value target;
    struct Image *image;
    uint64_t node;
    uint32_t number;
} Remote;

/* The largest object: bounds the fields of a record and the variables of one scope. */
#define OBJECT_BYTES_MAX 1024
#define RECORD_FIELDS_MAX 64
#define SCOPE_VARIABLES_MAX 60

#define store_field(place, value) __atomic_store_n((place), (value), __ATOMIC_RELAXED)
#define load_field(place) __atomic_load_n((place), __ATOMIC_RELAXED)

static inline Object *object_of(Value value)
{
    return (Object *)value;
}

static inline enum Type object_type(Value value)
{
    return (enum Type)(object_of(value)->type & TYPE_MASK);
}

static inline bool is_type(Value value, enum Type type)
{
    return is_object(value) && object_type(value) == type;
}

static inline bool is_cons(Value value)
{
    return is_type(value, TYPE_CONS);
}

static inline Cons *cons_of(Value value)
{
    return (Cons *)value;
}

static inline Value car(Value pair)
{
    return cons_of(pair)->car;
}

static inline Value cdr(Value pair)
{
    return cons_of(pair)->cdr;
}

static inline String *string_of(Value value)
{
    return (String *)value;
}

static inline Vector *vector_of(Value value)
{
    return (Vector *)value;
}

static inline Record *record_of(Value value)
{
    return (Record *)value;
}

static inline Environment *environment_of(Value value)
{
    return (Environment *)value;
}

static inline Hash *hash_of(Value value)
{
    return (Hash *)value;
}

static inline Closure *closure_of(Value value)
{
    return (Closure *)value;
}

static inline double float_number(Value value)
{
    return ((Float *)value)->number;
}

/* What a program calls objects of this type. */
const char *type_name(enum Type type);

/* Constructors. Each may collect, and moves objects if the collector does: values that are needed
 * afterwards must stand on the thread's root stack. FAILED if memory ran out. The arguments that
 * are values are kept alive by the constructor itself. */
Value make_cons(Thread *thread, Value first, Value rest);
Value make_float(Thread *thread, double number);
Value make_string(Thread *thread, const char *bytes, size_t length);
Value make_text(Thread *thread, const char *text);
Value make_vector(Thread *thread, size_t length, Value fill);
Value make_record(Thread *thread, uint32_t record_type, const Value *fields, size_t length);
Value make_environment(Thread *thread, Value parent, size_t variables);
Value make_closure(Thread *thread, Value name, Value parameters, Value body, Value environment);

/* Raises a memory-error; always FAILED. */
Value raise_memory(Thread *thread);

/* The objects' buffers grow here, for a caller that has passed the write check. False: no memory.
 */
bool vector_push(Thread *thread, Value vector, Value element);
bool string_append(Thread *thread, Value string, const char *bytes, size_t length);

/* Releases what an object holds outside of the heap, before its memory is reused. */
void object_finish(Object *object);

/* How many bytes an object keeps outside of the heap. */
size_t object_outside_bytes(const Object *object);

/* Is told of an object's new place after a move, when its references are up to date. */
void object_moved(Object *object);

/* Calls `visit` with the place of every reference in the object, in the order of the children
 * that vmshare sees. */
typedef void (*ReferenceVisitor)(Value *place, void *data);
void object_references(Object *object, ReferenceVisitor visit, void *data);

#endif
