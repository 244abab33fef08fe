/*
 * Statuses, the version and the features, as text and numbers.
 */

#include <stdio.h>
#include <string.h>

#include "fixture/check.h"

static void every_status_has_its_c_name_and_a_text(const Configuration *configuration)
{
    (void)configuration;
    static const struct {
        rs_status status;
        const char *name;
        const char *text;
    } known[] = {
        {0, "RS_OK", "success"},
        {1, "RS_FROZEN", "the object is frozen"},
        {2, "RS_NOT_SHAREABLE", "the object can not be shared"},
        {3, "RS_NOT_OWNER", "the object belongs to another ractor"},
        {4, "RS_MORE", "there is more to do"},
        {5, "RS_BUSY", "busy: try again later"},
        {6, "RS_UNANNOUNCED", "an object has changed with no check before"},
        {7, "RS_RAISED", "the peer's program raised an error"},
        {8, "RS_CANCELLED", "the wait was cancelled"},
        {-1, "RS_ERR_ARGUMENT", "an argument is NULL or out of range"},
        {-2, "RS_ERR_CLOSED", "the handle is closed"},
        {-3, "RS_ERR_FOREIGN", "the handle belongs to another vm or is of another kind"},
        {-4, "RS_ERR_THREAD", "the call is not allowed from this thread or ractor"},
        {-5, "RS_ERR_REENTRANT", "the call is not allowed inside this callback"},
        {-6, "RS_ERR_MEMORY", "out of memory"},
        {-7, "RS_ERR_PANIC", "internal failure: the vm is poisoned"},
        {-8, "RS_ERR_POISONED", "the vm is poisoned by an earlier internal failure"},
        {-9, "RS_ERR_ABI", "the host was built for another ABI"},
        {-10, "RS_ERR_HOST", "a callback of the host failed or broke its contract"},
        {-11, "RS_ERR_UNSUPPORTED", "not supported by this machine, build or host"},
        {-12, "RS_ERR_LIMIT", "a limit is reached"},
        {-13, "RS_ERR_FORKED", "forked process: rs_after_fork_child was not called"},
        {-14, "RS_ERR_IMAGE", "the bytes are not a valid image"},
        {-15, "RS_ERR_PEER", "the peer broke the protocol"},
        {-16, "RS_ERR_DEAD", "the peer is gone"},
        {-17, "RS_ERR_TIMEOUT", "the time is up"},
        {-18, "RS_ERR_DENIED", "the peer does not allow that"},
        {-19, "RS_ERR_STALE", "the reference leads to nothing any more"},
        {-20, "RS_ERR_DEADLOCK", "the wait could never end"},
    };
    for (size_t index = 0; index < sizeof known / sizeof known[0]; index++) {
        CHECK_TEXT(known[index].name, rs_status_name(known[index].status));
        CHECK_TEXT(known[index].text, rs_status_text(known[index].status));
    }
}

static void unknown_statuses_have_a_name_and_a_text_too(const Configuration *configuration)
{
    (void)configuration;
    static const rs_status unknown[] = {50, 100, -50, -100, INT32_MAX, INT32_MIN};
    for (size_t index = 0; index < sizeof unknown / sizeof unknown[0]; index++) {
        CHECK_TEXT("RS_?", rs_status_name(unknown[index]));
        CHECK_TEXT("unknown status", rs_status_text(unknown[index]));
    }
}

static void texts_of_statuses_have_no_full_stop(const Configuration *configuration)
{
    (void)configuration;
    for (rs_status status = -20; status < 10; status++) {
        const char *text = rs_status_text(status);
        size_t length = strlen(text);
        CHECK(length > 0 && text[length - 1] != '.');
        CHECK(rs_status_text(status) == text);
        CHECK(rs_status_name(status) == rs_status_name(status));
    }
}

static void the_version_is_the_same_as_number_and_text(const Configuration *configuration)
{
    (void)configuration;
    uint32_t version = rs_version();
    char text[32];
    snprintf(text, sizeof text, "%u.%u.%u", (unsigned)(version >> 16),
             (unsigned)(version >> 8 & 0xff), (unsigned)(version & 0xff));
    CHECK_TEXT(text, rs_version_text());
    CHECK_TEXT("0.1.0", rs_version_text());
}

static void features_are_named(const Configuration *configuration)
{
    (void)configuration;
    CHECK_EQUAL(1, rs_feature("autoshare"));
    CHECK_EQUAL(1, rs_feature("side-table"));
    CHECK_EQUAL(1, rs_feature("verify"));
    CHECK_EQUAL(1, rs_feature("images"));
#if defined __linux__ && UINTPTR_MAX > UINT32_MAX
    CHECK_EQUAL(1, rs_feature("remote"));
#else
    CHECK_EQUAL(0, rs_feature("remote"));
#endif
    CHECK_EQUAL(0, rs_feature("telepathy"));
    CHECK_EQUAL(0, rs_feature("Autoshare"));
    CHECK_EQUAL(0, rs_feature("autoshare "));
    CHECK_EQUAL(0, rs_feature("autosh"));
    CHECK_EQUAL(0, rs_feature(""));
    CHECK_EQUAL(0, rs_feature("\xff\xfe"));
    CHECK_EQUAL(0, rs_feature(NULL));
}

static const Test tests[] = {
    TEST_ONCE(every_status_has_its_c_name_and_a_text),
    TEST_ONCE(unknown_statuses_have_a_name_and_a_text_too),
    TEST_ONCE(texts_of_statuses_have_no_full_stop),
    TEST_ONCE(the_version_is_the_same_as_number_and_text),
    TEST_ONCE(features_are_named),
};

int main(int count, char **arguments)
{
    RUN_TESTS(tests);
}
