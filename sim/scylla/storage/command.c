/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An operator's orders. Those about streams are cdc/'s; here are those about rows and their visibility:
 *
 *   delay log|base KS.TABLE MS [every N] [count N] [shuffled]   hold back what is written from now on
 *   delay off                                                   what is held back comes when it is due
 *   release                                                     everything that is held back comes now
 *   log expire KS.TABLE [before US]     log rows older than that go (all of them without)
 *   log count KS.TABLE                  how many rows the log has
 *   rowttl expire KS.TABLE              rows whose TTL column is past are deleted as the expiry service does
 *   dump KS.TABLE | hash KS.TABLE
 */
#include "../cdc/cdc.h"
#include "../types/bytes.h"
#include "../types/timeuuid.h"
#include "server.h"

#include <stdio.h>
#include <stdlib.h>

enum { MAX_WORDS = 16 };

struct order {
    struct sy_server *server;
    struct sy_arena *arena;
    char *words[MAX_WORDS];
    uint32_t n;
    char *text;
    size_t size;
};

static bool answer(struct order *order, bool ok, const char *format, ...)
    __attribute__((format(printf, 3, 4), nonnull(3)));

static bool answer(struct order *order, bool ok, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(order->text, order->size, format, args);
    va_end(args);
    return ok;
}

static bool split_words(struct order *order, const char *line)
{
    char *rest = sy_arena_text(order->arena, line);
    char *save = NULL;

    for (char *word = strtok_r(rest, " \t\r\n", &save); word != NULL;
         word = strtok_r(NULL, " \t\r\n", &save)) {
        if (order->n == MAX_WORDS)
            return false;
        order->words[order->n++] = word;
    }
    return true;
}

static const char *word(const struct order *order, uint32_t i)
{
    return i < order->n ? order->words[i] : "";
}

static bool number_after(const struct order *order, const char *name, int64_t *ret)
{
    for (uint32_t i = 0; i + 1 < order->n; i++) {
        if (strcmp(order->words[i], name) == 0) {
            *ret = strtoll(order->words[i + 1], NULL, 10);
            return true;
        }
    }
    return false;
}

/* "ks.table"; NULL and an answer when there is none. */
static const struct sy_table *named_table(struct order *order, const char *name)
{
    const char *dot = strchr(name, '.');
    const struct sy_table *table = NULL;

    if (dot != NULL)
        table =
            sy_catalog_table(order->server, sy_arena_dup(order->arena, name, (size_t)(dot - name)), dot + 1);
    if (table == NULL)
        answer(order, false, "no table '%s'\nHINT: name it as keyspace.table", name);
    return table;
}

/* --- holding back --- */

static void orders_clear(struct sy_server *server)
{
    while (server->hold_orders != NULL) {
        struct sy_hold_order *order = server->hold_orders;

        server->hold_orders = order->next;
        free(order);
    }
}

static bool delay(struct order *order)
{
    struct sy_server *server = order->server;
    const struct sy_table *table;
    struct sy_hold_order *hold;
    int64_t count = 0;
    int64_t every = 1;

    if (strcmp(word(order, 1), "off") == 0) {
        orders_clear(server);
        return answer(order, true, "nothing more is held back");
    }
    if (strcmp(word(order, 1), "log") != 0 && strcmp(word(order, 1), "base") != 0)
        return answer(order, false,
                      "usage: delay log|base KS.TABLE MS [every N] [count N] [shuffled] | delay off");
    table = named_table(order, word(order, 2));
    if (table == NULL)
        return false;
    hold = calloc(1, sizeof(*hold));
    if (hold == NULL)
        abort();
    snprintf(hold->keyspace, sizeof(hold->keyspace), "%s", table->keyspace->name);
    snprintf(hold->table, sizeof(hold->table), "%s", table->name);
    hold->log_rows = strcmp(word(order, 1), "log") == 0;
    hold->shuffled = strcmp(word(order, order->n - 1), "shuffled") == 0;
    hold->delay_us = strtoll(word(order, 3), NULL, 10) * 1000;
    number_after(order, "every", &every);
    hold->every = every > 0 ? (uint32_t)every : 1;
    hold->left = number_after(order, "count", &count) && count > 0 ? (uint32_t)count : UINT32_MAX;
    hold->next = server->hold_orders;
    server->hold_orders = hold;
    return answer(order, true, "%s rows of %s.%s are held back for %lld ms%s", word(order, 1), hold->keyspace,
                  hold->table, (long long)(hold->delay_us / 1000), hold->shuffled ? ", shuffled" : "");
}

static bool release(struct order *order)
{
    unsigned n = 0;

    for (struct sy_held *held = order->server->held; held != NULL; held = held->next) {
        held->visible_us = INT64_MIN;
        n++;
    }
    sy_store_release_held(order->server);
    return answer(order, true, "%u released", n);
}

/* --- logs --- */

struct log_walk {
    struct order *order;
    const struct sy_table *log;
    int64_t before_us;
    uint64_t n;
    struct sy_mutation *mutations;
    uint32_t n_mutations;
    uint32_t size;
};

static struct sy_value copy_value(struct sy_arena *arena, struct sy_value value)
{
    if (value.len > 0)
        value.bytes = (const uint8_t *)sy_arena_dup(arena, value.bytes, (size_t)value.len);
    return value;
}

static const struct sy_value *copy_values(struct sy_arena *arena, const struct sy_value *values, uint32_t n)
{
    struct sy_value *copy = sy_arena_alloc(arena, n * sizeof(*copy));

    for (uint32_t i = 0; i < n; i++)
        copy[i] = copy_value(arena, values[i]);
    return copy;
}

static struct sy_mutation *walk_add(struct log_walk *walk, const struct sy_table *table)
{
    struct sy_mutation *mutation;

    if (walk->n_mutations == walk->size) {
        uint32_t size = walk->size == 0 ? 64 : walk->size * 2;
        struct sy_mutation *grown = sy_arena_alloc(walk->order->arena, size * sizeof(*grown));

        for (uint32_t i = 0; i < walk->n_mutations; i++)
            grown[i] = walk->mutations[i];
        walk->mutations = grown;
        walk->size = size;
    }
    mutation = &walk->mutations[walk->n_mutations++];
    *mutation = (struct sy_mutation){.table = table};
    return mutation;
}

/* Gone as by their TTL: a tombstone at the cells' own time. */
static bool expire_log_row(void *ctx, const struct sy_row *row)
{
    struct log_walk *walk = ctx;
    struct sy_arena *arena = walk->order->arena;
    int64_t us = sy_timeuuid_us(row->clustering[0].bytes);
    struct sy_mutation *mutation;
    struct sy_row_write *write;

    walk->n++;
    if (us >= walk->before_us)
        return true;
    mutation = walk_add(walk, walk->log);
    write = sy_arena_alloc(arena, sizeof(*write));
    write->clustering = copy_values(arena, row->clustering, walk->log->n_clustering);
    write->has_tombstone = true;
    write->tombstone_timestamp_us = us;
    mutation->partition_key = copy_values(arena, row->partition_key, 1);
    mutation->rows = write;
    mutation->n_rows = 1;
    return true;
}

static bool log_order(struct order *order)
{
    const struct sy_table *table = named_table(order, word(order, 2));
    struct log_walk walk = {.order = order, .before_us = INT64_MAX};
    struct sy_read read = {.first_token = INT64_MIN, .last_token = INT64_MAX};
    struct sy_write_context context = {0};
    struct sy_error error = {0};

    if (table == NULL)
        return false;
    walk.log = table->is_cdc_log ? table : table->log;
    if (walk.log == NULL)
        return answer(order, false, "%s has no log", word(order, 2));
    if (strcmp(word(order, 1), "count") == 0)
        walk.before_us = INT64_MIN;
    else if (strcmp(word(order, 1), "expire") != 0)
        return answer(order, false, "usage: log expire KS.TABLE [before US] | log count KS.TABLE");
    number_after(order, "before", &walk.before_us);
    read.table = walk.log;
    if (!sy_store_read(order->server, &read, expire_log_row, &walk, order->arena, &error) ||
        !sy_store_apply(order->server, walk.mutations, walk.n_mutations, &context, order->arena, &error))
        return answer(order, false, "%s", error.message);
    return answer(order, true, "%llu rows, %u expired", (unsigned long long)walk.n, walk.n_mutations);
}

/* --- the per-row TTL service --- */

struct row_ttl_walk {
    struct log_walk walk;
    const struct sy_table *table;
    const struct sy_table_column *column;
    int64_t now_us;
};

static int64_t expiry_us(const struct sy_table_column *column, struct sy_value value)
{
    if (column->type->id == SY_TIMESTAMP && value.len == 8)
        return (int64_t)sy_get_u64(value.bytes) * 1000;
    if (column->type->id == SY_BIGINT && value.len == 8)
        return (int64_t)sy_get_u64(value.bytes) * 1000000;
    if (column->type->id == SY_INT && value.len == 4)
        return (int64_t)(int32_t)sy_get_u32(value.bytes) * 1000000;
    return INT64_MAX;
}

static bool expire_row(void *ctx, const struct sy_row *row)
{
    struct row_ttl_walk *walk = ctx;
    struct sy_arena *arena = walk->walk.order->arena;
    struct sy_mutation *mutation;
    struct sy_row_write *write;

    walk->walk.n++;
    if (expiry_us(walk->column, row->columns[walk->column->index].value) > walk->now_us)
        return true;
    mutation = walk_add(&walk->walk, walk->table);
    mutation->partition_key = copy_values(arena, row->partition_key, walk->table->n_partition_key);
    if (walk->table->n_clustering == 0) {
        mutation->has_tombstone = true;
        return true;
    }
    write = sy_arena_alloc(arena, sizeof(*write));
    write->clustering = copy_values(arena, row->clustering, walk->table->n_clustering);
    write->has_tombstone = true;
    mutation->rows = write;
    mutation->n_rows = 1;
    return true;
}

/* Each row is deleted by itself, as the service does: no batch joins them. */
static bool delete_rows(struct order *order, struct log_walk *walk, struct sy_error *error)
{
    struct sy_write_context context = {.expiry_service = true, .consistency = 6};

    for (uint32_t i = 0; i < walk->n_mutations; i++) {
        struct sy_mutation *mutation = &walk->mutations[i];
        struct sy_row_write row;
        int64_t now_us = sy_store_timestamp_us(order->server);

        if (mutation->n_rows > 0) {
            row = mutation->rows[0];
            row.tombstone_timestamp_us = now_us;
            mutation->rows = &row;
        }
        mutation->tombstone_timestamp_us = now_us;
        if (!sy_store_apply(order->server, mutation, 1, &context, order->arena, error))
            return false;
    }
    return true;
}

static bool row_ttl(struct order *order)
{
    struct row_ttl_walk walk = {.walk = {.order = order},
                                .table = named_table(order, word(order, 2)),
                                .now_us = sy_server_now_us(order->server)};
    struct sy_read read = {.table = walk.table, .first_token = INT64_MIN, .last_token = INT64_MAX};
    struct sy_error error = {0};

    if (walk.table == NULL)
        return false;
    for (uint32_t i = 0; i < walk.table->n_columns; i++) {
        if (walk.table->columns[i].row_ttl)
            walk.column = &walk.table->columns[i];
    }
    if (walk.column == NULL)
        return answer(order, false, "%s has no TTL column\nHINT: declare one: expiration timestamp TTL",
                      word(order, 2));
    if (!sy_store_read(order->server, &read, expire_row, &walk, order->arena, &error) ||
        !delete_rows(order, &walk.walk, &error))
        return answer(order, false, "%s", error.message);
    return answer(order, true, "%u of %llu rows expired", walk.walk.n_mutations,
                  (unsigned long long)walk.walk.n);
}

/* --- looking --- */

static bool show(struct order *order)
{
    const struct sy_table *table = named_table(order, word(order, 1));

    if (table == NULL)
        return false;
    return answer(order, true, "%s",
                  strcmp(word(order, 0), "dump") == 0 ? sy_store_dump(order->server, table, order->arena)
                                                      : sy_store_hash(order->server, table, order->arena));
}

static bool run(struct order *order)
{
    static const struct {
        const char *name;
        bool (*run)(struct order *order);
    } orders[] = {{"delay", delay},    {"release", release}, {"log", log_order},
                  {"rowttl", row_ttl}, {"dump", show},       {"hash", show}};

    for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) {
        if (strcmp(word(order, 0), orders[i].name) == 0)
            return orders[i].run(order);
    }
    return answer(
        order, false,
        "unknown order '%s'\nHINT: generation new [in MS], tablets split KS.TABLE [one] [in MS], delay "
        "log|base KS.TABLE MS [every N] [count N] [shuffled], delay off, release, log expire KS.TABLE "
        "[before US], log count KS.TABLE, rowttl expire KS.TABLE, dump KS.TABLE, hash KS.TABLE",
        word(order, 0));
}

bool sy_server_command(struct sy_server *server, const char *line, char *ret_text, size_t size)
{
    struct sy_arena arena = {0};
    struct order order = {.server = server, .arena = &arena, .text = ret_text, .size = size};
    bool locked = sy_server_lock_write(server);
    bool known = false;
    bool ok = sy_cdc_command(server, line, ret_text, size, &known);

    if (!known)
        ok = split_words(&order, line) ? run(&order) : answer(&order, false, "too many words");
    sy_server_unlock(server, locked);
    sy_arena_free(&arena);
    return ok;
}
