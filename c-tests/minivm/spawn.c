#include "spawn.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Arguments of the command that starts a child: this program with the options that it was started
 * with itself, then those that make it a child. */
typedef struct Command {
    char program[4096];
    char link[64];
    char timeout[64];
    const char **arguments;
} Command;

static bool make_command(Command *command, const VmOptions *options, const rs_link_end *end,
                         const SpawnOptions *spawn)
{
    ssize_t length = readlink("/proc/self/exe", command->program, sizeof command->program - 1);
    command->arguments = calloc(options->arguments_count + 8, sizeof(char *));
    if (length < 0 || command->arguments == NULL)
        return false;
    command->program[length] = '\0';
    const char **next = command->arguments;
    *next++ = command->program;
    for (size_t i = 0; i < options->arguments_count; i++)
        *next++ = options->arguments[i];
    snprintf(command->link, sizeof command->link, "--link=%d,%d", end->segment, end->socket);
    *next++ = command->link;
    snprintf(command->timeout, sizeof command->timeout, "--link-timeout=%ju",
             (uintmax_t)spawn->timeout);
    *next++ = command->timeout;
    *next++ = spawn->evacuates ? "--evacuation" : "--no-evacuation";
    return true;
}

static void add_program(const Command *command, const Program *program)
{
    const char **next = command->arguments;
    while (*next != NULL)
        next++;
    *next++ = program->text == NULL ? program->file : "-e";
    *next = program->text;
}

/* Between fork and exec only what is safe in a signal handler may be called. */
static pid_t start(const Command *command, const rs_link_end *end)
{
    pid_t process = fork();
    if (process != 0)
        return process;
    if (rs_link_inherit(end) == RS_OK)
        execv(command->program, (char *const *)command->arguments);
    _exit(127);
}

pid_t spawn(const VmOptions *options, const SpawnOptions *of_child, const rs_link_end *end,
            const Program *program)
{
    Command command;
    if (!make_command(&command, options, end, of_child)) {
        errno = ENOMEM;
        return -1;
    }
    add_program(&command, program);
    pid_t process = start(&command, end);
    free(command.arguments);
    return process;
}
