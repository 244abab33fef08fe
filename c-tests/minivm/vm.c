#include "vm.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "condition.h"
#include "eval.h"
#include "primitives.h"
#include "ractor.h"
#include "reader.h"
#include "record.h"

/* What stays free of a thread's C stack for the library, primitives and conditions. */
#define STACK_RESERVE ((size_t)192 << 10)

static _Thread_local Thread *current;

Thread *thread_current(void)
{
    return current;
}

static uintptr_t find_stack_limit(void)
{
    pthread_attr_t attributes;
    void *lowest = NULL;
    size_t size = 0;
    if (pthread_getattr_np(pthread_self(), &attributes) != 0)
        return 0;
    pthread_attr_getstack(&attributes, &lowest, &size);
    pthread_attr_destroy(&attributes);
    return (uintptr_t)lowest + (size / 2 < STACK_RESERVE ? size / 2 : STACK_RESERVE);
}

static bool make_root_stack(Thread *thread)
{
    thread->roots = mmap(NULL, ROOTS_COUNT * sizeof(Value), PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (thread->roots == MAP_FAILED)
        return false;
    thread->roots_top = thread->roots;
    thread->roots_limit = thread->roots + ROOTS_COUNT;
    return true;
}

Thread *thread_enter(Vm *vm, rs_ractor id, Ractor *ractor)
{
    Thread *thread = calloc(1, sizeof *thread);
    if (thread == NULL || !make_root_stack(thread)) {
        free(thread);
        return NULL;
    }
    thread->vm = vm;
    thread->id = id;
    thread->ractor = ractor;
    thread->condition = NIL;
    thread->stack_limit = find_stack_limit();
    current = thread;
    world_join(thread);
    return thread;
}

void thread_leave(Thread *thread)
{
    heap_release_allocator(&thread->vm->heap, &thread->allocator);
    world_part(thread);
    munmap(thread->roots, ROOTS_COUNT * sizeof(Value));
    free(thread);
    current = NULL;
}

static bool enter_main(Vm *vm, rs_ractor id)
{
    Ractor *ractor = ractor_new(vm, id, "main");
    if (ractor != NULL)
        vm->main_thread = thread_enter(vm, id, ractor);
    if (vm->main_thread != NULL)
        vm->main_thread->is_main = true;
    return vm->main_thread != NULL;
}

static bool prepare_language(Vm *vm)
{
    return special_forms_prepare(vm) && primitives_prepare(vm) &&
           conditions_prepare(vm->main_thread);
}

static void free_memory(Vm *vm)
{
    variables_finish(&vm->variables);
    record_types_free(vm->record_types);
    ractors_free(vm->ractors);
    links_free(&vm->links);
    symbols_finish(&vm->symbols);
    world_finish(&vm->world);
    free(vm);
}

Vm *vm_new(const VmOptions *options)
{
    Vm *vm = calloc(1, sizeof *vm);
    if (vm == NULL)
        return NULL;
    vm->options = *options;
    links_prepare(&vm->links);
    world_prepare(&vm->world);
    vm->record_types = record_types_new();
    vm->ractors = ractors_new();
    bool has_tables =
        symbols_prepare(&vm->symbols) && vm->record_types != NULL && vm->ractors != NULL;
    if (!has_tables || !heap_prepare(&vm->heap)) {
        free_memory(vm);
        return NULL;
    }
    rs_ractor id = RS_NO_RACTOR;
    if (!share_prepare(vm, &id)) {
        heap_finish(&vm->heap);
        free_memory(vm);
        return NULL;
    }
    if (enter_main(vm, id) && prepare_language(vm))
        return vm;
    vm_free(vm);
    return NULL;
}

void vm_free(Vm *vm)
{
    if (vm->main_thread != NULL) {
        links_end(vm->main_thread);
        ractors_end(vm->main_thread);
        thread_leave(vm->main_thread);
    }
    share_finish(&vm->share);
    heap_finish(&vm->heap);
    free_memory(vm);
}

Thread *vm_main_thread(Vm *vm)
{
    return vm->main_thread;
}

bool vm_eval_string(Thread *thread, const char *file, const char *text, Value *result)
{
    Reader reader;
    if (!reader_start(&reader, thread, file, text))
        return raise_memory(thread) != FAILED;
    Value value = NIL;
    for (Value form; (form = reader_next(&reader)) != UNBOUND;) {
        value = form == FAILED ? FAILED : eval(thread, form, NIL);
        if (value == FAILED)
            return false;
    }
    if (result != NULL)
        *result = value;
    return true;
}

/* The whole file as a string to free; NULL. */
static char *read_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return NULL;
    Text text = text_start();
    char piece[4096];
    for (size_t length; (length = fread(piece, 1, sizeof piece, file)) != 0;)
        text_append_bytes(&text, piece, length);
    fclose(file);
    return text.capacity == 0 ? strdup("") : text.bytes;
}

bool vm_eval_file(Thread *thread, const char *path, Value *result)
{
    char *text = read_file(path);
    if (text == NULL) {
        raise_format(thread, "file-error", "%s can't be read", path);
        return false;
    }
    const char *slash = strrchr(path, '/');
    bool done = vm_eval_string(thread, slash == NULL ? path : slash + 1, text, result);
    free(text);
    return done;
}
