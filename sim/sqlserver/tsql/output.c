/* SPDX-License-Identifier: Apache-2.0 */
/* OUTPUT inserted.x, deleted.y: columns of the rows before and after, to the client or into a table. */
#include <string.h>
#include <strings.h>

#include "change.h"

struct item {
    bool after;
    int column;
};

static bool refuse(struct ms_run *run, const struct ms_select_item *item)
{
    (void)item;
    return ms_error_set(run->err, 102, 15, 1,
                        "Incorrect syntax near 'OUTPUT': this server gives columns of inserted and "
                        "deleted only.");
}

static bool side_of(struct ms_run *run, const struct ms_select_item *item, const char *word, bool has_before,
                    bool has_after, bool *ret_after)
{
    bool inserted = strcasecmp(word, "inserted") == 0;
    if ((!inserted && strcasecmp(word, "deleted") != 0) || (inserted ? !has_after : !has_before))
        return ms_error_set(run->err, 4104, 16, 1, "The multi-part identifier \"%s\" could not be bound.",
                            item->expr ? ms_name_text(&run->arena, &item->expr->name) : word);
    *ret_after = inserted;
    return true;
}

static bool resolve(struct ms_run *run, const struct ms_statement *st, const struct ms_table *table,
                    bool has_before, bool has_after, struct item *items, struct ms_column *columns,
                    size_t *ret_n)
{
    size_t n = 0;
    for (size_t i = 0; i < st->n_output; i++) {
        const struct ms_select_item *item = &st->output[i];
        bool star = !item->expr;
        const struct ms_name *name = star ? &item->star : &item->expr->name;
        bool after = false;
        if ((!star && (item->expr->kind != MS_EXPR_COLUMN || name->n != 2)) || (star && name->n != 1))
            return refuse(run, item);
        if (!side_of(run, item, name->parts[0], has_before, has_after, &after))
            return false;
        int at = star ? -1 : ms_table_column(table, name->parts[1]);
        if (!star && at < 0)
            return ms_error_set(run->err, 207, 16, 1, "Invalid column name '%s'.", name->parts[1]);
        for (int c = star ? 0 : at; c < (star ? (int)table->n_columns : at + 1); c++) {
            columns[n] = (struct ms_column){.name = item->alias ? item->alias : table->columns[c].name,
                                            .type = table->columns[c].type,
                                            .nullable = table->columns[c].nullable || !after};
            items[n++] = (struct item){after, c};
        }
    }
    *ret_n = n;
    return true;
}

static bool send_all(struct ms_run *run, const struct ms_column *columns, const struct ms_rows *rows)
{
    bool there = run->sink->columns(run->sink->ctx, columns, rows->n_columns);
    for (size_t i = 0; there && i < rows->n; i++)
        there = run->sink->row(run->sink->ctx, rows->rows[i]);
    run->l->gone = run->l->gone || !there;
    return true;
}

bool ms_change_output(struct ms_run *run, const struct ms_statement *st, const struct ms_table *table,
                      const struct ms_value **before, const struct ms_value **after, size_t n)
{
    size_t room = st->n_output * (table->n_columns + 1), width = 0;
    struct item *items = ms_arena_alloc(&run->arena, room * sizeof *items);
    struct ms_column *columns = ms_arena_alloc(&run->arena, room * sizeof *columns);
    struct ms_value *values = ms_arena_alloc(&run->arena, room * sizeof *values);
    struct ms_rows rows = {.arena = &run->arena};
    if (!resolve(run, st, table, before != NULL, after != NULL, items, columns, &width))
        return false;
    rows.n_columns = width;
    rows.types = ms_arena_alloc(&run->arena, (width + 1) * sizeof *rows.types);
    for (size_t i = 0; i < width; i++)
        rows.types[i] = columns[i].type;
    for (size_t r = 0; r < n; r++) {
        for (size_t i = 0; i < width; i++)
            values[i] = (items[i].after ? after : before)[r][items[i].column];
        (void)ms_rows_add(&rows, rows.types, values);
    }
    return st->into ? ms_insert_rows(run, st->into, st->into_columns, st->n_into_columns, &rows)
                    : send_all(run, columns, &rows);
}
