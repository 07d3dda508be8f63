/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A registry that is served over HTTP: Confluent's, Apicurio's Confluent-compatible one, another sluice's.
 *
 * Addresses are asked in turn: one that cannot be reached is left for the next. Server errors, 408 and 429
 * are tried again max.retries times, with a growing wait between. What was learnt is kept: an id means the
 * same text for ever, a text in a subject has the same id for ever.
 *
 * Errors: CONNECT, TIMEOUT, BUSY (transient: the registry or the way to it); AUTH; DATA (the schema is
 * refused: incompatible, invalid), with the registry's own explanation first in the text; NOT_FOUND; CONFIG.
 */
#ifndef SLUICE_REGISTRY_HTTP_H
#define SLUICE_REGISTRY_HTTP_H

#include "registry/http_config.h"
#include "sluice/registry.h"

/* The configuration is taken over. */
struct sl_registry *sl_registry_http_new(struct sl_registry_http_config *config);

#endif
