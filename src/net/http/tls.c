/* SPDX-License-Identifier: Apache-2.0 */
/* Debian's libmicrohttpd speaks TLS through GnuTLS, which takes PEM texts; the stores are read with OpenSSL.
 */
#include "net/http/inside.h"
#include "net/keystore.h"

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <openssl/crypto.h>
#include <openssl/pem.h>
#include <strings.h>

static char *memory_text(BIO *bio)
{
    char *bytes = NULL;
    long len = BIO_get_mem_data(bio, &bytes);

    return sl_strndup(bytes ? bytes : "", len > 0 ? (size_t)len : 0);
}

static char *certificates_text(X509 *const *certificates, size_t n)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *text;

    for (size_t i = 0; i < n; i++)
        (void)PEM_write_bio_X509(bio, certificates[i]);
    text = memory_text(bio);
    BIO_free(bio);
    return text;
}

static char *key_text(EVP_PKEY *key)
{
    BIO *bio = BIO_new(BIO_s_secmem());
    char *text;

    (void)PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL);
    text = memory_text(bio);
    BIO_free(bio);
    return text;
}

/* ssl.keystore.key and ssl.keystore.certificate.chain hold the PEM itself. */
static enum sl_rc read_texts(const struct sl_http_tls *tls, struct sl_keystore *ret, struct sl_error *err)
{
    struct sl_buf both = {0};
    enum sl_rc rc;

    sl_buf_format(&both, "%s\n%s\n", tls->keystore_key, tls->keystore_chain ? tls->keystore_chain : "");
    rc = sl_keystore_read_pem((const char *)both.data, both.len, tls->key_password, "ssl.keystore.key", ret,
                              err);
    OPENSSL_cleanse(both.data, both.len);
    sl_buf_done(&both);
    return rc;
}

static enum sl_rc load_identity(const struct sl_http_tls *tls, struct sl_http_pem *ret, struct sl_error *err)
{
    const char *name = tls->keystore_path ? tls->keystore_path : "ssl.keystore.key";
    struct sl_keystore store;
    enum sl_rc rc;

    if (tls->keystore_key)
        rc = read_texts(tls, &store, err);
    else if (tls->keystore_path)
        rc = sl_keystore_read(tls->keystore_path, tls->keystore_password, tls->key_password, &store, err);
    else
        rc = sl_error_set(err, SL_E_CONFIG,
                          "https needs a key store. HINT: set listeners.https.ssl.keystore.location to a "
                          "PKCS#12, JKS or PEM file and listeners.https.ssl.keystore.password");
    if (rc)
        return rc;
    rc = sl_keystore_check_identity(&store, name, err);
    if (rc == SL_OK) {
        ret->key = key_text(store.key);
        ret->chain = certificates_text(store.chain, store.n_chain);
    }
    sl_keystore_done(&store);
    return rc;
}

static enum sl_rc load_trusted(const struct sl_http_tls *tls, struct sl_http_pem *ret, struct sl_error *err)
{
    struct sl_keystore store;
    enum sl_rc rc;

    if (tls->client_auth == SL_HTTP_CLIENT_NONE)
        return SL_OK;
    if (tls->truststore_certificates)
        rc = sl_keystore_read_pem(tls->truststore_certificates, strlen(tls->truststore_certificates), NULL,
                                  "ssl.truststore.certificates", &store, err);
    else if (tls->truststore_path)
        rc = sl_keystore_read(tls->truststore_path, tls->truststore_password, NULL, &store, err);
    else
        rc = sl_error_set(err, SL_E_CONFIG,
                          "client certificates are asked for, but nothing says whose are good. HINT: set "
                          "listeners.https.ssl.truststore.location, or ssl.client.auth to none");
    if (rc)
        return rc;
    ret->trusted = certificates_text(store.certificates, store.n_certificates);
    sl_keystore_done(&store);
    return SL_OK;
}

/* GnuTLS's words for a list of Java's. */
static enum sl_rc set_priorities(const char *protocols, struct sl_http_pem *ret, struct sl_error *err)
{
    bool tls12 = !protocols || strstr(protocols, "TLSv1.2");
    bool tls13 = !protocols || strstr(protocols, "TLSv1.3");

    if (!tls12 && !tls13)
        return sl_error_set(err, SL_E_CONFIG,
                            "ssl.enabled.protocols is '%s', of which none is spoken here. HINT: TLSv1.2 and "
                            "TLSv1.3 are",
                            protocols);
    ret->priorities =
        sl_format("NORMAL:-VERS-ALL%s%s", tls13 ? ":+VERS-TLS1.3" : "", tls12 ? ":+VERS-TLS1.2" : "");
    return SL_OK;
}

enum sl_rc sl_http_pem_load(const struct sl_http_tls *tls, struct sl_http_pem *ret, struct sl_error *err)
{
    enum sl_rc rc = load_identity(tls, ret, err);

    if (rc == SL_OK)
        rc = load_trusted(tls, ret, err);
    return rc ? rc : set_priorities(tls->protocols, ret, err);
}

void sl_http_pem_done(struct sl_http_pem *pem)
{
    if (pem->key)
        OPENSSL_cleanse(pem->key, strlen(pem->key));
    sl_free(pem->key);
    sl_free(pem->chain);
    sl_free(pem->trusted);
    sl_free(pem->priorities);
    *pem = (struct sl_http_pem){0};
}

const char *sl_http_client_refused(struct MHD_Connection *mhd, int client_auth)
{
    const union MHD_ConnectionInfo *info;
    gnutls_session_t session;
    unsigned n = 0;
    unsigned status = 0;

    if (client_auth == SL_HTTP_CLIENT_NONE)
        return NULL;
    info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_GNUTLS_SESSION);
    session = info ? (gnutls_session_t)info->tls_session : NULL;
    if (!session)
        return "this connection has no TLS session";
    if (!gnutls_certificate_get_peers(session, &n) || n == 0)
        return client_auth == SL_HTTP_CLIENT_REQUIRED ? "a client certificate is required" : NULL;
    if (gnutls_certificate_verify_peers2(session, &status) < 0 || status)
        return "the client's certificate is not signed by a trusted CA, or not valid now";
    return NULL;
}
