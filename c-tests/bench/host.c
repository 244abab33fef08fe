/* host.c: the contract of the benchmark heap. */

#include "host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const rs_layout layouts[TYPES] = {
    [CONS] = {.share = RS_SHARE_YES,
              .elements = RS_ELEMENTS_NONE,
              .fields_offset = offsetof(Object, as),
              .fields_count = 2,
              .name = "cons"},
    [RECORD] = {.share = RS_SHARE_YES,
                .elements = RS_ELEMENTS_NONE,
                .fields_offset = offsetof(Object, as),
                .fields_count = RECORD_FIELDS,
                .name = "record"},
    [VECTOR] = {.share = RS_SHARE_YES,
                .elements = RS_ELEMENTS_INDIRECT,
                .length_width = 64,
                .length_offset = offsetof(Object, as.vector.length),
                .elements_offset = offsetof(Object, as.vector.elements),
                .name = "vector"},
    [FLOAT] = {.share = RS_SHARE_YES, .elements = RS_ELEMENTS_NONE, .name = "float"},
    [STRING] = {.share = RS_SHARE_YES, .elements = RS_ELEMENTS_NONE, .name = "string"},
};

static uint32_t can_share(void *ctx, rs_value object)
{
    (void)ctx;
    (void)object;
    return RS_SHARE_YES;
}

static rs_status visit_elements(rs_visitor *visitor, const Object *vector)
{
    uint64_t length = vector->as.vector.length;
    for (uint64_t index = visitor->cursor; index < length; index++) {
        if (!rs_visit(visitor, vector->as.vector.elements[index]) && index + 1 < length) {
            visitor->cursor = index + 1;
            return RS_MORE;
        }
    }
    return RS_OK;
}

static rs_status children(void *ctx, rs_value value, rs_visitor *visitor)
{
    const Object *object = as_object(value);
    (void)ctx;
    switch (object->type) {
    case CONS:
        rs_visit(visitor, object->as.fields[0]);
        rs_visit(visitor, object->as.fields[1]);
        return RS_OK;
    case RECORD:
        rs_visit(visitor, object->as.fields[0]);
        rs_visit(visitor, object->as.fields[1]);
        rs_visit(visitor, object->as.fields[2]);
        return RS_OK;
    case VECTOR:
        return visit_elements(visitor, object);
    default:
        return RS_OK;
    }
}

void expect_status(rs_status status, rs_status expected, const char *call)
{
    if (status != expected) {
        fprintf(stderr, "%s: %s instead of %s\n", call, rs_status_name(status),
                rs_status_name(expected));
        exit(1);
    }
}

static void fail_on_name(const char *what, const char *name)
{
    fprintf(stderr, "unknown %s: %s\n", what, name);
    exit(2);
}

uint32_t placement_named(const char *name)
{
    if (strcmp(name, "header") == 0)
        return RS_FLAGS_IN_HEADER;
    if (strcmp(name, "side") == 0)
        return RS_FLAGS_IN_SIDE_TABLE;
    if (strcmp(name, "split") != 0)
        fail_on_name("placement", name);
    return RS_FLAGS_SPLIT;
}

enum Description description_named(const char *name)
{
    if (strcmp(name, "layouts") == 0)
        return BY_LAYOUTS;
    if (strcmp(name, "callbacks") != 0)
        fail_on_name("description", name);
    return BY_CALLBACKS;
}

static rs_flags place_flags(const Heap *heap, uint32_t placement)
{
    rs_value start = (rs_value)heap->slots;
    size_t size = heap->capacity * sizeof(Object);
    switch (placement) {
    case RS_FLAGS_IN_HEADER: {
        rs_flags flags =
            rs_flags_in_header(offsetof(Object, flags), 32, FROZEN, SHAREABLE, AUTOSHARE, PENDING);
        /* For the marks that RS_MARK_ON_ASSIGN keeps in a table until there is a ractor. */
        flags.granule = SLOT_SHIFT;
        flags.heap_start = start;
        flags.heap_size = size;
        return flags;
    }
    case RS_FLAGS_SPLIT:
        return rs_flags_split(offsetof(Object, flags), 32, FROZEN, SHAREABLE, AUTOSHARE, SLOT_SHIFT,
                              start, size);
    default:
        return rs_flags_in_side_table(SLOT_SHIFT, start, size);
    }
}

void host_describe(Host *host, Heap *heap, uint32_t placement, enum Description description)
{
    memset(host, 0, sizeof *host);
    host->heap = heap;
    host->placement = placement;
    host->description = description;
    host->contract = RS_HOST_INIT;
    host->contract.ctx = host;
    host->contract.flags = place_flags(heap, placement);
    host->contract.pointers =
        (rs_pointers){.tags = RS_POINTERS_ALIGNED_8, .tag_mask = 0, .lowest = 8};
    host->contract.type_tag = (rs_type_tag){
        .width = 32, .shift = 0, .offset = offsetof(Object, type), .mask = UINT32_MAX};
    if (description == BY_LAYOUTS) {
        memcpy(host->layouts, layouts, sizeof layouts);
        host->contract.layouts = host->layouts;
        host->contract.layouts_count = TYPES;
    } else {
        host->contract.can_share = can_share;
        host->contract.children = children;
    }
}

void host_want_commits(Host *host, rs_object_fn commit)
{
    host->contract.commit = commit;
    for (int type = 0; type < TYPES; type++)
        host->layouts[type].commit = 1;
}

void host_open(Host *host)
{
    expect_status(rs_vm_new(&host->contract, &host->vm, &host->main), RS_OK, "rs_vm_new");
    expect_status(rs_slot_new(host->vm, RS_SLOT_CONSTANT, "GRAPH", NULL, &host->slot), RS_OK,
                  "rs_slot_new");
    if (host->placement != RS_FLAGS_IN_HEADER)
        expect_status(rs_vm_side_table(host->vm, &host->side), RS_OK, "rs_vm_side_table");
}

void host_add_reader(Host *host)
{
    expect_status(rs_ractor_new(host->vm, "reader", &host->reader), RS_OK, "rs_ractor_new");
}

void host_close(Host *host)
{
    expect_status(rs_vm_free(host->vm), RS_OK, "rs_vm_free");
}

void host_clear_flags(Host *host)
{
    heap_clear_flags(host->heap);
    if (host->side.bytes) {
        uint8_t *first = (uint8_t *)((uintptr_t)host->side.bytes +
                                     ((uintptr_t)host->heap->slots >> host->side.granule));
        memset(first, 0, host->heap->capacity);
    }
}

void host_mark(Host *host)
{
    expect_status(rs_autoshare_mark(host->vm, host->slot, host->heap->root), RS_OK,
                  "rs_autoshare_mark");
}

void host_access(Host *host)
{
    expect_status(rs_ractor_access(host->vm, host->reader, host->slot, host->heap->root), RS_OK,
                  "rs_ractor_access");
}

rs_statistics host_statistics(const Host *host)
{
    rs_statistics statistics = RS_STATISTICS_INIT;
    expect_status(rs_vm_statistics(host->vm, &statistics), RS_OK, "rs_vm_statistics");
    return statistics;
}
