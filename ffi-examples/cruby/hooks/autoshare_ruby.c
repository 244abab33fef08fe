/*
 * What a program sees: the module Ractor::Autoshare, and the report below the message of an error.
 */

#include <stdlib.h>
#include <string.h>

#include "autoshare_calls.h"
#include "internal.h"
#include "internal/error.h"
#include "ractor_core.h"

static VALUE detailed_message(int argc, VALUE *argv, VALUE self)
{
    VALUE message = rb_call_super_kw(argc, argv, RB_PASS_CALLED_KEYWORDS);
    VALUE report = rb_attr_get(self, rb_autoshare_id_report);
    if (NIL_P(report)) {
        return message;
    }
    return rb_sprintf("%" PRIsVALUE "%" PRIsVALUE, message, report);
}

/* A state's name: RS_STATE_…. */
static VALUE state_name(uint32_t state)
{
    static const char *const names[] = {"none", "ordinary", "frozen", "autoshare", "shareable"};
    return ID2SYM(rb_intern(names[state]));
}

/* Ractor::Autoshare.state(object): :ordinary, :frozen, :autoshare or :shareable. */
static VALUE autoshare_state(VALUE self, VALUE object)
{
    uint32_t state = RS_STATE_ORDINARY;
    if (SPECIAL_CONST_P(object) || RB_OBJ_SHAREABLE_P(object)) {
        state = RS_STATE_SHAREABLE;
    } else if (rb_autoshare_vm != NULL) {
        rs_object_state(rb_autoshare_vm, object, &state);
    } else if (RB_OBJ_FROZEN_RAW(object)) {
        state = RS_STATE_FROZEN;
    }
    return state_name(state);
}

/* Ractor::Autoshare.explain(object): why it could not be read by another ractor; nil if it could.
 */
static VALUE autoshare_explain(VALUE self, VALUE object)
{
    if (!rb_autoshare_open()) {
        return Qnil;
    }
    rs_report report = RS_REPORT_INIT;
    Inside inside = rb_autoshare_enter(PURPOSE_AUTOSHARE);
    rs_status status =
        rs_explain(rb_autoshare_vm, rb_autoshare_current(), RS_NO_SLOT, object, &report);
    rb_autoshare_leave(inside);
    if (status < RS_OK) {
        rb_autoshare_raise_failure(status);
    }
    return status == RS_OK ? Qnil : rb_utf8_str_new_cstr(report.text);
}

typedef struct Drawing {
    char *text;
    size_t size;
} Drawing;

static int32_t append(void *data, const char *text, size_t size)
{
    Drawing *drawing = data;
    char *larger = realloc(drawing->text, drawing->size + size);
    if (larger == NULL) {
        return 1;
    }
    memcpy(larger + drawing->size, text, size);
    drawing->text = larger;
    drawing->size += size;
    return 0;
}

/* Ractor::Autoshare.draw(object, dot = false): its graph with the state of each object. */
static VALUE autoshare_draw(int argc, VALUE *argv, VALUE self)
{
    rb_check_arity(argc, 1, 2);
    if (!rb_autoshare_open()) {
        return Qnil;
    }
    uint32_t format = argc == 2 && RTEST(argv[1]) ? RS_DRAW_DOT : RS_DRAW_TEXT;
    Drawing drawing = {NULL, 0};
    Inside inside = rb_autoshare_enter(PURPOSE_AUTOSHARE);
    rs_status status =
        rs_draw(rb_autoshare_vm, rb_autoshare_current(), argv[0], format, append, &drawing);
    rb_autoshare_leave(inside);
    VALUE text = rb_utf8_str_new(drawing.text, (long)drawing.size);
    free(drawing.text);
    if (status != RS_OK) {
        rb_autoshare_raise_failure(status);
    }
    return text;
}

/* Ractor::Autoshare.verify: what was changed with no check before, or nil. */
static VALUE autoshare_verify(VALUE self)
{
    if (!rb_autoshare_open() || rb_autoshare_options() == 0) {
        rb_raise(rb_eRactorError, "not under RUBY_AUTOSHARE_VERIFY=1");
    }
    rs_report report = RS_REPORT_INIT;
    Inside inside = rb_autoshare_enter(PURPOSE_AUTOSHARE);
    rs_status status = rs_verify(rb_autoshare_vm, rb_autoshare_current(), &report);
    rb_autoshare_leave(inside);
    if (status < RS_OK) {
        rb_autoshare_raise_failure(status);
    }
    return status == RS_OK ? Qnil : rb_utf8_str_new_cstr(report.text);
}

/* Ractor::Autoshare.statistics: counts since the first ractor, a hash. */
static VALUE autoshare_statistics(VALUE self)
{
    rs_statistics counts = RS_STATISTICS_INIT;
    VALUE hash = rb_hash_new();
    if (rb_autoshare_vm == NULL) {
        return hash;
    }
    rs_vm_statistics(rb_autoshare_vm, &counts);
#define COUNT(name) rb_hash_aset(hash, ID2SYM(rb_intern(#name)), ULL2NUM(counts.name))
    COUNT(marks);
    COUNT(objects_marked);
    COUNT(objects_written);
    COUNT(objects_demoted);
    COUNT(accesses);
    COUNT(walks);
    COUNT(graphs_shared);
    COUNT(objects_shared);
    COUNT(walks_blocked);
    COUNT(walks_lost);
    COUNT(walks_restarted);
#undef COUNT
    return hash;
}

void Init_autoshare(void)
{
    rb_autoshare_id_report = rb_intern("autoshare_report");
    rb_define_method(rb_eFrozenError, "detailed_message", detailed_message, -1);
    rb_define_method(rb_eRactorError, "detailed_message", detailed_message, -1);
    VALUE module = rb_define_module_under(rb_cRactor, "Autoshare");
    rb_define_singleton_method(module, "state", autoshare_state, 1);
    rb_define_singleton_method(module, "explain", autoshare_explain, 1);
    rb_define_singleton_method(module, "draw", autoshare_draw, -1);
    rb_define_singleton_method(module, "verify", autoshare_verify, 0);
    rb_define_singleton_method(module, "statistics", autoshare_statistics, 0);
}
