/* SPDX-License-Identifier: Apache-2.0 */
#include "sink/postgres/state.h"

#include "base/log.h"

#include <ctype.h>
#include <stdio.h>
#include <strings.h>

enum { MAX_COLUMNS = 1600 /* MaxHeapAttributeNumber */, EVOLVE_TRIES = 5 };

/* ---- which columns ---- */

struct field_list {
    struct sl_pgsink_cell *cells; /* only source, field, name and schema are set */
    size_t n, capacity;
    size_t n_keys;
};

static struct sl_pgsink_cell *add_field(struct field_list *list, uint8_t source, uint32_t field,
                                        const char *name, const struct sl_schema *schema)
{
    SL_GROW(list->cells, list->n, list->capacity);
    list->cells[list->n] =
        (struct sl_pgsink_cell){.source = source, .field = (uint16_t)field, .name = name, .schema = schema};
    return &list->cells[list->n++];
}

static bool listed(const struct field_list *list, const char *name)
{
    for (size_t i = 0; i < list->n; i++) {
        if (strcmp(list->cells[i].name, name) == 0)
            return true;
    }
    return false;
}

static void add_kafka_keys(const struct sl_pgsink_config *config, struct field_list *list)
{
    static const char *const names[] = {"__connect_topic", "__connect_partition", "__connect_offset"};
    static const enum sl_type types[] = {SL_STRING, SL_INT32, SL_INT64};

    for (uint32_t i = 0; i < 3; i++)
        (void)add_field(list, SL_PGSINK_FROM_KEY, i,
                        config->pk_fields.n == 3 ? config->pk_fields.items[i] : names[i],
                        sl_schema_plain(types[i], false));
}

/* All fields of a struct as keys, or those that pk.fields names, in its order. */
static enum sl_rc add_struct_keys(const struct sl_pgsink_config *config, const struct sl_topic *topic,
                                  const struct sl_schema *schema, uint8_t source, struct field_list *list,
                                  struct sl_error *err)
{
    size_t n = config->pk_fields.n ? config->pk_fields.n : schema->n_fields;

    for (size_t i = 0; i < n; i++) {
        const char *name = config->pk_fields.n ? config->pk_fields.items[i] : schema->fields[i].name;
        int field = sl_schema_field(schema, name);

        if (field < 0)
            return sl_error_set(
                err, SL_E_SCHEMA,
                "topic '%s': pk.fields names '%s', and the record's %s has no such field; HINT: "
                "correct pk.fields or pk.mode",
                topic->name, name, source == SL_PGSINK_FROM_KEY ? "key" : "value");
        (void)add_field(list, source, (uint32_t)field, schema->fields[field].name,
                        schema->fields[field].schema);
    }
    return SL_OK;
}

static enum sl_rc add_record_key(const struct sl_pgsink_config *config, const struct sl_run *run,
                                 struct field_list *list, struct sl_error *err)
{
    const struct sl_schema *schema = run->key_schema;

    if (!schema)
        return sl_error_set(
            err, SL_E_SCHEMA,
            "topic '%s': pk.mode=record_key needs keys with a schema, and these records have none; "
            "HINT: use a key converter with schemas, or another pk.mode",
            run->topic->name);
    if (schema->type == SL_STRUCT)
        return add_struct_keys(config, run->topic, schema, SL_PGSINK_FROM_KEY, list, err);
    if (schema->type == SL_ARRAY || schema->type == SL_MAP)
        return sl_error_set(err, SL_E_SCHEMA, "topic '%s': a key of type %s cannot be key columns",
                            run->topic->name, sl_type_name(schema->type));
    if (config->pk_fields.n != 1)
        return sl_error_set(
            err, SL_E_CONFIG,
            "topic '%s': the key is a bare %s, so pk.fields must name exactly one column for it, and "
            "names %zu",
            run->topic->name, sl_type_name(schema->type), config->pk_fields.n);
    (void)add_field(list, SL_PGSINK_FROM_KEY, 0, config->pk_fields.items[0], schema);
    return SL_OK;
}

static enum sl_rc add_keys(const struct sl_pgsink_config *config, const struct sl_run *run,
                           struct field_list *list, struct sl_error *err)
{
    switch (config->pk_mode) {
    case SL_PGSINK_PK_NONE: return SL_OK;
    case SL_PGSINK_PK_KAFKA: add_kafka_keys(config, list); return SL_OK;
    case SL_PGSINK_PK_KEY: return add_record_key(config, run, list, err);
    case SL_PGSINK_PK_VALUE:
        if (run->value_schema && run->value_schema->type == SL_STRUCT)
            return add_struct_keys(config, run->topic, run->value_schema, SL_PGSINK_FROM_VALUE, list, err);
        break;
    }
    return SL_OK; /* no value: the records are refused one by one */
}

static enum sl_rc add_values(const struct sl_pgsink_config *config, const struct sl_run *run,
                             struct field_list *list, struct sl_error *err)
{
    const struct sl_schema *schema = run->value_schema;

    if (!schema)
        return SL_OK;
    if (schema->type == SL_STRING) {
        (void)add_field(list, SL_PGSINK_FROM_VALUE, 0, config->string_column, schema);
        return SL_OK;
    }
    if (schema->type != SL_STRUCT)
        return sl_error_set(
            err, SL_E_SCHEMA,
            "topic '%s': values of type %s cannot be rows; HINT: use a value converter with schemas "
            "and records that are structs",
            run->topic->name, sl_type_name(schema->type));
    if (schema->n_fields > MAX_COLUMNS)
        return sl_error_set(err, SL_E_SCHEMA,
                            "topic '%s': a record has %u fields, and a PostgreSQL table at most %d "
                            "columns",
                            run->topic->name, schema->n_fields, MAX_COLUMNS);
    for (uint32_t i = 0; i < schema->n_fields; i++) {
        const char *name = schema->fields[i].name;

        if (listed(list, name) || (config->whitelist.n && !sl_pgsink_names_have(&config->whitelist, name)))
            continue;
        (void)add_field(list, SL_PGSINK_FROM_VALUE, i, name, schema->fields[i].schema);
    }
    return SL_OK;
}

static enum sl_rc list_fields(const struct sl_pgsink_config *config, const struct sl_run *run,
                              struct field_list *list, struct sl_error *err)
{
    enum sl_rc rc = add_keys(config, run, list, err);

    list->n_keys = list->n;
    if (rc == SL_OK)
        rc = add_values(config, run, list, err);
    if (rc == SL_OK && list->n > MAX_COLUMNS)
        rc = sl_error_set(err, SL_E_SCHEMA,
                          "topic '%s': key and value make %zu columns, and a PostgreSQL table has at "
                          "most %d",
                          run->topic->name, list->n, MAX_COLUMNS);
    return rc;
}

/* ---- the target table ---- */

static char *table_path(const struct sl_pgsink_config *config, const struct sl_topic *topic)
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

static void target_free(struct sl_pgsink_target *target)
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
                        "%s is a %s, and table.types does not list that; HINT: add it to table.types",
                        table->label, kind);
}

/* Two tasks may create at once: 42P07 (or its index's 23505) then means that the other was faster. */
static bool lost_race(const struct sl_error *err)
{
    return strcmp(err->native, "42P07") == 0 || strcmp(err->native, "23505") == 0 ||
           strcmp(err->native, "42701") == 0 || strcmp(err->native, "XX000") == 0;
}

static struct sl_pgsink_new_column *new_columns(const struct field_list *list)
{
    struct sl_pgsink_new_column *columns = sl_zalloc(list->n + 1, sizeof(*columns));

    for (size_t i = 0; i < list->n; i++)
        columns[i] = (struct sl_pgsink_new_column){
            .name = list->cells[i].name, .schema = list->cells[i].schema, .is_key = i < list->n_keys};
    return columns;
}

static enum sl_rc create_table(struct sl_pgsink *sink, const char *path, const struct field_list *list,
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

static enum sl_rc open_target(struct sl_pgsink *sink, const char *path, const struct field_list *list,
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
            "table %s does not exist in the target; HINT: create it, set auto.create=true, or correct "
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

static enum sl_rc target_for(struct sl_pgsink *sink, const char *path, const struct field_list *list,
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
static int find_column(const struct sl_pgsink_config *config, const struct sl_pgsink_table *table,
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
                "table %s has no column \"%s\" but \"%s\"; HINT: quote.sql.identifiers=never folds names "
                "to lower case, or rename the field or the column",
                table->label, cell->name, table->columns[i].name);
    }
    if (table->kind != 'r')
        return sl_error_set(err, SL_E_SCHEMA,
                            "%s lacks column '%s', and only plain tables can be evolved; HINT: add it",
                            table->label, cell->name);
    if (!cell->schema->optional && !cell->schema->has_default)
        return sl_error_set(
            err, SL_E_SCHEMA,
            "table %s lacks column '%s', and the field is neither optional nor has it a default, so "
            "that the column cannot be added; HINT: add it yourself",
            table->label, cell->name);
    return SL_OK;
}

static void missing_fields(const struct sl_pgsink_config *config, const struct sl_pgsink_table *table,
                           const struct field_list *list, struct field_list *ret)
{
    for (size_t i = 0; i < list->n; i++) {
        if (find_column(config, table, list->cells[i].name) < 0)
            *add_field(ret, 0, 0, NULL, NULL) = list->cells[i];
    }
}

static enum sl_rc refuse_missing(const struct sl_pgsink_table *table, const struct field_list *missing,
                                 struct sl_error *err)
{
    struct sl_buf names = {0};
    enum sl_rc rc;

    for (size_t i = 0; i < missing->n && i < 10; i++)
        sl_buf_format(&names, "%s%s", i ? ", " : "", missing->cells[i].name);
    rc = sl_error_set(
        err, SL_E_SCHEMA,
        "table %s lacks column%s %s%s; HINT: add %s, set auto.evolve=true, or name the wanted fields in "
        "fields.whitelist",
        table->label, missing->n > 1 ? "s" : "", sl_buf_cstr(&names), missing->n > 10 ? ", ..." : "",
        missing->n > 1 ? "them" : "it");
    sl_buf_done(&names);
    return rc;
}

static enum sl_rc add_columns(struct sl_pgsink *sink, struct sl_pgsink_target *target,
                              const struct field_list *missing, struct sl_error *err)
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

static enum sl_rc evolve(struct sl_pgsink *sink, struct sl_pgsink_target *target,
                         const struct field_list *list, struct sl_error *err)
{
    enum sl_rc rc = SL_OK;

    for (int attempt = 0; rc == SL_OK; attempt++) {
        struct field_list missing = {0};

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
            "table %s has no primary key or unique constraint on (%s), which insert.mode=upsert needs; "
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

static void plan_free(struct sl_pgsink_plan *plan)
{
    for (size_t i = 0; i < plan->n_statements; i++) {
        sl_free(plan->statements[i]->cells);
        sl_free(plan->statements[i]->mask);
        sl_free(plan->statements[i]);
    }
    sl_free(plan->statements);
    sl_free(plan->cells);
    sl_free(plan);
}

static enum sl_rc choose_cells(struct sl_pgsink *sink, struct sl_pgsink_plan *plan,
                               const struct field_list *list, struct sl_error *err)
{
    const struct sl_pgsink_table *table = plan->target->table;

    plan->cells = sl_zalloc(list->n + 1, sizeof(*plan->cells));
    plan->n_cells = (uint16_t)list->n;
    plan->n_keys = (uint16_t)list->n_keys;
    for (size_t i = 0; i < list->n; i++) {
        enum sl_rc rc;

        plan->cells[i] = list->cells[i];
        plan->cells[i].column = &table->columns[find_column(&sink->config, table, list->cells[i].name)];
        rc = sl_pgsink_cell_choose(&sink->config, table, &plan->cells[i], err);
        if (rc != SL_OK)
            return rc;
    }
    plan->number_key = plan->n_keys == 1 && is_number(&plan->cells[0]);
    if (!plan->value_schema && !sink->config.delete_enabled)
        return SL_OK; /* records without a value, each of which will be refused */
    return check_key(sink, plan, err);
}

static enum sl_rc plan_make(struct sl_pgsink *sink, const struct sl_run *run, const struct field_list *list,
                            struct sl_pgsink_plan **ret, struct sl_error *err)
{
    char *path = table_path(&sink->config, run->topic);
    struct sl_pgsink_target *target = NULL;
    struct sl_pgsink_plan *plan;
    enum sl_rc rc = target_for(sink, path, list, run->value_schema != NULL, &target, err);

    sl_free(path);
    if (rc == SL_OK)
        rc = evolve(sink, target, list, err);
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
    struct field_list list = {0};
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
    rc = list_fields(&sink->config, run, &list, err);
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
        target_free(sink->targets[i]);
    sink->n_plans = 0;
    sink->n_targets = 0;
    sink->generation++;
}

/* ---- statements ---- */

static bool same_mask(const uint8_t *a, const uint8_t *b, size_t n)
{
    return a == b || (a && b && memcmp(a, b, n) == 0);
}

static struct sl_pgsink_statement *statement_make(struct sl_pgsink *sink, struct sl_pgsink_plan *plan,
                                                  enum sl_pgsink_op op, const uint8_t *mask)
{
    struct sl_pgsink_statement *statement = sl_zalloc(1, sizeof(*statement));
    uint16_t n = op == SL_PGSINK_DELETE ? plan->n_keys : plan->n_cells;

    (void)snprintf(statement->name, sizeof(statement->name), "s%llu",
                   (unsigned long long)++sink->n_statements);
    statement->target = plan->target;
    statement->op = op;
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
    sl_pgsink_statement_sql(&sink->config, plan, statement, &sql);
    rc = sl_pg_prepare(sink->pg, statement->name, sl_buf_cstr(&sql), statement->n_cells, types, err);
    if (rc != SL_OK)
        (void)sl_error_wrap(err, "table %s", plan->target->table->label);
    sl_free(types);
    sl_buf_done(&sql);
    return rc;
}

enum sl_rc sl_pgsink_statement_for(struct sl_pgsink *sink, struct sl_pgsink_plan *plan, enum sl_pgsink_op op,
                                   const uint8_t *mask, struct sl_pgsink_statement **ret,
                                   struct sl_error *err)
{
    struct sl_pgsink_statement *statement;
    enum sl_rc rc;

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
    rc = statement->empty ? SL_OK : statement_prepare(sink, plan, statement, err);
    if (rc != SL_OK) {
        sl_free(statement->cells);
        sl_free(statement->mask);
        sl_free(statement);
        return rc;
    }
    SL_GROW(plan->statements, plan->n_statements, plan->statements_capacity);
    plan->statements[plan->n_statements++] = statement;
    *ret = statement;
    return SL_OK;
}
