/* Goes to the end of gc.c, which alone knows the mark bits. */

#include "autoshare_core.h"

bool rb_autoshare_marked_p(VALUE object)
{
    return RVALUE_MARKED(object);
}
