/* SPDX-License-Identifier: Apache-2.0 */
/* A node's listening sockets: the plain one, and the shard-aware one. */
#ifndef SIM_SCYLLA_WIRE_SOCKETS_H
#define SIM_SCYLLA_WIRE_SOCKETS_H

#include "wire.h"

/* Open at the node's address and ports; ports that are 0 are chosen and set. False with errno; then none is
 * open. */
bool sy_sockets_open(struct sy_node *node, bool shard_aware, int ret_fds[2]);
void sy_sockets_close(int fds[2]);

#endif
