/* SPDX-License-Identifier: Apache-2.0 */
/* CAST(x AS type). */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../storage/arena.h"
#include "../types/bytes.h"
#include "../types/number.h"
#include "../types/timeuuid.h"
#include "constant.h"
#include "expression.h"

static bool is_number(enum sy_type_id id)
{
    switch ((int)id) {
    case SY_TINYINT:
    case SY_SMALLINT:
    case SY_INT:
    case SY_BIGINT:
    case SY_COUNTER:
    case SY_FLOAT:
    case SY_DOUBLE:
    case SY_VARINT:
    case SY_DECIMAL: return true;
    default: return false;
    }
}

bool sy_cast_exists(enum sy_type_id from, enum sy_type_id to)
{
    if (from == to)
        return true;
    if (to == SY_TEXT || to == SY_ASCII)
        return from < SY_LIST && from != SY_BLOB && from != SY_CUSTOM && from != SY_DURATION &&
               !(to == SY_ASCII && from == SY_TEXT);
    if (is_number(from))
        return is_number(to) && to != SY_COUNTER;
    if (from == SY_TIMEUUID)
        return to == SY_TIMESTAMP || to == SY_DATE;
    return (from == SY_TIMESTAMP && to == SY_DATE) || (from == SY_DATE && to == SY_TIMESTAMP);
}

/* A number's digits, from which every other number can be made. */
static const char *number_text(struct sy_run *run, enum sy_type_id id, struct sy_value value)
{
    int64_t whole = 0;
    if (id == SY_DECIMAL)
        return sy_decimal_to_text(value, run->arena);
    if (id == SY_VARINT)
        return sy_varint_to_text(value, run->arena);
    if (id == SY_FLOAT || id == SY_DOUBLE) {
        double v = id == SY_FLOAT ? (double)sy_get_float(value.bytes) : sy_get_double(value.bytes);
        char text[40];
        for (int digits = 1; digits <= 17; digits++) { /* the shortest that reads back as the same */
            (void)snprintf(text, sizeof text, "%.*g", digits, v);
            if (id == SY_FLOAT ? strtof(text, NULL) == (float)v : strtod(text, NULL) == v)
                break;
        }
        return sy_arena_text(run->arena, text);
    }
    (void)sy_varint_to_int(value, &whole);
    return sy_arena_format(run->arena, "%lld", (long long)whole);
}

static bool cast_number(struct sy_run *run, enum sy_type_id from, enum sy_type_id to, struct sy_value value,
                        struct sy_value *ret)
{
    const char *text = number_text(run, from, value);
    struct sy_term term = {.kind = SY_TERM_FLOAT, .text = text, .len = (uint32_t)strlen(text)};
    bool whole = to != SY_FLOAT && to != SY_DOUBLE && to != SY_DECIMAL;
    if (whole && (from == SY_FLOAT || from == SY_DOUBLE || from == SY_DECIMAL)) {
        double v = strtod(text, NULL);
        v = isnan(v) ? 0 : trunc(v); /* as Java narrows: towards zero */
        term.text = sy_arena_format(run->arena, "%.0f", v);
        term.len = (uint32_t)strlen(term.text);
    }
    const char *fault = sy_constant_value(&term, to, run->arena, ret);
    return fault == NULL ? true : sy_run_fail(run, 0x2200, "%s", fault);
}

static bool cast_text(struct sy_run *run, const struct sy_type *from, struct sy_value value,
                      struct sy_value *ret)
{
    const char *text;
    size_t len;
    if (from->id == SY_ASCII || from->id == SY_TEXT) {
        *ret = value;
        return true;
    }
    text = is_number(from->id) ? number_text(run, from->id, value) : sy_value_text(run->arena, from, value);
    len = strlen(text);
    if (len >= 2 && text[0] == '\'' && text[len - 1] == '\'') {
        text++;
        len -= 2;
    }
    *ret = (struct sy_value){.len = (int32_t)len, .bytes = (const uint8_t *)text};
    return true;
}

static int64_t as_ms(enum sy_type_id from, struct sy_value value)
{
    if (from == SY_TIMESTAMP)
        return (int64_t)sy_get_u64(value.bytes);
    if (from == SY_DATE)
        return ((int64_t)sy_get_u32(value.bytes) - (1LL << 31)) * 86400000;
    int64_t us = sy_timeuuid_us(value.bytes);
    return us / 1000 - (us % 1000 < 0);
}

bool sy_cast_value(struct sy_run *run, const struct sy_type *from, const struct sy_type *to,
                   struct sy_value value, struct sy_value *ret)
{
    if (value.len <= 0 || from->id == to->id) {
        *ret = value;
        return true;
    }
    if (to->id == SY_TEXT || to->id == SY_ASCII)
        return cast_text(run, from, value, ret);
    if (is_number(from->id))
        return cast_number(run, from->id, to->id, value, ret);
    int64_t ms = as_ms(from->id, value);
    uint8_t *bytes = sy_arena_raw(run->arena, 8);
    if (to->id == SY_TIMESTAMP) {
        sy_put_u64(bytes, (uint64_t)ms);
        *ret = (struct sy_value){.len = 8, .bytes = bytes};
    } else {
        sy_put_u32(bytes, (uint32_t)(ms / 86400000 - (ms % 86400000 < 0) + (1LL << 31)));
        *ret = (struct sy_value){.len = 4, .bytes = bytes};
    }
    return true;
}
