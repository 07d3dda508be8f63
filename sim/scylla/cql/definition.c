/* SPDX-License-Identifier: Apache-2.0 */
/* CREATE, ALTER, DROP and TRUNCATE: the tree becomes what the catalogue wants to be told. */
#include <string.h>

#include "../storage/arena.h"
#include "binder.h"
#include "language.h"

struct defining {
    struct sy_session *session;
    struct sy_run *run;
    struct sy_binder binder;
    const struct sy_definition *d;
    struct sy_schema_change change;
    struct sy_error error;
};

/* A constant as the text that it is in a property: 'x' without quotes, true, 12. */
static const char *term_text(struct defining *g, const struct sy_term *term)
{
    if (term->kind == SY_TERM_BLOB)
        return sy_arena_format(g->run->arena, "0x%s", term->text);
    if (term->text != NULL)
        return term->text;
    sy_bind_fail(&g->binder, 0x2000, "a property takes constants and maps of them");
    return "";
}

static bool make_map(struct defining *g, const struct sy_term *map, struct sy_property *property)
{
    bool fields = map->kind == SY_TERM_FIELDS;
    uint32_t step = fields ? 1 : 2;
    const char **keys = sy_arena_alloc(g->run->arena, (map->n_items + 1) * sizeof *keys);
    const char **values = sy_arena_alloc(g->run->arena, (map->n_items + 1) * sizeof *values);
    for (uint32_t i = 0; i < map->n_items / step; i++) {
        keys[i] = fields ? map->names[i] : term_text(g, map->items[2 * i]);
        values[i] = term_text(g, map->items[step * i + step - 1]);
    }
    property->n = map->n_items / step;
    property->keys = keys;
    property->values = values;
    return !g->binder.failed;
}

static bool make_properties(struct defining *g, const struct sy_property **ret, uint32_t *ret_n)
{
    struct sy_property *properties = sy_arena_alloc(g->run->arena, (g->d->n_with + 1) * sizeof *properties);
    uint32_t n = 0;
    for (uint32_t i = 0; i < g->d->n_with; i++) {
        const struct sy_with *with = &g->d->with[i];
        if (strcmp(with->name, "id") == 0 && with->value->kind == SY_TERM_UUID)
            continue; /* the spec's own field */
        struct sy_property *property = &properties[n++];
        property->name = with->name;
        enum sy_term_kind kind = with->value->kind;
        if (kind == SY_TERM_MAP || kind == SY_TERM_FIELDS ||
            (kind == SY_TERM_SET && with->value->n_items == 0)) {
            if (!make_map(g, with->value, property))
                return false;
        } else {
            property->text = term_text(g, with->value);
        }
    }
    *ret = properties;
    *ret_n = n;
    return !g->binder.failed;
}

static const struct sy_column_definition *definition_of(const struct sy_definition *d, const char *name)
{
    for (uint32_t i = 0; i < d->n_columns; i++)
        if (strcmp(d->columns[i].name, name) == 0)
            return &d->columns[i];
    return NULL;
}

static bool place_in_key(struct defining *g, const char *name, enum sy_column_kind kind, uint32_t position,
                         struct sy_column_spec *specs)
{
    const struct sy_column_definition *column = definition_of(g->d, name);
    if (column == NULL)
        return sy_bind_fail(&g->binder, 0x2200, "Unknown definition %s referenced in PRIMARY KEY", name);
    struct sy_column_spec *spec = &specs[column - g->d->columns];
    if (spec->kind != SY_REGULAR)
        return spec->kind == SY_STATIC
                   ? sy_bind_fail(&g->binder, 0x2200, "Static column %s cannot be part of the PRIMARY KEY",
                                  name)
                   : sy_bind_fail(&g->binder, 0x2200, "Multiple definition of identifier %s in PRIMARY KEY",
                                  name);
    if (sy_type_is_multi_cell(spec->type))
        return sy_bind_fail(&g->binder, 0x2200, "Invalid non-frozen %s type for PRIMARY KEY component %s",
                            spec->type->id == SY_UDT ? "user-defined" : "collection", name);
    if (spec->type->id == SY_COUNTER || spec->type->id == SY_DURATION)
        return sy_bind_fail(&g->binder, 0x2200, "%s type is not supported for PRIMARY KEY part %s",
                            spec->type->id == SY_COUNTER ? "counter" : "duration", name);
    spec->kind = kind;
    spec->position = position;
    return true;
}

static bool place_key(struct defining *g, struct sy_column_spec *specs)
{
    const struct sy_definition *d = g->d;
    const char *behind = NULL;
    for (uint32_t i = 0; i < d->n_columns; i++)
        if (d->columns[i].primary_key) {
            if (behind != NULL || d->n_partition_key > 0)
                return sy_bind_fail(&g->binder, 0x2200,
                                    "Multiple PRIMARY KEYs specifed (exactly one required)");
            behind = d->columns[i].name;
        }
    if (behind != NULL)
        return place_in_key(g, behind, SY_PARTITION_KEY, 0, specs);
    if (d->n_partition_key == 0)
        return sy_bind_fail(&g->binder, 0x2200, "No PRIMARY KEY specifed (exactly one required)");
    for (uint32_t i = 0; i < d->n_partition_key; i++)
        if (!place_in_key(g, d->partition_key[i], SY_PARTITION_KEY, i, specs))
            return false;
    for (uint32_t i = 0; i < d->n_clustering; i++)
        if (!place_in_key(g, d->clustering[i], SY_CLUSTERING, i, specs))
            return false;
    return true;
}

static bool place_order(struct defining *g, struct sy_column_spec *specs)
{
    const struct sy_definition *d = g->d;
    if (d->n_clustering_order > 0 && d->n_clustering_order != d->n_clustering)
        return sy_bind_fail(&g->binder, 0x2200, "%s",
                            d->n_clustering_order > d->n_clustering
                                ? "Only clustering key columns can be defined in CLUSTERING ORDER directive"
                                : "Missing CLUSTERING ORDER for a clustering column");
    for (uint32_t i = 0; i < d->n_clustering_order; i++) {
        if (strcmp(d->clustering_order[i].column, d->clustering[i]) != 0)
            return sy_bind_fail(
                &g->binder, 0x2200,
                "The order of columns in the CLUSTERING ORDER directive must be the one of the "
                "clustering key (%s must appear before %s)",
                d->clustering[i], d->clustering_order[i].column);
        const struct sy_column_definition *column = definition_of(d, d->clustering[i]);
        specs[column - d->columns].descending = d->clustering_order[i].descending;
    }
    return true;
}

static bool make_columns(struct defining *g, const char *keyspace, struct sy_column_spec **ret)
{
    const struct sy_definition *d = g->d;
    struct sy_column_spec *specs = sy_arena_alloc(g->run->arena, (d->n_columns + 1) * sizeof *specs);
    for (uint32_t i = 0; i < d->n_columns; i++) {
        const struct sy_column_definition *column = &d->columns[i];
        if (definition_of(d, column->name) != column)
            return sy_bind_fail(&g->binder, 0x2200, "Multiple definition of identifier %s", column->name);
        specs[i] = (struct sy_column_spec){.name = column->name,
                                           .type = sy_bind_type(&g->binder, keyspace, column->type),
                                           .kind = column->is_static ? SY_STATIC : SY_REGULAR,
                                           .row_ttl = column->row_ttl};
        if (specs[i].type == NULL)
            return false;
    }
    *ret = specs;
    return true;
}

/* Counters stand alone: every column outside of the key is one, or none is. */
static bool check_counters(struct defining *g, const struct sy_column_spec *specs)
{
    uint32_t counters = 0, others = 0;
    bool has_clustering = g->d->n_clustering > 0;
    for (uint32_t i = 0; i < g->d->n_columns; i++) {
        if (specs[i].kind == SY_PARTITION_KEY || specs[i].kind == SY_CLUSTERING)
            continue;
        if (specs[i].kind == SY_STATIC && !has_clustering)
            return sy_bind_fail(
                &g->binder, 0x2200,
                "Static columns are only useful (and thus allowed) if the table has at least one "
                "clustering column");
        counters += specs[i].type->id == SY_COUNTER;
        others += specs[i].type->id != SY_COUNTER;
    }
    return counters == 0 || others == 0 ||
           sy_bind_fail(&g->binder, 0x2200, "Cannot mix counter and non counter columns in the same table");
}

static bool hex_id(const struct sy_term *uuid, uint8_t ret[16])
{
    int n = 0;
    for (const char *s = uuid->text; *s != '\0' && n < 32; s++) {
        if (*s == '-')
            continue;
        int digit = *s <= '9' ? *s - '0' : (*s | 32) - 'a' + 10;
        ret[n / 2] = (uint8_t)(n % 2 == 0 ? digit << 4 : ret[n / 2] | digit);
        n++;
    }
    return n == 32;
}

static bool create_table(struct defining *g)
{
    const struct sy_definition *d = g->d;
    struct sy_table_spec spec = {.name = d->name, .n_columns = d->n_columns};
    struct sy_column_spec *columns;
    uint8_t id[16];
    spec.keyspace = sy_bind_keyspace(&g->binder, d->keyspace);
    if (spec.keyspace == NULL || !make_columns(g, spec.keyspace, &columns) || !place_key(g, columns) ||
        !place_order(g, columns) || !check_counters(g, columns) ||
        !make_properties(g, &spec.properties, &spec.n_properties))
        return false;
    spec.columns = columns;
    spec.compact_storage = d->compact_storage;
    for (uint32_t i = 0; i < d->n_with; i++)
        if (strcmp(d->with[i].name, "id") == 0 && d->with[i].value->kind == SY_TERM_UUID &&
            hex_id(d->with[i].value, id))
            spec.id = id;
    return sy_catalog_create_table(g->session->server, &spec, d->if_not_exists, g->run->arena, &g->change,
                                   &g->error);
}

static bool alter_table(struct defining *g)
{
    const struct sy_definition *d = g->d;
    struct sy_table_alter alter = {.name = d->name, .n_drop = d->n_dropped, .drop = d->dropped};
    struct sy_column_spec *columns;
    struct sy_table_rename *renames = sy_arena_alloc(g->run->arena, (d->n_renamed + 1) * sizeof *renames);
    if (d->alter == SY_ALTER_COLUMN_TYPE)
        return sy_bind_fail(&g->binder, 0x2200, "Altering of types is not allowed");
    if (!sy_bind_table(&g->binder, d->keyspace, d->name))
        return false;
    alter.keyspace = g->binder.table->keyspace->name;
    if (!make_columns(g, alter.keyspace, &columns) ||
        !make_properties(g, &alter.properties, &alter.n_properties))
        return false;
    for (uint32_t i = 0; i < d->n_renamed; i++)
        renames[i] = (struct sy_table_rename){.from = d->renamed[i].from, .to = d->renamed[i].to};
    alter.add = columns;
    alter.n_add = d->n_columns;
    alter.rename = renames;
    alter.n_rename = d->n_renamed;
    return sy_catalog_alter_table(g->session->server, &alter, g->run->arena, &g->change, &g->error);
}

static bool create_type(struct defining *g)
{
    const struct sy_definition *d = g->d;
    const char *keyspace = sy_bind_keyspace(&g->binder, d->keyspace);
    const char **names = sy_arena_alloc(g->run->arena, (d->n_columns + 1) * sizeof *names);
    const struct sy_type **types = sy_arena_alloc(g->run->arena, (d->n_columns + 1) * sizeof *types);
    for (uint32_t i = 0; keyspace != NULL && i < d->n_columns; i++) {
        if (definition_of(d, d->columns[i].name) != &d->columns[i])
            return sy_bind_fail(&g->binder, 0x2200, "Duplicate field name %s in type %s", d->columns[i].name,
                                d->name);
        names[i] = d->columns[i].name;
        types[i] = sy_bind_type(&g->binder, keyspace, d->columns[i].type);
        if (types[i] == NULL)
            return false;
        if (types[i]->id == SY_COUNTER)
            return sy_bind_fail(&g->binder, 0x2200, "A user type cannot contain counters");
        if (sy_type_is_multi_cell(types[i]))
            return sy_bind_fail(&g->binder, 0x2200, "A user type cannot contain non-frozen %s",
                                types[i]->id == SY_UDT ? "user type fields" : "collections");
    }
    return keyspace != NULL &&
           sy_catalog_create_type(g->session->server, keyspace, d->name, names, types, d->n_columns,
                                  d->if_not_exists, g->run->arena, &g->change, &g->error);
}

static bool alter_type(struct defining *g)
{
    const struct sy_definition *d = g->d;
    const char *keyspace = sy_bind_keyspace(&g->binder, d->keyspace);
    if (keyspace == NULL)
        return false;
    if (d->alter == SY_ALTER_COLUMN_TYPE)
        return sy_bind_fail(&g->binder, 0x2200, "Altering of types is not allowed");
    for (uint32_t i = 0; i < d->n_columns; i++) {
        const struct sy_type *type = sy_bind_type(&g->binder, keyspace, d->columns[i].type);
        if (type == NULL || !sy_catalog_alter_type(g->session->server, keyspace, d->name, d->columns[i].name,
                                                   NULL, type, g->run->arena, &g->change, &g->error))
            return false;
    }
    for (uint32_t i = 0; i < d->n_renamed; i++)
        if (!sy_catalog_alter_type(g->session->server, keyspace, d->name, d->renamed[i].from,
                                   d->renamed[i].to, NULL, g->run->arena, &g->change, &g->error))
            return false;
    return true;
}

static bool create_index(struct defining *g)
{
    const struct sy_definition *d = g->d;
    const char *target = d->column;
    if (d->custom_class != NULL)
        return sy_bind_fail(&g->binder, 0x2200, "this server has no custom indexes such as %s",
                            d->custom_class);
    if (!sy_bind_table(&g->binder, d->keyspace, d->table))
        return false;
    if (sy_bind_column(&g->binder, d->column) == NULL)
        return sy_bind_fail(&g->binder, 0x2200, "No column definition found for column %s", d->column);
    if (d->target != NULL)
        target = sy_arena_format(g->run->arena, "%s(%s)", d->target, d->column);
    return sy_catalog_create_index(g->session->server, g->binder.table->keyspace->name, d->table, d->name,
                                   d->column, target, d->if_not_exists, g->run->arena, &g->change, &g->error);
}

static bool truncate(struct defining *g)
{
    if (!sy_bind_table(&g->binder, g->d->keyspace, g->d->name))
        return false;
    if (g->binder.table->keyspace->system)
        return sy_bind_fail(&g->binder, 0x2100, "%s keyspace is not user-modifiable.",
                            g->binder.table->keyspace->name);
    return sy_store_truncate(g->session->server, g->binder.table, g->run->arena, &g->error);
}

static bool change_keyspace(struct defining *g, bool create)
{
    const struct sy_property *properties;
    uint32_t n;
    if (!make_properties(g, &properties, &n))
        return false;
    return create ? sy_catalog_create_keyspace(g->session->server, g->d->name, properties, n,
                                               g->d->if_not_exists, g->run->arena, &g->change, &g->error)
                  : sy_catalog_alter_keyspace(g->session->server, g->d->name, properties, n, g->run->arena,
                                              &g->change, &g->error);
}

static bool drop(struct defining *g, enum sy_statement_kind kind)
{
    const struct sy_definition *d = g->d;
    struct sy_server *server = g->session->server;
    if (kind == SY_DROP_KEYSPACE)
        return sy_catalog_drop_keyspace(server, d->name, d->if_exists, g->run->arena, &g->change, &g->error);
    const char *keyspace = sy_bind_keyspace(&g->binder, d->keyspace);
    if (keyspace == NULL)
        return false;
    if (kind == SY_DROP_TABLE)
        return sy_catalog_drop_table(server, keyspace, d->name, d->if_exists, g->run->arena, &g->change,
                                     &g->error);
    if (kind == SY_DROP_TYPE)
        return sy_catalog_drop_type(server, keyspace, d->name, d->if_exists, g->run->arena, &g->change,
                                    &g->error);
    return sy_catalog_drop_index(server, keyspace, d->name, d->if_exists, g->run->arena, &g->change,
                                 &g->error);
}

static bool define(struct defining *g, enum sy_statement_kind kind)
{
    switch ((int)kind) {
    case SY_STATEMENT_TRUNCATE: return truncate(g);
    case SY_CREATE_KEYSPACE:
    case SY_ALTER_KEYSPACE: return change_keyspace(g, kind == SY_CREATE_KEYSPACE);
    case SY_CREATE_TABLE: return create_table(g);
    case SY_ALTER_TABLE: return alter_table(g);
    case SY_CREATE_TYPE: return create_type(g);
    case SY_ALTER_TYPE: return alter_type(g);
    case SY_CREATE_INDEX: return create_index(g);
    default: return drop(g, kind);
    }
}

void sy_run_definition(struct sy_session *session, struct sy_run *run, const struct sy_statement *statement,
                       struct sy_result *ret)
{
    struct defining g = {.session = session, .run = run, .d = statement->definition};
    sy_binder_init(&g.binder, session->server, session->keyspace, statement, run->arena);
    if (!define(&g, statement->kind)) {
        run->failed = true;
        run->error = g.binder.failed ? g.binder.error : g.error;
        return;
    }
    ret->kind = g.change.change != NULL ? SY_SCHEMA_CHANGE : SY_VOID;
    ret->change = g.change;
}
