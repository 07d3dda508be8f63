/* SPDX-License-Identifier: Apache-2.0 */
/* The judge of the JSON as a whole is Debezium itself (tests/interop/kafka_cluster/test_takeover.py). */
#include "source/sqlserver/history.h"
#include "base/json.h"
#include "source/sqlserver/structure.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

static struct sl_mssql_column columns[] = {
    {.name = "id",
     .id = 1,
     .ordinal = 1,
     .type = SL_MSSQL_INT,
     .max_length = 4,
     .precision = 10,
     .key = 1,
     .identity = true},
    {.name = "na\"me", .id = 2, .ordinal = 2, .type = SL_MSSQL_NVARCHAR, .max_length = 40, .nullable = true},
    {.name = "n",
     .id = 3,
     .ordinal = 3,
     .type = SL_MSSQL_SMALLINT,
     .max_length = 2,
     .precision = 5,
     .default_text = (char[]){"((7))"}},
};

static struct sl_mssql_instance instance = {.name = "dbo_t",
                                            .schema = "dbo",
                                            .table = "t",
                                            .has_command_id = true,
                                            .columns = columns,
                                            .n_columns = 3};

static struct sl_mssql_config config = {.prefix = (char[]){"srv"},
                                        .delimiter = (char[]){"."},
                                        .transaction_topic = (char[]){"transaction"},
                                        .history_topic = (char[]){"history"}};

/* The notes of the log: one table. */
static char note_key[100], note_value[100];

static enum sl_rc notes(void *ctx, struct sl_span from, struct sl_span to, size_t max, sl_note_visitor *visit,
                        void *visit_ctx, struct sl_error *err)
{
    const struct sl_note note = {.key = {(const uint8_t *)note_key, strlen(note_key)},
                                 .value = {(const uint8_t *)note_value, strlen(note_value)}};

    (void)ctx;
    (void)max;
    (void)err;
    assert_true(from.len < to.len || memcmp(from.ptr, to.ptr, to.len) < 0);
    if (note_key[0])
        visit(visit_ctx, &note);
    return SL_OK;
}

struct scene {
    struct sl_source_env env;
    struct sl_mssql_emitter emitter;
    struct sl_mssql_table *table;
    struct sl_buf partition;
    struct sl_batch *batch;
    struct sl_mssql_history *history;
};

static void begin(struct scene *scene, bool peers_read)
{
    struct sl_error err = {0};

    *scene = (struct scene){.env = {.connector = "c", .peers_read = peers_read, .notes = notes}};
    sl_mssql_partition_write("srv", "d1", &scene->partition);
    sl_mssql_emitter_init(&scene->emitter, &config, "d1", 0);
    assert_int_equal(
        sl_mssql_table_new(&instance, &config, "d1", &scene->emitter.layout, &scene->table, &err), SL_OK);
    scene->batch = sl_batch_new(4096);
    sl_mssql_emitter_begin(&scene->emitter, scene->batch);
    scene->emitter.now_us = 1700000000123000;
    scene->history = sl_mssql_history_new(&config, &scene->env, &scene->partition);
    assert_int_equal(sl_mssql_history_load(scene->history, &err), SL_OK);
}

static void end(struct scene *scene)
{
    sl_mssql_history_free(scene->history);
    sl_mssql_table_free(scene->table);
    sl_batch_free(scene->batch);
    sl_buf_done(&scene->partition);
}

static void put(struct scene *scene, bool snapshot)
{
    const struct sl_lsn commit = {{0, 0, 0, 0x27, 0, 0, 3, 8, 0, 3}};

    sl_mssql_history_put(scene->history, &scene->emitter, scene->table, &commit, snapshot);
}

static const char *text_of(const struct scene *scene, uint32_t index, char *text, size_t size)
{
    const struct sl_record *record = &scene->batch->records[index];

    assert_true(record->value.len < size);
    memcpy(text, record->value.bytes, record->value.len);
    text[record->value.len] = '\0';
    return text;
}

static void a_table_is_told_as_debezium_tells_it(void **state)
{
    static const char expected[] =
        "{\"source\":{\"server\":\"srv\",\"database\":\"d1\"},"
        "\"position\":{\"commit_lsn\":\"00000027:00000308:0003\",\"snapshot\":true,\"snapshot_completed\":"
        "false},"
        "\"ts_ms\":1700000000123,\"databaseName\":\"d1\",\"schemaName\":\"dbo\","
        "\"tableChanges\":[{\"type\":\"CREATE\",\"id\":\"\\\"d1\\\".\\\"dbo\\\".\\\"t\\\"\","
        "\"table\":{\"defaultCharsetName\":null,\"primaryKeyColumnNames\":[\"id\"],\"columns\":["
        "{\"name\":\"id\",\"jdbcType\":4,\"typeName\":\"int identity\",\"typeExpression\":\"int identity\","
        "\"charsetName\":null,\"length\":10,\"scale\":0,\"position\":1,\"optional\":false,"
        "\"autoIncremented\":true,\"generated\":false,\"comment\":null,\"hasDefaultValue\":false,"
        "\"enumValues\":[]},"
        "{\"name\":\"na\\\"me\",\"jdbcType\":-9,\"typeName\":\"nvarchar\",\"typeExpression\":\"nvarchar\","
        "\"charsetName\":null,\"length\":20,\"position\":2,\"optional\":true,\"autoIncremented\":false,"
        "\"generated\":false,\"comment\":null,\"hasDefaultValue\":true,\"enumValues\":[]},"
        "{\"name\":\"n\",\"jdbcType\":5,\"typeName\":\"smallint\",\"typeExpression\":\"smallint\","
        "\"charsetName\":null,\"length\":5,\"scale\":0,\"position\":3,\"optional\":false,"
        "\"autoIncremented\":false,\"generated\":false,\"comment\":null,\"hasDefaultValue\":true,"
        "\"defaultValueExpression\":\"((7))\",\"enumValues\":[]}],"
        "\"attributes\":[]},\"comment\":null}]}";
    struct scene scene;
    char text[4096];

    (void)state;
    note_key[0] = '\0';
    begin(&scene, true);
    put(&scene, true);
    assert_int_equal(scene.batch->n_records, 1);
    assert_string_equal(text_of(&scene, 0, text, sizeof(text)), expected);
    assert_int_equal(scene.batch->records[0].flags, SL_RECORD_VERBATIM);
    assert_string_equal(scene.batch->runs[0].topic->name, "history");
    end(&scene);
}

static void what_stands_in_the_notes_is_not_told_again_and_what_differs_is_an_alter(void **state)
{
    struct scene scene;
    const struct sl_note *note;
    char text[4096];

    (void)state;
    note_key[0] = '\0';
    begin(&scene, true);
    put(&scene, false);
    put(&scene, false);
    assert_int_equal(scene.batch->n_records, 1);
    assert_int_equal(scene.batch->n_notes, 1);
    note = &scene.batch->notes[0];
    memcpy(note_key, note->key.ptr, note->key.len);
    note_key[note->key.len] = '\0';
    memcpy(note_value, note->value.ptr, note->value.len);
    note_value[note->value.len] = '\0';
    assert_string_equal(note_key, "history/history/d1.dbo.t");
    end(&scene);

    begin(&scene, true); /* a restart */
    put(&scene, false);
    assert_int_equal(scene.batch->n_records, 0);
    columns[1].max_length = 60;
    put(&scene, false);
    columns[1].max_length = 40;
    assert_int_equal(scene.batch->n_records, 1);
    (void)text_of(&scene, 0, text, sizeof(text));
    assert_non_null(strstr(text, "\"type\":\"ALTER\""));
    assert_non_null(strstr(text, "\"position\":{\"commit_lsn\":\"00000027:00000308:0003\","
                                 "\"change_lsn\":\"NULL\",\"event_serial_no\":0}"));
    sl_mssql_history_forget(scene.history); /* the batch did not come to count */
    end(&scene);
}

static void a_snapshot_tells_everything_anew(void **state)
{
    struct scene scene;
    char text[4096];

    (void)state;
    assert_true(note_key[0] != '\0');
    begin(&scene, true);
    put(&scene, true);
    assert_int_equal(scene.batch->n_records, 1);
    assert_non_null(strstr(text_of(&scene, 0, text, sizeof(text)), "\"type\":\"CREATE\""));
    end(&scene);
}

static void a_log_that_nobody_else_reads_gets_no_history(void **state)
{
    struct scene scene;

    (void)state;
    begin(&scene, false);
    assert_null(scene.history);
    put(&scene, true);
    assert_int_equal(scene.batch->n_records, 0);
    end(&scene);
}

static void the_class_says_where_it_is_kept(void **state)
{
    (void)state;
    assert_int_equal(sl_mssql_history_kind(NULL), SL_MSSQL_HISTORY_TOPIC);
    assert_int_equal(sl_mssql_history_kind("io.debezium.storage.kafka.history.KafkaSchemaHistory"),
                     SL_MSSQL_HISTORY_TOPIC);
    assert_int_equal(sl_mssql_history_kind("io.debezium.storage.file.history.FileSchemaHistory"),
                     SL_MSSQL_HISTORY_FILE);
    assert_int_equal(sl_mssql_history_kind("io.debezium.relational.history.MemorySchemaHistory"),
                     SL_MSSQL_HISTORY_OTHER);
}

static void a_topic_that_is_left_over_beside_another_class_is_not_written(void **state)
{
    struct scene scene;

    (void)state;
    note_key[0] = '\0';
    config.history_class = (char[]){"io.debezium.relational.history.MemorySchemaHistory"};
    begin(&scene, true);
    assert_null(scene.history);
    put(&scene, true);
    assert_int_equal(scene.batch->n_records, 0);
    end(&scene);
    config.history_class = NULL;
}

static void a_file_gets_one_line_for_each_structure_and_no_record(void **state)
{
    char path[] = "/tmp/sluice-history-XXXXXX";
    struct scene scene;
    char text[8192];
    size_t len;
    FILE *file;

    (void)state;
    (void)close(mkstemp(path));
    note_key[0] = '\0';
    config.history_class = (char[]){"io.debezium.storage.file.history.FileSchemaHistory"};
    config.history_file = path;
    begin(&scene, true);
    put(&scene, true);
    put(&scene, false); /* it is there already */
    columns[1].max_length = 60;
    put(&scene, false);
    columns[1].max_length = 40;
    assert_int_equal(scene.batch->n_records, 0);
    assert_int_equal(scene.batch->n_notes, 2);
    end(&scene);
    file = fopen(path, "re");
    len = fread(text, 1, sizeof(text) - 1, file);
    text[len] = '\0';
    (void)fclose(file);
    (void)unlink(path);
    assert_int_equal(strncmp(text, "{\"source\":{\"server\":\"srv\"", 25), 0);
    assert_non_null(strstr(text, "}\n{\"source\":"));
    assert_non_null(strstr(strchr(text, '\n'), "\"type\":\"ALTER\""));
    assert_int_equal(text[len - 1], '\n');

    config.history_file = (char[]){"/nowhere/at/all"};
    begin(&scene, true);
    put(&scene, true); /* a warning, and no note: the next start tries again */
    assert_int_equal(scene.batch->n_notes, 0);
    end(&scene);
    config.history_class = NULL;
    config.history_file = NULL;
}

static enum sl_rc is_log_at(void *ctx, const char *prefix, const char *servers, bool *ret_is,
                            struct sl_error *err)
{
    (void)ctx;
    assert_string_equal(prefix, "schema.history.internal.producer.");
    if (strcmp(servers, "away:9092") == 0)
        return sl_error_set(err, SL_E_CONNECT, "no answer");
    *ret_is = strcmp(servers, "ours:9092") == 0;
    return SL_OK;
}

static void a_topic_of_another_cluster_is_not_ours_to_write(void **state)
{
    struct sl_source_env env = {.peers_read = true, .is_log_at = is_log_at};

    (void)state;
    assert_false(sl_mssql_history_is_elsewhere(&config, &env));
    config.history_servers = (char[]){"ours:9092"};
    assert_false(sl_mssql_history_is_elsewhere(&config, &env));
    config.history_servers = (char[]){"theirs:9092"};
    assert_true(sl_mssql_history_is_elsewhere(&config, &env));
    config.history_servers = (char[]){"away:9092"};
    assert_true(sl_mssql_history_is_elsewhere(&config, &env));
    env.is_log_at = NULL;
    assert_false(sl_mssql_history_is_elsewhere(&config, &env));
    config.history_servers = NULL;
}

/* The schema-change topic: what a restart before the place of the newer instance reads again says nothing. */
static void an_older_structure_is_not_told_behind_a_newer_one(void **state)
{
    const struct sl_mssql_origin origin = {.snapshot = "false", .streamed = true, .known_lsn = true};
    struct sl_mssql_told *told;
    struct scene scene;

    (void)state;
    note_key[0] = '\0';
    begin(&scene, true);
    told = sl_mssql_told_new(&scene.env, "structure/d1/");
    sl_mssql_structure_tell(told, &scene.emitter, scene.table, &origin);
    assert_int_equal(scene.batch->n_records, 1);
    columns[1].max_length = 60;
    instance.start.b[0] = 1;
    sl_mssql_structure_tell(told, &scene.emitter, scene.table, &origin);
    assert_int_equal(scene.batch->n_records, 2);
    columns[1].max_length = 40;
    instance.start.b[0] = 0;
    sl_mssql_structure_tell(told, &scene.emitter, scene.table, &origin);
    assert_int_equal(scene.batch->n_records, 2);
    sl_mssql_structure_tell_anew(told, &scene.emitter, scene.table, &origin); /* a new snapshot */
    assert_int_equal(scene.batch->n_records, 3);
    sl_mssql_told_free(told);
    end(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_table_is_told_as_debezium_tells_it),
        cmocka_unit_test(what_stands_in_the_notes_is_not_told_again_and_what_differs_is_an_alter),
        cmocka_unit_test(a_snapshot_tells_everything_anew),
        cmocka_unit_test(a_log_that_nobody_else_reads_gets_no_history),
        cmocka_unit_test(the_class_says_where_it_is_kept),
        cmocka_unit_test(a_topic_that_is_left_over_beside_another_class_is_not_written),
        cmocka_unit_test(a_file_gets_one_line_for_each_structure_and_no_record),
        cmocka_unit_test(a_topic_of_another_cluster_is_not_ours_to_write),
        cmocka_unit_test(an_older_structure_is_not_told_behind_a_newer_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
