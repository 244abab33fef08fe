/*
 * repl.h: reading expressions from a terminal and printing their values, until the end of input.
 */

#ifndef MINIVM_REPL_H
#define MINIVM_REPL_H

#include "minivm.h"

void repl_run(Thread *thread);

/* Prints a condition that nobody caught. */
void repl_complain(Thread *thread, const char *before);

#endif
