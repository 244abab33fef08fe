/*
 * remote_copies.c: whole graphs that come from another process, and a graph that is read where it
 * lies in an image.
 */

#include "clock.h"
#include "figure.h"
#include "remote_measures.h"
#include "remote_pair.h"
#include "timing.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static rs_value copy_top(RemotePair *pair)
{
    rs_value copy = 0;
    expect(rs_remote_copy(pair->host.vm, pair->top, NULL, &copy), "rs_remote_copy");
    return copy;
}

/* === a graph of many objects === */

/* Both make their objects in memory that was used before. */
static void copy_graph(RemotePair *pair, size_t size, Figure *figure)
{
    RemoteHost *host = &pair->host;
    size_t used = host->used;
    double begun = clock_nanoseconds();
    rs_value copy = copy_top(pair);
    double copied = clock_nanoseconds() - begun;
    rs_value again = 0;
    begun = clock_nanoseconds();
    size_t objects = remote_rebuild(host, copy, &again);
    double rebuilt = clock_nanoseconds() - begun;
    expect_that(objects >= size, "objects are missing");
    if (figure) {
        figure_add(figure, copied / (double)objects);
        figure_add_beside(figure, "C rebuild", rebuilt / (double)objects);
    }
    remote_host_forget(host, used);
}

void measure_copy(size_t rounds, size_t size)
{
    RemotePair pair;
    Figure figure = {.name = "copy", .unit = "ns/object"};
    remote_pair_open(&pair, APART, remote_graph, size);
    copy_graph(&pair, size, NULL);
    for (size_t round = 0; round < rounds; round++)
        copy_graph(&pair, size, &figure);
    figure_print(&figure);
    figure_free(&figure);
    remote_pair_close(&pair);
}

/* === a long string === */

static rs_value make_string(RemoteHost *host, size_t size)
{
    RemoteObject *string = remote_make(host, REMOTE_STRING, size);
    memset(string->elements, 'x', size);
    return (rs_value)string;
}

/* Milliseconds for a string into the heap, where nothing has been before. */
static double copy_string(RemotePair *pair, size_t size)
{
    RemoteHost *host = &pair->host;
    size_t used = host->used;
    double begun = clock_nanoseconds();
    const RemoteObject *copy = (const RemoteObject *)copy_top(pair);
    double spent = clock_nanoseconds() - begun;
    const char *bytes = (const char *)copy->elements;
    expect_that(copy->length == size && bytes[0] == 'x' && bytes[size - 1] == 'x',
                "the wrong string");
    remote_host_renew(host, used);
    return spent / 1e6;
}

typedef struct Bare {
    /* The string, and memory that was used before, as that of a ring. */
    char *string;
    char *between;
} Bare;

/* Milliseconds for two copies, the second to this place. */
static double copy_twice(const Bare *bare, void *to, size_t size)
{
    double begun = clock_nanoseconds();
    memcpy(bare->between, bare->string, size);
    memcpy(to, bare->between, size);
    return (clock_nanoseconds() - begun) / 1e6;
}

static void copy_bare(const Bare *bare, RemoteHost *host, size_t size, Figure *figure)
{
    size_t used = host->used;
    void *place = remote_make(host, REMOTE_STRING, size)->elements;
    figure_add_beside(figure, "two memcpys", copy_twice(bare, place, size));
    figure_add_beside(figure, "two memcpys, to warm memory", copy_twice(bare, place, size));
    remote_host_renew(host, used);
}

/* === a string that nobody changes any more, mapped === */

/* As many strings as there are rounds, and one: each is published once only. */
#define STRINGS 8

static rs_value make_strings(RemoteHost *host, size_t size)
{
    RemoteObject *strings = remote_make(host, REMOTE_VECTOR, STRINGS);
    for (size_t index = 0; index < STRINGS; index++) {
        strings->elements[index] = make_string(host, size);
        expect(rs_make_shareable(host->vm, host->main, strings->elements[index]),
               "rs_make_shareable");
    }
    return (rs_value)strings;
}

/* Milliseconds until a string of the owner's can be read where it lies. */
static double share_string(RemotePair *pair, size_t index, size_t size)
{
    RemoteHost *host = &pair->host;
    rs_value stub = 0;
    rs_image image = 0;
    const uint64_t *words = NULL;
    size_t count = 0;
    expect(rs_remote_get(host->vm, host->link, pair->top, index, &stub), "rs_remote_get");
    rs_remote remote = ((const RemoteObject *)stub)->length;
    double begun = clock_nanoseconds();
    expect(rs_remote_share(host->vm, remote, &image), "rs_remote_share");
    expect(rs_image_words(host->vm, image, &words, &count), "rs_image_words");
    const char *bytes = rs_image_bytes(words, rs_image_root(words));
    double spent = clock_nanoseconds() - begun;
    expect_that(bytes && bytes[0] == 'x' && bytes[size - 1] == 'x', "the wrong string");
    expect(rs_image_free(host->vm, image), "rs_image_free");
    return spent / 1e6;
}

/* Milliseconds for the least that this takes. */
static double write_and_seal(const char *string, size_t size)
{
    double begun = clock_nanoseconds();
    int file = memfd_create("bench", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    expect_that(file >= 0, "memfd_create failed");
    size_t written = 0;
    while (written < size) {
        ssize_t count = pwrite(file, string + written, size - written, (off_t)written);
        expect_that(count > 0, "pwrite failed");
        written += (size_t)count;
    }
    int seals = F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_WRITE | F_SEAL_SEAL;
    expect_that(fcntl(file, F_ADD_SEALS, seals) == 0, "the seals failed");
    double spent = clock_nanoseconds() - begun;
    close(file);
    return spent / 1e6;
}

static void measure_sealed(size_t rounds, size_t size, const char *string)
{
    RemotePair pair;
    Figure figure = {.name = "bulk/sealed", .unit = "ms"};
    remote_pair_open(&pair, APART, make_strings, size);
    share_string(&pair, 0, size);
    for (size_t round = 1; round <= rounds && round < STRINGS; round++) {
        figure_add(&figure, share_string(&pair, round, size));
        figure_add_beside(&figure, "pwrite and seal", write_and_seal(string, size));
    }
    figure_print(&figure);
    figure_free(&figure);
    remote_pair_close(&pair);
}

void measure_bulk(size_t rounds, size_t size)
{
    RemotePair pair;
    Bare bare = {malloc(size), malloc(size)};
    Figure figure = {.name = "bulk", .unit = "ms"};
    expect_that(size > 0 && bare.string && bare.between, "no memory for the copies");
    memset(bare.string, 'x', size);
    memset(bare.between, 0, size);
    remote_pair_open(&pair, APART, make_string, size);
    copy_string(&pair, size);
    for (size_t round = 0; round < rounds; round++) {
        figure_add(&figure, copy_string(&pair, size));
        copy_bare(&bare, &pair.host, size, &figure);
    }
    figure_print(&figure);
    figure_free(&figure);
    remote_pair_close(&pair);
    measure_sealed(rounds, size, bare.string);
    free(bare.string);
    free(bare.between);
}

/* === images, in place === */

#define RECORDS 512
#define FIELDS 4
/* The one that is read. */
#define FIELD 2
#define READ_BLOCKS 100

/* As many words as in an image. */
typedef struct Record {
    uint64_t head;
    int64_t fields[FIELDS];
} Record;

/* The same records, by their words in an image, and by their addresses: so a compiler knows nothing
 * of one that it knows of another. */
typedef struct Records {
    const uint64_t *image;
    uint64_t words[RECORDS];
    Record *structs[RECORDS];
    /* Of all that was read. */
    int64_t sum;
} Records;

/* Also fills in the structs. */
static rs_value make_records(RemoteHost *host, Records *records)
{
    RemoteObject *all = remote_make(host, REMOTE_VECTOR, RECORDS);
    Record *structs = calloc(RECORDS, sizeof *structs);
    expect_that(structs != NULL, "no memory for the records");
    for (size_t record = 0; record < RECORDS; record++) {
        RemoteObject *object = remote_make(host, REMOTE_VECTOR, FIELDS);
        for (size_t field = 0; field < FIELDS; field++) {
            structs[record].fields[field] = (int64_t)(record * FIELDS + field);
            object->elements[field] = remote_integer(structs[record].fields[field]);
        }
        all->elements[record] = (rs_value)object;
        records->structs[record] = &structs[record];
    }
    return (rs_value)all;
}

/* A value that the compiler must have at this place: it can't add up several at a time. */
static inline int64_t used(int64_t value)
{
    __asm__ volatile("" : "+r"(value));
    return value;
}

static void read_images(void *subject, size_t number)
{
    (void)number;
    Records *records = subject;
    const uint64_t *image = records->image;
    int64_t sum = 0;
    for (size_t record = 0; record < RECORDS; record++)
        sum = used(sum +
                   rs_image_integer(image, rs_image_element(image, records->words[record], FIELD)));
    records->sum += sum;
}

static void read_structs(void *subject, size_t number)
{
    (void)number;
    Records *records = subject;
    int64_t sum = 0;
    for (size_t record = 0; record < RECORDS; record++)
        sum = used(sum + records->structs[record]->fields[FIELD]);
    records->sum += sum;
}

/* Nanoseconds for a field. */
static double time_reads(TimedCall *read, Records *records)
{
    const int64_t reads = (int64_t)(READ_BLOCKS + 1) * TIMING_BLOCK * RECORDS;
    const int64_t mean_twice = 2 * FIELD + (RECORDS - 1) * FIELDS;
    records->sum = 0;
    double spent = time_calls(read, records, READ_BLOCKS) / RECORDS;
    expect_that(records->sum * 2 == reads * mean_twice, "the wrong fields");
    return spent;
}

void measure_read(size_t rounds, size_t size)
{
    (void)size;
    RemoteHost host;
    Records records;
    rs_image id = 0;
    size_t count = 0;
    Figure figure = {.name = "read", .unit = "ns"};
    remote_host_open(&host, REMOTE_ROOM);
    run_on(ASKERS);
    rs_value all = make_records(&host, &records);
    expect(rs_image_encode(host.vm, host.main, all, NULL, &id), "rs_image_encode");
    expect(rs_image_words(host.vm, id, &records.image, &count), "rs_image_words");
    uint64_t root = rs_image_root(records.image);
    for (size_t record = 0; record < RECORDS; record++)
        records.words[record] = rs_image_element(records.image, root, record);
    for (size_t round = 0; round < rounds; round++) {
        figure_add(&figure, time_reads(read_images, &records));
        figure_add_beside(&figure, "C struct", time_reads(read_structs, &records));
    }
    figure_print(&figure);
    figure_free(&figure);
    free(records.structs[0]);
    rs_image_free(host.vm, id);
    remote_host_close(&host);
}
