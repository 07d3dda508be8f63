/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Confluent's AvroConverter. A schema is turned into Avro, registered and planned when it is first seen; from
 * then on a row costs two pointer compares and the walk over the plan.
 */
#include "base/pointer_map.h"
#include "base/props.h"
#include "codec/avro_plan.h"
#include "codec/converters.h"
#include "codec/framing.h"
#include "codec/projection.h"
#include "sluice/registry.h"

enum strategy { BY_TOPIC, BY_RECORD, BY_TOPIC_AND_RECORD };

struct writer { /* of one schema */
    struct sl_avro_doc *doc;
    struct sl_avro_plan *plan;
};

struct target { /* one schema in one topic */
    const struct sl_avro_plan *plan;
    int32_t id;
    struct given *given; /* NULL: written with the schema's own */
};

struct given { /* a schema to write with that the registry names, not the record */
    struct sl_avro_doc *doc;
    struct sl_avro_plan *plan;
    struct sl_projection *projection; /* of the record's values */
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
    bool normalize;
    bool use_latest;
    bool null_becomes_default;
    int32_t fixed_id;              /* -1: none */
    struct sl_pointer_map writers; /* by schema id */
    struct sl_pointer_map targets; /* by topic id and schema id */
    struct sl_pointer_map readers; /* by registry id */
    struct sl_arena *arena;        /* of projected values; NULL until there is one */

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
                "Addresses of the schema registry, comma-separated, asked in turn; not given: the built-in "
                "one."),
    BOOL_OPTION("auto.register.schemas", "true", "Register a schema that the subject does not have yet."),
    BOOL_OPTION("use.latest.version", "false",
                "With auto.register.schemas=false: write with the subject's newest schema."),
    BOOL_OPTION("latest.compatibility.strict", "true",
                "A newest schema that does not fit the record is refused "
                "either way: nothing could be written with it."),
    {.name = "use.schema.id",
     .type = SL_OPT_INT,
     .default_text = "-1",
     .importance = SL_IMPORTANCE_LOW,
     .doc = "With auto.register.schemas=false: write with the schema of this id; -1: with the record's own.",
     .min = -1,
     .max = INT32_MAX},
    BOOL_OPTION("id.compatibility.strict", "true",
                "A schema that does not fit the record is refused either "
                "way."),
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
    BOOL_OPTION("generalized.sum.type.support", "false",
                "Read and write unions and enums in the form that Protobuf and JSON Schema share."),
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

static enum sl_rc choose_registry(const struct sl_props *props, const char *prefix,
                                  struct sl_registry **registry, struct sl_error *err)
{
    if (!*registry)
        return sl_error_set(
            err, SL_E_CONFIG,
            "the Avro converter needs a schema registry and there is none. HINT: give the worker a "
            "state directory, or set %sschema.registry.url",
            prefix);
    if (!(*registry)->ops->choose)
        return SL_OK;
    return (*registry)->ops->choose(*registry, props, prefix, registry, err);
}

static enum sl_rc open_avro(const struct sl_props *props, const char *prefix, bool is_key,
                            struct sl_registry *registry, void **ret_self, struct sl_error *err)
{
    struct converter *c;
    enum sl_rc rc = choose_registry(props, prefix, &registry, err);

    if (rc)
        return rc;
    c = sl_zalloc(1, sizeof(*c));
    c->registry = registry;
    c->is_key = is_key;
    c->strategy = read_strategy(props, prefix, is_key);
    c->auto_register = on(props, prefix, "auto.register.schemas");
    c->normalize = on(props, prefix, "normalize.schemas");
    c->use_latest = on(props, prefix, "use.latest.version");
    c->null_becomes_default = !on(props, prefix, "ignore.default.for.nullables");
    c->fixed_id = (int32_t)sl_option_int(options_table, props, prefix, "use.schema.id");
    c->options = (struct sl_avro_options){
        .connect_meta_data = on(props, prefix, "connect.meta.data"),
        .enhanced_schema_support = on(props, prefix, "enhanced.avro.schema.support"),
        .scrub_invalid_names = on(props, prefix, "scrub.invalid.names"),
        .allow_optional_map_keys = on(props, prefix, "allow.optional.map.keys"),
        .flatten_singleton_unions = on(props, prefix, "flatten.singleton.unions"),
        .discard_type_doc_default = on(props, prefix, "discard.type.doc.default"),
        .generalized_sum_type_support = on(props, prefix, "generalized.sum.type.support"),
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

static void free_target(void *pointer)
{
    struct target *target = pointer;

    if (target->given) {
        sl_avro_plan_free(target->given->plan);
        sl_avro_doc_free(target->given->doc);
        sl_projection_free(target->given->projection);
        sl_free(target->given);
    }
    sl_free(target);
}

static void close_avro(void *self)
{
    struct converter *c = self;

    if (!c)
        return;
    sl_pointer_map_done(&c->writers, free_writer);
    sl_pointer_map_done(&c->targets, free_target);
    sl_pointer_map_done(&c->readers, free_reader);
    if (c->arena)
        sl_arena_free(c->arena);
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

static char *topic_subject(const struct converter *c, const struct sl_topic *topic)
{
    return sl_format("%s-%s", topic->name, c->is_key ? "key" : "value");
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
        *ret = topic_subject(c, topic);
    else if (c->strategy == BY_RECORD)
        *ret = sl_strdup(record);
    else
        *ret = sl_format("%s-%s", topic->name, record);
    return SL_OK;
}

/* The record is written with the schema that was found: as it is if it is the record's own. */
static enum sl_rc use_given(struct converter *c, const struct sl_schema *schema, const struct writer *writer,
                            const struct sl_registry_found *found, struct target *target,
                            struct sl_error *err)
{
    struct given *given = sl_zalloc(1, sizeof(*given));
    const struct sl_schema *theirs = NULL;
    struct sl_buf ours = {0};
    enum sl_rc rc = SL_OK;

    target->id = found->id;
    target->given = given;
    sl_avro_print(writer->doc->root, &ours);
    if (strcmp(found->text, sl_buf_cstr(&ours)) == 0) {
        target->given = NULL;
        target->plan = writer->plan;
        sl_free(given);
    } else {
        rc = sl_avro_parse_with((const char *const *)found->before, found->n_before, found->text,
                                strlen(found->text), &given->doc, err);
        if (!rc)
            rc = sl_avro_to_connect(given->doc->root, &c->options, 0, &theirs, err);
        if (!rc)
            rc = sl_projection_new(schema, theirs, &given->projection, err);
        if (!rc)
            rc = sl_avro_plan_new(theirs, given->doc->root, c->null_becomes_default, &given->plan, err);
        target->plan = given->plan;
    }
    sl_buf_done(&ours);
    return rc;
}

static enum sl_rc fetch_given(struct converter *c, const char *subject, const struct sl_schema *schema,
                              const struct writer *writer, struct target *target, struct sl_error *err)
{
    struct sl_registry_found found = {0};
    enum sl_rc rc;

    if (c->fixed_id >= 0)
        rc = c->registry->ops->schema_by_id(c->registry, c->fixed_id, subject, &found, err);
    else
        rc = c->registry->ops->version(c->registry, subject, SL_REGISTRY_LATEST, &found, err);
    if (rc)
        return rc;
    rc = use_given(c, schema, writer, &found, target, err);
    if (rc)
        (void)sl_error_wrap(err, "schema id %d, which %s names", found.id,
                            c->fixed_id >= 0 ? "use.schema.id" : "use.latest.version");
    sl_registry_found_done(&found);
    return rc;
}

/* In the order in which Confluent's serializer looks at its options. */
static enum sl_rc fill_target(struct converter *c, const struct sl_topic *topic,
                              const struct sl_schema *schema, const struct writer *writer,
                              struct target *target, struct sl_error *err)
{
    const struct sl_registry_ops *ops = c->registry->ops;
    struct sl_buf text = {0};
    char *subject = NULL;
    enum sl_rc rc = name_subject(c, topic, writer->doc->root, &subject, err);

    if (rc)
        return rc;
    target->plan = writer->plan;
    sl_avro_print(writer->doc->root, &text);
    if (c->auto_register)
        rc = ops->register_schema(c->registry, subject, sl_buf_cstr(&text), c->normalize, &target->id, err);
    else if (c->fixed_id >= 0 || c->use_latest)
        rc = fetch_given(c, subject, schema, writer, target, err);
    else
        rc = ops->look_up(c->registry, subject, sl_buf_cstr(&text), c->normalize, &target->id, err);
    if (rc == SL_E_NOT_FOUND && !c->auto_register)
        (void)sl_error_wrap(err, "auto.register.schemas is false; subject '%s'", subject);
    else if (rc && rc != SL_E_DATA)
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
        rc = find_writer(c, schema, &writer, err);
        if (rc)
            return rc;
        target = sl_zalloc(1, sizeof(*target));
        rc = fill_target(c, topic, schema, writer, target, err);
        if (rc) {
            free_target(target);
            return rc;
        }
        sl_pointer_map_put(&c->targets, key, target);
    }
    c->topic = topic;
    c->schema = schema;
    c->target = target;
    return SL_OK;
}

/* The value as the schema wants it that was given from outside. */
static struct sl_value project(struct converter *c, struct sl_value value)
{
    if (!c->arena)
        c->arena = sl_arena_new(16 << 10);
    sl_arena_reset(c->arena);
    return sl_project(c->target->given->projection, value, c->arena);
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
    if (__builtin_expect(c->target->given != NULL, 0))
        value = project(c, value);
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
static enum sl_rc make_reader(struct converter *c, const struct sl_topic *topic, int32_t id,
                              struct reader *reader, struct sl_error *err)
{
    struct sl_registry_found found = {0};
    char *subject = c->strategy == BY_TOPIC ? topic_subject(c, topic) : NULL;
    enum sl_rc rc = c->registry->ops->schema_by_id(c->registry, id, subject, &found, err);

    sl_free(subject);
    if (rc == SL_E_NOT_FOUND)
        return sl_error_set(
            err, SL_E_DATA,
            "schema id %d is not in the registry. HINT: the log and the registry belong together; "
            "was one of them replaced?",
            id);
    if (rc)
        return rc;
    rc = sl_avro_parse_with((const char *const *)found.before, found.n_before, found.text, strlen(found.text),
                            &reader->doc, err);
    sl_registry_found_done(&found);
    if (!rc)
        rc = sl_avro_to_connect(reader->doc->root, &c->options, 0, &reader->schema, err);
    if (!rc)
        rc = sl_avro_plan_new(reader->schema, reader->doc->root, false, &reader->plan, err);
    if (rc)
        (void)sl_error_wrap(err, "schema id %d", id);
    return rc;
}

static enum sl_rc find_reader(struct converter *c, const struct sl_topic *topic, int32_t id,
                              struct sl_error *err)
{
    struct reader *reader = sl_pointer_map_get(&c->readers, (uint32_t)id);

    if (!reader) {
        enum sl_rc rc;

        reader = sl_zalloc(1, sizeof(*reader));
        rc = make_reader(c, topic, id, reader, err);
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
        rc = find_reader(c, topic, id, err);
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
