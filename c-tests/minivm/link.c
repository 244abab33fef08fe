#include "link.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "condition.h"
#include "gc.h"
#include "interrupt.h"
#include "spawn.h"
#include "view.h"
#include "vm.h"
#include "watch.h"

#define NANOSECONDS_PER_MILLISECOND UINT64_C(1000000)
/* How long requests are carried out before the event loop looks at the time. */
#define SLICE_NANOSECONDS UINT64_C(1000000)
#define EVACUATION_NANOSECONDS UINT64_C(10000000000)
/* Links that one event loop waits for, besides an input. */
#define POLLED_MAX 64

static rs_vm *library(const Thread *thread)
{
    return thread->vm->share.vm;
}

void links_prepare(Links *links)
{
    links->exports = links->watched = links->changed = NIL;
}

void links_references(Links *links, void (*visit)(Value *place, void *data), void *data)
{
    visit(&links->exports, data);
    visit(&links->watched, data);
    visit(&links->changed, data);
}

static Link *add_link(Vm *vm, Link *link)
{
    vm->main_thread->has_links = true;
    link->next = vm->links.first;
    vm->links.first = link;
    return link;
}

void links_free(Links *links)
{
    for (Link *link = links->first, *next; link != NULL; link = next) {
        next = link->next;
        free(link);
    }
    images_forget_unused(links);
}

Link *link_of_id(Vm *vm, uint64_t id)
{
    Link *link = vm->links.first;
    while (link != NULL && link->id != id)
        link = link->next;
    return link;
}

static Link *alive_from(Link *link)
{
    while (link != NULL && link->is_dead)
        link = link->next;
    return link;
}

static Link *first_alive(Vm *vm)
{
    return alive_from(vm->links.first);
}

static Link *next_alive(const Link *link)
{
    return alive_from(link->next);
}

Value make_link_object(Thread *thread, Link *link)
{
    LinkObject *object = (LinkObject *)heap_allocate(thread, TYPE_LINK, sizeof(LinkObject));
    if (object == NULL)
        return raise_memory(thread);
    object->link = link;
    return (Value)object;
}

void links_settle(Thread *thread)
{
    images_free_unused(thread->vm);
    if (thread->vm->links.has_replaced)
        gc_collect(thread);
}

/* A callback that failed has left its condition. The peer tells of third processes by conditions,
 * so RS_ERR_DEAD is about this link. */
Value raise_failed_request(Thread *thread, Link *link, int32_t status)
{
    if (status == RS_ERR_HOST && thread->condition != NIL)
        return FAILED;
    const char *kind = NULL;
    const char *text = NULL;
    thread->condition = NIL;
    link->is_dead = link->is_dead || status == RS_ERR_DEAD || status == RS_ERR_PEER;
    if (link->is_closed)
        status = RS_ERR_DEAD;
    else if (rs_link_error(library(thread), link->id, &kind, &text) != RS_OK)
        kind = text = NULL;
    return raise_request(thread, status, kind, text);
}

static bool refuse_unless_main(Thread *thread)
{
    if (thread->is_main)
        return true;
    raise_format(thread, "isolation-error", "only the main ractor has links");
    return false;
}

static bool start_child(Thread *thread, Link *link, const rs_link_end *end, const char *file,
                        const char *text, const SpawnOptions *options)
{
    Program program = {.file = file, .text = text};
    link->process = spawn(&thread->vm->options, options, end, &program);
    if (link->process < 0) {
        raise_format(thread, "process-error", "no child: %s", strerror(errno));
        return false;
    }
    rs_status status = rs_link_spawned(library(thread), link->id, (int32_t)link->process);
    if (status != RS_OK)
        raise_status(thread, status);
    return status == RS_OK;
}

static rs_link_options link_options(bool is_open, uint64_t milliseconds)
{
    return (rs_link_options){
        .size = sizeof(rs_link_options),
        .flags = is_open ? RS_LINK_OPEN : 0,
        .timeout = milliseconds * NANOSECONDS_PER_MILLISECOND,
    };
}

static bool export_over(Thread *thread, const Link *link, Value name, Value value, uint32_t rights)
{
    rs_status status =
        rs_link_export(library(thread), link->id, symbol_name(thread->vm, name), value, rights);
    if (status != RS_OK)
        raise_status(thread, status);
    return status == RS_OK;
}

static void forget_export(Links *links, Value name)
{
    for (Value *place = &links->exports; *place != NIL; place = &cons_of(*place)->cdr) {
        if (car(car(*place)) == name) {
            *place = cdr(*place);
            return;
        }
    }
}

static bool remember_export(Thread *thread, Value name, Value value, uint32_t rights)
{
    Value entry = make_cons(thread, fixnum(rights), value);
    if (entry != FAILED)
        entry = make_cons(thread, name, entry);
    Value exports = entry == FAILED ? FAILED : make_cons(thread, entry, thread->vm->links.exports);
    if (exports != FAILED)
        thread->vm->links.exports = exports;
    return exports != FAILED;
}

bool links_export(Thread *thread, Value name, Value value, uint32_t rights)
{
    if (!refuse_unless_main(thread))
        return false;
    Value *scope = roots_open(thread);
    Value *kept = root(thread, value);
    forget_export(&thread->vm->links, name);
    bool exported = rights == 0 || remember_export(thread, name, value, rights);
    for (Link *link = first_alive(thread->vm); exported && link != NULL; link = next_alive(link))
        exported = export_over(thread, link, name, *kept, rights);
    roots_close(thread, scope);
    return exported;
}

static bool export_all_over(Thread *thread, const Link *link)
{
    Value *scope = roots_open(thread);
    Value *rest = root(thread, thread->vm->links.exports);
    bool exported = true;
    for (; exported && *rest != NIL; *rest = cdr(*rest)) {
        Value rights = cdr(car(*rest));
        exported = export_over(thread, link, car(car(*rest)), cdr(rights),
                               (uint32_t)fixnum_number(car(rights)));
    }
    roots_close(thread, scope);
    return exported;
}

static Link *new_link(Thread *thread, const SpawnOptions *spawn, rs_link_end *end)
{
    rs_link_options options = link_options(spawn->is_open, spawn->timeout);
    Link *link = calloc(1, sizeof *link);
    if (link == NULL) {
        raise_memory(thread);
        return NULL;
    }
    rs_status status = rs_link_new(library(thread), thread->id, &options, &link->id, end);
    if (status != RS_OK) {
        free(link);
        raise_status(thread, status);
        return NULL;
    }
    link->number = ++thread->vm->links.children;
    return add_link(thread->vm, link);
}

Link *link_spawn(Thread *thread, const char *file, const char *text, const SpawnOptions *options)
{
    rs_link_end end = {-1, -1};
    Link *link = refuse_unless_main(thread) ? new_link(thread, options, &end) : NULL;
    if (link == NULL)
        return NULL;
    if (export_all_over(thread, link) && start_child(thread, link, &end, file, text, options))
        return link;
    Value *scope = roots_open(thread);
    Value *condition = root(thread, condition_take(thread));
    link_close(thread, link, false);
    thread->condition = *condition;
    roots_close(thread, scope);
    return NULL;
}

/* A child hides nothing from its parent. */
bool link_adopt(Thread *thread)
{
    const VmOptions *given = &thread->vm->options;
    rs_link_options options = link_options(true, given->link_timeout);
    rs_link_end end = {given->link_segment, given->link_socket};
    Link *link = calloc(1, sizeof *link);
    if (link == NULL)
        return raise_memory(thread) != FAILED;
    rs_status status = rs_link_adopt(library(thread), thread->id, &options, &end, &link->id);
    if (status != RS_OK) {
        free(link);
        return raise_status(thread, status) != FAILED;
    }
    thread->vm->links.parent = add_link(thread->vm, link);
    return true;
}

static uint64_t milliseconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / NANOSECONDS_PER_MILLISECOND;
}

/* One slice. RS_OK: the descriptor tells of more; RS_MORE; or the link is dead. */
static rs_status serve_slice(Thread *thread, Link *link)
{
    rs_status status = rs_link_serve(library(thread), link->id, SLICE_NANOSECONDS);
    links_settle(thread);
    thread->condition = NIL;
    if (status != RS_OK && status != RS_MORE)
        link->is_dead = true;
    return status;
}

/* Serves a link, or all of them. Whether there is more to do at once. */
static bool serve_links(Thread *thread, Link *only)
{
    bool more = false;
    Link *next = only == NULL ? first_alive(thread->vm) : alive_from(only);
    for (Link *link = next; link != NULL; link = next) {
        next = only == NULL ? next_alive(link) : NULL;
        if (serve_slice(thread, link) == RS_MORE)
            more = true;
    }
    return more;
}

static size_t add_descriptors(Thread *thread, Link *only, struct pollfd *polled)
{
    size_t count = 0;
    Link *link = only == NULL ? first_alive(thread->vm) : only;
    for (; link != NULL && count < POLLED_MAX; link = only == NULL ? next_alive(link) : NULL) {
        int32_t descriptor = -1;
        rs_link_fd(library(thread), link->id, &descriptor);
        polled[count++] = (struct pollfd){.fd = descriptor, .events = POLLIN};
    }
    return count;
}

/* Waits until there is something to do. Whether `input` can be read. */
static bool wait_for_links(Thread *thread, Link *only, int input, uint64_t milliseconds)
{
    struct pollfd polled[POLLED_MAX + 1];
    size_t count = add_descriptors(thread, only, polled);
    polled[count] = (struct pollfd){.fd = input, .events = POLLIN};
    int timeout = milliseconds < 1000 ? (int)milliseconds : 1000;
    world_blocking_enter(thread);
    int ready = poll(polled, count + 1, timeout);
    world_blocking_leave(thread);
    return ready > 0 && polled[count].revents != 0;
}

/* Whether there is still a peer to serve: without its parent, a child has nothing more to do. */
static bool has_peer(Vm *vm, const Link *only)
{
    const Link *needed = only == NULL ? vm->links.parent : only;
    return needed == NULL ? first_alive(vm) != NULL : !needed->is_dead;
}

static Value serve_loop(Thread *thread, Link *only, int input, uint64_t milliseconds)
{
    uint64_t now = milliseconds_now();
    uint64_t end = milliseconds > UINT64_MAX - now ? UINT64_MAX : now + milliseconds;
    for (;;) {
        bool more = serve_links(thread, only);
        if (!watches_call(thread))
            return FAILED;
        more = more || watches_are_due(&thread->vm->links);
        now = milliseconds_now();
        if (!has_peer(thread->vm, only) && input < 0)
            return NIL;
        if (now >= end)
            return TRUTH;
        safepoint(thread);
        if (!more && wait_for_links(thread, only, input, end - now))
            return TRUTH;
        if (interrupt_take())
            return raise_status(thread, RS_CANCELLED);
    }
}

static Value serve_until(Thread *thread, Link *only, int input, uint64_t milliseconds)
{
    if (!refuse_unless_main(thread))
        return FAILED;
    /* Who waits for input waits for the user, not for a process. */
    if (input >= 0)
        return serve_loop(thread, only, input, milliseconds);
    interrupt_wait_begin();
    Value result = serve_loop(thread, only, input, milliseconds);
    interrupt_wait_end();
    return result;
}

Value link_serve(Thread *thread, Link *link, uint64_t milliseconds)
{
    return serve_until(thread, link, -1, milliseconds);
}

Value links_serve(Thread *thread, int input, uint64_t milliseconds)
{
    return serve_until(thread, NULL, input, milliseconds);
}

Value links_collect_cycles(Thread *thread, uint64_t milliseconds)
{
    uint64_t count = 0;
    if (!refuse_unless_main(thread))
        return FAILED;
    rs_status status =
        rs_cycles_begin(library(thread), thread->id, milliseconds * NANOSECONDS_PER_MILLISECOND);
    if (status != RS_OK)
        return raise_status(thread, status);
    interrupt_wait_begin();
    status = rs_cycles_finish(library(thread), thread->id, 1, &count);
    interrupt_wait_end();
    links_settle(thread);
    thread->condition = NIL;
    return status == RS_OK ? fixnum((intptr_t)count) : raise_status(thread, status);
}

/* With nothing else to do, the library waits. */
static rs_status serve_once(Thread *thread, Link *link)
{
    rs_status status = rs_link_wait(library(thread), link->id, 0);
    links_settle(thread);
    safepoint(thread);
    thread->condition = NIL;
    return status;
}

/* False: the wait was cancelled, or a procedure that watches has raised. */
static bool serve_to_the_end(Thread *thread, Link *link)
{
    rs_status status = RS_OK;
    bool has_raised = false;
    interrupt_wait_begin();
    while (status == RS_OK && !has_raised) {
        status = serve_once(thread, link);
        has_raised = !watches_call(thread);
    }
    interrupt_wait_end();
    link->is_dead = status != RS_OK && status != RS_CANCELLED;
    if (status == RS_CANCELLED && !has_raised)
        raise_status(thread, status);
    return link->is_dead && !has_raised;
}

static bool is_child(Thread *thread, const Link *link)
{
    if (link->process > 0)
        return true;
    raise_format(thread, "type-error", "the parent is not a child");
    return false;
}

static void reap(Thread *thread, Link *link)
{
    int status = 0;
    world_blocking_enter(thread);
    while (waitpid(link->process, &status, 0) < 0 && errno == EINTR)
        continue;
    world_blocking_leave(thread);
    link->status = WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
    link->is_reaped = true;
}

Value link_wait(Thread *thread, Link *link)
{
    if (!refuse_unless_main(thread) || !is_child(thread, link))
        return FAILED;
    if (!link->is_dead && !serve_to_the_end(thread, link))
        return FAILED;
    if (!link->is_reaped)
        reap(thread, link);
    return fixnum(link->status);
}

bool link_signal(Thread *thread, Link *link, int signal)
{
    if (!is_child(thread, link))
        return false;
    if (link->is_reaped || kill(link->process, signal) == 0)
        return true;
    raise_format(thread, "process-error", "%s", strerror(errno));
    return false;
}

bool link_close(Thread *thread, Link *link, bool evacuates)
{
    if (!refuse_unless_main(thread))
        return false;
    if (link->is_closed)
        return true;
    interrupt_wait_begin();
    rs_status status = rs_link_close(library(thread), link->id, evacuates ? RS_LINK_EVACUATE : 0,
                                     EVACUATION_NANOSECONDS);
    interrupt_wait_end();
    link->is_dead = link->is_closed = true;
    links_settle(thread);
    thread->condition = NIL;
    if (status == RS_OK || status == RS_ERR_DEAD)
        return true;
    raise_status(thread, status);
    return false;
}

rs_link_statistics link_counts(Thread *thread, const Link *link)
{
    rs_link_statistics counts = {.size = sizeof(rs_link_statistics)};
    rs_link_counts(library(thread), link->id, &counts);
    return counts;
}

/* A child leaves copies of what the parent refers to. */
void links_end(Thread *thread)
{
    bool evacuates = thread->vm->options.evacuates;
    for (Link *link = thread->vm->links.first; link != NULL; link = link->next)
        if (!link_close(thread, link, evacuates && link == thread->vm->links.parent))
            thread->condition = NIL;
}
