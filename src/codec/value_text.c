/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/value_text.h"

#include "base/arena.h"
#include "codec/decimal_text.h"
#include "codec/json_text.h"
#include "codec/number_text.h"
#include "codec/value_json.h"
#include "data/schema_build.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <time.h>

enum { MS_PER_DAY = 86400000 };

static void put_real(struct sl_buf *out, struct sl_value v)
{
    char text[SL_NUMBER_TEXT_SIZE];
    size_t len = v.tag == SL_FLOAT32 ? sl_float_text((float)v.d, text) : sl_double_text(v.d, text);

    sl_buf_put(out, text, len);
}

static void put_collection(struct sl_buf *out, const struct sl_schema *schema, struct sl_value v)
{
    bool map = v.tag == SL_MAP;

    sl_buf_u8(out, map ? '{' : '[');
    for (uint32_t i = 0; i < v.len; i++) {
        if (i)
            sl_buf_text(out, ", ");
        if (map) {
            sl_value_string(out, schema ? schema->key : NULL, v.items[2 * (size_t)i]);
            sl_buf_u8(out, '=');
        }
        sl_value_string(out, schema ? schema->element : NULL, v.items[map ? 2 * (size_t)i + 1 : i]);
    }
    sl_buf_u8(out, map ? '}' : ']');
}

static void put_struct(struct sl_buf *out, const struct sl_schema *schema, struct sl_value v)
{
    bool any = false;

    sl_buf_text(out, "Struct{");
    for (uint32_t i = 0; schema && i < schema->n_fields && i < v.len; i++) {
        struct sl_value field = v.items[i];

        if (field.tag == SL_ABSENT && schema->fields[i].schema->has_default &&
            !schema->fields[i].schema->optional)
            field = schema->fields[i].schema->default_value;
        if (sl_is_null(field))
            continue;
        if (any)
            sl_buf_u8(out, ',');
        any = true;
        sl_buf_text(out, schema->fields[i].name);
        sl_buf_u8(out, '=');
        sl_value_string(out, schema->fields[i].schema, field);
    }
    sl_buf_u8(out, '}');
}

void sl_value_string(struct sl_buf *out, const struct sl_schema *schema, struct sl_value v)
{
    if (schema && schema->type != v.tag)
        schema = NULL;
    switch ((enum sl_type)v.tag) {
    case SL_ABSENT:
    case SL_NULL: sl_buf_text(out, "null"); return;
    case SL_INT8:
    case SL_INT16:
    case SL_INT32:
    case SL_INT64: sl_json_text_int(out, v.i); return;
    case SL_FLOAT32:
    case SL_FLOAT64: put_real(out, v); return;
    case SL_BOOLEAN: sl_buf_text(out, v.i ? "true" : "false"); return;
    case SL_STRING: sl_buf_put(out, v.bytes, v.len); return;
    case SL_BYTES:
        /* Java would print an object's address: the bytes themselves say more. */
        if (!schema || schema->semantic != SL_SEM_DECIMAL ||
            !sl_decimal_put(out, v.bytes, v.len, schema->scale))
            sl_buf_put(out, v.bytes, v.len);
        return;
    case SL_ARRAY:
    case SL_MAP: put_collection(out, schema, v); return;
    case SL_STRUCT: put_struct(out, schema, v); return;
    }
}

/* ISO-8601 in UTC: the day, the time of day with its milliseconds, or both. */
static bool put_time(struct sl_buf *out, int64_t ms, bool day, bool clock)
{
    int64_t part = ((ms % 1000) + 1000) % 1000;
    time_t seconds = (time_t)((ms - part) / 1000);
    struct tm tm;

    if (!gmtime_r(&seconds, &tm))
        return false;
    if (day)
        sl_buf_format(out, "%04d-%02d-%02d", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday);
    if (day && clock)
        sl_buf_u8(out, 'T');
    if (clock)
        sl_buf_format(out, "%02d:%02d:%02d.%03dZ", tm.tm_hour, tm.tm_min, tm.tm_sec, (int)part);
    return true;
}

static bool put_logical(struct sl_buf *out, const struct sl_schema *schema, struct sl_value v)
{
    if (v.tag == SL_INT32 && schema->semantic == SL_SEM_DATE)
        return put_time(out, v.i * MS_PER_DAY, true, false);
    if (v.tag == SL_INT32 && schema->semantic == SL_SEM_TIME)
        return put_time(out, v.i, false, true);
    if (v.tag == SL_INT64 && schema->semantic == SL_SEM_TIMESTAMP)
        return put_time(out, v.i, true, true);
    return false;
}

void sl_value_literal(struct sl_buf *out, const struct sl_schema *schema, struct sl_value v)
{
    static const struct sl_json_style style = {.decimal_numbers = true};
    size_t before = out->len;

    if (schema && put_logical(out, schema, v))
        return;
    if (v.tag == SL_ARRAY || v.tag == SL_MAP) {
        sl_value_json(out, schema, v, &style);
    } else if (v.tag == SL_BYTES && (!schema || schema->semantic != SL_SEM_DECIMAL)) {
        /* base64 without the quotes that JSON wants */
        sl_json_text_base64(out, v.bytes, v.len);
        memmove(out->data + before, out->data + before + 1, out->len - before - 2);
        out->len -= 2;
    } else {
        sl_value_string(out, schema, v);
    }
}

/* Digits at fixed places: '0' in the form stands for one. */
static bool has_form(struct sl_span text, const char *form)
{
    if (text.len != strlen(form))
        return false;
    for (size_t i = 0; i < text.len; i++) {
        bool digit = text.ptr[i] >= '0' && text.ptr[i] <= '9';

        if (form[i] == '0' ? !digit : text.ptr[i] != (uint8_t)form[i])
            return false;
    }
    return true;
}

static int64_t digits(const uint8_t *at, int n)
{
    int64_t number = 0;

    for (int i = 0; i < n; i++)
        number = number * 10 + (at[i] - '0');
    return number;
}

static bool read_day(const uint8_t *at, int64_t *ret_days)
{
    struct tm tm = {.tm_year = (int)digits(at, 4) - 1900,
                    .tm_mon = (int)digits(at + 5, 2) - 1,
                    .tm_mday = (int)digits(at + 8, 2)};
    struct tm given = tm;
    time_t seconds = timegm(&tm);

    *ret_days = (int64_t)seconds / 86400 - (seconds % 86400 < 0);
    return tm.tm_mon == given.tm_mon && tm.tm_mday == given.tm_mday;
}

static bool read_clock(const uint8_t *at, int64_t *ret_ms)
{
    int64_t hours = digits(at, 2);
    int64_t minutes = digits(at + 3, 2);
    int64_t seconds = digits(at + 6, 2);

    *ret_ms = ((hours * 60 + minutes) * 60 + seconds) * 1000 + digits(at + 9, 3);
    return hours < 24 && minutes < 60 && seconds < 60;
}

static bool read_temporal(struct sl_span text, const struct sl_schema **ret_schema,
                          struct sl_value *ret_value)
{
    int64_t days = 0;
    int64_t ms = 0;

    if (has_form(text, "0000-00-00") && read_day(text.ptr, &days)) {
        *ret_schema = sl_schema_named(SL_INT32, "org.apache.kafka.connect.data.Date", 1, false);
        *ret_value = sl_int(SL_INT32, days);
        return true;
    }
    if (has_form(text, "00:00:00.000Z") && read_clock(text.ptr, &ms)) {
        *ret_schema = sl_schema_named(SL_INT32, "org.apache.kafka.connect.data.Time", 1, false);
        *ret_value = sl_int(SL_INT32, ms);
        return true;
    }
    if (has_form(text, "0000-00-00T00:00:00.000Z") && read_day(text.ptr, &days) &&
        read_clock(text.ptr + 11, &ms)) {
        *ret_schema = sl_schema_named(SL_INT64, "org.apache.kafka.connect.data.Timestamp", 1, false);
        *ret_value = sl_int(SL_INT64, days * MS_PER_DAY + ms);
        return true;
    }
    return false;
}

static enum sl_type smallest(int64_t i)
{
    if (i == (int8_t)i)
        return SL_INT8;
    if (i == (int16_t)i)
        return SL_INT16;
    return i == (int32_t)i ? SL_INT32 : SL_INT64;
}

static bool read_number(struct sl_span text, const struct sl_schema **ret_schema, struct sl_value *ret_value)
{
    char copy[64];
    char *end;
    int64_t i;
    double d;

    if (text.len == 0 || text.len >= sizeof(copy) || memchr("+-.0123456789", text.ptr[0], 13) == NULL)
        return false;
    memcpy(copy, text.ptr, text.len);
    copy[text.len] = '\0';
    errno = 0;
    i = strtoll(copy, &end, 10);
    if (errno == 0 && end == copy + text.len) {
        *ret_value = sl_int(smallest(i), i);
    } else {
        if (strspn(copy, "+-.0123456789eE") != text.len)
            return false;
        d = strtod(copy, &end);
        if (end != copy + text.len || !isfinite(d))
            return false;
        *ret_value = sl_float(isfinite((float)d) ? SL_FLOAT32 : SL_FLOAT64, d);
        if (ret_value->tag == SL_FLOAT32)
            ret_value->d = (double)(float)d;
    }
    *ret_schema = sl_schema_plain((enum sl_type)ret_value->tag, false);
    return true;
}

/* The one type that all the items have; integers take the smallest that holds them all. */
static bool common_type(const struct sl_value *items, size_t n, size_t step, enum sl_type *ret)
{
    enum sl_type type = SL_STRING;

    for (size_t i = 0; i < n; i++) {
        enum sl_type own = (enum sl_type)items[i * step].tag;

        if (own == SL_INT64)
            own = smallest(items[i * step].i);
        if (own != SL_STRING && own != SL_BOOLEAN && own != SL_FLOAT64 &&
            !(own >= SL_INT8 && own <= SL_INT64))
            return false;
        if (i == 0)
            type = own;
        else if (type <= SL_INT64 && own <= SL_INT64)
            type = own > type ? own : type;
        else if (own != type)
            return false;
    }
    *ret = type;
    return true;
}

static bool read_collection(struct sl_span text, struct sl_arena *arena, const struct sl_schema **ret_schema,
                            struct sl_value *ret_value)
{
    struct sl_value value;
    struct sl_value *items;
    enum sl_type type;
    bool map;
    size_t n;

    if (text.len < 2 || (*text.ptr != '[' && *text.ptr != '{') ||
        sl_value_json_read(text, NULL, arena, &value, NULL))
        return false;
    map = value.tag == SL_MAP;
    n = (size_t)value.len * (map ? 2 : 1);
    if (!common_type(value.items + map, value.len, map ? 2 : 1, &type))
        return false;
    items = sl_arena_copy(arena, value.items, n * sizeof(*items));
    for (size_t i = map; i < n; i += map ? 2 : 1)
        items[i].tag = (uint8_t)type;
    *ret_schema = map ? sl_schema_map(sl_schema_plain(SL_STRING, false), sl_schema_plain(type, false), false)
                      : sl_schema_array(sl_schema_plain(type, false), false);
    *ret_value = sl_items((enum sl_type)value.tag, items, value.len);
    return true;
}

static bool is_word(struct sl_span text, const char *word)
{
    return text.len == strlen(word) && memcmp(text.ptr, word, text.len) == 0;
}

void sl_value_literal_read(struct sl_span text, struct sl_arena *arena, const struct sl_schema **ret_schema,
                           struct sl_value *ret_value)
{
    if (!text.ptr || is_word(text, "null")) {
        *ret_schema = NULL;
        *ret_value = sl_null();
    } else if (is_word(text, "true") || is_word(text, "false")) {
        *ret_schema = sl_schema_plain(SL_BOOLEAN, false);
        *ret_value = sl_bool(text.len == 4);
    } else if (!read_temporal(text, ret_schema, ret_value) && !read_number(text, ret_schema, ret_value) &&
               !read_collection(text, arena, ret_schema, ret_value)) {
        *ret_schema = sl_schema_plain(SL_STRING, false);
        *ret_value = sl_bytes(SL_STRING, text.ptr, text.len);
    }
}
