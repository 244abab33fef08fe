#include "autoshare_texts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "autoshare_host.h"
#include "internal.h"
#include "internal/object.h"
#include "internal/struct.h"
#include "internal/vm.h"
#include "ruby/st.h"
#include "shape.h"

/* Names of files, for ever: a string of Ruby's may be collected before a report is read. */
typedef struct FileName {
    struct FileName *next;
    char text[];
} FileName;

#define FILE_NAME_BUCKETS 256
static FileName *file_names[FILE_NAME_BUCKETS];

static const char *keep_file_name(const char *text)
{
    size_t size = strlen(text) + 1;
    FileName **bucket = &file_names[st_hash(text, size, 0) % FILE_NAME_BUCKETS];
    for (FileName *name = *bucket; name != NULL; name = name->next) {
        if (strcmp(name->text, text) == 0) {
            return name->text;
        }
    }
    FileName *name = malloc(sizeof *name + size);
    if (name == NULL) {
        return NULL;
    }
    memcpy(name->text, text, size);
    name->next = *bucket;
    *bucket = name;
    return name->text;
}

void rb_autoshare_site(void *ctx, rs_site *site)
{
    (void)ctx;
    int line = 0;
    const char *file = rb_source_location_cstr(&line);
    site->file = file == NULL ? NULL : keep_file_name(file);
    site->line = line > 0 ? (uint32_t)line : 0;
}

static size_t written(int length, size_t size)
{
    return length < 0 ? 0 : (size_t)length < size ? (size_t)length : size;
}

/* A class always has its class: its name can be read at any time. */
size_t rb_autoshare_describe(void *ctx, rs_value object, char *text, size_t size)
{
    (void)ctx;
    VALUE klass = RBASIC_CLASS(object);
    VALUE path = klass == 0 ? Qnil : rb_class_path_cached(rb_class_real(klass));
    return written(NIL_P(path) ? snprintf(text, size, "an object")
                               : snprintf(text, size, "#<%s>", RSTRING_PTR(path)),
                   size);
}

static size_t label_ivar(VALUE object, uint64_t index, char *text, size_t size)
{
    rb_shape_t *shape = rb_shape_get_shape(object);
    while (shape != NULL && shape->type != SHAPE_ROOT) {
        if (shape->type == SHAPE_IVAR && shape->next_iv_index == index + 1) {
            return written(snprintf(text, size, ".%s", rb_id2name(shape->edge_name)), size);
        }
        shape = rb_shape_get_parent(shape);
    }
    return written(snprintf(text, size, ".@"), size);
}

static size_t label_key(VALUE key, char *text, size_t size)
{
    if (FIXNUM_P(key)) {
        return written(snprintf(text, size, "[%ld]", FIX2LONG(key)), size);
    }
    if (RB_STATIC_SYM_P(key)) {
        return written(snprintf(text, size, "[:%s]", rb_id2name(SYM2ID(key))), size);
    }
    /* A hash has frozen copies of strings as its keys. */
    if (!SPECIAL_CONST_P(key) && BUILTIN_TYPE(key) == T_STRING && RB_OBJ_FROZEN_RAW(key)) {
        return written(snprintf(text, size, "[\"%.*s\"]", (int)RSTRING_LEN(key), RSTRING_PTR(key)),
                       size);
    }
    return written(snprintf(text, size, "[...]"), size);
}

static size_t label_value(VALUE object, uint64_t index, VALUE previous, char *text, size_t size)
{
    switch (BUILTIN_TYPE(object)) {
    case T_HASH:
        if (index == 0) {
            return written(snprintf(text, size, ".default_proc"), size);
        }
        return index % 2 == 0 ? label_key(previous, text, size)
                              : written(snprintf(text, size, ".key"), size);
    case T_STRUCT: {
        VALUE members = rb_struct_members(object);
        if (index < (uint64_t)RARRAY_LEN(members)) {
            ID id = SYM2ID(RARRAY_AREF(members, (long)index));
            return written(snprintf(text, size, ".%s", rb_id2name(id)), size);
        }
        break;
    }
    case T_ARRAY:
        return written(snprintf(text, size, "[%llu]", (unsigned long long)index), size);
    default:
        break;
    }
    return written(snprintf(text, size, ".(%llu)", (unsigned long long)index), size);
}

size_t rb_autoshare_label(void *ctx, rs_value object, uint64_t index, rs_value previous, char *text,
                          size_t size)
{
    (void)ctx;
    uint64_t ivars = rb_autoshare_count_ivars(object);
    return index < ivars ? label_ivar(object, index, text, size)
                         : label_value(object, index - ivars, previous, text, size);
}

void rb_autoshare_warn(void *ctx, const rs_report *report)
{
    (void)ctx;
    fprintf(stderr, "%s\n", report->text);
}
