/* SPDX-License-Identifier: Apache-2.0 */
#include "api/registry/serve.h"

#include "api/listeners.h"
#include "api/registry/routes.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/props.h"
#include "registry/registries.h"

#include <stdlib.h>
#include <string.h>

enum { STOP_WAIT_US = 1000 * 1000 };

struct sl_registry_server {
    struct sl_http_server *http;
};

static enum sl_rc start(const char *listeners, struct sl_schema_book *book, struct sl_http_server **ret,
                        struct sl_error *err)
{
    static const char *const media[] = {"application/vnd.schemaregistry.v1+json",
                                        "application/vnd.schemaregistry+json", "application/json", NULL};
    static const char *const bodies[] = {"application/vnd.schemaregistry.v1+json",
                                         "application/vnd.schemaregistry+json", "application/json",
                                         "application/octet-stream", NULL};
    struct sl_api_listeners list;
    enum sl_rc rc = sl_api_listeners_parse(listeners, "sluice.registry.listeners", false, &list, err);

    if (rc)
        return rc;
    return sl_http_server_start(&(struct sl_http_config){.name = "registry",
                                                         .listeners = list.items,
                                                         .n_listeners = list.n,
                                                         .routes = sl_registry_routes,
                                                         .ctx = book,
                                                         .consumes = bodies,
                                                         .produces = media,
                                                         .log = SL_HTTP_LOG_WRITES},
                                ret, err);
}

enum sl_rc sl_registry_server_start(const struct sl_props *worker, struct sl_registry *registries,
                                    struct sl_registry_server **ret, struct sl_error *err)
{
    const char *listeners = sl_props_get(worker, "sluice.registry.listeners");
    bool asked = listeners != NULL;
    struct sl_http_server *http = NULL;
    struct sl_schema_book *book;
    enum sl_rc rc;

    *ret = NULL;
    if (!asked && sl_registries_builtin_used(worker))
        listeners = sl_option_text(sl_registry_options, worker, NULL, "sluice.registry.listeners");
    if (!listeners || *listeners == '\0')
        return SL_OK;
    book = sl_registries_book(registries, err);
    rc = book ? start(listeners, book, &http, err) : (err ? err->rc : SL_E_CONFIG);
    if (rc && asked)
        return sl_error_wrap(err, "sluice.registry.listeners");
    if (rc) {
        sl_warn("the schema registry is not served", SL_T("address", listeners),
                SL_T("reason", err ? err->text : ""));
        sl_registries_not_served(registries);
        sl_error_clear(err);
        return SL_OK;
    }
    sl_info("the schema registry is served", SL_T("host", sl_http_server_host(http, 0)),
            SL_I("port", sl_http_server_port(http, 0)));
    *ret = sl_zalloc(1, sizeof(**ret));
    (*ret)->http = http;
    return SL_OK;
}

int sl_registry_server_port(const struct sl_registry_server *server)
{
    return sl_http_server_port(server->http, 0);
}

void sl_registry_server_stop(struct sl_registry_server *server)
{
    if (!server)
        return;
    if (!sl_http_server_stop(server->http, sl_now_us() + STOP_WAIT_US))
        sl_warn("the schema registry's server did not stop in time");
    sl_free(server);
}
