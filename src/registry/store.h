/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the built-in registry is kept for ever: registry.db in the state directory, or a compacted topic. A
 * store keeps what it is told and tells it again; it decides nothing.
 */
#ifndef SLUICE_REGISTRY_STORE_H
#define SLUICE_REGISTRY_STORE_H

#include "registry/catalog.h"
#include "sluice/error.h"

struct sl_transport;

enum sl_schema_change_kind {
    SL_CHANGE_VERSION, /* add or replace a version */
    SL_CHANGE_DROP,    /* take it away for ever */
    SL_CHANGE_SETTING, /* value NULL: take it away */
};

struct sl_schema_change {
    enum sl_schema_change_kind kind;
    const char *subject;
    int32_t version;
    int32_t id;
    struct sl_schema_text schema;
    bool deleted;
    enum sl_schema_setting setting;
    const char *value;
};

struct sl_schema_store;

struct sl_schema_store_ops {
    /* Everything there is, into an empty catalog. */
    enum sl_rc (*load)(struct sl_schema_store *store, struct sl_catalog *catalog, struct sl_error *err);
    /*
     * Before a change is decided: make sure that nobody else writes. *ret_stale: what was loaded may be old.
     * May be NULL: there is one writer.
     */
    enum sl_rc (*prepare)(struct sl_schema_store *store, bool *ret_stale, struct sl_error *err);
    /* Make the changes durable, all or none as far as the store can. FENCED: another wrote meanwhile;
     * prepare, load and decide again. */
    enum sl_rc (*save)(struct sl_schema_store *store, const struct sl_schema_change *changes, size_t n,
                       struct sl_error *err);
    /* Has another process written since the last load? May be NULL: never. */
    bool (*changed)(struct sl_schema_store *store);
    const char *(*name)(const struct sl_schema_store *store); /* for messages: a path, a topic */
    void (*close)(struct sl_schema_store *store);
};

/* The first member of every store. */
struct sl_schema_store {
    const struct sl_schema_store_ops *ops;
};

/*
 * File registry.db, SQLite in WAL mode, synchronous=FULL: a schema is durable before its id is handed out.
 *
 * Tables (format 2; format 1 has no references and extra and is brought up to date at the first opening):
 *     meta(key, value)                                  'format'
 *     schema(id, kind, digest, text, refs, extra)       kind 'AVRO'; ids from 1, never used again
 *     version(subject, version, id, deleted)            versions of a subject, from 1
 *     setting(subject, name, value)                     name 'config' or 'mode'; subject '' is the global one
 *
 * read_only: the file must exist (NOT_FOUND otherwise). Else the directory and the file are made when they
 * are missing. Errors: IO, LOG_DAMAGED (not our file, or another format).
 */
enum sl_rc sl_schema_store_sqlite_open(const char *state_dir, bool read_only, struct sl_schema_store **ret,
                                       struct sl_error *err);

/*
 * The keyed space "schemas" of a transport: on Kafka the compacted topic kafkastore.topic (_schemas), with
 * keys and values as Confluent's registry writes them. transport is borrowed. changed: what other workers
 * wrote is seen.
 */
enum sl_rc sl_schema_store_topic_open(struct sl_transport *transport, struct sl_schema_store **ret,
                                      struct sl_error *err);

#endif
