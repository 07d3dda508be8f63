/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a dead letter says of itself: the header "__sluice.letter", a JSON object that stands in every letter
 * that sluice writes, whatever errors.deadletterqueue.context.headers.enable says, since replaying needs it.
 * Connect's own headers (__connect.errors.*) hold the same for people and their tools.
 *
 *     {"version":1,"connector":"sink","task":0,"topic":"orders","partition":0,"offset":17,"stage":"TASK_PUT",
 *      "class":"...","code":"DATA","native":"23514","error":"...","at":1700000000000,"attempt":1}
 *
 * A record that waits behind a bad one with its key has the stage "PARKED" and "behind": that one's offset.
 */
#ifndef SLUICE_ENGINE_LETTERS_LETTER_H
#define SLUICE_ENGINE_LETTERS_LETTER_H

#include "base/buf.h"
#include "sluice/error.h"
#include "sluice/record.h"

#define SL_HEADER_LETTER "__sluice.letter"
#define SL_STAGE_PARKED "PARKED"

struct sl_letter {
    char *connector;
    int task;
    char *topic; /* the record's own place */
    int32_t partition;
    int64_t offset;
    char *stage;
    char *class_name;
    char *code;   /* "DATA" */
    char *native; /* SQLSTATE or the like; "" */
    char *error;
    int64_t at_ms;  /* when it was written */
    int attempt;    /* 1: it failed for the first time; more: replays failed too */
    int64_t behind; /* PARKED: the offset of the record that it waits for; else -1 */
    char
        *source; /* a source's letter: {"partition": {...}, "offset": {...}} as the peers store it; else "" */
};

/* The header's value, appended. */
void sl_letter_put(struct sl_buf *out, const struct sl_letter *letter);

/*
 * Read it out of a record's headers. The texts are the letter's own (sl_letter_done). False: the record is no
 * letter of ours.
 */
bool sl_letter_read(struct sl_span headers, struct sl_letter *ret);
void sl_letter_done(struct sl_letter *letter);

/* The headers that the record had before it became a letter, appended. */
void sl_letter_own_headers(struct sl_span headers, struct sl_buf *out);

#endif
