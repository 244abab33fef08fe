/*
 * autoshare_host.h: CRuby as vmshare sees it.
 */

#ifndef AUTOSHARE_HOST_H
#define AUTOSHARE_HOST_H

#include "autoshare_core.h"
#include "vmshare.h"

/* What the walk under way, or the next one, is for: it decides what can be shared. One at a time,
 * under the VM lock. */
typedef enum Purpose {
    /* Another ractor reads a place, or main assigns one: nothing is frozen that its program might
     * miss, such as a file. */
    PURPOSE_AUTOSHARE,
    /* Ractor.make_shareable: whatever CRuby lets it freeze. */
    PURPOSE_SHARE,
    /* Ractor.shareable?: what is frozen. */
    PURPOSE_ASK,
} Purpose;

/* Describes CRuby, with what RUBY_AUTOSHARE says. */
rs_host rb_autoshare_host(uint32_t enforcement, uint32_t options);
/* Before each call that may walk: forgets what was known of classes, whose methods may have
 * changed. */
void rb_autoshare_begin_walk(Purpose purpose);

/* The callback `children`. */
rs_status rb_autoshare_children(void *ctx, rs_value object, rs_visitor *visitor);
/* How many children of an object are its instance variables: those that are numbered first. */
uint64_t rb_autoshare_count_ivars(VALUE object);

/* What Ractor.make_shareable must do before the graph can be shared: an array of them, or 0. The
 * collector is off from the walk to this call. */
VALUE rb_autoshare_take_unprepared(void);
/* Prepares one of them: runs user code, may raise. */
void rb_autoshare_prepare(VALUE object);

#endif
