#include "record.h"

#include <stdlib.h>
#include <string.h>

#include "condition.h"
#include "eval.h"
#include "remote.h"
#include "text.h"
#include "vm.h"

/* The content of an operation's immediate: 2 bits what, 12 bits type, then the field. */
static Value operation_value(enum Operation what, uint32_t type, size_t field)
{
    return tagged((uintptr_t)what | (uintptr_t)type << 2 | (uintptr_t)field << 14, OPERATION_TAG);
}

RecordTypes *record_types_new(void)
{
    return calloc(1, sizeof(RecordTypes));
}

void record_types_free(RecordTypes *types)
{
    for (uint32_t i = 0; types != NULL && i < types->count; i++)
        free(types->types[i]);
    free(types);
}

/* Names and fields are symbols; hooks are variables, which the collector visits by themselves. */
static RecordType *type_at(Vm *vm, uint32_t type)
{
    return __atomic_load_n(&vm->record_types->types[type], __ATOMIC_ACQUIRE);
}

uint32_t record_type_find(Vm *vm, Value name)
{
    for (uint32_t i = vm->record_types->count; i-- > 0;)
        if (type_at(vm, i)->name == name)
            return i;
    return UINT32_MAX;
}

const char *record_type_name(Vm *vm, const Record *record)
{
    return symbol_name(vm, type_at(vm, record->record_type)->name);
}

const char *record_field_name(Vm *vm, const Record *record, size_t index)
{
    return symbol_name(vm, type_at(vm, record->record_type)->fields[index]);
}

const char *record_field_of_type(Vm *vm, Value name, size_t index)
{
    uint32_t type = record_type_find(vm, name);
    if (type == UINT32_MAX || index >= type_at(vm, type)->length)
        return NULL;
    return symbol_name(vm, type_at(vm, type)->fields[index]);
}

static bool bind_operation(Thread *thread, enum Operation what, uint32_t type, size_t field,
                           const char *prefix, const char *suffix)
{
    const RecordType *record_type = type_at(thread->vm, type);
    Text name = text_start();
    text_append(&name, prefix);
    text_append(&name, symbol_name(thread->vm, record_type->name));
    if (what == GET_FIELD || what == SET_FIELD)
        text_format(&name, "-%s", symbol_name(thread->vm, record_type->fields[field]));
    text_append(&name, suffix);
    bool bound = variable_provide(thread->vm, name.bytes, operation_value(what, type, field));
    text_finish(&name);
    return bound;
}

static bool bind_operations(Thread *thread, uint32_t type)
{
    bool bound = bind_operation(thread, MAKE_RECORD, type, 0, "make-", "") &&
                 bind_operation(thread, TEST_RECORD, type, 0, "", "?");
    for (size_t i = 0; bound && i < type_at(thread->vm, type)->length; i++)
        bound = bind_operation(thread, GET_FIELD, type, i, "", "") &&
                bind_operation(thread, SET_FIELD, type, i, "set-", "!");
    return bound;
}

static RecordType *make_type(Value name, Value fields, size_t length)
{
    RecordType *type = calloc(1, sizeof(RecordType) + length * sizeof(Value));
    if (type == NULL)
        return NULL;
    type->name = name;
    type->length = length;
    for (size_t i = 0; i < length; i++, fields = cdr(fields))
        type->fields[i] = car(fields);
    return type;
}

static size_t count_symbols(Value list)
{
    size_t count = 0;
    for (; is_cons(list) && is_symbol(car(list)); list = cdr(list))
        count++;
    return list == NIL ? count : SIZE_MAX;
}

bool record_type_define(Thread *thread, Value name, Value fields)
{
    RecordTypes *types = thread->vm->record_types;
    size_t length = count_symbols(fields);
    if (length > RECORD_FIELDS_MAX || types->count == RECORD_TYPES_MAX) {
        raise_format(thread, "argument-error", "a record has up to %d fields, named by symbols",
                     RECORD_FIELDS_MAX);
        return false;
    }
    RecordType *type = make_type(name, fields, length);
    if (type == NULL) {
        raise_memory(thread);
        return false;
    }
    __atomic_store_n(&types->types[types->count], type, __ATOMIC_RELEASE);
    return bind_operations(thread, types->count++);
}

static bool is_type_of(Vm *vm, uint32_t type, Value name, size_t length)
{
    return type < vm->record_types->count && type_at(vm, type)->name == name &&
           type_at(vm, type)->length == length;
}

static uint32_t raise_types(Thread *thread, Value name)
{
    raise_format(thread, "limit-error", "no place for another type of records: %s",
                 symbol_name(thread->vm, name));
    return UINT32_MAX;
}

/* The fields are called by their numbers. */
static uint32_t adopt_type(Thread *thread, Value name, size_t length)
{
    RecordTypes *types = thread->vm->record_types;
    if (!thread->is_main || types->count == RECORD_TYPES_MAX ||
        types->adopted == RECORD_TYPES_ADOPTED_MAX)
        return raise_types(thread, name);
    RecordType *type = calloc(1, sizeof(RecordType) + length * sizeof(Value));
    for (size_t i = 0; type != NULL && i < length; i++) {
        char number[24];
        snprintf(number, sizeof number, "%zu", i);
        type->fields[i] = symbol_named(thread->vm, number);
    }
    if (type == NULL) {
        raise_memory(thread);
        return UINT32_MAX;
    }
    type->name = name;
    type->length = length;
    types->adopted++;
    __atomic_store_n(&types->types[types->count], type, __ATOMIC_RELEASE);
    return types->count++;
}

uint32_t record_type_find_or_adopt(Thread *thread, Value name, size_t length, uint32_t likely)
{
    if (is_type_of(thread->vm, likely, name, length))
        return likely;
    for (uint32_t i = thread->vm->record_types->count; i-- > 0;)
        if (is_type_of(thread->vm, i, name, length))
            return i;
    return adopt_type(thread, name, length);
}

static bool is_record(Value value, uint32_t type)
{
    return is_type(value, TYPE_RECORD) && record_of(value)->record_type == type;
}

static Value check_record(Thread *thread, uint32_t type, Value value)
{
    if (is_record(value, type))
        return value;
    return raise_type(thread, symbol_name(thread->vm, type_at(thread->vm, type)->name), value);
}

static Value set_field(Thread *thread, Value *arguments, size_t field)
{
    if (!may_write(thread, arguments[0]))
        return FAILED;
    Record *record = record_of(arguments[0]);
    store_field(&record->prepared, 0);
    store_field(&record->fields[field], arguments[1]);
    return arguments[1];
}

Value record_apply_operation(Thread *thread, Value operation, Value *arguments, size_t count)
{
    static const size_t arguments_of[] = {[TEST_RECORD] = 1, [GET_FIELD] = 1, [SET_FIELD] = 2};
    uintptr_t content = tagged_content(operation);
    enum Operation what = content & 3;
    uint32_t type = content >> 2 & (RECORD_TYPES_MAX - 1);
    size_t field = content >> 14;
    size_t expected = what == MAKE_RECORD ? type_at(thread->vm, type)->length : arguments_of[what];
    if (count != expected)
        return raise_format(thread, "argument-error", "%s: %zu arguments instead of %zu",
                            symbol_name(thread->vm, type_at(thread->vm, type)->name), count,
                            expected);
    if (what == MAKE_RECORD)
        return make_record(thread, type, arguments, count);
    if (what == TEST_RECORD)
        return truth(is_record(arguments[0], type) ||
                     remote_is_record(arguments[0], type_at(thread->vm, type)->name));
    if (remote_is_record(arguments[0], type_at(thread->vm, type)->name))
        return what == GET_FIELD ? remote_field(thread, arguments[0], field)
                                 : remote_set_field(thread, arguments[0], field, &arguments[1]);
    if (check_record(thread, type, arguments[0]) == FAILED)
        return FAILED;
    return what == GET_FIELD ? record_of(arguments[0])->fields[field]
                             : set_field(thread, arguments, field);
}

bool record_type_set_hook(Thread *thread, uint32_t number, Value procedure)
{
    RecordType *type = type_at(thread->vm, number);
    Value *scope = roots_open(thread);
    Value *kept = root(thread, procedure);
    Text name = text_start();
    text_format(&name, "on-freeze %s", symbol_name(thread->vm, type->name));
    Value symbol = symbol_intern(&thread->vm->symbols, name.bytes, name.length);
    text_finish(&name);
    Variable *hook = symbol == UNBOUND ? NULL : variable_define(thread, RS_SLOT_CONSTANT, symbol);
    bool assigned = hook != NULL && variable_assign(thread, hook, *kept);
    if (assigned)
        __atomic_store_n(&type->hook, hook, __ATOMIC_RELEASE);
    roots_close(thread, scope);
    return assigned;
}

bool record_needs_hook(Vm *vm, const Record *record)
{
    const RecordType *type = type_at(vm, record->record_type);
    return __atomic_load_n(&type->hook, __ATOMIC_ACQUIRE) != NULL &&
           load_field(&record->prepared) == 0;
}

bool record_run_hook(Thread *thread, Value value)
{
    if (!record_needs_hook(thread->vm, record_of(value)))
        return true;
    Variable *hook = type_at(thread->vm, record_of(value)->record_type)->hook;
    Value *scope = roots_open(thread);
    Value *record = root(thread, value);
    Value procedure = variable_read(thread, hook);
    bool done = procedure != FAILED && call_procedure(thread, procedure, record, 1) != FAILED;
    if (done)
        store_field(&record_of(*record)->prepared, 1);
    roots_close(thread, scope);
    return done;
}
