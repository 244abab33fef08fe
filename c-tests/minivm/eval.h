/*
 * eval.h: the evaluator. It walks the lists that the reader made. What goes wrong comes back as
 * FAILED, with a condition pending: there is no non-local exit, so no frame of the library is
 * ever left behind.
 *
 * Calls in tail position take no C stack: a step of the evaluation may return TAIL, and the frame
 * says what is to be evaluated next.
 */

#ifndef MINIVM_EVAL_H
#define MINIVM_EVAL_H

#include "object.h"
#include "symbol.h"

/* Both stand on the root stack. */
struct Frame {
    Value *form;
    Value *environment;
};

Value eval(Thread *thread, Value form, Value environment);

/* The values of a list of forms but the last, which becomes the frame's: TAIL. */
Value eval_body(Thread *thread, Frame *frame, Value body);

/* The last value of a list of forms. */
Value eval_sequence(Thread *thread, Value body, Value environment);

/* Calls a procedure; the arguments are copied first. */
Value call_procedure(Thread *thread, Value procedure, const Value *arguments, size_t count);

bool is_procedure(Value value);

/* FAILED with a depth-error pending if the C stack or the root stack is nearly used up. */
bool stack_is_low(Thread *thread);
Value raise_depth(Thread *thread);

/* Gives the special forms their names. */
bool special_forms_prepare(Vm *vm);

#endif
