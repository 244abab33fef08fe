/*
 * autoshare_texts.h: what reports say of objects and of positions in a program: callbacks of
 * rs_host.
 */

#ifndef AUTOSHARE_TEXTS_H
#define AUTOSHARE_TEXTS_H

#include "vmshare.h"

void rb_autoshare_site(void *ctx, rs_site *site);
size_t rb_autoshare_describe(void *ctx, rs_value object, char *text, size_t size);
size_t rb_autoshare_label(void *ctx, rs_value object, uint64_t index, rs_value previous, char *text,
                          size_t size);
void rb_autoshare_warn(void *ctx, const rs_report *report);

#endif
