/* SPDX-License-Identifier: Apache-2.0 */
#include "sink/postgres/plan.h"

#include "sink/postgres/state.h"
#include "sink/postgres/target.h"

#include <stdio.h>

/* ---- keys ---- */

static bool same_columns(const struct sl_pgsink_unique *unique, const struct sl_pgsink_plan *plan)
{
    const struct sl_pgsink_table *table = plan->target->table;

    if (unique->n != plan->n_keys)
        return false;
    for (uint16_t i = 0; i < unique->n; i++) {
        bool found = false;

        for (uint16_t k = 0; k < plan->n_keys; k++)
            found |= plan->cells[k].column == &table->columns[unique->columns[i]];
        if (!found)
            return false;
    }
    return true;
}

static enum sl_rc check_key(const struct sl_pgsink *sink, struct sl_pgsink_plan *plan, struct sl_error *err)
{
    const struct sl_pgsink_table *table = plan->target->table;
    bool found = false;
    struct sl_buf names = {0};
    enum sl_rc rc;

    for (size_t i = 0; i < table->n_uniques; i++) {
        if (table->uniques[i].inferable && same_columns(&table->uniques[i], plan))
            found = true;
        else
            plan->target->has_other_unique = true;
    }
    if (found || sink->config.insert_mode != SL_PGSINK_UPSERT || table->kind == 'v' || table->kind == 'f')
        return SL_OK;
    for (uint16_t i = 0; i < plan->n_keys; i++) {
        sl_buf_text(&names, i ? ", " : "");
        sl_pg_quote_name(&names, plan->cells[i].column->name);
    }
    if (plan->n_keys == 0)
        rc = sl_error_set(err, SL_E_CONFIG,
                          "topic '%s': insert.mode=upsert, and pk.mode and pk.fields give no key "
                          "columns",
                          plan->topic->name);
    else
        rc = sl_error_set(
            err, SL_E_SCHEMA,
            "table %s has no primary key or unique constraint on (%s), which insert.mode=upsert needs. "
            "HINT: ALTER TABLE %s ADD PRIMARY KEY (%s), or correct pk.mode and pk.fields",
            table->label, sl_buf_cstr(&names), table->sql_name, sl_buf_cstr(&names));
    sl_buf_done(&names);
    return rc;
}

static bool is_number(const struct sl_pgsink_cell *cell)
{
    return cell->tag == SL_INT8 || cell->tag == SL_INT16 || cell->tag == SL_INT32 || cell->tag == SL_INT64;
}

/* ---- the plan ---- */

static void statement_free(struct sl_pgsink_statement *statement)
{
    sl_free(statement->cells);
    sl_free(statement->mask);
    sl_free(statement->sql);
    sl_free(statement);
}

static void plan_free(struct sl_pgsink_plan *plan)
{
    for (size_t i = 0; i < plan->n_statements; i++)
        statement_free(plan->statements[i]);
    sl_free(plan->statements);
    sl_free(plan->cells);
    sl_free(plan);
}

static enum sl_rc choose_cells(struct sl_pgsink *sink, struct sl_pgsink_plan *plan,
                               const struct sl_pgsink_fields *list, struct sl_error *err)
{
    const struct sl_pgsink_table *table = plan->target->table;

    plan->cells = sl_zalloc(list->n + 1, sizeof(*plan->cells));
    plan->n_cells = (uint16_t)list->n;
    plan->n_keys = (uint16_t)list->n_keys;
    for (size_t i = 0; i < list->n; i++) {
        enum sl_rc rc;

        plan->cells[i] = list->cells[i];
        plan->cells[i].column =
            &table->columns[sl_pgsink_target_column(&sink->config, table, list->cells[i].name)];
        rc = sl_pgsink_cell_choose(&sink->config, table, &plan->cells[i], err);
        if (rc != SL_OK)
            return rc;
    }
    plan->number_key = plan->n_keys == 1 && is_number(&plan->cells[0]);
    if (!plan->value_schema && !sink->config.delete_enabled)
        return SL_OK; /* records without a value, each of which will be refused */
    return check_key(sink, plan, err);
}

/* "db.schema.table" is the most that SQL takes. Quoted parts hold no dots: every dot separates. */
static enum sl_rc check_path(const char *path, const struct sl_topic *topic, struct sl_error *err)
{
    int dots = 0;

    for (const char *at = path; *at; at++)
        dots += *at == '.';
    if (dots <= 2)
        return SL_OK;
    return sl_error_set(
        err, SL_E_CONFIG,
        "topic '%s' gives the table name %s, which has more parts than database, schema and table. "
        "HINT: rename the topic with RegexRouter, or set table.name.format",
        topic->name, path);
}

static enum sl_rc plan_make(struct sl_pgsink *sink, const struct sl_run *run,
                            const struct sl_pgsink_fields *list, struct sl_pgsink_plan **ret,
                            struct sl_error *err)
{
    char *path = sl_pgsink_table_path(&sink->config, run->topic);
    struct sl_pgsink_target *target = NULL;
    struct sl_pgsink_plan *plan;
    enum sl_rc rc = check_path(path, run->topic, err);

    if (rc == SL_OK)
        rc = sl_pgsink_target_for(sink, path, list, run->value_schema != NULL, &target, err);
    sl_free(path);
    if (rc == SL_OK)
        rc = sl_pgsink_target_evolve(sink, target, list, err);
    if (rc != SL_OK)
        return rc;
    plan = sl_zalloc(1, sizeof(*plan));
    plan->topic = run->topic;
    plan->key_schema = run->key_schema;
    plan->value_schema = run->value_schema;
    plan->target = target;
    plan->kafka_key = sink->config.pk_mode == SL_PGSINK_PK_KAFKA;
    plan->bare_key = run->key_schema && run->key_schema->type != SL_STRUCT;
    plan->bare_value = run->value_schema && run->value_schema->type == SL_STRING;
    rc = choose_cells(sink, plan, list, err);
    if (rc != SL_OK) {
        plan_free(plan);
        return rc;
    }
    *ret = plan;
    return SL_OK;
}

enum sl_rc sl_pgsink_plan_for(struct sl_pgsink *sink, const struct sl_run *run, struct sl_pgsink_plan **ret,
                              struct sl_error *err)
{
    struct sl_pgsink_fields list = {0};
    struct sl_pgsink_plan *plan = NULL;
    enum sl_rc rc;

    for (size_t i = sink->n_plans; i; i--) {
        plan = sink->plans[i - 1];
        if (plan->topic == run->topic && plan->value_schema == run->value_schema &&
            plan->key_schema == run->key_schema) {
            *ret = plan;
            return SL_OK;
        }
    }
    *ret = NULL;
    if (sink->flying)
        return SL_OK;
    rc = sl_pgsink_fields_list(&sink->config, run, &list, err);
    if (rc == SL_OK)
        rc = plan_make(sink, run, &list, &plan, err);
    sl_free(list.cells);
    if (rc != SL_OK)
        return rc;
    SL_GROW(sink->plans, sink->n_plans, sink->plans_capacity);
    sink->plans[sink->n_plans++] = plan;
    *ret = plan;
    return SL_OK;
}

void sl_pgsink_plans_forget(struct sl_pgsink *sink)
{
    for (size_t i = 0; i < sink->n_plans; i++)
        plan_free(sink->plans[i]);
    for (size_t i = 0; i < sink->n_targets; i++)
        sl_pgsink_target_free(sink->targets[i]);
    sink->n_plans = 0;
    sink->n_targets = 0;
    sink->generation++;
}

/* ---- statements ---- */

static bool same_mask(const uint8_t *a, const uint8_t *b, size_t n)
{
    return a == b || (a && b && memcmp(a, b, n) == 0);
}

static struct sl_pgsink_statement *statement_new(struct sl_pgsink *sink, const struct sl_pgsink_plan *plan,
                                                 enum sl_pgsink_op op)
{
    struct sl_pgsink_statement *statement = sl_zalloc(1, sizeof(*statement));

    (void)snprintf(statement->name, sizeof(statement->name), "s%llu",
                   (unsigned long long)++sink->n_statements);
    statement->target = plan->target;
    statement->op = op;
    return statement;
}

static struct sl_pgsink_statement *statement_make(struct sl_pgsink *sink, struct sl_pgsink_plan *plan,
                                                  enum sl_pgsink_op op, const uint8_t *mask)
{
    struct sl_pgsink_statement *statement = statement_new(sink, plan, op);
    uint16_t n = op == SL_PGSINK_DELETE ? plan->n_keys : plan->n_cells;

    statement->cells = sl_zalloc((size_t)n + 1, sizeof(*statement->cells));
    if (mask) {
        statement->mask = sl_alloc(plan->n_cells);
        memcpy(statement->mask, mask, plan->n_cells);
    }
    for (uint16_t i = 0; i < n; i++) {
        if (i < plan->n_keys || !mask || mask[i])
            statement->cells[statement->n_cells++] = &plan->cells[i];
    }
    statement->empty = op == SL_PGSINK_WRITE && sink->config.insert_mode == SL_PGSINK_UPDATE &&
                       statement->n_cells == plan->n_keys;
    return statement;
}

static enum sl_rc statement_prepare(struct sl_pgsink *sink, const struct sl_pgsink_plan *plan,
                                    const struct sl_pgsink_statement *statement, struct sl_error *err)
{
    struct sl_buf sql = {0};
    Oid *types;
    enum sl_rc rc;

    if (statement->n_cells == 0)
        return sl_error_set(err, SL_E_SCHEMA, "topic '%s': the records have no field to write into table %s",
                            plan->topic->name, plan->target->table->label);
    types = sl_zalloc(statement->n_cells, sizeof(*types));
    for (uint16_t i = 0; i < statement->n_cells; i++)
        types[i] = statement->cells[i]->array;
    if (statement->sql)
        sl_buf_text(&sql, statement->sql);
    else
        sl_pgsink_statement_sql(&sink->config, plan, statement, &sql);
    rc = sl_pg_prepare(sink->pg, statement->name, sl_buf_cstr(&sql), statement->n_cells, types, err);
    if (rc != SL_OK)
        (void)sl_error_wrap(err, "table %s", plan->target->table->label);
    sl_free(types);
    sl_buf_done(&sql);
    return rc;
}

/* Prepare a statement that is new; it is the plan's from here on, or gone. */
static enum sl_rc statement_keep(struct sl_pgsink *sink, struct sl_pgsink_plan *plan,
                                 struct sl_pgsink_statement *statement, struct sl_pgsink_statement **ret,
                                 struct sl_error *err)
{
    enum sl_rc rc = statement->empty ? SL_OK : statement_prepare(sink, plan, statement, err);

    if (rc != SL_OK) {
        statement_free(statement);
        return rc;
    }
    SL_GROW(plan->statements, plan->n_statements, plan->statements_capacity);
    plan->statements[plan->n_statements++] = statement;
    *ret = statement;
    return SL_OK;
}

enum sl_rc sl_pgsink_statement_for(struct sl_pgsink *sink, struct sl_pgsink_plan *plan, enum sl_pgsink_op op,
                                   const uint8_t *mask, struct sl_pgsink_statement **ret,
                                   struct sl_error *err)
{
    struct sl_pgsink_statement *statement;

    for (size_t i = 0; i < plan->n_statements; i++) {
        statement = plan->statements[i];
        if (statement->op == op && same_mask(statement->mask, mask, plan->n_cells)) {
            *ret = statement;
            return SL_OK;
        }
    }
    *ret = NULL;
    if (sink->flying)
        return SL_OK;
    statement = statement_make(sink, plan, op, mask);
    return statement_keep(sink, plan, statement, ret, err);
}

enum sl_rc sl_pgsink_statement_for_sql(struct sl_pgsink *sink, struct sl_pgsink_plan *plan, const char *sql,
                                       const struct sl_pgsink_cell *const *cells, uint16_t n_cells,
                                       struct sl_pgsink_statement **ret, struct sl_error *err)
{
    struct sl_pgsink_statement *statement;

    for (size_t i = 0; i < plan->n_statements; i++) {
        if (plan->statements[i]->sql && strcmp(plan->statements[i]->sql, sql) == 0) {
            *ret = plan->statements[i];
            return SL_OK;
        }
    }
    *ret = NULL;
    if (sink->flying)
        return SL_OK;
    statement = statement_new(sink, plan, SL_PGSINK_RANGE);
    statement->sql = sl_strdup(sql);
    statement->n_cells = n_cells;
    statement->cells = sl_zalloc((size_t)n_cells + 1, sizeof(*statement->cells));
    memcpy(statement->cells, cells, n_cells * sizeof(*statement->cells));
    return statement_keep(sink, plan, statement, ret, err);
}
