/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a value of each SQL Server type stands in a SQLite cell, so that =, <, ORDER BY, GROUP BY and unique
 * indexes inside SQLite mean what they mean in SQL Server. Two cells compare only when their types (and a
 * decimal's scale) are the same: convert first.
 *
 *   bit tinyint smallint int bigint  INTEGER
 *   real float                       REAL
 *   smallmoney money                 INTEGER, ten-thousandths
 *   decimal numeric, up to 18        INTEGER, the unscaled value
 *   decimal numeric, 19 to 38        BLOB of 16 bytes: unscaled, big-endian two's complement with the sign
 *                                    bit flipped, so that memcmp orders it (for one scale)
 *   char .. ntext                    TEXT, UTF-8, with the column's collation; char is stored padded
 *   xml                              TEXT
 *   binary varbinary image rowversion  BLOB, raw
 *   uniqueidentifier                 BLOB of 16 bytes in SQL Server's order of comparison:
 *                                    wire bytes 10-15, 8-9, 6-7, 4-5, 0-3
 *   date                             INTEGER, days since 0001-01-01
 *   time                             INTEGER, 100 ns since midnight
 *   datetime2                        INTEGER, 100 ns since 0001-01-01
 *   datetime                         INTEGER, 1/300 s since 1900-01-01
 *   smalldatetime                    INTEGER, minutes since 1900-01-01
 *   datetimeoffset                   BLOB of 10 bytes: UTC ticks big-endian (8), offset + 900 min (2).
 *                                    Equal instants with different offsets order by offset and are not "=":
 *                                    compare ms_dto_utc(cell) (an INTEGER) where that matters
 *
 * That is: every ms_value whose member is `i` is the INTEGER `i`.
 */
#ifndef SIM_SQLSERVER_STORAGE_CELL_H
#define SIM_SQLSERVER_STORAGE_CELL_H

#include <sqlite3.h>

#include "../tsql/arena.h"
#include "../value.h"

/* The two typedefs of the simulator: -Wpedantic wants the marker at each use otherwise. */
__extension__ typedef __int128 ms_int128;
__extension__ typedef unsigned __int128 ms_uint128;

/* Bind a value as parameter `index` (1-based). Bytes are not copied: they must live until the step is done.
 */
int ms_cell_bind(sqlite3_stmt *stmt, int index, const struct ms_type *type, const struct ms_value *value);

/*
 * Read column `index` (0-based) of the current row. Bytes point into SQLite's row and live until the next
 * step, except for uniqueidentifier, which goes through the arena. A cell of another storage class than the
 * type's is read as leniently as sense allows (INTEGER for a REAL type and so on).
 */
void ms_cell_read(sqlite3_stmt *stmt, int index, const struct ms_type *type, struct ms_arena *arena,
                  struct ms_value *ret_value);

/* The same from an argument of a user function, and to its result (bytes are copied). */
void ms_cell_from_sqlite(sqlite3_value *cell, const struct ms_type *type, struct ms_arena *arena,
                         struct ms_value *ret_value);
void ms_cell_result(sqlite3_context *context, const struct ms_type *type, const struct ms_value *value);

/*
 * What follows a column's name in SQLite's CREATE TABLE: "" or " COLLATE MS_CI". No type is declared, so that
 * SQLite converts nothing by itself.
 */
const char *ms_cell_declaration(const struct ms_type *type, const char *collation);

/* 16-byte decimal cells and 16-byte guid cells, for code that builds them outside of bind. */
void ms_cell_from_decimal(ms_int128 unscaled, uint8_t ret_cell[16]);
ms_int128 ms_cell_to_decimal(const uint8_t cell[16]);
void ms_cell_from_guid(const uint8_t wire[16], uint8_t ret_cell[16]);
void ms_cell_to_guid(const uint8_t cell[16], uint8_t ret_wire[16]);

/* A constant as SQLite text for use inside generated SQL: 12, 'it''s', x'0011', NULL. */
void ms_cell_literal(struct ms_buffer *text, const struct ms_type *type, const struct ms_value *value);

/*
 * The SQLite collation of a SQL Server collation name: MS_CI, MS_CS, MS_BIN for char/varchar/text and MSN_CI,
 * MSN_CS, MSN_BIN for the Unicode types (a SQL_ collation sorts those two differently). NULL or unknown: the
 * server's default, SQL_Latin1_General_CP1_CI_AS. All of them ignore trailing spaces.
 */
const char *ms_collation_sqlite_name(const char *collation, bool unicode);
bool ms_collation_known(const char *collation);

/* <0, 0, >0 as the SQLite collation of that name does. */
int ms_collation_compare(const char *sqlite_name, const char *a, size_t a_len, const char *b, size_t b_len);

/* Names of objects: case-insensitive, trailing blanks ignored (the server's default collation). */
bool ms_name_equal(const char *a, const char *b);

/* Register the collations and ms_dto_utc on a connection; storage does so for every session. */
void ms_cell_register(sqlite3 *db);

#endif
