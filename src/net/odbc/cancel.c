/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ending a call from another thread. FreeTDS (1.3.17) takes SQLCancel only while the caller waits for bytes
 * of the server: then it wakes the caller, who sends the attention himself. At any other moment of a call the
 * canceller writes to the socket itself, and the caller, who finds it taken, waits for a signal that nobody
 * gives (packet.c, tds_connection_put_packet and tds_read_packet): for as long as its query timeout. So only
 * a call that lasts is cancelled, from a thread that waits for that; the others return by themselves.
 */
#include "base/clock.h"
#include "net/odbc/connection.h"

enum {
    LASTS_US = 500 * 1000,       /* between two looks */
    WATCH_US = 10 * 1000 * 1000, /* a cancel is meant for what runs now, not for ever */
};

void sl_odbc_cancel_init(struct sl_odbc *conn)
{
    (void)pthread_mutex_init(&conn->cancel_lock, NULL);
    sl_cond_init(&conn->closed);
}

void sl_odbc_cancel_done(struct sl_odbc *conn)
{
    (void)pthread_mutex_lock(&conn->cancel_lock);
    conn->closing = true;
    (void)pthread_cond_broadcast(&conn->closed);
    (void)pthread_mutex_unlock(&conn->cancel_lock);
    sl_thread_join(&conn->watcher);
    (void)pthread_cond_destroy(&conn->closed);
    (void)pthread_mutex_destroy(&conn->cancel_lock);
}

void sl_odbc_wait_for_cancel(struct sl_odbc *conn)
{
    (void)pthread_mutex_lock(&conn->cancel_lock);
    (void)pthread_mutex_unlock(&conn->cancel_lock);
}

/* Under the lock, which the caller takes when it returns meanwhile: nothing else is done on the connection.
 */
static void end_call(struct sl_odbc *conn, uint64_t call)
{
    SQLHSTMT active;

    atomic_store(&conn->cancelling, true);
    active = atomic_load(&conn->active);
    if (active && atomic_load(&conn->calls) == call) {
        atomic_store(&conn->cancelled, true);
        (void)SQLCancel(active);
    }
    atomic_store(&conn->cancelling, false);
}

static void watch(void *arg)
{
    struct sl_odbc *conn = arg;
    int64_t until_us = sl_now_us() + WATCH_US;
    uint64_t call = atomic_load(&conn->calls);
    bool over = false;

    (void)pthread_mutex_lock(&conn->cancel_lock);
    while (!over && !conn->closing) {
        int64_t look_us = sl_now_us() + LASTS_US;
        uint64_t now;

        while (!conn->closing && sl_cond_wait(&conn->closed, &conn->cancel_lock, look_us))
            continue;
        now = atomic_load(&conn->calls);
        if (now == call && !conn->closing)
            end_call(conn, call);
        over = now == call || look_us >= until_us;
        call = now;
    }
    conn->watching = false;
    (void)pthread_mutex_unlock(&conn->cancel_lock);
}

void sl_odbc_cancel(struct sl_odbc *conn)
{
    (void)pthread_mutex_lock(&conn->cancel_lock);
    if (!conn->watching && !conn->closing) {
        sl_thread_join(&conn->watcher); /* it has ended but for its last line */
        conn->watcher = (struct sl_thread){0};
        conn->watching = true;
        sl_thread_start(&conn->watcher, "odbc-cancel", watch, conn);
    }
    (void)pthread_mutex_unlock(&conn->cancel_lock);
}
