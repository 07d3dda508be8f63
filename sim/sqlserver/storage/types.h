/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the catalogue knows about each built-in type: names, ids, sizes as sys.types and sys.columns show
 * them.
 */
#ifndef SIM_SQLSERVER_STORAGE_TYPES_H
#define SIM_SQLSERVER_STORAGE_TYPES_H

#include "../value.h"
#include "error.h"
#include "../tsql/arena.h"

struct ms_type_info {
    enum ms_type_id id;
    const char *name;     /* "int", "nvarchar", "timestamp" (rowversion's catalogue name) ... */
    uint8_t user_type_id; /* sys.types.user_type_id: a type of its own; what the catalogue keeps */
    int16_t max_length;   /* sys.types.max_length, bytes */
    uint8_t precision;
    uint8_t scale;
    int16_t odbc_type; /* DATA_TYPE of sp_columns */
    int16_t odbc_type_170;
};

const struct ms_type_info *ms_type_info(enum ms_type_id id); /* NULL for MS_UNKNOWN */
uint8_t ms_type_system_id(const struct ms_type_info *info);  /* system_type_id: CLR types share one */

/*
 * Look a type name up, synonyms included ("integer", "dec", "character varying", "rowversion", "sysname",
 * ...). Fills the default facets (varchar: length 1 as in a column declaration, decimal(18,0), datetime2(7),
 * sysname: nvarchar(128)). False when it is not a type.
 */
bool ms_type_find(const char *name, struct ms_type *ret_type);

/* sys.columns.max_length / precision / scale of a typed column: nvarchar(10) is 20, varchar(max) is -1. */
int16_t ms_type_max_length(const struct ms_type *type);
uint8_t ms_type_precision(const struct ms_type *type);
uint8_t ms_type_scale(const struct ms_type *type);

bool ms_type_is_clr(enum ms_type_id id);         /* hierarchyid, geometry, geography */
bool ms_type_is_character(enum ms_type_id id);   /* char .. ntext, and not xml */
bool ms_type_is_unicode(enum ms_type_id id);     /* nchar, nvarchar, ntext, xml, sql_variant */
bool ms_type_is_lob(const struct ms_type *type); /* text, ntext, image, xml and the (max) types */

/* "decimal(10,2)", "nvarchar(max)", "int": for messages and CREATE scripts. Returns buf. */
const char *ms_type_text(const struct ms_type *type, char *buf, size_t size);

/*
 * Convert a value as an assignment does (rounding, padding, truncation error 8152/2628, overflow 8115, 245,
 * 241). Implemented by tsql/; a weak symbol here, so that storage's own tests link without it. Bytes of the
 * result live in the arena or are those of the input.
 */
bool ms_convert_value(struct ms_arena *arena, const struct ms_type *from, const struct ms_value *in,
                      const struct ms_type *to, struct ms_value *ret_out, struct ms_error *err)
    __attribute__((weak));

#endif
