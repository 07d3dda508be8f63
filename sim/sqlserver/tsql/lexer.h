/* SPDX-License-Identifier: Apache-2.0 */
/*
 * T-SQL text to tokens. The whole batch is read at once, so that a parser may look ahead freely.
 *
 * Tokens live in the arena. Names come without their brackets or quotes; `quoted` tells that they had some,
 * since such a name is never a keyword. The list ends with a MS_TOKEN_END.
 */
#ifndef SIM_SQLSERVER_TSQL_LEXER_H
#define SIM_SQLSERVER_TSQL_LEXER_H

#include "../storage/error.h"
#include "arena.h"

enum ms_token_kind {
    MS_TOKEN_END,
    MS_TOKEN_NAME,     /* bare, [bracketed] or "quoted" */
    MS_TOKEN_VARIABLE, /* @name or @@name, with the signs */
    MS_TOKEN_STRING,
    MS_TOKEN_INTEGER,
    MS_TOKEN_DECIMAL, /* 12.5 */
    MS_TOKEN_FLOAT,   /* 1e3 */
    MS_TOKEN_MONEY,   /* $12.50; text without the sign */
    MS_TOKEN_BINARY,  /* 0x..; text holds the raw bytes */
    MS_TOKEN_SYMBOL,  /* one of ( ) , ; . = < > <= >= <> != !< !> + - * / % & | ^ ~ : += -= *= /= %= */
};

struct ms_token {
    enum ms_token_kind kind;
    bool quoted;
    bool unicode; /* N'...' */
    int line;     /* 1-based */
    const char *text;
    size_t len;
    size_t begin; /* byte offsets in the batch */
    size_t end;
};

/* False: 105 unclosed quotation mark, 113 missing end comment mark; *ret_line tells where. */
bool ms_lex(struct ms_arena *arena, const char *sql, size_t len, struct ms_token **ret_tokens, int *ret_line,
            struct ms_error *err);

/* Is this bare word reserved, so that it is never a name or an alias? */
bool ms_word_is_reserved(const char *word);

#endif
