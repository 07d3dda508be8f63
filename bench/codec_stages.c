/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The stages of codec and transform alone, on one thread, on a batch of Debezium changes of seven columns:
 * beside the budget of the design.
 *
 *     codec_stages [rounds]
 */
#include "base/arena.h"
#include "base/buf.h"
#include "base/props.h"
#include "codec/avro_plan.h"
#include "codec/converters.h"
#include "codec/envelope.h"
#include "codec/murmur2.h"
#include "data/schema_build.h"
#include "sluice/registry.h"
#include "stage.h"
#include "transform/transforms.h"

#include <stdio.h>
#include <stdlib.h>

#define ROWS 4000

static char *registered;

static enum sl_rc register_one(struct sl_registry *registry, const char *subject, const char *text,
                               bool normalize, int32_t *ret_id, struct sl_error *err)
{
    (void)registry;
    (void)normalize;
    (void)subject;
    (void)err;
    sl_free(registered);
    registered = sl_strdup(text);
    *ret_id = 1;
    return SL_OK;
}

static enum sl_rc give_one(struct sl_registry *registry, int32_t id, const char *subject,
                           struct sl_registry_found *ret, struct sl_error *err)
{
    (void)registry;
    (void)subject;
    (void)err;
    *ret = (struct sl_registry_found){.id = id, .text = sl_strdup(registered)};
    return SL_OK;
}

static const struct sl_registry_ops one_ops = {
    .name = "one", .register_schema = register_one, .schema_by_id = give_one};
static struct sl_registry one = {.ops = &one_ops};

static const struct sl_schema *source_schema(void)
{
    struct sl_struct_builder b = {.name = "io.debezium.connector.sqlserver.Source"};

    sl_struct_add(&b, "version", sl_schema_plain(SL_STRING, false));
    sl_struct_add(&b, "connector", sl_schema_plain(SL_STRING, false));
    sl_struct_add(&b, "name", sl_schema_plain(SL_STRING, false));
    sl_struct_add(&b, "ts_ms", sl_schema_plain(SL_INT64, false));
    sl_struct_add(&b, "snapshot", sl_envelope_snapshot_schema(SL_ENVELOPE_2_5));
    sl_struct_add(&b, "db", sl_schema_plain(SL_STRING, false));
    sl_struct_add(&b, "sequence", sl_schema_plain(SL_STRING, true));
    sl_struct_add(&b, "schema", sl_schema_plain(SL_STRING, false));
    sl_struct_add(&b, "table", sl_schema_plain(SL_STRING, false));
    sl_struct_add(&b, "change_lsn", sl_schema_plain(SL_STRING, true));
    sl_struct_add(&b, "commit_lsn", sl_schema_plain(SL_STRING, true));
    sl_struct_add(&b, "event_serial_no", sl_schema_plain(SL_INT64, true));
    return sl_struct_end(&b, false);
}

static const struct sl_schema *row_schema(void)
{
    struct sl_struct_builder b = {.name = "srv.shop.dbo.orders.Value"};

    sl_struct_add(&b, "id", sl_schema_plain(SL_INT32, false));
    sl_struct_add(&b, "customer_id", sl_schema_plain(SL_INT32, false));
    sl_struct_add(&b, "status", sl_schema_plain(SL_STRING, true));
    sl_struct_add(&b, "note", sl_schema_plain(SL_STRING, true));
    sl_struct_add(&b, "total", sl_schema_decimal(2, 10, true));
    sl_struct_add(&b, "created_at", sl_schema_named(SL_INT64, "io.debezium.time.NanoTimestamp", 1, true));
    sl_struct_add(&b, "quantity", sl_schema_plain(SL_INT16, true));
    return sl_struct_end(&b, false);
}

static struct sl_value make_row(struct sl_arena *arena, int i)
{
    struct sl_value *f = sl_arena_alloc(arena, 7 * sizeof(*f));

    f[0] = sl_int(SL_INT32, 100000 + i);
    f[1] = sl_int(SL_INT32, i % 997);
    f[2] = sl_text("shipped");
    f[3] = i % 3 ? sl_text("left at the door of the neighbour") : sl_null();
    f[4] = sl_bytes(SL_BYTES, "\x01\xE2\x40", 3);
    f[5] = sl_int(SL_INT64, 1700000000123456000 + i);
    f[6] = sl_int(SL_INT16, i % 50);
    return sl_items(SL_STRUCT, f, 7);
}

static struct sl_value make_source(struct sl_arena *arena, int i)
{
    struct sl_value *f = sl_arena_alloc(arena, 12 * sizeof(*f));

    f[0] = sl_text("2.5.4.Final");
    f[1] = sl_text("sqlserver");
    f[2] = sl_text("srv");
    f[3] = sl_int(SL_INT64, 1700000000123);
    f[4] = sl_text("false");
    f[5] = sl_text("shop");
    f[6] = sl_null();
    f[7] = sl_text("dbo");
    f[8] = sl_text("orders");
    f[9] = sl_text("00000027:00000758:0003");
    f[10] = sl_text("00000027:00000758:0005");
    f[11] = sl_int(SL_INT64, 1 + i % 2);
    return sl_items(SL_STRUCT, f, 12);
}

static struct sl_value make_envelope(struct sl_arena *arena, const struct sl_envelope *e, int i)
{
    struct sl_value *f = sl_arena_alloc(arena, e->n_fields * sizeof(*f));

    f[e->before] = sl_null();
    f[e->after] = make_row(arena, i);
    f[e->source] = make_source(arena, i);
    f[e->op] = sl_text("c");
    f[e->ts_ms] = sl_int(SL_INT64, 1700000000500);
    f[e->transaction] = sl_null();
    return sl_items(SL_STRUCT, f, e->n_fields);
}

struct stage {
    struct sl_converter converter;
    const struct sl_topic *topic;
    const struct sl_schema *schema;
    struct sl_value values[ROWS];
    size_t ends[ROWS]; /* of each encoded row in out */
    struct sl_buf out;
    struct sl_arena *arena;
};

static void must(enum sl_rc rc, const struct sl_error *err)
{
    if (rc == SL_OK)
        return;
    (void)fprintf(stderr, "codec_stages: %s\n", err->text);
    exit(1);
}

static void encode_batch(struct stage *s)
{
    struct sl_error err;
    bool null;

    sl_buf_reset(&s->out);
    for (int i = 0; i < ROWS; i++) {
        must(s->converter.ops->encode(s->converter.self, s->topic, s->schema, s->values[i], &s->out, &null,
                                      &err),
             &err);
        s->ends[i] = s->out.len;
    }
}

static void decode_batch(struct stage *s)
{
    const struct sl_schema *schema;
    struct sl_value value;
    struct sl_error err;
    size_t from = 0;

    sl_arena_reset(s->arena);
    for (int i = 0; i < ROWS; i++) {
        struct sl_span span = {s->out.data + from, s->ends[i] - from};

        must(s->converter.ops->decode(s->converter.self, s->topic, span, s->arena, &schema, &value, &err),
             &err);
        from = s->ends[i];
    }
}

static volatile int32_t sink; /* keeps the loop below from being thrown away */

static void hash_batch(struct stage *s)
{
    size_t from = 0;

    for (int i = 0; i < ROWS; i++) {
        sink = sl_murmur2_partition(s->out.data + from, s->ends[i] - from, 12);
        from = s->ends[i];
    }
}

static struct sl_transform unwrap;

static void unwrap_batch(struct stage *s)
{
    sl_arena_reset(s->arena);
    for (int i = 0; i < ROWS; i++) {
        struct sl_message message = {
            .topic = s->topic, .value_schema = s->schema, .record = {.value = s->values[i]}};
        struct sl_error err;

        if (unwrap.ops->apply(unwrap.self, &message, s->arena, &err) != SL_KEEP) {
            (void)fprintf(stderr, "codec_stages: the transform kept no record\n");
            exit(1);
        }
    }
}

static void open_unwrap(void)
{
    struct sl_props *props = sl_props_new();
    struct sl_error err = {0};

    sl_props_set(props, "unwrap.add.fields", "op,deleted");
    sl_props_set(props, "unwrap.delete.handling.mode", "rewrite");
    unwrap.ops = &sl_transform_extract_new_record_state;
    must(unwrap.ops->open(props, "unwrap.", unwrap.ops->classes[0], &unwrap.self, &err), &err);
    sl_props_free(props);
}

static void measure(const char *name, struct stage *s, void (*batch)(struct stage *), int rounds,
                    int budget_ns)
{
    struct bench_stage stage = {.name = name, .rows = ROWS, .budget_ns = budget_ns};

    for (int i = 0; i < rounds; i++) {
        bench_stage_begin(&stage);
        batch(s);
        bench_stage_end(&stage, s->out.len);
    }
    bench_stage_tell(&stage);
}

static void open_stage(struct stage *s, const struct sl_converter_ops *ops, const char *key,
                       const char *value)
{
    struct sl_props *props = sl_props_new();
    struct sl_error err = {0};

    if (key)
        sl_props_set(props, key, value);
    s->converter.ops = ops;
    must(ops->open(props, "", false, &one, &s->converter.self, &err), &err);
    sl_props_free(props);
}

int main(int argc, char **argv)
{
    int rounds = argc > 1 ? (int)strtol(argv[1], NULL, 10) : 200;
    const struct sl_envelope *e =
        sl_envelope_make(SL_ENVELOPE_2_5, "srv.shop.dbo.orders", row_schema(), source_schema());
    struct sl_struct_builder b = {.name = "srv.shop.dbo.orders.Key"};
    struct sl_arena *arena = sl_arena_new((size_t)1 << 20);
    struct stage *s = sl_zalloc(1, sizeof(*s));

    s->topic = sl_topic_intern("orders", 6);
    s->arena = sl_arena_new((size_t)1 << 20);
    sl_struct_add(&b, "id", sl_schema_plain(SL_INT32, false));
    s->schema = sl_struct_end(&b, false);
    for (int i = 0; i < ROWS; i++) {
        struct sl_value *id = sl_arena_alloc(arena, sizeof(*id));

        *id = sl_int(SL_INT32, 100000 + i);
        s->values[i] = sl_items(SL_STRUCT, id, 1);
    }
    open_stage(s, &sl_converter_avro, NULL, NULL);
    measure("avro encode key", s, encode_batch, rounds, 50);
    measure("partition by key", s, hash_batch, rounds, 20);
    measure("avro decode key", s, decode_batch, rounds, 50);
    s->converter.ops->close(s->converter.self);
    s->schema = e->schema;
    for (int i = 0; i < ROWS; i++)
        s->values[i] = make_envelope(arena, e, i);
    open_stage(s, &sl_converter_avro, NULL, NULL);
    measure("avro encode envelope", s, encode_batch, rounds, 250);
    measure("avro decode envelope", s, decode_batch, rounds, 250);
    open_unwrap();
    measure("ExtractNewRecordState", s, unwrap_batch, rounds, 50);
    unwrap.ops->close(unwrap.self);
    s->converter.ops->close(s->converter.self);
    open_stage(s, &sl_converter_json, "schemas.enable", "false");
    measure("json encode envelope", s, encode_batch, rounds, 0);
    s->converter.ops->close(s->converter.self);
    sl_buf_done(&s->out);
    sl_arena_free(s->arena);
    sl_arena_free(arena);
    sl_free(s);
    sl_free(registered);
    return 0;
}
