/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From Java's client properties to a librdkafka client: which keys reach which client, how they are called
 * there, and what only Java has (docs/kafka.md holds the table for users).
 *
 * The later wins: our defaults, the worker's own connection keys (security.protocol, ssl.*, sasl.*, ...),
 * the worker's prefixed keys (producer., consumer., admin.), the connector's (producer.override., ...), and
 * last what must not be otherwise.
 */
#ifndef SLUICE_TRANSPORT_KAFKA_CLIENT_H
#define SLUICE_TRANSPORT_KAFKA_CLIENT_H

#include "sluice/error.h"

#include <librdkafka/rdkafka.h>

struct sl_props;

struct sl_kafka_setting {
    const char *name; /* librdkafka's */
    const char *value;
};

struct sl_kafka_client {
    const struct sl_props *worker;
    const char *prefix;               /* "producer.", "consumer.", "admin."; NULL: connection keys alone */
    const struct sl_props *connector; /* NULL: none */
    const char *override_prefix;      /* "producer.override.", ... */
    const char *client_id;            /* when nobody says another; NULL: librdkafka's */
    const struct sl_kafka_setting *defaults; /* ended by a NULL name; NULL: none */
    const struct sl_kafka_setting *always;   /* likewise; nobody can change these */
};

/*
 * The configuration, to be given to rd_kafka_new (which takes it over) or rd_kafka_conf_destroy. Keys that
 * nobody knows are named in one warning. Errors: CONFIG names the key; NOT_FOUND (a key store).
 */
enum sl_rc sl_kafka_conf_new(const struct sl_kafka_client *client, rd_kafka_conf_t **ret,
                             struct sl_error *err);

/* Does the key mean something to a client (the worker's file is checked for typing errors)? */
bool sl_kafka_connection_key(const char *key);

/* security.c: ssl.* key stores and sasl.jaas.config of all that was put together, into the configuration. */
enum sl_rc sl_kafka_conf_security(const struct sl_props *all, rd_kafka_conf_t *conf, struct sl_error *err);

/*
 * token.c: OAUTHBEARER tokens come from the issuer at url. scope may be NULL. Errors: CONFIG (no id or
 * secret).
 */
enum sl_rc sl_kafka_conf_issuer(rd_kafka_conf_t *conf, const char *url, const char *id, const char *secret,
                                const char *scope, struct sl_error *err);
/* For each new client: its tokens are fetched by librdkafka's own thread, whoever polls it or not. */
void sl_kafka_log_in_behind(rd_kafka_t *client);

/* open.c: what the clients log, at debug. */
void sl_kafka_log(const rd_kafka_t *client, int level, const char *facility, const char *text);

/* Set one; CONFIG names it. */
enum sl_rc sl_kafka_conf_set(rd_kafka_conf_t *conf, const char *name, const char *value,
                             struct sl_error *err);

#endif
