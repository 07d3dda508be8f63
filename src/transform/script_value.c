/* SPDX-License-Identifier: Apache-2.0 */
#include "transform/script_value.h"

#include "base/arena.h"
#include "codec/decimal_text.h"
#include "codec/number_text.h"

#include <inttypes.h>
#include <stdlib.h>

enum { DAY_MS = 86400000 };

static const char *const kind_names[] = {
    "null",     "a boolean", "a byte",   "a short",  "an integer", "a long",   "a float",
    "a double", "a decimal", "a string", "a date",   "bytes",      "a struct", "a map",
    "a list",   "a list",    "header",   "a header", "a schema",
};

const char *sl_script_kind_name(enum sl_script_kind kind)
{
    return kind_names[kind];
}

static enum sl_script_kind kind_of(const struct sl_schema *schema, struct sl_value value)
{
    enum sl_semantic semantic = schema ? schema->semantic : SL_SEM_NONE;

    switch ((enum sl_type)value.tag) {
    case SL_ABSENT:
    case SL_NULL: return SL_SCRIPT_NULL;
    case SL_INT8: return SL_SCRIPT_BYTE;
    case SL_INT16: return SL_SCRIPT_SHORT;
    case SL_INT32:
        return semantic == SL_SEM_DATE || semantic == SL_SEM_TIME ? SL_SCRIPT_DATE : SL_SCRIPT_INTEGER;
    case SL_INT64: return semantic == SL_SEM_TIMESTAMP ? SL_SCRIPT_DATE : SL_SCRIPT_LONG;
    case SL_FLOAT32: return SL_SCRIPT_FLOAT;
    case SL_FLOAT64: return SL_SCRIPT_DOUBLE;
    case SL_BOOLEAN: return SL_SCRIPT_BOOLEAN;
    case SL_STRING: return SL_SCRIPT_STRING;
    case SL_BYTES: return semantic == SL_SEM_DECIMAL ? SL_SCRIPT_DECIMAL : SL_SCRIPT_BYTES;
    case SL_ARRAY: return SL_SCRIPT_LIST;
    case SL_MAP: return SL_SCRIPT_MAP;
    case SL_STRUCT: return SL_SCRIPT_STRUCT;
    }
    return SL_SCRIPT_NULL;
}

struct sl_script_value sl_script_of(const struct sl_schema *schema, struct sl_value value)
{
    return (struct sl_script_value){.kind = kind_of(schema, value), .schema = schema, .value = value};
}

struct sl_script_value sl_script_bool(bool b)
{
    return (struct sl_script_value){.kind = SL_SCRIPT_BOOLEAN, .value = sl_bool(b)};
}

static bool is_number(const struct sl_script_value *value)
{
    return value->kind >= SL_SCRIPT_BYTE && value->kind <= SL_SCRIPT_DECIMAL;
}

static bool is_integer(const struct sl_script_value *value)
{
    return value->kind >= SL_SCRIPT_BYTE && value->kind <= SL_SCRIPT_LONG;
}

static bool is_real(const struct sl_script_value *value)
{
    return value->kind == SL_SCRIPT_FLOAT || value->kind == SL_SCRIPT_DOUBLE;
}

static int sign(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

/* ---- numbers ---- */

static void put_number(const struct sl_script_value *number, struct sl_buf *out)
{
    if (is_integer(number))
        sl_buf_format(out, "%" PRId64, number->value.i);
    else
        (void)sl_decimal_put(out, number->value.bytes, number->value.len, number->schema->scale);
}

static double real_of(const struct sl_script_value *number)
{
    struct sl_buf text = {0};
    double d;

    if (is_real(number))
        return number->value.d;
    if (is_integer(number))
        return (double)number->value.i;
    put_number(number, &text);
    d = strtod(sl_buf_cstr(&text), NULL);
    sl_buf_done(&text);
    return d;
}

/* Double.compare: a zero below zero comes before zero, NaN after all. */
static int order_reals(double a, double b)
{
    int64_t a_bits;
    int64_t b_bits;

    if (a < b || a > b)
        return a < b ? -1 : 1;
    if (a != a || b != b)
        return (a != a) - (b != b);
    memcpy(&a_bits, &a, sizeof(a_bits));
    memcpy(&b_bits, &b, sizeof(b_bits));
    return sign(a_bits, b_bits);
}

static int32_t scale_of(const struct sl_script_value *number)
{
    return number->kind == SL_SCRIPT_DECIMAL ? number->schema->scale : 0;
}

/* Two's complement, big-endian, minimal. */
static int order_bytes(struct sl_value a, struct sl_value b)
{
    bool a_negative = a.len && a.bytes[0] & 0x80;
    bool b_negative = b.len && b.bytes[0] & 0x80;

    if (a_negative != b_negative)
        return a_negative ? -1 : 1;
    if (a.len != b.len)
        return (a.len < b.len) != a_negative ? -1 : 1;
    return sign(memcmp(a.bytes, b.bytes, a.len), 0);
}

static bool units(const struct sl_script_value *number, int32_t scale, struct sl_arena *arena,
                  struct sl_value *ret)
{
    struct sl_buf text = {0};
    bool done;

    put_number(number, &text);
    done = sl_decimal_read(sl_buf_cstr(&text), text.len, scale, arena, ret);
    sl_buf_done(&text);
    return done;
}

static enum sl_rc order_decimals(const struct sl_script_value *a, const struct sl_script_value *b, int *ret,
                                 struct sl_error *err)
{
    int32_t scale = scale_of(a) > scale_of(b) ? scale_of(a) : scale_of(b);
    struct sl_arena *arena = sl_arena_new(2 * SL_DECIMAL_MAX_BYTES);
    struct sl_value units_of_a;
    struct sl_value units_of_b;
    bool done = units(a, scale, arena, &units_of_a) && units(b, scale, arena, &units_of_b);

    if (done)
        *ret = order_bytes(units_of_a, units_of_b);
    sl_arena_free(arena);
    return done ? SL_OK
                : sl_error_set(err, SL_E_DATA,
                               "a decimal is too long to be compared. HINT: leave such columns out");
}

static enum sl_rc order_numbers(const struct sl_script_value *a, const struct sl_script_value *b, int *ret,
                                struct sl_error *err)
{
    if (is_real(a) || is_real(b))
        *ret = order_reals(real_of(a), real_of(b));
    else if (is_integer(a) && is_integer(b))
        *ret = sign(a->value.i, b->value.i);
    else
        return order_decimals(a, b, ret, err);
    return SL_OK;
}

/* ---- other things ---- */

/* By UTF-16 units, as Java does: what needs two of them comes before U+E000. */
static int order_texts(struct sl_value a, struct sl_value b)
{
    uint32_t n = a.len < b.len ? a.len : b.len;
    uint32_t i = 0;

    while (i < n && a.bytes[i] == b.bytes[i])
        i++;
    if (i == n)
        return sign(a.len, b.len);
    if (a.bytes[i] >= 0xee && b.bytes[i] >= 0xee && (a.bytes[i] >= 0xf0) != (b.bytes[i] >= 0xf0))
        return a.bytes[i] >= 0xf0 ? -1 : 1;
    return a.bytes[i] < b.bytes[i] ? -1 : 1;
}

static int64_t date_ms(const struct sl_script_value *date)
{
    return date->schema->semantic == SL_SEM_DATE ? date->value.i * DAY_MS : date->value.i;
}

/* Groovy takes a text of one character for the character, and that for a number, beside a number. */
static bool as_character(const struct sl_script_value *text, struct sl_script_value *ret)
{
    const uint8_t *bytes = text->value.bytes;
    uint32_t len = text->value.len;
    int32_t code;

    if (text->kind != SL_SCRIPT_STRING || len == 0 || len > 3)
        return false;
    if (len == 1 && bytes[0] < 0x80)
        code = bytes[0];
    else if (len == 2 && bytes[0] >= 0xc0)
        code = (bytes[0] & 0x1f) << 6 | (bytes[1] & 0x3f);
    else if (len == 3 && bytes[0] >= 0xe0)
        code = (bytes[0] & 0x0f) << 12 | (bytes[1] & 0x3f) << 6 | (bytes[2] & 0x3f);
    else
        return false;
    *ret = (struct sl_script_value){.kind = SL_SCRIPT_INTEGER, .value = sl_int(SL_INT32, code)};
    return true;
}

static bool same_struct(const struct sl_script_value *a, const struct sl_script_value *b)
{
    return a->schema == b->schema && sl_value_equal(a->value, b->value);
}

static enum sl_rc no_comparison(const struct sl_script_value *a, const struct sl_script_value *b,
                                struct sl_error *err)
{
    return sl_error_set(err, SL_E_DATA, "%s and %s cannot be compared. HINT: compare fields of one type",
                        kind_names[a->kind], kind_names[b->kind]);
}

/* Both of one family, in which there is an order. False: they are not. */
static bool order_alike(const struct sl_script_value *a, const struct sl_script_value *b, int *ret)
{
    if (a->kind != b->kind)
        return false;
    switch ((int)a->kind) {
    case SL_SCRIPT_BOOLEAN: *ret = sign(a->value.i, b->value.i); return true;
    case SL_SCRIPT_STRING: *ret = order_texts(a->value, b->value); return true;
    case SL_SCRIPT_DATE: *ret = sign(date_ms(a), date_ms(b)); return true;
    default: return false;
    }
}

enum sl_rc sl_script_order(const struct sl_script_value *a, const struct sl_script_value *b, int *ret,
                           struct sl_error *err)
{
    struct sl_script_value character;

    if (a->kind == SL_SCRIPT_NULL || b->kind == SL_SCRIPT_NULL) {
        *ret = (a->kind != SL_SCRIPT_NULL) - (b->kind != SL_SCRIPT_NULL);
        return SL_OK;
    }
    if (is_number(a) && is_number(b))
        return order_numbers(a, b, ret, err);
    if (is_number(a) && as_character(b, &character))
        return order_numbers(a, &character, ret, err);
    if (is_number(b) && as_character(a, &character))
        return order_numbers(&character, b, ret, err);
    return order_alike(a, b, ret) ? SL_OK : no_comparison(a, b, err);
}

static bool has_parts(const struct sl_script_value *value)
{
    return value->kind == SL_SCRIPT_BYTES || value->kind == SL_SCRIPT_MAP || value->kind == SL_SCRIPT_LIST ||
           value->kind >= SL_SCRIPT_WORDS;
}

/* Of two that are not null: whether they are the same thing in two classes that no order holds together. */
static enum sl_rc same_otherwise(const struct sl_script_value *a, const struct sl_script_value *b, bool *ret,
                                 struct sl_error *err)
{
    if (has_parts(a) && has_parts(b))
        return no_comparison(a, b, err);
    *ret = a->kind == SL_SCRIPT_STRUCT && b->kind == SL_SCRIPT_STRUCT && same_struct(a, b);
    return SL_OK;
}

enum sl_rc sl_script_same(const struct sl_script_value *a, const struct sl_script_value *b, bool *ret,
                          struct sl_error *err)
{
    struct sl_error none = {0};
    int order = 1;

    if (a->kind == SL_SCRIPT_NULL || b->kind == SL_SCRIPT_NULL)
        *ret = a->kind == b->kind;
    else if (is_real(a) && is_real(b)) /* the numbers themselves: NaN is not NaN, and -0.0 is 0.0 */
        *ret = a->value.d == b->value.d;
    else if (sl_script_order(a, b, &order, &none) == SL_OK)
        *ret = order == 0;
    else
        return same_otherwise(a, b, ret, err);
    return SL_OK;
}

enum sl_rc sl_script_equals(const struct sl_script_value *a, const struct sl_script_value *b, bool *ret,
                            struct sl_error *err)
{
    int order = 1;

    if (a->kind != b->kind || a->kind == SL_SCRIPT_NULL) {
        *ret = a->kind == b->kind;
        return SL_OK;
    }
    if (is_real(a))
        *ret = order_reals(a->value.d, b->value.d) == 0;
    else if (is_integer(a))
        *ret = a->value.i == b->value.i;
    else if (a->kind == SL_SCRIPT_DECIMAL)
        *ret = a->schema->scale == b->schema->scale && sl_value_equal(a->value, b->value);
    else if (order_alike(a, b, &order))
        *ret = order == 0;
    else
        return same_otherwise(a, b, ret, err);
    return SL_OK;
}

enum sl_rc sl_script_truth(const struct sl_script_value *value, bool *ret, struct sl_error *err)
{
    switch (value->kind) {
    case SL_SCRIPT_NULL: *ret = false; break;
    case SL_SCRIPT_BOOLEAN:
    case SL_SCRIPT_BYTE:
    case SL_SCRIPT_SHORT:
    case SL_SCRIPT_INTEGER:
    case SL_SCRIPT_LONG: *ret = value->value.i != 0; break;
    case SL_SCRIPT_FLOAT:
    case SL_SCRIPT_DOUBLE:
    case SL_SCRIPT_DECIMAL: *ret = real_of(value) != 0; break;
    case SL_SCRIPT_STRING:
    case SL_SCRIPT_MAP:
    case SL_SCRIPT_LIST: *ret = value->value.len != 0; break;
    case SL_SCRIPT_WORDS: *ret = value->n_words != 0; break;
    case SL_SCRIPT_HEADERS: *ret = value->value.len != 0; break;
    case SL_SCRIPT_DATE:
    case SL_SCRIPT_STRUCT:
    case SL_SCRIPT_HEADER:
    case SL_SCRIPT_SCHEMA: *ret = true; break;
    case SL_SCRIPT_BYTES:
        return sl_error_set(err, SL_E_DATA,
                            "bytes are neither true nor false. HINT: compare them with null instead");
    }
    return SL_OK;
}

static void put_real(const struct sl_script_value *number, struct sl_buf *out)
{
    char text[SL_NUMBER_TEXT_SIZE];

    if (number->kind == SL_SCRIPT_FLOAT)
        (void)sl_float_text((float)number->value.d, text);
    else
        (void)sl_double_text(number->value.d, text);
    sl_buf_text(out, text);
}

enum sl_rc sl_script_text(const struct sl_script_value *value, struct sl_buf *out, struct sl_error *err)
{
    if (value->kind == SL_SCRIPT_STRING)
        sl_buf_put(out, value->value.bytes, value->value.len);
    else if (is_integer(value) || value->kind == SL_SCRIPT_DECIMAL)
        put_number(value, out);
    else if (value->kind == SL_SCRIPT_BOOLEAN)
        sl_buf_text(out, value->value.i ? "true" : "false");
    else if (value->kind == SL_SCRIPT_NULL)
        sl_buf_text(out, "null");
    else if (is_real(value))
        put_real(value, out);
    else
        return sl_error_set(err, SL_E_DATA, "%s cannot be made text. HINT: text, numbers and booleans can",
                            kind_names[value->kind]);
    return SL_OK;
}
