/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A value: sixteen bytes, tagged. Variable-length content lives in the batch's arena or in the block that the
 * batch was decoded from; nothing is freed one by one. A struct's fields are consecutive values in the order
 * of its schema: a column is an index, never a name.
 */
#ifndef SLUICE_VALUE_H
#define SLUICE_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Kafka Connect's types. The tag of a value is one of these, or ABSENT, or NULL. */
enum sl_type {
    SL_ABSENT = 0, /* nobody said anything about it: not the same as NULL */
    SL_NULL = 1,
    SL_INT8,
    SL_INT16,
    SL_INT32,
    SL_INT64,
    SL_FLOAT32,
    SL_FLOAT64,
    SL_BOOLEAN,
    SL_STRING, /* UTF-8 */
    SL_BYTES,
    SL_ARRAY,
    SL_MAP,
    SL_STRUCT,
};

struct sl_value {
    uint8_t tag; /* enum sl_type */
    uint8_t pad[3];
    uint32_t len; /* bytes of a string; items of an array; pairs of a map; fields of a struct */
    union {
        int64_t i;                    /* the four integers, and boolean as 0 or 1 */
        double d;                     /* float32 (already widened) and float64 */
        const uint8_t *bytes;         /* string and bytes; never NULL, even when len is 0 */
        const struct sl_value *items; /* array and struct: len values; map: 2 * len, key before value */
    };
};

_Static_assert(sizeof(struct sl_value) == 16, "a value is sixteen bytes");

/*
 * Of two whole words. Field by field, compilers write a value in small pieces and copy it as sixteen bytes
 * right after, and the processor waits each time until the pieces have arrived: ten times for one envelope.
 */
static inline struct sl_value sl_value_of_words(enum sl_type type, uint32_t len, uint64_t payload)
{
    const uint64_t words[2] = {(uint64_t)type | (uint64_t)len << 32, payload};
    struct sl_value v;

    _Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the tag is the first byte");
    memcpy(&v, words, sizeof(v));
    return v;
}

static inline struct sl_value sl_null(void)
{
    return sl_value_of_words(SL_NULL, 0, 0);
}

static inline struct sl_value sl_int(enum sl_type type, int64_t i)
{
    return sl_value_of_words(type, 0, (uint64_t)i);
}

static inline struct sl_value sl_float(enum sl_type type, double d)
{
    uint64_t bits;

    memcpy(&bits, &d, sizeof(bits));
    return sl_value_of_words(type, 0, bits);
}

static inline struct sl_value sl_bool(bool b)
{
    return sl_value_of_words(SL_BOOLEAN, 0, b);
}

/* Borrowed: the bytes must live as long as the value. */
static inline struct sl_value sl_bytes(enum sl_type type, const void *bytes, size_t len)
{
    return sl_value_of_words(type, (uint32_t)len, (uintptr_t)(bytes ? bytes : ""));
}

static inline struct sl_value sl_text(const char *text)
{
    return sl_bytes(SL_STRING, text, strlen(text));
}

static inline struct sl_value sl_items(enum sl_type type, const struct sl_value *items, size_t n)
{
    return sl_value_of_words(type, (uint32_t)n, (uintptr_t)items);
}

static inline bool sl_is_null(struct sl_value v)
{
    return v.tag <= SL_NULL;
}

/* Deep comparison; ABSENT and NULL differ; NaN equals NaN (this asks "same bytes?", not "same number?"). */
bool sl_value_equal(struct sl_value a, struct sl_value b);

#endif
