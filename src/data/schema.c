/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of all schemas of the process. A schema is copied into an arena that is never freed, together
 * with everything that it points to; the table itself is open addressing over pointers.
 */
#include "sluice/schema.h"

#include "base/alloc.h"
#include "base/arena.h"
#include "data/hash.h"
#include "data/value.h"

#include <pthread.h>
#include <stdlib.h>

static struct {
    pthread_mutex_t lock; /* guards everything below */
    struct sl_arena *arena;
    const struct sl_schema **slots;
    size_t capacity; /* a power of two */
    uint32_t count;
} table = {.lock = PTHREAD_MUTEX_INITIALIZER};

static const struct semantic_name {
    const char *name;
    enum sl_type type;
    enum sl_semantic semantic;
} semantic_names[] = {
    {"org.apache.kafka.connect.data.Decimal", SL_BYTES, SL_SEM_DECIMAL},
    {"org.apache.kafka.connect.data.Date", SL_INT32, SL_SEM_DATE},
    {"org.apache.kafka.connect.data.Time", SL_INT32, SL_SEM_TIME},
    {"org.apache.kafka.connect.data.Timestamp", SL_INT64, SL_SEM_TIMESTAMP},
    {"io.debezium.time.Date", SL_INT32, SL_SEM_DBZ_DATE},
    {"io.debezium.time.Time", SL_INT32, SL_SEM_DBZ_TIME},
    {"io.debezium.time.MicroTime", SL_INT64, SL_SEM_DBZ_MICRO_TIME},
    {"io.debezium.time.NanoTime", SL_INT64, SL_SEM_DBZ_NANO_TIME},
    {"io.debezium.time.Timestamp", SL_INT64, SL_SEM_DBZ_TIMESTAMP},
    {"io.debezium.time.MicroTimestamp", SL_INT64, SL_SEM_DBZ_MICRO_TIMESTAMP},
    {"io.debezium.time.NanoTimestamp", SL_INT64, SL_SEM_DBZ_NANO_TIMESTAMP},
    {"io.debezium.time.ZonedTimestamp", SL_STRING, SL_SEM_DBZ_ZONED_TIMESTAMP},
    {"io.debezium.time.ZonedTime", SL_STRING, SL_SEM_DBZ_ZONED_TIME},
    {"io.debezium.time.IsoDate", SL_STRING, SL_SEM_DBZ_ISO_DATE},
    {"io.debezium.time.IsoTime", SL_STRING, SL_SEM_DBZ_ISO_TIME},
    {"io.debezium.time.IsoTimestamp", SL_STRING, SL_SEM_DBZ_ISO_TIMESTAMP},
    {"io.debezium.data.Enum", SL_STRING, SL_SEM_DBZ_ENUM},
    {"io.debezium.data.Json", SL_STRING, SL_SEM_DBZ_JSON},
    {"io.debezium.data.Uuid", SL_STRING, SL_SEM_DBZ_UUID},
    {"io.debezium.data.Xml", SL_STRING, SL_SEM_DBZ_XML},
};

/* Decimal's scale stands in a parameter; without a sound one the name means nothing. */
static bool read_scale(const struct sl_schema *schema, int32_t *ret_scale)
{
    for (uint32_t i = 0; i < schema->n_parameters; i++) {
        const char *text = schema->parameters[i].value;
        char *end;
        long scale;

        if (strcmp(schema->parameters[i].name, "scale") != 0)
            continue;
        scale = strtol(text, &end, 10);
        if (end == text || *end != '\0' || scale < -100000 || scale > 100000)
            return false;
        *ret_scale = (int32_t)scale;
        return true;
    }
    return false;
}

static void find_semantic(struct sl_schema *schema)
{
    schema->semantic = schema->name ? SL_SEM_OTHER : SL_SEM_NONE;
    schema->scale = 0;
    for (size_t i = 0; schema->name && i < sizeof(semantic_names) / sizeof(*semantic_names); i++) {
        const struct semantic_name *known = &semantic_names[i];

        if (known->type != schema->type || strcmp(known->name, schema->name) != 0)
            continue;
        if (known->semantic == SL_SEM_DECIMAL && !read_scale(schema, &schema->scale))
            return;
        schema->semantic = known->semantic;
        return;
    }
}

static uint64_t hash_pointer(uint64_t hash, const struct sl_schema *schema)
{
    return sl_hash_add(hash, schema ? (uint64_t)schema->id + 1 : 0);
}

static uint64_t hash_draft(const struct sl_schema *draft)
{
    uint64_t hash = sl_hash_add(draft->type, draft->optional);

    hash = sl_hash_add(hash, draft->has_version ? (uint64_t)(uint32_t)draft->version + 1 : 0);
    hash = sl_hash_add_text(hash, draft->name);
    hash = sl_hash_add_text(hash, draft->doc);
    if (draft->has_default)
        hash = sl_value_hash(hash, draft->default_value);
    for (uint32_t i = 0; i < draft->n_parameters; i++) {
        hash = sl_hash_add_text(hash, draft->parameters[i].name);
        hash = sl_hash_add_text(hash, draft->parameters[i].value);
    }
    for (uint32_t i = 0; i < draft->n_fields; i++) {
        hash = sl_hash_add_text(hash, draft->fields[i].name);
        hash = hash_pointer(hash, draft->fields[i].schema);
    }
    hash = hash_pointer(hash, draft->key);
    return hash_pointer(hash, draft->element);
}

static bool text_equal(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static bool schema_equal(const struct sl_schema *a, const struct sl_schema *b)
{
    if (a->type != b->type || a->optional != b->optional || a->has_version != b->has_version ||
        (a->has_version && a->version != b->version) || a->has_default != b->has_default ||
        a->n_parameters != b->n_parameters || a->n_fields != b->n_fields || a->key != b->key ||
        a->element != b->element || !text_equal(a->name, b->name) || !text_equal(a->doc, b->doc))
        return false;
    if (a->has_default && !sl_value_equal(a->default_value, b->default_value))
        return false;
    for (uint32_t i = 0; i < a->n_parameters; i++) {
        if (strcmp(a->parameters[i].name, b->parameters[i].name) != 0 ||
            strcmp(a->parameters[i].value, b->parameters[i].value) != 0)
            return false;
    }
    for (uint32_t i = 0; i < a->n_fields; i++) {
        if (a->fields[i].schema != b->fields[i].schema || strcmp(a->fields[i].name, b->fields[i].name) != 0)
            return false;
    }
    return true;
}

/* The slot that holds the schema, or the free one where it belongs. */
static const struct sl_schema **find_slot(const struct sl_schema *draft, uint64_t hash)
{
    size_t at = hash & (table.capacity - 1);

    while (table.slots[at] && (table.slots[at]->hash != hash || !schema_equal(table.slots[at], draft)))
        at = (at + 1) & (table.capacity - 1);
    return &table.slots[at];
}

static void grow_table(void)
{
    const struct sl_schema **old = table.slots;
    size_t old_capacity = table.capacity;

    if (table.capacity && (size_t)table.count * 2 < table.capacity)
        return;
    table.capacity = old_capacity ? old_capacity * 2 : 256;
    table.slots = sl_zalloc(table.capacity, sizeof(*table.slots));
    for (size_t i = 0; i < old_capacity; i++) {
        if (old[i])
            *find_slot(old[i], old[i]->hash) = old[i];
    }
    sl_free(old);
    if (!table.arena)
        table.arena = sl_arena_new((size_t)64 * 1024);
}

static const char *copy_text(const char *text)
{
    return text ? sl_arena_strdup(table.arena, text) : NULL;
}

static struct sl_schema *copy_draft(const struct sl_schema *draft)
{
    struct sl_schema *schema = sl_arena_copy(table.arena, draft, sizeof(*draft));
    struct sl_parameter *parameters = sl_arena_alloc(table.arena, schema->n_parameters * sizeof(*parameters));
    struct sl_field *fields = sl_arena_alloc(table.arena, schema->n_fields * sizeof(*fields));

    schema->name = copy_text(draft->name);
    schema->doc = copy_text(draft->doc);
    if (!schema->has_version)
        schema->version = 0;
    schema->default_value = draft->has_default ? sl_value_copy(table.arena, draft->default_value) : sl_null();
    for (uint32_t i = 0; i < schema->n_parameters; i++) {
        parameters[i].name = copy_text(draft->parameters[i].name);
        parameters[i].value = copy_text(draft->parameters[i].value);
    }
    for (uint32_t i = 0; i < schema->n_fields; i++) {
        fields[i].name = copy_text(draft->fields[i].name);
        fields[i].schema = draft->fields[i].schema;
    }
    schema->parameters = parameters;
    schema->fields = fields;
    return schema;
}

static const struct sl_schema *intern_locked(const struct sl_schema *draft);

static const struct sl_schema *intern_required(const struct sl_schema *draft)
{
    struct sl_schema twin = *draft;

    twin.optional = false;
    /* A default of NULL cannot stay where null is not allowed. */
    if (twin.has_default && sl_is_null(twin.default_value))
        twin.has_default = false;
    return intern_locked(&twin);
}

static const struct sl_schema *intern_locked(const struct sl_schema *draft)
{
    uint64_t hash = hash_draft(draft);
    const struct sl_schema *required = NULL;
    const struct sl_schema **slot;
    struct sl_schema *schema;

    grow_table();
    slot = find_slot(draft, hash);
    if (*slot)
        return *slot;
    if (draft->optional) {
        required = intern_required(draft);
        grow_table();
        slot = find_slot(draft, hash);
    }
    schema = copy_draft(draft);
    schema->hash = hash;
    schema->id = table.count++;
    schema->required = required ? required : schema;
    find_semantic(schema);
    *slot = schema;
    return schema;
}

const struct sl_schema *sl_schema_intern(const struct sl_schema *draft)
{
    const struct sl_schema *schema;

    SL_ASSERT(draft->type >= SL_INT8 && draft->type <= SL_STRUCT);
    (void)pthread_mutex_lock(&table.lock);
    schema = intern_locked(draft);
    (void)pthread_mutex_unlock(&table.lock);
    return schema;
}
