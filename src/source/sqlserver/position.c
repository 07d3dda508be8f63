/* SPDX-License-Identifier: Apache-2.0 */
#include "source/sqlserver/position.h"
#include "base/json.h"

#include <stdio.h>
#include <strings.h>

#define COLLECTION_KEY "transaction_data_collection_order_"

void sl_mssql_position_end_of(struct sl_mssql_position *position, const struct sl_lsn *commit)
{
    memset(position->b, 0xff, sizeof(position->b));
    memcpy(position->b, commit->b, SL_LSN_SIZE);
}

void sl_mssql_position_snapshot(struct sl_mssql_position *position, const struct sl_lsn *snapshot,
                                uint32_t table, uint64_t row)
{
    table = __builtin_bswap32(table);
    row = __builtin_bswap64(row);
    memset(position->b, 0, sizeof(position->b));
    memcpy(position->b, snapshot->b, SL_LSN_SIZE);
    memcpy(position->b + 10, &table, 4);
    memcpy(position->b + 14, &row, 8);
}

void sl_mssql_offset_done(struct sl_mssql_offset *offset)
{
    sl_buf_done(&offset->collections);
}

static const char *text_at(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

/* Debezium up to 2.7 writes true, later ones the kind of snapshot as text. */
static bool says_snapshot(const json_t *object)
{
    const json_t *snapshot = json_object_get(object, "snapshot");

    if (json_is_string(snapshot))
        return strcasecmp(json_string_value(snapshot), "false") != 0;
    return json_is_true(snapshot);
}

static void read_transaction(json_t *object, struct sl_mssql_offset *offset)
{
    const char *id = text_at(object, "transaction_id");
    const char *key;
    json_t *value;

    if (!id || strlen(id) >= sizeof(offset->transaction_id))
        return;
    memcpy(offset->transaction_id, id, strlen(id) + 1);
    json_object_foreach(object, key, value)
    {
        if (strncmp(key, COLLECTION_KEY, strlen(COLLECTION_KEY)) != 0 || !json_is_integer(value))
            continue;
        sl_buf_put(&offset->collections, key + strlen(COLLECTION_KEY),
                   strlen(key + strlen(COLLECTION_KEY)) + 1);
        sl_buf_format(&offset->collections, "%lld", (long long)json_integer_value(value));
        sl_buf_u8(&offset->collections, 0);
    }
}

/* Our own offsets say exactly which row; the others, which transaction. */
static void read_position(const json_t *object, const struct sl_lsn *commit, struct sl_mssql_offset *offset)
{
    static const struct sl_lsn zero;
    const char *change_text = text_at(object, "change_lsn");
    const json_t *command = json_object_get(object, "command_id");
    const json_t *operation = json_object_get(object, "sluice.operation");
    struct sl_lsn change;

    if (!change_text || !sl_lsn_parse(change_text, &change)) {
        sl_mssql_position_end_of(&offset->position, commit);
        return;
    }
    if (json_is_integer(command) && json_is_integer(operation)) {
        offset->at_row = true;
        offset->complete = json_is_true(json_object_get(object, "sluice.complete"));
        sl_mssql_position_set(&offset->position, commit, (uint32_t)json_integer_value(command), &change,
                              (uint8_t)json_integer_value(operation));
        return;
    }
    offset->event_serial_no = 0;
    sl_mssql_position_set(&offset->position, commit, 0, &zero, SL_MSSQL_OP_BEGIN);
}

static void put_json_text(struct sl_buf *buf, const char *text)
{
    sl_json_put_text(buf, text, strlen(text));
}

/* Plain texts: Connect's offsets hold no nested values. */
static void put_progress(const struct sl_mssql_progress *progress, struct sl_buf *buf)
{
    const char *at = progress->key;

    sl_buf_format(buf, ",\"sluice.snapshot\":\"%016llx/%u/%lld/%u\"", (unsigned long long)progress->tables,
                  progress->table, (long long)progress->rows, progress->n_key);
    for (uint32_t i = 0; i < progress->n_key; i++) {
        sl_buf_format(buf, ",\"sluice.key.%u\":", i + 1);
        put_json_text(buf, at);
        at += strlen(at) + 1;
    }
}

static void read_progress(const json_t *object, struct sl_mssql_progress *ret)
{
    const char *text = text_at(object, "sluice.snapshot");
    struct sl_mssql_progress progress = {.known = true};
    unsigned long long tables;
    long long rows;
    size_t used = 0;

    if (!text || sscanf(text, "%16llx/%u/%lld/%u", &tables, &progress.table, &rows, &progress.n_key) != 4 ||
        progress.n_key > SL_MSSQL_PROGRESS_KEY)
        return;
    progress.tables = tables;
    progress.rows = rows;
    for (uint32_t i = 0; i < progress.n_key; i++) {
        char name[32];
        const char *part;

        (void)snprintf(name, sizeof(name), "sluice.key.%u", i + 1);
        part = text_at(object, name);
        if (!part || used + strlen(part) + 1 > sizeof(progress.key))
            return;
        memcpy(progress.key + used, part, strlen(part) + 1);
        used += strlen(part) + 1;
    }
    *ret = progress;
}

enum sl_rc sl_mssql_offset_read(const char *json, struct sl_mssql_offset *ret_offset, struct sl_error *err)
{
    struct sl_mssql_offset offset = {.state = SL_MSSQL_OFFSET_STREAM};
    json_t *object = json_loads(json, 0, NULL);
    const char *commit_text = text_at(object, "commit_lsn");
    struct sl_lsn commit = {{0}};

    if (!json_is_object(object) || !commit_text ||
        (strcmp(commit_text, "NULL") != 0 && !sl_lsn_parse(commit_text, &commit))) {
        json_decref(object);
        return sl_error_set(err, SL_E_CONFIG,
                            "the stored offset '%.120s' has no readable commit_lsn. HINT: remove the "
                            "connector's offsets to begin with a new snapshot",
                            json);
    }
    offset.event_serial_no = json_integer_value(json_object_get(object, "event_serial_no"));
    if (says_snapshot(object))
        offset.state = json_is_true(json_object_get(object, "snapshot_completed"))
                           ? SL_MSSQL_OFFSET_SNAPSHOT_DONE
                           : SL_MSSQL_OFFSET_SNAPSHOT;
    if (offset.state == SL_MSSQL_OFFSET_SNAPSHOT)
        read_progress(object, &offset.progress);
    read_position(object, &commit, &offset);
    if (offset.at_row)
        read_transaction(object, &offset);
    json_decref(object);
    *ret_offset = offset;
    return SL_OK;
}

static void put_lsn(struct sl_buf *buf, const char *key, const uint8_t *bytes)
{
    struct sl_lsn lsn;
    char text[SL_LSN_TEXT_SIZE + 1] = "";

    memcpy(lsn.b, bytes, SL_LSN_SIZE);
    sl_lsn_write(&lsn, text);
    sl_buf_format(buf, "\"%s\":\"%s\"", key, text);
}

static void put_transaction(const struct sl_mssql_offset *offset, struct sl_buf *buf)
{
    const char *at = (const char *)offset->collections.data;
    const char *end = at + offset->collections.len;

    sl_buf_format(buf, ",\"transaction_id\":\"%s\"", offset->transaction_id);
    while (offset->collections.len && at < end) {
        const char *count = at + strlen(at) + 1;
        char *key = sl_format("%s%s", COLLECTION_KEY, at);

        sl_buf_u8(buf, ',');
        put_json_text(buf, key);
        sl_buf_format(buf, ":%s", count);
        sl_free(key);
        at = count + strlen(count) + 1;
    }
}

void sl_mssql_offset_write(const struct sl_mssql_offset *offset, bool debezium_3, struct sl_buf *ret_json)
{
    const uint8_t *b = offset->position.b;
    uint32_t command;

    sl_buf_reset(ret_json);
    sl_buf_u8(ret_json, '{');
    put_lsn(ret_json, "commit_lsn", b);
    if (offset->state != SL_MSSQL_OFFSET_STREAM) {
        sl_buf_format(ret_json, ",\"snapshot\":%s,\"snapshot_completed\":%s",
                      debezium_3 ? "\"INITIAL\"" : "true",
                      offset->state == SL_MSSQL_OFFSET_SNAPSHOT_DONE ? "true" : "false");
        if (offset->state == SL_MSSQL_OFFSET_SNAPSHOT && offset->progress.known)
            put_progress(&offset->progress, ret_json);
        sl_buf_u8(ret_json, '}');
        return;
    }
    if (!offset->at_row) {
        sl_buf_text(ret_json, ",\"change_lsn\":\"NULL\",\"event_serial_no\":0}");
        return;
    }
    memcpy(&command, b + 10, 4);
    sl_buf_u8(ret_json, ',');
    put_lsn(ret_json, "change_lsn", b + 14);
    sl_buf_format(ret_json, ",\"event_serial_no\":%lld,\"command_id\":%u,\"sluice.operation\":%u",
                  (long long)offset->event_serial_no, __builtin_bswap32(command), b[24]);
    if (offset->complete)
        sl_buf_text(ret_json, ",\"sluice.complete\":true");
    if (offset->transaction_id[0])
        put_transaction(offset, ret_json);
    sl_buf_u8(ret_json, '}');
}

void sl_mssql_partition_write(const char *server, const char *database, struct sl_buf *ret_json)
{
    sl_buf_reset(ret_json);
    sl_buf_text(ret_json, "{\"server\":");
    put_json_text(ret_json, server);
    sl_buf_text(ret_json, ",\"database\":");
    put_json_text(ret_json, database);
    sl_buf_u8(ret_json, '}');
}
