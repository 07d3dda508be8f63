/* SPDX-License-Identifier: Apache-2.0 */
/* Expressions and conditions, by precedence: OR, AND, NOT, predicates, + - & ^ |, * / %, signs, primaries. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "../storage/types.h"
#include "convert.h"
#include "datetime.h"
#include "decimal.h"
#include "parse.h"

#define CHAIN_MAX 900 /* SQLite takes expressions 1000 deep */

static struct ms_expr *parse_condition(struct ms_parser *p);

struct ms_expr *ms_parse_new_expr(struct ms_parser *p, enum ms_expr_kind kind)
{
    struct ms_expr *e = ms_arena_alloc(p->arena, sizeof *e);
    e->kind = kind;
    e->line = ms_parse_peek(p, 0)->line;
    return e;
}

static void add_arg(struct ms_parser *p, struct ms_expr *e, struct ms_expr *arg)
{
    e->args = ms_parse_grow(p, e->args, e->n_args, sizeof *e->args);
    e->args[e->n_args++] = arg;
}

static struct ms_expr *new_with(struct ms_parser *p, enum ms_expr_kind kind, struct ms_expr *a,
                                struct ms_expr *b)
{
    struct ms_expr *e = ms_parse_new_expr(p, kind);
    add_arg(p, e, a);
    if (b)
        add_arg(p, e, b);
    return e;
}

/* --- types --- */

static bool type_takes(enum ms_type_id id, const char *what)
{
    switch (id) {
    case MS_CHAR:
    case MS_VARCHAR:
    case MS_NCHAR:
    case MS_NVARCHAR:
    case MS_BINARY:
    case MS_VARBINARY: return *what == 'l';
    case MS_DECIMAL:
    case MS_NUMERIC: return *what == 'p';
    case MS_TIME:
    case MS_DATETIME2:
    case MS_DATETIMEOFFSET: return *what == 's';
    case MS_FLOAT: return *what == 'f';
    case MS_UNKNOWN:
    case MS_BIT:
    case MS_TINYINT:
    case MS_SMALLINT:
    case MS_INT:
    case MS_BIGINT:
    case MS_REAL:
    case MS_SMALLMONEY:
    case MS_MONEY:
    case MS_TEXT:
    case MS_NTEXT:
    case MS_IMAGE:
    case MS_ROWVERSION:
    case MS_UNIQUEIDENTIFIER:
    case MS_DATE:
    case MS_DATETIME:
    case MS_SMALLDATETIME:
    case MS_XML:
    case MS_SQL_VARIANT:
    case MS_HIERARCHYID:
    case MS_GEOMETRY:
    case MS_GEOGRAPHY: break;
    }
    return false;
}

static void parse_facets(struct ms_parser *p, struct ms_type *type, const char *name)
{
    if (ms_parse_word(p, "max")) {
        if (type->id != MS_VARCHAR && type->id != MS_NVARCHAR && type->id != MS_VARBINARY)
            ms_parse_fail_here(p);
        type->length = MS_MAX;
        return;
    }
    int64_t n = ms_parse_integer(p);
    if (type_takes(type->id, "l")) {
        bool wide = type->id == MS_NCHAR || type->id == MS_NVARCHAR;
        if (n < 1 || n > (wide ? 4000 : 8000))
            ms_parse_fail(
                p, n < 1 ? 1001 : 131,
                n < 1 ? "Line %d: Length or precision specification %d is invalid."
                      : "The size (%d) given to the type exceeds the maximum allowed for any data type (%d).",
                n < 1 ? ms_parse_peek(p, 0)->line : (int)n, n < 1 ? (int)n : 8000);
        type->length = (int32_t)n;
    } else if (type_takes(type->id, "p")) {
        int64_t scale = ms_parse_symbol(p, ",") ? ms_parse_integer(p) : 0;
        if (n < 1 || n > 38)
            ms_parse_fail(p, 2750,
                          "Column or parameter #1: Specified column precision %d is greater than the "
                          "maximum precision of 38.",
                          (int)n);
        if (scale < 0 || scale > n)
            ms_parse_fail(p, 192, "The scale must be less than or equal to the precision.");
        type->precision = (uint8_t)n;
        type->scale = (uint8_t)scale;
    } else if (type_takes(type->id, "s")) {
        if (n < 0 || n > 7)
            ms_parse_fail(p, 1002, "Line %d: Specified scale %d is invalid.", ms_parse_peek(p, 0)->line,
                          (int)n);
        type->scale = (uint8_t)n;
    } else if (type_takes(type->id, "f")) {
        if (n < 1 || n > 53)
            ms_parse_fail(p, 1001, "Line %d: Length or precision specification %d is invalid.",
                          ms_parse_peek(p, 0)->line, (int)n);
        type->id = n <= 24 ? MS_REAL : MS_FLOAT;
    } else {
        ms_parse_fail(p, 2716,
                      "Column, parameter, or variable #1: Cannot specify a column width on data type %s.",
                      name);
    }
}

struct ms_type ms_parse_type(struct ms_parser *p, int default_length)
{
    struct ms_type type;
    if (ms_parse_is_word(p, 0, "sys") && ms_parse_is_symbol(p, 1, "."))
        p->at += 2;
    const char *name = ms_parse_any_word(p);
    if (strcasecmp(name, "double") == 0 && ms_parse_word(p, "precision"))
        name = "float";
    else if (strcasecmp(name, "national") == 0) {
        name = ms_parse_any_word(p);
        name = strcasecmp(name, "text") == 0 ? "ntext" : ms_parse_word(p, "varying") ? "nvarchar" : "nchar";
    } else if ((strcasecmp(name, "char") == 0 || strcasecmp(name, "character") == 0) &&
               ms_parse_word(p, "varying")) {
        name = "varchar";
    } else if (strcasecmp(name, "binary") == 0 && ms_parse_word(p, "varying")) {
        name = "varbinary";
    }
    if (!ms_type_find(name, &type)) {
        p->at--;
        ms_parse_fail(p, 2715, "Column, parameter, or variable #1: Cannot find data type %s.", name);
    }
    if (type_takes(type.id, "l") && strcasecmp(name, "sysname") != 0)
        type.length = default_length;
    if (ms_parse_symbol(p, "(")) {
        parse_facets(p, &type, name);
        ms_parse_need_symbol(p, ")");
    }
    return type;
}

/* --- literals --- */

static struct ms_expr *literal_text(struct ms_parser *p, const struct ms_token *token)
{
    struct ms_expr *e = ms_parse_new_expr(p, MS_EXPR_LITERAL);
    const uint8_t *text = (const uint8_t *)token->text;
    size_t len = token->len;
    if (!token->unicode)
        text = ms_text_narrow(p->arena, text, len, &len);
    size_t units = ms_text_units(text, len, token->unicode);
    e->type = ms_type_string(token->unicode, units > 8000 ? MS_MAX : (int32_t)units);
    e->value.bytes = text;
    e->value.len = (uint32_t)len;
    return e;
}

static void set_decimal(struct ms_parser *p, struct ms_expr *e, const char *text)
{
    const char *point = strchr(text, '.');
    int digits = 0, scale = point ? (int)strlen(point + 1) : 0;
    bool leading = true;
    for (const char *c = text; *c; c++) {
        leading = leading && *c == '0';
        digits += *c != '.' && !leading;
        leading = leading && *c != '.';
    }
    digits = digits > scale ? digits : scale;
    digits = digits ? digits : 1;
    e->type = (struct ms_type){.id = MS_NUMERIC, .precision = (uint8_t)digits, .scale = (uint8_t)scale};
    ms_int128 value;
    if (digits > MS_DECIMAL_DIGITS || !ms_decimal_parse(text, strlen(text), scale, &value))
        ms_parse_fail(p, 1007,
                      "The number '%s' is out of the range for numeric representation (maximum precision "
                      "38).",
                      text);
    e->value.dec = value;
}

static struct ms_expr *literal_number(struct ms_parser *p, const struct ms_token *token)
{
    struct ms_expr *e = ms_parse_new_expr(p, MS_EXPR_LITERAL);
    if (token->kind == MS_TOKEN_FLOAT) {
        e->type.id = MS_FLOAT;
        e->value.d = strtod(token->text, NULL);
        if (!isfinite(e->value.d))
            ms_parse_fail(p, 168,
                          "The floating point value '%s' is out of the range of computer representation (8 "
                          "bytes).",
                          token->text);
    } else if (token->kind == MS_TOKEN_MONEY) {
        ms_int128 value;
        if (!ms_decimal_parse(token->text, token->len, 4, &value) || value > INT64_MAX)
            ms_parse_fail(p, 293, "Cannot convert char value to money. The char value has incorrect syntax.");
        e->type.id = MS_MONEY;
        e->value.i = (int64_t)value;
    } else if (token->kind == MS_TOKEN_INTEGER &&
               (token->len < 10 || (token->len == 10 && strcmp(token->text, "2147483647") <= 0))) {
        e->type.id = MS_INT;
        e->value.i = strtoll(token->text, NULL, 10);
    } else {
        set_decimal(p, e, token->text);
    }
    return e;
}

static struct ms_expr *literal_null(struct ms_parser *p)
{
    struct ms_expr *e = ms_parse_new_expr(p, MS_EXPR_LITERAL);
    e->value.is_null = true;
    return e;
}

static struct ms_expr *parse_literal(struct ms_parser *p)
{
    const struct ms_token *token = ms_parse_peek(p, 0);
    struct ms_expr *e;
    if (token->kind == MS_TOKEN_STRING) {
        e = literal_text(p, token);
    } else if (token->kind == MS_TOKEN_BINARY) {
        e = ms_parse_new_expr(p, MS_EXPR_LITERAL);
        e->type = (struct ms_type){.id = MS_VARBINARY,
                                   .length = token->len > 8000 ? MS_MAX
                                             : token->len      ? (int32_t)token->len
                                                               : 1};
        e->value.bytes = (const uint8_t *)token->text;
        e->value.len = (uint32_t)token->len;
    } else {
        e = literal_number(p, token);
    }
    p->at++;
    return e;
}

/* --- calls --- */

struct ms_expr **ms_parse_expr_list(struct ms_parser *p, size_t *ret_n)
{
    struct ms_expr **list = NULL;
    size_t n = 0;
    do {
        list = ms_parse_grow(p, list, n, sizeof *list);
        list[n++] = ms_parse_scalar(p);
    } while (ms_parse_symbol(p, ","));
    *ret_n = n;
    return list;
}

struct ms_order_item *ms_parse_order_list(struct ms_parser *p, size_t *ret_n)
{
    struct ms_order_item *list = NULL;
    size_t n = 0;
    do {
        list = ms_parse_grow(p, list, n, sizeof *list);
        list[n].expr = ms_parse_scalar(p);
        list[n].descending = ms_parse_word(p, "desc");
        if (!list[n].descending)
            ms_parse_word(p, "asc");
        n++;
    } while (ms_parse_symbol(p, ","));
    *ret_n = n;
    return list;
}

static struct ms_window *parse_over(struct ms_parser *p)
{
    struct ms_window *w = ms_arena_alloc(p->arena, sizeof *w);
    ms_parse_need_symbol(p, "(");
    if (ms_parse_word(p, "partition")) {
        ms_parse_need_word(p, "by");
        w->partition = ms_parse_expr_list(p, &w->n_partition);
    }
    if (ms_parse_word(p, "order")) {
        ms_parse_need_word(p, "by");
        w->order = ms_parse_order_list(p, &w->n_order);
    }
    size_t first = p->at;
    while (!ms_parse_is_symbol(p, 0, ")")) {
        const struct ms_token *token = ms_parse_peek(p, 0);
        static const char *const frame_words[] = {"rows",      "range",   "between", "unbounded", "preceding",
                                                  "following", "current", "row",     "and"};
        bool known = token->kind == MS_TOKEN_INTEGER;
        for (size_t i = 0; i < sizeof frame_words / sizeof frame_words[0]; i++)
            known = known || ms_parse_is_word(p, 0, frame_words[i]);
        if (!known)
            ms_parse_fail_here(p);
        p->at++;
    }
    if (p->at > first)
        w->frame = ms_parse_span(p, first);
    ms_parse_need_symbol(p, ")");
    return w;
}

static struct ms_expr *parse_cast(struct ms_parser *p, const char *word)
{
    struct ms_expr *e = ms_parse_new_expr(p, MS_EXPR_CAST);
    const char *base = strncasecmp(word, "try_", 4) == 0 ? word + 4 : word;
    e->try_cast = base != word;
    e->text = word;
    ms_parse_need_symbol(p, "(");
    if (strcasecmp(base, "convert") == 0) {
        e->cast = MS_CAST_CONVERT;
        e->type = ms_parse_type(p, 30);
        ms_parse_need_symbol(p, ",");
        add_arg(p, e, ms_parse_scalar(p));
        if (ms_parse_symbol(p, ","))
            add_arg(p, e, ms_parse_scalar(p));
    } else {
        e->cast = strcasecmp(base, "parse") == 0 ? MS_CAST_PARSE : MS_CAST_PLAIN;
        add_arg(p, e, ms_parse_scalar(p));
        ms_parse_need_word(p, "as");
        e->type = ms_parse_type(p, 30);
        if (e->cast == MS_CAST_PARSE && ms_parse_word(p, "using"))
            (void)ms_parse_scalar(p);
    }
    ms_parse_need_symbol(p, ")");
    return e;
}

static bool takes_date_part(const char *name)
{
    static const char *const names[] = {"datepart", "datename",     "dateadd",
                                        "datediff", "datediff_big", "datetrunc"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcasecmp(name, names[i]) == 0)
            return true;
    return false;
}

static void parse_call_args(struct ms_parser *p, struct ms_expr *e)
{
    const char *name = e->name.parts[e->name.n - 1];
    if (ms_parse_symbol(p, ")"))
        return;
    if (ms_parse_is_symbol(p, 0, "*") && ms_parse_is_symbol(p, 1, ")")) {
        e->star = true;
        p->at += 2;
        return;
    }
    e->distinct = ms_parse_word(p, "distinct");
    if (!e->distinct)
        ms_parse_word(p, "all");
    if (takes_date_part(name)) {
        e->text = ms_parse_any_word(p);
        if (ms_datetime_part_named(e->text) == MS_PART_NONE)
            ms_parse_fail(p, 155, "'%s' is not a recognized %s option.", e->text, name);
        ms_parse_need_symbol(p, ",");
    }
    do {
        bool is_default = ms_parse_is_word(p, 0, "default");
        if (is_default) {
            add_arg(p, e, ms_parse_new_expr(p, MS_EXPR_DEFAULT));
            p->at++;
        } else {
            add_arg(p, e, ms_parse_expr(p)); /* IIF takes a condition */
        }
        if (strcasecmp(name, "trim") == 0 && ms_parse_word(p, "from"))
            add_arg(p, e, ms_parse_scalar(p));
    } while (ms_parse_symbol(p, ","));
    ms_parse_need_symbol(p, ")");
}

static struct ms_expr *parse_call(struct ms_parser *p, struct ms_name name)
{
    struct ms_expr *e = ms_parse_new_expr(p, MS_EXPR_CALL);
    e->name = name;
    ms_parse_need_symbol(p, "(");
    parse_call_args(p, e);
    if (ms_parse_is_word(p, 0, "within") && ms_parse_is_word(p, 1, "group")) {
        p->at += 2;
        ms_parse_need_symbol(p, "(");
        ms_parse_need_word(p, "order");
        ms_parse_need_word(p, "by");
        e->within = ms_parse_order_list(p, &e->n_within);
        ms_parse_need_symbol(p, ")");
    }
    if (ms_parse_word(p, "over"))
        e->over = parse_over(p);
    return e;
}

static struct ms_expr *parse_case(struct ms_parser *p)
{
    struct ms_expr *e = ms_parse_new_expr(p, MS_EXPR_CASE);
    if (!ms_parse_is_word(p, 0, "when")) {
        e->has_operand = true;
        add_arg(p, e, ms_parse_scalar(p));
    }
    while (ms_parse_word(p, "when")) {
        add_arg(p, e, e->has_operand ? ms_parse_scalar(p) : parse_condition(p));
        ms_parse_need_word(p, "then");
        add_arg(p, e, ms_parse_scalar(p));
    }
    if (e->n_args < 2)
        ms_parse_fail_here(p);
    if (ms_parse_word(p, "else")) {
        e->has_else = true;
        add_arg(p, e, ms_parse_scalar(p));
    }
    ms_parse_need_word(p, "end");
    return e;
}

static struct ms_expr *parse_parenthesised(struct ms_parser *p)
{
    struct ms_expr *e;
    ms_parse_need_symbol(p, "(");
    if (ms_parse_at_query(p)) {
        e = ms_parse_new_expr(p, MS_EXPR_SUBQUERY);
        e->query = ms_parse_query(p);
    } else {
        e = parse_condition(p);
    }
    ms_parse_need_symbol(p, ")");
    return e;
}

static struct ms_expr *call_without_parentheses(struct ms_parser *p)
{
    static const char *const words[] = {"current_timestamp", "current_user", "session_user", "system_user",
                                        "user"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (ms_parse_word(p, words[i])) {
            struct ms_expr *e = ms_parse_new_expr(p, MS_EXPR_CALL);
            e->name = (struct ms_name){{words[i]}, 1};
            return e;
        }
    }
    return NULL;
}

static bool is_cast_word(const char *word)
{
    static const char *const words[] = {"cast", "convert", "parse", "try_cast", "try_convert", "try_parse"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strcasecmp(word, words[i]) == 0)
            return true;
    return false;
}

/* A bare word: a reserved one that is a value or function by itself, a column, or a call. */
static struct ms_expr *parse_word_expr(struct ms_parser *p)
{
    const struct ms_token *token = ms_parse_peek(p, 0);
    if (!token->quoted) {
        struct ms_expr *e = NULL;
        if (ms_parse_word(p, "null"))
            return literal_null(p);
        if (ms_parse_word(p, "case"))
            return parse_case(p);
        if (ms_parse_is_symbol(p, 1, "(") && is_cast_word(token->text)) {
            p->at++;
            return parse_cast(p, token->text);
        }
        e = call_without_parentheses(p);
        if (e)
            return e;
        static const char *const callable[] = {"left", "right", "coalesce", "nullif", "identity"};
        for (size_t i = 0; i < sizeof callable / sizeof callable[0]; i++)
            if (ms_parse_is_word(p, 0, callable[i]) && ms_parse_is_symbol(p, 1, "(")) {
                p->at++;
                return parse_call(p, (struct ms_name){{token->text}, 1});
            }
    }
    struct ms_name name = ms_parse_object_name(p);
    if (ms_parse_is_symbol(p, 0, "("))
        return parse_call(p, name);
    struct ms_expr *e = ms_parse_new_expr(p, MS_EXPR_COLUMN);
    e->name = name;
    return e;
}

static struct ms_expr *parse_primary(struct ms_parser *p)
{
    const struct ms_token *token = ms_parse_peek(p, 0);
    struct ms_expr *e;
    switch (token->kind) {
    case MS_TOKEN_STRING:
    case MS_TOKEN_INTEGER:
    case MS_TOKEN_DECIMAL:
    case MS_TOKEN_FLOAT:
    case MS_TOKEN_MONEY:
    case MS_TOKEN_BINARY: return parse_literal(p);
    case MS_TOKEN_VARIABLE:
        if (strncmp(token->text, "@@", 2) == 0) {
            e = ms_parse_new_expr(p, MS_EXPR_GLOBAL);
            e->text = token->text;
            p->at++;
            return e;
        }
        e = ms_parse_new_expr(p, MS_EXPR_VARIABLE);
        e->slot = ms_parse_variable(p);
        return e;
    case MS_TOKEN_NAME: return parse_word_expr(p);
    case MS_TOKEN_SYMBOL:
        if (ms_parse_is_symbol(p, 0, "("))
            return parse_parenthesised(p);
        break;
    case MS_TOKEN_END: break;
    }
    ms_parse_fail_here(p);
}

static struct ms_expr *parse_postfix(struct ms_parser *p)
{
    struct ms_expr *e = parse_primary(p);
    for (;;) {
        if (ms_parse_word(p, "collate")) {
            e = new_with(p, MS_EXPR_COLLATE, e, NULL);
            e->text = ms_parse_any_word(p);
        } else if (ms_parse_is_word(p, 0, "at") && ms_parse_is_word(p, 1, "time")) {
            p->at += 2;
            ms_parse_need_word(p, "zone");
            e = new_with(p, MS_EXPR_AT_TIME_ZONE, e, parse_primary(p));
        } else {
            return e;
        }
    }
}

static struct ms_expr *parse_unary(struct ms_parser *p)
{
    static const char *const signs[] = {"-", "+", "~"};
    for (size_t i = 0; i < 3; i++) {
        if (ms_parse_symbol(p, signs[i])) {
            ms_parse_enter(p);
            struct ms_expr *e = new_with(p, MS_EXPR_UNARY, parse_unary(p), NULL);
            e->text = signs[i];
            ms_parse_leave(p);
            return e;
        }
    }
    return parse_postfix(p);
}

static const char *take_operator(struct ms_parser *p, const char *const *list)
{
    for (; *list; list++)
        if (ms_parse_symbol(p, *list))
            return *list;
    return NULL;
}

/* A chain of operators is a tree as deep as it is long; what comes after may walk it recursively. */
static void limit_chain(struct ms_parser *p, size_t *length)
{
    if (++*length > CHAIN_MAX)
        ms_parse_fail(p, 8631,
                      "Internal error: Server stack limit has been reached. Please look for potentially deep "
                      "nesting in your query, and try to simplify it.");
}

static struct ms_expr *parse_product(struct ms_parser *p)
{
    size_t length = 0;
    static const char *const operators[] = {"*", "/", "%", NULL};
    struct ms_expr *e = parse_unary(p);
    const char *op;
    while ((op = take_operator(p, operators))) {
        limit_chain(p, &length);
        e = new_with(p, MS_EXPR_BINARY, e, parse_unary(p));
        e->text = op;
    }
    return e;
}

struct ms_expr *ms_parse_scalar(struct ms_parser *p)
{
    static const char *const operators[] = {"+", "-", "&", "^", "|", NULL};
    ms_parse_enter(p);
    struct ms_expr *e = parse_product(p);
    const char *op;
    size_t length = 0;
    while ((op = take_operator(p, operators))) {
        limit_chain(p, &length);
        e = new_with(p, MS_EXPR_BINARY, e, parse_product(p));
        e->text = op;
    }
    ms_parse_leave(p);
    return e;
}

/* --- conditions --- */

static struct ms_expr *parse_in(struct ms_parser *p, struct ms_expr *left)
{
    struct ms_expr *e = new_with(p, MS_EXPR_IN, left, NULL);
    ms_parse_need_symbol(p, "(");
    if (ms_parse_at_query(p))
        e->query = ms_parse_query(p);
    else
        do
            add_arg(p, e, ms_parse_scalar(p));
        while (ms_parse_symbol(p, ","));
    ms_parse_need_symbol(p, ")");
    return e;
}

static struct ms_expr *parse_comparison(struct ms_parser *p, struct ms_expr *left, const char *op)
{
    bool all = ms_parse_is_word(p, 0, "all");
    if ((all || ms_parse_is_word(p, 0, "any") || ms_parse_is_word(p, 0, "some")) &&
        ms_parse_is_symbol(p, 1, "(")) {
        p->at += 2;
        struct ms_expr *e = new_with(p, MS_EXPR_QUANTIFIED, left, NULL);
        e->negated = all;
        e->text = op;
        e->query = ms_parse_query(p);
        ms_parse_need_symbol(p, ")");
        return e;
    }
    struct ms_expr *e = new_with(p, MS_EXPR_COMPARE, left, ms_parse_scalar(p));
    e->text = strcmp(op, "!=") == 0 ? "<>" : strcmp(op, "!<") == 0 ? ">=" : strcmp(op, "!>") == 0 ? "<=" : op;
    return e;
}

static struct ms_expr *parse_between(struct ms_parser *p, struct ms_expr *left)
{
    struct ms_expr *e = new_with(p, MS_EXPR_BETWEEN, left, ms_parse_scalar(p));
    ms_parse_need_word(p, "and");
    add_arg(p, e, ms_parse_scalar(p));
    return e;
}

static struct ms_expr *parse_like(struct ms_parser *p, struct ms_expr *left)
{
    struct ms_expr *e = new_with(p, MS_EXPR_LIKE, left, ms_parse_scalar(p));
    if (ms_parse_word(p, "escape"))
        add_arg(p, e, ms_parse_scalar(p));
    return e;
}

static struct ms_expr *parse_exists(struct ms_parser *p)
{
    struct ms_expr *e = ms_parse_new_expr(p, MS_EXPR_EXISTS);
    ms_parse_need_symbol(p, "(");
    e->query = ms_parse_query(p);
    ms_parse_need_symbol(p, ")");
    return e;
}

static struct ms_expr *parse_predicate(struct ms_parser *p)
{
    static const char *const comparisons[] = {"=", "<>", "!=", "<=", ">=", "<", ">", "!<", "!>", NULL};
    if (ms_parse_is_word(p, 0, "exists") && ms_parse_is_symbol(p, 1, "(")) {
        p->at++;
        return parse_exists(p);
    }
    struct ms_expr *e = ms_parse_scalar(p);
    const char *op = take_operator(p, comparisons);
    if (op)
        return parse_comparison(p, e, op);
    if (ms_parse_word(p, "is")) {
        e = new_with(p, MS_EXPR_IS_NULL, e, NULL);
        e->negated = ms_parse_word(p, "not");
        ms_parse_need_word(p, "null");
        return e;
    }
    bool negated = (ms_parse_is_word(p, 1, "in") || ms_parse_is_word(p, 1, "like") ||
                    ms_parse_is_word(p, 1, "between")) &&
                   ms_parse_word(p, "not");
    struct ms_expr *made = ms_parse_word(p, "in")        ? parse_in(p, e)
                           : ms_parse_word(p, "like")    ? parse_like(p, e)
                           : ms_parse_word(p, "between") ? parse_between(p, e)
                                                         : e;
    if (made != e)
        made->negated = negated;
    return made;
}

static struct ms_expr *parse_not(struct ms_parser *p)
{
    if (!ms_parse_word(p, "not"))
        return parse_predicate(p);
    ms_parse_enter(p);
    struct ms_expr *e = new_with(p, MS_EXPR_NOT, parse_not(p), NULL);
    ms_parse_leave(p);
    return e;
}

static struct ms_expr *parse_and(struct ms_parser *p)
{
    struct ms_expr *e = parse_not(p);
    size_t length = 0;
    while (ms_parse_word(p, "and")) {
        limit_chain(p, &length);
        e = new_with(p, MS_EXPR_AND, e, parse_not(p));
    }
    return e;
}

static struct ms_expr *parse_condition(struct ms_parser *p)
{
    ms_parse_enter(p);
    struct ms_expr *e = parse_and(p);
    size_t length = 0;
    while (ms_parse_word(p, "or")) {
        limit_chain(p, &length);
        e = new_with(p, MS_EXPR_OR, e, parse_and(p));
    }
    ms_parse_leave(p);
    return e;
}

struct ms_expr *ms_parse_expr(struct ms_parser *p)
{
    return parse_condition(p);
}
