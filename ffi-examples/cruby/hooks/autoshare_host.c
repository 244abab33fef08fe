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

/* === other callbacks of a walk === */

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
    host.children = rb_autoshare_children;
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
