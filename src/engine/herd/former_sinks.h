/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The log keeps for every sink what it has not applied. A sink that is not configured any more would keep the
 * log growing until its size limit stops the sources: at a start, those of earlier starts that are missing
 * now are let go. Should one come back after its records are gone, its task stops with a GAP; it never jumps.
 */
#ifndef SLUICE_ENGINE_HERD_FORMER_SINKS_H
#define SLUICE_ENGINE_HERD_FORMER_SINKS_H

#include "sluice/transport.h"

/* These readers are configured now; note them for the next start, and let go of those noted before. */
enum sl_rc sl_former_sinks_release(struct sl_transport *transport, const char *const *readers, size_t n,
                                   struct sl_error *err);

#endif
