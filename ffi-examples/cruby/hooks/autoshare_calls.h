/*
 * autoshare_calls.h: how the files of autoshare call the library.
 */

#ifndef AUTOSHARE_CALLS_H
#define AUTOSHARE_CALLS_H

#include "autoshare_core.h"
#include "autoshare_host.h"
#include "vmshare.h"

/* NULL until it is needed; ends with the process. */
extern rs_vm *rb_autoshare_vm;
/* The hidden variable of an exception with the lines of its report. */
extern ID rb_autoshare_id_report;

/* Makes the vm if there is none. False if autoshare is off. */
bool rb_autoshare_open(void);
/* RS_OPTION_... that the environment asks for. */
uint32_t rb_autoshare_options(void);

typedef struct Inside {
    unsigned int level;
    VALUE was_disabled;
} Inside;

/* Around calls: the VM lock is held and the collector off. Nothing is raised in between. */
Inside rb_autoshare_enter(Purpose purpose);
void rb_autoshare_leave(Inside inside);

/* The ractor that calls. */
rs_ractor rb_autoshare_current(void);
/* Takes an object from A to B, if it may be written. */
rs_status rb_autoshare_check(VALUE object);
/* Why the ractor that calls was last refused something. */
rs_report rb_autoshare_last_report(void);
/* Raises for a status that is neither RS_OK nor an outcome. */
NORETURN(void rb_autoshare_raise_failure(rs_status status));

#endif
