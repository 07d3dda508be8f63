/* SPDX-License-Identifier: Apache-2.0 */
/* FROM: tables, system views, table-valued functions, derived tables, WITH names, joins. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "binder.h"
#include "parser.h"
#include "temporary.h"

static struct ms_source_view *add_source(struct ms_binder *b, const char *alias)
{
    struct ms_scope *scope = b->scope;
    for (size_t i = 0; alias && i < scope->n_sources; i++)
        if (scope->sources[i].alias && ms_name_equal(scope->sources[i].alias, alias))
            ms_binder_fail(b, 1011, 16,
                           "The correlation name '%s' is specified multiple times in a FROM clause.", alias);
    scope->sources = ms_binder_grow(b, scope->sources, scope->n_sources, sizeof *scope->sources);
    struct ms_source_view *s = &scope->sources[scope->n_sources++];
    *s = (struct ms_source_view){.alias = alias, .sql = ms_arena_format(b->arena, "s%d", ++b->next_source)};
    return s;
}

static void add_column(struct ms_binder *b, struct ms_source_view *s, const char *name,
                       const struct ms_type *type, bool nullable, const char *sql, const char *collation)
{
    s->columns = ms_binder_grow(b, s->columns, s->n_columns, sizeof *s->columns);
    struct ms_bound *c = &s->columns[s->n_columns++];
    *c = (struct ms_bound){
        .form = MS_BOUND_SQL, .type = *type, .nullable = nullable, .sql = sql, .name = name};
    c->collation = collation;
}

/* --- tables --- */

/* A computed column is an expression over its table's other columns; storage keeps nothing for it. */
static const char *computed_sql(struct ms_binder *b, struct ms_source_view *s,
                                const struct ms_catalog_column *c)
{
    struct ms_expr *expr;
    struct ms_scope over = {.sources = s, .n_sources = 1}, *outer = b->scope;
    struct ms_error err;
    if (!ms_parse_expression(b->arena, c->computed_definition, &expr, &err))
        ms_binder_fail(b, err.number, 16, "%s", err.text);
    b->scope = &over;
    struct ms_bound *bound = ms_bind_convert(b, ms_bind_expr(b, expr), &c->type);
    b->scope = outer;
    return bound->sql;
}

struct ms_source_view *ms_bind_add_table(struct ms_binder *b, const struct ms_table *table, bool temporary,
                                         const char *alias)
{
    struct ms_source_view *s = add_source(b, alias);
    s->table = table;
    s->temporary = temporary;
    s->table_name = table->name;
    s->schema = table->schema;
    s->database = table->db_name;
    for (size_t i = 0; i < table->n_columns; i++) {
        const struct ms_catalog_column *c = &table->columns[i];
        const char *sql = ms_arena_format(b->arena, "%s.%s", s->sql, c->sql_name);
        const char *collation = ms_type_is_character(c->type.id)
                                    ? ms_collation_sqlite_name(c->collation, ms_type_is_unicode(c->type.id))
                                    : NULL;
        add_column(b, s, c->name, &c->type, c->nullable, sql, collation);
        s->columns[i].identity = c->identity;
        s->columns[i].computed = c->computed_definition != NULL;
        s->columns[i].updatable = !c->identity && !c->computed_definition && c->type.id != MS_ROWVERSION;
    }
    for (size_t i = 0; i < table->n_columns; i++)
        if (table->columns[i].computed_definition)
            s->columns[i].sql = computed_sql(b, s, &table->columns[i]);
    return s;
}

void ms_bind_check_online(struct ms_binder *b, const struct ms_name *name)
{
    const char *written = name->n > 2 && name->parts[name->n - 3][0] ? name->parts[name->n - 3] : NULL;
    const struct ms_database *database = ms_catalog_database(b->session, written);
    if (database && database->offline)
        ms_binder_fail(b, 942, 14, "Database '%s' cannot be opened because it is offline.", database->name);
}

const struct ms_table *ms_bind_find_table(struct ms_binder *b, const struct ms_name *name,
                                          bool *ret_temporary)
{
    const char *last = name->parts[name->n - 1];
    *ret_temporary = false;
    if (last[0] == '#') {
        *ret_temporary = true;
        return ms_temporary_find(b->language, last);
    }
    const char *schema = name->n > 1 ? name->parts[name->n - 2] : NULL;
    const char *database = name->n > 2 && name->parts[name->n - 3][0] ? name->parts[name->n - 3] : NULL;
    return ms_catalog_table(b->session, database, schema, last);
}

void ms_bind_lock(struct ms_binder *b, const struct ms_from *from, int32_t object_id)
{
    struct ms_plan *plan = b->plan;
    enum ms_lock_mode mode = MS_LOCK_READ;
    if (from && from->hint_nolock)
        return;
    if (from && from->hint_tablockx)
        mode = MS_LOCK_X;
    else if (from && (from->hint_holdlock || from->hint_tablock))
        mode = MS_LOCK_S;
    plan->locks = ms_binder_grow(b, plan->locks, plan->n_locks, sizeof *plan->locks);
    plan->locks[plan->n_locks++] = (struct ms_plan_lock){object_id, mode};
}

/* The hint itself would change no answer, but its index must be there. */
static void check_index_hint(struct ms_binder *b, const struct ms_from *from, const struct ms_table *table)
{
    bool found = !from->hint_index;
    for (size_t i = 0; i < table->n_indexes && !found; i++)
        found = ms_name_equal(table->indexes[i].name, from->hint_index);
    if (!found)
        ms_binder_fail(b, 308, 16, "Index '%s' on table '%s' (specified in the FROM clause) does not exist.",
                       from->hint_index, table->name);
}

static const char *use_table(struct ms_binder *b, const struct ms_from *from, const struct ms_table *table,
                             bool temporary)
{
    struct ms_source_view *s = ms_bind_add_table(b, table, temporary, from->alias);
    check_index_hint(b, from, table);
    if (!temporary) {
        if (!ms_access_check(b->session, table, MS_MAY_SELECT, b->err))
            longjmp(b->escape, 1);
        ms_bind_lock(b, from, table->object_id);
    }
    return ms_arena_format(b->arena, "%s%s AS %s", temporary ? "temp." : "main.", table->sqlite_name, s->sql);
}

/* --- derived tables and WITH --- */

static const char *use_relation(struct ms_binder *b, const struct ms_from *from, const struct ms_relation *r,
                                const char *alias, const char **names, size_t n_names)
{
    struct ms_source_view *s = add_source(b, alias);
    if (n_names && n_names != r->n_outputs)
        ms_binder_fail(b, n_names > r->n_outputs ? 8159 : 8158, 16,
                       "'%s' has %s columns than were specified in the "
                       "column list.",
                       alias ? alias : "", n_names > r->n_outputs ? "fewer" : "more");
    for (size_t i = 0; i < r->n_outputs; i++) {
        const struct ms_column *c = &r->outputs[i].column;
        const char *name = n_names ? names[i] : c->name;
        if (!name[0])
            ms_binder_fail(b, 8155, 16, "No column name was specified for column %zu of '%s'.", i + 1,
                           alias ? alias : "");
        add_column(b, s, name, &c->type, c->nullable, ms_arena_format(b->arena, "%s.k%zu", s->sql, i),
                   r->outputs[i].collation);
        s->columns[i].identity = c->identity;
    }
    (void)from;
    return ms_arena_format(b->arena, "(%s) AS %s", r->sql, s->sql);
}

/* A derived table sees the outer query's outer scopes, not its siblings. */
static struct ms_relation bind_apart(struct ms_binder *b, const struct ms_query *q)
{
    struct ms_scope *scope = b->scope;
    b->scope = scope->outer;
    struct ms_relation r = ms_bind_relation(b, q);
    b->scope = scope;
    return r;
}

static const char *use_cte(struct ms_binder *b, const struct ms_from *from, struct ms_cte_view *view)
{
    const char *alias = from->alias ? from->alias : view->cte->name;
    if (view->recursive_sql) {
        struct ms_relation r = {.outputs = view->outputs, .n_outputs = view->n_outputs, .sql = ""};
        (void)use_relation(b, from, &r, alias, view->cte->columns, view->cte->n_columns);
        return ms_arena_format(b->arena, "%s AS %s", view->recursive_sql,
                               b->scope->sources[b->scope->n_sources - 1].sql);
    }
    struct ms_cte_view *ctes = b->ctes;
    b->ctes = view->outer; /* a WITH name sees the names before it */
    struct ms_relation r = bind_apart(b, view->cte->query);
    b->ctes = ctes;
    return use_relation(b, from, &r, alias, view->cte->columns, view->cte->n_columns);
}

/* --- system objects --- */

static void add_system_columns(struct ms_binder *b, struct ms_source_view *s, const struct ms_source *source)
{
    for (size_t i = 0; i < source->n_columns; i++) {
        const struct ms_source_column *c = &source->columns[i];
        const char *sql = ms_arena_format(b->arena, "%s.\"%s\"", s->sql, c->sql_name);
        const char *collation = ms_type_is_character(c->type.id)
                                    ? ms_collation_sqlite_name(NULL, ms_type_is_unicode(c->type.id))
                                    : NULL;
        add_column(b, s, c->name, &c->type, c->nullable, sql, collation);
    }
}

static void split_name(const struct ms_name *name, const char **database, const char **schema,
                       const char **last)
{
    *last = name->parts[name->n - 1];
    *schema = name->n > 1 ? name->parts[name->n - 2] : NULL;
    *database = name->n > 2 && name->parts[name->n - 3][0] ? name->parts[name->n - 3] : NULL;
}

static void unknown_object(struct ms_binder *b, const struct ms_name *name)
{
    ms_binder_fail(b, 208, 16, "Invalid object name '%s'.", ms_name_text(b->arena, name));
}

static const char *use_system_view(struct ms_binder *b, const struct ms_from *from)
{
    const char *database, *schema, *last;
    struct ms_source source;
    split_name(&from->name, &database, &schema, &last);
    if (!ms_system_view(b->session, database, schema, last, b->arena, &source))
        return NULL;
    struct ms_source_view *s = add_source(b, from->alias);
    s->table_name = last;
    s->schema = schema;
    s->database = database;
    add_system_columns(b, s, &source);
    return ms_arena_format(b->arena, "%s AS %s", source.from_sql, s->sql);
}

/* Put the arguments' texts where the source says {1}, {2} ... */
static const char *fill_arguments(struct ms_binder *b, const char *text, const char **args, size_t n)
{
    struct ms_buffer out = {.arena = b->arena};
    while (*text) {
        if (text[0] == '{' && text[1] >= '1' && text[1] <= '9' && text[2] == '}' &&
            (size_t)(text[1] - '1') < n) {
            ms_buffer_text(&out, args[text[1] - '1']);
            text += 3;
        } else {
            ms_buffer_byte(&out, *text++);
        }
    }
    const char *filled = ms_arena_dup(b->arena, out.data, out.len);
    ms_buffer_free(&out);
    return filled;
}

static const char *use_function(struct ms_binder *b, const struct ms_from *from, bool lateral)
{
    const char *database, *schema, *last;
    struct ms_source source;
    ms_bind_check_online(b, &from->name);
    split_name(&from->name, &database, &schema, &last);
    if (!ms_system_table_function(b->session, database, schema, last, b->arena, &source))
        unknown_object(b, &from->name);
    if (from->n_args != source.n_parameters)
        ms_binder_fail(
            b, from->n_args < source.n_parameters ? 313 : 8144, 16,
            from->n_args < source.n_parameters
                ? "An insufficient number of arguments were supplied for the procedure or function %s."
                : "Procedure or function %s has too many arguments specified.",
            ms_name_text(b->arena, &from->name));
    const char **args = ms_arena_alloc(b->arena, (from->n_args + 1) * sizeof *args);
    struct ms_scope *scope = b->scope;
    if (!lateral)
        b->scope = scope->outer;
    for (size_t i = 0; i < from->n_args; i++)
        args[i] =
            ms_bind_cast(b, ms_bind_expr(b, from->args[i]), &source.parameters[i], MS_STYLE_NONE, false)->sql;
    b->scope = scope;
    struct ms_source_view *s = add_source(b, from->alias);
    s->table_name = last;
    add_system_columns(b, s, &source);
    return ms_arena_format(b->arena, "%s AS %s", fill_arguments(b, source.from_sql, args, from->n_args),
                           s->sql);
}

/* --- user views: their text is bound as a derived table --- */

static const char *use_module(struct ms_binder *b, const struct ms_from *from)
{
    const char *database, *schema, *last;
    split_name(&from->name, &database, &schema, &last);
    const struct ms_module *module = ms_catalog_module(b->session, database, schema, last);
    if (!module || strcmp(module->type, "V") != 0)
        return NULL;
    struct ms_query *query;
    if (!ms_parse_view(b->arena, module->definition, &query, b->err))
        longjmp(b->escape, 1);
    if (++b->depth > 32)
        ms_binder_fail(b, 217, 16,
                       "Maximum stored procedure, function, trigger, or view nesting level exceeded (limit "
                       "32).");
    struct ms_relation r = bind_apart(b, query);
    b->depth--;
    return use_relation(b, from, &r, from->alias ? from->alias : last, NULL, 0);
}

/* --- one source, and joins --- */

static const char *use_name(struct ms_binder *b, const struct ms_from *from)
{
    bool temporary;
    if (from->name.n == 1)
        for (struct ms_cte_view *view = b->ctes; view; view = view->outer)
            if (ms_name_equal(view->cte->name, from->name.parts[0]))
                return use_cte(b, from, view);
    ms_bind_check_online(b, &from->name);
    const struct ms_table *table = ms_bind_find_table(b, &from->name, &temporary);
    if (table)
        return use_table(b, from, table, temporary);
    const char *sql = use_system_view(b, from);
    if (!sql)
        sql = use_module(b, from);
    if (!sql)
        unknown_object(b, &from->name);
    return sql;
}

static const char *use_variable(struct ms_binder *b, const struct ms_from *from)
{
    const struct ms_slot *slot = &b->language->frame->slots[from->slot];
    const char *name = b->language->frame->batch->variables[from->slot].name;
    if (!slot->table)
        ms_binder_fail(b, 1087, 15, "Must declare the table variable \"%s\".", name);
    return use_table(b, from, slot->table, true);
}

static bool outer_join_nullable(enum ms_join_kind kind, bool left)
{
    return kind == MS_JOIN_FULL ||
           (left ? kind == MS_JOIN_RIGHT : kind == MS_JOIN_LEFT || kind == MS_JOIN_OUTER_APPLY);
}

static const char *use_join(struct ms_binder *b, const struct ms_from *from)
{
    static const char *const words[] = {"JOIN",       "LEFT JOIN", "RIGHT JOIN", "FULL JOIN",
                                        "CROSS JOIN", "JOIN",      "LEFT JOIN"};
    size_t first = b->scope->n_sources;
    const char *left = ms_bind_from(b, from->left);
    size_t middle = b->scope->n_sources;
    bool apply = from->join == MS_JOIN_CROSS_APPLY || from->join == MS_JOIN_OUTER_APPLY;
    if (apply && from->right->kind != MS_FROM_CALL)
        ms_binder_fail(b, 102, 15,
                       "Incorrect syntax near 'APPLY': this server applies system functions only.");
    const char *right = apply ? use_function(b, from->right, true) : ms_bind_from(b, from->right);
    for (size_t i = first; i < b->scope->n_sources; i++)
        for (size_t c = 0; outer_join_nullable(from->join, i < middle) && c < b->scope->sources[i].n_columns;
             c++)
            b->scope->sources[i].columns[c].nullable = true;
    const char *on = from->on ? ms_bind_predicate(b, from->on) : "1";
    if (from->join == MS_JOIN_CROSS)
        return ms_arena_format(b->arena, "%s CROSS JOIN %s", left, right);
    if (from->right->kind == MS_FROM_JOIN)
        return ms_arena_format(b->arena, "%s %s (%s) ON %s", left, words[from->join], right, on);
    return ms_arena_format(b->arena, "%s %s %s ON %s", left, words[from->join], right, on);
}

const char *ms_bind_from(struct ms_binder *b, const struct ms_from *from)
{
    switch (from->kind) {
    case MS_FROM_NAME: return use_name(b, from);
    case MS_FROM_CALL: return use_function(b, from, false);
    case MS_FROM_VARIABLE: return use_variable(b, from);
    case MS_FROM_JOIN: return use_join(b, from);
    case MS_FROM_QUERY: break;
    }
    struct ms_relation r = bind_apart(b, from->query);
    return use_relation(b, from, &r, from->alias, from->columns, from->n_columns);
}
