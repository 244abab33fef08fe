#include "environment.h"

#include "condition.h"
#include "hash.h"

#define CODE_DEPTH_MAX 500
#define CODE_SIZE_MAX 1000000

Place environment_find(Value environment, Value name)
{
    for (; environment != NIL; environment = environment_of(environment)->parent) {
        const Environment *scope = environment_of(environment);
        for (size_t i = 0; i < scope->words / 2; i++)
            if (scope->variables[i].name == name)
                return (Place){environment, i};
    }
    return (Place){NIL, 0};
}

/* A search that can't be finished answers yes: then a variable too many is captured. */
typedef struct Search {
    Value name;
    int depth;
    long budget;
} Search;

static bool occurs(Search *search, Value code);

static bool occurs_inside(Search *search, Value code)
{
    switch (object_type(code)) {
    case TYPE_CONS:
        for (; is_cons(code); code = cdr(code))
            if (search->budget-- == 0 || occurs(search, car(code)))
                return true;
        return occurs(search, code);
    case TYPE_VECTOR:
        for (size_t i = 0; i < vector_of(code)->length; i++)
            if (occurs(search, vector_of(code)->elements[i]))
                return true;
        return false;
    case TYPE_HASH: {
        const HashEntry *entry;
        for (size_t i = 0; (entry = hash_entry(code, i)) != NULL; i++)
            if (occurs(search, entry->key) || occurs(search, entry->value))
                return true;
        return false;
    }
    default:
        return false;
    }
}

static bool occurs(Search *search, Value code)
{
    if (!is_object(code))
        return code == search->name;
    if (search->depth == 0 || search->budget <= 0)
        return true;
    search->depth--;
    bool found = occurs_inside(search, code);
    search->depth++;
    return found;
}

static bool is_collected(const Value *names, const Value *end, Value name)
{
    for (; names < end; names += 2)
        if (*names == name)
            return true;
    return false;
}

static Value seen_by_ractor(Thread *thread, Value value)
{
    return share_value_is_shareable(thread, value) ? value : FOREIGN;
}

/* Puts name and value of each variable on the root stack. */
static void collect_variables(Thread *thread, Value environment, Value code, bool for_ractor)
{
    const Value *names = thread->roots_top;
    for (; environment != NIL; environment = environment_of(environment)->parent) {
        const Environment *scope = environment_of(environment);
        for (size_t i = 0; i < scope->words / 2; i++) {
            Pair variable = scope->variables[i];
            Search search = {variable.name, CODE_DEPTH_MAX, CODE_SIZE_MAX};
            if (roots_are_low(thread, 0) || is_collected(names, thread->roots_top, variable.name) ||
                !occurs(&search, code))
                continue;
            root(thread, variable.name);
            root(thread, for_ractor ? seen_by_ractor(thread, variable.value) : variable.value);
        }
    }
}

Value environment_flatten(Thread *thread, Value environment, Value code, bool for_ractor)
{
    Value *variables = roots_open(thread);
    collect_variables(thread, environment, code, for_ractor);
    size_t count = (size_t)(thread->roots_top - variables) / 2;
    if (count > SCOPE_VARIABLES_MAX) {
        roots_close(thread, variables);
        return raise_format(thread, "range-error", "a procedure may capture %d variables",
                            SCOPE_VARIABLES_MAX);
    }
    Value flat = count == 0 ? NIL : make_environment(thread, NIL, count);
    for (size_t i = 0; flat != FAILED && i < count; i++)
        environment_of(flat)->variables[i] = (Pair){variables[2 * i], variables[2 * i + 1]};
    roots_close(thread, variables);
    return flat;
}
