/*
 * What the Lisp tells vmshare about itself: the struct rs_host and everything in it. A VM author
 * would write this file first.
 */

#include <string.h>

#include "closure.h"
#include "equality.h"
#include "gc.h"
#include "hash.h"
#include "interrupt.h"
#include "operation.h"
#include "printer.h"
#include "record.h"
#include "remote.h"
#include "vm.h"
#include "watch.h"

static Vm *vm_of(void *context)
{
    return context;
}

#if MINIVM_LAYOUTS
/* With these the library walks most objects without calling back. */
static const rs_layout layouts[TYPE_COUNT] = {
    [TYPE_FREE] = {.share = RS_SHARE_NO, .name = "free cell"},
    [TYPE_CONS] = {.name = "cons", .fields_offset = offsetof(Cons, car), .fields_count = 2},
    [TYPE_FLOAT] = {.name = "float"},
    [TYPE_STRING] = {.name = "string"},
    [TYPE_VECTOR] = {.name = "vector",
                     .elements = RS_ELEMENTS_INDIRECT,
                     .elements_offset = offsetof(Vector, elements),
                     .length_offset = offsetof(Vector, length),
                     .length_width = 64},
    [TYPE_RECORD] = {.name = "record",
                     .share = RS_SHARE_ASK,
                     .elements = RS_ELEMENTS_INLINE,
                     .elements_offset = offsetof(Record, fields),
                     .length_offset = offsetof(Record, length),
                     .length_width = 16},
    [TYPE_ENVIRONMENT] = {.name = "scope",
                          .fields_offset = offsetof(Environment, parent),
                          .fields_count = 1,
                          .elements = RS_ELEMENTS_INLINE,
                          .elements_offset = offsetof(Environment, variables),
                          .length_offset = offsetof(Environment, words),
                          .length_width = 64},
    [TYPE_HASH] = {.name = "hash", .elements = RS_ELEMENTS_ASK, .commit = 1},
    [TYPE_CLOSURE] = {.name = "procedure", .share = RS_SHARE_ASK, .elements = RS_ELEMENTS_ASK},
    [TYPE_CLASS] = {.name = "class"},
    [TYPE_PORT] = {.name = "port", .share = RS_SHARE_NO},
    [TYPE_RACTOR] = {.name = "ractor"},
    [TYPE_LINK] = {.name = "link", .share = RS_SHARE_NO},
    [TYPE_REMOTE] = {.name = "remote",
                     .share = RS_SHARE_NO,
                     .fields_offset = offsetof(Remote, target),
                     .fields_count = 1},
};
#endif

static uint32_t can_share(void *context, rs_value object)
{
    switch (object_type(object)) {
    case TYPE_FREE:
    case TYPE_PORT:
    case TYPE_LINK:
    case TYPE_REMOTE:
        return RS_SHARE_NO;
    case TYPE_CLOSURE:
        return load_field(&closure_of(object)->isolated) ? RS_SHARE_YES : RS_SHARE_NEEDS_PREPARE;
    case TYPE_RECORD:
        return record_needs_hook(vm_of(context), record_of(object)) ? RS_SHARE_NEEDS_PREPARE
                                                                    : RS_SHARE_YES;
    default:
        return RS_SHARE_YES;
    }
}

/* How many children an object has; child number `index` of it. Number and order agree with the
 * layouts, so that `label` is right for both. */
static size_t child_count(const Object *object)
{
    switch (object->type & TYPE_MASK) {
    case TYPE_CONS:
        return 2;
    case TYPE_VECTOR:
        return load_field(&((const Vector *)object)->length);
    case TYPE_RECORD:
        return ((const Record *)object)->length;
    case TYPE_ENVIRONMENT:
        return 1 + ((const Environment *)object)->words;
    case TYPE_HASH:
        return 1 + 2 * (size_t)load_field(&load_field(&((const Hash *)object)->table)->used);
    case TYPE_CLOSURE:
        return 3;
    case TYPE_REMOTE:
        return 1;
    default:
        return 0;
    }
}

static Value hash_child(const Hash *hash, size_t index)
{
    if (index == 0)
        return load_field(&hash->default_procedure);
    const HashEntry *entry = &load_field(&hash->table)->entries[(index - 1) / 2];
    return index % 2 == 1 ? load_field(&entry->key) : load_field(&entry->value);
}

static Value closure_child(const Closure *closure, size_t index)
{
    if (index == 2)
        return load_field(&closure->environment);
    return index == 0 ? closure->parameters : closure->body;
}

static Value child_at(const Object *object, size_t index)
{
    switch (object->type & TYPE_MASK) {
    case TYPE_CONS:
        return load_field(index == 0 ? &((const Cons *)object)->car : &((const Cons *)object)->cdr);
    case TYPE_VECTOR:
        return load_field(&load_field(&((const Vector *)object)->elements)[index]);
    case TYPE_RECORD:
        return load_field(&((const Record *)object)->fields[index]);
    case TYPE_ENVIRONMENT:
        return load_field((const Value *)&((const Environment *)object)->parent +
                          (index == 0 ? 0 : index + 1));
    case TYPE_HASH:
        return hash_child((const Hash *)object, index);
    case TYPE_REMOTE:
        return load_field(&((const Remote *)object)->target);
    default:
        return closure_child((const Closure *)object, index);
    }
}

static rs_status children(void *context, rs_value value, rs_visitor *visitor)
{
    (void)context;
    const Object *object = object_of(value);
    size_t count = child_count(object);
    for (size_t i = visitor->cursor; i < count; i++) {
        if (!rs_visit(visitor, child_at(object, i)) && i + 1 < count) {
            visitor->cursor = i + 1;
            return RS_MORE;
        }
    }
    return RS_OK;
}

/* A status for "the Lisp has raised": the condition says what. */
#define HOOK_RAISED RS_ERR_HOST

static rs_status prepare(void *context, rs_value object)
{
    (void)context;
    Thread *thread = thread_current();
    bool prepared = true;
    if (object_type(object) == TYPE_CLOSURE)
        prepared = closure_isolate(thread, object);
    else if (object_type(object) == TYPE_RECORD)
        prepared = record_run_hook(thread, object);
    return prepared ? RS_OK : HOOK_RAISED;
}

static void commit(void *context, rs_value object)
{
    atomic_fetch_add_explicit(&vm_of(context)->share.committed, 1, memory_order_relaxed);
    if (object_type(object) == TYPE_HASH)
        store_field(&hash_of(object)->sealed, 1);
}

static void on_mark(void *context, rs_value object)
{
    (void)object;
    atomic_fetch_add_explicit(&vm_of(context)->share.marked, 1, memory_order_relaxed);
}

static void on_unmark(void *context, rs_value object)
{
    (void)object;
    atomic_fetch_add_explicit(&vm_of(context)->share.unmarked, 1, memory_order_relaxed);
}

static void on_transition(void *context, rs_slot slot, rs_value object, uint32_t state)
{
    (void)slot, (void)object, (void)state;
    atomic_fetch_add_explicit(&vm_of(context)->share.transitions, 1, memory_order_relaxed);
}

static void safepoint_of_walk(void *context)
{
    if (world_stop_is_wanted(&vm_of(context)->world))
        world_park(thread_current());
}

static void blocking_enter(void *context)
{
    (void)context;
    world_blocking_enter(thread_current());
}

static void blocking_leave(void *context)
{
    (void)context;
    world_blocking_leave(thread_current());
}

static void stop_world(void *context)
{
    (void)context;
    world_stop(thread_current());
}

static void resume_world(void *context)
{
    (void)context;
    world_resume(thread_current());
}

static rs_ractor current_ractor(void *context)
{
    (void)context;
    const Thread *thread = thread_current();
    return thread == NULL ? RS_NO_RACTOR : thread->id;
}

static void site(void *context, rs_site *site)
{
    const Thread *thread = thread_current();
    if (thread == NULL || thread->site.line == 0)
        return;
    site->file = symbol_at(&vm_of(context)->symbols, thread->site.file)->name;
    site->line = thread->site.line;
}

static size_t copy_text(Text *from, char *text, size_t size)
{
    size_t length = from->length < size ? from->length : size;
    memcpy(text, from->bytes, length);
    text_finish(from);
    return length;
}

/* The content of an object may be read only on behalf of its owner. */
static void append_short(Vm *vm, Text *text, Value value)
{
    const Thread *thread = thread_current();
    if (!is_object(value) || (thread != NULL && thread->describes_own))
        print_briefly(vm, text, value);
    else
        text_format(text, "#<%s>", print_type(vm, value));
}

static size_t describe(void *context, rs_value object, char *buffer, size_t size)
{
    Text text = text_start();
    append_short(vm_of(context), &text, object);
    return copy_text(&text, buffer, size);
}

/* Child 0 is the default procedure, then come keys and values in turn. */
static void append_hash_step(Vm *vm, Text *text, size_t index, Value key)
{
    if (index == 0) {
        text_append(text, ".default");
    } else if (index % 2 == 1) {
        text_format(text, ".key[%zu]", (index - 1) / 2);
    } else {
        text_append(text, "[");
        append_short(vm, text, key);
        text_append(text, "]");
    }
}

static void append_step(Vm *vm, Text *text, Value object, size_t index, Value previous)
{
    static const char *const closure_steps[] = {".parameters", ".body", ".scope"};
    switch (object_type(object)) {
    case TYPE_CONS:
        text_append(text, index == 0 ? ".car" : ".cdr");
        break;
    case TYPE_RECORD:
        text_format(text, ".%s", record_field_name(vm, record_of(object), index));
        break;
    case TYPE_HASH:
        append_hash_step(vm, text, index, previous);
        break;
    case TYPE_ENVIRONMENT:
        text_append(text, index == 0 ? ".outer" : ".");
        if (index != 0)
            append_short(vm, text, previous);
        break;
    case TYPE_CLOSURE:
        text_append(text, closure_steps[index]);
        break;
    default:
        text_format(text, "[%zu]", index);
    }
}

static size_t label(void *context, rs_value object, uint64_t index, rs_value previous, char *buffer,
                    size_t size)
{
    Text text = text_start();
    append_step(vm_of(context), &text, object, index, previous);
    return copy_text(&text, buffer, size);
}

/* Of what an object holds besides its children. */
static uint64_t content_hash(void *context, rs_value object)
{
    (void)context;
    bool has_content = object_type(object) == TYPE_STRING || object_type(object) == TYPE_FLOAT;
    return has_content ? equality_hash(object) : 0;
}

static uint32_t is_cancelled(void *context, rs_link link)
{
    (void)context, (void)link;
    return interrupt_take();
}

static void warn(void *context, const rs_report *report)
{
    (void)context;
    fprintf(stderr, "warning: %s\n", report->text);
}

static void fatal(void *context, const char *text)
{
    (void)context;
    fprintf(stderr, "minivm: vmshare failed: %s\n", text);
}

static rs_flags flags_of_objects(const Heap *heap)
{
    rs_value start = (rs_value)heap->start;
#if MINIVM_PLACEMENT == MINIVM_HEADER
    rs_flags flags = rs_flags_in_header(offsetof(Object, flags), 32, FLAG_FROZEN, FLAG_SHAREABLE,
                                        FLAG_AUTOSHARE, FLAG_PENDING);
    /* RS_MARK_ON_ASSIGN keeps marks beside until there are ractors: for this heap only. */
    flags.granule = GRANULE_BITS;
    flags.heap_start = start;
    flags.heap_size = MINIVM_HEAP_BYTES;
    return flags;
#elif MINIVM_PLACEMENT == MINIVM_SIDE
    return rs_flags_in_side_table(GRANULE_BITS, start, MINIVM_HEAP_BYTES);
#else
    return rs_flags_split(offsetof(Object, flags), 32, FLAG_FROZEN, FLAG_SHAREABLE, FLAG_AUTOSHARE,
                          GRANULE_BITS, start, MINIVM_HEAP_BYTES);
#endif
}

static void describe_objects(rs_host *host, const Heap *heap)
{
    host->flags = flags_of_objects(heap);
    host->pointers = (rs_pointers){.tags = OBJECT_TAGS, .lowest = LOWEST_OBJECT};
#if MINIVM_LAYOUTS
    host->type_tag =
        (rs_type_tag){.width = 32, .offset = offsetof(Object, type), .mask = TYPE_MASK};
    host->layouts = layouts;
    host->layouts_count = TYPE_COUNT;
#endif
    host->can_share = can_share;
    host->children = children;
    host->content_hash = content_hash;
}

static void describe_options(rs_host *host, const VmOptions *options)
{
    host->mark_policy = options->mark_policy;
    host->walk_mode = options->walk_mode;
    host->enforcement = options->enforcement;
    host->options =
        (options->provenance ? RS_OPTION_PROVENANCE : 0) | (options->verify ? RS_OPTION_VERIFY : 0);
}

rs_host share_describe_host(Vm *vm)
{
    rs_host host = RS_HOST_INIT;
    host.ctx = vm;
    describe_objects(&host, &vm->heap);
    describe_options(&host, &vm->options);
    share_describe_items(&host);
    host.make_remote = remote_make;
    host.replace_remote = remote_replace;
    host.on_change = watch_take_note;
    host.operate = operation_carry_out;
    host.is_cancelled = is_cancelled;
    host.collect = gc_collect_and_summarise;
    host.prepare = prepare;
    host.commit = commit;
    host.on_mark = on_mark;
    host.on_unmark = on_unmark;
    host.on_transition = on_transition;
    host.safepoint = safepoint_of_walk;
    host.blocking_enter = blocking_enter;
    host.blocking_leave = blocking_leave;
    host.stop_world = stop_world;
    host.resume_world = resume_world;
    host.current_ractor = current_ractor;
    host.site = site;
    host.describe = describe;
    host.label = label;
    host.warn = warn;
    host.fatal = fatal;
    return host;
}
