/* SPDX-License-Identifier: Apache-2.0 */
#include "transform/naming_style.h"

#include <stdio.h>
#include <strings.h>

const char *const sl_naming_styles[] = {"default",    "snake_case", "camel_case",
                                        "UPPER_CASE", "lower_case", NULL};

static const char *text_of(const struct sl_option *options, const struct sl_props *props, const char *prefix,
                           const char *family, const char *name)
{
    char key[64];

    (void)snprintf(key, sizeof(key), "%s%s", family, name);
    return sl_option_text(options, props, prefix, key);
}

enum sl_rc sl_naming_open(struct sl_naming *naming, const struct sl_option *options,
                          const struct sl_props *props, const char *prefix, const char *family,
                          struct sl_error *err)
{
    const char *style = text_of(options, props, prefix, family, "style");
    int at = 0;

    while (sl_naming_styles[at] && strcasecmp(sl_naming_styles[at], style) != 0)
        at++;
    if (!sl_naming_styles[at])
        return sl_error_set(err, SL_E_CONFIG,
                            "%s%sstyle: there is no style '%.60s'. HINT: use one of default, snake_case, "
                            "camel_case, UPPER_CASE, lower_case",
                            prefix, family, style);
    naming->style = (enum sl_naming_style)at;
    naming->prefix = sl_strdup(text_of(options, props, prefix, family, "prefix"));
    naming->suffix = sl_strdup(text_of(options, props, prefix, family, "suffix"));
    return SL_OK;
}

void sl_naming_done(struct sl_naming *naming)
{
    sl_free(naming->prefix);
    sl_free(naming->suffix);
    *naming = (struct sl_naming){0};
}

static bool is_lower(char c)
{
    return c >= 'a' && c <= 'z';
}

static bool is_upper(char c)
{
    return c >= 'A' && c <= 'Z';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static void put_lower(struct sl_buf *out, char c)
{
    sl_buf_u8(out, (uint8_t)(is_upper(c) ? c - 'A' + 'a' : c));
}

static void put_upper(struct sl_buf *out, char c)
{
    sl_buf_u8(out, (uint8_t)(is_lower(c) ? c - 'a' + 'A' : c));
}

/* Whether a word ends between the two. */
static bool is_seam(char a, char b)
{
    bool letter_a = is_lower(a) || is_upper(a);
    bool letter_b = is_lower(b) || is_upper(b);

    return (is_lower(a) && is_upper(b)) || (letter_a && is_digit(b)) || (is_digit(a) && letter_b);
}

/*
 * The original replaces pairs of characters, from the left and without overlap: a character behind a seam
 * is not the first one of the next, so that "a1b" is "a_1b".
 */
static void put_snake(const char *name, size_t len, struct sl_buf *out)
{
    for (size_t i = 0; i < len; i++) {
        if (i + 1 < len && is_seam(name[i], name[i + 1])) {
            put_lower(out, name[i++]);
            sl_buf_u8(out, '_');
            put_lower(out, name[i]);
        } else if (name[i] == '.') {
            sl_buf_u8(out, '_');
        } else {
            put_lower(out, name[i]);
        }
    }
}

/* A name that begins with a separator begins with a capital, as there. */
static void put_camel(const char *name, size_t len, struct sl_buf *out)
{
    bool capital = false;

    for (size_t i = 0; i < len; i++) {
        if (name[i] == '.' || name[i] == '_') {
            capital = true;
        } else if (capital) {
            put_upper(out, name[i]);
            capital = false;
        } else {
            put_lower(out, name[i]);
        }
    }
}

void sl_naming_put(const struct sl_naming *naming, const char *name, size_t len, struct sl_buf *out)
{
    sl_buf_text(out, naming->prefix);
    switch (naming->style) {
    case SL_NAMES_AS_THEY_ARE: sl_buf_put(out, name, len); break;
    case SL_NAMES_SNAKE: put_snake(name, len, out); break;
    case SL_NAMES_CAMEL: put_camel(name, len, out); break;
    case SL_NAMES_UPPER:
        for (size_t i = 0; i < len; i++)
            put_upper(out, name[i]);
        break;
    case SL_NAMES_LOWER:
        for (size_t i = 0; i < len; i++)
            put_lower(out, name[i]);
        break;
    }
    sl_buf_text(out, naming->suffix);
}
