/* Goes to the end of variable.c, which alone knows the table of globals. */

#include "autoshare_core.h"

/* Globals that are no more than a variable: those with a getter of their own answer as before. */
static bool is_plain_global(const struct rb_global_entry *entry)
{
    return entry->var->getter == rb_gvar_val_getter;
}

static enum rb_id_table_iterator_result visit_global(ID id, VALUE data, void *visit)
{
    const struct rb_global_entry *entry = (const struct rb_global_entry *)data;
    if (is_plain_global(entry) && !entry->ractor_local) {
        ((void (*)(ID, VALUE))visit)(id, (VALUE)entry->var->data);
    }
    return ID_TABLE_CONTINUE;
}

void rb_autoshare_each_global(void (*visit)(ID id, VALUE value))
{
    rb_id_table_foreach(rb_global_tbl, visit_global, (void *)visit);
}

static bool autoshare_read_global(ID id, VALUE *value)
{
    VALUE data;
    bool found = false;
    RB_VM_LOCK_ENTER();
    if (rb_id_table_lookup(rb_global_tbl, id, &data)) {
        const struct rb_global_entry *entry = (const struct rb_global_entry *)data;
        found = is_plain_global(entry) && !entry->ractor_local;
        *value = (VALUE)entry->var->data;
    }
    RB_VM_LOCK_LEAVE();
    if (!found) {
        return false;
    }
    if (!rb_autoshare_readable(AUTOSHARE_GLOBAL, 0, id, *value)) {
        rb_autoshare_raise(rb_eRactorIsolationError,
                           "can not access global variables %s from non-main Ractors",
                           rb_id2name(id));
    }
    return true;
}
