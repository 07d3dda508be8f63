/* SPDX-License-Identifier: Apache-2.0 */
/* Which external systems a task talks to: its seats at their breakers (engine/breaker.h). */
#ifndef SLUICE_ENGINE_SYSTEMS_H
#define SLUICE_ENGINE_SYSTEMS_H

#include "engine/breaker.h"
#include "engine/task_context.h"

/* The source or target, and the schema registry of the value converter; a seat stays empty where there is
 * none. */
void sl_systems_join(const struct sl_shared *shared, const struct sl_connector *connector,
                     struct sl_seat *system, struct sl_seat *registry);

#endif
