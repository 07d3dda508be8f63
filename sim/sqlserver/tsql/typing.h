/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SQL Server's rules of types: precedence, the common type of two operands, the precision and scale that
 * arithmetic gives, and the classes in which conversions think.
 */
#ifndef SIM_SQLSERVER_TSQL_TYPING_H
#define SIM_SQLSERVER_TSQL_TYPING_H

#include "../storage/types.h"
#include "../value.h"

enum ms_class {
    MS_CLASS_NONE, /* a bare NULL */
    MS_CLASS_INTEGER,
    MS_CLASS_FLOAT,
    MS_CLASS_DECIMAL,
    MS_CLASS_MONEY,
    MS_CLASS_TEXT,
    MS_CLASS_BINARY,
    MS_CLASS_GUID,
    MS_CLASS_DATE, /* all six date and time types */
    MS_CLASS_XML,
    MS_CLASS_VARIANT,
};

enum ms_class ms_type_class(enum ms_type_id id);
struct ms_type ms_type_simple(enum ms_type_id id);           /* with the facets of a plain declaration */
struct ms_type ms_type_string(bool unicode, int32_t length); /* varchar or nvarchar; too long becomes MAX */
struct ms_type
ms_type_as_decimal(const struct ms_type *type); /* int is decimal(10,0), money decimal(19,4) ... */

/* The type both operands take in a comparison, CASE, UNION ... False: they clash (206). */
bool ms_type_common(const struct ms_type *a, const struct ms_type *b, struct ms_type *ret);

/* The result of a arithmetic operator ('+', '-', '*', '/', '%', '&', '|', '^'). False: not defined for them.
 */
bool ms_type_arithmetic(char op, const struct ms_type *a, const struct ms_type *b, struct ms_type *ret);

/* Does a value of `from`, stored in a SQLite cell, serve as one of `to` without being touched? */
bool ms_type_same_cell(const struct ms_type *from, const struct ms_type *to);
const char *ms_type_word(enum ms_type_id id); /* "int", for messages */

#endif
