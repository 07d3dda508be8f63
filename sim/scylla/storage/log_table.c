/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The definition of a CDC log table: the base's columns in log form, cdc$deleted_* beside them, and the five
 * metadata columns. It follows its base; a column that stays as it was keeps its id, so its cells stay too.
 */
#include "table_make.h"

const char *sy_log_table_name(struct sy_arena *arena, const char *base)
{
    return sy_arena_format(arena, "%s_scylla_cdc_log", base);
}

/* The type of the value column. */
static const struct sy_type *log_type(struct sy_server *server, const struct sy_type *type)
{
    if (!sy_type_is_multi_cell(type))
        return type;
    if (type->id == SY_LIST)
        return sy_type_map(server, sy_type_native(SY_TIMEUUID), type->parts[0], true);
    return sy_type_freeze(server, type, true);
}

struct columns {
    struct sy_column_spec *specs;
    uint32_t n;
};

static void add(struct columns *columns, const char *name, const struct sy_type *type,
                enum sy_column_kind kind, uint32_t position)
{
    columns->specs[columns->n++] =
        (struct sy_column_spec){.name = name, .type = type, .kind = kind, .position = position};
}

static void add_base_column(struct sy_server *server, struct columns *columns,
                            const struct sy_table_column *column, struct sy_arena *arena)
{
    add(columns, column->name, log_type(server, column->type), SY_REGULAR, 0);
    if (column->kind == SY_PARTITION_KEY || column->kind == SY_CLUSTERING)
        return;
    add(columns, sy_arena_format(arena, "cdc$deleted_%s", column->name), sy_type_native(SY_BOOLEAN),
        SY_REGULAR, 0);
    if (sy_type_is_multi_cell(column->type))
        add(columns, sy_arena_format(arena, "cdc$deleted_elements_%s", column->name),
            sy_type_set(server, sy_type_path(column->type), true), SY_REGULAR, 0);
}

static struct columns log_columns(struct sy_server *server, const struct sy_table *base,
                                  struct sy_arena *arena)
{
    struct columns columns = {0};

    columns.specs = sy_arena_alloc(arena, (6 + (size_t)base->n_columns * 3) * sizeof(*columns.specs));
    add(&columns, "cdc$stream_id", sy_type_native(SY_BLOB), SY_PARTITION_KEY, 0);
    add(&columns, "cdc$time", sy_type_native(SY_TIMEUUID), SY_CLUSTERING, 0);
    add(&columns, "cdc$batch_seq_no", sy_type_native(SY_INT), SY_CLUSTERING, 1);
    add(&columns, "cdc$operation", sy_type_native(SY_TINYINT), SY_REGULAR, 0);
    add(&columns, "cdc$ttl", sy_type_native(SY_BIGINT), SY_REGULAR, 0);
    add(&columns, "cdc$end_of_batch", sy_type_native(SY_BOOLEAN), SY_REGULAR, 0);
    for (uint32_t i = 0; i < base->n_columns; i++)
        add_base_column(server, &columns, &base->columns[i], arena);
    return columns;
}

/* What the log's options are; the window of its compaction is a 24th of the TTL. */
static void log_properties(struct sy_table_draft *draft, const struct sy_table *base, struct sy_arena *arena)
{
    static const char *const compaction_keys[] = {"class", "compaction_window_size",
                                                  "compaction_window_unit"};
    const char **values = sy_arena_alloc(arena, 3 * sizeof(*values));
    struct sy_property *all = sy_arena_alloc(arena, 3 * sizeof(*all));
    int32_t minutes = (base->cdc.ttl_s / 60 + 23) / 24;

    values[0] = "TimeWindowCompactionStrategy";
    values[1] = sy_arena_format(arena, "%d", minutes > 0 ? minutes : 1);
    values[2] = "MINUTES";
    all[0] = (struct sy_property){
        .name = "comment",
        .text = sy_arena_format(arena, "CDC log for %s.%s", base->keyspace->name, base->name)};
    all[1] = (struct sy_property){.name = "gc_grace_seconds", .text = "0"};
    all[2] = (struct sy_property){.name = "compaction", .n = 3, .keys = compaction_keys, .values = values};
    draft->properties = all;
    draft->n_properties = 3;
}

/* Those of the old version that are still wanted, with their ids. */
static void keep_columns(struct sy_table_draft *draft, const struct columns *wanted)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < draft->n_columns; i++) {
        bool found = false;

        for (uint32_t k = 0; k < wanted->n && !found; k++)
            found = strcmp(wanted->specs[k].name, draft->columns[i].name) == 0 &&
                    wanted->specs[k].type == draft->columns[i].type;
        if (found)
            draft->columns[n++] = draft->columns[i];
    }
    draft->n_columns = n;
}

/* A user type that got a field is a new type, but cells of the old shape can be read as the new one. */
static void follow_user_types(struct sy_table_draft *draft, const struct columns *wanted)
{
    for (uint32_t i = 0; i < draft->n_columns; i++) {
        for (uint32_t k = 0; k < wanted->n; k++) {
            const struct sy_type *type = wanted->specs[k].type;

            if (strcmp(wanted->specs[k].name, draft->columns[i].name) == 0 && type->n_parts > 0 &&
                type->id == draft->columns[i].type->id && type->id == SY_UDT)
                draft->columns[i].type = type;
        }
    }
}

static bool is_kept(const struct sy_table_draft *draft, const char *name)
{
    for (uint32_t i = 0; i < draft->n_columns; i++) {
        if (strcmp(draft->columns[i].name, name) == 0)
            return true;
    }
    return false;
}

const struct sy_table *sy_log_table_make(struct sy_server *server, const struct sy_table *base,
                                         struct sy_arena *arena, struct sy_error *error)
{
    const char *name = sy_log_table_name(arena, base->name);
    const struct sy_table *old = sy_catalog_table(server, base->keyspace->name, name);
    struct columns wanted = log_columns(server, base, arena);
    struct sy_table_draft draft = {.keyspace = base->keyspace, .name = name, .is_cdc_log = true};

    if (old != NULL && !old->is_cdc_log) {
        sy_fail(arena, error, 0x2200,
                "Cannot create CDC log table for table %s.%s because a table of name %s.%s already exists",
                base->keyspace->name, base->name, base->keyspace->name, name);
        return NULL;
    }
    if (old != NULL) {
        draft = sy_table_draft_of(old, arena, wanted.n);
        follow_user_types(&draft, &wanted);
        keep_columns(&draft, &wanted);
    } else {
        draft.columns = sy_arena_alloc(arena, wanted.n * sizeof(*draft.columns));
        sy_store_random_uuid(server, draft.id);
    }
    for (uint32_t i = 0; i < wanted.n; i++) {
        if (!is_kept(&draft, wanted.specs[i].name))
            sy_table_draft_add(&draft, &wanted.specs[i]);
    }
    log_properties(&draft, base, arena);
    return sy_table_install(server, &draft);
}
