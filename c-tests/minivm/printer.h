/*
 * printer.h: values as text. Big, deep and circular ones are cut: `...` stands for the rest.
 * Nothing here allocates in the heap.
 */

#ifndef MINIVM_PRINTER_H
#define MINIVM_PRINTER_H

#include "object.h"
#include "text.h"

/* As the reader would read it: strings in quotes. */
void print_readably(Vm *vm, Text *text, Value value);

/* For people: a string's own bytes. */
void print_plainly(Vm *vm, Text *text, Value value);

/* As `print_readably`, without leaving anything out, down to the depth that the reader can read.
 * False: there is more than that. */
bool print_wholly(Vm *vm, Text *text, Value value);

/* At most some words, for reports and drawings. */
void print_briefly(Vm *vm, Text *text, Value value);

/* What kind of thing it is: "cons", or the name of a record's type. */
const char *print_type(Vm *vm, Value value);

#endif
