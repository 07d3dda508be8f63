/* SPDX-License-Identifier: Apache-2.0 */
#include "lexer.h"

#include <ctype.h>
#include <string.h>

#include "../storage/arena.h"

struct lexer {
    const char *cql;
    uint32_t len;
    uint32_t at;
    char *texts; /* room for every token's text: never more than the statement and a NUL each */
    struct sy_token *tokens;
    uint32_t n;
    uint32_t cap;
    struct sy_arena *arena;
};

static char peek(const struct lexer *lx, uint32_t ahead)
{
    return lx->at + ahead < lx->len ? lx->cql[lx->at + ahead] : '\0';
}

static bool is_name_char(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

static struct sy_token *add(struct lexer *lx, enum sy_token_kind kind, uint32_t start)
{
    if (lx->n == lx->cap) {
        struct sy_token *more = sy_arena_alloc(lx->arena, 2 * lx->cap * sizeof *more);
        memcpy(more, lx->tokens, lx->n * sizeof *more);
        lx->tokens = more;
        lx->cap *= 2;
    }
    struct sy_token *token = &lx->tokens[lx->n++];
    *token = (struct sy_token){.kind = kind, .start = start, .end = lx->at, .text = lx->texts};
    return token;
}

/* The token's text is what stands in [from, to) of the statement. */
static void add_slice(struct lexer *lx, enum sy_token_kind kind, uint32_t start, uint32_t from, uint32_t to)
{
    struct sy_token *token = add(lx, kind, start);
    token->len = to - from;
    for (uint32_t i = from; i < to; i++)
        *lx->texts++ = kind == SY_TOKEN_NAME ? (char)tolower((unsigned char)lx->cql[i]) : lx->cql[i];
    *lx->texts++ = '\0';
}

/* White space and the three kinds of comment; false when a comment does not end. */
static bool skip_blanks(struct lexer *lx)
{
    for (;;) {
        char c = peek(lx, 0), next = peek(lx, 1);
        if (lx->at < lx->len && isspace((unsigned char)c)) {
            lx->at++;
        } else if ((c == '-' && next == '-') || (c == '/' && next == '/')) {
            while (lx->at < lx->len && lx->cql[lx->at] != '\n')
                lx->at++;
        } else if (c == '/' && next == '*') {
            lx->at += 2;
            while (lx->at < lx->len && !(peek(lx, 0) == '*' && peek(lx, 1) == '/'))
                lx->at++;
            if (lx->at >= lx->len)
                return false;
            lx->at += 2;
        } else {
            return true;
        }
    }
}

/* 'text' or "name", the quote doubled inside. */
static bool lex_quoted(struct lexer *lx, char quote, enum sy_token_kind kind)
{
    uint32_t start = lx->at++;
    char *text = lx->texts;
    for (;;) {
        if (lx->at >= lx->len)
            return false;
        char c = lx->cql[lx->at++];
        if (c == quote) {
            if (peek(lx, 0) != quote)
                break;
            lx->at++;
        }
        *lx->texts++ = c;
    }
    uint32_t len = (uint32_t)(lx->texts - text);
    *lx->texts++ = '\0';
    struct sy_token *token = add(lx, kind, start);
    token->text = text;
    token->len = len;
    return true;
}

static bool lex_dollar_string(struct lexer *lx)
{
    uint32_t start = lx->at;
    lx->at += 2;
    uint32_t from = lx->at;
    while (lx->at < lx->len && !(peek(lx, 0) == '$' && peek(lx, 1) == '$'))
        lx->at++;
    if (lx->at >= lx->len)
        return false;
    lx->at += 2;
    add_slice(lx, SY_TOKEN_STRING, start, from, lx->at - 2);
    return true;
}

/* 8-4-4-4-12 hex digits, and no name goes on behind them. */
static bool lex_uuid(struct lexer *lx)
{
    static const uint8_t dashes[] = {8, 13, 18, 23};
    if (lx->len - lx->at < 36 || peek(lx, 8) != '-')
        return false;
    for (uint32_t i = 0; i < 36; i++) {
        bool dash = memchr(dashes, (int)i, sizeof dashes) != NULL;
        if (dash ? peek(lx, i) != '-' : !isxdigit((unsigned char)peek(lx, i)))
            return false;
    }
    if (is_name_char(peek(lx, 36)))
        return false;
    uint32_t start = lx->at;
    lx->at += 36;
    add_slice(lx, SY_TOKEN_UUID, start, start, lx->at);
    return true;
}

static bool lex_blob(struct lexer *lx)
{
    if (peek(lx, 0) != '0' || (peek(lx, 1) != 'x' && peek(lx, 1) != 'X'))
        return false;
    uint32_t start = lx->at;
    lx->at += 2;
    while (isxdigit((unsigned char)peek(lx, 0)))
        lx->at++;
    add_slice(lx, SY_TOKEN_BLOB, start, start + 2, lx->at);
    return true;
}

/* The length of a unit of 1y2mo3w4d5h6m7s8ms9us10ns at `at`, 0: none. */
static uint32_t unit_length(const struct lexer *lx, uint32_t ahead)
{
    static const char *const units[] = {"mo", "ms", "us", "ns", "\xc2\xb5s", "y", "w", "d", "h", "m", "s"};
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        uint32_t n = 0;
        while (units[i][n] != '\0' &&
               tolower((unsigned char)peek(lx, ahead + n)) == tolower((unsigned char)units[i][n]))
            n++;
        if (units[i][n] == '\0')
            return n;
    }
    return 0;
}

static bool lex_duration(struct lexer *lx)
{
    uint32_t n = 0;
    for (;;) {
        uint32_t digits = 0;
        while (isdigit((unsigned char)peek(lx, n + digits)))
            digits++;
        uint32_t unit = digits > 0 ? unit_length(lx, n + digits) : 0;
        if (unit == 0)
            break;
        n += digits + unit;
    }
    if (n == 0 || is_name_char(peek(lx, n)))
        return false;
    uint32_t start = lx->at;
    lx->at += n;
    add_slice(lx, SY_TOKEN_DURATION, start, start, lx->at);
    return true;
}

/* P1Y2M3DT4H5M6S, P1W, P0001-02-03T04:05:06: digits each with its unit, or one that has them all. What else
 * starts with P and a digit is a name: p1. */
static bool lex_iso_duration(struct lexer *lx)
{
    if (peek(lx, 0) != 'P')
        return false;
    uint32_t n = 1;
    while (peek(lx, n) != '\0' && strchr("0123456789YMWDTHS-:", peek(lx, n)) != NULL)
        n++;
    bool alternative = n == 20 && peek(lx, 5) == '-';
    bool ends_in_unit = n > 2 && isalpha((unsigned char)peek(lx, n - 1)) && peek(lx, n - 1) != 'T';
    if (is_name_char(peek(lx, n)) || !(alternative || ends_in_unit) ||
        !(isdigit((unsigned char)peek(lx, 1)) || peek(lx, 1) == 'T'))
        return false;
    uint32_t start = lx->at;
    lx->at += n;
    add_slice(lx, SY_TOKEN_DURATION, start, start, lx->at);
    return true;
}

static void lex_number(struct lexer *lx)
{
    uint32_t start = lx->at;
    bool floating = false;
    while (isdigit((unsigned char)peek(lx, 0)))
        lx->at++;
    if (peek(lx, 0) == '.' && peek(lx, 1) != '.') {
        floating = true;
        lx->at++;
        while (isdigit((unsigned char)peek(lx, 0)))
            lx->at++;
    }
    uint32_t sign = peek(lx, 1) == '+' || peek(lx, 1) == '-';
    if (tolower((unsigned char)peek(lx, 0)) == 'e' && isdigit((unsigned char)peek(lx, 1 + sign))) {
        floating = true;
        lx->at += 1 + sign;
        while (isdigit((unsigned char)peek(lx, 0)))
            lx->at++;
    }
    add_slice(lx, floating ? SY_TOKEN_FLOAT : SY_TOKEN_INTEGER, start, start, lx->at);
}

static bool lex_symbol(struct lexer *lx)
{
    static const struct {
        char pair[3];
        int symbol;
    } pairs[] = {{"<=", SY_LESS_EQUAL},
                 {">=", SY_GREATER_EQUAL},
                 {"!=", SY_NOT_EQUAL},
                 {"+=", SY_PLUS_ASSIGN},
                 {"-=", SY_MINUS_ASSIGN}};
    uint32_t start = lx->at;
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        if (peek(lx, 0) == pairs[i].pair[0] && peek(lx, 1) == pairs[i].pair[1]) {
            lx->at += 2;
            add(lx, SY_TOKEN_SYMBOL, start)->symbol = pairs[i].symbol;
            return true;
        }
    char c = peek(lx, 0);
    if (c == '\0' || strchr("()[]{},;.=<>+-*/%:", c) == NULL)
        return false;
    lx->at++;
    add(lx, SY_TOKEN_SYMBOL, start)->symbol = c;
    return true;
}

static bool lex_one(struct lexer *lx)
{
    char c = peek(lx, 0);
    if (c == '\'')
        return lex_quoted(lx, '\'', SY_TOKEN_STRING);
    if (c == '"')
        return lex_quoted(lx, '"', SY_TOKEN_QUOTED_NAME);
    if (c == '$' && peek(lx, 1) == '$')
        return lex_dollar_string(lx);
    if (isxdigit((unsigned char)c) && lex_uuid(lx))
        return true;
    if (isdigit((unsigned char)c)) {
        if (!lex_blob(lx) && !lex_duration(lx))
            lex_number(lx);
        return true;
    }
    if (isalpha((unsigned char)c)) {
        if (lex_iso_duration(lx))
            return true;
        uint32_t start = lx->at;
        while (is_name_char(peek(lx, 0)))
            lx->at++;
        add_slice(lx, SY_TOKEN_NAME, start, start, lx->at);
        return true;
    }
    if (c == '?') {
        lx->at++;
        add(lx, SY_TOKEN_MARKER, lx->at - 1);
        return true;
    }
    return lex_symbol(lx);
}

struct sy_token *sy_lex(const char *cql, size_t len, struct sy_arena *arena, uint32_t *ret_n,
                        uint32_t *ret_at)
{
    struct lexer lx = {.cql = cql, .len = (uint32_t)len, .arena = arena, .cap = 32 + (uint32_t)len / 8};
    lx.texts = sy_arena_alloc(arena, 2 * len + 2);
    lx.tokens = sy_arena_alloc(arena, lx.cap * sizeof *lx.tokens);
    for (;;) {
        if (!skip_blanks(&lx))
            break;
        if (lx.at >= lx.len) {
            add(&lx, SY_TOKEN_END, lx.at);
            *ret_n = lx.n;
            return lx.tokens;
        }
        uint32_t start = lx.at;
        if (!lex_one(&lx)) {
            lx.at = start;
            break;
        }
    }
    *ret_at = lx.at;
    return NULL;
}
