/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Key stores and trust stores as Java users have them: JKS (the format of sun.security.provider.JavaKeyStore)
 * and PKCS#12, told apart by their first bytes; and PEM with certificates alone.
 */
#ifndef SLUICE_NET_CQL_KEYSTORE_H
#define SLUICE_NET_CQL_KEYSTORE_H

#include "sluice/error.h"

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdint.h>

struct sl_cql_keystore {
    EVP_PKEY *key; /* the first private key; NULL: none */
    X509 **chain;  /* its certificates, its own first */
    size_t n_chain, chain_capacity;
    X509 **certificates; /* trusted ones */
    size_t n_certificates, certificates_capacity;
};

/* Errors: NOT_FOUND (no such file), CONFIG (wrong password, damaged, another format). */
enum sl_rc sl_cql_keystore_read(const char *path, const char *password, struct sl_cql_keystore *ret,
                                struct sl_error *err);

/* JKS from memory; name stands in errors. */
enum sl_rc sl_cql_jks_read(const uint8_t *bytes, size_t len, const char *password, const char *name,
                           struct sl_cql_keystore *ret, struct sl_error *err);

void sl_cql_keystore_done(struct sl_cql_keystore *store);

#endif
