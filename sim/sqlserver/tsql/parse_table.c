/* SPDX-License-Identifier: Apache-2.0 */
/* Columns and constraints, as CREATE TABLE, ALTER TABLE ... ADD and DECLARE @t TABLE write them. */
#include <string.h>
#include <strings.h>

#include "parse.h"

bool ms_parse_at_constraint(struct ms_parser *p)
{
    static const char *const words[] = {"constraint", "primary", "unique", "foreign", "check", "index"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (ms_parse_is_word(p, 0, words[i]))
            return true;
    return false;
}

static struct ms_constraint_def *new_constraint(struct ms_parser *p, struct ms_table_def *table)
{
    struct ms_constraint_def *c = ms_arena_alloc(p->arena, sizeof *c);
    struct ms_constraint_def **link = &table->constraints;
    while (*link)
        link = &(*link)->next;
    *link = c;
    return c;
}

void ms_parse_key_columns(struct ms_parser *p, struct ms_key_spec *key)
{
    const char **names = NULL;
    bool *descending = NULL;
    ms_parse_need_symbol(p, "(");
    do {
        names = ms_parse_grow(p, names, key->n_columns, sizeof *names);
        descending = ms_parse_grow(p, descending, key->n_columns, sizeof *descending);
        names[key->n_columns] = ms_parse_name(p);
        descending[key->n_columns] = ms_parse_word(p, "desc");
        if (!descending[key->n_columns++])
            ms_parse_word(p, "asc");
    } while (ms_parse_symbol(p, ","));
    ms_parse_need_symbol(p, ")");
    key->columns = names;
    key->descending = descending;
}

/* Where and how a real server keeps a table or an index. What would change its behaviour is not among them.
 */
static bool is_storage_option(const char *word)
{
    static const char *const words[] = {"pad_index",
                                        "fillfactor",
                                        "ignore_dup_key",
                                        "statistics_norecompute",
                                        "statistics_incremental",
                                        "allow_row_locks",
                                        "allow_page_locks",
                                        "optimize_for_sequential_key",
                                        "data_compression",
                                        "xml_compression",
                                        "sort_in_tempdb",
                                        "online",
                                        "resumable",
                                        "max_duration",
                                        "maxdop"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strcasecmp(word, words[i]) == 0)
            return true;
    return false;
}

static void parse_storage_list(struct ms_parser *p, struct ms_key_spec *key)
{
    do {
        const char *word = ms_parse_any_word(p);
        bool drops = strcasecmp(word, "drop_existing") == 0 && ms_parse_is_word(p, 1, "off");
        if (!drops && !is_storage_option(word)) {
            p->at--;
            ms_parse_fail_here(p);
        }
        ms_parse_need_symbol(p, "=");
        if (key && strcasecmp(word, "ignore_dup_key") == 0 && ms_parse_is_word(p, 0, "on"))
            key->ignore_dup_key = true;
        p->at++;
        if (ms_parse_is_symbol(p, 0, "(")) /* ONLINE = ON (WAIT_AT_LOW_PRIORITY ...) */
            ms_parse_skip_parenthesised(p);
        if (ms_parse_is_word(p, 0, "on") && ms_parse_is_word(p, 1, "partitions")) {
            p->at += 2;
            ms_parse_skip_parenthesised(p);
        }
    } while (ms_parse_symbol(p, ","));
    ms_parse_need_symbol(p, ")");
}

/* There is one filegroup. */
static void parse_filegroup(struct ms_parser *p)
{
    bool quoted = ms_parse_peek(p, 0)->kind == MS_TOKEN_STRING; /* ON 'PRIMARY' */
    const char *name = quoted ? p->tokens[p->at++].text : ms_parse_any_word(p);
    if (ms_parse_is_symbol(p, 0, "("))
        ms_parse_fail(p, 1921, "Invalid partition scheme '%s' specified.", name);
    if (strcasecmp(name, "primary") != 0 && strcasecmp(name, "default") != 0)
        ms_parse_fail(p, 1921, "Invalid filegroup '%s' specified.", name);
}

/* WITH (PAD_INDEX = OFF, ...), WITH FILLFACTOR = 80, ON [PRIMARY], TEXTIMAGE_ON [PRIMARY] */
void ms_parse_storage_options(struct ms_parser *p, struct ms_key_spec *key)
{
    for (;;) {
        if (ms_parse_is_word(p, 0, "with") && ms_parse_is_symbol(p, 1, "(")) {
            p->at += 2;
            parse_storage_list(p, key);
        } else if (ms_parse_is_word(p, 0, "with") && ms_parse_is_word(p, 1, "fillfactor")) {
            p->at += 4;
        } else if (ms_parse_is_word(p, 0, "on") && !ms_parse_is_word(p, 1, "delete") &&
                   !ms_parse_is_word(p, 1, "update")) {
            p->at++;
            parse_filegroup(p);
        } else if (ms_parse_word(p, "textimage_on")) {
            parse_filegroup(p);
        } else {
            return;
        }
    }
}

static void parse_clustered(struct ms_parser *p, struct ms_key_spec *key)
{
    key->clustered = key->primary_key;
    if (ms_parse_word(p, "clustered"))
        key->clustered = true;
    else if (ms_parse_word(p, "nonclustered"))
        key->clustered = false;
}

static void parse_key(struct ms_parser *p, struct ms_constraint_def *c, const char *column)
{
    c->kind = MS_CONSTRAINT_KEY;
    c->key.primary_key = ms_parse_word(p, "primary");
    if (c->key.primary_key)
        ms_parse_need_word(p, "key");
    else
        ms_parse_need_word(p, "unique");
    c->key.unique = true;
    c->key.unique_constraint = !c->key.primary_key;
    c->key.name = c->name;
    parse_clustered(p, &c->key);
    if (ms_parse_is_symbol(p, 0, "(")) {
        ms_parse_key_columns(
            p, &c->key); /* also behind a column, without the comma: "id int primary key (id)" */
    } else {
        if (!column)
            ms_parse_fail_here(p);
        const char **names = ms_arena_alloc(p->arena, sizeof *names);
        names[0] = column;
        c->key.columns = names;
        c->key.n_columns = 1;
    }
    ms_parse_storage_options(p, &c->key);
}

static const char **parse_names(struct ms_parser *p, size_t *ret_n)
{
    const char **names = NULL;
    *ret_n = 0;
    ms_parse_need_symbol(p, "(");
    do {
        names = ms_parse_grow(p, names, *ret_n, sizeof *names);
        names[(*ret_n)++] = ms_parse_name(p);
    } while (ms_parse_symbol(p, ","));
    ms_parse_need_symbol(p, ")");
    return names;
}

static enum ms_fk_action parse_action(struct ms_parser *p)
{
    if (ms_parse_word(p, "cascade"))
        return MS_FK_CASCADE;
    if (ms_parse_word(p, "set")) {
        if (ms_parse_word(p, "null"))
            return MS_FK_SET_NULL;
        ms_parse_need_word(p, "default");
        return MS_FK_SET_DEFAULT;
    }
    ms_parse_need_word(p, "no");
    ms_parse_need_word(p, "action");
    return MS_FK_NO_ACTION;
}

static void parse_foreign(struct ms_parser *p, struct ms_constraint_def *c, const char *column)
{
    c->kind = MS_CONSTRAINT_FOREIGN;
    c->foreign.name = c->name;
    if (ms_parse_word(p, "foreign")) {
        ms_parse_need_word(p, "key");
        if (ms_parse_is_symbol(p, 0, "("))
            c->foreign.columns = parse_names(p, &c->foreign.n_columns);
    }
    if (!c->foreign.columns) {
        if (!column)
            ms_parse_fail_here(p);
        const char **names = ms_arena_alloc(p->arena, sizeof *names);
        names[0] = column;
        c->foreign.columns = names;
        c->foreign.n_columns = 1;
    }
    ms_parse_need_word(p, "references");
    c->referenced = ms_parse_object_name(p);
    if (ms_parse_is_symbol(p, 0, "(")) {
        size_t n;
        c->foreign.referenced_columns = parse_names(p, &n);
        if (n != c->foreign.n_columns)
            ms_parse_fail(p, 8139,
                          "Number of referencing columns in foreign key differs from number of referenced "
                          "columns, table '%s'.",
                          c->referenced.parts[c->referenced.n - 1]);
    }
    while (ms_parse_is_word(p, 0, "on") &&
           (ms_parse_is_word(p, 1, "delete") || ms_parse_is_word(p, 1, "update"))) {
        bool deletes = ms_parse_is_word(p, 1, "delete");
        p->at += 2;
        if (deletes)
            c->foreign.on_delete = parse_action(p);
        else
            c->foreign.on_update = parse_action(p);
    }
}

static void parse_check(struct ms_parser *p, struct ms_constraint_def *c, const char *column)
{
    c->kind = MS_CONSTRAINT_CHECK;
    c->column = column;
    ms_parse_need_word(p, "check");
    ms_parse_need_symbol(p, "(");
    size_t first = p->at;
    c->expr = ms_parse_expr(p);
    c->check_text = ms_parse_span(p, first);
    ms_parse_need_symbol(p, ")");
}

static void parse_default_constraint(struct ms_parser *p, struct ms_constraint_def *c)
{
    c->kind = MS_CONSTRAINT_DEFAULT;
    ms_parse_need_word(p, "default");
    size_t first = p->at;
    c->expr = ms_parse_scalar(p);
    c->default_text = ms_parse_span(p, first);
    ms_parse_need_word(p, "for");
    c->column = ms_parse_name(p);
    if (ms_parse_is_word(p, 0, "with") && ms_parse_is_word(p, 1, "values"))
        ms_parse_fail_here(p); /* a constraint for a column that exists fills no rows */
}

static void parse_inline_index(struct ms_parser *p, struct ms_constraint_def *c, const char *column)
{
    c->kind = MS_CONSTRAINT_KEY;
    ms_parse_need_word(p, "index");
    c->name = c->key.name = ms_parse_name(p);
    c->key.unique = ms_parse_word(p, "unique");
    parse_clustered(p, &c->key);
    if (column && !ms_parse_is_symbol(p, 0, "(")) {
        const char **names = ms_arena_alloc(p->arena, sizeof *names);
        names[0] = column;
        c->key.columns = names;
        c->key.n_columns = 1;
    } else {
        ms_parse_key_columns(p, &c->key);
    }
    ms_parse_storage_options(p, &c->key);
}

void ms_parse_constraint(struct ms_parser *p, struct ms_table_def *table, const char *column)
{
    struct ms_constraint_def *c = new_constraint(p, table);
    if (ms_parse_word(p, "constraint"))
        c->name = ms_parse_name(p);
    if (ms_parse_is_word(p, 0, "primary") || ms_parse_is_word(p, 0, "unique"))
        parse_key(p, c, column);
    else if (ms_parse_is_word(p, 0, "foreign") || ms_parse_is_word(p, 0, "references"))
        parse_foreign(p, c, column);
    else if (ms_parse_is_word(p, 0, "default"))
        parse_default_constraint(p, c);
    else if (ms_parse_is_word(p, 0, "index"))
        parse_inline_index(p, c, column);
    else
        parse_check(p, c, column);
    if (ms_parse_word(p, "not")) {
        ms_parse_need_word(p, "for");
        ms_parse_need_word(p, "replication");
    }
}

static void parse_identity(struct ms_parser *p, struct ms_column_spec *spec)
{
    spec->identity = true;
    spec->identity_seed = 1;
    spec->identity_increment = 1;
    if (ms_parse_symbol(p, "(")) {
        spec->identity_seed = ms_parse_integer(p);
        ms_parse_need_symbol(p, ",");
        spec->identity_increment = ms_parse_integer(p);
        ms_parse_need_symbol(p, ")");
    }
    if (ms_parse_is_word(p, 0, "not") && ms_parse_is_word(p, 1, "for"))
        p->at += 3;
}

static void parse_column_default(struct ms_parser *p, struct ms_column_def *column)
{
    size_t first = p->at;
    column->default_expr = ms_parse_scalar(p);
    column->default_text = ms_parse_span(p, first);
    if (ms_parse_is_word(p, 0, "with") && ms_parse_is_word(p, 1, "values")) {
        p->at += 2;
        column->with_values = true;
    }
}

/* One property of a column; false when none follows. */
static bool parse_property(struct ms_parser *p, struct ms_table_def *table, struct ms_column_def *column)
{
    struct ms_column_spec *spec = &column->spec;
    if (ms_parse_is_word(p, 0, "not") && ms_parse_is_word(p, 1, "null")) {
        p->at += 2;
        spec->nullable = false;
        column->null_given = true;
    } else if (ms_parse_word(p, "null")) {
        spec->nullable = true;
        column->null_given = true;
    } else if (ms_parse_word(p, "identity")) {
        parse_identity(p, spec);
    } else if (ms_parse_word(p, "collate")) {
        spec->collation = ms_parse_any_word(p);
    } else if (ms_parse_word(p, "default")) {
        parse_column_default(p, column);
    } else if (ms_parse_word(p, "rowguidcol")) {
        spec->rowguidcol = true;
    } else if (ms_parse_word(p, "sparse")) {
        ;
    } else if (ms_parse_is_word(p, 0, "constraint") && ms_parse_is_word(p, 2, "default")) {
        p->at++;
        spec->default_name = ms_parse_name(p);
        p->at++;
        parse_column_default(p, column);
    } else if (ms_parse_is_word(p, 0, "constraint") &&
               (ms_parse_is_word(p, 2, "not") || ms_parse_is_word(p, 2, "null"))) {
        p->at += 2; /* a named NOT NULL: SQL Server drops the name */
    } else if (ms_parse_at_constraint(p) || ms_parse_is_word(p, 0, "references")) {
        ms_parse_constraint(p, table, spec->name);
    } else {
        return false;
    }
    return true;
}

static void parse_computed(struct ms_parser *p, struct ms_table_def *table, struct ms_column_def *column)
{
    size_t first = p->at;
    (void)ms_parse_scalar(p);
    column->computed_text = ms_parse_span(p, first);
    column->spec.computed_persisted = ms_parse_word(p, "persisted");
    column->spec.nullable = true;
    while (parse_property(p, table, column))
        continue;
}

void ms_parse_column(struct ms_parser *p, struct ms_table_def *table)
{
    struct ms_column_def *column = ms_arena_alloc(p->arena, sizeof *column);
    struct ms_column_def **link = &table->columns;
    while (*link)
        link = &(*link)->next;
    *link = column;
    table->n_columns++;
    column->spec.name = ms_parse_name(p);
    if (ms_parse_word(p, "as")) {
        parse_computed(p, table, column);
        return;
    }
    if (strcasecmp(column->spec.name, "timestamp") == 0 &&
        (ms_parse_is_symbol(p, 0, ",") || ms_parse_is_symbol(p, 0, ")"))) {
        column->spec.type.id = MS_ROWVERSION; /* the one type that may stand as its own column name */
        return;
    }
    column->spec.type = ms_parse_type(p, 1);
    column->spec.nullable = column->spec.type.id != MS_ROWVERSION;
    while (parse_property(p, table, column))
        continue;
    if (column->spec.identity && !column->null_given)
        column->spec.nullable = false;
}

struct ms_table_def *ms_parse_table_def(struct ms_parser *p)
{
    struct ms_table_def *table = ms_arena_alloc(p->arena, sizeof *table);
    ms_parse_need_symbol(p, "(");
    do {
        if (ms_parse_is_symbol(p, 0, ")"))
            break; /* a comma before the closing parenthesis is allowed */
        if (ms_parse_at_constraint(p))
            ms_parse_constraint(p, table, NULL);
        else
            ms_parse_column(p, table);
    } while (ms_parse_symbol(p, ",") || ms_parse_at_constraint(p));
    ms_parse_need_symbol(p, ")");
    ms_parse_storage_options(p, NULL);
    return table;
}
