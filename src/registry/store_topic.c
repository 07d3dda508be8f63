/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The registry in a keyed space of the transport, in the shapes that Confluent's registry gives its topic
 * _schemas (the classes ...Key and ...Value of its storage): a worker of ours goes on with a topic that it
 * finds, and theirs with ours. Only one writes at a time: whoever wants to claims the space, reads to its end
 * and then decides, so that two workers never hand out one id for two schemas.
 */
#include "base/alloc.h"
#include "base/buf.h"
#include "base/clock.h"
#include "registry/store.h"
#include "sluice/transport.h"

#include <jansson.h>
#include <stdatomic.h>

#define SPACE "schemas"
#define CLAIM "sluice-schemas"

enum { QUIET_US = 800 * 1000, MOST_PUT_OFF = 10 };

struct store {
    struct sl_schema_store store;
    struct sl_transport *transport;
    _Atomic bool changed;       /* somebody wrote since the last load; ourselves too */
    _Atomic int64_t changed_us; /* when that was */
    unsigned put_off;           /* how often in a row we left another its turn */
    bool claimed;
    bool watching;
};

/* ---- reading ---- */

struct loading {
    struct sl_catalog *catalog;
};

static const char *text_of(json_t *object, const char *name)
{
    return json_string_value(json_object_get(object, name));
}

/* A version or an id: what is none, or not there, is 0. */
static int32_t number_of(json_t *object, const char *name)
{
    json_int_t number = json_integer_value(json_object_get(object, name));

    return number > 0 && number < INT32_MAX ? (int32_t)number : 0;
}

static char *references_of(json_t *value)
{
    json_t *references = json_object_get(value, "references");

    return json_array_size(references) ? json_dumps(references, JSON_COMPACT) : NULL;
}

static char *extra_of(json_t *value)
{
    json_t *extra = json_object();
    char *text = NULL;

    if (json_is_object(json_object_get(value, "metadata")))
        (void)json_object_set(extra, "metadata", json_object_get(value, "metadata"));
    if (json_is_object(json_object_get(value, "ruleSet")))
        (void)json_object_set(extra, "ruleSet", json_object_get(value, "ruleSet"));
    if (json_object_size(extra))
        text = json_dumps(extra, JSON_COMPACT | JSON_SORT_KEYS);
    json_decref(extra);
    return text;
}

static void load_schema(struct sl_catalog *catalog, json_t *key, json_t *value)
{
    const char *subject = text_of(key, "subject");
    const char *type = text_of(value, "schemaType");
    int32_t version = number_of(key, "version");
    int32_t id = number_of(value, "id");
    struct sl_schema_text schema = {.text = text_of(value, "schema")};
    char *references;
    char *extra;

    if (!subject || !*subject || !version || !id || !schema.text || (type && strcmp(type, "AVRO") != 0))
        return;
    references = references_of(value);
    extra = extra_of(value);
    schema.references = references;
    schema.extra = extra;
    sl_catalog_put_version(catalog, subject, version, id, &schema,
                           json_is_true(json_object_get(value, "deleted")));
    sl_free(references);
    sl_free(extra);
}

/* Up to the version that stands in it, everything that was written before is softly deleted. */
static void load_deleted_subject(struct sl_catalog *catalog, json_t *value)
{
    const char *name = text_of(value, "subject");
    struct sl_schema_subject *subject = name ? sl_catalog_subject(catalog, name) : NULL;

    for (size_t i = 0; subject && i < subject->n_versions; i++) {
        if (subject->versions[i].version <= number_of(value, "version"))
            subject->versions[i].deleted = true;
    }
}

static void load_setting(struct sl_catalog *catalog, json_t *key, json_t *value, bool mode)
{
    const char *subject = text_of(key, "subject");
    char *text;

    if (mode) {
        sl_catalog_set(catalog, subject ? subject : "", SL_SETTING_MODE, text_of(value, "mode"));
        return;
    }
    (void)json_object_del(value, "subject");
    text = json_dumps(value, JSON_COMPACT);
    sl_catalog_set(catalog, subject ? subject : "", SL_SETTING_CONFIG, text);
    sl_free(text);
}

/* Kinds of records that this registry does not know change nothing. */
static void load_record(void *ctx, const char *key_text, struct sl_span bytes)
{
    struct loading *loading = ctx;
    json_t *key = json_loads(key_text, 0, NULL);
    json_t *value = bytes.ptr ? json_loadb((const char *)bytes.ptr, bytes.len, 0, NULL) : NULL;
    const char *type = text_of(key, "keytype");

    if (type && json_is_object(value)) {
        if (strcmp(type, "SCHEMA") == 0)
            load_schema(loading->catalog, key, value);
        else if (strcmp(type, "DELETE_SUBJECT") == 0)
            load_deleted_subject(loading->catalog, value);
        else if (strcmp(type, "CONFIG") == 0)
            load_setting(loading->catalog, key, value, false);
        else if (strcmp(type, "MODE") == 0)
            load_setting(loading->catalog, key, value, true);
    }
    json_decref(key);
    json_decref(value);
}

static enum sl_rc load(struct sl_schema_store *store, struct sl_catalog *catalog, struct sl_error *err)
{
    struct store *s = (struct store *)store;
    struct loading loading = {.catalog = catalog};

    /* Before reading: what comes while it is read is read again. */
    atomic_store(&s->changed, false);
    return s->transport->ops->list(s->transport, SPACE, load_record, &loading, err);
}

static void note_change(void *ctx, const char *key, struct sl_span value)
{
    struct store *s = ctx;

    (void)key;
    (void)value;
    atomic_store(&s->changed_us, sl_now_us());
    atomic_store(&s->changed, true);
}

static bool changed(struct sl_schema_store *store)
{
    return atomic_load(&((struct store *)store)->changed);
}

/* ---- writing ---- */

static enum sl_rc prepare(struct sl_schema_store *store, bool *ret_stale, struct sl_error *err)
{
    struct store *s = (struct store *)store;
    enum sl_rc rc = SL_OK;

    if (s->claimed)
        return SL_OK;
    /* Taking the claim costs the broker a second, and its loser another: whoever registers a whole database
     * at its start is let finish, for a while. */
    if (s->put_off < MOST_PUT_OFF && sl_now_us() - atomic_load(&s->changed_us) < QUIET_US) {
        s->put_off++;
        return sl_error_set(err, SL_E_FENCED, "another worker is writing to the schema registry");
    }
    s->put_off = 0;
    if (s->transport->ops->claim)
        rc = s->transport->ops->claim(s->transport, SPACE, CLAIM, err);
    if (rc)
        return rc;
    s->claimed = true;
    *ret_stale = true;
    return SL_OK;
}

static char *key_text(const struct sl_schema_change *change)
{
    json_t *key;
    char *text;

    if (change->kind != SL_CHANGE_SETTING)
        key = json_pack("{s:s, s:s, s:i, s:i}", "keytype", "SCHEMA", "subject", change->subject, "version",
                        change->version, "magic", 1);
    else if (*change->subject)
        key = json_pack("{s:s, s:s, s:i}", "keytype", change->setting == SL_SETTING_MODE ? "MODE" : "CONFIG",
                        "subject", change->subject, "magic", 0);
    else
        key = json_pack("{s:s, s:i}", "keytype", change->setting == SL_SETTING_MODE ? "MODE" : "CONFIG",
                        "magic", 0);
    text = json_dumps(key, JSON_COMPACT);
    json_decref(key);
    return text;
}

static json_t *schema_value(const struct sl_schema_change *change)
{
    json_t *value = json_pack("{s:s, s:i, s:i}", "subject", change->subject, "version", change->version, "id",
                              change->id);
    json_t *extra = change->schema.extra ? json_loads(change->schema.extra, 0, NULL) : NULL;

    if (change->schema.references)
        (void)json_object_set_new(value, "references", json_loads(change->schema.references, 0, NULL));
    if (extra)
        (void)json_object_update(value, extra);
    json_decref(extra);
    (void)json_object_set_new(value, "schema", json_string(change->schema.text));
    (void)json_object_set_new(value, "deleted", json_boolean(change->deleted));
    return value;
}

/* NULL: the record is deleted. */
static char *value_text(const struct sl_schema_change *change)
{
    json_t *value = NULL;
    char *text = NULL;

    if (change->kind == SL_CHANGE_VERSION)
        value = schema_value(change);
    else if (change->kind == SL_CHANGE_SETTING && change->value && change->setting == SL_SETTING_MODE)
        value = json_pack("{s:s}", "mode", change->value);
    else if (change->kind == SL_CHANGE_SETTING && change->value)
        value = json_loads(change->value, 0, NULL);
    if (value && change->kind == SL_CHANGE_SETTING && *change->subject)
        (void)json_object_set_new(value, "subject", json_string(change->subject));
    if (value)
        text = json_dumps(value, JSON_COMPACT);
    json_decref(value);
    return text;
}

static enum sl_rc save(struct sl_schema_store *store, const struct sl_schema_change *changes, size_t n,
                       struct sl_error *err)
{
    struct store *s = (struct store *)store;
    struct sl_text *texts = sl_zalloc(n, sizeof(*texts));
    enum sl_rc rc;

    for (size_t i = 0; i < n; i++) {
        char *value = value_text(&changes[i]);

        texts[i].key = key_text(&changes[i]);
        texts[i].value = (struct sl_span){(const uint8_t *)value, value ? strlen(value) : 0};
    }
    rc = s->transport->ops->put_all(s->transport, SPACE, texts, n, err);
    if (rc)
        s->claimed = false; /* fenced, or not known: begin again with what is there */
    for (size_t i = 0; i < n; i++) {
        sl_free((char *)(uintptr_t)texts[i].key);
        sl_free((uint8_t *)(uintptr_t)texts[i].value.ptr);
    }
    sl_free(texts);
    return rc;
}

static const char *name(const struct sl_schema_store *store)
{
    (void)store;
    return SPACE;
}

static void close_store(struct sl_schema_store *store)
{
    struct store *s = (struct store *)store;

    if (s->watching)
        (void)s->transport->ops->watch(s->transport, SPACE, NULL, s, NULL);
    sl_free(s);
}

static const struct sl_schema_store_ops topic_ops = {
    .load = load,
    .prepare = prepare,
    .save = save,
    .changed = changed,
    .name = name,
    .close = close_store,
};

enum sl_rc sl_schema_store_topic_open(struct sl_transport *transport, struct sl_schema_store **ret,
                                      struct sl_error *err)
{
    struct store *s = sl_zalloc(1, sizeof(*s));
    enum sl_rc rc = SL_OK;

    s->store.ops = &topic_ops;
    s->transport = transport;
    atomic_store(&s->changed_us, INT64_MIN / 2);
    if (transport->ops->watch)
        rc = transport->ops->watch(transport, SPACE, note_change, s, err);
    if (rc) {
        sl_free(s);
        return rc;
    }
    s->watching = transport->ops->watch != NULL;
    *ret = &s->store;
    return SL_OK;
}
