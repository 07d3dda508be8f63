/* SPDX-License-Identifier: Apache-2.0 */
#include "sink/postgres/target.h"

#include "base/log.h"
#include "sink/postgres/state.h"

#include <ctype.h>
#include <strings.h>

enum { EVOLVE_TRIES = 5 };

/* ---- the target table ---- */

char *sl_pgsink_table_path(const struct sl_pgsink_config *config, const struct sl_topic *topic)
{
    static const char mark[] = "${topic}";
    struct sl_buf name = {0};
    struct sl_buf path = {0};
    const char *at = config->table_format;

    for (const char *hit; (hit = strstr(at, mark)); at = hit + sizeof(mark) - 1) {
        sl_buf_put(&name, at, (size_t)(hit - at));
        sl_buf_put(&name, topic->name, topic->len);
    }
    sl_buf_text(&name, at);
    sl_pgsink_quote_path(&path, sl_buf_cstr(&name), config->quote_never);
    sl_buf_done(&name);
    (void)sl_buf_cstr(&path);
    return (char *)path.data; /* the caller frees it */
}

void sl_pgsink_target_free(struct sl_pgsink_target *target)
{
    sl_free(target->path);
    sl_pgsink_table_free(target->table);
    sl_free(target);
}

static struct sl_pgsink_target *find_by_oid(const struct sl_pgsink *sink, Oid oid)
{
    for (size_t i = 0; i < sink->n_targets; i++) {
        if (sink->targets[i]->table->oid == oid)
            return sink->targets[i];
    }
    return NULL;
}

/* Parents before children: a target's rank is above its parents'. A cycle stops growing at the number of
 * them. */
static void rank_targets(struct sl_pgsink *sink)
{
    bool moved = true;

    for (size_t i = 0; i < sink->n_targets; i++) {
        sink->targets[i]->rank = 0;
        sink->targets[i]->is_parent = false;
    }
    for (size_t round = 0; moved && round < sink->n_targets; round++) {
        moved = false;
        for (size_t i = 0; i < sink->n_targets; i++) {
            struct sl_pgsink_target *child = sink->targets[i];

            for (size_t p = 0; p < child->table->n_parents; p++) {
                struct sl_pgsink_target *parent = find_by_oid(sink, child->table->parents[p]);

                if (!parent)
                    continue;
                parent->is_parent = true;
                if (parent->rank >= child->rank) {
                    child->rank = parent->rank + 1;
                    moved = true;
                }
            }
        }
    }
}

static enum sl_rc check_kind(const struct sl_pgsink_config *config, const struct sl_pgsink_table *table,
                             struct sl_error *err)
{
    const char *kind = table->kind == 'r' || table->kind == 'f' ? "TABLE"
                       : table->kind == 'p'                     ? "PARTITIONED TABLE"
                                                                : "VIEW";

    for (size_t i = 0; i < config->table_types.n; i++) {
        if (strcasecmp(config->table_types.items[i], kind) == 0)
            return SL_OK;
    }
    return sl_error_set(err, SL_E_CONFIG,
                        "%s is a %s, and table.types does not list that. HINT: add it to table.types",
                        table->label, kind);
}

/* Two tasks may create at once: 42P07 (or its index's 23505) then means that the other was faster. */
static bool lost_race(const struct sl_error *err)
{
    return strcmp(err->native, "42P07") == 0 || strcmp(err->native, "23505") == 0 ||
           strcmp(err->native, "42701") == 0 || strcmp(err->native, "XX000") == 0;
}

static struct sl_pgsink_new_column *new_columns(const struct sl_pgsink_fields *list)
{
    struct sl_pgsink_new_column *columns = sl_zalloc(list->n + 1, sizeof(*columns));

    for (size_t i = 0; i < list->n; i++)
        columns[i] = (struct sl_pgsink_new_column){
            .name = list->cells[i].name, .schema = list->cells[i].schema, .is_key = i < list->n_keys};
    return columns;
}

static enum sl_rc create_table(struct sl_pgsink *sink, const char *path, const struct sl_pgsink_fields *list,
                               struct sl_error *err)
{
    struct sl_pgsink_new_column *columns = new_columns(list);
    struct sl_buf sql = {0};
    enum sl_rc rc = sl_pgsink_create_sql(&sink->config, path, columns, list->n, &sql, err);

    if (rc == SL_OK)
        rc = sl_pg_run(sink->pg, sl_buf_cstr(&sql), err);
    if (rc == SL_OK)
        sl_info("created a target table", SL_T("table", path));
    else if (lost_race(err))
        rc = SL_OK;
    else
        (void)sl_error_wrap(err, "creating table %s", path);
    sl_buf_done(&sql);
    sl_free(columns);
    return rc;
}

static enum sl_rc open_target(struct sl_pgsink *sink, const char *path, const struct sl_pgsink_fields *list,
                              bool has_value, struct sl_pgsink_table **ret, struct sl_error *err)
{
    struct sl_pgsink_table *table = NULL;
    enum sl_rc rc = sl_pgsink_table_read(sink->pg, path, &table, err);

    if (rc == SL_OK && !table && sink->config.auto_create && has_value) {
        rc = create_table(sink, path, list, err);
        if (rc == SL_OK)
            rc = sl_pgsink_table_read(sink->pg, path, &table, err);
    }
    if (rc == SL_OK && !table)
        rc = sl_error_set(
            err, SL_E_NOT_FOUND,
            "table %s does not exist in the target. HINT: create it, set auto.create=true, or correct "
            "table.name.format",
            path);
    if (rc == SL_OK)
        rc = check_kind(&sink->config, table, err);
    if (rc != SL_OK) {
        sl_pgsink_table_free(table);
        return rc;
    }
    *ret = table;
    return SL_OK;
}

enum sl_rc sl_pgsink_target_for(struct sl_pgsink *sink, const char *path, const struct sl_pgsink_fields *list,
                                bool has_value, struct sl_pgsink_target **ret, struct sl_error *err)
{
    struct sl_pgsink_target *target;
    struct sl_pgsink_table *table = NULL;
    enum sl_rc rc;

    for (size_t i = 0; i < sink->n_targets; i++) {
        if (strcmp(sink->targets[i]->path, path) == 0) {
            *ret = sink->targets[i];
            return SL_OK;
        }
    }
    rc = open_target(sink, path, list, has_value, &table, err);
    if (rc != SL_OK)
        return rc;
    target = sl_zalloc(1, sizeof(*target));
    target->path = sl_strdup(path);
    target->table = table;
    SL_GROW(sink->targets, sink->n_targets, sink->targets_capacity);
    sink->targets[sink->n_targets++] = target;
    rank_targets(sink);
    *ret = target;
    return SL_OK;
}

/* ---- columns that are missing ---- */

/* Without quotes SQL folds names: what quote.sql.identifiers=never then means. */
int sl_pgsink_target_column(const struct sl_pgsink_config *config, const struct sl_pgsink_table *table,
                            const char *name)
{
    char folded[256];
    size_t n = 0;

    if (!config->quote_never)
        return sl_pgsink_table_column(table, name);
    for (; name[n] && n + 1 < sizeof(folded); n++)
        folded[n] = (char)tolower((unsigned char)name[n]);
    folded[n] = '\0';
    return sl_pgsink_table_column(table, folded);
}

static enum sl_rc check_can_add(const struct sl_pgsink_table *table, const struct sl_pgsink_cell *cell,
                                struct sl_error *err)
{
    for (size_t i = 0; i < table->n_columns; i++) {
        if (strcasecmp(table->columns[i].name, cell->name) == 0)
            return sl_error_set(
                err, SL_E_SCHEMA,
                "table %s has no column \"%s\" but \"%s\". HINT: quote.sql.identifiers=never folds names "
                "to lower case, or rename the field or the column",
                table->label, cell->name, table->columns[i].name);
    }
    if (table->kind != 'r')
        return sl_error_set(err, SL_E_SCHEMA,
                            "%s lacks column '%s', and only plain tables can be evolved. HINT: add it",
                            table->label, cell->name);
    if (!cell->schema->optional && !cell->schema->has_default)
        return sl_error_set(
            err, SL_E_SCHEMA,
            "table %s lacks column '%s', and the field is neither optional nor has it a default, so "
            "that the column cannot be added. HINT: add it yourself",
            table->label, cell->name);
    return SL_OK;
}

static void missing_fields(const struct sl_pgsink_config *config, const struct sl_pgsink_table *table,
                           const struct sl_pgsink_fields *list, struct sl_pgsink_fields *ret)
{
    for (size_t i = 0; i < list->n; i++) {
        if (sl_pgsink_target_column(config, table, list->cells[i].name) < 0)
            *sl_pgsink_fields_add(ret, 0, 0, NULL, NULL) = list->cells[i];
    }
}

static enum sl_rc refuse_missing(const struct sl_pgsink_table *table, const struct sl_pgsink_fields *missing,
                                 struct sl_error *err)
{
    struct sl_buf names = {0};
    enum sl_rc rc;

    for (size_t i = 0; i < missing->n && i < 10; i++)
        sl_buf_format(&names, "%s%s", i ? ", " : "", missing->cells[i].name);
    rc = sl_error_set(
        err, SL_E_SCHEMA,
        "table %s lacks column%s %s%s. HINT: add %s, set auto.evolve=true, or name the wanted fields in "
        "fields.whitelist",
        table->label, missing->n > 1 ? "s" : "", sl_buf_cstr(&names), missing->n > 10 ? ", ..." : "",
        missing->n > 1 ? "them" : "it");
    sl_buf_done(&names);
    return rc;
}

static enum sl_rc add_columns(struct sl_pgsink *sink, struct sl_pgsink_target *target,
                              const struct sl_pgsink_fields *missing, struct sl_error *err)
{
    struct sl_pgsink_new_column *columns;
    struct sl_buf sql = {0};
    enum sl_rc rc = SL_OK;

    for (size_t i = 0; i < missing->n && rc == SL_OK; i++)
        rc = check_can_add(target->table, &missing->cells[i], err);
    if (rc != SL_OK)
        return rc;
    columns = new_columns(missing);
    rc = sl_pgsink_alter_sql(&sink->config, target->table->sql_name, columns, missing->n, &sql, err);
    if (rc == SL_OK)
        rc = sl_pg_run(sink->pg, sl_buf_cstr(&sql), err);
    if (rc == SL_OK)
        sl_info("added columns to a target table", SL_T("table", target->table->label),
                SL_I("columns", missing->n));
    else if (lost_race(err))
        rc = SL_OK;
    else
        (void)sl_error_wrap(err, "adding columns to table %s", target->table->label);
    sl_buf_done(&sql);
    sl_free(columns);
    return rc;
}

static enum sl_rc reread(struct sl_pgsink *sink, struct sl_pgsink_target *target, struct sl_error *err)
{
    struct sl_pgsink_table *table = NULL;
    enum sl_rc rc = sl_pgsink_table_read(sink->pg, target->path, &table, err);

    if (rc == SL_OK && !table)
        rc = sl_error_set(err, SL_E_SCHEMA, "table %s was dropped just now", target->path);
    if (rc != SL_OK)
        return rc;
    /* Cells of other plans point into the old one: it stays until all is forgotten. */
    for (size_t i = 0; i < sink->n_plans; i++) {
        struct sl_pgsink_plan *plan = sink->plans[i];

        for (uint16_t c = 0; plan->target == target && c < plan->n_cells; c++) {
            int column = sl_pgsink_table_column(table, plan->cells[c].column->name);

            if (column < 0) {
                sl_pgsink_table_free(table);
                return sl_error_set(err, SL_E_SCHEMA, "table %s lost a column just now", target->path);
            }
            plan->cells[c].column = &table->columns[column];
        }
    }
    sl_pgsink_table_free(target->table);
    target->table = table;
    rank_targets(sink);
    return SL_OK;
}

enum sl_rc sl_pgsink_target_evolve(struct sl_pgsink *sink, struct sl_pgsink_target *target,
                                   const struct sl_pgsink_fields *list, struct sl_error *err)
{
    enum sl_rc rc = SL_OK;

    for (int attempt = 0; rc == SL_OK; attempt++) {
        struct sl_pgsink_fields missing = {0};

        missing_fields(&sink->config, target->table, list, &missing);
        if (missing.n == 0) {
            sl_free(missing.cells);
            return SL_OK;
        }
        if (!sink->config.auto_evolve || attempt == EVOLVE_TRIES)
            rc = refuse_missing(target->table, &missing, err);
        if (rc == SL_OK)
            rc = add_columns(sink, target, &missing, err);
        if (rc == SL_OK)
            rc = reread(sink, target, err);
        sl_free(missing.cells);
    }
    return rc;
}
