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
 * ScyllaDB's position (37 bytes): stream id 16, cdc$time 16 (its 60 bits of time first, big-endian, then the
 * low half with its sign bits turned, so that memcmp gives the order of the log), cdc$batch_seq_no u32,
 * ordinal u8. It is compared for equality only: late rows and rows that were read again lie below newer ones.
 *
 * A position means something within one incarnation only.
 *
 * Header "__sluice.absent" (raw bytes, on a record some of whose fields nobody said anything about, where the
 * converter can only write null): u8 version = 1, then for each struct that has absent fields: u16 big-endian
 * index of the top-level field that holds the struct (0xFFFF: the value itself), u16 number of bytes, bits
 * (field i is absent when bit i%8 of byte i/8 is set). The engine writes it from SL_ABSENT when it encodes
 * (records flagged SL_RECORD_PARTIAL only), and gives the fields their SL_ABSENT back when it decodes, before
 * any transform.
 *
 * Header "__sluice.range" (raw bytes, a JSON text): the record deletes many rows of the target at once, those
 * whose key columns lie in the range:
 *     {"version":1,"equal":{"<column>":value,...},
 *      "from":{"<column>":value,...},"from_inclusive":true,"to":{...},"to_inclusive":false}
 * equal: the partition key. from, to: prefixes of the clustering key in declared order, compared as tuples
 * ((c1, c2) > (v1, v2)); an empty prefix leaves that side open, and so deletes the partition when both are
 * empty; "descending":["<column>",...] names clustering columns whose order is descending: from and to are
 * then already in the order of the values, not of the table;
 * "order":{"<column>":"timeuuid","<column>":"uuid"} names the columns among them that CQL orders by its own
 * rule (a timeuuid by its time first). Values are in the JSON form of JsonConverter without schemas. The
 * record's value is an envelope with op "d" (or a tombstone behind it), and its key holds the partition key
 * with null clustering columns; a sink that does not know the header sees a key with nulls.
 *
 * Header "__sluice.static" (raw bytes, empty): the record tells of a change to a partition's static columns;
 * its key has null clustering columns. Our sink passes it by: the rows that it changed follow as records of
 * their own.
 *
 * Header "__sluice.read" (raw bytes, one: 1 snapshot, 2 read again): the record is no change of the log but
 * the row as it was read from the base table.
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
#define SL_HEADER_ABSENT "__sluice.absent"
#define SL_HEADER_RANGE "__sluice.range"
#define SL_HEADER_STATIC "__sluice.static"
#define SL_HEADER_READ "__sluice.read"

enum {
    SL_SRC_VERSION = 1,
    SL_SRC_SNAPSHOT = 1,
    SL_SRC_STREAM = 2,
    SL_SRC_INCARNATION_SIZE = 16,
    SL_SRC_PREFIX_SIZE = 18, /* version, kind, incarnation */
    SL_MSSQL_POSITION_SIZE = 28,
    SL_SCYLLA_POSITION_SIZE = 37,
};

#endif
