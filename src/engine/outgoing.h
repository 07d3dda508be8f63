/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A batch on its way into the log: encoded records, the source position that covers them, and whom to tell
 * when it is durable. The bytes of all records stand in one buffer; a few of these circulate per task, so
 * that the source reads on while the log syncs.
 *
 * Threads: one owner at a time, handed over by queues.
 */
#ifndef SLUICE_ENGINE_OUTGOING_H
#define SLUICE_ENGINE_OUTGOING_H

#include "base/buf.h"
#include "sluice/transport.h"

struct sl_outgoing {
    struct sl_buf bytes;           /* keys, values and headers, one behind the other */
    struct sl_log_record *records; /* until sealed their spans hold places in bytes, not pointers */
    size_t n_records;
    size_t records_capacity;
    struct sl_buf texts; /* of the offsets and notes; places as with the records */
    struct sl_source_offset *offsets;
    size_t n_offsets;
    size_t offsets_capacity;
    struct sl_source_note *notes;
    size_t n_notes;
    size_t notes_capacity;
    bool sealed;
    const char *connector; /* for the offset; lives longer than this */
    int64_t encoded_us;    /* when the source had it read, for the lag */

    /* On the writer's thread: failure NULL means durable. The owner is whoever is called. */
    void (*done)(void *ctx, struct sl_outgoing *outgoing, const struct sl_error *failure);
    void *ctx;
};

struct sl_outgoing *sl_outgoing_new(const char *connector);
void sl_outgoing_free(struct sl_outgoing *outgoing);
void sl_outgoing_reset(struct sl_outgoing *outgoing);

/* Places in bytes as they stand in an unsealed record's span; end is bytes.len after the part was written. */
static inline struct sl_span sl_outgoing_place(size_t start, size_t end)
{
    return (struct sl_span){.ptr = (const uint8_t *)(start + 1), .len = end - start};
}

static inline void sl_outgoing_add(struct sl_outgoing *outgoing, const struct sl_log_record *record)
{
    SL_GROW(outgoing->records, outgoing->n_records, outgoing->records_capacity);
    outgoing->records[outgoing->n_records++] = *record;
}

/* Positions and memories to be stored with the records. The spans are copied. */
void sl_outgoing_add_offset(struct sl_outgoing *outgoing, struct sl_span partition, struct sl_span offset);
void sl_outgoing_add_note(struct sl_outgoing *outgoing, const struct sl_note *note);

/* Turn places into pointers: nothing may be added from here on. */
void sl_outgoing_seal(struct sl_outgoing *outgoing);

#endif
