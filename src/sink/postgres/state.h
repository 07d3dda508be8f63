/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sink's whole state, and how its parts call each other:
 *
 *     sink.c      what the engine calls: one batch in flight, the next one bound meanwhile
 *     position.c  sluice_offsets: epochs, positions, the compare-and-set
 *     reposition.c  the same beside the tasks
 *     plan.c      which statement for which records
 *     group.c     the last state of each key      load.c    rows to binary arrays
 *     range.c     deletes of many rows at once
 *     flight.c    BEGIN, position, rows, COMMIT in one pipeline
 *     split.c     the slow way: find the rows that cannot be applied
 *     hold.c      rows that may only be early: what stands before them commits, and they wait
 *     others.c    what the connector's other tasks do meanwhile
 *
 * Threads: the apply thread, but for the stop descriptor.
 */
#ifndef SLUICE_SINK_POSTGRES_STATE_H
#define SLUICE_SINK_POSTGRES_STATE_H

#include "sink/postgres/load.h"
#include "sink/postgres/others.h"
#include "sink/postgres/plan.h"
#include "sluice/sink.h"

/* A log partition that this task writes. */
struct sl_pgsink_position {
    const struct sl_topic *topic;
    char *identity; /* of the topic: the row's key */
    int32_t partition;
    int64_t next_offset; /* what the target holds, as far as we know; -1: none */
    int64_t epoch;
};

struct sl_pgsink {
    const struct sl_sink_env *env;
    struct sl_pgsink_config config;
    int stop_fd;      /* an eventfd: readable once the sink must stop waiting */
    struct sl_pg *pg; /* NULL: not connected */
    bool can_move;    /* this connection has prepared the compare-and-set */
    bool warned_ignored;
    bool has_said;               /* this connection has said that rows wait (others.h), */
    struct sl_pgsink_place said; /* and where the earliest stands */

    struct sl_pgsink_position *positions;
    size_t n_positions;
    char *offsets_path; /* quoted */

    struct sl_pgsink_target **targets;
    size_t n_targets, targets_capacity;
    struct sl_pgsink_plan **plans;
    size_t n_plans, plans_capacity;
    uint64_t generation;   /* moves when plans are forgotten */
    uint64_t n_statements; /* for names */

    struct sl_pgsink_load load;  /* the next flight */
    struct sl_pgsink_load retry; /* used by the slow way */
    struct sl_batch *flying;     /* sent, its results not read yet */
};

/* Wait for the flight, if there is one, and bring its batch to an end, whatever it takes (sink.c). */
enum sl_rc sl_pgsink_settle(struct sl_pgsink *sink, struct sl_error *err);

/* position.c */
enum sl_rc sl_pgsink_positions_open(struct sl_pgsink *sink, struct sl_progress *partitions, size_t n,
                                    struct sl_error *err);
/* Does the batch begin where the target ends? */
enum sl_rc sl_pgsink_positions_check(const struct sl_pgsink *sink, const struct sl_batch *batch,
                                     struct sl_error *err);
/* Send the compare-and-set for the batch's progress into an open pipeline. */
enum sl_rc sl_pgsink_positions_send(struct sl_pgsink *sink, const struct sl_batch *batch,
                                    struct sl_error *err);
/* The batch is committed. */
void sl_pgsink_positions_advance(struct sl_pgsink *sink, const struct sl_batch *batch);
enum sl_rc sl_pgsink_fenced(const struct sl_pgsink *sink, struct sl_error *err);
void sl_pgsink_positions_forget(struct sl_pgsink *sink);
/* The identity of a topic, heap memory of the caller. */
enum sl_rc sl_pgsink_identity(const struct sl_pgsink *sink, const struct sl_topic *topic, char **ret,
                              struct sl_error *err);
/* Where the table is (offsets_path), and that it is there. */
enum sl_rc sl_pgsink_positions_table(struct sl_pgsink *sink, struct sl_error *err);

/* reposition.c: beside the tasks, on a connection that was just made */
enum sl_rc sl_pgsink_positions_visit(struct sl_pgsink *sink, sl_sink_position_visitor *visit, void *ctx,
                                     struct sl_error *err);
enum sl_rc sl_pgsink_reposition(struct sl_pgsink *sink, const struct sl_progress *positions, size_t n,
                                struct sl_error *err);

/* flight.c */
enum sl_rc sl_pgsink_flight_send(struct sl_pgsink *sink, const struct sl_batch *batch,
                                 const struct sl_pgsink_load *load, struct sl_error *err);
/* Read all results; after an error the transaction is rolled back, unless the connection is lost. */
enum sl_rc sl_pgsink_flight_land(struct sl_pgsink *sink, struct sl_error *err);
/* BEGIN and the position alone (batch NULL: nothing, for a look); rows follow by sl_pgsink_flight_try. */
enum sl_rc sl_pgsink_flight_begin(struct sl_pgsink *sink, const struct sl_batch *batch, struct sl_error *err);
/* The load's rows under a savepoint, rolled back to it on error. */
enum sl_rc sl_pgsink_flight_try(struct sl_pgsink *sink, const struct sl_pgsink_load *load,
                                struct sl_error *err);

/* split.c: apply a batch the slow way, to its commit. Errors leave no transaction open. */
enum sl_rc sl_pgsink_split(struct sl_pgsink *sink, struct sl_batch *batch, struct sl_error *err);

#endif
