/*
 * A runtime whose cells are two words and nothing else, as an Emacs cons is: no header, no flag to
 * spare. The type of an object stands in the low bits of each reference to it, and the library
 * keeps the flags in its side table.
 *
 * Main builds a list under the constant COLORS, two workers read it at the same time, and then main
 * tries to change it.
 */

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>
#include <thread>

#include "vmshare.hpp"

namespace
{

/* The low three bits of a value: a number, or a reference to an object of a type. */
enum Tag : rs_value { NUMBER = 0, CELL = 1, TEXT = 2, TAG_MASK = 7 };

/* A cell's words may be read by a walk while main writes them: hence the atomics. */
struct Cell {
    std::atomic<rs_value> head, tail;
};

struct Text {
    char bytes[16];
};

constexpr rs_value NIL = 0;

/* All objects lie in one arena, 16 bytes each: so small is the side table. */
constexpr size_t ARENA_BYTES = 1 << 16;
alignas(16) unsigned char arena[ARENA_BYTES];
size_t used = 0;

template <typename Type> Type *allocate()
{
    static_assert(sizeof(Type) == 16, "one granule for each object");
    if (used == ARENA_BYTES)
        std::abort();
    Type *object = new (&arena[used]) Type();
    used += sizeof(Type);
    return object;
}

rs_value cons(rs_value head, rs_value tail)
{
    Cell *cell = allocate<Cell>();
    cell->head = head;
    cell->tail = tail;
    return reinterpret_cast<rs_value>(cell) | CELL;
}

rs_value text(const char *bytes)
{
    Text *object = allocate<Text>();
    std::strncpy(object->bytes, bytes, sizeof object->bytes - 1);
    return reinterpret_cast<rs_value>(object) | TEXT;
}

Cell *cell_of(rs_value value)
{
    return reinterpret_cast<Cell *>(value & ~rs_value(TAG_MASK));
}
Text *text_of(rs_value value)
{
    return reinterpret_cast<Text *>(value & ~rs_value(TAG_MASK));
}

/* One layout for each tag: which words of the object are children. */
struct Layouts {
    rs_layout of[TAG_MASK + 1];

    Layouts()
    {
        std::memset(of, 0, sizeof of);
        of[CELL].name = "cell";
        of[CELL].fields_count = 2;
        of[TEXT].name = "text";
    }
};

/* Bit i says whether a value whose low five bits are i refers to an object. */
uint32_t object_tags()
{
    uint32_t tags = 0;
    for (uint32_t low = 0; low < 32; low++)
        if ((low & TAG_MASK) == CELL || (low & TAG_MASK) == TEXT)
            tags |= UINT32_C(1) << low;
    return tags;
}

rs_host describe(const Layouts &layouts)
{
    rs_host host = RS_HOST_INIT;
    host.flags = rs_flags_in_side_table(4, reinterpret_cast<rs_value>(arena), sizeof arena);
    host.pointers.tags = object_tags();
    host.pointers.tag_mask = TAG_MASK;
    host.pointers.lowest = sizeof(Cell);
    host.type_tag.width = 0; /* the tag is in the value itself */
    host.type_tag.mask = TAG_MASK;
    host.layouts = layouts.of;
    host.layouts_count = TAG_MASK + 1;
    host.options = RS_OPTION_PROVENANCE;
    return host;
}

/* The runtime: the constant COLORS, and the hooks around it. */
struct Runtime {
    vmshare::vm vm;
    vmshare::slot slot;
    rs_side_table table;
    std::atomic<rs_value> colors{NIL};

    /* Before a write: two loads, one test. */
    rs_status check(rs_ractor ractor, rs_value object)
    {
        return rs_side_must_check(&table, object & ~rs_value(TAG_MASK))
                   ? rs_check_frozen(vm.get(), ractor, object)
                   : RS_OK;
    }

    /* After a read of the constant. */
    rs_status access(rs_ractor ractor, rs_value object)
    {
        return rs_side_is_shareable(&table, object & ~rs_value(TAG_MASK))
                   ? RS_OK
                   : rs_ractor_access(vm.get(), ractor, slot.id(), object);
    }

    void print_report(rs_ractor ractor)
    {
        rs_report report = RS_REPORT_INIT;
        rs_last_report(vm.get(), ractor, &report);
        std::puts(report.text);
    }

    int count_colors(rs_ractor ractor)
    {
        rs_value list = colors;
        if (access(ractor, list) != RS_OK) {
            print_report(ractor);
            return -1;
        }
        int count = 0;
        for (; list != NIL; list = cell_of(list)->tail)
            count += text_of(cell_of(list)->head)->bytes[0] != '\0';
        return count;
    }
};

int fail(const char *what, rs_status status)
{
    std::fprintf(stderr, "%s: %s\n", what, rs_status_text(status));
    return EXIT_FAILURE;
}

} // namespace

int main()
{
    const Layouts layouts;
    Runtime runtime;
    rs_status status = runtime.vm.open(describe(layouts));
    if (status != RS_OK)
        return fail("vm", status);
    rs_vm_side_table(runtime.vm.get(), &runtime.table);
    runtime.slot.open(runtime.vm, RS_SLOT_CONSTANT, "COLORS");

    runtime.colors = cons(text("red"), cons(text("green"), cons(text("blue"), NIL)));
    status = rs_autoshare_mark(runtime.vm.get(), runtime.slot.id(), runtime.colors);
    if (status != RS_OK)
        return fail("COLORS", status);

    vmshare::ractor readers[2];
    int counts[2] = {0, 0};
    readers[0].open(runtime.vm, "first");
    readers[1].open(runtime.vm, "second");
    {
        std::thread first([&] { counts[0] = runtime.count_colors(readers[0].id()); });
        std::thread second([&] { counts[1] = runtime.count_colors(readers[1].id()); });
        first.join();
        second.join();
    }
    std::printf("both readers count %d and %d colors\n", counts[0], counts[1]);

    const rs_value list = runtime.colors;
    if (runtime.check(runtime.vm.main(), list) == RS_FROZEN)
        runtime.print_report(runtime.vm.main());
    else
        cell_of(list)->head = NUMBER;
    return counts[0] == 3 && counts[1] == 3 ? EXIT_SUCCESS : EXIT_FAILURE;
}
