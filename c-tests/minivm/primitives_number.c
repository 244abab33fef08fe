/*
 * Numbers: fixnums, and floats as soon as one is involved.
 */

#include <math.h>

#include "condition.h"
#include "primitives.h"

static bool is_number(Value value)
{
    return is_fixnum(value) || is_type(value, TYPE_FLOAT);
}

static double to_double(Value value)
{
    return is_fixnum(value) ? (double)fixnum_number(value) : float_number(value);
}

static bool check_numbers(Thread *thread, const Value *arguments, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!is_number(arguments[i])) {
            raise_type(thread, "number", arguments[i]);
            return false;
        }
    }
    return true;
}

static Value integer(Thread *thread, intptr_t number, bool overflow)
{
    if (overflow || number > FIXNUM_MAX || number < FIXNUM_MIN)
        return raise_format(thread, "range-error", "the integer is too big");
    return fixnum(number);
}

/* One step of `+ - *` on both kinds of numbers. */
static Value combine(Thread *thread, char operator, Value one, Value other)
{
    if (!is_fixnum(one) || !is_fixnum(other)) {
        double left = to_double(one), right = to_double(other);
        return make_float(thread, operator== '+' ? left + right :
                                  operator== '-' ? left - right
                                                 : left * right);
    }
    intptr_t left = fixnum_number(one), right = fixnum_number(other), result = 0;
    bool overflow = operator== '+' ? __builtin_add_overflow(left, right, &result) :
                    operator== '-' ? __builtin_sub_overflow(left, right, &result)
                                   : __builtin_mul_overflow(left, right, &result);
    return integer(thread, result, overflow);
}

/* The arguments' own places on the root stack serve for the intermediate results. */
static Value fold(Thread *thread, char operator, Value * arguments, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        arguments[0] = combine(thread, operator, arguments[0], arguments[i]);
        if (arguments[0] == FAILED)
            return FAILED;
    }
    return arguments[0];
}

Value add_numbers(Thread *thread, Value one, Value other)
{
    const Value numbers[] = {one, other};
    return check_numbers(thread, numbers, 2) ? combine(thread, '+', one, other) : FAILED;
}

static Value add(Thread *thread, Value *arguments, size_t count)
{
    if (!check_numbers(thread, arguments, count))
        return FAILED;
    return count == 0 ? fixnum(0) : fold(thread, '+', arguments, count);
}

static Value subtract(Thread *thread, Value *arguments, size_t count)
{
    if (!check_numbers(thread, arguments, count))
        return FAILED;
    return count == 1 ? combine(thread, '-', fixnum(0), arguments[0])
                      : fold(thread, '-', arguments, count);
}

static Value multiply(Thread *thread, Value *arguments, size_t count)
{
    if (!check_numbers(thread, arguments, count))
        return FAILED;
    return count == 0 ? fixnum(1) : fold(thread, '*', arguments, count);
}

static Value raise_zero(Thread *thread)
{
    return raise_format(thread, "range-error", "division by zero");
}

static Value divide(Thread *thread, Value *arguments, size_t count)
{
    if (!check_numbers(thread, arguments, count))
        return FAILED;
    if (!is_fixnum(arguments[0]) || !is_fixnum(arguments[1]))
        return make_float(thread, to_double(arguments[0]) / to_double(arguments[1]));
    if (fixnum_number(arguments[1]) == 0)
        return raise_zero(thread);
    return integer(thread, fixnum_number(arguments[0]) / fixnum_number(arguments[1]), false);
}

static Value modulo(Thread *thread, Value *arguments, size_t count)
{
    (void)count;
    for (size_t i = 0; i < 2; i++)
        if (!is_fixnum(arguments[i]))
            return raise_type(thread, "integer", arguments[i]);
    intptr_t divisor = fixnum_number(arguments[1]);
    if (divisor == 0)
        return raise_zero(thread);
    intptr_t rest = fixnum_number(arguments[0]) % divisor;
    return fixnum(rest != 0 && (rest < 0) != (divisor < 0) ? rest + divisor : rest);
}

/* -1, 0, 1, or 2 for numbers without an order. */
static int compare(Value one, Value other)
{
    if (is_fixnum(one) && is_fixnum(other))
        return (fixnum_number(one) > fixnum_number(other)) -
               (fixnum_number(one) < fixnum_number(other));
    double left = to_double(one), right = to_double(other);
    return left < right ? -1 : left > right ? 1 : left == right ? 0 : 2;
}

static Value compare_all(Thread *thread, const Value *arguments, size_t count, bool less,
                         bool equal, bool greater)
{
    if (!check_numbers(thread, arguments, count))
        return FAILED;
    for (size_t i = 0; i + 1 < count; i++) {
        int order = compare(arguments[i], arguments[i + 1]);
        if (!((order == -1 && less) || (order == 0 && equal) || (order == 1 && greater)))
            return NIL;
    }
    return TRUTH;
}

static Value equal(Thread *thread, Value *arguments, size_t count)
{
    return compare_all(thread, arguments, count, false, true, false);
}

static Value less(Thread *thread, Value *arguments, size_t count)
{
    return compare_all(thread, arguments, count, true, false, false);
}

static Value greater(Thread *thread, Value *arguments, size_t count)
{
    return compare_all(thread, arguments, count, false, false, true);
}

static Value at_most(Thread *thread, Value *arguments, size_t count)
{
    return compare_all(thread, arguments, count, true, true, false);
}

static Value at_least(Thread *thread, Value *arguments, size_t count)
{
    return compare_all(thread, arguments, count, false, true, true);
}

static Value truncate_number(Thread *thread, Value *arguments, size_t count)
{
    if (!check_numbers(thread, arguments, count))
        return FAILED;
    if (is_fixnum(arguments[0]))
        return arguments[0];
    double number = trunc(float_number(arguments[0]));
    bool fits = number > (double)FIXNUM_MIN && number < (double)FIXNUM_MAX;
    return integer(thread, fits ? (intptr_t)number : 0, !fits);
}

static Value test_number(Thread *thread, Value *arguments, size_t count)
{
    (void)thread, (void)count;
    return truth(is_number(arguments[0]));
}

static const Primitive primitives[] = {
    {"+", add, 0, ANY_NUMBER},
    {"-", subtract, 1, ANY_NUMBER},
    {"*", multiply, 0, ANY_NUMBER},
    {"/", divide, 2, 2},
    {"mod", modulo, 2, 2},
    {"=", equal, 1, ANY_NUMBER},
    {"<", less, 1, ANY_NUMBER},
    {">", greater, 1, ANY_NUMBER},
    {"<=", at_most, 1, ANY_NUMBER},
    {">=", at_least, 1, ANY_NUMBER},
    {"truncate", truncate_number, 1, 1},
    {"number?", test_number, 1, 1},
};

const PrimitiveTable number_primitives = {primitives, sizeof primitives / sizeof primitives[0]};
