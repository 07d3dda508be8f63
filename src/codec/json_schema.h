/* SPDX-License-Identifier: Apache-2.0 */
/* Connect schemas in the JSON form of Kafka's JsonConverter. */
#ifndef SLUICE_CODEC_JSON_SCHEMA_H
#define SLUICE_CODEC_JSON_SCHEMA_H

#include "base/buf.h"
#include "codec/value_json.h"

/* Append {"type":...,"optional":...,...}; members in the order in which Kafka writes them. */
void sl_json_schema_put(struct sl_buf *out, const struct sl_schema *schema,
                        const struct sl_json_style *style);

/* Read such text; "null" gives NULL. Errors: DATA. */
enum sl_rc sl_json_schema_read(struct sl_span text, const struct sl_schema **ret, struct sl_error *err);

#endif
