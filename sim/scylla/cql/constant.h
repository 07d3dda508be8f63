/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Constants of a statement as values: which kind of constant may stand for which type, and its bytes.
 */
#ifndef SIM_SCYLLA_CQL_CONSTANT_H
#define SIM_SCYLLA_CQL_CONSTANT_H

#include "ast.h"

struct sy_arena;

/* Could this constant be a value of the scalar type? (The text may still be refused.) */
bool sy_constant_fits(const struct sy_term *term, enum sy_type_id id);

/* The value, in the arena. NULL: done; else the message of an 0x2200. */
const char *sy_constant_value(const struct sy_term *term, enum sy_type_id id, struct sy_arena *arena,
                              struct sy_value *ret);

/* What Cassandra calls the kind in messages: STRING, INTEGER ...; NULL for terms that are no constants. */
const char *sy_constant_kind_name(enum sy_term_kind kind);

/* --- texts of time; false when the text is none (dates: proleptic Gregorian, UTC) --- */
bool sy_timestamp_from_text(const char *text, size_t len, int64_t *ret_ms);
bool sy_date_from_text(const char *text, size_t len, uint32_t *ret_days); /* 2^31 is 1970-01-01 */
bool sy_time_from_text(const char *text, size_t len, int64_t *ret_ns);
/* 1y2mo3w4d5h6m7s8ms9us10ns and ISO 8601, a minus sign in front of either. */
bool sy_duration_from_text(const char *text, size_t len, int32_t *ret_months, int32_t *ret_days,
                           int64_t *ret_ns);
int64_t sy_days_from_civil(int64_t year, unsigned month, unsigned day); /* since 1970-01-01 */
void sy_civil_from_days(int64_t days, int64_t *ret_year, unsigned *ret_month, unsigned *ret_day);

#endif
