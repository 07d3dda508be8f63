/* SPDX-License-Identifier: Apache-2.0 */
/*
 * connector.client.config.override.policy: which settings of Kafka's clients a connector may say for itself
 * (producer.override.*, consumer.override.*, admin.override.*; KIP-458). All: any; Principal: only those that
 * say who it is to the brokers; None: none. What is not allowed is refused in Connect's words.
 */
#ifndef SLUICE_ENGINE_CONFIG_OVERRIDE_POLICY_H
#define SLUICE_ENGINE_CONFIG_OVERRIDE_POLICY_H

#include "sluice/option.h"

/* The policies' names and Java classes, ended by NULL. */
extern const char *const sl_override_policies[];

/* sink: what of a sink has no client (a producer without dead letter topic) is not looked at, as in Connect.
 */
void sl_override_policy_check(const char *policy, bool sink, const struct sl_props *props,
                              struct sl_complaints *complaints);

#endif
