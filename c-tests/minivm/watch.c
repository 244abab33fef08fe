#include "watch.h"

#include "eval.h"
#include "remote.h"

/* The place in a list of (object . procedure) from which the entry of that object is referred to,
 * or else the one that ends the list. */
static Value *entry_of(Value *list, Value object)
{
    while (*list != NIL && car(car(*list)) != object)
        list = &cons_of(*list)->cdr;
    return list;
}

static Value *end_of(Value *list)
{
    while (*list != NIL)
        list = &cons_of(*list)->cdr;
    return list;
}

/* The pair that held the entry, which belongs to no list any more; NIL if there is none. */
static Value take_entry(Value *list, Value object)
{
    Value *place = entry_of(list, object);
    Value pair = *place;
    if (pair != NIL)
        *place = cdr(pair);
    return pair;
}

Value watch_begin(Thread *thread, const Value *arguments)
{
    if (remote_watch(thread, arguments[0]) == FAILED)
        return FAILED;
    Links *links = &thread->vm->links;
    Value entry = make_cons(thread, arguments[0], arguments[1]);
    Value watched = entry == FAILED ? FAILED : make_cons(thread, entry, links->watched);
    if (watched == FAILED)
        return FAILED;
    take_entry(&cons_of(watched)->cdr, arguments[0]);
    links->watched = watched;
    return arguments[0];
}

bool watch_end(Links *links, Value object)
{
    bool was_watched = take_entry(&links->watched, object) != NIL;
    bool was_due = take_entry(&links->changed, object) != NIL;
    return was_watched || was_due;
}

/* Runs in the middle of anything, so it allocates nothing: the pair goes from one list to the end
 * of the other. */
void watch_take_note(void *context, rs_link link, rs_value remote)
{
    (void)link;
    Links *links = &((Vm *)context)->links;
    Value pair = take_entry(&links->watched, remote);
    if (pair == NIL)
        return;
    cons_of(pair)->cdr = NIL;
    *end_of(&links->changed) = pair;
}

/* Peers that watch the object through this process hear of it by this process. */
static bool call_next(Thread *thread)
{
    Links *links = &thread->vm->links;
    Value entry = car(links->changed);
    Value object = car(entry);
    links->changed = cdr(links->changed);
    watch_tell_of_write(thread, object);
    return call_procedure(thread, cdr(entry), &object, 1) != FAILED;
}

/* What changes meanwhile has its turn when all links were served. */
bool watches_call(Thread *thread)
{
    size_t count = 0;
    for (Value rest = thread->vm->links.changed; rest != NIL; rest = cdr(rest))
        count++;
    for (; count > 0 && watches_are_due(&thread->vm->links); count--)
        if (!call_next(thread))
            return false;
    return true;
}

static bool has_ended(Value object)
{
    object = remote_replacement(object);
    return !is_remote(object) || remote_of(object)->link->is_dead;
}

void watches_forget_ended(Links *links)
{
    Value *place = &links->watched;
    while (*place != NIL) {
        if (has_ended(car(car(*place))))
            *place = cdr(*place);
        else
            place = &cons_of(*place)->cdr;
    }
}
