/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The values of expressions (expression.h): those of records, each with the Java class that it would have,
 * for that decides what equals another. Sixteen bytes of value, a schema, a kind; nothing is owned.
 */
#ifndef SLUICE_TRANSFORM_SCRIPT_VALUE_H
#define SLUICE_TRANSFORM_SCRIPT_VALUE_H

#include "base/buf.h"
#include "sluice/error.h"
#include "sluice/transform.h"

enum sl_script_kind {
    SL_SCRIPT_NULL,
    SL_SCRIPT_BOOLEAN,
    SL_SCRIPT_BYTE, /* the integers stand together, and the numbers */
    SL_SCRIPT_SHORT,
    SL_SCRIPT_INTEGER,
    SL_SCRIPT_LONG,
    SL_SCRIPT_FLOAT,
    SL_SCRIPT_DOUBLE,
    SL_SCRIPT_DECIMAL, /* BigDecimal; the scale is the schema's */
    SL_SCRIPT_STRING,
    SL_SCRIPT_DATE, /* Date, Time and Timestamp of Connect: java.util.Date */
    SL_SCRIPT_BYTES,
    SL_SCRIPT_STRUCT,
    SL_SCRIPT_MAP,
    SL_SCRIPT_LIST,
    SL_SCRIPT_WORDS,   /* a list that stands in the expression */
    SL_SCRIPT_HEADERS, /* the variable header */
    SL_SCRIPT_HEADER,  /* one of them */
    SL_SCRIPT_SCHEMA,  /* the variables keySchema and valueSchema */
};

struct sl_script_value {
    enum sl_script_kind kind;
    const struct sl_schema *schema; /* NULL where there is none */
    struct sl_value value;          /* but for the last four kinds */
    const struct sl_header *header; /* of a header */
    const struct sl_script_value *words;
    size_t n_words;
};

struct sl_script_value sl_script_of(const struct sl_schema *schema, struct sl_value value);
struct sl_script_value sl_script_bool(bool b);

/* "an integer", "a struct": for messages. */
const char *sl_script_kind_name(enum sl_script_kind kind);

/* Groovy's truth. Errors: DATA, for what has none here. */
enum sl_rc sl_script_truth(const struct sl_script_value *value, bool *ret, struct sl_error *err);

/* Groovy's ==. Errors: DATA, for lists, maps and bytes. */
enum sl_rc sl_script_same(const struct sl_script_value *a, const struct sl_script_value *b, bool *ret,
                          struct sl_error *err);

/* Groovy's order: below 0, 0, above 0; null comes first. Errors: DATA, for what has no order. */
enum sl_rc sl_script_order(const struct sl_script_value *a, const struct sl_script_value *b, int *ret,
                           struct sl_error *err);

/* Java's equals: the same class and the same value. Errors: DATA, for lists, maps and bytes. */
enum sl_rc sl_script_equals(const struct sl_script_value *a, const struct sl_script_value *b, bool *ret,
                            struct sl_error *err);

/* Java's toString, appended. Errors: DATA, for all but text, numbers, booleans and null. */
enum sl_rc sl_script_text(const struct sl_script_value *value, struct sl_buf *out, struct sl_error *err);

#endif
