/*
 * remote_host.h: a host with conses, vectors and strings, which it never frees, for the benchmarks
 * of links and images.
 */

#ifndef BENCH_REMOTE_HOST_H
#define BENCH_REMOTE_HOST_H

#include <stddef.h>
#include <stdint.h>

#include "vmshare.h"

typedef enum RemoteKind { REMOTE_CONS, REMOTE_VECTOR, REMOTE_STRING, REMOTE_STUB } RemoteKind;

typedef struct RemoteObject {
    uint32_t kind;
    uint32_t flags;
    /* Elements, or bytes; of a stub: the rs_remote. */
    uint64_t length;
    /* For the rebuild in C: the copy that was made in this epoch. */
    uint64_t epoch;
    struct RemoteObject *copy;
    rs_value elements[];
} RemoteObject;

#define REMOTE_NIL ((rs_value)8)

typedef struct RemoteHost {
    rs_vm *vm;
    rs_ractor main;
    rs_link link;
    /* What it exports as "top". */
    rs_value top;
    char *memory;
    size_t used;
    size_t room;
    /* Bytes that the library holds, if they are counted. */
    size_t held;
} RemoteHost;

/* With so many bytes for objects. */
void remote_host_open(RemoteHost *host, size_t room);
/* The same, and counts the library's memory. */
void remote_host_open_counting(RemoteHost *host, size_t room);
void remote_host_close(RemoteHost *host);
/* Forgets all objects but those that were made first, up to so many bytes. The memory stays: what
 * is made next finds it warm. */
void remote_host_forget(RemoteHost *host, size_t used);
/* The same, and gives the memory back to the system: what is made next is the first to touch it. */
void remote_host_renew(RemoteHost *host, size_t used);

static inline rs_value remote_integer(int64_t integer)
{
    return (rs_value)(integer << 1) | 1;
}

RemoteObject *remote_make(RemoteHost *host, RemoteKind kind, uint64_t length);
rs_value remote_cons(RemoteHost *host, rs_value first, rs_value second);
/* A mixed graph of at least so many objects: a list of vectors of 10, each of 6 conses that refer
 * back to it, 3 strings of 20 bytes, and a cons that all share. */
rs_value remote_graph(RemoteHost *host, size_t objects);
/* The same graph once more, by a walk written for this host alone. Returns how many objects. */
size_t remote_rebuild(RemoteHost *host, rs_value root, rs_value *copy);

/* The host's `operate`: reads elements. */
rs_status remote_operate(void *ctx, rs_link link, rs_value target, const rs_operation *operation,
                         rs_value *result);

#endif /* BENCH_REMOTE_HOST_H */
