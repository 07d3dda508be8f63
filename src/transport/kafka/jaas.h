/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sasl.jaas.config: one login module and its options, as Java's JAAS files write them:
 *     org.apache.kafka.common.security.plain.PlainLoginModule required username="a" password="b";
 */
#ifndef SLUICE_TRANSPORT_KAFKA_JAAS_H
#define SLUICE_TRANSPORT_KAFKA_JAAS_H

#include "sluice/error.h"

struct sl_props;

struct sl_jaas {
    char module[160];         /* the last part of the class name: "PlainLoginModule" */
    struct sl_props *options; /* the caller's */
};

/* Errors: CONFIG; the text never holds the options' values. */
enum sl_rc sl_jaas_parse(const char *text, struct sl_jaas *ret, struct sl_error *err);

#endif
