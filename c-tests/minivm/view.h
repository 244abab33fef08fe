/*
 * view.h: objects of another process that are read in place.
 *
 * What is shareable never changes, so its owner encodes it once, in an image that all its peers
 * may read (graph.h of the library). A view is a remote object (remote.h) with a place in such an
 * image: remote.c reads that, and asks the owner only for what can't be read there. A number, a
 * symbol or a string in an image comes as such; what has elements is a view again, and always the
 * same one as long as that lives.
 *
 * The owner knows a view's object by the reference that is its `target`. That of the first view
 * is the remote object that was shared; those of others are asked for when they are needed: to
 * hand the object to its owner, to change it (which the owner will refuse), or to compare it with
 * what came by another way.
 *
 * An image is freed when no view of it is left: not by the collector, which sees the last one die,
 * but before the next call that is about a link.
 */

#ifndef MINIVM_VIEW_H
#define MINIVM_VIEW_H

#include "remote.h"

typedef struct Image {
    rs_image id;
    const uint64_t *words;
    Vm *vm;
    Link *link;
    /* Views, and whoever is about to make one. */
    size_t uses;
    struct Image *next_unused;
    /* For each word the view of the node that begins there, or 0. They are no roots. */
    Value views[];
} Image;

static inline bool is_view(Value value)
{
    return is_remote(value) && remote_of(value)->image != NULL;
}

/* What an image holds, which is freed in the end: a view with that target, or a value that needs
 * none. `target` stands on the root stack. */
Value view_open(Thread *thread, Link *link, rs_image id, const Value *target);

/* The answer to an operation on a view; UNBOUND if the owner has to be asked. */
Value view_read(Thread *thread, Value view, const rs_operation *operation);

/* Whether the view shows all of its image; an ordinary object made of that. */
bool view_is_whole(Value view);
Value view_copy(Thread *thread, Value view);

/* The name of a record's type, as a symbol: UNBOUND if there is no memory. */
Value image_record_type(const Image *image, uint64_t node);

/* The value that a word of an image refers to. */
Value image_opaque(const Image *image, uint64_t word);

/* The collector's: the view is dead; it has moved. */
void view_finish(const Remote *view);
void view_moved(const Remote *view);

void images_free_unused(Vm *vm);
/* When the library has freed them itself. */
void images_forget_unused(Links *links);

#endif
