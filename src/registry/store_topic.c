/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The registry in a keyed space of the transport, in the shapes that Confluent's registry gives its topic
 * _schemas (the classes ...Key and ...Value of its storage): a worker of ours goes on with a topic that it
 * finds, and theirs with ours. Only one writes at a time: whoever wants to claims the space, reads to its end
 * and then decides, so that two workers never hand out one id for two schemas.
 *
 * The claim alone would be safe, but not lively: taking it lasts a second, in which a second worker takes it
 * away again, and so on for ever. So workers take turns: who wants to write says so in the space
 * "schema-turns", and the first in the log's order goes first. A turn lasts as long as its owner writes, and
 * is over at once for an owner that is silent. Everybody judges that by his own clock: where two judge
 * differently, the claim decides, and one of them begins again.
 */
#include "base/alloc.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/thread.h"
#include "base/uuid.h"
#include "registry/store.h"
#include "registry/turn.h"
#include "sluice/transport.h"

#include <jansson.h>
#include <stdatomic.h>

#define SPACE "schemas"
#define CLAIM "sluice-schemas"

#define TURNS "schema-turns"

enum { TOLD_US = 2 * 1000 * 1000 /* until what was written is told to the watchers */ };

struct store {
    struct sl_schema_store store;
    struct sl_transport *transport;
    _Atomic bool changed; /* somebody wrote since the last load; ourselves too */
    bool claimed;
    bool watching;

    char self[SL_UUID_TEXT_SIZE]; /* our name in the turns, of this process alone */
    pthread_mutex_t lock;         /* guards the rest */
    pthread_cond_t told;
    struct sl_turn turn;
    uint64_t asked; /* how many of our own requests for a turn were told to us */
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
    (void)pthread_mutex_lock(&s->lock);
    sl_turn_written(&s->turn, sl_now_us());
    (void)pthread_mutex_unlock(&s->lock);
    atomic_store(&s->changed, true);
}

static bool changed(struct sl_schema_store *store)
{
    return atomic_load(&((struct store *)store)->changed);
}

/* ---- writing ---- */

static void note_turn(void *ctx, const char *key, struct sl_span value)
{
    struct store *s = ctx;
    char who[SL_UUID_TEXT_SIZE] = "";

    (void)key;
    if (!value.ptr || value.len != sizeof(who) - 1)
        return;
    memcpy(who, value.ptr, value.len);
    (void)pthread_mutex_lock(&s->lock);
    sl_turn_asked(&s->turn, who, sl_now_us());
    s->asked += strcmp(who, s->self) == 0;
    (void)pthread_cond_broadcast(&s->told);
    (void)pthread_mutex_unlock(&s->lock);
}

static enum sl_turn_whose whose_turn(struct store *s)
{
    enum sl_turn_whose whose;

    (void)pthread_mutex_lock(&s->lock);
    whose = sl_turn_whose(&s->turn, s->self, sl_now_us());
    (void)pthread_mutex_unlock(&s->lock);
    return whose;
}

/* Ask for a turn, and wait until the log has said who came first. */
static enum sl_rc ask_for_turn(struct store *s, struct sl_error *err)
{
    const struct sl_span self = {(const uint8_t *)s->self, strlen(s->self)};
    int64_t deadline_us;
    uint64_t asked;
    enum sl_rc rc;

    (void)pthread_mutex_lock(&s->lock);
    asked = s->asked;
    (void)pthread_mutex_unlock(&s->lock);
    rc = s->transport->ops->put(s->transport, TURNS, "turn", self, err);
    deadline_us = sl_now_us() + TOLD_US;
    (void)pthread_mutex_lock(&s->lock);
    while (rc == SL_OK && s->asked == asked && sl_cond_wait(&s->told, &s->lock, deadline_us))
        continue;
    (void)pthread_mutex_unlock(&s->lock);
    return rc;
}

static enum sl_rc prepare(struct sl_schema_store *store, bool *ret_stale, struct sl_error *err)
{
    struct store *s = (struct store *)store;
    enum sl_turn_whose whose = s->watching ? whose_turn(s) : SL_TURN_OURS;
    enum sl_rc rc = SL_OK;

    if (s->claimed && whose != SL_TURN_ANOTHERS)
        return SL_OK;
    s->claimed = false;
    if (whose == SL_TURN_NOBODYS) {
        rc = ask_for_turn(s, err);
        whose = whose_turn(s);
    }
    if (rc == SL_OK && whose != SL_TURN_OURS)
        rc = sl_error_set(err, SL_E_FENCED, "another worker is writing to the schema registry");
    if (rc == SL_OK && s->transport->ops->claim)
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

    if (s->watching) {
        (void)s->transport->ops->watch(s->transport, SPACE, NULL, s, NULL);
        (void)s->transport->ops->watch(s->transport, TURNS, NULL, s, NULL);
    }
    (void)pthread_cond_destroy(&s->told);
    (void)pthread_mutex_destroy(&s->lock);
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
    struct sl_uuid self;
    enum sl_rc rc = SL_OK;

    s->store.ops = &topic_ops;
    s->transport = transport;
    sl_uuid_new(&self);
    sl_uuid_format(&self, s->self);
    (void)pthread_mutex_init(&s->lock, NULL);
    sl_cond_init(&s->told);
    s->watching = transport->ops->watch != NULL;
    if (s->watching)
        rc = transport->ops->watch(transport, SPACE, note_change, s, err);
    if (rc == SL_OK && s->watching)
        rc = transport->ops->watch(transport, TURNS, note_turn, s, err);
    if (rc) {
        close_store(&s->store);
        return rc;
    }
    *ret = &s->store;
    return SL_OK;
}
