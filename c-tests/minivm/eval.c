#include "eval.h"

#include "closure.h"
#include "condition.h"
#include "environment.h"
#include "hash.h"
#include "primitives.h"
#include "ractor.h"
#include "record.h"
#include "remote.h"

bool stack_is_low(Thread *thread)
{
    return (uintptr_t)__builtin_frame_address(0) < thread->stack_limit || roots_are_low(thread, 0);
}

/* Raising needs some of both stacks, which the limits leave. */
Value raise_depth(Thread *thread)
{
    return raise_format(thread, "depth-error", "the evaluation is nested too deeply");
}

bool is_procedure(Value value)
{
    return is_primitive(value) || is_operation(value) || is_type(value, TYPE_CLOSURE);
}

static Value local_value(Thread *thread, Value name, Value value)
{
    if (value == FOREIGN)
        return raise_format(thread, "isolation-error",
                            "%s belongs to another ractor and is not shareable",
                            symbol_name(thread->vm, name));
    return value == UNBOUND ? raise_unbound(thread, name) : value;
}

static Value symbol_value(Thread *thread, Value name, Value environment)
{
    Place place = environment_find(environment, name);
    if (place.scope != NIL)
        return local_value(thread, name, *place_value(place));
    if (is_keyword(&thread->vm->symbols, name))
        return name;
    Variable *variable = variable_find(thread, name);
    return variable == NULL ? raise_unbound(thread, name) : variable_read(thread, variable);
}

/* `[a b]` evaluates its elements and makes a new vector. `form` stands on the root stack. */
static Value eval_vector(Thread *thread, const Value *form, Value *environment)
{
    size_t length = vector_of(*form)->length;
    Value *result = root(thread, make_vector(thread, length, NIL));
    for (size_t i = 0; *result != FAILED && i < length; i++) {
        Value value = eval(thread, vector_of(*form)->elements[i], *environment);
        if (value == FAILED)
            return FAILED;
        vector_of(*result)->elements[i] = value;
    }
    return *result;
}

/* `{a b}` evaluates keys and values and makes a new hash. `form` stands on the root stack. */
static Value eval_hash(Thread *thread, const Value *form, Value *environment)
{
    Value *result = root(thread, make_hash(thread, false, NIL));
    Value *key = root(thread, NIL);
    for (size_t i = 0; *result != FAILED && hash_entry(*form, i) != NULL; i++) {
        *key = eval(thread, hash_entry(*form, i)->key, *environment);
        if (*key == FAILED)
            return FAILED;
        Value value = eval(thread, hash_entry(*form, i)->value, *environment);
        if (value == FAILED || !hash_set(thread, *result, *key, value))
            return FAILED;
    }
    return *result;
}

/* A string in a program stands for a new string each time. */
static Value copy_string(Thread *thread, const String *string)
{
    return make_string(thread, string->bytes, string->length);
}

static Value eval_literal(Thread *thread, Value form, Value environment)
{
    if (is_type(form, TYPE_STRING))
        return copy_string(thread, string_of(form));
    bool is_vector = is_type(form, TYPE_VECTOR);
    if (!is_vector && !is_type(form, TYPE_HASH))
        return form;
    if (stack_is_low(thread))
        return raise_depth(thread);
    Value *scope = roots_open(thread);
    Value *kept = root(thread, form);
    Value *kept_environment = root(thread, environment);
    Value result = is_vector ? eval_vector(thread, kept, kept_environment)
                             : eval_hash(thread, kept, kept_environment);
    roots_close(thread, scope);
    return result;
}

static Value raise_arguments(Thread *thread, const char *name, size_t count)
{
    return raise_format(thread, "argument-error", "%s: wrong number of arguments (%zu)", name,
                        count);
}

static Value apply_primitive(Thread *thread, const Primitive *primitive, Value *arguments,
                             size_t count)
{
    if (count < primitive->minimum || count > primitive->maximum)
        return raise_arguments(thread, primitive->name, count);
    return primitive->function(thread, arguments, count);
}

static Value apply_closure(Thread *thread, Frame *frame, const Value *closure, Value *arguments,
                           size_t count)
{
    Value environment = closure_bind(thread, closure, arguments, count);
    if (environment == FAILED)
        return FAILED;
    *frame->environment = environment;
    return eval_body(thread, frame, closure_of(*closure)->body);
}

/* The procedure and its arguments stand on the root stack. */
static Value apply(Thread *thread, Frame *frame, const Value *procedure, Value *arguments,
                   size_t count)
{
    if (is_primitive(*procedure))
        return apply_primitive(thread, primitive_of(*procedure), arguments, count);
    if (is_operation(*procedure))
        return record_apply_operation(thread, *procedure, arguments, count);
    if (is_type(*procedure, TYPE_CLOSURE))
        return apply_closure(thread, frame, procedure, arguments, count);
    return remote_call(thread, *procedure, arguments, count);
}

static void note_site(Thread *thread, Value form)
{
    if (cons_of(form)->line != 0)
        thread->site = (Site){cons_of(form)->file, cons_of(form)->line};
}

static Value eval_call(Thread *thread, Frame *frame)
{
    Value *procedure = root(thread, eval(thread, car(*frame->form), *frame->environment));
    if (*procedure == FAILED)
        return FAILED;
    Value *rest = root(thread, cdr(*frame->form));
    Value *arguments = roots_open(thread);
    size_t count = 0;
    for (; is_cons(*rest); *rest = cdr(*rest), count++) {
        Value value = eval(thread, car(*rest), *frame->environment);
        if (value == FAILED)
            return FAILED;
        if (roots_are_low(thread, 1))
            return raise_depth(thread);
        root(thread, value);
    }
    note_site(thread, *frame->form);
    return apply(thread, frame, procedure, arguments, count);
}

static Value eval_step(Thread *thread, Frame *frame)
{
    if (!is_cons(*frame->form))
        return eval(thread, *frame->form, *frame->environment);
    note_site(thread, *frame->form);
    Value operator= car(*frame->form);
    SpecialForm special =
        is_symbol(operator) ? symbol_of(&thread->vm->symbols, operator)->special : NULL;
    return special != NULL ? special(thread, frame) : eval_call(thread, frame);
}

/* Steps until there is a value; each step's own roots go with it. */
static Value eval_frame(Thread *thread, Frame *frame)
{
    Value *scope = roots_open(thread);
    Site before = thread->site;
    Value result = TAIL;
    while (result == TAIL) {
        result = ractor_goes_on(thread) ? eval_step(thread, frame) : ractor_end(thread);
        roots_close(thread, scope);
    }
    thread->site = before;
    return result;
}

Value eval(Thread *thread, Value form, Value environment)
{
    if (is_symbol(form))
        return symbol_value(thread, form, environment);
    if (!is_object(form))
        return form;
    if (!is_cons(form))
        return eval_literal(thread, form, environment);
    if (stack_is_low(thread))
        return raise_depth(thread);
    Value *scope = roots_open(thread);
    Frame frame = {root(thread, form), root(thread, environment)};
    Value result = eval_frame(thread, &frame);
    roots_close(thread, scope);
    return result;
}

Value eval_body(Thread *thread, Frame *frame, Value body)
{
    if (!is_cons(body))
        return NIL;
    Value *rest = root(thread, body);
    for (; is_cons(cdr(*rest)); *rest = cdr(*rest))
        if (eval(thread, car(*rest), *frame->environment) == FAILED)
            return FAILED;
    *frame->form = car(*rest);
    return TAIL;
}

Value eval_sequence(Thread *thread, Value body, Value environment)
{
    Value *scope = roots_open(thread);
    Frame frame = {root(thread, NIL), root(thread, environment)};
    Value result = eval_body(thread, &frame, body);
    if (result == TAIL)
        result = eval_frame(thread, &frame);
    roots_close(thread, scope);
    return result;
}

Value call_procedure(Thread *thread, Value procedure, const Value *arguments, size_t count)
{
    if (stack_is_low(thread) || roots_are_low(thread, count))
        return raise_depth(thread);
    Value *scope = roots_open(thread);
    Frame frame = {root(thread, NIL), root(thread, NIL)};
    Value *kept = root(thread, procedure);
    Value *copies = roots_open(thread);
    for (size_t i = 0; i < count; i++)
        root(thread, arguments[i]);
    Value result = apply(thread, &frame, kept, copies, count);
    if (result == TAIL)
        result = eval_frame(thread, &frame);
    roots_close(thread, scope);
    return result;
}
