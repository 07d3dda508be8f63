/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The collations of SQL Server in the two shapes that matter here.
 *
 * char and varchar under a SQL_ collation sort by one weight per character of the code page (sort order 52 of
 * SQL_Latin1_General_CP1_CI_AS: punctuation, digits, letters with their accented forms behind them). nchar
 * and nvarchar sort by Windows' rules: '-' and ''' count only when nothing else differs, and accents only
 * when no letter does.
 */
#include "cell.h"

#include <string.h>
#include <strings.h>

enum strength {
    IGNORE_CASE,
    WITH_CASE,
    BINARY,
};

struct rules {
    const char *name;
    bool unicode;
    enum strength strength;
};

static const struct rules all_rules[] = {
    {"MS_CI", false, IGNORE_CASE}, {"MS_CS", false, WITH_CASE}, {"MS_BIN", false, BINARY},
    {"MSN_CI", true, IGNORE_CASE}, {"MSN_CS", true, WITH_CASE}, {"MSN_BIN", true, BINARY},
};

/* The plain letters behind U+00C0..U+00FF; 0 where there is none. */
static const char latin1_base[64] = "aaaaaaaceeeeiiii"
                                    "dnooooo\0ouuuuyts"
                                    "aaaaaaaceeeeiiii"
                                    "dnooooo\0ouuuuyt";

static uint32_t next_code_point(const uint8_t **at, const uint8_t *end)
{
    const uint8_t *p = *at;
    uint32_t c = *p++;
    int more = c >= 0xF0 ? 3 : c >= 0xE0 ? 2 : c >= 0xC0 ? 1 : 0;
    if (more)
        c &= 0x3Fu >> more;
    for (; more > 0 && p < end; more--)
        c = c << 6 | (*p++ & 0x3F);
    *at = p;
    return c;
}

static uint32_t fold(uint32_t c)
{
    if (c < 0x80)
        return c >= 'A' && c <= 'Z' ? c + 32 : c;
    if (c >= 0xC0 && c <= 0xDE)
        return c == 0xD7 ? c : c + 32;
    if ((c >= 0x100 && c < 0x138) || (c >= 0x14A && c < 0x178))
        return c | 1;
    if ((c >= 0x139 && c < 0x149) || (c >= 0x179 && c < 0x17F))
        return c & 1 ? c + 1 : c;
    if (c >= 0x391 && c <= 0x3A9)
        return c + 32;
    if (c >= 0x410 && c <= 0x42F)
        return c + 32;
    if (c >= 0x400 && c <= 0x40F)
        return c + 80;
    return c;
}

/* Order of classes: what is neither letter nor digit, digits, letters by base letter, other scripts. */
static uint32_t primary_weight(uint32_t folded)
{
    static const char symbols[] = " _-,;:!?.'\"()[]{}@*/\\&#%`^+<=>|~$";
    if (folded < 0x80) {
        if (folded >= 'a' && folded <= 'z')
            return 0x3000 + (folded - 'a') * 64;
        if (folded >= '0' && folded <= '9')
            return 0x2000 + folded;
        const char *at = folded ? strchr(symbols, (int)folded) : NULL;
        return at ? 0x1000 + (uint32_t)(at - symbols) : folded;
    }
    if (folded >= 0xC0 && folded <= 0xFF && latin1_base[folded - 0xC0])
        return 0x3000 + ((uint32_t)latin1_base[folded - 0xC0] - 'a') * 64;
    return folded < 0xC0 ? 0x1100 + folded : 0x10000 + folded;
}

/* One weight for all, as sort order 52 has it: symbols stand in the order of the code page. */
static uint32_t code_page_weight(uint32_t folded)
{
    if (folded < 0x80 && !(folded >= 'a' && folded <= 'z') && !(folded >= '0' && folded <= '9'))
        return folded;
    uint32_t weight = primary_weight(folded);
    return weight >= 0x3000 && weight < 0x4000 && folded >= 0x80 ? weight + (folded & 0x3F) + 1 : weight;
}

static int compare_code_page(const uint8_t *a, const uint8_t *a_end, const uint8_t *b, const uint8_t *b_end)
{
    while (a < a_end && b < b_end) {
        uint32_t x = code_page_weight(fold(next_code_point(&a, a_end)));
        uint32_t y = code_page_weight(fold(next_code_point(&b, b_end)));
        if (x != y)
            return x < y ? -1 : 1;
    }
    return a < a_end ? 1 : b < b_end ? -1 : 0;
}

static bool next_significant(const uint8_t **at, const uint8_t *end, uint32_t *ret_folded)
{
    while (*at < end) {
        uint32_t c = next_code_point(at, end);
        if (c == '-' || c == '\'')
            continue;
        *ret_folded = fold(c);
        return true;
    }
    return false;
}

/* Letters first over the whole text, then accents; what is ignored decides last. */
static int compare_words(const uint8_t *a, const uint8_t *a_end, const uint8_t *b, const uint8_t *b_end)
{
    const uint8_t *p = a;
    const uint8_t *q = b;
    uint32_t x = 0;
    uint32_t y = 0;
    int accents = 0;
    for (;;) {
        bool more_a = next_significant(&p, a_end, &x);
        bool more_b = next_significant(&q, b_end, &y);
        if (!more_a || !more_b) {
            if (more_a != more_b)
                return more_a ? 1 : -1;
            break;
        }
        uint32_t wx = primary_weight(x);
        uint32_t wy = primary_weight(y);
        if (wx != wy)
            return wx < wy ? -1 : 1;
        if (x != y && accents == 0)
            accents = x < y ? -1 : 1;
    }
    return accents ? accents : compare_code_page(a, a_end, b, b_end);
}

static int compare_bytes(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len)
{
    int order = memcmp(a, b, a_len < b_len ? a_len : b_len);
    return order ? order : a_len < b_len ? -1 : a_len > b_len;
}

/* Lower case sorts before upper case where only case differs. */
static int compare_case(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len)
{
    return -compare_bytes(a, a_len, b, b_len);
}

static int compare(const struct rules *rules, const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len)
{
    int order;
    while (a_len && a[a_len - 1] == ' ')
        a_len--;
    while (b_len && b[b_len - 1] == ' ')
        b_len--;
    if (a_len == b_len && memcmp(a, b, a_len) == 0)
        return 0;
    if (rules->strength == BINARY)
        return compare_bytes(a, a_len, b, b_len);
    order = rules->unicode ? compare_words(a, a + a_len, b, b + b_len)
                           : compare_code_page(a, a + a_len, b, b + b_len);
    return order || rules->strength == IGNORE_CASE ? order : compare_case(a, a_len, b, b_len);
}

static int sqlite_compare(void *rules, int a_len, const void *a, int b_len, const void *b)
{
    return compare(rules, a_len ? a : (const void *)"", (size_t)a_len, b_len ? b : (const void *)"",
                   (size_t)b_len);
}

int ms_collation_compare(const char *sqlite_name, const char *a, size_t a_len, const char *b, size_t b_len)
{
    const struct rules *rules = &all_rules[0];
    for (size_t i = 0; i < sizeof all_rules / sizeof all_rules[0]; i++) {
        if (strcmp(all_rules[i].name, sqlite_name) == 0)
            rules = &all_rules[i];
    }
    return compare(rules, (const uint8_t *)a, a_len, (const uint8_t *)b, b_len);
}

bool ms_name_equal(const char *a, const char *b)
{
    return compare(&all_rules[0], (const uint8_t *)a, strlen(a), (const uint8_t *)b, strlen(b)) == 0;
}

static bool name_has(const char *collation, const char *part)
{
    return strcasestr(collation, part) != NULL;
}

const char *ms_collation_sqlite_name(const char *collation, bool unicode)
{
    if (collation && (name_has(collation, "_BIN") || name_has(collation, "_BIN2")))
        return unicode ? "MSN_BIN" : "MS_BIN";
    /* Windows collations sort char and nchar alike. */
    if (collation && strncasecmp(collation, "SQL_", 4) != 0)
        unicode = true;
    if (collation && name_has(collation, "_CS"))
        return unicode ? "MSN_CS" : "MS_CS";
    return unicode ? "MSN_CI" : "MS_CI";
}

bool ms_collation_known(const char *collation)
{
    static const char *const suffixes[] = {"_CI_AS", "_CS_AS", "_CI_AI", "_CS_AI", "_BIN", "_BIN2",
                                           "_UTF8",  "_KS",    "_WS",    "_SC",    "_VSS"};
    size_t len = strlen(collation);
    for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
        size_t n = strlen(suffixes[i]);
        if (len > n && strcasecmp(collation + len - n, suffixes[i]) == 0)
            return name_has(collation, "Latin1") || strncasecmp(collation, "SQL_", 4) == 0 ||
                   strchr(collation, '_');
    }
    return false;
}

/* The instant of a datetimeoffset cell, so that values with different offsets can be equal. */
static void dto_utc(sqlite3_context *context, int n, sqlite3_value **args)
{
    static const struct ms_type type = {.id = MS_DATETIMEOFFSET, .scale = 7};
    struct ms_value value;
    (void)n;
    ms_cell_from_sqlite(args[0], &type, NULL, &value);
    if (value.is_null)
        sqlite3_result_null(context);
    else
        sqlite3_result_int64(context, value.i);
}

void ms_cell_register(sqlite3 *db)
{
    for (size_t i = 0; i < sizeof all_rules / sizeof all_rules[0]; i++)
        sqlite3_create_collation_v2(db, all_rules[i].name, SQLITE_UTF8, (void *)(uintptr_t)&all_rules[i],
                                    sqlite_compare, NULL);
    sqlite3_create_function_v2(db, "ms_dto_utc", 1, SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS,
                               NULL, dto_utc, NULL, NULL, NULL);
}
