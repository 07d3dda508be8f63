/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CQL text into a statement (ast.h). Recursive descent over an array of tokens; the first fault stays, and
 * the cursor then stands at the end of the text, so that every loop comes to its end.
 */
#ifndef SIM_SCYLLA_CQL_PARSER_H
#define SIM_SCYLLA_CQL_PARSER_H

#include "ast.h"
#include "lexer.h"

/* NULL: *ret_error is 0x2000 (or 0x2200 for what parses and cannot be meant), its text in the arena. */
const struct sy_statement *sy_parse(const char *cql, size_t len, struct sy_arena *arena,
                                    struct sy_error *ret_error);

/* A type alone, as "frozen<map<text, int>>". */
const struct sy_type_name *sy_parse_type(const char *text, size_t len, struct sy_arena *arena);

/* --- shared by the parser's files --- */

struct sy_parser {
    const char *cql;
    const struct sy_token *tokens;
    uint32_t n_tokens;
    uint32_t at;
    uint32_t depth;       /* of nested terms and types */
    bool columns_allowed; /* in a SELECT's list: a name alone is a column */
    uint32_t n_markers;
    uint32_t cap_markers;
    const char **marker_names;
    struct sy_arena *arena;
    bool failed;
    struct sy_error error;
};

/* A list that grows in the arena; elements are pointers or structs of a fixed size. */
struct sy_list {
    void *items;
    uint32_t n;
    uint32_t cap;
};
void *sy_list_add(struct sy_list *list, size_t size, struct sy_arena *arena); /* zeroed */

const struct sy_token *sy_parser_peek(const struct sy_parser *p, uint32_t ahead);
void sy_parser_fail(struct sy_parser *p, int32_t code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void sy_parser_unexpected(struct sy_parser *p); /* no viable alternative at the current token */

bool sy_at_word(const struct sy_parser *p, const char *word);
bool sy_at_words(const struct sy_parser *p, const char *first, const char *second);
bool sy_take_word(struct sy_parser *p, const char *word);
void sy_expect_word(struct sy_parser *p, const char *word);
bool sy_at_symbol(const struct sy_parser *p, int symbol);
bool sy_take_symbol(struct sy_parser *p, int symbol);
void sy_expect_symbol(struct sy_parser *p, int symbol);

const char *sy_parse_name(struct sy_parser *p);     /* never NULL: "" after a fault */
const char *sy_parse_any_name(struct sy_parser *p); /* a name, or a text in quotes: roles */
void sy_parse_table_name(struct sy_parser *p, const char **ret_keyspace, const char **ret_name);
const char *sy_parse_string(struct sy_parser *p);
bool sy_parse_if_exists(struct sy_parser *p);
bool sy_parse_if_not_exists(struct sy_parser *p);

const struct sy_term *sy_parse_term(struct sy_parser *p);
struct sy_term *sy_make_term(struct sy_parser *p, enum sy_term_kind kind, const char *text, uint32_t len);
const struct sy_term *sy_make_marker(struct sy_parser *p, const char *name); /* NULL: a ? */
const struct sy_type_name *sy_parse_type_name(struct sy_parser *p);
const struct sy_relation *sy_parse_where(struct sy_parser *p, uint32_t *ret_n);
const struct sy_relation *sy_parse_conditions(struct sy_parser *p, uint32_t *ret_n);
const struct sy_with *sy_parse_with(struct sy_parser *p, struct sy_definition *table, uint32_t *ret_n);

const struct sy_select *sy_parse_select(struct sy_parser *p);
const struct sy_modify *sy_parse_modify(struct sy_parser *p); /* INSERT, UPDATE or DELETE */
const struct sy_text_batch *sy_parse_batch(struct sy_parser *p);
bool sy_parse_definition(struct sy_parser *p, struct sy_statement *ret); /* CREATE, ALTER, DROP */
bool sy_parse_access(struct sy_parser *p, struct sy_statement *ret);     /* roles, GRANT, LIST */

#endif
