/*
 * The command: minivm [options] [file | -e expression]
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "minivm.h"
#include "repl.h"
#include "vmshare.h"

static const char usage[] =
    "usage: minivm [options] [file | -e expression]\n"
    "  --policy=first-ractor|on-assign   when graphs under slots are marked\n"
    "  --mode=enforce|warn|off           what a conflict leads to\n"
    "  --walk=concurrent|stopped         whether main runs on while a graph is shared\n"
    "  --provenance, --no-provenance     remember who wrote and read, and where (default: yes)\n"
    "  --verify                          look for writes that no check announced\n"
    "  --gc=normal|stress|moving|stress,moving\n"
    "  --gc-stress                       the same as --gc=stress\n"
    "  --ractor-stack=BYTES              C stack of a ractor's thread\n"
    "  --drawings=NAME                   (draw x) writes NAME-1.dot, NAME-2.dot ... too\n";

typedef struct Choice {
    const char *text;
    uint32_t value;
} Choice;

static const Choice policies[] = {
    {"first-ractor", RS_MARK_ON_FIRST_RACTOR}, {"on-assign", RS_MARK_ON_ASSIGN}, {NULL, 0}};
static const Choice modes[] = {
    {"enforce", RS_ENFORCE}, {"warn", RS_WARN}, {"off", RS_OFF}, {NULL, 0}};
static const Choice walks[] = {
    {"concurrent", RS_WALK_CONCURRENT}, {"stopped", RS_WALK_WORLD_STOPPED}, {NULL, 0}};

/* The text after the `=` of an option, or NULL if the argument is another option. */
static const char *option_value(const char *argument, const char *name)
{
    size_t length = strlen(name);
    return strncmp(argument, name, length) == 0 && argument[length] == '=' ? argument + length + 1
                                                                           : NULL;
}

static bool choose(const char *argument, const char *name, const Choice *choices, uint32_t *chosen)
{
    const char *text = option_value(argument, name);
    for (; text != NULL && choices->text != NULL; choices++) {
        if (strcmp(text, choices->text) == 0) {
            *chosen = choices->value;
            return true;
        }
    }
    return false;
}

static bool set_switch(const char *argument, VmOptions *options)
{
    if (strcmp(argument, "--provenance") == 0)
        options->provenance = true;
    else if (strcmp(argument, "--no-provenance") == 0)
        options->provenance = false;
    else if (strcmp(argument, "--verify") == 0)
        options->verify = true;
    else if (strcmp(argument, "--gc-stress") == 0)
        options->collector |= COLLECT_ALWAYS;
    else
        return false;
    return true;
}

static bool set_option(const char *argument, VmOptions *options)
{
    const char *collector = option_value(argument, "--gc");
    const char *stack = option_value(argument, "--ractor-stack");
    const char *drawings = option_value(argument, "--drawings");
    if (collector != NULL)
        return vm_parse_collector(collector, &options->collector);
    if (stack != NULL) {
        options->ractor_stack = strtoul(stack, NULL, 10);
        return options->ractor_stack != 0;
    }
    if (drawings != NULL) {
        options->drawings = drawings;
        return true;
    }
    return set_switch(argument, options) ||
           choose(argument, "--policy", policies, &options->mark_policy) ||
           choose(argument, "--mode", modes, &options->enforcement) ||
           choose(argument, "--walk", walks, &options->walk_mode);
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
        if (!set_option(arguments[first++], &options)) {
            fputs(usage, stderr);
            return 2;
        }
    }
    if (first < count && strcmp(arguments[first], "-e") == 0 && first + 1 == count) {
        fputs(usage, stderr);
        return 2;
    }
    Vm *vm = vm_new(&options);
    if (vm == NULL) {
        fputs("minivm: the vm can't be made\n", stderr);
        return 1;
    }
    bool done = run_program(vm_main_thread(vm), arguments + first);
    vm_free(vm);
    return done ? 0 : 1;
}
