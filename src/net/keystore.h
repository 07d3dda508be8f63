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
#include <stdbool.h>
#include <stdint.h>

struct sl_keystore {
    EVP_PKEY *key; /* the first private key; NULL: none */
    X509 **chain;  /* its certificates, its own first */
    size_t n_chain, chain_capacity;
    X509 **certificates; /* trusted ones */
    size_t n_certificates, certificates_capacity;
    bool locked; /* a private key stands there that the password did not open; key is NULL */
};

/*
 * password opens the store, key_password the key in it; either may be NULL: the key's is the store's in JKS
 * and PKCS#12 (where the two cannot differ), and in PEM, which has none of its own, the one that is given. A
 * key that does not open is an error only for who needs it: sl_keystore_check_identity. Errors: NOT_FOUND (no
 * such file), CONFIG (wrong password, damaged, another format).
 */
enum sl_rc sl_keystore_read(const char *path, const char *password, const char *key_password,
                            struct sl_keystore *ret, struct sl_error *err);

/* JKS from memory; name stands in errors. */
enum sl_rc sl_keystore_read_jks(const uint8_t *bytes, size_t len, const char *password,
                                const char *key_password, const char *name, struct sl_keystore *ret,
                                struct sl_error *err);

/* CONFIG unless there is a private key with a certificate; says what is missing, or that it is locked. */
enum sl_rc sl_keystore_check_identity(const struct sl_keystore *store, const char *name,
                                      struct sl_error *err);

/* PEM from memory: a private key (password: NULL, or what it is encrypted with) and certificates, in any
 * order; name stands in errors. */
enum sl_rc sl_keystore_read_pem(const char *text, size_t len, const char *password, const char *name,
                                struct sl_keystore *ret, struct sl_error *err);

void sl_keystore_done(struct sl_keystore *store);

#endif
