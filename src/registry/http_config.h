/* SPDX-License-Identifier: Apache-2.0 */
/* What a converter's keys say about a registry that is served over HTTP: Confluent's names and defaults. */
#ifndef SLUICE_REGISTRY_HTTP_CONFIG_H
#define SLUICE_REGISTRY_HTTP_CONFIG_H

#include "base/buf.h"
#include "net/http/stores.h"
#include "sluice/error.h"

#include <stdbool.h>
#include <stdint.h>

struct sl_props;

enum { SL_REGISTRY_URLS = 16 };

struct sl_registry_http_config {
    char *urls[SL_REGISTRY_URLS]; /* without login and without a slash at the end */
    size_t n_urls;
    char *user, *password;     /* NULL: none */
    char *bearer;              /* the token, NULL: none */
    struct sl_http_stores tls; /* owned */
    int64_t connect_timeout_ms;
    int64_t read_timeout_ms;
    int64_t retries_wait_ms, retries_max_wait_ms;
    int max_retries;
    char *proxy; /* "host:port", or NULL */
};

/* The text of schema.registry.url under the prefix, or NULL when there is none. */
const char *sl_registry_http_url(const struct sl_props *props, const char *prefix);

/* Errors: CONFIG: an address, a number or a kind of login that cannot be used. */
enum sl_rc sl_registry_http_config_read(const struct sl_props *props, const char *prefix,
                                        struct sl_registry_http_config *ret, struct sl_error *err);
void sl_registry_http_config_done(struct sl_registry_http_config *config);

/* Everything that makes one client differ from another, as one text (with secrets: never to be shown). */
void sl_registry_http_config_identity(const struct sl_registry_http_config *config, struct sl_buf *out);

#endif
