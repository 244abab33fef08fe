#include "text.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char empty[1];

Text text_start(void)
{
    return (Text){.bytes = empty};
}

void text_finish(Text *text)
{
    if (text->capacity != 0)
        free(text->bytes);
    *text = text_start();
}

static bool make_room(Text *text, size_t length)
{
    size_t needed = text->length + length + 1;
    if (needed <= text->capacity)
        return true;
    char *bytes = realloc(text->capacity == 0 ? NULL : text->bytes, needed * 2);
    if (bytes == NULL)
        return false;
    text->bytes = bytes;
    text->capacity = needed * 2;
    return true;
}

void text_append_bytes(Text *text, const char *bytes, size_t length)
{
    if (!make_room(text, length))
        return;
    memcpy(text->bytes + text->length, bytes, length);
    text->length += length;
    text->bytes[text->length] = '\0';
}

void text_append(Text *text, const char *addition)
{
    text_append_bytes(text, addition, strlen(addition));
}

void text_format(Text *text, const char *format, ...)
{
    char line[1024];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    if (length > 0)
        text_append_bytes(text, line,
                          (size_t)length < sizeof line ? (size_t)length : sizeof line - 1);
}
