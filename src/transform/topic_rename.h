/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Topics renamed by a regular expression that must match the whole name. As in Java, the replacement then
 * goes to the first place where the expression is found, which is the whole name but for expressions whose
 * first alternative is shorter. Each topic is asked about once.
 */
#ifndef SLUICE_TRANSFORM_TOPIC_RENAME_H
#define SLUICE_TRANSFORM_TOPIC_RENAME_H

#include "base/buf.h"
#include "base/regex.h"
#include "sluice/record.h"

struct sl_topic_renamed {
    bool asked;
    const struct sl_topic *to; /* NULL: the expression does not match */
};

struct sl_topic_rename {
    struct sl_regex *regex;
    char *replacement;
    struct sl_topic_renamed *results; /* by topic id */
    uint32_t capacity;
    struct sl_buf name;
};

/* The two names of options are for messages. Errors: CONFIG. */
enum sl_rc sl_topic_rename_open(struct sl_topic_rename *rename, const char *prefix, const char *regex_option,
                                const char *regex, const char *replacement_option, const char *replacement,
                                struct sl_error *err);
void sl_topic_rename_done(struct sl_topic_rename *rename); /* a zeroed one is fine */

/* The new name, interned, perhaps empty; NULL when the expression does not match. */
const struct sl_topic *sl_topic_rename(struct sl_topic_rename *rename, const struct sl_topic *topic);

#endif
