#include "interrupt.h"

#include <signal.h>
#include <stddef.h>
#include <string.h>

static volatile sig_atomic_t waits;
static volatile sig_atomic_t has_come;

static void on_interrupt(int number)
{
    if (waits != 0) {
        has_come = 1;
        return;
    }
    signal(number, SIG_DFL);
    raise(number);
}

/* Without SA_RESTART, so that poll returns. */
void interrupts_catch(void)
{
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = on_interrupt;
    sigaction(SIGINT, &action, NULL);
}

void interrupt_wait_begin(void)
{
    if (waits == 0)
        has_come = 0;
    waits = waits + 1;
}

void interrupt_wait_end(void)
{
    waits = waits - 1;
}

bool interrupt_take(void)
{
    bool came = has_come != 0;
    has_come = 0;
    return came;
}
