/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The system tables' definitions. Collections are frozen here, all of them: what a client is told on the wire
 * is the same.
 */
#include "server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    LOCAL = 1,    /* filled anew at each start */
    PER_NODE = 2, /* each node has its own rows */
};

/* A column: name, P (partition key), C (clustering), D (clustering, descending) or - , type. */
struct definition {
    const char *keyspace;
    const char *table;
    int flags;
    const char *columns;
};

#define TABLE_PROPERTIES                                                                             \
    "bloom_filter_fp_chance - double; caching - map<text,text>; comment - text; compaction - "       \
    "map<text,text>; "                                                                               \
    "compression - map<text,text>; crc_check_chance - double; dclocal_read_repair_chance - double; " \
    "default_time_to_live - int; extensions - map<text,blob>; gc_grace_seconds - int; id - uuid; "   \
    "max_index_interval - int; memtable_flush_period_in_ms - int; min_index_interval - int; "        \
    "read_repair_chance - double; speculative_retry - text"

static const struct definition definitions[] = {
    {"system", "local", LOCAL | PER_NODE,
     "key P text; bootstrapped - text; broadcast_address - inet; cluster_name - text; cql_version - text; "
     "data_center - text; gossip_generation - int; host_id - uuid; listen_address - inet; "
     "native_protocol_version - text; partitioner - text; rack - text; release_version - text; "
     "rpc_address - inet; schema_version - uuid; supported_features - text; tokens - set<text>; "
     "truncated_at - map<uuid,blob>"},
    {"system", "peers", LOCAL | PER_NODE,
     "peer P inet; data_center - text; host_id - uuid; preferred_ip - inet; rack - text; release_version - "
     "text; "
     "rpc_address - inet; schema_version - uuid; supported_features - text; tokens - set<text>"},
    {"system", "cdc_timestamps", LOCAL, "keyspace_name P text; table_name P text; timestamp D timestamp"},
    {"system", "cdc_streams", LOCAL,
     "keyspace_name P text; table_name P text; timestamp C timestamp; stream_state C tinyint; stream_id C "
     "blob"},
    {"system_schema", "keyspaces", LOCAL,
     "keyspace_name P text; durable_writes - boolean; replication - map<text,text>"},
    {"system_schema", "scylla_keyspaces", LOCAL,
     "keyspace_name P text; initial_tablets - int; storage_options - map<text,text>; storage_type - text"},
    {"system_schema", "tables", LOCAL,
     "keyspace_name P text; table_name C text; flags - set<text>; " TABLE_PROPERTIES},
    {"system_schema", "scylla_tables", LOCAL,
     "keyspace_name P text; table_name C text; cdc - map<text,text>; in_memory - boolean; partitioner - "
     "text; "
     "per_partition_rate_limit - map<text,text>; version - uuid"},
    {"system_schema", "columns", LOCAL,
     "keyspace_name P text; table_name C text; column_name C text; clustering_order - text; "
     "column_name_bytes - blob; kind - text; position - int; type - text"},
    {"system_schema", "dropped_columns", LOCAL,
     "keyspace_name P text; table_name C text; column_name C text; dropped_time - timestamp; kind - text; "
     "type - text"},
    {"system_schema", "types", LOCAL,
     "keyspace_name P text; type_name C text; field_names - list<text>; field_types - list<text>"},
    {"system_schema", "functions", LOCAL,
     "keyspace_name P text; function_name C text; argument_types C list<text>; argument_names - list<text>; "
     "body - text; called_on_null_input - boolean; language - text; return_type - text"},
    {"system_schema", "aggregates", LOCAL,
     "keyspace_name P text; aggregate_name C text; argument_types C list<text>; final_func - text; "
     "initcond - text; return_type - text; state_func - text; state_type - text"},
    {"system_schema", "indexes", LOCAL,
     "keyspace_name P text; table_name C text; index_name C text; kind - text; options - map<text,text>"},
    {"system_schema", "triggers", LOCAL,
     "keyspace_name P text; table_name C text; trigger_name C text; options - map<text,text>"},
    {"system_schema", "views", LOCAL,
     "keyspace_name P text; view_name C text; base_table_id - uuid; base_table_name - text; "
     "include_all_columns - boolean; where_clause - text; " TABLE_PROPERTIES},
    {"system_distributed", "cdc_generation_timestamps", 0,
     "key P text; time D timestamp; expired - timestamp"},
    {"system_distributed", "cdc_streams_descriptions_v2", 0,
     "time P timestamp; range_end C bigint; streams - set<blob>"},
    {"system_auth", "roles", 0,
     "role P text; can_login - boolean; is_superuser - boolean; member_of - set<text>; salted_hash - text"},
    {"system_auth", "role_members", 0, "role P text; member C text"},
    {"system_auth", "role_attributes", 0, "role P text; name C text; value - text"},
    {"system_auth", "role_permissions", 0, "role P text; resource C text; permissions - set<text>"},
    {"system_traces", "sessions", LOCAL,
     "session_id P uuid; client - inet; command - text; coordinator - inet; duration - int; "
     "parameters - map<text,text>; request - text; started_at - timestamp"},
    {"system_traces", "events", LOCAL,
     "session_id P uuid; event_id C timeuuid; activity - text; source - inet; source_elapsed - int; "
     "thread - text"},
};

static void wrong(const struct definition *definition, const char *at)
{
    fprintf(stderr, "sluice-sim-scylla: the definition of %s.%s is wrong at '%s'\n", definition->keyspace,
            definition->table, at);
    abort();
}

/* "text", "set<text>", "map<text,blob>": one level is all there is. */
static const struct sy_type *type_of(struct sy_server *server, const struct definition *definition,
                                     const char *text)
{
    char first[32];
    char second[32];
    if (sscanf(text, "map<%31[a-z],%31[a-z]>", first, second) == 2)
        return sy_type_map(server, sy_type_by_name(first), sy_type_by_name(second), true);
    if (sscanf(text, "set<%31[a-z]>", first) == 1)
        return sy_type_set(server, sy_type_by_name(first), true);
    if (sscanf(text, "list<%31[a-z]>", first) == 1)
        return sy_type_list(server, sy_type_by_name(first), true);
    const struct sy_type *type = sy_type_by_name(text);
    if (type == NULL)
        wrong(definition, text);
    return type;
}

static void read_column(struct sy_server *server, const struct definition *definition, const char *at,
                        struct sy_table_spec *spec, struct sy_column_spec *columns, uint32_t counts[2],
                        struct sy_arena *arena)
{
    char name[64];
    char kind;
    char type[64];
    if (sscanf(at, " %63[a-z_0-9] %c %63[a-z_<,>]", name, &kind, type) != 3)
        wrong(definition, at);
    struct sy_column_spec *column = &columns[spec->n_columns++];
    *column = (struct sy_column_spec){.name = sy_arena_text(arena, name),
                                      .type = type_of(server, definition, type),
                                      .kind = SY_REGULAR,
                                      .descending = kind == 'D'};
    if (kind == 'P') {
        column->kind = SY_PARTITION_KEY;
        column->position = counts[0]++;
    } else if (kind == 'C' || kind == 'D') {
        column->kind = SY_CLUSTERING;
        column->position = counts[1]++;
    }
}

static void define(struct sy_server *server, const struct definition *definition, struct sy_arena *arena)
{
    struct sy_column_spec columns[40];
    struct sy_table_spec spec = {
        .keyspace = definition->keyspace, .name = definition->table, .columns = columns};
    uint32_t counts[2] = {0, 0};
    const char *at = definition->columns;
    while (at != NULL) {
        read_column(server, definition, at, &spec, columns, counts, arena);
        at = strchr(at, ';');
        at = at == NULL ? NULL : at + 1;
    }
    (void)sy_catalog_add_system_table(server, &spec, (definition->flags & LOCAL) != 0,
                                      (definition->flags & PER_NODE) != 0);
}

/* factor NULL: a keyspace of each node's own. */
static void define_keyspace(struct sy_server *server, const char *name, const char *factor)
{
    static const char *const keys[] = {"class", "replication_factor"};
    const char *const values[] = {factor == NULL ? "org.apache.cassandra.locator.LocalStrategy"
                                                 : "org.apache.cassandra.locator.SimpleStrategy",
                                  factor};
    const struct sy_property replication = {
        .name = "replication", .n = factor == NULL ? 1 : 2, .keys = keys, .values = values};
    (void)sy_catalog_add_system_keyspace(server, name, &replication);
}

void sy_system_define(struct sy_server *server)
{
    struct sy_arena arena = {0};
    define_keyspace(server, "system", NULL);
    define_keyspace(server, "system_schema", NULL);
    define_keyspace(server, "system_distributed", "3");
    define_keyspace(server, "system_auth", "1");
    define_keyspace(server, "system_traces", "2");
    for (size_t i = 0; i < sizeof(definitions) / sizeof(definitions[0]); i++)
        define(server, &definitions[i], &arena);
    sy_arena_free(&arena);
}
