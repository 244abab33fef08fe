/*
 * condition.h: errors. A condition is a record of the type `condition`; raising one makes it
 * pending in its thread, and every function on the way out returns FAILED.
 */

#ifndef MINIVM_CONDITION_H
#define MINIVM_CONDITION_H

#include "object.h"
#include "share.h"
#include "text.h"
#include "vm.h"
#include "watch.h"

enum ConditionField {
    CONDITION_KIND,
    CONDITION_MESSAGE,
    CONDITION_REPORT,
    CONDITION_SLOT,
    CONDITION_PATH,
    CONDITION_READ_SITE,
    CONDITION_WRITE_SITE,
    CONDITION_CAUSE,
    CONDITION_SITE,
    CONDITION_FIELDS,
};

/* Defines the record type; the first one of a vm. */
bool conditions_prepare(Thread *thread);

/* These make a condition pending and always return FAILED. */
Value raise_format(Thread *thread, const char *kind, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* A name that has no value. */
Value raise_unbound(Thread *thread, Value name);
Value raise_type(Thread *thread, const char *expected, Value actual);
/* `index` is not below `count`. */
Value raise_index(Thread *thread, uint64_t index, uint64_t count);
Value raise_status(Thread *thread, rs_status status);
Value raise_report(Thread *thread, const rs_report *report);
/* A request to another process failed; `kind` and `text` are the library's. */
Value raise_request(Thread *thread, rs_status status, const char *kind, const char *text);
Value raise_value(Thread *thread, Value kind, Value message);

/* A report as a condition that is not raised. */
Value condition_of_report(Thread *thread, const rs_report *report);

/* Ends the pending state and returns what was pending. */
Value condition_take(Thread *thread);

/* Message and, if there is one, the library's report. */
void condition_print(Vm *vm, Text *text, Value condition);

/* The write check, before every change that a Lisp program makes. */
static inline bool may_write(Thread *thread, Value object)
{
    if (share_must_check(&thread->vm->share, object))
        return share_check(thread, object);
    watch_tell_of_write(thread, object);
    return true;
}

#endif
