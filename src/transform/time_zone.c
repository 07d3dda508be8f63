/* SPDX-License-Identifier: Apache-2.0 */
#include "transform/time_zone.h"

#include "base/alloc.h"
#include "base/file.h"

#include <ctype.h>
#include <stdio.h>

enum { MAX_FILE_BYTES = 1 << 20, LAST_YEAR = 2500, HEAD_BYTES = 44, DAY_S = 86400 };

struct change {
    int64_t at_s;  /* UTC */
    int32_t after; /* the offset from then on */
};

struct sl_time_zone {
    int32_t first; /* the offset before all changes */
    struct change *changes;
    size_t n, capacity;
};

void sl_time_zone_free(struct sl_time_zone *zone)
{
    if (!zone)
        return;
    sl_free(zone->changes);
    sl_free(zone);
}

/* ---- dates: the years are counted from March, four centuries are 146097 days ---- */

int64_t sl_days_of(int64_t year, int month, int day)
{
    int64_t y = year - (month <= 2);
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t of_era = y - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

void sl_date_of(int64_t days, int64_t *ret_year, int *ret_month, int *ret_day)
{
    int64_t shifted = days + 719468;
    int64_t era = (shifted >= 0 ? shifted : shifted - 146096) / 146097;
    int64_t of_era = shifted - era * 146097;
    int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
    int64_t month = (5 * of_year + 2) / 153;

    *ret_day = (int)(of_year - (153 * month + 2) / 5 + 1);
    *ret_month = (int)(month < 10 ? month + 3 : month - 9);
    *ret_year = year + era * 400 + (*ret_month <= 2);
}

/* ---- the rule at the end: CET-1CEST,M3.5.0,M10.5.0/3 ---- */

struct rule_date {
    int month, week, weekday;
    int32_t time_s;
};

struct rule {
    int32_t standard, summer; /* offsets east */
    struct rule_date from, to;
};

static const char *skip_name(const char *at)
{
    if (*at == '<') {
        at = strchr(at, '>');
        return at ? at + 1 : NULL;
    }
    while (isalpha((unsigned char)*at))
        at++;
    return at;
}

static const char *read_number(const char *at, int *ret)
{
    int number = 0;

    if (!isdigit((unsigned char)*at))
        return NULL;
    for (int i = 0; i < 4 && isdigit((unsigned char)*at); i++)
        number = number * 10 + (*at++ - '0');
    *ret = number;
    return at;
}

/* [+-]h[:m[:s]] */
static const char *read_time(const char *at, int32_t *ret_s)
{
    int sign = *at == '-' ? -1 : 1;
    int32_t total = 0;
    int part = 0;

    if (*at == '-' || *at == '+')
        at++;
    for (int32_t unit = 3600; unit; unit /= 60) {
        at = read_number(at, &part);
        if (!at)
            return NULL;
        total += part * unit;
        if (*at != ':' || unit == 1)
            break;
        at++;
    }
    *ret_s = sign * total;
    return at;
}

static const char *read_rule_date(const char *at, struct rule_date *ret)
{
    ret->time_s = 2 * 3600;
    if (strncmp(at, ",M", 2) != 0 || !(at = read_number(at + 2, &ret->month)) || *at++ != '.' ||
        !(at = read_number(at, &ret->week)) || *at++ != '.' || !(at = read_number(at, &ret->weekday)))
        return NULL;
    if (ret->month < 1 || ret->month > 12 || ret->week < 1 || ret->week > 5 || ret->weekday > 6)
        return NULL;
    return *at == '/' ? read_time(at + 1, &ret->time_s) : at;
}

/* False: not understood. A rule without summer time has none of the rest. */
static bool read_rule(const char *at, struct rule *ret, bool *ret_changes)
{
    at = skip_name(at);
    at = at ? read_time(at, &ret->standard) : NULL;
    if (!at)
        return false;
    ret->standard = -ret->standard; /* there, west counts */
    *ret_changes = *at != '\0';
    if (!*ret_changes)
        return true;
    at = skip_name(at);
    if (!at)
        return false;
    ret->summer = ret->standard + 3600;
    if (*at != ',') {
        at = read_time(at, &ret->summer);
        ret->summer = -ret->summer;
    }
    at = at ? read_rule_date(at, &ret->from) : NULL;
    at = at ? read_rule_date(at, &ret->to) : NULL;
    return at && !*at;
}

static int64_t rule_day(const struct rule_date *date, int64_t year)
{
    int64_t first = sl_days_of(year, date->month, 1);
    int64_t next = date->month == 12 ? sl_days_of(year + 1, 1, 1) : sl_days_of(year, date->month + 1, 1);
    int64_t weekday = ((first + 4) % 7 + 7) % 7;
    int64_t day = first + (date->weekday - weekday + 7) % 7 + (date->week - 1) * 7;

    return day < next ? day : day - 7; /* week 5 is the last one */
}

static void add_change(struct sl_time_zone *zone, int64_t at_s, int32_t after)
{
    if (zone->n && zone->changes[zone->n - 1].at_s >= at_s)
        return;
    SL_GROW(zone->changes, zone->n, zone->capacity);
    zone->changes[zone->n++] = (struct change){.at_s = at_s, .after = after};
}

static void follow_rule(struct sl_time_zone *zone, const struct rule *rule)
{
    int64_t year = 1970;
    int month, day;

    if (zone->n)
        sl_date_of(zone->changes[zone->n - 1].at_s / DAY_S, &year, &month, &day);
    for (; year <= LAST_YEAR; year++) {
        int64_t from = rule_day(&rule->from, year) * DAY_S + rule->from.time_s - rule->standard;
        int64_t to = rule_day(&rule->to, year) * DAY_S + rule->to.time_s - rule->summer;

        if (from < to)
            add_change(zone, from, rule->summer);
        add_change(zone, to, rule->standard);
        if (from >= to)
            add_change(zone, from, rule->summer);
    }
}

/* ---- the file ---- */

static int64_t big_endian(const uint8_t *bytes, size_t n)
{
    uint64_t v = 0;

    for (size_t i = 0; i < n; i++)
        v = v << 8 | bytes[i];
    return n == 4 ? (int32_t)(uint32_t)v : (int64_t)v;
}

/* What a header says of the block behind it. */
struct block {
    size_t n_times, n_types, bytes;
};

static bool read_head(const uint8_t *at, size_t left, size_t time_bytes, struct block *ret)
{
    size_t counts[6];

    if (left < HEAD_BYTES || memcmp(at, "TZif", 4) != 0 || at[4] < '2')
        return false;
    for (size_t i = 0; i < 6; i++) {
        counts[i] = (size_t)(uint32_t)big_endian(at + 20 + 4 * i, 4);
        if (counts[i] > MAX_FILE_BYTES)
            return false;
    }
    /* isutcnt, isstdcnt, leapcnt, timecnt, typecnt, charcnt */
    *ret = (struct block){.n_times = counts[3], .n_types = counts[4]};
    ret->bytes = counts[3] * (time_bytes + 1) + counts[4] * 6 + counts[5] + counts[2] * (time_bytes + 4) +
                 counts[1] + counts[0];
    return counts[4] > 0 && ret->bytes <= left - HEAD_BYTES;
}

static bool read_zone(struct sl_time_zone *zone, const uint8_t *at, size_t left)
{
    struct block block;
    const uint8_t *types;
    struct rule rule = {0};
    bool changes = false;

    /* The first block has the times in 32 bits, for readers of long ago. */
    if (!read_head(at, left, 4, &block))
        return false;
    at += HEAD_BYTES + block.bytes;
    left -= HEAD_BYTES + block.bytes;
    if (!read_head(at, left, 8, &block))
        return false;
    left -= HEAD_BYTES + block.bytes;
    at += HEAD_BYTES;
    types = at + block.n_times * 9;
    zone->first = (int32_t)big_endian(types, 4);
    for (size_t i = 0; i < block.n_times; i++) {
        size_t type = at[block.n_times * 8 + i];

        if (type >= block.n_types)
            return false;
        add_change(zone, big_endian(at + 8 * i, 8), (int32_t)big_endian(types + 6 * type, 4));
    }
    at += block.bytes;
    if (left < 2 || at[0] != '\n' || at[left - 1] != '\n')
        return false;
    if (left > 2) {
        char text[128];

        if (left - 2 >= sizeof(text))
            return false;
        memcpy(text, at + 1, left - 2);
        text[left - 2] = '\0';
        if (!read_rule(text, &rule, &changes))
            return false;
        if (changes)
            follow_rule(zone, &rule);
        else if (!zone->n)
            zone->first = rule.standard;
    }
    return true;
}

/* ---- names ---- */

/* [+-]hh:mm[:ss], up to 18 hours. */
static bool read_fixed(const char *name, int32_t *ret)
{
    static const char shape[] = "+00:00:00";
    size_t len = strlen(name);

    if ((len != 6 && len != 9) || (name[0] != '+' && name[0] != '-'))
        return false;
    for (size_t i = 1; i < len; i++) {
        if (shape[i] == ':' ? name[i] != ':' : !isdigit((unsigned char)name[i]))
            return false;
    }
    return name[4] <= '5' && (len == 6 || name[7] <= '5') && read_time(name, ret) && *ret <= 18 * 3600 &&
           *ret >= -18 * 3600;
}

static bool is_zone_name(const char *name)
{
    if (!isalpha((unsigned char)*name) || strlen(name) > 100)
        return false;
    for (; *name; name++) {
        if (!isalnum((unsigned char)*name) && !strchr("_+-/", *name))
            return false;
    }
    return true;
}

enum sl_rc sl_time_zone_open(const char *name, struct sl_time_zone **ret, struct sl_error *err)
{
    struct sl_time_zone *zone = sl_zalloc(1, sizeof(*zone));
    struct sl_buf file = {0};
    struct sl_error none = {0};
    char path[160];
    bool found = read_fixed(name, &zone->first);

    if (!found && is_zone_name(name)) {
        (void)snprintf(path, sizeof(path), "/usr/share/zoneinfo/%s", name);
        found =
            sl_file_read(path, MAX_FILE_BYTES, &file, &none) == SL_OK && read_zone(zone, file.data, file.len);
    }
    sl_buf_done(&file);
    if (!found) {
        sl_time_zone_free(zone);
        return sl_error_set(err, SL_E_CONFIG,
                            "there is no time zone '%.60s'. HINT: write an offset as +08:00, or a name as "
                            "America/Los_Angeles, for which the system's package tzdata must be there",
                            name);
    }
    *ret = zone;
    return SL_OK;
}

/* ---- offsets ---- */

static int32_t before(const struct sl_time_zone *zone, size_t i)
{
    return i ? zone->changes[i - 1].after : zone->first;
}

/* When a change is over on the wall: at its later reading. */
static int64_t local_end(const struct sl_time_zone *zone, size_t i)
{
    int32_t a = before(zone, i);
    int32_t b = zone->changes[i].after;

    return zone->changes[i].at_s + (a > b ? a : b);
}

static int32_t look_up(const struct sl_time_zone *zone, int64_t s, bool local)
{
    size_t low = 0;
    size_t high = zone->n;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if ((local ? local_end(zone, middle) : zone->changes[middle].at_s) <= s)
            low = middle + 1;
        else
            high = middle;
    }
    return before(zone, low);
}

int32_t sl_time_zone_at(const struct sl_time_zone *zone, int64_t utc_s)
{
    return look_up(zone, utc_s, false);
}

int32_t sl_time_zone_at_local(const struct sl_time_zone *zone, int64_t local_s)
{
    return look_up(zone, local_s, true);
}
