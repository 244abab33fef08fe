/*
 * text.h: a string that grows, outside of the heap. When memory runs out it stops growing.
 */

#ifndef MINIVM_TEXT_H
#define MINIVM_TEXT_H

#include <stddef.h>

/* `bytes` always ends with a NUL, which `length` leaves out. */
typedef struct Text {
    char *bytes;
    size_t length;
    size_t capacity;
} Text;

Text text_start(void);
void text_finish(Text *text);

void text_append(Text *text, const char *addition);
void text_append_bytes(Text *text, const char *bytes, size_t length);
void text_format(Text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
