/*
 * autoshare_places.h: the constants, globals, class variables and instance variables of classes
 * that ractors may share, each with its slot. The VM lock is held around every call.
 */

#ifndef AUTOSHARE_PLACES_H
#define AUTOSHARE_PLACES_H

#include "autoshare_core.h"
#include "vmshare.h"

/* The slot of a place, or RS_NO_SLOT. */
rs_slot rb_autoshare_find_slot(VALUE klass, ID id);
/* The same, which is made if it is not there; RS_NO_SLOT if memory runs out. */
rs_slot rb_autoshare_make_slot(rs_vm *vm, enum autoshare_place kind, VALUE klass, ID id);
/* Forgets the places of classes that the collector has not marked. */
void rb_autoshare_sweep_places(rs_vm *vm);
/* Classes have moved. */
void rb_autoshare_move_places(void);

#endif
