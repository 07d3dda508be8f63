/* SPDX-License-Identifier: Apache-2.0 */
/* Default values between Connect's values and the JSON of Avro's schema text. Private to codec/. */
#ifndef SLUICE_CODEC_AVRO_DEFAULT_H
#define SLUICE_CODEC_AVRO_DEFAULT_H

#include "base/arena.h"
#include "codec/avro_schema.h"

/* The JSON of a default: bytes as ISO-8859-1 text. NULL when JSON cannot hold it (NaN). A new reference. */
json_t *sl_avro_default_json(const struct sl_schema *schema, struct sl_value value,
                             const struct sl_avro_options *options);

/* The value that the JSON stands for, in the arena; false when it does not fit the schema. */
bool sl_avro_default_value(const struct sl_schema *schema, const json_t *json, struct sl_arena *arena,
                           struct sl_value *ret);

#endif
