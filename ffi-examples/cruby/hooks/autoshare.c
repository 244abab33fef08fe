/*
 * Feature #17278 for CRuby, by vmshare.
 *
 * WHERE THE FLAGS ARE, AND WHY WALKS STOP THE WORLD
 *
 * CRuby rewrites flag words by plain read-modify-write, also of objects that it only reads: the
 * code range of a string, the iteration level of a hash, "has an object id", "has generic instance
 * variables". A walk that set bits in such a word by atomic operations while main ran on could lose
 * its bit to main's next plain store, or main's to its own. So a walk runs behind a VM barrier:
 * every other ractor then waits where it may be interrupted, which is never between the load and
 * the store of a flag word. Two bits of the header are CRuby's own (FL_FREEZE and FL_SHAREABLE);
 * the third, AUTOSHARE, is the only one that is free. A fourth for claims is not needed, since
 * nobody but the walk itself sees a claim. Besides, "reading" in CRuby rewrites more than flags:
 * `dup` of an array makes its elements a shared root, a hash of eight grows into a table. A walk
 * beside a running main would need a bracket around each of those places; a stopped one needs none.
 *
 * Main's pause is the walk: some tens of nanoseconds an object, once in the life of a graph. A
 * major collection stops the same threads for longer, and again and again.
 *
 * LOCKS
 *
 * Every call into the library is made under the VM lock: the library's own locks are then never
 * contended, so nobody waits for one where a barrier can't reach him. Nothing is raised inside.
 * While a call may walk, the collector is off: what the callbacks ask of CRuby may fill method
 * caches.
 */

#include "autoshare_core.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "autoshare_calls.h"
#include "autoshare_places.h"
#include "internal.h"
#include "internal/class.h"
#include "internal/error.h"
#include "internal/gc.h"
#include "internal/variable.h"
#include "ractor_core.h"
#include "rjit.h"
#include "vm_core.h"
#include "vm_sync.h"

bool rb_autoshare_active;

/* Made when it is first needed; ends with the process. */
rs_vm *rb_autoshare_vm;

/* === calls === */

Inside rb_autoshare_enter(Purpose purpose)
{
    Inside inside;
    RB_VM_LOCK_ENTER_LEV(&inside.level);
    inside.was_disabled = rb_gc_disable_no_rest();
    rb_autoshare_begin_walk(purpose);
    return inside;
}

void rb_autoshare_leave(Inside inside)
{
    if (inside.was_disabled == Qfalse) {
        rb_gc_enable();
    }
    RB_VM_LOCK_LEAVE_LEV(&inside.level);
}

rs_ractor rb_autoshare_current(void)
{
    return GET_RACTOR()->autoshare_id;
}

/* === beginning === */

/* RJIT's code, unlike YJIT's, writes instance variables with no test that could notice. */
static bool is_off(const char *mode)
{
    return rb_rjit_enabled || (mode != NULL && strcmp(mode, "off") == 0);
}

static uint32_t enforcement(void)
{
    const char *mode = getenv("RUBY_AUTOSHARE");
    if (is_off(mode)) {
        return RS_OFF;
    }
    return mode != NULL && strcmp(mode, "warn") == 0 ? RS_WARN : RS_ENFORCE;
}

uint32_t rb_autoshare_options(void)
{
    return getenv("RUBY_AUTOSHARE_VERIFY") == NULL ? 0 : RS_OPTION_VERIFY;
}

/* False if autoshare is off. */
bool rb_autoshare_open(void)
{
    if (rb_autoshare_vm != NULL) {
        return true;
    }
    if (enforcement() == RS_OFF) {
        return false;
    }
    rs_host host = rb_autoshare_host(enforcement(), rb_autoshare_options());
    rs_ractor main_ractor;
    rs_vm *opened;
    rs_status status = rs_vm_new(&host, &opened, &main_ractor);
    if (status != RS_OK) {
        rb_autoshare_raise_failure(status);
    }
    GET_VM()->ractor.main_ractor->autoshare_id = main_ractor;
    rb_autoshare_vm = opened;
    return true;
}

/* === places === */

/* Before the first ractor: the walk comes with it. */
static void add_place(enum autoshare_place kind, VALUE klass, ID id, VALUE value)
{
    if (UNDEF_P(value) || SPECIAL_CONST_P(value) || RB_OBJ_SHAREABLE_P(value)) {
        return;
    }
    rs_slot slot = rb_autoshare_make_slot(rb_autoshare_vm, kind, klass, id);
    if (slot == RS_NO_SLOT || rs_autoshare_mark(rb_autoshare_vm, slot, value) != RS_OK) {
        rb_memerror();
    }
}

static enum rb_id_table_iterator_result add_constant(ID id, VALUE entry, void *klass)
{
    add_place(AUTOSHARE_CONSTANT, (VALUE)klass, id, ((const rb_const_entry_t *)entry)->value);
    return ID_TABLE_CONTINUE;
}

static int add_class_variable(ID id, VALUE value, st_data_t klass)
{
    if (rb_is_class_id(id)) {
        add_place(AUTOSHARE_CLASS_VARIABLE, klass, id, value);
    } else if (rb_is_instance_id(id)) {
        add_place(AUTOSHARE_CLASS_IVAR, klass, id, value);
    }
    return ST_CONTINUE;
}

static void add_global(ID id, VALUE value)
{
    if (value != 0) {
        add_place(AUTOSHARE_GLOBAL, 0, id, value);
    }
}

static int collect_classes(void *start, void *end, size_t stride, void *classes)
{
    for (VALUE object = (VALUE)start; object != (VALUE)end; object += stride) {
        VALUE type = RBASIC(object)->flags & T_MASK;
        if (type == T_CLASS || type == T_MODULE) {
            rb_ary_push((VALUE)classes, object);
        }
    }
    return 0;
}

/* All constants, globals, class variables and instance variables of classes that there are. */
static void add_places(void)
{
    VALUE classes = rb_ary_hidden_new(4096);
    rb_objspace_each_objects(collect_classes, (void *)classes);
    for (long index = 0; index < RARRAY_LEN(classes); index++) {
        VALUE klass = RARRAY_AREF(classes, index);
        if (RCLASS_CONST_TBL(klass) != NULL) {
            rb_id_table_foreach(RCLASS_CONST_TBL(klass), add_constant, (void *)klass);
        }
        rb_ivar_foreach(klass, add_class_variable, (st_data_t)klass);
    }
    rb_autoshare_each_global(add_global);
    RB_GC_GUARD(classes);
}

void rb_autoshare_assign(enum autoshare_place kind, VALUE klass, ID id, VALUE value)
{
    bool is_internal = kind == AUTOSHARE_CLASS_IVAR && !rb_is_instance_id(id);
    if (is_internal || !rb_ractor_main_p()) {
        return;
    }
    Inside inside = rb_autoshare_enter(PURPOSE_AUTOSHARE);
    rs_slot slot = rb_autoshare_find_slot(klass, id);
    bool needs_slot = !SPECIAL_CONST_P(value) && !RB_OBJ_SHAREABLE_P(value);
    rs_status status = RS_OK;
    if (slot == RS_NO_SLOT && needs_slot) {
        slot = rb_autoshare_make_slot(rb_autoshare_vm, kind, klass, id);
        status = slot == RS_NO_SLOT ? RS_ERR_MEMORY : RS_OK;
    }
    if (slot != RS_NO_SLOT) {
        status = rs_autoshare_mark(rb_autoshare_vm, slot, value);
    }
    rb_autoshare_leave(inside);
    if (status != RS_OK) {
        rb_autoshare_raise_failure(status);
    }
}

/* === ractors === */

void rb_autoshare_ractor_new(rb_ractor_t *ractor)
{
    if (!rb_autoshare_open()) {
        return;
    }
    if (!rb_autoshare_active) {
        add_places();
    }
    Inside inside = rb_autoshare_enter(PURPOSE_AUTOSHARE);
    rs_status status = rs_ractor_new(rb_autoshare_vm, NULL, &ractor->autoshare_id);
    rb_autoshare_active = rb_autoshare_active || status == RS_OK;
    rb_autoshare_leave(inside);
    if (status != RS_OK) {
        rb_autoshare_raise_failure(status);
    }
}

void rb_autoshare_ractor_free(rb_ractor_t *ractor)
{
    if (ractor->autoshare_id != RS_NO_RACTOR) {
        rs_ractor_free(rb_autoshare_vm, ractor->autoshare_id);
        ractor->autoshare_id = RS_NO_RACTOR;
    }
}

/* === before a write === */

rs_status rb_autoshare_check(VALUE object)
{
    Inside inside = rb_autoshare_enter(PURPOSE_AUTOSHARE);
    rs_status status = rs_check_frozen(rb_autoshare_vm, rb_autoshare_current(), object);
    rb_autoshare_leave(inside);
    return status;
}

void rb_autoshare_check_frozen(VALUE object)
{
    if (!RB_FL_ABLE(object) || !RB_FL_TEST_RAW(object, RUBY_FL_AUTOSHARE)) {
        rb_error_frozen_object(object);
    }
    rs_status status = rb_autoshare_check(object);
    switch (status) {
    case RS_OK:
        return;
    case RS_FROZEN:
        rb_error_frozen_object(object);
        return;
    case RS_NOT_OWNER:
        rb_autoshare_raise(rb_eRactorIsolationError,
                           "can not modify an object of the main Ractor from non-main Ractors");
        return;
    default:
        rb_autoshare_raise_failure(status);
    }
}

void rb_autoshare_modify_singleton(VALUE klass)
{
    if (!FL_TEST_RAW(klass, FL_SINGLETON)) {
        return;
    }
    VALUE object = RCLASS_ATTACHED_OBJECT(klass);
    if (!SPECIAL_CONST_P(object) && FL_TEST_RAW(object, RUBY_FL_AUTOSHARE)) {
        rb_autoshare_check_frozen(object);
    }
}

void rb_autoshare_move(VALUE object)
{
    if (FL_TEST_RAW(object, RUBY_FL_AUTOSHARE)) {
        rb_autoshare_check(object);
        FL_UNSET_RAW(object, RUBY_FL_AUTOSHARE);
    }
}

/* === after a read === */

/* The class or module whose constant a lookup that began in `klass` has found. */
static VALUE owner_of_constant(VALUE klass, ID id, VALUE value)
{
    for (VALUE current = klass; current != 0; current = RCLASS_SUPER(current)) {
        VALUE owner = BUILTIN_TYPE(current) == T_ICLASS ? RBASIC(current)->klass : current;
        const rb_const_entry_t *entry = rb_const_lookup(owner, id);
        if (entry != NULL && entry->value == value) {
            return owner;
        }
    }
    return rb_cObject;
}

bool rb_autoshare_readable(enum autoshare_place kind, VALUE klass, ID id, VALUE value)
{
    if (rb_ractor_shareable_p(value)) {
        return true;
    }
    if (!rb_autoshare_active) {
        return false;
    }
    Inside inside = rb_autoshare_enter(PURPOSE_AUTOSHARE);
    VALUE owner = kind == AUTOSHARE_CONSTANT ? owner_of_constant(klass, id, value) : klass;
    rs_slot slot = rb_autoshare_find_slot(owner, id);
    rs_status status = slot == RS_NO_SLOT
                           ? RS_NOT_SHAREABLE
                           : rs_ractor_access(rb_autoshare_vm, rb_autoshare_current(), slot, value);
    rb_autoshare_leave(inside);
    return status == RS_OK;
}

/* === Ractor.make_shareable, Ractor.shareable? === */

/* What has no children and nothing of its own to run. */
static bool is_frozen_leaf(VALUE object)
{
    if (!RB_OBJ_FROZEN_RAW(object) || FL_TEST_RAW(object, FL_EXIVAR)) {
        return false;
    }
    switch (BUILTIN_TYPE(object)) {
    case T_STRING:
    case T_FLOAT:
    case T_BIGNUM:
    case T_SYMBOL:
    case T_REGEXP:
        return true;
    default:
        return false;
    }
}

bool rb_autoshare_known_shareable(VALUE value)
{
    if (SPECIAL_CONST_P(value) || RB_OBJ_SHAREABLE_P(value)) {
        return true;
    }
    if (is_frozen_leaf(value)) {
        FL_SET_RAW(value, RUBY_FL_SHAREABLE);
        return true;
    }
    return false;
}

int rb_autoshare_shareable_p(VALUE object)
{
    if (rb_autoshare_known_shareable(object)) {
        return 1;
    }
    if (!RB_OBJ_FROZEN_RAW(object)) {
        return 0;
    }
    if (!rb_autoshare_open()) {
        return -1;
    }
    Inside inside = rb_autoshare_enter(PURPOSE_ASK);
    rs_status status = rs_make_shareable(rb_autoshare_vm, rb_autoshare_current(), object);
    rb_autoshare_leave(inside);
    return status == RS_OK;
}

/* Returns once more after each round of preparations: what must be prepared, or 0. */
static VALUE share_once(VALUE object, rs_status *status)
{
    Inside inside = rb_autoshare_enter(PURPOSE_SHARE);
    *status = rs_make_shareable(rb_autoshare_vm, rb_autoshare_current(), object);
    VALUE list = rb_autoshare_take_unprepared();
    rb_autoshare_leave(inside);
    return list;
}

NORETURN(static void raise_unshareable(void));
static void raise_unshareable(void)
{
    VALUE blocker = rb_autoshare_last_report().object;
    if (FL_TEST_RAW(blocker, AUTOSHARE_STR_LOCKED) && BUILTIN_TYPE(blocker) == T_STRING) {
        rb_raise(rb_eRuntimeError, "can't modify string; temporarily locked");
    }
    rb_autoshare_raise(rb_eRactorError, "can not make shareable object for %" PRIsVALUE, blocker);
}

bool rb_autoshare_make_shareable(VALUE object)
{
    if (SPECIAL_CONST_P(object) || RB_OBJ_SHAREABLE_P(object)) {
        return true;
    }
    if (!rb_autoshare_open()) {
        return false;
    }
    rs_status status;
    VALUE list;
    while ((list = share_once(object, &status)) != 0 && status == RS_MORE) {
        for (long index = 0; index < RARRAY_LEN(list); index++) {
            rb_autoshare_prepare(RARRAY_AREF(list, index));
        }
    }
    if (status == RS_NOT_SHAREABLE) {
        raise_unshareable();
    }
    if (status != RS_OK) {
        rb_autoshare_raise_failure(status);
    }
    return true;
}

/* === the collector, fork === */

static uint32_t is_alive(void *data, rs_value object)
{
    (void)data;
    return rb_autoshare_marked_p(object);
}

void rb_autoshare_gc_marked(void)
{
    if (rb_autoshare_vm != NULL) {
        rs_gc_sweep(rb_autoshare_vm, is_alive, NULL);
        rb_autoshare_sweep_places(rb_autoshare_vm);
    }
}

static rs_value forward(void *data, rs_value object)
{
    (void)data;
    return rb_gc_location(object);
}

void rb_autoshare_gc_moved(void)
{
    if (rb_autoshare_vm != NULL) {
        rs_gc_update(rb_autoshare_vm, forward, NULL);
        rb_autoshare_move_places();
    }
}

void rb_autoshare_before_fork(void)
{
    if (rb_autoshare_vm != NULL) {
        RB_VM_LOCK_ENTER();
        rs_before_fork(rb_autoshare_vm);
        RB_VM_LOCK_LEAVE();
    }
}

void rb_autoshare_after_fork(bool in_child)
{
    if (rb_autoshare_vm == NULL) {
        return;
    }
    if (in_child) {
        rs_after_fork_child(rb_autoshare_vm);
    } else {
        rs_after_fork_parent(rb_autoshare_vm);
    }
}
