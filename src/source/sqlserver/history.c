/* SPDX-License-Identifier: Apache-2.0 */
#include "source/sqlserver/history.h"

#include "base/json.h"
#include "source/sqlserver/structure.h"

#include <stdio.h>

struct sl_mssql_history {
    const struct sl_mssql_config *config;
    const struct sl_buf *partition;
    const struct sl_topic *topic;
    struct sl_mssql_told *told;
    struct sl_buf table, text;
};

struct sl_mssql_history *sl_mssql_history_new(const struct sl_mssql_config *config,
                                              const struct sl_source_env *env, const struct sl_buf *partition)
{
    struct sl_mssql_history *history;
    char *prefix;

    if (!config->history_topic || !*config->history_topic || !env->peers_read || !env->notes)
        return NULL;
    history = sl_zalloc(1, sizeof(*history));
    history->config = config;
    history->partition = partition;
    history->topic = sl_topic_intern(config->history_topic, strlen(config->history_topic));
    prefix = sl_format("history/%s/", config->history_topic);
    history->told = sl_mssql_told_new(env, prefix);
    sl_free(prefix);
    return history;
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

void sl_mssql_history_put(struct sl_mssql_history *history, struct sl_mssql_emitter *emitter,
                          const struct sl_mssql_table *table, const struct sl_lsn *commit, bool snapshot)
{
    const char *former;
    struct sl_record *record;
    struct sl_batch *batch = emitter->batch;
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
    record = sl_batch_add(batch, history->topic, NULL, NULL);
    record->key = sl_null();
    record->value = sl_bytes(SL_STRING, sl_arena_copy(batch->arena, history->text.data, history->text.len),
                             (uint32_t)history->text.len);
    record->partition = 0;
    record->flags = SL_RECORD_VERBATIM;
    sl_mssql_told_put(history->told, batch, table->id, mark);
}
