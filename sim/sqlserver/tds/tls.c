/* SPDX-License-Identifier: Apache-2.0 */
#include "tls.h"
#include "../../base/certificate.h"

#include <openssl/err.h>
#include <stdio.h>
#include <unistd.h>

static bool complain(const char *what, const char *path)
{
    char text[200];
    ERR_error_string_n(ERR_get_error(), text, sizeof(text));
    fprintf(stderr,
            "sluice-sim-sqlserver: cannot %s '%s': %s. HINT: give --cert and --key files that can be read, "
            "or paths in a directory that can be written\n",
            what, path, text);
    ERR_clear_error();
    return false;
}

/* Strict clients name their protocol; one that names another is refused. */
static int choose_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_len, const unsigned char *in,
                       unsigned int in_len, void *arg)
{
    static const unsigned char ours[] = "\x07tds/8.0";
    (void)ssl;
    (void)arg;
    unsigned char *chosen = NULL;
    if (SSL_select_next_proto(&chosen, out_len, ours, sizeof(ours) - 1, in, in_len) != OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

static SSL_CTX *make_context(const char *cert_path, const char *key_path, int max_version)
{
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    if (context == NULL || SSL_CTX_use_certificate_chain_file(context, cert_path) != 1 ||
        SSL_CTX_use_PrivateKey_file(context, key_path, SSL_FILETYPE_PEM) != 1) {
        SSL_CTX_free(context);
        return NULL;
    }
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_max_proto_version(context, max_version);
    SSL_CTX_set_options(context, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION);
    SSL_CTX_set_num_tickets(context, 0);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    return context;
}

bool ms_tls_open(struct ms_tls *tls, const char *cert_path, const char *key_path)
{
    if (access(cert_path, F_OK) != 0 && access(key_path, F_OK) != 0 &&
        !sim_certificate_make(cert_path, key_path))
        return complain("make the certificate", cert_path);
    struct ms_tls opened = {.inside = make_context(cert_path, key_path, TLS1_2_VERSION),
                            .strict = make_context(cert_path, key_path, TLS1_3_VERSION)};
    if (opened.inside == NULL || opened.strict == NULL) {
        ms_tls_close(&opened);
        return complain("use the certificate", cert_path);
    }
    SSL_CTX_set_alpn_select_cb(opened.strict, choose_alpn, NULL);
    *tls = opened;
    return true;
}

void ms_tls_close(struct ms_tls *tls)
{
    SSL_CTX_free(tls->inside);
    SSL_CTX_free(tls->strict);
    *tls = (struct ms_tls){0};
}
