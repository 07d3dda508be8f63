/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The converters that exist, for the table in main.c. Each one's options stand in its .c file.
 */
#ifndef SLUICE_CODEC_CONVERTERS_H
#define SLUICE_CODEC_CONVERTERS_H

#include "sluice/converter.h"

extern const struct sl_converter_ops sl_converter_avro; /* io.confluent.connect.avro.AvroConverter */
extern const struct sl_converter_ops sl_converter_json; /* org.apache.kafka.connect.json.JsonConverter */
extern const struct sl_converter_ops
    sl_converter_string; /* org.apache.kafka.connect.storage.StringConverter */
extern const struct sl_converter_ops sl_converter_simple; /* ...storage.SimpleHeaderConverter */
extern const struct sl_converter_ops sl_converter_bytes;  /* ...converters.ByteArrayConverter */
extern const struct sl_converter_ops sl_converter_short;  /* ...converters.ShortConverter, and so on */
extern const struct sl_converter_ops sl_converter_integer;
extern const struct sl_converter_ops sl_converter_long;
extern const struct sl_converter_ops sl_converter_float;
extern const struct sl_converter_ops sl_converter_double;
extern const struct sl_converter_ops sl_converter_boolean;

#endif
