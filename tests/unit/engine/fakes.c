/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/fake_parts.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/props.h"
#include "base/thread.h"
#include "engine/config/connector_config.h"

#include <stdio.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct fake_world world;

static const struct sl_registry_ops registry_ops;
static struct sl_registry the_registry = {.ops = &registry_ops};

static enum sl_rc registry_open(const struct sl_props *worker, struct sl_transport *transport, bool read_only,
                                struct sl_registry **ret, struct sl_error *err)
{
    (void)worker;
    (void)transport;
    (void)read_only;
    (void)err;
    *ret = &the_registry;
    return SL_OK;
}

static void registry_close(struct sl_registry *registry)
{
    (void)registry;
}

static const struct sl_registry_ops registry_ops = {.name = "fake", .close = registry_close};

static const struct sl_source_ops *const sources[] = {&fake_source_ops, NULL};
static const struct sl_sink_ops *const sinks[] = {&fake_sink_ops, NULL};
static const struct sl_transport_ops *const transports[] = {&fake_log_ops, NULL};
static const struct sl_converter_ops *const converters[] = {&fake_converter_ops, NULL};
static const struct sl_transform_ops *const transforms[] = {NULL};

const struct sl_plugins fake_plugins = {
    .sources = sources,
    .sinks = sinks,
    .transports = transports,
    .converters = converters,
    .transforms = transforms,
    .open_registry = registry_open,
};

static const struct sl_placement *placed;
static struct sl_props *worker_props;

static void free_stored(void)
{
    for (size_t i = 0; i < world.n_stored; i++) {
        sl_free(world.stored[i].key);
        sl_free(world.stored[i].value);
        sl_free(world.stored[i].headers);
    }
    sl_free(world.stored);
}

static void free_texts(struct fake_text *texts, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        sl_free(texts[i].space);
        sl_free(texts[i].key);
        sl_free(texts[i].value);
    }
    sl_free(texts);
}

void fake_world_reset(void)
{
    free_stored();
    free_texts(world.texts, world.n_texts);
    free_texts(world.topic_list, world.n_topics_made);
    sl_free(world.rows);
    sl_free(world.held);
    world = (struct fake_world){.topics = 1};
    (void)pthread_mutex_init(&world.lock, NULL);
    sl_cond_init(&world.changed);
    sl_log_open(SL_LEVEL_ERROR, SL_LOG_LOGFMT);
    placed = NULL;
    sl_props_free(worker_props);
    worker_props = sl_props_new();
    sl_props_set(worker_props, "key.converter", "test.FakeConverter");
    sl_props_set(worker_props, "value.converter", "test.FakeConverter");
    sl_props_set(worker_props, "sluice.state.dir", "/nowhere");
}

struct sl_connector *fake_connector(const char *name, int sink, ...)
{
    struct sl_props *props = sl_props_new();
    struct sl_complaints complaints = {0};
    struct sl_connector *connector = NULL;
    const char *key;
    va_list args;

    sl_props_set(props, "name", name);
    sl_props_set(props, "connector.class", sink ? "FakeSink" : "FakeSource");
    va_start(args, sink);
    while ((key = va_arg(args, const char *)))
        sl_props_set(props, key, va_arg(args, const char *));
    va_end(args);
    sl_connector_check(props, &fake_plugins, worker_props, NULL, &complaints, &connector);
    if (!connector)
        fail_msg("%s: %s", complaints.items[0].key, complaints.items[0].text);
    sl_complaints_done(&complaints);
    return connector;
}

void fake_place(const struct sl_placement *placement)
{
    placed = placement;
}

void fake_worker_set(const char *key, const char *value)
{
    sl_props_set(worker_props, key, value);
}

struct sl_herder *fake_start(struct sl_connector *const *connectors, size_t n)
{
    const struct sl_herder_settings settings = {.plugins = &fake_plugins, .worker = worker_props};
    const struct sl_props *configs[16];
    struct sl_herder *herder = NULL;
    struct sl_error err = {0};

    (void)pthread_mutex_lock(&world.lock);
    world.dead = false;
    (void)pthread_mutex_unlock(&world.lock);
    assert_true(n <= 16);
    for (size_t i = 0; i < n; i++)
        configs[i] = connectors[i]->raw;
    assert_int_equal(sl_herder_open(&settings, &herder, &err), SL_OK);
    if (placed)
        sl_herder_place(herder, placed);
    if ((n && sl_herder_adopt_files(herder, configs, n, &err)) || sl_herder_start(herder, &err))
        fail_msg("%s", err.text);
    return herder;
}

void fake_stop(struct sl_herder *herder)
{
    /* Ten seconds, since sanitizers are slow; the promise of one second has a test of its own. */
    assert_true(sl_herder_stop(herder, sl_now_us() + 10 * 1000 * 1000));
    sl_herder_free(herder);
}

bool fake_wait(bool (*condition)(void *), void *arg)
{
    int64_t deadline_us = sl_now_us() + 30 * 1000 * 1000;
    bool holds;

    (void)pthread_mutex_lock(&world.lock);
    while (!(holds = condition(arg)) && sl_now_us() < deadline_us)
        (void)sl_cond_wait(&world.changed, &world.lock, sl_now_us() + 20000);
    (void)pthread_mutex_unlock(&world.lock);
    return holds;
}

static bool has_rows(void *arg)
{
    return world.n_rows >= *(size_t *)arg || world.dead;
}

bool fake_wait_rows(size_t n)
{
    return fake_wait(has_rows, &n);
}
