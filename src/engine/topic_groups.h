/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a source's topics are made when they come into being: topic.creation.default.*, and the groups that
 * topic.creation.groups names, each for the topics that its include matches and its exclude does not
 * (KIP-158). The first group in that list wins. A group that does not say how many partitions has the default
 * group's; nothing else is inherited from there.
 *
 * Threads: any, once open.
 */
#ifndef SLUICE_ENGINE_TOPIC_GROUPS_H
#define SLUICE_ENGINE_TOPIC_GROUPS_H

#include "sluice/option.h"
#include "sluice/transport.h"

struct sl_topic_groups;

/* Keys behind "topic.creation.<group>." */
extern const struct sl_option sl_topic_group_options[];

/* Complaints about the groups' keys. */
void sl_topic_groups_check(const struct sl_props *props, struct sl_complaints *complaints);

/* Is it a key of a group that topic.creation.groups names? */
bool sl_topic_groups_know(const struct sl_props *props, const char *key);

/*
 * settings: the worker's, for what the connector does not say; props outlives the groups. Errors: CONFIG (an
 * expression that cannot be compiled).
 */
enum sl_rc sl_topic_groups_open(const struct sl_props *props, const struct sl_topic_settings *settings,
                                struct sl_topic_groups **ret, struct sl_error *err);
void sl_topic_groups_close(struct sl_topic_groups *groups); /* NULL is fine */

/* Of a topic that is to be made; NULL: of one that no group is asked for. */
const struct sl_topic_settings *sl_topic_groups_settings(const struct sl_topic_groups *groups,
                                                         const struct sl_topic *topic);

#endif
