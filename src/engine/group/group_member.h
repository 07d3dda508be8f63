/* SPDX-License-Identifier: Apache-2.0 */
/*
 * This process as a member of its group: joins the herder (which starts and stops tasks) to the cluster
 * (which knows which are ours). Made and ended by the thread that runs the worker.
 */
#ifndef SLUICE_ENGINE_GROUP_GROUP_MEMBER_H
#define SLUICE_ENGINE_GROUP_GROUP_MEMBER_H

#include "engine/group/cluster.h"
#include "engine/herd/herder.h"

struct sl_group_member;

/* The worker's file makes it one of a group: bootstrap.servers and group.id are set. */
bool sl_group_member_is_wanted(const struct sl_props *worker);

/*
 * Join, between sl_herder_open and sl_herder_start; herder and worker's properties are borrowed. url: where
 * this worker's REST API answers, or NULL. A log that this process has for itself makes a group of one.
 * Errors: the membership's.
 */
enum sl_rc sl_group_member_join(struct sl_herder *herder, const struct sl_props *worker, const char *url,
                                struct sl_group_member **ret, struct sl_error *err);

/* Readable once the membership is over (sl_group_member_failure says why): for poll(2). */
int sl_group_member_fd(const struct sl_group_member *member);
bool sl_group_member_failure(struct sl_group_member *member, struct sl_error *ret);

struct sl_cluster *sl_group_member_cluster(struct sl_group_member *member);

/* After sl_herder_stop, before sl_herder_free. NULL is fine. */
void sl_group_member_leave(struct sl_group_member *member);

#endif
