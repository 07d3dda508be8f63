/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CQL text into tokens. Unquoted names come out in lower case; keywords are names like any other here and
 * become words of the language in the parser. A minus sign is a token of its own, also before a number.
 */
#ifndef SIM_SCYLLA_CQL_LEXER_H
#define SIM_SCYLLA_CQL_LEXER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sy_arena;

enum sy_token_kind {
    SY_TOKEN_END,
    SY_TOKEN_NAME,
    SY_TOKEN_QUOTED_NAME,
    SY_TOKEN_STRING,
    SY_TOKEN_INTEGER,
    SY_TOKEN_FLOAT,
    SY_TOKEN_UUID,
    SY_TOKEN_BLOB, /* text: the hex digits behind 0x */
    SY_TOKEN_DURATION,
    SY_TOKEN_MARKER, /* ? */
    SY_TOKEN_SYMBOL, /* symbol: its character, or one of the pairs below */
};

enum sy_symbol { SY_LESS_EQUAL = 256, SY_GREATER_EQUAL, SY_NOT_EQUAL, SY_PLUS_ASSIGN, SY_MINUS_ASSIGN };

struct sy_token {
    enum sy_token_kind kind;
    int symbol;
    uint32_t start; /* in the statement's text */
    uint32_t end;
    const char *text; /* NUL-terminated, in the arena; not for symbols */
    uint32_t len;     /* of text */
};

/*
 * All tokens of the text, the last one SY_TOKEN_END. NULL: a text that does not end or a byte that starts
 * nothing; *ret_at says where.
 */
struct sy_token *sy_lex(const char *cql, size_t len, struct sy_arena *arena, uint32_t *ret_n,
                        uint32_t *ret_at);

#endif
