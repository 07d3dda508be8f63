/* SPDX-License-Identifier: Apache-2.0 */
#include "source/sqlserver/filter.h"
#include "base/props.h"

enum sl_rc sl_mssql_filter_read(const char *key, const char *text, struct sl_mssql_filter *ret_filter,
                                struct sl_error *err)
{
    struct sl_mssql_filter filter = {0};
    char item[1024];

    while (text && sl_list_next(&text, item, sizeof(item))) {
        if (!item[0])
            continue;
        if (filter.n >= filter.capacity) {
            filter.capacity = filter.capacity ? filter.capacity * 2 : 8;
            filter.patterns = sl_realloc(filter.patterns, filter.capacity, sizeof(*filter.patterns));
            filter.texts = sl_realloc(filter.texts, filter.capacity, sizeof(*filter.texts));
        }
        if (sl_regex_compile(item, SL_REGEX_IGNORE_CASE, &filter.patterns[filter.n], err) != SL_OK) {
            sl_mssql_filter_done(&filter);
            return sl_error_wrap(err, "%s", key);
        }
        filter.texts[filter.n++] = sl_strdup(item);
    }
    *ret_filter = filter;
    return SL_OK;
}

void sl_mssql_filter_done(struct sl_mssql_filter *filter)
{
    for (size_t i = 0; i < filter->n; i++) {
        sl_regex_free(filter->patterns[i]);
        sl_free(filter->texts[i]);
    }
    sl_free(filter->patterns);
    sl_free(filter->texts);
    *filter = (struct sl_mssql_filter){0};
}

int sl_mssql_filter_match(const struct sl_mssql_filter *filter, const char *name)
{
    for (size_t i = 0; i < filter->n; i++)
        if (sl_regex_matches(filter->patterns[i], name, strlen(name)))
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
