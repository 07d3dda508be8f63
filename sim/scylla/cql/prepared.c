/* SPDX-License-Identifier: Apache-2.0 */
#include <openssl/evp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../storage/arena.h"
#include "../types/bytes.h"
#include "language.h"

struct sy_prepared {
    uint8_t id[16];
    uint32_t references; /* of the table and of those that run it; under the language's lock */
    uint64_t *nodes;     /* a bit for each node that knows it */
    const struct sy_plan *plan;
    struct sy_arena arena;
    struct sy_prepared *next; /* of the same bucket */
};

enum { BUCKETS = 4096, MAX_NODES = 1024 };

struct sy_language {
    struct sy_server *server;
    uint64_t node_bits;
    pthread_mutex_t lock;
    struct sy_prepared *buckets[BUCKETS];
};

static pthread_mutex_t attach_lock = PTHREAD_MUTEX_INITIALIZER;

static void *must(void *memory)
{
    if (memory == NULL) {
        fputs("out of memory\n", stderr);
        abort();
    }
    return memory;
}

static void free_prepared(struct sy_prepared *prepared)
{
    sy_arena_free(&prepared->arena);
    free(prepared);
}

static void free_language(void *attached)
{
    struct sy_language *language = attached;
    for (size_t i = 0; i < BUCKETS; i++)
        while (language->buckets[i] != NULL) {
            struct sy_prepared *prepared = language->buckets[i];
            language->buckets[i] = prepared->next;
            free_prepared(prepared);
        }
    pthread_mutex_destroy(&language->lock);
    free(language);
}

struct sy_language *sy_language_of(struct sy_server *server)
{
    pthread_mutex_lock(&attach_lock);
    struct sy_language *language = sy_server_attached(server);
    if (language == NULL) {
        uint8_t random[16];
        language = must(calloc(1, sizeof *language));
        language->server = server;
        sy_store_random_uuid(server, random);
        language->node_bits = sy_get_u64(random + 8) & 0xffffffffffULL;
        pthread_mutex_init(&language->lock, NULL);
        sy_server_attach(server, language, free_language);
    }
    pthread_mutex_unlock(&attach_lock);
    return language;
}

uint64_t sy_language_node_bits(const struct sy_language *language)
{
    return language->node_bits;
}

static struct sy_prepared **find(struct sy_language *language, const uint8_t id[16])
{
    struct sy_prepared **at = &language->buckets[sy_get_u16(id) % BUCKETS];
    while (*at != NULL && memcmp((*at)->id, id, 16) != 0)
        at = &(*at)->next;
    return at;
}

static bool knows(const struct sy_prepared *prepared, uint32_t node)
{
    return (prepared->nodes[node / 64 % (MAX_NODES / 64)] >> node % 64 & 1) != 0;
}

static void unreference(struct sy_prepared *prepared)
{
    if (--prepared->references == 0)
        free_prepared(prepared);
}

static void forget(struct sy_prepared **at)
{
    struct sy_prepared *prepared = *at;
    *at = prepared->next;
    unreference(prepared);
}

/* md5 of the keyspace and the text: the same on every node and after a restart. */
static void make_id(const char *keyspace, const char *cql, size_t len, uint8_t ret[16])
{
    EVP_MD_CTX *md5 = must(EVP_MD_CTX_new());
    EVP_DigestInit_ex(md5, EVP_md5(), NULL);
    if (keyspace != NULL)
        EVP_DigestUpdate(md5, keyspace, strlen(keyspace));
    EVP_DigestUpdate(md5, cql, len);
    EVP_DigestFinal_ex(md5, ret, NULL);
    EVP_MD_CTX_free(md5);
}

static struct sy_prepared *make(struct sy_session *session, const uint8_t id[16], const char *cql, size_t len,
                                struct sy_arena *request, struct sy_error *ret_error)
{
    struct sy_prepared *prepared = must(calloc(1, sizeof *prepared));
    prepared->nodes = sy_arena_alloc(&prepared->arena, MAX_NODES / 8);
    memcpy(prepared->id, id, 16);
    const char *keyspace =
        session->keyspace != NULL ? sy_arena_text(&prepared->arena, session->keyspace) : NULL;
    const char *kept = sy_arena_dup(&prepared->arena, cql, len);
    struct sy_error error;
    prepared->plan = sy_plan_make(session->server, keyspace, kept, len, &prepared->arena, &error);
    if (prepared->plan != NULL)
        return prepared;
    *ret_error = error;
    ret_error->message = sy_arena_text(request, error.message);
    if (error.extra.len > 0)
        ret_error->extra.bytes =
            (const uint8_t *)sy_arena_dup(request, error.extra.bytes, (size_t)error.extra.len);
    free_prepared(prepared);
    return NULL;
}

struct sy_prepared *sy_prepare(struct sy_session *session, const char *cql, size_t len,
                               struct sy_arena *arena, struct sy_error *ret_error)
{
    struct sy_language *language = session->language;
    uint8_t id[16];
    make_id(session->keyspace, cql, len, id);
    pthread_mutex_lock(&language->lock);
    struct sy_prepared **at = find(language, id);
    if (*at != NULL && !sy_plan_is_current(session->server, (*at)->plan)) {
        forget(at);
        at = find(language, id);
    }
    struct sy_prepared *prepared = *at;
    if (prepared == NULL) {
        prepared = make(session, id, cql, len, arena, ret_error);
        if (prepared != NULL) {
            prepared->references = 1;
            *at = prepared;
        }
    }
    if (prepared != NULL) {
        prepared->nodes[session->node / 64 % (MAX_NODES / 64)] |= 1ULL << session->node % 64;
        prepared->references++;
    }
    pthread_mutex_unlock(&language->lock);
    return prepared;
}

struct sy_prepared *sy_prepared_find(struct sy_session *session, const uint8_t id[16])
{
    struct sy_language *language = session->language;
    pthread_mutex_lock(&language->lock);
    struct sy_prepared **at = find(language, id);
    if (*at != NULL && !sy_plan_is_current(session->server, (*at)->plan))
        forget(at);
    struct sy_prepared *prepared = *at;
    if (prepared != NULL && memcmp(prepared->id, id, 16) != 0)
        prepared = NULL; /* what followed the forgotten one */
    if (prepared != NULL && !knows(prepared, session->node))
        prepared = NULL;
    if (prepared != NULL)
        prepared->references++;
    pthread_mutex_unlock(&language->lock);
    return prepared;
}

void sy_prepared_release(struct sy_language *language, struct sy_prepared *prepared)
{
    pthread_mutex_lock(&language->lock);
    unreference(prepared);
    pthread_mutex_unlock(&language->lock);
}

const struct sy_plan *sy_prepared_plan(const struct sy_prepared *prepared)
{
    return prepared->plan;
}

const uint8_t *sy_prepared_id(const struct sy_prepared *prepared)
{
    return prepared->id;
}

void sy_server_forget_prepared(struct sy_server *server, uint32_t node)
{
    struct sy_language *language = sy_language_of(server);
    pthread_mutex_lock(&language->lock);
    for (size_t i = 0; i < BUCKETS; i++) {
        struct sy_prepared **at = &language->buckets[i];
        while (*at != NULL) {
            if (node == UINT32_MAX) {
                forget(at);
                continue;
            }
            (*at)->nodes[node / 64 % (MAX_NODES / 64)] &= ~(1ULL << node % 64);
            at = &(*at)->next;
        }
    }
    pthread_mutex_unlock(&language->lock);
}
