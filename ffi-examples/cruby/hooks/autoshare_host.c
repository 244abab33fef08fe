#include "autoshare_host.h"

#include <stdlib.h>
#include <string.h>

#include "autoshare_texts.h"
#include "internal.h"
#include "internal/class.h"
#include "internal/complex.h"
#include "internal/gc.h"
#include "internal/hash.h"
#include "internal/object.h"
#include "internal/proc.h"
#include "internal/rational.h"
#include "internal/string.h"
#include "internal/struct.h"
#include "internal/variable.h"
#include "internal/vm.h"
#include "iseq.h"
#include "method.h"
#include "ractor_core.h"
#include "shape.h"
#include "variable.h"
#include "vm_core.h"
#include "vm_sync.h"

/* === which objects can be shared === */

static Purpose purpose;

/* Whether `freeze` of a class is CRuby's own, for the classes last asked about. */
typedef struct Freezer {
    VALUE klass;
    bool is_builtin;
} Freezer;

#define FREEZERS 64
static Freezer freezers[FREEZERS];

void rb_autoshare_begin_walk(Purpose next)
{
    purpose = next;
    memset(freezers, 0, sizeof freezers);
}

/* Set#freeze does what a walk does: it freezes the hash inside. */
static bool is_freeze_of_set(const rb_callable_method_entry_t *method)
{
    if (method == NULL || method->def->type != VM_METHOD_TYPE_ISEQ) {
        return false;
    }
    VALUE owner = rb_class_path_cached(method->owner);
    VALUE file = rb_iseq_path(method->def->body.iseq.iseqptr);
    const char *name = strrchr(RSTRING_PTR(file), '/');
    return !NIL_P(owner) && strcmp(RSTRING_PTR(owner), "Set") == 0 && name != NULL &&
           strcmp(name, "/set.rb") == 0;
}

static bool freezes_by_itself(VALUE klass)
{
    Freezer *freezer = &freezers[(klass >> 3) % FREEZERS];
    if (freezer->klass != klass) {
        const rb_callable_method_entry_t *method = rb_callable_method_entry(klass, idFreeze);
        freezer->klass = klass;
        freezer->is_builtin =
            method != NULL && (METHOD_ENTRY_BASIC(method) || is_freeze_of_set(method));
    }
    return freezer->is_builtin;
}

/* An object with a `freeze` of its own must have run it: walks run no user code. */
static uint32_t if_frozen(VALUE object)
{
    if (RB_OBJ_FROZEN_RAW(object)) {
        return RS_SHARE_YES;
    }
    if (purpose == PURPOSE_ASK) {
        return RS_SHARE_NO;
    }
    VALUE klass = RBASIC_CLASS(object);
    return klass != 0 && freezes_by_itself(klass) ? RS_SHARE_YES : RS_SHARE_NEEDS_PREPARE;
}

static uint32_t can_share_data(VALUE object)
{
    if (RTYPEDDATA_P(object) && RTYPEDDATA_TYPE(object)->flags & RUBY_TYPED_FROZEN_SHAREABLE) {
        return if_frozen(object);
    }
    /* A block is isolated from its variables first. */
    bool is_proc = purpose != PURPOSE_ASK && rb_obj_is_proc(object);
    return is_proc ? RS_SHARE_NEEDS_PREPARE : RS_SHARE_NO;
}

static uint32_t can_share(void *ctx, rs_value object)
{
    (void)ctx;
    switch (BUILTIN_TYPE(object)) {
    case T_STRING:
        /* Some C code holds a pointer into it, to write there. */
        return FL_TEST_RAW(object, AUTOSHARE_STR_LOCKED) ? RS_SHARE_BUSY : if_frozen(object);
    case T_OBJECT:
    case T_FLOAT:
    case T_REGEXP:
    case T_ARRAY:
    case T_HASH:
    case T_STRUCT:
    case T_BIGNUM:
    case T_MATCH:
    case T_COMPLEX:
    case T_RATIONAL:
    case T_SYMBOL:
        return if_frozen(object);
    case T_FILE:
        return purpose == PURPOSE_AUTOSHARE ? RS_SHARE_NO : if_frozen(object);
    case T_DATA:
        return can_share_data(object);
    default:
        return RS_SHARE_NO;
    }
}

/* === what must be prepared === */

static VALUE *unprepared;
static size_t unprepared_count;
static size_t unprepared_room;

/* `freeze` may raise, and the library can't be unwound: it is called when the library has returned.
 */
static rs_status note_unprepared(void *ctx, rs_value object)
{
    (void)ctx;
    if (unprepared_count == unprepared_room) {
        size_t room = unprepared_room == 0 ? 64 : 2 * unprepared_room;
        VALUE *larger = realloc(unprepared, room * sizeof(VALUE));
        if (larger == NULL) {
            return RS_ERR_MEMORY;
        }
        unprepared = larger;
        unprepared_room = room;
    }
    unprepared[unprepared_count++] = object;
    return RS_MORE;
}

VALUE rb_autoshare_take_unprepared(void)
{
    if (unprepared_count == 0) {
        return 0;
    }
    VALUE list = rb_ary_new_from_values((long)unprepared_count, unprepared);
    unprepared_count = 0;
    return list;
}

void rb_autoshare_prepare(VALUE object)
{
    if (RB_OBJ_SHAREABLE_P(object)) {
        return;
    }
    if (rb_obj_is_proc(object)) {
        rb_proc_ractor_make_shareable(object);
    } else if (!RB_OBJ_FROZEN_RAW(object)) {
        rb_funcall(object, idFreeze, 0);
        if (!RB_OBJ_FROZEN_RAW(object)) {
            rb_raise(rb_eRactorError, "#freeze does not freeze object correctly");
        }
    }
}

/* === children === */

/* Where an object's children are, in the order in which they are numbered: its instance variables,
 * then what its type holds. */
typedef struct Children {
    const VALUE *ivars;
    size_t ivars_count;
    /* Instead of `ivars`, for objects with too many shapes. */
    const st_table *ivar_table;
    VALUE first;
    size_t first_count;
    const VALUE *values;
    size_t values_count;
    const st_table *table;
} Children;

static size_t table_values(const st_table *table)
{
    return table == NULL ? 0 : 2 * (size_t)table->entries_bound;
}

static void find_ivars(VALUE object, Children *children)
{
    bool is_complex = RBASIC_SHAPE_ID(object) == OBJ_TOO_COMPLEX_SHAPE_ID;
    struct gen_ivtbl *generic;
    if (BUILTIN_TYPE(object) == T_OBJECT) {
        if (is_complex) {
            children->ivar_table = ROBJECT_IV_HASH(object);
            return;
        }
        children->ivars = ROBJECT_IVPTR(object);
        children->ivars_count = ROBJECT_IV_COUNT(object);
    } else if (FL_TEST_RAW(object, FL_EXIVAR) && rb_gen_ivtbl_get(object, 0, &generic)) {
        if (is_complex) {
            children->ivar_table = generic->as.complex.table;
            return;
        }
        children->ivars = generic->as.shape.ivptr;
        children->ivars_count = generic->as.shape.numiv;
    }
}

#define AR_TABLE_BOUND(hash)                                                                       \
    ((RBASIC(hash)->flags & RHASH_AR_TABLE_BOUND_MASK) >> RHASH_AR_TABLE_BOUND_SHIFT)

static void find_values(VALUE object, Children *children)
{
    switch (BUILTIN_TYPE(object)) {
    case T_ARRAY:
        children->values = RARRAY_CONST_PTR(object);
        children->values_count = (size_t)RARRAY_LEN(object);
        break;
    case T_HASH:
        children->first = RHASH_IFNONE(object);
        children->first_count = 1;
        if (RHASH_ST_TABLE_P(object)) {
            children->table = RHASH_ST_TABLE(object);
        } else {
            children->values = (const VALUE *)RHASH_AR_TABLE(object)->pairs;
            children->values_count = 2 * (size_t)AR_TABLE_BOUND(object);
        }
        break;
    case T_STRUCT:
        children->values = RSTRUCT_CONST_PTR(object);
        children->values_count = (size_t)RSTRUCT_LEN(object);
        break;
    case T_RATIONAL:
        children->values = &RRATIONAL(object)->num;
        children->values_count = 2;
        break;
    case T_COMPLEX:
        children->values = &RCOMPLEX(object)->real;
        children->values_count = 2;
        break;
    default:
        break;
    }
}

/* A walk's position among the children of an object. */
typedef struct Position {
    rs_visitor *visitor;
    /* The number of the next child to come. */
    uint64_t next;
} Position;

/* Offers one child; false if there is no room for more. */
static bool offer(Position *position, VALUE child)
{
    position->next++;
    if (rs_visit(position->visitor, child)) {
        return true;
    }
    position->visitor->cursor = position->next;
    return false;
}

/* Where to begin in a part of `count` children: those before were visited already. */
static size_t skip(Position *position, size_t count)
{
    uint64_t begin = position->visitor->cursor;
    size_t visited = begin > position->next ? (size_t)(begin - position->next) : 0;
    visited = visited < count ? visited : count;
    position->next += visited;
    return visited;
}

/* How many children of a part of `count`, from the one numbered `begin` on, there is room for. */
static size_t fitting(const Position *position, size_t begin, size_t count)
{
    size_t room = (size_t)(position->visitor->limit - position->visitor->next);
    return count - begin < room ? count - begin : room;
}

/* `written` children were just written, of which there would be `wanted`; false if they are not all.
 */
static bool advance(Position *position, size_t written, size_t wanted)
{
    position->visitor->next += written;
    position->next += written;
    if (written < wanted) {
        position->visitor->cursor = position->next;
    }
    return written == wanted;
}

static bool offer_values(Position *position, const VALUE *values, size_t count)
{
    size_t begin = skip(position, count);
    size_t now = fitting(position, begin, count);
    memcpy(position->visitor->next, values + begin, now * sizeof *values);
    return advance(position, now, count - begin);
}

static bool offer_table(Position *position, const st_table *table)
{
    size_t count = table_values(table);
    size_t begin = skip(position, count);
    size_t now = fitting(position, begin, count);
    rb_autoshare_st_words(table, begin, position->visitor->next, now);
    return advance(position, now, count - begin);
}

typedef struct Reachable {
    Position position;
    bool is_full;
} Reachable;

static void offer_reachable(VALUE object, void *data)
{
    Reachable *reachable = data;
    if (!reachable->is_full && skip(&reachable->position, 1) == 0) {
        reachable->is_full = !offer(&reachable->position, object);
    }
}

/* What an extension's object holds only its own mark function knows. A block that is to be isolated
 * gets other variables then. */
static bool offer_data(Position *position, VALUE object)
{
    if (rb_obj_is_proc(object)) {
        return true;
    }
    Reachable reachable = {*position, false};
    rb_objspace_reachable_objects_from(object, offer_reachable, &reachable);
    *position = reachable.position;
    return !reachable.is_full;
}

static rs_status offer_all(VALUE object, rs_visitor *visitor)
{
    Children all = {0};
    Position position = {visitor, 0};
    find_ivars(object, &all);
    find_values(object, &all);
    bool whole = offer_values(&position, all.ivars, all.ivars_count) &&
                 offer_table(&position, all.ivar_table) &&
                 offer_values(&position, &all.first, all.first_count) &&
                 offer_values(&position, all.values, all.values_count) &&
                 offer_table(&position, all.table) &&
                 (BUILTIN_TYPE(object) != T_DATA || offer_data(&position, object));
    return whole ? RS_OK : RS_MORE;
}

/* The children of what most objects are, if they lie in one row: instance variables, members of a
 * struct, the pairs of a small hash (behind its default). False if not. */
static bool find_row(VALUE object, const VALUE **values, size_t *count)
{
    if (BUILTIN_TYPE(object) == T_OBJECT) {
        *values = ROBJECT_IVPTR(object);
        *count = ROBJECT_IV_COUNT(object);
        return RBASIC_SHAPE_ID(object) != OBJ_TOO_COMPLEX_SHAPE_ID;
    }
    if (FL_TEST_RAW(object, FL_EXIVAR)) {
        return false;
    }
    if (BUILTIN_TYPE(object) == T_HASH && RHASH_AR_TABLE_P(object)) {
        *values = (const VALUE *)RHASH_AR_TABLE(object)->pairs;
        *count = 2 * (size_t)AR_TABLE_BOUND(object);
        return true;
    }
    if (BUILTIN_TYPE(object) == T_STRUCT) {
        *values = RSTRUCT_CONST_PTR(object);
        *count = (size_t)RSTRUCT_LEN(object);
        return true;
    }
    return false;
}

static rs_status children(void *ctx, rs_value object, rs_visitor *visitor)
{
    (void)ctx;
    const VALUE *values;
    size_t count;
    if (visitor->cursor != 0 || !find_row(object, &values, &count) ||
        count >= (size_t)(visitor->limit - visitor->next)) {
        return offer_all(object, visitor);
    }
    if (BUILTIN_TYPE(object) == T_HASH) {
        *visitor->next++ = RHASH_IFNONE(object);
    }
    for (size_t index = 0; index < count; index++) {
        *visitor->next++ = values[index];
    }
    return RS_OK;
}

uint64_t rb_autoshare_count_ivars(VALUE object)
{
    Children all = {0};
    find_ivars(object, &all);
    return all.ivars_count + table_values(all.ivar_table);
}

/* === the other callbacks of a walk === */

static void commit(void *ctx, rs_value object)
{
    (void)ctx;
    VALUE klass = RBASIC_CLASS(object);
    if (klass != 0 && FL_TEST_RAW(klass, FL_SINGLETON)) {
        rb_freeze_singleton_class(object);
    }
}

/* Every other ractor waits at a point where it may be interrupted, until the VM lock is left; there
 * it rewrites no flag word, and none of its own calls into the library is under way. A ractor that
 * shares a graph of its own need not stop anybody: nobody else can reach what is not shareable in
 * it. */
static void stop_world(void *ctx)
{
    (void)ctx;
    if (purpose == PURPOSE_AUTOSHARE) {
        rb_vm_barrier();
    }
}

static void resume_world(void *ctx)
{
    (void)ctx;
}

static uint64_t content_hash(void *ctx, rs_value object)
{
    (void)ctx;
    if (BUILTIN_TYPE(object) != T_STRING) {
        return 0;
    }
    return st_hash(RSTRING_PTR(object), (size_t)RSTRING_LEN(object),
                   (st_index_t)ENCODING_GET(object));
}

/* === the contract === */

/* The type, whether there are generic instance variables, and (of arrays) whether the elements lie
 * in the object: bits 0 to 4, 10 and 13 of the flag word. */
#define TYPE_TAG_MASK (T_MASK | FL_EXIVAR | FL_USER1)
#define TYPE_TAGS (TYPE_TAG_MASK + 1)

/* Where they are in the flag word. */
#ifdef WORDS_BIGENDIAN
#define LOW_HALF 4
#else
#define LOW_HALF 0
#endif

static rs_layout layouts[TYPE_TAGS];

static void add_layout(unsigned type, unsigned flag, rs_layout layout)
{
    layouts[type | flag] = layout;
}

static void add_leaf(unsigned type, rs_layout layout)
{
    add_layout(type, 0, layout);
    add_layout(type, FL_USER1, layout);
}

static void fill_layouts(void)
{
    rs_layout ask = {.share = RS_SHARE_ASK, .elements = RS_ELEMENTS_ASK, .commit = 1};
    for (size_t tag = 0; tag < TYPE_TAGS; tag++) {
        layouts[tag] = ask;
    }
    rs_layout leaf = {.share = RS_SHARE_ASK, .commit = 1};
    add_leaf(T_STRING, leaf);
    add_leaf(T_REGEXP, leaf);
    add_leaf(T_MATCH, leaf);
    rs_layout always_frozen = {.share = RS_SHARE_ASK};
    add_leaf(T_FLOAT, always_frozen);
    add_leaf(T_BIGNUM, always_frozen);
    add_leaf(T_SYMBOL, always_frozen);
    rs_layout embedded = {.share = RS_SHARE_ASK,
                          .elements = RS_ELEMENTS_INLINE,
                          .elements_offset = offsetof(struct RArray, as.ary),
                          .length_offset = offsetof(struct RBasic, flags),
                          .length_width = 64,
                          .length_shift = RARRAY_EMBED_LEN_SHIFT,
                          .length_bits = 7,
                          .commit = 1};
    add_layout(T_ARRAY, RARRAY_EMBED_FLAG, embedded);
    rs_layout array = {.share = RS_SHARE_ASK,
                       .elements = RS_ELEMENTS_INDIRECT,
                       .elements_offset = offsetof(struct RArray, as.heap.ptr),
                       .length_offset = offsetof(struct RArray, as.heap.len),
                       .length_width = 64,
                       .commit = 1};
    add_layout(T_ARRAY, 0, array);
}

rs_host rb_autoshare_host(uint32_t enforcement, uint32_t options)
{
    fill_layouts();
    rs_host host = RS_HOST_INIT;
    host.flags = rs_flags_in_header(offsetof(struct RBasic, flags), 64, RUBY_FL_FREEZE,
                                    RUBY_FL_SHAREABLE, RUBY_FL_AUTOSHARE, 0);
    host.pointers = (rs_pointers){RS_POINTERS_ALIGNED_8, 0, 0x100};
    host.type_tag = (rs_type_tag){.width = 32, .offset = LOW_HALF, .mask = TYPE_TAG_MASK};
    host.layouts = layouts;
    host.layouts_count = TYPE_TAGS;
    host.mark_policy = RS_MARK_ON_FIRST_RACTOR;
    host.walk_mode = RS_WALK_WORLD_STOPPED;
    host.enforcement = enforcement;
    host.options = RS_OPTION_PROVENANCE | options;
    host.can_share = can_share;
    host.children = children;
    host.prepare = note_unprepared;
    host.commit = commit;
    host.stop_world = stop_world;
    host.resume_world = resume_world;
    host.site = rb_autoshare_site;
    host.describe = rb_autoshare_describe;
    host.label = rb_autoshare_label;
    host.content_hash = content_hash;
    host.warn = rb_autoshare_warn;
    return host;
}
