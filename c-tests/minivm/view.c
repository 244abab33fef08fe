#include "view.h"

#include <stdlib.h>
#include <string.h>

#include "condition.h"
#include "operation.h"
#include "primitives.h"

static rs_vm *library(const Image *image)
{
    return image->vm->share.vm;
}

static Image *image_new(Thread *thread, rs_image id, Link *link)
{
    const uint64_t *words = NULL;
    size_t count = 0;
    rs_status status = rs_image_words(thread->vm->share.vm, id, &words, &count);
    Image *image = status == RS_OK ? calloc(1, sizeof *image + count * sizeof(Value)) : NULL;
    if (image == NULL) {
        rs_image_free(thread->vm->share.vm, id);
        raise_status(thread, status == RS_OK ? RS_ERR_MEMORY : status);
        return NULL;
    }
    image->id = id;
    image->words = words;
    image->vm = thread->vm;
    image->link = link;
    return image;
}

static void image_release(Image *image)
{
    if (--image->uses != 0)
        return;
    image->next_unused = image->vm->links.unused_images;
    image->vm->links.unused_images = image;
}

static Image *take_unused(Links *links)
{
    Image *image = links->unused_images;
    if (image != NULL)
        links->unused_images = image->next_unused;
    return image;
}

void images_free_unused(Vm *vm)
{
    for (Image *image; (image = take_unused(&vm->links)) != NULL; free(image))
        rs_image_free(library(image), image->id);
}

void images_forget_unused(Links *links)
{
    for (Image *image; (image = take_unused(links)) != NULL;)
        free(image);
}

static Value *place_of_view(const Remote *view)
{
    return &view->image->views[view->node / sizeof(uint64_t)];
}

void view_finish(const Remote *view)
{
    *place_of_view(view) = 0;
    image_release(view->image);
}

void view_moved(const Remote *view)
{
    *place_of_view(view) = (Value)view;
}

Value image_record_type(const Image *image, uint64_t node)
{
    uint64_t name = rs_image_type(image->words, node);
    return symbol_intern(&image->vm->symbols, rs_image_bytes(image->words, name),
                         rs_image_count(image->words, name));
}

static Value type_of_node(const Image *image, uint64_t node)
{
    rs_item item = {.kind = rs_image_kind(image->words, node)};
    return item.kind == RS_ITEM_RECORD ? image_record_type(image, node)
                                       : remote_type(image->vm, &item);
}

static Value view_of_node(Thread *thread, Image *image, uint64_t node)
{
    Value *place = &image->views[node / sizeof(uint64_t)];
    if (*place != 0)
        return *place;
    Value type = type_of_node(image, node);
    Remote *view =
        type == UNBOUND ? NULL : (Remote *)heap_allocate(thread, TYPE_REMOTE, sizeof(Remote));
    if (view == NULL)
        return raise_memory(thread);
    view->link = image->link;
    view->type = type;
    view->replacement = UNBOUND;
    view->image = image;
    view->node = node;
    view->target = NIL;
    image->uses++;
    return *place = (Value)view;
}

/* It does not change here either, so it is passed on by value. */
static Value make_frozen_string(Thread *thread, const rs_item *item)
{
    Value *scope = roots_open(thread);
    Value *string = root(thread, share_make_item(thread, item));
    bool is_frozen = *string != FAILED && share_freeze(thread, *string);
    roots_close(thread, scope);
    return is_frozen ? *string : FAILED;
}

static Value value_without_elements(Thread *thread, const Image *image, uint64_t word)
{
    rs_item item = {.kind = rs_image_kind(image->words, word),
                    .flags = rs_image_flags(image->words, word),
                    .count = rs_image_count(image->words, word)};
    if (item.kind == RS_ITEM_INTEGER)
        item.content.integer = rs_image_integer(image->words, word);
    else if (item.kind == RS_ITEM_FLOAT)
        item.content.number = rs_image_float(image->words, word);
    else
        item.content.bytes = rs_image_bytes(image->words, word);
    return item.kind == RS_ITEM_STRING ? make_frozen_string(thread, &item)
                                       : share_make_item(thread, &item);
}

Value image_opaque(const Image *image, uint64_t word)
{
    const rs_value *values = NULL;
    size_t count = 0;
    if (rs_image_opaques(library(image), image->id, &values, &count) != RS_OK)
        return UNBOUND;
    return values[rs_image_opaque(word)];
}

static Value value_of_word(Thread *thread, Image *image, uint64_t word)
{
    switch (rs_image_kind(image->words, word)) {
    case RS_ITEM_CONS:
    case RS_ITEM_VECTOR:
    case RS_ITEM_MAP:
    case RS_ITEM_RECORD:
        return view_of_node(thread, image, word);
    case RS_ITEM_OPAQUE:
        return image_opaque(image, word);
    default:
        return value_without_elements(thread, image, word);
    }
}

Value view_open(Thread *thread, Link *link, rs_image id, const Value *target)
{
    Image *image = image_new(thread, id, link);
    if (image == NULL)
        return FAILED;
    image->uses = 1;
    Value value = value_of_word(thread, image, rs_image_root(image->words));
    if (is_view(value))
        remote_of(value)->target = *target;
    image_release(image);
    return value;
}

static Value element(Thread *thread, Value view, uint64_t index)
{
    Image *image = remote_of(view)->image;
    uint64_t node = remote_of(view)->node;
    uint64_t count = rs_image_count(image->words, node);
    if (rs_image_kind(image->words, node) == RS_ITEM_MAP)
        return raise_type(thread, "cons, vector or record", view);
    if (index >= count)
        return raise_index(thread, index, count);
    return value_of_word(thread, image, rs_image_element(image->words, node, index));
}

/* How many pairs follow each other; `*end` is what is behind the last one: in a circle, a pair. */
static intptr_t count_pairs(const uint64_t *words, uint64_t list, uint64_t *end)
{
    intptr_t count = 0;
    uint64_t slow = list;
    while (rs_image_kind(words, list) == RS_ITEM_CONS) {
        list = rs_image_element(words, list, RS_CDR);
        if (++count % 2 == 0)
            slow = rs_image_element(words, slow, RS_CDR);
        if (list == slow)
            break;
    }
    *end = list;
    return count;
}

/* A list may go on outside of the image. */
static Value length(Thread *thread, Value view)
{
    Image *image = remote_of(view)->image;
    uint64_t node = remote_of(view)->node;
    if (rs_image_kind(image->words, node) != RS_ITEM_CONS)
        return fixnum((intptr_t)rs_image_count(image->words, node));
    uint64_t end = 0;
    intptr_t pairs = count_pairs(image->words, node, &end);
    if (rs_image_kind(image->words, end) == RS_ITEM_CONS)
        return raise_type(thread, "list", view);
    Value rest = value_of_word(thread, image, end);
    rest = rest == FAILED ? FAILED : length_of_list(thread, rest);
    return rest == FAILED ? FAILED : fixnum(pairs + fixnum_number(rest));
}

static bool has_bytes(const uint64_t *words, uint64_t word, uint32_t kind, const char *bytes,
                      size_t length)
{
    return rs_image_kind(words, word) == kind && rs_image_count(words, word) == length &&
           memcmp(rs_image_bytes(words, word), bytes, length) == 0;
}

/* Whether a word stands for the same as a key that has no elements. */
static bool is_key(Vm *vm, const uint64_t *words, uint64_t word, Value key)
{
    uint32_t kind = rs_image_kind(words, word);
    if (is_fixnum(key))
        return kind == RS_ITEM_INTEGER && rs_image_integer(words, word) == fixnum_number(key);
    if (is_type(key, TYPE_FLOAT))
        return kind == RS_ITEM_FLOAT && rs_image_float(words, word) == float_number(key);
    if (is_type(key, TYPE_STRING))
        return has_bytes(words, word, RS_ITEM_STRING, string_of(key)->bytes,
                         string_of(key)->length);
    if (is_symbol(key)) {
        const Symbol *symbol = symbol_of(&vm->symbols, key);
        return has_bytes(words, word, RS_ITEM_SYMBOL, symbol->name, symbol->length);
    }
    return key == TRUTH ? kind == RS_ITEM_TRUE : key == NIL && kind == RS_ITEM_NIL;
}

/* Which of its objects a key is, or is equal to, the owner knows. */
static bool is_simple_key(const Image *image, uint64_t map, Value key)
{
    uint32_t flags = rs_image_flags(image->words, map) & RS_ITEM_FLAGS;
    bool by_identity = flags == RS_MAP_IDENTITY;
    bool has_content = is_type(key, TYPE_STRING) || is_type(key, TYPE_FLOAT);
    return !is_object(key) || (has_content && !by_identity);
}

static Value value_of_key(Thread *thread, Value view, const rs_operation *operation)
{
    Image *image = remote_of(view)->image;
    uint64_t map = remote_of(view)->node;
    Value key = operation->arguments[0];
    if (!is_simple_key(image, map, key))
        return UNBOUND;
    uint64_t words_count = 2 * rs_image_count(image->words, map);
    for (uint64_t i = 0; i < words_count; i += 2)
        if (is_key(thread->vm, image->words, rs_image_element(image->words, map, i), key))
            return value_of_word(thread, image, rs_image_element(image->words, map, i + 1));
    return operation->arguments_count > 1 ? operation->arguments[1] : NIL;
}

Value view_read(Thread *thread, Value view, const rs_operation *operation)
{
    switch (operation->code) {
    case RS_READ_ELEMENT:
        return element(thread, view, operation->index);
    case RS_READ_KEY:
        return value_of_key(thread, view, operation);
    case RS_READ_LENGTH:
        return length(thread, view);
    case RS_PRINT:
        return print_for_peer(thread, view, operation->index);
    default:
        return UNBOUND;
    }
}

bool view_is_whole(Value view)
{
    return rs_image_root(remote_of(view)->image->words) == remote_of(view)->node;
}

Value view_copy(Thread *thread, Value view)
{
    return share_decode(thread, remote_of(view)->image->id);
}
