/* SPDX-License-Identifier: Apache-2.0 */
#include "base/backoff.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/thread.h"
#include "registry/book_inside.h"

#include <openssl/evp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* How long a change waits for its turn, and how often it looks; looking asks nobody. */
enum { TRY_US = 60 * 1000 * 1000, FIRST_WAIT_US = 20 * 1000, LONGEST_WAIT_US = 250 * 1000 };

/* ---- refusals ---- */

void *sl_refuse(struct sl_refusal *refusal, int status, int code, const char *format, ...)
{
    va_list args;
    char *message;

    va_start(args, format);
    message = sl_vformat(format, args);
    va_end(args);
    sl_free(refusal->message);
    refusal->status = status;
    refusal->code = code;
    refusal->message = message;
    return NULL;
}

void *sl_refuse_subject(struct sl_refusal *refusal, const char *subject)
{
    return sl_refuse(refusal, 404, 40401, "Subject '%s' not found.", subject);
}

void *sl_refuse_version(struct sl_refusal *refusal, int32_t version)
{
    return version == SL_REGISTRY_LATEST ? sl_refuse(refusal, 404, 40402, "Version latest not found.")
                                         : sl_refuse(refusal, 404, 40402, "Version %d not found.", version);
}

static void refuse_store(struct sl_refusal *refusal, const struct sl_error *cause)
{
    refusal->rc = cause->rc;
    refusal->cause = *cause;
    (void)sl_refuse(refusal, 500, 50001, "Error in the backend data store: %s", cause->text);
}

void sl_refusal_done(struct sl_refusal *refusal)
{
    sl_free(refusal->message);
    *refusal = (struct sl_refusal){0};
}

enum sl_rc sl_refusal_error(const struct sl_refusal *refusal, struct sl_error *err)
{
    enum sl_rc rc = SL_E_INTERNAL;

    if (refusal->rc) {
        if (err)
            *err = refusal->cause;
        return refusal->rc;
    }
    if (refusal->status == 404)
        rc = SL_E_NOT_FOUND;
    else if (refusal->status == 409 || refusal->code == 42201 || refusal->code == 42209)
        rc = SL_E_DATA;
    else if (refusal->status < 500)
        rc = SL_E_CONFIG;
    if (!*refusal->hint)
        return sl_error_set(err, rc, "%s", refusal->message ? refusal->message : "the registry refused");
    /* The reason first: an error's text is short, and the registry's can be very long. */
    return sl_error_set(err, rc,
                        "%.*s. %s. HINT: make the change one that the compatibility level allows (a "
                        "new column needs a default), or set another level with PUT /config/<subject>",
                        (int)strcspn(refusal->message, ","), refusal->message, refusal->hint);
}

/* ---- opening and the lock ---- */

static enum sl_rc load(struct sl_schema_book *book, struct sl_error *err)
{
    struct sl_catalog fresh = {0};
    enum sl_rc rc = book->store->ops->load(book->store, &fresh, err);

    if (rc) {
        sl_catalog_done(&fresh);
        return rc;
    }
    /* An id that was handed out once stays taken for the life of the process. */
    if (fresh.last_id < book->catalog.last_id)
        fresh.last_id = book->catalog.last_id;
    sl_catalog_done(&book->catalog);
    book->catalog = fresh;
    return SL_OK;
}

enum sl_rc sl_schema_book_open(struct sl_schema_store *store, struct sl_schema_book **ret,
                               struct sl_error *err)
{
    struct sl_schema_book *book = sl_zalloc(1, sizeof(*book));
    enum sl_rc rc;

    (void)pthread_mutex_init(&book->lock, NULL);
    book->store = store;
    rc = load(book, err);
    if (rc) {
        sl_schema_book_close(book);
        return rc;
    }
    *ret = book;
    return SL_OK;
}

void sl_schema_book_close(struct sl_schema_book *book)
{
    book->store->ops->close(book->store);
    sl_catalog_done(&book->catalog);
    (void)pthread_mutex_destroy(&book->lock);
    sl_free(book);
}

bool sl_book_enter(struct sl_schema_book *book, struct sl_refusal *refusal)
{
    struct sl_error err = {0};

    (void)pthread_mutex_lock(&book->lock);
    if (!book->store->ops->changed || !book->store->ops->changed(book->store) || load(book, &err) == SL_OK)
        return true;
    (void)pthread_mutex_unlock(&book->lock);
    refuse_store(refusal, &err);
    return false;
}

void sl_book_leave(struct sl_schema_book *book)
{
    (void)pthread_mutex_unlock(&book->lock);
}

static bool prepare(struct sl_schema_book *book, struct sl_refusal *refusal)
{
    struct sl_error err = {0};
    bool stale = false;
    enum sl_rc rc = SL_OK;

    if (book->store->ops->prepare)
        rc = book->store->ops->prepare(book->store, &stale, &err);
    if (!rc && (stale || (book->store->ops->changed && book->store->ops->changed(book->store))))
        rc = load(book, &err);
    if (rc)
        refuse_store(refusal, &err);
    return rc == SL_OK;
}

json_t *sl_book_write(struct sl_schema_book *book, sl_book_action *action, const void *arg,
                      struct sl_refusal *refusal)
{
    struct sl_backoff backoff = {.base_us = FIRST_WAIT_US, .max_us = LONGEST_WAIT_US};
    int64_t deadline_us = sl_now_us() + TRY_US;
    struct sl_stop never;
    json_t *answer = NULL;

    sl_stop_init(&never);
    do {
        sl_refusal_done(refusal);
        (void)pthread_mutex_lock(&book->lock);
        answer = prepare(book, refusal) ? action(book, arg, refusal) : NULL;
        (void)pthread_mutex_unlock(&book->lock);
        if (answer || refusal->rc != SL_E_FENCED)
            break;
        /* Two that write at the same moment take it from one another: one of them waits a little longer. */
        (void)sl_stop_wait(&never, sl_now_us() + sl_backoff_next_us(&backoff));
    } while (sl_now_us() < deadline_us);
    sl_stop_done(&never);
    if (refusal->rc == SL_E_FENCED)
        refusal->rc =
            sl_error_set(&refusal->cause, SL_E_BUSY,
                         "other workers write to the schema registry all the time; it is tried again");
    return answer;
}

static void apply(struct sl_catalog *catalog, const struct sl_schema_change *change)
{
    switch (change->kind) {
    case SL_CHANGE_VERSION:
        sl_catalog_put_version(catalog, change->subject, change->version, change->id, &change->schema,
                               change->deleted);
        break;
    case SL_CHANGE_DROP: sl_catalog_drop_version(catalog, change->subject, change->version); break;
    case SL_CHANGE_SETTING: sl_catalog_set(catalog, change->subject, change->setting, change->value); break;
    }
}

bool sl_book_commit(struct sl_schema_book *book, const struct sl_schema_change *changes, size_t n,
                    struct sl_refusal *refusal)
{
    struct sl_error err = {0};

    if (book->store->ops->save(book->store, changes, n, &err)) {
        refuse_store(refusal, &err);
        return false;
    }
    for (size_t i = 0; i < n; i++)
        apply(&book->catalog, &changes[i]);
    return true;
}

/* ---- answers ---- */

static void hash_references(EVP_MD_CTX *hash, const char *references)
{
    json_t *list = json_loads(references, 0, NULL);

    for (size_t i = 0; i < json_array_size(list); i++) {
        json_t *reference = json_array_get(list, i);
        const char *name = json_string_value(json_object_get(reference, "name"));
        const char *subject = json_string_value(json_object_get(reference, "subject"));
        uint32_t version =
            __builtin_bswap32((uint32_t)json_integer_value(json_object_get(reference, "version")));

        SL_ASSERT(EVP_DigestUpdate(hash, name ? name : "", name ? strlen(name) : 0) == 1 &&
                  EVP_DigestUpdate(hash, subject ? subject : "", subject ? strlen(subject) : 0) == 1 &&
                  EVP_DigestUpdate(hash, &version, sizeof(version)) == 1);
    }
    json_decref(list);
}

void sl_schema_guid(const struct sl_schema_text *schema, char ret[37])
{
    EVP_MD_CTX *hash = EVP_MD_CTX_new();
    uint8_t md5[16];
    size_t at = 0;

    SL_ASSERT(hash && EVP_DigestInit_ex(hash, EVP_md5(), NULL) == 1 &&
              EVP_DigestUpdate(hash, schema->text, strlen(schema->text)) == 1);
    if (schema->references)
        hash_references(hash, schema->references);
    /* Confluent hashes metadata in a form of its own; here the text that is kept is taken. */
    if (schema->extra)
        SL_ASSERT(EVP_DigestUpdate(hash, schema->extra, strlen(schema->extra)) == 1);
    SL_ASSERT(EVP_DigestFinal_ex(hash, md5, NULL) == 1);
    EVP_MD_CTX_free(hash);
    for (size_t i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            ret[at++] = '-';
        at += (size_t)snprintf(ret + at, 37 - at, "%02x", md5[i]);
    }
}

json_t *sl_book_describe(const struct sl_schema_entry *entry, const char *subject, int32_t version)
{
    json_t *answer = json_object();
    json_t *extra = entry->schema.extra ? json_loads(entry->schema.extra, 0, NULL) : NULL;
    char guid[37];

    if (subject) {
        (void)json_object_set_new(answer, "subject", json_string(subject));
        (void)json_object_set_new(answer, "version", json_integer(version));
        (void)json_object_set_new(answer, "id", json_integer(entry->id));
    }
    sl_schema_guid(&entry->schema, guid);
    (void)json_object_set_new(answer, "guid", json_string(guid));
    if (entry->schema.references)
        (void)json_object_set_new(answer, "references", json_loads(entry->schema.references, 0, NULL));
    if (extra)
        (void)json_object_update(answer, extra);
    json_decref(extra);
    (void)json_object_set_new(answer, "schema", json_string(entry->schema.text));
    return answer;
}

struct sl_schema_version *sl_book_find_version(struct sl_schema_book *book, const char *subject_name,
                                               int32_t version, bool deleted, struct sl_refusal *refusal)
{
    struct sl_schema_subject *subject = sl_catalog_subject(&book->catalog, subject_name);
    struct sl_schema_version *found;

    if (!subject || subject->n_versions == 0 || (!deleted && !sl_subject_latest(subject)))
        return sl_refuse_subject(refusal, subject_name);
    if (version == SL_REGISTRY_LATEST)
        found = deleted ? &subject->versions[subject->n_versions - 1] : sl_subject_latest(subject);
    else
        found = sl_subject_version(subject, version);
    if (!found || (found->deleted && !deleted))
        return sl_refuse_version(refusal, version);
    return found;
}
