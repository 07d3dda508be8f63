/* SPDX-License-Identifier: Apache-2.0 */
#include "source/sqlserver/filter.h"
#include "base/buf.h"
#include "base/props.h"

static const char *escape_class(char c)
{
    switch (c) {
    case 'd': return "0-9";
    case 'w': return "A-Za-z0-9_";
    case 's': return " \t\r\n";
    default: return NULL;
    }
}

/* One backslash and what follows it; returns where to go on. */
static const char *put_escape(struct sl_buf *out, const char *p, bool in_class)
{
    const char *set = escape_class(*p);

    if (set && in_class)
        sl_buf_text(out, set);
    else if (set)
        sl_buf_format(out, "[%s]", set);
    else if (in_class && *p != '\\')
        sl_buf_u8(out, (uint8_t)*p); /* no escapes inside a POSIX class */
    else
        sl_buf_format(out, "\\%c", *p);
    return p + 1;
}

/* Java's dialect to POSIX extended; NULL when it says something that POSIX cannot. */
static const char *translate(const char *p, struct sl_buf *out)
{
    bool in_class = false;

    sl_buf_text(out, "^(");
    while (*p) {
        if (*p == '\\' && p[1]) {
            p = put_escape(out, p + 1, in_class);
            continue;
        }
        if (!in_class && strncmp(p, "(?:", 3) == 0) {
            sl_buf_u8(out, '(');
            p += 3;
            continue;
        }
        if (!in_class && strncmp(p, "(?i)", 4) == 0) {
            p += 4; /* names are compared without case anyway */
            continue;
        }
        if (!in_class && strncmp(p, "(?", 2) == 0)
            return NULL;
        if (!in_class && strchr("*+?}", *p) && (p[1] == '?' || p[1] == '+'))
            return NULL;
        if (*p == '[')
            in_class = true;
        else if (*p == ']')
            in_class = false;
        sl_buf_u8(out, (uint8_t)*p++);
    }
    sl_buf_text(out, ")$");
    return sl_buf_cstr(out);
}

enum sl_rc sl_mssql_pattern_compile(const char *key, const char *text, regex_t *ret_pattern,
                                    struct sl_error *err)
{
    struct sl_buf out = {0};
    const char *posix = translate(text, &out);
    enum sl_rc rc = SL_OK;

    if (!posix || regcomp(ret_pattern, posix, REG_EXTENDED | REG_ICASE | REG_NOSUB) != 0)
        rc = sl_error_set(err, SL_E_CONFIG,
                          "%s: '%s' is not a regular expression that can be used here. HINT: escape dots as "
                          "\\., and do without look-around and lazy quantifiers",
                          key, text);
    sl_buf_done(&out);
    return rc;
}

enum sl_rc sl_mssql_filter_read(const char *key, const char *text, struct sl_mssql_filter *ret_filter,
                                struct sl_error *err)
{
    struct sl_mssql_filter filter = {0};
    size_t capacity = 0;
    char item[1024];
    enum sl_rc rc = SL_OK;

    while (text && rc == SL_OK && sl_list_next(&text, item, sizeof(item))) {
        if (!item[0])
            continue;
        if (filter.n >= capacity) {
            capacity = capacity ? capacity * 2 : 8;
            filter.patterns = sl_realloc(filter.patterns, capacity, sizeof(*filter.patterns));
            filter.texts = sl_realloc(filter.texts, capacity, sizeof(*filter.texts));
        }
        rc = sl_mssql_pattern_compile(key, item, &filter.patterns[filter.n], err);
        if (rc == SL_OK)
            filter.texts[filter.n++] = sl_strdup(item);
    }
    if (rc != SL_OK)
        sl_mssql_filter_done(&filter);
    else
        *ret_filter = filter;
    return rc;
}

void sl_mssql_filter_done(struct sl_mssql_filter *filter)
{
    for (size_t i = 0; i < filter->n; i++) {
        regfree(&filter->patterns[i]);
        sl_free(filter->texts[i]);
    }
    sl_free(filter->patterns);
    sl_free(filter->texts);
    *filter = (struct sl_mssql_filter){0};
}

int sl_mssql_filter_match(const struct sl_mssql_filter *filter, const char *name)
{
    for (size_t i = 0; i < filter->n; i++)
        if (regexec(&filter->patterns[i], name, 0, NULL, 0) == 0)
            return (int)i;
    return -1;
}

bool sl_mssql_filter_pass(const struct sl_mssql_filter *include, const struct sl_mssql_filter *exclude,
                          const char *name)
{
    if (include->n && sl_mssql_filter_match(include, name) < 0)
        return false;
    return sl_mssql_filter_match(exclude, name) < 0;
}
