/* SPDX-License-Identifier: Apache-2.0 */
/* INSERT, UPDATE, DELETE, TRUNCATE, EXECUTE and cursors. */
#include <string.h>
#include <strings.h>

#include "parse.h"

/* (a, b): the columns that rows go into, when they are named. */
static void parse_names(struct ms_parser *p, const char ***ret_names, size_t *ret_n)
{
    const char **names = NULL;
    size_t n = 0;
    if (!ms_parse_is_symbol(p, 0, "(") || ms_parse_at_query(p))
        return;
    p->at++;
    do {
        names = ms_parse_grow(p, names, n, sizeof *names);
        struct ms_name name = ms_parse_object_name(p);
        names[n++] = name.parts[name.n - 1];
    } while (ms_parse_symbol(p, ","));
    ms_parse_need_symbol(p, ")");
    *ret_names = names;
    *ret_n = n;
}

static void parse_output(struct ms_parser *p, struct ms_statement *s)
{
    if (!ms_parse_word(p, "output"))
        return;
    ms_parse_select_items(p, &s->output, &s->n_output);
    if (ms_parse_word(p, "into")) {
        s->into = ms_parse_target(p);
        parse_names(p, &s->into_columns, &s->n_into_columns);
    }
}

static struct ms_statement *parse_insert(struct ms_parser *p, struct ms_cte *ctes)
{
    struct ms_statement *s = ms_parse_new_statement(p, MS_ST_INSERT);
    p->at++;
    if (ms_parse_word(p, "top")) {
        ms_parse_need_symbol(p, "(");
        s->top = ms_parse_scalar(p);
        ms_parse_need_symbol(p, ")");
    }
    ms_parse_word(p, "into");
    s->target = ms_parse_target(p);
    parse_names(p, &s->columns, &s->n_columns);
    parse_output(p, s);
    if (ms_parse_is_word(p, 0, "default") && ms_parse_is_word(p, 1, "values")) {
        p->at += 2;
        s->default_values = true;
    } else if (ms_parse_is_word(p, 0, "exec") || ms_parse_is_word(p, 0, "execute")) {
        s->exec = ms_parse_exec(p);
    } else if (ms_parse_at_query(p) || ms_parse_is_word(p, 0, "values")) {
        s->query = ms_parse_query(p);
        if (ctes)
            s->query->ctes = ctes;
    } else {
        ms_parse_fail_here(p);
    }
    return s;
}

static void parse_assignment(struct ms_parser *p, struct ms_assignment *a)
{
    *a = (struct ms_assignment){.slot = -1};
    if (ms_parse_peek(p, 0)->kind == MS_TOKEN_VARIABLE) {
        a->slot = ms_parse_variable(p);
        bool both = ms_parse_is_symbol(p, 0, "=") && ms_parse_is_name(p, 1) && ms_parse_is_symbol(p, 2, "=");
        if (both) {
            p->at++;
            a->column = ms_parse_object_name(p);
        }
    } else {
        a->column = ms_parse_object_name(p);
    }
    const struct ms_token *op = ms_parse_peek(p, 0);
    if (op->kind != MS_TOKEN_SYMBOL || op->text[strlen(op->text) - 1] != '=' || strchr("<>!", op->text[0]))
        ms_parse_fail_here(p);
    a->op = op->text[0] == '=' ? 0 : op->text[0];
    p->at++;
    if (ms_parse_is_word(p, 0, "default")) {
        a->expr = ms_parse_new_expr(p, MS_EXPR_DEFAULT);
        p->at++;
    } else {
        a->expr = ms_parse_scalar(p);
    }
}

static void parse_top(struct ms_parser *p, struct ms_statement *s)
{
    if (!ms_parse_word(p, "top"))
        return;
    bool parenthesis = ms_parse_symbol(p, "(");
    s->top = ms_parse_scalar(p);
    if (parenthesis)
        ms_parse_need_symbol(p, ")");
}

static void parse_from_where(struct ms_parser *p, struct ms_statement *s)
{
    if (ms_parse_word(p, "from"))
        s->from = ms_parse_from_list(p);
    if (ms_parse_word(p, "where")) {
        if (ms_parse_is_word(p, 0, "current")) {
            p->at++;
            ms_parse_need_word(p, "of");
            s->word = ms_parse_name(p);
        } else {
            s->where = ms_parse_expr(p);
        }
    }
    ms_parse_option_clause(p);
}

/* The CTEs of WITH ... UPDATE hang on an empty query, where the binder looks for them. */
static void keep_ctes(struct ms_parser *p, struct ms_statement *s, struct ms_cte *ctes)
{
    if (!ctes)
        return;
    s->query = ms_arena_alloc(p->arena, sizeof *s->query);
    s->query->ctes = ctes;
}

static struct ms_statement *parse_update(struct ms_parser *p, struct ms_cte *ctes)
{
    struct ms_statement *s = ms_parse_new_statement(p, MS_ST_UPDATE);
    p->at++;
    parse_top(p, s);
    s->target = ms_parse_target(p);
    ms_parse_need_word(p, "set");
    do {
        s->sets = ms_parse_grow(p, s->sets, s->n_sets, sizeof *s->sets);
        parse_assignment(p, &s->sets[s->n_sets++]);
    } while (ms_parse_symbol(p, ","));
    parse_output(p, s);
    parse_from_where(p, s);
    keep_ctes(p, s, ctes);
    return s;
}

static struct ms_statement *parse_delete(struct ms_parser *p, struct ms_cte *ctes)
{
    struct ms_statement *s = ms_parse_new_statement(p, MS_ST_DELETE);
    p->at++;
    parse_top(p, s);
    ms_parse_word(p, "from");
    s->target = ms_parse_target(p);
    parse_output(p, s);
    parse_from_where(p, s);
    keep_ctes(p, s, ctes);
    return s;
}

struct ms_statement *ms_parse_dml(struct ms_parser *p, struct ms_cte *ctes)
{
    if (ms_parse_is_word(p, 0, "insert"))
        return parse_insert(p, ctes);
    if (ms_parse_is_word(p, 0, "update"))
        return parse_update(p, ctes);
    if (ms_parse_is_word(p, 0, "delete"))
        return parse_delete(p, ctes);
    if (ms_parse_is_word(p, 0, "truncate")) {
        struct ms_statement *s = ms_parse_new_statement(p, MS_ST_TRUNCATE);
        p->at++;
        ms_parse_need_word(p, "table");
        s->name = ms_parse_object_name(p);
        return s;
    }
    if (ctes)
        ms_parse_fail_here(p);
    return NULL;
}

/* --- EXECUTE --- */

static bool at_statement_end(struct ms_parser *p)
{
    const struct ms_token *token = ms_parse_peek(p, 0);
    if (token->kind == MS_TOKEN_END || ms_parse_is_symbol(p, 0, ";") || ms_parse_is_symbol(p, 0, ")"))
        return true;
    return token->kind == MS_TOKEN_NAME && !token->quoted && ms_word_is_reserved(token->text) &&
           strcasecmp(token->text, "null") != 0 && strcasecmp(token->text, "default") != 0;
}

/* An argument is a constant, a variable or a bare word that stands for a string. */
static struct ms_expr *parse_argument(struct ms_parser *p)
{
    const struct ms_token *token = ms_parse_peek(p, 0);
    if (token->kind == MS_TOKEN_NAME && (token->quoted || (!ms_word_is_reserved(token->text)))) {
        struct ms_expr *e = ms_parse_new_expr(p, MS_EXPR_LITERAL);
        e->type = (struct ms_type){.id = MS_NVARCHAR, .length = token->len ? (int32_t)token->len : 1};
        e->value.bytes = (const uint8_t *)token->text;
        e->value.len = (uint32_t)strlen(token->text);
        p->at++;
        return e;
    }
    return ms_parse_scalar(p);
}

static void parse_exec_args(struct ms_parser *p, struct ms_statement *s)
{
    if (at_statement_end(p))
        return;
    do {
        s->exec_args = ms_parse_grow(p, s->exec_args, s->n_exec_args, sizeof *s->exec_args);
        struct ms_exec_arg *arg = &s->exec_args[s->n_exec_args++];
        *arg = (struct ms_exec_arg){.name = ""};
        if (ms_parse_peek(p, 0)->kind == MS_TOKEN_VARIABLE && ms_parse_is_symbol(p, 1, "=")) {
            arg->name = ms_parse_peek(p, 0)->text;
            p->at += 2;
        }
        if (ms_parse_word(p, "default"))
            arg->use_default = true;
        else
            arg->expr = parse_argument(p);
        arg->output = ms_parse_word(p, "output") || ms_parse_word(p, "out");
        if (arg->output && (!arg->expr || arg->expr->kind != MS_EXPR_VARIABLE))
            ms_parse_fail(p, 179,
                          "Cannot use the OUTPUT option when passing a constant to a stored procedure.");
    } while (ms_parse_symbol(p, ","));
}

struct ms_statement *ms_parse_exec(struct ms_parser *p)
{
    struct ms_statement *s = ms_parse_new_statement(p, MS_ST_EXEC);
    if (!ms_parse_word(p, "exec"))
        ms_parse_word(p, "execute");
    if (ms_parse_symbol(p, "(")) {
        s->id = MS_ST_EXEC_TEXT;
        s->expr = ms_parse_scalar(p);
        ms_parse_need_symbol(p, ")");
        return s;
    }
    if (ms_parse_peek(p, 0)->kind == MS_TOKEN_VARIABLE && ms_parse_is_symbol(p, 1, "=")) {
        s->slot = ms_parse_variable(p);
        p->at++;
    }
    if (ms_parse_peek(p, 0)->kind == MS_TOKEN_VARIABLE) {
        s->expr = ms_parse_new_expr(p, MS_EXPR_VARIABLE); /* EXEC @procedure_name */
        s->expr->slot = ms_parse_variable(p);
    } else {
        s->name = ms_parse_object_name(p);
    }
    if (ms_parse_is_symbol(p, 0, ";") && ms_parse_peek(p, 1)->kind == MS_TOKEN_INTEGER &&
        strcmp(ms_parse_peek(p, 1)->text, "1") != 0) /* procedures are not numbered here */
        ms_parse_fail(p, 2812, "Could not find stored procedure '%s;%s'.",
                      s->name.n ? s->name.parts[s->name.n - 1] : "", ms_parse_peek(p, 1)->text);
    if (ms_parse_symbol(p, ";") && ms_parse_peek(p, 0)->kind == MS_TOKEN_INTEGER)
        p->at++; /* procedure;1 */
    else if (p->tokens[p->at - 1].kind == MS_TOKEN_SYMBOL && p->tokens[p->at - 1].text[0] == ';')
        return s;
    parse_exec_args(p, s);
    if (ms_parse_is_word(p, 0, "with") && ms_parse_is_word(p, 1, "recompile"))
        p->at += 2;
    return s;
}

/* --- cursors --- */

static struct ms_statement *parse_cursor_declaration(struct ms_parser *p)
{
    struct ms_statement *s = ms_parse_new_statement(p, MS_ST_CURSOR_DECLARE);
    p->at++;
    s->word = ms_parse_name(p);
    while (ms_parse_word(p, "insensitive") || ms_parse_word(p, "scroll"))
        continue;
    ms_parse_need_word(p, "cursor");
    static const char *const options[] = {"local",     "global",       "forward_only", "scroll",
                                          "static",    "keyset",       "dynamic",      "fast_forward",
                                          "read_only", "scroll_locks", "optimistic",   "type_warning"};
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++)
        if (ms_parse_word(p, options[i]))
            i = (size_t)-1;
    ms_parse_need_word(p, "for");
    s->query = ms_parse_query(p);
    if (ms_parse_word(p, "for")) {
        if (ms_parse_word(p, "read"))
            ms_parse_need_word(p, "only");
        else
            ms_parse_need_word(p, "update");
    }
    return s;
}

static struct ms_statement *parse_fetch(struct ms_parser *p)
{
    static const char *const directions[] = {"next", "prior", "first", "last", "absolute", "relative"};
    struct ms_statement *s = ms_parse_new_statement(p, MS_ST_CURSOR_FETCH);
    p->at++;
    s->word2 = "next";
    for (size_t i = 0; i < sizeof directions / sizeof directions[0]; i++) {
        if (ms_parse_word(p, directions[i])) {
            s->word2 = directions[i];
            if (i >= 4)
                s->expr = ms_parse_scalar(p);
            break;
        }
    }
    ms_parse_word(p, "from");
    ms_parse_word(p, "global");
    s->word = ms_parse_name(p);
    if (!ms_parse_word(p, "into"))
        return s;
    do {
        s->slots = ms_parse_grow(p, s->slots, s->n_slots, sizeof *s->slots);
        s->slots[s->n_slots++] = ms_parse_variable(p);
    } while (ms_parse_symbol(p, ","));
    return s;
}

struct ms_statement *ms_parse_cursor(struct ms_parser *p)
{
    static const struct {
        const char *word;
        enum ms_statement_id id;
    } verbs[] = {
        {"open", MS_ST_CURSOR_OPEN}, {"close", MS_ST_CURSOR_CLOSE}, {"deallocate", MS_ST_CURSOR_DEALLOCATE}};
    if (ms_parse_is_word(p, 0, "declare"))
        return parse_cursor_declaration(p);
    if (ms_parse_is_word(p, 0, "fetch"))
        return parse_fetch(p);
    for (size_t i = 0; i < 3; i++) {
        if (ms_parse_is_word(p, 0, verbs[i].word)) {
            struct ms_statement *s = ms_parse_new_statement(p, verbs[i].id);
            p->at++;
            ms_parse_word(p, "global");
            s->word = ms_parse_name(p);
            return s;
        }
    }
    return NULL;
}
