/* Goes to the end of string.c, which alone names the bit. */

#include "autoshare_core.h"

STATIC_ASSERT(autoshare_str_locked, STR_TMPLOCK == AUTOSHARE_STR_LOCKED);
