/* SPDX-License-Identifier: Apache-2.0 */
/* CREATE, ALTER and DROP of keyspaces, tables, types and indexes. */
#include <string.h>

#include "../storage/arena.h"
#include "parser.h"

static void add_name(struct sy_parser *p, struct sy_list *list, const char *name)
{
    *(const char **)sy_list_add(list, sizeof name, p->arena) = name;
}

static void parse_names(struct sy_parser *p, struct sy_list *list)
{
    do {
        add_name(p, list, sy_parse_name(p));
    } while (sy_take_symbol(p, ','));
}

/* CLUSTERING ORDER BY (c DESC, ...) */
static void parse_clustering_order(struct sy_parser *p, struct sy_definition *table)
{
    struct sy_list orders = {0};
    p->at++;
    sy_expect_word(p, "order");
    sy_expect_word(p, "by");
    sy_expect_symbol(p, '(');
    do {
        struct sy_order *order = sy_list_add(&orders, sizeof *order, p->arena);
        order->column = sy_parse_name(p);
        if (!sy_take_word(p, "asc"))
            order->descending = sy_take_word(p, "desc");
    } while (sy_take_symbol(p, ','));
    sy_expect_symbol(p, ')');
    table->clustering_order = orders.items;
    table->n_clustering_order = orders.n;
}

/* The value of a property: a constant, a map, or a word standing for itself. */
static const struct sy_term *parse_property_value(struct sy_parser *p)
{
    const struct sy_token *token = sy_parser_peek(p, 0);
    bool word =
        token->kind == SY_TOKEN_NAME && strcmp(token->text, "true") != 0 && strcmp(token->text, "false") != 0;
    if (!word)
        return sy_parse_term(p);
    p->at++;
    return sy_make_term(p, SY_TERM_STRING, token->text, token->len);
}

const struct sy_with *sy_parse_with(struct sy_parser *p, struct sy_definition *table, uint32_t *ret_n)
{
    struct sy_list list = {0};
    do {
        if (table != NULL && sy_at_words(p, "clustering", "order")) {
            parse_clustering_order(p, table);
        } else if (table != NULL && sy_at_words(p, "compact", "storage")) {
            p->at += 2;
            table->compact_storage = true;
        } else {
            struct sy_with *with = sy_list_add(&list, sizeof *with, p->arena);
            with->name = sy_parse_name(p);
            sy_expect_symbol(p, '=');
            with->value = parse_property_value(p);
        }
    } while (sy_take_word(p, "and"));
    *ret_n = list.n;
    return list.items;
}

static void parse_column_definition(struct sy_parser *p, struct sy_list *columns)
{
    struct sy_column_definition *column = sy_list_add(columns, sizeof *column, p->arena);
    column->name = sy_parse_name(p);
    column->type = sy_parse_type_name(p);
    column->row_ttl = sy_take_word(p, "ttl");
    column->is_static = sy_take_word(p, "static");
    if (sy_take_word(p, "primary")) {
        sy_expect_word(p, "key");
        column->primary_key = true;
    }
}

/* PRIMARY KEY ((a, b), c, d) or (a, c). */
static void parse_primary_key(struct sy_parser *p, struct sy_definition *table)
{
    struct sy_list partition = {0}, clustering = {0};
    p->at++;
    sy_expect_word(p, "key");
    sy_expect_symbol(p, '(');
    if (sy_take_symbol(p, '(')) {
        parse_names(p, &partition);
        sy_expect_symbol(p, ')');
    } else {
        add_name(p, &partition, sy_parse_name(p));
    }
    if (sy_take_symbol(p, ','))
        parse_names(p, &clustering);
    sy_expect_symbol(p, ')');
    if (table->n_partition_key > 0)
        sy_parser_fail(p, 0x2200, "Multiple PRIMARY KEYs specifed (exactly one required)");
    table->partition_key = partition.items;
    table->n_partition_key = partition.n;
    table->clustering = clustering.items;
    table->n_clustering = clustering.n;
}

static void parse_create_table(struct sy_parser *p, struct sy_definition *table)
{
    struct sy_list columns = {0};
    table->if_not_exists = sy_parse_if_not_exists(p);
    sy_parse_table_name(p, &table->keyspace, &table->name);
    sy_expect_symbol(p, '(');
    do {
        if (sy_at_symbol(p, ')'))
            break;
        if (sy_at_words(p, "primary", "key"))
            parse_primary_key(p, table);
        else
            parse_column_definition(p, &columns);
    } while (sy_take_symbol(p, ','));
    sy_expect_symbol(p, ')');
    table->columns = columns.items;
    table->n_columns = columns.n;
    if (sy_take_word(p, "with"))
        table->with = sy_parse_with(p, table, &table->n_with);
}

static void parse_keyspace(struct sy_parser *p, struct sy_definition *keyspace, bool create)
{
    if (create)
        keyspace->if_not_exists = sy_parse_if_not_exists(p);
    keyspace->name = sy_parse_name(p);
    if (!create || sy_at_word(p, "with")) {
        sy_expect_word(p, "with");
        keyspace->with = sy_parse_with(p, NULL, &keyspace->n_with);
    }
}

static void parse_create_type(struct sy_parser *p, struct sy_definition *type)
{
    struct sy_list fields = {0};
    type->if_not_exists = sy_parse_if_not_exists(p);
    sy_parse_table_name(p, &type->keyspace, &type->name);
    sy_expect_symbol(p, '(');
    do {
        struct sy_column_definition *field = sy_list_add(&fields, sizeof *field, p->arena);
        field->name = sy_parse_name(p);
        field->type = sy_parse_type_name(p);
    } while (sy_take_symbol(p, ','));
    sy_expect_symbol(p, ')');
    type->columns = fields.items;
    type->n_columns = fields.n;
}

/* c, values(c), keys(c), entries(c), full(c). */
static void parse_index_target(struct sy_parser *p, struct sy_definition *index)
{
    const struct sy_token *word = sy_parser_peek(p, 0);
    if (word->kind == SY_TOKEN_NAME && sy_parser_peek(p, 1)->symbol == '(') {
        index->target = word->text;
        p->at += 2;
        index->column = sy_parse_name(p);
        sy_expect_symbol(p, ')');
        return;
    }
    index->column = sy_parse_name(p);
}

static void parse_create_index(struct sy_parser *p, struct sy_definition *index, bool custom)
{
    index->if_not_exists = sy_parse_if_not_exists(p);
    if (!sy_at_word(p, "on"))
        index->name = sy_parse_name(p);
    sy_expect_word(p, "on");
    sy_parse_table_name(p, &index->keyspace, &index->table);
    sy_expect_symbol(p, '(');
    parse_index_target(p, index);
    if (sy_at_symbol(p, ','))
        sy_parser_fail(p, 0x2200, "Only CUSTOM indexes support multiple columns");
    sy_expect_symbol(p, ')');
    if (custom && sy_take_word(p, "using"))
        index->custom_class = sy_parse_string(p);
    if (sy_take_word(p, "with"))
        index->with = sy_parse_with(p, NULL, &index->n_with);
}

static void parse_added_columns(struct sy_parser *p, struct sy_definition *table)
{
    struct sy_list columns = {0};
    bool brackets = sy_take_symbol(p, '(');
    do {
        parse_column_definition(p, &columns);
    } while (brackets && sy_take_symbol(p, ','));
    if (brackets)
        sy_expect_symbol(p, ')');
    table->columns = columns.items;
    table->n_columns = columns.n;
}

static void parse_dropped_columns(struct sy_parser *p, struct sy_definition *table)
{
    struct sy_list names = {0};
    if (sy_take_symbol(p, '(')) {
        parse_names(p, &names);
        sy_expect_symbol(p, ')');
    } else {
        add_name(p, &names, sy_parse_name(p));
    }
    table->dropped = names.items;
    table->n_dropped = names.n;
}

static void parse_renames(struct sy_parser *p, struct sy_definition *definition)
{
    struct sy_list list = {0};
    do {
        struct sy_renaming *renaming = sy_list_add(&list, sizeof *renaming, p->arena);
        renaming->from = sy_parse_name(p);
        sy_expect_word(p, "to");
        renaming->to = sy_parse_name(p);
    } while (sy_take_word(p, "and"));
    definition->renamed = list.items;
    definition->n_renamed = list.n;
}

static void parse_alter_table(struct sy_parser *p, struct sy_definition *table)
{
    sy_parse_table_name(p, &table->keyspace, &table->name);
    if (sy_take_word(p, "add")) {
        table->alter = SY_ALTER_ADD;
        parse_added_columns(p, table);
    } else if (sy_take_word(p, "drop")) {
        table->alter = SY_ALTER_DROP;
        parse_dropped_columns(p, table);
    } else if (sy_take_word(p, "rename")) {
        table->alter = SY_ALTER_RENAME;
        parse_renames(p, table);
    } else if (sy_take_word(p, "alter")) {
        table->alter = SY_ALTER_COLUMN_TYPE;
        table->column = sy_parse_name(p);
        sy_expect_word(p, "type");
        (void)sy_parse_type_name(p);
    } else {
        table->alter = SY_ALTER_WITH;
        sy_expect_word(p, "with");
        table->with = sy_parse_with(p, NULL, &table->n_with);
    }
}

static void parse_alter_type(struct sy_parser *p, struct sy_definition *type)
{
    sy_parse_table_name(p, &type->keyspace, &type->name);
    if (sy_take_word(p, "add")) {
        type->alter = SY_ALTER_ADD;
        parse_added_columns(p, type);
    } else if (sy_take_word(p, "alter")) {
        type->alter = SY_ALTER_COLUMN_TYPE;
        type->column = sy_parse_name(p);
        sy_expect_word(p, "type");
        (void)sy_parse_type_name(p);
    } else {
        type->alter = SY_ALTER_RENAME;
        sy_expect_word(p, "rename");
        parse_renames(p, type);
    }
}

static void parse_drop(struct sy_parser *p, struct sy_definition *drop)
{
    drop->if_exists = sy_parse_if_exists(p);
    sy_parse_table_name(p, &drop->keyspace, &drop->name);
}

static bool take_table_word(struct sy_parser *p)
{
    return sy_take_word(p, "table") || sy_take_word(p, "columnfamily");
}

static bool take_keyspace_word(struct sy_parser *p)
{
    return sy_take_word(p, "keyspace") || sy_take_word(p, "schema");
}

/* What can be created elsewhere and not here has an error that names it. */
static bool refuse_unsupported(struct sy_parser *p)
{
    static const char *const words[] = {"materialized", "function", "aggregate", "trigger", "service"};
    static const char *const names[] = {"materialized views", "user-defined functions",
                                        "user-defined aggregates", "triggers", "service levels"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (sy_at_word(p, words[i])) {
            sy_parser_fail(p, 0x2200, "this server has no %s", names[i]);
            return true;
        }
    if (sy_at_words(p, "or", "replace"))
        sy_parser_fail(p, 0x2200, "this server has no user-defined functions");
    return p->failed;
}

static bool parse_create(struct sy_parser *p, struct sy_statement *ret, struct sy_definition *definition)
{
    bool custom = sy_take_word(p, "custom");
    if (take_keyspace_word(p)) {
        ret->kind = SY_CREATE_KEYSPACE;
        parse_keyspace(p, definition, true);
    } else if (take_table_word(p)) {
        ret->kind = SY_CREATE_TABLE;
        parse_create_table(p, definition);
    } else if (sy_take_word(p, "type")) {
        ret->kind = SY_CREATE_TYPE;
        parse_create_type(p, definition);
    } else if (sy_take_word(p, "index")) {
        ret->kind = SY_CREATE_INDEX;
        parse_create_index(p, definition, custom);
    } else {
        return refuse_unsupported(p);
    }
    return true;
}

static bool parse_alter(struct sy_parser *p, struct sy_statement *ret, struct sy_definition *definition)
{
    if (take_keyspace_word(p)) {
        ret->kind = SY_ALTER_KEYSPACE;
        parse_keyspace(p, definition, false);
    } else if (take_table_word(p)) {
        ret->kind = SY_ALTER_TABLE;
        parse_alter_table(p, definition);
    } else if (sy_take_word(p, "type")) {
        ret->kind = SY_ALTER_TYPE;
        parse_alter_type(p, definition);
    } else {
        return refuse_unsupported(p);
    }
    return true;
}

static bool parse_drop_statement(struct sy_parser *p, struct sy_statement *ret,
                                 struct sy_definition *definition)
{
    if (take_keyspace_word(p))
        ret->kind = SY_DROP_KEYSPACE;
    else if (take_table_word(p))
        ret->kind = SY_DROP_TABLE;
    else if (sy_take_word(p, "type"))
        ret->kind = SY_DROP_TYPE;
    else if (sy_take_word(p, "index"))
        ret->kind = SY_DROP_INDEX;
    else
        return refuse_unsupported(p);
    parse_drop(p, definition);
    return true;
}

bool sy_parse_definition(struct sy_parser *p, struct sy_statement *ret)
{
    struct sy_definition *definition = sy_arena_alloc(p->arena, sizeof *definition);
    ret->definition = definition;
    if (sy_take_word(p, "create"))
        return parse_create(p, ret, definition);
    if (sy_take_word(p, "alter"))
        return parse_alter(p, ret, definition);
    if (sy_take_word(p, "drop"))
        return parse_drop_statement(p, ret, definition);
    return false;
}
