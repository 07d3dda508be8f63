/* SPDX-License-Identifier: Apache-2.0 */
#include "net/cql/tls.h"

#include "net/keystore.h"

#include <openssl/err.h>
#include <openssl/pem.h>

static enum sl_rc refuse(enum sl_rc rc, const char *what, const char *path, struct sl_error *err)
{
    unsigned long code = ERR_peek_last_error();
    char reason[160] = "";

    if (code)
        ERR_error_string_n(code, reason, sizeof(reason));
    ERR_clear_error();
    return sl_error_set(err, rc, "%s '%s' cannot be used%s%s. HINT: check the file and its password", what,
                        path, *reason ? ": " : "", reason);
}

static enum sl_rc add_trusted(SSL_CTX *ctx, const struct sl_keystore *store, const char *path,
                              struct sl_error *err)
{
    X509_STORE *trusted = SSL_CTX_get_cert_store(ctx);

    if (store->n_certificates == 0)
        return sl_error_set(err, SL_E_CONFIG, "trust store '%s' has no certificate", path);
    for (size_t i = 0; i < store->n_certificates; i++) {
        if (X509_STORE_add_cert(trusted, store->certificates[i]) != 1)
            return refuse(SL_E_CONFIG, "trust store", path, err);
    }
    /* A certificate that is trusted by name need not be a CA: Java thinks so too. */
    X509_STORE_set_flags(trusted, X509_V_FLAG_PARTIAL_CHAIN);
    return SL_OK;
}

static enum sl_rc use_identity(SSL_CTX *ctx, const struct sl_keystore *store, const char *path,
                               struct sl_error *err)
{
    if (sl_keystore_check_identity(store, path, err))
        return err->rc;
    if (SSL_CTX_use_certificate(ctx, store->chain[0]) != 1 || SSL_CTX_use_PrivateKey(ctx, store->key) != 1)
        return refuse(SL_E_CONFIG, "key store", path, err);
    for (size_t i = 1; i < store->n_chain; i++) {
        if (SSL_CTX_add1_chain_cert(ctx, store->chain[i]) != 1)
            return refuse(SL_E_CONFIG, "key store", path, err);
    }
    return SL_OK;
}

static enum sl_rc use_stores(SSL_CTX *ctx, const struct sl_cql_tls *tls, struct sl_error *err)
{
    struct sl_keystore store;
    enum sl_rc rc = SL_OK;

    if (tls->truststore_path) {
        rc = sl_keystore_read(tls->truststore_path, tls->truststore_password, NULL, &store, err);
        if (rc == SL_OK) {
            rc = add_trusted(ctx, &store, tls->truststore_path, err);
            sl_keystore_done(&store);
        }
    }
    if (rc == SL_OK && tls->keystore_path) {
        rc = sl_keystore_read(tls->keystore_path, tls->keystore_password, NULL, &store, err);
        if (rc == SL_OK) {
            rc = use_identity(ctx, &store, tls->keystore_path, err);
            sl_keystore_done(&store);
        }
    }
    return rc;
}

static enum sl_rc use_pem(SSL_CTX *ctx, const struct sl_cql_tls *tls, struct sl_error *err)
{
    if (tls->ca_path) {
        if (SSL_CTX_load_verify_locations(ctx, tls->ca_path, NULL) != 1)
            return refuse(SL_E_CONFIG, "CA file", tls->ca_path, err);
        X509_STORE_set_flags(SSL_CTX_get_cert_store(ctx), X509_V_FLAG_PARTIAL_CHAIN);
    }
    if (!tls->certificate_path != !tls->key_path)
        return sl_error_set(err, SL_E_CONFIG,
                            "a client certificate needs its key, and a key its certificate. HINT: "
                            "give both or neither");
    if (!tls->certificate_path)
        return SL_OK;
    if (SSL_CTX_use_certificate_chain_file(ctx, tls->certificate_path) != 1)
        return refuse(SL_E_CONFIG, "certificate", tls->certificate_path, err);
    if (SSL_CTX_use_PrivateKey_file(ctx, tls->key_path, SSL_FILETYPE_PEM) != 1)
        return refuse(SL_E_CONFIG, "private key", tls->key_path, err);
    return SL_OK;
}

static void choose_verification(SSL_CTX *ctx, const struct sl_cql_tls *tls)
{
    bool has_ca = tls->ca_path || tls->truststore_path;

    if (!has_ca && tls->skip_verification) {
        SSL_CTX_set_verify(ctx, SSL_VERIFY_NONE, NULL);
        return;
    }
    if (!has_ca)
        SSL_CTX_set_default_verify_paths(ctx);
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
}

/* OpenSSL would ask at the terminal. The connector that we follow has no key for a password of a PEM key. */
static int no_password(char *buffer, int size, int writing, void *ctx)
{
    (void)buffer;
    (void)size;
    (void)writing;
    (void)ctx;
    return -1;
}

enum sl_rc sl_cql_tls_new(const struct sl_cql_tls *tls, SSL_CTX **ret, struct sl_error *err)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    enum sl_rc rc;

    SL_ASSERT(ctx);
    SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
    SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_options(ctx, SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_default_passwd_cb(ctx, no_password);
    choose_verification(ctx, tls);
    rc = use_pem(ctx, tls, err);
    if (rc == SL_OK)
        rc = use_stores(ctx, tls, err);
    if (rc == SL_OK && tls->ciphers)
        rc = sl_cql_tls_set_ciphers(ctx, tls->ciphers, err);
    if (rc != SL_OK) {
        SSL_CTX_free(ctx);
        return rc;
    }
    *ret = ctx;
    return SL_OK;
}
