/*
 * The errors of autoshare, and what they say.
 */

#include <string.h>

#include "autoshare_calls.h"
#include "internal.h"
#include "internal/error.h"
#include "internal/variable.h"
#include "ruby/ractor.h"

ID rb_autoshare_id_report;

rs_report rb_autoshare_last_report(void)
{
    rs_report report = RS_REPORT_INIT;
    rs_last_report(rb_autoshare_vm, rb_autoshare_current(), &report);
    return report;
}

/* For what can go wrong in any call. `status` is neither RS_OK nor an outcome. */
void rb_autoshare_raise_failure(rs_status status)
{
    if (status == RS_ERR_MEMORY) {
        rb_memerror();
    }
    rb_raise(rb_eRactorError, "autoshare: %s", rs_status_text(status));
}

/* The lines below the message of an exception, which detailed_message appends. The first line of
 * the report is the library's message; CRuby has its own. */
static void add_report(VALUE exception, const char *text)
{
    const char *lines = strchr(text, '\n');
    if (lines != NULL) {
        rb_ivar_set(exception, rb_autoshare_id_report, rb_str_freeze(rb_utf8_str_new_cstr(lines)));
    }
}

void rb_autoshare_raise(VALUE exception_class, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    VALUE message = rb_vsprintf(format, arguments);
    va_end(arguments);
    VALUE exception = rb_exc_new_str(exception_class, message);
    if (rb_autoshare_vm != NULL) {
        rs_report report = rb_autoshare_last_report();
        if (report.status != RS_OK) {
            add_report(exception, report.text);
        }
    }
    rb_exc_raise(exception);
}

void rb_autoshare_annotate(VALUE exception, VALUE object)
{
    if (!rb_autoshare_active || SPECIAL_CONST_P(object) || !RB_OBJ_SHAREABLE_P(object)) {
        return;
    }
    if (rb_autoshare_check(object) == RS_FROZEN) {
        rs_report report = rb_autoshare_last_report();
        if (report.slot != RS_NO_SLOT) {
            add_report(exception, report.text);
        }
    }
}
