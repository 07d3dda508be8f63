/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A world for engine tests: a source, a log, a target and a converter, all in memory, that survive the
 * "process" (a herder) and can fail at every place where something becomes durable.
 *
 * The source gives records numbered from 0: record n belongs to topic "t<n mod topics>", its value is the
 * text of n, its key the text of n mod 10. The target keeps each value with the position that its transaction
 * moved.
 */
#ifndef SLUICE_TESTS_FAKES_H
#define SLUICE_TESTS_FAKES_H

#include "engine/herd/herder.h"

#include <pthread.h>

struct fake_stored {
    const struct sl_topic *topic;
    int32_t partition;
    int64_t offset;
    int64_t timestamp_ms;
    char *key, *value, *headers; /* NULL: null */
    size_t key_len, value_len, headers_len;
};

struct fake_text {
    char *space, *key, *value;
};

struct fake_row {
    const struct sl_topic *topic;
    int32_t partition;
    int64_t offset;
    char value[32];
};

/* What fails next; all counted down under the world's lock, 0: never. */
struct fake_faults {
    int crash_in;            /* the n-th step that makes something durable kills the process: before it, */
    bool crash_after;        /* or after it */
    int source_transient;    /* every n-th poll fails for a while */
    int append_full;         /* the next n appends are refused as LOG_FULL */
    int append_io;           /* the n-th append fails for good */
    int sink_transient;      /* every n-th transaction fails, and nobody knows whether it was committed */
    int sink_down;           /* the next n assigns cannot connect */
    const char *bad_value;   /* the target refuses this value */
    const char *undecodable; /* the converter refuses to read this value */
    const char *unencodable; /* the converter refuses to write this value */
    int converter_away;      /* the next n values that the converter reads or writes fail for a while */
    bool sink_hangs;         /* transactions wait until wake */
};

struct fake_world {
    pthread_mutex_t lock; /* guards everything */
    pthread_cond_t changed;
    bool dead; /* the process was killed: nothing becomes durable any more */

    int64_t source_end; /* records 0 .. end-1 exist */
    int topics;
    int source_errors;

    struct fake_stored *stored;
    size_t n_stored, stored_capacity;
    struct fake_text *texts; /* source offsets are texts of space "offset:<connector>" */
    size_t n_texts, texts_capacity;
    struct fake_text *topic_list;
    size_t n_topics_made, topics_capacity;

    struct fake_row *rows;
    size_t n_rows, rows_capacity;
    struct sl_progress *held; /* positions in the target */
    size_t n_held, held_capacity;
    int transactions;

    struct fake_faults faults;
};

extern struct fake_world world;
extern const struct sl_plugins fake_plugins;

void fake_world_reset(void);

/* A connector of the fake classes with keys and values in pairs, ended by NULL. */
struct sl_connector *fake_connector(const char *name, int sink, ...);

/* A key of the worker's properties, for processes started from now on. */
void fake_worker_set(const char *key, const char *value);

/* Start a process: a herder and the tasks of these connectors, as if their files had been given. */
struct sl_herder *fake_start(struct sl_connector *const *connectors, size_t n);

/* Who runs what, for processes started from now on; NULL (and after a reset): everything is ours. */
void fake_place(const struct sl_placement *placement);

/* Stop it within a second; fails the test when it does not end. */
void fake_stop(struct sl_herder *herder);

/* Wait (30 s) until the target has so many rows. False when it does not come to that. */
bool fake_wait_rows(size_t n);

/* Wait until the condition holds. */
bool fake_wait(bool (*condition)(void *), void *arg);

/* A text of a space, a copy for sl_free, or NULL. */
char *fake_text(const char *space, const char *key);

#endif
