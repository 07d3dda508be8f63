/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connect's literals, read as Values.parseString of 3.9 reads them, turns and all: the text is cut at : , { }
 * [ ] and quotes; what begins like a list or map and is none is text; behind a number or list at the
 * beginning the rest is not looked at ("10:20" is 10).
 */
#include "codec/value_text.h"

#include "base/arena.h"
#include "codec/date_format.h"
#include "codec/decimal_text.h"
#include "codec/java_number.h"
#include "data/schema_build.h"

#include <ctype.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>

enum { DEPTH_MAX = 64, MS_PER_DAY = 86400000 };

/* A value with its schema; schema NULL: null, or a list or map whose items have nothing in common. */
struct literal {
    const struct sl_schema *schema;
    struct sl_value value;
};

struct parser {
    struct sl_span text;
    struct sl_arena *arena;
    size_t at;
    bool has_next; /* a token was looked at and not taken; it ends at at */
    struct sl_span next;
    int depth;
};

static bool parse(struct parser *p, bool embedded, struct literal *ret);

/* ---- tokens ---- */

static bool is_delimiter(uint8_t c)
{
    return c && strchr(":,{}[]\"", c);
}

/* Up to the next delimiter that no backslash stands before, or that delimiter. */
static struct sl_span cut(struct parser *p)
{
    size_t start = p->at;
    bool escaped = false;

    for (; p->at < p->text.len; p->at++) {
        uint8_t c = p->text.ptr[p->at];

        if (c == '\\') {
            escaped = !escaped;
            continue;
        }
        if (is_delimiter(c) && !escaped) {
            p->at += start == p->at;
            break;
        }
        escaped = false;
    }
    return (struct sl_span){p->text.ptr + start, p->at - start};
}

static struct sl_span trimmed(struct sl_span token)
{
    while (token.len && *token.ptr <= ' ') {
        token.ptr++;
        token.len--;
    }
    while (token.len && token.ptr[token.len - 1] <= ' ')
        token.len--;
    return token;
}

static bool is_word(struct sl_span token, const char *word)
{
    return token.len == strlen(word) && memcmp(token.ptr, word, token.len) == 0;
}

static bool has_more(const struct parser *p)
{
    return p->has_next || p->at < p->text.len;
}

static struct sl_span take(struct parser *p)
{
    if (!p->has_next)
        return cut(p);
    p->has_next = false;
    return p->next;
}

static size_t mark(const struct parser *p)
{
    return p->at - (p->has_next ? p->next.len : 0);
}

static void rewind_to(struct parser *p, size_t at)
{
    p->at = at;
    p->has_next = false;
}

/* Is the next token, blanks around it aside, this word? Then it is taken; blank tokens before it go too. */
static bool took(struct parser *p, const char *word)
{
    if (!has_more(p))
        return false;
    if (!p->has_next)
        p->next = cut(p);
    p->has_next = true;
    while (trimmed(p->next).len == 0 && p->at < p->text.len)
        p->next = cut(p);
    if (!is_word(trimmed(p->next), word))
        return false;
    p->has_next = false;
    return true;
}

/* ---- dates ---- */

static struct sl_date_format *iso_formats[3];

static void make_iso_formats(void)
{
    static const char *const patterns[3] = {"HH:mm:ss.SSS'Z'", "yyyy-MM-dd", "yyyy-MM-dd'T'HH:mm:ss.SSS'Z'"};

    for (int i = 0; i < 3; i++) /* sound patterns, kept until the process ends */
        (void)sl_date_format_compile(patterns[i], &iso_formats[i], NULL);
}

/* Backslashes before colons are for the one who cut the text; they do not count. */
static struct sl_span without_escapes(struct parser *p, struct sl_span token)
{
    uint8_t *copy = sl_arena_alloc(p->arena, token.len);
    size_t n = 0;

    for (size_t i = 0; i < token.len; i++) {
        if (token.ptr[i] != '\\' || i + 1 == token.len || token.ptr[i + 1] != ':')
            copy[n++] = token.ptr[i];
    }
    return (struct sl_span){copy, n};
}

static bool read_temporal(struct parser *p, struct sl_span token, struct literal *ret)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct sl_span text = without_escapes(p, token);
    int form = text.len == 13 ? SL_ISO_TIME : text.len == 10 ? SL_ISO_DATE : SL_ISO_TIMESTAMP;
    int64_t ms = 0;

    if (form == SL_ISO_TIMESTAMP && text.len != 24)
        return false;
    (void)pthread_once(&once, make_iso_formats);
    if (!sl_date_format_read(iso_formats[form], (const char *)text.ptr, text.len, &ms))
        return false;
    if (form == SL_ISO_TIMESTAMP) {
        ret->schema = sl_schema_named(SL_INT64, "org.apache.kafka.connect.data.Timestamp", 1, false);
        ret->value = sl_int(SL_INT64, ms);
    } else if (form == SL_ISO_DATE) {
        ret->schema = sl_schema_named(SL_INT32, "org.apache.kafka.connect.data.Date", 1, false);
        ret->value = sl_int(SL_INT32, ms / MS_PER_DAY);
    } else {
        ret->schema = sl_schema_named(SL_INT32, "org.apache.kafka.connect.data.Time", 1, false);
        ret->value = sl_int(SL_INT32, ms);
    }
    return true;
}

/* Colons cut a time into five tokens. */
static bool read_temporal_tokens(struct parser *p, struct sl_span token, struct literal *ret)
{
    size_t start = mark(p);
    bool all = true;

    for (int i = 0; i < 4 && all; i++) {
        all = has_more(p);
        if (all)
            (void)take(p);
    }
    if (all) {
        size_t len = token.len + (p->at - start);
        uint8_t *joined = sl_arena_alloc(p->arena, len);

        memcpy(joined, token.ptr, token.len);
        memcpy(joined + token.len, p->text.ptr + start, p->at - start);
        if (read_temporal(p, (struct sl_span){joined, len}, ret))
            return true;
    }
    rewind_to(p, start);
    return read_temporal(p, token, ret);
}

/* ---- numbers ---- */

/* Whole is what can be written in units of one. */
static bool is_whole_long(struct parser *p, const char *text, int64_t *ret)
{
    struct sl_value value;
    int64_t number = 0;

    if (fabs(strtod(text, NULL)) > 0x1.01p63 || !sl_decimal_read(text, strlen(text), 0, p->arena, &value) ||
        value.len > 8)
        return false;
    number = value.len && (value.bytes[0] & 0x80) ? -1 : 0;
    for (uint32_t i = 0; i < value.len; i++)
        number = (int64_t)((uint64_t)number << 8 | value.bytes[i]);
    *ret = number;
    return true;
}

/* Digits behind the point less the exponent, as BigDecimal counts them. */
static int64_t scale_of(const char *text)
{
    const char *point = strchr(text, '.');
    const char *e = strpbrk(text, "eE");
    int64_t exponent = e ? strtoll(e + 1, NULL, 10) : 0;
    int64_t behind = point ? (int64_t)strspn(point + 1, "0123456789") : 0;

    return behind - exponent;
}

static bool read_decimal(struct parser *p, const char *text, int64_t scale, struct literal *ret)
{
    if (scale < INT32_MIN || scale > INT32_MAX ||
        !sl_decimal_read(text, strlen(text), (int32_t)scale, p->arena, &ret->value))
        return false;
    ret->schema = sl_schema_decimal((int32_t)scale, 0, false);
    return true;
}

static bool read_number(struct parser *p, struct sl_span token, struct literal *ret)
{
    char *text = sl_arena_alloc(p->arena, token.len + 1);
    int64_t whole = 0;
    int64_t scale;
    float narrow;
    double wide;

    memcpy(text, token.ptr, token.len);
    text[token.len] = '\0';
    if (strlen(text) != token.len || !sl_java_is_decimal(text))
        return false;
    scale = scale_of(text);
    narrow = strtof(text, NULL);
    wide = strtod(text, NULL);
    if (is_whole_long(p, text, &whole)) {
        enum sl_type type = whole == (int8_t)whole    ? SL_INT8
                            : whole == (int16_t)whole ? SL_INT16
                            : whole == (int32_t)whole ? SL_INT32
                                                      : SL_INT64;

        *ret = (struct literal){sl_schema_plain(type, false), sl_int(type, whole)};
    } else if (isfinite(narrow) && scale != 0) {
        *ret = (struct literal){sl_schema_plain(SL_FLOAT32, false), sl_float(SL_FLOAT32, (double)narrow)};
    } else if (isfinite(wide) && scale != 0) {
        *ret = (struct literal){sl_schema_plain(SL_FLOAT64, false), sl_float(SL_FLOAT64, wide)};
    } else {
        return read_decimal(p, text, scale, ret);
    }
    return true;
}

/* ---- lists and maps ---- */

struct items {
    struct sl_value *items;
    size_t n, capacity;
    const struct sl_schema *common; /* of all so far; NULL: none yet, or no longer */
    bool incompatible;
};

static bool is_number(enum sl_type type)
{
    return type >= SL_INT8 && type <= SL_FLOAT64;
}

static void merge(struct items *all, const struct literal *item)
{
    const struct sl_schema *schema = item->schema;

    if (all->incompatible || (!schema && sl_is_null(item->value)))
        return;
    if (schema && (!all->common || all->common->type == schema->type)) {
        all->common = schema;
    } else if (schema && is_number(all->common->type) && is_number(schema->type)) {
        all->common = all->common->type > schema->type ? all->common : schema;
    } else {
        all->common = NULL;
        all->incompatible = true;
    }
}

/* Numbers as the largest of them; false: there is a null among what has a schema. */
static bool align(struct items *all, size_t first, size_t step)
{
    for (size_t i = first; all->common && i < all->n; i += step) {
        struct sl_value *item = &all->items[i];
        enum sl_type type = all->common->type;

        if (sl_is_null(*item))
            return false;
        if (!is_number(type) || item->tag == type)
            continue;
        if (type == SL_FLOAT32 || type == SL_FLOAT64)
            *item = sl_float(type, item->tag <= SL_INT64 ? (double)item->i : item->d);
        item->tag = (uint8_t)type;
    }
    return true;
}

static void add(struct items *all, struct sl_value value)
{
    SL_GROW(all->items, all->n, all->capacity);
    all->items[all->n++] = value;
}

static bool read_items(struct parser *p, struct items *all)
{
    while (has_more(p)) {
        struct literal item;
        size_t before;

        if (took(p, "]"))
            return align(all, 0, 1);
        if (took(p, ",") || !parse(p, true, &item))
            return false;
        merge(all, &item);
        add(all, item.value);
        before = mark(p);
        if (took(p, "]"))
            rewind_to(p, before);
        else if (!took(p, ","))
            return false;
    }
    return false;
}

static bool read_array(struct parser *p, struct literal *ret)
{
    struct items all = {0};
    bool sound = read_items(p, &all);

    if (sound) {
        ret->schema = all.common ? sl_schema_array(all.common, false) : NULL;
        ret->value =
            sl_items(SL_ARRAY, sl_arena_copy(p->arena, all.items, all.n * sizeof(*all.items)), all.n);
    }
    sl_free(all.items);
    return sound;
}

/* A later pair of the same key takes the place of the earlier. */
static void add_pair(struct items *all, struct sl_value key, struct sl_value value)
{
    for (size_t i = 0; i < all->n; i += 2) {
        if (sl_value_equal(all->items[i], key)) {
            all->items[i + 1] = value;
            return;
        }
    }
    add(all, key);
    add(all, value);
}

static bool align_pairs(struct items *keys, const struct items *values)
{
    struct items half = *keys;

    if (!keys->common)
        return true;
    if (!align(&half, 0, 2))
        return false;
    half.common = values->common;
    return align(&half, 1, 2);
}

/* keys holds the pairs; values only what its side has in common. */
static bool read_pairs(struct parser *p, struct items *keys, struct items *values)
{
    while (has_more(p)) {
        struct literal key;
        struct literal value;

        if (took(p, "}"))
            return align_pairs(keys, values);
        if (took(p, ",") || !parse(p, true, &key) || sl_is_null(key.value) || !took(p, ":") ||
            !parse(p, true, &value))
            return false;
        add_pair(keys, key.value, value.value);
        (void)took(p, ",");
        merge(keys, &key);
        merge(values, &value);
    }
    return false;
}

static bool read_map(struct parser *p, struct literal *ret)
{
    struct items keys = {0};
    struct items values = {0};
    bool sound = read_pairs(p, &keys, &values);

    if (sound) {
        ret->schema = keys.common && values.common ? sl_schema_map(keys.common, values.common, false) : NULL;
        ret->value =
            sl_items(SL_MAP, sl_arena_copy(p->arena, keys.items, keys.n * sizeof(*keys.items)), keys.n / 2);
    }
    sl_free(keys.items);
    return sound;
}

/* ---- one value ---- */

static void read_quoted(struct parser *p, struct literal *ret)
{
    uint8_t *text = sl_arena_alloc(p->arena, p->text.len);
    size_t len = 0;

    while (has_more(p) && !took(p, "\"")) {
        struct sl_span token = take(p);

        memcpy(text + len, token.ptr, token.len);
        len += token.len;
    }
    if (read_temporal(p, (struct sl_span){text, len}, ret))
        return;
    *ret = (struct literal){sl_schema_plain(SL_STRING, false), sl_bytes(SL_STRING, text, len)};
}

/* A word by itself; at the outside it must be all there is. */
static bool took_word(struct parser *p, bool embedded, const char *word)
{
    size_t start = mark(p);

    if (took(p, word) && (embedded || !has_more(p)))
        return true;
    rewind_to(p, start);
    return false;
}

/* False: not a value, within a list or map. */
static bool read_token(struct parser *p, bool embedded, struct literal *ret)
{
    struct sl_span token = take(p);
    struct sl_span word = trimmed(token);
    struct sl_span text = token;

    if (word.len) {
        bool digit = isdigit(*word.ptr);

        if (digit && read_temporal_tokens(p, word, ret))
            return true;
        if ((digit || *word.ptr == '+' || *word.ptr == '-') && read_number(p, word, ret))
            return true;
        if (embedded)
            return false;
        text = p->text;
    }
    *ret = (struct literal){sl_schema_plain(SL_STRING, false), sl_bytes(SL_STRING, text.ptr, text.len)};
    return true;
}

static bool parse(struct parser *p, bool embedded, struct literal *ret)
{
    bool sound = false;
    size_t start;

    *ret = (struct literal){.value = sl_null()};
    if (!has_more(p))
        return true;
    if (embedded && took(p, "\"")) {
        read_quoted(p, ret);
        return true;
    }
    if (took_word(p, embedded, "null"))
        return true;
    for (int truth = 0; truth < 2; truth++) {
        if (took_word(p, embedded, truth ? "true" : "false")) {
            *ret = (struct literal){sl_schema_plain(SL_BOOLEAN, false), sl_bool(truth)};
            return true;
        }
    }
    start = mark(p);
    if (p->depth < DEPTH_MAX) {
        p->depth++;
        sound = took(p, "[") ? read_array(p, ret) : took(p, "{") && read_map(p, ret);
        p->depth--;
    }
    if (sound)
        return true;
    rewind_to(p, start);
    return read_token(p, embedded, ret);
}

void sl_value_literal_read(struct sl_span text, struct sl_arena *arena, const struct sl_schema **ret_schema,
                           struct sl_value *ret_value)
{
    struct parser parser = {.text = text, .arena = arena};
    struct literal literal = {.value = sl_null()};

    if (text.ptr && text.len == 0)
        literal = (struct literal){sl_schema_plain(SL_STRING, false), sl_bytes(SL_STRING, "", 0)};
    else if (text.ptr)
        (void)parse(&parser, false, &literal);
    *ret_schema = literal.schema;
    *ret_value = literal.value;
}
