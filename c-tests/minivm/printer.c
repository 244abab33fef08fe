#include "printer.h"

#include <string.h>

#include "hash.h"
#include "primitives.h"
#include "ractor.h"
#include "record.h"
#include "view.h"
#include "vm.h"

/* `depth` and `budget` are what is left: levels of nesting, and values. */
typedef struct Printing {
    Vm *vm;
    Text *text;
    int depth;
    int budget;
    bool readably;
    bool is_cut;
} Printing;

static void print_value(Printing *printing, Value value);

static void append(Printing *printing, const char *text)
{
    text_append(printing->text, text);
}

/* Whether there is room for one value more, which is deeper by one level. */
static bool begin_value(Printing *printing, bool is_object)
{
    if ((printing->depth == 0 && is_object) || printing->budget <= 0) {
        append(printing, "...");
        printing->is_cut = true;
        return false;
    }
    printing->budget--;
    printing->depth--;
    return true;
}

static const char *name_or_nobody(Vm *vm, Value name)
{
    return is_symbol(name) ? symbol_name(vm, name) : "nobody";
}

static void print_string(Printing *printing, const char *bytes, size_t length)
{
    if (!printing->readably) {
        text_append_bytes(printing->text, bytes, length);
        return;
    }
    append(printing, "\"");
    for (size_t i = 0; i < length; i++) {
        char character = bytes[i];
        const char *special = "\"\\\n\t";
        const char *found = character == '\0' ? NULL : strchr(special, character);
        if (found != NULL)
            text_format(printing->text, "\\%c", "\"\\nt"[found - special]);
        else
            text_append_bytes(printing->text, &character, 1);
    }
    append(printing, "\"");
}

static void print_float(Printing *printing, double number)
{
    char digits[40];
    snprintf(digits, sizeof digits, "%.15g", number);
    double read = 0;
    if (sscanf(digits, "%lf", &read) != 1 || read != number)
        snprintf(digits, sizeof digits, "%.17g", number);
    append(printing, digits);
    if (strspn(digits, "-0123456789") == strlen(digits))
        append(printing, ".0");
}

static void print_list(Printing *printing, Value list)
{
    append(printing, "(");
    print_value(printing, car(list));
    for (list = cdr(list); is_cons(list) && printing->budget > 0; list = cdr(list)) {
        append(printing, " ");
        print_value(printing, car(list));
    }
    if (is_cons(list)) {
        append(printing, " ...");
    } else if (list != NIL) {
        append(printing, " . ");
        print_value(printing, list);
    }
    append(printing, ")");
}

static void print_elements(Printing *printing, const Value *elements, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (i != 0)
            append(printing, " ");
        if (printing->budget <= 0) {
            append(printing, "...");
            return;
        }
        print_value(printing, elements[i]);
    }
}

static void print_hash(Printing *printing, Value hash)
{
    append(printing, "{");
    const char *space = "";
    const HashEntry *entry;
    for (size_t i = 0; (entry = hash_entry(hash, i)) != NULL; i++) {
        if (entry->key == UNBOUND)
            continue;
        append(printing, space);
        space = " ";
        if (printing->budget <= 0) {
            append(printing, "...");
            break;
        }
        print_value(printing, entry->key);
        append(printing, " ");
        print_value(printing, entry->value);
    }
    append(printing, "}");
}

static void print_record(Printing *printing, const Record *record)
{
    text_format(printing->text, "#<%s", print_type(printing->vm, (Value)record));
    for (size_t i = 0; i < record->length && printing->budget > 0; i++) {
        text_format(printing->text, " %s: ", record_field_name(printing->vm, record, i));
        print_value(printing, record->fields[i]);
    }
    append(printing, ">");
}

static void print_link(Printing *printing, const Link *link)
{
    if (link->process == 0)
        append(printing, "#<parent>");
    else
        text_format(printing->text, "#<child %u>", link->number);
}

static void print_word(Printing *printing, const Image *image, uint64_t word);

static void print_list_of_image(Printing *printing, const Image *image, uint64_t list)
{
    const uint64_t *words = image->words;
    append(printing, "(");
    print_word(printing, image, rs_image_element(words, list, RS_CAR));
    list = rs_image_element(words, list, RS_CDR);
    while (rs_image_kind(words, list) == RS_ITEM_CONS && printing->budget > 0) {
        append(printing, " ");
        print_word(printing, image, rs_image_element(words, list, RS_CAR));
        list = rs_image_element(words, list, RS_CDR);
    }
    if (rs_image_kind(words, list) == RS_ITEM_CONS) {
        append(printing, " ...");
    } else if (rs_image_kind(words, list) != RS_ITEM_NIL) {
        append(printing, " . ");
        print_word(printing, image, list);
    }
    append(printing, ")");
}

static void print_elements_of_image(Printing *printing, const Image *image, uint64_t node,
                                    uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        if (i != 0)
            append(printing, " ");
        if (printing->budget <= 0) {
            append(printing, "...");
            return;
        }
        print_word(printing, image, rs_image_element(image->words, node, i));
    }
}

/* The fields have names if this process knows the type. */
static void print_record_of_image(Printing *printing, const Image *image, uint64_t node)
{
    Value type = image_record_type(image, node);
    uint64_t count = rs_image_count(image->words, node);
    text_format(printing->text, "#<%s", name_or_nobody(printing->vm, type));
    for (uint64_t i = 0; i < count && printing->budget > 0; i++) {
        const char *field = record_field_of_type(printing->vm, type, i);
        if (field != NULL)
            text_format(printing->text, " %s: ", field);
        else
            text_format(printing->text, " %ju: ", (uintmax_t)i);
        print_word(printing, image, rs_image_element(image->words, node, i));
    }
    append(printing, ">");
}

static void print_node(Printing *printing, const Image *image, uint64_t node)
{
    uint64_t count = rs_image_count(image->words, node);
    switch (rs_image_kind(image->words, node)) {
    case RS_ITEM_CONS:
        print_list_of_image(printing, image, node);
        break;
    case RS_ITEM_VECTOR:
        append(printing, "[");
        print_elements_of_image(printing, image, node, count);
        append(printing, "]");
        break;
    case RS_ITEM_MAP:
        append(printing, "{");
        print_elements_of_image(printing, image, node, 2 * count);
        append(printing, "}");
        break;
    default:
        print_record_of_image(printing, image, node);
    }
}

/* What has no elements. */
static void print_leaf(Printing *printing, const Image *image, uint64_t word)
{
    const uint64_t *words = image->words;
    switch (rs_image_kind(words, word)) {
    case RS_ITEM_INTEGER:
        text_format(printing->text, "%jd", (intmax_t)rs_image_integer(words, word));
        break;
    case RS_ITEM_FLOAT:
        print_float(printing, rs_image_float(words, word));
        break;
    case RS_ITEM_STRING:
        print_string(printing, rs_image_bytes(words, word), rs_image_count(words, word));
        break;
    case RS_ITEM_SYMBOL:
    case RS_ITEM_UNINTERNED_SYMBOL:
        text_append_bytes(printing->text, rs_image_bytes(words, word), rs_image_count(words, word));
        break;
    case RS_ITEM_TRUE:
        append(printing, "t");
        break;
    default:
        append(printing, "nil");
    }
}

/* Whether it has elements. */
static bool is_node(const Image *image, uint64_t word)
{
    uint32_t kind = rs_image_kind(image->words, word);
    return kind == RS_ITEM_CONS || kind == RS_ITEM_VECTOR || kind == RS_ITEM_MAP ||
           kind == RS_ITEM_RECORD;
}

static void print_word(Printing *printing, const Image *image, uint64_t word)
{
    if (rs_image_kind(image->words, word) == RS_ITEM_OPAQUE) {
        print_value(printing, image_opaque(image, word));
    } else if (begin_value(printing, is_node(image, word))) {
        if (is_node(image, word))
            print_node(printing, image, word);
        else
            print_leaf(printing, image, word);
        printing->depth++;
    }
}

static void print_remote(Printing *printing, const Remote *remote)
{
    if (remote->image != NULL) {
        print_node(printing, remote->image, remote->node);
        return;
    }
    text_format(printing->text, "#<%s %s %u>", remote->link->is_dead ? "dead remote" : "remote",
                symbol_name(printing->vm, remote->type), (unsigned)remote->number);
}

static void print_object(Printing *printing, Value value)
{
    switch (object_type(value)) {
    case TYPE_CONS:
        print_list(printing, value);
        break;
    case TYPE_FLOAT:
        print_float(printing, float_number(value));
        break;
    case TYPE_STRING:
        print_string(printing, string_of(value)->bytes, string_of(value)->length);
        break;
    case TYPE_VECTOR:
        append(printing, "[");
        print_elements(printing, vector_of(value)->elements, vector_of(value)->length);
        append(printing, "]");
        break;
    case TYPE_HASH:
        print_hash(printing, value);
        break;
    case TYPE_RECORD:
        print_record(printing, record_of(value));
        break;
    case TYPE_CLOSURE:
        text_format(printing->text, "#<procedure %s>",
                    name_or_nobody(printing->vm, closure_of(value)->name));
        break;
    case TYPE_CLASS:
        text_format(printing->text, "#<class %s>",
                    name_or_nobody(printing->vm, ((Class *)value)->name));
        break;
    case TYPE_LINK:
        print_link(printing, ((LinkObject *)value)->link);
        break;
    case TYPE_REMOTE:
        print_remote(printing, remote_of(value));
        break;
    case TYPE_RACTOR:
        text_format(printing->text, "#<ractor %s>", ractor_name(value));
        break;
    default:
        text_format(printing->text, "#<%s>", type_name(object_type(value)));
    }
}

static void print_immediate(Printing *printing, Value value)
{
    if (is_fixnum(value))
        text_format(printing->text, "%jd", (intmax_t)fixnum_number(value));
    else if (is_symbol(value))
        append(printing, symbol_name(printing->vm, value));
    else if (is_primitive(value))
        text_format(printing->text, "#<primitive %s>", primitive_of(value)->name);
    else if (is_operation(value))
        append(printing, "#<record operation>");
    else
        append(printing, value == NIL ? "nil" : value == TRUTH ? "t" : "#<nothing>");
}

static void print_value(Printing *printing, Value value)
{
    if (!begin_value(printing, is_object(value)))
        return;
    if (is_object(value))
        print_object(printing, value);
    else
        print_immediate(printing, value);
    printing->depth++;
}

void print_readably(Vm *vm, Text *text, Value value)
{
    Printing printing = {vm, text, 64, 400, true, false};
    print_value(&printing, value);
}

bool print_wholly(Vm *vm, Text *text, Value value)
{
    Printing printing = {vm, text, 400, 1000000, true, false};
    print_value(&printing, value);
    return printing.budget > 0 && !printing.is_cut;
}

void print_plainly(Vm *vm, Text *text, Value value)
{
    Printing printing = {vm, text, 64, 400, false, false};
    print_value(&printing, value);
}

void print_briefly(Vm *vm, Text *text, Value value)
{
    Printing printing = {vm, text, 3, 8, true, false};
    print_value(&printing, value);
}

const char *print_type(Vm *vm, Value value)
{
    if (is_remote(value))
        return symbol_name(vm, remote_of(value)->type);
    if (is_object(value))
        return object_type(value) == TYPE_RECORD ? record_type_name(vm, record_of(value))
                                                 : type_name(object_type(value));
    if (is_fixnum(value))
        return "integer";
    if (is_symbol(value))
        return "symbol";
    if (is_primitive(value) || is_operation(value))
        return "procedure";
    return value == NIL ? "nil" : "t";
}
