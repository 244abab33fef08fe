/*
 * autoshare.h: the test before each write, for CRuby and its extensions. Part of ruby.h, by way of
 * internal/intern/error.h (edits.py).
 */

#ifndef RUBY_AUTOSHARE_H
#define RUBY_AUTOSHARE_H

#include "ruby/internal/attr/cold.h"
#include "ruby/internal/config.h"
#include "ruby/internal/dllexport.h"
#include "ruby/internal/fl_type.h"
#include "ruby/internal/stdbool.h"
#include "ruby/internal/value.h"

RBIMPL_SYMBOL_EXPORT_BEGIN()

/* The one flag bit that CRuby has to spare: "may be shared, ask before a write". */
#define RUBY_FL_AUTOSHARE RUBY_FL_UNUSED6

/* Before a write, if rb_autoshare_must_check says so: returns if the object may be written, raises
 * if not. Costs nothing until then: the test is the one for frozen objects, with a wider mask. */
RBIMPL_ATTR_COLD()
void rb_autoshare_check_frozen(VALUE object);

/* The same of what is known to be on the heap. */
static inline bool rb_autoshare_must_check_heap(VALUE object)
{
    return RB_FL_ANY_RAW(object, (VALUE)RUBY_FL_FREEZE | (VALUE)RUBY_FL_AUTOSHARE);
}

static inline bool rb_autoshare_must_check(VALUE object)
{
    return !RB_FL_ABLE(object) || rb_autoshare_must_check_heap(object);
}

RBIMPL_SYMBOL_EXPORT_END()

#endif
