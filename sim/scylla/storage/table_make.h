/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Making a table's next version, and putting it in the place of the last one. For the files of the catalogue.
 */
#ifndef SIM_SCYLLA_STORAGE_TABLE_MAKE_H
#define SIM_SCYLLA_STORAGE_TABLE_MAKE_H

#include "server.h"

/* A version being made: columns in any order, with their ids. */
struct sy_table_draft {
    const struct sy_keyspace *keyspace;
    const char *name;
    uint8_t id[16];
    struct sy_table_column *columns;
    uint32_t n_columns;
    const struct sy_property *properties;
    uint32_t n_properties;
    struct sy_cdc_options cdc;
    bool has_cdc_options;
    int32_t default_ttl_s;
    bool compact_storage;
    bool is_cdc_log;
    struct sy_table_data *data; /* NULL: a new table */
};

struct sy_table_draft sy_table_draft_of(const struct sy_table *table, struct sy_arena *arena, uint32_t more);
/* A new column in the draft, which has room for it, with an id of its own. */
struct sy_table_column *sy_table_draft_add(struct sy_table_draft *draft, const struct sy_column_spec *spec);

/* The draft becomes the table of its name. Under both locks' order: takes the catalogue's itself. */
struct sy_table *sy_table_install(struct sy_server *server, const struct sy_table_draft *draft);
/* The table and its rows go. */
void sy_table_remove(struct sy_server *server, const struct sy_table *table);
/* base and log point to each other as the base's cdc option says. */
void sy_table_link(struct sy_server *server, const char *keyspace, const char *base);

/* WITH: check the properties and take what they mean into the draft. */
bool sy_properties_take(struct sy_table_draft *draft, const struct sy_property *properties, uint32_t n,
                        struct sy_arena *arena, struct sy_error *error);
/* The text of a property's key (NULL: not there). */
const char *sy_property_get(const struct sy_property *property, const char *key);
struct sy_property sy_property_copy(struct sy_arena *arena, const struct sy_property *property);

/* The log table of a base, made or altered to fit; NULL and *error when it cannot be. */
const struct sy_table *sy_log_table_make(struct sy_server *server, const struct sy_table *base,
                                         struct sy_arena *arena, struct sy_error *error);
const char *sy_log_table_name(struct sy_arena *arena, const char *base);

/* Lists of the catalogue, in order of their names. */
void sy_catalog_put_keyspace(struct sy_server *server, const struct sy_keyspace *keyspace);
void sy_catalog_put_type(struct sy_server *server, const struct sy_type *type);
void sy_catalog_put_index(struct sy_server *server, const struct sy_index *index);
void sy_catalog_remove_keyspace(struct sy_server *server, const char *name);
void sy_catalog_remove_type(struct sy_server *server, const char *keyspace, const char *name);
void sy_catalog_remove_indexes(struct sy_server *server, const char *keyspace, const char *table,
                               const char *index); /* NULL: all of them */
/* The type with each use of a user type replaced by its new shape. */
const struct sy_type *sy_type_substitute(struct sy_server *server, const struct sy_type *type,
                                         const struct sy_type *changed);

/* The catalogue in the journal. */
void sy_catalog_save(struct sy_server *server, struct sy_buffer *buffer);
bool sy_catalog_load(struct sy_server *server, struct sy_reader *reader);

#endif
