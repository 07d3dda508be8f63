/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One value from one type to another: CAST, CONVERT with its styles, and what an assignment does.
 *
 * Bytes of the result are those of the input or live in the arena. NULL stays NULL. Errors are SQL Server's
 * (245, 241, 8114, 8115, 220, 248, 8169, 529 ...).
 */
#ifndef SIM_SQLSERVER_TSQL_CONVERT_H
#define SIM_SQLSERVER_TSQL_CONVERT_H

#include "../storage/error.h"
#include "arena.h"
#include "typing.h"

#define MS_STYLE_NONE (-1)

struct ms_conversion {
    struct ms_type from;
    struct ms_type to;
    int style;   /* CONVERT's third argument, or MS_STYLE_NONE */
    bool assign; /* text that is too long is an error (8152), and not cut */
};

bool ms_convert(struct ms_arena *arena, const struct ms_conversion *how, const struct ms_value *in,
                struct ms_value *ret, struct ms_error *err);

/* Is there such a conversion at all? 0 no, 1 only by CAST and CONVERT, 2 implicitly too. */
int ms_convert_allowed(const struct ms_type *from, const struct ms_type *to);

/* The text of a value as CAST(x AS nvarchar(max)) gives it. */
bool ms_convert_to_text(struct ms_arena *arena, const struct ms_conversion *how, const struct ms_value *in,
                        struct ms_value *ret, struct ms_error *err);

/* Text facts. A character of varchar is one byte of code page 1252, one of nvarchar a UTF-16 unit (1 or 2).
 */
size_t ms_text_units(const uint8_t *text, size_t len, bool unicode);
size_t ms_text_prefix(const uint8_t *text, size_t len, size_t units,
                      bool unicode);                          /* bytes of that many units */
int32_t ms_text_next(const uint8_t **at, const uint8_t *end); /* the next code point */
size_t ms_text_put(uint8_t *out, uint32_t code);              /* UTF-8; up to 4 bytes */
int ms_text_to_1252(uint32_t code);                           /* 0..255, or -1 */
uint32_t ms_text_from_1252(uint8_t byte);
/* What remains of text in code page 1252: best fits (c for a c with caron), else question marks. */
const uint8_t *ms_text_narrow(struct ms_arena *arena, const uint8_t *text, size_t len, size_t *ret_len);

#endif
