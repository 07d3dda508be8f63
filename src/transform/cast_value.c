/* SPDX-License-Identifier: Apache-2.0 */
#include "transform/cast_value.h"

#include "base/arena.h"
#include "base/buf.h"
#include "codec/decimal_text.h"
#include "codec/json_text.h"
#include "codec/number_text.h"
#include "codec/date_format.h"
#include "codec/java_number.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

enum { MS_PER_DAY = 86400000 };

static struct sl_value text_value(struct sl_arena *arena, const void *text, size_t len)
{
    return sl_bytes(SL_STRING, sl_arena_copy(arena, text, len), len);
}

static bool is_decimal(const struct sl_schema *from)
{
    return from && from->semantic == SL_SEM_DECIMAL;
}

/* Connect chooses the form by the number, not by the type: a time before the second day, a date at midnight.
 */
static struct sl_value date_text(int64_t ms, struct sl_arena *arena)
{
    struct sl_iso_text text;

    sl_iso_text(ms,
                ms < MS_PER_DAY        ? SL_ISO_TIME
                : ms % MS_PER_DAY == 0 ? SL_ISO_DATE
                                       : SL_ISO_TIMESTAMP,
                &text);
    return text_value(arena, text.chars, text.len);
}

static struct sl_value base64_text(struct sl_value value, struct sl_arena *arena)
{
    struct sl_buf out = {0};
    struct sl_value text;

    sl_json_text_base64(&out, value.bytes, value.len);
    text = text_value(arena, out.data + 1, out.len - 2); /* without the quotes that JSON wants */
    sl_buf_done(&out);
    return text;
}

static struct sl_value bytes_text(const struct sl_schema *from, struct sl_value value, struct sl_arena *arena)
{
    struct sl_buf out = {0};
    struct sl_value text;

    if (!is_decimal(from) || !sl_decimal_put(&out, value.bytes, value.len, from->scale))
        return base64_text(value, arena);
    text = text_value(arena, out.data, out.len);
    sl_buf_done(&out);
    return text;
}

static struct sl_value int_text(const struct sl_schema *from, struct sl_value value, struct sl_arena *arena)
{
    char text[24];

    if (from && from->semantic == SL_SEM_DATE)
        return date_text(value.i * MS_PER_DAY, arena);
    if (from && (from->semantic == SL_SEM_TIME || from->semantic == SL_SEM_TIMESTAMP))
        return date_text(value.i, arena);
    return text_value(arena, text, (size_t)snprintf(text, sizeof(text), "%" PRId64, value.i));
}

static enum sl_rc to_string(const struct sl_schema *from, struct sl_value value, struct sl_arena *arena,
                            struct sl_value *ret)
{
    char number[SL_NUMBER_TEXT_SIZE];

    if (value.tag == SL_STRING)
        *ret = value;
    else if (value.tag == SL_BYTES)
        *ret = bytes_text(from, value, arena);
    else if (value.tag == SL_BOOLEAN)
        *ret = sl_text(value.i ? "true" : "false");
    else if (value.tag == SL_FLOAT32)
        *ret = text_value(arena, number, sl_float_text((float)value.d, number));
    else if (value.tag == SL_FLOAT64)
        *ret = text_value(arena, number, sl_double_text(value.d, number));
    else
        *ret = int_text(from, value, arena);
    return SL_OK;
}

static enum sl_rc out_of_range(struct sl_value value, enum sl_type to, struct sl_error *err)
{
    return sl_error_set(err, SL_E_DATA,
                        "Cast cannot read the text '%.*s' as %s. HINT: it must be a number in range, without "
                        "anything around it",
                        value.len > 60 ? 60 : (int)value.len, (const char *)value.bytes, sl_type_name(to));
}

static bool is_real(enum sl_type type)
{
    return type == SL_FLOAT32 || type == SL_FLOAT64;
}

static enum sl_rc from_text(struct sl_value value, enum sl_type to, struct sl_arena *arena,
                            struct sl_value *ret, struct sl_error *err)
{
    int64_t number = 0;
    double real = 0;

    if (to == SL_BOOLEAN) {
        *ret = sl_bool(value.len == 4 && strncasecmp((const char *)value.bytes, "true", 4) == 0);
        return SL_OK;
    }
    if (is_real(to)) {
        if (!sl_java_parse_real(value.bytes, value.len, to, arena, &real))
            return out_of_range(value, to, err);
        *ret = sl_float(to, real);
        return SL_OK;
    }
    if (!sl_java_parse_int(value.bytes, value.len, to, &number))
        return out_of_range(value, to, err);
    *ret = sl_int(to, number);
    return SL_OK;
}

static enum sl_rc from_decimal(const struct sl_schema *from, struct sl_value value, enum sl_type to,
                               struct sl_value *ret, struct sl_error *err)
{
    struct sl_buf text = {0};
    const char *number;

    if (!sl_decimal_put(&text, value.bytes, value.len, from->scale))
        return sl_error_set(err, SL_E_DATA,
                            "Cast cannot read a decimal of %u bytes. HINT: it is longer than any number that "
                            "is in use",
                            value.len);
    number = sl_buf_cstr(&text);
    if (is_real(to))
        *ret = sl_float(to, to == SL_FLOAT32 ? (double)strtof(number, NULL) : strtod(number, NULL));
    else if (to == SL_BOOLEAN)
        *ret = sl_bool(sl_java_decimal_long(number) != 0);
    else
        *ret = sl_int(to, sl_java_narrow(sl_java_decimal_long(number), to));
    sl_buf_done(&text);
    return SL_OK;
}

static struct sl_value from_number(struct sl_value value, enum sl_type to)
{
    bool real = is_real((enum sl_type)value.tag);
    double d = real ? value.d : 0;

    if (to == SL_BOOLEAN)
        return sl_bool(real ? sl_java_real_to_int(d, SL_INT64) != 0 : value.i != 0);
    if (to == SL_FLOAT32)
        return sl_float(to, (double)(real ? (float)d : (float)value.i));
    if (to == SL_FLOAT64)
        return sl_float(to, real ? d : (double)value.i);
    return sl_int(to, real ? sl_java_real_to_int(d, to) : sl_java_narrow(value.i, to));
}

enum sl_rc sl_cast_value(const struct sl_schema *from, struct sl_value value, enum sl_type to,
                         struct sl_arena *arena, struct sl_value *ret, struct sl_error *err)
{
    if (sl_is_null(value)) {
        *ret = value;
        return SL_OK;
    }
    if (value.tag > SL_BYTES)
        return sl_error_set(err, SL_E_DATA,
                            "Cast cannot read a %s as %s. HINT: it casts numbers, booleans, text and bytes",
                            sl_type_name((enum sl_type)value.tag), sl_type_name(to));
    if (to == SL_STRING)
        return to_string(from, value, arena, ret);
    if (value.tag == SL_STRING)
        return from_text(value, to, arena, ret, err);
    if (value.tag == SL_BYTES) {
        if (is_decimal(from))
            return from_decimal(from, value, to, ret, err);
        return sl_error_set(err, SL_E_DATA,
                            "Cast cannot read bytes as %s. HINT: bytes become strings (base64) only",
                            sl_type_name(to));
    }
    *ret = from_number(value, to);
    return SL_OK;
}
