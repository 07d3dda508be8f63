/* SPDX-License-Identifier: Apache-2.0 */
#include "tls.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define TEN_YEARS_S (10L * 365 * 24 * 3600)

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

static void add_extension(X509 *cert, int nid, const char *value)
{
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, cert, cert, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    if (extension != NULL) {
        X509_add_ext(cert, extension, -1);
        X509_EXTENSION_free(extension);
    }
}

static X509 *make_certificate(EVP_PKEY *key)
{
    X509 *cert = X509_new();
    if (cert == NULL)
        return NULL;
    X509_set_version(cert, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
    X509_gmtime_adj(X509_getm_notBefore(cert), -3600);
    X509_gmtime_adj(X509_getm_notAfter(cert), TEN_YEARS_S);
    X509_NAME *name = X509_get_subject_name(cert);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"localhost", -1, -1, 0);
    X509_set_issuer_name(cert, name);
    X509_set_pubkey(cert, key);
    add_extension(cert, NID_basic_constraints, "critical,CA:TRUE");
    add_extension(cert, NID_subject_alt_name, "DNS:localhost,IP:127.0.0.1,IP:::1");
    if (X509_sign(cert, key, EVP_sha256()) == 0) {
        X509_free(cert);
        return NULL;
    }
    return cert;
}

static FILE *create_file(const char *path, mode_t mode)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
    return fd < 0 ? NULL : fdopen(fd, "w");
}

static bool write_pair(const char *cert_path, const char *key_path, X509 *cert, EVP_PKEY *key)
{
    FILE *key_file = create_file(key_path, 0600);
    FILE *cert_file = create_file(cert_path, 0644);
    bool ok = key_file != NULL && cert_file != NULL &&
              PEM_write_PrivateKey(key_file, key, NULL, NULL, 0, NULL, NULL) == 1 &&
              PEM_write_X509(cert_file, cert) == 1;
    if (key_file != NULL)
        ok = fclose(key_file) == 0 && ok;
    if (cert_file != NULL)
        ok = fclose(cert_file) == 0 && ok;
    return ok;
}

static bool make_pair(const char *cert_path, const char *key_path)
{
    EVP_PKEY *key = EVP_RSA_gen(2048);
    X509 *cert = key == NULL ? NULL : make_certificate(key);
    bool ok = cert != NULL && write_pair(cert_path, key_path, cert, key);
    X509_free(cert);
    EVP_PKEY_free(key);
    return ok || complain("make the certificate", cert_path);
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
    if (access(cert_path, F_OK) != 0 && access(key_path, F_OK) != 0 && !make_pair(cert_path, key_path))
        return false;
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
