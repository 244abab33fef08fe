/*
 * inline.h: the fast paths, on the host's own flag word or on the side table; and the few
 * initialisers that C can't express as data. Static inline functions: nothing is linked.
 *
 * The two tests that a VM puts before its writes and its reads of constants:
 *
 *     static inline rs_status check(Object *object)            before a write
 *     {
 *         return rs_must_check(object->flags, FROZEN | AUTOSHARE | PENDING)
 *                    ? rs_check_frozen(vm, ractor, (rs_value)object)
 *                    : RS_OK;
 *     }
 *
 *     static inline rs_status access(rs_slot slot, Object *object)      a constant was read
 *     {
 *         return rs_is_shareable(rs_load_flags_32(&object->flags), SHAREABLE, PENDING)
 *                    ? RS_OK
 *                    : rs_ractor_access(vm, ractor, slot, (rs_value)object);
 *     }
 *
 * With constant masks the first compiles to what `object->flags & FROZEN` compiled to before: one
 * load, one test, one branch.
 */

#ifndef VMSHARE_INLINE_H
#define VMSHARE_INLINE_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "vmshare/host.h"
#include "vmshare/link.h"
#include "vmshare/remote.h"
#include "vmshare/vm.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What a compiler should lay out as the way that is rarely gone. */
#if defined(__GNUC__)
#define RS_UNLIKELY(condition) __builtin_expect(condition, 0)
#else
#define RS_UNLIKELY(condition) (condition)
#endif

/* A host struct with every default, `size` and `abi` filled in. */
static inline rs_host rs_host_init(void)
{
    rs_host host;
    memset(&host, 0, sizeof host);
    host.size = (uint32_t)sizeof host;
    host.abi = RS_ABI;
    return host;
}

/* `rs_host host = RS_HOST_INIT;` */
#define RS_HOST_INIT rs_host_init()

/* A report to be filled in: `rs_report report = RS_REPORT_INIT;` */
static inline rs_report rs_report_init(void)
{
    rs_report report;
    memset(&report, 0, sizeof report);
    report.size = (uint32_t)sizeof report;
    return report;
}

#define RS_REPORT_INIT rs_report_init()

/* Statistics to be filled in: `rs_statistics statistics = RS_STATISTICS_INIT;` */
static inline rs_statistics rs_statistics_init(void)
{
    rs_statistics statistics;
    memset(&statistics, 0, sizeof statistics);
    statistics.size = (uint32_t)sizeof statistics;
    return statistics;
}

#define RS_STATISTICS_INIT rs_statistics_init()

/* All four flags are bits of the word of `width` bits at `offset`. */
static inline rs_flags rs_flags_in_header(size_t offset, unsigned width, uint64_t frozen,
                                          uint64_t shareable, uint64_t autoshare, uint64_t pending)
{
    rs_flags flags;
    memset(&flags, 0, sizeof flags);
    flags.placement = RS_FLAGS_IN_HEADER;
    flags.offset = (uint16_t)offset;
    flags.width = (uint8_t)width;
    flags.frozen = frozen;
    flags.shareable = shareable;
    flags.autoshare = autoshare;
    flags.pending = pending;
    return flags;
}

/* The library keeps the flags of objects that begin at least 2^granule bytes apart, from
 * heap_start on. */
static inline rs_flags rs_flags_in_side_table(unsigned granule, rs_value heap_start,
                                              size_t heap_size)
{
    rs_flags flags;
    memset(&flags, 0, sizeof flags);
    flags.placement = RS_FLAGS_IN_SIDE_TABLE;
    flags.granule = (uint8_t)granule;
    flags.heap_start = heap_start;
    flags.heap_size = heap_size;
    return flags;
}

/* FROZEN, SHAREABLE and AUTOSHARE are bits of the header which their owner writes plainly; the
 * library keeps the rest. */
static inline rs_flags rs_flags_split(size_t offset, unsigned width, uint64_t frozen,
                                      uint64_t shareable, uint64_t autoshare, unsigned granule,
                                      rs_value heap_start, size_t heap_size)
{
    rs_flags flags = rs_flags_in_side_table(granule, heap_start, heap_size);
    flags.placement = RS_FLAGS_SPLIT;
    flags.offset = (uint16_t)offset;
    flags.width = (uint8_t)width;
    flags.frozen = frozen;
    flags.shareable = shareable;
    flags.autoshare = autoshare;
    return flags;
}

/* Before a write: must `rs_check_frozen` be asked? `mask` is FROZEN | AUTOSHARE | PENDING with
 * flags in the header, FROZEN | AUTOSHARE with split flags. */
static inline int rs_must_check(uint64_t flags, uint64_t mask)
{
    return (flags & mask) != 0;
}

/* After a read of a slot: is the object shareable, with no question to ask? `flags` must have been
 * loaded by `rs_load_flags_…`. With split flags ask the side table instead. */
static inline int rs_is_shareable(uint64_t flags, uint64_t shareable, uint64_t pending)
{
    return (flags & (shareable | pending)) == shareable;
}

#if defined(__GNUC__) || defined(__clang__)
#define RS_LOAD_ACQUIRE(place) __atomic_load_n((place), __ATOMIC_ACQUIRE)
#define RS_LOAD_RELAXED(place) __atomic_load_n((place), __ATOMIC_RELAXED)
#else
/* Compilers for which a volatile load is at least an acquire (MSVC on x86-64). */
#define RS_LOAD_ACQUIRE(place) (*(place))
#define RS_LOAD_RELAXED(place) (*(place))
#endif

/* Load a flag word so that what its last writer did is visible. */
static inline uint64_t rs_load_flags_8(const volatile uint8_t *flags)
{
    return RS_LOAD_ACQUIRE(flags);
}
static inline uint64_t rs_load_flags_16(const volatile uint16_t *flags)
{
    return RS_LOAD_ACQUIRE(flags);
}
static inline uint64_t rs_load_flags_32(const volatile uint32_t *flags)
{
    return RS_LOAD_ACQUIRE(flags);
}
static inline uint64_t rs_load_flags_64(const volatile uint64_t *flags)
{
    return RS_LOAD_ACQUIRE(flags);
}

/* Before a write, with flags in the side table: must `rs_check_frozen` be asked? The object lies in
 * the table's range. Two loads if `table` is not in registers already. */
static inline int rs_side_must_check(const rs_side_table *table, rs_value address)
{
    const volatile uint8_t *flags =
        (const volatile uint8_t *)((uintptr_t)table->bytes + (address >> table->granule));
    return (RS_LOAD_RELAXED(flags) & (RS_SIDE_FROZEN | RS_SIDE_AUTOSHARE | RS_SIDE_PENDING)) != 0;
}

/* After a read of a slot, with flags in the side table or split: is the object shareable, with no
 * question to ask? The object lies in the table's range. */
static inline int rs_side_is_shareable(const rs_side_table *table, rs_value address)
{
    const volatile uint8_t *flags =
        (const volatile uint8_t *)((uintptr_t)table->bytes + (address >> table->granule));
    return (RS_LOAD_ACQUIRE(flags) & (RS_SIDE_SHAREABLE | RS_SIDE_PENDING)) == RS_SIDE_SHAREABLE;
}

/* Offers a child to the walk, from a `children` callback. Returns nonzero while there is room for
 * another; at 0 the host stores in `visitor->cursor` where to go on, and returns RS_MORE unless
 * this was the last child. */
static inline int rs_visit(rs_visitor *visitor, rs_value child)
{
    if (visitor->next == visitor->limit) {
        visitor->dropped++;
        return 0;
    }
    *visitor->next++ = child;
    return visitor->next != visitor->limit;
}

/* OPERATIONS ON REMOTE OBJECTS (remote.h)
 *
 * Each asks the owner and waits for the answer, by rs_remote_request, whose errors it returns. */

/* An operation of this code, with nothing filled in. */
static inline rs_operation rs_operation_init(uint32_t code)
{
    rs_operation operation;
    memset(&operation, 0, sizeof operation);
    operation.code = code;
    return operation;
}

/* The value of a variable of the peer. */
static inline rs_status rs_remote_variable(rs_vm *vm, rs_link link, const char *name,
                                           rs_value *value)
{
    rs_operation operation = rs_operation_init(RS_READ_VARIABLE);
    operation.name = name;
    operation.name_length = strlen(name);
    return rs_remote_request(vm, link, RS_NO_REMOTE, &operation, value);
}

/* An element: RS_CAR, RS_CDR, or its number in a vector or record. */
static inline rs_status rs_remote_get(rs_vm *vm, rs_link link, rs_remote remote, uint64_t index,
                                      rs_value *value)
{
    rs_operation operation = rs_operation_init(RS_READ_ELEMENT);
    operation.index = index;
    return rs_remote_request(vm, link, remote, &operation, value);
}

/* Sets an element. */
static inline rs_status rs_remote_set(rs_vm *vm, rs_link link, rs_remote remote, uint64_t index,
                                      rs_value item)
{
    rs_value nothing;
    rs_operation operation = rs_operation_init(RS_WRITE_ELEMENT);
    operation.index = index;
    operation.arguments = &item;
    operation.arguments_count = 1;
    return rs_remote_request(vm, link, remote, &operation, &nothing);
}

/* How many elements, pairs or bytes. */
static inline rs_status rs_remote_length(rs_vm *vm, rs_link link, rs_remote remote,
                                         rs_value *length)
{
    rs_operation operation = rs_operation_init(RS_READ_LENGTH);
    return rs_remote_request(vm, link, remote, &operation, length);
}

/* A text for people, of at most so many bytes. */
static inline rs_status rs_remote_print(rs_vm *vm, rs_link link, rs_remote remote, uint64_t bytes,
                                        rs_value *text)
{
    rs_operation operation = rs_operation_init(RS_PRINT);
    operation.index = bytes;
    return rs_remote_request(vm, link, remote, &operation, text);
}

/* Calls a function of the peer: the one that `remote` is. */
static inline rs_status rs_remote_call(rs_vm *vm, rs_link link, rs_remote remote,
                                       const rs_value *arguments, size_t count, rs_value *result)
{
    rs_operation operation = rs_operation_init(RS_CALL);
    operation.arguments = arguments;
    operation.arguments_count = count;
    return rs_remote_request(vm, link, remote, &operation, result);
}

/* READING AN IMAGE IN PLACE (graph.h)
 *
 * `image` is what rs_image_words gave: valid, and no longer written by anybody. A value in it is a
 * word: what it is says rs_image_kind, and then one of the functions below what it holds. Asked for
 * what a word is not, or for an element that is not there, they answer 0 or NULL. */

/* The root of the graph. */
static inline uint64_t rs_image_root(const uint64_t *image)
{
    return image[2];
}

/* The head of the node that a word refers to; 0 if it refers to none. */
static inline uint64_t rs_image_head(const uint64_t *image, uint64_t word)
{
    return (word & 7) == 0 ? image[word >> 3] : 0;
}

/* What a value is: RS_ITEM_…. */
static inline uint32_t rs_image_kind(const uint64_t *image, uint64_t word)
{
    switch (word & 7) {
    case 0:
        return (uint32_t)(image[word >> 3] & 0xff);
    case 1:
        return RS_ITEM_INTEGER;
    case 2:
        return (uint32_t)(word >> 3);
    default:
        return RS_ITEM_OPAQUE;
    }
}

/* How many bytes, elements or pairs it has. */
static inline uint64_t rs_image_count(const uint64_t *image, uint64_t word)
{
    return rs_image_head(image, word) >> 24;
}

/* The flags of its item. */
static inline uint32_t rs_image_flags(const uint64_t *image, uint64_t word)
{
    return (uint32_t)(rs_image_head(image, word) >> 8) & 0xffff;
}

/* An element of a cons, a vector or a record; of a map, key and value in turn. */
static inline uint64_t rs_image_element(const uint64_t *image, uint64_t word, uint64_t index)
{
    if (RS_UNLIKELY((word & 7) != 0)) {
        return 0;
    }
    /* The word of a node is where it begins, in bytes. */
    const uint64_t *node = (const uint64_t *)((const char *)image + word);
    uint8_t kind = (uint8_t)*node;
    uint64_t count = *node >> 24;
    if (RS_UNLIKELY(kind < RS_ITEM_CONS || index >= count)) {
        return kind == RS_ITEM_MAP && index < 2 * count ? node[1 + index] : 0;
    }
    return node[1 + index];
}

/* An integer, if it has at most 64 bits. */
static inline int64_t rs_image_integer(const uint64_t *image, uint64_t word)
{
    if (RS_UNLIKELY((word & 7) != 1)) {
        uint8_t kind = (uint8_t)rs_image_head(image, word);
        return kind == RS_ITEM_INTEGER ? (int64_t)image[(word >> 3) + 1] : 0;
    }
    return (int64_t)word >> 3;
}

/* A floating-point number. */
static inline double rs_image_float(const uint64_t *image, uint64_t word)
{
    double number = 0;
    if (rs_image_kind(image, word) == RS_ITEM_FLOAT) {
        memcpy(&number, &image[(word >> 3) + 1], sizeof number);
    }
    return number;
}

/* The bytes of a string, of the name of a symbol, or of a big integer: rs_image_count of them, and
 * no NUL behind. */
static inline const char *rs_image_bytes(const uint64_t *image, uint64_t word)
{
    uint32_t kind = rs_image_kind(image, word);
    int has_bytes = (word & 7) == 0 && kind >= RS_ITEM_BIG_INTEGER && kind <= RS_ITEM_STRING &&
                    kind != RS_ITEM_FLOAT;
    return has_bytes ? (const char *)&image[(word >> 3) + 1] : NULL;
}

/* The name of a record's type: a symbol. */
static inline uint64_t rs_image_type(const uint64_t *image, uint64_t word)
{
    uint64_t head = rs_image_head(image, word);
    return (head & 0xff) == RS_ITEM_RECORD ? image[(word >> 3) + 1 + (head >> 24)] : 0;
}

/* The number of an opaque value, in the list that rs_image_opaques gives. */
static inline uint64_t rs_image_opaque(uint64_t word)
{
    return word >> 3;
}

#ifdef __cplusplus
}
#endif

#endif /* VMSHARE_INLINE_H */
