/*
 * host.h: the host contract. Data and callbacks only: what an embedding VM tells the library about
 * itself, once, and what it is told in return.
 *
 * Generated from src/ffi/host.rs by cbindgen: change it there, then run `make headers`.
 */

#ifndef VMSHARE_HOST_H
#define VMSHARE_HOST_H

#include <stddef.h>
#include <stdint.h>
#include "vmshare/status.h"

// No item: what `read_items` left out.
#define RS_ITEM_NONE 0

// Nothing; also false, in a host that has one object for both.
#define RS_ITEM_NIL 1

// False.
#define RS_ITEM_FALSE 2

// True.
#define RS_ITEM_TRUE 3

// An integer of 64 bits: `content.integer`.
#define RS_ITEM_INTEGER 4

// A larger integer: `count` bytes of its magnitude, the lowest first; `flags` is 1 if negative.
#define RS_ITEM_BIG_INTEGER 5

// A floating-point number of 64 bits, of which every bit counts: `content.number`.
#define RS_ITEM_FLOAT 6

// A symbol that is the same wherever its name is: `count` bytes.
#define RS_ITEM_SYMBOL 7

// A symbol that is only itself: `count` bytes of its name.
#define RS_ITEM_UNINTERNED_SYMBOL 8

// A string: `count` bytes, any; `flags` is the host's (an encoding).
#define RS_ITEM_STRING 9

// A pair: two elements.
#define RS_ITEM_CONS 10

// A sequence: `count` elements.
#define RS_ITEM_VECTOR 11

// A map: `count` pairs in order, as 2 * `count` elements, key and value in turn; `flags` says how
// keys are compared (`RS_MAP_…`, or the host's own above 15).
#define RS_ITEM_MAP 12

// An object of a named type: `count` elements, and the name of the type; `flags` is the host's.
#define RS_ITEM_RECORD 13

// Anything else: never copied, always referred to.
#define RS_ITEM_OPAQUE 14

// An object of a peer (remote.h): `content.integer` is the rs_remote that it stands for.
#define RS_ITEM_REMOTE 15

// In the flags of an item: the object never changes, so a copy is as good. Numbers and symbols are
// copied without it.
#define RS_ITEM_BY_VALUE (1 << 16)

// Keys are compared by what they hold.
#define RS_MAP_EQUAL 0

// Keys are compared by identity; numbers too, if the host says so of itself.
#define RS_MAP_IDENTITY 1

// Keys are compared by identity, numbers by their value.
#define RS_MAP_EQL 2

// Flags of an item that count: its low bits.
#define RS_ITEM_FLAGS 65535

// Read the value of the variable `name`. The target is none: what was exported under that name is read
// without `operate`.
#define RS_READ_VARIABLE 1

// Set the variable `name` to argument 0. The target is what was exported under that name, if anything.
#define RS_WRITE_VARIABLE 2

// Read element `index`: of a cons (`RS_CAR`, `RS_CDR`), a vector, a record.
#define RS_READ_ELEMENT 3

// Set element `index` to argument 0.
#define RS_WRITE_ELEMENT 4

// Read what a map holds under argument 0; argument 1 if nothing.
#define RS_READ_KEY 5

// Set what a map holds under argument 0 to argument 1.
#define RS_WRITE_KEY 6

// How many elements, pairs or bytes: an integer.
#define RS_READ_LENGTH 7

// A text for people, of at most `index` bytes: a string.
#define RS_PRINT 8

// Call the function that the target is, or that is called `name`, with the arguments.
#define RS_CALL 9

// Set element `index` to argument 1 if it is argument 0 (by identity); returns what was there.
#define RS_EXCHANGE_ELEMENT 10

// Whether the target and argument 0 are equal by what they hold: true or false.
#define RS_EQUAL 11

// Add argument 0 to the number that element `index` is; returns the sum. For counters: nothing is lost if
// two peers do it.
#define RS_ADD_ELEMENT 12

// First element of a cons.
#define RS_CAR 0

// Second element of a cons.
#define RS_CDR 1

// The peer may read what the reference leads to.
#define RS_CAN_READ 1

// The peer may write it.
#define RS_CAN_WRITE 2

// The peer may call it.
#define RS_CAN_CALL 4

// Everything.
#define RS_CAN_ALL 7

// Another request follows at once: the peer may be told of both together. It is told at the latest by
// the next request without this flag, or the next time that the link is served, waited for, or asked for an
// answer.
#define RS_REQUEST_MORE 1

// The peer may ask for any variable and function by name: `operate` decides. Otherwise it may name
// what `rs_link_export` has given it, and nothing else.
#define RS_LINK_OPEN 1

// Each pin remembers where the program stood when it was taken (`site`): for `rs_link_pins`.
#define RS_LINK_SITES 2

// Close: before that, the peer gets copies of everything of this process that it refers to, in the place of
// the references (its `replace_remote`).
#define RS_LINK_EVACUATE 1

// Close: before that, this process gets copies of everything of the peer that it refers to and may read, in
// the place of the references (`replace_remote`).
#define RS_LINK_FETCH 2

// The version of the contract that this header describes; goes into `rs_host.abi`.
#define RS_ABI 1

// All four flags are bits of a word in the object, changed by nobody with a plain
// read-modify-write while the object may be claimed.
#define RS_FLAGS_IN_HEADER 0

// All four flags are kept by the library, one byte for each granule of the host's heap.
#define RS_FLAGS_IN_SIDE_TABLE 1

// FROZEN, SHAREABLE and AUTOSHARE are bits of the object that only its owner writes, plainly;
// what other ractors must see and change stands in the side table. In the header AUTOSHARE says
// "ask the library before a write".
#define RS_FLAGS_SPLIT 2

// In the side table: the object must not change.
#define RS_SIDE_FROZEN 1

// In the side table: every ractor may read the object.
#define RS_SIDE_SHAREABLE 2

// In the side table: not yet decided, see autoshare.h.
#define RS_SIDE_AUTOSHARE 4

// In the side table: claimed by a walk.
#define RS_SIDE_PENDING 8

// `rs_pointers.tags` of a host in which every multiple of 8 (from `lowest` on) is an object.
#define RS_POINTERS_ALIGNED_8 16843009

// `rs_pointers.tags` of a host in which every multiple of 4 (from `lowest` on) is an object.
#define RS_POINTERS_ALIGNED_4 286331153

// The object can be shared as it is.
#define RS_SHARE_YES 0

// The object can never be shared (a file, a thread).
#define RS_SHARE_NO 1

// The object itself can't be shared, a copy of it could.
#define RS_SHARE_BY_COPY 2

// The object can be shared once `prepare` was called for it.
#define RS_SHARE_NEEDS_PREPARE 3

// The object is held for writing at this moment: later perhaps.
#define RS_SHARE_BUSY 4

// In a layout: ask `can_share`.
#define RS_SHARE_ASK 5

// Nothing besides the fixed fields.
#define RS_ELEMENTS_NONE 0

// Elements follow in the object itself, from `elements_offset` on.
#define RS_ELEMENTS_INLINE 1

// Elements lie behind a pointer which stands at `elements_offset`.
#define RS_ELEMENTS_INDIRECT 2

// Ask `children` for everything, fixed fields included.
#define RS_ELEMENTS_ASK 3

// Mark graphs when the first ractor besides main is made, and at assignment from then on.
#define RS_MARK_ON_FIRST_RACTOR 0

// Mark graphs when they are assigned; writes undo the mark only once ractors exist. Until then marks
// stand in a side table, also with flags in the header: set `granule`, `heap_start` and
// `heap_size` of `rs_flags` then too, or the table spans every user address.
#define RS_MARK_ON_ASSIGN 1

// Walk while main runs on.
#define RS_WALK_CONCURRENT 0

// Walk between `stop_world` and `resume_world`.
#define RS_WALK_WORLD_STOPPED 1

// Do what the calls say.
#define RS_ENFORCE 0

// Share nothing and freeze nothing; tell `warn` what enforcing would have done. An access to what is
// not shareable by itself returns `RS_NOT_SHAREABLE`; if enforcing would have shared it, the
// report's status is `RS_OK`. Implies `RS_OPTION_PROVENANCE`.
#define RS_WARN 1

// Mark nothing: only what is shareable by itself is shareable.
#define RS_OFF 2

// A slot that holds nothing.
#define RS_STATE_NONE 0

// Nothing is known of the object but that it may be written. Under a slot: B, not shareable.
#define RS_STATE_ORDINARY 1

// The program froze the object; it is not known to be shareable.
#define RS_STATE_FROZEN 2

// A: may still become either.
#define RS_STATE_AUTOSHARE 3

// C: shareable and frozen, and so is all that it refers to. Immediates too.
#define RS_STATE_SHAREABLE 4

// Remember who wrote and who read, where, and along which path. Costs time at each transition
// and memory for each write that ended a sharing state.
#define RS_OPTION_PROVENANCE 1

// Keep a hash of the content of each auto-shareable object and report changes that no
// `rs_check_frozen` announced. A debugging aid: slow. Switched off in a forked child.
#define RS_OPTION_VERIFY 2

// A constant.
#define RS_SLOT_CONSTANT 1

// A global variable.
#define RS_SLOT_GLOBAL 2

// A class variable.
#define RS_SLOT_CLASS_VARIABLE 3

// An instance variable of a class.
#define RS_SLOT_CLASS_INSTANCE_VARIABLE 4

// Nothing is wrong.
#define RS_CAUSE_NONE 0

// The program froze the object itself.
#define RS_CAUSE_FROZEN_BY_PROGRAM 1

// Another ractor read it (or it was shared explicitly), which froze it.
#define RS_CAUSE_SHARED 2

// Main wrote to `object` since it was last assigned to a slot.
#define RS_CAUSE_MODIFIED 3

// Main wrote to `object` while it was being shared.
#define RS_CAUSE_MODIFIED_MEANWHILE 4

// `object` was never part of what was assigned to a slot.
#define RS_CAUSE_NOT_MARKED 5

// `object` can never be shared.
#define RS_CAUSE_UNSHAREABLE 6

// `object` could be shared as a copy.
#define RS_CAUSE_BY_COPY 7

// `object` must be prepared by its owner first: `rs_make_shareable`.
#define RS_CAUSE_NEEDS_PREPARE 8

// `object` is held for writing.
#define RS_CAUSE_HELD 9

// `object` belongs to another ractor.
#define RS_CAUSE_NOT_OWNER 10

// An earlier access failed, and nothing was assigned since.
#define RS_CAUSE_FAILED_BEFORE 11

// `RS_OPTION_VERIFY`: the content of `object` changed and no check announced it.
#define RS_CAUSE_UNANNOUNCED 12

// Walks were interrupted too often (collections, changes of representation).
#define RS_CAUSE_INTERRUPTED 13

// A vm: what `rs_vm_new` makes. Only the library looks inside.
typedef struct rs_vm rs_vm;

// A reference to an object of a peer; an id that is never used twice. `RS_NO_REMOTE` is none.
typedef uint64_t rs_remote;

// A registered domain of execution; an id that is never used twice. `RS_NO_RACTOR` is none.
typedef uint64_t rs_ractor;

// A named place that ractors share; an id that is never used twice. `RS_NO_SLOT` is none.
typedef uint64_t rs_slot;

// A machine word of the host: an immediate, or a pointer to one of its objects.
typedef size_t rs_value;

// What an item holds; its kind says which member.
typedef union rs_content {
    // Of `RS_ITEM_INTEGER`.
    int64_t integer;
    // Of `RS_ITEM_FLOAT`.
    double number;
    // Of integers, symbols and strings: their bytes.
    const void *bytes;
    // Of what has elements: where they lie in a row; NULL if they don't.
    const rs_value *elements;
} rs_content;

// What a value is.
typedef struct rs_item {
    // `RS_ITEM_NIL` to `RS_ITEM_OPAQUE`.
    uint32_t kind;
    // What the kind says of them; the low 16 bits count.
    uint32_t flags;
    // How many bytes, elements or pairs; below 2^40.
    uint64_t count;
    // What the kind says.
    union rs_content content;
    // Of records, and of whatever has a name for its kind of objects: the name of the type, without a NUL
    // at its end.
    const char *name;
    // Bytes of the name.
    uint64_t name_length;
} rs_item;

// How the host writes small integers, nil, false and true, so that most of them need no callback. All
// zero: not known. Integers of more than 61 bits go through the callbacks all the same.
typedef struct rs_immediates {
    // An integer `i` is `i << integer_shift | integer_tag`. 0: not known.
    uint8_t integer_shift;
    // Its bits, sign included: at most the bits of a word less `integer_shift`.
    uint8_t integer_bits;
    // Whether `nil`, `false_value` and `true_value` are known: nonzero if so.
    uint8_t has_constants;
    // The low bits of an integer: `integer_shift` of them.
    rs_value integer_tag;
    // Nothing.
    rs_value nil;
    // False; the same as `nil` in a host that has one object for both.
    rs_value false_value;
    // True.
    rs_value true_value;
} rs_immediates;

// `read_items`: says of each of `count` values what it is.
typedef rs_status (*rs_read_items_fn)(void *ctx,
                                      const rs_value *values,
                                      size_t count,
                                      struct rs_item *items);

// `read_elements`: copies elements of an object that do not lie in a row, from number `from` on.
typedef rs_status (*rs_read_elements_fn)(void *ctx,
                                         rs_value object,
                                         uint64_t from,
                                         size_t count,
                                         rs_value *elements);

// `make_items`: makes a value for each of `count` items.
typedef rs_status (*rs_make_items_fn)(void *ctx,
                                      const struct rs_item *items,
                                      size_t count,
                                      rs_value *values);

// `set_elements`: fills in elements of an object that `make_items` made, from number `from` on.
typedef rs_status (*rs_set_elements_fn)(void *ctx,
                                        rs_value object,
                                        uint64_t from,
                                        size_t count,
                                        const rs_value *elements);

// One end of a connection to another process; an id that is never used twice.
typedef uint64_t rs_link;

// An operation that one process asks another to carry out.
typedef struct rs_operation {
    // `RS_READ_VARIABLE` to `RS_ADD_ELEMENT`.
    uint32_t code;
    // `RS_REQUEST_MORE`, or 0.
    uint32_t flags;
    // What the code says: a variable, a function; bytes, and no NUL at the end.
    const char *name;
    // Bytes of the name; 0: there is none.
    uint64_t name_length;
    // What the code says: an element, a limit.
    uint64_t index;
    // What the code says.
    const rs_value *arguments;
    // How many arguments.
    uint64_t arguments_count;
    // Most nanoseconds that the request may take; 0: as many as the link says. The owner sees what is
    // left of them.
    uint64_t timeout;
} rs_operation;

// One operation of a batch, and what came of it.
typedef struct rs_batch_entry {
    // What it is done to, or `RS_NO_REMOTE` for operations by name.
    rs_remote remote;
    // What is done. Its flags and timeout are 0.
    struct rs_operation operation;
    // Out: its result; 0 if it has failed.
    rs_value result;
    // Out: RS_OK; RS_RAISED, RS_ERR_DENIED, or why else it has failed.
    int32_t status;
    // 0.
    uint32_t reserved;
} rs_batch_entry;

// What a link is made with; zero is every member's default.
typedef struct rs_link_options {
    // `sizeof(rs_link_options)` as the host was compiled.
    uint32_t size;
    // Of `RS_LINK_OPEN` and `RS_LINK_SITES`.
    uint32_t flags;
    // Bytes of the ring in each direction: a power of two from 4096 on. Default: 1 MiB.
    uint64_t ring_bytes;
    // Most objects that the peer may have pinned at a time. Default: 2^24.
    uint64_t pins;
    // Most nanoseconds that a request waits. Default: for ever, as long as the peer lives.
    uint64_t timeout;
    // Most bytes of a message from the peer, which are as many of this process's memory. Default: 1 GiB.
    uint64_t message_bytes;
} rs_link_options;

// A position in a program, for reports.
typedef struct rs_site {
    // The file; NULL if unknown. The string must live as long as the vm.
    const char *file;
    // The line, from 1 on; 0 if unknown.
    uint32_t line;
    // The column, from 1 on; 0 if unknown.
    uint32_t column;
} rs_site;

// An object of this process that a peer refers to.
typedef struct rs_pin {
    // The object.
    rs_value object;
    // The peer's name for it.
    uint64_t number;
    // References that were sent, less those that were given back.
    uint64_t references;
    // `RS_CAN_…`.
    uint32_t rights;
    // The operation in whose answer the peer got it, or 0: it got it as an argument, or in a copy.
    uint32_t code;
    // Where the program stood then, with `RS_LINK_SITES`; else no place.
    struct rs_site site;
} rs_pin;

// What the other process needs to take up its end: two descriptors. They are closed when a program
// is executed; the child clears that between `fork` and `exec`, by `rs_link_inherit`.
typedef struct rs_link_end {
    // Shared memory.
    int32_t segment;
    // A socket.
    int32_t socket;
} rs_link_end;

// Counts of a link since it was made, and how much of it there is now.
typedef struct rs_link_statistics {
    // `sizeof(rs_link_statistics)` as the host was compiled.
    uint32_t size;
    // Must be 0.
    uint32_t reserved;
    // Objects of this process that the peer refers to now.
    uint64_t pins;
    // Objects of the peer that this process refers to now.
    uint64_t remotes;
    // Operations asked for.
    uint64_t requests;
    // Operations carried out for the peer.
    uint64_t served;
    // References given back to the peer.
    uint64_t released;
    // Messages and bytes sent.
    uint64_t messages;
    // Bytes sent.
    uint64_t bytes;
    // Objects of this process that were let go, since only cycles over the peer needed them.
    uint64_t collected;
} rs_link_statistics;

// `make_remote`: makes the object that stands for a peer's; `item` says what that is.
typedef rs_status (*rs_make_remote_fn)(void *ctx,
                                       rs_link link,
                                       rs_remote remote,
                                       const struct rs_item *item,
                                       rs_value *value);

// `operate`: carries out what a peer has asked for.
typedef rs_status (*rs_operate_fn)(void *ctx,
                                   rs_link link,
                                   rs_value target,
                                   const struct rs_operation *operation,
                                   rs_value *result);

// `is_cancelled`: whether the program wants to wait no longer: nonzero if so.
typedef uint32_t (*rs_is_cancelled_fn)(void *ctx, rs_link link);

// `replace_remote`: from now on `value` stands for what `remote` stood for.
typedef rs_status (*rs_replace_remote_fn)(void *ctx, rs_value remote, rs_value value);

// `on_change`: what `remote` stands for was written.
typedef void (*rs_on_change_fn)(void *ctx, rs_link link, rs_value remote);

// `collect`: a collection of all garbage, with `rs_gc_summarise` in its middle. `RS_OK`; any other status if there
// was none.
typedef rs_status (*rs_collect_fn)(void *ctx);

// Where the four flags of an object live.
typedef struct rs_flags {
    // `RS_FLAGS_IN_HEADER`, `RS_FLAGS_IN_SIDE_TABLE` or `RS_FLAGS_SPLIT`.
    uint32_t placement;
    // Header and split: bytes from the address of the object to its flag word, which is aligned
    // to its width.
    uint16_t offset;
    // Header and split: bits of the flag word: 8, 16, 32 or 64.
    uint8_t width;
    // Side table and split: log2 of the distance that two objects at least keep, 3 to 12.
    uint8_t granule;
    // Header and split: the bit of FROZEN; the host's own frozen bit serves.
    uint64_t frozen;
    // Header and split: the bit of SHAREABLE.
    uint64_t shareable;
    // Header and split: the bit of AUTOSHARE.
    uint64_t autoshare;
    // Header: the bit of PENDING. 0 if walks stop the world: then SHAREABLE without FROZEN says it,
    // which nobody but the callbacks of a walk can meet.
    uint64_t pending;
    // Side table and split: the lowest address that an object can have. Objects outside of
    // the range count as unshareable.
    rs_value heap_start;
    // Side table and split: bytes of address space from `heap_start`; 0 with `heap_start` 0
    // means every user address. The table reserves `heap_size >> granule` bytes of address space
    // and uses memory only for what is touched.
    size_t heap_size;
} rs_flags;

// How to tell an object from an immediate.
//
// A value `v` is an object if `v >= lowest` and bit `v & 31` of `tags` is set; its address is
// then `v & ~tag_mask`.
typedef struct rs_pointers {
    // Bit i says that a value whose low five bits are i is an object. `RS_POINTERS_ALIGNED_8`
    // and `RS_POINTERS_ALIGNED_4` serve hosts whose objects are plain aligned pointers.
    uint32_t tags;
    // The low bits that are not part of the address.
    uint32_t tag_mask;
    // The smallest value that is an object: nil, false and the like lie below.
    rs_value lowest;
} rs_pointers;

// Where an object says which layout it has.
typedef struct rs_type_tag {
    // Bits of the word that holds the tag: 8, 16, 32 or 64; 0 takes the tag from the value
    // itself (a tagged pointer).
    uint8_t width;
    // The tag is `(word >> shift) & mask`.
    uint8_t shift;
    // Bytes from the address of the object to that word, which is aligned to its width.
    uint16_t offset;
    // The tag is `(word >> shift) & mask`; a tag past the table of layouts means "ask the
    // callbacks".
    uint32_t mask;
} rs_type_tag;

// What the objects of one type look like: which of their words are children, and whether they
// can be shared. All offsets are bytes from the object's address; all children are aligned words.
typedef struct rs_layout {
    // `RS_SHARE_YES` to `RS_SHARE_ASK`.
    uint8_t share;
    // `RS_ELEMENTS_NONE` to `RS_ELEMENTS_ASK`.
    uint8_t elements;
    // Bits of the length word: 8, 16, 32 or 64.
    uint8_t length_width;
    // The number of elements is `length word >> length_shift`,
    uint8_t length_shift;
    // of which the low `length_bits` bits count; 0: all.
    uint8_t length_bits;
    // Nonzero: `commit` is called for objects of this type when they become shareable.
    uint8_t commit;
    // Where the fixed fields begin.
    uint16_t fields_offset;
    // How many words of fixed fields there are.
    uint16_t fields_count;
    // Where the elements begin (inline), or their pointer stands (indirect; NULL means none).
    uint16_t elements_offset;
    // Where the length word stands.
    uint16_t length_offset;
    // What a report calls objects of this type; static; NULL for none.
    const char *name;
} rs_layout;

// Where the `children` callback puts what it finds; see `rs_visit` in inline.h.
typedef struct rs_visitor {
    // The next free place; written through `rs_visit`.
    rs_value *next;
    // The end of the buffer.
    rs_value *limit;
    // Where the host left off: 0 at the first call for an object, then what the host last
    // stored here.
    uint64_t cursor;
    // Children that were offered when the buffer was full. Not 0 is a broken contract.
    uint64_t dropped;
} rs_visitor;

// `can_share`: one of `RS_SHARE_YES` to `RS_SHARE_BUSY`.
typedef uint32_t (*rs_can_share_fn)(void *ctx, rs_value object);

// `children`: `RS_OK` when all children were visited, `RS_MORE` to be called again.
typedef rs_status (*rs_children_fn)(void *ctx, rs_value object, struct rs_visitor *visitor);

// `prepare`: `RS_OK`, or any other status to give up with.
typedef rs_status (*rs_prepare_fn)(void *ctx, rs_value object);

// A callback that is told of an object.
typedef void (*rs_object_fn)(void *ctx, rs_value object);

// A callback that is told of a slot: its value, and the state it is in now (`RS_STATE_…`).
typedef void (*rs_transition_fn)(void *ctx, rs_slot slot, rs_value object, uint32_t state);

// A callback without arguments.
typedef void (*rs_plain_fn)(void *ctx);

// `current_ractor`: the ractor that the calling thread belongs to.
typedef rs_ractor (*rs_current_ractor_fn)(void *ctx);

// `site`: fills in where the calling thread's program stands.
typedef void (*rs_site_fn)(void *ctx, struct rs_site *site);

// `describe`: writes a short text of the object, at most `size` bytes, and returns how many.
typedef size_t (*rs_describe_fn)(void *ctx, rs_value object, char *text, size_t size);

// `label`: writes how one comes from an object to its child number `index` (`[3]`, `.@io`).
typedef size_t (*rs_label_fn)(void *ctx,
                              rs_value object,
                              uint64_t index,
                              rs_value previous,
                              char *text,
                              size_t size);

// `content_hash`: a hash of what the object holds besides its children.
typedef uint64_t (*rs_content_hash_fn)(void *ctx, rs_value object);

// What a call found. All texts end with a NUL and are cut to their array.
typedef struct rs_report {
    // `sizeof(rs_report)` as the caller was compiled; set by the caller.
    uint32_t size;
    // What the call returned; in `RS_WARN` what it would have returned.
    rs_status status;
    // `RS_CAUSE_…`.
    uint32_t cause;
    // `RS_SLOT_…`, or 0 if no slot is known.
    uint32_t slot_kind;
    // The slot, or `RS_NO_SLOT`.
    rs_slot slot;
    // The object that was to be written, or the one that blocks the access; its memory may be
    // gone by the time the report is read.
    rs_value object;
    // The ractor that read, or `RS_NO_RACTOR`.
    rs_ractor reader;
    // The ractor that wrote, or `RS_NO_RACTOR`.
    rs_ractor writer;
    // Where it read.
    struct rs_site read_site;
    // Where it wrote.
    struct rs_site write_site;
    // How many objects were visited.
    uint64_t objects;
    // The name of the slot.
    char slot_name[128];
    // The way from the slot to `object`, such as `H[:b][3].@io`.
    char path[256];
    // What `object` is.
    char object_name[128];
    // One line: the message of the error to raise.
    char message[256];
    // Some lines: the message, then both sides of the conflict and the path.
    char text[1024];
} rs_report;

// `warn`: is told what a report says; the report lives until the callback returns.
typedef void (*rs_warn_fn)(void *ctx, const struct rs_report *report);

// `allocate`: memory aligned to 16 bytes, or NULL.
typedef void *(*rs_allocate_fn)(void *ctx, size_t size);

// `release`: gives back what `allocate` returned for `size`.
typedef void (*rs_release_fn)(void *ctx, void *memory, size_t size);

// `fatal`: the library failed inside; the text lives until the callback returns.
typedef void (*rs_fatal_fn)(void *ctx, const char *text);

// An embedding VM, as the library sees it. Start from `RS_HOST_INIT` (inline.h) or zeroed memory
// with `size` and `abi` set; a NULL callback means its default. The library copies the struct;
// `ctx` must stay valid as long as the vm. `layouts` is copied; its names are not.
//
// No callback may `longjmp` or unwind over the library. A callback runs on the thread that called
// in, unless its text says otherwise. What it may call:
//
// - `can_share`, `children`, `commit`, `on_mark`, `on_unmark`, `content_hash` and `label` run inside of
//   a walk, or of a dry run: `rs_visit`, `rs_status_…`, `rs_shareable_p`, `rs_frozen_p`,
//   `rs_object_state`. All else is refused with `RS_ERR_REENTRANT`, collectors' calls included: such
//   a callback must not allocate from the host's heap if that may collect.
// - `safepoint`, `blocking_enter`, `blocking_leave`, `stop_world`, `resume_world`: collectors' calls
//   (gc.h) besides.
// - `allocate`, `release`, `fatal`: nothing.
// - All others: anything that does not lead to the same callback again. What needs a walk while the
//   calling thread is in one is refused with `RS_ERR_REENTRANT`.
typedef struct rs_host {
    // `sizeof(rs_host)` as the host was compiled.
    uint32_t size;
    // `RS_ABI` as the host was compiled.
    uint32_t abi;
    // Goes to every callback.
    void *ctx;
    // Where the four flags live.
    struct rs_flags flags;
    // What is an object.
    struct rs_pointers pointers;
    // Where an object's type stands.
    struct rs_type_tag type_tag;
    // One layout for each type tag; NULL if `layouts_count` is 0.
    const struct rs_layout *layouts;
    // How many layouts there are; tags from there on are asked about by callback.
    uint32_t layouts_count;
    // `RS_MARK_ON_FIRST_RACTOR` or `RS_MARK_ON_ASSIGN`.
    uint32_t mark_policy;
    // `RS_WALK_CONCURRENT` or `RS_WALK_WORLD_STOPPED`.
    uint32_t walk_mode;
    // `RS_ENFORCE`, `RS_WARN` or `RS_OFF`.
    uint32_t enforcement;
    // `RS_OPTION_…`, or-ed.
    uint32_t options;
    // Must be 0.
    uint32_t reserved;
    // Whether an object without a layout of its own can be shared. Default: yes. Runs during
    // walks, perhaps while main writes to objects that no walk has claimed: it may read the
    // object's type and what never changes.
    rs_can_share_fn can_share;
    // Visits the children of an object without a layout of its own. Default: it has none. Runs
    // during walks; main waits for it before it writes to the object.
    rs_children_fn children;
    // Makes an object ready to be shared: the host's own freeze hooks, buffers made private.
    // Explicit shares only; no lock of the library is held; may run any code and call any
    // function of the library. Must be idempotent. `RS_MORE`: the host has taken a note, and will
    // do it when `rs_make_shareable` has returned (for hosts whose code may unwind). Any other status
    // besides `RS_OK` ends the share, and is what `rs_make_shareable` returns (`RS_ERR_HOST` is for
    // that). Default: nothing to do.
    rs_prepare_fn prepare;
    // The object is becoming shareable: atomic flips that other ractors may see at once. May not
    // fail. Called for layouts that ask for it and for objects without a layout.
    rs_object_fn commit;
    // AUTOSHARE was set: whatever lets a write pass without `rs_check_frozen` (a shape, an inline
    // cache, compiled code) must be invalidated. On main's thread.
    rs_object_fn on_mark;
    // AUTOSHARE was cleared: by main's write, on main's thread, or along the path to a blocker, on
    // the thread of the ractor whose access failed.
    rs_object_fn on_unmark;
    // The value of a slot changed its state: inline caches that hold it must look again. On the
    // thread that caused it.
    rs_transition_fn on_transition;
    // Called after every piece of a walk (some microseconds) with no lock held that a collector
    // takes: the thread may stop here for a collection, which may move objects, or collect itself.
    rs_plain_fn safepoint;
    // The calling thread is about to wait: a collection need not wait for it.
    rs_plain_fn blocking_enter;
    // The calling thread has waited. May itself wait for a running collection.
    rs_plain_fn blocking_leave;
    // World-stopped mode: stop every other thread of the host. Required there.
    rs_plain_fn stop_world;
    // World-stopped mode: let them go on. Required there.
    rs_plain_fn resume_world;
    // Which ractor the calling thread belongs to. With it, calls on the wrong thread return
    // `RS_ERR_THREAD`; without it, or where it returns `RS_NO_RACTOR`, who calls is believed. Costs a
    // call each time.
    rs_current_ractor_fn current_ractor;
    // Where the calling thread's program stands; with provenance only.
    rs_site_fn site;
    // A short text for an object, for reports and drawings. Default: the name of its layout.
    // Reads only what never changes about the object (its type), unless the caller of
    // `rs_explain` or `rs_draw` owns it.
    rs_describe_fn describe;
    // The step from an object to child `index`; `previous` is child `index - 1` (a map's key), or
    // 0. Reads no more than `describe`. Default: `[index]`.
    rs_label_fn label;
    // For `RS_OPTION_VERIFY`: bytes of strings, numbers and the like. Default: only children
    // are watched. May run on the thread of a ractor that accesses the object; main's next
    // `rs_check_frozen` of it waits until it has returned.
    rs_content_hash_fn content_hash;
    // For `RS_WARN` and `RS_OPTION_VERIFY`: what was found. Default: nobody is told. May call
    // `rs_last_report`.
    rs_warn_fn warn;
    // Memory for the library. Default: malloc. Any thread.
    rs_allocate_fn allocate;
    // Gives memory back. Set both or none. Any thread.
    rs_release_fn release;
    // The library failed inside and the vm is poisoned; the call returns `RS_ERR_PANIC` when
    // this returns. Default: nothing.
    rs_fatal_fn fatal;
    // How the host writes what needs no callback.
    struct rs_immediates immediates;
    // Says what values are. What items point to must stay until the next call. Must not allocate
    // from the host's heap if that may collect. Default: this host's graphs can't leave it.
    rs_read_items_fn read_items;
    // Copies elements of an object whose item has no pointer to them. Like `read_items`.
    rs_read_elements_fn read_elements;
    // Makes a value for each item: what has elements with as many as `count` says, to be filled in by
    // `set_elements` before the program sees it; `content.elements` is NULL. May allocate and
    // collect; what it has stored in `values` is a root. Default: no graph can enter this host.
    rs_make_items_fn make_items;
    // Fills in elements of what `make_items` made: of a map, pairs that are whole. May allocate
    // and collect.
    rs_set_elements_fn set_elements;
    // Makes an object that stands for a peer's, and that `read_items` calls an RS_ITEM_REMOTE from
    // then on. May allocate and collect. Default: this host has no links.
    rs_make_remote_fn make_remote;
    // Carries out an operation for a peer: what the program's own primitive would do. Runs on the
    // thread that serves the link, may run any code and make requests of its own. An error of the
    // program is told by `rs_link_raise` and RS_RAISED. RS_ERR_UNSUPPORTED: there is no such thing
    // to do to the target. Default: this host has no links.
    rs_operate_fn operate;
    // Asked about every 10 ms while a request waits: the program wants to quit. Default: never.
    rs_is_cancelled_fn is_cancelled;
    // What a remote object stood for has become an ordinary one, since the link ends: from now on
    // it stands for `value`. Default: nothing.
    rs_replace_remote_fn replace_remote;
    // What a remote object stands for was written, after `rs_remote_watch`: what was kept of it may be old.
    // Runs while the link is served or waited for; must not use the link. Default: nothing.
    rs_on_change_fn on_change;
    // Collects all garbage, and calls `rs_gc_summarise` in the middle of that (gc.h), before it returns:
    // for a round of finding cycles that go over processes (cycles.h). On the thread of a link, whose
    // links it does not use. Needs layouts or `children` that leave out no reference of an object.
    // Default: this host takes no part, and its peers' cycles over it are kept.
    rs_collect_fn collect;
} rs_host;

// No remote.
#define RS_NO_REMOTE 0

// No ractor.
#define RS_NO_RACTOR 0

// No slot.
#define RS_NO_SLOT 0

#endif  /* VMSHARE_HOST_H */
