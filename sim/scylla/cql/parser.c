/* SPDX-License-Identifier: Apache-2.0 */
/* The parser's tools, and which statement it is. */
#include "parser.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "../storage/arena.h"

void *sy_list_add(struct sy_list *list, size_t size, struct sy_arena *arena)
{
    if (list->n == list->cap) {
        uint32_t cap = list->cap == 0 ? 4 : 2 * list->cap;
        void *more = sy_arena_alloc(arena, cap * size);
        if (list->n > 0)
            memcpy(more, list->items, list->n * size);
        list->items = more;
        list->cap = cap;
    }
    return (char *)list->items + size * list->n++;
}

const struct sy_token *sy_parser_peek(const struct sy_parser *p, uint32_t ahead)
{
    uint32_t i = p->at + ahead;
    return &p->tokens[i < p->n_tokens ? i : p->n_tokens - 1];
}

void sy_parser_fail(struct sy_parser *p, int32_t code, const char *format, ...)
{
    if (p->failed)
        return;
    va_list args;
    va_start(args, format);
    p->error.code = code;
    p->error.message = sy_arena_vformat(p->arena, format, args);
    p->error.extra.len = SY_NULL;
    va_end(args);
    p->failed = true;
    p->at = p->n_tokens - 1;
}

static void fail_at(struct sy_parser *p, const struct sy_token *token, const char *expecting)
{
    uint32_t line = 1, column = 0;
    for (uint32_t i = 0; i < token->start; i++) {
        column = p->cql[i] == '\n' ? 0 : column + 1;
        line += p->cql[i] == '\n';
    }
    const char *text = token->kind == SY_TOKEN_END
                           ? "<EOF>"
                           : sy_arena_dup(p->arena, p->cql + token->start, token->end - token->start);
    if (expecting == NULL)
        sy_parser_fail(p, 0x2000, "line %u:%u no viable alternative at input '%s'", line, column, text);
    else
        sy_parser_fail(p, 0x2000, "line %u:%u mismatched input '%s' expecting %s", line, column, text,
                       expecting);
}

void sy_parser_unexpected(struct sy_parser *p)
{
    fail_at(p, sy_parser_peek(p, 0), NULL);
}

bool sy_at_word(const struct sy_parser *p, const char *word)
{
    const struct sy_token *token = sy_parser_peek(p, 0);
    return token->kind == SY_TOKEN_NAME && strcmp(token->text, word) == 0;
}

bool sy_at_words(const struct sy_parser *p, const char *first, const char *second)
{
    const struct sy_token *next = sy_parser_peek(p, 1);
    return sy_at_word(p, first) && next->kind == SY_TOKEN_NAME && strcmp(next->text, second) == 0;
}

bool sy_take_word(struct sy_parser *p, const char *word)
{
    if (!sy_at_word(p, word))
        return false;
    p->at++;
    return true;
}

void sy_expect_word(struct sy_parser *p, const char *word)
{
    if (sy_take_word(p, word))
        return;
    char upper[32];
    size_t n = 0;
    for (; word[n] != '\0' && n < sizeof upper - 1; n++)
        upper[n] = (char)(word[n] - ('a' <= word[n] && word[n] <= 'z' ? 32 : 0));
    upper[n] = '\0';
    fail_at(p, sy_parser_peek(p, 0), upper);
}

bool sy_at_symbol(const struct sy_parser *p, int symbol)
{
    const struct sy_token *token = sy_parser_peek(p, 0);
    return token->kind == SY_TOKEN_SYMBOL && token->symbol == symbol;
}

bool sy_take_symbol(struct sy_parser *p, int symbol)
{
    if (!sy_at_symbol(p, symbol))
        return false;
    p->at++;
    return true;
}

void sy_expect_symbol(struct sy_parser *p, int symbol)
{
    if (sy_take_symbol(p, symbol))
        return;
    char quoted[4] = {'\'', (char)symbol, '\'', '\0'};
    fail_at(p, sy_parser_peek(p, 0), quoted);
}

/* Words that can not be a name unless quoted; sorted. */
static const char *const reserved[] = {
    "add",      "allow",       "alter",        "and",      "apply",    "asc",    "authorize",    "batch",
    "begin",    "by",          "columnfamily", "create",   "delete",   "desc",   "describe",     "drop",
    "entries",  "execute",     "from",         "full",     "grant",    "if",     "in",           "index",
    "infinity", "insert",      "into",         "is",       "keyspace", "limit",  "materialized", "modify",
    "nan",      "norecursive", "not",          "null",     "of",       "on",     "or",           "order",
    "primary",  "rename",      "replace",      "revoke",   "schema",   "select", "set",          "table",
    "to",       "token",       "truncate",     "unlogged", "update",   "use",    "using",        "view",
    "where",    "with",
};

static int compare_words(const void *a, const void *b)
{
    return strcmp(a, *(const char *const *)b);
}

static bool is_reserved(const char *word)
{
    return bsearch(word, reserved, sizeof reserved / sizeof *reserved, sizeof *reserved, compare_words) !=
           NULL;
}

const char *sy_parse_name(struct sy_parser *p)
{
    const struct sy_token *token = sy_parser_peek(p, 0);
    bool name =
        token->kind == SY_TOKEN_QUOTED_NAME || (token->kind == SY_TOKEN_NAME && !is_reserved(token->text));
    if (!name || token->len == 0) {
        sy_parser_unexpected(p);
        return "";
    }
    p->at++;
    return token->text;
}

const char *sy_parse_any_name(struct sy_parser *p)
{
    return sy_parser_peek(p, 0)->kind == SY_TOKEN_STRING ? sy_parse_string(p) : sy_parse_name(p);
}

void sy_parse_table_name(struct sy_parser *p, const char **ret_keyspace, const char **ret_name)
{
    *ret_keyspace = NULL;
    *ret_name = sy_parse_name(p);
    if (sy_take_symbol(p, '.')) {
        *ret_keyspace = *ret_name;
        *ret_name = sy_parse_name(p);
    }
}

const char *sy_parse_string(struct sy_parser *p)
{
    const struct sy_token *token = sy_parser_peek(p, 0);
    if (token->kind != SY_TOKEN_STRING) {
        fail_at(p, token, "STRING_LITERAL");
        return "";
    }
    p->at++;
    return token->text;
}

bool sy_parse_if_exists(struct sy_parser *p)
{
    if (!sy_take_word(p, "if"))
        return false;
    sy_expect_word(p, "exists");
    return true;
}

bool sy_parse_if_not_exists(struct sy_parser *p)
{
    if (!sy_take_word(p, "if"))
        return false;
    sy_expect_word(p, "not");
    sy_expect_word(p, "exists");
    return true;
}

static void parse_use(struct sy_parser *p, struct sy_statement *ret)
{
    struct sy_definition *use = sy_arena_alloc(p->arena, sizeof *use);
    p->at++;
    use->name = sy_parse_name(p);
    ret->kind = SY_STATEMENT_USE;
    ret->definition = use;
}

static void parse_truncate(struct sy_parser *p, struct sy_statement *ret)
{
    struct sy_definition *truncate = sy_arena_alloc(p->arena, sizeof *truncate);
    p->at++;
    if (!sy_take_word(p, "table"))
        (void)sy_take_word(p, "columnfamily");
    sy_parse_table_name(p, &truncate->keyspace, &truncate->name);
    if (sy_take_word(p, "using")) {
        sy_expect_word(p, "timeout");
        (void)sy_parse_term(p);
    }
    ret->kind = SY_STATEMENT_TRUNCATE;
    ret->definition = truncate;
}

static void parse_statement(struct sy_parser *p, struct sy_statement *ret)
{
    if (sy_at_word(p, "select")) {
        ret->kind = SY_STATEMENT_SELECT;
        ret->select = sy_parse_select(p);
    } else if (sy_at_word(p, "insert") || sy_at_word(p, "update") || sy_at_word(p, "delete")) {
        ret->kind = SY_STATEMENT_MODIFY;
        ret->modify = sy_parse_modify(p);
    } else if (sy_at_word(p, "begin")) {
        ret->kind = SY_STATEMENT_BATCH;
        ret->batch = sy_parse_batch(p);
    } else if (sy_at_word(p, "use")) {
        parse_use(p, ret);
    } else if (sy_at_word(p, "truncate")) {
        parse_truncate(p, ret);
    } else if (!sy_parse_access(p, ret) && !sy_parse_definition(p, ret)) {
        sy_parser_unexpected(p);
    }
}

static bool start(struct sy_parser *p, const char *cql, size_t len, struct sy_arena *arena)
{
    uint32_t at = 0;
    *p = (struct sy_parser){.cql = cql, .arena = arena};
    p->tokens = sy_lex(cql, len, arena, &p->n_tokens, &at);
    if (p->tokens != NULL)
        return true;
    p->error.code = 0x2000;
    p->error.message = sy_arena_format(arena, "line 1:%u no viable alternative at character '%c'", at,
                                       at < len ? cql[at] : ' ');
    p->error.extra.len = SY_NULL;
    return false;
}

const struct sy_statement *sy_parse(const char *cql, size_t len, struct sy_arena *arena,
                                    struct sy_error *ret_error)
{
    struct sy_parser p;
    struct sy_statement *statement = sy_arena_alloc(arena, sizeof *statement);
    if (!start(&p, cql, len, arena)) {
        *ret_error = p.error;
        return NULL;
    }
    parse_statement(&p, statement);
    while (sy_take_symbol(&p, ';'))
        ;
    if (!p.failed && sy_parser_peek(&p, 0)->kind != SY_TOKEN_END)
        fail_at(&p, sy_parser_peek(&p, 0), "EOF");
    if (p.failed) {
        *ret_error = p.error;
        return NULL;
    }
    statement->n_markers = p.n_markers;
    statement->marker_names = p.marker_names;
    return statement;
}

const struct sy_type_name *sy_parse_type(const char *text, size_t len, struct sy_arena *arena)
{
    struct sy_parser p;
    if (!start(&p, text, len, arena))
        return NULL;
    const struct sy_type_name *type = sy_parse_type_name(&p);
    return p.failed || sy_parser_peek(&p, 0)->kind != SY_TOKEN_END ? NULL : type;
}
