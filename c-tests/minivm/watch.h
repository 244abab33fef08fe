/*
 * watch.h: being told that an object of another process was written, and telling others.
 *
 * A watch is a procedure that is called once, with the object, after that was written: who wants to
 * hear of more changes watches again. The library tells of a change whenever a peer is listened to,
 * in the middle of a request too. The procedure is called later, when main serves its links
 * (link.h): so a request never runs it.
 *
 * In the other direction the write check tells the library of every write (condition.h). Which
 * objects peers watch it knows alone; a process without links does not ask.
 */

#ifndef MINIVM_WATCH_H
#define MINIVM_WATCH_H

#include "vm.h"

/* `arguments`, on the root stack: an object of a peer, and the procedure that takes the place of
 * the one that watched it before. The object; FAILED with a condition pending. */
Value watch_begin(Thread *thread, const Value *arguments);

/* Whether the object was watched, or its procedure still to be called. */
bool watch_end(Links *links, Value object);

/* Calls the procedures of objects that have changed until now. False: one has raised; those behind
 * it are still to be called. */
bool watches_call(Thread *thread);

/* Some are to be called. */
static inline bool watches_are_due(const Links *links)
{
    return links->changed != NIL;
}

/* The collector's, before it marks: nobody tells any more of objects whose link has ended. */
void watches_forget_ended(Links *links);

/* An object has passed the write check. It has not changed yet, but no peer can read it before main
 * serves again. */
static inline void watch_tell_of_write(Thread *thread, Value object)
{
    if (thread->has_links)
        rs_link_changed(thread->vm->share.vm, object);
}

/* The library's callback. */
void watch_take_note(void *context, rs_link link, rs_value remote);

#endif
