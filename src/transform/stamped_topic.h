/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A topic name with a timestamp in it. The name is the same for all timestamps of one step of the pattern (a
 * day for yyyyMMdd), so it is made once for each. Threads: one.
 */
#ifndef SLUICE_TRANSFORM_STAMPED_TOPIC_H
#define SLUICE_TRANSFORM_STAMPED_TOPIC_H

#include "base/buf.h"
#include "codec/date_format.h"
#include "sluice/transform.h"

struct sl_stamped_topic {
    char *topic_format; /* with ${topic} and ${timestamp} in it */
    struct sl_date_format *timestamp_format;
    struct sl_buf name;
    const struct sl_topic *last_from;
    const struct sl_topic *last_to;
    int64_t last_step; /* of last_to */
};

/* Errors: CONFIG, with the place in the pattern. */
enum sl_rc sl_stamped_topic_open(struct sl_stamped_topic *stamped, const char *topic_format,
                                 const char *timestamp_format, struct sl_error *err);
void sl_stamped_topic_done(struct sl_stamped_topic *stamped); /* a zeroed one is fine */

/* Give the message its new topic; SL_FAIL with a data error that names the transform when that is empty. */
enum sl_verdict sl_stamped_topic_apply(struct sl_stamped_topic *stamped, const char *transform, int64_t ms,
                                       struct sl_message *message, struct sl_error *err);

#endif
