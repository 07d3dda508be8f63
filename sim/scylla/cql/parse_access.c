/* SPDX-License-Identifier: Apache-2.0 */
/* Roles and permissions. */
#include <string.h>

#include "../storage/arena.h"
#include "parser.h"

static int parse_boolean(struct sy_parser *p)
{
    if (sy_take_word(p, "true"))
        return 1;
    sy_expect_word(p, "false");
    return 0;
}

/* WITH PASSWORD = 'x' AND LOGIN = true AND SUPERUSER = false */
static void parse_role_options(struct sy_parser *p, struct sy_role_statement *role)
{
    do {
        if (sy_take_word(p, "password")) {
            sy_expect_symbol(p, '=');
            role->password = sy_parse_string(p);
        } else if (sy_take_word(p, "login")) {
            sy_expect_symbol(p, '=');
            role->login = parse_boolean(p);
        } else if (sy_take_word(p, "superuser")) {
            sy_expect_symbol(p, '=');
            role->superuser = parse_boolean(p);
        } else if (sy_take_word(p, "options")) {
            sy_parser_fail(p, 0x2200, "Unable to set OPTIONS: the password authenticator has none");
        } else {
            sy_parser_unexpected(p);
        }
    } while (sy_take_word(p, "and"));
}

/* WITH PASSWORD 'x' SUPERUSER */
static void parse_user_options(struct sy_parser *p, struct sy_role_statement *role)
{
    if (sy_take_word(p, "with")) {
        sy_expect_word(p, "password");
        role->password = sy_parse_string(p);
    }
    if (sy_take_word(p, "superuser"))
        role->superuser = 1;
    else if (sy_take_word(p, "nosuperuser"))
        role->superuser = 0;
}

static bool at_role_or_user(const struct sy_parser *p, const char *verb)
{
    return sy_at_words(p, verb, "role") || sy_at_words(p, verb, "user");
}

static void parse_role(struct sy_parser *p, struct sy_role_statement *role)
{
    role->user = sy_at_word(p, "user");
    p->at++;
    if (sy_at_words(p, "if", "not"))
        role->if_not_exists = sy_parse_if_not_exists(p);
    else
        role->if_exists = sy_parse_if_exists(p);
    role->name = sy_parse_any_name(p);
    if (role->user)
        parse_user_options(p, role);
    else if (sy_take_word(p, "with"))
        parse_role_options(p, role);
}

/* Everything up to the word, as written: a permission or a resource. */
static const char *words_until(struct sy_parser *p, const char *first, const char *second)
{
    uint32_t from = sy_parser_peek(p, 0)->start, to = from;
    while (sy_parser_peek(p, 0)->kind != SY_TOKEN_END && !sy_at_symbol(p, ';') && !sy_at_word(p, first) &&
           !(second != NULL && sy_at_word(p, second))) {
        to = sy_parser_peek(p, 0)->end;
        p->at++;
    }
    return sy_arena_dup(p->arena, p->cql + from, to - from);
}

/* GRANT role TO role, GRANT permission ON resource TO role; REVOKE ... FROM role. */
static void parse_grant(struct sy_parser *p, struct sy_role_statement *grant)
{
    const char *joint = grant->grant ? "to" : "from";
    grant->permission = words_until(p, "on", joint);
    grant->grants_role = !sy_take_word(p, "on");
    if (!grant->grants_role)
        grant->resource = words_until(p, joint, NULL);
    sy_expect_word(p, joint);
    grant->grantee = sy_parse_any_name(p);
}

static void parse_list(struct sy_parser *p, struct sy_statement *ret, struct sy_role_statement *list)
{
    if (sy_take_word(p, "roles") || sy_take_word(p, "users")) {
        ret->kind = SY_LIST_ROLES;
        if (sy_take_word(p, "of"))
            list->grantee = sy_parse_any_name(p);
        (void)sy_take_word(p, "norecursive");
        return;
    }
    ret->kind = SY_LIST_PERMISSIONS;
    list->permission = words_until(p, "on", "of");
    if (sy_take_word(p, "on"))
        list->resource = words_until(p, "of", NULL);
    if (sy_take_word(p, "of"))
        list->grantee = sy_parse_any_name(p);
    (void)sy_take_word(p, "norecursive");
}

bool sy_parse_access(struct sy_parser *p, struct sy_statement *ret)
{
    struct sy_role_statement *role = sy_arena_alloc(p->arena, sizeof *role);
    role->superuser = role->login = -1;
    ret->role = role;
    if (at_role_or_user(p, "create") || at_role_or_user(p, "alter") || at_role_or_user(p, "drop")) {
        ret->kind = sy_at_word(p, "create")  ? SY_CREATE_ROLE
                    : sy_at_word(p, "alter") ? SY_ALTER_ROLE
                                             : SY_DROP_ROLE;
        p->at++;
        parse_role(p, role);
    } else if (sy_at_word(p, "grant") || sy_at_word(p, "revoke")) {
        ret->kind = SY_GRANT;
        role->grant = sy_at_word(p, "grant");
        p->at++;
        parse_grant(p, role);
    } else if (sy_take_word(p, "list")) {
        parse_list(p, ret, role);
    } else {
        return false;
    }
    return true;
}
