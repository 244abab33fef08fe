/*
 * The command: minivm [options] [file | -e expression]
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "minivm.h"
#include "repl.h"

static int complain_of_usage(void)
{
    fprintf(stderr, "usage: minivm [options] [file | -e expression]\n%s", vm_options_usage);
    return 2;
}

/* What is left after the options: nothing, a file, or -e and an expression. */
static bool run_program(Thread *thread, char **arguments)
{
    bool done = true;
    if (arguments[0] == NULL) {
        repl_run(thread);
    } else if (strcmp(arguments[0], "-e") == 0) {
        Value value = 0;
        done = vm_eval_string(thread, "expression", arguments[1], &value);
        char *text = done ? vm_print_string(thread, value) : NULL;
        if (text != NULL)
            puts(text);
        free(text);
    } else {
        done = vm_eval_file(thread, arguments[0], NULL);
    }
    if (!done)
        repl_complain(thread, "minivm: ");
    return done;
}

int main(int count, char **arguments)
{
    VmOptions options = vm_default_options();
    int first = 1;
    while (first < count && arguments[first][0] == '-' && strcmp(arguments[first], "-e") != 0) {
        if (!vm_set_option(&options, arguments[first++]))
            return complain_of_usage();
    }
    if (first < count && strcmp(arguments[first], "-e") == 0 && first + 1 == count)
        return complain_of_usage();
    Vm *vm = vm_new(&options);
    if (vm == NULL) {
        fputs("minivm: the vm can't be made\n", stderr);
        return 1;
    }
    bool done = run_program(vm_main_thread(vm), arguments + first);
    vm_free(vm);
    return done ? 0 : 1;
}
