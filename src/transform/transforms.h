/* SPDX-License-Identifier: Apache-2.0 */
/* The single-message transforms that exist; main.c lists them for the engine. Predicates: predicate.h. */
#ifndef SLUICE_TRANSFORM_TRANSFORMS_H
#define SLUICE_TRANSFORM_TRANSFORMS_H

#include "sluice/transform.h"

/* io.debezium.transforms.ExtractNewRecordState: the row out of Debezium's envelope. */
extern const struct sl_transform_ops sl_transform_extract_new_record_state;

/* org.apache.kafka.connect.transforms.Flatten$Key, $Value: structs in structs become one. */
extern const struct sl_transform_ops sl_transform_flatten;

/* org.apache.kafka.connect.transforms.InsertField$Key, $Value: topic, offset, timestamp ... as fields. */
extern const struct sl_transform_ops sl_transform_insert_field;

/* org.apache.kafka.connect.transforms.InsertHeader: a fixed value, or a new UUID, as a header. */
extern const struct sl_transform_ops sl_transform_insert_header;

/* org.apache.kafka.connect.transforms.ReplaceField$Key, $Value: leave fields out, rename them. */
extern const struct sl_transform_ops sl_transform_replace_field;

/* org.apache.kafka.connect.transforms.RegexRouter: rename topics. */
extern const struct sl_transform_ops sl_transform_regex_router;

/*
 * com.scylladb.cdc.debezium.connector.transforms: ScyllaExtractNewRecordState, the row out of the envelope
 * and its columns out of their cells; ScyllaFlattenColumns, the latter within the envelope.
 */
extern const struct sl_transform_ops sl_transform_scylla_extract_new_record_state;
extern const struct sl_transform_ops sl_transform_scylla_flatten_columns;

#endif
