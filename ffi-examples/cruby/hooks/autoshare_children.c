/*
 * Which objects an object refers to: the callback `children` of rs_host.
 */

#include <string.h>

#include "autoshare_host.h"
#include "internal.h"
#include "internal/complex.h"
#include "internal/gc.h"
#include "internal/hash.h"
#include "internal/object.h"
#include "internal/proc.h"
#include "internal/rational.h"
#include "internal/struct.h"
#include "internal/variable.h"
#include "shape.h"
#include "variable.h"

/* Where an object's children are, in the order in which they are numbered: its instance variables,
 * then what its type holds. */
typedef struct Children {
    const VALUE *ivars;
    size_t ivars_count;
    /* Instead of `ivars`, for objects with too many shapes. */
    const st_table *ivar_table;
    VALUE first;
    size_t first_count;
    const VALUE *values;
    size_t values_count;
    const st_table *table;
} Children;

static size_t table_values(const st_table *table)
{
    return table == NULL ? 0 : 2 * (size_t)table->entries_bound;
}

static void find_ivars(VALUE object, Children *children)
{
    bool is_complex = RBASIC_SHAPE_ID(object) == OBJ_TOO_COMPLEX_SHAPE_ID;
    struct gen_ivtbl *generic;
    if (BUILTIN_TYPE(object) == T_OBJECT) {
        if (is_complex) {
            children->ivar_table = ROBJECT_IV_HASH(object);
            return;
        }
        children->ivars = ROBJECT_IVPTR(object);
        children->ivars_count = ROBJECT_IV_COUNT(object);
    } else if (FL_TEST_RAW(object, FL_EXIVAR) && rb_gen_ivtbl_get(object, 0, &generic)) {
        if (is_complex) {
            children->ivar_table = generic->as.complex.table;
            return;
        }
        children->ivars = generic->as.shape.ivptr;
        children->ivars_count = generic->as.shape.numiv;
    }
}

#define AR_TABLE_BOUND(hash)                                                                       \
    ((RBASIC(hash)->flags & RHASH_AR_TABLE_BOUND_MASK) >> RHASH_AR_TABLE_BOUND_SHIFT)

static void find_values(VALUE object, Children *children)
{
    switch (BUILTIN_TYPE(object)) {
    case T_ARRAY:
        children->values = RARRAY_CONST_PTR(object);
        children->values_count = (size_t)RARRAY_LEN(object);
        break;
    case T_HASH:
        children->first = RHASH_IFNONE(object);
        children->first_count = 1;
        if (RHASH_ST_TABLE_P(object)) {
            children->table = RHASH_ST_TABLE(object);
        } else {
            children->values = (const VALUE *)RHASH_AR_TABLE(object)->pairs;
            children->values_count = 2 * (size_t)AR_TABLE_BOUND(object);
        }
        break;
    case T_STRUCT:
        children->values = RSTRUCT_CONST_PTR(object);
        children->values_count = (size_t)RSTRUCT_LEN(object);
        break;
    case T_RATIONAL:
        children->values = &RRATIONAL(object)->num;
        children->values_count = 2;
        break;
    case T_COMPLEX:
        children->values = &RCOMPLEX(object)->real;
        children->values_count = 2;
        break;
    default:
        break;
    }
}

/* A walk's position among the children of an object. */
typedef struct Position {
    rs_visitor *visitor;
    /* The number of the next child to come. */
    uint64_t next;
} Position;

/* Offers one child; false if there is no room for more. */
static bool offer(Position *position, VALUE child)
{
    position->next++;
    if (rs_visit(position->visitor, child)) {
        return true;
    }
    position->visitor->cursor = position->next;
    return false;
}

/* Where to begin in a part of `count` children: those before were visited already. */
static size_t skip(Position *position, size_t count)
{
    uint64_t begin = position->visitor->cursor;
    size_t visited = begin > position->next ? (size_t)(begin - position->next) : 0;
    visited = visited < count ? visited : count;
    position->next += visited;
    return visited;
}

/* How many children of a part of `count`, from the one numbered `begin` on, there is room for. */
static size_t fitting(const Position *position, size_t begin, size_t count)
{
    size_t room = (size_t)(position->visitor->limit - position->visitor->next);
    return count - begin < room ? count - begin : room;
}

/* So many children were just written; false if they are fewer than wanted. */
static bool advance(Position *position, size_t written, size_t wanted)
{
    position->visitor->next += written;
    position->next += written;
    if (written < wanted) {
        position->visitor->cursor = position->next;
    }
    return written == wanted;
}

static bool offer_values(Position *position, const VALUE *values, size_t count)
{
    size_t begin = skip(position, count);
    size_t now = fitting(position, begin, count);
    memcpy(position->visitor->next, values + begin, now * sizeof *values);
    return advance(position, now, count - begin);
}

static bool offer_table(Position *position, const st_table *table)
{
    size_t count = table_values(table);
    size_t begin = skip(position, count);
    size_t now = fitting(position, begin, count);
    rb_autoshare_st_words(table, begin, position->visitor->next, now);
    return advance(position, now, count - begin);
}

typedef struct Reachable {
    Position position;
    bool is_full;
} Reachable;

static void offer_reachable(VALUE object, void *data)
{
    Reachable *reachable = data;
    if (!reachable->is_full && skip(&reachable->position, 1) == 0) {
        reachable->is_full = !offer(&reachable->position, object);
    }
}

/* What an extension's object holds only its own mark function knows. A block that is to be isolated
 * gets other variables then. */
static bool offer_data(Position *position, VALUE object)
{
    if (rb_obj_is_proc(object)) {
        return true;
    }
    Reachable reachable = {*position, false};
    rb_objspace_reachable_objects_from(object, offer_reachable, &reachable);
    *position = reachable.position;
    return !reachable.is_full;
}

static rs_status offer_all(VALUE object, rs_visitor *visitor)
{
    Children all = {0};
    Position position = {visitor, 0};
    find_ivars(object, &all);
    find_values(object, &all);
    bool whole = offer_values(&position, all.ivars, all.ivars_count) &&
                 offer_table(&position, all.ivar_table) &&
                 offer_values(&position, &all.first, all.first_count) &&
                 offer_values(&position, all.values, all.values_count) &&
                 offer_table(&position, all.table) &&
                 (BUILTIN_TYPE(object) != T_DATA || offer_data(&position, object));
    return whole ? RS_OK : RS_MORE;
}

/* The children of what most objects are, if they lie in one row: instance variables, members of a
 * struct, the pairs of a small hash (behind its default). False if not. */
static bool find_row(VALUE object, const VALUE **values, size_t *count)
{
    if (BUILTIN_TYPE(object) == T_OBJECT) {
        *values = ROBJECT_IVPTR(object);
        *count = ROBJECT_IV_COUNT(object);
        return RBASIC_SHAPE_ID(object) != OBJ_TOO_COMPLEX_SHAPE_ID;
    }
    if (FL_TEST_RAW(object, FL_EXIVAR)) {
        return false;
    }
    if (BUILTIN_TYPE(object) == T_HASH && RHASH_AR_TABLE_P(object)) {
        *values = (const VALUE *)RHASH_AR_TABLE(object)->pairs;
        *count = 2 * (size_t)AR_TABLE_BOUND(object);
        return true;
    }
    if (BUILTIN_TYPE(object) == T_STRUCT) {
        *values = RSTRUCT_CONST_PTR(object);
        *count = (size_t)RSTRUCT_LEN(object);
        return true;
    }
    return false;
}

rs_status rb_autoshare_children(void *ctx, rs_value object, rs_visitor *visitor)
{
    (void)ctx;
    const VALUE *values;
    size_t count;
    if (visitor->cursor != 0 || !find_row(object, &values, &count) ||
        count >= (size_t)(visitor->limit - visitor->next)) {
        return offer_all(object, visitor);
    }
    if (BUILTIN_TYPE(object) == T_HASH) {
        *visitor->next++ = RHASH_IFNONE(object);
    }
    for (size_t index = 0; index < count; index++) {
        *visitor->next++ = values[index];
    }
    return RS_OK;
}

uint64_t rb_autoshare_count_ivars(VALUE object)
{
    Children all = {0};
    find_ivars(object, &all);
    return all.ivars_count + table_values(all.ivar_table);
}
