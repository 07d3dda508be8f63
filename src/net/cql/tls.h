/* SPDX-License-Identifier: Apache-2.0 */
/* The TLS context of a session, from PEM files, PKCS#12 and Java's key stores. */
#ifndef SLUICE_NET_CQL_TLS_H
#define SLUICE_NET_CQL_TLS_H

#include "net/cql/cql.h"

#include <openssl/ssl.h>

/*
 * A server's certificate is verified when a CA or a trust store is given, and against the system's CAs
 * otherwise, unless skip_verification says no. Errors: CONFIG (a password, a cipher), NOT_FOUND (a file).
 */
enum sl_rc sl_cql_tls_new(const struct sl_cql_tls *tls, SSL_CTX **ret, struct sl_error *err);

/* Comma-separated names, Java's or OpenSSL's, of TLS 1.2 and 1.3. Errors: CONFIG (none of them is known). */
enum sl_rc sl_cql_tls_set_ciphers(SSL_CTX *ctx, const char *names, struct sl_error *err);

#endif
