/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/http.h"

#include "base/backoff.h"
#include "base/clock.h"
#include "base/thread.h"
#include "base/pointer_map.h"
#include "net/http/client.h"

#include <jansson.h>
#include <stdatomic.h>
#include <string.h>

#define MEDIA "application/vnd.schemaregistry.v1+json"

enum { MAX_REFERENCE_DEPTH = 32, MAX_REFERENCES = 500, EXPLANATION = 300 };

/* The id that a text has in a subject. */
struct known_id {
    char *subject;
    char *text;
    bool normalize;
    int32_t id;
    struct known_id *next; /* of the same hash */
};

struct http {
    struct sl_registry registry;
    struct sl_registry_http_config config;
    struct sl_http_client *client;
    const char *headers[4];
    char *authorization;
    struct sl_stop stop;
    _Atomic size_t current;        /* the address that answered last */
    pthread_mutex_t lock;          /* guards the maps */
    struct sl_pointer_map by_id;   /* struct sl_registry_found */
    struct sl_pointer_map by_text; /* struct known_id */
};

/* ---- asking ---- */

struct question {
    const char *method;
    const char *path; /* behind the address, escaped */
    const char *body; /* NULL: none */
};

static bool worth_retrying(int status)
{
    return status >= 500 || status == 408 || status == 429;
}

/* Ask each address once, beginning with the one that answered last. */
static enum sl_rc ask_round(struct http *h, const struct question *question, struct sl_http_reply *reply,
                            struct sl_error *err)
{
    size_t first = atomic_load(&h->current);
    enum sl_rc rc = SL_OK;

    for (size_t i = 0; i < h->config.n_urls; i++) {
        size_t at = (first + i) % h->config.n_urls;
        char *url = sl_format("%s%s", h->config.urls[at], question->path);
        const struct sl_http_call call = {
            .method = question->method,
            .url = url,
            .headers = h->headers,
            .user = h->config.user,
            .password = h->config.password,
            .body = question->body,
            .body_len = question->body ? strlen(question->body) : 0,
        };

        rc = sl_http_client_ask(h->client, &call, reply, err);
        sl_free(url);
        if (rc == SL_OK && !worth_retrying(reply->status)) {
            atomic_store(&h->current, at);
            return SL_OK;
        }
        if (rc && sl_rc_kind(rc) != SL_KIND_TRANSIENT)
            return rc;
    }
    return rc;
}

/* Rounds until there is an answer, or the retries are used up. */
static enum sl_rc ask(struct http *h, const struct question *question, struct sl_http_reply *reply,
                      struct sl_error *err)
{
    struct sl_backoff backoff = {.base_us = h->config.retries_wait_ms * 1000,
                                 .max_us = h->config.retries_max_wait_ms * 1000};
    enum sl_rc rc;

    for (int tries = 0;; tries++) {
        rc = ask_round(h, question, reply, err);
        if (rc == SL_OK && !worth_retrying(reply->status))
            return SL_OK;
        if ((rc && sl_rc_kind(rc) != SL_KIND_TRANSIENT) || tries >= h->config.max_retries)
            break;
        if (backoff.base_us > 0 && sl_stop_wait(&h->stop, sl_now_us() + sl_backoff_next_us(&backoff)))
            return sl_error_set(err, SL_E_STOPPED, "the schema registry was asked to stop");
    }
    if (rc)
        return sl_error_wrap(err, "the schema registry");
    return SL_OK;
}

/*
 * What the registry says itself, without the earlier schema that it adds at great length. What is no
 * registry's answer is not quoted: whoever may name an address would read other servers' pages through us.
 */
static void explain(const struct sl_http_reply *reply, json_t *json, char *ret, size_t size)
{
    const char *message = json_string_value(json_object_get(json, "message"));
    const char *end;
    size_t len;

    if (!message) {
        (void)snprintf(ret, size, "an answer of %zu bytes that is not a schema registry's", reply->body.len);
        return;
    }
    end = strstr(message, ", {oldSchema");
    len = end ? (size_t)(end - message) : strlen(message);
    (void)snprintf(ret, size, "%.*s", len < size ? (int)len : (int)size - 1, message);
}

static enum sl_rc refused(struct http *h, struct sl_http_reply *reply, json_t *json, struct sl_error *err)
{
    long long code = json_integer_value(json_object_get(json, "error_code"));
    const char *url = h->config.urls[atomic_load(&h->current)];
    enum sl_rc rc = SL_E_CONFIG;
    const char *hint = "";
    char text[EXPLANATION];

    explain(reply, json, text, sizeof(text));
    if (reply->status == 401 || reply->status == 403) {
        rc = SL_E_AUTH;
        hint = ". HINT: check basic.auth.* or bearer.auth.* of the converter";
    } else if (reply->status == 404) {
        rc = SL_E_NOT_FOUND;
    } else if (reply->status == 409 || (reply->status == 422 && code != 42205)) {
        rc = SL_E_DATA;
    } else if (worth_retrying(reply->status)) {
        rc = SL_E_BUSY;
    } else if (reply->status < 400) {
        rc = SL_E_PROTOCOL;
    }
    return sl_error_set(err, rc, "%s (schema registry %s, status %d, code %lld)%s", *text ? text : "refused",
                        url, reply->status, code, hint);
}

/* The answer's JSON, or the refusal as an error. */
static enum sl_rc ask_json(struct http *h, const struct question *question, json_t **ret,
                           struct sl_error *err)
{
    struct sl_http_reply reply = {0};
    json_t *json;
    enum sl_rc rc = ask(h, question, &reply, err);

    if (rc) {
        sl_http_reply_done(&reply);
        return rc;
    }
    json = json_loadb((const char *)reply.body.data, reply.body.len, JSON_DECODE_ANY, NULL);
    if (reply.status != 200 || !json) {
        rc = refused(h, &reply, json, err);
        json_decref(json);
        json = NULL;
    }
    sl_http_reply_done(&reply);
    *ret = json;
    return rc;
}

static void put_subject(struct sl_buf *path, const char *subject)
{
    sl_buf_text(path, "/subjects/");
    sl_http_put_escaped(path, subject, strlen(subject));
}

/* ---- what is known already ---- */

static uint64_t hash_text(const char *subject, const char *text, bool normalize)
{
    return sl_hash_bytes(text, strlen(text), sl_hash_text(subject) + normalize);
}

static bool find_known(struct http *h, const char *subject, const char *text, bool normalize, int32_t *ret_id)
{
    struct known_id *known;

    (void)pthread_mutex_lock(&h->lock);
    known = sl_pointer_map_get(&h->by_text, hash_text(subject, text, normalize));
    while (known && (known->normalize != normalize || strcmp(known->subject, subject) != 0 ||
                     strcmp(known->text, text) != 0))
        known = known->next;
    if (known)
        *ret_id = known->id;
    (void)pthread_mutex_unlock(&h->lock);
    return known != NULL;
}

static void remember_id(struct http *h, const char *subject, const char *text, bool normalize, int32_t id)
{
    struct known_id *known = sl_zalloc(1, sizeof(*known));
    struct known_id *first;

    *known = (struct known_id){
        .subject = sl_strdup(subject), .text = sl_strdup(text), .normalize = normalize, .id = id};
    (void)pthread_mutex_lock(&h->lock);
    first = sl_pointer_map_get(&h->by_text, hash_text(subject, text, normalize));
    if (first) {
        known->next = first->next;
        first->next = known;
    } else {
        sl_pointer_map_put(&h->by_text, hash_text(subject, text, normalize), known);
    }
    (void)pthread_mutex_unlock(&h->lock);
}

static void copy_found(const struct sl_registry_found *from, struct sl_registry_found *ret)
{
    *ret = (struct sl_registry_found){
        .id = from->id, .version = from->version, .text = sl_strdup(from->text), .n_before = from->n_before};
    ret->before = from->n_before ? sl_alloc(from->n_before * sizeof(*ret->before)) : NULL;
    for (size_t i = 0; i < from->n_before; i++)
        ret->before[i] = sl_strdup(from->before[i]);
}

static bool find_schema(struct http *h, int32_t id, struct sl_registry_found *ret)
{
    const struct sl_registry_found *found;

    (void)pthread_mutex_lock(&h->lock);
    found = sl_pointer_map_get(&h->by_id, (uint32_t)id);
    if (found)
        copy_found(found, ret);
    (void)pthread_mutex_unlock(&h->lock);
    return found != NULL;
}

static void remember_schema(struct http *h, const struct sl_registry_found *found)
{
    struct sl_registry_found *kept;

    (void)pthread_mutex_lock(&h->lock);
    if (!sl_pointer_map_get(&h->by_id, (uint32_t)found->id)) {
        kept = sl_alloc(sizeof(*kept));
        copy_found(found, kept);
        kept->version = 0;
        sl_pointer_map_put(&h->by_id, (uint32_t)found->id, kept);
    }
    (void)pthread_mutex_unlock(&h->lock);
}

/* ---- registering and looking up ---- */

static enum sl_rc post_schema(struct http *h, const char *subject, const char *text, bool normalize, bool add,
                              int32_t *ret_id, struct sl_error *err)
{
    json_t *body = json_pack("{s:s}", "schema", text);
    char *body_text = body ? json_dumps(body, JSON_COMPACT) : NULL;
    struct sl_buf path = {0};
    json_t *answer = NULL;
    json_t *id;
    enum sl_rc rc;

    json_decref(body);
    if (!body_text)
        return sl_error_set(err, SL_E_DATA, "the schema's text is not UTF-8");
    put_subject(&path, subject);
    sl_buf_text(&path, add ? "/versions" : "");
    sl_buf_text(&path, normalize ? "?normalize=true" : "");
    rc = ask_json(h, &(struct question){"POST", sl_buf_cstr(&path), body_text}, &answer, err);
    sl_free(body_text);
    sl_buf_done(&path);
    if (rc)
        return rc;
    id = json_object_get(answer, "id");
    if (json_is_integer(id) && json_integer_value(id) >= 0 && json_integer_value(id) <= INT32_MAX)
        *ret_id = (int32_t)json_integer_value(id);
    else
        rc = sl_error_set(err, SL_E_PROTOCOL, "the schema registry %s gave no id for a schema",
                          h->config.urls[atomic_load(&h->current)]);
    json_decref(answer);
    return rc;
}

static enum sl_rc find_id(struct sl_registry *registry, const char *subject, const char *text, bool normalize,
                          bool add, int32_t *ret_id, struct sl_error *err)
{
    struct http *h = (struct http *)registry;
    enum sl_rc rc;

    if (find_known(h, subject, text, normalize, ret_id))
        return SL_OK;
    rc = post_schema(h, subject, text, normalize, add, ret_id, err);
    if (rc == SL_OK)
        remember_id(h, subject, text, normalize, *ret_id);
    return rc;
}

static enum sl_rc register_schema(struct sl_registry *registry, const char *subject, const char *text,
                                  bool normalize, int32_t *ret_id, struct sl_error *err)
{
    return find_id(registry, subject, text, normalize, true, ret_id, err);
}

static enum sl_rc look_up(struct sl_registry *registry, const char *subject, const char *text, bool normalize,
                          int32_t *ret_id, struct sl_error *err)
{
    return find_id(registry, subject, text, normalize, false, ret_id, err);
}

/* ---- schemas by id and version ---- */

static enum sl_rc fetch_references(struct http *h, json_t *references, int depth,
                                   struct sl_registry_found *found, struct sl_error *err);

static enum sl_rc fetch_reference(struct http *h, json_t *reference, int depth,
                                  struct sl_registry_found *found, struct sl_error *err)
{
    const char *subject = json_string_value(json_object_get(reference, "subject"));
    struct sl_buf path = {0};
    json_t *answer = NULL;
    const char *text;
    enum sl_rc rc;

    if (!subject)
        return sl_error_set(err, SL_E_PROTOCOL, "a schema reference of the registry names no subject");
    put_subject(&path, subject);
    sl_buf_format(&path, "/versions/%lld?deleted=true",
                  (long long)json_integer_value(json_object_get(reference, "version")));
    rc = ask_json(h, &(struct question){"GET", sl_buf_cstr(&path), NULL}, &answer, err);
    sl_buf_done(&path);
    if (rc)
        return rc;
    rc = fetch_references(h, json_object_get(answer, "references"), depth + 1, found, err);
    text = json_string_value(json_object_get(answer, "schema"));
    for (size_t i = 0; text && i < found->n_before; i++) {
        if (strcmp(found->before[i], text) == 0)
            text = NULL;
    }
    if (rc == SL_OK && text) {
        found->before = sl_realloc(found->before, found->n_before + 1, sizeof(*found->before));
        found->before[found->n_before++] = sl_strdup(text);
    }
    json_decref(answer);
    return rc;
}

static enum sl_rc fetch_references(struct http *h, json_t *references, int depth,
                                   struct sl_registry_found *found, struct sl_error *err)
{
    enum sl_rc rc = SL_OK;

    if (depth > MAX_REFERENCE_DEPTH || found->n_before + json_array_size(references) > MAX_REFERENCES)
        return sl_error_set(err, SL_E_DATA, "a schema has too many references, or they are nested too deep");
    for (size_t i = 0; i < json_array_size(references) && rc == SL_OK; i++)
        rc = fetch_reference(h, json_array_get(references, i), depth, found, err);
    return rc;
}

/* A schema as the registry tells it; id is known when it was asked for. */
static enum sl_rc read_schema(struct http *h, json_t *answer, int32_t id, struct sl_registry_found *ret,
                              struct sl_error *err)
{
    struct sl_registry_found found = {.id = id};
    const char *text = json_string_value(json_object_get(answer, "schema"));
    const char *type = json_string_value(json_object_get(answer, "schemaType"));
    enum sl_rc rc;

    if (!text)
        return sl_error_set(err, SL_E_PROTOCOL, "the schema registry gave no text for schema id %d", id);
    if (type && strcmp(type, "AVRO") != 0)
        return sl_error_set(err, SL_E_DATA,
                            "schema id %d is %.20s, not Avro. HINT: was the topic written by "
                            "another converter?",
                            id, type);
    if (id < 0)
        found.id = (int32_t)json_integer_value(json_object_get(answer, "id"));
    found.version = (int32_t)json_integer_value(json_object_get(answer, "version"));
    found.text = sl_strdup(text);
    rc = fetch_references(h, json_object_get(answer, "references"), 0, &found, err);
    if (rc) {
        sl_registry_found_done(&found);
        return rc;
    }
    remember_schema(h, &found);
    *ret = found;
    return SL_OK;
}

static enum sl_rc schema_by_id(struct sl_registry *registry, int32_t id, const char *subject,
                               struct sl_registry_found *ret, struct sl_error *err)
{
    struct http *h = (struct http *)registry;
    struct sl_buf path = {0};
    json_t *answer = NULL;
    enum sl_rc rc;

    if (find_schema(h, id, ret))
        return SL_OK;
    sl_buf_format(&path, "/schemas/ids/%d?fetchMaxId=false", id);
    if (subject) {
        sl_buf_text(&path, "&subject=");
        sl_http_put_escaped(&path, subject, strlen(subject));
    }
    rc = ask_json(h, &(struct question){"GET", sl_buf_cstr(&path), NULL}, &answer, err);
    sl_buf_done(&path);
    if (rc)
        return rc;
    rc = read_schema(h, answer, id, ret, err);
    if (rc == SL_OK)
        ret->version = 0;
    json_decref(answer);
    return rc;
}

static enum sl_rc version(struct sl_registry *registry, const char *subject, int32_t number,
                          struct sl_registry_found *ret, struct sl_error *err)
{
    struct http *h = (struct http *)registry;
    struct sl_buf path = {0};
    json_t *answer = NULL;
    enum sl_rc rc;

    put_subject(&path, subject);
    if (number == SL_REGISTRY_LATEST)
        sl_buf_text(&path, "/versions/latest");
    else
        sl_buf_format(&path, "/versions/%d", number);
    rc = ask_json(h, &(struct question){"GET", sl_buf_cstr(&path), NULL}, &answer, err);
    sl_buf_done(&path);
    if (rc)
        return rc;
    rc = read_schema(h, answer, -1, ret, err);
    json_decref(answer);
    return rc;
}

/* ---- its life ---- */

static void free_found(void *pointer)
{
    sl_registry_found_done(pointer);
    sl_free(pointer);
}

static void free_known(void *pointer)
{
    struct known_id *known = pointer;

    while (known) {
        struct known_id *next = known->next;

        sl_free(known->subject);
        sl_free(known->text);
        sl_free(known);
        known = next;
    }
}

static void close_http(struct sl_registry *registry)
{
    struct http *h = (struct http *)registry;

    sl_http_client_free(h->client);
    sl_pointer_map_done(&h->by_id, free_found);
    sl_pointer_map_done(&h->by_text, free_known);
    if (h->authorization)
        explicit_bzero(h->authorization, strlen(h->authorization));
    sl_free(h->authorization);
    sl_registry_http_config_done(&h->config);
    sl_stop_done(&h->stop);
    (void)pthread_mutex_destroy(&h->lock);
    sl_free(h);
}

static void stop_http(struct sl_registry *registry)
{
    struct http *h = (struct http *)registry;

    sl_stop_request(&h->stop);
    sl_http_client_stop(h->client);
}

static const struct sl_registry_ops http_ops = {
    .name = "http",
    .register_schema = register_schema,
    .look_up = look_up,
    .schema_by_id = schema_by_id,
    .version = version,
    .stop = stop_http,
    .close = close_http,
};

struct sl_registry *sl_registry_http_new(struct sl_registry_http_config *config)
{
    struct http *h = sl_zalloc(1, sizeof(*h));
    size_t n = 0;

    h->registry.ops = &http_ops;
    h->config = *config;
    *config = (struct sl_registry_http_config){0};
    sl_stop_init(&h->stop);
    (void)pthread_mutex_init(&h->lock, NULL);
    h->client = sl_http_client_new(&(struct sl_http_client_settings){
        .connect_timeout_ms = h->config.connect_timeout_ms,
        .read_timeout_ms = h->config.read_timeout_ms,
        .proxy = h->config.proxy,
        .any_name = h->config.tls.any_name,
        .tls = sl_http_stores_apply,
        .tls_ctx = &h->config.tls,
    });
    h->headers[n++] = "Content-Type: " MEDIA;
    h->headers[n++] = "Accept: " MEDIA ", application/vnd.schemaregistry+json, application/json";
    if (h->config.bearer) {
        h->authorization = sl_format("Authorization: Bearer %s", h->config.bearer);
        h->headers[n++] = h->authorization;
    }
    return &h->registry;
}
