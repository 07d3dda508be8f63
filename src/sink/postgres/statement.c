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

static void put_insert(struct sl_buf *sql, const struct sl_pgsink_config *config,
                       const struct sl_pgsink_plan *plan, const struct sl_pgsink_statement *statement)
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
    put_unnest(sql, statement);
    if (config->insert_mode == SL_PGSINK_UPSERT)
        put_conflict(sql, plan, statement);
}

static void put_update(struct sl_buf *sql, const struct sl_pgsink_plan *plan,
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
    put_unnest(sql, statement);
    put_key_match(sql, plan, statement);
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
    } else {
        put_insert(sql, config, plan, statement);
    }
}
