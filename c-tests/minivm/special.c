/*
 * The special forms: what does not evaluate all its arguments.
 */

#include <string.h>

#include "condition.h"
#include "environment.h"
#include "eval.h"
#include "ractor.h"
#include "record.h"

/* The form's argument at `index`, or NIL. */
static Value argument(const Frame *frame, size_t index)
{
    Value list = cdr(*frame->form);
    while (index-- > 0 && is_cons(list))
        list = cdr(list);
    return is_cons(list) ? car(list) : NIL;
}

/* What follows the first `count` arguments. */
static Value arguments_after(const Frame *frame, size_t count)
{
    Value list = cdr(*frame->form);
    while (count-- > 0 && is_cons(list))
        list = cdr(list);
    return list;
}

static Value raise_syntax(Thread *thread, const char *expected)
{
    return raise_format(thread, "syntax-error", "expected %s", expected);
}

static Value continue_with(Frame *frame, Value form)
{
    *frame->form = form;
    return TAIL;
}

static Value form_quote(Thread *thread, Frame *frame)
{
    (void)thread;
    return argument(frame, 0);
}

static Value form_if(Thread *thread, Frame *frame)
{
    Value condition = eval(thread, argument(frame, 0), *frame->environment);
    if (condition == FAILED)
        return FAILED;
    if (condition != NIL)
        return continue_with(frame, argument(frame, 1));
    return eval_body(thread, frame, arguments_after(frame, 2));
}

static Value form_cond(Thread *thread, Frame *frame)
{
    Value *clauses = root(thread, cdr(*frame->form));
    for (; is_cons(*clauses); *clauses = cdr(*clauses)) {
        if (!is_cons(car(*clauses)))
            return raise_syntax(thread, "(cond (CONDITION FORM...)...)");
        Value condition = eval(thread, car(car(*clauses)), *frame->environment);
        if (condition == FAILED)
            return FAILED;
        if (condition != NIL)
            return is_cons(cdr(car(*clauses))) ? eval_body(thread, frame, cdr(car(*clauses)))
                                               : condition;
    }
    return NIL;
}

static Value form_when(Thread *thread, Frame *frame)
{
    Value condition = eval(thread, argument(frame, 0), *frame->environment);
    if (condition == FAILED || condition == NIL)
        return condition;
    return eval_body(thread, frame, arguments_after(frame, 1));
}

static Value form_unless(Thread *thread, Frame *frame)
{
    Value condition = eval(thread, argument(frame, 0), *frame->environment);
    if (condition == FAILED)
        return FAILED;
    return condition != NIL ? NIL : eval_body(thread, frame, arguments_after(frame, 1));
}

static Value form_while(Thread *thread, Frame *frame)
{
    for (;;) {
        Value condition = eval(thread, argument(frame, 0), *frame->environment);
        if (condition == FAILED || condition == NIL)
            return condition;
        if (eval_sequence(thread, arguments_after(frame, 1), *frame->environment) == FAILED)
            return FAILED;
        if (!ractor_goes_on(thread))
            return ractor_end(thread);
    }
}

static Value form_begin(Thread *thread, Frame *frame)
{
    return eval_body(thread, frame, cdr(*frame->form));
}

static Value form_and(Thread *thread, Frame *frame)
{
    Value *rest = root(thread, cdr(*frame->form));
    if (!is_cons(*rest))
        return TRUTH;
    for (; is_cons(cdr(*rest)); *rest = cdr(*rest)) {
        Value value = eval(thread, car(*rest), *frame->environment);
        if (value == NIL || value == FAILED)
            return value;
    }
    return continue_with(frame, car(*rest));
}

static Value form_or(Thread *thread, Frame *frame)
{
    Value *rest = root(thread, cdr(*frame->form));
    if (!is_cons(*rest))
        return NIL;
    for (; is_cons(cdr(*rest)); *rest = cdr(*rest)) {
        Value value = eval(thread, car(*rest), *frame->environment);
        if (value != NIL)
            return value;
    }
    return continue_with(frame, car(*rest));
}

/* `(name form)` or `name`. */
static Value binding_name(Value binding)
{
    return is_cons(binding) ? car(binding) : binding;
}

static Value binding_value(Thread *thread, Value binding, Value environment)
{
    if (!is_cons(binding) || !is_cons(cdr(binding)))
        return NIL;
    return eval(thread, car(cdr(binding)), environment);
}

static Value raise_bindings(Thread *thread)
{
    return raise_syntax(thread, "(let ((NAME FORM)...) FORM...)");
}

/* The values are collected on the root stack, then the scope is made at once. */
static Value form_let(Thread *thread, Frame *frame)
{
    Value *bindings = root(thread, argument(frame, 0));
    Value *variables = roots_open(thread);
    for (; is_cons(*bindings); *bindings = cdr(*bindings)) {
        Value value = binding_value(thread, car(*bindings), *frame->environment);
        Value name = binding_name(car(*bindings));
        if (value == FAILED)
            return FAILED;
        if (!is_symbol(name))
            return raise_bindings(thread);
        root(thread, name);
        root(thread, value);
    }
    size_t count = (size_t)(thread->roots_top - variables) / 2;
    if (count > SCOPE_VARIABLES_MAX)
        return raise_bindings(thread);
    Value scope = make_environment(thread, *frame->environment, count);
    if (scope == FAILED)
        return FAILED;
    for (size_t i = 0; i < count; i++)
        environment_of(scope)->variables[i] = (Pair){variables[2 * i], variables[2 * i + 1]};
    *frame->environment = scope;
    return eval_body(thread, frame, arguments_after(frame, 1));
}

static bool bind_one(Thread *thread, Frame *frame, Value name, Value value)
{
    Value *kept = root(thread, value);
    Value scope = make_environment(thread, *frame->environment, 1);
    if (scope == FAILED)
        return false;
    environment_of(scope)->variables[0] = (Pair){name, *kept};
    *frame->environment = scope;
    return true;
}

static Value form_let_in_order(Thread *thread, Frame *frame)
{
    Value *bindings = root(thread, argument(frame, 0));
    for (; is_cons(*bindings); *bindings = cdr(*bindings)) {
        Value *scope = roots_open(thread);
        Value value = binding_value(thread, car(*bindings), *frame->environment);
        Value name = binding_name(car(*bindings));
        if (value == FAILED)
            return FAILED;
        if (!is_symbol(name))
            return raise_bindings(thread);
        if (!bind_one(thread, frame, name, value))
            return FAILED;
        roots_close(thread, scope);
    }
    return eval_body(thread, frame, arguments_after(frame, 1));
}

/* `(dotimes (name count) form...)` */
static Value form_dotimes(Thread *thread, Frame *frame)
{
    Value binding = argument(frame, 0);
    if (!is_cons(binding) || !is_symbol(car(binding)))
        return raise_syntax(thread, "(dotimes (NAME COUNT) FORM...)");
    Value count = binding_value(thread, binding, *frame->environment);
    if (count == FAILED)
        return FAILED;
    if (!is_fixnum(count))
        return raise_type(thread, "integer", count);
    Value *outer = root(thread, *frame->environment);
    for (intptr_t i = 0; i < fixnum_number(count); i++) {
        *frame->environment = *outer;
        Value *scope = roots_open(thread);
        if (!bind_one(thread, frame, car(argument(frame, 0)), fixnum(i)) ||
            eval_sequence(thread, arguments_after(frame, 1), *frame->environment) == FAILED)
            return FAILED;
        roots_close(thread, scope);
        if (!ractor_goes_on(thread))
            return ractor_end(thread);
    }
    return NIL;
}

static bool are_parameters(Value parameters)
{
    size_t count = 0;
    for (; is_cons(parameters) && is_symbol(car(parameters)); parameters = cdr(parameters))
        if (++count >= SCOPE_VARIABLES_MAX)
            return false;
    return parameters == NIL || is_symbol(parameters);
}

static Value form_lambda(Thread *thread, Frame *frame)
{
    if (!are_parameters(argument(frame, 0)))
        return raise_syntax(thread, "(lambda (NAME...) FORM...)");
    return make_closure(thread, NIL, argument(frame, 0), arguments_after(frame, 1),
                        *frame->environment);
}

static Value assign_at_top(Thread *thread, uint32_t kind, Value name, Value value)
{
    Value *kept = root(thread, value);
    Variable *variable = variable_define(thread, kind, name);
    if (variable == NULL || !variable_assign(thread, variable, *kept))
        return FAILED;
    return name;
}

/* A procedure's name is a constant, so other ractors may call it as soon as they may read it. */
static Value define_procedure(Thread *thread, Frame *frame)
{
    Value signature = argument(frame, 0);
    Value name = car(signature);
    if (!is_symbol(name) || !are_parameters(cdr(signature)))
        return raise_syntax(thread, "(define (NAME PARAMETER...) FORM...)");
    Value closure =
        make_closure(thread, name, cdr(signature), arguments_after(frame, 1), *frame->environment);
    return closure == FAILED ? FAILED : assign_at_top(thread, RS_SLOT_CONSTANT, name, closure);
}

static Value define_value(Thread *thread, Frame *frame, uint32_t kind)
{
    if (!is_symbol(argument(frame, 0)))
        return raise_syntax(thread, "a name");
    Value value = eval(thread, argument(frame, 1), *frame->environment);
    return value == FAILED ? FAILED : assign_at_top(thread, kind, argument(frame, 0), value);
}

static Value form_define(Thread *thread, Frame *frame)
{
    return is_cons(argument(frame, 0)) ? define_procedure(thread, frame)
                                       : define_value(thread, frame, RS_SLOT_GLOBAL);
}

static Value form_defglobal(Thread *thread, Frame *frame)
{
    return define_value(thread, frame, RS_SLOT_GLOBAL);
}

static Value form_defconst(Thread *thread, Frame *frame)
{
    return define_value(thread, frame, RS_SLOT_CONSTANT);
}

static Value assign_global(Thread *thread, Value name, Value value)
{
    Variable *variable = variable_find(thread, name);
    if (variable == NULL)
        return raise_unbound(thread, name);
    if (variable->kind != RS_SLOT_GLOBAL)
        return raise_format(thread, "constant-error", "%s is a constant",
                            symbol_name(thread->vm, name));
    return variable_assign(thread, variable, value) ? value : FAILED;
}

static Value form_set(Thread *thread, Frame *frame)
{
    Value name = argument(frame, 0);
    if (!is_symbol(name))
        return raise_syntax(thread, "(set! NAME FORM)");
    Value *value = root(thread, eval(thread, argument(frame, 1), *frame->environment));
    if (*value == FAILED)
        return FAILED;
    Place place = environment_find(*frame->environment, name);
    if (place.scope == NIL)
        return assign_global(thread, name, *value) == FAILED ? FAILED : *value;
    Value *scope = root(thread, place.scope);
    if (!may_write(thread, *scope))
        return FAILED;
    place.scope = *scope;
    store_field(place_value(place), *value);
    return *value;
}

/* The clause `(catch (NAME) FORM...)` at the end of a try form, or NIL. */
static Value catch_clause(Vm *vm, Value last)
{
    bool is_clause = is_cons(last) && is_symbol(car(last)) && is_cons(cdr(last)) &&
                     is_cons(car(cdr(last))) && is_symbol(car(car(cdr(last)))) &&
                     strcmp(symbol_name(vm, car(last)), "catch") == 0;
    return is_clause ? last : NIL;
}

static Value handle(Thread *thread, Frame *frame, Value clause)
{
    Value *kept = root(thread, clause);
    if (!bind_one(thread, frame, car(car(cdr(clause))), condition_take(thread)))
        return FAILED;
    return eval_body(thread, frame, cdr(cdr(*kept)));
}

static Value form_try(Thread *thread, Frame *frame)
{
    Value *rest = root(thread, cdr(*frame->form));
    Value value = NIL;
    for (; is_cons(*rest); *rest = cdr(*rest)) {
        if (catch_clause(thread->vm, car(*rest)) != NIL)
            return value;
        value = eval(thread, car(*rest), *frame->environment);
        if (value == FAILED)
            break;
    }
    for (; is_cons(*rest); *rest = cdr(*rest))
        if (catch_clause(thread->vm, car(*rest)) != NIL && !ractors_are_ending(thread->vm))
            return handle(thread, frame, car(*rest));
    return value;
}

static Value kind_of(Value condition)
{
    return is_type(condition, TYPE_RECORD) ? record_of(condition)->fields[CONDITION_KIND] : NIL;
}

/* `(assert-error kind form...)`: the forms must raise a condition of that kind, which is returned.
 * Any other condition goes on. */
static Value form_assert_error(Thread *thread, Frame *frame)
{
    Value *kind = root(thread, eval(thread, argument(frame, 0), *frame->environment));
    if (*kind == FAILED)
        return FAILED;
    if (eval_sequence(thread, arguments_after(frame, 1), *frame->environment) != FAILED)
        return raise_format(thread, "assertion-error", "no condition was raised");
    return kind_of(thread->condition) == *kind ? condition_take(thread) : FAILED;
}

static Value form_defrecord(Thread *thread, Frame *frame)
{
    Value name = argument(frame, 0);
    if (!is_symbol(name))
        return raise_syntax(thread, "(defrecord NAME FIELD...)");
    if (!thread->is_main)
        return raise_format(thread, "isolation-error", "only the main ractor may define records");
    return record_type_define(thread, name, arguments_after(frame, 1)) ? name : FAILED;
}

static Value form_defclass(Thread *thread, Frame *frame)
{
    Value name = argument(frame, 0);
    if (!is_symbol(name))
        return raise_syntax(thread, "(defclass NAME)");
    if (!thread->is_main)
        return raise_format(thread, "isolation-error", "only the main ractor may define classes");
    Value class = make_class(thread, name);
    return class == FAILED ? FAILED : assign_at_top(thread, RS_SLOT_CONSTANT, name, class);
}

/* `(ractor ["name"] form...)`, see ractor.h. */
static Value form_ractor(Thread *thread, Frame *frame)
{
    Value name = argument(frame, 0);
    bool is_named = is_type(name, TYPE_STRING);
    return ractor_start(thread, is_named ? name : NIL, arguments_after(frame, is_named ? 1 : 0),
                        *frame->environment);
}

bool special_forms_prepare(Vm *vm)
{
    static const struct {
        const char *name;
        SpecialForm function;
    } forms[] = {
        {"quote", form_quote},
        {"if", form_if},
        {"cond", form_cond},
        {"when", form_when},
        {"unless", form_unless},
        {"while", form_while},
        {"begin", form_begin},
        {"and", form_and},
        {"or", form_or},
        {"let", form_let},
        {"let*", form_let_in_order},
        {"dotimes", form_dotimes},
        {"lambda", form_lambda},
        {"define", form_define},
        {"defglobal", form_defglobal},
        {"defconst", form_defconst},
        {"set!", form_set},
        {"try", form_try},
        {"defrecord", form_defrecord},
        {"defclass", form_defclass},
        {"ractor", form_ractor},
        {"assert-error", form_assert_error},
    };
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        Value name = symbol_named(vm, forms[i].name);
        if (name == UNBOUND)
            return false;
        symbol_of(&vm->symbols, name)->special = forms[i].function;
    }
    return true;
}
