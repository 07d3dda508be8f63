/* SPDX-License-Identifier: Apache-2.0 */
/* The embedded log's notes on its move to Kafka: "<topic>/<partition>" where copying began, "done" at the
 * end. */
#ifndef SLUICE_ENGINE_MIGRATE_MIGRATE_SPACE_H
#define SLUICE_ENGINE_MIGRATE_MIGRATE_SPACE_H

#define SL_MIGRATE_SPACE "migration"
#define SL_MIGRATE_DONE "done"

#endif
