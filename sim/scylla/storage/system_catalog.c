/* SPDX-License-Identifier: Apache-2.0 */
#include "table_make.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>

const struct sy_keyspace *sy_catalog_add_system_keyspace(struct sy_server *server, const char *name,
                                                         const struct sy_property *replication)
{
    struct sy_arena *memory = &server->catalog.statement_memory;
    struct sy_keyspace *keyspace = sy_arena_alloc(memory, sizeof(*keyspace));

    keyspace->name = sy_arena_text(memory, name);
    keyspace->replication = sy_property_copy(memory, replication);
    keyspace->durable_writes = true;
    keyspace->system = true;
    sy_catalog_put_keyspace(server, keyspace);
    return keyspace;
}

/* The same at each start: the journal knows tables by their ids. */
static void name_to_id(const char *keyspace, const char *name, uint8_t id[16])
{
    char text[256];
    uint8_t digest[EVP_MAX_MD_SIZE];
    unsigned int len = 0;
    int n = snprintf(text, sizeof(text), "%s.%s", keyspace, name);

    EVP_Digest(text, (size_t)n < sizeof(text) ? (size_t)n : sizeof(text) - 1, digest, &len, EVP_md5(), NULL);
    memcpy(id, digest, 16);
    id[6] = (uint8_t)((id[6] & 0x0f) | 0x30);
    id[8] = (uint8_t)((id[8] & 0x3f) | 0x80);
}

const struct sy_table *sy_catalog_add_system_table(struct sy_server *server, const struct sy_table_spec *spec,
                                                   bool local, bool per_node)
{
    struct sy_arena arena = {0};
    struct sy_table_draft draft = {.keyspace = sy_catalog_keyspace(server, spec->keyspace),
                                   .name = spec->name,
                                   .properties = spec->properties,
                                   .n_properties = spec->n_properties};
    struct sy_table *table;

    draft.columns = sy_arena_alloc(&arena, spec->n_columns * sizeof(*draft.columns));
    for (uint32_t i = 0; i < spec->n_columns; i++)
        sy_table_draft_add(&draft, &spec->columns[i]);
    name_to_id(spec->keyspace, spec->name, draft.id);
    table = sy_table_install(server, &draft);
    table->data->local = local;
    table->data->per_node = per_node;
    if (per_node) {
        free(table->data->partitions);
        table->data->n_partitions = server->options.n_nodes;
        table->data->partitions = calloc(server->options.n_nodes, sizeof(*table->data->partitions));
        if (table->data->partitions == NULL)
            abort();
    }
    sy_arena_free(&arena);
    return table;
}
