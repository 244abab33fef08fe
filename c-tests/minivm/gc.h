/*
 * gc.h: the collector: precise mark and sweep, or mark and move, with the world stopped.
 *
 * What the library needs from a collection, in this order: rs_gc_visit_roots while marking (a
 * walk in flight keeps objects alive), rs_gc_sweep when marking is done (slots refer weakly),
 * rs_gc_moved for each copy and rs_gc_update when all references change, rs_gc_freed before a
 * dead object's memory is used again. When remote objects were replaced, rs_gc_update comes first.
 * When a round of finding cycles asks for it, marking has two phases, with rs_gc_visit_own_roots
 * and rs_gc_summarise between them.
 */

#ifndef MINIVM_GC_H
#define MINIVM_GC_H

#include "vm.h"

/* Stops the world and collects. Only at a place where all values that are still needed stand on
 * root stacks. */
void gc_collect(Thread *thread);

/* The same for the library, with a summary in the middle: the callback `collect`. */
int32_t gc_collect_and_summarise(void *context);

/* Parks if another thread wants to collect. */
static inline void safepoint(Thread *thread)
{
    if (world_stop_is_wanted(&thread->vm->world))
        world_park(thread);
}

#endif
