/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of a service, for service.c and commands.c. */
#ifndef SIM_SCYLLA_WIRE_SERVICE_INTERNAL_H
#define SIM_SCYLLA_WIRE_SERVICE_INTERNAL_H

#include "listener.h"
#include "service.h"

struct sy_service {
    struct sy_wire wire;
    struct sy_listener listener;
    atomic_bool serving; /* between start and stop: schema changes are announced */
};

/* A node comes (UP, NEW_NODE) or goes (DOWN, REMOVED_NODE): to all clients that registered, but for those of
 * the node itself. event: SY_EVENT_STATUS or SY_EVENT_TOPOLOGY. */
void sy_service_announce(struct sy_service *service, unsigned event, const char *change, uint32_t node);

#endif
