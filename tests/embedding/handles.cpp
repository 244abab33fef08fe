/* The handles of vmshare.hpp: each thing is ended once, by whoever owns it last. */

#include <cstdio>
#include <cstdlib>
#include <utility>

#include "vmshare.hpp"

static void expect(bool holds, const char *what)
{
    if (!holds) {
        std::puts(what);
        std::exit(1);
    }
}

static rs_host host()
{
    rs_host host = RS_HOST_INIT;
    host.flags = rs_flags_in_header(0, 32, 1, 2, 4, 8);
    host.pointers.tags = RS_POINTERS_ALIGNED_8;
    host.pointers.lowest = 8;
    return host;
}

static void a_ractor_ends_with_its_handle()
{
    vmshare::vm vm;
    expect(vm.open(host()) == RS_OK, "open a vm");
    expect(vm.open(host()) == RS_BUSY, "a handle owns one vm");
    rs_ractor id = RS_NO_RACTOR;
    {
        vmshare::ractor worker;
        expect(worker.open(vm, "worker") == RS_OK, "open a ractor");
        id = worker.id();
    }
    expect(rs_ractor_free(vm.get(), id) == RS_ERR_CLOSED, "the ractor has ended");
}

static void what_moves_is_ended_once()
{
    vmshare::vm vm;
    expect(vm.open(host()) == RS_OK, "open a vm");
    vmshare::slot first;
    expect(first.open(vm, RS_SLOT_CONSTANT, "LIMITS") == RS_OK, "open a slot");
    const rs_slot id = first.id();

    vmshare::slot second(std::move(first));
    expect(second.id() == id, "the slot has moved");
    vmshare::slot third;
    third = std::move(second);
    uint32_t state = RS_STATE_ORDINARY;
    expect(rs_slot_state(vm.get(), id, &state) == RS_OK, "the slot has not ended");
    expect(third.close() == RS_OK, "close a slot");
    expect(third.close() == RS_OK, "closing again does nothing");
    expect(rs_slot_state(vm.get(), id, &state) == RS_ERR_CLOSED, "the slot has ended");

    rs_vm *handle = vm.get();
    vmshare::vm other(std::move(vm));
    expect(other.get() == handle && other.main() != RS_NO_RACTOR, "the vm has moved");
    expect(other.close() == RS_OK && other.get() == nullptr, "close a vm");
    expect(rs_vm_free(handle) == RS_ERR_CLOSED, "the vm has ended");
}

int main()
{
    a_ractor_ends_with_its_handle();
    what_moves_is_ended_once();
    std::puts("done");
    return 0;
}
