/* SPDX-License-Identifier: Apache-2.0 */
#include "source/sqlserver/history.h"

#include "base/crc32c.h"
#include "base/json.h"
#include "source/sqlserver/structure.h"

#include <stdio.h>

#define NOTE_KEY "history/"

enum { MARK_SIZE = 32 };

/* A structure that was written: whose, and its mark. */
struct entry {
    char *id; /* of the table */
    char mark[MARK_SIZE];
};

struct sl_mssql_history {
    const struct sl_mssql_config *config;
    const struct sl_source_env *env;
    const struct sl_buf *partition;
    const struct sl_topic *topic;
    struct sl_buf key, table, text;
    struct entry *entries;
    size_t n, capacity;
    bool loaded;
};

struct sl_mssql_history *sl_mssql_history_new(const struct sl_mssql_config *config,
                                              const struct sl_source_env *env, const struct sl_buf *partition)
{
    struct sl_mssql_history *history;

    if (!config->history_topic || !*config->history_topic || !env->peers_read || !env->notes)
        return NULL;
    history = sl_zalloc(1, sizeof(*history));
    history->config = config;
    history->env = env;
    history->partition = partition;
    history->topic = sl_topic_intern(config->history_topic, strlen(config->history_topic));
    return history;
}

void sl_mssql_history_forget(struct sl_mssql_history *history)
{
    if (!history)
        return;
    while (history->n)
        sl_free(history->entries[--history->n].id);
    history->loaded = false;
}

void sl_mssql_history_free(struct sl_mssql_history *history)
{
    if (!history)
        return;
    sl_mssql_history_forget(history);
    sl_free(history->entries);
    sl_buf_done(&history->key);
    sl_buf_done(&history->table);
    sl_buf_done(&history->text);
    sl_free(history);
}

/* ---- what was written ---- */

static struct entry *find(struct sl_mssql_history *history, const char *id)
{
    for (size_t i = 0; i < history->n; i++) {
        if (strcmp(history->entries[i].id, id) == 0)
            return &history->entries[i];
    }
    return NULL;
}

static void remember(struct sl_mssql_history *history, const char *id, const char *mark)
{
    struct entry *entry = find(history, id);

    if (!entry) {
        SL_GROW(history->entries, history->n, history->capacity);
        entry = &history->entries[history->n++];
        *entry = (struct entry){.id = sl_strdup(id)};
    }
    (void)snprintf(entry->mark, sizeof(entry->mark), "%s", mark);
}

static void set_key(struct sl_mssql_history *history, const char *id)
{
    sl_buf_reset(&history->key);
    sl_buf_format(&history->key, NOTE_KEY "%s/%s", history->topic->name, id);
}

static void see_note(void *ctx, const struct sl_note *note)
{
    struct sl_mssql_history *history = ctx;
    size_t skip = history->key.len;
    char mark[MARK_SIZE];
    char *id;

    if (note->key.len <= skip || !note->value.ptr || note->value.len >= sizeof(mark))
        return;
    memcpy(mark, note->value.ptr, note->value.len);
    mark[note->value.len] = '\0';
    id = sl_strndup((const char *)note->key.ptr + skip, note->key.len - skip);
    remember(history, id, mark);
    sl_free(id);
}

enum sl_rc sl_mssql_history_load(struct sl_mssql_history *history, struct sl_error *err)
{
    struct sl_buf end = {0};
    enum sl_rc rc;

    if (!history || history->loaded)
        return SL_OK;
    set_key(history, "");
    sl_buf_put(&end, history->key.data, history->key.len - 1);
    sl_buf_u8(&end, '/' + 1);
    rc = history->env->notes(history->env->ctx, (struct sl_span){history->key.data, history->key.len},
                             (struct sl_span){end.data, end.len}, SIZE_MAX, see_note, history, err);
    sl_buf_done(&end);
    history->loaded = rc == SL_OK;
    return rc;
}

/* ---- writing ---- */

static void put_text(struct sl_buf *out, const char *name, const char *text)
{
    sl_buf_format(out, "\"%s\":", name);
    if (text)
        sl_json_put_text(out, text, strlen(text));
    else
        sl_buf_text(out, "null");
}

static const char *truth(bool value)
{
    return value ? "true" : "false";
}

/* JsonTableChangeSerializer. A column that may be null has a default value: null. */
static void put_column(struct sl_buf *out, const struct sl_mssql_column *column, size_t place)
{
    char type[64];

    (void)snprintf(type, sizeof(type), "%s%s", sl_mssql_type_name(column->type),
                   column->identity ? " identity" : "");
    sl_buf_u8(out, '{');
    put_text(out, "name", column->name);
    sl_buf_format(out, ",\"jdbcType\":%d,", sl_mssql_jdbc_type(column));
    put_text(out, "typeName", type);
    sl_buf_u8(out, ',');
    put_text(out, "typeExpression", type);
    sl_buf_format(out, ",\"charsetName\":null,\"length\":%lld", (long long)sl_mssql_jdbc_length(column));
    if (sl_mssql_jdbc_has_scale(column))
        sl_buf_format(out, ",\"scale\":%d", column->scale);
    sl_buf_format(out,
                  ",\"position\":%zu,\"optional\":%s,\"autoIncremented\":%s,\"generated\":%s,"
                  "\"comment\":null,\"hasDefaultValue\":%s",
                  place, truth(column->nullable), truth(column->identity), truth(column->computed),
                  truth(column->nullable || column->default_text));
    if (column->default_text) {
        sl_buf_u8(out, ',');
        put_text(out, "defaultValueExpression", column->default_text);
    }
    sl_buf_text(out, ",\"enumValues\":[]}");
}

static void put_table(struct sl_buf *out, const struct sl_mssql_table *table)
{
    const struct sl_mssql_instance *instance = table->instance;

    sl_buf_text(out, "{\"defaultCharsetName\":null,\"primaryKeyColumnNames\":[");
    for (uint32_t i = 0; i < table->n_key; i++) {
        const char *name = table->fields[table->key[i]].name;

        if (i)
            sl_buf_u8(out, ',');
        sl_json_put_text(out, name, strlen(name));
    }
    sl_buf_text(out, "],\"columns\":[");
    for (size_t i = 0; i < instance->n_columns; i++) {
        if (i)
            sl_buf_u8(out, ',');
        put_column(out, &instance->columns[i], i + 1);
    }
    sl_buf_text(out, "],\"attributes\":[]}");
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
    const struct entry *former;
    struct sl_record *record;
    struct sl_batch *batch = emitter->batch;
    char mark[MARK_SIZE];

    if (!history)
        return;
    sl_buf_reset(&history->table);
    put_table(&history->table, table);
    (void)snprintf(mark, sizeof(mark), "%08x/%zu", sl_crc32c(0, history->table.data, history->table.len),
                   history->table.len);
    former = find(history, table->id);
    if (!snapshot && former && strcmp(former->mark, mark) == 0)
        return;
    put_record(history, emitter, table, former && !snapshot ? "ALTER" : "CREATE", commit, snapshot);
    record = sl_batch_add(batch, history->topic, NULL, NULL);
    record->key = sl_null();
    record->value = sl_bytes(SL_STRING, sl_arena_copy(batch->arena, history->text.data, history->text.len),
                             (uint32_t)history->text.len);
    record->partition = 0;
    record->flags = SL_RECORD_VERBATIM;
    set_key(history, table->id);
    sl_batch_add_note(batch, (struct sl_span){history->key.data, history->key.len},
                      (struct sl_span){(const uint8_t *)mark, strlen(mark)});
    remember(history, table->id, mark);
}
