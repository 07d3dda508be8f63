/* SPDX-License-Identifier: Apache-2.0 */
#include "normal.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "convert.h"
#include "decimal.h"
#include "typing.h"

static bool print(struct ms_buffer *out, const struct ms_expr *e);

static void print_text(struct ms_buffer *out, const struct ms_expr *e)
{
    ms_buffer_text(out, e->type.id == MS_NVARCHAR ? "N'" : "'");
    for (uint32_t i = 0; i < e->value.len; i++) {
        ms_buffer_byte(out, (char)e->value.bytes[i]);
        if (e->value.bytes[i] == '\'')
            ms_buffer_byte(out, '\'');
    }
    ms_buffer_byte(out, '\'');
}

static void print_float(struct ms_buffer *out, double d)
{
    char text[48];
    (void)snprintf(text, sizeof text, "%.16e", d);
    char *e = strchr(text, 'e');
    if (e && strlen(e) == 4) /* three digits of exponent */
        ms_buffer_format(out, "%.*s0%s", (int)(e + 2 - text), text, e + 2);
    else
        ms_buffer_text(out, text);
}

static void print_number(struct ms_buffer *out, const struct ms_expr *e)
{
    char text[MS_DECIMAL_TEXT];
    switch (ms_type_class(e->type.id)) {
    case MS_CLASS_FLOAT: print_float(out, e->value.d); return;
    case MS_CLASS_DECIMAL:
        (void)ms_decimal_print(e->value.dec, e->type.scale, text);
        ms_buffer_text(out, text);
        return;
    case MS_CLASS_MONEY:
        (void)ms_decimal_print(e->value.i, 4, text);
        ms_buffer_format(out, "$%s", text);
        return;
    case MS_CLASS_NONE:
    case MS_CLASS_INTEGER:
    case MS_CLASS_TEXT:
    case MS_CLASS_BINARY:
    case MS_CLASS_GUID:
    case MS_CLASS_DATE:
    case MS_CLASS_XML:
    case MS_CLASS_VARIANT: break;
    }
    ms_buffer_format(out, "%lld", (long long)e->value.i);
}

static void print_literal(struct ms_buffer *out, const struct ms_expr *e, const char *sign)
{
    enum ms_class class = ms_type_class(e->type.id);
    if (e->value.is_null) {
        ms_buffer_text(out, "NULL");
    } else if (class == MS_CLASS_TEXT) {
        print_text(out, e);
    } else if (class == MS_CLASS_BINARY) {
        ms_buffer_text(out, "0x");
        for (uint32_t i = 0; i < e->value.len; i++)
            ms_buffer_format(out, "%02X", e->value.bytes[i]);
    } else {
        ms_buffer_format(out, "(%s", sign);
        print_number(out, e);
        ms_buffer_byte(out, ')');
    }
}

static bool print_args(struct ms_buffer *out, const struct ms_expr *e)
{
    for (size_t i = 0; i < e->n_args; i++) {
        if (i)
            ms_buffer_byte(out, ',');
        if (!print(out, e->args[i]))
            return false;
    }
    return true;
}

static bool print_call(struct ms_buffer *out, const struct ms_expr *e)
{
    if (e->over || e->star || e->distinct)
        return false;
    for (int i = 0; i < e->name.n; i++) {
        if (e->name.n > 1)
            ms_buffer_format(out, "%s[%s]", i ? "." : "", e->name.parts[i]);
        for (const char *c = e->name.parts[i]; e->name.n == 1 && *c; c++)
            ms_buffer_byte(out, (char)tolower((unsigned char)*c));
    }
    ms_buffer_byte(out, '(');
    if (e->text)
        ms_buffer_format(out, "%s%s", e->text, e->n_args ? "," : "");
    bool ok = print_args(out, e);
    ms_buffer_byte(out, ')');
    return ok;
}

static bool print_cast(struct ms_buffer *out, const struct ms_expr *e)
{
    char type[64];
    (void)ms_type_text(&e->type, type, sizeof type);
    char *facets = strchr(type, '(');
    if (e->cast == MS_CAST_PARSE)
        return false;
    ms_buffer_format(out, "%s([%.*s]%s,", e->try_cast ? "TRY_CAST" : "CONVERT",
                     facets ? (int)(facets - type) : (int)strlen(type), type, facets ? facets : "");
    bool ok = print_args(out, e);
    ms_buffer_byte(out, ')');
    return ok;
}

static bool print_pair(struct ms_buffer *out, const struct ms_expr *e, const char *between)
{
    bool ok = print(out, e->args[0]);
    ms_buffer_text(out, between);
    return ok && print(out, e->args[1]);
}

/* a IN (1, 2) is kept as a=(2) OR a=(1). */
static bool print_in(struct ms_buffer *out, const struct ms_expr *e)
{
    bool ok = !e->query && !e->negated;
    for (size_t i = e->n_args; ok && i-- > 1;) {
        ok = print(out, e->args[0]);
        ms_buffer_byte(out, '=');
        ok = ok && print(out, e->args[i]);
        if (i > 1)
            ms_buffer_text(out, " OR ");
    }
    return ok;
}

static bool print(struct ms_buffer *out, const struct ms_expr *e)
{
    switch (e->kind) {
    case MS_EXPR_LITERAL: print_literal(out, e, ""); return true;
    case MS_EXPR_COLUMN:
        for (int i = 0; i < e->name.n; i++)
            ms_buffer_format(out, "%s[%s]", i ? "." : "", e->name.parts[i]);
        return true;
    case MS_EXPR_UNARY:
        if (e->args[0]->kind == MS_EXPR_LITERAL && e->text[0] != '~') {
            print_literal(out, e->args[0], e->text[0] == '-' ? "-" : "");
            return true;
        }
        ms_buffer_text(out, e->text);
        return print(out, e->args[0]);
    case MS_EXPR_BINARY:
    case MS_EXPR_COMPARE: return print_pair(out, e, e->text);
    case MS_EXPR_AND: return print_pair(out, e, " AND ");
    case MS_EXPR_OR: return print_pair(out, e, " OR ");
    case MS_EXPR_CALL: return print_call(out, e);
    case MS_EXPR_CAST: return print_cast(out, e);
    case MS_EXPR_IS_NULL:
        ms_buffer_text(out, "");
        if (!print(out, e->args[0]))
            return false;
        ms_buffer_text(out, e->negated ? " IS NOT NULL" : " IS NULL");
        return true;
    case MS_EXPR_LIKE: return e->n_args == 2 && print_pair(out, e, e->negated ? " NOT LIKE " : " like ");
    case MS_EXPR_BETWEEN:
        if (e->negated || !print(out, e->args[0]))
            return false;
        ms_buffer_text(out, ">=");
        if (!print(out, e->args[1]))
            return false;
        ms_buffer_text(out, " AND ");
        (void)print(out, e->args[0]);
        ms_buffer_text(out, "<=");
        return print(out, e->args[2]);
    case MS_EXPR_IN: return print_in(out, e);
    case MS_EXPR_VARIABLE:
    case MS_EXPR_GLOBAL:
    case MS_EXPR_CASE:
    case MS_EXPR_SUBQUERY:
    case MS_EXPR_COLLATE:
    case MS_EXPR_DEFAULT:
    case MS_EXPR_AT_TIME_ZONE:
    case MS_EXPR_NOT:
    case MS_EXPR_EXISTS:
    case MS_EXPR_QUANTIFIED: break;
    }
    return false;
}

const char *ms_normal_form(struct ms_arena *arena, const struct ms_expr *expr, const char *written)
{
    struct ms_buffer out = {0};
    ms_buffer_byte(&out, '(');
    bool ok = print(&out, expr);
    ms_buffer_byte(&out, ')');
    const char *text = ok ? ms_arena_dup(arena, out.data, out.len) : ms_arena_format(arena, "(%s)", written);
    ms_buffer_free(&out);
    return text;
}
