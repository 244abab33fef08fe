/*
 * link.h: connections to other processes that run this Lisp: to children, which `link_spawn`
 * starts, and to the parent. All are the main ractor's.
 *
 * What a peer asks for is carried out when main serves the link: in `link_serve`, which event loops
 * call, and while main itself waits for an answer. So any call here that talks to a peer may run
 * any code and collect.
 *
 * When a link ends, what stood for the peer's objects may be replaced by ordinary ones: a
 * collection then puts them in the place of every reference (gc.c), before the program goes on.
 */

#ifndef MINIVM_LINK_H
#define MINIVM_LINK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "minivm.h"

/* Lives as long as the vm. `id` is the library's. */
typedef struct Link {
    uint64_t id;
    /* The child, or 0 if the peer is the parent; it has ended and was waited for. */
    pid_t process;
    bool is_reaped;
    int status;
    unsigned number;
    /* The peer is gone, or this process has closed its end. */
    bool is_dead;
    bool is_closed;
    struct Link *next;
} Link;

typedef struct Links {
    Link *first;
    Link *parent;
    unsigned children;
    /* How many objects were made that stand for objects of peers. */
    unsigned remotes;
    /* Some of them were replaced since the last collection. */
    bool has_replaced;
    /* The library wants to know what keeps what alive (gc.c). */
    bool wants_summary;
    /* What peers may name: a list of (name rights . value). */
    Value exports;
    /* Objects of peers that are watched, and those that have changed: lists of
     * (object . procedure), as watch.h says. */
    Value watched;
    Value changed;
    /* Images that nothing is read in any more (view.h). */
    struct Image *unused_images;
} Links;

/* What a child is started with. */
typedef struct SpawnOptions {
    /* It may ask for any variable and procedure, not only for what was exported. */
    bool is_open;
    bool evacuates;
    /* Most milliseconds that a request of either side waits; 0: for ever. */
    uint64_t timeout;
} SpawnOptions;

void links_prepare(Links *links);
/* The collector's. */
void links_references(Links *links, void (*visit)(Value *place, void *data), void *data);

/* Ends all links; frees them. */
void links_end(Thread *thread);
void links_free(Links *links);

/* Starts this program as a child, with a file to run or a text to evaluate. NULL with a condition
 * pending. */
Link *link_spawn(Thread *thread, const char *file, const char *text, const SpawnOptions *options);

/* Takes up the child's end of the link that the options name. */
bool link_adopt(Thread *thread);

/* Carries out what the peer asks for: what is there now, and what comes in so many milliseconds;
 * and calls the procedures that watch what has changed. TRUTH; NIL if the peer is gone; FAILED if
 * the wait was cancelled, or a procedure has raised. */
Value link_serve(Thread *thread, Link *link, uint64_t milliseconds);

/* The same for all links at once, until `input` (a descriptor, or -1) can be read. NIL: the parent
 * is gone, or in a process without one all children are; and there is no input to wait for. */
Value links_serve(Thread *thread, int input, uint64_t milliseconds);

/* Lets go of what only cycles over the children keep alive; children that have not answered after
 * so many milliseconds (0: for ever) lose nothing. How many references of theirs that were. */
Value links_collect_cycles(Thread *thread, uint64_t milliseconds);

/* Serves a child until it has ended. Its exit status, or the signal that ended it as a negative
 * number. */
Value link_wait(Thread *thread, Link *link);

/* False with a condition pending. */
bool link_signal(Thread *thread, Link *link, int signal);
bool link_close(Thread *thread, Link *link, bool evacuates);
struct rs_link_statistics link_counts(Thread *thread, const Link *link);

/* All peers, those to come included, may refer to the value by that name and do what the rights say
 * (RS_CAN_…); without rights not any more. False with a condition pending. */
bool links_export(Thread *thread, Value name, Value value, uint32_t rights);

/* The link of the library's id, or NULL. */
Link *link_of_id(Vm *vm, uint64_t id);

/* Makes the condition of a request that failed pending, and takes note of a peer that is gone;
 * always FAILED. */
Value raise_failed_request(Thread *thread, Link *link, int32_t status);

/* The Lisp object. */
Value make_link_object(Thread *thread, Link *link);

/* After each call of the library that may have talked to a peer. */
void links_settle(Thread *thread);

#endif
