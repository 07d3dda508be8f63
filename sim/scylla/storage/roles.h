/* SPDX-License-Identifier: Apache-2.0 */
/* Logins: system_auth.roles with salted hashes. sy_server_login and sy_store_set_password live here too. */
#ifndef SIM_SCYLLA_STORAGE_ROLES_H
#define SIM_SCYLLA_STORAGE_ROLES_H

struct sy_server;

/* The first role, cassandra with password cassandra, where there is none at all. After the journal was read.
 */
void sy_roles_open(struct sy_server *server);

#endif
