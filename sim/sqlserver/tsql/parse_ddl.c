/* SPDX-License-Identifier: Apache-2.0 */
/* CREATE, ALTER, DROP, GRANT: databases, schemas, tables, indexes, modules, principals. */
#include <string.h>
#include <strings.h>

#include "parse.h"

static bool parse_if_exists(struct ms_parser *p)
{
    if (!ms_parse_is_word(p, 0, "if") || !ms_parse_is_word(p, 1, "exists"))
        return false;
    p->at += 2;
    return true;
}

/* --- databases --- */

void ms_parse_skip_parenthesised(struct ms_parser *p)
{
    int depth = 0;
    do {
        if (ms_parse_peek(p, 0)->kind == MS_TOKEN_END)
            ms_parse_fail_here(p);
        depth += ms_parse_is_symbol(p, 0, "(") ? 1 : ms_parse_is_symbol(p, 0, ")") ? -1 : 0;
        p->at++;
    } while (depth > 0);
}

static struct ms_statement *parse_create_database(struct ms_parser *p)
{
    struct ms_statement *s = ms_parse_new_statement(p, MS_ST_CREATE_DATABASE);
    p->at += 2;
    s->word = ms_parse_name(p);
    if (ms_parse_word(p, "containment")) {
        ms_parse_need_symbol(p, "=");
        ms_parse_need_word(p, "none");
    }
    while (ms_parse_is_word(p, 0, "on") || ms_parse_is_word(p, 0, "log")) {
        p->at++;
        ms_parse_word(p, "on");
        ms_parse_word(p, "primary");
        do /* files and sizes: where a real server puts its bytes */
            ms_parse_skip_parenthesised(p);
        while (ms_parse_symbol(p, ","));
    }
    if (ms_parse_word(p, "collate"))
        s->word2 = ms_parse_any_word(p);
    return s;
}

static struct ms_statement *parse_alter_database(struct ms_parser *p)
{
    struct ms_statement *s = ms_parse_new_statement(p, MS_ST_ALTER_DATABASE);
    p->at += 2;
    s->name.parts[0] = ms_parse_is_word(p, 0, "current") ? (p->at++, "") : ms_parse_name(p);
    s->name.n = 1;
    if (ms_parse_word(p, "collate")) {
        s->word = "collate";
        s->word2 = ms_parse_any_word(p);
        return s;
    }
    if (ms_parse_word(p, "modify")) {
        ms_parse_need_word(p, "name");
        ms_parse_need_symbol(p, "=");
        s->word = "name";
        s->word2 = ms_parse_name(p);
        return s;
    }
    ms_parse_need_word(p, "set");
    s->word = ms_parse_any_word(p);
    ms_parse_symbol(p, "=");
    if (ms_parse_is_word(p, 0, "on") || ms_parse_is_word(p, 0, "off")) {
        s->flag = ms_parse_is_word(p, 0, "on");
        p->at++;
        if (ms_parse_is_symbol(p, 0, "("))
            ms_parse_skip_parenthesised(p);
    } else if (ms_parse_peek(p, 0)->kind == MS_TOKEN_INTEGER) {
        s->word2 = p->tokens[p->at++].text;
        if (!ms_parse_word(p, "seconds")) /* TARGET_RECOVERY_TIME = 60 SECONDS */
            ms_parse_word(p, "minutes");
    } else if (ms_parse_is_name(p, 0) || ms_parse_is_word(p, 0, "full")) {
        s->word2 = ms_parse_any_word(p);
    }
    if (ms_parse_word(p, "with")) {
        if (ms_parse_word(p, "rollback")) {
            s->flag2 = true;
            if (ms_parse_word(p, "after"))
                (void)ms_parse_integer(p), ms_parse_word(p, "seconds");
            else
                ms_parse_need_word(p, "immediate");
        } else {
            ms_parse_need_word(p, "no_wait");
        }
    }
    return s;
}

/* --- tables --- */

static struct ms_statement *parse_create_table(struct ms_parser *p)
{
    struct ms_statement *s = ms_parse_new_statement(p, MS_ST_CREATE_TABLE);
    p->at += 2;
    s->name = ms_parse_object_name(p);
    s->table = ms_parse_table_def(p);
    return s;
}

static void parse_names(struct ms_parser *p, struct ms_statement *s)
{
    do {
        s->names = ms_parse_grow(p, s->names, s->n_names, sizeof *s->names);
        s->names[s->n_names++] = ms_parse_object_name(p);
    } while (ms_parse_symbol(p, ","));
}

static void parse_alter_column(struct ms_parser *p, struct ms_statement *s)
{
    s->word = "alter column";
    s->word2 = ms_parse_name(p);
    s->type = ms_parse_type(p, 1);
    s->nullable = true;
    if (ms_parse_word(p, "collate"))
        s->columns = ms_arena_alloc(p->arena, sizeof *s->columns), s->columns[0] = ms_parse_any_word(p),
        s->n_columns = 1;
    if (ms_parse_word(p, "not")) {
        ms_parse_need_word(p, "null");
        s->nullable = false;
    } else {
        ms_parse_word(p, "null");
    }
}

static void parse_alter_drop(struct ms_parser *p, struct ms_statement *s)
{
    s->word = "drop constraint";
    if (ms_parse_word(p, "column"))
        s->word = "drop column";
    else
        ms_parse_word(p, "constraint");
    s->flag = parse_if_exists(p);
    parse_names(p, s);
}

static void parse_alter_add(struct ms_parser *p, struct ms_statement *s)
{
    s->word = "add";
    s->table = ms_arena_alloc(p->arena, sizeof *s->table);
    ms_parse_word(p, "column");
    do {
        if (ms_parse_at_constraint(p) || ms_parse_is_word(p, 0, "default"))
            ms_parse_constraint(p, s->table, NULL);
        else
            ms_parse_column(p, s->table);
    } while (ms_parse_symbol(p, ","));
}

static struct ms_statement *parse_alter_table(struct ms_parser *p)
{
    struct ms_statement *s = ms_parse_new_statement(p, MS_ST_ALTER_TABLE);
    p->at += 2;
    s->name = ms_parse_object_name(p);
    if (ms_parse_is_word(p, 0, "with") &&
        (ms_parse_is_word(p, 1, "check") || ms_parse_is_word(p, 1, "nocheck"))) {
        s->flag2 = ms_parse_is_word(p, 1, "nocheck");
        p->at += 2;
    }
    if (ms_parse_word(p, "alter")) {
        ms_parse_need_word(p, "column");
        parse_alter_column(p, s);
    } else if (ms_parse_word(p, "drop")) {
        parse_alter_drop(p, s);
    } else if (ms_parse_word(p, "add")) {
        parse_alter_add(p, s);
    } else if (ms_parse_is_word(p, 0, "check") || ms_parse_is_word(p, 0, "nocheck")) {
        s->word = "enable";
        s->flag = ms_parse_word(p, "check");
        if (!s->flag)
            p->at++;
        ms_parse_need_word(p, "constraint");
        if (!ms_parse_word(p, "all"))
            parse_names(p, s);
    } else if (ms_parse_word(p, "set")) {
        s->word = "storage";
        ms_parse_need_symbol(p, "(");
        ms_parse_need_word(p, "lock_escalation");
        ms_parse_need_symbol(p, "=");
        (void)ms_parse_any_word(p);
        ms_parse_need_symbol(p, ")");
    } else if (ms_parse_word(p, "rebuild")) {
        s->word = "storage";
        ms_parse_storage_options(p, NULL);
    } else {
        ms_parse_fail_here(p);
    }
    return s;
}

static void parse_index_tail(struct ms_parser *p, struct ms_key_spec *key)
{
    if (ms_parse_word(p, "include")) {
        struct ms_key_spec included = {0};
        ms_parse_key_columns(p, &included);
        key->included = included.columns;
        key->n_included = included.n_columns;
    }
    if (ms_parse_word(p, "where")) {
        size_t first = p->at;
        (void)ms_parse_expr(p);
        key->filter = ms_parse_span(p, first);
    }
    ms_parse_storage_options(p, key);
}

static struct ms_statement *parse_create_index(struct ms_parser *p)
{
    struct ms_statement *s = ms_parse_new_statement(p, MS_ST_CREATE_INDEX);
    s->key = ms_arena_alloc(p->arena, sizeof *s->key);
    p->at++;
    s->key->unique = ms_parse_word(p, "unique");
    s->key->clustered = ms_parse_word(p, "clustered");
    if (!s->key->clustered)
        ms_parse_word(p, "nonclustered");
    ms_parse_need_word(p, "index");
    s->key->name = ms_parse_name(p);
    ms_parse_need_word(p, "on");
    s->name = ms_parse_object_name(p);
    ms_parse_key_columns(p, s->key);
    parse_index_tail(p, s->key);
    return s;
}

static struct ms_statement *parse_drop_index(struct ms_parser *p)
{
    struct ms_statement *s = ms_parse_new_statement(p, MS_ST_DROP_INDEX);
    p->at += 2;
    s->flag = parse_if_exists(p);
    struct ms_name name = ms_parse_object_name(p);
    if (ms_parse_word(p, "on")) {
        s->word = name.parts[name.n - 1];
        s->name = ms_parse_object_name(p);
    } else { /* DROP INDEX table.index */
        if (name.n < 2)
            ms_parse_fail(p, 159, "Must specify the table name and index name for the DROP INDEX statement.");
        s->word = name.parts[--name.n];
        s->name = name;
    }
    return s;
}

/* --- schemas, principals, permissions --- */

static void must_be_first(struct ms_parser *p, const char *what)
{
    for (size_t i = 0; i < p->at; i++)
        if (p->tokens[i].kind != MS_TOKEN_SYMBOL || p->tokens[i].text[0] != ';')
            ms_parse_fail(p, 111, "'%s' must be the first statement in a query batch.", what);
}

static struct ms_statement *parse_create_schema(struct ms_parser *p)
{
    struct ms_statement *s = ms_parse_new_statement(p, MS_ST_CREATE_SCHEMA);
    must_be_first(p, "CREATE SCHEMA");
    p->at += 2;
    s->word = ms_parse_is_word(p, 0, "authorization") ? NULL : ms_parse_name(p);
    if (ms_parse_word(p, "authorization"))
        s->word2 = ms_parse_name(p);
    if (!s->word)
        s->word = s->word2;
    if (ms_parse_is_word(p, 0, "create") || ms_parse_is_word(p, 0, "grant"))
        ms_parse_fail_here(p); /* elements of the schema: they would not land in it */
    return s;
}

/* Rules about passwords that are not kept here, and the language, of which there is one. */
static bool is_login_option(const char *word)
{
    static const char *const words[] = {"check_policy", "check_expiration", "default_language", "sid",
                                        "old_password"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strcasecmp(word, words[i]) == 0)
            return true;
    return false;
}

static struct ms_statement *parse_login(struct ms_parser *p, struct ms_statement *s)
{
    s->word = "login";
    s->name.parts[0] = ms_parse_name(p);
    s->name.n = 1;
    if (s->flag2 && (ms_parse_is_word(p, 0, "enable") || ms_parse_is_word(p, 0, "disable"))) {
        s->nullable = true; /* a state is given */
        s->flag = ms_parse_word(p, "enable");
        if (!s->flag)
            p->at++;
        return s;
    }
    if (!ms_parse_word(p, "with"))
        return s;
    do {
        const char *option = ms_parse_any_word(p);
        ms_parse_need_symbol(p, "=");
        if (strcasecmp(option, "password") == 0) {
            if (ms_parse_peek(p, 0)->kind != MS_TOKEN_STRING)
                ms_parse_fail_here(p);
            s->word2 = p->tokens[p->at++].text;
            ms_parse_word(p, "must_change");
        } else if (strcasecmp(option, "default_database") == 0) {
            s->name2.parts[0] = ms_parse_name(p);
            s->name2.n = 1;
        } else if (is_login_option(option)) {
            p->at++;
        } else {
            p->at -= 2;
            ms_parse_fail_here(p);
        }
    } while (ms_parse_symbol(p, ","));
    return s;
}

/* ALTER USER u WITH DEFAULT_SCHEMA = s, LOGIN = l */
static void parse_user_options(struct ms_parser *p, struct ms_statement *s)
{
    do {
        if (ms_parse_word(p, "default_schema")) {
            ms_parse_need_symbol(p, "=");
            s->name2.parts[0] = ms_parse_name(p);
            s->name2.n = 1;
        } else {
            ms_parse_need_word(p, "login");
            ms_parse_need_symbol(p, "=");
            s->word2 = ms_parse_name(p);
        }
    } while (ms_parse_symbol(p, ","));
}

static struct ms_statement *parse_user(struct ms_parser *p, struct ms_statement *s)
{
    s->word = "user";
    s->name.parts[0] = ms_parse_name(p);
    s->name.n = 1;
    s->word2 = s->flag2 ? NULL : s->name.parts[0];
    if (s->flag2) {
        ms_parse_need_word(p, "with");
        parse_user_options(p, s);
        return s;
    }
    if (ms_parse_word(p, "for") || ms_parse_word(p, "from")) {
        ms_parse_need_word(p, "login");
        s->word2 = ms_parse_name(p);
    } else if (ms_parse_word(p, "without")) {
        ms_parse_need_word(p, "login");
        s->word2 = NULL;
    }
    if (ms_parse_word(p, "with")) {
        ms_parse_need_word(p, "default_schema");
        ms_parse_need_symbol(p, "=");
        s->name2.parts[0] = ms_parse_name(p);
        s->name2.n = 1;
    }
    return s;
}

static struct ms_statement *parse_role(struct ms_parser *p, struct ms_statement *s, bool server)
{
    s->word = server ? "server role" : "role";
    s->name.parts[0] = ms_parse_name(p);
    s->name.n = 1;
    if (s->flag2) {
        s->flag = ms_parse_word(p, "add");
        if (!s->flag)
            ms_parse_need_word(p, "drop");
        ms_parse_need_word(p, "member");
        s->word2 = ms_parse_name(p);
    } else if (ms_parse_word(p, "authorization")) {
        s->word2 = ms_parse_name(p);
    }
    return s;
}

/* CREATE and ALTER of LOGIN, USER, ROLE, SERVER ROLE; flag2 tells ALTER. NULL: something else. */
static struct ms_statement *parse_principal(struct ms_parser *p, bool alter)
{
    static const char *const kinds[] = {"login", "user", "role", "server"};
    for (size_t i = 0; i < 4; i++) {
        if (!ms_parse_is_word(p, 1, kinds[i]))
            continue;
        struct ms_statement *s = ms_parse_new_statement(p, MS_ST_PRINCIPAL);
        s->flag2 = alter;
        p->at += 2;
        if (i == 3)
            ms_parse_need_word(p, "role");
        return i == 0 ? parse_login(p, s) : i == 1 ? parse_user(p, s) : parse_role(p, s, i == 3);
    }
    return NULL;
}

static struct ms_statement *parse_drop_principal(struct ms_parser *p)
{
    static const char *const kinds[] = {"login", "user", "role"};
    for (size_t i = 0; i < 3; i++) {
        if (!ms_parse_is_word(p, 1, kinds[i]))
            continue;
        static const char *const words[] = {"drop login", "drop user", "drop role"};
        struct ms_statement *s = ms_parse_new_statement(p, MS_ST_PRINCIPAL);
        p->at += 2;
        s->flag = parse_if_exists(p);
        s->word = words[i];
        s->name.parts[0] = ms_parse_name(p);
        s->name.n = 1;
        return s;
    }
    return NULL;
}

static void parse_securable(struct ms_parser *p, struct ms_statement *s)
{
    if (!ms_parse_word(p, "on"))
        return;
    s->op = 'O';
    if (ms_parse_is_symbol(p, 1, "::")) {
        if (ms_parse_is_word(p, 0, "schema"))
            s->op = 'S';
        else if (ms_parse_is_word(p, 0, "database"))
            s->op = 'D';
        p->at += 2;
    }
    s->name = ms_parse_object_name(p);
}

static bool is_permission(const char *words)
{
    static const char *const known[] = {"select",
                                        "insert",
                                        "update",
                                        "delete",
                                        "execute",
                                        "exec",
                                        "references",
                                        "alter",
                                        "control",
                                        "connect",
                                        "connect sql",
                                        "take ownership",
                                        "view definition",
                                        "view any definition",
                                        "view any database",
                                        "view server state",
                                        "view database state",
                                        "view change tracking",
                                        "create table",
                                        "create view",
                                        "create procedure",
                                        "create function",
                                        "create schema",
                                        "create role",
                                        "create database",
                                        "create any database",
                                        "alter any schema",
                                        "alter any role",
                                        "alter any user",
                                        "alter any login",
                                        "alter any database",
                                        "alter server state",
                                        "alter trace",
                                        "control server",
                                        "showplan",
                                        "backup database",
                                        "backup log",
                                        "checkpoint",
                                        "all",
                                        "all privileges",
                                        "unmask"};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (strcasecmp(words, known[i]) == 0)
            return true;
    return false;
}

/* GRANT SELECT, INSERT ON [SCHEMA::]x TO a, b */
static struct ms_statement *parse_permission(struct ms_parser *p)
{
    struct ms_statement *s = ms_parse_new_statement(p, MS_ST_PERMISSION);
    s->word = ms_parse_any_word(p);
    do {
        size_t first = p->at;
        while (!ms_parse_is_word(p, 0, "on") && !ms_parse_is_word(p, 0, "to") &&
               !ms_parse_is_word(p, 0, "from") && !ms_parse_is_symbol(p, 0, ","))
            (void)ms_parse_any_word(p);
        s->columns = ms_parse_grow(p, s->columns, s->n_columns, sizeof *s->columns);
        s->columns[s->n_columns] = ms_parse_span(p, first);
        if (!is_permission(s->columns[s->n_columns++])) {
            p->at = first;
            ms_parse_fail_here(p);
        }
    } while (ms_parse_symbol(p, ","));
    parse_securable(p, s);
    if (!ms_parse_word(p, "from"))
        ms_parse_need_word(p, "to");
    parse_names(p, s);
    if (ms_parse_is_word(p, 0, "with")) { /* GRANT OPTION is not kept */
        p->at++;
        ms_parse_fail_here(p);
    }
    return s;
}

/* --- modules: their text is kept, their inside is parsed when they run --- */

/* Options between a module's name and its AS: those that this server could not heed are refused. */
static void check_module_options(struct ms_parser *p)
{
    size_t at = p->at;
    for (; ms_parse_peek(p, 0)->kind != MS_TOKEN_END; p->at++) {
        bool typed = p->tokens[p->at - 1].kind == MS_TOKEN_VARIABLE; /* "@a AS int" */
        if (ms_parse_is_word(p, 0, "as") && !typed)
            break;
        if (ms_parse_is_word(p, 0, "encryption") || ms_parse_is_word(p, 0, "execute") ||
            ms_parse_is_word(p, 0, "schemabinding") || ms_parse_is_word(p, 0, "native_compilation"))
            ms_parse_fail_here(p);
    }
    p->at = at;
}

static struct ms_statement *parse_module(struct ms_parser *p)
{
    static const struct {
        const char *word;
        const char *type;
        const char *what;
    } kinds[] = {{"view", "V", "VIEW"},
                 {"procedure", "P", "PROCEDURE"},
                 {"proc", "P", "PROCEDURE"},
                 {"function", "FN", "FUNCTION"}};
    size_t ahead = 1;
    bool alter = ms_parse_is_word(p, 0, "alter");
    if (ms_parse_is_word(p, 1, "or") && ms_parse_is_word(p, 2, "alter")) {
        ahead = 3;
        alter = true;
    }
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (!ms_parse_is_word(p, ahead, kinds[i].word))
            continue;
        struct ms_statement *s = ms_parse_new_statement(p, MS_ST_CREATE_MODULE);
        must_be_first(p, ms_arena_format(p->arena, "CREATE/ALTER %s", kinds[i].what));
        p->at += ahead + 1;
        s->flag = ahead == 3;
        s->flag2 = alter;
        s->word = kinds[i].type;
        s->name = ms_parse_object_name(p);
        check_module_options(p);
        while (ms_parse_peek(p, 0)->kind != MS_TOKEN_END)
            p->at++; /* a module is always the rest of its batch */
        return s;
    }
    return NULL;
}

static struct ms_statement *parse_drop(struct ms_parser *p)
{
    static const struct {
        const char *word;
        enum ms_statement_id id;
    } kinds[] = {{"table", MS_ST_DROP_TABLE},      {"database", MS_ST_DROP_DATABASE},
                 {"schema", MS_ST_DROP_SCHEMA},    {"view", MS_ST_DROP_MODULE},
                 {"procedure", MS_ST_DROP_MODULE}, {"proc", MS_ST_DROP_MODULE},
                 {"function", MS_ST_DROP_MODULE}};
    if (ms_parse_is_word(p, 1, "index"))
        return parse_drop_index(p);
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (!ms_parse_is_word(p, 1, kinds[i].word))
            continue;
        struct ms_statement *s = ms_parse_new_statement(p, kinds[i].id);
        p->at += 2;
        s->word = i == 3 ? "view" : i < 6 ? "procedure" : "function";
        s->flag = parse_if_exists(p);
        parse_names(p, s);
        return s;
    }
    return parse_drop_principal(p);
}

struct ms_statement *ms_parse_ddl(struct ms_parser *p)
{
    if (ms_parse_is_word(p, 0, "drop"))
        return parse_drop(p);
    if (ms_parse_is_word(p, 0, "grant") || ms_parse_is_word(p, 0, "deny") || ms_parse_is_word(p, 0, "revoke"))
        return parse_permission(p);
    bool alter = ms_parse_is_word(p, 0, "alter");
    if (!alter && !ms_parse_is_word(p, 0, "create"))
        return NULL;
    if (ms_parse_is_word(p, 1, "database"))
        return alter ? parse_alter_database(p) : parse_create_database(p);
    if (ms_parse_is_word(p, 1, "table"))
        return alter ? parse_alter_table(p) : parse_create_table(p);
    if (!alter && (ms_parse_is_word(p, 1, "index") || ms_parse_is_word(p, 1, "unique") ||
                   ms_parse_is_word(p, 1, "clustered") || ms_parse_is_word(p, 1, "nonclustered")))
        return parse_create_index(p);
    if (!alter && ms_parse_is_word(p, 1, "schema"))
        return parse_create_schema(p);
    struct ms_statement *s = parse_principal(p, alter);
    if (s)
        return s;
    s = parse_module(p);
    if (!s) {
        p->at++;
        ms_parse_fail_here(p); /* CREATE x: names x */
    }
    return s;
}
