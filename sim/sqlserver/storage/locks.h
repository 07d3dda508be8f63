/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The writer place and the table locks of a server, in memory.
 *
 * One mutex guards all of it; a wait is a wait on one condition, woken at every release. Whoever would close
 * a circle of waits becomes the victim (1205). Any thread.
 */
#ifndef SIM_SQLSERVER_STORAGE_LOCKS_H
#define SIM_SQLSERVER_STORAGE_LOCKS_H

#include "transaction.h"

#include <pthread.h>

struct ms_lock {
    int32_t object_id;
    struct ms_session *owner;
    enum ms_lock_mode mode;
    int32_t savepoint; /* how many savepoints were set when it was taken */
};

struct ms_waiter {
    struct ms_waiter *next; /* in order of arrival */
    struct ms_session *session;
    bool writer; /* waits for the writer place; else for a table */
    int32_t object_id;
    enum ms_lock_mode mode;
};

struct ms_locks {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    struct ms_session *writer;
    struct ms_waiter *waiters;
    struct ms_lock *held;
    size_t n_held;
    size_t cap_held;
    int32_t deadlocks_to_report; /* on command: so many of the next waits or first writes fail with 1205 */
};

void ms_locks_init(struct ms_locks *locks);
void ms_locks_done(struct ms_locks *locks);

/* Become the writer. 1222, 1205, 3617 as for ms_lock_table. */
bool ms_locks_writer(struct ms_locks *locks, struct ms_session *session, struct ms_error *err);
void ms_locks_writer_release(struct ms_locks *locks, struct ms_session *session);

bool ms_locks_table(struct ms_locks *locks, struct ms_session *session, int32_t object_id,
                    enum ms_lock_mode mode, int32_t savepoint, struct ms_error *err);

/* Let go of what was taken after `savepoint` savepoints were set; -1: of everything. */
void ms_locks_release(struct ms_locks *locks, struct ms_session *session, int32_t savepoint);

/* Wake all waiters, so that they look whether they were cancelled. */
void ms_locks_wake(struct ms_locks *locks);

#endif
