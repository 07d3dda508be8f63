/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who wants to hear of changes to a keyed space, and the thread that tells them: never the one that put, so
 * that a watcher may take locks that a caller of put holds. The thread starts with the first watcher.
 */
#ifndef SLUICE_TRANSPORT_SQLITE_WATCH_H
#define SLUICE_TRANSPORT_SQLITE_WATCH_H

#include "base/thread.h"
#include "sluice/transport.h"

struct sl_sqlite_watcher;
struct sl_sqlite_change;

struct sl_sqlite_watches {
    pthread_mutex_t lock;   /* guards the rest; nothing is taken under it */
    pthread_cond_t changed; /* something to tell, nobody is being told any more, or the end */
    struct sl_sqlite_watcher *watchers;
    size_t n_watchers, watchers_capacity;
    struct sl_sqlite_change *first, *last;
    const void *telling; /* ctx of the watcher that is being called */
    bool stopping;
    struct sl_thread thread;
};

void sl_sqlite_watches_init(struct sl_sqlite_watches *watches);
void sl_sqlite_watches_done(struct sl_sqlite_watches *watches); /* ends the thread */

/* visit NULL: end; see watch in sluice/transport.h. */
void sl_sqlite_watches_set(struct sl_sqlite_watches *watches, const char *space, sl_text_visitor *visit,
                           void *ctx);

/* A change is durable. The calls stand in the order in which watchers are to hear of it; copies. */
void sl_sqlite_watches_tell(struct sl_sqlite_watches *watches, const char *space, const char *key,
                            struct sl_span value);

#endif
