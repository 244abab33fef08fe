#include "reader.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "condition.h"
#include "hash.h"
#include "text.h"

#define NESTING_MAX 400

static Value read_value(Reader *reader);

bool reader_start(Reader *reader, Thread *thread, const char *file, const char *text)
{
    Value name = symbol_named(thread->vm, file);
    *reader = (Reader){.thread = thread, .next = text};
    reader->site = (Site){name == UNBOUND ? 0 : (uint32_t)tagged_content(name), 1};
    return name != UNBOUND;
}

static Value raise_syntax(Reader *reader, const char *message)
{
    reader->thread->site = reader->site;
    return raise_format(reader->thread, "syntax-error", "%s", message);
}

static Value raise_incomplete(Reader *reader)
{
    reader->incomplete = true;
    return raise_syntax(reader, "the text ends in the middle of a value");
}

static void skip_blanks(Reader *reader)
{
    for (;; reader->next++) {
        if (*reader->next == ';')
            reader->next += strcspn(reader->next, "\n");
        if (*reader->next == '\0' || strchr(" \t\r\n", *reader->next) == NULL)
            return;
        if (*reader->next == '\n')
            reader->site.line++;
    }
}

static bool read_escape(Reader *reader, Text *text)
{
    static const char escapes[] = "n\nt\tr\r\"\"\\\\0";
    for (const char *escape = escapes; *escape != '0'; escape += 2) {
        if (*reader->next == escape[0]) {
            text_append_bytes(text, escape + 1, 1);
            reader->next++;
            return true;
        }
    }
    return false;
}

static Value read_string_into(Reader *reader, Text *text)
{
    for (reader->next++; *reader->next != '"';) {
        if (*reader->next == '\0')
            return raise_incomplete(reader);
        if (*reader->next == '\\') {
            reader->next++;
            if (!read_escape(reader, text))
                return *reader->next == '\0' ? raise_incomplete(reader)
                                             : raise_syntax(reader, "unknown escape in a string");
            continue;
        }
        if (*reader->next == '\n')
            reader->site.line++;
        text_append_bytes(text, reader->next++, 1);
    }
    reader->next++;
    return make_string(reader->thread, text->bytes, text->length);
}

static Value read_string(Reader *reader)
{
    Text text = text_start();
    Value string = read_string_into(reader, &text);
    text_finish(&text);
    return string;
}

static Value read_float(Reader *reader, const char *start, const char *end)
{
    char *stop;
    double number = strtod(start, &stop);
    bool looks_like_number = strspn(start, "+-.0123456789eE") >= (size_t)(end - start);
    return stop == end && looks_like_number ? make_float(reader->thread, number) : UNBOUND;
}

/* UNBOUND if it is no number. */
static Value read_number(Reader *reader, const char *start, const char *end)
{
    bool has_digit = strcspn(start, "0123456789") < (size_t)(end - start);
    if (!has_digit || strchr("+-.0123456789", *start) == NULL)
        return UNBOUND;
    char *stop;
    errno = 0;
    long long number = strtoll(start, &stop, 10);
    if (stop != end || errno != 0 || number > FIXNUM_MAX || number < FIXNUM_MIN)
        return read_float(reader, start, end);
    return fixnum((intptr_t)number);
}

static Value read_atom(Reader *reader)
{
    const char *start = reader->next;
    size_t length = strcspn(start, " \t\r\n()[]{}\";'");
    reader->next += length;
    Value number = read_number(reader, start, reader->next);
    if (number != UNBOUND)
        return number;
    if (length == 3 && memcmp(start, "nil", 3) == 0)
        return NIL;
    if (length == 1 && *start == 't')
        return TRUTH;
    Value symbol = symbol_intern(&reader->thread->vm->symbols, start, length);
    return symbol == UNBOUND ? raise_memory(reader->thread) : symbol;
}

static Value cons_at(Reader *reader, Site site, Value first, Value rest)
{
    Value cons = make_cons(reader->thread, first, rest);
    if (cons != FAILED) {
        cons_of(cons)->file = site.file;
        cons_of(cons)->line = site.line;
    }
    return cons;
}

/* True at the closing character, which is skipped. */
static bool at_end(Reader *reader, char closing)
{
    skip_blanks(reader);
    if (*reader->next != closing)
        return false;
    reader->next++;
    return true;
}

static bool at_dot(const Reader *reader)
{
    return reader->next[0] == '.' && strchr(" \t\r\n(", reader->next[1]) != NULL;
}

static Value read_tail(Reader *reader, const Value *head, const Value *last)
{
    reader->next++;
    Value tail = read_value(reader);
    if (tail == FAILED)
        return FAILED;
    cons_of(*last)->cdr = tail;
    return at_end(reader, ')') ? *head : raise_syntax(reader, "expected ) after the dotted tail");
}

static Value read_list(Reader *reader)
{
    Value *head = root(reader->thread, NIL);
    Value *last = root(reader->thread, NIL);
    Site site = reader->site;
    reader->next++;
    while (!at_end(reader, ')')) {
        if (*last != NIL && at_dot(reader))
            return read_tail(reader, head, last);
        Value value = read_value(reader);
        Value cons = value == FAILED ? FAILED : cons_at(reader, site, value, NIL);
        if (cons == FAILED)
            return FAILED;
        if (*last == NIL)
            *head = cons;
        else
            cons_of(*last)->cdr = cons;
        *last = cons;
        skip_blanks(reader);
        site = reader->site;
    }
    return *head;
}

static Value read_vector(Reader *reader)
{
    Value *vector = root(reader->thread, make_vector(reader->thread, 0, NIL));
    reader->next++;
    while (*vector != FAILED && !at_end(reader, ']')) {
        Value value = read_value(reader);
        if (value == FAILED || !vector_push(reader->thread, *vector, value))
            return FAILED;
    }
    return *vector;
}

static Value read_hash(Reader *reader)
{
    Value *hash = root(reader->thread, make_hash(reader->thread, false, NIL));
    Value *key = root(reader->thread, NIL);
    reader->next++;
    while (*hash != FAILED && !at_end(reader, '}')) {
        *key = read_value(reader);
        Value value = *key == FAILED ? FAILED : read_value(reader);
        if (value == FAILED || !hash_set(reader->thread, *hash, *key, value))
            return FAILED;
    }
    return *hash;
}

static Value read_quote(Reader *reader)
{
    Site site = reader->site;
    reader->next++;
    Value *quoted = root(reader->thread, read_value(reader));
    if (*quoted == FAILED)
        return FAILED;
    *quoted = cons_at(reader, site, *quoted, NIL);
    Value name = symbol_named(reader->thread->vm, "quote");
    return *quoted == FAILED ? FAILED : cons_at(reader, site, name, *quoted);
}

static Value read_any(Reader *reader)
{
    switch (*reader->next) {
    case '\0':
        return raise_incomplete(reader);
    case '(':
        return read_list(reader);
    case '[':
        return read_vector(reader);
    case '{':
        return read_hash(reader);
    case '"':
        return read_string(reader);
    case '\'':
        return read_quote(reader);
    case ')':
    case ']':
    case '}':
        reader->next++;
        return raise_syntax(reader, "a closing bracket without an opening one");
    default:
        return read_atom(reader);
    }
}

static Value read_value(Reader *reader)
{
    skip_blanks(reader);
    if (reader->depth == NESTING_MAX)
        return raise_syntax(reader, "brackets are nested too deeply");
    Value *scope = roots_open(reader->thread);
    reader->depth++;
    Value value = read_any(reader);
    reader->depth--;
    roots_close(reader->thread, scope);
    return value;
}

Value reader_next(Reader *reader)
{
    skip_blanks(reader);
    return *reader->next == '\0' ? UNBOUND : read_value(reader);
}
