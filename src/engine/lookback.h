/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What stands in the log just before the places where a sink task begins: its source positions are what the
 * target has already (repeats.h).
 */
#ifndef SLUICE_ENGINE_LOOKBACK_H
#define SLUICE_ENGINE_LOOKBACK_H

#include "base/thread.h"
#include "engine/repeats.h"

/*
 * Show the last SL_REPEATS_BACK records before partitions[].next_offset to repeats, in the log's order; where
 * that is -1, nothing is applied and nothing shown. The task's own reader is open. Ends early, with SL_OK, on
 * stop. Errors: the transport's.
 */
enum sl_rc sl_lookback(struct sl_transport *transport, const char *reader,
                       const struct sl_progress *partitions, size_t n, const struct sl_stop *stop,
                       struct sl_repeats *repeats, struct sl_error *err);

#endif
