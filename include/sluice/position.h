/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Durable formats of positions and of the headers that carry them. Every format begins with a version byte.
 *
 * Header "__sluice.src" (raw bytes, on each record that a source wrote, on by default):
 *     u8   version = 1
 *     u8   kind: 1 snapshot row (never dropped by position), 2 streamed change
 *     u8[16] incarnation of the source partition: a new UUID at every reset, re-snapshot or restore
 *     ...  the position: bytes that compare with memcmp in source order and end in an ordinal
 *
 * SQL Server's position (28 bytes, all big-endian): commit LSN 10, command id u32, change LSN 10, operation
 * u8 (1 delete, 2 insert, 4 update), ordinal u8 (0 the event, 1 its tombstone), u16 zero. A snapshot row's
 * position is: snapshot LSN 10, table number u32, row number u64, padded with zeros to 28.
 *
 * A position means something within one incarnation only.
 *
 * Who writes what: a source fills record.position with the kind byte and the position behind it (29 bytes for
 * SQL Server; memcmp still holds, snapshot rows stand before streamed changes). The engine keeps the
 * incarnation of each connector and source partition beside the log, and writes the header: version, the
 * kind, the incarnation, the rest of the position. It begins a new incarnation when no offset is stored for
 * the partition, and when a snapshot row follows streamed changes.
 */
#ifndef SLUICE_POSITION_H
#define SLUICE_POSITION_H

#define SL_HEADER_SOURCE "__sluice.src"
#define SL_HEADER_PREFIX "__sluice."

enum {
    SL_SRC_VERSION = 1,
    SL_SRC_SNAPSHOT = 1,
    SL_SRC_STREAM = 2,
    SL_SRC_INCARNATION_SIZE = 16,
    SL_SRC_PREFIX_SIZE = 18, /* version, kind, incarnation */
    SL_MSSQL_POSITION_SIZE = 28,
};

#endif
