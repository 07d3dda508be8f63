/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connect's Decimal (two's complement, big-endian, unscaled) to numeric in binary form: int16 number of
 * digits, weight of the first (in powers of 10000), sign, scale to show, then digits of base 10000, each
 * int16 (PostgreSQL's numeric_recv). Those digits are aligned to the decimal point, so the unscaled number is
 * first multiplied by ten until its scale is a multiple of four.
 */
#include "sink/postgres/bind.h"

enum {
    NUMERIC_HEADER = 8,
    NUMERIC_NEGATIVE = 0x4000,
    MAX_BYTES = 4096,           /* of the two's complement: about 9,800 decimal digits */
    MAX_SCALE = 16383,          /* NUMERIC_MAX_DISPLAY_SCALE */
    MAX_DIGITS = MAX_BYTES * 2, /* log(256) / log(10000) = 0.602 digits a byte, and the padding */
};

static const uint32_t powers[4] = {1, 10, 100, 1000};

static inline int32_t padding(int32_t scale)
{
    return (int32_t)(-(uint32_t)scale & 3); /* also for a negative scale */
}

/* groups: base-10000 digits, least significant first. */
static void put_groups(struct sl_buf *out, const uint16_t *groups, int n, bool negative, int32_t scale)
{
    int32_t below =
        (scale + padding(scale)) / 4; /* groups behind the point; negative: zero groups before it */
    int low = 0;
    uint8_t *at = sl_buf_reserve(out, NUMERIC_HEADER + 2 * (size_t)n);

    while (low < n && groups[low] == 0)
        low++;
    at = put_be16(at, (uint16_t)(n - low));
    at = put_be16(at, (uint16_t)(n == low ? 0 : n - 1 - below));
    at = put_be16(at, negative && n > low ? NUMERIC_NEGATIVE : 0);
    at = put_be16(at, (uint16_t)(scale > 0 ? scale : 0));
    for (int i = n - 1; i >= low; i--)
        at = put_be16(at, groups[i]);
    out->len = (size_t)(at - out->data);
}

void sl_pgsink_put_numeric_int(struct sl_buf *out, int64_t unscaled, int32_t scale)
{
    bool negative = unscaled < 0;
    uint64_t rest = negative ? -(uint64_t)unscaled : (uint64_t)unscaled;
    uint32_t factor = powers[padding(scale)];
    uint16_t groups[8];
    int n = 0;

    if (__builtin_expect(rest <= UINT64_MAX / 1000, 1)) {
        for (rest *= factor; rest; rest /= 10000)
            groups[n++] = (uint16_t)(rest % 10000);
    } else {
        __extension__ unsigned __int128 wide = (unsigned __int128)rest * factor;

        for (; wide; wide /= 10000)
            groups[n++] = (uint16_t)(wide % 10000);
    }
    put_groups(out, groups, n, negative, scale);
}

/* The magnitude as 32-bit words, least significant first. */
static int read_words(const uint8_t *bytes, size_t len, bool negative, uint32_t *words)
{
    int n = 0;
    uint64_t carry = negative;

    for (size_t end = len; end; end = end > 4 ? end - 4 : 0) {
        uint32_t word = 0;

        for (size_t i = end > 4 ? end - 4 : 0; i < end; i++)
            word = word << 8 | (uint8_t)(negative ? ~bytes[i] : bytes[i]);
        carry += word;
        words[n++] = (uint32_t)carry;
        carry >>= 32;
    }
    /* -2^(8 len - 1) has no positive twin of the same length; the top word above holds it as it is unsigned
     */
    return n;
}

static uint32_t divide_words(uint32_t *words, int *n)
{
    uint64_t rest = 0;

    for (int i = *n - 1; i >= 0; i--) {
        rest = rest << 32 | words[i];
        words[i] = (uint32_t)(rest / 10000);
        rest %= 10000;
    }
    while (*n && words[*n - 1] == 0)
        (*n)--;
    return (uint32_t)rest;
}

static void put_numeric_long(struct sl_buf *out, const uint8_t *bytes, size_t len, int32_t scale)
{
    bool negative = bytes[0] & 0x80;
    uint32_t factor = powers[padding(scale)];
    uint32_t words[MAX_BYTES / 4 + 2];
    uint16_t groups[MAX_DIGITS];
    uint64_t carry = 0;
    int n_words = read_words(bytes, len, negative, words);
    int n = 0;

    for (int i = 0; i < n_words; i++) {
        carry += (uint64_t)words[i] * factor;
        words[i] = (uint32_t)carry;
        carry >>= 32;
    }
    words[n_words++] = (uint32_t)carry;
    while (n_words && words[n_words - 1] == 0)
        n_words--;
    while (n_words)
        groups[n++] = (uint16_t)divide_words(words, &n_words);
    put_groups(out, groups, n, negative, scale);
}

void sl_pgsink_put_numeric(struct sl_buf *out, const uint8_t *bytes, size_t len, int32_t scale)
{
    if (__builtin_expect(len <= 8, 1)) {
        int64_t unscaled = len && bytes[0] & 0x80 ? -1 : 0;

        for (size_t i = 0; i < len; i++)
            unscaled = (int64_t)((uint64_t)unscaled << 8 | bytes[i]);
        sl_pgsink_put_numeric_int(out, unscaled, scale);
    } else {
        put_numeric_long(out, bytes, len, scale);
    }
}

SL_PGSINK_INLINE const char *put_decimal(const struct sl_pgsink_cell *cell, struct sl_value value,
                                         struct sl_buf *out)
{
    if (__builtin_expect(value.len > MAX_BYTES, 0))
        return "the decimal has too many digits";
    if (__builtin_expect(cell->scale > MAX_SCALE || cell->scale < -MAX_SCALE, 0))
        return "the decimal's scale is larger than numeric can hold";
    sl_pgsink_put_numeric(out, value.bytes, value.len, cell->scale);
    return NULL;
}

SL_PGSINK_INLINE const char *put_int(const struct sl_pgsink_cell *cell, struct sl_value value,
                                     struct sl_buf *out)
{
    (void)cell;
    sl_pgsink_put_numeric_int(out, value.i, 0);
    return NULL;
}

void sl_pgsink_bind_decimal(const struct sl_pgsink_cell *cell, const struct sl_pgsink_row *const *rows,
                            uint32_t n, struct sl_buf *out, struct sl_pgsink_bads *bads)
{
    bind_varying(cell, rows, n, out, bads, put_decimal);
}

void sl_pgsink_bind_int_as_numeric(const struct sl_pgsink_cell *cell, const struct sl_pgsink_row *const *rows,
                                   uint32_t n, struct sl_buf *out, struct sl_pgsink_bads *bads)
{
    bind_varying(cell, rows, n, out, bads, put_int);
}
