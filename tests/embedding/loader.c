/* A runtime that is not linked with the library: loads it from the file named by its argument. */

#include <stdio.h>

#include "vmshare/loader.h"

static int fails_with(const char *path)
{
    rs_api api;
    const char *error = rs_api_load(&api, path);
    return error != NULL && api.library == NULL && api.rs_vm_new == NULL;
}

int main(int count, char **arguments)
{
    rs_api api;
    const char *error;

    if (count != 2)
        return 2;
    if (!fails_with("/nowhere/libvmshare.so")) {
        puts("a file that is not there was loaded");
        return 1;
    }
    /* The file of the C library is one, but not ours. */
    if (!fails_with("libc.so.6")) {
        puts("a foreign library was taken for vmshare");
        return 1;
    }
    error = rs_api_load(&api, arguments[1]);
    if (error != NULL) {
        puts(error);
        return 1;
    }
    if (api.rs_vm_new(NULL, NULL, NULL) != RS_ERR_ARGUMENT)
        return 1;
    puts("loaded");
    return 0;
}
