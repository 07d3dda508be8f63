/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A keyed space of the log as its users want it: every change is told once, in the log's order, whoever made
 * it; and a write returns when its own change has been told (Connect's write-then-read-back), so that who
 * writes and then reads sees what it wrote.
 *
 * Threads: puts from any; visit is called on a thread of the transport, or on the putter's when the transport
 * watches nothing.
 */
#ifndef SLUICE_ENGINE_HERD_KEYED_VIEW_H
#define SLUICE_ENGINE_HERD_KEYED_VIEW_H

#include "sluice/transport.h"

struct sl_keyed_view;

/*
 * Begin to watch. visit is called for changes from now on; what is there is for the caller to list,
 * afterwards (a change in between is told twice). Errors: the transport's.
 */
enum sl_rc sl_keyed_view_open(struct sl_transport *transport, const char *space, sl_text_visitor *visit,
                              void *ctx, struct sl_keyed_view **ret, struct sl_error *err);
void sl_keyed_view_close(struct sl_keyed_view *view); /* nobody is being told when it returns; NULL is fine */

/* Errors: the transport's; TIMEOUT when the change is not seen within 30 s of being written. */
enum sl_rc sl_keyed_view_put(struct sl_keyed_view *view, const char *key, struct sl_span value,
                             struct sl_error *err);
enum sl_rc sl_keyed_view_put_all(struct sl_keyed_view *view, const struct sl_text *texts, size_t n,
                                 struct sl_error *err);

#endif
