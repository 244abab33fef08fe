/* spawn.h: making the process at the other end of a link. */

#ifndef MINIVM_SPAWN_H
#define MINIVM_SPAWN_H

#include <sys/types.h>
#include <vmshare.h>

#include "link.h"

/* What a child runs: a file, or a text if there is one. */
typedef struct Program {
    const char *file;
    const char *text;
} Program;

/* Starts this very program as a child, with the options that it was started with itself. Returns
 * its process, or -1 and errno. */
pid_t spawn(const VmOptions *options, const SpawnOptions *of_child, const rs_link_end *end,
            const Program *program);

#endif
