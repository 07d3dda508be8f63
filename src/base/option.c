/* SPDX-License-Identifier: Apache-2.0 */
#include "sluice/option.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "base/number.h"
#include "base/props.h"
#include "sluice/secret.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static void complain(struct sl_complaints *complaints, const char *prefix, const char *key,
                     const char *format, ...) __attribute__((format(printf, 4, 5)));

static void complain(struct sl_complaints *complaints, const char *prefix, const char *key,
                     const char *format, ...)
{
    struct sl_complaint *item;
    va_list args;
    int len;

    SL_GROW(complaints->items, complaints->n, complaints->capacity);
    item = &complaints->items[complaints->n++];
    (void)snprintf(item->key, sizeof(item->key), "%s%s", prefix ? prefix : "", key);
    va_start(args, format);
    len = vsnprintf(item->text, sizeof(item->text), format, args);
    va_end(args);
    sl_secret_mask(item->text, len >= (int)sizeof(item->text));
}

void sl_complain(struct sl_complaints *complaints, const char *key, const char *format, ...)
{
    char text[SL_ERROR_TEXT_SIZE];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    complain(complaints, NULL, key, "%s", text);
}

void sl_complaints_done(struct sl_complaints *complaints)
{
    sl_free(complaints->items);
    *complaints = (struct sl_complaints){0};
}

static bool is_family(const struct sl_option *option)
{
    size_t len = strlen(option->name);

    return len >= 2 && strcmp(option->name + len - 2, ".*") == 0;
}

/* Keys longer than this are nobody's. */
static const char *get_prefixed(const struct sl_props *props, const char *prefix, const char *name)
{
    char key[512];
    int len = snprintf(key, sizeof(key), "%s%s", prefix ? prefix : "", name);

    return len > 0 && (size_t)len < sizeof(key) ? sl_props_get(props, key) : NULL;
}

enum { NAME_SIZE = 128 };

/* What the user gave: under the name, else under the first alias that is there; used tells which. */
static const char *given(const struct sl_option *option, const struct sl_props *props, const char *prefix,
                         char used[NAME_SIZE])
{
    const char *text = get_prefixed(props, prefix, option->name);
    const char *cursor = option->alias;

    (void)snprintf(used, NAME_SIZE, "%s", option->name);
    while (!text && cursor && sl_list_next(&cursor, used, NAME_SIZE))
        text = get_prefixed(props, prefix, used);
    if (!text)
        (void)snprintf(used, NAME_SIZE, "%s", option->name);
    return text;
}

static bool word_allowed(const char *const *values, const char *text)
{
    for (; *values; values++) {
        if (strcasecmp(*values, text) == 0)
            return true;
    }
    return false;
}

/* A value under check. */
struct checked {
    const struct sl_option *option;
    const char *prefix;
    const char *key; /* without the prefix */
    const char *text;
    bool hidden; /* messages do not show it */
    struct sl_complaints *complaints;
};

static const char *shown(const struct checked *checked, const char *text)
{
    return checked->hidden ? SL_SECRET_SHOWN : text;
}

static void check_word(const struct checked *checked, const char *text)
{
    const char *const *values = checked->option->values;
    struct sl_buf words = {0};

    if (word_allowed(values, text))
        return;
    for (const char *const *word = values; *word; word++) {
        if (words.len)
            sl_buf_text(&words, ", ");
        sl_buf_text(&words, *word);
    }
    complain(checked->complaints, checked->prefix, checked->key, "'%s' is not one of: %s",
             shown(checked, text), sl_buf_cstr(&words));
    sl_buf_done(&words);
}

static void check_words(const struct checked *checked)
{
    const char *cursor = checked->text;
    char item[256];

    if (checked->option->type != SL_OPT_LIST) {
        check_word(checked, checked->text);
        return;
    }
    while (sl_list_next(&cursor, item, sizeof(item)))
        check_word(checked, item);
}

static void check_integer(const struct checked *checked)
{
    const struct sl_option *option = checked->option;
    bool is_int = option->type == SL_OPT_INT;
    int64_t min = is_int ? INT32_MIN : INT64_MIN;
    int64_t max = is_int ? INT32_MAX : INT64_MAX;
    int64_t number;

    if (option->max > option->min) {
        min = option->min;
        max = option->max;
    }
    if (!sl_parse_int64(checked->text, &number))
        complain(checked->complaints, checked->prefix, checked->key, "'%s' is not a whole number",
                 shown(checked, checked->text));
    else if (number < min || number > max)
        complain(checked->complaints, checked->prefix, checked->key, "%s is outside %lld to %lld",
                 shown(checked, checked->text), (long long)min, (long long)max);
}

static void check_type(const struct checked *checked)
{
    const char *text = checked->text;
    double real;
    bool truth;

    switch (checked->option->type) {
    case SL_OPT_INT:
    case SL_OPT_LONG: check_integer(checked); break;
    case SL_OPT_BOOLEAN:
        if (!sl_parse_bool(text, &truth))
            complain(checked->complaints, checked->prefix, checked->key, "'%s' is neither true nor false",
                     shown(checked, text));
        break;
    case SL_OPT_DOUBLE:
        if (!sl_parse_double(text, &real))
            complain(checked->complaints, checked->prefix, checked->key, "'%s' is not a number",
                     shown(checked, text));
        break;
    case SL_OPT_STRING:
    case SL_OPT_PASSWORD:
    case SL_OPT_LIST:
    case SL_OPT_CLASS: break;
    }
}

static bool is_hidden(const struct sl_option *option, const struct sl_props *props, const char *prefix,
                      const char *name)
{
    char key[512];

    (void)snprintf(key, sizeof(key), "%s%s", prefix ? prefix : "", name);
    return option->type == SL_OPT_PASSWORD || sl_props_is_secret(props, key);
}

static void check_one(const struct sl_option *option, const struct sl_props *props, const char *prefix,
                      struct sl_complaints *complaints)
{
    char key[NAME_SIZE];
    const char *text = given(option, props, prefix, key);
    const struct checked checked = {.option = option,
                                    .prefix = prefix,
                                    .key = key,
                                    .text = text,
                                    .hidden = is_hidden(option, props, prefix, key),
                                    .complaints = complaints};
    const char *wrong;
    size_t before = complaints->n;

    if (option->required && (!text || !*text)) {
        complain(complaints, prefix, key, "is required and %s: %s", text ? "empty" : "not given",
                 option->doc);
        return;
    }
    if (!text)
        return;
    check_type(&checked);
    if (complaints->n == before && option->values)
        check_words(&checked);
    if (complaints->n == before && option->validate && (wrong = option->validate(text)))
        complain(complaints, prefix, key, "%s", wrong);
}

void sl_options_hide(const struct sl_option *table, struct sl_props *props, const char *prefix)
{
    for (; table->name; table++) {
        char used[NAME_SIZE];
        char key[512];

        if (table->type != SL_OPT_PASSWORD || !given(table, props, prefix, used))
            continue;
        (void)snprintf(key, sizeof(key), "%s%s", prefix ? prefix : "", used);
        sl_props_hide(props, key);
    }
}

void sl_options_check(const struct sl_option *table, const struct sl_props *props, const char *prefix,
                      struct sl_complaints *complaints)
{
    for (; table->name; table++) {
        if (!is_family(table))
            check_one(table, props, prefix, complaints);
    }
}

static bool alias_is(const struct sl_option *option, const char *key)
{
    const char *cursor = option->alias;
    char alias[128];

    while (cursor && sl_list_next(&cursor, alias, sizeof(alias))) {
        if (strcmp(alias, key) == 0)
            return true;
    }
    return false;
}

bool sl_options_know(const struct sl_option *table, const char *key)
{
    for (; table->name; table++) {
        if (is_family(table) ? strncmp(table->name, key, strlen(table->name) - 1) == 0
                             : strcmp(table->name, key) == 0 || alias_is(table, key))
            return true;
    }
    return false;
}

static const struct sl_option *find(const struct sl_option *table, const char *name)
{
    for (; table->name; table++) {
        if (strcmp(table->name, name) == 0)
            return table;
    }
    return NULL;
}

const char *sl_option_text(const struct sl_option *table, const struct sl_props *props, const char *prefix,
                           const char *name)
{
    const struct sl_option *option = find(table, name);
    char used[NAME_SIZE];
    const char *text;

    SL_ASSERT(option);
    text = given(option, props, prefix, used);
    return text ? text : option->default_text;
}

int64_t sl_option_int(const struct sl_option *table, const struct sl_props *props, const char *prefix,
                      const char *name)
{
    const char *text = sl_option_text(table, props, prefix, name);
    int64_t number = 0;

    SL_ASSERT(text && sl_parse_int64(text, &number));
    return number;
}

double sl_option_double(const struct sl_option *table, const struct sl_props *props, const char *prefix,
                        const char *name)
{
    const char *text = sl_option_text(table, props, prefix, name);
    double number = 0;

    SL_ASSERT(text && sl_parse_double(text, &number));
    return number;
}

bool sl_option_bool(const struct sl_option *table, const struct sl_props *props, const char *prefix,
                    const char *name)
{
    const char *text = sl_option_text(table, props, prefix, name);
    bool truth = false;

    SL_ASSERT(text && sl_parse_bool(text, &truth));
    return truth;
}
