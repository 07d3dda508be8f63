/* SPDX-License-Identifier: Apache-2.0 */
#include "sink/postgres/fields.h"

enum { MAX_COLUMNS = 1600 /* MaxHeapAttributeNumber */ };

struct sl_pgsink_cell *sl_pgsink_fields_add(struct sl_pgsink_fields *list, uint8_t source, uint32_t field,
                                            const char *name, const struct sl_schema *schema)
{
    SL_GROW(list->cells, list->n, list->capacity);
    list->cells[list->n] =
        (struct sl_pgsink_cell){.source = source, .field = (uint16_t)field, .name = name, .schema = schema};
    return &list->cells[list->n++];
}

static bool listed(const struct sl_pgsink_fields *list, const char *name)
{
    for (size_t i = 0; i < list->n; i++) {
        if (strcmp(list->cells[i].name, name) == 0)
            return true;
    }
    return false;
}

static void add_kafka_keys(const struct sl_pgsink_config *config, struct sl_pgsink_fields *list)
{
    static const char *const names[] = {"__connect_topic", "__connect_partition", "__connect_offset"};
    static const enum sl_type types[] = {SL_STRING, SL_INT32, SL_INT64};

    for (uint32_t i = 0; i < 3; i++)
        (void)sl_pgsink_fields_add(list, SL_PGSINK_FROM_KEY, i,
                                   config->pk_fields.n == 3 ? config->pk_fields.items[i] : names[i],
                                   sl_schema_plain(types[i], false));
}

/*
 * One sink may serve tables with different keys, and pk.fields then names the key columns of all of them: the
 * names that this key has not belong to others. It must be clear that none is a slip of the pen, though: all
 * of the key's fields have to be named.
 */
static bool names_all(const struct sl_pgsink_config *config, const struct sl_schema *key)
{
    for (uint32_t i = 0; i < key->n_fields; i++) {
        if (!sl_pgsink_names_have(&config->pk_fields, key->fields[i].name))
            return false;
    }
    return key->n_fields > 0;
}

/* All fields of a struct as keys, or those that pk.fields names, in its order. */
static enum sl_rc add_struct_keys(const struct sl_pgsink_config *config, const struct sl_topic *topic,
                                  const struct sl_schema *schema, uint8_t source,
                                  struct sl_pgsink_fields *list, struct sl_error *err)
{
    bool shared = source == SL_PGSINK_FROM_KEY && names_all(config, schema);
    size_t n = config->pk_fields.n ? config->pk_fields.n : schema->n_fields;

    for (size_t i = 0; i < n; i++) {
        const char *name = config->pk_fields.n ? config->pk_fields.items[i] : schema->fields[i].name;
        int field = sl_schema_field(schema, name);

        if (field < 0 && shared)
            continue;
        if (field < 0)
            return sl_error_set(
                err, SL_E_SCHEMA,
                "topic '%s': pk.fields names '%s', and the record's %s has no such field. HINT: "
                "correct pk.fields or pk.mode",
                topic->name, name, source == SL_PGSINK_FROM_KEY ? "key" : "value");
        (void)sl_pgsink_fields_add(list, source, (uint32_t)field, schema->fields[field].name,
                                   schema->fields[field].schema);
    }
    return SL_OK;
}

static enum sl_rc add_record_key(const struct sl_pgsink_config *config, const struct sl_run *run,
                                 struct sl_pgsink_fields *list, struct sl_error *err)
{
    const struct sl_schema *schema = run->key_schema;

    if (!schema)
        return sl_error_set(
            err, SL_E_SCHEMA,
            "topic '%s': pk.mode=record_key needs keys with a schema, and these records have none. "
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
    (void)sl_pgsink_fields_add(list, SL_PGSINK_FROM_KEY, 0, config->pk_fields.items[0], schema);
    return SL_OK;
}

static enum sl_rc add_keys(const struct sl_pgsink_config *config, const struct sl_run *run,
                           struct sl_pgsink_fields *list, struct sl_error *err)
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
                             struct sl_pgsink_fields *list, struct sl_error *err)
{
    const struct sl_schema *schema = run->value_schema;

    if (!schema)
        return SL_OK;
    if (schema->type == SL_STRING) {
        (void)sl_pgsink_fields_add(list, SL_PGSINK_FROM_VALUE, 0, config->string_column, schema);
        return SL_OK;
    }
    if (schema->type != SL_STRUCT)
        return sl_error_set(
            err, SL_E_SCHEMA,
            "topic '%s': values of type %s cannot be rows. HINT: use a value converter with schemas "
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
        (void)sl_pgsink_fields_add(list, SL_PGSINK_FROM_VALUE, i, name, schema->fields[i].schema);
    }
    return SL_OK;
}

enum sl_rc sl_pgsink_fields_list(const struct sl_pgsink_config *config, const struct sl_run *run,
                                 struct sl_pgsink_fields *list, struct sl_error *err)
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
