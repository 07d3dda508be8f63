/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which of two positions a stopped sink connector goes on from, where its target and the log's committed
 * offset of its group differ (start_position.h).
 */
#ifndef SLUICE_ENGINE_MIGRATE_ADOPT_H
#define SLUICE_ENGINE_MIGRATE_ADOPT_H

#include "engine/herd/stored_connectors.h"

enum sl_adopt_from { SL_ADOPT_TARGET, SL_ADOPT_GROUP };

struct sl_adopted {
    const char *topic;
    int32_t partition;
    int64_t target; /* what each held; -1: nothing */
    int64_t group;
    int64_t now; /* where it goes on; -1: at the oldest record */
};

typedef void sl_adopt_visitor(void *ctx, const struct sl_adopted *adopted);

/*
 * Make both the same, for every partition that exists. With nothing in the chosen place the partition keeps
 * what it has. Errors: the transport's (a group that is in use takes no commit), the sink's.
 */
enum sl_rc sl_adopt(struct sl_transport *transport, const struct sl_connector *connector,
                    enum sl_adopt_from from, sl_adopt_visitor *visit, void *ctx, struct sl_error *err);

#endif
