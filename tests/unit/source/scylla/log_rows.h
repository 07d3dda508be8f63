/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Log rows made by hand: table ks.t (pk int, ck int, s text static, v text, n int, tags set<text>, steps
 * list<int>), its shape under some settings, and a group that rows are added to.
 */
#ifndef TESTS_UNIT_SOURCE_SCYLLA_LOG_ROWS_H
#define TESTS_UNIT_SOURCE_SCYLLA_LOG_ROWS_H

#include "base/props.h"
#include "source/scylla/event.h"

struct log_rows {
    struct sl_props *props;
    struct sl_scylla_config *config;
    struct sl_scylla_table table;
    struct sl_scylla_shape *shape;
    struct sl_scylla_group group;
    struct sl_scylla_emitter emitter;
    struct sl_batch *batch;
    struct sl_arena *arena; /* cells' bytes */
    struct sl_cql_cell cells[24];
    uint32_t sequence;
};

/* settings: key, value, key, value, ..., NULL. */
void log_rows_open(struct log_rows *rows, const char *const *settings);
void log_rows_close(struct log_rows *rows);

/* Names of columns are those of the log. */
void row_begin(struct log_rows *rows, int op);
void row_int(struct log_rows *rows, const char *column, int32_t value);
void row_text(struct log_rows *rows, const char *column, const char *text);
void row_flag(struct log_rows *rows, const char *column);
void row_bytes(struct log_rows *rows, const char *column, const void *bytes, size_t len);
void row_end(struct log_rows *rows);

/* Short for a row with its key (ck < 0: null). */
void row_keyed(struct log_rows *rows, int op, int32_t pk, int32_t ck);

/* Emit the group into the batch; SL_OK expected. */
void rows_emit(struct log_rows *rows);

/* Key, value or header of a record as JSON; until log_rows_close. */
const char *key_json(struct log_rows *rows, uint32_t record);
const char *value_json(struct log_rows *rows, uint32_t record);
const char *field_json(struct log_rows *rows, uint32_t record, const char *field);
const struct sl_header *header_of(const struct log_rows *rows, uint32_t record, const char *name);

/* Schemas of a record. */
const struct sl_run *run_of(const struct log_rows *rows, uint32_t record);

#endif
