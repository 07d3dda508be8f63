/* SPDX-License-Identifier: Apache-2.0 */
/* Java's key stores and login modules, as librdkafka takes them: PEM texts and user names. */
#include "transport/kafka/client.h"
#include "transport/kafka/jaas.h"

#include "base/alloc.h"
#include "base/log.h"
#include "base/props.h"
#include "net/keystore.h"

#include <openssl/bio.h>
#include <openssl/pem.h>
#include <string.h>
#include <strings.h>

static enum sl_rc set_pem(rd_kafka_conf_t *conf, const char *name, BIO *pem, struct sl_error *err)
{
    char *bytes;
    long len = BIO_get_mem_data(pem, &bytes);
    char *text = sl_strndup(bytes, (size_t)len);
    enum sl_rc rc = len ? sl_kafka_conf_set(conf, name, text, err) : SL_OK;

    OPENSSL_cleanse(text, (size_t)len);
    sl_free(text);
    return rc;
}

static enum sl_rc set_certificates(rd_kafka_conf_t *conf, const char *name, X509 *const *certificates,
                                   size_t n, struct sl_error *err)
{
    BIO *pem = BIO_new(BIO_s_mem());
    enum sl_rc rc;

    for (size_t i = 0; i < n; i++)
        (void)PEM_write_bio_X509(pem, certificates[i]);
    rc = set_pem(conf, name, pem, err);
    BIO_free(pem);
    return rc;
}

static enum sl_rc set_key(rd_kafka_conf_t *conf, EVP_PKEY *key, struct sl_error *err)
{
    BIO *pem = BIO_new(BIO_s_mem());
    enum sl_rc rc;

    (void)PEM_write_bio_PrivateKey(pem, key, NULL, NULL, 0, NULL, NULL);
    rc = set_pem(conf, "ssl.key.pem", pem, err);
    BIO_free(pem);
    return rc;
}

/* A store file of any of the three forms, or the PEM text that the key text_key holds. */
static enum sl_rc read_store(const struct sl_props *all, const char *kind, const char *text,
                             const char *password, const char *key_password, struct sl_keystore *store,
                             struct sl_error *err)
{
    char key[64];
    const char *path;
    enum sl_rc rc;

    (void)snprintf(key, sizeof(key), "ssl.%s.location", kind);
    path = sl_props_get(all, key);
    rc = text ? sl_keystore_read_pem(text, strlen(text), key_password, key, store, err)
              : sl_keystore_read(path, password, key_password, store, err);
    return rc ? sl_error_wrap(err, "%s", key) : SL_OK;
}

static enum sl_rc trust(const struct sl_props *all, rd_kafka_conf_t *conf, struct sl_error *err)
{
    const char *text = sl_props_get(all, "ssl.truststore.certificates");
    const char *path = sl_props_get(all, "ssl.truststore.location");
    struct sl_keystore store = {0};
    enum sl_rc rc;

    if (!text && (!path || !*path))
        return SL_OK;
    rc = read_store(all, "truststore", text, sl_props_get(all, "ssl.truststore.password"), NULL, &store, err);
    if (rc)
        return rc;
    if (store.n_certificates)
        rc = set_certificates(conf, "ssl.ca.pem", store.certificates, store.n_certificates, err);
    else if (store.n_chain)
        rc = set_certificates(conf, "ssl.ca.pem", store.chain, store.n_chain, err);
    else
        rc = sl_error_set(err, SL_E_CONFIG,
                          "ssl.truststore.location: '%s' holds no certificate. HINT: keytool -importcert",
                          path ? path : "the text");
    sl_keystore_done(&store);
    return rc;
}

/* The certificate chain and the key, in two texts or in one store. */
static enum sl_rc show_ourselves(const struct sl_props *all, rd_kafka_conf_t *conf, struct sl_error *err)
{
    const char *chain = sl_props_get(all, "ssl.keystore.certificate.chain");
    const char *key = sl_props_get(all, "ssl.keystore.key");
    const char *path = sl_props_get(all, "ssl.keystore.location");
    const char *password = sl_props_get(all, "ssl.keystore.password");
    const char *key_password = sl_props_get(all, "ssl.key.password");
    char *text = chain && key ? sl_format("%s\n%s", chain, key) : NULL;
    struct sl_keystore store = {0};
    enum sl_rc rc;

    if (!text && (!path || !*path))
        return SL_OK;
    rc = read_store(all, "keystore", text, password, key_password, &store, err);
    sl_free(text);
    if (rc)
        return rc;
    if (!store.key)
        rc = sl_keystore_check_identity(&store, path && *path ? path : "ssl.keystore.key", err);
    if (rc == SL_OK && store.n_chain)
        rc = set_certificates(conf, "ssl.certificate.pem", store.chain, store.n_chain, err);
    else if (rc == SL_OK)
        rc = set_certificates(conf, "ssl.certificate.pem", store.certificates, store.n_certificates, err);
    if (rc == SL_OK)
        rc = set_key(conf, store.key, err);
    sl_keystore_done(&store);
    return rc;
}

static enum sl_rc take_option(const struct sl_jaas *jaas, const char *option, rd_kafka_conf_t *conf,
                              const char *name, struct sl_error *err)
{
    const char *value = sl_props_get(jaas->options, option);

    return value ? sl_kafka_conf_set(conf, name, value, err) : SL_OK;
}

/* Tokens of an issuer, or (for tests) unsigned ones, as Java's default callback handler makes them. */
static enum sl_rc oauth(const struct sl_props *all, const struct sl_jaas *jaas, rd_kafka_conf_t *conf,
                        struct sl_error *err)
{
    const char *subject = sl_props_get(jaas->options, "unsecuredLoginStringClaim_sub");
    const char *issuer = sl_props_get(all, "sasl.oauthbearer.token.endpoint.url");
    char *config;
    enum sl_rc rc;

    if (issuer)
        return sl_kafka_conf_issuer(conf, issuer, sl_props_get(jaas->options, "clientId"),
                                    sl_props_get(jaas->options, "clientSecret"),
                                    sl_props_get(jaas->options, "scope"), err);
    if (!subject)
        return sl_error_set(
            err, SL_E_CONFIG,
            "sasl.jaas.config: OAUTHBEARER without sasl.oauthbearer.token.endpoint.url. HINT: "
            "give the issuer's URL, and clientId and clientSecret in sasl.jaas.config");
    config = sl_format("principal=%s", subject);
    rc = sl_kafka_conf_set(conf, "enable.sasl.oauthbearer.unsecure.jwt", "true", err);
    if (rc == SL_OK)
        rc = sl_kafka_conf_set(conf, "sasl.oauthbearer.config", config, err);
    sl_free(config);
    return rc;
}

/* What librdkafka has made of a setting; "" when it is not one. */
static const char *as_taken(const rd_kafka_conf_t *conf, const char *name, char *text, size_t size)
{
    return rd_kafka_conf_get(conf, name, text, &size) == RD_KAFKA_CONF_OK ? text : "";
}

static enum sl_rc log_in(const struct sl_props *all, rd_kafka_conf_t *conf, struct sl_error *err)
{
    const char *text = sl_props_get(all, "sasl.jaas.config");
    char mechanism[32];
    struct sl_jaas jaas;
    enum sl_rc rc;

    /* It would be kinit, which librdkafka gives to a shell, with what the file says of the principal. */
    if (strcasecmp(as_taken(conf, "sasl.mechanisms", mechanism, sizeof(mechanism)), "GSSAPI") == 0)
        return sl_error_set(err, SL_E_UNSUPPORTED,
                            "sasl.mechanism=GSSAPI (Kerberos; what stands for a sasl.mechanism that is not "
                            "given) is not supported. HINT: PLAIN over TLS, SCRAM-SHA-256, SCRAM-SHA-512, "
                            "OAUTHBEARER, or a client certificate (docs/kafka.md)");
    if (!text || !*text)
        return SL_OK;
    rc = sl_jaas_parse(text, &jaas, err);
    if (rc)
        return rc;
    if (strcmp(jaas.module, "OAuthBearerLoginModule") == 0) {
        rc = oauth(all, &jaas, conf, err);
    } else if (strcmp(jaas.module, "PlainLoginModule") == 0 || strcmp(jaas.module, "ScramLoginModule") == 0) {
        rc = take_option(&jaas, "username", conf, "sasl.username", err);
        if (rc == SL_OK)
            rc = take_option(&jaas, "password", conf, "sasl.password", err);
    } else {
        rc = sl_error_set(err, SL_E_UNSUPPORTED,
                          "sasl.jaas.config: the login module '%s' is not known. HINT: PlainLoginModule, "
                          "ScramLoginModule or OAuthBearerLoginModule",
                          jaas.module);
    }
    sl_props_free(jaas.options);
    return rc;
}

static enum sl_rc encrypt(const struct sl_props *all, rd_kafka_conf_t *conf, struct sl_error *err)
{
    const char *identification = sl_props_get(all, "ssl.endpoint.identification.algorithm");
    enum sl_rc rc = trust(all, conf, err);

    if (rc == SL_OK)
        rc = show_ourselves(all, conf, err);
    if (rc == SL_OK && identification)
        rc = sl_kafka_conf_set(conf, "ssl.endpoint.identification.algorithm",
                               *identification ? identification : "none", err);
    return rc;
}

/*
 * As in Java, what security.protocol does not ask for is not looked at: a worker's file may name stores for
 * its listeners, and a login that nobody wants yet.
 */
enum sl_rc sl_kafka_conf_security(const struct sl_props *all, rd_kafka_conf_t *conf, struct sl_error *err)
{
    char protocol[32];
    enum sl_rc rc = SL_OK;

    if (!*as_taken(conf, "security.protocol", protocol, sizeof(protocol)))
        return SL_OK;
    if (strcasecmp(protocol, "SSL") == 0 || strcasecmp(protocol, "SASL_SSL") == 0)
        rc = encrypt(all, conf, err);
    if (rc == SL_OK && strncasecmp(protocol, "SASL_", 5) == 0)
        rc = log_in(all, conf, err);
    return rc;
}
