/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a sink implements. A sink applies batches of decoded records to a target and keeps, in the target's
 * own transaction, the log position that they reach: rows and position are durable together or not at all.
 *
 * Threads: all calls of one task come from one thread (its apply thread), but for wake.
 */
#ifndef SLUICE_SINK_H
#define SLUICE_SINK_H

#include "option.h"
#include "record.h"

/* One of the connector's partitions, with its oldest offset and its end, and the task that reads it. */
typedef void sl_sink_end_visitor(void *ctx, const struct sl_progress *partition, int task);

/* What the engine gives a sink task. Lives as long as the task. */
struct sl_sink_env {
    const char *connector;
    int task;
    const char *log_identity; /* the transport's */
    void *ctx;

    /*
     * The identity of what a topic holds (transport.h), heap memory of the caller: positions are kept under
     * it, so that those in a topic that was made again, or in another log, are never taken for ours. NULL:
     * log_identity for every topic. Errors: the transport's.
     */
    enum sl_rc (*topic_identity)(void *ctx, const struct sl_topic *topic, char **ret, struct sl_error *err);

    /*
     * The sink is done with a batch: it goes back to the engine. durable: its rows (but for the bad ones that
     * were reported) and its progress are committed in the target. Not durable: given up after an error or at
     * close; only the next assign tells what became of it.
     */
    void (*release)(void *ctx, struct sl_batch *batch, bool durable);

    /*
     * One record cannot be applied (kind DATA). SL_OK: the engine has made it durable elsewhere (dead letter)
     * or the user said to skip; the position may pass it. Anything else: the sink stops with that error.
     */
    enum sl_rc (*bad_record)(void *ctx, const struct sl_batch *batch, uint32_t record_index,
                             const struct sl_error *why, struct sl_error *err);

    /*
     * Which records of the batch must not be applied, since they wait behind a bad one with their key
     * (errors.park.keys): the engine has kept them elsewhere, durably. *ret_skip: one byte a record, as long
     * as the batch lives; NULL: none. It is asked before a batch is bound and again whenever bad_record was
     * called meanwhile; *ret_generation tells whether the answer may be another. NULL: nothing ever waits.
     */
    enum sl_rc (*parked)(void *ctx, struct sl_batch *batch, const uint8_t **ret_skip,
                         uint64_t *ret_generation, struct sl_error *err);

    /*
     * Three for a sink whose rows wait for others. ends: where all partitions of the connector end now, those
     * of its other tasks included; NULL: nobody knows. interrupted: something else is wanted of the task
     * (stop, pause, other partitions): the sink gives up waiting and returns STOPPED. waits: what is waited
     * for, for people; "": nothing any more. Any of them may be NULL.
     */
    enum sl_rc (*ends)(void *ctx, sl_sink_end_visitor *visit, void *visit_ctx, struct sl_error *err);
    bool (*interrupted)(void *ctx);
    void (*waits)(void *ctx, const char *what);

    /*
     * Rows wait at the position of each of these partitions, and the batch has come so far as its
     * first_offsets say. True: the task has something to do in its other partitions, where what they wait for
     * may stand: the sink gives the batch up and returns STOPPED, and will see the rows again. spent_us: how
     * long the batch took until here; open_us: what comes into the log in so long counts, too. May be NULL.
     */
    bool (*set_aside)(void *ctx, const struct sl_batch *batch, const struct sl_progress *rows, size_t n,
                      int64_t spent_us, int64_t open_us);

    /* The records of a batch are not those that its progress counts (a replay): no part of it may be durable
     * before the rest. */
    bool whole;
};

/* A position that a target holds; the texts live while the visitor runs. */
struct sl_sink_position {
    const char *identity; /* of the topic that it counts in */
    const char *topic;
    int32_t partition;
    int64_t next_offset;
};

typedef void sl_sink_position_visitor(void *ctx, const struct sl_sink_position *position);

struct sl_sink_ops {
    const char *name;           /* "postgres" */
    const char *const *classes; /* Java class names, NULL-ended */
    const struct sl_option *options;
    /*
     * The options that say where the other system is (a host and a port, a URL), NULL-ended: tasks with the
     * same values there share a circuit breaker. NULL: each connector has its own.
     */
    const char *const *address_keys;

    /* Contradictions among keys that the option table cannot see. */
    enum sl_rc (*check)(const struct sl_props *props, struct sl_error *err);

    enum sl_rc (*open)(const struct sl_sink_env *env, const struct sl_props *props, void **ret_self,
                       struct sl_error *err);

    /*
     * Take over the given log partitions: connect, raise the writer epoch, read the positions that the target
     * holds into next_offset (-1: none). From here on, an older writer of the same partitions can commit
     * nothing. Also called when there are more partitions: nothing is in flight then, and the sink may keep
     * its connection. Errors: CONNECT, AUTH, CONFIG, FOREIGN_POSITION (the target knows this connector with
     * another log).
     */
    enum sl_rc (*assign)(void *self, struct sl_progress *partitions, size_t n, struct sl_error *err);

    /*
     * Apply a batch; it belongs to the sink until release. May return while the target still works on it:
     * then the next put or flush tells of a failure. A batch with no records but progress moves the position
     * only. While some rows of a batch wait for others, what stands before them in each partition may become
     * durable before the rest. Before put or flush returns an error, every batch that the sink holds (the one
     * just given included) has come back through release, not durable. Errors: TRANSIENT: nothing may be
     * assumed durable or lost: call assign again and go on from the positions that it reads. FENCED,
     * FOREIGN_POSITION, SCHEMA: stop. STOPPED: see wake.
     */
    enum sl_rc (*put)(void *self, struct sl_batch *batch, struct sl_error *err);

    /* Wait until everything put is durable and released. Errors as put. */
    enum sl_rc (*flush)(void *self, struct sl_error *err);

    /* Give up what is in flight (batches come back through release) and disconnect. */
    void (*close)(void *self);

    /*
     * Stop waiting: a call that waits for the target, and every later one but close, returns STOPPED soon.
     * For a stop that must not hang on a dead server; an orderly stop calls flush, then close. Any thread.
     */
    void (*wake)(void *self);

    enum sl_rc (*probe)(const struct sl_props *props, struct sl_error *err); /* optional, as in source.h */

    /*
     * Optional, these two: of a sink that was opened and never assigned, for what happens beside the tasks
     * (offsets adopt, migrate, REST). positions: every position that the target holds for this connector,
     * whatever topic and log it counts in; takes nothing over. reposition: from now on the target is at
     * next_offset of these partitions, as this log's topics count (-1: it holds none); other logs' positions
     * of the same partitions are forgotten, and writers that run now can commit nothing more. All or nothing.
     * Errors: as assign.
     */
    enum sl_rc (*positions)(void *self, sl_sink_position_visitor *visit, void *ctx, struct sl_error *err);
    enum sl_rc (*reposition)(void *self, const struct sl_progress *positions, size_t n, struct sl_error *err);
};

#endif
