/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A dead letter topic as a queue: its letters from the first that nobody has settled to those that are there
 * now, and which of them are meant. What a connector has settled (replayed, dropped) is a committed position
 * of the reader "sluice-dlq-<connector>": letters below it stay in the topic until its retention takes them,
 * and are not shown or replayed any more.
 */
#ifndef SLUICE_ENGINE_LETTERS_DLQ_H
#define SLUICE_ENGINE_LETTERS_DLQ_H

#include "engine/letters/letter.h"
#include "sluice/transport.h"

/* What is given has to be so; NULL and 0 stand for anything. */
struct sl_dlq_filter {
    const char *connector;
    const char *topic; /* that the record came from */
    const char *stage;
    const char *error;   /* stands somewhere in the error's text, whatever the case */
    int64_t since_ms;    /* written at or after */
    int64_t until_ms;    /* written before */
    const char *letters; /* "partition@offset" in the dead letter topic, separated by commas */
};

bool sl_dlq_matches(const struct sl_dlq_filter *filter, const struct sl_log_record *record,
                    const struct sl_letter *letter);

/* Is the text of sl_dlq_filter.letters well formed? */
bool sl_dlq_are_letters(const char *text);

/* The name of the reader whose position says what a connector has settled; heap memory. */
char *sl_dlq_reader(const char *connector);

/* The partitions of the topic: first_offset what is not settled by the connector (NULL: the oldest),
 * next_offset the end now. Heap memory. Errors: NOT_FOUND (there is no such topic), the log's. */
enum sl_rc sl_dlq_ends(struct sl_transport *transport, const char *connector, const struct sl_topic *topic,
                       struct sl_progress **ret, size_t *ret_n, struct sl_error *err);

/* False: enough. letter is NULL when the record is none of ours. */
typedef bool sl_dlq_visitor(void *ctx, const struct sl_log_record *record, const struct sl_letter *letter);

/* Every record of the topic that the connector (NULL: anybody) has not settled. Errors: as sl_dlq_ends. */
enum sl_rc sl_dlq_scan(struct sl_transport *transport, const char *connector, const struct sl_topic *topic,
                       sl_dlq_visitor *visit, void *ctx, struct sl_error *err);

#endif
