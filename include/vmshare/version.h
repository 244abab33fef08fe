/*
 * version.h: which library this is.
 *
 * Generated from src/ffi/version.rs by cbindgen: change it there, then run `make headers`.
 */

#ifndef VMSHARE_VERSION_H
#define VMSHARE_VERSION_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

// The version of the library: `major << 16 | minor << 8 | patch`.
//
// Threads: any, signal handlers too. Blocks: no. Allocates: no. Since: 0.1
uint32_t rs_version(void);

// The version of the library as text, such as "0.1.0".
//
// Borrows: a static string. Threads: any, signal handlers too. Blocks: no. Allocates: no.
// Returns: never NULL. Since: 0.1
const char *rs_version_text(void);

// Whether this build has a feature: "autoshare", "side-table", "verify", "images",
// "remote".
//
// Borrows: `name` for the call. Threads: any. Blocks: no. Allocates: no.
// Returns: 1 or 0; 0 for NULL and for names that are not known. Since: 0.1
uint32_t rs_feature(const char *name);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* VMSHARE_VERSION_H */
