/* SPDX-License-Identifier: Apache-2.0 */
/* The functions of values: time, uuids, blobs. */
#include <string.h>

#include "../storage/arena.h"
#include "../types/bytes.h"
#include "../types/collection.h"
#include "../types/timeuuid.h"
#include "aggregate.h"
#include "expression.h"

#define UNUSED __attribute__((unused))

static void give_64(struct sy_run *run, int64_t v, struct sy_value *ret)
{
    uint8_t *bytes = sy_arena_raw(run->arena, 8);
    sy_put_u64(bytes, (uint64_t)v);
    *ret = (struct sy_value){.len = 8, .bytes = bytes};
}

static void give_date(struct sy_run *run, int64_t ms, struct sy_value *ret)
{
    uint8_t *bytes = sy_arena_raw(run->arena, 4);
    int64_t days = ms / 86400000 - (ms % 86400000 < 0);
    sy_put_u32(bytes, (uint32_t)(days + (1LL << 31)));
    *ret = (struct sy_value){.len = 4, .bytes = bytes};
}

static uint8_t *give_uuid(struct sy_run *run, struct sy_value *ret)
{
    uint8_t *bytes = sy_arena_raw(run->arena, 16);
    *ret = (struct sy_value){.len = 16, .bytes = bytes};
    return bytes;
}

static int64_t now_ms(struct sy_run *run)
{
    return sy_server_now_us(run->server) / 1000;
}

#define FUNCTION(name)                                                            \
    static bool name(struct sy_run *run, const struct sy_expression *call UNUSED, \
                     const struct sy_value *a UNUSED, struct sy_value *ret)

FUNCTION(call_now)
{
    sy_store_timeuuid(run->server, sy_server_now_us(run->server), give_uuid(run, ret));
    return true;
}

FUNCTION(call_uuid)
{
    sy_store_random_uuid(run->server, give_uuid(run, ret));
    return true;
}

FUNCTION(call_current_timestamp)
{
    give_64(run, now_ms(run), ret);
    return true;
}

FUNCTION(call_current_date)
{
    give_date(run, now_ms(run), ret);
    return true;
}

FUNCTION(call_current_time)
{
    give_64(run, sy_server_now_us(run->server) % 86400000000LL * 1000, ret);
    return true;
}

/* The least and the greatest timeuuid of a millisecond: low bytes are compared as signed ones. */
FUNCTION(call_min_timeuuid)
{
    int64_t ms = (int64_t)sy_get_u64(a[0].bytes);
    sy_timeuuid_make((uint64_t)ms * 10000 + (uint64_t)SY_UUID_EPOCH, 0x8080808080808080ULL,
                     give_uuid(run, ret));
    return true;
}

FUNCTION(call_max_timeuuid)
{
    int64_t ms = (int64_t)sy_get_u64(a[0].bytes);
    sy_timeuuid_make((uint64_t)ms * 10000 + 9999 + (uint64_t)SY_UUID_EPOCH, 0x7f7f7f7f7f7f7f7fULL,
                     give_uuid(run, ret));
    return true;
}

static int64_t timeuuid_ms(struct sy_value uuid)
{
    int64_t us = sy_timeuuid_us(uuid.bytes);
    return us / 1000 - (us % 1000 < 0);
}

static int64_t date_ms(struct sy_value date)
{
    return ((int64_t)sy_get_u32(date.bytes) - (1LL << 31)) * 86400000;
}

FUNCTION(call_uuid_to_ms)
{
    give_64(run, timeuuid_ms(a[0]), ret);
    return true;
}

FUNCTION(call_date_to_ms)
{
    give_64(run, date_ms(a[0]), ret);
    return true;
}

FUNCTION(call_same_bytes)
{
    (void)run;
    *ret = a[0];
    return true;
}

FUNCTION(call_uuid_to_date)
{
    give_date(run, timeuuid_ms(a[0]), ret);
    return true;
}

FUNCTION(call_timestamp_to_date)
{
    give_date(run, (int64_t)sy_get_u64(a[0].bytes), ret);
    return true;
}

FUNCTION(call_from_blob)
{
    const char *fault = sy_value_check(call->type, a[0]);
    if (fault != NULL)
        return sy_run_fail(
            run, 0x2200,
            "In call to function system.%s, value 0x.. is not a valid binary representation for "
            "type %s: %s",
            call->function->name, sy_type_name(run->arena, call->type), fault);
    *ret = a[0];
    return true;
}

#define BLOB(type, id)                                               \
    {"blobas" type, 1, {SY_BLOB}, id, call_from_blob, NULL, NULL},   \
    {                                                                \
        type "asblob", 1, {id}, SY_BLOB, call_same_bytes, NULL, NULL \
    }

#define AGGREGATE(name, of, gives, kind) {name, 1, {of}, gives, NULL, sy_fold_##kind, sy_finish_##kind}

static const struct sy_function functions[] = {
    {"now", 0, {0}, SY_TIMEUUID, call_now, NULL, NULL},
    {"currenttimeuuid", 0, {0}, SY_TIMEUUID, call_now, NULL, NULL},
    {"uuid", 0, {0}, SY_UUID, call_uuid, NULL, NULL},
    {"currenttimestamp", 0, {0}, SY_TIMESTAMP, call_current_timestamp, NULL, NULL},
    {"currentdate", 0, {0}, SY_DATE, call_current_date, NULL, NULL},
    {"currenttime", 0, {0}, SY_TIME, call_current_time, NULL, NULL},
    {"mintimeuuid", 1, {SY_TIMESTAMP}, SY_TIMEUUID, call_min_timeuuid, NULL, NULL},
    {"maxtimeuuid", 1, {SY_TIMESTAMP}, SY_TIMEUUID, call_max_timeuuid, NULL, NULL},
    {"dateof", 1, {SY_TIMEUUID}, SY_TIMESTAMP, call_uuid_to_ms, NULL, NULL},
    {"unixtimestampof", 1, {SY_TIMEUUID}, SY_BIGINT, call_uuid_to_ms, NULL, NULL},
    {"totimestamp", 1, {SY_TIMEUUID}, SY_TIMESTAMP, call_uuid_to_ms, NULL, NULL},
    {"totimestamp", 1, {SY_DATE}, SY_TIMESTAMP, call_date_to_ms, NULL, NULL},
    {"tounixtimestamp", 1, {SY_TIMEUUID}, SY_BIGINT, call_uuid_to_ms, NULL, NULL},
    {"tounixtimestamp", 1, {SY_TIMESTAMP}, SY_BIGINT, call_same_bytes, NULL, NULL},
    {"tounixtimestamp", 1, {SY_DATE}, SY_BIGINT, call_date_to_ms, NULL, NULL},
    {"todate", 1, {SY_TIMEUUID}, SY_DATE, call_uuid_to_date, NULL, NULL},
    {"todate", 1, {SY_TIMESTAMP}, SY_DATE, call_timestamp_to_date, NULL, NULL},
    BLOB("ascii", SY_ASCII),
    BLOB("bigint", SY_BIGINT),
    BLOB("boolean", SY_BOOLEAN),
    BLOB("date", SY_DATE),
    BLOB("decimal", SY_DECIMAL),
    BLOB("double", SY_DOUBLE),
    BLOB("duration", SY_DURATION),
    BLOB("float", SY_FLOAT),
    BLOB("inet", SY_INET),
    BLOB("int", SY_INT),
    BLOB("smallint", SY_SMALLINT),
    BLOB("text", SY_TEXT),
    BLOB("time", SY_TIME),
    BLOB("timestamp", SY_TIMESTAMP),
    BLOB("timeuuid", SY_TIMEUUID),
    BLOB("tinyint", SY_TINYINT),
    BLOB("uuid", SY_UUID),
    BLOB("varchar", SY_TEXT),
    BLOB("varint", SY_VARINT),
    {"count", 0, {0}, SY_BIGINT, NULL, sy_fold_count, sy_finish_count},
    AGGREGATE("count", SY_CUSTOM, SY_BIGINT, count),
    AGGREGATE("min", SY_CUSTOM, SY_CUSTOM, min),
    AGGREGATE("max", SY_CUSTOM, SY_CUSTOM, max),
    AGGREGATE("sum", SY_TINYINT, SY_TINYINT, sum),
    AGGREGATE("sum", SY_SMALLINT, SY_SMALLINT, sum),
    AGGREGATE("sum", SY_INT, SY_INT, sum),
    AGGREGATE("sum", SY_BIGINT, SY_BIGINT, sum),
    AGGREGATE("sum", SY_COUNTER, SY_BIGINT, sum),
    AGGREGATE("sum", SY_FLOAT, SY_FLOAT, sum),
    AGGREGATE("sum", SY_DOUBLE, SY_DOUBLE, sum),
    AGGREGATE("sum", SY_VARINT, SY_VARINT, sum),
    AGGREGATE("sum", SY_DECIMAL, SY_DECIMAL, sum),
    AGGREGATE("avg", SY_TINYINT, SY_TINYINT, avg),
    AGGREGATE("avg", SY_SMALLINT, SY_SMALLINT, avg),
    AGGREGATE("avg", SY_INT, SY_INT, avg),
    AGGREGATE("avg", SY_BIGINT, SY_BIGINT, avg),
    AGGREGATE("avg", SY_COUNTER, SY_BIGINT, avg),
    AGGREGATE("avg", SY_FLOAT, SY_FLOAT, avg),
    AGGREGATE("avg", SY_DOUBLE, SY_DOUBLE, avg),
    AGGREGATE("avg", SY_VARINT, SY_VARINT, avg),
    AGGREGATE("avg", SY_DECIMAL, SY_DECIMAL, avg),
};

static const size_t n_functions = sizeof functions / sizeof *functions;

const struct sy_function *sy_function_named(const char *name, uint32_t n_arguments,
                                            const struct sy_function *from)
{
    for (size_t i = from == NULL ? 0 : (size_t)(from - functions) + 1; i < n_functions; i++)
        if (functions[i].n_arguments == n_arguments && strcmp(functions[i].name, name) == 0)
            return &functions[i];
    return NULL;
}

bool sy_function_exists(const char *name)
{
    for (size_t i = 0; i < n_functions; i++)
        if (strcmp(functions[i].name, name) == 0)
            return true;
    return false;
}
