/* SPDX-License-Identifier: Apache-2.0 */
/* Date functions. The date part of DATEADD and its kin stands in op->number. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "datetime.h"
#include "language.h"
#include "operation.h"

static bool make(struct ms_eval *ev, const struct ms_operation *op, const struct ms_moment *m,
                 struct ms_value *ret)
{
    if (ms_datetime_make(&op->result, m, ret))
        return true;
    return ms_error_set(ev->err, 517, 16, 1, "Adding a value to a '%s' column caused an overflow.",
                        ms_type_word(op->result.id));
}

static bool now(struct ms_eval *ev, const struct ms_operation *op, bool utc, struct ms_value *ret)
{
    struct ms_moment m;
    ms_datetime_now(&m, utc);
    return make(ev, op, &m, ret);
}

static bool fn_local_now(struct ms_eval *ev, const struct ms_operation *op, const struct ms_value *a,
                         struct ms_value *ret)
{
    (void)a;
    return now(ev, op, false, ret);
}

static bool fn_utc_now(struct ms_eval *ev, const struct ms_operation *op, const struct ms_value *a,
                       struct ms_value *ret)
{
    (void)a;
    return now(ev, op, true, ret);
}

static bool fn_datepart(struct ms_eval *ev, const struct ms_operation *op, const struct ms_value *a,
                        struct ms_value *ret)
{
    struct ms_moment m;
    ms_datetime_read(&op->args[0], &a[0], &m);
    enum ms_type_id id = op->args[0].id;
    if (op->number == MS_PART_TZOFFSET && id != MS_DATETIMEOFFSET && id != MS_DATETIME2)
        return ms_error_set(ev->err, 9810, 16, 1,
                            "The datepart tzoffset is not supported by date function datepart "
                            "for data type %s.",
                            ms_type_word(id));
    ret->i = ms_datetime_part(&m, (enum ms_date_part)op->number, ev->language->date_first);
    return true;
}

static bool fn_datename(struct ms_eval *ev, const struct ms_operation *op, const struct ms_value *a,
                        struct ms_value *ret)
{
    struct ms_moment m;
    char *text = ms_arena_alloc(ev->arena, 40);
    ms_datetime_read(&op->args[0], &a[0], &m);
    int64_t part = ms_datetime_part(&m, (enum ms_date_part)op->number, ev->language->date_first);
    if (op->number == MS_PART_MONTH)
        (void)snprintf(text, 40, "%s", ms_datetime_month_name((int)part));
    else if (op->number == MS_PART_WEEKDAY)
        (void)snprintf(text, 40, "%s", ms_datetime_weekday_name(m.days));
    else if (op->number == MS_PART_TZOFFSET)
        (void)snprintf(text, 40, "%c%02d:%02d", part < 0 ? '-' : '+', abs((int)part) / 60,
                       abs((int)part) % 60);
    else
        (void)snprintf(text, 40, "%lld", (long long)part);
    *ret = (struct ms_value){.len = (uint32_t)strlen(text), .bytes = (const uint8_t *)text};
    return true;
}

static bool fn_dateadd(struct ms_eval *ev, const struct ms_operation *op, const struct ms_value *a,
                       struct ms_value *ret)
{
    struct ms_moment m;
    ms_datetime_read(&op->args[1], &a[1], &m);
    if (!ms_datetime_add(&m, (enum ms_date_part)op->number, a[0].i) && op->result.id != MS_TIME)
        return ms_error_set(ev->err, 517, 16, 1, "Adding a value to a '%s' column caused an overflow.",
                            ms_type_word(op->result.id));
    return make(ev, op, &m, ret);
}

static bool fn_datediff(struct ms_eval *ev, const struct ms_operation *op, const struct ms_value *a,
                        struct ms_value *ret)
{
    struct ms_moment from, to;
    ms_datetime_read(&op->args[0], &a[0], &from);
    ms_datetime_read(&op->args[1], &a[1], &to);
    ret->i = ms_datetime_difference(&from, &to, (enum ms_date_part)op->number);
    if (op->result.id == MS_INT && (ret->i > INT32_MAX || ret->i < INT32_MIN))
        return ms_error_set(
            ev->err, 535, 16, 0,
            "The datediff function resulted in an overflow. The number of "
            "dateparts separating two date/time instances is too large. Try to use datediff with a "
            "less precise datepart.");
    return true;
}

#define PART_FUNCTION(name, part)                                                                      \
    static bool fn_##name(struct ms_eval *ev, const struct ms_operation *op, const struct ms_value *a, \
                          struct ms_value *ret)                                                        \
    {                                                                                                  \
        struct ms_moment m;                                                                            \
        ms_datetime_read(&op->args[0], &a[0], &m);                                                     \
        ret->i = ms_datetime_part(&m, part, ev->language->date_first);                                 \
        return true;                                                                                   \
    }

PART_FUNCTION(year, MS_PART_YEAR)
PART_FUNCTION(month, MS_PART_MONTH)
PART_FUNCTION(day, MS_PART_DAY)

static bool fn_eomonth(struct ms_eval *ev, const struct ms_operation *op, const struct ms_value *a,
                       struct ms_value *ret)
{
    struct ms_moment m;
    int year, month, day;
    ms_datetime_read(&op->args[0], &a[0], &m);
    if (op->n_args > 1 && !ms_datetime_add(&m, MS_PART_MONTH, a[1].i))
        return make(ev, op, &m, ret);
    ms_datetime_civil(m.days, &year, &month, &day);
    m.days += ms_datetime_month_length(year, month) - day;
    return make(ev, op, &m, ret);
}

static bool bad_parts(struct ms_eval *ev, const struct ms_operation *op)
{
    return ms_error_set(ev->err, 289, 16, 1,
                        "Cannot construct data type %s, some of the arguments have values which "
                        "are not valid.",
                        ms_type_word(op->result.id));
}

/* DATEFROMPARTS(y, m, d), DATETIMEFROMPARTS(y, m, d, h, mi, s, ms), DATETIME2FROMPARTS(..., fraction,
 * precision) */
static bool fn_from_parts(struct ms_eval *ev, const struct ms_operation *op, const struct ms_value *a,
                          struct ms_value *ret)
{
    struct ms_moment m = {.has_date = true, .has_time = true};
    if (a[0].i < 1 || a[0].i > 9999 || a[1].i < 1 || a[1].i > 12 || a[2].i < 1 ||
        a[2].i > ms_datetime_month_length((int)a[0].i, (int)a[1].i))
        return bad_parts(ev, op);
    m.days = ms_datetime_days((int)a[0].i, (int)a[1].i, (int)a[2].i);
    if (op->n_args >= 6) {
        if (a[3].i < 0 || a[3].i > 23 || a[4].i < 0 || a[4].i > 59 || a[5].i < 0 || a[5].i > 59 || a[6].i < 0)
            return bad_parts(ev, op);
        int64_t unit = 10000;
        if (op->n_args == 8) {
            unit = MS_TICKS_PER_SECOND;
            for (int64_t i = 0; i < a[7].i && i < 7; i++)
                unit /= 10;
        }
        m.ticks = ((a[3].i * 60 + a[4].i) * 60 + a[5].i) * MS_TICKS_PER_SECOND + a[6].i * unit;
    }
    return ms_datetime_make(&op->result, &m, ret) || bad_parts(ev, op);
}

/* The zone of TODATETIMEOFFSET and SWITCHOFFSET: minutes, or "+hh:mm". */
static bool read_zone(struct ms_eval *ev, const struct ms_type *type, const struct ms_value *zone,
                      int32_t *ret)
{
    if (ms_type_class(type->id) == MS_CLASS_TEXT) {
        struct ms_moment m;
        char *text =
            ms_arena_format(ev->arena, "2000-01-01 00:00 %.*s", (int)zone->len, (const char *)zone->bytes);
        if (ms_datetime_parse(text, strlen(text), &m) && m.has_offset) {
            *ret = m.offset_min;
            return true;
        }
    } else if (zone->i >= -840 && zone->i <= 840) {
        *ret = (int32_t)zone->i;
        return true;
    }
    return ms_error_set(ev->err, 9812, 16, 0,
                        "The timezone provided to builtin function todatetimeoffset is invalid.");
}

static bool fn_todatetimeoffset(struct ms_eval *ev, const struct ms_operation *op, const struct ms_value *a,
                                struct ms_value *ret)
{
    struct ms_moment m;
    ms_datetime_read(&op->args[0], &a[0], &m);
    return read_zone(ev, &op->args[1], &a[1], &m.offset_min) && make(ev, op, &m, ret);
}

static bool fn_switchoffset(struct ms_eval *ev, const struct ms_operation *op, const struct ms_value *a,
                            struct ms_value *ret)
{
    int32_t zone = 0;
    if (!read_zone(ev, &op->args[1], &a[1], &zone))
        return false;
    ret->i = a[0].i;
    ret->offset_min = (int16_t)zone;
    return true;
}

static bool fn_isdate(struct ms_eval *ev, const struct ms_operation *op, const struct ms_value *a,
                      struct ms_value *ret)
{
    (void)ev;
    (void)op;
    struct ms_moment m;
    struct ms_type datetime = {.id = MS_DATETIME};
    struct ms_value ignored;
    ret->i = !a[0].is_null && a[0].len && ms_datetime_parse((const char *)a[0].bytes, a[0].len, &m) &&
             ms_datetime_make(&datetime, &m, &ignored);
    return true;
}

const struct ms_function ms_functions_date[] = {
    {"getdate", 0, 0, "", "datetime", fn_local_now, true, false},
    {"current_timestamp", 0, 0, "", "datetime", fn_local_now, true, false},
    {"getutcdate", 0, 0, "", "datetime", fn_utc_now, true, false},
    {"sysdatetime", 0, 0, "", "datetime2", fn_local_now, true, false},
    {"sysutcdatetime", 0, 0, "", "datetime2", fn_utc_now, true, false},
    {"sysdatetimeoffset", 0, 0, "", "datetimeoffset", fn_local_now, true, false},
    {"datepart", 1, 1, "d", "int", fn_datepart, false, false},
    {"datename", 1, 1, "d", "nvarchar:30", fn_datename, false, false},
    {"dateadd", 2, 2, "bd", "1", fn_dateadd, false, false},
    {"datediff", 2, 2, "d", "int", fn_datediff, false, false},
    {"datediff_big", 2, 2, "d", "bigint", fn_datediff, false, false},
    {"year", 1, 1, "d", "int", fn_year, false, false},
    {"month", 1, 1, "d", "int", fn_month, false, false},
    {"day", 1, 1, "d", "int", fn_day, false, false},
    {"eomonth", 1, 2, "db", "date", fn_eomonth, false, false},
    {"datefromparts", 3, 3, "i", "date", fn_from_parts, false, false},
    {"datetimefromparts", 7, 7, "i", "datetime", fn_from_parts, false, false},
    {"datetime2fromparts", 8, 8, "i", "datetime2", fn_from_parts, false, false},
    {"todatetimeoffset", 2, 2, "Dv", "datetimeoffset", fn_todatetimeoffset, false, false},
    {"switchoffset", 2, 2, "ov", "datetimeoffset", fn_switchoffset, false, false},
    {"isdate", 1, 1, "s", "int", fn_isdate, false, true},
    {NULL, 0, 0, NULL, NULL, NULL, false, false},
};
