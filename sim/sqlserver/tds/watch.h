/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The watch thread: notices what a client sends while its connection's thread is busy with a statement.
 *
 * One thread for all connections. A connection arms its watch before a statement and disarms it afterwards;
 * in between, `ready` is called (on the watch thread, once per arming) when its socket becomes readable or
 * dies. After ms_watch_remove returns, `ready` is not running and will not be called again.
 */
#ifndef SIM_SQLSERVER_TDS_WATCH_H
#define SIM_SQLSERVER_TDS_WATCH_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#define MS_WATCH_SLOTS 4096

struct ms_watch_slot {
    void (*ready)(void *arg);
    void *arg; /* NULL: free */
    int fd;
    uint32_t generation;
};

struct ms_watch {
    int epoll;
    int stop; /* eventfd */
    pthread_t thread;
    pthread_mutex_t lock; /* guards slots; held while ready() runs */
    struct ms_watch_slot slots[MS_WATCH_SLOTS];
};

bool ms_watch_start(struct ms_watch *watch);
void ms_watch_stop(struct ms_watch *watch);

/* A slot for fd, or -1 when all are taken. */
int ms_watch_add(struct ms_watch *watch, int fd, void (*ready)(void *arg), void *arg);
void ms_watch_remove(struct ms_watch *watch, int slot);
void ms_watch_arm(struct ms_watch *watch, int slot);
void ms_watch_disarm(struct ms_watch *watch, int slot);

#endif
