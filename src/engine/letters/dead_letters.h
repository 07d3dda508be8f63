/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What becomes of a bad record (kind DATA), as a connector's errors.* keys say: the task stops (tolerance
 * none), or the record is written to the dead letter topic, durable before anybody moves a position past it,
 * or it is left out with a log line when no topic is named.
 *
 * After a transient failure a batch is read and tried again, bad records included; a letter that this process
 * wrote is not written twice. After a crash it can be: its topic, partition and offset tell.
 *
 * Threads: any of the task's.
 */
#ifndef SLUICE_ENGINE_LETTERS_DEAD_LETTERS_H
#define SLUICE_ENGINE_LETTERS_DEAD_LETTERS_H

#include "engine/log_writer.h"
#include "engine/herd/status.h"
#include "engine/topics.h"

struct sl_dead_letters;

/* What is bad and where it was found out. */
struct sl_bad_record {
    const struct sl_log_record *raw; /* as in the log; offset -1 when the record never was in one */
    const char *stage;      /* Connect's word: "VALUE_CONVERTER", "TRANSFORMATION", "TASK_PUT", ... */
    const char *class_name; /* Java class that would have run */
    const struct sl_error *why;
    int attempt;        /* 0 or 1: it failed for the first time */
    bool waits;         /* not bad itself: it waits behind a bad one with its key */
    int64_t behind;     /* that one's offset */
    const char *source; /* a source's position (letter.h); NULL: none */
};

/* Everything is borrowed and lives longer. Errors: those of creating the dead letter topic. */
enum sl_rc sl_dead_letters_open(struct sl_dead_letters **ret, const char *connector, int task,
                                const struct sl_props *props, const struct sl_topic_settings *settings,
                                struct sl_topics *topics, struct sl_log_writer *writer, struct sl_error *err);
void sl_dead_letters_close(struct sl_dead_letters *letters);

/*
 * SL_OK: taken care of, the position may pass. DATA: nobody tolerates it; the text names topic, partition and
 * offset. Else: the letter could not be written.
 */
enum sl_rc sl_dead_letters_report(struct sl_dead_letters *letters, const struct sl_bad_record *bad,
                                  struct sl_error *err);

/*
 * Write letters, all in one append and durable on return, whatever errors.tolerance says: for records that
 * wait behind a bad one, and for replays. There is a topic. Errors: those of the log.
 */
enum sl_rc sl_dead_letters_write(struct sl_dead_letters *letters, const struct sl_bad_record *bads, size_t n,
                                 struct sl_error *err);

/* Write records as they are, headers and all: letters that a replay passes by. As above. */
enum sl_rc sl_dead_letters_put_back(struct sl_dead_letters *letters, const struct sl_log_record *records,
                                    size_t n, struct sl_error *err);

/* Any thread. What is stale and how many keys are parked is not counted here. */
void sl_dead_letters_counts(struct sl_dead_letters *letters, struct sl_error_counts *ret);

/* The topic that letters go to, or NULL. */
const struct sl_topic *sl_dead_letters_topic(const struct sl_dead_letters *letters);

#endif
