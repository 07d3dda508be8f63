/* SPDX-License-Identifier: Apache-2.0 */
#include "tls.h"
#include "../../base/certificate.h"

#include <openssl/err.h>
#include <stdio.h>
#include <unistd.h>

static void *complain(const char *what, const char *path)
{
    char text[200];
    ERR_error_string_n(ERR_get_error(), text, sizeof(text));
    fprintf(
        stderr,
        "sluice-sim-scylla: cannot %s '%s': %s. HINT: give --tls-cert, --tls-key and --tls-client-ca files "
        "that can be read, or paths in a directory that can be written\n",
        what, path, text);
    ERR_clear_error();
    return NULL;
}

static bool demand_client_certificate(SSL_CTX *context, const char *path)
{
    STACK_OF(X509_NAME) *names = SSL_load_client_CA_file(path);
    if (names == NULL || SSL_CTX_load_verify_locations(context, path, NULL) != 1)
        return false;
    SSL_CTX_set_client_CA_list(context, names);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    return true;
}

SSL_CTX *sy_tls_open(const char *cert_path, const char *key_path, const char *client_ca)
{
    if (access(cert_path, F_OK) != 0 && access(key_path, F_OK) != 0 &&
        !sim_certificate_make(cert_path, key_path))
        return complain("make the certificate", cert_path);
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    if (context == NULL || SSL_CTX_use_certificate_chain_file(context, cert_path) != 1 ||
        SSL_CTX_use_PrivateKey_file(context, key_path, SSL_FILETYPE_PEM) != 1) {
        SSL_CTX_free(context);
        return complain("use the certificate", cert_path);
    }
    if (client_ca != NULL && !demand_client_certificate(context, client_ca)) {
        SSL_CTX_free(context);
        return complain("use the clients' authority", client_ca);
    }
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_options(context, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION);
    SSL_CTX_set_num_tickets(context, 0);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    return context;
}
