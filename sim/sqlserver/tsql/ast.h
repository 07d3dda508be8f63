/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tree of a parsed batch. Everything lives in the batch's arena; nothing here is bound to a catalogue:
 * names are as written, variables are slots of the batch's frame.
 */
#ifndef SIM_SQLSERVER_TSQL_AST_H
#define SIM_SQLSERVER_TSQL_AST_H

#include "../storage/ddl.h"
#include "arena.h"
#include "../value.h"

struct ms_query;
struct ms_statement;

/* Up to four parts, the object's own name last: server.database.schema.name. Parts left out are "". */
struct ms_name {
    const char *parts[4];
    int n;
};

enum ms_expr_kind {
    MS_EXPR_LITERAL,
    MS_EXPR_COLUMN,
    MS_EXPR_VARIABLE,
    MS_EXPR_GLOBAL, /* @@name */
    MS_EXPR_UNARY,  /* - + ~ */
    MS_EXPR_BINARY, /* + - * / % & | ^ */
    MS_EXPR_CALL,   /* functions, aggregates */
    MS_EXPR_CAST,   /* CAST, CONVERT, PARSE and their TRY_ forms */
    MS_EXPR_CASE,
    MS_EXPR_SUBQUERY,
    MS_EXPR_COLLATE,
    MS_EXPR_DEFAULT, /* the word DEFAULT among values */
    MS_EXPR_AT_TIME_ZONE,
    /* conditions from here on */
    MS_EXPR_COMPARE,
    MS_EXPR_AND,
    MS_EXPR_OR,
    MS_EXPR_NOT,
    MS_EXPR_IS_NULL,
    MS_EXPR_BETWEEN,
    MS_EXPR_IN,
    MS_EXPR_LIKE,
    MS_EXPR_EXISTS,
    MS_EXPR_QUANTIFIED, /* a = ANY (query), a > ALL (query) */
};

enum ms_cast_kind { MS_CAST_PLAIN, MS_CAST_CONVERT, MS_CAST_PARSE };

struct ms_order_item {
    struct ms_expr *expr;
    bool descending;
};

struct ms_window {
    struct ms_expr **partition;
    size_t n_partition;
    struct ms_order_item *order;
    size_t n_order;
    const char *frame; /* "ROWS BETWEEN ..." as written, or NULL */
};

struct ms_expr {
    enum ms_expr_kind kind;
    int line;
    struct ms_type type;   /* literal, cast */
    struct ms_value value; /* literal */
    struct ms_name name;   /* column, call */
    const char *text;      /* operator ("+", "<="), @@global, collation, date part of a call, or NULL */
    int slot;              /* variable */
    struct ms_expr **args; /* operands; CASE: [operand,] when, then, ... [, else] */
    size_t n_args;
    bool negated;  /* NOT IN, NOT LIKE, IS NOT NULL; quantified: ALL */
    bool distinct; /* aggregates */
    bool star;     /* COUNT(*) */
    bool try_cast;
    bool has_operand; /* CASE x WHEN */
    bool has_else;
    enum ms_cast_kind cast;
    struct ms_query *query;
    struct ms_window *over;
    struct ms_order_item *within; /* WITHIN GROUP (ORDER BY ...) */
    size_t n_within;
};

enum ms_from_kind { MS_FROM_NAME, MS_FROM_QUERY, MS_FROM_JOIN, MS_FROM_CALL, MS_FROM_VARIABLE };
enum ms_join_kind {
    MS_JOIN_INNER,
    MS_JOIN_LEFT,
    MS_JOIN_RIGHT,
    MS_JOIN_FULL,
    MS_JOIN_CROSS,
    MS_JOIN_CROSS_APPLY,
    MS_JOIN_OUTER_APPLY
};

struct ms_from {
    enum ms_from_kind kind;
    int line;
    struct ms_name name;
    const char *alias;    /* or NULL */
    const char **columns; /* alias (a, b, c) */
    size_t n_columns;
    int slot; /* table variable */
    struct ms_query *query;
    struct ms_expr **args; /* table function */
    size_t n_args;
    struct ms_from *left;
    struct ms_from *right;
    enum ms_join_kind join;
    struct ms_expr *on;
    bool hint_nolock;
    bool hint_tablock;
    bool hint_tablockx;
    bool hint_holdlock;
    const char *hint_index; /* WITH (INDEX (x)) */
};

struct ms_select_item {
    struct ms_expr *expr; /* NULL: a star */
    const char *alias;    /* or NULL */
    struct ms_name star;  /* t.* : n > 0 */
    int assign_slot;      /* SELECT @v = ...; else -1 */
    char assign_operator; /* '+' of @v += x; 0 */
};

struct ms_cte {
    const char *name;
    const char **columns;
    size_t n_columns;
    struct ms_query *query;
    struct ms_cte *next;
};

enum ms_query_kind {
    MS_QUERY_SELECT,
    MS_QUERY_UNION,
    MS_QUERY_UNION_ALL,
    MS_QUERY_EXCEPT,
    MS_QUERY_INTERSECT,
    MS_QUERY_VALUES
};

struct ms_query {
    enum ms_query_kind kind;
    int line;
    struct ms_cte *ctes;
    struct ms_query *left; /* set operations */
    struct ms_query *right;
    bool distinct;
    struct ms_expr *top;
    bool top_percent;
    bool top_ties;
    struct ms_select_item *items;
    size_t n_items;
    struct ms_name into; /* SELECT ... INTO */
    struct ms_from *from;
    struct ms_expr *where;
    struct ms_expr **groups;
    size_t n_groups;
    struct ms_expr *having;
    struct ms_order_item *order;
    size_t n_order;
    struct ms_expr *offset;
    struct ms_expr *fetch;
    struct ms_expr ***rows; /* VALUES */
    size_t n_rows;
    size_t n_values; /* of each row */
};

struct ms_assignment {
    struct ms_name column; /* n == 0: only a variable is set */
    int slot;              /* SET @v = column = ...; -1 */
    char op;               /* '+' of +=; 0 */
    struct ms_expr *expr;
};

/* One column or constraint of CREATE TABLE and ALTER TABLE ... ADD. */
struct ms_column_def {
    struct ms_column_spec spec; /* default and computed texts are filled from the expressions when run */
    struct ms_expr *default_expr;
    const char *default_text; /* as written */
    const char *computed_text;
    bool null_given;
    bool with_values; /* ADD ... DEFAULT x WITH VALUES: rows that exist get it */
    struct ms_column_def *next;
};

struct ms_constraint_def {
    enum { MS_CONSTRAINT_KEY, MS_CONSTRAINT_FOREIGN, MS_CONSTRAINT_CHECK, MS_CONSTRAINT_DEFAULT } kind;
    const char *name; /* or NULL */
    struct ms_key_spec key;
    struct ms_fk_spec foreign;
    struct ms_name referenced;
    const char *column;     /* DEFAULT ... FOR; the column a check was written at */
    const char *check_text; /* as written */
    struct ms_expr *expr;   /* check, default */
    const char *default_text;
    struct ms_constraint_def *next;
};

struct ms_table_def {
    struct ms_column_def *columns;
    size_t n_columns;
    struct ms_constraint_def *constraints;
};

struct ms_exec_arg {
    const char *name; /* "@x" or "" */
    struct ms_expr *expr;
    bool output;
    bool use_default;
};

enum ms_statement_id {
    MS_ST_SELECT,
    MS_ST_INSERT,
    MS_ST_UPDATE,
    MS_ST_DELETE,
    MS_ST_TRUNCATE,
    MS_ST_CREATE_DATABASE,
    MS_ST_DROP_DATABASE,
    MS_ST_ALTER_DATABASE,
    MS_ST_USE,
    MS_ST_CREATE_SCHEMA,
    MS_ST_DROP_SCHEMA,
    MS_ST_CREATE_TABLE,
    MS_ST_DROP_TABLE,
    MS_ST_ALTER_TABLE,
    MS_ST_CREATE_INDEX,
    MS_ST_DROP_INDEX,
    MS_ST_CREATE_MODULE,
    MS_ST_DROP_MODULE,
    MS_ST_PRINCIPAL,
    MS_ST_PERMISSION,
    MS_ST_UPDATE_STATISTICS, /* its table must be there */
    MS_ST_BLOCK,
    MS_ST_IF,
    MS_ST_WHILE,
    MS_ST_BREAK,
    MS_ST_CONTINUE,
    MS_ST_RETURN,
    MS_ST_TRY,
    MS_ST_DECLARE, /* initialisers and table variables */
    MS_ST_SET_VARIABLE,
    MS_ST_SET_OPTION,
    MS_ST_PRINT,
    MS_ST_RAISERROR,
    MS_ST_THROW,
    MS_ST_WAITFOR,
    MS_ST_EXEC,
    MS_ST_EXEC_TEXT,
    MS_ST_BEGIN_TRAN,
    MS_ST_COMMIT,
    MS_ST_ROLLBACK,
    MS_ST_SAVE_TRAN,
    MS_ST_CURSOR_DECLARE,
    MS_ST_CURSOR_OPEN,
    MS_ST_CURSOR_FETCH,
    MS_ST_CURSOR_CLOSE,
    MS_ST_CURSOR_DEALLOCATE,
    MS_ST_GOTO,
    MS_ST_LABEL,
    MS_ST_NOTHING, /* what it asks for is so already: CHECKPOINT, RECONFIGURE */
};

struct ms_statement_plan;

struct ms_statement {
    enum ms_statement_id id;
    struct ms_statement_plan *plan; /* execute.h: what was bound for it last time */
    int line;
    const char *text; /* as written */
    struct ms_statement *next;
    struct ms_name name;   /* the object */
    int slot;              /* variable, or -1 */
    char op;               /* SET @v += */
    const char *word;      /* kind of a thing: option, login/user/role, table action */
    const char *word2;     /* its value */
    bool flag;             /* ON; IF EXISTS; ADD MEMBER */
    bool flag2;            /* WITH ROLLBACK IMMEDIATE; ALTER instead of CREATE */
    struct ms_expr *expr;  /* condition, value, message */
    struct ms_expr **args; /* RAISERROR, THROW */
    size_t n_args;
    struct ms_statement *body;
    struct ms_statement *other; /* ELSE, CATCH */
    struct ms_query *query;     /* SELECT, INSERT ... SELECT, cursor */
    struct ms_statement *exec;  /* INSERT ... EXEC */
    struct ms_from *target;     /* UPDATE, DELETE: the named table */
    struct ms_from *from;
    struct ms_expr *where;
    struct ms_expr *top;
    struct ms_assignment *sets;
    size_t n_sets;
    const char **columns; /* INSERT (a, b) */
    size_t n_columns;
    bool default_values;
    struct ms_select_item *output; /* OUTPUT inserted.x, deleted.y */
    size_t n_output;
    struct ms_from *into; /* OUTPUT ... INTO t (a, b); NULL: to the client */
    const char **into_columns;
    size_t n_into_columns;
    struct ms_exec_arg *exec_args;
    size_t n_exec_args;
    int *slots; /* FETCH ... INTO */
    size_t n_slots;
    struct ms_table_def *table;
    struct ms_key_spec *key; /* CREATE INDEX */
    struct ms_type type;     /* ALTER COLUMN */
    bool nullable;
    struct ms_name *names; /* DROP TABLE a, b */
    size_t n_names;
    struct ms_name name2;
};

/* A variable or parameter of the batch: its slot is its place in the list. */
struct ms_variable {
    const char *name; /* "@x" */
    struct ms_type type;
    bool output;
    struct ms_table_def *table; /* of a table variable */
    struct ms_expr *initial;    /* default of a parameter */
    bool is_parameter;
};

/* SET PARSEONLY is heeded while a batch is parsed: the last one in it, anywhere, decides. */
enum ms_parse_only { MS_PARSE_ONLY_UNSAID, MS_PARSE_ONLY_OFF, MS_PARSE_ONLY_ON };

struct ms_batch {
    struct ms_arena arena;
    enum ms_parse_only parse_only;
    bool checked; /* compile.h: for this state of the world */
    uint64_t checked_version;
    uint64_t checked_temp_version;
    int32_t checked_db_id;
    struct ms_statement *statements;
    struct ms_variable *variables;
    size_t n_variables;
    size_t n_parameters;
    struct ms_statement_plan *plans; /* of all its statements, to be closed with it */
};

#endif
