/*
 * report.h: why, and what it looks like.
 *
 * Generated from src/ffi/report.rs by cbindgen: change it there, then run `make headers`.
 */

#ifndef VMSHARE_REPORT_H
#define VMSHARE_REPORT_H

#include <stddef.h>
#include <stdint.h>
#include "vmshare/vm.h"

// A drawing for people: one line for each object, with its flags.
#define RS_DRAW_TEXT 0

// A drawing for Graphviz.
#define RS_DRAW_DOT 1

// Takes the next part of a drawing: `size` bytes, not ended by a NUL. Returns 0 to go on, anything
// else to stop.
typedef int32_t (*rs_write_fn)(void *data, const char *text, size_t size);

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

// What the last call of `ractor` that returned RS_FROZEN, RS_NOT_SHAREABLE, RS_NOT_OWNER, RS_BUSY
// or RS_UNANNOUNCED found. (`rs_explain` fills in a report of its own.)
//
// Owns: the report is a copy in the caller's memory; its `size` says how much is filled in.
// Threads: the ractor's. Blocks: no. Allocates: no.
// Returns: RS_OK, with `cause` RS_CAUSE_NONE if there was no such call; RS_ERR_ARGUMENT,
// RS_ERR_CLOSED, RS_ERR_FOREIGN, RS_ERR_THREAD, RS_ERR_REENTRANT, RS_ERR_FORKED. Since: 0.1
rs_status rs_last_report(rs_vm *vm, rs_ractor ractor, rs_report *report);

// Why `value`, under `slot` (or RS_NO_SLOT), could not be accessed by another ractor: a dry run by
// the owner, which changes nothing.
//
// Threads: the ractor that owns the graph. Blocks: no. Allocates: some 40 bytes for each
// object, until it returns. Cost: O(graph).
// Returns: RS_OK if it is or would become shareable; RS_NOT_SHAREABLE with `report` saying why;
// RS_ERR_MEMORY, RS_ERR_HOST, RS_ERR_ARGUMENT, RS_ERR_CLOSED, RS_ERR_FOREIGN, RS_ERR_THREAD,
// RS_ERR_REENTRANT, RS_ERR_FORKED, RS_ERR_POISONED. Since: 0.1
rs_status rs_explain(rs_vm *vm, rs_ractor ractor, rs_slot slot, rs_value value, rs_report *report);

// Draws the graph of `value` with the state of each object: A, AF (A, and frozen by its program), B
// (ordinary), C, F (frozen by its program), and a mark at what would block an access.
//
// Borrows: `write` and `data` for the call. Threads: the ractor that owns the graph.
// Blocks: no. Allocates: some 40 bytes for each object, until it returns. Cost: O(graph).
// Returns: RS_OK, also if `write` stopped it; RS_ERR_ARGUMENT for an unknown `format`;
// RS_ERR_MEMORY, RS_ERR_HOST, RS_ERR_CLOSED, RS_ERR_FOREIGN, RS_ERR_THREAD,
// RS_ERR_REENTRANT, RS_ERR_FORKED, RS_ERR_POISONED. Since: 0.1
rs_status rs_draw(rs_vm *vm,
                  rs_ractor ractor,
                  rs_value value,
                  uint32_t format,
                  rs_write_fn write,
                  void *data);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* VMSHARE_REPORT_H */
