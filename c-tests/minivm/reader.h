/*
 * reader.h: text to values.
 *
 *   1 -2 3.5     numbers                 "a\n"        strings
 *   name :key    symbols, keywords       nil t        the two truth values
 *   (a b . c)    lists                   'x           (quote x)
 *   [a b]        vectors                 {k v ...}    hashes
 *   ; comment to the end of the line
 */

#ifndef MINIVM_READER_H
#define MINIVM_READER_H

#include "vm.h"

typedef struct Reader {
    Thread *thread;
    const char *next;
    Site site;
    int depth;
    /* The text ended in the middle of a value. */
    bool incomplete;
} Reader;

/* `text` stays the caller's and must not be part of the heap. */
bool reader_start(Reader *reader, Thread *thread, const char *file, const char *text);

/* The next value; UNBOUND at the end of the text; FAILED. */
Value reader_next(Reader *reader);

#endif
