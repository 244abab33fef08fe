/*
 * What a program can choose of a vm, as arguments of a command.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "minivm.h"
#include "vmshare.h"

const char vm_options_usage[] =
    "  --policy=first-ractor|on-assign   when graphs under slots are marked\n"
    "  --mode=enforce|warn|off           what a conflict leads to\n"
    "  --walk=concurrent|stopped         whether main runs on while a graph is shared\n"
    "  --provenance, --no-provenance     remember who wrote and read, and where\n"
    "  --verify                          look for writes that no check announced\n"
    "  --gc=normal|stress|moving|stress,moving\n"
    "  --ractor-stack=BYTES              C stack of a ractor's thread\n"
    "  --no-evacuation                   a child's objects end with it\n"
    "  --drawings=NAME                   (draw x) writes NAME-1.dot, NAME-2.dot ... too\n";

/* A list of these ends with one that has no text. */
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
static const Choice collectors[] = {{"normal", COLLECT_NORMALLY},
                                    {"stress", COLLECT_ALWAYS},
                                    {"moving", COLLECT_MOVING},
                                    {"stress,moving", COLLECT_ALWAYS | COLLECT_MOVING},
                                    {NULL, 0}};

static bool choose(const char *text, const Choice *choices, uint32_t *chosen)
{
    for (; choices->text != NULL; choices++) {
        if (strcmp(text, choices->text) == 0) {
            *chosen = choices->value;
            return true;
        }
    }
    return false;
}

static bool set_switch(VmOptions *options, const char *argument)
{
    if (strcmp(argument, "--provenance") == 0)
        options->provenance = true;
    else if (strcmp(argument, "--no-provenance") == 0)
        options->provenance = false;
    else if (strcmp(argument, "--verify") == 0)
        options->verify = true;
    else if (strcmp(argument, "--evacuation") == 0)
        options->evacuates = true;
    else if (strcmp(argument, "--no-evacuation") == 0)
        options->evacuates = false;
    else
        return false;
    return true;
}

static bool is_named(const char *argument, const char *name)
{
    size_t length = strlen(name);
    return strncmp(argument, name, length) == 0 && argument[length] == '=';
}

bool vm_set_option(VmOptions *options, const char *argument)
{
    const char *equals = strchr(argument, '=');
    if (equals == NULL)
        return set_switch(options, argument);
    const char *text = equals + 1;
    if (is_named(argument, "--policy"))
        return choose(text, policies, &options->mark_policy);
    if (is_named(argument, "--mode"))
        return choose(text, modes, &options->enforcement);
    if (is_named(argument, "--walk"))
        return choose(text, walks, &options->walk_mode);
    if (is_named(argument, "--gc"))
        return choose(text, collectors, &options->collector);
    if (is_named(argument, "--ractor-stack")) {
        options->ractor_stack = strtoul(text, NULL, 10);
        return options->ractor_stack != 0;
    }
    if (is_named(argument, "--link"))
        return sscanf(text, "%d,%d", &options->link_segment, &options->link_socket) == 2;
    if (is_named(argument, "--link-timeout")) {
        options->link_timeout = strtoull(text, NULL, 10);
        return true;
    }
    if (is_named(argument, "--drawings")) {
        options->drawings = text;
        return true;
    }
    return false;
}

VmOptions vm_default_options(void)
{
    VmOptions options = {
        .mark_policy = RS_MARK_ON_FIRST_RACTOR,
        .walk_mode = RS_WALK_CONCURRENT,
        .enforcement = RS_ENFORCE,
        .provenance = true,
        .link_segment = -1,
        .link_socket = -1,
        .evacuates = true,
    };
    const char *collector = getenv("MINIVM_GC");
    if (collector != NULL && !choose(collector, collectors, &options.collector))
        fprintf(stderr, "minivm: MINIVM_GC=%s is not understood\n", collector);
    return options;
}
