/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JKS, as OpenJDK's sun.security.provider.JavaKeyStore and KeyProtector write it: big-endian; 0xFEEDFEED,
 * version 1 or 2, entries, and at the end SHA-1 of the password, "Mighty Aphrodite" and everything before. A
 * private key is covered with a stream of SHA-1 over password and salt, and followed by SHA-1 of password and
 * plain key. Passwords count as UTF-16; here each byte is one character, which is right for ASCII.
 */
#include "base/buf.h"
#include "net/keystore.h"
#include "net/cql/wire.h"

#include <openssl/err.h>
#include <openssl/sha.h>

enum { PRIVATE_KEY = 1, TRUSTED = 2, NEWEST_VERSION = 2 };

static void put_password(struct sl_buf *out, const char *password)
{
    for (const char *c = password; c && *c; c++) {
        sl_buf_u8(out, 0);
        sl_buf_u8(out, (uint8_t)*c);
    }
}

static void hash(const char *password, const char *word, const uint8_t *bytes, size_t len,
                 uint8_t ret[SHA_DIGEST_LENGTH])
{
    struct sl_buf all = {0};

    put_password(&all, password);
    sl_buf_text(&all, word);
    sl_buf_put(&all, bytes, len);
    SHA1(all.data ? all.data : (const uint8_t *)"", all.len, ret);
    if (all.data)
        explicit_bzero(all.data, all.len);
    sl_buf_done(&all);
}

/* The plain PKCS#8 bytes over the covered ones; false: another password. */
static bool uncover(const char *password, uint8_t *covered, size_t len, const uint8_t *salt,
                    const uint8_t *check)
{
    uint8_t stream[SHA_DIGEST_LENGTH];
    uint8_t sum[SHA_DIGEST_LENGTH];

    memcpy(stream, salt, SHA_DIGEST_LENGTH);
    for (size_t i = 0; i < len; i++) {
        if (i % SHA_DIGEST_LENGTH == 0)
            hash(password, "", stream, SHA_DIGEST_LENGTH, stream);
        covered[i] ^= stream[i % SHA_DIGEST_LENGTH];
    }
    hash(password, "", covered, len, sum);
    return memcmp(sum, check, SHA_DIGEST_LENGTH) == 0;
}

static EVP_PKEY *read_key(const char *password, const uint8_t *der, size_t len)
{
    X509_SIG *sig = d2i_X509_SIG(NULL, &der, (long)len);
    const ASN1_OCTET_STRING *data = NULL;
    EVP_PKEY *key = NULL;
    PKCS8_PRIV_KEY_INFO *info;
    const uint8_t *at;
    uint8_t *plain;
    size_t plain_len;

    if (!sig)
        return NULL;
    X509_SIG_get0(sig, NULL, &data);
    if (ASN1_STRING_length(data) > 2 * SHA_DIGEST_LENGTH) {
        plain_len = (size_t)ASN1_STRING_length(data) - (size_t)(2 * SHA_DIGEST_LENGTH);
        at = ASN1_STRING_get0_data(data);
        plain = sl_alloc(plain_len);
        memcpy(plain, at + SHA_DIGEST_LENGTH, plain_len);
        if (uncover(password, plain, plain_len, at, at + SHA_DIGEST_LENGTH + plain_len)) {
            at = plain;
            info = d2i_PKCS8_PRIV_KEY_INFO(NULL, &at, (long)plain_len);
            key = info ? EVP_PKCS82PKEY(info) : NULL;
            PKCS8_PRIV_KEY_INFO_free(info);
        }
        explicit_bzero(plain, plain_len);
        sl_free(plain);
    }
    X509_SIG_free(sig);
    return key;
}

static X509 *read_certificate(struct sl_cql_in *in, int32_t version)
{
    struct sl_cql_cell cell;

    if (version >= 2)
        (void)sl_cql_take_short(in); /* "X.509" */
    cell = sl_cql_take_bytes(in);
    return cell.len > 0 ? d2i_X509(NULL, &cell.data, cell.len) : NULL;
}

/* A key that does not open leaves the certificates, which a trust store may still be read for. */
static bool read_private(struct sl_cql_in *in, int32_t version, const char *password,
                         struct sl_keystore *store)
{
    struct sl_cql_cell key = sl_cql_take_bytes(in);
    int32_t n = sl_cql_take_i32(in);
    bool is_first = !store->key;

    if (in->bad || key.len < 0 || n < 0)
        return false;
    if (is_first)
        store->key = read_key(password, key.data, (size_t)key.len);
    store->locked = store->locked || (is_first && !store->key);
    for (int32_t i = 0; i < n; i++) {
        X509 *certificate = read_certificate(in, version);

        if (!certificate)
            return false;
        if (!is_first) {
            X509_free(certificate);
            continue;
        }
        SL_GROW(store->chain, store->n_chain, store->chain_capacity);
        store->chain[store->n_chain++] = certificate;
    }
    return true;
}

static bool read_entry(struct sl_cql_in *in, int32_t version, const char *password, struct sl_keystore *store)
{
    int32_t tag = sl_cql_take_i32(in);
    X509 *certificate;

    (void)sl_cql_take_short(in); /* alias */
    (void)sl_cql_take(in, 8);    /* when it was made */
    if (tag == PRIVATE_KEY)
        return read_private(in, version, password, store);
    if (tag != TRUSTED || !(certificate = read_certificate(in, version)))
        return false;
    SL_GROW(store->certificates, store->n_certificates, store->certificates_capacity);
    store->certificates[store->n_certificates++] = certificate;
    return true;
}

enum sl_rc sl_keystore_read_jks(const uint8_t *bytes, size_t len, const char *password,
                                const char *key_password, const char *name, struct sl_keystore *ret,
                                struct sl_error *err)
{
    struct sl_keystore store = {0};
    struct sl_cql_in in = {bytes, bytes + len, false};
    uint8_t sum[SHA_DIGEST_LENGTH];
    int32_t version;
    int32_t n;

    if (len < 12 + SHA_DIGEST_LENGTH)
        return sl_error_set(err, SL_E_CONFIG, "key store '%s' is cut short", name);
    in.end -= SHA_DIGEST_LENGTH;
    hash(password, "Mighty Aphrodite", bytes, len - SHA_DIGEST_LENGTH, sum);
    /* Java skips the check of a trust store without a password, and so do its users. */
    if (password && memcmp(sum, in.end, SHA_DIGEST_LENGTH) != 0)
        return sl_error_set(err, SL_E_CONFIG,
                            "key store '%s' does not open with this password, or is damaged. "
                            "HINT: check the password",
                            name);
    (void)sl_cql_take_i32(&in);
    version = sl_cql_take_i32(&in);
    n = sl_cql_take_i32(&in);
    for (int32_t i = 0; i < n && version >= 1 && version <= NEWEST_VERSION && !in.bad; i++)
        in.bad |= !read_entry(&in, version, key_password ? key_password : password, &store);
    ERR_clear_error();
    if (in.bad || version < 1 || version > NEWEST_VERSION) {
        sl_keystore_done(&store);
        return sl_error_set(err, SL_E_CONFIG,
                            "key store '%s' cannot be read. HINT: keytool -importkeystore makes a "
                            "PKCS#12 of it",
                            name);
    }
    *ret = store;
    return SL_OK;
}
