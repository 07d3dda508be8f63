/* SPDX-License-Identifier: Apache-2.0 */
#include "sink/postgres/others.h"

#include "base/clock.h"
#include "base/crc32c.h"
#include "sink/postgres/state.h"
#include "sluice/position.h"

#include <stdio.h>
#include <stdlib.h>

/*
 * The keys: (CONNECTOR_CLASS, CRC32C of the connector's name) as two integers, and for each part of a place a
 * 64-bit one with FIRST_TAG and its number in the high 16 bits, the six bytes below.
 */
#define CONNECTOR_CLASS 0x534C5754 /* "SLWT" */
#define FIRST_TAG 0x534C
enum { TAG_SHIFT = 48 };

/* ---- places ---- */

/* Of SQL Server's position alone: ScyllaDB's is no order. Commit LSN, command, change LSN. */
enum { ORDER_SIZE = 24 };

static struct sl_span source_position(const struct sl_record *record)
{
    for (uint16_t i = 0; i < record->n_headers; i++) {
        const struct sl_header *header = &record->headers[i];

        if (strcmp(header->name, SL_HEADER_SOURCE) == 0 && header->value.tag != SL_NULL &&
            header->value.len >= SL_SRC_PREFIX_SIZE)
            return (struct sl_span){(const uint8_t *)header->value.bytes, header->value.len};
    }
    return (struct sl_span){0};
}

static void put_order(const struct sl_record *record, uint8_t *at)
{
    struct sl_span position = source_position(record);

    if (position.len == SL_SRC_PREFIX_SIZE + SL_MSSQL_POSITION_SIZE)
        memcpy(at, position.ptr + SL_SRC_PREFIX_SIZE, ORDER_SIZE);
}

bool sl_pgsink_from_snapshot(const struct sl_record *record)
{
    struct sl_span position = source_position(record);

    return position.ptr && position.ptr[1] == SL_SRC_SNAPSHOT;
}

static void put_be(uint8_t *at, uint64_t value, size_t size)
{
    while (size--) {
        at[size] = (uint8_t)value;
        value >>= 8;
    }
}

void sl_pgsink_place_of(const struct sl_record *record, uint32_t depth, int task, struct sl_pgsink_place *ret)
{
    int64_t at_ms = record->timestamp_ms > 0 ? record->timestamp_ms : 0;

    memset(ret, 0, sizeof(*ret));
    ret->bytes[0] = (uint8_t)depth;
    put_be(ret->bytes + 1, (uint64_t)at_ms, 6);
    put_order(record, ret->bytes + 7);
    put_be(ret->bytes + 7 + ORDER_SIZE, (uint64_t)task, 4);
}

int sl_pgsink_place_task(const struct sl_pgsink_place *place)
{
    const uint8_t *at = place->bytes + 7 + ORDER_SIZE;

    return (int)((uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3]);
}

static uint64_t key_of(const struct sl_pgsink_place *place, int part)
{
    uint64_t key = (uint64_t)(FIRST_TAG + part);

    for (int i = 0; i < SL_PGSINK_PLACE_PART; i++)
        key = key << 8 | place->bytes[part * SL_PGSINK_PLACE_PART + i];
    return key;
}

static void take_key(struct sl_pgsink_place *place, uint64_t key)
{
    size_t part = (size_t)((key >> TAG_SHIFT) - FIRST_TAG);

    put_be(place->bytes + part * SL_PGSINK_PLACE_PART, key, SL_PGSINK_PLACE_PART);
}

/* ---- foreign keys ---- */

enum sl_rc sl_pgsink_depth(struct sl_pgsink *sink, struct sl_pgsink_target *target, uint32_t *ret,
                           struct sl_error *err)
{
    /* Around a circle of tables all end at the bound, and are told apart by time. */
    static const char sql[] =
        "WITH RECURSIVE up(oid, depth) AS (SELECT $1::oid, 0 UNION SELECT c.confrelid, up.depth + 1 FROM up"
        " JOIN pg_catalog.pg_constraint c ON c.conrelid = up.oid AND c.contype = 'f'"
        " AND c.confrelid <> c.conrelid WHERE up.depth < 32) SELECT max(depth) FROM up";
    char oid[16];
    const char *values[1] = {oid};
    PGresult *result;
    enum sl_rc rc;

    if (!target->depth) {
        (void)snprintf(oid, sizeof(oid), "%u", (unsigned)target->table->oid);
        rc = sl_pg_query(sink->pg, sql, &(struct sl_pg_args){.n = 1, .values = values}, &result, err);
        if (rc != SL_OK)
            return rc;
        target->depth = 1 + (uint32_t)strtoul(PQgetvalue(result, 0, 0), NULL, 10);
        PQclear(result);
    }
    *ret = target->depth - 1;
    return SL_OK;
}

/* ---- what is said ---- */

static void put_calls(const struct sl_pgsink *sink, const char *function, struct sl_buf *sql)
{
    const char *name = sink->env->connector;

    sl_buf_format(sql, "SELECT pg_catalog.%s(%d, %d)", function, CONNECTOR_CLASS,
                  (int)sl_crc32c(0, name, strlen(name)));
    for (int part = 0; part < SL_PGSINK_PLACE_PARTS; part++)
        sl_buf_format(sql, ", pg_catalog.%s(%lld)", function, (long long)key_of(&sink->said, part));
}

static enum sl_rc call(struct sl_pgsink *sink, const char *function, struct sl_error *err)
{
    struct sl_buf sql = {0};
    enum sl_rc rc;

    put_calls(sink, function, &sql);
    rc = sl_pg_run(sink->pg, sl_buf_cstr(&sql), err);
    sl_buf_done(&sql);
    return rc;
}

enum sl_rc sl_pgsink_publish(struct sl_pgsink *sink, const struct sl_pgsink_place *place,
                             struct sl_error *err)
{
    enum sl_rc rc = SL_OK;

    if (sink->has_said && memcmp(&sink->said, place, sizeof(*place)) == 0)
        return SL_OK;
    rc = sl_pgsink_retract(sink, err);
    if (rc == SL_OK) {
        sink->said = *place;
        rc = call(sink, "pg_try_advisory_lock_shared", err);
        sink->has_said = rc == SL_OK;
    }
    return rc;
}

enum sl_rc sl_pgsink_retract(struct sl_pgsink *sink, struct sl_error *err)
{
    if (!sink->has_said)
        return SL_OK;
    sink->has_said = false;
    return call(sink, "pg_advisory_unlock_shared", err);
}

/* Rows of (pid, key), by pid: of those whose parts are all there. */
static struct sl_pgsink_place *read_places(const PGresult *result, size_t *ret_n)
{
    int rows = PQntuples(result);
    struct sl_pgsink_place *places = rows ? sl_zalloc((size_t)rows + 1, sizeof(*places)) : NULL;
    size_t n = 0;
    int parts = 0;

    for (int i = 0; i < rows; i++) {
        if (i == 0 || strcmp(PQgetvalue(result, i, 0), PQgetvalue(result, i - 1, 0)) != 0)
            parts = 0;
        take_key(&places[n], strtoull(PQgetvalue(result, i, 1), NULL, 10));
        n += ++parts == SL_PGSINK_PLACE_PARTS;
    }
    *ret_n = n;
    return places;
}

enum sl_rc sl_pgsink_others(struct sl_pgsink *sink, struct sl_pgsink_place **ret, size_t *ret_n,
                            struct sl_error *err)
{
    const char *name = sink->env->connector;
    struct sl_buf sql = {0};
    PGresult *result;
    enum sl_rc rc;

    sl_buf_format(&sql,
                  "WITH held AS MATERIALIZED (SELECT pid, classid::bigint AS high, objid::bigint AS low,"
                  " objsubid FROM pg_catalog.pg_locks WHERE locktype = 'advisory' AND granted"
                  " AND pid <> pg_backend_pid() AND database ="
                  " (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database()))"
                  " SELECT pid, high << 32 | low FROM held WHERE objsubid = 1"
                  " AND high >> 16 BETWEEN %d AND %d AND pid IN (SELECT pid FROM held WHERE objsubid = 2"
                  " AND high = %d AND low = %u) ORDER BY 1, 2",
                  FIRST_TAG, FIRST_TAG + SL_PGSINK_PLACE_PARTS - 1, CONNECTOR_CLASS,
                  (unsigned)sl_crc32c(0, name, strlen(name)));
    rc = sl_pg_query(sink->pg, sl_buf_cstr(&sql), NULL, &result, err);
    sl_buf_done(&sql);
    if (rc != SL_OK)
        return rc;
    *ret_n = 0;
    *ret = read_places(result, ret_n);
    PQclear(result);
    return SL_OK;
}

/* ---- how far the others are ---- */

static bool is_own(const struct sl_pgsink *sink, const struct sl_topic *topic, int32_t partition)
{
    for (size_t i = 0; i < sink->n_positions; i++) {
        if (sink->positions[i].topic == topic && sink->positions[i].partition == partition)
            return true;
    }
    return false;
}

static void collect(void *ctx, const struct sl_progress *partition, int task)
{
    struct sl_pgsink_ahead *ahead = ctx;

    if (partition->next_offset <= partition->first_offset)
        return;
    SL_GROW(ahead->items, ahead->n, ahead->capacity);
    ahead->items[ahead->n++] = (struct sl_pgsink_behind){.topic = partition->topic,
                                                         .partition = partition->partition,
                                                         .task = task,
                                                         .end = partition->next_offset,
                                                         .at = -1};
}

/* A topic that was made again has a row for each of its lives; the last one written is this one's. */
static enum sl_rc read_positions(struct sl_pgsink *sink, PGresult **ret, struct sl_error *err)
{
    const char *values[1] = {sink->env->connector};
    struct sl_buf sql = {0};
    enum sl_rc rc;

    sl_buf_format(&sql,
                  "SELECT DISTINCT ON (topic, partition) topic, partition, next_offset FROM %s"
                  " WHERE connector = $1 ORDER BY topic, partition, updated_at DESC",
                  sink->offsets_path);
    rc = sl_pg_query(sink->pg, sl_buf_cstr(&sql), &(struct sl_pg_args){.n = 1, .values = values}, ret, err);
    sl_buf_done(&sql);
    return rc;
}

/* Take a position over; true: another task's has moved. */
static bool note_position(struct sl_pgsink_ahead *ahead, int own, const char *topic, int32_t partition,
                          int64_t at)
{
    for (size_t i = 0; i < ahead->n; i++) {
        struct sl_pgsink_behind *item = &ahead->items[i];

        if (item->partition == partition && strcmp(item->topic->name, topic) == 0) {
            bool moved = item->at != at && item->task != own;

            item->at = at;
            return moved;
        }
    }
    return false;
}

static void leave_out_reached(struct sl_pgsink_ahead *ahead)
{
    size_t kept = 0;

    for (size_t i = 0; i < ahead->n; i++) {
        if (ahead->items[i].at < ahead->items[i].end)
            ahead->items[kept++] = ahead->items[i];
    }
    ahead->n = kept;
}

/* Of all partitions that are not ours. */
static uint32_t checksum(const struct sl_pgsink *sink, const PGresult *result)
{
    uint32_t crc = 0;

    for (int i = 0; i < PQntuples(result); i++) {
        const char *topic = PQgetvalue(result, i, 0);

        if (is_own(sink, sl_topic_intern(topic, strlen(topic)),
                   (int32_t)strtol(PQgetvalue(result, i, 1), NULL, 10)))
            continue;
        for (int column = 0; column < 3; column++)
            crc = sl_crc32c(crc, PQgetvalue(result, i, column), strlen(PQgetvalue(result, i, column)) + 1);
    }
    return crc;
}

static bool look_at(struct sl_pgsink_ahead *ahead, int own, const PGresult *result, uint32_t seen)
{
    bool moved = false;

    for (int i = 0; ahead->n && i < PQntuples(result); i++)
        moved |= note_position(ahead, own, PQgetvalue(result, i, 0),
                               (int32_t)strtol(PQgetvalue(result, i, 1), NULL, 10),
                               strtoll(PQgetvalue(result, i, 2), NULL, 10));
    leave_out_reached(ahead);
    moved |= ahead->open_until_us && ahead->seen != seen;
    ahead->seen = seen;
    return moved;
}

static void collect_ends(const struct sl_pgsink *sink, struct sl_pgsink_ahead *ahead)
{
    const struct sl_sink_env *env = sink->env;
    struct sl_error why;

    ahead->open_until_us = 0;
    ahead->n = 0;
    ahead->unknown = !env->ends || env->ends(env->ctx, collect, ahead, &why) != SL_OK;
}

enum sl_rc sl_pgsink_ahead_look(struct sl_pgsink *sink, struct sl_pgsink_ahead *aheads, size_t n,
                                bool *ret_moved, struct sl_error *err)
{
    PGresult *result;
    enum sl_rc rc = SL_OK;
    uint32_t seen;

    for (size_t a = 0; a < n; a++) {
        if (aheads[a].open_until_us && sl_now_us() >= aheads[a].open_until_us)
            collect_ends(sink, &aheads[a]);
    }
    rc = read_positions(sink, &result, err);
    if (rc != SL_OK)
        return rc;
    seen = checksum(sink, result);
    for (size_t a = 0; a < n; a++)
        ret_moved[a] = look_at(&aheads[a], sink->env->task, result, seen);
    PQclear(result);
    return SL_OK;
}

enum sl_rc sl_pgsink_ahead_begin(struct sl_pgsink *sink, int64_t open_until_us, struct sl_pgsink_ahead *ret,
                                 struct sl_error *err)
{
    bool moved;

    *ret = (struct sl_pgsink_ahead){0};
    collect_ends(sink, ret);
    ret->open_until_us = open_until_us;
    return sl_pgsink_ahead_look(sink, ret, 1, &moved, err);
}

bool sl_pgsink_ahead_has(const struct sl_pgsink_ahead *ahead, const struct sl_progress *partition)
{
    for (size_t i = 0; i < ahead->n; i++) {
        const struct sl_pgsink_behind *item = &ahead->items[i];

        if (item->topic == partition->topic && item->partition == partition->partition)
            return item->end > partition->next_offset;
    }
    return ahead->unknown || ahead->open_until_us;
}

bool sl_pgsink_ahead_has_task(const struct sl_pgsink_ahead *ahead, int task)
{
    for (size_t i = 0; i < ahead->n; i++) {
        if (ahead->items[i].task == task)
            return true;
    }
    return ahead->unknown || ahead->open_until_us;
}

static bool waits_behind(int task, const struct sl_pgsink_place *place, const struct sl_pgsink_place *others,
                         size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (sl_pgsink_place_task(&others[i]) == task && memcmp(&others[i], place, sizeof(*place)) > 0)
            return true;
    }
    return false;
}

bool sl_pgsink_ahead_has_idle(const struct sl_pgsink_ahead *ahead, int own,
                              const struct sl_pgsink_place *place, const struct sl_pgsink_place *others,
                              size_t n)
{
    for (size_t i = 0; i < ahead->n; i++) {
        if (ahead->items[i].task != own && !waits_behind(ahead->items[i].task, place, others, n))
            return true;
    }
    return false;
}

void sl_pgsink_ahead_done(struct sl_pgsink_ahead *ahead)
{
    sl_free(ahead->items);
    *ahead = (struct sl_pgsink_ahead){0};
}
