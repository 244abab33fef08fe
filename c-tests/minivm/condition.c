#include "condition.h"

#include <stdarg.h>
#include <string.h>

#include "printer.h"
#include "record.h"

#define CONDITION_TYPE 0

bool conditions_prepare(Thread *thread)
{
    static const char *const fields[CONDITION_FIELDS] = {
        "kind", "message", "report", "slot", "path", "read-site", "write-site", "cause", "site"};
    Value *scope = roots_open(thread);
    Value *list = root(thread, NIL);
    for (size_t i = CONDITION_FIELDS; i-- > 0;)
        *list = make_cons(thread, symbol_named(thread->vm, fields[i]), *list);
    bool defined = record_type_define(thread, symbol_named(thread->vm, "condition"), *list);
    roots_close(thread, scope);
    return defined;
}

/* When no memory is left for a condition, a symbol has to do. */
Value raise_memory(Thread *thread)
{
    thread->condition = symbol_named(thread->vm, "memory-error");
    return FAILED;
}

static Value text_or_nil(Thread *thread, const char *text)
{
    return text[0] == '\0' ? NIL : make_text(thread, text);
}

static Value site_text(Thread *thread, const char *file, uint32_t line)
{
    if (file == NULL || line == 0)
        return NIL;
    Text text = text_start();
    text_format(&text, "%s:%u", file, (unsigned)line);
    Value value = make_text(thread, text.bytes);
    text_finish(&text);
    return value;
}

static Value own_site(Thread *thread)
{
    return site_text(thread, symbol_at(&thread->vm->symbols, thread->site.file)->name,
                     thread->site.line);
}

/* The fields stand on the root stack in the order of the enum, filled with nil. */
static Value *open_fields(Thread *thread)
{
    Value *fields = roots_open(thread);
    for (size_t i = 0; i < CONDITION_FIELDS; i++)
        root(thread, NIL);
    return fields;
}

static Value close_fields(Thread *thread, Value *fields)
{
    Value condition = make_record(thread, CONDITION_TYPE, fields, CONDITION_FIELDS);
    roots_close(thread, fields);
    return condition;
}

static Value make_pending(Thread *thread, Value condition)
{
    if (condition != FAILED)
        thread->condition = condition;
    return FAILED;
}

Value raise_value(Thread *thread, Value kind, Value message)
{
    Value *fields = open_fields(thread);
    fields[CONDITION_KIND] = kind;
    fields[CONDITION_MESSAGE] = message;
    fields[CONDITION_SITE] = own_site(thread);
    return make_pending(thread, close_fields(thread, fields));
}

Value raise_format(Thread *thread, const char *kind, const char *format, ...)
{
    char line[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    Value message = make_text(thread, line);
    return message == FAILED ? FAILED
                             : raise_value(thread, symbol_named(thread->vm, kind), message);
}

Value raise_unbound(Thread *thread, Value name)
{
    return raise_format(thread, "name-error", "%s has no value", symbol_name(thread->vm, name));
}

Value raise_type(Thread *thread, const char *expected, Value actual)
{
    Text text = text_start();
    print_briefly(thread->vm, &text, actual);
    raise_format(thread, "type-error", "%s is not a %s", text.bytes, expected);
    text_finish(&text);
    return FAILED;
}

Value raise_index(Thread *thread, uint64_t index, uint64_t count)
{
    return raise_format(thread, "range-error", "%ju is not an index below %ju", (uintmax_t)index,
                        (uintmax_t)count);
}

static const char *kind_of_status(rs_status status)
{
    switch (status) {
    case RS_FROZEN:
        return "frozen-error";
    case RS_NOT_SHAREABLE:
    case RS_NOT_OWNER:
        return "isolation-error";
    case RS_BUSY:
        return "busy-error";
    case RS_UNANNOUNCED:
        return "unannounced-change";
    case RS_CANCELLED:
        return "cancelled";
    case RS_ERR_MEMORY:
        return "memory-error";
    case RS_ERR_LIMIT:
        return "limit-error";
    case RS_ERR_PEER:
        return "protocol-error";
    case RS_ERR_DEAD:
        return "peer-dead";
    case RS_ERR_TIMEOUT:
        return "timeout";
    case RS_ERR_DENIED:
        return "denied";
    case RS_ERR_STALE:
        return "stale-reference";
    case RS_ERR_DEADLOCK:
        return "deadlock";
    default:
        return "sharing-error";
    }
}

static const char *cause_name(uint32_t cause)
{
    static const char *const names[] = {
        [RS_CAUSE_NONE] = "none",
        [RS_CAUSE_FROZEN_BY_PROGRAM] = "frozen-by-program",
        [RS_CAUSE_SHARED] = "shared",
        [RS_CAUSE_MODIFIED] = "modified",
        [RS_CAUSE_MODIFIED_MEANWHILE] = "modified-meanwhile",
        [RS_CAUSE_NOT_MARKED] = "not-marked",
        [RS_CAUSE_UNSHAREABLE] = "unshareable",
        [RS_CAUSE_BY_COPY] = "by-copy",
        [RS_CAUSE_NEEDS_PREPARE] = "needs-prepare",
        [RS_CAUSE_HELD] = "held",
        [RS_CAUSE_NOT_OWNER] = "not-owner",
        [RS_CAUSE_FAILED_BEFORE] = "failed-before",
        [RS_CAUSE_UNANNOUNCED] = "unannounced",
        [RS_CAUSE_INTERRUPTED] = "interrupted",
    };
    return cause < sizeof names / sizeof names[0] ? names[cause] : "unknown";
}

Value condition_of_report(Thread *thread, const rs_report *report)
{
    Value *fields = open_fields(thread);
    fields[CONDITION_KIND] = symbol_named(thread->vm, kind_of_status(report->status));
    fields[CONDITION_MESSAGE] = make_text(thread, report->message);
    fields[CONDITION_REPORT] = text_or_nil(thread, report->text);
    fields[CONDITION_SLOT] = text_or_nil(thread, report->slot_name);
    fields[CONDITION_PATH] = text_or_nil(thread, report->path);
    fields[CONDITION_READ_SITE] = site_text(thread, report->read_site.file, report->read_site.line);
    fields[CONDITION_WRITE_SITE] =
        site_text(thread, report->write_site.file, report->write_site.line);
    fields[CONDITION_CAUSE] = symbol_named(thread->vm, cause_name(report->cause));
    fields[CONDITION_SITE] = own_site(thread);
    return close_fields(thread, fields);
}

Value raise_report(Thread *thread, const rs_report *report)
{
    return make_pending(thread, condition_of_report(thread, report));
}

Value raise_status(Thread *thread, rs_status status)
{
    if (status > 0) {
        rs_report report = share_last_report(thread);
        if (report.status == status)
            return raise_report(thread, &report);
    }
    return raise_format(thread, kind_of_status(status), "%s", rs_status_text(status));
}

Value raise_request(Thread *thread, rs_status status, const char *kind, const char *text)
{
    bool is_raised = status == RS_RAISED && kind != NULL;
    Value symbol = symbol_named(thread->vm, is_raised ? kind : kind_of_status(status));
    bool has_text = text != NULL && text[0] != '\0';
    Value message = make_text(thread, has_text ? text : rs_status_text(status));
    return message == FAILED || symbol == UNBOUND ? raise_memory(thread)
                                                  : raise_value(thread, symbol, message);
}

Value condition_take(Thread *thread)
{
    Value condition = thread->condition;
    thread->condition = NIL;
    return condition;
}

static void append_text(Vm *vm, Text *text, const char *before, Value value)
{
    if (value == NIL)
        return;
    text_append(text, before);
    print_plainly(vm, text, value);
}

void condition_print(Vm *vm, Text *text, Value condition)
{
    bool is_condition =
        is_type(condition, TYPE_RECORD) && record_of(condition)->record_type == CONDITION_TYPE;
    if (!is_condition) {
        print_plainly(vm, text, condition);
        return;
    }
    const Value *fields = record_of(condition)->fields;
    append_text(vm, text, "", fields[CONDITION_SITE]);
    append_text(vm, text, fields[CONDITION_SITE] == NIL ? "" : ": ", fields[CONDITION_KIND]);
    append_text(vm, text, ": ",
                fields[CONDITION_REPORT] == NIL ? fields[CONDITION_MESSAGE]
                                                : fields[CONDITION_REPORT]);
}
