/* SPDX-License-Identifier: Apache-2.0 */
#include "number.h"

#include <ctype.h>
#include <openssl/bn.h>
#include <stdlib.h>
#include <string.h>

#include "../storage/arena.h"
#include "bytes.h"

/* The magnitude of two's complement is its bytes, or for a negative one the inverted bytes plus one. */
static BIGNUM *read_big(struct sy_value v)
{
    BIGNUM *n = BN_new();
    if (n == NULL)
        abort();
    if (v.len <= 0)
        return n;
    if ((v.bytes[0] & 0x80) == 0) {
        BN_bin2bn(v.bytes, v.len, n);
        return n;
    }
    uint8_t *inverted = malloc((size_t)v.len);
    if (inverted == NULL)
        abort();
    for (int32_t i = 0; i < v.len; i++)
        inverted[i] = (uint8_t)~v.bytes[i];
    BN_bin2bn(inverted, v.len, n);
    free(inverted);
    BN_add_word(n, 1);
    BN_set_negative(n, 1);
    return n;
}

/* Minimal two's complement behind `before` bytes that the caller fills. Frees n. */
static struct sy_value write_big(BIGNUM *n, size_t before, struct sy_arena *arena)
{
    bool negative = BN_is_negative(n);
    if (negative) { /* -x in two's complement is ~(x - 1) */
        BN_set_negative(n, 0);
        BN_sub_word(n, 1);
    }
    size_t len = (size_t)BN_num_bits(n) / 8 + 1; /* always room for the sign bit */
    uint8_t *bytes = sy_arena_alloc(arena, before + len);
    BN_bn2binpad(n, bytes + before, (int)len);
    for (size_t i = 0; negative && i < len; i++)
        bytes[before + i] = (uint8_t)~bytes[before + i];
    BN_free(n);
    return (struct sy_value){.len = (int32_t)(before + len), .bytes = bytes};
}

static void multiply_by_ten(BIGNUM *n, uint64_t times)
{
    for (; times >= 19; times -= 19)
        BN_mul_word(n, 10000000000000000000ULL);
    for (; times > 0; times--)
        BN_mul_word(n, 10);
}

bool sy_varint_from_text(const char *text, size_t len, struct sy_arena *arena, struct sy_value *ret)
{
    size_t sign = len > 0 && (text[0] == '-' || text[0] == '+');
    if (len == sign || len > SY_NUMBER_MAX_DIGITS)
        return false;
    for (size_t i = sign; i < len; i++)
        if (!isdigit((unsigned char)text[i]))
            return false;
    char *digits = sy_arena_dup(arena, text + sign, len - sign);
    BIGNUM *n = NULL;
    if (BN_dec2bn(&n, digits) == 0)
        return false;
    BN_set_negative(n, text[0] == '-');
    *ret = write_big(n, 0, arena);
    return true;
}

/* The exponent behind e or E; false when it is none or too far out. */
static bool read_exponent(const char *text, size_t len, long *ret)
{
    size_t sign = len > 0 && (text[0] == '-' || text[0] == '+');
    if (len == sign || len > 8)
        return false;
    long v = 0;
    for (size_t i = sign; i < len; i++) {
        if (!isdigit((unsigned char)text[i]))
            return false;
        v = v * 10 + (text[i] - '0');
    }
    *ret = text[0] == '-' ? -v : v;
    return true;
}

bool sy_decimal_from_text(const char *text, size_t len, struct sy_arena *arena, struct sy_value *ret)
{
    if (len > SY_NUMBER_MAX_DIGITS)
        return false;
    char *digits = sy_arena_alloc(arena, len + 1);
    size_t n = 0, i = 0, fraction = 0;
    long exponent = 0;
    bool point = false;
    if (i < len && (text[i] == '-' || text[i] == '+'))
        i++;
    for (; i < len && text[i] != 'e' && text[i] != 'E'; i++) {
        if (text[i] == '.' && !point) {
            point = true;
        } else if (isdigit((unsigned char)text[i])) {
            digits[n++] = text[i];
            fraction += point;
        } else {
            return false;
        }
    }
    if (n == 0 || (i < len && !read_exponent(text + i + 1, len - i - 1, &exponent)))
        return false;
    long scale = (long)fraction - exponent;
    if (scale > SY_NUMBER_MAX_SCALE || scale < -SY_NUMBER_MAX_SCALE)
        return false;
    BIGNUM *big = NULL;
    if (BN_dec2bn(&big, digits) == 0)
        return false;
    BN_set_negative(big, text[0] == '-');
    *ret = write_big(big, 4, arena);
    sy_put_u32((uint8_t *)(uintptr_t)ret->bytes, (uint32_t)scale);
    return true;
}

struct sy_value sy_varint_from_int(int64_t v, struct sy_arena *arena)
{
    uint8_t *bytes = sy_arena_alloc(arena, 8);
    sy_put_u64(bytes, (uint64_t)v);
    int skip = 0;
    while (skip < 7 &&
           ((bytes[skip] == 0 && bytes[skip + 1] < 0x80) || (bytes[skip] == 0xff && bytes[skip + 1] >= 0x80)))
        skip++;
    return (struct sy_value){.len = 8 - skip, .bytes = bytes + skip};
}

static char *big_to_text(BIGNUM *n, struct sy_arena *arena)
{
    char *made = BN_bn2dec(n);
    char *kept = sy_arena_text(arena, made);
    OPENSSL_free(made);
    BN_free(n);
    return kept;
}

char *sy_varint_to_text(struct sy_value v, struct sy_arena *arena)
{
    return big_to_text(read_big(v), arena);
}

static int32_t scale_of(struct sy_value v)
{
    return v.len >= 4 ? (int32_t)sy_get_u32(v.bytes) : 0;
}

static struct sy_value unscaled_of(struct sy_value v)
{
    return v.len > 4 ? (struct sy_value){.len = v.len - 4, .bytes = v.bytes + 4} : (struct sy_value){0};
}

char *sy_decimal_to_text(struct sy_value v, struct sy_arena *arena)
{
    char *digits = big_to_text(read_big(unscaled_of(v)), arena);
    int32_t scale = scale_of(v);
    const char *sign = digits[0] == '-' ? "-" : "";
    digits += digits[0] == '-';
    long n = (long)strlen(digits);
    long exponent = n - 1 - (long)scale;
    if (scale == 0)
        return sy_arena_format(arena, "%s%s", sign, digits);
    if (scale < 0 || exponent < -6) { /* Java's toString: scientific outside of these bounds */
        const char *point = n > 1 ? "." : "";
        return sy_arena_format(arena, "%s%c%s%sE%+ld", sign, digits[0], point, digits + 1, exponent);
    }
    if (n > scale)
        return sy_arena_format(arena, "%s%.*s.%s", sign, (int)(n - scale), digits, digits + n - scale);
    if (n == scale)
        return sy_arena_format(arena, "%s0.%s", sign, digits);
    return sy_arena_format(arena, "%s0.%0*d%s", sign, (int)(scale - n), 0, digits);
}

/* Skips bytes that only repeat the sign. */
static struct sy_value minimal(struct sy_value v)
{
    while (v.len > 1 &&
           ((v.bytes[0] == 0 && v.bytes[1] < 0x80) || (v.bytes[0] == 0xff && v.bytes[1] >= 0x80))) {
        v.bytes++;
        v.len--;
    }
    return v;
}

int sy_varint_compare(struct sy_value a, struct sy_value b)
{
    a = minimal(a);
    b = minimal(b);
    bool na = a.len > 0 && a.bytes[0] >= 0x80, nb = b.len > 0 && b.bytes[0] >= 0x80;
    if (na != nb)
        return na ? -1 : 1;
    if (a.len != b.len)
        return (a.len > b.len) == na ? -1 : 1;
    return a.len > 0 ? memcmp(a.bytes, b.bytes, (size_t)a.len) : 0;
}

/* Both at the larger of their scales. */
static int32_t align(struct sy_value a, struct sy_value b, BIGNUM **ret_a, BIGNUM **ret_b)
{
    int64_t sa = scale_of(a), sb = scale_of(b);
    int64_t scale = sa > sb ? sa : sb;
    *ret_a = read_big(unscaled_of(a));
    *ret_b = read_big(unscaled_of(b));
    multiply_by_ten(*ret_a, (uint64_t)(scale - sa));
    multiply_by_ten(*ret_b, (uint64_t)(scale - sb));
    return (int32_t)scale;
}

/* Far apart scales are not aligned but compared by the place of their first digit. */
static int compare_far(struct sy_value a, struct sy_value b)
{
    BIGNUM *x = read_big(unscaled_of(a)), *y = read_big(unscaled_of(b));
    int sx = BN_is_zero(x) ? 0 : BN_is_negative(x) ? -1 : 1;
    int sy = BN_is_zero(y) ? 0 : BN_is_negative(y) ? -1 : 1;
    double mx = BN_num_bits(x) * 0.30103 - scale_of(a), my = BN_num_bits(y) * 0.30103 - scale_of(b);
    BN_free(x);
    BN_free(y);
    if (sx != sy || sx == 0)
        return sx - sy;
    return (mx > my) == (sx > 0) ? 1 : -1;
}

int sy_decimal_compare(struct sy_value a, struct sy_value b)
{
    int64_t apart = (int64_t)scale_of(a) - scale_of(b);
    if (apart == 0)
        return sy_varint_compare(unscaled_of(a), unscaled_of(b));
    if (llabs(apart) > 2 * SY_NUMBER_MAX_SCALE + 8 * (int64_t)(a.len + b.len))
        return compare_far(a, b);
    BIGNUM *x, *y;
    align(a, b, &x, &y);
    int c = BN_cmp(x, y);
    BN_free(x);
    BN_free(y);
    return c;
}

struct sy_value sy_varint_add(struct sy_value a, struct sy_value b, struct sy_arena *arena)
{
    BIGNUM *x = read_big(a), *y = read_big(b);
    BN_add(x, x, y);
    BN_free(y);
    return write_big(x, 0, arena);
}

static struct sy_value write_decimal(BIGNUM *n, int32_t scale, struct sy_arena *arena)
{
    struct sy_value v = write_big(n, 4, arena);
    sy_put_u32((uint8_t *)(uintptr_t)v.bytes, (uint32_t)scale);
    return v;
}

struct sy_value sy_decimal_add(struct sy_value a, struct sy_value b, struct sy_arena *arena)
{
    BIGNUM *x, *y;
    int32_t scale = align(a, b, &x, &y);
    BN_add(x, x, y);
    BN_free(y);
    return write_decimal(x, scale, arena);
}

struct sy_value sy_varint_divide(struct sy_value a, int64_t by, struct sy_arena *arena)
{
    BIGNUM *x = read_big(a);
    bool negative = BN_is_negative(x);
    BN_set_negative(x, 0);
    BN_div_word(x, (BN_ULONG)llabs(by));
    BN_set_negative(x, negative != (by < 0));
    return write_big(x, 0, arena);
}

struct sy_value sy_decimal_divide(struct sy_value a, int64_t by, struct sy_arena *arena)
{
    BIGNUM *x = read_big(unscaled_of(a));
    bool negative = BN_is_negative(x);
    uint64_t divisor = (uint64_t)llabs(by);
    BN_set_negative(x, 0);
    uint64_t rest = BN_div_word(x, divisor);
    if (rest > divisor - rest || (rest == divisor - rest && BN_is_odd(x)))
        BN_add_word(x, 1);
    BN_set_negative(x, negative != (by < 0));
    return write_decimal(x, scale_of(a), arena);
}

bool sy_varint_to_int(struct sy_value v, int64_t *ret)
{
    v = minimal(v);
    if (v.len < 1 || v.len > 8)
        return false;
    uint64_t bits = v.bytes[0] >= 0x80 ? UINT64_MAX : 0;
    for (int32_t i = 0; i < v.len; i++)
        bits = bits << 8 | v.bytes[i];
    *ret = (int64_t)bits;
    return true;
}
