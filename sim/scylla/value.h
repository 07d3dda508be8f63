/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CQL's types and values, as the simulator passes them between its rooms.
 *
 * A value is its bytes in CQL's own serialisation (native protocol v4 section 6): wire/ sends them as they
 * are, cql/ makes them from literals and computes with them, storage/ keeps them. Types are immutable, live
 * as long as the server, and may be shared by threads. A value never owns memory: its bytes belong to the
 * request's arena or to the frame that brought them.
 */
#ifndef SIM_SCYLLA_VALUE_H
#define SIM_SCYLLA_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The option ids of the protocol (v4 section 4.2.5.2). */
enum sy_type_id {
    SY_CUSTOM = 0x0000,
    SY_ASCII = 0x0001,
    SY_BIGINT = 0x0002,
    SY_BLOB = 0x0003,
    SY_BOOLEAN = 0x0004,
    SY_COUNTER = 0x0005,
    SY_DECIMAL = 0x0006,
    SY_DOUBLE = 0x0007,
    SY_FLOAT = 0x0008,
    SY_INT = 0x0009,
    SY_TIMESTAMP = 0x000B,
    SY_UUID = 0x000C,
    SY_TEXT = 0x000D,
    SY_VARINT = 0x000E,
    SY_TIMEUUID = 0x000F,
    SY_INET = 0x0010,
    SY_DATE = 0x0011,
    SY_TIME = 0x0012,
    SY_SMALLINT = 0x0013,
    SY_TINYINT = 0x0014,
    SY_DURATION = 0x0015,
    SY_LIST = 0x0020,
    SY_MAP = 0x0021,
    SY_SET = 0x0022,
    SY_UDT = 0x0030,
    SY_TUPLE = 0x0031,
};

struct sy_type {
    enum sy_type_id id;
    bool frozen;                        /* collections, UDTs (tuples always are) */
    uint32_t n_parts;                   /* list, set: 1; map: 2 (key, value); tuple, UDT: its fields */
    const struct sy_type *const *parts; /* n_parts of them */
    const char *keyspace;               /* UDT only */
    const char *name;                   /* UDT only */
    const char *const *field_names;     /* UDT only, n_parts of them */
};

enum { SY_NULL = -1, SY_UNSET = -2 };

struct sy_value {
    int32_t len; /* SY_NULL, SY_UNSET, or the number of bytes */
    const uint8_t *bytes;
};

/* A result column or a bind marker. */
struct sy_column {
    const char *keyspace;
    const char *table;
    const char *name;
    const struct sy_type *type;
};

#endif
