/*
 * The command: minivm [options] [file | -e expression]
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "interrupt.h"
#include "minivm.h"
#include "repl.h"

static int complain_of_usage(void)
{
    fprintf(stderr, "usage: minivm [options] [file | -e expression]\n%s", vm_options_usage);
    return 2;
}

static void print_value(Thread *thread, Value value)
{
    char *text = vm_print_string(thread, value);
    puts(text == NULL ? "" : text);
    free(text);
}

/* What is left after the options: nothing, a file, or -e and an expression, whose value a child
 * does not print. */
static bool run_program(Thread *thread, char **arguments, bool is_child)
{
    if (arguments[0] == NULL) {
        repl_run(thread);
        return true;
    }
    if (strcmp(arguments[0], "-e") != 0)
        return vm_eval_file(thread, arguments[0], NULL);
    Value value = 0;
    bool done = vm_eval_string(thread, is_child ? "child" : "expression", arguments[1], &value);
    if (done && !is_child)
        print_value(thread, value);
    return done;
}

static bool run(Thread *thread, char **arguments, bool is_child)
{
    bool done = (!is_child || vm_join_parent(thread)) && run_program(thread, arguments, is_child);
    if (!done)
        repl_complain(thread, "minivm: ");
    return done;
}

/* What children are started with too. */
static void pass_options_on(VmOptions *options, char **arguments, int first)
{
    options->arguments = (const char *const *)arguments + 1;
    options->arguments_count = (size_t)first - 1;
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
    pass_options_on(&options, arguments, first);
    interrupts_catch();
    Vm *vm = vm_new(&options);
    if (vm == NULL) {
        fputs("minivm: the vm can't be made\n", stderr);
        return 1;
    }
    bool done = run(vm_main_thread(vm), arguments + first, options.link_segment >= 0);
    vm_free(vm);
    return done ? 0 : 1;
}
