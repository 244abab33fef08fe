/*
 * operation.h: what a peer asks this process to do with its objects: what the Lisp's own primitives
 * would do, with their checks.
 */

#ifndef MINIVM_OPERATION_H
#define MINIVM_OPERATION_H

#include "object.h"
#include "vmshare.h"

/* The library's callback. */
rs_status operation_carry_out(void *context, rs_link link, rs_value target,
                              const rs_operation *operation, rs_value *result);

/* Element `index` of a cons, a vector or a record. FAILED if there is none. */
Value element_at(Thread *thread, Value object, uint64_t index);
/* The same, with the write check. */
bool element_set(Thread *thread, Value object, uint64_t index, Value element);

/* Sets the element if it is the very object `elements[0]`, to `elements[1]`. What was there. */
Value element_exchange(Thread *thread, Value object, uint64_t index, const Value *elements);

/* What the Lisp prints, of at most so many bytes: a frozen string, which peers get as such. */
Value print_for_peer(Thread *thread, Value target, uint64_t limit);

/* Adds to the number that the element is. The sum. */
Value element_add(Thread *thread, Value object, uint64_t index, Value number);

#endif
