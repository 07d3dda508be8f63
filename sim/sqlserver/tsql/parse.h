/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the parser's files share: a cursor over the tokens and its small verbs. An error leaves by longjmp to
 * ms_parse_batch, since everything allocated belongs to the batch's arena.
 */
#ifndef SIM_SQLSERVER_TSQL_PARSE_H
#define SIM_SQLSERVER_TSQL_PARSE_H

#include <setjmp.h>

#include "../storage/cell.h"
#include "lexer.h"
#include "parser.h"

#define MS_PARSE_DEPTH 200 /* nested expressions, queries and blocks */

struct ms_parser {
    struct ms_arena *arena;
    struct ms_token *tokens;
    size_t at;
    const char *sql;
    struct ms_error *err;
    int error_line;
    jmp_buf escape;
    struct ms_variable *variables;
    size_t n_variables;
    size_t cap_variables;
    int depth;
    int loops;
    enum ms_parse_only parse_only;
};

/* Cursor. Words are compared without case and never match quoted names. */
struct ms_token *ms_parse_peek(struct ms_parser *p, size_t ahead);
bool ms_parse_is_word(struct ms_parser *p, size_t ahead, const char *word);
bool ms_parse_is_symbol(struct ms_parser *p, size_t ahead, const char *symbol);
bool ms_parse_word(struct ms_parser *p, const char *word); /* take it if it is there */
bool ms_parse_symbol(struct ms_parser *p, const char *symbol);
void ms_parse_need_word(struct ms_parser *p, const char *word);
void ms_parse_need_symbol(struct ms_parser *p, const char *symbol);
bool ms_parse_is_name(struct ms_parser *p, size_t ahead); /* a name that is no reserved word */
const char *ms_parse_name(struct ms_parser *p);
struct ms_name ms_parse_object_name(struct ms_parser *p);
const char *ms_parse_any_word(struct ms_parser *p); /* a name, reserved or not */
const char *ms_parse_span(struct ms_parser *p,
                          size_t first_token); /* the text from that token up to the cursor */
int64_t ms_parse_integer(struct ms_parser *p); /* with sign */
int ms_parse_variable(struct ms_parser *p);
int ms_parse_declare(struct ms_parser *p, const char *name, const struct ms_type *type);
void ms_parse_enter(struct ms_parser *p);
void ms_parse_leave(struct ms_parser *p);
void ms_parse_fail_here(struct ms_parser *p)
    __attribute__((noreturn)); /* 102 or 156 near the current token */
void ms_parse_fail(struct ms_parser *p, int32_t number, const char *format, ...)
    __attribute__((noreturn, format(printf, 3, 4)));

/* Over a "( ... )" whose inside says how a real server should work, not what the answer is. */
void ms_parse_skip_parenthesised(struct ms_parser *p);

/* Make room for one more element of an arena array; doubles at powers of two. */
void *ms_parse_grow(struct ms_parser *p, void *array, size_t n, size_t size);

struct ms_expr *ms_parse_new_expr(struct ms_parser *p, enum ms_expr_kind kind);
struct ms_expr *ms_parse_expr(struct ms_parser *p); /* scalar or condition */
struct ms_expr *
ms_parse_scalar(struct ms_parser *p); /* no comparison, no AND/OR: values of a list, SET c = */
struct ms_type ms_parse_type(struct ms_parser *p, int default_length);
struct ms_order_item *ms_parse_order_list(struct ms_parser *p, size_t *ret_n);
struct ms_expr **ms_parse_expr_list(struct ms_parser *p, size_t *ret_n);

bool ms_parse_at_query(struct ms_parser *p); /* SELECT, WITH, or parentheses around them */
struct ms_query *ms_parse_query(struct ms_parser *p);
struct ms_from *ms_parse_from_list(struct ms_parser *p);
struct ms_from *ms_parse_target(struct ms_parser *p); /* the table of INSERT, UPDATE, DELETE, with hints */
void ms_parse_select_items(struct ms_parser *p, struct ms_select_item **ret_items, size_t *ret_n);
void ms_parse_option_clause(struct ms_parser *p);
struct ms_cte *ms_parse_ctes(struct ms_parser *p);

struct ms_table_def *ms_parse_table_def(struct ms_parser *p); /* from '(' to ')' */
void ms_parse_column(struct ms_parser *p, struct ms_table_def *table);
void ms_parse_constraint(struct ms_parser *p, struct ms_table_def *table, const char *column);
bool ms_parse_at_constraint(struct ms_parser *p);
void ms_parse_key_columns(struct ms_parser *p, struct ms_key_spec *key); /* (a ASC, b DESC) */
/* The storage clauses behind a table or an index; key (or NULL) takes IGNORE_DUP_KEY. 102, 1921. */
void ms_parse_storage_options(struct ms_parser *p, struct ms_key_spec *key);

struct ms_statement *ms_parse_statement(struct ms_parser *p);
struct ms_statement *ms_parse_new_statement(struct ms_parser *p, enum ms_statement_id id);
struct ms_statement *ms_parse_ddl(struct ms_parser *p); /* NULL: no DDL statement begins here */
struct ms_statement *ms_parse_dml(struct ms_parser *p, struct ms_cte *ctes);
struct ms_statement *ms_parse_exec(struct ms_parser *p);
struct ms_statement *
ms_parse_cursor(struct ms_parser *p); /* DECLARE c CURSOR, OPEN, FETCH, CLOSE, DEALLOCATE */

#endif
