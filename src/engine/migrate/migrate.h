/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Move what stands in an embedded log to Kafka: configs, source offsets and memories, schema ids, and the
 * records that the configured sinks have not applied; then say in each sink's target where it goes on in the
 * new log. A position means something in one log only, so nothing less than this is a move.
 *
 * It can be repeated after a crash at any moment: what was copied is known by counting. The old log is left
 * as it was, but for a note that it has moved; no program starts on it after that.
 *
 * Nothing else writes to either log meanwhile: the embedded one is locked by being open, the connectors do
 * not exist in the other one before the end.
 */
#ifndef SLUICE_ENGINE_MIGRATE_MIGRATE_H
#define SLUICE_ENGINE_MIGRATE_MIGRATE_H

#include "engine/herd/stored_connectors.h"

struct sl_migration {
    struct sl_stored stored; /* of the embedded log, open for writing */
    struct sl_transport *to; /* open for writing */

    /* The result. */
    size_t connectors, topics, offsets, schemas;
    uint64_t records;
};

/*
 * Errors: CONFIG (connectors or records are there already that are not ours, keys are parked), the
 * transports', the sinks'.
 */
enum sl_rc sl_migrate(struct sl_migration *migration, struct sl_error *err);

/*
 * May a worker with these properties start on its log? An embedded log that has moved is not run on; brokers
 * are not switched to over an embedded log with records in it. Errors: CONFIG says what to do.
 */
enum sl_rc sl_migrate_refuse(const struct sl_plugins *plugins, const struct sl_props *worker,
                             struct sl_error *err);

#endif
