/* SPDX-License-Identifier: Apache-2.0 */
#include "server.h"

#include "../cdc/cdc.h"
#include "../types/bytes.h"
#include "../types/timeuuid.h"
#include "roles.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

bool sy_fail(struct sy_arena *arena, struct sy_error *error, int32_t code, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    *error = (struct sy_error){
        .code = code, .message = sy_arena_vformat(arena, format, args), .extra.len = SY_NULL};
    va_end(args);
    return false;
}

/* --- locks --- */

bool sy_server_lock_write(struct sy_server *server)
{
    if (atomic_load_explicit(&server->writer, memory_order_relaxed) == (uintptr_t)pthread_self())
        return false;
    pthread_rwlock_wrlock(&server->lock);
    atomic_store_explicit(&server->writer, (uintptr_t)pthread_self(), memory_order_relaxed);
    return true;
}

bool sy_server_lock_read(struct sy_server *server)
{
    if (atomic_load_explicit(&server->writer, memory_order_relaxed) == (uintptr_t)pthread_self())
        return false;
    pthread_rwlock_rdlock(&server->lock);
    return true;
}

void sy_server_unlock(struct sy_server *server, bool locked)
{
    if (!locked)
        return;
    if (atomic_load_explicit(&server->writer, memory_order_relaxed) == (uintptr_t)pthread_self())
        atomic_store_explicit(&server->writer, 0, memory_order_relaxed);
    pthread_rwlock_unlock(&server->lock);
}

void sy_store_lock(struct sy_server *server)
{
    sy_server_lock_write(server);
}

void sy_store_unlock(struct sy_server *server)
{
    sy_server_unlock(server, true);
}

/* --- time --- */

int64_t sy_server_now_us(struct sy_server *server)
{
    struct timespec now;

    if (server->options.manual_clock)
        return atomic_load(&server->manual_us);
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

void sy_server_advance_us(struct sy_server *server, int64_t by_us)
{
    atomic_fetch_add(&server->manual_us, by_us);
}

int64_t sy_store_timestamp_us(struct sy_server *server)
{
    int64_t now_us = sy_server_now_us(server);
    int64_t last_us = atomic_load(&server->last_timestamp_us);
    int64_t next_us;

    do {
        next_us = now_us > last_us ? now_us : last_us + 1;
    } while (!atomic_compare_exchange_weak(&server->last_timestamp_us, &last_us, next_us));
    return next_us;
}

/* --- seeded uniqueness --- */

static uint64_t rotate(uint64_t x, int by)
{
    return x << by | x >> (64 - by);
}

/* xoroshiro128+; the caller holds unique_mutex. */
static uint64_t draw(struct sy_server *server)
{
    uint64_t a = server->random[0];
    uint64_t b = server->random[1];
    uint64_t sum = a + b;

    b ^= a;
    server->random[0] = rotate(a, 24) ^ b ^ (b << 16);
    server->random[1] = rotate(b, 37);
    return sum;
}

uint64_t sy_server_draw(struct sy_server *server)
{
    uint64_t drawn;

    pthread_mutex_lock(&server->unique_mutex);
    drawn = draw(server);
    pthread_mutex_unlock(&server->unique_mutex);
    return drawn;
}

uint64_t sy_server_random(struct sy_server *server)
{
    return sy_server_draw(server);
}

uint64_t sy_server_seed(struct sy_server *server)
{
    return server->options.seed;
}

void sy_server_attach(struct sy_server *server, void *language, void (*free_language)(void *language))
{
    server->language = language;
    server->free_language = free_language;
}

void *sy_server_attached(struct sy_server *server)
{
    return server->language;
}

void sy_server_seed_random(struct sy_server *server, uint64_t seed)
{
    for (int i = 0; i < 2; i++) {
        uint64_t z = seed += 0x9E3779B97F4A7C15u;

        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
        server->random[i] = z ^ (z >> 31);
    }
}

void sy_store_timeuuid(struct sy_server *server, int64_t time_us, uint8_t ret[16])
{
    uint64_t ticks = sy_timeuuid_ticks_of_us(time_us);
    uint64_t low;

    pthread_mutex_lock(&server->unique_mutex);
    low = (draw(server) & 0x3fffffffffffffffu) | 0x8000000000000000u;
    /* Later ones of one microsecond sort behind: ten ticks of room, then the random part alone differs. */
    if (ticks <= server->last_ticks && ticks / 10 == server->last_ticks / 10 && server->last_ticks % 10 < 9)
        ticks = server->last_ticks + 1;
    server->last_ticks = ticks;
    pthread_mutex_unlock(&server->unique_mutex);
    sy_timeuuid_make(ticks, low, ret);
}

void sy_store_timeuuid_prepend(struct sy_server *server, int64_t time_us, uint8_t ret[16])
{
    const int64_t mirror_us = 1262304000LL * 1000000; /* 2010-01-01 */

    sy_store_timeuuid(server, mirror_us - (time_us - mirror_us), ret);
}

void sy_store_random_uuid(struct sy_server *server, uint8_t ret[16])
{
    sy_put_u64(ret, sy_server_draw(server));
    sy_put_u64(ret + 8, sy_server_draw(server));
    ret[6] = (uint8_t)((ret[6] & 0x0f) | 0x40);
    ret[8] = (uint8_t)((ret[8] & 0x3f) | 0x80);
}

/* --- opening --- */

/* Tokens and ids of the nodes: from the seed, so that they are the same at each start. */
static void draw_nodes(struct sy_server *server)
{
    uint32_t n = server->options.n_nodes * server->options.vnodes;
    struct sy_arena *arena = &server->catalog.permanent;

    server->tokens = sy_arena_alloc(arena, n * sizeof(*server->tokens));
    server->host_ids = sy_arena_alloc(arena, server->options.n_nodes * sizeof(*server->host_ids));
    for (uint32_t i = 0; i < n; i++)
        server->tokens[i] = (int64_t)sy_server_draw(server);
    for (uint32_t i = 0; i < server->options.n_nodes; i++)
        sy_store_random_uuid(server, server->host_ids[i]);
}

static void copy_options(struct sy_server *server, const struct sy_server_options *options)
{
    struct sy_arena *arena = &server->catalog.permanent;

    server->options = *options;
    if (server->options.n_nodes == 0)
        server->options.n_nodes = 1;
    if (server->options.n_shards == 0)
        server->options.n_shards = 1;
    if (server->options.vnodes == 0)
        server->options.vnodes = 1;
    server->options.address = sy_arena_text(arena, options->address != NULL ? options->address : "127.0.0.1");
    server->options.state_dir = options->state_dir != NULL ? sy_arena_text(arena, options->state_dir) : NULL;
    atomic_store(&server->manual_us, options->start_us);
}

struct sy_server *sy_server_open(const struct sy_server_options *options)
{
    struct sy_server *server = calloc(1, sizeof(*server));

    if (server == NULL)
        abort();
    pthread_rwlock_init(&server->lock, NULL);
    pthread_mutex_init(&server->unique_mutex, NULL);
    pthread_mutex_init(&server->catalog.mutex, NULL);
    copy_options(server, options);
    sy_server_seed_random(server, options->seed);
    draw_nodes(server);
    sy_cdc_open(server);
    sy_server_lock_write(server);
    sy_system_define(server);
    if (!sy_journal_open(server)) {
        sy_server_unlock(server, true);
        sy_server_close(server);
        return NULL;
    }
    server->catalog.schema_rows_stale = true;
    sy_system_new_schema_version(server);
    sy_system_fill_local(server);
    sy_cdc_start(server);
    sy_server_unlock(server, true);
    sy_roles_open(server);
    return server;
}

void sy_server_close(struct sy_server *server)
{
    if (server == NULL)
        return;
    if (server->free_language != NULL)
        server->free_language(server->language);
    sy_journal_close(server);
    while (server->held != NULL) {
        struct sy_held *held = server->held;

        server->held = held->next;
        sy_buffer_free(&held->packed);
        free(held);
    }
    while (server->hold_orders != NULL) {
        struct sy_hold_order *order = server->hold_orders;

        server->hold_orders = order->next;
        free(order);
    }
    while (server->listeners != NULL) {
        struct sy_listener *listener = server->listeners;

        server->listeners = listener->next;
        free(listener);
    }
    sy_cdc_close(server);
    sy_catalog_close(server);
    pthread_mutex_destroy(&server->unique_mutex);
    pthread_rwlock_destroy(&server->lock);
    free(server);
}

void sy_server_listen(struct sy_server *server, sy_schema_listener *listener, void *ctx)
{
    struct sy_listener *entry = calloc(1, sizeof(*entry));

    if (entry == NULL)
        abort();
    *entry = (struct sy_listener){.call = listener, .ctx = ctx, .next = server->listeners};
    server->listeners = entry;
}
