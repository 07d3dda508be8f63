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

static enum sl_rc open_with(struct bench *bench, const struct sl_transform_ops *ops, const char *class_name,
                            const char *key, va_list more)
{
    for (; key; key = va_arg(more, const char *)) {
        char *full = sl_format("transforms.t.%s", key);

        sl_props_set(bench->props, full, va_arg(more, const char *));
        sl_free(full);
    }
    bench->ops = ops;
    return ops->open(bench->props, "transforms.t.", class_name, &bench->self, &bench->err);
}

enum sl_rc bench_try(struct bench *bench, const struct sl_transform_ops *ops, const char *key, ...)
{
    va_list more;
    enum sl_rc rc;

    va_start(more, key);
    rc = open_with(bench, ops, ops->classes[0], key, more);
    va_end(more);
    return rc;
}

void bench_open(struct bench *bench, const struct sl_transform_ops *ops, const char *key, ...)
{
    va_list more;
    enum sl_rc rc;

    va_start(more, key);
    rc = open_with(bench, ops, ops->classes[0], key, more);
    va_end(more);
    if (rc != SL_OK)
        fail_msg("open: %s", bench->err.text);
}

void bench_open_key(struct bench *bench, const struct sl_transform_ops *ops, const char *key, ...)
{
    va_list more;
    enum sl_rc rc;

    va_start(more, key);
    rc = open_with(bench, ops, ops->classes[1], key, more);
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

static const struct sl_schema *rich_schema(void)
{
    struct sl_struct_builder inner = {.name = "inner"};
    struct sl_struct_builder row = {.name = "rich", .version = 3};

    sl_struct_add(&inner, "deep", sl_schema_plain(SL_STRING, true));
    sl_struct_add(&row, "id", sl_schema_plain(SL_INT32, false));
    sl_struct_add(&row, "text", sl_schema_plain(SL_STRING, true));
    sl_struct_add(&row, "n", sl_schema_with_default(sl_schema_plain(SL_INT64, true), sl_int(SL_INT64, 7)));
    sl_struct_add(&row, "real", sl_schema_plain(SL_FLOAT64, true));
    sl_struct_add(&row, "flag", sl_schema_plain(SL_BOOLEAN, true));
    sl_struct_add(&row, "at", sl_schema_named(SL_INT64, "org.apache.kafka.connect.data.Timestamp", 1, true));
    sl_struct_add(&row, "day", sl_schema_named(SL_INT32, "org.apache.kafka.connect.data.Date", 1, true));
    sl_struct_add(&row, "raw", sl_schema_plain(SL_BYTES, true));
    sl_struct_add(&row, "amount", sl_schema_decimal(2, 0, true));
    sl_struct_add(&row, "list", sl_schema_array(sl_schema_plain(SL_INT32, false), true));
    sl_struct_add(&row, "inner", sl_struct_end(&inner, false));
    return sl_struct_end(&row, false);
}

struct sl_message rich_of(struct bench *bench)
{
    struct sl_message message = message_of(bench, 1);
    struct sl_value list[2] = {sl_int(SL_INT32, 1), sl_int(SL_INT32, 2)};
    struct sl_value deep = sl_text("y");
    struct sl_value row[11] = {
        sl_int(SL_INT32, 300),
        sl_text("12"),
        sl_null(),
        sl_float(SL_FLOAT64, -1.75),
        sl_bool(true),
        sl_int(SL_INT64, 1709212455016),
        sl_int(SL_INT32, 19782),
        sl_bytes(SL_BYTES, "\001\002", 2),
        sl_bytes(SL_BYTES, "\004\322", 2) /* 12.34 */,
        struct_of(bench, list, 2),
        struct_of(bench, &deep, 1),
    };

    row[9].tag = SL_ARRAY;
    message.value_schema = rich_schema();
    message.record.value = struct_of(bench, row, 11);
    return message;
}

struct sl_message map_of(struct bench *bench)
{
    struct sl_message message = message_of(bench, 1);
    struct sl_value inner[2] = {sl_text("d"), sl_float(SL_FLOAT64, 2.5)};
    struct sl_value pairs[8] = {sl_text("a"), sl_int(SL_INT64, 1), sl_text("b"), sl_text("text"),
                                sl_text("c"), sl_null(),           sl_text("e"), sl_null()};

    pairs[5] = sl_items(SL_MAP, sl_arena_copy(bench->arena, inner, sizeof(inner)), 1);
    message.record.value = sl_items(SL_MAP, sl_arena_copy(bench->arena, pairs, sizeof(pairs)), 4);
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

static void put_any(struct sl_buf *text, const struct sl_schema *schema, struct sl_value value)
{
    bool keyed = value.tag == SL_MAP || value.tag == SL_STRUCT;

    if (value.tag == SL_FLOAT32 || value.tag == SL_FLOAT64) {
        sl_buf_format(text, "%g", value.d);
        return;
    }
    if (value.tag == SL_BYTES) {
        for (uint32_t i = 0; i < value.len; i++)
            sl_buf_format(text, "%02x", value.bytes[i]);
        return;
    }
    if (value.tag < SL_ARRAY) {
        put_value(text, value);
        return;
    }
    sl_buf_u8(text, keyed ? '{' : '[');
    for (uint32_t i = 0; i < value.len; i++) {
        if (i)
            sl_buf_u8(text, ',');
        if (value.tag == SL_STRUCT)
            sl_buf_text(text, schema->fields[i].name);
        else if (keyed)
            put_value(text, value.items[2 * i]);
        if (keyed)
            sl_buf_u8(text, ':');
        put_any(text, value.tag == SL_STRUCT ? schema->fields[i].schema : NULL,
                value.items[value.tag == SL_MAP ? 2 * i + 1 : i]);
    }
    sl_buf_u8(text, keyed ? '}' : ']');
}

const char *value_text(struct bench *bench, const struct sl_schema *schema, struct sl_value value)
{
    struct sl_buf text = {0};

    put_any(&text, schema, value);
    return keep(bench, &text);
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
