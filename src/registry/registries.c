/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/registries.h"

#include "base/log.h"
#include "base/props.h"
#include "registry/builtin.h"
#include "registry/http.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <strings.h>

struct client {
    char *identity;
    struct sl_registry *registry;
};

struct hub {
    struct sl_registry registry;
    const struct sl_props *worker;
    struct sl_transport *transport;
    bool read_only;
    _Atomic bool not_served;
    pthread_mutex_t lock; /* guards what follows */
    struct sl_registry *builtin;
    struct client *clients;
    size_t n_clients, capacity;
};

#define DEFAULT_LISTENERS "http://127.0.0.1:8081"

static const char *const methods[] = {"NONE", "BASIC", NULL};

const struct sl_option sl_registry_options[] = {
    {.name = "sluice.registry.listeners",
     .type = SL_OPT_LIST,
     .default_text = DEFAULT_LISTENERS,
     .importance = SL_IMPORTANCE_MEDIUM,
     .doc = "Where the built-in schema registry is served, comma-separated; empty: nowhere. Not given: at "
            "127.0.0.1:8081, if that port is free and the worker's converters name no other registry."},
    {.name = "sluice.registry.aliases",
     .type = SL_OPT_LIST,
     .importance = SL_IMPORTANCE_MEDIUM,
     .doc = "Addresses in schema.registry.url that mean the built-in registry; not given: those of "
            "sluice.registry.listeners, with localhost for 127.0.0.1."},
    {.name = "kafkastore.topic",
     .type = SL_OPT_STRING,
     .default_text = "_schemas",
     .importance = SL_IMPORTANCE_LOW,
     .doc = "The compacted topic in which the built-in registry is kept when workers share a Kafka cluster."},
    {.name = "sluice.registry.ssl.*",
     .importance = SL_IMPORTANCE_LOW,
     .doc = "ssl.* keys of https addresses in sluice.registry.listeners; those of the REST API "
            "(listeners.https.ssl.*, ssl.*) when none is given."},
    {.name = "authentication.method",
     .type = SL_OPT_STRING,
     .default_text = "NONE",
     .values = methods,
     .importance = SL_IMPORTANCE_MEDIUM,
     .doc = "Logins of the built-in schema registry, as Confluent's: BASIC asks for a user of "
            "sluice.rest.users.file, NONE for nothing."},
    {.name = "authentication.roles",
     .importance = SL_IMPORTANCE_LOW,
     .doc = "Taken for compatibility: every user of the file may do everything."},
    {.name = "authentication.realm",
     .importance = SL_IMPORTANCE_LOW,
     .doc = "Taken for compatibility: it names a section of Java's JAAS file."},
    {.name = NULL},
};

/* ---- which one is meant ---- */

/* Equal but for a slash at the end and the name of this machine for itself. */
static bool same_address(const char *one, const char *other)
{
    static const char loopback[] = "://127.0.0.1";
    static const char local[] = "://localhost";

    while (*one && *other) {
        if (strncasecmp(one, loopback, sizeof(loopback) - 1) == 0 &&
            strncasecmp(other, local, sizeof(local) - 1) == 0) {
            one += sizeof(loopback) - 1;
            other += sizeof(local) - 1;
        } else if (strncasecmp(one, local, sizeof(local) - 1) == 0 &&
                   strncasecmp(other, loopback, sizeof(loopback) - 1) == 0) {
            one += sizeof(local) - 1;
            other += sizeof(loopback) - 1;
        } else if (*one++ != *other++) {
            return false;
        }
    }
    return strcmp(one, *one == '/' ? "/" : "") == 0 && strcmp(other, *other == '/' ? "/" : "") == 0;
}

static bool listed(const char *list, const char *address)
{
    char item[1024];

    while (list && sl_list_next(&list, item, sizeof(item))) {
        if (strcmp(item, "*") == 0 || same_address(item, address))
            return true;
    }
    return false;
}

/* Does every address that the keys name stand for the built-in registry? */
static bool means_builtin(const struct sl_props *worker, const char *urls)
{
    const char *aliases = sl_props_get(worker, "sluice.registry.aliases");
    char item[1024];
    bool all = true;

    if (!aliases)
        aliases = sl_option_text(sl_registry_options, worker, NULL, "sluice.registry.listeners");
    while (all && sl_list_next(&urls, item, sizeof(item)))
        all = listed(aliases, item);
    return all;
}

bool sl_registries_builtin_used(const struct sl_props *worker)
{
    const char *key = sl_registry_http_url(worker, "key.converter.");
    const char *value = sl_registry_http_url(worker, "value.converter.");

    return (!key || means_builtin(worker, key)) || (!value || means_builtin(worker, value));
}

/* ---- the built-in one ---- */

static enum sl_rc open_builtin(struct hub *hub, struct sl_error *err)
{
    const char *group = sl_props_get(hub->worker, "group.id");
    struct sl_schema_store *store;
    bool shared = hub->transport && sl_props_get(hub->worker, "bootstrap.servers") && group && *group;
    enum sl_rc rc;

    if (hub->builtin)
        return SL_OK;
    if (shared)
        rc = sl_schema_store_topic_open(hub->transport, &store, err);
    else
        rc = sl_schema_store_sqlite_open(sl_props_get(hub->worker, "sluice.state.dir"), hub->read_only,
                                         &store, err);
    return rc ? rc : sl_registry_builtin_over(store, &hub->builtin, err);
}

static enum sl_rc get_builtin(struct hub *hub, struct sl_registry **ret, struct sl_error *err)
{
    enum sl_rc rc;

    (void)pthread_mutex_lock(&hub->lock);
    rc = open_builtin(hub, err);
    if (rc == SL_OK)
        *ret = hub->builtin;
    (void)pthread_mutex_unlock(&hub->lock);
    return rc;
}

/* ---- the served ones ---- */

static struct sl_registry *find_client(struct hub *hub, const char *identity)
{
    for (size_t i = 0; i < hub->n_clients; i++) {
        if (strcmp(hub->clients[i].identity, identity) == 0)
            return hub->clients[i].registry;
    }
    return NULL;
}

static enum sl_rc get_client(struct hub *hub, const struct sl_props *props, const char *prefix,
                             struct sl_registry **ret, struct sl_error *err)
{
    struct sl_registry_http_config config;
    struct sl_buf identity = {0};
    enum sl_rc rc = sl_registry_http_config_read(props, prefix, &config, err);

    if (rc)
        return rc;
    sl_registry_http_config_identity(&config, &identity);
    (void)pthread_mutex_lock(&hub->lock);
    *ret = find_client(hub, sl_buf_cstr(&identity));
    if (!*ret) {
        SL_GROW(hub->clients, hub->n_clients, hub->capacity);
        *ret = sl_registry_http_new(&config);
        hub->clients[hub->n_clients++] =
            (struct client){.identity = sl_strdup(sl_buf_cstr(&identity)), .registry = *ret};
    }
    (void)pthread_mutex_unlock(&hub->lock);
    explicit_bzero(identity.data, identity.len);
    sl_buf_done(&identity);
    sl_registry_http_config_done(&config);
    return SL_OK;
}

/* ---- the contract ---- */

static enum sl_rc choose(struct sl_registry *registry, const struct sl_props *props, const char *prefix,
                         struct sl_registry **ret, struct sl_error *err)
{
    struct hub *hub = (struct hub *)registry;
    const char *urls = sl_registry_http_url(props, prefix);

    if (urls && (!means_builtin(hub->worker, urls) ||
                 (atomic_load(&hub->not_served) && !sl_props_get(hub->worker, "sluice.registry.aliases"))))
        return get_client(hub, props, prefix, ret, err);
    return get_builtin(hub, ret, err);
}

static enum sl_rc register_schema(struct sl_registry *registry, const char *subject, const char *text,
                                  bool normalize, int32_t *ret_id, struct sl_error *err)
{
    enum sl_rc rc = get_builtin((struct hub *)registry, &registry, err);

    return rc ? rc : registry->ops->register_schema(registry, subject, text, normalize, ret_id, err);
}

static enum sl_rc look_up(struct sl_registry *registry, const char *subject, const char *text, bool normalize,
                          int32_t *ret_id, struct sl_error *err)
{
    enum sl_rc rc = get_builtin((struct hub *)registry, &registry, err);

    return rc ? rc : registry->ops->look_up(registry, subject, text, normalize, ret_id, err);
}

static enum sl_rc schema_by_id(struct sl_registry *registry, int32_t id, const char *subject,
                               struct sl_registry_found *ret, struct sl_error *err)
{
    enum sl_rc rc = get_builtin((struct hub *)registry, &registry, err);

    return rc ? rc : registry->ops->schema_by_id(registry, id, subject, ret, err);
}

static enum sl_rc version(struct sl_registry *registry, const char *subject, int32_t number,
                          struct sl_registry_found *ret, struct sl_error *err)
{
    enum sl_rc rc = get_builtin((struct hub *)registry, &registry, err);

    return rc ? rc : registry->ops->version(registry, subject, number, ret, err);
}

static void stop_hub(struct sl_registry *registry)
{
    struct hub *hub = (struct hub *)registry;

    (void)pthread_mutex_lock(&hub->lock);
    for (size_t i = 0; i < hub->n_clients; i++)
        hub->clients[i].registry->ops->stop(hub->clients[i].registry);
    (void)pthread_mutex_unlock(&hub->lock);
}

static void close_hub(struct sl_registry *registry)
{
    struct hub *hub = (struct hub *)registry;

    if (hub->builtin)
        hub->builtin->ops->close(hub->builtin);
    for (size_t i = 0; i < hub->n_clients; i++) {
        hub->clients[i].registry->ops->close(hub->clients[i].registry);
        explicit_bzero(hub->clients[i].identity, strlen(hub->clients[i].identity));
        sl_free(hub->clients[i].identity);
    }
    sl_free(hub->clients);
    (void)pthread_mutex_destroy(&hub->lock);
    sl_free(hub);
}

static const struct sl_registry_ops hub_ops = {
    .name = "registries",
    .choose = choose,
    .register_schema = register_schema,
    .look_up = look_up,
    .schema_by_id = schema_by_id,
    .version = version,
    .stop = stop_hub,
    .close = close_hub,
};

enum sl_rc sl_registries_open(const struct sl_props *worker, struct sl_transport *transport, bool read_only,
                              struct sl_registry **ret, struct sl_error *err)
{
    struct hub *hub = sl_zalloc(1, sizeof(*hub));
    enum sl_rc rc = SL_OK;

    hub->registry.ops = &hub_ops;
    hub->worker = worker;
    hub->transport = transport;
    hub->read_only = read_only;
    (void)pthread_mutex_init(&hub->lock, NULL);
    /* What is damaged is said at the start; what may never be needed is not made. */
    if (!sl_props_get(worker, "bootstrap.servers") && sl_registries_builtin_used(worker))
        rc = open_builtin(hub, err);
    if (rc) {
        close_hub(&hub->registry);
        return rc;
    }
    *ret = &hub->registry;
    return SL_OK;
}

void sl_registries_not_served(struct sl_registry *registries)
{
    if (registries->ops == &hub_ops)
        atomic_store(&((struct hub *)registries)->not_served, true);
}

struct sl_schema_book *sl_registries_book(struct sl_registry *registries, struct sl_error *err)
{
    struct sl_registry *builtin;

    if (registries->ops != &hub_ops) {
        (void)sl_error_set(err, SL_E_INTERNAL, "the registry is not this program's own");
        return NULL;
    }
    if (get_builtin((struct hub *)registries, &builtin, err))
        return NULL;
    return sl_registry_builtin_book(builtin);
}
