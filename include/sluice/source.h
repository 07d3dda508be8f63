/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a source implements. A source reads one database (or cluster), fills batches with records that carry
 * Connect schemas, and says with each batch the position that covers it. It does not know which log is behind
 * it.
 *
 * Threads: open, poll and close of one task run on that task's reader thread; wake comes from any thread.
 */
#ifndef SLUICE_SOURCE_H
#define SLUICE_SOURCE_H

#include "option.h"
#include "record.h"

/* What the engine gives a source task. Lives as long as the task. */
struct sl_source_env {
    const char *connector; /* its name */
    int task;              /* from 0 */
    void *ctx;
    /* Programs of others read this log: what only they need is worth writing. */
    bool peers_read;
    /*
     * Do they read it at these brokers (host:port, ...)? prefix: of the connector's keys that say how to
     * connect to them. May take a few seconds. NULL where peers_read is false. Errors: they cannot be asked.
     */
    enum sl_rc (*is_log_at)(void *ctx, const char *prefix, const char *servers, bool *ret_is,
                            struct sl_error *err);
    /* The stored offset (JSON text, heap memory of the caller: sl_free) of a source partition, NULL text when
     * none. */
    enum sl_rc (*stored_offset)(void *ctx, struct sl_span partition, char **ret_offset, struct sl_error *err);
    /* Every stored position of this connector: key = partition JSON, value = offset JSON. */
    enum sl_rc (*stored_offsets)(void *ctx, sl_text_visitor *visit, void *visit_ctx, struct sl_error *err);
    /*
     * What batches remembered (sl_batch_add_note), keys from <= key < to in order, at most max; to.ptr NULL:
     * to the end. Shows what is durable: batches that poll returned a moment ago may still be on their way.
     */
    enum sl_rc (*notes)(void *ctx, struct sl_span from, struct sl_span to, size_t max, sl_note_visitor *visit,
                        void *visit_ctx, struct sl_error *err);
};

struct sl_source_ops {
    const char *name;                /* "sqlserver" */
    const char *const *classes;      /* Java class names, NULL-ended */
    const struct sl_option *options; /* connector-level keys, ended by a NULL name */
    /*
     * The options that say where the other system is (a host and a port, a URL), NULL-ended: tasks with the
     * same values there share a circuit breaker. NULL: each connector has its own.
     */
    const char *const *address_keys;

    /*
     * How many tasks this configuration makes, at most max_tasks. Task t is opened with the same props.
     * Refuses (CONFIG) what the option table cannot see: contradictions among keys.
     */
    enum sl_rc (*plan)(const struct sl_props *props, int max_tasks, int *ret_tasks, struct sl_error *err);

    /* Make a task; connects lazily, so that open fails for CONFIG reasons only. */
    enum sl_rc (*open)(const struct sl_source_env *env, const struct sl_props *props, void **ret_self,
                       struct sl_error *err);

    /*
     * Fill an empty batch. Returns as soon as there is something and the source has nothing more to give now,
     * or at the batch limits (about 4 MiB, 4,000 records), or at deadline_us with an empty batch. Sets
     * source_partition and source_offset to what covers all records returned so far (a source with many
     * partitions adds the others' with sl_batch_add_position; source_partition is the one whose incarnation
     * the records' positions belong to). An empty batch with a source_offset, positions or notes stores
     * these only. After a TRANSIENT error the next poll connects again and goes on
     * from the last returned position: nothing that was returned is returned twice, nothing is left out.
     * Errors: TRANSIENT kinds, GAP (named), AUTH, CONFIG, SCHEMA.
     */
    enum sl_rc (*poll)(void *self, struct sl_batch *batch, int64_t deadline_us, struct sl_error *err);

    void (*wake)(void *self); /* make a waiting poll return soon; any thread */
    void (*close)(void *self);

    /*
     * Check against the live system before starting (connect, log in, tables exist and are captured).
     * Optional (NULL). One-line errors for a user at a terminal.
     */
    enum sl_rc (*probe)(const struct sl_props *props, struct sl_error *err);
};

#endif
