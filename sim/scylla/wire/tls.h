/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The TLS context of the server: TLS 1.2 and 1.3 from the first byte of every connection; with an authority
 * for clients, only those that show a certificate of it come in. Session tickets are off: each connection is
 * new.
 */
#ifndef SIM_SCYLLA_WIRE_TLS_H
#define SIM_SCYLLA_WIRE_TLS_H

#include <openssl/ssl.h>

/*
 * Load the certificate and key, making a self-signed pair where both files are missing. client_ca: file of
 * the authority that clients' certificates must be of; NULL: they need none. NULL with a line on stderr.
 */
SSL_CTX *sy_tls_open(const char *cert_path, const char *key_path, const char *client_ca);

#endif
