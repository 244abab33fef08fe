#include "autoshare_places.h"

#include <stdlib.h>

#include "internal/gc.h"
#include "internal/variable.h"
#include "ruby/st.h"

typedef struct Place {
    /* 0 for a global. */
    VALUE klass;
    ID id;
    rs_slot slot;
} Place;

static st_table *places;

static int differ(st_data_t left, st_data_t right)
{
    const Place *first = (const Place *)left;
    const Place *second = (const Place *)right;
    return first->klass != second->klass || first->id != second->id;
}

/* By name alone: a class may move, and few classes have the same names. */
static st_index_t hash(st_data_t place)
{
    return rb_hash_start((st_index_t)((const Place *)place)->id);
}

static const struct st_hash_type type = {differ, hash};

rs_slot rb_autoshare_find_slot(VALUE klass, ID id)
{
    Place wanted = {klass, id, RS_NO_SLOT};
    st_data_t found;
    if (places == NULL || !st_lookup(places, (st_data_t)&wanted, &found)) {
        return RS_NO_SLOT;
    }
    return ((const Place *)found)->slot;
}

/* With the collector off, which else might visit the table while it grows. */
static void insert(Place *place)
{
    if (places == NULL) {
        places = st_init_table(&type);
    }
    st_insert(places, (st_data_t)place, (st_data_t)place);
}

/* What the library's reports put before the name: the class that a constant is in. */
static rs_status new_slot(rs_vm *vm, enum autoshare_place kind, VALUE klass, ID id, rs_slot *slot)
{
    const char *name = rb_id2name(id);
    if (kind == AUTOSHARE_GLOBAL || (kind == AUTOSHARE_CONSTANT && klass == rb_cObject)) {
        return rs_slot_new(vm, kind, name, NULL, slot);
    }
    VALUE path = rb_class_path(klass);
    if (kind != AUTOSHARE_CONSTANT) {
        return rs_slot_new(vm, kind, name, RSTRING_PTR(path), slot);
    }
    VALUE full = rb_sprintf("%" PRIsVALUE "::%s", path, name);
    rs_status status = rs_slot_new(vm, kind, RSTRING_PTR(full), NULL, slot);
    RB_GC_GUARD(full);
    return status;
}

rs_slot rb_autoshare_make_slot(rs_vm *vm, enum autoshare_place kind, VALUE klass, ID id)
{
    rs_slot slot = rb_autoshare_find_slot(klass, id);
    if (slot != RS_NO_SLOT) {
        return slot;
    }
    Place *place = malloc(sizeof *place);
    if (place == NULL || new_slot(vm, kind, klass, id, &slot) != RS_OK) {
        free(place);
        return RS_NO_SLOT;
    }
    *place = (Place){klass, id, slot};
    insert(place);
    return slot;
}

static int sweep(st_data_t key, st_data_t value, st_data_t vm)
{
    (void)key;
    Place *place = (Place *)value;
    if (place->klass == 0 || rb_autoshare_marked_p(place->klass)) {
        return ST_CONTINUE;
    }
    rs_slot_free((rs_vm *)vm, place->slot);
    free(place);
    return ST_DELETE;
}

void rb_autoshare_sweep_places(rs_vm *vm)
{
    if (places != NULL) {
        st_foreach(places, sweep, (st_data_t)vm);
    }
}

static int move(st_data_t key, st_data_t value, st_data_t unused)
{
    (void)key;
    (void)unused;
    Place *place = (Place *)value;
    if (place->klass != 0) {
        place->klass = rb_gc_location(place->klass);
    }
    return ST_CONTINUE;
}

void rb_autoshare_move_places(void)
{
    if (places != NULL) {
        st_foreach(places, move, 0);
    }
}
