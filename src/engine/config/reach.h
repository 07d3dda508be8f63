/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How far a connector that comes by REST may reach: who may write a configuration must not be able to read
 * the host's files, load its libraries or knock on every door of its network through it.
 *
 * - Files (key stores, certificates, an ODBC driver by its path) must lie below a folder of the worker's
 *   sluice.connector.files.
 * - Hosts must be among the worker's sluice.connector.hosts, where that is given; without it, all but
 *   link-local addresses (where clouds serve their credentials) and Unix sockets.
 *
 * Looked at when a configuration is put or validated, with its references resolved. Connectors in files on
 * the command line are not looked at: they are the administrator's, as the worker's file is. Names are
 * compared as they are written and are not resolved, so a list of names cannot be passed by with a name
 * server.
 */
#ifndef SLUICE_ENGINE_CONFIG_REACH_H
#define SLUICE_ENGINE_CONFIG_REACH_H

#include "sluice/option.h"

/* props: resolved. Each setting that reaches too far is complained of by its key. */
void sl_reach_check(const struct sl_props *props, const struct sl_props *worker,
                    struct sl_complaints *complaints);

/* One host (a name, an address, a socket's path) against a list; allowed NULL or empty: the default. */
bool sl_reach_host(const char *allowed, const char *host);

#endif
