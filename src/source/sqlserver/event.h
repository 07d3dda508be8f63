/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Changes as records: Debezium's envelope around the rows, its source block, the place in the transaction,
 * and the records beside them (tombstones, BEGIN and END, the structure of tables).
 *
 * Constant texts are copied into a batch's arena once, since a batch may outlive the task that filled it.
 */
#ifndef SLUICE_SOURCE_SQLSERVER_EVENT_H
#define SLUICE_SOURCE_SQLSERVER_EVENT_H

#include "base/uuid.h"
#include "source/sqlserver/position.h"
#include "source/sqlserver/table.h"

/* The transaction that is being written. */
struct sl_mssql_transaction {
    bool open;
    struct sl_lsn lsn;
    int64_t total; /* events so far; each table has its own count */
};

struct sl_mssql_emitter {
    const struct sl_mssql_config *config;
    const char *database;
    int task;
    struct sl_mssql_source_layout layout;

    const struct sl_topic *transaction_topic, *schema_topic;
    const struct sl_schema *transaction_key, *transaction_value;
    const struct sl_schema *change_key, *change_value;

    /* Of the batch being filled. */
    struct sl_batch *batch;
    uint64_t batch_number;
    int64_t now_us;
    char run_id[SL_UUID_TEXT_SIZE]; /* new at every start, told in a header */
    const struct sl_header *headers;
    uint16_t n_headers;
    struct sl_lsn commit; /* whose text is commit_text */
    struct sl_value commit_text;

    struct sl_mssql_transaction transaction;
};

/* What a source block says of one row. */
struct sl_mssql_origin {
    struct sl_mssql_position position;
    const char *snapshot; /* static: "false", "true", "first", ... */
    bool streamed;        /* has a change LSN and a serial number */
    bool known_lsn;       /* false: the snapshot's LSN is not known, "no change was captured yet" */
    int64_t event_serial_no;
    int64_t ts_us; /* of the change */
};

void sl_mssql_emitter_init(struct sl_mssql_emitter *emitter, const struct sl_mssql_config *config,
                           const char *database, int task);

/* Begin filling an empty batch. */
void sl_mssql_emitter_begin(struct sl_mssql_emitter *emitter, struct sl_batch *batch);

/*
 * Write one change: op 'r', 'c', 'u' or 'd'; before and after are what sl_mssql_table_row gave, or NULL. A
 * delete is followed by its tombstone. *ret_snapshot (NULL allowed): the value that says the row's place in
 * the snapshot, which the caller may still change while the batch is his.
 */
void sl_mssql_emit_change(struct sl_mssql_emitter *emitter, struct sl_mssql_table *table, char op,
                          const struct sl_value *before, const struct sl_value *after,
                          const struct sl_mssql_origin *origin, struct sl_value **ret_snapshot);

/* Transaction marks; both do nothing unless provide.transaction.metadata. ts_us: of the commit. */
void sl_mssql_emit_begin(struct sl_mssql_emitter *emitter, const struct sl_lsn *lsn, int64_t ts_us,
                         struct sl_mssql_table *const *tables, size_t n_tables);
void sl_mssql_emit_end(struct sl_mssql_emitter *emitter, int64_t ts_us, struct sl_mssql_table *const *tables,
                       size_t n_tables);

/* Make the schemas of the records beside the changes (structure.c). */
void sl_mssql_structure_schemas(struct sl_mssql_emitter *emitter);

/* The source block of a table, with the origin filled in. */
struct sl_value *sl_mssql_source_block(struct sl_mssql_emitter *emitter, struct sl_mssql_table *table,
                                       const struct sl_mssql_origin *origin);

/* "0000002a:00000100:0001" in the arena. */
struct sl_value sl_mssql_lsn_value(struct sl_arena *arena, const struct sl_lsn *lsn);

#endif
