/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/decimal_text.h"

#include "base/arena.h"

enum {
    MAX_DIGITS = 1300,
    LIMBS = SL_DECIMAL_MAX_BYTES / 4, /* of 32 bits, most significant first */
};

/* The magnitude of a two's complement number as limbs, aligned to the right. */
static void magnitude(const uint8_t *bytes, size_t len, uint32_t limbs[LIMBS])
{
    bool negative = len && (bytes[0] & 0x80);
    uint64_t carry = negative;

    memset(limbs, 0, LIMBS * sizeof(*limbs));
    for (size_t i = 0; i < len; i++) {
        size_t limb = LIMBS - 1 - i / 4;
        uint8_t byte = bytes[len - 1 - i];

        limbs[limb] |= (uint32_t)(negative ? (uint8_t)~byte : byte) << (i % 4 * 8);
    }
    for (size_t i = LIMBS; carry && i-- > 0;) {
        carry += limbs[i];
        limbs[i] = (uint32_t)carry;
        carry >>= 32;
    }
}

/* Decimal digits, least significant first, without leading zeros; "0" for zero. Destroys the limbs. */
static size_t take_digits(uint32_t limbs[LIMBS], char digits[MAX_DIGITS])
{
    size_t first = 0;
    size_t n = 0;

    for (;;) {
        uint64_t rest = 0;

        while (first < LIMBS && limbs[first] == 0)
            first++;
        if (first == LIMBS)
            break;
        for (size_t i = first; i < LIMBS; i++) {
            rest = rest << 32 | limbs[i];
            limbs[i] = (uint32_t)(rest / 1000000000);
            rest %= 1000000000;
        }
        for (int i = 0; i < 9; i++) {
            digits[n++] = (char)('0' + rest % 10);
            rest /= 10;
        }
    }
    while (n > 1 && digits[n - 1] == '0')
        n--;
    if (n == 0)
        digits[n++] = '0';
    return n;
}

static void put_reversed(struct sl_buf *out, const char *digits, size_t from, size_t to)
{
    while (to > from)
        sl_buf_u8(out, (uint8_t)digits[--to]);
}

bool sl_decimal_put(struct sl_buf *out, const uint8_t *bytes, size_t len, int32_t scale)
{
    uint32_t limbs[LIMBS];
    char digits[MAX_DIGITS];
    int64_t exponent;
    size_t n;

    if (len > SL_DECIMAL_MAX_BYTES)
        return false;
    magnitude(bytes, len, limbs);
    n = take_digits(limbs, digits);
    exponent = (int64_t)n - 1 - scale;
    if (len && (bytes[0] & 0x80))
        sl_buf_u8(out, '-');
    if (scale < 0 || exponent < -6) {
        put_reversed(out, digits, n - 1, n);
        if (n > 1) {
            sl_buf_u8(out, '.');
            put_reversed(out, digits, 0, n - 1);
        }
        sl_buf_format(out, "E%+lld", (long long)exponent);
    } else if ((size_t)scale < n) {
        put_reversed(out, digits, (size_t)scale, n);
        if (scale)
            sl_buf_u8(out, '.');
        put_reversed(out, digits, 0, (size_t)scale);
    } else {
        sl_buf_text(out, "0.");
        for (size_t i = n; i < (size_t)scale; i++)
            sl_buf_u8(out, '0');
        put_reversed(out, digits, 0, n);
    }
    return true;
}

/* Sign, digits and exponent of a written number. The digits are most significant first. */
struct written {
    bool negative;
    char digits[MAX_DIGITS];
    size_t n;
    int64_t exponent; /* of the last digit */
};

static bool read_exponent(const char *at, const char *end, struct written *w)
{
    bool negative = at < end && *at == '-';
    int64_t exponent = 0;

    if (at < end && (*at == '-' || *at == '+'))
        at++;
    if (at == end || end - at > 6)
        return false;
    for (; at < end; at++) {
        if (*at < '0' || *at > '9')
            return false;
        exponent = exponent * 10 + (*at - '0');
    }
    w->exponent += negative ? -exponent : exponent;
    return true;
}

static bool read_number(const char *at, const char *end, struct written *w)
{
    bool point = false;
    bool any = false;

    w->negative = at < end && *at == '-';
    if (at < end && (*at == '-' || *at == '+'))
        at++;
    for (; at < end; at++) {
        if (*at == '.' && !point) {
            point = true;
        } else if (*at >= '0' && *at <= '9') {
            any = true;
            if (w->n == MAX_DIGITS)
                return false;
            if (w->n || *at != '0')
                w->digits[w->n++] = *at;
            w->exponent -= point;
        } else {
            return any && (*at == 'e' || *at == 'E') && read_exponent(at + 1, end, w);
        }
    }
    return any;
}

/* Make the last digit the one at 10^-scale. */
static bool rescale(struct written *w, int32_t scale)
{
    int64_t shift = w->exponent + scale;

    for (; shift < 0 && w->n; shift++) {
        if (w->digits[--w->n] != '0')
            return false;
    }
    for (; shift > 0 && w->n; shift--) {
        if (w->n == MAX_DIGITS)
            return false;
        w->digits[w->n++] = '0';
    }
    return true;
}

static bool to_limbs(const struct written *w, uint32_t limbs[LIMBS])
{
    memset(limbs, 0, LIMBS * sizeof(*limbs));
    for (size_t d = 0; d < w->n; d++) {
        uint64_t carry = (uint64_t)(w->digits[d] - '0');

        for (size_t i = LIMBS; i-- > 0;) {
            carry += (uint64_t)limbs[i] * 10;
            limbs[i] = (uint32_t)carry;
            carry >>= 32;
        }
        if (carry)
            return false;
    }
    return limbs[0] < 0x80000000u;
}

bool sl_decimal_read(const char *text, size_t len, int32_t scale, struct sl_arena *arena,
                     struct sl_value *ret)
{
    struct written w = {0};
    uint32_t limbs[LIMBS];
    uint8_t *bytes;
    size_t first = 0;
    size_t size = (size_t)LIMBS * 4;
    uint8_t sign;

    if (!read_number(text, text + len, &w) || !rescale(&w, scale) || !to_limbs(&w, limbs))
        return false;
    bytes = sl_arena_alloc(arena, size);
    for (size_t i = 0; i < LIMBS; i++) {
        uint32_t word = __builtin_bswap32(limbs[i]);

        memcpy(bytes + 4 * i, &word, 4);
    }
    if (w.negative) {
        unsigned carry = 1;

        for (size_t i = size; i-- > 0;) {
            carry += (uint8_t)~bytes[i];
            bytes[i] = (uint8_t)carry;
            carry >>= 8;
        }
    }
    /* Drop bytes that only repeat the sign. */
    sign = bytes[0] & 0x80 ? 0xFF : 0;
    while (first + 1 < size && bytes[first] == sign && ((bytes[first + 1] ^ sign) & 0x80) == 0)
        first++;
    *ret = sl_bytes(SL_BYTES, bytes + first, size - first);
    return true;
}
