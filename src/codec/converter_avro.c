/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Confluent's AvroConverter. A schema is turned into Avro, registered and planned when it is first seen; from
 * then on a row costs two pointer compares and the walk over the plan.
 */
#include "base/props.h"
#include "codec/avro_plan.h"
#include "codec/converters.h"
#include "codec/framing.h"
#include "base/pointer_map.h"
#include "sluice/registry.h"

enum strategy { BY_TOPIC, BY_RECORD, BY_TOPIC_AND_RECORD };

struct writer { /* of one schema */
    struct sl_avro_doc *doc;
    struct sl_avro_plan *plan;
};

struct target { /* one schema in one topic */
    const struct sl_avro_plan *plan;
    int32_t id;
};

struct reader { /* of one id */
    struct sl_avro_doc *doc;
    struct sl_avro_plan *plan;
    const struct sl_schema *schema;
};

struct converter {
    struct sl_registry *registry;
    struct sl_avro_options options;
    enum strategy strategy;
    bool is_key;
    bool auto_register;
    bool null_becomes_default;
    bool has_fixed_id;
    int32_t fixed_id;
    struct sl_pointer_map writers; /* by schema id */
    struct sl_pointer_map targets; /* by topic id and schema id */
    struct sl_pointer_map readers; /* by registry id */

    /* the last ones, at hand */
    const struct sl_topic *topic;
    const struct sl_schema *schema;
    const struct target *target;
    int32_t reader_id;
    const struct reader *reader;
};

#define TEXT_OPTION(name_, default_, importance_, doc_) \
    {.name = (name_),                                   \
     .type = SL_OPT_STRING,                             \
     .default_text = (default_),                        \
     .importance = (importance_),                       \
     .doc = (doc_)}
#define BOOL_OPTION(name_, default_, doc_) \
    {.name = (name_),                      \
     .type = SL_OPT_BOOLEAN,               \
     .default_text = (default_),           \
     .importance = SL_IMPORTANCE_LOW,      \
     .doc = (doc_)}

static const char *check_strategy(const char *text)
{
    const char *dot = strrchr(text, '.');
    const char *name = dot ? dot + 1 : text;

    if (strcmp(name, "TopicNameStrategy") == 0 || strcmp(name, "RecordNameStrategy") == 0 ||
        strcmp(name, "TopicRecordNameStrategy") == 0)
        return NULL;
    return "must be TopicNameStrategy, RecordNameStrategy or TopicRecordNameStrategy";
}

#define STRATEGY_OPTION(name_)                                                   \
    {.name = (name_),                                                            \
     .type = SL_OPT_CLASS,                                                       \
     .default_text = "io.confluent.kafka.serializers.subject.TopicNameStrategy", \
     .importance = SL_IMPORTANCE_MEDIUM,                                         \
     .doc = "How a record's subject in the registry is named.",                  \
     .validate = check_strategy}

static const struct sl_option options_table[] = {
    TEXT_OPTION("schema.registry.url", NULL, SL_IMPORTANCE_HIGH,
                "Addresses of the schema registry, comma-separated; not needed for the built-in one."),
    BOOL_OPTION("auto.register.schemas", "true", "Register a schema that the subject does not have yet."),
    BOOL_OPTION("use.latest.version", "false",
                "With auto.register.schemas=false: write with the subject's newest schema."),
    BOOL_OPTION("latest.compatibility.strict", "true", "Refuse a newest schema that does not fit."),
    {.name = "use.schema.id",
     .type = SL_OPT_INT,
     .default_text = "-1",
     .importance = SL_IMPORTANCE_LOW,
     .doc = "Write with this schema id; -1: the id of the record's own schema.",
     .min = -1,
     .max = INT32_MAX},
    BOOL_OPTION("id.compatibility.strict", "true", "Refuse a schema id whose schema does not fit."),
    BOOL_OPTION("normalize.schemas", "false", "Normalise schemas before they are registered."),
    TEXT_OPTION("max.schemas.per.subject", "1000", SL_IMPORTANCE_LOW,
                "Taken and ignored: caches grow as needed."),
    TEXT_OPTION("latest.cache.size", "1000", SL_IMPORTANCE_LOW, "Taken and ignored."),
    TEXT_OPTION("latest.cache.ttl.sec", "-1", SL_IMPORTANCE_LOW, "Taken and ignored."),
    TEXT_OPTION("schemas.cache.config", "1000", SL_IMPORTANCE_LOW,
                "Taken and ignored: caches grow as needed."),
    TEXT_OPTION("schemas.cache.size", "1000", SL_IMPORTANCE_LOW, "Taken and ignored: caches grow as needed."),
    STRATEGY_OPTION("key.subject.name.strategy"),
    STRATEGY_OPTION("value.subject.name.strategy"),
    BOOL_OPTION("enhanced.avro.schema.support", "false", "Keep enums and package names of records."),
    BOOL_OPTION("connect.meta.data", "true",
                "Write Connect's names, versions and parameters into the schema."),
    BOOL_OPTION("scrub.invalid.names", "false", "Replace characters that Avro does not allow in names."),
    BOOL_OPTION("allow.optional.map.keys", "false", "Write maps with optional string keys as Avro maps."),
    BOOL_OPTION("flatten.singleton.unions", "true", "Read a union of one branch as that branch."),
    BOOL_OPTION("discard.type.doc.default", "false", "Leave type docs and field defaults out of parameters."),
    BOOL_OPTION("generalized.sum.type.support", "false", "Not supported; must stay false."),
    BOOL_OPTION(
        "ignore.default.for.nullables", "true",
        "Write a null as null although its column has a default. Confluent's converter says false here, "
        "which turns nulls into the default; set false to get the same."),
    TEXT_OPTION("basic.auth.*", NULL, SL_IMPORTANCE_MEDIUM, "How to log in to the registry."),
    TEXT_OPTION("bearer.auth.*", NULL, SL_IMPORTANCE_MEDIUM, "How to log in to the registry."),
    TEXT_OPTION("schema.registry.*", NULL, SL_IMPORTANCE_MEDIUM, "TLS and login of the registry's client."),
    TEXT_OPTION("http.*", NULL, SL_IMPORTANCE_LOW, "Time-outs of the registry's client."),
    TEXT_OPTION("max.retries", "3", SL_IMPORTANCE_LOW, "Tries of the registry's client."),
    TEXT_OPTION("retries.*", NULL, SL_IMPORTANCE_LOW, "Waits of the registry's client."),
    TEXT_OPTION("proxy.*", NULL, SL_IMPORTANCE_LOW, "Proxy of the registry's client."),
    {.name = NULL},
};

static enum strategy read_strategy(const struct sl_props *props, const char *prefix, bool is_key)
{
    const char *text = sl_option_text(options_table, props, prefix,
                                      is_key ? "key.subject.name.strategy" : "value.subject.name.strategy");

    if (strstr(text, "TopicRecordNameStrategy"))
        return BY_TOPIC_AND_RECORD;
    return strstr(text, "RecordNameStrategy") ? BY_RECORD : BY_TOPIC;
}

static bool on(const struct sl_props *props, const char *prefix, const char *name)
{
    return sl_option_bool(options_table, props, prefix, name);
}

static enum sl_rc open_avro(const struct sl_props *props, const char *prefix, bool is_key,
                            struct sl_registry *registry, void **ret_self, struct sl_error *err)
{
    struct converter *c;

    if (!registry)
        return sl_error_set(
            err, SL_E_CONFIG,
            "the Avro converter needs a schema registry and there is none. HINT: give the worker a "
            "state directory, or set %sschema.registry.url",
            prefix);
    if (on(props, prefix, "generalized.sum.type.support") || on(props, prefix, "normalize.schemas"))
        return sl_error_set(
            err, SL_E_UNSUPPORTED,
            "%sgeneralized.sum.type.support and %snormalize.schemas must be false. HINT: remove "
            "them from the configuration",
            prefix, prefix);
    c = sl_zalloc(1, sizeof(*c));
    c->registry = registry;
    c->is_key = is_key;
    c->strategy = read_strategy(props, prefix, is_key);
    c->auto_register = on(props, prefix, "auto.register.schemas");
    c->null_becomes_default = !on(props, prefix, "ignore.default.for.nullables");
    c->fixed_id = (int32_t)sl_option_int(options_table, props, prefix, "use.schema.id");
    c->has_fixed_id = c->fixed_id >= 0;
    c->options = (struct sl_avro_options){
        .connect_meta_data = on(props, prefix, "connect.meta.data"),
        .enhanced_schema_support = on(props, prefix, "enhanced.avro.schema.support"),
        .scrub_invalid_names = on(props, prefix, "scrub.invalid.names"),
        .allow_optional_map_keys = on(props, prefix, "allow.optional.map.keys"),
        .flatten_singleton_unions = on(props, prefix, "flatten.singleton.unions"),
        .discard_type_doc_default = on(props, prefix, "discard.type.doc.default"),
    };
    *ret_self = c;
    return SL_OK;
}

static void free_writer(void *pointer)
{
    struct writer *writer = pointer;

    sl_avro_plan_free(writer->plan);
    sl_avro_doc_free(writer->doc);
    sl_free(writer);
}

static void free_reader(void *pointer)
{
    struct reader *reader = pointer;

    sl_avro_plan_free(reader->plan);
    sl_avro_doc_free(reader->doc);
    sl_free(reader);
}

static void close_avro(void *self)
{
    struct converter *c = self;

    if (!c)
        return;
    sl_pointer_map_done(&c->writers, free_writer);
    sl_pointer_map_done(&c->targets, sl_free);
    sl_pointer_map_done(&c->readers, free_reader);
    sl_free(c);
}

static enum sl_rc find_writer(struct converter *c, const struct sl_schema *schema, struct writer **ret,
                              struct sl_error *err)
{
    struct writer *writer = sl_pointer_map_get(&c->writers, schema->id);
    enum sl_rc rc;

    if (!writer) {
        writer = sl_zalloc(1, sizeof(*writer));
        rc = sl_avro_from_connect(schema, &c->options, &writer->doc, err);
        if (!rc)
            rc = sl_avro_plan_new(schema, writer->doc->root, c->null_becomes_default, &writer->plan, err);
        if (rc) {
            free_writer(writer);
            return rc;
        }
        sl_pointer_map_put(&c->writers, schema->id, writer);
    }
    *ret = writer;
    return SL_OK;
}

/* The name of the record; of an optional one too. */
static const char *record_name(const struct sl_avro_type *type)
{
    uint32_t index;
    const struct sl_avro_type *branch = sl_avro_nullable(type, &index);

    if (branch)
        type = branch;
    return type->kind == SL_AVRO_RECORD ? type->full : NULL;
}

static enum sl_rc name_subject(const struct converter *c, const struct sl_topic *topic,
                               const struct sl_avro_type *type, char **ret, struct sl_error *err)
{
    const char *record = record_name(type);

    if (c->strategy != BY_TOPIC && !record)
        return sl_error_set(err, SL_E_DATA,
                            "the subject is to be named after a record, but the %s is a plain %s. HINT: use "
                            "TopicNameStrategy",
                            c->is_key ? "key" : "value", type->full);
    if (c->strategy == BY_TOPIC)
        *ret = sl_format("%s-%s", topic->name, c->is_key ? "key" : "value");
    else if (c->strategy == BY_RECORD)
        *ret = sl_strdup(record);
    else
        *ret = sl_format("%s-%s", topic->name, record);
    return SL_OK;
}

/* Without registering: the subject's newest schema has to be ours. */
static enum sl_rc look_up(struct converter *c, const char *subject, const char *text, int32_t *ret_id,
                          struct sl_error *err)
{
    int32_t version;
    int32_t id;
    char *newest;
    enum sl_rc rc = c->registry->ops->latest(c->registry, subject, &version, &id, &newest, err);

    if (rc)
        return rc;
    if (strcmp(newest, text) != 0)
        rc = sl_error_set(err, SL_E_SCHEMA,
                          "the newest schema of subject '%s' (version %d) differs from the record's, and "
                          "auto.register.schemas is false. HINT: register the schema, or allow it",
                          subject, version);
    else
        *ret_id = id;
    sl_free(newest);
    return rc;
}

/* A given id is used only for the very schema that it stands for. */
static enum sl_rc check_fixed_id(struct converter *c, const struct sl_avro_type *type, int32_t *ret_id,
                                 struct sl_error *err)
{
    struct sl_buf ours = {0};
    char *theirs;
    enum sl_rc rc = c->registry->ops->schema_by_id(c->registry, c->fixed_id, &theirs, err);

    if (rc)
        return rc;
    sl_avro_print(type, &ours);
    if (strcmp(theirs, sl_buf_cstr(&ours)) != 0)
        rc = sl_error_set(err, SL_E_SCHEMA,
                          "use.schema.id=%d names another schema than the record has. HINT: remove it",
                          c->fixed_id);
    else
        *ret_id = c->fixed_id;
    sl_free(theirs);
    sl_buf_done(&ours);
    return rc;
}

static enum sl_rc find_id(struct converter *c, const struct sl_topic *topic, const struct sl_avro_type *type,
                          int32_t *ret_id, struct sl_error *err)
{
    struct sl_buf text = {0};
    char *subject = NULL;
    enum sl_rc rc;

    if (c->has_fixed_id)
        return check_fixed_id(c, type, ret_id, err);
    rc = name_subject(c, topic, type, &subject, err);
    if (rc)
        return rc;
    sl_avro_print(type, &text);
    if (c->auto_register)
        rc = c->registry->ops->register_schema(c->registry, subject, sl_buf_cstr(&text), ret_id, err);
    else
        rc = look_up(c, subject, sl_buf_cstr(&text), ret_id, err);
    if (rc)
        (void)sl_error_wrap(err, "subject '%s'", subject);
    sl_buf_done(&text);
    sl_free(subject);
    return rc;
}

static enum sl_rc find_target(struct converter *c, const struct sl_topic *topic,
                              const struct sl_schema *schema, struct sl_error *err)
{
    uint64_t key = (uint64_t)topic->id << 32 | schema->id;
    struct target *target = sl_pointer_map_get(&c->targets, key);
    struct writer *writer;
    enum sl_rc rc;

    if (!target) {
        int32_t id = -1;

        rc = find_writer(c, schema, &writer, err);
        if (!rc)
            rc = find_id(c, topic, writer->doc->root, &id, err);
        if (rc)
            return rc;
        target = sl_alloc(sizeof(*target));
        *target = (struct target){.plan = writer->plan, .id = id};
        sl_pointer_map_put(&c->targets, key, target);
    }
    c->topic = topic;
    c->schema = schema;
    c->target = target;
    return SL_OK;
}

static enum sl_rc encode_failed(const struct sl_topic *topic, struct sl_error *err)
{
    return sl_error_wrap(err, "failed to serialize Avro data of topic '%s'", topic->name);
}

static enum sl_rc encode_avro(void *self, const struct sl_topic *topic, const struct sl_schema *schema,
                              struct sl_value value, struct sl_buf *out, bool *ret_null, struct sl_error *err)
{
    struct converter *c = self;
    size_t before = out->len;

    if (sl_is_null(value)) {
        *ret_null = true;
        return SL_OK;
    }
    if (__builtin_expect(topic != c->topic || schema != c->schema, 0)) {
        if (!schema)
            return sl_error_set(err, SL_E_DATA,
                                "a value without a schema cannot be written in Avro to topic '%s'. HINT: use "
                                "the JSON converter with schemas.enable=false",
                                topic->name);
        if (find_target(c, topic, schema, err)) {
            (void)encode_failed(topic, err);
            return err ? err->rc : SL_E_DATA;
        }
    }
    sl_frame_put(out, c->target->id);
    if (__builtin_expect(sl_avro_encode(c->target->plan, value, out, err) != SL_OK, 0)) {
        out->len = before;
        (void)encode_failed(topic, err);
        return SL_E_DATA;
    }
    *ret_null = false;
    return SL_OK;
}

/* Fetch, parse and plan the schema of an id. What cannot be read is the record's fault, not the task's. */
static enum sl_rc make_reader(struct converter *c, int32_t id, struct reader *reader, struct sl_error *err)
{
    char *text;
    enum sl_rc rc = c->registry->ops->schema_by_id(c->registry, id, &text, err);

    if (rc == SL_E_NOT_FOUND)
        return sl_error_set(
            err, SL_E_DATA,
            "schema id %d is not in the registry. HINT: the log and the registry belong together; "
            "was one of them replaced?",
            id);
    if (rc)
        return rc;
    rc = sl_avro_parse(text, strlen(text), &reader->doc, err);
    sl_free(text);
    if (!rc)
        rc = sl_avro_to_connect(reader->doc->root, &c->options, 0, &reader->schema, err);
    if (!rc)
        rc = sl_avro_plan_new(reader->schema, reader->doc->root, false, &reader->plan, err);
    if (rc)
        (void)sl_error_wrap(err, "schema id %d", id);
    return rc;
}

static enum sl_rc find_reader(struct converter *c, int32_t id, struct sl_error *err)
{
    struct reader *reader = sl_pointer_map_get(&c->readers, (uint32_t)id);

    if (!reader) {
        enum sl_rc rc;

        reader = sl_zalloc(1, sizeof(*reader));
        rc = make_reader(c, id, reader, err);
        if (rc) {
            free_reader(reader);
            return rc;
        }
        sl_pointer_map_put(&c->readers, (uint32_t)id, reader);
    }
    c->reader = reader;
    c->reader_id = id;
    return SL_OK;
}

static enum sl_rc decode_failed(const struct sl_topic *topic, enum sl_rc rc, struct sl_error *err)
{
    (void)sl_error_wrap(err, "failed to deserialize data of topic '%s' as Avro", topic->name);
    return rc;
}

static enum sl_rc decode_avro(void *self, const struct sl_topic *topic, struct sl_span bytes,
                              struct sl_arena *arena, const struct sl_schema **ret_schema,
                              struct sl_value *ret_value, struct sl_error *err)
{
    struct converter *c = self;
    struct sl_span payload;
    enum sl_rc rc;
    int32_t id;

    if (!bytes.ptr) {
        *ret_schema = NULL;
        *ret_value = sl_null();
        return SL_OK;
    }
    if (__builtin_expect(!sl_frame_read(bytes, &id, &payload), 0)) {
        rc = sl_error_set(
            err, SL_E_DATA,
            "%zu bytes do not begin with a zero byte and a schema id. HINT: was the topic written "
            "by another converter?",
            bytes.len);
        return decode_failed(topic, rc, err);
    }
    if (__builtin_expect(!c->reader || id != c->reader_id, 0)) {
        rc = find_reader(c, id, err);
        if (rc)
            return decode_failed(topic, rc, err);
    }
    rc = sl_avro_decode(c->reader->plan, payload, arena, ret_value, NULL, err);
    if (__builtin_expect(rc != SL_OK, 0))
        return decode_failed(topic, rc, err);
    *ret_schema = c->reader->schema;
    return SL_OK;
}

static const char *const classes[] = {"io.confluent.connect.avro.AvroConverter", NULL};

const struct sl_converter_ops sl_converter_avro = {
    .name = "avro",
    .classes = classes,
    .options = options_table,
    .open = open_avro,
    .encode = encode_avro,
    .decode = decode_avro,
    .close = close_avro,
};
