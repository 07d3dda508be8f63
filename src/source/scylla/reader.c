/* SPDX-License-Identifier: Apache-2.0 */
#include "source/scylla/reader.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "source/scylla/scan_queue.h"

enum { HELD_BYTES_MAX = 32 << 20 };

void sl_scylla_reader_init(struct sl_scylla_reader *reader, const struct sl_scylla_config *config,
                           struct sl_cql *cql)
{
    *reader = (struct sl_scylla_reader){
        .config = config,
        .cql = cql,
        .bytes_max = HELD_BYTES_MAX,
        .backoff = {.base_us = config->backoff_base_us, .max_us = config->backoff_max_us},
    };
}

void sl_scylla_reader_done(struct sl_scylla_reader *reader)
{
    for (size_t i = 0; i < reader->n_orphans; i++)
        sl_free(reader->orphans[i]);
    sl_free(reader->orphans);
    reader->orphans = NULL;
    reader->n_orphans = 0;
}

void sl_scylla_reader_orphan(struct sl_scylla_reader *reader, struct sl_scylla_ask *ask)
{
    SL_GROW(reader->orphans, reader->n_orphans, reader->orphans_capacity);
    reader->orphans[reader->n_orphans++] = ask;
}

void sl_scylla_reader_adopt(struct sl_scylla_reader *reader, struct sl_scylla_ask *ask)
{
    for (size_t i = 0; i < reader->n_orphans; i++) {
        if (reader->orphans[i] == ask) {
            reader->orphans[i] = reader->orphans[--reader->n_orphans];
            return;
        }
    }
}

bool sl_scylla_reader_has_room(const struct sl_scylla_reader *reader)
{
    return reader->in_flight < reader->config->requests_max && sl_cql_room(reader->cql) > 0;
}

void sl_scylla_reader_ask(struct sl_scylla_reader *reader, struct sl_cql_request *request,
                          struct sl_scylla_ask *ask)
{
    enum sl_rc rc;

    request->ctx = ask;
    rc = sl_cql_submit(reader->cql, request, NULL);
    SL_ASSERT(rc == SL_OK); /* there was room */
    reader->in_flight++;
}

void sl_scylla_reader_failed(struct sl_scylla_reader *reader, const struct sl_scylla_table *table,
                             const struct sl_error *err)
{
    struct sl_error *to = err->kind == SL_KIND_TRANSIENT ? &reader->failure : &reader->fatal;

    *to = *err;
    (void)sl_error_wrap(to, "reading '%s.%s'", table->keyspace, table->log_name);
    if (to == &reader->failure && sl_now_us() >= reader->not_before_us)
        reader->not_before_us = sl_now_us() + sl_backoff_next_us(&reader->backoff);
}

static void send_scans(struct sl_scylla_reader *reader)
{
    struct sl_scylla_scan *scan = reader->first;

    if (reader->not_before_us && sl_now_us() < reader->not_before_us)
        return;
    while (scan && sl_scylla_reader_has_room(reader)) {
        struct sl_scylla_scan *next = sl_scylla_scan_queued_after(scan);

        sl_scylla_scan_send(scan);
        scan = next;
    }
}

static void take(struct sl_scylla_reader *reader, struct sl_cql_answer *answer)
{
    struct sl_scylla_ask *ask = answer->ctx;

    reader->in_flight--;
    if (answer->rc == SL_OK) {
        sl_backoff_reset(&reader->backoff);
        reader->not_before_us = 0;
    }
    ask->answered(ask, answer);
}

bool sl_scylla_reader_pump(struct sl_scylla_reader *reader, int64_t deadline_us)
{
    struct sl_cql_answer *answer;

    send_scans(reader);
    if (reader->first && reader->not_before_us && reader->not_before_us < deadline_us)
        deadline_us = reader->not_before_us;
    answer = sl_cql_poll(reader->cql, deadline_us);
    if (!answer)
        return false;
    for (; answer; answer = sl_cql_poll(reader->cql, 0))
        take(reader, answer);
    send_scans(reader);
    return true;
}
