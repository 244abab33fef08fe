/*
 * host.h: the benchmark heap as an embedding VM: one vm of the library over one heap, with its
 * flags in one of the three places, and its objects described by layouts or by callbacks.
 */

#ifndef BENCH_HOST_H
#define BENCH_HOST_H

#include "heap.h"

#include <vmshare.h>

enum Description {
    BY_LAYOUTS,
    BY_CALLBACKS,
};

typedef struct Host {
    Heap *heap;
    uint32_t placement; /* RS_FLAGS_… */
    enum Description description;
    rs_host contract; /* what rs_vm_new gets; callbacks may be added before host_open */
    rs_layout layouts[TYPES];
    rs_vm *vm;
    rs_ractor main;
    rs_ractor reader;
    rs_slot slot;
    rs_side_table side; /* unless in the header */
    void *user;         /* for callbacks that a program adds */
} Host;

/* Reads "header", "side", "split"; "layouts", "callbacks". Ends the program at anything else. */
uint32_t placement_named(const char *name);
enum Description description_named(const char *name);

/* Fills in the contract. */
void host_describe(Host *host, Heap *heap, uint32_t placement, enum Description description);
/* Before host_open: `commit` is called for each object that becomes shareable. */
void host_want_commits(Host *host, rs_object_fn commit);
/* Makes the vm, and a slot. */
void host_open(Host *host);
/* Makes the ractor that reads: from now on graphs are marked when they are assigned. */
void host_add_reader(Host *host);
void host_close(Host *host);

/* All objects become ordinary again, in the header and in the side table. */
void host_clear_flags(Host *host);

/* Calls that must succeed: any other status ends the program. */
void host_mark(Host *host);
void host_access(Host *host);
rs_statistics host_statistics(const Host *host);

/* Ends the program unless a call returned what it had to. */
void expect_status(rs_status status, rs_status expected, const char *call);

/* Whether the library must be asked before main writes the object. */
static inline bool host_must_check(const Host *host, const Object *object)
{
    switch (host->placement) {
    case RS_FLAGS_IN_HEADER:
        return rs_must_check(object->flags, FROZEN | AUTOSHARE | PENDING);
    case RS_FLAGS_SPLIT:
        return rs_must_check(object->flags, FROZEN | AUTOSHARE);
    default:
        return rs_side_must_check(&host->side, (rs_value)object);
    }
}

#endif /* BENCH_HOST_H */
