/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "../storage/arena.h"
#include "../types/collection.h"
#include "modify.h"

static const char *kind_name(enum sy_modify_kind kind)
{
    return kind == SY_INSERT ? "INSERT" : kind == SY_UPDATE ? "UPDATE" : "DELETE";
}

static bool refuse_operation(struct sy_binder *binder, const char *what, const struct sy_table_column *column)
{
    return sy_bind_fail(binder, 0x2200, "Invalid operation (%s) for %s column %s", what,
                        column->type->frozen && sy_is_collection(column->type) ? "frozen collection"
                        : column->type->id == SY_COUNTER                       ? "counter"
                                                                               : "non collection",
                        column->name);
}

/* c = c + v, c = c - v, c = v + c: what v has to be. */
static bool addend_receiver(struct sy_binder *binder, const struct sy_operation *op,
                            const struct sy_table_column *column, struct sy_column *receiver)
{
    const struct sy_type *type = column->type;
    if (type->id == SY_COUNTER)
        return op->kind != SY_PREPEND || refuse_operation(binder, "v + c", column);
    if (!sy_is_collection(type) || type->frozen || (op->kind == SY_PREPEND && type->id != SY_LIST))
        return refuse_operation(binder,
                                sy_arena_format(binder->arena, "%s = %s", column->name,
                                                op->kind == SY_ADD_TO    ? "c + v"
                                                : op->kind == SY_PREPEND ? "v + c"
                                                                         : "c - v"),
                                column);
    if (op->kind == SY_SUBTRACT && type->id == SY_MAP)
        receiver->type = sy_type_set(binder->server, type->parts[0], false);
    return true;
}

/* c[key]: the key's type into *key, the element's into *receiver. */
static bool bind_element(struct sy_binder *binder, const struct sy_operation *op,
                         const struct sy_table_column *column, struct sy_change *change,
                         struct sy_column *receiver)
{
    const struct sy_type *type = column->type;
    struct sy_column key = *receiver;
    bool deletes = op->kind == SY_DROP_ELEMENT;
    if (!sy_type_is_multi_cell(type) || type->id == SY_UDT || (type->id == SY_SET && !deletes))
        return refuse_operation(
            binder, sy_arena_format(binder->arena, "%s[...]%s", column->name, deletes ? "" : " = v"), column);
    bool list = type->id == SY_LIST;
    key.name = sy_arena_format(binder->arena, "%s(%s)",
                               list                 ? "idx"
                               : type->id == SY_SET ? "value"
                                                    : "key",
                               column->name);
    key.type = list ? sy_type_native(SY_INT) : type->parts[0];
    change->key = sy_bind_term(binder, op->key, &key);
    receiver->name = sy_arena_format(binder->arena, "value(%s)", column->name);
    receiver->type = type->parts[type->n_parts - 1];
    return change->key != NULL;
}

static bool bind_field(struct sy_binder *binder, const struct sy_operation *op,
                       const struct sy_table_column *column, struct sy_change *change,
                       struct sy_column *receiver)
{
    const struct sy_type *type = column->type;
    if (type->id != SY_UDT || type->frozen)
        return sy_bind_fail(binder, 0x2200, "Invalid operation (%s.%s) for %s column %s", column->name,
                            op->field, type->id == SY_UDT ? "frozen UDT" : "non-UDT", column->name);
    while (change->field < type->n_parts && strcmp(type->field_names[change->field], op->field) != 0)
        change->field++;
    if (change->field == type->n_parts)
        return sy_bind_fail(binder, 0x2200, "UDT column %s does not have a field %s", column->name,
                            op->field);
    receiver->name = sy_arena_format(binder->arena, "%s.%s", column->name, op->field);
    receiver->type = type->parts[change->field];
    return true;
}

static bool check_counter(struct sy_binder *binder, const struct sy_operation *op,
                          const struct sy_table_column *column)
{
    bool adds = op->kind == SY_ADD_TO || op->kind == SY_SUBTRACT;
    if (column->type->id == SY_COUNTER && op->kind == SY_SET_COLUMN)
        return sy_bind_fail(binder, 0x2200,
                            "Cannot set the value of counter column %s (counters can only be "
                            "incremented/decremented, not set)",
                            column->name);
    if (adds && column->type->id != SY_COUNTER && !sy_is_collection(column->type))
        return refuse_operation(binder,
                                sy_arena_format(binder->arena, "%s = %s %c ...", column->name, column->name,
                                                op->kind == SY_ADD_TO ? '+' : '-'),
                                column);
    return true;
}

static bool bind_change(struct sy_binder *binder, const struct sy_operation *op, struct sy_modify_plan *plan,
                        struct sy_change *change)
{
    const struct sy_table_column *column = sy_bind_column(binder, op->column);
    if (column == NULL)
        return sy_bind_fail(binder, 0x2200, "Unknown identifier %s", op->column);
    if (column->kind == SY_PARTITION_KEY || column->kind == SY_CLUSTERING)
        return plan->kind == SY_DELETE
                   ? sy_bind_fail(binder, 0x2200,
                                  "Invalid identifier %s for deletion (should not be a PRIMARY KEY part)",
                                  column->name)
                   : sy_bind_fail(binder, 0x2200, "PRIMARY KEY part %s found in SET part", column->name);
    struct sy_column receiver = sy_receiver_of(binder->table, column);
    *change = (struct sy_change){.kind = op->kind, .column = column};
    plan->touches_static |= column->kind == SY_STATIC;
    plan->touches_regular |= column->kind == SY_REGULAR;
    plan->reads |= column->type->id == SY_LIST &&
                   (op->kind == SY_SET_ELEMENT || op->kind == SY_DROP_ELEMENT || op->kind == SY_SUBTRACT);
    bool done = check_counter(binder, op, column);
    if (op->kind == SY_SET_ELEMENT || op->kind == SY_DROP_ELEMENT)
        done = done && bind_element(binder, op, column, change, &receiver);
    else if (op->kind == SY_SET_FIELD || op->kind == SY_DROP_FIELD)
        done = done && bind_field(binder, op, column, change, &receiver);
    else if (op->kind == SY_ADD_TO || op->kind == SY_SUBTRACT || op->kind == SY_PREPEND)
        done = done && addend_receiver(binder, op, column, &receiver);
    if (!done || op->value == NULL)
        return done;
    change->value = sy_bind_term(binder, op->value, &receiver);
    return change->value != NULL;
}

/* The columns of an INSERT: those of the key as relations, the others as assignments. */
static bool split_insert(struct sy_binder *binder, const struct sy_modify *insert, struct sy_modify *ret)
{
    struct sy_relation *where = sy_arena_alloc(binder->arena, insert->n_names * sizeof *where);
    struct sy_operation *operations = sy_arena_alloc(binder->arena, insert->n_names * sizeof *operations);
    *ret = *insert;
    ret->where = where;
    ret->operations = operations;
    for (uint32_t i = 0; i < insert->n_names; i++) {
        const struct sy_table_column *column = sy_bind_column(binder, insert->names[i]);
        if (column == NULL)
            return sy_bind_fail(binder, 0x2200, "Unknown identifier %s", insert->names[i]);
        for (uint32_t k = 0; k < i; k++)
            if (strcmp(insert->names[k], insert->names[i]) == 0)
                return sy_bind_fail(binder, 0x2200, "The column names contains duplicates");
        if (column->kind == SY_PARTITION_KEY || column->kind == SY_CLUSTERING) {
            where[ret->n_where++] = (struct sy_relation){
                .op = SY_OP_EQ, .columns = &insert->names[i], .n_columns = 1, .value = insert->values[i]};
        } else {
            operations[ret->n_operations++] = (struct sy_operation){
                .kind = SY_SET_COLUMN, .column = insert->names[i], .value = insert->values[i]};
        }
    }
    return true;
}

static bool missing_key(struct sy_binder *binder, uint32_t from, uint32_t to, const struct sy_where *where)
{
    const char *names = NULL;
    for (uint32_t i = from; i < to; i++) {
        const struct sy_table_column *column = &binder->table->columns[i];
        if (column->kind == SY_PARTITION_KEY && where->partition[column->position] != NULL)
            continue;
        names = names == NULL ? column->name : sy_arena_format(binder->arena, "%s, %s", names, column->name);
    }
    return sy_bind_fail(binder, 0x2200, "Missing mandatory PRIMARY KEY part %s", names != NULL ? names : "");
}

static bool check_where(struct sy_binder *binder, struct sy_modify_plan *plan)
{
    const struct sy_table *table = binder->table;
    const struct sy_where *where = &plan->where;
    for (uint32_t i = 0; i < where->n_all; i++) {
        const struct sy_restriction *r = &where->all[i];
        if (r->kind == SY_RELATION_TOKEN)
            return sy_bind_fail(binder, 0x2200,
                                "The token function cannot be used in WHERE clauses for %s statements",
                                kind_name(plan->kind));
        if (r->columns[0]->kind == SY_STATIC || r->columns[0]->kind == SY_REGULAR)
            return sy_bind_fail(binder, 0x2200, "Non PRIMARY KEY columns found in where clause: %s",
                                r->columns[0]->name);
    }
    if (!where->keys_given)
        return missing_key(binder, 0, table->n_partition_key, where);
    if (where->n_filters > 0) {
        const struct sy_table_column *column = where->filters[0]->columns[0];
        return sy_bind_fail(binder, 0x2200,
                            "PRIMARY KEY column \"%s\" cannot be restricted (preceding column is either not "
                            "restricted or by a non-EQ relation)",
                            column->name);
    }
    bool whole = where->n_prefix_columns == table->n_clustering;
    bool only_static = plan->touches_static && !plan->touches_regular;
    if (plan->kind == SY_DELETE && plan->n_changes == 0)
        return true;
    if (!where->clustering_restricted && only_static)
        return true;
    if (!whole && (where->lower != NULL || where->upper != NULL))
        return plan->kind == SY_DELETE
                   ? sy_bind_fail(binder, 0x2200, "Range deletions are not supported for specific columns")
                   : sy_bind_fail(binder, 0x2200,
                                  "Slice restrictions are not supported on the clustering columns in "
                                  "%s statements",
                                  kind_name(plan->kind));
    if (!whole)
        return missing_key(binder, table->n_partition_key + where->n_prefix_columns,
                           table->n_partition_key + table->n_clustering, where);
    if (plan->kind != SY_INSERT && only_static && table->n_clustering > 0)
        return sy_bind_fail(binder, 0x2200,
                            "Invalid restrictions on clustering columns since the %s statement modifies only "
                            "static columns",
                            kind_name(plan->kind));
    return true;
}

static bool bind_using(struct sy_binder *binder, const struct sy_modify *modify, struct sy_modify_plan *plan)
{
    struct sy_column receiver = {
        .keyspace = binder->table->keyspace->name, .table = binder->table->name, .name = "[timestamp]"};
    if (modify->timestamp != NULL) {
        receiver.type = sy_type_native(SY_BIGINT);
        if (binder->table->is_counter)
            return sy_bind_fail(binder, 0x2200, "Cannot provide custom timestamp for counter updates");
        if (plan->conditional)
            return sy_bind_fail(binder, 0x2200, "Cannot provide custom timestamp for conditional updates");
        plan->timestamp = sy_bind_term(binder, modify->timestamp, &receiver);
        if (plan->timestamp == NULL)
            return false;
    }
    if (modify->ttl != NULL) {
        receiver.name = "[ttl]";
        receiver.type = sy_type_native(SY_INT);
        if (binder->table->is_counter)
            return sy_bind_fail(binder, 0x2200, "Cannot provide custom TTL for counter updates");
        plan->ttl = sy_bind_term(binder, modify->ttl, &receiver);
        if (plan->ttl == NULL)
            return false;
    }
    return true;
}

static bool has_in(const struct sy_where *where)
{
    for (uint32_t i = 0; i < where->n_all; i++)
        if (where->all[i].op == SY_OP_IN)
            return true;
    return false;
}

/* Which old values the answer of a conditional statement carries: ScyllaDB gives them also when it applied.
 */
static void choose_result(struct sy_binder *binder, struct sy_modify_plan *plan)
{
    const struct sy_table *table = binder->table;
    struct sy_column *columns = sy_arena_alloc(binder->arena, (table->n_columns + 1) * sizeof *columns);
    const struct sy_table_column **sources =
        sy_arena_alloc(binder->arena, table->n_columns * sizeof *sources);
    uint32_t n = 0;
    bool all = plan->if_exists || plan->if_not_exists;
    columns[0] = (struct sy_column){.keyspace = table->keyspace->name,
                                    .table = table->name,
                                    .name = "[applied]",
                                    .type = sy_type_native(SY_BOOLEAN)};
    for (uint32_t i = 0; i < table->n_columns; i++) {
        const struct sy_table_column *column = &table->columns[i];
        bool wanted = all && !(plan->static_conditions_only &&
                               (column->kind == SY_REGULAR || column->kind == SY_CLUSTERING));
        for (uint32_t c = 0; c < plan->n_conditions && !wanted; c++)
            wanted = plan->conditions[c].columns[0] == column;
        if (!wanted)
            continue;
        sources[n++] = column;
        columns[n] = sy_receiver_of(table, column);
    }
    plan->result_columns = columns;
    plan->result_sources = sources;
    plan->n_result_columns = n + 1;
}

static bool bind_conditions(struct sy_binder *binder, const struct sy_modify *modify,
                            struct sy_modify_plan *plan)
{
    if (!plan->conditional)
        return true;
    if (binder->table->is_counter)
        return sy_bind_fail(binder, 0x2200, "Conditional updates are not supported on counter tables");
    if (has_in(&plan->where))
        return sy_bind_fail(binder, 0x2200, "IN on the %s is not supported with conditional %s",
                            "key columns", plan->kind == SY_DELETE ? "deletions" : "updates");
    struct sy_restriction *conditions =
        sy_arena_alloc(binder->arena, (modify->n_conditions + 1) * sizeof *conditions);
    bool only_static = true;
    for (uint32_t i = 0; i < modify->n_conditions; i++) {
        if (!sy_bind_restriction(binder, &modify->conditions[i], &conditions[i]))
            return false;
        enum sy_column_kind kind = conditions[i].columns[0]->kind;
        if (kind == SY_PARTITION_KEY || kind == SY_CLUSTERING)
            return sy_bind_fail(binder, 0x2200, "PRIMARY KEY column '%s' cannot have IF conditions",
                                conditions[i].columns[0]->name);
        only_static &= kind == SY_STATIC;
    }
    plan->conditions = conditions;
    plan->n_conditions = modify->n_conditions;
    plan->static_conditions_only = binder->table->n_clustering > 0 && !plan->where.clustering_restricted;
    if (plan->static_conditions_only && (!only_static || plan->whole_row))
        return missing_key(binder, binder->table->n_partition_key,
                           binder->table->n_partition_key + binder->table->n_clustering, &plan->where);
    if (!plan->static_conditions_only && !plan->where.single_row)
        return sy_bind_fail(
            binder, 0x2200,
            "DELETE statements must restrict all PRIMARY KEY columns with equality relations in "
            "order to delete non static columns");
    choose_result(binder, plan);
    return true;
}

bool sy_bind_modify(struct sy_binder *binder, const struct sy_modify *modify, struct sy_modify_plan *ret)
{
    struct sy_modify inserted;
    if (!sy_bind_table(binder, modify->keyspace, modify->table))
        return false;
    const struct sy_table *table = binder->table;
    const char *keyspace = table->keyspace->name;
    if (strcmp(keyspace, "system") == 0 || strcmp(keyspace, "system_schema") == 0)
        return sy_bind_fail(binder, 0x2100, "%s keyspace is not user-modifiable.", keyspace);
    if (modify->json != NULL)
        return sy_bind_fail(binder, 0x2200, "this server has no INSERT JSON");
    if (modify->kind == SY_INSERT && table->is_counter)
        return sy_bind_fail(binder, 0x2200,
                            "INSERT statement are not allowed on counter tables, use UPDATE instead");
    *ret = (struct sy_modify_plan){.kind = modify->kind, .table = table};
    ret->if_exists = modify->if_exists;
    ret->if_not_exists = modify->if_not_exists;
    ret->conditional = modify->if_exists || modify->if_not_exists || modify->n_conditions > 0;
    if (modify->kind == SY_INSERT) {
        if (!split_insert(binder, modify, &inserted))
            return false;
        modify = &inserted;
    }
    struct sy_change *changes = sy_arena_alloc(binder->arena, (modify->n_operations + 1) * sizeof *changes);
    for (uint32_t i = 0; i < modify->n_operations; i++)
        if (!bind_change(binder, &modify->operations[i], ret, &changes[i]))
            return false;
    ret->changes = changes;
    ret->n_changes = modify->n_operations;
    if (!sy_bind_where(binder, modify->where, modify->n_where, &ret->where) || !check_where(binder, ret))
        return false;
    ret->whole_row = ret->n_changes == 0 || ret->touches_regular || ret->where.clustering_restricted ||
                     table->n_clustering == 0;
    return bind_using(binder, modify, ret) && bind_conditions(binder, modify, ret);
}
