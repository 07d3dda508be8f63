/* SPDX-License-Identifier: Apache-2.0 */
/* The parser's cursor, its errors, and the two doors of parser.h. */
#include "parse.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

void ms_parse_fail(struct ms_parser *p, int32_t number, const char *format, ...)
{
    char text[1024];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    p->error_line = p->tokens[p->at].line;
    ms_error_set(p->err, number, 15, 1, "%s", text);
    longjmp(p->escape, 1);
}

void ms_parse_fail_here(struct ms_parser *p)
{
    struct ms_token *token = &p->tokens[p->at];
    if (token->kind == MS_TOKEN_END && p->at > 0) /* SQL Server names the last token that there was */
        token = &p->tokens[p->at - 1];
    char near[130];
    const char *raw = token->kind == MS_TOKEN_BINARY ? "0x" : token->text;
    (void)snprintf(near, sizeof near, "%s", raw);
    if (p->tokens[p->at].kind == MS_TOKEN_NAME && !token->quoted && ms_word_is_reserved(token->text))
        ms_parse_fail(p, 156, "Incorrect syntax near the keyword '%s'.", near);
    ms_parse_fail(p, 102, "Incorrect syntax near '%s'.", near);
}

struct ms_token *ms_parse_peek(struct ms_parser *p, size_t ahead)
{
    size_t at = p->at;
    while (ahead-- > 0 && p->tokens[at].kind != MS_TOKEN_END)
        at++;
    return &p->tokens[at];
}

bool ms_parse_is_word(struct ms_parser *p, size_t ahead, const char *word)
{
    struct ms_token *token = ms_parse_peek(p, ahead);
    return token->kind == MS_TOKEN_NAME && !token->quoted && strcasecmp(token->text, word) == 0;
}

bool ms_parse_is_symbol(struct ms_parser *p, size_t ahead, const char *symbol)
{
    struct ms_token *token = ms_parse_peek(p, ahead);
    return token->kind == MS_TOKEN_SYMBOL && strcmp(token->text, symbol) == 0;
}

bool ms_parse_word(struct ms_parser *p, const char *word)
{
    if (!ms_parse_is_word(p, 0, word))
        return false;
    p->at++;
    return true;
}

bool ms_parse_symbol(struct ms_parser *p, const char *symbol)
{
    if (!ms_parse_is_symbol(p, 0, symbol))
        return false;
    p->at++;
    return true;
}

void ms_parse_need_word(struct ms_parser *p, const char *word)
{
    if (!ms_parse_word(p, word))
        ms_parse_fail_here(p);
}

void ms_parse_need_symbol(struct ms_parser *p, const char *symbol)
{
    if (!ms_parse_symbol(p, symbol))
        ms_parse_fail_here(p);
}

bool ms_parse_is_name(struct ms_parser *p, size_t ahead)
{
    struct ms_token *token = ms_parse_peek(p, ahead);
    return token->kind == MS_TOKEN_NAME && (token->quoted || !ms_word_is_reserved(token->text));
}

const char *ms_parse_name(struct ms_parser *p)
{
    if (!ms_parse_is_name(p, 0))
        ms_parse_fail_here(p);
    return p->tokens[p->at++].text;
}

const char *ms_parse_any_word(struct ms_parser *p)
{
    if (ms_parse_peek(p, 0)->kind != MS_TOKEN_NAME)
        ms_parse_fail_here(p);
    return p->tokens[p->at++].text;
}

struct ms_name ms_parse_object_name(struct ms_parser *p)
{
    struct ms_name name = {.n = 1};
    name.parts[0] = ms_parse_name(p);
    while (ms_parse_symbol(p, ".")) {
        if (name.n == 4)
            ms_parse_fail(p, 117,
                          "The object name '%s' contains more than the maximum number of prefixes. "
                          "The maximum is 3.",
                          name.parts[0]);
        if (ms_parse_is_symbol(p, 0, "."))
            name.parts[name.n++] = "";
        else
            name.parts[name.n++] = ms_parse_any_word(p);
    }
    return name;
}

const char *ms_parse_span(struct ms_parser *p, size_t first_token)
{
    size_t begin = p->tokens[first_token].begin;
    size_t end = p->at > first_token ? p->tokens[p->at - 1].end : begin;
    return ms_arena_dup(p->arena, p->sql + begin, end - begin);
}

int64_t ms_parse_integer(struct ms_parser *p)
{
    int64_t sign = 1;
    if (ms_parse_symbol(p, "-"))
        sign = -1;
    else
        ms_parse_symbol(p, "+");
    if (ms_parse_peek(p, 0)->kind != MS_TOKEN_INTEGER)
        ms_parse_fail_here(p);
    return sign * strtoll(p->tokens[p->at++].text, NULL, 10);
}

int ms_parse_variable(struct ms_parser *p)
{
    struct ms_token *token = ms_parse_peek(p, 0);
    if (token->kind != MS_TOKEN_VARIABLE)
        ms_parse_fail_here(p);
    for (size_t i = 0; i < p->n_variables; i++) {
        if (ms_name_equal(p->variables[i].name, token->text)) {
            p->at++;
            return (int)i;
        }
    }
    ms_parse_fail(p, 137, "Must declare the scalar variable \"%s\".", token->text);
}

int ms_parse_declare(struct ms_parser *p, const char *name, const struct ms_type *type)
{
    for (size_t i = 0; i < p->n_variables; i++)
        if (ms_name_equal(p->variables[i].name, name))
            ms_parse_fail(p, 134,
                          "The variable name '%s' has already been declared. Variable names must be "
                          "unique within a query batch or stored procedure.",
                          name);
    p->variables = ms_parse_grow(p, p->variables, p->n_variables, sizeof *p->variables);
    p->variables[p->n_variables] = (struct ms_variable){.name = name, .type = *type};
    return (int)p->n_variables++;
}

void ms_parse_enter(struct ms_parser *p)
{
    if (++p->depth > MS_PARSE_DEPTH)
        ms_parse_fail(p, 191,
                      "Some part of your SQL statement is nested too deeply. Rewrite the query or break it "
                      "up into smaller queries.");
}

void ms_parse_leave(struct ms_parser *p)
{
    p->depth--;
}

void *ms_parse_grow(struct ms_parser *p, void *array, size_t n, size_t size)
{
    if (n != 0 && (n & (n - 1)) != 0)
        return array;
    void *more = ms_arena_alloc(p->arena, (n ? n * 2 : 1) * size);
    if (n)
        memcpy(more, array, n * size);
    return more;
}

/* "@P0 int, @P1 nvarchar(4000) = N'x' OUTPUT" */
static void parse_parameters(struct ms_parser *p)
{
    while (ms_parse_peek(p, 0)->kind != MS_TOKEN_END) {
        if (ms_parse_peek(p, 0)->kind != MS_TOKEN_VARIABLE)
            ms_parse_fail_here(p);
        const char *name = p->tokens[p->at++].text;
        ms_parse_word(p, "as");
        struct ms_type type = ms_parse_type(p, 1);
        int slot = ms_parse_declare(p, name, &type);
        p->variables[slot].is_parameter = true;
        if (ms_parse_symbol(p, "="))
            p->variables[slot].initial = ms_parse_scalar(p);
        p->variables[slot].output = ms_parse_word(p, "output") || ms_parse_word(p, "out");
        ms_parse_word(p, "readonly");
        if (!ms_parse_symbol(p, ","))
            break;
    }
    if (ms_parse_peek(p, 0)->kind != MS_TOKEN_END)
        ms_parse_fail_here(p);
}

static bool start(struct ms_parser *p, const char *sql, size_t len)
{
    p->sql = sql;
    p->at = 0;
    return ms_lex(p->arena, sql, len, &p->tokens, &p->error_line, p->err);
}

static struct ms_statement *parse_all(struct ms_parser *p)
{
    struct ms_statement *first = NULL, **link = &first;
    while (ms_parse_symbol(p, ";"))
        continue;
    while (ms_parse_peek(p, 0)->kind != MS_TOKEN_END) {
        *link = ms_parse_statement(p);
        link = &(*link)->next;
        while (ms_parse_symbol(p, ";"))
            continue;
    }
    return first;
}

/* Under SET QUOTED_IDENTIFIER OFF, what stands in double quotes is a string. */
static void read_quotes_as_strings(struct ms_parser *p)
{
    for (struct ms_token *t = p->tokens; t->kind != MS_TOKEN_END; t++)
        if (t->kind == MS_TOKEN_NAME && t->quoted && p->sql[t->begin] == '"')
            t->kind = MS_TOKEN_STRING;
}

bool ms_parse_batch(const char *sql, size_t len, const char *declaration, bool quoted_identifier,
                    struct ms_batch *ret_batch, int *ret_line, struct ms_error *err)
{
    *ret_batch = (struct ms_batch){0};
    struct ms_parser *p = ms_arena_alloc(&ret_batch->arena, sizeof *p);
    p->arena = &ret_batch->arena;
    p->err = err;
    p->error_line = 1;
    bool ok = false;
    if (setjmp(p->escape) == 0) {
        ok = true;
        if (declaration) {
            ok = start(p, declaration, strlen(declaration));
            if (ok)
                parse_parameters(p);
            ret_batch->n_parameters = p->n_variables;
        }
        ok = ok && start(p, ms_arena_dup(p->arena, sql, len), len);
        if (ok && !quoted_identifier)
            read_quotes_as_strings(p);
        if (ok)
            ret_batch->statements = parse_all(p);
        ret_batch->parse_only = p->parse_only;
    } else {
        ok = false;
    }
    ret_batch->variables = p->variables;
    ret_batch->n_variables = p->n_variables;
    *ret_line = p->error_line;
    return ok;
}

bool ms_parse_expression(struct ms_arena *arena, const char *text, struct ms_expr **ret_expr,
                         struct ms_error *err)
{
    struct ms_parser *p = ms_arena_alloc(arena, sizeof *p);
    p->arena = arena;
    p->err = err;
    if (setjmp(p->escape) != 0)
        return false;
    if (!start(p, text, strlen(text)))
        return false;
    struct ms_expr *expr = ms_parse_expr(p);
    if (ms_parse_peek(p, 0)->kind != MS_TOKEN_END)
        ms_parse_fail_here(p);
    *ret_expr = expr;
    return true;
}

bool ms_parse_view(struct ms_arena *arena, const char *text, struct ms_query **ret_query,
                   struct ms_error *err)
{
    struct ms_parser *p = ms_arena_alloc(arena, sizeof *p);
    p->arena = arena;
    p->err = err;
    if (setjmp(p->escape) != 0)
        return false;
    if (!start(p, text, strlen(text)))
        return false;
    while (ms_parse_peek(p, 0)->kind != MS_TOKEN_END && !ms_parse_is_word(p, 0, "as"))
        p->at++;
    ms_parse_need_word(p, "as");
    struct ms_query *query = ms_parse_query(p);
    while (ms_parse_symbol(p, ";"))
        continue;
    if (ms_parse_is_word(p, 0, "with") && ms_parse_is_word(p, 1, "check"))
        p->at++; /* rows are not changed through views: nothing to check */
    if (ms_parse_peek(p, 0)->kind != MS_TOKEN_END)
        ms_parse_fail_here(p);
    *ret_query = query;
    return true;
}
