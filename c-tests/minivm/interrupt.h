/*
 * interrupt.h: Ctrl-C. While main waits for another process it ends the wait; at other times it
 * ends the program, as it does without all this.
 */

#ifndef MINIVM_INTERRUPT_H
#define MINIVM_INTERRUPT_H

#include <stdbool.h>

/* The program's: from now on. */
void interrupts_catch(void);

/* Around a wait. Waits nest. */
void interrupt_wait_begin(void);
void interrupt_wait_end(void);

/* Whether an interrupt has come and was not taken before. */
bool interrupt_take(void);

#endif
