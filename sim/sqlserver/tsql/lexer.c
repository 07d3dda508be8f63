/* SPDX-License-Identifier: Apache-2.0 */
#include "lexer.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct lexer {
    struct ms_arena *arena;
    const char *sql;
    size_t len;
    size_t at;
    int line;
    struct ms_error *err;
    struct ms_token *tokens;
    size_t n;
    size_t cap;
};

/* Sorted for bsearch: the reserved words of T-SQL that this dialect gives a meaning, and the rest of
 * Microsoft's list. */
static const char *const reserved[] = {
    "add",
    "all",
    "alter",
    "and",
    "any",
    "as",
    "asc",
    "authorization",
    "backup",
    "begin",
    "between",
    "break",
    "browse",
    "bulk",
    "by",
    "cascade",
    "case",
    "check",
    "checkpoint",
    "close",
    "clustered",
    "coalesce",
    "collate",
    "column",
    "commit",
    "compute",
    "constraint",
    "contains",
    "containstable",
    "continue",
    "convert",
    "create",
    "cross",
    "current",
    "current_date",
    "current_time",
    "current_timestamp",
    "current_user",
    "cursor",
    "database",
    "dbcc",
    "deallocate",
    "declare",
    "default",
    "delete",
    "deny",
    "desc",
    "distinct",
    "distributed",
    "double",
    "drop",
    "else",
    "end",
    "escape",
    "except",
    "exec",
    "execute",
    "exists",
    "exit",
    "external",
    "fetch",
    "file",
    "fillfactor",
    "for",
    "foreign",
    "freetext",
    "freetexttable",
    "from",
    "full",
    "function",
    "goto",
    "grant",
    "group",
    "having",
    "holdlock",
    "identity",
    "identity_insert",
    "identitycol",
    "if",
    "in",
    "index",
    "inner",
    "insert",
    "intersect",
    "into",
    "is",
    "join",
    "key",
    "kill",
    "left",
    "like",
    "lineno",
    "merge",
    "national",
    "nocheck",
    "nonclustered",
    "not",
    "null",
    "nullif",
    "of",
    "off",
    "offsets",
    "on",
    "open",
    "opendatasource",
    "openquery",
    "openrowset",
    "openxml",
    "option",
    "or",
    "order",
    "outer",
    "over",
    "percent",
    "pivot",
    "plan",
    "primary",
    "print",
    "proc",
    "procedure",
    "raiserror",
    "read",
    "readtext",
    "reconfigure",
    "references",
    "replication",
    "restore",
    "restrict",
    "return",
    "revert",
    "revoke",
    "right",
    "rollback",
    "rowcount",
    "rowguidcol",
    "rule",
    "save",
    "schema",
    "securityaudit",
    "select",
    "semantickeyphrasetable",
    "semanticsimilaritydetailstable",
    "semanticsimilaritytable",
    "session_user",
    "set",
    "setuser",
    "shutdown",
    "some",
    "statistics",
    "system_user",
    "table",
    "tablesample",
    "textsize",
    "then",
    "to",
    "top",
    "tran",
    "transaction",
    "trigger",
    "truncate",
    "try_convert",
    "tsequal",
    "union",
    "unique",
    "unpivot",
    "update",
    "updatetext",
    "use",
    "user",
    "values",
    "varying",
    "view",
    "waitfor",
    "when",
    "where",
    "while",
    "with",
    "within",
    "writetext",
};

static int compare_word(const void *key, const void *entry)
{
    return strcasecmp(key, *(const char *const *)entry);
}

bool ms_word_is_reserved(const char *word)
{
    return bsearch(word, reserved, sizeof reserved / sizeof reserved[0], sizeof reserved[0], compare_word) !=
           NULL;
}

static struct ms_token *add(struct lexer *lx, enum ms_token_kind kind, size_t begin)
{
    if (lx->n == lx->cap) {
        size_t cap = lx->cap ? lx->cap * 2 : 64;
        struct ms_token *more = ms_arena_alloc(lx->arena, cap * sizeof *more);
        if (lx->n)
            memcpy(more, lx->tokens, lx->n * sizeof *more);
        lx->tokens = more;
        lx->cap = cap;
    }
    struct ms_token *token = &lx->tokens[lx->n++];
    *token = (struct ms_token){.kind = kind, .line = lx->line, .begin = begin, .end = lx->at};
    token->text = ms_arena_dup(lx->arena, lx->sql + begin, lx->at - begin);
    token->len = lx->at - begin;
    return token;
}

static char peek(const struct lexer *lx, size_t ahead)
{
    return lx->at + ahead < lx->len ? lx->sql[lx->at + ahead] : 0;
}

static bool skip_block_comment(struct lexer *lx)
{
    int depth = 0;
    do {
        if (peek(lx, 0) == '/' && peek(lx, 1) == '*') {
            depth++;
            lx->at += 2;
        } else if (peek(lx, 0) == '*' && peek(lx, 1) == '/') {
            depth--;
            lx->at += 2;
        } else {
            lx->line += peek(lx, 0) == '\n';
            lx->at++;
        }
        if (depth > 0 && lx->at >= lx->len)
            return ms_error_set(lx->err, 113, 15, 1, "Missing end comment mark '*/'.");
    } while (depth > 0);
    return true;
}

/* Blanks and comments. A no-break space and a byte order mark count as blanks. */
static bool skip_space(struct lexer *lx)
{
    while (lx->at < lx->len) {
        char c = lx->sql[lx->at];
        if (c == '-' && peek(lx, 1) == '-') {
            while (lx->at < lx->len && lx->sql[lx->at] != '\n')
                lx->at++;
        } else if (c == '/' && peek(lx, 1) == '*') {
            if (!skip_block_comment(lx))
                return false;
        } else if (isspace((unsigned char)c) || c == 0) {
            lx->line += c == '\n';
            lx->at++;
        } else if (c == '\xc2' && peek(lx, 1) == '\xa0') {
            lx->at += 2;
        } else if (c == '\xef' && peek(lx, 1) == '\xbb' && peek(lx, 2) == '\xbf') {
            lx->at += 3;
        } else {
            return true;
        }
    }
    return true;
}

/* A text up to `close`, where two of them stand for one. lx->at is behind the opening mark. */
static bool lex_delimited(struct lexer *lx, char close, size_t begin, enum ms_token_kind kind)
{
    size_t longest = 0, n = 0; /* what stands before the closing mark, doubled ones counted twice */
    while (lx->at + longest < lx->len &&
           (lx->sql[lx->at + longest] != close || peek(lx, longest + 1) == close))
        longest += lx->sql[lx->at + longest] == close ? 2 : 1;
    char *out = ms_arena_alloc(lx->arena, longest + 2);
    int line = lx->line;
    for (;; lx->at++) {
        if (lx->at >= lx->len) {
            lx->line = line;
            out[n < 120 ? n : 120] = 0;
            return ms_error_set(lx->err, 105, 15, 1,
                                "Unclosed quotation mark after the character string '%s'.", out);
        }
        char c = lx->sql[lx->at];
        if (c == close) {
            if (peek(lx, 1) != close)
                break;
            lx->at++;
        }
        lx->line += c == '\n';
        out[n++] = c;
    }
    lx->at++;
    struct ms_token *token = add(lx, kind, begin);
    token->line = line;
    token->text = out;
    token->len = n;
    token->quoted = true;
    return true;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)tolower((unsigned char)c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static void lex_binary(struct lexer *lx)
{
    size_t begin = lx->at, n = 0;
    lx->at += 2;
    while (hex_digit(peek(lx, 0)) >= 0)
        lx->at++;
    struct ms_token *token = add(lx, MS_TOKEN_BINARY, begin);
    size_t digits = lx->at - begin - 2;
    char *bytes = ms_arena_alloc(lx->arena, digits / 2 + 2);
    const char *at = lx->sql + begin + 2;
    if (digits % 2)
        bytes[n++] = (char)hex_digit(*at++);
    for (; at < lx->sql + lx->at; at += 2)
        bytes[n++] = (char)(hex_digit(at[0]) << 4 | hex_digit(at[1]));
    token->text = bytes;
    token->len = n;
}

static void lex_number(struct lexer *lx)
{
    size_t begin = lx->at;
    enum ms_token_kind kind = MS_TOKEN_INTEGER;
    if (peek(lx, 0) == '$') {
        lx->at++;
        begin++;
        kind = MS_TOKEN_MONEY;
    }
    while (isdigit((unsigned char)peek(lx, 0)))
        lx->at++;
    if (peek(lx, 0) == '.') {
        kind = kind == MS_TOKEN_INTEGER ? MS_TOKEN_DECIMAL : kind;
        lx->at++;
        while (isdigit((unsigned char)peek(lx, 0)))
            lx->at++;
    }
    size_t sign = peek(lx, 1) == '+' || peek(lx, 1) == '-' ? 1 : 0;
    if (kind != MS_TOKEN_MONEY && (peek(lx, 0) == 'e' || peek(lx, 0) == 'E') &&
        (isdigit((unsigned char)peek(lx, 1 + sign)) || !sign)) {
        kind = MS_TOKEN_FLOAT;
        lx->at += 1 + sign;
        while (isdigit((unsigned char)peek(lx, 0)))
            lx->at++;
    }
    add(lx, kind, begin);
}

static bool is_name_start(char c)
{
    return isalpha((unsigned char)c) || c == '_' || c == '#' || (c & 0x80);
}

static bool is_name_part(char c)
{
    return is_name_start(c) || isdigit((unsigned char)c) || c == '@' || c == '$';
}

static void lex_word(struct lexer *lx)
{
    size_t begin = lx->at;
    enum ms_token_kind kind = lx->sql[begin] == '@' ? MS_TOKEN_VARIABLE : MS_TOKEN_NAME;
    while (lx->at < lx->len && is_name_part(lx->sql[lx->at]))
        lx->at++;
    add(lx, kind, begin);
}

static bool lex_symbol(struct lexer *lx)
{
    static const char *const pairs[] = {
        "<=", ">=", "<>", "!=", "!<", "!>", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "::"};
    size_t begin = lx->at;
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        if (lx->sql[lx->at] == pairs[i][0] && peek(lx, 1) == pairs[i][1]) {
            lx->at += 2;
            add(lx, MS_TOKEN_SYMBOL, begin);
            return true;
        }
    }
    char c = lx->sql[lx->at++];
    if (!strchr("(),;.=<>+-*/%&|^~:?", c))
        return ms_error_set(lx->err, 102, 15, 1, "Incorrect syntax near '%c'.", c);
    add(lx, MS_TOKEN_SYMBOL, begin);
    return true;
}

static bool lex_one(struct lexer *lx)
{
    size_t begin = lx->at;
    char c = lx->sql[lx->at], next = peek(lx, 1);
    if (c == '\'' || c == '[' || c == '"') {
        lx->at++;
        return lex_delimited(lx, c == '[' ? ']' : c, begin, c == '\'' ? MS_TOKEN_STRING : MS_TOKEN_NAME);
    }
    if ((c == 'N' || c == 'n') && next == '\'') {
        lx->at += 2;
        if (!lex_delimited(lx, '\'', begin, MS_TOKEN_STRING))
            return false;
        lx->tokens[lx->n - 1].unicode = true;
        return true;
    }
    if (c == '0' && (next == 'x' || next == 'X')) {
        lex_binary(lx);
        return true;
    }
    if (isdigit((unsigned char)c) || (c == '.' && isdigit((unsigned char)next)) ||
        (c == '$' && (isdigit((unsigned char)next) || next == '.'))) {
        lex_number(lx);
        return true;
    }
    if (is_name_start(c) || c == '@') {
        lex_word(lx);
        return true;
    }
    return lex_symbol(lx);
}

bool ms_lex(struct ms_arena *arena, const char *sql, size_t len, struct ms_token **ret_tokens, int *ret_line,
            struct ms_error *err)
{
    struct lexer lx = {.arena = arena, .sql = sql, .len = len, .line = 1, .err = err};
    for (;;) {
        if (!skip_space(&lx))
            break;
        if (lx.at >= lx.len) {
            add(&lx, MS_TOKEN_END, lx.at);
            *ret_tokens = lx.tokens;
            return true;
        }
        if (!lex_one(&lx))
            break;
    }
    *ret_line = lx.line;
    return false;
}
