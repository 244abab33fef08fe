/*
 * What a program can see of sharing, and do about it.
 */

#include <string.h>

#include "condition.h"
#include "primitives.h"
#include "printer.h"
#include "variable.h"

static Value state_symbol(Thread *thread, uint32_t state)
{
    static const char *const names[] = {
        [RS_STATE_NONE] = "none",   [RS_STATE_ORDINARY] = "B",  [RS_STATE_FROZEN] = "frozen",
        [RS_STATE_AUTOSHARE] = "A", [RS_STATE_SHAREABLE] = "C",
    };
    return symbol_named(thread->vm, names[state]);
}

static Value state(Thread *thread, Value *arguments, size_t count)
{
    (void)count;
    return state_symbol(thread, share_state(thread, arguments[0]));
}

/* The variable that a symbol names. */
static Variable *named_variable(Thread *thread, Value name)
{
    if (!check_symbol(thread, name))
        return NULL;
    Variable *variable = variable_find(thread, name);
    if (variable == NULL)
        raise_unbound(thread, name);
    return variable;
}

static Value slot_state(Thread *thread, Value *arguments, size_t count)
{
    (void)count;
    const Variable *variable = named_variable(thread, arguments[0]);
    if (variable == NULL)
        return FAILED;
    return state_symbol(thread, share_slot_state(thread, variable->slot));
}

static Value is_frozen(Thread *thread, Value *arguments, size_t count)
{
    (void)count;
    return truth(share_value_is_frozen(thread, arguments[0]));
}

static Value is_shareable(Thread *thread, Value *arguments, size_t count)
{
    (void)count;
    return truth(share_value_is_shareable(thread, arguments[0]));
}

static Value make_shareable(Thread *thread, Value *arguments, size_t count)
{
    (void)count;
    return share_make_shareable(thread, arguments[0]) ? arguments[0] : FAILED;
}

static Value freeze(Thread *thread, Value *arguments, size_t count)
{
    (void)count;
    return share_freeze(thread, arguments[0]) ? arguments[0] : FAILED;
}

/* The condition that another ractor's access would raise, or t. */
static Value explain(Thread *thread, Value *arguments, size_t count)
{
    (void)count;
    const Variable *variable = named_variable(thread, arguments[0]);
    if (variable == NULL)
        return FAILED;
    rs_report report = RS_REPORT_INIT;
    rs_status status = share_explain(thread, variable->slot, variable->value, &report);
    if (status == RS_NOT_SHAREABLE)
        return condition_of_report(thread, &report);
    return status == RS_OK ? TRUTH : raise_status(thread, status);
}

static int32_t write_to_file(void *file, const char *text, size_t size)
{
    return fwrite(text, 1, size, file) == size ? 0 : 1;
}

static Value draw_to(Thread *thread, Value value, uint32_t format, FILE *file)
{
    rs_status status = share_draw(thread, value, format, write_to_file, file);
    return status == RS_OK ? NIL : raise_status(thread, status);
}

static Value draw_for_graphviz(Thread *thread, Value value, const char *path)
{
    FILE *file = fopen(path, "w");
    if (file == NULL)
        return raise_format(thread, "file-error", "%s can't be written", path);
    Value result = draw_to(thread, value, RS_DRAW_DOT, file);
    fclose(file);
    return result;
}

static Value draw(Thread *thread, Value *arguments, size_t count)
{
    (void)count;
    Vm *vm = thread->vm;
    Value result = draw_to(thread, arguments[0], RS_DRAW_TEXT, stdout);
    if (result == FAILED || vm->options.drawings == NULL)
        return result;
    Text path = text_start();
    text_format(&path, "%s-%u.dot", vm->options.drawings, atomic_fetch_add(&vm->drawings, 1) + 1);
    result = draw_for_graphviz(thread, arguments[0], path.bytes);
    text_finish(&path);
    return result;
}

static int32_t append_to_text(void *text, const char *bytes, size_t size)
{
    text_append_bytes(text, bytes, size);
    return 0;
}

static Value drawing(Thread *thread, Value *arguments, size_t count)
{
    (void)count;
    Text text = text_start();
    rs_status status = share_draw(thread, arguments[0], RS_DRAW_TEXT, append_to_text, &text);
    Value string = status == RS_OK ? make_string(thread, text.bytes, text.length)
                                   : raise_status(thread, status);
    text_finish(&text);
    return string;
}

static Value draw_to_named_file(Thread *thread, Value *arguments, size_t count)
{
    (void)count;
    if (!check_type(thread, arguments[1], TYPE_STRING))
        return FAILED;
    return draw_for_graphviz(thread, arguments[0], string_of(arguments[1])->bytes);
}

/* An association list: what the library counted, and what it told the host. */
static Value statistics(Thread *thread, Value *arguments, size_t count)
{
    (void)arguments, (void)count;
    rs_statistics counts = share_statistics(thread);
    Share *share = &thread->vm->share;
    const NamedCount entries[] = {
        {"objects-unmarked-told", atomic_load(&share->unmarked)},
        {"objects-marked-told", atomic_load(&share->marked)},
        {"objects-committed-told", atomic_load(&share->committed)},
        {"transitions-told", atomic_load(&share->transitions)},
        {"collections", thread->vm->heap.collections},
        {"walk-memory-peak", counts.walk_memory_peak},
        {"main-waits", counts.main_waits},
        {"walks-restarted", counts.walks_restarted},
        {"walks-lost", counts.walks_lost},
        {"walks-blocked", counts.walks_blocked},
        {"objects-shared", counts.objects_shared},
        {"graphs-shared", counts.graphs_shared},
        {"walks", counts.walks},
        {"accesses", counts.accesses},
        {"objects-demoted", counts.objects_demoted},
        {"objects-written", counts.objects_written},
        {"objects-marked", counts.objects_marked},
        {"marks", counts.marks},
    };
    return list_of_counts(thread, entries, sizeof entries / sizeof entries[0]);
}

/* The condition for the first unannounced change, or t. */
static Value verify(Thread *thread, Value *arguments, size_t count)
{
    (void)arguments, (void)count;
    rs_report report = RS_REPORT_INIT;
    rs_status status = share_verify(thread, &report);
    if (status == RS_UNANNOUNCED)
        return condition_of_report(thread, &report);
    return status == RS_OK ? TRUTH : raise_status(thread, status);
}

/* A write that forgets the check, as a defect in a VM would: for tests of the verifier. */
static Value set_unchecked(Thread *thread, Value *arguments, size_t count)
{
    (void)count;
    if (is_cons(arguments[0]))
        store_field(&cons_of(arguments[0])->car, arguments[2]);
    else if (is_type(arguments[0], TYPE_STRING))
        string_of(arguments[0])->bytes[0] = '!';
    else if (check_type(thread, arguments[0], TYPE_VECTOR) &&
             check_index(thread, arguments[1], vector_of(arguments[0])->length))
        store_field(&vector_of(arguments[0])->elements[fixnum_number(arguments[1])], arguments[2]);
    else
        return FAILED;
    return arguments[2];
}

static Value remove_constant(Thread *thread, Value *arguments, size_t count)
{
    (void)count;
    Variable *variable = named_variable(thread, arguments[0]);
    return variable != NULL && variable_remove(thread, variable) ? NIL : FAILED;
}

static const Primitive primitives[] = {
    {"state", state, 1, 1},
    {"slot-state", slot_state, 1, 1},
    {"frozen?", is_frozen, 1, 1},
    {"shareable?", is_shareable, 1, 1},
    {"make-shareable", make_shareable, 1, 1},
    {"freeze", freeze, 1, 1},
    {"explain", explain, 1, 1},
    {"draw", draw, 1, 1},
    {"drawing", drawing, 1, 1},
    {"draw-dot", draw_to_named_file, 2, 2},
    {"statistics", statistics, 0, 0},
    {"verify", verify, 0, 0},
    {"unchecked-set!", set_unchecked, 3, 3},
    {"remove-const", remove_constant, 1, 1},
};

const PrimitiveTable share_primitives = {primitives, sizeof primitives / sizeof primitives[0]};
