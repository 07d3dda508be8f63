/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of built-in functions, and its two little languages.
 *
 * Arguments, one letter each (the last repeats): i int, b bigint, f float, s text (as it is), u text as
 * Unicode, c text as varchar, x text or bytes, n any number, d any date (text becomes datetime2(7)), D
 * datetime2(7), o datetimeoffset(7), y varbinary(max), v as it is.
 *
 * Result: "int", "bigint", ... a type's name with its plain facets; "0", "1" the type of that argument after
 * conversion; "s0" variable-length text like argument 0, "S0" the same at full length (8000 bytes), "sum"
 * text as long as all together; "n0" the number type of argument 0 (bit, tinyint and smallint become int);
 * "nvarchar:128" with a length.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "operation.h"

static const struct ms_function *const tables[] = {ms_functions_text, ms_functions_math, ms_functions_date,
                                                   ms_functions_session};

const struct ms_function *ms_function_find(const char *name)
{
    for (size_t t = 0; t < sizeof tables / sizeof tables[0]; t++)
        for (const struct ms_function *f = tables[t]; f->name; f++)
            if (strcasecmp(f->name, name) == 0)
                return f;
    return NULL;
}

static struct ms_type text_like(const struct ms_type *have)
{
    if (ms_type_class(have->id) == MS_CLASS_TEXT)
        return *have;
    if (ms_type_class(have->id) == MS_CLASS_XML || ms_type_class(have->id) == MS_CLASS_VARIANT)
        return ms_type_string(true, MS_MAX);
    if (ms_type_class(have->id) == MS_CLASS_BINARY)
        return ms_type_string(false, have->id == MS_ROWVERSION ? 8
                                     : have->length > 0        ? have->length
                                                               : MS_MAX);
    return ms_type_string(false, 64);
}

static struct ms_type number_like(const struct ms_type *have)
{
    switch (ms_type_class(have->id)) {
    case MS_CLASS_INTEGER: return have->id == MS_BIGINT ? *have : ms_type_simple(MS_INT);
    case MS_CLASS_DECIMAL:
    case MS_CLASS_FLOAT: return *have;
    case MS_CLASS_MONEY: return ms_type_simple(MS_MONEY);
    case MS_CLASS_NONE:
    case MS_CLASS_TEXT:
    case MS_CLASS_BINARY:
    case MS_CLASS_GUID:
    case MS_CLASS_DATE:
    case MS_CLASS_XML:
    case MS_CLASS_VARIANT: break;
    }
    return ms_type_simple(MS_FLOAT);
}

struct ms_type ms_function_arg_type(const struct ms_function *f, size_t i, const struct ms_type *have)
{
    size_t n = strlen(f->args);
    char letter = n ? f->args[i < n ? i : n - 1] : 'v';
    struct ms_type text = text_like(have);
    switch (letter) {
    case 'i': return ms_type_simple(MS_INT);
    case 'b': return ms_type_simple(MS_BIGINT);
    case 'f': return ms_type_simple(MS_FLOAT);
    case 's': return text;
    case 'x': return ms_type_class(have->id) == MS_CLASS_BINARY ? *have : text;
    case 'u':
        return ms_type_string(true, text.length > 4000 ? MS_MAX : text.length <= 0 ? MS_MAX : text.length);
    case 'c': return ms_type_string(false, text.length <= 0 ? MS_MAX : text.length);
    case 'n': return number_like(have);
    case 'd':
        return ms_type_class(have->id) == MS_CLASS_DATE
                   ? *have
                   : ms_type_simple(ms_type_class(have->id) == MS_CLASS_TEXT ? MS_DATETIME2 : MS_DATETIME);
    case 'D': return ms_type_simple(MS_DATETIME2);
    case 'o': return ms_type_simple(MS_DATETIMEOFFSET);
    case 'y': return (struct ms_type){.id = MS_VARBINARY, .length = MS_MAX};
    default: return *have;
    }
}

static struct ms_type sum_of_texts(const struct ms_type *args, size_t n)
{
    bool unicode = false, max = false;
    int32_t length = 0;
    for (size_t i = 0; i < n; i++) {
        unicode = unicode || ms_type_is_unicode(args[i].id);
        max = max || args[i].length < 0 || args[i].id == MS_TEXT || args[i].id == MS_NTEXT;
        length += args[i].length;
    }
    int32_t limit = unicode ? 4000 : 8000;
    return ms_type_string(unicode, max ? MS_MAX : length > limit ? limit : length);
}

struct ms_type ms_function_result_type(const struct ms_function *f, const struct ms_type *args, size_t n)
{
    const char *rule = f->result;
    struct ms_type type;
    if (strcmp(rule, "0") == 0)
        return n ? args[0] : ms_type_simple(MS_INT);
    if (strcmp(rule, "1") == 0)
        return args[1];
    if (strcmp(rule, "n0") == 0)
        return n ? args[0] : ms_type_simple(MS_FLOAT);
    if (strcmp(rule, "s0") == 0 && n && ms_type_class(args[0].id) == MS_CLASS_BINARY)
        return (struct ms_type){.id = MS_VARBINARY, .length = args[0].length ? args[0].length : MS_MAX};
    if (strcmp(rule, "s0") == 0 || strcmp(rule, "S0") == 0) {
        bool unicode = n && ms_type_is_unicode(args[0].id);
        int32_t length = n ? args[0].length : 1;
        bool max = length < 0 || (n && (args[0].id == MS_TEXT || args[0].id == MS_NTEXT));
        return ms_type_string(unicode, max ? MS_MAX : rule[0] == 'S' ? (unicode ? 4000 : 8000) : length);
    }
    if (strcmp(rule, "sum") == 0)
        return sum_of_texts(args, n);
    if (strcmp(rule, "identity") == 0)
        return (struct ms_type){.id = MS_NUMERIC, .precision = 38};
    const char *colon = strchr(rule, ':');
    char name[32];
    (void)snprintf(name, sizeof name, "%.*s", colon ? (int)(colon - rule) : (int)strlen(rule), rule);
    if (!ms_type_find(name, &type))
        type = ms_type_simple(MS_INT);
    if (colon)
        type.length = (int32_t)strtol(colon + 1, NULL, 10);
    return type;
}
