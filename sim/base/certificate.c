/* SPDX-License-Identifier: Apache-2.0 */
#include "certificate.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <unistd.h>

#define TEN_YEARS_S (10L * 365 * 24 * 3600)

/* A cluster's nodes listen on neighbouring loopback addresses. */
#define NAMES                                                                                             \
    "DNS:localhost,IP:::1,IP:127.0.0.1,IP:127.0.0.2,IP:127.0.0.3,IP:127.0.0.4,IP:127.0.0.5,IP:127.0.0.6," \
    "IP:127.0.0.7,IP:127.0.0.8,IP:127.0.0.9"

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
    add_extension(cert, NID_subject_alt_name, NAMES);
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

bool sim_certificate_make(const char *cert_path, const char *key_path)
{
    EVP_PKEY *key = EVP_RSA_gen(2048);
    X509 *cert = key == NULL ? NULL : make_certificate(key);
    bool ok = cert != NULL && write_pair(cert_path, key_path, cert, key);
    X509_free(cert);
    EVP_PKEY_free(key);
    return ok;
}
