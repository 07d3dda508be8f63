/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Certificates and TLS contexts of the server.
 *
 * Inside TDS 7.x only TLS 1.2 is spoken, as SQL Server does (it keeps 1.3 for TDS 8.0): with 1.3 the server's
 * first records after the handshake would reach clients that already expect clear text when only the login is
 * encrypted. TDS 8.0 ("strict") begins with TLS 1.2 or 1.3 and ALPN "tds/8.0". Session tickets are off: each
 * connection is new.
 */
#ifndef SIM_SQLSERVER_TDS_TLS_H
#define SIM_SQLSERVER_TDS_TLS_H

#include <openssl/ssl.h>
#include <stdbool.h>

struct ms_tls {
    SSL_CTX *inside; /* TDS 7.x: handshake inside PRELOGIN packets */
    SSL_CTX *strict; /* TDS 8.0 */
};

/*
 * Load the certificate and key, making a self-signed pair (RSA 2048, localhost and 127.0.0.1, ten years)
 * where the files are missing. False with a line on stderr.
 */
bool ms_tls_open(struct ms_tls *tls, const char *cert_path, const char *key_path);
void ms_tls_close(struct ms_tls *tls);

#endif
