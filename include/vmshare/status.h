/*
 * status.h: statuses as text.
 *
 * Generated from src/ffi/status.rs by cbindgen: change it there, then run `make headers`.
 */

#ifndef VMSHARE_STATUS_H
#define VMSHARE_STATUS_H

#include <stddef.h>
#include <stdint.h>

// What a call returns: `RS_OK`, a positive outcome to handle, or a negative failure.
typedef int32_t rs_status;

// The call did what it says.
#define RS_OK 0

// The object is frozen, by its program or because it is shared: the write must not happen.
#define RS_FROZEN 1

// The object can't be read by this ractor: something in its graph is not shareable.
#define RS_NOT_SHAREABLE 2

// The object belongs to another ractor; nothing was changed.
#define RS_NOT_OWNER 3

// There is more to do: handle what was handed out and call again.
#define RS_MORE 4

// Somebody else is in the way for the moment: the same call may succeed later.
#define RS_BUSY 5

// `rs_verify`: an auto-shareable object has changed, and no check announced it.
#define RS_UNANNOUNCED 6

// The program that the peer runs raised an error: see `rs_link_error`.
#define RS_RAISED 7

// The program did not want to wait any longer (`is_cancelled`).
#define RS_CANCELLED 8

// An argument is NULL, or a number is outside of its documented range.
#define RS_ERR_ARGUMENT -1

// The handle was closed before.
#define RS_ERR_CLOSED -2

// The handle belongs to another vm, or is of another kind.
#define RS_ERR_FOREIGN -3

// The call is not allowed from this thread or ractor.
#define RS_ERR_THREAD -4

// The call was made from inside a callback in which it is not allowed.
#define RS_ERR_REENTRANT -5

// Memory ran out; nothing was changed.
#define RS_ERR_MEMORY -6

// The library failed inside (a defect of its own): the vm is poisoned.
#define RS_ERR_PANIC -7

// An earlier call on this vm ended in `RS_ERR_PANIC`: only `rs_vm_free` is left.
#define RS_ERR_POISONED -8

// The host was built for an ABI that this library does not have.
#define RS_ERR_ABI -9

// A callback of the host failed, or broke its contract.
#define RS_ERR_HOST -10

// The machine, the build or the host lacks what the call needs.
#define RS_ERR_UNSUPPORTED -11

// A documented limit is reached.
#define RS_ERR_LIMIT -12

// This process was forked, and `rs_after_fork_child` was not called in it.
#define RS_ERR_FORKED -13

// The bytes are not a valid image; nothing was changed.
#define RS_ERR_IMAGE -14

// The peer has broken the protocol: the link is closed.
#define RS_ERR_PEER -15

// The peer is gone.
#define RS_ERR_DEAD -16

// The time is up.
#define RS_ERR_TIMEOUT -17

// The peer does not let this process do that.
#define RS_ERR_DENIED -18

// The reference was revoked, or the peer has forgotten what it leads to.
#define RS_ERR_STALE -19

// Processes wait for each other in a circle; this one has found out.
#define RS_ERR_DEADLOCK -20

// A store holds something that makes no sense: one of those who may write it has spoiled it.
#define RS_ERR_STORE -21

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

// The C name of a status, such as "RS_FROZEN"; "RS_?" for an unknown number.
//
// Borrows: a static string. Threads: any, signal handlers too. Blocks: no. Allocates: no.
// Returns: never NULL. Since: 0.1
const char *rs_status_name(rs_status status);

// What a status says, in English, without a full stop.
//
// Borrows: a static string. Threads: any, signal handlers too. Blocks: no. Allocates: no.
// Returns: never NULL. Since: 0.1
const char *rs_status_text(rs_status status);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* VMSHARE_STATUS_H */
