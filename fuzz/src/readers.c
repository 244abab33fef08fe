/* The functions of inline.h that read an image in place, as functions that can be linked. */

#include <vmshare.h>

uint64_t read_root(const uint64_t *image)
{
    return rs_image_root(image);
}

uint32_t read_kind(const uint64_t *image, uint64_t word)
{
    return rs_image_kind(image, word);
}

uint64_t read_count(const uint64_t *image, uint64_t word)
{
    return rs_image_count(image, word);
}

uint32_t read_flags(const uint64_t *image, uint64_t word)
{
    return rs_image_flags(image, word);
}

uint64_t read_element(const uint64_t *image, uint64_t word, uint64_t index)
{
    return rs_image_element(image, word, index);
}

int64_t read_integer(const uint64_t *image, uint64_t word)
{
    return rs_image_integer(image, word);
}

double read_float(const uint64_t *image, uint64_t word)
{
    return rs_image_float(image, word);
}

const char *read_bytes(const uint64_t *image, uint64_t word)
{
    return rs_image_bytes(image, word);
}

uint64_t read_type(const uint64_t *image, uint64_t word)
{
    return rs_image_type(image, word);
}

uint64_t read_opaque(uint64_t word)
{
    return rs_image_opaque(word);
}
