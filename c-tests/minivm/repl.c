#include "repl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "condition.h"
#include "eval.h"
#include "printer.h"
#include "reader.h"

void repl_complain(Thread *thread, const char *before)
{
    char *text = vm_condition_text(thread, vm_condition(thread));
    fprintf(stderr, "%s%s\n", before, text == NULL ? "no memory" : text);
    free(text);
}

static void serve_until_input(Thread *thread)
{
    while (!vm_serve_until_input(thread, STDIN_FILENO))
        repl_complain(thread, "");
}

#if MINIVM_LINE_EDITING
#include <editline/readline.h>

static Thread *editing_thread;

/* Called again and again while nothing is typed. */
static int serve_while_editing(void)
{
    world_blocking_leave(editing_thread);
    serve_until_input(editing_thread);
    world_blocking_enter(editing_thread);
    return 0;
}

static void start_editing(Thread *thread)
{
    editing_thread = thread;
    rl_event_hook = serve_while_editing;
    using_history();
}

static char *edited_line(Thread *thread, const char *prompt)
{
    (void)thread;
    char *line = readline(prompt);
    if (line != NULL && *line != '\0')
        add_history(line);
    return line;
}
#else
static void start_editing(Thread *thread)
{
    (void)thread;
    puts("(built without libedit: lines can't be edited)");
}

static char *edited_line(Thread *thread, const char *prompt)
{
    fputs(prompt, stdout);
    fflush(stdout);
    world_blocking_leave(thread);
    serve_until_input(thread);
    world_blocking_enter(thread);
    char *line = NULL;
    size_t capacity = 0;
    if (getline(&line, &capacity, stdin) < 0) {
        free(line);
        return NULL;
    }
    line[strcspn(line, "\n")] = '\0';
    return line;
}
#endif

/* While the user thinks, other ractors may collect, and other processes are served. */
static char *next_line(Thread *thread, const char *prompt)
{
    world_blocking_enter(thread);
    char *line = edited_line(thread, prompt);
    world_blocking_leave(thread);
    return line;
}

/* True if the text so far holds no value that is only half there. */
static bool is_complete(Thread *thread, const char *text)
{
    Reader reader;
    Value value = NIL;
    if (!reader_start(&reader, thread, "terminal", text))
        return true;
    while (value != UNBOUND && value != FAILED)
        value = reader_next(&reader);
    if (value == FAILED)
        condition_take(thread);
    return !reader.incomplete;
}

static void eval_and_print(Thread *thread, const char *text)
{
    Value *scope = roots_open(thread);
    Value value = NIL;
    if (!vm_eval_string(thread, "terminal", text, &value)) {
        repl_complain(thread, "");
    } else {
        char *printed = vm_print_string(thread, value);
        puts(printed == NULL ? "" : printed);
        free(printed);
    }
    roots_close(thread, scope);
}

/* False at the end of input. */
static bool read_expression(Thread *thread, Text *text)
{
    const char *prompt = "> ";
    do {
        char *line = next_line(thread, prompt);
        if (line == NULL)
            return false;
        text_append(text, line);
        text_append(text, "\n");
        free(line);
        prompt = "  ";
    } while (!is_complete(thread, text->bytes));
    return true;
}

void repl_run(Thread *thread)
{
    start_editing(thread);
    for (;;) {
        Text text = text_start();
        bool more = read_expression(thread, &text);
        if (more)
            eval_and_print(thread, text.bytes);
        text_finish(&text);
        if (!more)
            return;
    }
}
