/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Key stores and trust stores as Java users have them: JKS (the format of sun.security.provider.JavaKeyStore)
 * and PKCS#12, told apart by their first bytes; and PEM (certificates, and a key where there is one).
 */
#ifndef SLUICE_NET_KEYSTORE_H
#define SLUICE_NET_KEYSTORE_H

#include "sluice/error.h"

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdint.h>

struct sl_keystore {
    EVP_PKEY *key; /* the first private key; NULL: none */
    X509 **chain;  /* its certificates, its own first */
    size_t n_chain, chain_capacity;
    X509 **certificates; /* trusted ones */
    size_t n_certificates, certificates_capacity;
};

/* Errors: NOT_FOUND (no such file), CONFIG (wrong password, damaged, another format). */
enum sl_rc sl_keystore_read(const char *path, const char *password, struct sl_keystore *ret,
                            struct sl_error *err);

/* JKS from memory; name stands in errors. */
enum sl_rc sl_keystore_read_jks(const uint8_t *bytes, size_t len, const char *password, const char *name,
                                struct sl_keystore *ret, struct sl_error *err);

/* PEM from memory: a private key (password: NULL, or what it is encrypted with) and certificates, in any
 * order; name stands in errors. */
enum sl_rc sl_keystore_read_pem(const char *text, size_t len, const char *password, const char *name,
                                struct sl_keystore *ret, struct sl_error *err);

void sl_keystore_done(struct sl_keystore *store);

#endif
