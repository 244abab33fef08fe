/*
 * autoshare_core.h: what CRuby's own files call, besides extensions.
 */

#ifndef AUTOSHARE_CORE_H
#define AUTOSHARE_CORE_H

#include "ruby/internal/config.h"
#include "ruby/ruby.h"

#include <stdint.h>

struct rb_ractor_struct;
struct st_table;

/* A string that C code holds a pointer into, to write there: STR_TMPLOCK of string.c. */
#define AUTOSHARE_STR_LOCKED FL_USER7

/* The kinds of places that ractors share: RS_SLOT_… of vmshare. */
enum autoshare_place {
    AUTOSHARE_CONSTANT = 1,
    AUTOSHARE_GLOBAL = 2,
    AUTOSHARE_CLASS_VARIABLE = 3,
    AUTOSHARE_CLASS_IVAR = 4,
};

/* Ractors besides main have existed, and autoshare is not off. */
extern bool rb_autoshare_active;

/* Main is about to assign `value` to a place. `klass` is 0 for globals. */
void rb_autoshare_assign(enum autoshare_place kind, VALUE klass, ID id, VALUE value);

static inline void rb_autoshare_assigned(enum autoshare_place kind, VALUE klass, ID id, VALUE value)
{
    if (RB_UNLIKELY(rb_autoshare_active)) {
        rb_autoshare_assign(kind, klass, id, value);
    }
}

/* A ractor besides main has read `value` from a place: whether it may use it. May share its graph.
 */
bool rb_autoshare_readable(enum autoshare_place kind, VALUE klass, ID id, VALUE value);

/* Raises, as rb_raise does, with the report of the access that rb_autoshare_readable refused. */
NORETURN(void rb_autoshare_raise(VALUE exception_class, const char *format, ...))
RBIMPL_ATTR_FORMAT(RBIMPL_PRINTF_FORMAT, 2, 3);
/* Adds to a FrozenError why the object is frozen, if autoshare knows. */
void rb_autoshare_annotate(VALUE exception, VALUE object);

/* A method is about to be defined on an object's singleton class. */
void rb_autoshare_modify_singleton(VALUE klass);
/* A ractor is about to move an object away. */
void rb_autoshare_move(VALUE object);

/* The life of ractors. */
void rb_autoshare_ractor_new(struct rb_ractor_struct *ractor);
void rb_autoshare_ractor_free(struct rb_ractor_struct *ractor);

/* Ractor.make_shareable: false if autoshare is off, and the caller does it. Raises if the graph
 * can't be shared; then nothing is frozen besides what user-defined `freeze` methods have frozen.
 */
bool rb_autoshare_make_shareable(VALUE object);
/* Whether a graph is frozen and shareable as it is: 1 or 0; -1 if autoshare is off. */
int rb_autoshare_shareable_p(VALUE object);

/* Whether a value is known to be shareable, without a look at what it refers to. */
bool rb_autoshare_known_shareable(VALUE value);

/* The collector: after marking, and when objects have moved. */
void rb_autoshare_gc_marked(void);
void rb_autoshare_gc_moved(void);

/* Around fork. */
void rb_autoshare_before_fork(void);
void rb_autoshare_after_fork(bool in_child);

void Init_autoshare(void);

/* Ractor::Error, of ractor.c. */
extern VALUE rb_eRactorError;

/* In other files of CRuby, since only they know the structs. */
bool rb_autoshare_marked_p(VALUE object);
void rb_autoshare_each_global(void (*visit)(ID id, VALUE value));
void rb_autoshare_st_words(const struct st_table *table, size_t index, VALUE *words, size_t count);

#endif
