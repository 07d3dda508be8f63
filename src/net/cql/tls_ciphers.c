/* SPDX-License-Identifier: Apache-2.0 */
#include "net/cql/tls.h"

/* TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 is ECDHE-RSA-AES128-GCM-SHA256 to OpenSSL. */
static void add_cipher(struct sl_buf *old, struct sl_buf *new_ones, const char *name)
{
    static const char *const v13[] = {"TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384",
                                      "TLS_CHACHA20_POLY1305_SHA256", "TLS_AES_128_CCM_SHA256"};
    const char *known = OPENSSL_cipher_name(name);
    struct sl_buf *out = old;

    for (size_t i = 0; i < sizeof(v13) / sizeof(v13[0]); i++) {
        if (strcmp(name, v13[i]) == 0) {
            out = new_ones;
            known = NULL;
        }
    }
    if (out->len)
        sl_buf_u8(out, ':');
    sl_buf_text(out, known && strcmp(known, "(NONE)") != 0 ? known : name);
}

enum sl_rc sl_cql_tls_set_ciphers(SSL_CTX *ctx, const char *names, struct sl_error *err)
{
    struct sl_buf new_ones = {0};
    struct sl_buf old = {0};
    char *copy = sl_strdup(names);
    char *rest = copy;
    char *name;
    bool ok;

    while ((name = strsep(&rest, ",: "))) {
        if (*name)
            add_cipher(&old, &new_ones, name);
    }
    ok = (old.len || new_ones.len) && (!old.len || SSL_CTX_set_cipher_list(ctx, sl_buf_cstr(&old)) == 1);
    ok = ok && SSL_CTX_set_ciphersuites(ctx, sl_buf_cstr(&new_ones)) == 1;
    sl_buf_done(&old);
    sl_buf_done(&new_ones);
    sl_free(copy);
    if (ok)
        return SL_OK;
    return sl_error_set(err, SL_E_CONFIG, "no cipher suite of '%s' is known here. HINT: leave the list out",
                        names);
}
