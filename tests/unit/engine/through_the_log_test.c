/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What only ScyllaDB says (absent fields, ranges, static columns), from a source through the embedded log and
 * the transforms of a usual sink into PostgreSQL.
 */
#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/props.h"
#include "codec/converters.h"
#include "data/schema_build.h"
#include "engine/config/connector_config.h"
#include "engine/herd/herder.h"
#include "pg_fixture.h"
#include "registry/registries.h"
#include "sink/postgres/sink.h"
#include "sluice/position.h"
#include "transform/transforms.h"
#include "transport/sqlite/sqlite.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

static struct pg_fixture pg;

/* ---- a source that gives one batch ---- */

static void (*fill)(struct sl_batch *batch);

static const char *const source_classes[] = {"test.OneBatch", NULL};
static const struct sl_option no_options[] = {{.name = NULL}};

struct one_batch {
    bool given;
};

static enum sl_rc source_plan(const struct sl_props *props, int max_tasks, int *ret_tasks,
                              struct sl_error *err)
{
    (void)props;
    (void)max_tasks;
    (void)err;
    *ret_tasks = 1;
    return SL_OK;
}

static enum sl_rc source_open(const struct sl_source_env *env, const struct sl_props *props, void **ret_self,
                              struct sl_error *err)
{
    (void)env;
    (void)props;
    (void)err;
    *ret_self = sl_zalloc(1, sizeof(struct one_batch));
    return SL_OK;
}

static enum sl_rc source_poll(void *ptr, struct sl_batch *batch, int64_t deadline_us, struct sl_error *err)
{
    struct one_batch *self = ptr;

    (void)deadline_us;
    (void)err;
    if (self->given) {
        (void)usleep(1000);
        return SL_OK;
    }
    fill(batch);
    self->given = true;
    return SL_OK;
}

static void source_wake(void *self)
{
    (void)self;
}

static void source_close(void *self)
{
    sl_free(self);
}

static const struct sl_source_ops source_ops = {
    .name = "one-batch",
    .classes = source_classes,
    .options = no_options,
    .plan = source_plan,
    .open = source_open,
    .poll = source_poll,
    .wake = source_wake,
    .close = source_close,
};

static const struct sl_source_ops *const sources[] = {&source_ops, NULL};
static const struct sl_sink_ops *const sinks[] = {&sl_pgsink_ops, NULL};
static const struct sl_transport_ops *const transports[] = {&sl_transport_sqlite, NULL};
static const struct sl_converter_ops *const converters[] = {&sl_converter_avro, &sl_converter_json, NULL};
static const struct sl_transform_ops *const transforms[] = {&sl_transform_extract_new_record_state,
                                                            &sl_transform_regex_router, NULL};
static const struct sl_plugins plugins = {
    .sources = sources,
    .sinks = sinks,
    .transports = transports,
    .converters = converters,
    .transforms = transforms,
    .open_registry = sl_registries_open,
};

/* ---- events in the shape of Scylla's connector ---- */

static const struct sl_schema *key_schema;
static const struct sl_schema *envelope_schema;

static const struct sl_schema *row_schema(const char *name)
{
    struct sl_struct_builder row = {.name = name};

    sl_struct_add(&row, "ck", sl_schema_plain(SL_INT32, true));
    sl_struct_add(&row, "name", sl_schema_plain(SL_STRING, true));
    sl_struct_add(&row, "pk", sl_schema_plain(SL_INT32, true));
    sl_struct_add(&row, "qty", sl_schema_plain(SL_INT64, true));
    return sl_struct_end(&row, true);
}

static void make_schemas(void)
{
    struct sl_struct_builder key = {.name = "s.ks.t.Key"};
    struct sl_struct_builder envelope = {.name = "s.ks.t.Envelope"};

    sl_struct_add(&key, "pk", sl_schema_plain(SL_INT32, true));
    sl_struct_add(&key, "ck", sl_schema_plain(SL_INT32, true));
    key_schema = sl_struct_end(&key, false);
    sl_struct_add(&envelope, "before", row_schema("s.ks.t.Before"));
    sl_struct_add(&envelope, "after", row_schema("s.ks.t.After"));
    sl_struct_add(&envelope, "op", sl_schema_plain(SL_STRING, true));
    envelope_schema = sl_struct_end(&envelope, false);
}

static struct sl_value items(struct sl_batch *batch, size_t n, const struct sl_value *fields)
{
    return sl_items(SL_STRUCT, sl_arena_copy(batch->arena, fields, n * sizeof(*fields)), n);
}

#define ITEMS(batch, ...)                                                              \
    items((batch), sizeof((struct sl_value[]){__VA_ARGS__}) / sizeof(struct sl_value), \
          (struct sl_value[]){__VA_ARGS__})
#define INT(n) sl_int(SL_INT32, (n))
#define LONG(n) sl_int(SL_INT64, (n))
#define ABSENT ((struct sl_value){.tag = SL_ABSENT})

static struct sl_record *add(struct sl_batch *batch, struct sl_value key, const struct sl_schema *schema,
                             struct sl_value value)
{
    struct sl_record *record = sl_batch_add(batch, sl_topic_intern("s.ks.t", 6), key_schema, schema);

    record->key = key;
    record->value = value;
    return record;
}

static struct sl_record *add_change(struct sl_batch *batch, const char *op, int pk, int ck,
                                    struct sl_value name, struct sl_value qty)
{
    struct sl_value after = ITEMS(batch, INT(ck), name, INT(pk), qty);
    struct sl_record *record = add(batch, ITEMS(batch, INT(pk), INT(ck)), envelope_schema,
                                   ITEMS(batch, sl_null(), after, sl_text(op)));

    record->flags |= SL_RECORD_PARTIAL;
    return record;
}

static void put_header(struct sl_batch *batch, struct sl_record *record, const char *name, const char *text)
{
    struct sl_header *header = sl_arena_alloc(batch->arena, sizeof(*header));

    *header = (struct sl_header){.name = name, .value = sl_bytes(SL_BYTES, text, strlen(text))};
    record->headers = header;
    record->n_headers = 1;
}

/* A partition delete as the source writes it: the event, and its tombstone. */
static void add_partition_delete(struct sl_batch *batch, int pk, const char *range)
{
    struct sl_value before = ITEMS(batch, sl_null(), sl_null(), INT(pk), sl_null());

    put_header(batch,
               add(batch, ITEMS(batch, INT(pk), sl_null()), envelope_schema,
                   ITEMS(batch, before, sl_null(), sl_text("d"))),
               SL_HEADER_RANGE, range);
    put_header(batch, add(batch, ITEMS(batch, INT(pk), sl_null()), NULL, sl_null()), SL_HEADER_RANGE, range);
}

/* ---- the pipeline ---- */

static char state_dir[64];
static struct sl_props *worker_props;

static int start(void **state)
{
    (void)state;
    sl_log_open(SL_LEVEL_ERROR, SL_LOG_LOGFMT);
    pg_fixture_start(&pg);
    make_schemas();
    return 0;
}

static int stop(void **state)
{
    (void)state;
    pg_fixture_stop(&pg);
    return 0;
}

static void remove_state(void)
{
    char command[100];

    (void)snprintf(command, sizeof(command), "rm -rf %s", state_dir);
    assert_int_equal(system(command), 0);
}

static struct sl_connector *connector_of(const char *const *settings)
{
    struct sl_props *props = sl_props_new();
    struct sl_complaints complaints = {0};
    struct sl_connector *connector = NULL;

    for (; *settings; settings += 2)
        sl_props_set(props, settings[0], settings[1]);
    sl_connector_check(props, &plugins, worker_props, NULL, &complaints, &connector);
    if (!connector)
        fail_msg("%s: %s", complaints.items[0].key, complaints.items[0].text);
    sl_complaints_done(&complaints);
    return connector;
}

/* Run both connectors until the target holds the whole log. converter: a Java class name. */
static void run_through(void (*source)(struct sl_batch *), int records, const char *converter,
                        const char *delete_mode)
{
    char url[100];
    const char *const source_settings[] = {"name", "src", "connector.class", "test.OneBatch", NULL};
    const char *const sink_settings[] = {"name",
                                         "snk",
                                         "connector.class",
                                         "io.confluent.connect.jdbc.JdbcSinkConnector",
                                         "topics",
                                         "s.ks.t",
                                         "connection.url",
                                         url,
                                         "table.name.format",
                                         "t",
                                         "insert.mode",
                                         "upsert",
                                         "pk.mode",
                                         "record_key",
                                         "pk.fields",
                                         "pk,ck,other",
                                         "delete.enabled",
                                         "true",
                                         "transforms",
                                         "unwrap,route",
                                         "transforms.unwrap.type",
                                         "io.debezium.transforms.ExtractNewRecordState",
                                         "transforms.unwrap.drop.tombstones",
                                         "false",
                                         "transforms.unwrap.delete.handling.mode",
                                         delete_mode,
                                         "transforms.unwrap.add.fields",
                                         "op",
                                         "transforms.route.type",
                                         "org.apache.kafka.connect.transforms.RegexRouter",
                                         "transforms.route.regex",
                                         "s\\.ks\\.(.*)",
                                         "transforms.route.replacement",
                                         "$1",
                                         NULL};
    struct sl_connector *connectors[2];
    const struct sl_props *configs[2];
    struct sl_herder_settings settings = {.plugins = &plugins};
    struct sl_herder *herder = NULL;
    struct sl_error err = {0};
    int64_t deadline_us = sl_now_us() + 30 * INT64_C(1000000);
    char expected[16];

    fill = source;
    (void)snprintf(url, sizeof(url), "jdbc:postgresql://127.0.0.1:%d/postgres?user=postgres", pg.port);
    (void)snprintf(expected, sizeof(expected), "%d", records);
    (void)snprintf(state_dir, sizeof(state_dir), "/tmp/sluice-through-XXXXXX");
    assert_non_null(mkdtemp(state_dir));
    worker_props = sl_props_new();
    sl_props_set(worker_props, "key.converter", converter);
    sl_props_set(worker_props, "value.converter", converter);
    sl_props_set(worker_props, "sluice.state.dir", state_dir);
    connectors[0] = connector_of(source_settings);
    connectors[1] = connector_of(sink_settings);
    configs[0] = connectors[0]->raw;
    configs[1] = connectors[1]->raw;
    settings.worker = worker_props;
    if (sl_herder_open(&settings, &herder, &err) || sl_herder_adopt_files(herder, configs, 2, &err) ||
        sl_herder_start(herder, &err))
        fail_msg("%s", err.text);
    while (strcmp(pg_fixture_rows(&pg, "SELECT CASE WHEN to_regclass('sluice_offsets') IS NOT NULL THEN"
                                       " (xpath('//n/text()', query_to_xml('SELECT max(next_offset) AS n FROM"
                                       " sluice_offsets', false, true, '')))[1]::text END"),
                  expected) != 0) {
        assert_true(sl_now_us() < deadline_us);
        (void)usleep(5000);
    }
    assert_true(sl_herder_stop(herder, sl_now_us() + 10 * INT64_C(1000000)));
    sl_herder_free(herder);
    sl_connector_free(connectors[0]);
    sl_connector_free(connectors[1]);
    sl_props_free(worker_props);
    remove_state();
}

static void make_table(const char *rows)
{
    char sql[600];

    (void)snprintf(
        sql, sizeof(sql),
        "DROP SCHEMA public CASCADE; CREATE SCHEMA public; CREATE TABLE t (pk int, ck int, name text"
        " DEFAULT 'unnamed', qty bigint DEFAULT 1, __deleted text, __op text, PRIMARY KEY (pk, ck));"
        " INSERT INTO t (pk, ck, name, qty) VALUES %s",
        rows);
    pg_fixture_run(&pg, sql);
}

static void partial_changes(struct sl_batch *batch)
{
    (void)add_change(batch, "u", 1, 1, ABSENT, LONG(10));           /* names qty */
    (void)add_change(batch, "u", 1, 2, sl_null(), ABSENT);          /* sets name to null */
    (void)add_change(batch, "u", 1, 3, sl_text("new"), ABSENT);     /* a row that is not there */
    (void)add_change(batch, "u", 1, 1, sl_text("renamed"), ABSENT); /* the first one again */
}

static const char *const both[] = {"io.confluent.connect.avro.AvroConverter",
                                   "org.apache.kafka.connect.json.JsonConverter"};

static void a_partial_update_changes_what_it_names(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        make_table("(1, 1, 'a', 5), (1, 2, 'b', 6)");
        run_through(partial_changes, 4, both[i], "rewrite");
        assert_string_equal(pg_fixture_rows(&pg, "SELECT pk, ck, name, qty FROM t ORDER BY ck"),
                            "1|1|renamed|10\n1|2|NULL|6\n1|3|new|1");
    }
}

static void partition_deletes(struct sl_batch *batch)
{
    (void)add_change(batch, "c", 1, 3, sl_text("before"), LONG(3));
    add_partition_delete(batch, 1, "{\"version\":1,\"equal\":{\"pk\":1}}");
    (void)add_change(batch, "c", 1, 4, sl_text("behind"), LONG(4));
    put_header(batch, add_change(batch, "u", 2, 0, ABSENT, LONG(9)), SL_HEADER_STATIC, "");
}

static void a_partition_delete_deletes_the_partition(void **state)
{
    static const char *const modes[] = {"rewrite", "none", "drop"};

    (void)state;
    for (size_t i = 0; i < sizeof(modes) / sizeof(*modes); i++) {
        make_table("(1, 1, 'a', 5), (2, 2, 'b', 6)");
        run_through(partition_deletes, 5, both[0], modes[i]);
        assert_string_equal(pg_fixture_rows(&pg, "SELECT pk, ck, name, qty FROM t ORDER BY pk, ck"),
                            "1|4|behind|4\n2|2|b|6");
    }
}

static void half_of_a_partition_delete(struct sl_batch *batch)
{
    add_partition_delete(batch, 1, "{\"version\":1,\"equal\":{\"pk\":1},\"from\":{\"ck\":1}}");
    batch->n_records--; /* as with tombstones.on.delete=false */
    batch->n_runs--;
}

static void a_rewritten_range_delete_marks_its_rows(void **state)
{
    (void)state;
    make_table("(1, 1, 'a', 5), (1, 2, 'b', 6), (2, 2, 'c', 7)");
    run_through(half_of_a_partition_delete, 1, both[0], "rewrite");
    assert_string_equal(pg_fixture_rows(&pg, "SELECT pk, ck, name, __deleted, __op FROM t ORDER BY pk, ck"),
                        "1|1|a|NULL|NULL\n1|2|b|true|d\n2|2|c|NULL|NULL");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_partial_update_changes_what_it_names),
        cmocka_unit_test(a_partition_delete_deletes_the_partition),
        cmocka_unit_test(a_rewritten_range_delete_marks_its_rows),
    };

    return cmocka_run_group_tests(tests, start, stop);
}
