/*
 * equality.h: comparing and hashing values by content. Neither recurses.
 */

#ifndef MINIVM_EQUALITY_H
#define MINIVM_EQUALITY_H

#include "object.h"

/* UNDECIDED: the comparison was given up: the values are too big, or refer to themselves. */
enum Equality { DIFFERENT, EQUAL, UNDECIDED };

/* Numbers, strings, conses and vectors are equal if they look the same; anything else if it is the
 * same object. Never allocates in the heap. */
enum Equality values_equal(Value one, Value other);

/* Equal values have equal hashes. Looks only at the beginning of lists and vectors. */
uint64_t equality_hash(Value value);

#endif
