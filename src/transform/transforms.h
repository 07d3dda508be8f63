/* SPDX-License-Identifier: Apache-2.0 */
/* The single-message transforms that exist; main.c lists them for the engine. Predicates: predicate.h. */
#ifndef SLUICE_TRANSFORM_TRANSFORMS_H
#define SLUICE_TRANSFORM_TRANSFORMS_H

#include "sluice/transform.h"

/* io.debezium.transforms.ExtractNewRecordState: the row out of Debezium's envelope. */
extern const struct sl_transform_ops sl_transform_extract_new_record_state;

/* io.debezium.transforms.ExtractChangedRecordState: which columns an update changed, as headers. */
extern const struct sl_transform_ops sl_transform_extract_changed_record_state;

/* io.debezium.transforms.ByLogicalTableRouter, ToLogicalTopicRouter: parts of one table to one topic. */
extern const struct sl_transform_ops sl_transform_by_logical_table_router;
extern const struct sl_transform_ops sl_transform_to_logical_topic_router;

/* io.debezium.transforms.HeaderToValue: headers become fields. */
extern const struct sl_transform_ops sl_transform_header_to_value;

/* io.debezium.transforms.tracing.ActivateTracingSpan: a trace context out of a column into headers. */
extern const struct sl_transform_ops sl_transform_activate_tracing_span;

/* io.debezium.transforms.Filter and ContentBasedRouter: what an expression says of a record. */
extern const struct sl_transform_ops sl_transform_scripted_filter;
extern const struct sl_transform_ops sl_transform_content_based_router;

/* org.apache.kafka.connect.transforms.Cast$Key, $Value: other types for fields, or for the whole. */
extern const struct sl_transform_ops sl_transform_cast;

/* org.apache.kafka.connect.transforms.DropHeaders: headers go. */
extern const struct sl_transform_ops sl_transform_drop_headers;

/* org.apache.kafka.connect.transforms.ExtractField$Key, $Value: one field becomes the whole. */
extern const struct sl_transform_ops sl_transform_extract_field;

/* org.apache.kafka.connect.transforms.Filter: drops what a predicate gives it. */
extern const struct sl_transform_ops sl_transform_filter;

/* org.apache.kafka.connect.transforms.Flatten$Key, $Value: structs in structs become one. */
extern const struct sl_transform_ops sl_transform_flatten;

/* org.apache.kafka.connect.transforms.HeaderFrom$Key, $Value: fields become headers. */
extern const struct sl_transform_ops sl_transform_header_from;

/* org.apache.kafka.connect.transforms.HoistField$Key, $Value: the whole becomes one field. */
extern const struct sl_transform_ops sl_transform_hoist_field;

/* org.apache.kafka.connect.transforms.InsertField$Key, $Value: topic, offset, timestamp ... as fields. */
extern const struct sl_transform_ops sl_transform_insert_field;

/* org.apache.kafka.connect.transforms.InsertHeader: a fixed value, or a new UUID, as a header. */
extern const struct sl_transform_ops sl_transform_insert_header;

/* org.apache.kafka.connect.transforms.MaskField$Key, $Value: what nobody is to see is 0 or another value. */
extern const struct sl_transform_ops sl_transform_mask_field;

/* org.apache.kafka.connect.transforms.ReplaceField$Key, $Value: leave fields out, rename them. */
extern const struct sl_transform_ops sl_transform_replace_field;

/* org.apache.kafka.connect.transforms.RegexRouter: rename topics. */
extern const struct sl_transform_ops sl_transform_regex_router;

/* org.apache.kafka.connect.transforms.SetSchemaMetadata$Key, $Value: another schema name or version. */
extern const struct sl_transform_ops sl_transform_set_schema_metadata;

/* org.apache.kafka.connect.transforms.TimestampConverter$Key, $Value: timestamps in another form. */
extern const struct sl_transform_ops sl_transform_timestamp_converter;

/* org.apache.kafka.connect.transforms.TimestampRouter: the timestamp in the topic name. */
extern const struct sl_transform_ops sl_transform_timestamp_router;

/* org.apache.kafka.connect.transforms.ValueToKey: fields of the value become the key. */
extern const struct sl_transform_ops sl_transform_value_to_key;

/* io.debezium.connector.jdbc.transforms: CollectionNameTransformation, FieldNameTransformation. */
extern const struct sl_transform_ops sl_transform_collection_name;
extern const struct sl_transform_ops sl_transform_field_name;

/*
 * io.confluent.connect.transforms: Drop$Key, $Value; Filter$Key, $Value (JsonPath); ExtractTopic$Key, $Value,
 * $Header; MessageTimestampRouter; ReplaceField$Key, $Value (without nested fields); TombstoneHandler.
 */
extern const struct sl_transform_ops sl_transform_drop;
extern const struct sl_transform_ops sl_transform_json_path_filter;
extern const struct sl_transform_ops sl_transform_extract_topic;
extern const struct sl_transform_ops sl_transform_extract_topic_header;
extern const struct sl_transform_ops sl_transform_message_timestamp_router;
extern const struct sl_transform_ops sl_transform_confluent_replace_field;
extern const struct sl_transform_ops sl_transform_tombstone_handler;

/* io.debezium.transforms.ExtractSchemaToNewRecord: the table's columns and their types in each event. */
extern const struct sl_transform_ops sl_transform_extract_schema_to_new_record;

/* io.debezium.transforms.TimezoneConverter: the timestamps of change events in another time zone. */
extern const struct sl_transform_ops sl_transform_timezone_converter;

/*
 * com.scylladb.cdc.debezium.connector.transforms: ScyllaExtractNewRecordState, the row out of the envelope
 * and its columns out of their cells; ScyllaFlattenColumns, the latter within the envelope.
 */
extern const struct sl_transform_ops sl_transform_scylla_extract_new_record_state;
extern const struct sl_transform_ops sl_transform_scylla_flatten_columns;

#endif
