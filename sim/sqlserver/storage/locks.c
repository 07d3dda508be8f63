/* SPDX-License-Identifier: Apache-2.0 */
#include "../tsql/arena.h"
#include "locks.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MAX_CIRCLE 256

void ms_locks_init(struct ms_locks *locks)
{
    pthread_condattr_t attr;
    *locks = (struct ms_locks){0};
    pthread_mutex_init(&locks->mutex, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&locks->changed, &attr);
    pthread_condattr_destroy(&attr);
}

void ms_locks_done(struct ms_locks *locks)
{
    pthread_cond_destroy(&locks->changed);
    pthread_mutex_destroy(&locks->mutex);
    free(locks->held);
}

static bool modes_conflict(enum ms_lock_mode asked, enum ms_lock_mode held)
{
    switch (asked) {
    case MS_LOCK_READ: return held == MS_LOCK_X;
    case MS_LOCK_S: return held == MS_LOCK_IX || held == MS_LOCK_X;
    case MS_LOCK_IX: return held == MS_LOCK_S || held == MS_LOCK_X;
    case MS_LOCK_X: return true;
    }
    return true;
}

static bool lock_blocks(const struct ms_lock *lock, const struct ms_waiter *waiter)
{
    return lock->object_id == waiter->object_id && lock->owner != waiter->session &&
           modes_conflict(waiter->mode, lock->mode);
}

static bool blocked(const struct ms_locks *locks, const struct ms_waiter *waiter)
{
    if (waiter->writer) {
        if (locks->writer)
            return true;
        for (const struct ms_waiter *w = locks->waiters; w && w != waiter; w = w->next) {
            if (w->writer)
                return true; /* somebody came before */
        }
        return false;
    }
    for (size_t i = 0; i < locks->n_held; i++) {
        if (lock_blocks(&locks->held[i], waiter))
            return true;
    }
    return false;
}

static const struct ms_waiter *waiter_of(const struct ms_locks *locks, const struct ms_session *session)
{
    for (const struct ms_waiter *w = locks->waiters; w; w = w->next) {
        if (w->session == session)
            return w;
    }
    return NULL;
}

struct search {
    const struct ms_locks *locks;
    const struct ms_session *start;
    const struct ms_session *seen[MAX_CIRCLE];
    size_t n_seen;
};

/* Does somebody whom `waiter` waits for wait, in the end, for the start? */
static bool leads_back(struct search *search, const struct ms_waiter *waiter);

static bool holder_leads_back(struct search *search, const struct ms_session *holder)
{
    if (holder == search->start)
        return true;
    for (size_t i = 0; i < search->n_seen; i++) {
        if (search->seen[i] == holder)
            return false;
    }
    if (search->n_seen == MAX_CIRCLE)
        return false;
    search->seen[search->n_seen++] = holder;
    const struct ms_waiter *next = waiter_of(search->locks, holder);
    return next && leads_back(search, next);
}

static bool leads_back(struct search *search, const struct ms_waiter *waiter)
{
    if (waiter->writer)
        return search->locks->writer && holder_leads_back(search, search->locks->writer);
    for (size_t i = 0; i < search->locks->n_held; i++) {
        const struct ms_lock *lock = &search->locks->held[i];
        if (lock_blocks(lock, waiter) && holder_leads_back(search, lock->owner))
            return true;
    }
    return false;
}

static bool victim(struct ms_session *session, struct ms_error *err)
{
    return ms_error_set(
        err, 1205, 13, 51,
        "Transaction (Process ID %u) was deadlocked on lock resources with another process and has "
        "been chosen as the deadlock victim. Rerun the transaction.",
        session->spid);
}

static bool take_ordered_deadlock(struct ms_locks *locks, const struct ms_session *session)
{
    if (locks->deadlocks_to_report <= 0 || session->internal)
        return false;
    locks->deadlocks_to_report--;
    return true;
}

static struct timespec deadline_after(int32_t timeout_ms)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    t.tv_sec += timeout_ms / 1000;
    t.tv_nsec += (long)(timeout_ms % 1000) * 1000000;
    if (t.tv_nsec >= 1000000000) {
        t.tv_sec++;
        t.tv_nsec -= 1000000000;
    }
    return t;
}

static void enqueue(struct ms_locks *locks, struct ms_waiter *waiter)
{
    struct ms_waiter **at = &locks->waiters;
    while (*at)
        at = &(*at)->next;
    *at = waiter;
}

static void dequeue(struct ms_locks *locks, struct ms_waiter *waiter)
{
    struct ms_waiter **at = &locks->waiters;
    while (*at != waiter)
        at = &(*at)->next;
    *at = waiter->next;
    pthread_cond_broadcast(&locks->changed);
}

/* With the mutex held. */
static bool wait_for_turn(struct ms_locks *locks, struct ms_waiter *waiter, struct ms_error *err)
{
    struct ms_session *session = waiter->session;
    struct timespec deadline = deadline_after(session->lock_timeout_ms > 0 ? session->lock_timeout_ms : 0);
    bool ok = true;
    enqueue(locks, waiter);
    while (blocked(locks, waiter)) {
        struct search search = {.locks = locks, .start = session};
        int rc = 0;
        if (session->cancelled || session->killed) {
            ok = ms_error_set(err, session->killed ? 596 : 3617, session->killed ? 21 : 16, 1,
                              session->killed
                                  ? "Cannot continue the execution because the session is in the kill "
                                    "state."
                                  : "The batch has been aborted by an attention of the client.");
            break;
        }
        if (leads_back(&search, waiter)) {
            ok = victim(session, err);
            break;
        }
        if (session->lock_timeout_ms < 0)
            pthread_cond_wait(&locks->changed, &locks->mutex);
        else
            rc = pthread_cond_timedwait(&locks->changed, &locks->mutex, &deadline);
        if (rc == ETIMEDOUT && blocked(locks, waiter)) {
            ok = ms_error_set(err, 1222, 16, 51, "Lock request time out period exceeded.");
            break;
        }
    }
    dequeue(locks, waiter);
    return ok;
}

bool ms_locks_writer(struct ms_locks *locks, struct ms_session *session, struct ms_error *err)
{
    struct ms_waiter waiter = {.session = session, .writer = true};
    bool ok;
    pthread_mutex_lock(&locks->mutex);
    ok = take_ordered_deadlock(locks, session) ? victim(session, err) : wait_for_turn(locks, &waiter, err);
    if (ok)
        locks->writer = session;
    pthread_mutex_unlock(&locks->mutex);
    return ok;
}

void ms_locks_writer_release(struct ms_locks *locks, struct ms_session *session)
{
    pthread_mutex_lock(&locks->mutex);
    if (locks->writer == session)
        locks->writer = NULL;
    pthread_cond_broadcast(&locks->changed);
    pthread_mutex_unlock(&locks->mutex);
}

/* Already held at least as strongly? */
static bool has_lock(const struct ms_locks *locks, const struct ms_waiter *waiter)
{
    for (size_t i = 0; i < locks->n_held; i++) {
        const struct ms_lock *lock = &locks->held[i];
        if (lock->owner == waiter->session && lock->object_id == waiter->object_id &&
            (lock->mode == waiter->mode || lock->mode == MS_LOCK_X))
            return true;
    }
    return false;
}

static void add_lock(struct ms_locks *locks, const struct ms_waiter *waiter, int32_t savepoint)
{
    if (locks->n_held == locks->cap_held) {
        locks->cap_held = locks->cap_held ? locks->cap_held * 2 : 32;
        locks->held = ms_heap_resize(locks->held, locks->cap_held * sizeof *locks->held);
    }
    locks->held[locks->n_held++] = (struct ms_lock){.object_id = waiter->object_id,
                                                    .owner = waiter->session,
                                                    .mode = waiter->mode,
                                                    .savepoint = savepoint};
}

bool ms_locks_table(struct ms_locks *locks, struct ms_session *session, int32_t object_id,
                    enum ms_lock_mode mode, int32_t savepoint, struct ms_error *err)
{
    struct ms_waiter waiter = {.session = session, .object_id = object_id, .mode = mode};
    bool ok = true;
    pthread_mutex_lock(&locks->mutex);
    if (!has_lock(locks, &waiter)) {
        if (blocked(locks, &waiter))
            ok = wait_for_turn(locks, &waiter, err);
        if (ok && mode != MS_LOCK_READ)
            add_lock(locks, &waiter, savepoint);
    }
    pthread_mutex_unlock(&locks->mutex);
    return ok;
}

void ms_locks_release(struct ms_locks *locks, struct ms_session *session, int32_t savepoint)
{
    size_t kept = 0;
    pthread_mutex_lock(&locks->mutex);
    for (size_t i = 0; i < locks->n_held; i++) {
        if (locks->held[i].owner != session || locks->held[i].savepoint <= savepoint)
            locks->held[kept++] = locks->held[i];
    }
    if (kept != locks->n_held)
        pthread_cond_broadcast(&locks->changed);
    locks->n_held = kept;
    pthread_mutex_unlock(&locks->mutex);
}

void ms_locks_wake(struct ms_locks *locks)
{
    pthread_mutex_lock(&locks->mutex);
    pthread_cond_broadcast(&locks->changed);
    pthread_mutex_unlock(&locks->mutex);
}
