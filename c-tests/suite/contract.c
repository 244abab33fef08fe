/*
 * What a host may say of itself, and what contradicts itself.
 */

#include <stdlib.h>
#include <string.h>

#include "fixture/check.h"
#include "fixture/host.h"

static rs_layout layout;

static void tell_layout(rs_host *contract)
{
    contract->layouts = &layout;
    contract->layouts_count = 1;
}

/* Opens a vm from a contract that `change` has changed; closes it again if that worked. */
static rs_status open_changed(const Configuration *configuration, void (*change)(rs_host *))
{
    Host *host = host_describe(configuration, (Options){0});
    change(&host->contract);
    host->vm = (rs_vm *)host;
    host->main = 99;
    rs_status status = rs_vm_new(&host->contract, &host->vm, &host->main);
    if (status != RS_OK) {
        CHECK(host->vm == NULL);
    }
    host_close(host);
    return status;
}

#define CHANGE(name, statement)                                                                    \
    static void name(rs_host *contract)                                                            \
    {                                                                                              \
        statement;                                                                                 \
    }

CHANGE(nothing, (void)contract)
CHANGE(unknown_placement, contract->flags.placement = 3)
CHANGE(a_width_of_24, contract->flags.width = 24)
CHANGE(a_width_of_0, contract->flags.width = 0)
CHANGE(a_width_of_128, contract->flags.width = 128)
CHANGE(an_unaligned_offset, contract->flags.offset = 9)
CHANGE(no_frozen_bit, contract->flags.frozen = 0)
CHANGE(no_pending_bit, contract->flags.pending = 0)
CHANGE(two_bits_for_one_flag, contract->flags.shareable |= 2)
CHANGE(one_bit_for_two_flags, contract->flags.autoshare = contract->flags.frozen)
CHANGE(a_bit_outside_of_the_word, contract->flags.width = 16)
CHANGE(a_granule_of_2, contract->flags.granule = 2)
CHANGE(a_granule_of_13, contract->flags.granule = 13)
CHANGE(a_heap_past_the_end, contract->flags.heap_size = SIZE_MAX)
CHANGE(a_start_without_a_size, contract->flags.heap_size = 0)
CHANGE(no_objects_at_all, contract->pointers.tags = 0)
CHANGE(a_tag_of_24_bits, contract->type_tag.width = 24)
CHANGE(a_tag_shifted_out, contract->type_tag.shift = 64)
CHANGE(a_tag_shifted_out_of_its_width, contract->type_tag.shift = 32)
CHANGE(an_unaligned_tag, contract->type_tag.offset = 2)
CHANGE(layouts_that_are_null, contract->layouts = NULL; contract->layouts_count = 3)
CHANGE(an_unknown_policy, contract->mark_policy = 2)
CHANGE(an_unknown_walk_mode, contract->walk_mode = 2)
CHANGE(an_unknown_enforcement, contract->enforcement = 3)
CHANGE(an_unknown_option, contract->options = 4)
CHANGE(a_reserved_member, contract->reserved = 1)
CHANGE(allocate_alone, contract->release = NULL)
CHANGE(release_alone, contract->allocate = NULL)
CHANGE(a_world_that_never_stops, contract->walk_mode = RS_WALK_WORLD_STOPPED;
       contract->stop_world = NULL)
CHANGE(a_world_that_never_resumes, contract->walk_mode = RS_WALK_WORLD_STOPPED;
       contract->resume_world = NULL)

static void a_contract_that_contradicts_itself_is_refused(const Configuration *configuration)
{
    static const struct {
        const char *name;
        void (*change)(rs_host *);
    } contradictions[] = {
#define ROW(name) {#name, name}
        ROW(unknown_placement),
        ROW(no_objects_at_all),
        ROW(a_tag_of_24_bits),
        ROW(a_tag_shifted_out),
        ROW(a_tag_shifted_out_of_its_width),
        ROW(an_unaligned_tag),
        ROW(layouts_that_are_null),
        ROW(an_unknown_policy),
        ROW(an_unknown_walk_mode),
        ROW(an_unknown_enforcement),
        ROW(an_unknown_option),
        ROW(a_reserved_member),
        ROW(allocate_alone),
        ROW(release_alone),
        ROW(a_world_that_never_stops),
        ROW(a_world_that_never_resumes),
        ROW(a_granule_of_2),
        ROW(a_granule_of_13),
        ROW(a_heap_past_the_end),
        ROW(a_start_without_a_size),
    };
    CHECK_OK(open_changed(configuration, nothing));
    for (size_t index = 0; index < sizeof contradictions / sizeof contradictions[0]; index++) {
        rs_status status = open_changed(configuration, contradictions[index].change);
        check_status(RS_ERR_ARGUMENT, status, __FILE__, __LINE__, contradictions[index].name);
    }
}

static void flags_in_the_header_must_fit_there(const Configuration *configuration)
{
    if (configuration->placement == RS_FLAGS_IN_SIDE_TABLE || configuration->width != 32) {
        return;
    }
    CHECK_STATUS(RS_ERR_ARGUMENT, open_changed(configuration, a_width_of_24));
    CHECK_STATUS(RS_ERR_ARGUMENT, open_changed(configuration, a_width_of_0));
    CHECK_STATUS(RS_ERR_ARGUMENT, open_changed(configuration, a_width_of_128));
    CHECK_STATUS(RS_ERR_ARGUMENT, open_changed(configuration, an_unaligned_offset));
    CHECK_STATUS(RS_ERR_ARGUMENT, open_changed(configuration, no_frozen_bit));
    CHECK_STATUS(RS_ERR_ARGUMENT, open_changed(configuration, two_bits_for_one_flag));
    CHECK_STATUS(RS_ERR_ARGUMENT, open_changed(configuration, one_bit_for_two_flags));
    CHECK_STATUS(RS_ERR_ARGUMENT, open_changed(configuration, a_bit_outside_of_the_word));
    rs_status without_pending = open_changed(configuration, no_pending_bit);
    bool needs_pending = configuration->placement == RS_FLAGS_IN_HEADER &&
                         configuration->walk_mode == RS_WALK_CONCURRENT;
    CHECK_STATUS(needs_pending ? RS_ERR_ARGUMENT : RS_OK, without_pending);
}

static rs_status open_with_layout(const Configuration *configuration, rs_layout described)
{
    layout = described;
    return open_changed(configuration, tell_layout);
}

static void layouts_must_make_sense(const Configuration *configuration)
{
    rs_layout good = {RS_SHARE_YES, RS_ELEMENTS_INDIRECT, 32, 1, 31, 0, 8, 2, 24, 32, "thing"};
    CHECK_OK(open_with_layout(configuration, good));
    rs_layout bad = good;
    bad.share = RS_SHARE_NEEDS_PREPARE;
    CHECK_STATUS(RS_ERR_ARGUMENT, open_with_layout(configuration, bad));
    bad.share = RS_SHARE_BUSY;
    CHECK_STATUS(RS_ERR_ARGUMENT, open_with_layout(configuration, bad));
    bad.share = 6;
    CHECK_STATUS(RS_ERR_ARGUMENT, open_with_layout(configuration, bad));
    bad = good;
    bad.elements = 4;
    CHECK_STATUS(RS_ERR_ARGUMENT, open_with_layout(configuration, bad));
    bad = good;
    bad.length_width = 0;
    CHECK_STATUS(RS_ERR_ARGUMENT, open_with_layout(configuration, bad));
    bad = good;
    bad.length_bits = 32;
    CHECK_STATUS(RS_ERR_ARGUMENT, open_with_layout(configuration, bad));
    bad = good;
    bad.length_shift = 32;
    CHECK_STATUS(RS_ERR_ARGUMENT, open_with_layout(configuration, bad));
    bad = good;
    bad.length_offset = 34;
    CHECK_STATUS(RS_ERR_ARGUMENT, open_with_layout(configuration, bad));
    bad = good;
    bad.elements_offset = 25;
    CHECK_STATUS(RS_ERR_ARGUMENT, open_with_layout(configuration, bad));
    bad = good;
    bad.fields_offset = 12;
    CHECK_STATUS(RS_ERR_ARGUMENT, open_with_layout(configuration, bad));
}

static void null_pointers_are_refused(const Configuration *configuration)
{
    Host *host = host_describe(configuration, (Options){0});
    rs_vm *vm = (rs_vm *)host;
    rs_ractor main_ractor = 7;
    CHECK_STATUS(RS_ERR_ARGUMENT, rs_vm_new(NULL, &vm, &main_ractor));
    CHECK(vm == NULL);
    CHECK_STATUS(RS_ERR_ARGUMENT, rs_vm_new(&host->contract, NULL, &main_ractor));
    CHECK_STATUS(RS_ERR_ARGUMENT, rs_vm_new(&host->contract, &vm, NULL));
    CHECK(vm == NULL);
    host_close(host);
}

static void another_abi_is_refused(const Configuration *configuration)
{
    static const struct {
        uint32_t size;
        uint32_t abi;
    } foreign[] = {
        {sizeof(rs_host), 0},
        {sizeof(rs_host), 2},
        {0, RS_ABI},
        {4, RS_ABI},
        {offsetof(rs_host, can_share) - 1, RS_ABI},
        {4097, RS_ABI},
        {UINT32_MAX, RS_ABI},
    };
    for (size_t index = 0; index < sizeof foreign / sizeof foreign[0]; index++) {
        Host *host = host_describe(configuration, (Options){0});
        host->contract.size = foreign[index].size;
        host->contract.abi = foreign[index].abi;
        host->vm = (rs_vm *)host;
        CHECK_STATUS(RS_ERR_ABI, rs_vm_new(&host->contract, &host->vm, &host->main));
        CHECK(host->vm == NULL);
        host_close(host);
    }
}

static void an_older_host_has_fewer_callbacks(const Configuration *configuration)
{
    if (configuration->callbacks || configuration->walk_mode == RS_WALK_WORLD_STOPPED) {
        return;
    }
    Host *host = host_describe(configuration, (Options){0});
    /* Only as much memory as an older host has: a sanitizer sees a read past it. */
    size_t size = offsetof(rs_host, prepare);
    host->contract.size = (uint32_t)size;
    void *older = malloc(size);
    memcpy(older, &host->contract, size);
    CHECK_OK(rs_vm_new(older, &host->vm, &host->main));
    free(older);
    rs_value top = pair(host, prepared(host, NIL, NIL), NIL);
    rs_slot slot = host_assign(host, "TOP", top);
    rs_ractor reader = host_ractor(host, NULL);
    CHECK_STATUS(RS_NOT_SHAREABLE, host_access(host, reader, slot, top));
    CHECK_EQUAL(0, host->calls[IN_PREPARE]);
    CHECK_EQUAL(0, host->calls[IN_ON_MARK]);
    CHECK_EQUAL(0, host->allocator.calls);
    host_close(host);
}

static void a_newer_host_may_have_more(const Configuration *configuration)
{
    Host *host = host_describe(configuration, (Options){0});
    size_t size = sizeof(rs_host) + 128;
    rs_host *newer = malloc(size);
    memset(newer, 0xff, size);
    *newer = host->contract;
    newer->size = (uint32_t)size;
    CHECK_OK(rs_vm_new(newer, &host->vm, &host->main));
    free(newer);
    rs_value top = pair(host, leaf(host), NIL);
    rs_slot slot = host_assign(host, "TOP", top);
    CHECK_OK(host_access(host, host_ractor(host, NULL), slot, top));
    host_close(host);
}

static void a_host_of_defaults_only_works(const Configuration *configuration)
{
    (void)configuration;
    uint64_t objects[2][2] = {{0, 0}, {0, 0}};
    rs_host contract = RS_HOST_INIT;
    contract.flags = rs_flags_in_header(0, 64, 1, 2, 4, 8);
    contract.pointers.tags = RS_POINTERS_ALIGNED_8;
    contract.pointers.lowest = 4096;
    rs_vm *vm = NULL;
    rs_ractor main_ractor = RS_NO_RACTOR;
    rs_ractor reader = RS_NO_RACTOR;
    rs_slot slot = RS_NO_SLOT;
    CHECK_OK(rs_vm_new(&contract, &vm, &main_ractor));
    CHECK_OK(rs_slot_new(vm, RS_SLOT_CONSTANT, "X", NULL, &slot));
    CHECK_OK(rs_autoshare_mark(vm, slot, (rs_value)objects[0]));
    CHECK_OK(rs_ractor_new(vm, NULL, &reader));
    CHECK_EQUAL(4, objects[0][0]);
    CHECK_OK(rs_ractor_access(vm, reader, slot, (rs_value)objects[0]));
    CHECK_EQUAL(3, objects[0][0]);
    CHECK_STATUS(RS_FROZEN, rs_check_frozen(vm, main_ractor, (rs_value)objects[0]));
    rs_report report = RS_REPORT_INIT;
    CHECK_OK(rs_last_report(vm, main_ractor, &report));
    CHECK_TEXT("can't modify shared object", report.message);
    CHECK_OK(rs_vm_free(vm));
    CHECK_EQUAL(3, objects[0][0]);
}

static void objects_outside_of_the_heap_are_unshareable(const Configuration *configuration)
{
    if (configuration->placement == RS_FLAGS_IN_HEADER || configuration->tagged) {
        return;
    }
    Host *host = host_open(configuration, (Options){0});
    rs_ractor reader = host_ractor(host, NULL);
    static _Alignas(16) uint64_t elsewhere[16];
    rs_value outside = (rs_value)elsewhere;
    rs_value top = pair(host, outside, leaf(host));
    rs_slot slot = host_assign(host, "TOP", top);
    CHECK_EQUAL(RS_STATE_AUTOSHARE, state(host, top));
    CHECK_EQUAL(RS_STATE_ORDINARY, state(host, outside));
    CHECK_STATUS(RS_NOT_SHAREABLE, host_access(host, reader, slot, top));
    CHECK_EQUAL(RS_CAUSE_UNSHAREABLE, last_report(host, reader).cause);
    CHECK_OK(rs_check_frozen(host->vm, host->main, outside));
    for (size_t index = 0; index < 16; index++) {
        CHECK_EQUAL(0, elsewhere[index]);
    }
    host_close(host);
}

static void vms_do_not_know_each_other(const Configuration *configuration)
{
    Host *one = host_open(configuration, (Options){0});
    Host *other = host_open(configuration, (Options){0});
    rs_slot slot = host_constant(one, "X");
    rs_ractor reader = host_ractor(one, NULL);
    uint32_t found = 7;
    CHECK_STATUS(RS_ERR_FOREIGN, rs_slot_state(other->vm, slot, &found));
    CHECK_EQUAL(7, found);
    CHECK_STATUS(RS_ERR_FOREIGN, rs_autoshare_mark(other->vm, slot, leaf(other)));
    CHECK_STATUS(RS_ERR_FOREIGN, rs_ractor_free(other->vm, reader));
    CHECK_STATUS(RS_ERR_FOREIGN, rs_check_frozen(other->vm, one->main, leaf(other)));
    host_close(one);
    CHECK_OK(rs_autoshare_mark(other->vm, host_constant(other, "Y"), leaf(other)));
    host_close(other);
}

static const Test tests[] = {
    TEST(a_contract_that_contradicts_itself_is_refused),
    TEST(flags_in_the_header_must_fit_there),
    TEST(layouts_must_make_sense),
    TEST(null_pointers_are_refused),
    TEST(another_abi_is_refused),
    TEST(an_older_host_has_fewer_callbacks),
    TEST(a_newer_host_may_have_more),
    TEST_ONCE(a_host_of_defaults_only_works),
    TEST(objects_outside_of_the_heap_are_unshareable),
    TEST(vms_do_not_know_each_other),
};

int main(int count, char **arguments)
{
    RUN_TESTS(tests);
}
