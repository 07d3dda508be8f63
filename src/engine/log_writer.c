/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/log_writer.h"

#include "base/backoff.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/queue.h"
#include "base/thread.h"

#include <stdio.h>

enum {
    QUEUE_LENGTH = 64,
    GROUP_MAX = 16,        /* batches in one append */
    GROUP_BYTES = 8 << 20, /* no more batches are added beyond this */
    WARN_EVERY_US = 10 * 1000 * 1000,
    WAIT_MIN_US = 20 * 1000,
    WAIT_MAX_US = 500 * 1000,
    CLOSE_US = 300 * 1000,
};

struct sl_log_writer {
    struct sl_transport *transport;
    struct sl_log_appender *appender; /* an end of a task's own: nothing below is used but submitting */
    pthread_mutex_t submitting;       /* a task may hand in from several threads */

    struct sl_queue *queue;
    struct sl_thread thread;
    struct sl_stop stop;

    /* The writer thread's own. */
    struct sl_outgoing *group[GROUP_MAX];
    size_t n_group;
    struct sl_log_record *records; /* of several batches, put together */
    size_t n_records;
    size_t capacity;
    struct sl_source_offset *offsets; /* likewise */
    size_t offsets_capacity;
    struct sl_source_note *notes; /* likewise */
    size_t notes_capacity;
    struct sl_error failure; /* rc set: the writer is broken */

    pthread_mutex_t lock; /* guards note */
    char note[SL_ERROR_TEXT_SIZE];
};

static void set_note(struct sl_log_writer *writer, const char *text)
{
    (void)pthread_mutex_lock(&writer->lock);
    (void)snprintf(writer->note, sizeof(writer->note), "%s", text);
    (void)pthread_mutex_unlock(&writer->lock);
}

void sl_log_writer_note(struct sl_log_writer *writer, char *note, size_t size)
{
    if (writer->appender) {
        writer->transport->ops->appender_note(writer->appender, note, size);
        return;
    }
    (void)pthread_mutex_lock(&writer->lock);
    (void)snprintf(note, size, "%s", writer->note);
    (void)pthread_mutex_unlock(&writer->lock);
}

/* Wait for one batch, then take what else is there. False at the end. */
static bool collect(struct sl_log_writer *writer)
{
    void *item;
    size_t bytes;

    writer->n_group = 0;
    if (sl_queue_pop(writer->queue, SL_FOREVER, &item) == SL_QUEUE_CLOSED)
        return false;
    writer->group[writer->n_group++] = item;
    bytes = writer->group[0]->bytes.len;
    while (writer->n_group < GROUP_MAX && bytes < GROUP_BYTES &&
           sl_queue_pop(writer->queue, 0, &item) == SL_QUEUE_OK) {
        writer->group[writer->n_group++] = item;
        bytes += writer->group[writer->n_group - 1]->bytes.len;
    }
    return true;
}

/* One array of records: the batch's own when it is alone. */
static const struct sl_log_record *join(struct sl_log_writer *writer, size_t *ret_n)
{
    size_t n = 0;

    if (writer->n_group == 1) {
        *ret_n = writer->group[0]->n_records;
        return writer->group[0]->records;
    }
    for (size_t i = 0; i < writer->n_group; i++)
        n += writer->group[i]->n_records;
    if (n > writer->capacity) {
        writer->records = sl_realloc(writer->records, n, sizeof(*writer->records));
        writer->capacity = n;
    }
    n = 0;
    for (size_t i = 0; i < writer->n_group; i++) {
        const struct sl_outgoing *outgoing = writer->group[i];

        if (outgoing->n_records)
            memcpy(writer->records + n, outgoing->records, outgoing->n_records * sizeof(*writer->records));
        n += outgoing->n_records;
    }
    *ret_n = n;
    return writer->records;
}

/* The positions and memories of the whole group: the transport applies them in order, so that later ones win.
 */
static void join_positions(struct sl_log_writer *writer, struct sl_append *append)
{
    size_t n_offsets = 0;
    size_t n_notes = 0;

    for (size_t i = 0; i < writer->n_group; i++) {
        const struct sl_outgoing *outgoing = writer->group[i];

        for (size_t k = 0; k < outgoing->n_offsets; k++) {
            SL_GROW(writer->offsets, n_offsets, writer->offsets_capacity);
            writer->offsets[n_offsets++] = outgoing->offsets[k];
        }
        for (size_t k = 0; k < outgoing->n_notes; k++) {
            SL_GROW(writer->notes, n_notes, writer->notes_capacity);
            writer->notes[n_notes++] = outgoing->notes[k];
        }
    }
    append->offsets = writer->offsets;
    append->n_offsets = n_offsets;
    append->notes = writer->notes;
    append->n_notes = n_notes;
}

static enum sl_rc append_group(struct sl_log_writer *writer, struct sl_error *err)
{
    struct sl_append append = {0};

    append.records = join(writer, &append.n_records);
    join_positions(writer, &append);
    return writer->transport->ops->append(writer->transport, &append, err);
}

static enum sl_rc append_until_done(struct sl_log_writer *writer, struct sl_error *err)
{
    struct sl_backoff backoff = {.base_us = WAIT_MIN_US, .max_us = WAIT_MAX_US};
    int64_t next_line_us = 0;

    for (;;) {
        enum sl_rc rc = append_group(writer, err);

        if (rc == SL_OK && backoff.attempt) {
            sl_info("the log takes records again");
            set_note(writer, "");
        }
        if (rc == SL_OK || err->kind != SL_KIND_TRANSIENT)
            return rc;
        set_note(writer, err->text);
        if (sl_now_us() >= next_line_us) {
            sl_log_error(SL_LEVEL_WARN, "the log refuses records for now; the sources wait", err);
            next_line_us = sl_now_us() + WARN_EVERY_US;
        }
        if (sl_stop_wait(&writer->stop, sl_now_us() + sl_backoff_next_us(&backoff)))
            return sl_error_set(err, SL_E_STOPPED, "stopped while the log refused records");
    }
}

static void finish_group(struct sl_log_writer *writer, const struct sl_error *failure)
{
    for (size_t i = 0; i < writer->n_group; i++)
        writer->group[i]->done(writer->group[i]->ctx, writer->group[i], failure);
}

static void run(void *arg)
{
    struct sl_log_writer *writer = arg;

    while (collect(writer)) {
        if (!writer->failure.rc) {
            struct sl_error err = {0};

            if (append_until_done(writer, &err)) {
                writer->failure = err;
                set_note(writer, err.text);
                if (err.rc != SL_E_STOPPED)
                    sl_log_error(SL_LEVEL_ERROR, "the log cannot be written; every source stops", &err);
            }
        }
        finish_group(writer, writer->failure.rc ? &writer->failure : NULL);
    }
}

static struct sl_log_writer *make(struct sl_transport *transport)
{
    struct sl_log_writer *writer = sl_zalloc(1, sizeof(*writer));

    writer->transport = transport;
    writer->queue = sl_queue_new(QUEUE_LENGTH);
    (void)pthread_mutex_init(&writer->lock, NULL);
    (void)pthread_mutex_init(&writer->submitting, NULL);
    sl_stop_init(&writer->stop);
    return writer;
}

struct sl_log_writer *sl_log_writer_start(struct sl_transport *transport)
{
    struct sl_log_writer *writer = make(transport);

    if (!transport->ops->appender_open)
        sl_thread_start(&writer->thread, "log-writer", run, writer);
    return writer;
}

enum sl_rc sl_log_writer_open(struct sl_log_writer *writer, const struct sl_appender_config *config,
                              struct sl_log_writer **ret, struct sl_error *err)
{
    struct sl_transport *transport = writer->transport;
    struct sl_log_appender *appender;
    enum sl_rc rc;

    if (!transport->ops->appender_open) {
        *ret = writer;
        return SL_OK;
    }
    rc = transport->ops->appender_open(transport, config, &appender, err);
    if (rc)
        return rc;
    *ret = make(transport);
    (*ret)->appender = appender;
    return SL_OK;
}

void sl_log_writer_abandon(struct sl_log_writer *end)
{
    if (end && end->appender)
        end->transport->ops->appender_abandon(end->appender);
}

void sl_log_writer_close(struct sl_log_writer *end)
{
    if (!end || !end->appender)
        return;
    end->transport->ops->appender_close(end->appender, sl_now_us() + CLOSE_US);
    end->appender = NULL;
    sl_log_writer_free(end);
}

/* The batch went out by a task's own appender. */
static void appended(void *ctx, const struct sl_error *failure)
{
    struct sl_outgoing *outgoing = ctx;

    outgoing->done(outgoing->ctx, outgoing, failure);
}

static void submit_by_appender(struct sl_log_writer *writer, struct sl_outgoing *outgoing)
{
    const struct sl_append append = {
        .records = outgoing->records,
        .n_records = outgoing->n_records,
        .offsets = outgoing->offsets,
        .n_offsets = outgoing->n_offsets,
        .notes = outgoing->notes,
        .n_notes = outgoing->n_notes,
    };

    (void)pthread_mutex_lock(&writer->submitting);
    writer->transport->ops->appender_append(writer->appender, &append, appended, outgoing);
    (void)pthread_mutex_unlock(&writer->submitting);
}

void sl_log_writer_submit(struct sl_log_writer *writer, struct sl_outgoing *outgoing)
{
    static const struct sl_error stopped = {
        .rc = SL_E_STOPPED, .kind = SL_KIND_FATAL, .text = "the log is closed", .where = SL_HERE};

    SL_ASSERT(outgoing->sealed);
    if (writer->appender) {
        submit_by_appender(writer, outgoing);
        return;
    }
    if (sl_queue_push(writer->queue, outgoing, SL_FOREVER) != SL_QUEUE_OK)
        outgoing->done(outgoing->ctx, outgoing, &stopped);
}

void sl_log_writer_stop(struct sl_log_writer *writer)
{
    if (!writer)
        return;
    sl_stop_request(&writer->stop);
    sl_queue_close(writer->queue);
    sl_thread_join(&writer->thread);
}

void sl_log_writer_free(struct sl_log_writer *writer)
{
    if (!writer)
        return;
    sl_log_writer_stop(writer);
    sl_stop_done(&writer->stop);
    sl_queue_free(writer->queue);
    (void)pthread_mutex_destroy(&writer->lock);
    (void)pthread_mutex_destroy(&writer->submitting);
    sl_free(writer->records);
    sl_free(writer->offsets);
    sl_free(writer->notes);
    sl_free(writer);
}
