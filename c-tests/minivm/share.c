#include "share.h"

#include "condition.h"
#include "vm.h"
#include "watch.h"

bool share_prepare(Vm *vm, rs_ractor *main_ractor)
{
    rs_host host = share_describe_host(vm);
    Share *share = &vm->share;
    if (rs_vm_new(&host, &share->vm, main_ractor) != RS_OK)
        return false;
    share->keeps_bytes = MINIVM_PLACEMENT != MINIVM_HEADER || host.mark_policy == RS_MARK_ON_ASSIGN;
    if (MINIVM_PLACEMENT != MINIVM_HEADER &&
        rs_vm_side_table(share->vm, &share->side_table) != RS_OK) {
        rs_vm_free(share->vm);
        return false;
    }
    return true;
}

void share_finish(Share *share)
{
    rs_vm_free(share->vm);
}

static rs_vm *library(const Thread *thread)
{
    return thread->vm->share.vm;
}

rs_ractor share_ractor_new(Thread *thread, const char *name)
{
    rs_ractor ractor = RS_NO_RACTOR;
    rs_status status = rs_ractor_new(library(thread), name, &ractor);
    if (status != RS_OK)
        raise_status(thread, status);
    return ractor;
}

void share_ractor_free(Share *share, rs_ractor ractor)
{
    rs_ractor_free(share->vm, ractor);
}

/* A callback that failed has left its condition. */
static bool succeeded(Thread *thread, rs_status status)
{
    if (status != RS_OK && thread->condition == NIL)
        raise_status(thread, status);
    return status == RS_OK;
}

bool share_check(Thread *thread, Value object)
{
    Value *scope = roots_open(thread);
    Value *kept = root(thread, object);
    bool allowed = succeeded(thread, rs_check_frozen(library(thread), thread->id, object));
    if (allowed)
        watch_tell_of_write(thread, *kept);
    roots_close(thread, scope);
    return allowed;
}

rs_slot share_slot_new(Thread *thread, uint32_t kind, const char *name, const char *owner)
{
    rs_slot slot = RS_NO_SLOT;
    succeeded(thread, rs_slot_new(library(thread), kind, name, owner, &slot));
    return slot;
}

bool share_slot_free(Thread *thread, rs_slot slot)
{
    return succeeded(thread, rs_slot_free(library(thread), slot));
}

uint32_t share_slot_state(Thread *thread, rs_slot slot)
{
    uint32_t state = RS_STATE_NONE;
    rs_slot_state(library(thread), slot, &state);
    return state;
}

bool share_mark(Thread *thread, rs_slot slot, Value value)
{
    return succeeded(thread, rs_autoshare_mark(library(thread), slot, value));
}

bool share_make_shareable(Thread *thread, Value value)
{
    return succeeded(thread, rs_make_shareable(library(thread), thread->id, value));
}

bool share_freeze(Thread *thread, Value object)
{
    return !is_object(object) || succeeded(thread, rs_freeze(library(thread), thread->id, object));
}

rs_status share_access(Thread *thread, rs_slot slot, Value value)
{
    return rs_ractor_access(library(thread), thread->id, slot, value);
}

Value share_at_birth(Thread *thread, Value object)
{
    Value *scope = roots_open(thread);
    Value *kept = root(thread, object);
    bool shared = share_make_shareable(thread, object);
    Value result = shared ? *kept : FAILED;
    roots_close(thread, scope);
    return result;
}

bool share_value_is_frozen(Thread *thread, Value value)
{
    return rs_frozen_p(library(thread), value) == 1;
}

bool share_value_is_shareable(Thread *thread, Value value)
{
    return rs_shareable_p(library(thread), value) == 1;
}

uint32_t share_state(Thread *thread, Value value)
{
    uint32_t state = RS_STATE_NONE;
    rs_object_state(library(thread), value, &state);
    return state;
}

bool share_before_change(Thread *thread, Value object)
{
    return rs_before_change(library(thread), thread->id, object) == RS_OK;
}

void share_after_change(Thread *thread, Value object)
{
    rs_after_change(library(thread), thread->id, object);
}

rs_status share_explain(Thread *thread, rs_slot slot, Value value, rs_report *report)
{
    thread->describes_own = true;
    rs_status status = rs_explain(library(thread), thread->id, slot, value, report);
    thread->describes_own = false;
    return status;
}

rs_status share_verify(Thread *thread, rs_report *report)
{
    return rs_verify(library(thread), thread->id, report);
}

rs_status share_draw(Thread *thread, Value value, uint32_t format, rs_write_fn write, void *data)
{
    thread->describes_own = true;
    rs_status status = rs_draw(library(thread), thread->id, value, format, write, data);
    thread->describes_own = false;
    return status;
}

rs_statistics share_statistics(Thread *thread)
{
    rs_statistics statistics = RS_STATISTICS_INIT;
    rs_vm_statistics(library(thread), &statistics);
    return statistics;
}

Value share_decode(Thread *thread, rs_image image)
{
    rs_value root = NIL;
    rs_status status = rs_image_decode(library(thread), thread->id, image, NULL, 0, &root);
    return succeeded(thread, status) ? root : FAILED;
}

Value share_copy(Thread *thread, Value value, uint64_t depth)
{
    rs_image image = 0;
    rs_limits limits = {.depth = depth};
    rs_status status = rs_image_encode(library(thread), thread->id, value, &limits, &image);
    if (!succeeded(thread, status))
        return FAILED;
    Value copy = share_decode(thread, image);
    rs_image_free(library(thread), image);
    return copy;
}

rs_report share_last_report(Thread *thread)
{
    rs_report report = RS_REPORT_INIT;
    rs_last_report(library(thread), thread->id, &report);
    return report;
}

void share_visit_roots(Share *share, rs_gc_visit_fn visit, void *data)
{
    rs_gc_visit_roots(share->vm, visit, data);
}

void share_visit_own_roots(Share *share, rs_gc_visit_fn visit, void *data)
{
    rs_gc_visit_own_roots(share->vm, visit, data);
}

void share_summarise(Share *share, rs_gc_is_alive_fn is_alive)
{
    rs_gc_summarise(share->vm, is_alive, NULL);
}

void share_sweep(Share *share, rs_gc_is_alive_fn is_alive)
{
    rs_gc_sweep(share->vm, is_alive, NULL);
}

void share_update(Share *share, rs_gc_forward_fn forward)
{
    rs_gc_update(share->vm, forward, NULL);
}

void share_object_moved(Share *share, Value from, Value to)
{
    if (share->keeps_bytes)
        rs_gc_moved(share->vm, from, to);
}

void share_object_freed(Share *share, Value object)
{
    if (share->keeps_bytes)
        rs_gc_freed(share->vm, object);
}
