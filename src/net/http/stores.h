/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A client's TLS out of the stores that Java users have: JKS, PKCS#12 and PEM, as files or as texts (Kafka's
 * ssl.truststore.* and ssl.keystore.*). As in Java, a trust store takes the place of the system's
 * authorities.
 */
#ifndef SLUICE_NET_HTTP_STORES_H
#define SLUICE_NET_HTTP_STORES_H

#include "sluice/error.h"

#include <stdbool.h>

struct ssl_ctx_st;

/* Texts are NULL when not given; whose they are is up to who made the struct. */
struct sl_http_stores {
    const char *whose; /* "the schema registry's": stands in errors */
    char *truststore, *truststore_password;
    char *truststore_pem;
    char *keystore, *keystore_password;
    char *keystore_key, *keystore_chain; /* PEM texts */
    char *key_password;
    bool any_name; /* for sl_http_client_settings.any_name */
};

/* For sl_http_client_settings.tls: ctx is the struct sl_http_stores. */
enum sl_rc sl_http_stores_apply(void *ctx, struct ssl_ctx_st *context, struct sl_error *err);

#endif
