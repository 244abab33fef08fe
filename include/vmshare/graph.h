/*
 * graph.h: whole graphs in one piece of memory, for another process, a file, or another host.
 *
 * An image says what a graph holds in terms that every host has (`rs_item` in host.h): identity,
 * sharing and cycles are kept. It can be read in place (`rs_image_…` in inline.h), sent anywhere on
 * this machine, and made into objects of any host.
 *
 * Generated from src/ffi/graph.rs by cbindgen: change it there, then run `make headers`.
 */

#ifndef VMSHARE_GRAPH_H
#define VMSHARE_GRAPH_H

#include <stddef.h>
#include <stdint.h>
#include "vmshare/vm.h"

// Every level of a graph.
#define RS_WHOLE 9223372036854775807

// How much of a graph goes into an image. What does not is referred to, as an opaque value.
typedef struct rs_limits {
    // Most levels below the root, counted on the shortest way: at 0 the root alone, and what it
    // holds that has no elements. `RS_WHOLE` for all.
    uint64_t depth;
    // Most bytes of the image, about: 0 for no limit.
    uint64_t bytes;
} rs_limits;

// A graph in one piece of memory; an id that is never used twice.
typedef uint64_t rs_image;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

// Encodes the graph of a value. Nothing of the graph may change meanwhile: the ractor that calls
// owns it, or it is shareable.
//
// Owns: the caller gets `*image`, and frees it. `limits` may be NULL: the whole graph.
// Threads: the ractor's. Blocks: no. Allocates: 8 to 10 bytes for each word of the image.
// Cost: O(objects + references): some tens of nanoseconds an object. Does not recurse.
// Returns: RS_OK; RS_ERR_UNSUPPORTED (the host has no `read_items`), RS_ERR_LIMIT (a string of
// 2^40 bytes), RS_ERR_MEMORY, what a callback returned, RS_ERR_HOST, RS_ERR_ARGUMENT,
// RS_ERR_CLOSED, RS_ERR_FOREIGN, RS_ERR_THREAD, RS_ERR_REENTRANT, RS_ERR_FORKED, RS_ERR_POISONED.
// Since: 0.1
rs_status rs_image_encode(rs_vm *vm,
                          rs_ractor ractor,
                          rs_value root,
                          const struct rs_limits *limits,
                          rs_image *image);

// Takes in an image from elsewhere: copies it, and validates the copy, so that whoever wrote it may
// go on writing.
//
// Owns: the caller gets `*image`, and frees it; borrows `words` for the call.
// Threads: any. Blocks: no. Allocates: the size of the image, and an eighth of it for the call.
// Cost: O(words).
// Returns: RS_OK; RS_ERR_IMAGE; RS_ERR_MEMORY, RS_ERR_ARGUMENT, RS_ERR_CLOSED, RS_ERR_FOREIGN,
// RS_ERR_REENTRANT, RS_ERR_FORKED, RS_ERR_POISONED. Since: 0.1
rs_status rs_image_read(rs_vm *vm, const uint64_t *words, size_t count, rs_image *image);

// Makes the graph of an image in the host's heap.
//
// `opaques` has `opaques_count` values: those that stand for what the image refers to; for an image
// that was encoded here, NULL stands for the values themselves.
//
// Owns: `*root` is the caller's to keep alive. Threads: the ractor's. Blocks: no.
// Allocates: a word for each word of the image, for the call; objects through `make_items`.
// Cost: O(words). Does not recurse.
// Returns: RS_OK; RS_ERR_IMAGE (too few opaque values), RS_ERR_UNSUPPORTED (the host has no
// `make_items`), RS_ERR_MEMORY, what a callback returned, RS_ERR_HOST, RS_ERR_ARGUMENT,
// RS_ERR_CLOSED, RS_ERR_FOREIGN, RS_ERR_THREAD, RS_ERR_REENTRANT, RS_ERR_FORKED, RS_ERR_POISONED.
// Since: 0.1
rs_status rs_image_decode(rs_vm *vm,
                          rs_ractor ractor,
                          rs_image image,
                          const rs_value *opaques,
                          size_t opaques_count,
                          rs_value *root);

// The words of an image: for inline.h, to be sent, or to be written to a file. They stay where
// they are, and as they are, until the image is freed.
//
// Owns: the image owns them. Threads: any. Blocks: no. Allocates: no.
// Returns: RS_OK; RS_ERR_ARGUMENT, RS_ERR_CLOSED, RS_ERR_FOREIGN, RS_ERR_REENTRANT, RS_ERR_FORKED,
// RS_ERR_POISONED. Since: 0.1
rs_status rs_image_words(rs_vm *vm, rs_image image, const uint64_t **words, size_t *count);

// The values that an image of this host refers to, in the order of their numbers. A collector keeps
// them alive, and updates them in their place, until the image is freed.
//
// Owns: the image owns them. Threads: any. Blocks: no. Allocates: no.
// Returns: RS_OK; RS_ERR_ARGUMENT, RS_ERR_CLOSED, RS_ERR_FOREIGN, RS_ERR_REENTRANT, RS_ERR_FORKED,
// RS_ERR_POISONED. Since: 0.1
rs_status rs_image_opaques(rs_vm *vm, rs_image image, const rs_value **values, size_t *count);

// Frees an image. Calls that read it in other threads come to their end first.
//
// Threads: any. Blocks: no. Allocates: no.
// Returns: RS_OK; RS_ERR_ARGUMENT, RS_ERR_CLOSED, RS_ERR_FOREIGN, RS_ERR_REENTRANT, RS_ERR_FORKED,
// RS_ERR_POISONED. Since: 0.1
rs_status rs_image_free(rs_vm *vm, rs_image image);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* VMSHARE_GRAPH_H */
