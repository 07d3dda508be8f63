/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Showing bytes of the log to people: Confluent-framed Avro through the registry, JSON as it is, text quoted,
 * anything else as hexadecimal digits. What the bytes are is seen from the bytes.
 */
#ifndef SLUICE_CLI_SHOW_VALUE_H
#define SLUICE_CLI_SHOW_VALUE_H

#include "base/buf.h"
#include "engine/config/plugins.h"

struct sl_shower;

/* Without a registry (it may not exist yet) Avro is shown as bytes. */
enum sl_rc sl_shower_open(const struct sl_plugins *plugins, const struct sl_props *worker,
                          struct sl_transport *transport, struct sl_shower **ret, struct sl_error *err);
void sl_shower_close(struct sl_shower *shower);

/* Append bytes as one JSON value. */
void sl_shower_put(struct sl_shower *shower, const struct sl_topic *topic, struct sl_span bytes,
                   struct sl_buf *out);

/* Append encoded headers as one JSON object. */
void sl_shower_put_headers(struct sl_span headers, struct sl_buf *out);

#endif
