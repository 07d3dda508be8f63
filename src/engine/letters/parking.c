/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/letters/parking.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/json.h"
#include "engine/decoder.h"
#include "engine/letters/dead_letters.h"
#include "engine/letters/letter.h"

#include <openssl/sha.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

enum { LONGEST_KEY = 64 /* bytes that are written as they are; longer ones by their SHA-256 */ };

#define SPACE "parked"

struct spot {
    char *name;
    uint64_t hash;
    int32_t partition;
    int64_t offset; /* of the first letter: what comes behind it waits */
};

struct sl_parking {
    struct sl_transport *transport;
    const char *connector;
    _Atomic uint64_t generation;
    pthread_mutex_t lock; /* guards the rest */
    struct spot *spots;   /* a walk over the hashes: few keys are ever parked */
    size_t n, capacity;
};

char *sl_parking_name(const char *connector, const struct sl_topic *topic, struct sl_span key)
{
    static const char digits[] = "0123456789abcdef";
    uint8_t digest[SHA256_DIGEST_LENGTH];
    struct sl_buf out = {0};
    char *name;

    if (!key.ptr)
        return NULL;
    if (key.len > LONGEST_KEY) {
        (void)SHA256(key.ptr, key.len, digest);
        key = (struct sl_span){digest, sizeof(digest)};
    }
    sl_buf_format(&out, "%s/%s/%s", connector, topic->name, key.ptr == digest ? "sha256:" : "");
    for (size_t i = 0; i < key.len; i++)
        sl_buf_put(&out, (const char[]){digits[key.ptr[i] >> 4], digits[key.ptr[i] & 15]}, 2);
    name = sl_strdup(sl_buf_cstr(&out));
    sl_buf_done(&out);
    return name;
}

/* ---- the set ---- */

static struct spot *find(struct sl_parking *parking, const char *name)
{
    uint64_t hash = sl_hash_text(name);

    for (size_t i = 0; i < parking->n; i++) {
        if (parking->spots[i].hash == hash && strcmp(parking->spots[i].name, name) == 0)
            return &parking->spots[i];
    }
    return NULL;
}

static void add(struct sl_parking *parking, const char *name, int32_t partition, int64_t offset)
{
    SL_GROW(parking->spots, parking->n, parking->capacity);
    parking->spots[parking->n++] = (struct spot){
        .name = sl_strdup(name), .hash = sl_hash_text(name), .partition = partition, .offset = offset};
}

static void clear(struct sl_parking *parking)
{
    for (size_t i = 0; i < parking->n; i++)
        sl_free(parking->spots[i].name);
    parking->n = 0;
}

static void take_spot(void *ctx, const char *key, struct sl_span value)
{
    struct sl_parking *parking = ctx;
    size_t len = strlen(parking->connector);
    json_t *json = NULL;

    if (strncmp(key, parking->connector, len) == 0 && key[len] == '/' && value.ptr &&
        sl_json_parse((const char *)value.ptr, value.len, SPACE, &json, NULL) == SL_OK)
        add(parking, key, (int32_t)json_integer_value(json_object_get(json, "partition")),
            json_integer_value(json_object_get(json, "offset")));
    json_decref(json);
}

enum sl_rc sl_parking_reload(struct sl_parking *parking, struct sl_error *err)
{
    enum sl_rc rc;

    (void)pthread_mutex_lock(&parking->lock);
    clear(parking);
    rc = parking->transport->ops->list(parking->transport, SPACE, take_spot, parking, err);
    if (parking->n)
        (void)atomic_fetch_add(&parking->generation, 1);
    (void)pthread_mutex_unlock(&parking->lock);
    return rc;
}

struct sl_parking *sl_parking_in_memory(const char *connector)
{
    struct sl_parking *parking = sl_zalloc(1, sizeof(*parking));

    parking->connector = connector;
    (void)pthread_mutex_init(&parking->lock, NULL);
    return parking;
}

enum sl_rc sl_parking_open(struct sl_transport *transport, const char *connector, struct sl_parking **ret,
                           struct sl_error *err)
{
    struct sl_parking *parking = sl_parking_in_memory(connector);
    enum sl_rc rc;

    parking->transport = transport;
    rc = sl_parking_reload(parking, err);
    if (rc) {
        sl_parking_close(parking);
        return rc;
    }
    *ret = parking;
    return SL_OK;
}

void sl_parking_close(struct sl_parking *parking)
{
    if (!parking)
        return;
    clear(parking);
    sl_free(parking->spots);
    (void)pthread_mutex_destroy(&parking->lock);
    sl_free(parking);
}

uint64_t sl_parking_generation(const struct sl_parking *parking)
{
    return atomic_load(&parking->generation);
}

bool sl_parking_has(struct sl_parking *parking, const char *name)
{
    bool has;

    (void)pthread_mutex_lock(&parking->lock);
    has = find(parking, name) != NULL;
    (void)pthread_mutex_unlock(&parking->lock);
    return has;
}

size_t sl_parking_count(struct sl_parking *parking)
{
    size_t n;

    (void)pthread_mutex_lock(&parking->lock);
    n = parking->n;
    (void)pthread_mutex_unlock(&parking->lock);
    return n;
}

/* ---- in and out ---- */

static enum sl_rc store(struct sl_parking *parking, const char *name, const struct sl_log_record *record,
                        struct sl_error *err)
{
    char value[128];
    int len = snprintf(value, sizeof(value), "{\"partition\":%d,\"offset\":%lld,\"at\":%lld}",
                       (int)record->partition, (long long)record->offset, (long long)(sl_wall_us() / 1000));

    if (!parking->transport)
        return SL_OK;
    return parking->transport->ops->put(parking->transport, SPACE, name,
                                        (struct sl_span){(const uint8_t *)value, (size_t)len}, err);
}

enum sl_rc sl_parking_park(struct sl_parking *parking, const struct sl_log_record *record,
                           struct sl_error *err)
{
    char *name = sl_parking_name(parking->connector, record->topic, record->key);
    enum sl_rc rc = SL_OK;
    struct spot *spot;

    if (!name)
        return SL_OK;
    (void)pthread_mutex_lock(&parking->lock);
    spot = find(parking, name);
    if (!spot || (spot->partition == record->partition && record->offset < spot->offset)) {
        rc = store(parking, name, record, err);
        if (rc == SL_OK && spot)
            spot->offset = record->offset;
        else if (rc == SL_OK)
            add(parking, name, record->partition, record->offset);
        if (rc == SL_OK)
            (void)atomic_fetch_add(&parking->generation, 1);
    }
    (void)pthread_mutex_unlock(&parking->lock);
    sl_free(name);
    return rc;
}

bool sl_parking_waits(struct sl_parking *parking, const struct sl_log_record *record, int64_t *ret_behind)
{
    char *name = sl_parking_name(parking->connector, record->topic, record->key);
    const struct spot *spot;
    bool waits = false;

    if (!name)
        return false;
    (void)pthread_mutex_lock(&parking->lock);
    spot = find(parking, name);
    if (spot && (spot->partition != record->partition || record->offset > spot->offset)) {
        *ret_behind = spot->offset;
        waits = true;
    }
    (void)pthread_mutex_unlock(&parking->lock);
    sl_free(name);
    return waits;
}

/* ---- batches ---- */

static enum sl_rc mark_more(struct sl_parking *parking, struct sl_dead_letters *letters, int attempt,
                            struct sl_incoming *incoming, size_t *ret_n, struct sl_error *err)
{
    struct sl_batch *batch = incoming->batch;
    struct sl_bad_record *bads = sl_arena_alloc(batch->arena, batch->n_records * sizeof(*bads));
    struct sl_error why;
    size_t n = 0;

    (void)sl_error_set(&why, SL_E_DATA, "waits behind a record with its key that is a dead letter");
    for (uint32_t i = 0; i < batch->n_records; i++) {
        const struct sl_log_record *raw = &incoming->raw[incoming->raw_of[i]];
        int64_t behind;

        if (incoming->parked[i] || !sl_parking_waits(parking, raw, &behind))
            continue;
        incoming->parked[i] = 1;
        bads[n++] = (struct sl_bad_record){.raw = raw,
                                           .stage = SL_STAGE_PARKED,
                                           .class_name = "org.apache.kafka.connect.sink.SinkTask",
                                           .why = &why,
                                           .attempt = attempt,
                                           .waits = true,
                                           .behind = behind};
    }
    *ret_n = n;
    return n ? sl_dead_letters_write(letters, bads, n, err) : SL_OK;
}

enum sl_rc sl_parking_mark(struct sl_parking *parking, struct sl_dead_letters *letters, int attempt,
                           struct sl_incoming *incoming, const uint8_t **ret_skip, uint64_t *ret_generation,
                           size_t *ret_n, struct sl_error *err)
{
    uint64_t generation = parking ? sl_parking_generation(parking) : 0;
    size_t n = 0;

    if (generation != incoming->parked_generation) {
        uint32_t n_records = incoming->batch->n_records;
        enum sl_rc rc;

        if (!incoming->parked) {
            incoming->parked = sl_arena_alloc(incoming->batch->arena, n_records + 1);
            memset(incoming->parked, 0, n_records + 1);
        }
        rc = mark_more(parking, letters, attempt, incoming, &n, err);
        if (rc)
            return rc;
        incoming->parked_generation = generation;
    }
    *ret_skip = incoming->parked;
    *ret_generation = generation;
    *ret_n = n;
    return SL_OK;
}

enum sl_rc sl_parking_release(struct sl_parking *parking, bool (*keep)(void *ctx, const char *key), void *ctx,
                              struct sl_error *err)
{
    enum sl_rc rc = SL_OK;
    size_t kept = 0;

    (void)pthread_mutex_lock(&parking->lock);
    for (size_t i = 0; i < parking->n; i++) {
        struct spot *spot = &parking->spots[i];

        if (rc == SL_OK && !keep(ctx, spot->name))
            rc =
                parking->transport->ops->put(parking->transport, SPACE, spot->name, (struct sl_span){0}, err);
        else {
            parking->spots[kept++] = *spot;
            continue;
        }
        if (rc)
            parking->spots[kept++] = *spot;
        else
            sl_free(spot->name);
    }
    parking->n = kept;
    (void)pthread_mutex_unlock(&parking->lock);
    return rc;
}
