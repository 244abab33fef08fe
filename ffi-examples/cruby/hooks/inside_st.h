/* Goes to the end of st.c, which alone knows what an entry looks like. (The parser includes st.c
 * once more, for itself.) */

#ifdef RUBY_EXPORT

#include "autoshare_core.h"

/* Copies keys and values, in turn, from the word with number `index` on. Entries that were deleted
 * have the undefined value. */
void rb_autoshare_st_words(const struct st_table *table, size_t index, VALUE *words, size_t count)
{
    for (size_t end = index + count; index < end; index++) {
        const st_table_entry *entry = &table->entries[index / 2];
        VALUE word = (VALUE)(index % 2 == 0 ? entry->key : entry->record);
        *words++ = DELETED_ENTRY_P(entry) ? Qundef : word;
    }
}

#endif
