/* SPDX-License-Identifier: Apache-2.0 */
#include "net/http/stores.h"

#include "base/buf.h"
#include "net/keystore.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <string.h>

static enum sl_rc refuse(const struct sl_http_stores *tls, const char *what, struct sl_error *err)
{
    unsigned long code = ERR_peek_last_error();
    char reason[160] = "";

    if (code)
        ERR_error_string_n(code, reason, sizeof(reason));
    ERR_clear_error();
    return sl_error_set(err, SL_E_CONFIG, "%s %s cannot be used: %s. HINT: check the file and its password",
                        tls->whose, what, *reason ? reason : "it holds nothing of use");
}

/* As in Java, a trust store takes the place of the system's authorities. */
static enum sl_rc trust(const struct sl_http_stores *tls, SSL_CTX *context, const struct sl_keystore *store,
                        struct sl_error *err)
{
    X509_STORE *trusted = X509_STORE_new();

    if (!trusted || store->n_certificates == 0) {
        X509_STORE_free(trusted);
        return refuse(tls, "trust store", err);
    }
    SSL_CTX_set_cert_store(context, trusted);
    for (size_t i = 0; i < store->n_certificates; i++) {
        if (X509_STORE_add_cert(trusted, store->certificates[i]) != 1)
            return refuse(tls, "trust store", err);
    }
    X509_STORE_set_flags(trusted, X509_V_FLAG_PARTIAL_CHAIN);
    return SL_OK;
}

static enum sl_rc identify(const struct sl_http_stores *tls, SSL_CTX *context,
                           const struct sl_keystore *store, struct sl_error *err)
{
    if (SSL_CTX_use_certificate(context, store->chain[0]) != 1 ||
        SSL_CTX_use_PrivateKey(context, store->key) != 1)
        return refuse(tls, "key store", err);
    for (size_t i = 1; i < store->n_chain; i++) {
        if (SSL_CTX_add1_chain_cert(context, store->chain[i]) != 1)
            return refuse(tls, "key store", err);
    }
    return SL_OK;
}

static enum sl_rc apply_trust(const struct sl_http_stores *tls, SSL_CTX *context, struct sl_error *err)
{
    struct sl_keystore store = {0};
    enum sl_rc rc;

    if (tls->truststore)
        rc = sl_keystore_read(tls->truststore, tls->truststore_password, NULL, &store, err);
    else if (tls->truststore_pem)
        rc = sl_keystore_read_pem(tls->truststore_pem, strlen(tls->truststore_pem), NULL,
                                  "ssl.truststore.certificates", &store, err);
    else
        return SL_OK;
    if (rc == SL_OK)
        rc = trust(tls, context, &store, err);
    sl_keystore_done(&store);
    return rc;
}

static enum sl_rc apply_identity(const struct sl_http_stores *tls, SSL_CTX *context, struct sl_error *err)
{
    struct sl_keystore store = {0};
    enum sl_rc rc;

    if (tls->keystore) {
        rc = sl_keystore_read(tls->keystore, tls->keystore_password, tls->key_password, &store, err);
    } else if (tls->keystore_key) {
        struct sl_buf pem = {0};

        sl_buf_format(&pem, "%s\n%s\n", tls->keystore_key, tls->keystore_chain ? tls->keystore_chain : "");
        rc = sl_keystore_read_pem(sl_buf_cstr(&pem), pem.len, tls->key_password, "ssl.keystore.key", &store,
                                  err);
        explicit_bzero(pem.data, pem.len);
        sl_buf_done(&pem);
    } else {
        return SL_OK;
    }
    if (rc == SL_OK)
        rc = sl_keystore_check_identity(&store, tls->keystore ? tls->keystore : "ssl.keystore.key", err);
    if (rc == SL_OK)
        rc = identify(tls, context, &store, err);
    sl_keystore_done(&store);
    return rc;
}

enum sl_rc sl_http_stores_apply(void *ctx, struct ssl_ctx_st *context, struct sl_error *err)
{
    const struct sl_http_stores *tls = ctx;
    enum sl_rc rc = apply_trust(tls, context, err);

    return rc ? rc : apply_identity(tls, context, err);
}
