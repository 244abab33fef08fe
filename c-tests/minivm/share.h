/*
 * share.h: where the Lisp meets vmshare. share_host.c tells the library what the Lisp is: flags,
 * layouts, callbacks; share_items.c what its values are to others; operation.c does for another
 * process what it asks for. share.c makes the calls; link.c, remote.c, view.c and watch.h those
 * that are about other processes. No other file names an rs_ function, but for the inline tests
 * here, and printer.c, which reads images in place.
 *
 * MINIVM_PLACEMENT chooses at build time where the four flags live: HEADER (all in Object.flags),
 * SIDE (none: the library keeps a byte for each 16 bytes of heap) or SPLIT (FROZEN, SHAREABLE and
 * AUTOSHARE in Object.flags, the rest beside).
 */

#ifndef MINIVM_SHARE_H
#define MINIVM_SHARE_H

#include <stdatomic.h>

#include "object.h"
#include "vmshare.h"

#define MINIVM_HEADER 0
#define MINIVM_SIDE 1
#define MINIVM_SPLIT 2
#ifndef MINIVM_PLACEMENT
#define MINIVM_PLACEMENT MINIVM_HEADER
#endif
#ifndef MINIVM_LAYOUTS
#define MINIVM_LAYOUTS 1
#endif

typedef struct Share {
    rs_vm *vm;
    rs_side_table side_table;
    /* The library keeps something beside the objects, which must follow them. */
    bool keeps_bytes;
    /* What the library told the callbacks. */
    atomic_ulong marked;
    atomic_ulong unmarked;
    atomic_ulong committed;
    atomic_ulong transitions;
} Share;

/* The host contract, in share_host.c. */
rs_host share_describe_host(Vm *vm);

/* Its callbacks of items, in share_items.c. */
void share_describe_items(rs_host *host);

/* The vm's symbols and heap exist. False: the library refused. */
bool share_prepare(Vm *vm, rs_ractor *main_ractor);
void share_finish(Share *share);

rs_ractor share_ractor_new(Thread *thread, const char *name);
void share_ractor_free(Share *share, rs_ractor ractor);

/* Before every write, if share_must_check says so: true, or false with a condition pending. */
bool share_check(Thread *thread, Value object);

static inline bool share_must_check(const Share *share, Value object)
{
    (void)share;
#if MINIVM_PLACEMENT == MINIVM_HEADER
    return rs_must_check(RS_LOAD_RELAXED(&object_of(object)->flags),
                         FLAG_FROZEN | FLAG_AUTOSHARE | FLAG_PENDING);
#elif MINIVM_PLACEMENT == MINIVM_SIDE
    return rs_side_must_check(&share->side_table, object);
#else
    return rs_must_check(RS_LOAD_RELAXED(&object_of(object)->flags), FLAG_FROZEN | FLAG_AUTOSHARE);
#endif
}

/* After a read of a slot: no question to ask? */
static inline bool share_is_shareable(const Share *share, Value object)
{
    (void)share;
#if MINIVM_PLACEMENT == MINIVM_HEADER
    return rs_is_shareable(rs_load_flags_32(&object_of(object)->flags), FLAG_SHAREABLE,
                           FLAG_PENDING);
#else
    return rs_side_is_shareable(&share->side_table, object);
#endif
}

/* The Lisp's own part of the flag word: how many iterations over a hash its owner has under way.
 * That one begins or ends is no write to the Lisp program, so the library is not asked, and a walk
 * of another thread may be about to claim or publish the hash. Beside flags that such a walk
 * changes, the word needs an atomic addition. Split flags are for VMs with many such places: a word
 * that only its owner writes can be loaded, changed and stored. */
static inline uint32_t share_iterations(Value hash)
{
    return load_field(&object_of(hash)->flags) / FLAG_ITERATION;
}

static inline void share_count_iteration(Value hash, int difference)
{
    uint32_t *flags = &object_of(hash)->flags;
    uint32_t amount = (uint32_t)difference * FLAG_ITERATION;
#if MINIVM_PLACEMENT == MINIVM_HEADER
    __atomic_fetch_add(flags, amount, __ATOMIC_RELAXED);
#else
    store_field(flags, load_field(flags) + amount);
#endif
}

/* RS_NO_SLOT with a condition pending. */
rs_slot share_slot_new(Thread *thread, uint32_t kind, const char *name, const char *owner);
bool share_slot_free(Thread *thread, rs_slot slot);
uint32_t share_slot_state(Thread *thread, rs_slot slot);

/* True, or false with a condition pending. */
bool share_mark(Thread *thread, rs_slot slot, Value value);
bool share_make_shareable(Thread *thread, Value value);
bool share_freeze(Thread *thread, Value object);

/* The library's own answer. */
rs_status share_access(Thread *thread, rs_slot slot, Value value);

/* A new object of a kind that is shareable from the beginning; FAILED if that can't be. */
Value share_at_birth(Thread *thread, Value object);

bool share_value_is_frozen(Thread *thread, Value value);
bool share_value_is_shareable(Thread *thread, Value value);
uint32_t share_state(Thread *thread, Value value);

/* Around a change of representation by a reader. False: it must not happen. */
bool share_before_change(Thread *thread, Value object);
void share_after_change(Thread *thread, Value object);

/* RS_OK, or RS_NOT_SHAREABLE with the report filled in. */
rs_status share_explain(Thread *thread, rs_slot slot, Value value, rs_report *report);
rs_status share_verify(Thread *thread, rs_report *report);
rs_status share_draw(Thread *thread, Value value, uint32_t format, rs_write_fn write, void *data);
rs_statistics share_statistics(Thread *thread);

/* A copy of the graph below a value down to `depth` levels; what lies deeper is not copied. FAILED
 * with a condition pending. */
Value share_copy(Thread *thread, Value value, uint64_t depth);

/* The objects of an image; FAILED with a condition pending. */
Value share_decode(Thread *thread, rs_image image);

/* The value of an item, with nothing in it yet if it has elements; FAILED with a condition
 * pending. */
Value share_make_item(Thread *thread, const rs_item *item);

/* What the last refusal to this thread was about. */
rs_report share_last_report(Thread *thread);

/* The collector's, while the world is stopped. */
void share_visit_roots(Share *share, rs_gc_visit_fn visit, void *data);
void share_visit_own_roots(Share *share, rs_gc_visit_fn visit, void *data);
void share_summarise(Share *share, rs_gc_is_alive_fn is_alive);
void share_sweep(Share *share, rs_gc_is_alive_fn is_alive);
void share_update(Share *share, rs_gc_forward_fn forward);
void share_object_moved(Share *share, Value from, Value to);
void share_object_freed(Share *share, Value object);

#endif
