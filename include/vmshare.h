/*
 * vmshare.h: lets an existing VM share live objects between its ractors, and with other processes.
 * This page says how; then it includes the whole API.
 *
 * CAVEATS
 *
 * - Every write to an object must ask first, and every read of a slot by a ractor besides main.
 *   What a VM forgets to hook (an inline cache, a shape test, compiled code, a C extension with the
 *   old test compiled in) is a write that nobody stops. RS_OPTION_VERIFY finds such writes: run
 *   your own tests with it.
 * - The flags of an object are read and changed by other threads. A flag word that your own code
 *   rewrites by `flags |= bit` can't hold all of them: place them split, or in the side table.
 * - Callbacks run in the middle of walks. They never longjmp or unwind over the library, and call
 *   nothing in it unless their text says so. A VM that can't promise that uses the pull walk
 *   (walk.h).
 * - Slots are weak: the VM's collector keeps their values alive as it did before, and must ask what
 *   a walk in flight holds besides (gc.h).
 * - A forked child may use a vm only if rs_before_fork came before the fork, and
 *   rs_after_fork_child comes before all else.
 * - The library is never unloaded: dlclose leaves it in the process.
 *
 * CONCEPTS
 *
 * The host is the VM that embeds the library. It keeps its heap, its allocator, its collector and
 * its exceptions; the library knows objects by address and keeps four flags for each of them.
 *
 * A value (rs_value) is a machine word of the host: an immediate, or a pointer to an object.
 *
 * A ractor (rs_ractor) is a domain of execution, usually a thread. One is main: the one that called
 * rs_vm_new. Main assigns slots.
 *
 * A slot (rs_slot) is a named place that ractors share: a constant, a global variable, a class
 * variable, an instance variable of a class.
 *
 * An object is in one of these states, and rs_object_state says in which:
 *
 *     ordinary     nothing is known of it; its owner may write it
 *     A            auto-shareable: it was assigned to a slot, and its first use will decide
 *     B            not shareable: main wrote to it first. B is an ordinary object under a slot
 *     C            shareable: another ractor read it first. It and all it refers to are frozen
 *
 *                 rs_autoshare_mark            rs_ractor_access
 *     ordinary  ----------------------->  A  ------------------->  C
 *     or B      <-----------------------     (its whole graph, or
 *                 rs_check_frozen             nothing of it)
 *
 * So programs need no `freeze` before they share: what nobody modifies is shared when it is first
 * read elsewhere. If main writes and another ractor reads at the same time, exactly one of the two
 * gets an error, and a report (rs_last_report) that names both sides. Main never waits for the walk
 * over a graph that another ractor shares.
 *
 * EMBEDDING IN SIX STEPS
 *
 * 1. Describe the host: rs_host from RS_HOST_INIT. Where the four flags live (rs_flags_in_header,
 *    rs_flags_in_side_table, rs_flags_split), what is a pointer, and which words of each type are
 *    children: a table of layouts, or the `children` callback, or both. Everything else has a
 *    default.
 * 2. rs_vm_new, on the thread that will be main.
 * 3. Hook the writes: where the VM tests "is it frozen?", test rs_must_check with a wider mask, and
 *    call rs_check_frozen if it says so. Ordinary objects cost what they cost before.
 * 4. Hook the slots: rs_slot_new when a constant is defined, rs_autoshare_mark when main assigns
 *    it; when a ractor besides main reads it, rs_is_shareable, and rs_ractor_access if that says
 *    no.
 * 5. rs_ractor_new before the thread of a new ractor starts; rs_ractor_free after its end.
 * 6. Turn what is not RS_OK into the VM's own error: rs_last_report has the message. rs_vm_free at
 *    the end.
 *
 * ANOTHER PROCESS
 *
 * A link (rs_link) joins two processes, each with a vm of its own. What one exports, the other sees
 * as an object of its own heap that stands for it; what is done to that one, the owner does to the
 * object itself. Neither reads the other's memory: there is nothing to lock, and a peer that dies
 * or lies is an error and no more.
 *
 * 1. Fill in `read_items` and `make_items` with their two companions: what your values are in terms
 *    that every host has. That alone gives copies of whole graphs (rs_image_encode,
 *    rs_image_decode).
 * 2. Fill in `make_remote`: an object that holds an rs_remote; and `operate`: your own primitives,
 *    called with the arguments of a peer.
 * 3. In the parent: rs_link_new, fork and exec with rs_link_inherit in between, rs_link_spawned,
 *    rs_link_export; then rs_link_serve from the event loop, which polls rs_link_fd. In the child:
 *    rs_link_adopt. Processes that meet over a Unix socket: rs_link_accept and rs_link_connect.
 * 4. Where a primitive finds that its argument is of the wrong type, it looks whether that is a
 *    remote object, and calls rs_remote_get, rs_remote_set, … (inline.h): ordinary objects pay
 *    nothing.
 * 5. rs_link_close with RS_LINK_EVACUATE before the process ends: what it had lent becomes ordinary
 *    objects of the peer.
 * 6. Where it pays: rs_remote_batch for many operations in one request, rs_remote_path and
 *    rs_remote_copy for many objects, rs_remote_begin to work on while the peer does,
 *    rs_remote_share for what never changes, and rs_remote_watch for what rarely does.
 * 7. Objects of two processes that refer to each other keep each other alive: fill in `collect`,
 *    and let the parent call rs_cycles_begin and rs_cycles_finish now and then (cycles.h).
 *
 * OWNERSHIP
 *
 * The caller owns the vm (rs_vm_free), ractors (rs_ractor_free) and slots (rs_slot_free), and may
 * end them in any order; ids are never used twice, so a stale one is an error and never another
 * object. Texts and structs that are passed in are copied, but for `layouts`, `ctx` and the file
 * names of sites, which must live as long as the vm. Results go to memory of the caller; structs
 * that may grow begin with their `size` (RS_REPORT_INIT, RS_STATISTICS_INIT). Objects are the
 * host's; the library frees none and, outside of a walk, keeps none alive.
 *
 * THREADS
 *
 * Each function says at `Threads` who may call it: main (slots, marks, changes of representation),
 * the ractor it is given (checks, accesses, reports), or any. The threads of one ractor take turns.
 * A host that sets `current_ractor` gets RS_ERR_THREAD for a mistake; without it the caller is
 * believed.
 *
 * - Main waits, if at all, for one piece of a walk (some microseconds) that reads the very elements
 *   it is about to change, and only if these lie outside of the object. It waits for a walk only
 *   when it shares explicitly (rs_make_shareable).
 * - Other ractors wait for each other's walks in rs_ractor_access and rs_make_shareable, between
 *   `blocking_enter` and `blocking_leave`.
 * - Functions of different vms never wait for each other.
 *
 * COLLECTORS (gc.h)
 *
 * A walk calls `safepoint` after each piece, and there, or while a thread waits, the host may stop
 * the world. While it is stopped: rs_gc_visit_roots while marking; rs_gc_sweep after marking;
 * rs_gc_update if objects moved; with a side table (or RS_MARK_ON_ASSIGN) rs_gc_moved for each
 * object that moves and rs_gc_freed for each whose memory is used again. A host that frees without
 * stopping its threads puts rs_gc_begin and rs_gc_end around that. For cycles over processes,
 * `collect` marks in two phases, with rs_gc_visit_own_roots and rs_gc_summarise in between.
 *
 * FORK (vm.h)
 *
 * rs_before_fork, fork, then rs_after_fork_parent and rs_after_fork_child. A child that never calls
 * into the library needs none of them; one that calls without them gets RS_ERR_FORKED.
 *
 * ERRORS
 *
 * Functions return an rs_status. 0 is RS_OK; a positive status is an outcome that the caller must
 * handle, such as RS_FROZEN; a negative one is a failure, and nothing has changed. (rs_shareable_p
 * and rs_frozen_p answer 1 or 0.) Misuse, such as NULL, a closed or foreign handle, the wrong
 * thread or an unknown constant, is a negative status too. Running out of memory is RS_ERR_MEMORY.
 *
 * What every function that takes a vm may return besides what it lists: RS_ERR_PANIC if the library
 * fails inside, after which the vm is poisoned, and RS_ERR_POISONED from then on, when only
 * rs_vm_free is left. rs_status_name and rs_status_text put a status in words.
 *
 * WHERE TO LOOK NEXT
 *
 *     README.md             a whole embedding on one page, which compiles
 *     vmshare/host.h        step 1: the contract
 *     vmshare/inline.h      steps 1, 3 and 4: initialisers and the tests that cost one load
 *     vmshare/vm.h          steps 2 and 5; fork; statistics
 *     vmshare/slot.h        step 4: slots
 *     vmshare/autoshare.h   steps 3 and 4: the calls behind the tests
 *     vmshare/report.h      step 6: why; and drawings of a graph with its states
 *     vmshare/gc.h          what a collector tells and asks
 *     vmshare/walk.h        the pull walk
 *     vmshare/verify.h      the verifier
 *     vmshare/graph.h       images: whole graphs in one piece of memory
 *     vmshare/link.h        connections to other processes
 *     vmshare/remote.h      objects of another process
 *     vmshare/cycles.h      garbage that several processes keep alive together
 *     vmshare/loader.h      all of it by dlopen; not included here
 *     vmshare.hpp           handles for C++; not included here
 */

#ifndef VMSHARE_H
#define VMSHARE_H

#include "vmshare/status.h"
#include "vmshare/version.h"

#include "vmshare/host.h"
#include "vmshare/vm.h"

#include "vmshare/slot.h"

#include "vmshare/autoshare.h"
#include "vmshare/walk.h"

#include "vmshare/cycles.h"
#include "vmshare/graph.h"
#include "vmshare/link.h"
#include "vmshare/remote.h"

#include "vmshare/gc.h"
#include "vmshare/report.h"
#include "vmshare/verify.h"

#include "vmshare/inline.h"

#endif /* VMSHARE_H */
