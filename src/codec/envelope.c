/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/envelope.h"

#include "base/alloc.h"
#include "data/schema_build.h"

#include <pthread.h>

static const char suffix[] = ".Envelope";

/* Envelopes by schema id; a schema that was looked at and is none points at this. */
static const struct sl_envelope not_an_envelope;

static struct {
    pthread_mutex_t lock; /* guards everything below */
    const struct sl_envelope **by_id;
    size_t capacity;
} cache = {.lock = PTHREAD_MUTEX_INITIALIZER};

bool sl_envelope_shape_parse(const char *text, enum sl_envelope_shape *ret_shape)
{
    if (strcmp(text, "2.5") == 0)
        *ret_shape = SL_ENVELOPE_2_5;
    else if (strcmp(text, "3.5") == 0)
        *ret_shape = SL_ENVELOPE_3_5;
    else
        return false;
    return true;
}

const char *sl_envelope_version_text(enum sl_envelope_shape shape)
{
    return shape == SL_ENVELOPE_2_5 ? "2.5.4.Final" : "3.5.0.Final";
}

int32_t sl_envelope_source_version(enum sl_envelope_shape shape)
{
    return shape == SL_ENVELOPE_2_5 ? 0 : 1;
}

static const struct sl_schema *field_schema(const struct sl_schema *schema, int index)
{
    return index >= 0 ? schema->fields[index].schema : NULL;
}

static const struct sl_envelope *describe(const struct sl_schema *schema)
{
    const struct sl_envelope found = {
        .schema = schema->required,
        .n_fields = schema->n_fields,
        .before = sl_schema_field(schema, "before"),
        .after = sl_schema_field(schema, "after"),
        .source = sl_schema_field(schema, "source"),
        .op = sl_schema_field(schema, "op"),
        .ts_ms = sl_schema_field(schema, "ts_ms"),
        .ts_us = sl_schema_field(schema, "ts_us"),
        .ts_ns = sl_schema_field(schema, "ts_ns"),
        .transaction = sl_schema_field(schema, "transaction"),
    };
    size_t len = schema->name ? strlen(schema->name) : 0;
    struct sl_envelope *envelope;

    if (schema->type != SL_STRUCT || len < sizeof(suffix) - 1 ||
        strcmp(schema->name + len - (sizeof(suffix) - 1), suffix) != 0 || found.op < 0 || found.after < 0 ||
        schema->fields[found.op].schema->type != SL_STRING ||
        schema->fields[found.after].schema->type != SL_STRUCT)
        return &not_an_envelope;
    envelope = sl_alloc(sizeof(*envelope));
    *envelope = found;
    envelope->row = field_schema(schema, found.after);
    envelope->source_schema = field_schema(schema, found.source);
    envelope->transaction_schema = field_schema(schema, found.transaction);
    return envelope;
}

static const struct sl_envelope **cache_slot(uint32_t id)
{
    size_t capacity = cache.capacity ? cache.capacity : 256;

    if (id >= cache.capacity) {
        while (capacity <= id)
            capacity *= 2;
        cache.by_id = sl_realloc(cache.by_id, capacity, sizeof(*cache.by_id));
        for (size_t i = cache.capacity; i < capacity; i++)
            cache.by_id[i] = NULL;
        cache.capacity = capacity;
    }
    return &cache.by_id[id];
}

const struct sl_envelope *sl_envelope_of(const struct sl_schema *schema)
{
    const struct sl_envelope **slot;
    const struct sl_envelope *envelope;

    if (!schema)
        return NULL;
    (void)pthread_mutex_lock(&cache.lock);
    slot = cache_slot(schema->required->id);
    if (!*slot)
        *slot = describe(schema->required);
    envelope = *slot;
    (void)pthread_mutex_unlock(&cache.lock);
    return envelope == &not_an_envelope ? NULL : envelope;
}

const struct sl_schema *sl_envelope_snapshot_schema(enum sl_envelope_shape shape)
{
    const struct sl_parameter allowed = {
        .name = "allowed",
        .value = shape == SL_ENVELOPE_2_5
                     ? "true,last,false,incremental"
                     : "true,first,first_in_data_collection,last_in_data_collection,last,false,incremental",
    };

    return sl_schema_intern(&(struct sl_schema){.type = SL_STRING,
                                                .optional = true,
                                                .name = "io.debezium.data.Enum",
                                                .has_version = true,
                                                .version = 1,
                                                .parameters = &allowed,
                                                .n_parameters = 1,
                                                .has_default = true,
                                                .default_value = sl_text("false")});
}

const struct sl_schema *sl_envelope_transaction_schema(void)
{
    struct sl_struct_builder b = {.name = "event.block", .version = 1};

    sl_struct_add(&b, "id", sl_schema_plain(SL_STRING, false));
    sl_struct_add(&b, "total_order", sl_schema_plain(SL_INT64, false));
    sl_struct_add(&b, "data_collection_order", sl_schema_plain(SL_INT64, false));
    return sl_struct_end(&b, true);
}

const struct sl_envelope *sl_envelope_make(enum sl_envelope_shape shape, const char *prefix,
                                           const struct sl_schema *row, const struct sl_schema *source)
{
    const struct sl_schema *time = sl_schema_plain(SL_INT64, true);
    char *name = sl_format("%s%s", prefix, suffix);
    struct sl_struct_builder b = {.name = name, .version = shape == SL_ENVELOPE_2_5 ? 1 : 2};
    const struct sl_envelope *envelope;

    row = sl_schema_as_optional(row, true);
    sl_struct_add(&b, "before", row);
    sl_struct_add(&b, "after", row);
    sl_struct_add(&b, "source", source);
    if (shape == SL_ENVELOPE_3_5)
        sl_struct_add(&b, "transaction", sl_envelope_transaction_schema());
    sl_struct_add(&b, "op", sl_schema_plain(SL_STRING, false));
    sl_struct_add(&b, "ts_ms", time);
    if (shape == SL_ENVELOPE_3_5) {
        sl_struct_add(&b, "ts_us", time);
        sl_struct_add(&b, "ts_ns", time);
    } else {
        sl_struct_add(&b, "transaction", sl_envelope_transaction_schema());
    }
    envelope = sl_envelope_of(sl_struct_end(&b, false));
    sl_free(name);
    return envelope;
}

char sl_envelope_op(struct sl_value op)
{
    if (op.tag != SL_STRING || op.len != 1 || !memchr("rcudtm", op.bytes[0], 6))
        return 0;
    return (char)op.bytes[0];
}
