/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One row of a system table, put together by column names and written past CDC and the journal.
 *
 *     struct sy_system_row row;
 *     sy_system_row_begin(&row, server, "system", "peers", node, arena);
 *     sy_system_row_inet(&row, "peer", "127.0.0.2");
 *     ...
 *     sy_system_row_write(&row);
 *
 * A name that the table does not have ends the process: it is a slip of this program. Collections of system
 * tables are frozen. Under the store's write lock.
 */
#ifndef SIM_SCYLLA_STORAGE_SYSTEM_ROW_H
#define SIM_SCYLLA_STORAGE_SYSTEM_ROW_H

#include "server.h"

#define SY_SYSTEM_KEYS 4
#define SY_SYSTEM_CELLS 40

struct sy_system_row {
    struct sy_server *server;
    struct sy_arena *arena;
    const struct sy_table *table;
    uint32_t node;
    struct sy_value partition[SY_SYSTEM_KEYS];
    struct sy_value clustering[SY_SYSTEM_KEYS];
    struct sy_cell_write cells[SY_SYSTEM_CELLS];
    uint32_t n_cells;
};

void sy_system_row_begin(struct sy_system_row *row, struct sy_server *server, const char *keyspace,
                         const char *table, uint32_t node, struct sy_arena *arena);
void sy_system_row_write(struct sy_system_row *row);

void sy_system_row_value(struct sy_system_row *row, const char *column, struct sy_value value);
void sy_system_row_text(struct sy_system_row *row, const char *column, const char *text);
void sy_system_row_bool(struct sy_system_row *row, const char *column, bool value);
void sy_system_row_int(struct sy_system_row *row, const char *column, int32_t value);
void sy_system_row_tinyint(struct sy_system_row *row, const char *column, int8_t value);
void sy_system_row_bigint(struct sy_system_row *row, const char *column, int64_t value); /* and timestamp */
void sy_system_row_double(struct sy_system_row *row, const char *column, double value);
void sy_system_row_uuid(struct sy_system_row *row, const char *column, const uint8_t value[16]);
void sy_system_row_inet(struct sy_system_row *row, const char *column, const char *ipv4);
/* list<text>, as given */
void sy_system_row_texts(struct sy_system_row *row, const char *column, const char *const *texts, uint32_t n);
/* list or set of any values, as given */
void sy_system_row_values(struct sy_system_row *row, const char *column, const struct sy_value *values,
                          uint32_t n);
/* map<text, text> or map<text, blob>: keys and values by turns, keys ascending */
void sy_system_row_pairs(struct sy_system_row *row, const char *column, const struct sy_value *pairs,
                         uint32_t n);
/* map<text, text> of a property: its pairs in any order */
void sy_system_row_map(struct sy_system_row *row, const char *column, const struct sy_property *map);
struct sy_value sy_system_text(const char *text);

#endif
