/* SPDX-License-Identifier: Apache-2.0 */
#include "api/registry/serve.h"

#include "api/listeners.h"
#include "api/registry/routes.h"
#include "api/users.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/props.h"
#include "registry/registries.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { STOP_WAIT_US = 1000 * 1000 };

#define TLS_PREFIX "sluice.registry."

struct sl_registry_server {
    struct sl_http_server *http;
    struct sl_users *users; /* NULL: no login is asked for */
    size_t n_listeners;
};

/* As Confluent's: authentication.method=BASIC. Who may come in is what the REST API says of it, too. */
static enum sl_rc read_login(const struct sl_props *worker, struct sl_users **ret, struct sl_error *err)
{
    const char *method = sl_option_text(sl_registry_options, worker, NULL, "authentication.method");
    const char *file = sl_props_get(worker, "sluice.rest.users.file");

    if (strcasecmp(method, "BASIC") != 0)
        return SL_OK;
    if (!file || !*file)
        return sl_error_set(
            err, SL_E_CONFIG,
            "authentication.method=BASIC: nobody could log in to the schema registry. HINT: set "
            "sluice.rest.users.file to a file with a line user=password each");
    return sl_users_open(file, ret, err);
}

static bool log_in(void *ctx, const struct sl_http_request *request, struct sl_http_answer *answer)
{
    return sl_users_log_in(ctx, request, answer);
}

static enum sl_rc start(const struct sl_props *worker, const char *listeners, struct sl_schema_book *book,
                        struct sl_registry_server *server, struct sl_error *err)
{
    static const char *const media[] = {"application/vnd.schemaregistry.v1+json",
                                        "application/vnd.schemaregistry+json", "application/json", NULL};
    static const char *const bodies[] = {"application/vnd.schemaregistry.v1+json",
                                         "application/vnd.schemaregistry+json", "application/json",
                                         "application/octet-stream", NULL};
    struct sl_api_listeners list;
    struct sl_http_tls tls = {0};
    struct sl_http_config config = {
        .name = "registry",
        .listeners = list.items,
        .tls = &tls,
        .routes = sl_registry_routes,
        .ctx = book,
        .before = server->users ? log_in : NULL,
        .before_ctx = server->users,
        .consumes = bodies,
        .produces = media,
    };
    enum sl_rc rc =
        sl_api_listeners_parse(listeners, "sluice.registry.listeners", server->users != NULL, &list, err);

    if (rc == SL_OK)
        rc = sl_api_tls_read(worker, sl_api_tls_given(worker, TLS_PREFIX) ? TLS_PREFIX : SL_API_HTTPS, &tls,
                             err);
    if (rc)
        return rc;
    server->n_listeners = list.n;
    config.n_listeners = list.n;
    sl_api_limits_read(worker, &config.limits, &config.log);
    return sl_http_server_start(&config, &server->http, err);
}

static void free_server(struct sl_registry_server *server)
{
    if (server->users)
        sl_users_close(server->users);
    sl_free(server);
}

static void say_where(const struct sl_registry_server *server)
{
    for (size_t i = 0; i < server->n_listeners; i++)
        sl_info("the schema registry is served", SL_T("host", sl_http_server_host(server->http, i)),
                SL_I("port", sl_http_server_port(server->http, i)),
                SL_T("login", server->users ? "required" : "none"));
    if (!server->users)
        sl_api_warn_open("the schema registry", server->http, server->n_listeners);
}

enum sl_rc sl_registry_server_start(const struct sl_props *worker, struct sl_registry *registries,
                                    struct sl_registry_server **ret, struct sl_error *err)
{
    const char *listeners = sl_props_get(worker, "sluice.registry.listeners");
    bool asked = listeners != NULL;
    struct sl_registry_server *server;
    struct sl_schema_book *book;
    enum sl_rc rc;

    *ret = NULL;
    if (!asked && sl_registries_builtin_used(worker))
        listeners = sl_option_text(sl_registry_options, worker, NULL, "sluice.registry.listeners");
    if (!listeners || *listeners == '\0')
        return SL_OK;
    server = sl_zalloc(1, sizeof(*server));
    rc = read_login(worker, &server->users, err);
    if (rc) { /* what asks for a login must not be left out silently */
        free_server(server);
        return rc;
    }
    book = sl_registries_book(registries, err);
    rc = book ? start(worker, listeners, book, server, err) : (err ? err->rc : SL_E_CONFIG);
    if (rc == SL_OK) {
        say_where(server);
        *ret = server;
        return SL_OK;
    }
    free_server(server);
    if (asked)
        return sl_error_wrap(err, "sluice.registry.listeners");
    sl_warn("the schema registry is not served", SL_T("address", listeners),
            SL_T("reason", err ? err->text : ""));
    sl_registries_not_served(registries);
    sl_error_clear(err);
    return SL_OK;
}

int sl_registry_server_port(const struct sl_registry_server *server)
{
    return sl_http_server_port(server->http, 0);
}

bool sl_registry_server_stop(struct sl_registry_server *server)
{
    if (server && !sl_http_server_stop(server->http, sl_now_us() + STOP_WAIT_US))
        return false;
    if (server)
        free_server(server);
    return true;
}
