/* SPDX-License-Identifier: Apache-2.0 */
/* A source's positions: in the log, beside the records that they cover. */
#include "engine/herd/herd_offsets.h"

#include "base/alloc.h"
#include "base/clock.h"

enum { NOTES_AT_ONCE = 500 };

#define WRITTEN_WITHIN_US (30 * INT64_C(1000000))
#define INCARNATIONS "incarnations"

struct stored {
    char **texts; /* partitions, byte for byte as they stand in the log */
    json_t **partitions;
    json_t **offsets;
    size_t n;
    size_t capacity[3];
};

static void see(void *ctx, const char *key, struct sl_span value)
{
    struct stored *stored = ctx;
    json_t *partition = NULL;
    json_t *offset = NULL;
    size_t n = stored->n;

    if (sl_json_parse(key, strlen(key), "a source partition", &partition, NULL) ||
        sl_json_parse((const char *)value.ptr, value.len, "a source offset", &offset, NULL)) {
        json_decref(partition);
        return; /* not a position that could be shown */
    }
    SL_GROW(stored->texts, n, stored->capacity[0]);
    SL_GROW(stored->partitions, n, stored->capacity[1]);
    SL_GROW(stored->offsets, n, stored->capacity[2]);
    stored->texts[n] = sl_strdup(key);
    stored->partitions[n] = partition;
    stored->offsets[n] = offset;
    stored->n++;
}

static void stored_done(struct stored *stored)
{
    for (size_t i = 0; i < stored->n; i++) {
        sl_free(stored->texts[i]);
        json_decref(stored->partitions[i]);
        json_decref(stored->offsets[i]);
    }
    sl_free(stored->texts);
    sl_free(stored->partitions);
    sl_free(stored->offsets);
}

static enum sl_rc read_stored(struct sl_herder *herder, const char *name, struct stored *stored,
                              struct sl_error *err)
{
    struct sl_transport *transport = herder->shared.transport;

    return transport->ops->source_offsets(transport, name, see, stored, err);
}

enum sl_rc sl_herd_source_offsets(struct sl_herder *herder, const char *name, json_t *offsets,
                                  struct sl_error *err)
{
    struct stored stored = {0};
    enum sl_rc rc = read_stored(herder, name, &stored, err);

    for (size_t i = 0; rc == SL_OK && i < stored.n; i++)
        (void)json_array_append_new(
            offsets, json_pack("{s:O, s:O}", "partition", stored.partitions[i], "offset", stored.offsets[i]));
    stored_done(&stored);
    return rc;
}

/* ---- writing ---- */

/* A batch of positions on its way into the log; whoever is last frees it. */
struct delivery {
    pthread_mutex_t lock;
    pthread_cond_t told;
    struct sl_outgoing *outgoing;
    char *connector;
    struct sl_error failure;
    bool done;
    bool left; /* nobody waits any more */
};

static struct delivery *new_delivery(const char *connector)
{
    struct delivery *delivery = sl_zalloc(1, sizeof(*delivery));

    (void)pthread_mutex_init(&delivery->lock, NULL);
    sl_cond_init(&delivery->told);
    delivery->connector = sl_strdup(connector);
    delivery->outgoing = sl_outgoing_new(delivery->connector);
    return delivery;
}

static void free_delivery(struct delivery *delivery)
{
    sl_outgoing_free(delivery->outgoing);
    (void)pthread_cond_destroy(&delivery->told);
    (void)pthread_mutex_destroy(&delivery->lock);
    sl_free(delivery->connector);
    sl_free(delivery);
}

/* On the log writer's thread. */
static void delivered(void *ctx, struct sl_outgoing *outgoing, const struct sl_error *failure)
{
    struct delivery *delivery = ctx;
    bool left;

    (void)outgoing;
    (void)pthread_mutex_lock(&delivery->lock);
    if (failure)
        delivery->failure = *failure;
    delivery->done = true;
    left = delivery->left;
    (void)pthread_cond_signal(&delivery->told);
    (void)pthread_mutex_unlock(&delivery->lock);
    if (left)
        free_delivery(delivery);
}

/* Hand it to the log writer and wait; frees it. */
static enum sl_rc deliver(struct sl_herder *herder, struct delivery *delivery, struct sl_error *err)
{
    int64_t deadline_us = sl_now_us() + WRITTEN_WITHIN_US;
    bool done;

    sl_outgoing_seal(delivery->outgoing);
    delivery->outgoing->done = delivered;
    delivery->outgoing->ctx = delivery;
    sl_log_writer_submit(herder->shared.writer, delivery->outgoing);
    (void)pthread_mutex_lock(&delivery->lock);
    while (!delivery->done && sl_cond_wait(&delivery->told, &delivery->lock, deadline_us))
        continue;
    done = delivery->done;
    delivery->left = !done;
    if (done)
        *err = delivery->failure;
    (void)pthread_mutex_unlock(&delivery->lock);
    if (!done)
        return sl_error_set(
            err, SL_E_TIMEOUT,
            "the log did not take the positions within 30 s. HINT: it may be full; look at the "
            "status, and ask for the offsets before trying again");
    free_delivery(delivery);
    return err->rc;
}

/* The text of a partition as it stands in the log, else as it was given. */
static char *partition_text(const struct stored *stored, const json_t *partition)
{
    struct sl_buf text = {0};
    char *copy;

    for (size_t i = 0; i < stored->n; i++) {
        if (json_equal(stored->partitions[i], partition))
            return sl_strdup(stored->texts[i]);
    }
    sl_json_put(&text, partition);
    copy = sl_strdup(sl_buf_cstr(&text));
    sl_buf_done(&text);
    return copy;
}

/*
 * What is read again must not be taken for a repeat of what was: the partition begins a new incarnation
 * (engine/incarnation.h), which the next start makes.
 */
static enum sl_rc end_incarnation(struct sl_herder *herder, const char *name, const char *partition,
                                  struct sl_error *err)
{
    struct sl_transport *transport = herder->shared.transport;
    char *key = sl_format("%s\n%s", name, partition);
    enum sl_rc rc = transport->ops->put(transport, INCARNATIONS, key, (struct sl_span){0}, err);

    sl_free(key);
    return rc;
}

static enum sl_rc add(struct sl_herder *herder, struct delivery *delivery, const char *partition,
                      const json_t *offset, struct sl_error *err)
{
    const struct sl_span key = {(const uint8_t *)partition, strlen(partition)};
    struct sl_buf text = {0};

    if (json_is_object(offset))
        sl_json_put(&text, offset);
    sl_outgoing_add_offset(delivery->outgoing, key, (struct sl_span){text.data, text.len});
    sl_buf_done(&text);
    return end_incarnation(herder, delivery->connector, partition, err);
}

static void forget_note(void *ctx, const struct sl_note *note)
{
    const struct sl_note forgotten = {.key = note->key};

    sl_outgoing_add_note(ctx, &forgotten);
}

/* A source that begins anew remembers nothing: neither how far a snapshot went nor what is still to be
 * settled. */
static enum sl_rc forget_notes(struct sl_herder *herder, const char *name, struct sl_error *err)
{
    struct sl_transport *transport = herder->shared.transport;
    const struct sl_span start = {(const uint8_t *)"", 0};
    enum sl_rc rc = SL_OK;
    size_t n = 1;

    while (rc == SL_OK && n) {
        struct delivery *delivery = new_delivery(name);

        rc = transport->ops->source_notes(transport, name, start, (struct sl_span){0}, NOTES_AT_ONCE,
                                          forget_note, delivery->outgoing, err);
        n = delivery->outgoing->n_notes;
        if (rc == SL_OK && n)
            rc = deliver(herder, delivery, err);
        else
            free_delivery(delivery);
    }
    return rc;
}

static bool only_scalars(json_t *object)
{
    const char *key;
    json_t *value;

    json_object_foreach(object, key, value)
    {
        (void)key;
        if (json_is_object(value) || json_is_array(value))
            return false;
    }
    return true;
}

static enum sl_rc add_given(struct sl_herder *herder, struct delivery *delivery, const struct stored *stored,
                            const json_t *offsets, struct sl_error *err)
{
    enum sl_rc rc = SL_OK;

    for (size_t i = 0; rc == SL_OK && i < json_array_size(offsets); i++) {
        json_t *entry = json_array_get(offsets, i);
        json_t *partition = json_object_get(entry, "partition");
        char *text = partition_text(stored, partition);

        if (!only_scalars(partition) || !only_scalars(json_object_get(entry, "offset")))
            rc = sl_error_set(
                err, SL_E_CONFIG,
                "entry %zu of the offsets holds an object or an array; partitions and offsets of "
                "sources hold texts, numbers and booleans",
                i);
        else
            rc = add(herder, delivery, text, json_object_get(entry, "offset"), err);
        sl_free(text);
    }
    return rc;
}

enum sl_rc sl_herd_change_source(struct sl_herder *herder, const struct sl_connector *connector,
                                 const json_t *offsets, struct sl_error *err)
{
    struct delivery *delivery = new_delivery(connector->name);
    struct stored stored = {0};
    enum sl_rc rc = read_stored(herder, connector->name, &stored, err);

    if (rc == SL_OK && offsets)
        rc = add_given(herder, delivery, &stored, offsets, err);
    for (size_t i = 0; rc == SL_OK && !offsets && i < stored.n; i++)
        rc = add(herder, delivery, stored.texts[i], NULL, err);
    stored_done(&stored);
    if (rc == SL_OK && !offsets)
        rc = forget_notes(herder, connector->name, err);
    if (rc == SL_OK && delivery->outgoing->n_offsets)
        return deliver(herder, delivery, err);
    free_delivery(delivery);
    return rc;
}
