/* SPDX-License-Identifier: Apache-2.0 */
#include "events.h"

#include "base/buf.h"
#include "codec/envelope.h"
#include "data/schema_build.h"

#include <stdlib.h>
#include <string.h>

int bench_make(void **state)
{
    struct bench *bench = calloc(1, sizeof(*bench));

    bench->arena = sl_arena_new(1 << 14);
    bench->props = sl_props_new();
    *state = bench;
    return 0;
}

int bench_remove(void **state)
{
    struct bench *bench = *state;

    if (bench->self)
        bench->ops->close(bench->self);
    sl_props_free(bench->props);
    sl_arena_free(bench->arena);
    free(bench);
    return 0;
}

static enum sl_rc open_with(struct bench *bench, const struct sl_transform_ops *ops, const char *key,
                            va_list more)
{
    for (; key; key = va_arg(more, const char *)) {
        char *full = sl_format("transforms.t.%s", key);

        sl_props_set(bench->props, full, va_arg(more, const char *));
        sl_free(full);
    }
    bench->ops = ops;
    return ops->open(bench->props, "transforms.t.", ops->classes[0], &bench->self, &bench->err);
}

enum sl_rc bench_try(struct bench *bench, const struct sl_transform_ops *ops, const char *key, ...)
{
    va_list more;
    enum sl_rc rc;

    va_start(more, key);
    rc = open_with(bench, ops, key, more);
    va_end(more);
    return rc;
}

void bench_open(struct bench *bench, const struct sl_transform_ops *ops, const char *key, ...)
{
    va_list more;
    enum sl_rc rc;

    va_start(more, key);
    rc = open_with(bench, ops, key, more);
    va_end(more);
    if (rc != SL_OK)
        fail_msg("open: %s", bench->err.text);
}

enum sl_verdict bench_apply(struct bench *bench, struct sl_message *message)
{
    return bench->ops->apply(bench->self, message, bench->arena, &bench->err);
}

static const struct sl_schema *key_schema(void)
{
    struct sl_struct_builder key = {.name = "srv.shop.dbo.things.Key"};

    sl_struct_add(&key, "id", sl_schema_plain(SL_INT32, false));
    sl_struct_add(&key, "shard", sl_schema_plain(SL_INT32, true));
    return sl_struct_end(&key, false);
}

static const struct sl_envelope *envelope(void)
{
    struct sl_struct_builder row = {.name = "srv.shop.dbo.things.Value"};
    struct sl_struct_builder source = {.name = "io.debezium.connector.sqlserver.Source", .version = 1};

    sl_struct_add(&row, "id", sl_schema_plain(SL_INT32, false));
    sl_struct_add(&row, "name", sl_schema_plain(SL_STRING, true));
    sl_struct_add(&row, "qty", sl_schema_with_default(sl_schema_plain(SL_INT32, true), sl_int(SL_INT32, 5)));
    sl_struct_add(&source, "table", sl_schema_plain(SL_STRING, false));
    sl_struct_add(&source, "ts_ms", sl_schema_plain(SL_INT64, false));
    return sl_envelope_make(SL_ENVELOPE_3_5, "srv.shop.dbo.things", sl_struct_end(&row, true),
                            sl_struct_end(&source, false));
}

static struct sl_value struct_of(struct bench *bench, const struct sl_value *fields, size_t n)
{
    return sl_items(SL_STRUCT, sl_arena_copy(bench->arena, fields, n * sizeof(*fields)), n);
}

static struct sl_message message_of(struct bench *bench, int64_t id)
{
    struct sl_value key[2] = {sl_int(SL_INT32, id), sl_int(SL_INT32, 7)};

    return (struct sl_message){
        .topic = sl_topic_intern("srv.shop.dbo.things", strlen("srv.shop.dbo.things")),
        .key_schema = key_schema(),
        .record = {.key = struct_of(bench, key, 2), .value = sl_null(), .timestamp_ms = 1, .offset = -1},
    };
}

struct sl_message event_of(struct bench *bench, char op, int64_t id, const char *name)
{
    const struct sl_envelope *shape = envelope();
    struct sl_message message = message_of(bench, id);
    struct sl_value row[3] = {sl_int(SL_INT32, id), name ? sl_text(name) : sl_null(), sl_null()};
    struct sl_value source[2] = {sl_text("things"), sl_int(SL_INT64, 99)};
    struct sl_value fields[16];
    char *letter = sl_arena_format(bench->arena, "%c", op);

    for (uint32_t i = 0; i < shape->n_fields; i++)
        fields[i] = sl_null();
    if (op != 't')
        fields[op == 'd' ? shape->before : shape->after] = struct_of(bench, row, 3);
    fields[shape->source] = struct_of(bench, source, 2);
    fields[shape->op] = sl_text(letter);
    fields[shape->ts_ms] = sl_int(SL_INT64, 1234);
    message.value_schema = shape->schema;
    message.record.value = struct_of(bench, fields, shape->n_fields);
    return message;
}

struct sl_message tombstone_of(struct bench *bench, int64_t id)
{
    return message_of(bench, id);
}

struct sl_message row_of(struct bench *bench, int64_t id)
{
    struct sl_message message = message_of(bench, id);
    struct sl_value row[3] = {sl_int(SL_INT32, id), sl_null(), sl_null()};

    message.value_schema = envelope()->row;
    message.record.value = struct_of(bench, row, 3);
    return message;
}

struct sl_message heartbeat_of(struct bench *bench)
{
    struct sl_struct_builder heartbeat = {.name = "io.debezium.connector.common.Heartbeat"};
    struct sl_value fields[1] = {sl_int(SL_INT64, 5)};
    struct sl_message message = message_of(bench, 1);

    sl_struct_add(&heartbeat, "ts_ms", sl_schema_plain(SL_INT64, false));
    message.value_schema = sl_struct_end(&heartbeat, false);
    message.record.value = struct_of(bench, fields, 1);
    return message;
}

static void put_value(struct sl_buf *text, struct sl_value value)
{
    if (value.tag == SL_ABSENT)
        sl_buf_text(text, "absent");
    else if (value.tag == SL_NULL)
        sl_buf_text(text, "null");
    else if (value.tag == SL_STRING)
        sl_buf_put(text, value.bytes, value.len);
    else
        sl_buf_format(text, "%lld", (long long)value.i);
}

static const char *keep(struct bench *bench, struct sl_buf *text)
{
    char *kept = sl_arena_strdup(bench->arena, sl_buf_cstr(text));

    sl_buf_done(text);
    return kept;
}

const char *row_text(struct bench *bench, const struct sl_message *message)
{
    struct sl_buf text = {0};
    struct sl_value row = message->record.value;

    sl_buf_text(&text, "{");
    if (row.tag == SL_STRUCT)
        assert_int_equal(row.len, message->value_schema->n_fields);
    for (uint32_t i = 0; row.tag == SL_STRUCT && i < row.len; i++) {
        sl_buf_format(&text, "%s%s:", i ? "," : "", message->value_schema->fields[i].name);
        put_value(&text, row.items[i]);
    }
    sl_buf_text(&text, "}");
    return keep(bench, &text);
}

const char *headers_text(struct bench *bench, const struct sl_message *message)
{
    struct sl_buf text = {0};

    for (uint16_t i = 0; i < message->record.n_headers; i++) {
        sl_buf_format(&text, "%s%s:", i ? "," : "", message->record.headers[i].name);
        put_value(&text, message->record.headers[i].value);
    }
    return keep(bench, &text);
}
