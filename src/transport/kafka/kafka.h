/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The log on Kafka, by librdkafka (docs/kafka.md). Records lie in the topics of their names. With group.id,
 * texts and source offsets lie in Kafka Connect's three topics and in one of ours; without it (Connect's
 * standalone mode) in the state directory, as in the embedded log.
 */
#ifndef SLUICE_TRANSPORT_KAFKA_KAFKA_H
#define SLUICE_TRANSPORT_KAFKA_KAFKA_H

#include "sluice/transport.h"

extern const struct sl_transport_ops sl_transport_kafka;

#endif
