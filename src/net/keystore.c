/* SPDX-License-Identifier: Apache-2.0 */
#include "net/keystore.h"

#include "base/buf.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <stdio.h>

enum { STORE_BYTES_MAX = 16 * 1024 * 1024 };

void sl_keystore_done(struct sl_keystore *store)
{
    EVP_PKEY_free(store->key);
    for (size_t i = 0; i < store->n_chain; i++)
        X509_free(store->chain[i]);
    for (size_t i = 0; i < store->n_certificates; i++)
        X509_free(store->certificates[i]);
    sl_free(store->chain);
    sl_free(store->certificates);
    *store = (struct sl_keystore){0};
}

static enum sl_rc read_file(const char *path, struct sl_buf *ret, struct sl_error *err)
{
    FILE *file = fopen(path, "rbe");
    size_t n;

    if (!file)
        return sl_error_set(err, errno == ENOENT ? SL_E_NOT_FOUND : SL_E_CONFIG, "key store '%s': %s", path,
                            strerror(errno));
    do {
        n = fread(sl_buf_reserve(ret, 65536), 1, 65536, file);
        ret->len += n;
    } while (n && ret->len < STORE_BYTES_MAX);
    (void)fclose(file);
    return SL_OK;
}

static void trust(struct sl_keystore *store, X509 *certificate)
{
    SL_GROW(store->certificates, store->n_certificates, store->certificates_capacity);
    store->certificates[store->n_certificates++] = certificate;
}

static void add_to_chain(struct sl_keystore *store, X509 *certificate)
{
    SL_GROW(store->chain, store->n_chain, store->chain_capacity);
    store->chain[store->n_chain++] = certificate;
}

static enum sl_rc refused(const char *path, struct sl_error *err)
{
    unsigned long code = ERR_peek_last_error();
    char reason[160] = "it is damaged";

    if (code)
        ERR_error_string_n(code, reason, sizeof(reason));
    ERR_clear_error();
    return sl_error_set(err, SL_E_CONFIG, "key store '%s' cannot be opened: %s. HINT: check its password",
                        path, reason);
}

static enum sl_rc read_pkcs12(const struct sl_buf *bytes, const char *password, const char *path,
                              struct sl_keystore *ret, struct sl_error *err)
{
    const uint8_t *at = bytes->data;
    PKCS12 *p12 = d2i_PKCS12(NULL, &at, (long)bytes->len);
    STACK_OF(X509) *others = NULL;
    X509 *own = NULL;

    if (!p12 || PKCS12_parse(p12, password ? password : "", &ret->key, &own, &others) != 1) {
        PKCS12_free(p12);
        return refused(path, err);
    }
    PKCS12_free(p12);
    if (own)
        add_to_chain(ret, own);
    while (others && sk_X509_num(others) > 0) {
        X509 *next = sk_X509_shift(others);

        if (own) {
            X509_up_ref(next);
            add_to_chain(ret, next);
        }
        trust(ret, next);
    }
    sk_X509_free(others);
    return SL_OK;
}

static int give_password(char *buffer, int size, int writing, void *password)
{
    size_t len = password ? strlen(password) : 0;

    (void)writing;
    if (len > (size_t)size)
        return -1;
    memcpy(buffer, password ? password : "", len);
    return (int)len;
}

/* Certificates are the key's chain where there is a key, and trusted ones in any case. */
enum sl_rc sl_keystore_read_pem(const char *text, size_t len, const char *password, const char *name,
                                struct sl_keystore *ret, struct sl_error *err)
{
    BIO *bio = BIO_new_mem_buf(text, (int)len);
    BIO *keys = BIO_new_mem_buf(text, (int)len);
    struct sl_keystore store = {0};
    char *secret = password ? sl_strdup(password) : NULL;
    X509 *certificate;

    store.key = PEM_read_bio_PrivateKey(keys, NULL, give_password, secret);
    store.locked = !store.key && memmem(text, len, "PRIVATE KEY-----", 16);
    while ((certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL))) {
        if (store.key) {
            X509_up_ref(certificate);
            add_to_chain(&store, certificate);
        }
        trust(&store, certificate);
    }
    BIO_free(bio);
    BIO_free(keys);
    if (secret)
        explicit_bzero(secret, strlen(secret));
    sl_free(secret);
    if (!store.key && !store.n_certificates && !store.locked) {
        sl_keystore_done(&store);
        return refused(name, err);
    }
    ERR_clear_error();
    *ret = store;
    return SL_OK;
}

enum sl_rc sl_keystore_check_identity(const struct sl_keystore *store, const char *name, struct sl_error *err)
{
    if (store->key && store->n_chain)
        return SL_OK;
    if (store->locked)
        return sl_error_set(err, SL_E_CONFIG,
                            "the private key in '%s' does not open: it has a password, and the one that is "
                            "given is not it, or none is. HINT: set ssl.key.password (or the store's own)",
                            name);
    return sl_error_set(err, SL_E_CONFIG,
                        "key store '%s' has no private key with a certificate. HINT: an identity is a "
                        "certificate and the key that proves it; a trust store is something else",
                        name);
}

enum sl_rc sl_keystore_read(const char *path, const char *password, const char *key_password,
                            struct sl_keystore *ret, struct sl_error *err)
{
    static const uint8_t jks_magic[] = {0xFE, 0xED, 0xFE, 0xED};
    struct sl_keystore store = {0};
    struct sl_buf bytes = {0};
    enum sl_rc rc = read_file(path, &bytes, err);

    if (rc == SL_OK) {
        if (bytes.len >= 4 && memcmp(bytes.data, jks_magic, 4) == 0)
            rc = sl_keystore_read_jks(bytes.data, bytes.len, password, key_password, path, &store, err);
        else if (bytes.len && bytes.data[0] == '-')
            rc = sl_keystore_read_pem((const char *)bytes.data, bytes.len,
                                      key_password ? key_password : password, path, &store, err);
        else
            rc = read_pkcs12(&bytes, password ? password : key_password, path, &store, err);
    }
    if (bytes.data)
        explicit_bzero(bytes.data, bytes.len);
    sl_buf_done(&bytes);
    if (rc == SL_OK)
        *ret = store;
    else
        sl_keystore_done(&store);
    return rc;
}
