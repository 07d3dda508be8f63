/* SPDX-License-Identifier: Apache-2.0 */
/* What the commands `sluice dlq ...` share: their filters, and which topics hold dead letters. */
#ifndef SLUICE_CLI_DLQ_H
#define SLUICE_CLI_DLQ_H

#include "cli/state.h"
#include "engine/letters/dlq.h"

extern const struct sl_command sl_command_dlq_list;
extern const struct sl_command sl_command_dlq_show;
extern const struct sl_command sl_command_dlq_export;
extern const struct sl_command sl_command_dlq_replay;
extern const struct sl_command sl_command_dlq_drop;

#define SL_DLQ_FLAGS                                                                                      \
    {"topic", 0, "TOPIC", "only records of this topic"},                                                  \
        {"stage", 0, "STAGE", "only those that failed there: TASK_PUT, VALUE_CONVERTER, ..., or PARKED"}, \
        {"error", 0, "TEXT", "only those whose error holds this text"},                                   \
        {"since", 0, "AGE", "only letters of the last 90s, 10m, 2h, 7d"},                                 \
        {"until", 0, "AGE", "only older ones"},                                                           \
        {"letters", 0, "P@O,...", "only these, as dlq list shows them"}

/* The filter that the flags say. Texts are the arguments'. SL_EXIT_OK, or how it was used wrongly was said.
 */
int sl_dlq_flags(const struct sl_command *command, const struct sl_arguments *arguments,
                 struct sl_dlq_filter *ret);

/* Ask the worker that runs to replay or drop, and say what it did; the command's exit status. */
int sl_dlq_ask(const struct sl_arguments *arguments, const struct sl_dlq_filter *filter, bool drop);

/* A topic that holds dead letters, and the connector whose they are; NULL: anybody's. */
struct sl_dlq_topic {
    const struct sl_topic *topic;
    char *connector;
};

struct sl_dlq_topics {
    struct sl_dlq_topic *items;
    size_t n, capacity;
};

/*
 * Of the connector of that name; else the topic itself; NULL: of all connectors that the log knows. Errors:
 * the log's, CONFIG (the connector has none).
 */
enum sl_rc sl_dlq_topics_find(struct sl_transport *log, const char *wanted, struct sl_dlq_topics *ret,
                              struct sl_error *err);
void sl_dlq_topics_done(struct sl_dlq_topics *topics);

#endif
