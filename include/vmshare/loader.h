/*
 * loader.h: the whole API through dlopen, for a runtime that must not link with the library.
 *
 *     static rs_api api;
 *     const char *error = rs_api_load(&api, NULL);
 *     if (error != NULL) ... run without sharing ...
 *     api.rs_vm_new(&host, &vm, &main_ractor);
 *
 * The types and the fast paths of the other headers need no library; only the functions do. A
 * library that lacks one of the functions below is older than this header and is refused.
 */

#ifndef VMSHARE_LOADER_H
#define VMSHARE_LOADER_H

#include <dlfcn.h>
#include <string.h>

#include "vmshare.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The file name that rs_api_load looks for, where the system looks for libraries. */
#define RS_API_LIBRARY "libvmshare.so.0"

/* The names of all functions of the library, in the order of their headers, one a line. */
/* clang-format off */
#define RS_API_FUNCTIONS(function) \
    function(rs_status_name)       \
    function(rs_status_text)       \
    function(rs_version)           \
    function(rs_version_text)      \
    function(rs_feature)           \
    function(rs_vm_new)            \
    function(rs_vm_free)           \
    function(rs_ractor_new)        \
    function(rs_ractor_free)       \
    function(rs_before_fork)       \
    function(rs_after_fork_parent) \
    function(rs_after_fork_child)  \
    function(rs_vm_statistics)     \
    function(rs_vm_side_table)     \
    function(rs_slot_new)          \
    function(rs_slot_free)         \
    function(rs_slot_state)        \
    function(rs_autoshare_mark)    \
    function(rs_check_frozen)      \
    function(rs_ractor_access)     \
    function(rs_make_shareable)    \
    function(rs_freeze)            \
    function(rs_shareable_p)       \
    function(rs_frozen_p)          \
    function(rs_object_state)      \
    function(rs_before_change)     \
    function(rs_after_change)      \
    function(rs_walk_begin)        \
    function(rs_walk_next)         \
    function(rs_walk_feed)         \
    function(rs_walk_refuse)       \
    function(rs_walk_commit)       \
    function(rs_walk_abort)        \
    function(rs_image_encode)      \
    function(rs_image_read)        \
    function(rs_image_decode)      \
    function(rs_image_words)       \
    function(rs_image_opaques)     \
    function(rs_image_free)        \
    function(rs_link_new)            \
    function(rs_link_inherit)        \
    function(rs_link_spawned)        \
    function(rs_link_adopt)          \
    function(rs_link_accept)         \
    function(rs_link_connect)        \
    function(rs_link_changed)        \
    function(rs_link_pins)           \
    function(rs_link_close)          \
    function(rs_link_export)         \
    function(rs_link_fd)             \
    function(rs_link_serve)          \
    function(rs_link_wait)         \
    function(rs_link_raise)          \
    function(rs_link_error)          \
    function(rs_link_counts)         \
    function(rs_remote_request)      \
    function(rs_remote_begin)      \
    function(rs_remote_finish)     \
    function(rs_remote_forget)     \
    function(rs_remote_batch)      \
    function(rs_remote_path)       \
    function(rs_link_revoke)       \
    function(rs_remote_copy)         \
    function(rs_remote_share)        \
    function(rs_image_object)        \
    function(rs_remote_watch)        \
    function(rs_remote_link)         \
    function(rs_remote_release)      \
    function(rs_cycles_begin)        \
    function(rs_cycles_finish)       \
    function(rs_gc_visit_roots)    \
    function(rs_gc_visit_own_roots) \
    function(rs_gc_summarise)      \
    function(rs_gc_sweep)          \
    function(rs_gc_update)         \
    function(rs_gc_moved)          \
    function(rs_gc_freed)          \
    function(rs_gc_begin)          \
    function(rs_gc_end)            \
    function(rs_last_report)       \
    function(rs_explain)           \
    function(rs_draw)              \
    function(rs_verify)
/* clang-format on */

/* The type of a pointer to a function of the library. */
#ifdef __cplusplus
#define RS_API_POINTER(name) decltype(&::name)
#else
#define RS_API_POINTER(name) __typeof__(&name)
#endif

/* One pointer for each function of the library, under the function's name. */
typedef struct rs_api {
    /* What dlopen returned. */
    void *library;
#define RS_API_MEMBER(name) RS_API_POINTER(name) name;
    RS_API_FUNCTIONS(RS_API_MEMBER)
#undef RS_API_MEMBER
} rs_api;

/* Loads the library and finds its functions. `path` is a file, or NULL for RS_API_LIBRARY.
 *
 * Owns: nothing to give back: the library stays in the process, as it would without dlopen.
 * Threads: any, one at a time for one `api`. Blocks: for the loader's lock. Allocates: yes.
 * Returns: NULL, or what went wrong (a text of dlerror: valid until this thread's next call of the
 * dl functions); then all of `*api` is NULL. Since: 0.1 */
static inline const char *rs_api_load(rs_api *api, const char *path)
{
    void *found;

    memset(api, 0, sizeof *api);
    api->library = dlopen(path != NULL ? path : RS_API_LIBRARY, RTLD_NOW | RTLD_LOCAL);
    if (api->library == NULL)
        return dlerror();

/* Neither C nor C++ converts an object pointer to a function pointer: its bytes are copied. */
#define RS_API_FIND(name)                                                                          \
    found = dlsym(api->library, #name);                                                            \
    if (found == NULL) {                                                                           \
        memset(api, 0, sizeof *api);                                                               \
        return dlerror();                                                                          \
    }                                                                                              \
    memcpy(&api->name, &found, sizeof found);
    RS_API_FUNCTIONS(RS_API_FIND)
#undef RS_API_FIND

    return NULL;
}

#ifdef __cplusplus
}
#endif

#endif /* VMSHARE_LOADER_H */
