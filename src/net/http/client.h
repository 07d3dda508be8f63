/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP/1.1 requests over libcurl: for the schema registry's and Vault's APIs. JSON-sized answers, kept in
 * memory and bounded; no redirects (a redirect is an answer like any other), no cookies, no other schemes
 * than http and https, no environment proxies. A name that leads to a link-local address is not asked.
 *
 * Threads: one client serves any number of them; each request takes an idle connection from the client's pool
 * or makes one. TLS is OpenSSL's.
 */
#ifndef SLUICE_NET_HTTP_CLIENT_H
#define SLUICE_NET_HTTP_CLIENT_H

#include "base/buf.h"
#include "sluice/error.h"

#include <stdint.h>

struct ssl_ctx_st; /* OpenSSL's SSL_CTX */

struct sl_http_client_settings {
    int64_t connect_timeout_ms; /* TCP and TLS; 0: 10 s */
    int64_t read_timeout_ms;    /* the longest time without a byte; 0: 60 s */
    const char *proxy;          /* "host:port", or NULL: straight */
    const char *user_agent;     /* NULL: "sluice" */

    /* TLS. Each is NULL when not given; then the system's authorities are trusted and no certificate is
     * shown. */
    const char *ca_file;   /* PEM file with the authorities to trust, instead of the system's */
    const char *ca_path;   /* folder of such (hashed names) */
    const char *ca_pem;    /* the PEM text itself */
    const char *cert_file; /* PEM file with our certificate and its chain */
    const char *key_file;  /* PEM file with its key; NULL: in cert_file */
    const char *cert_pem;  /* the texts instead of files */
    const char *key_pem;
    const char *key_password;
    bool insecure; /* trust any certificate */
    bool any_name; /* trust a certificate for any host name */
    /* Last word on each new context (key stores of other forms). Nonzero: refused, err is filled. May be
     * NULL. */
    enum sl_rc (*tls)(void *ctx, struct ssl_ctx_st *context, struct sl_error *err);
    void *tls_ctx;
};

struct sl_http_client;

/* The settings' texts are copied. Errors: none but those of memory: what is wrong with files is found at use.
 */
struct sl_http_client *sl_http_client_new(const struct sl_http_client_settings *settings);
void sl_http_client_free(struct sl_http_client *client); /* no request is under way */

/* Every request under way and to come ends soon with STOPPED. Any thread. */
void sl_http_client_stop(struct sl_http_client *client);

struct sl_http_call {
    const char *method;          /* "GET", "POST", ... */
    const char *url;             /* http:// or https://, escaped already */
    const char *const *headers;  /* "Name: value", NULL-ended; NULL: none */
    const char *user, *password; /* Basic authentication; NULL: none */
    const void *body;            /* NULL: none */
    size_t body_len;
    int64_t deadline_us; /* for all of it, sl_now_us clock; 0: read_timeout_ms rules */
    size_t max_bytes;    /* a larger answer is an error; 0: 8 MiB */
};

struct sl_http_reply {
    int status;             /* 200, 404, ... */
    char content_type[128]; /* "" when none */
    int64_t retry_after_s;  /* -1: not said */
    struct sl_buf body;     /* sl_buf_cstr ends it with a NUL */
};

/*
 * Ask and wait for the whole answer, of any status. The response may be one that was used before: its body's
 * memory is used again. Errors: CONNECT (no connection, or it broke), TIMEOUT, PROTOCOL (not HTTP, too
 * large), CONFIG (the URL, a file, a key; a certificate that is not trusted), STOPPED. Texts name host and
 * port, never headers or what stands behind the URL's "?".
 */
enum sl_rc sl_http_client_ask(struct sl_http_client *client, const struct sl_http_call *request,
                              struct sl_http_reply *response, struct sl_error *err);
void sl_http_reply_done(struct sl_http_reply *response);

/* Append text as one part of a URL's path or query: everything but letters, digits and "-._~" is escaped. */
void sl_http_put_escaped(struct sl_buf *out, const char *text, size_t len);

#endif
