/* SPDX-License-Identifier: Apache-2.0 */
/* Statements other than DDL: control flow, variables, transactions, SET. */
#include <string.h>
#include <strings.h>

#include "parse.h"

struct ms_statement *ms_parse_new_statement(struct ms_parser *p, enum ms_statement_id id)
{
    struct ms_statement *s = ms_arena_alloc(p->arena, sizeof *s);
    s->id = id;
    s->slot = -1;
    s->line = ms_parse_peek(p, 0)->line;
    return s;
}

/* --- blocks --- */

static struct ms_statement *parse_until_end(struct ms_parser *p)
{
    struct ms_statement *first = NULL, **link = &first;
    ms_parse_enter(p);
    for (;;) {
        while (ms_parse_symbol(p, ";"))
            continue;
        if (ms_parse_is_word(p, 0, "end"))
            break;
        *link = ms_parse_statement(p);
        link = &(*link)->next;
    }
    p->at++;
    ms_parse_leave(p);
    return first;
}

static struct ms_statement *parse_try(struct ms_parser *p)
{
    struct ms_statement *s = ms_parse_new_statement(p, MS_ST_TRY);
    p->at += 2;
    s->body = parse_until_end(p);
    ms_parse_need_word(p, "try");
    ms_parse_symbol(p, ";");
    ms_parse_need_word(p, "begin");
    ms_parse_need_word(p, "catch");
    s->other = parse_until_end(p);
    ms_parse_need_word(p, "catch");
    return s;
}

static const char *parse_tran_name(struct ms_parser *p)
{
    if (ms_parse_peek(p, 0)->kind == MS_TOKEN_VARIABLE)
        return NULL; /* the caller takes the variable */
    return ms_parse_is_name(p, 0) ? ms_parse_name(p) : NULL;
}

static struct ms_statement *parse_tran(struct ms_parser *p, enum ms_statement_id id)
{
    struct ms_statement *s = ms_parse_new_statement(p, id);
    p->at++;
    bool word = ms_parse_word(p, "tran") || ms_parse_word(p, "transaction");
    if (!word)
        ms_parse_word(p, "work");
    if (word || id == MS_ST_SAVE_TRAN) {
        if (ms_parse_peek(p, 0)->kind == MS_TOKEN_VARIABLE)
            s->slot = ms_parse_variable(p);
        else
            s->word = parse_tran_name(p);
    }
    if (ms_parse_is_word(p, 0, "with") && ms_parse_is_word(p, 1, "mark")) {
        p->at += 2;
        if (ms_parse_peek(p, 0)->kind == MS_TOKEN_STRING)
            p->at++;
    }
    if (id == MS_ST_SAVE_TRAN && !s->word && s->slot < 0)
        ms_parse_fail_here(p);
    return s;
}

static struct ms_statement *parse_begin(struct ms_parser *p)
{
    if (ms_parse_is_word(p, 1, "try"))
        return parse_try(p);
    if (ms_parse_is_word(p, 1, "distributed"))
        ms_parse_fail_here(p);
    if (ms_parse_is_word(p, 1, "tran") || ms_parse_is_word(p, 1, "transaction"))
        return parse_tran(p, MS_ST_BEGIN_TRAN);
    struct ms_statement *s = ms_parse_new_statement(p, MS_ST_BLOCK);
    p->at++;
    s->body = parse_until_end(p);
    if (!s->body)
        ms_parse_fail_here(p);
    return s;
}

static struct ms_statement *parse_if(struct ms_parser *p)
{
    struct ms_statement *s = ms_parse_new_statement(p, MS_ST_IF);
    p->at++;
    s->expr = ms_parse_expr(p);
    ms_parse_enter(p);
    s->body = ms_parse_statement(p);
    size_t before = p->at;
    while (ms_parse_symbol(p, ";"))
        continue;
    if (ms_parse_word(p, "else"))
        s->other = ms_parse_statement(p);
    else
        p->at = before;
    ms_parse_leave(p);
    return s;
}

static struct ms_statement *parse_while(struct ms_parser *p)
{
    struct ms_statement *s = ms_parse_new_statement(p, MS_ST_WHILE);
    p->at++;
    s->expr = ms_parse_expr(p);
    p->loops++;
    ms_parse_enter(p);
    s->body = ms_parse_statement(p);
    ms_parse_leave(p);
    p->loops--;
    return s;
}

static struct ms_statement *parse_jump(struct ms_parser *p, enum ms_statement_id id, const char *word)
{
    struct ms_statement *s = ms_parse_new_statement(p, id);
    if (p->loops == 0)
        ms_parse_fail(p, 135, "Cannot use a %s statement outside the scope of a WHILE statement.", word);
    p->at++;
    return s;
}

static bool at_value(struct ms_parser *p)
{
    const struct ms_token *token = ms_parse_peek(p, 0);
    switch (token->kind) {
    case MS_TOKEN_STRING:
    case MS_TOKEN_INTEGER:
    case MS_TOKEN_DECIMAL:
    case MS_TOKEN_FLOAT:
    case MS_TOKEN_MONEY:
    case MS_TOKEN_BINARY:
    case MS_TOKEN_VARIABLE: return true;
    case MS_TOKEN_SYMBOL: return token->text[0] == '(' || token->text[0] == '-' || token->text[0] == '+';
    case MS_TOKEN_NAME: return ms_parse_is_symbol(p, 1, "(") && ms_parse_is_name(p, 0);
    case MS_TOKEN_END: break;
    }
    return false;
}

static struct ms_statement *parse_return(struct ms_parser *p)
{
    struct ms_statement *s = ms_parse_new_statement(p, MS_ST_RETURN);
    p->at++;
    if (at_value(p))
        s->expr = ms_parse_scalar(p);
    return s;
}

/* --- variables --- */

static void add_initialiser(struct ms_parser *p, struct ms_statement *s, int slot, struct ms_expr *expr)
{
    s->sets = ms_parse_grow(p, s->sets, s->n_sets, sizeof *s->sets);
    s->sets[s->n_sets++] = (struct ms_assignment){.slot = slot, .expr = expr};
}

static struct ms_statement *parse_declare(struct ms_parser *p)
{
    struct ms_statement *s = ms_parse_new_statement(p, MS_ST_DECLARE);
    struct ms_type none = {0};
    p->at++;
    do {
        if (ms_parse_peek(p, 0)->kind != MS_TOKEN_VARIABLE)
            ms_parse_fail_here(p);
        const char *name = p->tokens[p->at++].text;
        ms_parse_word(p, "as");
        if (ms_parse_word(p, "table")) {
            struct ms_table_def *table = ms_parse_table_def(p);
            int slot = ms_parse_declare(p, name, &none);
            p->variables[slot].table = table;
            add_initialiser(p, s, slot, NULL);
            continue;
        }
        if (ms_parse_is_word(p, 0, "cursor"))
            ms_parse_fail(p, 16948,
                          "The variable '%s' is a cursor variable, which this server does not have. "
                          "Declare a cursor by name.",
                          name);
        struct ms_type type = ms_parse_type(p, 1);
        int slot = ms_parse_declare(p, name, &type);
        add_initialiser(p, s, slot, ms_parse_symbol(p, "=") ? ms_parse_scalar(p) : NULL);
    } while (ms_parse_symbol(p, ","));
    return s;
}

static struct ms_statement *parse_set_variable(struct ms_parser *p)
{
    struct ms_statement *s = ms_parse_new_statement(p, MS_ST_SET_VARIABLE);
    p->at++;
    s->slot = ms_parse_variable(p);
    const struct ms_token *op = ms_parse_peek(p, 0);
    if (op->kind != MS_TOKEN_SYMBOL || op->text[strlen(op->text) - 1] != '=' || strchr("<>!", op->text[0]))
        ms_parse_fail_here(p);
    s->op = op->text[0] == '=' ? 0 : op->text[0];
    p->at++;
    s->expr = ms_parse_scalar(p);
    return s;
}

/* --- SET options --- */

static bool at_option_value(struct ms_parser *p)
{
    return ms_parse_is_word(p, 0, "on") || ms_parse_is_word(p, 0, "off");
}

static void parse_isolation(struct ms_parser *p, struct ms_statement *s)
{
    s->word = "transaction isolation level";
    ms_parse_need_word(p, "isolation");
    ms_parse_need_word(p, "level");
    if (ms_parse_word(p, "read")) {
        s->word2 = ms_parse_word(p, "uncommitted") ? "read uncommitted" : "read committed";
        if (s->word2[5] == 'c')
            ms_parse_need_word(p, "committed");
    } else if (ms_parse_word(p, "repeatable")) {
        ms_parse_need_word(p, "read");
        s->word2 = "repeatable read";
    } else if (ms_parse_word(p, "serializable")) {
        s->word2 = "serializable";
    } else {
        ms_parse_need_word(p, "snapshot");
        s->word2 = "snapshot";
    }
}

static struct ms_statement *parse_set_option(struct ms_parser *p)
{
    struct ms_statement *s = ms_parse_new_statement(p, MS_ST_SET_OPTION);
    p->at++;
    if (ms_parse_word(p, "tran") || ms_parse_word(p, "transaction")) {
        parse_isolation(p, s);
        return s;
    }
    s->word = ms_parse_any_word(p);
    if (strcasecmp(s->word, "identity_insert") == 0)
        s->name = ms_parse_object_name(p);
    else if (strcasecmp(s->word, "statistics") == 0)
        s->word2 = ms_parse_any_word(p);
    else
        while (ms_parse_symbol(p, ",")) { /* SET A, B, C ON: the whole list has one value */
            s->word = ms_arena_format(p->arena, "%s,%s", s->word, ms_parse_any_word(p));
        }
    if (at_option_value(p)) {
        s->flag = ms_parse_is_word(p, 0, "on");
        p->at++;
        if (strcasecmp(s->word, "parseonly") == 0)
            p->parse_only = s->flag ? MS_PARSE_ONLY_ON : MS_PARSE_ONLY_OFF;
    } else if (ms_parse_peek(p, 0)->kind == MS_TOKEN_NAME) {
        s->word2 = ms_parse_any_word(p);
    } else {
        s->expr = ms_parse_scalar(p);
    }
    return s;
}

static struct ms_statement *parse_set(struct ms_parser *p)
{
    return ms_parse_peek(p, 1)->kind == MS_TOKEN_VARIABLE ? parse_set_variable(p) : parse_set_option(p);
}

/* --- messages --- */

static struct ms_statement *parse_one_expr(struct ms_parser *p, enum ms_statement_id id)
{
    struct ms_statement *s = ms_parse_new_statement(p, id);
    p->at++;
    s->expr = ms_parse_scalar(p);
    return s;
}

static struct ms_statement *parse_raiserror(struct ms_parser *p)
{
    struct ms_statement *s = ms_parse_new_statement(p, MS_ST_RAISERROR);
    p->at++;
    ms_parse_need_symbol(p, "(");
    s->args = ms_parse_expr_list(p, &s->n_args);
    ms_parse_need_symbol(p, ")");
    if (s->n_args < 3)
        ms_parse_fail_here(p);
    if (ms_parse_word(p, "with"))
        do {
            bool log = ms_parse_word(p, "log"); /* into the server's log, which is the client's here */
            bool set_error = !log && ms_parse_word(p, "seterror");
            if (!log && !set_error)
                ms_parse_need_word(p, "nowait");
            s->flag = s->flag || log;
            s->flag2 = s->flag2 || set_error;
        } while (ms_parse_symbol(p, ","));
    return s;
}

static struct ms_statement *parse_throw(struct ms_parser *p)
{
    struct ms_statement *s = ms_parse_new_statement(p, MS_ST_THROW);
    p->at++;
    if (at_value(p)) {
        s->args = ms_parse_expr_list(p, &s->n_args);
        if (s->n_args != 3)
            ms_parse_fail_here(p);
    }
    return s;
}

static struct ms_statement *parse_waitfor(struct ms_parser *p)
{
    struct ms_statement *s = ms_parse_new_statement(p, MS_ST_WAITFOR);
    p->at++;
    s->flag = ms_parse_word(p, "delay");
    if (!s->flag)
        ms_parse_need_word(p, "time");
    s->expr = ms_parse_scalar(p);
    return s;
}

static struct ms_statement *parse_use(struct ms_parser *p)
{
    struct ms_statement *s = ms_parse_new_statement(p, MS_ST_USE);
    p->at++;
    s->word = ms_parse_name(p);
    return s;
}

static struct ms_statement *parse_goto(struct ms_parser *p)
{
    struct ms_statement *s = ms_parse_new_statement(p, MS_ST_GOTO);
    p->at++;
    s->word = ms_parse_name(p);
    return s;
}

static void parse_statistics_option(struct ms_parser *p)
{
    if (ms_parse_word(p, "fullscan") || ms_parse_word(p, "resample") || ms_parse_word(p, "norecompute"))
        return;
    ms_parse_need_word(p, "sample");
    (void)ms_parse_integer(p);
    if (!ms_parse_word(p, "percent"))
        ms_parse_need_word(p, "rows");
}

/* Statements that concern an optimiser, a log or files which this server does not have. */
static struct ms_statement *parse_without_effect(struct ms_parser *p)
{
    struct ms_statement *s = ms_parse_new_statement(p, MS_ST_NOTHING);
    if (ms_parse_word(p, "checkpoint"))
        return s;
    if (ms_parse_word(p, "reconfigure")) { /* what sp_configure says is in force at once */
        if (ms_parse_word(p, "with"))
            ms_parse_need_word(p, "override");
        return s;
    }
    if (ms_parse_is_word(p, 0, "update") && ms_parse_is_word(p, 1, "statistics")) {
        p->at += 2;
        s->id = MS_ST_UPDATE_STATISTICS;
        s->name = ms_parse_object_name(p);
        if (ms_parse_word(p, "with"))
            parse_statistics_option(p);
        return s;
    }
    return NULL;
}

static struct ms_statement *dispatch(struct ms_parser *p)
{
    static const struct {
        const char *word;
        struct ms_statement *(*parse)(struct ms_parser *p);
    } table[] = {
        {"begin", parse_begin},   {"if", parse_if},           {"while", parse_while},
        {"return", parse_return}, {"set", parse_set},         {"raiserror", parse_raiserror},
        {"throw", parse_throw},   {"waitfor", parse_waitfor}, {"use", parse_use},
        {"goto", parse_goto},     {"exec", ms_parse_exec},    {"execute", ms_parse_exec},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if (ms_parse_is_word(p, 0, table[i].word))
            return table[i].parse(p);
    if (ms_parse_is_word(p, 0, "break"))
        return parse_jump(p, MS_ST_BREAK, "BREAK");
    if (ms_parse_is_word(p, 0, "continue"))
        return parse_jump(p, MS_ST_CONTINUE, "CONTINUE");
    if (ms_parse_is_word(p, 0, "commit"))
        return parse_tran(p, MS_ST_COMMIT);
    if (ms_parse_is_word(p, 0, "rollback"))
        return parse_tran(p, MS_ST_ROLLBACK);
    if (ms_parse_is_word(p, 0, "save"))
        return parse_tran(p, MS_ST_SAVE_TRAN);
    if (ms_parse_is_word(p, 0, "print"))
        return parse_one_expr(p, MS_ST_PRINT);
    if (ms_parse_is_word(p, 0, "declare") && ms_parse_peek(p, 1)->kind == MS_TOKEN_VARIABLE)
        return parse_declare(p);
    return NULL;
}

static struct ms_statement *parse_select_or_dml(struct ms_parser *p)
{
    if (ms_parse_is_word(p, 0, "with") && ms_parse_is_name(p, 1)) {
        size_t start = p->at;
        p->at++;
        struct ms_cte *ctes = ms_parse_ctes(p);
        if (!ms_parse_is_word(p, 0, "select") && !ms_parse_is_symbol(p, 0, "("))
            return ms_parse_dml(p, ctes);
        p->at = start;
    }
    if (ms_parse_at_query(p)) {
        struct ms_statement *s = ms_parse_new_statement(p, MS_ST_SELECT);
        s->query = ms_parse_query(p);
        return s;
    }
    return ms_parse_dml(p, NULL);
}

struct ms_statement *ms_parse_statement(struct ms_parser *p)
{
    size_t first = p->at;
    int line = ms_parse_peek(p, 0)->line;
    struct ms_statement *s = NULL;
    if (ms_parse_is_name(p, 0) && ms_parse_is_symbol(p, 1, ":")) {
        s = ms_parse_new_statement(p, MS_ST_LABEL);
        s->word = ms_parse_name(p);
        p->at++;
        return s;
    }
    s = dispatch(p);
    s = s ? s : parse_without_effect(p);
    s = s ? s : ms_parse_cursor(p);
    s = s ? s : ms_parse_ddl(p);
    s = s ? s : parse_select_or_dml(p);
    if (!s && first == 0 && ms_parse_is_name(p, 0))
        s = ms_parse_exec(p); /* the first statement of a batch may call a procedure without EXEC */
    if (!s)
        ms_parse_fail_here(p);
    s->line = line;
    s->text = ms_parse_span(p, first);
    return s;
}
