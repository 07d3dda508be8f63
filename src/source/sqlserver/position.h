/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the source is: the 28-byte position of a change (layout in sluice/position.h), and the offset, a JSON
 * text with Debezium's keys plus ours, that the log stores.
 *
 * The order of changes is (commit LSN, command id, change LSN, operation), the clustered index of a change
 * table. Debezium's offsets know no command id; one that lacks it can only say which transaction was being
 * read, so that transaction is read again from its start.
 */
#ifndef SLUICE_SOURCE_SQLSERVER_POSITION_H
#define SLUICE_SOURCE_SQLSERVER_POSITION_H

#include "base/buf.h"
#include "source/sqlserver/lsn.h"
#include "sluice/error.h"
#include "sluice/position.h"

enum {
    SL_MSSQL_PROGRESS_KEY = 8, /* columns of a key that a snapshot can be resumed behind */
    SL_MSSQL_PROGRESS_SIZE =
        1400, /* of its texts: a clustered key has at most 900 bytes, 450 units of UTF-16 */
};

struct sl_mssql_position {
    uint8_t b[SL_MSSQL_POSITION_SIZE];
};

enum {
    SL_MSSQL_OP_BEGIN = 0, /* not a row: before all rows of a transaction */
    SL_MSSQL_OP_DELETE = 1,
    SL_MSSQL_OP_INSERT = 2,
    SL_MSSQL_OP_BEFORE = 3,
    SL_MSSQL_OP_UPDATE = 4,
};

static inline int sl_mssql_position_compare(const struct sl_mssql_position *a,
                                            const struct sl_mssql_position *b)
{
    return memcmp(a->b, b->b, SL_MSSQL_POSITION_SIZE);
}

/* change: the ten bytes of __$seqval. */
static inline void sl_mssql_position_set(struct sl_mssql_position *position, const void *commit,
                                         uint32_t command, const void *change, uint8_t operation)
{
    command = __builtin_bswap32(command);
    memcpy(position->b, commit, 10);
    memcpy(position->b + 10, &command, 4);
    memcpy(position->b + 14, change, 10);
    position->b[24] = operation;
    position->b[25] = 0;
    position->b[26] = 0;
    position->b[27] = 0;
}

/* After every row of the transaction. */
void sl_mssql_position_end_of(struct sl_mssql_position *position, const struct sl_lsn *commit);

/* Of a snapshot row: see sluice/position.h. */
void sl_mssql_position_snapshot(struct sl_mssql_position *position, const struct sl_lsn *snapshot,
                                uint32_t table, uint64_t row);

static inline struct sl_lsn sl_mssql_position_commit(const struct sl_mssql_position *position)
{
    struct sl_lsn lsn;

    memcpy(lsn.b, position->b, SL_LSN_SIZE);
    return lsn;
}

enum sl_mssql_offset_state {
    SL_MSSQL_OFFSET_SNAPSHOT, /* in the middle of a snapshot */
    SL_MSSQL_OFFSET_SNAPSHOT_DONE,
    SL_MSSQL_OFFSET_STREAM,
};

/*
 * How far a snapshot has come: the tables before this one are read, and of this one the rows up to a key,
 * when its key is made of integers and Unicode texts and is the order in which the table is read; else it is
 * begun again.
 */
struct sl_mssql_progress {
    bool known;
    uint64_t tables; /* fingerprint of the list that the number counts in; another list: begin again */
    uint32_t table;
    int64_t rows; /* of this table, handed out; counted even when it is begun again */
    uint32_t n_key;
    char
        key[SL_MSSQL_PROGRESS_SIZE]; /* of the last row handed out: a text for each column, NUL behind each */
};

struct sl_mssql_offset {
    enum sl_mssql_offset_state state;
    struct sl_mssql_progress progress; /* of an unfinished snapshot */
    struct sl_mssql_position position; /* everything up to here was handed out */
    int64_t event_serial_no;
    bool at_row;               /* the position is a row's, not the end of a range */
    bool complete;             /* ... and that row was the last one of its transaction */
    char transaction_id[24];   /* the open transaction, or "" */
    struct sl_buf collections; /* of it: table id NUL, count as decimal text NUL, ... */
};

/* Give back what read filled. */
void sl_mssql_offset_done(struct sl_mssql_offset *offset);

/* Errors: CONFIG when the text is not such an offset. */
enum sl_rc sl_mssql_offset_read(const char *json, struct sl_mssql_offset *ret_offset, struct sl_error *err);

/* debezium_3: the form of Debezium 3 (it shows in the value of "snapshot" only). Replaces the buffer's
 * content. */
void sl_mssql_offset_write(const struct sl_mssql_offset *offset, bool debezium_3, struct sl_buf *ret_json);

/* {"server":"...","database":"..."} */
void sl_mssql_partition_write(const char *server, const char *database, struct sl_buf *ret_json);

#endif
