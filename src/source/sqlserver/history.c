/* SPDX-License-Identifier: Apache-2.0 */
#include "source/sqlserver/history.h"

#include "base/json.h"
#include "base/log.h"
#include "source/sqlserver/structure.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct sl_mssql_history {
    const struct sl_mssql_config *config;
    const struct sl_buf *partition;
    const struct sl_topic *topic; /* NULL: the file that the configuration names */
    struct sl_mssql_told *told;
    struct sl_buf table, text;
};

enum sl_mssql_history_kind sl_mssql_history_kind(const char *class_name)
{
    const char *dot = class_name ? strrchr(class_name, '.') : NULL;
    const char *name = dot ? dot + 1 : class_name;

    if (!name || !*name || strcmp(name, "KafkaSchemaHistory") == 0 ||
        strcmp(name, "KafkaDatabaseHistory") == 0)
        return SL_MSSQL_HISTORY_TOPIC;
    if (strcmp(name, "FileSchemaHistory") == 0 || strcmp(name, "FileDatabaseHistory") == 0)
        return SL_MSSQL_HISTORY_FILE;
    return SL_MSSQL_HISTORY_OTHER;
}

/* What keeps it, as its class wants it; NULL: nothing does. */
static const char *place_of(const struct sl_mssql_config *config)
{
    const char *place = NULL;

    switch (sl_mssql_history_kind(config->history_class)) {
    case SL_MSSQL_HISTORY_TOPIC: place = config->history_topic; break;
    case SL_MSSQL_HISTORY_FILE: place = config->history_file; break;
    case SL_MSSQL_HISTORY_OTHER: break;
    }
    return place && *place ? place : NULL;
}

struct sl_mssql_history *sl_mssql_history_new(const struct sl_mssql_config *config,
                                              const struct sl_source_env *env, const struct sl_buf *partition)
{
    const char *place = place_of(config);
    struct sl_mssql_history *history;
    char *prefix;

    if (!place || !env->peers_read || !env->notes)
        return NULL;
    history = sl_zalloc(1, sizeof(*history));
    history->config = config;
    history->partition = partition;
    if (place == config->history_topic)
        history->topic = sl_topic_intern(place, strlen(place));
    prefix = sl_format("history/%s/", place);
    history->told = sl_mssql_told_new(env, prefix);
    sl_free(prefix);
    return history;
}

bool sl_mssql_history_is_elsewhere(const struct sl_mssql_config *config, const struct sl_source_env *env)
{
    const char *place = place_of(config);
    struct sl_error err = {0};
    bool is_here = true;
    enum sl_rc rc;

    if (!place || place != config->history_topic || !config->history_servers || !*config->history_servers ||
        !env->is_log_at)
        return false;
    rc = env->is_log_at(env->ctx, "schema.history.internal.producer.", config->history_servers, &is_here,
                        &err);
    if (rc == SL_OK && is_here)
        return false;
    sl_warn("the schema history is not kept: its brokers are of another cluster than the worker's, or cannot "
            "be asked. HINT: a Debezium that takes over needs snapshot.mode=recovery; if they are the "
            "worker's, give schema.history.internal.kafka.bootstrap.servers as the worker's "
            "bootstrap.servers",
            SL_T("topic", place), SL_T("brokers", config->history_servers),
            SL_T("why", rc ? err.text : "they are of another cluster"));
    return true;
}

void sl_mssql_history_free(struct sl_mssql_history *history)
{
    if (!history)
        return;
    sl_mssql_told_free(history->told);
    sl_buf_done(&history->table);
    sl_buf_done(&history->text);
    sl_free(history);
}

enum sl_rc sl_mssql_history_load(struct sl_mssql_history *history, struct sl_error *err)
{
    return history ? sl_mssql_told_load(history->told, err) : SL_OK;
}

void sl_mssql_history_forget(struct sl_mssql_history *history)
{
    if (history)
        sl_mssql_told_forget(history->told);
}

static void put_text(struct sl_buf *out, const char *name, const char *text)
{
    sl_buf_format(out, "\"%s\":", name);
    sl_json_put_text(out, text, strlen(text));
}

static void put_position(struct sl_buf *out, const struct sl_lsn *commit, bool snapshot, bool debezium_3)
{
    struct sl_mssql_offset offset = {.state = snapshot ? SL_MSSQL_OFFSET_SNAPSHOT : SL_MSSQL_OFFSET_STREAM};
    struct sl_buf json = {0};

    sl_mssql_position_end_of(&offset.position, commit);
    sl_mssql_offset_write(&offset, debezium_3, &json);
    sl_buf_put(out, json.data, json.len);
    sl_buf_done(&json);
}

/* HistoryRecord.toString, without the blanks. */
static void put_record(struct sl_mssql_history *history, const struct sl_mssql_emitter *emitter,
                       const struct sl_mssql_table *table, const char *type, const struct sl_lsn *commit,
                       bool snapshot)
{
    struct sl_buf *out = &history->text;
    char *id =
        sl_format("\"%s\".\"%s\".\"%s\"", emitter->database, table->instance->schema, table->instance->table);

    sl_buf_reset(out);
    sl_buf_text(out, "{\"source\":");
    sl_buf_put(out, history->partition->data, history->partition->len);
    sl_buf_text(out, ",\"position\":");
    put_position(out, commit, snapshot, history->config->shape == SL_ENVELOPE_3_5);
    sl_buf_format(out, ",\"ts_ms\":%lld,", (long long)(emitter->now_us / 1000));
    put_text(out, "databaseName", emitter->database);
    sl_buf_u8(out, ',');
    put_text(out, "schemaName", table->instance->schema);
    sl_buf_format(out, ",\"tableChanges\":[{\"type\":\"%s\",", type);
    put_text(out, "id", id);
    sl_buf_text(out, ",\"table\":");
    sl_buf_put(out, history->table.data, history->table.len);
    sl_buf_text(out, ",\"comment\":null}]}");
    sl_free(id);
}

/* Behind the other lines, and on the disk before the position that passes it. */
static bool append_line(const char *path, struct sl_buf *line)
{
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0644);
    bool is_file = false;
    bool done = false;
    struct stat facts;

    sl_buf_u8(line, '\n');
    if (fd >= 0)
        is_file = fstat(fd, &facts) == 0 && S_ISREG(facts.st_mode);
    if (is_file)
        done = write(fd, line->data, line->len) == (ssize_t)line->len && fdatasync(fd) == 0;
    if (!done)
        sl_warn("the schema history cannot be written; it is tried again with the next start. HINT: is there "
                "such a folder, and room in it?",
                SL_T("file", path), SL_T("why", fd < 0 || is_file ? strerror(errno) : "it is no plain file"));
    if (is_file && !done)
        (void)!ftruncate(fd, facts.st_size); /* no half line */
    if (fd >= 0)
        (void)close(fd);
    return done;
}

/* Into the batch, to be written with its records. */
static void add_record(struct sl_mssql_history *history, struct sl_batch *batch)
{
    struct sl_record *record = sl_batch_add(batch, history->topic, NULL, NULL);

    record->key = sl_null();
    record->value = sl_bytes(SL_STRING, sl_arena_copy(batch->arena, history->text.data, history->text.len),
                             (uint32_t)history->text.len);
    record->partition = 0;
    record->flags = SL_RECORD_VERBATIM;
}

void sl_mssql_history_put(struct sl_mssql_history *history, struct sl_mssql_emitter *emitter,
                          const struct sl_mssql_table *table, const struct sl_lsn *commit, bool snapshot)
{
    const char *former;
    char mark[SL_MSSQL_MARK_SIZE];

    if (!history)
        return;
    sl_buf_reset(&history->table);
    sl_mssql_structure_write(table, &history->table);
    sl_mssql_structure_mark(&history->table, mark);
    former = sl_mssql_told_find(history->told, table->id);
    if (!snapshot && former && strcmp(former, mark) == 0)
        return;
    put_record(history, emitter, table, former && !snapshot ? "ALTER" : "CREATE", commit, snapshot);
    if (history->topic)
        add_record(history, emitter->batch);
    else if (!append_line(history->config->history_file, &history->text))
        return;
    sl_mssql_told_put(history->told, emitter->batch, table->id, mark);
}
