/* SPDX-License-Identifier: Apache-2.0 */
/* The single-message transforms that exist; main.c lists them for the engine. Predicates: predicate.h. */
#ifndef SLUICE_TRANSFORM_TRANSFORMS_H
#define SLUICE_TRANSFORM_TRANSFORMS_H

#include "sluice/transform.h"

/* io.debezium.transforms.ExtractNewRecordState: the row out of Debezium's envelope. */
extern const struct sl_transform_ops sl_transform_extract_new_record_state;

/* org.apache.kafka.connect.transforms.RegexRouter: rename topics. */
extern const struct sl_transform_ops sl_transform_regex_router;

#endif
