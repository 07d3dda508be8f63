/* SPDX-License-Identifier: Apache-2.0 */
#include "api/connect/inside.h"
#include "api/connect/leader_call.h"

#include "base/clock.h"
#include "base/queue.h"
#include "base/log.h"
#include "base/props.h"

enum { HEALTH_WAIT_US = 10 * 1000 * 1000 };

/* Clients switch features on by this version (kcctl: 3.7 for loggers of the whole group). */
#define CONNECT_VERSION "3.9.2"

static void get_root(void *ctx, const struct sl_http_request *request, struct sl_http_answer *answer)
{
    struct sl_connect_api *api = ctx;
    struct sl_herder *herder = atomic_load(&api->ready) ? api->herder : NULL;
    const char *identity = "";

    (void)request;
    if (herder) {
        struct sl_shared *shared = sl_herder_shared(herder);

        identity = shared->transport->ops->identity(shared->transport);
    }
    sl_http_json(answer, 200,
                 json_pack("{s:s, s:s, s:s}", "version", CONNECT_VERSION, "commit", "sluice-" SL_VERSION,
                           "kafka_cluster_id", identity));
}

static void put_health(struct sl_http_answer *answer, int status, const char *word, const char *message)
{
    sl_http_json(answer, status, json_pack("{s:s, s:s}", "status", word, "message", message));
}

static void get_health(void *ctx, const struct sl_http_request *request, struct sl_http_answer *answer)
{
    struct sl_connect_api *api = ctx;
    struct sl_herder *herder = atomic_load(&api->ready) ? api->herder : NULL;
    struct sl_answer said = {0};

    (void)request;
    if (!herder) {
        put_health(answer, 503, "starting", "Worker is still starting up.");
        return;
    }
    sl_herder_ping(herder, HEALTH_WAIT_US, &said);
    if (said.status == SL_ANSWER_OK)
        put_health(answer, 200, "healthy", "Worker has completed startup and is ready to handle requests.");
    else
        put_health(answer, 500, "unhealthy",
                   said.message
                       ? said.message
                       : "Worker was unable to handle this request and may be unable to handle other "
                         "requests.");
    sl_answer_done(&said);
}

#define EVERYWHERE                   \
    {"GET", "/", get_root},          \
    {                                \
        "GET", "/health", get_health \
    }

#define ADMIN                                                                                       \
    {"GET", "/admin/breakers", sl_connect_breakers}, {"GET", "/admin/loggers", sl_connect_loggers}, \
        {"GET", "/admin/loggers/{logger}", sl_connect_logger},                                      \
    {                                                                                               \
        "PUT", "/admin/loggers/{logger}", sl_connect_set_logger                                     \
    }

#define CONNECTORS                                                                          \
    {"GET", "/connectors", sl_connect_list}, {"POST", "/connectors", sl_connect_create},    \
        {"GET", "/connectors/{connector}", sl_connect_info},                                \
        {"DELETE", "/connectors/{connector}", sl_connect_delete},                           \
        {"GET", "/connectors/{connector}/config", sl_connect_config},                       \
        {"PUT", "/connectors/{connector}/config", sl_connect_put_config},                   \
        {"PATCH", "/connectors/{connector}/config", sl_connect_patch_config},               \
        {"GET", "/connectors/{connector}/status", sl_connect_status},                       \
        {"PUT", "/connectors/{connector}/pause", sl_connect_pause},                         \
        {"PUT", "/connectors/{connector}/resume", sl_connect_resume},                       \
        {"PUT", "/connectors/{connector}/stop", sl_connect_stop},                           \
        {"POST", "/connectors/{connector}/restart", sl_connect_restart},                    \
        {"GET", "/connectors/{connector}/tasks", sl_connect_tasks},                         \
        {"POST", "/connectors/{connector}/tasks", sl_connect_internal},                     \
        {"GET", "/connectors/{connector}/tasks-config", sl_connect_tasks_config},           \
        {"GET", "/connectors/{connector}/tasks/{task}/status", sl_connect_task_status},     \
        {"POST", "/connectors/{connector}/tasks/{task}/restart", sl_connect_task_restart},  \
        {"GET", "/connectors/{connector}/topics", sl_connect_topics},                       \
        {"PUT", "/connectors/{connector}/topics/reset", sl_connect_reset_topics},           \
        {"GET", "/connectors/{connector}/offsets", sl_connect_offsets},                     \
        {"PATCH", "/connectors/{connector}/offsets", sl_connect_alter_offsets},             \
        {"DELETE", "/connectors/{connector}/offsets", sl_connect_reset_offsets},            \
        {"GET", "/connectors/{connector}/dead-letters", sl_connect_letters},                \
        {"POST", "/connectors/{connector}/dead-letters/replay", sl_connect_replay_letters}, \
        {"POST", "/connectors/{connector}/dead-letters/drop", sl_connect_drop_letters},     \
        {"PUT", "/connectors/{connector}/fence", sl_connect_internal},                      \
        {"GET", "/connector-plugins", sl_connect_plugins},                                  \
        {"GET", "/connector-plugins/{plugin}/config", sl_connect_plugin_config},            \
    {                                                                                       \
        "PUT", "/connector-plugins/{plugin}/config/validate", sl_connect_validate           \
    }

static const struct sl_http_route all_routes[] = {EVERYWHERE, CONNECTORS, ADMIN, {NULL, NULL, NULL}};
static const struct sl_http_route routes_without_admin[] = {EVERYWHERE, CONNECTORS, {NULL, NULL, NULL}};
static const struct sl_http_route admin_routes[] = {EVERYWHERE, ADMIN, {NULL, NULL, NULL}};
static const char *const json_only[] = {"application/json", NULL};

/* ---- life ---- */

static enum sl_rc serve(struct sl_connect_api *api, const char *name,
                        const struct sl_api_listeners *listeners, const char *tls_prefix,
                        const struct sl_http_route *routes, struct sl_http_server **ret, struct sl_error *err)
{
    struct sl_http_tls tls;
    struct sl_http_config config = {
        .name = name,
        .listeners = listeners->items,
        .n_listeners = listeners->n,
        .tls = &tls,
        .routes = routes,
        .ctx = api,
        .consumes = json_only,
        .produces = json_only,
        .before = sl_connect_before,
        .after = sl_connect_after,
    };
    enum sl_rc rc = sl_api_tls_read(api->worker, tls_prefix, &tls, err);

    if (rc)
        return rc;
    sl_api_limits_read(api->worker, &config.limits, &config.log);
    return sl_http_server_start(&config, ret, err);
}

static void say_where(const struct sl_connect_api *api, const struct sl_http_server *server, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const char *host = sl_http_server_host(server, i);
        struct sl_log_field port = SL_I("port", sl_http_server_port(server, i));

        sl_info("the REST API listens", SL_T("host", host), port,
                SL_T("login", api->users ? "required" : "none"));
    }
    if (!api->users)
        sl_api_warn_open("the REST API", server, n);
}

static enum sl_rc serve_all(struct sl_connect_api *api, struct sl_error *err)
{
    struct sl_api_listeners admin = {0};
    bool apart = false;
    enum sl_rc rc = sl_api_listeners_read_admin(api->worker, &apart, &admin, err);

    if (rc == SL_OK)
        rc = serve(api, "rest", &api->listeners, SL_API_HTTPS, apart ? routes_without_admin : all_routes,
                   &api->server, err);
    if (rc == SL_OK && admin.n)
        rc = serve(api, "rest-admin", &admin, "admin.listeners.https.", admin_routes, &api->admin, err);
    if (rc)
        return rc;
    say_where(api, api->server, api->listeners.n);
    if (api->admin)
        say_where(api, api->admin, admin.n);
    sl_api_advertised_url(api->worker, &api->listeners, sl_http_server_port(api->server, 0), api->url,
                          sizeof(api->url));
    return SL_OK;
}

enum sl_rc sl_connect_api_open(const struct sl_props *worker, const struct sl_plugins *plugins,
                               struct sl_connect_api **ret, struct sl_error *err)
{
    struct sl_connect_api *api = sl_zalloc(1, sizeof(*api));
    enum sl_rc rc;

    api->worker = worker;
    api->plugins = plugins;
    rc = sl_api_listeners_read(worker, &api->listeners, err);
    if (rc == SL_OK && api->listeners.n == 0) {
        sl_free(api);
        *ret = NULL;
        return SL_OK;
    }
    if (rc == SL_OK)
        rc = sl_connect_gate_open(api, err);
    if (rc == SL_OK)
        rc = sl_leader_call_open(worker, &api->leader, err);
    if (rc == SL_OK)
        rc = serve_all(api, err);
    if (rc) {
        (void)sl_connect_api_close(api, SL_FOREVER);
        return rc;
    }
    *ret = api;
    return SL_OK;
}

const char *sl_connect_api_url(const struct sl_connect_api *api)
{
    return api->url;
}

void sl_connect_api_ready(struct sl_connect_api *api, struct sl_herder *herder)
{
    api->herder = herder;
    atomic_store(&api->ready, true);
}

void sl_connect_api_leave(struct sl_connect_api *api)
{
    atomic_store(&api->ready, false);
}

bool sl_connect_api_close(struct sl_connect_api *api, int64_t deadline_us)
{
    if (api->leader)
        sl_leader_call_stop(api->leader);
    if (api->admin && !sl_http_server_stop(api->admin, deadline_us))
        return false;
    if (api->server && !sl_http_server_stop(api->server, deadline_us))
        return false;
    if (api->leader)
        sl_leader_call_close(api->leader);
    sl_connect_gate_close(api);
    sl_free(api);
    return true;
}
