/*
 * record.h: types of records. A type is made by the main ractor and never changes; its operations
 * are immediates, so every ractor may call them. Its freeze hook is a constant like any other.
 *
 * A record whose type has a hook needs to be prepared: an explicit share runs the hook, which may
 * change the record, or raise. A later change makes it unprepared again.
 */

#ifndef MINIVM_RECORD_H
#define MINIVM_RECORD_H

#include "object.h"
#include "variable.h"

/* Of the types, at most so many are without operations: those that come from other processes. */
enum { RECORD_TYPES_MAX = 4096, RECORD_TYPES_ADOPTED_MAX = 1024 };

typedef struct RecordType {
    Value name;
    Variable *hook;
    size_t length;
    Value fields[];
} RecordType;

typedef struct RecordTypes {
    RecordType *types[RECORD_TYPES_MAX];
    uint32_t count;
    uint32_t adopted;
} RecordTypes;

enum Operation { MAKE_RECORD, TEST_RECORD, GET_FIELD, SET_FIELD };

RecordTypes *record_types_new(void);
void record_types_free(RecordTypes *types);

/* Main's: makes a type and binds make-NAME, NAME?, NAME-FIELD and set-NAME-FIELD!. `fields` is a
 * list of symbols. False: a condition is pending. */
bool record_type_define(Thread *thread, Value name, Value fields);

/* The number of the type of this name, or UINT32_MAX. */
uint32_t record_type_find(Vm *vm, Value name);

/* The number of the type of this name that has so many fields; the number `likely` is tried first.
 * If there is none, main makes one without operations, since nobody asked for their names.
 * UINT32_MAX with a condition pending. */
uint32_t record_type_find_or_adopt(Thread *thread, Value name, size_t length, uint32_t likely);

const char *record_type_name(Vm *vm, const Record *record);
const char *record_field_name(Vm *vm, const Record *record, size_t index);
/* The same by the name of the type; NULL if no type of that name has such a field. */
const char *record_field_of_type(Vm *vm, Value name, size_t index);

Value record_apply_operation(Thread *thread, Value operation, Value *arguments, size_t count);

/* Main's: `procedure` becomes the freeze hook of a type. */
bool record_type_set_hook(Thread *thread, uint32_t type, Value procedure);
bool record_needs_hook(Vm *vm, const Record *record);
bool record_run_hook(Thread *thread, Value record);

#endif
