/* SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"

#include "sim/scylla/types/bytes.h"
#include "sim/scylla/types/timeuuid.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

void world_open(struct world *world, const char *state_dir)
{
    memset(world, 0, sizeof(*world));
    world->options = (struct sy_server_options){.state_dir = state_dir,
                                                .seed = 7,
                                                .n_nodes = 2,
                                                .n_shards = 2,
                                                .vnodes = 2,
                                                .manual_clock = true,
                                                .start_us = START_US,
                                                .address = "127.0.0.1",
                                                .port = 9042};
    world->server = sy_server_open(&world->options);
    assert_non_null(world->server);
}

void world_close(struct world *world)
{
    sy_server_close(world->server);
    sy_arena_free(&world->arena);
}

void world_keyspace(struct world *world, uint32_t tablets)
{
    static const char *const keys[] = {"class", "replication_factor"};
    static const char *const values[] = {"NetworkTopologyStrategy", "1"};
    const char *tablet_keys[] = {"initial"};
    const char *tablet_values[] = {sy_arena_format(&world->arena, "%u", tablets)};
    struct sy_property props[] = {{.name = "replication", .n = 2, .keys = keys, .values = values},
                                  {.name = "tablets", .n = 1, .keys = tablet_keys, .values = tablet_values}};
    struct sy_schema_change change;

    assert_true(sy_catalog_create_keyspace(world->server, "ks", props, tablets > 0 ? 2 : 1, false,
                                           &world->arena, &change, &world->error));
}

const struct sy_type *world_type(struct world *world, const char *name)
{
    struct sy_server *server = world->server;
    const struct sy_type *integer = sy_type_native(SY_INT);
    const struct sy_type *text = sy_type_native(SY_TEXT);
    const struct sy_type *parts[] = {integer, text};
    static const char *const fields[] = {"a", "b"};
    struct sy_type user = {
        .id = SY_UDT, .n_parts = 2, .parts = parts, .keyspace = "ks", .name = "u", .field_names = fields};

    if (strcmp(name, "map<int,text>") == 0)
        return sy_type_map(server, integer, text, false);
    if (strcmp(name, "frozen<map<int,text>>") == 0)
        return sy_type_map(server, integer, text, true);
    if (strcmp(name, "set<int>") == 0)
        return sy_type_set(server, integer, false);
    if (strcmp(name, "list<text>") == 0)
        return sy_type_list(server, text, false);
    if (strcmp(name, "u") == 0)
        return sy_type_intern(server, &user);
    return sy_type_by_name(name);
}

static enum sy_column_kind kind_of(char letter)
{
    return letter == 'p'   ? SY_PARTITION_KEY
           : letter == 's' ? SY_STATIC
           : letter == 'r' ? SY_REGULAR
                           : SY_CLUSTERING;
}

static uint32_t parse_columns(struct world *world, const char *text, struct sy_column_spec *specs)
{
    char *rest = sy_arena_text(&world->arena, text);
    uint32_t positions[4] = {0};
    uint32_t n = 0;

    while (*rest != '\0') {
        char *end = strstr(rest, ", ");
        char *next = end != NULL ? end + 2 : rest + strlen(rest);
        char *name = rest;
        char *type = strchr(name, ' ');
        char *kind;

        if (end != NULL)
            *end = '\0';
        *type++ = '\0';
        kind = strrchr(type, ' ');
        *kind++ = '\0';
        specs[n] = (struct sy_column_spec){.name = name,
                                           .type = world_type(world, type),
                                           .kind = kind_of(*kind),
                                           .descending = *kind == 'd',
                                           .row_ttl = *kind == 'r' && kind[1] == 't'};
        assert_non_null(specs[n].type);
        specs[n].position = positions[specs[n].kind]++;
        n++;
        rest = next;
    }
    return n;
}

static struct sy_property parse_cdc(struct world *world, const char *text)
{
    char *rest = sy_arena_text(&world->arena, text);
    const char **keys = sy_arena_alloc(&world->arena, 8 * sizeof(*keys));
    const char **values = sy_arena_alloc(&world->arena, 8 * sizeof(*values));
    uint32_t n = 0;
    char *save = NULL;

    for (char *word = strtok_r(rest, " ", &save); word != NULL; word = strtok_r(NULL, " ", &save)) {
        char *equals = strchr(word, '=');

        *equals = '\0';
        keys[n] = word;
        values[n++] = equals + 1;
    }
    return (struct sy_property){.name = "cdc", .n = n, .keys = keys, .values = values};
}

void world_table(struct world *world, const char *columns, const char *cdc)
{
    struct sy_column_spec specs[16];
    struct sy_table_spec spec = {.keyspace = "ks", .name = "t", .columns = specs};
    struct sy_property property;
    struct sy_schema_change change;

    spec.n_columns = parse_columns(world, columns, specs);
    if (cdc != NULL) {
        property = parse_cdc(world, cdc);
        spec.properties = &property;
        spec.n_properties = 1;
    }
    if (!sy_catalog_create_table(world->server, &spec, false, &world->arena, &change, &world->error))
        fail_msg("%s", world->error.message);
    world->table = sy_catalog_table(world->server, "ks", "t");
}

struct sy_value world_int(struct world *world, int32_t v)
{
    uint8_t *bytes = sy_arena_alloc(&world->arena, 4);

    sy_put_u32(bytes, (uint32_t)v);
    return (struct sy_value){.len = 4, .bytes = bytes};
}

struct sy_value world_text(struct world *world, const char *text)
{
    return (struct sy_value){.len = (int32_t)strlen(text),
                             .bytes = (const uint8_t *)sy_arena_text(&world->arena, text)};
}

/* --- changes --- */

static const struct sy_value *one_int(struct world *world, int32_t v)
{
    struct sy_value *value = sy_arena_alloc(&world->arena, sizeof(*value));

    *value = world_int(world, v);
    return value;
}

void change_begin(struct change *change, struct world *world, int32_t pk)
{
    memset(change, 0, sizeof(*change));
    change->world = world;
    change->mutation = (struct sy_mutation){.table = world->table,
                                            .partition_key = one_int(world, pk),
                                            .rows = change->rows,
                                            .ranges = change->ranges};
}

void change_row(struct change *change, int32_t ck)
{
    uint32_t i = change->mutation.n_rows++;

    change->row = &change->rows[i];
    change->row->cells = change->cells[i];
    change->row->clustering = one_int(change->world, ck);
}

void change_static(struct change *change)
{
    change_row(change, 0);
    change->row->is_static = true;
}

void change_marker(struct change *change, int64_t us, int32_t ttl_s)
{
    change->row->has_marker = true;
    change->row->marker_timestamp_us = us;
    change->row->marker_ttl_s = ttl_s;
}

static struct sy_cell_write *add_cell(struct change *change, const char *column, enum sy_cell_kind kind,
                                      int64_t us)
{
    const struct sy_table_column *found = sy_table_column_named(change->world->table, column, strlen(column));
    struct sy_cell_write *cell = &change->cells[change->row - change->rows][change->row->n_cells++];

    assert_non_null(found);
    *cell = (struct sy_cell_write){
        .column = found, .kind = kind, .timestamp_us = us, .path.len = SY_NULL, .value.len = SY_NULL};
    return cell;
}

void change_cell(struct change *change, const char *column, struct sy_value value, int64_t us, int32_t ttl_s)
{
    struct sy_cell_write *cell = add_cell(change, column, SY_CELL_LIVE, us);

    cell->value = value;
    cell->ttl_s = ttl_s;
}

void change_dead(struct change *change, const char *column, int64_t us)
{
    add_cell(change, column, SY_CELL_DEAD, us);
}

void change_collection(struct change *change, const char *column, int64_t us)
{
    add_cell(change, column, SY_CELL_TOMBSTONE, us);
}

void change_element(struct change *change, const char *column, struct sy_value path, struct sy_value value,
                    int64_t us, int32_t ttl_s)
{
    struct sy_cell_write *cell = add_cell(change, column, SY_CELL_LIVE, us);

    cell->path = path;
    cell->value = value;
    cell->ttl_s = ttl_s;
}

void change_dead_element(struct change *change, const char *column, struct sy_value path, int64_t us)
{
    add_cell(change, column, SY_CELL_DEAD, us)->path = path;
}

void change_delete_row(struct change *change, int64_t us)
{
    change->row->has_tombstone = true;
    change->row->tombstone_timestamp_us = us;
}

void change_delete_partition(struct change *change, int64_t us)
{
    change->mutation.has_tombstone = true;
    change->mutation.tombstone_timestamp_us = us;
}

void change_delete_range(struct change *change, const int32_t *from, bool from_inclusive, const int32_t *to,
                         bool to_inclusive, int64_t us)
{
    struct sy_range_write *range = &change->ranges[change->mutation.n_ranges++];

    range->timestamp_us = us;
    range->start = (struct sy_bound){.inclusive = from_inclusive};
    range->end = (struct sy_bound){.inclusive = to_inclusive};
    if (from != NULL) {
        range->start.prefix = one_int(change->world, *from);
        range->start.n = 1;
    }
    if (to != NULL) {
        range->end.prefix = one_int(change->world, *to);
        range->end.n = 1;
    }
}

bool change_try(struct change *change)
{
    struct sy_write_context context = {.consistency = 1};

    return sy_store_apply(change->world->server, &change->mutation, 1, &context, &change->world->arena,
                          &change->world->error);
}

void change_apply(struct change *change)
{
    if (!change_try(change))
        fail_msg("%s", change->world->error.message);
}

void changes_apply(struct world *world, struct change *const *changes, uint32_t n)
{
    struct sy_mutation *mutations = sy_arena_alloc(&world->arena, n * sizeof(*mutations));
    struct sy_write_context context = {.consistency = 1};

    for (uint32_t i = 0; i < n; i++)
        mutations[i] = changes[i]->mutation;
    if (!sy_store_apply(world->server, mutations, n, &context, &world->arena, &world->error))
        fail_msg("%s", world->error.message);
}

void world_write(struct world *world, int32_t pk, int32_t ck, const char *column, const char *text,
                 int64_t us)
{
    struct change change;

    change_begin(&change, world, pk);
    change_row(&change, ck);
    change_cell(&change, column, world_text(world, text), us, SY_TTL_NONE);
    change_apply(&change);
}

/* --- looking --- */

const char *world_dump(struct world *world)
{
    return sy_store_dump(world->server, sy_catalog_table(world->server, "ks", "t"), &world->arena);
}

struct log_line {
    int64_t us;
    uint32_t place;
    const char *text;
};

struct log_reader {
    struct world *world;
    const struct sy_table *log;
    struct log_line lines[4096];
    uint32_t n;
};

static const char *log_cell(struct log_reader *reader, const struct sy_table_column *column,
                            struct sy_value value)
{
    struct sy_arena *arena = &reader->world->arena;
    const char *text = sy_value_text(arena, column->type, value);

    if (strcmp(column->name, "cdc$operation") == 0)
        return "";
    if (strcmp(column->name, "cdc$end_of_batch") == 0)
        return " end";
    if (strncmp(column->name, "cdc$", 4) == 0)
        return sy_arena_format(arena, " %s=%s", column->name + 4, text);
    return sy_arena_format(arena, " %s=%s", column->name, text);
}

static bool log_row(void *ctx, const struct sy_row *row)
{
    struct log_reader *reader = ctx;
    struct sy_arena *arena = &reader->world->arena;
    const struct sy_table_column *operation = sy_table_column_named(reader->log, "cdc$operation", 13);
    const char *text = sy_arena_format(arena, "%d op %d", (int)sy_get_u32(row->clustering[1].bytes),
                                       (int8_t)row->columns[operation->index].value.bytes[0]);

    for (uint32_t i = 3; i < reader->log->n_columns; i++) {
        struct sy_value value = row->columns[i].value;

        if (value.len >= 0)
            text = sy_arena_format(arena, "%s%s", text, log_cell(reader, &reader->log->columns[i], value));
    }
    assert_true(reader->n < 4096);
    reader->lines[reader->n] =
        (struct log_line){.us = sy_timeuuid_us(row->clustering[0].bytes), .place = reader->n, .text = text};
    reader->n++;
    return true;
}

static int compare_lines(const void *x, const void *y)
{
    const struct log_line *a = x;
    const struct log_line *b = y;

    if (a->us != b->us)
        return a->us < b->us ? -1 : 1;
    return (a->place > b->place) - (a->place < b->place);
}

const char *world_log(struct world *world)
{
    struct log_reader *reader = sy_arena_alloc(&world->arena, sizeof(*reader));
    struct sy_read read = {.first_token = INT64_MIN, .last_token = INT64_MAX};
    const char *text = "";

    reader->world = world;
    read.table = reader->log = sy_catalog_table(world->server, "ks", "t_scylla_cdc_log");
    assert_non_null(read.table);
    assert_true(sy_store_read(world->server, &read, log_row, reader, &world->arena, &world->error));
    qsort(reader->lines, reader->n, sizeof(reader->lines[0]), compare_lines);
    for (uint32_t i = 0; i < reader->n; i++)
        text = sy_arena_format(&world->arena, "%s+%lld %s\n", text,
                               (long long)(reader->lines[i].us - START_US), reader->lines[i].text);
    return text;
}
