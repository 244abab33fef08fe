#include "closure.h"

#include "condition.h"
#include "environment.h"

/* Other ractors' walks read what main owns, so main announces the change. */
static bool set_environment(Thread *thread, const Value *closure, const Value *environment)
{
    bool announced = thread->is_main;
    if (announced && !share_before_change(thread, *closure))
        return share_value_is_shareable(thread, *closure);
    store_field(&closure_of(*closure)->environment, *environment);
    store_field(&closure_of(*closure)->isolated, 1);
    if (announced)
        share_after_change(thread, *closure);
    return true;
}

bool closure_isolate(Thread *thread, Value value)
{
    if (closure_of(value)->isolated)
        return true;
    Value *scope = roots_open(thread);
    Value *closure = root(thread, value);
    Value flat =
        environment_flatten(thread, closure_of(value)->environment, closure_of(value)->body, false);
    bool isolated = flat != FAILED && set_environment(thread, closure, root(thread, flat));
    roots_close(thread, scope);
    return isolated;
}

/* How many parameters there are; `rest` becomes the symbol behind the dot, or NIL. */
static size_t count_parameters(Value parameters, Value *rest)
{
    size_t count = 0;
    for (; is_cons(parameters); parameters = cdr(parameters))
        count++;
    *rest = parameters;
    return count;
}

static Value list_of(Thread *thread, const Value *values, size_t count)
{
    Value list = NIL;
    while (count-- > 0 && list != FAILED)
        list = make_cons(thread, values[count], list);
    return list;
}

static Value raise_count(Thread *thread, const Closure *closure, size_t actual, size_t expected)
{
    const char *name = closure->name == NIL ? "procedure" : symbol_name(thread->vm, closure->name);
    return raise_format(thread, "argument-error", "%s: %zu arguments instead of %zu", name, actual,
                        expected);
}

/* The scope is complete before the next allocation. */
static Value fill_scope(Thread *thread, const Value *closure, const Value *arguments,
                        size_t expected, Value rest, Value extra)
{
    Value *scope = roots_open(thread);
    Value *kept = root(thread, extra);
    Value environment =
        make_environment(thread, closure_of(*closure)->environment, expected + (rest != NIL));
    if (environment != FAILED) {
        Pair *variables = environment_of(environment)->variables;
        Value parameters = closure_of(*closure)->parameters;
        for (size_t i = 0; i < expected; i++, parameters = cdr(parameters))
            variables[i] = (Pair){car(parameters), arguments[i]};
        if (rest != NIL)
            variables[expected] = (Pair){rest, *kept};
    }
    roots_close(thread, scope);
    return environment;
}

Value closure_bind(Thread *thread, const Value *closure, const Value *arguments, size_t count)
{
    Value rest = NIL;
    size_t expected = count_parameters(closure_of(*closure)->parameters, &rest);
    if (count < expected || (count > expected && rest == NIL))
        return raise_count(thread, closure_of(*closure), count, expected);
    if (expected == 0 && rest == NIL)
        return closure_of(*closure)->environment;
    Value extra = rest == NIL ? NIL : list_of(thread, arguments + expected, count - expected);
    if (extra == FAILED)
        return FAILED;
    return fill_scope(thread, closure, arguments, expected, rest, extra);
}
