#include "remote_host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static RemoteObject *object_of(rs_value value)
{
    return (RemoteObject *)value;
}

static int is_object(rs_value value)
{
    return (value & 15) == 0;
}

RemoteObject *remote_make(RemoteHost *host, RemoteKind kind, uint64_t length)
{
    size_t payload = kind == REMOTE_STRING ? length : kind == REMOTE_STUB ? 0 : 8 * length;
    size_t size = (sizeof(RemoteObject) + payload + 15) & ~(size_t)15;
    if (host->used + size > host->room) {
        fprintf(stderr, "the heap of the benchmark is full\n");
        exit(1);
    }
    RemoteObject *object = (RemoteObject *)(host->memory + host->used);
    host->used += size;
    object->kind = kind;
    object->flags = 0;
    object->length = length;
    object->epoch = 0;
    return object;
}

void remote_host_forget(RemoteHost *host, size_t used)
{
    host->used = used;
}

void remote_host_renew(RemoteHost *host, size_t used)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t kept = (used + page - 1) / page * page;
    if (host->used > kept && madvise(host->memory + kept, host->used - kept, MADV_DONTNEED) != 0) {
        perror("madvise");
        exit(1);
    }
    host->used = used;
}

/* === graphs === */

rs_value remote_cons(RemoteHost *host, rs_value first, rs_value second)
{
    RemoteObject *object = remote_make(host, REMOTE_CONS, 2);
    object->elements[0] = first;
    object->elements[1] = second;
    return (rs_value)object;
}

rs_value remote_graph(RemoteHost *host, size_t objects)
{
    rs_value list = REMOTE_NIL;
    rs_value shared = remote_cons(host, remote_integer(1), REMOTE_NIL);
    for (size_t made = 0; made < objects; made += 11) {
        RemoteObject *vector = remote_make(host, REMOTE_VECTOR, 10);
        for (size_t index = 0; index < 10; index++) {
            vector->elements[index] = index == 9 ? shared : REMOTE_NIL;
        }
        for (size_t index = 0; index < 6; index++) {
            vector->elements[index] =
                remote_cons(host, remote_integer((int64_t)made), (rs_value)vector);
        }
        for (size_t index = 6; index < 9; index++) {
            RemoteObject *string = remote_make(host, REMOTE_STRING, 20);
            memset(string->elements, 'x', 20);
            vector->elements[index] = (rs_value)string;
        }
        list = remote_cons(host, (rs_value)vector, list);
    }
    return list;
}

static RemoteObject *copy_of(RemoteHost *host, RemoteObject *object, uint64_t epoch)
{
    if (object->epoch == epoch) {
        return object->copy;
    }
    RemoteObject *copy = remote_make(host, object->kind, object->length);
    size_t payload = object->kind == REMOTE_STRING ? object->length : 8 * object->length;
    memcpy(copy->elements, object->elements, payload);
    object->epoch = epoch;
    object->copy = copy;
    return copy;
}

/* Copies are their own queue: they lie one behind the other. */
size_t remote_rebuild(RemoteHost *host, rs_value root, rs_value *copy)
{
    static uint64_t epoch;
    epoch++;
    size_t scan = host->used;
    size_t objects = 0;
    *copy = (rs_value)copy_of(host, object_of(root), epoch);
    while (scan < host->used) {
        RemoteObject *object = (RemoteObject *)(host->memory + scan);
        size_t payload = object->kind == REMOTE_STRING ? object->length : 8 * object->length;
        for (uint64_t index = 0; object->kind != REMOTE_STRING && index < object->length; index++) {
            rs_value element = object->elements[index];
            if (is_object(element)) {
                object->elements[index] = (rs_value)copy_of(host, object_of(element), epoch);
            }
        }
        scan += (sizeof(RemoteObject) + payload + 15) & ~(size_t)15;
        objects++;
    }
    return objects;
}

/* === the contract === */

static rs_item item_of(rs_value value)
{
    rs_item item;
    memset(&item, 0, sizeof item);
    if (!is_object(value)) {
        item.kind = value == REMOTE_NIL ? RS_ITEM_NIL : RS_ITEM_INTEGER;
        item.content.integer = (int64_t)value >> 1;
        return item;
    }
    static const uint32_t kinds[] = {RS_ITEM_CONS, RS_ITEM_VECTOR, RS_ITEM_STRING, RS_ITEM_REMOTE};
    const RemoteObject *object = object_of(value);
    item.kind = kinds[object->kind];
    item.count = object->kind == REMOTE_STUB ? 0 : object->length;
    if (object->kind == REMOTE_STUB) {
        item.content.integer = (int64_t)object->length;
    } else if (object->kind == REMOTE_STRING) {
        item.content.bytes = object->elements;
    } else {
        item.content.elements = object->elements;
    }
    return item;
}

static rs_status read_items(void *ctx, const rs_value *values, size_t count, rs_item *items)
{
    (void)ctx;
    for (size_t index = 0; index < count; index++) {
        items[index] = item_of(values[index]);
    }
    return RS_OK;
}

static rs_status make_items(void *ctx, const rs_item *items, size_t count, rs_value *values)
{
    for (size_t index = 0; index < count; index++) {
        const rs_item *item = &items[index];
        RemoteKind kind = item->kind == RS_ITEM_CONS     ? REMOTE_CONS
                          : item->kind == RS_ITEM_VECTOR ? REMOTE_VECTOR
                                                         : REMOTE_STRING;
        RemoteObject *object = remote_make(ctx, kind, item->count);
        if (kind == REMOTE_STRING) {
            memcpy(object->elements, item->content.bytes, item->count);
        }
        values[index] = (rs_value)object;
    }
    return RS_OK;
}

static rs_status set_elements(void *ctx, rs_value object, uint64_t from, size_t count,
                              const rs_value *elements)
{
    (void)ctx;
    memcpy(object_of(object)->elements + from, elements, count * sizeof *elements);
    return RS_OK;
}

static rs_status make_remote(void *ctx, rs_link link, rs_remote remote, const rs_item *item,
                             rs_value *value)
{
    (void)link;
    (void)item;
    *value = (rs_value)remote_make(ctx, REMOTE_STUB, remote);
    return RS_OK;
}

rs_status remote_operate(void *ctx, rs_link link, rs_value target, const rs_operation *operation,
                         rs_value *result)
{
    (void)ctx;
    (void)link;
    if (operation->code != RS_READ_ELEMENT || !is_object(target) ||
        object_of(target)->kind > REMOTE_VECTOR || operation->index >= object_of(target)->length) {
        return RS_ERR_UNSUPPORTED;
    }
    *result = object_of(target)->elements[operation->index];
    return RS_OK;
}

static void *allocate(void *ctx, size_t size)
{
    RemoteHost *host = ctx;
    host->held += size;
    return aligned_alloc(16, (size + 15) & ~(size_t)15);
}

static void release(void *ctx, void *memory, size_t size)
{
    RemoteHost *host = ctx;
    host->held -= size;
    free(memory);
}

static void open_with(RemoteHost *host, size_t room, rs_host contract)
{
    memset(host, 0, sizeof *host);
    host->room = room;
    host->memory = mmap(NULL, room, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (host->memory == MAP_FAILED) {
        perror("mmap");
        exit(1);
    }
    contract.ctx = host;
    contract.flags = rs_flags_in_header(offsetof(RemoteObject, flags), 32, 1, 2, 4, 8);
    contract.pointers = (rs_pointers){1u | 1u << 16, 0, 4096};
    contract.immediates = (rs_immediates){.integer_shift = 1,
                                          .integer_bits = 61,
                                          .has_constants = 1,
                                          .integer_tag = 1,
                                          .nil = REMOTE_NIL,
                                          .false_value = REMOTE_NIL,
                                          .true_value = remote_integer(1)};
    contract.read_items = read_items;
    contract.make_items = make_items;
    contract.set_elements = set_elements;
    contract.make_remote = make_remote;
    contract.operate = remote_operate;
    rs_status status = rs_vm_new(&contract, &host->vm, &host->main);
    if (status != RS_OK) {
        fprintf(stderr, "rs_vm_new: %s\n", rs_status_text(status));
        exit(1);
    }
}

void remote_host_open(RemoteHost *host, size_t room)
{
    rs_host contract = RS_HOST_INIT;
    open_with(host, room, contract);
}

void remote_host_open_counting(RemoteHost *host, size_t room)
{
    rs_host contract = RS_HOST_INIT;
    contract.allocate = allocate;
    contract.release = release;
    open_with(host, room, contract);
}

void remote_host_close(RemoteHost *host)
{
    rs_vm_free(host->vm);
    munmap(host->memory, host->room);
}
