/* Goes to the end of st.c, which alone knows what an entry looks like. (The parser includes st.c
 * once more, for itself.) */

#ifdef RUBY_EXPORT

#include "autoshare_core.h"

bool rb_autoshare_st_entry(const struct st_table *table, size_t index, VALUE *key, VALUE *value)
{
    const st_table_entry *entry = &table->entries[index];
    if (DELETED_ENTRY_P(entry)) {
        return false;
    }
    *key = (VALUE)entry->key;
    *value = (VALUE)entry->record;
    return true;
}

#endif
