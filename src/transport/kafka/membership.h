/* SPDX-License-Identifier: Apache-2.0 */
/* Membership in the group of workers, on the log's own brokers: makes the topic of slots and holds slots of
 * it (slots.h). */
#ifndef SLUICE_TRANSPORT_KAFKA_MEMBERSHIP_H
#define SLUICE_TRANSPORT_KAFKA_MEMBERSHIP_H

#include "sluice/membership.h"

extern const struct sl_membership_ops sl_kafka_membership;

#endif
