/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One column of a row on its way from a cell to a value: the Connect schema that Debezium would give it, and
 * the function that converts it, both chosen once per column.
 */
#ifndef SLUICE_SOURCE_SQLSERVER_FIELD_H
#define SLUICE_SOURCE_SQLSERVER_FIELD_H

#include "base/arena.h"
#include "sluice/schema.h"
#include "source/sqlserver/catalog.h"

struct sl_mssql_field {
    char *name;                     /* of the column */
    char *label;                    /* after field.name.adjustment.mode: what schemas say */
    const struct sl_schema *schema; /* optional when the column is nullable */
    const struct sl_mssql_column *column;
    bool optional;
    bool large; /* read piece by piece; if its column is large, too, it may be unavailable in an update */
    struct sl_value fallback;    /* for a NULL in a NOT NULL column: change tables hold such */
    struct sl_value unavailable; /* for a large value that the change table lacks */
    int cell;                    /* place in the select list */

    /* Never called for NULL. The value lives in the arena. */
    struct sl_value (*convert)(struct sl_mssql_field *field, const struct sl_cell *cell,
                               struct sl_arena *arena);
    int64_t unit;        /* dates and times: how many of the unit in a second; numbers: unused */
    bool round_ms;       /* datetime: ticks of 1/300 s are taken to the next ms */
    uint64_t overflowed; /* values beyond the unit's range since somebody looked */
};

/*
 * Choose schema and conversion. False: the column's type makes no field (sql_variant); the caller says so.
 * The placeholder's text is borrowed from the configuration.
 */
bool sl_mssql_field_choose(const struct sl_mssql_column *column, const struct sl_mssql_config *config,
                           struct sl_mssql_field *ret_field);
void sl_mssql_field_done(struct sl_mssql_field *field);

/*
 * The column's default as a value of the field's type, when its definition is a literal. The text of a value
 * is interned with the schema: pass it on to sl_schema_with_default at once, then free *ret_memory.
 */
bool sl_mssql_default_parse(const struct sl_mssql_column *column, const struct sl_mssql_field *field,
                            struct sl_value *ret_value, void **ret_memory);

/* Conversions, by what they make. */
struct sl_value sl_mssql_convert_int(struct sl_mssql_field *, const struct sl_cell *, struct sl_arena *);
struct sl_value sl_mssql_convert_short(struct sl_mssql_field *, const struct sl_cell *, struct sl_arena *);
struct sl_value sl_mssql_convert_long(struct sl_mssql_field *, const struct sl_cell *, struct sl_arena *);
struct sl_value sl_mssql_convert_bit(struct sl_mssql_field *, const struct sl_cell *, struct sl_arena *);
struct sl_value sl_mssql_convert_real(struct sl_mssql_field *, const struct sl_cell *, struct sl_arena *);
struct sl_value sl_mssql_convert_float(struct sl_mssql_field *, const struct sl_cell *, struct sl_arena *);
struct sl_value sl_mssql_convert_decimal(struct sl_mssql_field *, const struct sl_cell *, struct sl_arena *);
struct sl_value sl_mssql_convert_decimal_double(struct sl_mssql_field *, const struct sl_cell *,
                                                struct sl_arena *);
struct sl_value sl_mssql_convert_decimal_text(struct sl_mssql_field *, const struct sl_cell *,
                                              struct sl_arena *);
struct sl_value sl_mssql_convert_text(struct sl_mssql_field *, const struct sl_cell *, struct sl_arena *);
struct sl_value sl_mssql_convert_guid(struct sl_mssql_field *, const struct sl_cell *, struct sl_arena *);
struct sl_value sl_mssql_convert_bytes(struct sl_mssql_field *, const struct sl_cell *, struct sl_arena *);
struct sl_value sl_mssql_convert_base64(struct sl_mssql_field *, const struct sl_cell *, struct sl_arena *);
struct sl_value sl_mssql_convert_base64_url(struct sl_mssql_field *, const struct sl_cell *,
                                            struct sl_arena *);
struct sl_value sl_mssql_convert_hex(struct sl_mssql_field *, const struct sl_cell *, struct sl_arena *);
struct sl_value sl_mssql_convert_date(struct sl_mssql_field *, const struct sl_cell *, struct sl_arena *);
struct sl_value sl_mssql_convert_time(struct sl_mssql_field *, const struct sl_cell *, struct sl_arena *);
struct sl_value sl_mssql_convert_timestamp(struct sl_mssql_field *, const struct sl_cell *,
                                           struct sl_arena *);
struct sl_value sl_mssql_convert_offset(struct sl_mssql_field *, const struct sl_cell *, struct sl_arena *);
struct sl_value sl_mssql_convert_iso_date(struct sl_mssql_field *, const struct sl_cell *, struct sl_arena *);
struct sl_value sl_mssql_convert_iso_time(struct sl_mssql_field *, const struct sl_cell *, struct sl_arena *);
struct sl_value sl_mssql_convert_iso_timestamp(struct sl_mssql_field *, const struct sl_cell *,
                                               struct sl_arena *);

/* Days from 1970-01-01 in the proleptic Gregorian calendar. */
int64_t sl_mssql_days(int year, unsigned month, unsigned day);

/* Unscaled value -> Connect's decimal bytes (two's complement, big-endian, as short as Java's BigInteger); at
 * most 17 bytes are written. Returns how many. */
size_t sl_mssql_decimal_bytes(bool negative, const uint8_t magnitude_le[16], uint8_t *bytes);

#endif
