/* SPDX-License-Identifier: Apache-2.0 */
/* The SQL of what is executed per batch: one text for any number of rows. */
#include "sink/postgres/plan.h"

static void put_column(struct sl_buf *sql, const struct sl_pgsink_cell *cell)
{
    sl_pg_quote_name(sql, cell->column->name);
}

/* The cell's element as it goes into the column. */
static void put_element(struct sl_buf *sql, const struct sl_pgsink_statement *statement, uint16_t i)
{
    const struct sl_pgsink_cell *cell = statement->cells[i];

    sl_buf_format(sql, "u.c%d%s", i + 1, cell->cast);
    if (cell->cast_column)
        sl_buf_format(sql, "::%s", cell->column->type_text);
}

static void put_unnest(struct sl_buf *sql, const struct sl_pgsink_statement *statement)
{
    sl_buf_text(sql, "unnest(");
    for (int i = 0; i < statement->n_cells; i++)
        sl_buf_format(sql, "%s$%d", i ? "," : "", i + 1);
    sl_buf_text(sql, ") AS u(");
    for (int i = 0; i < statement->n_cells; i++)
        sl_buf_format(sql, "%sc%d", i ? "," : "", i + 1);
    sl_buf_text(sql, ")");
}

/* Compared in the column's own type, else its index would not be used. */
static void put_key_match(struct sl_buf *sql, const struct sl_pgsink_plan *plan,
                          const struct sl_pgsink_statement *statement)
{
    for (uint16_t i = 0; i < plan->n_keys; i++) {
        const struct sl_pgsink_cell *cell = statement->cells[i];

        sl_buf_text(sql, i ? " AND t." : " WHERE t.");
        put_column(sql, cell);
        sl_buf_text(sql, " = ");
        put_element(sql, statement, i);
        if (!cell->cast_column && cell->element != cell->column->type)
            sl_buf_format(sql, "::%s", cell->column->type_text);
    }
}

static void put_conflict(struct sl_buf *sql, const struct sl_pgsink_plan *plan,
                         const struct sl_pgsink_statement *statement)
{
    sl_buf_text(sql, " ON CONFLICT (");
    for (uint16_t i = 0; i < plan->n_keys; i++) {
        sl_buf_text(sql, i ? "," : "");
        put_column(sql, statement->cells[i]);
    }
    sl_buf_text(sql, statement->n_cells == plan->n_keys ? ") DO NOTHING" : ") DO UPDATE SET ");
    for (uint16_t i = plan->n_keys; i < statement->n_cells; i++) {
        sl_buf_text(sql, i > plan->n_keys ? "," : "");
        put_column(sql, statement->cells[i]);
        sl_buf_text(sql, "=EXCLUDED.");
        put_column(sql, statement->cells[i]);
    }
}

/* INSERT INTO t (...) SELECT ... FROM, without where from. */
static void put_insert_head(struct sl_buf *sql, const struct sl_pgsink_statement *statement)
{
    bool overriding = false;

    sl_buf_format(sql, "INSERT INTO %s (", statement->target->table->sql_name);
    for (uint16_t i = 0; i < statement->n_cells; i++) {
        sl_buf_text(sql, i ? "," : "");
        put_column(sql, statement->cells[i]);
        overriding |= statement->cells[i]->column->identity_always;
    }
    sl_buf_text(sql, overriding ? ") OVERRIDING SYSTEM VALUE SELECT " : ") SELECT ");
    for (uint16_t i = 0; i < statement->n_cells; i++) {
        sl_buf_text(sql, i ? "," : "");
        put_element(sql, statement, i);
    }
    sl_buf_text(sql, " FROM ");
}

static void put_insert(struct sl_buf *sql, const struct sl_pgsink_config *config,
                       const struct sl_pgsink_plan *plan, const struct sl_pgsink_statement *statement)
{
    put_insert_head(sql, statement);
    put_unnest(sql, statement);
    if (config->insert_mode == SL_PGSINK_UPSERT)
        put_conflict(sql, plan, statement);
}

static void put_update_head(struct sl_buf *sql, const struct sl_pgsink_plan *plan,
                            const struct sl_pgsink_statement *statement)
{
    sl_buf_format(sql, "UPDATE %s AS t SET ", statement->target->table->sql_name);
    for (uint16_t i = plan->n_keys; i < statement->n_cells; i++) {
        sl_buf_text(sql, i > plan->n_keys ? "," : "");
        put_column(sql, statement->cells[i]);
        sl_buf_u8(sql, '=');
        put_element(sql, statement, i);
    }
    sl_buf_text(sql, " FROM ");
}

static void put_update(struct sl_buf *sql, const struct sl_pgsink_plan *plan,
                       const struct sl_pgsink_statement *statement)
{
    put_update_head(sql, plan, statement);
    put_unnest(sql, statement);
    put_key_match(sql, plan, statement);
}

/* Does a partial row say nothing about a column that must not be null? */
static bool lacks_required(const struct sl_pgsink_statement *statement)
{
    const struct sl_pgsink_table *table = statement->target->table;

    for (size_t c = 0; statement->mask && c < table->n_columns; c++) {
        bool there = !table->columns[c].not_null || table->columns[c].has_default;

        for (uint16_t i = 0; i < statement->n_cells; i++)
            there |= statement->cells[i]->column == &table->columns[c];
        if (!there)
            return true;
    }
    return false;
}

/*
 * PostgreSQL looks at NOT NULL before it looks for a conflict, so that an insert of such a row fails even
 * where it would only update. Rows that exist are updated; the others are inserted, and fail rightly.
 */
static void put_update_or_insert(struct sl_buf *sql, const struct sl_pgsink_plan *plan,
                                 const struct sl_pgsink_statement *statement)
{
    sl_buf_text(sql, "WITH u AS MATERIALIZED (SELECT * FROM ");
    put_unnest(sql, statement);
    sl_buf_text(sql, "), changed AS (");
    put_update_head(sql, plan, statement);
    sl_buf_text(sql, "u");
    put_key_match(sql, plan, statement);
    sl_buf_text(sql, ") ");
    put_insert_head(sql, statement);
    sl_buf_format(sql, "u WHERE NOT EXISTS (SELECT FROM %s AS t", statement->target->table->sql_name);
    put_key_match(sql, plan, statement);
    sl_buf_u8(sql, ')');
}

void sl_pgsink_statement_sql(const struct sl_pgsink_config *config, const struct sl_pgsink_plan *plan,
                             const struct sl_pgsink_statement *statement, struct sl_buf *sql)
{
    if (statement->op == SL_PGSINK_DELETE) {
        sl_buf_format(sql, "DELETE FROM %s AS t USING ", statement->target->table->sql_name);
        put_unnest(sql, statement);
        put_key_match(sql, plan, statement);
    } else if (config->insert_mode == SL_PGSINK_UPDATE) {
        put_update(sql, plan, statement);
    } else if (config->insert_mode == SL_PGSINK_UPSERT && plan->n_keys < statement->n_cells &&
               lacks_required(statement)) {
        put_update_or_insert(sql, plan, statement);
    } else {
        put_insert(sql, config, plan, statement);
    }
}
