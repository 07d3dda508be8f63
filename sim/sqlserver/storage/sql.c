/* SPDX-License-Identifier: Apache-2.0 */
#include "sql.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cell.h"

struct entry {
    const char *literal;
    sqlite3_stmt *stmt;
};

#define KEPT_TEXTS 1000 /* beyond that all are dropped at the next statement's begin */

struct ms_sql_cache {
    struct entry *slots; /* open addressing by the literal's address */
    size_t n_slots;      /* a power of two */
    size_t used;
    sqlite3_stmt **by_text; /* open addressing by the text's hash */
    size_t n_texts;         /* a power of two */
    size_t used_texts;
};

struct ms_sql_cache *ms_sql_cache_new(void)
{
    struct ms_sql_cache *cache = ms_heap_alloc(sizeof *cache);
    cache->n_slots = 256;
    cache->slots = ms_heap_alloc(cache->n_slots * sizeof *cache->slots);
    cache->n_texts = 256;
    cache->by_text = ms_heap_alloc(cache->n_texts * sizeof(sqlite3_stmt *));
    return cache;
}

void ms_sql_cache_free(struct ms_sql_cache *cache)
{
    if (!cache)
        return;
    for (size_t i = 0; i < cache->n_slots; i++)
        sqlite3_finalize(cache->slots[i].stmt);
    for (size_t i = 0; i < cache->n_texts; i++)
        sqlite3_finalize(cache->by_text[i]);
    free(cache->by_text);
    free(cache->slots);
    free(cache);
}

static struct entry *find_slot(struct ms_sql_cache *cache, const char *literal)
{
    size_t at = ((uintptr_t)literal * 0x9E3779B97F4A7C15u) >> 32 & (cache->n_slots - 1);
    while (cache->slots[at].literal && cache->slots[at].literal != literal)
        at = (at + 1) & (cache->n_slots - 1);
    return &cache->slots[at];
}

static void grow(struct ms_sql_cache *cache)
{
    struct ms_sql_cache old = *cache;
    cache->n_slots *= 2;
    cache->slots = ms_heap_alloc(cache->n_slots * sizeof *cache->slots);
    for (size_t i = 0; i < old.n_slots; i++) {
        if (old.slots[i].literal)
            *find_slot(cache, old.slots[i].literal) = old.slots[i];
    }
    free(old.slots);
}

static sqlite3_stmt *prepared(struct ms_session *session, const char *literal, struct ms_error *err)
{
    struct ms_sql_cache *cache = session->sql;
    struct entry *entry = find_slot(cache, literal);
    if (entry->literal) {
        sqlite3_reset(entry->stmt);
        return entry->stmt;
    }
    sqlite3_stmt *stmt = NULL;
    if (sqlite3_prepare_v3(session->db, literal, -1, SQLITE_PREPARE_PERSISTENT, &stmt, NULL) != SQLITE_OK) {
        ms_session_sqlite_error(session, err);
        return NULL;
    }
    if (cache->used * 2 >= cache->n_slots)
        grow(cache);
    *find_slot(cache, literal) = (struct entry){.literal = literal, .stmt = stmt};
    cache->used++;
    return stmt;
}

void ms_sql_bind(sqlite3_stmt *stmt, const char *types, va_list args)
{
    for (int i = 1; *types; types++, i++) {
        switch (*types) {
        case 'i': sqlite3_bind_int(stmt, i, va_arg(args, int)); break;
        case 'I': sqlite3_bind_int64(stmt, i, va_arg(args, int64_t)); break;
        case 's': sqlite3_bind_text(stmt, i, va_arg(args, const char *), -1, SQLITE_STATIC); break;
        case 'b': {
            const void *bytes = va_arg(args, const void *);
            size_t len = va_arg(args, size_t);
            sqlite3_bind_blob64(stmt, i, bytes, len, SQLITE_STATIC);
            break;
        }
        case 'v': {
            const struct ms_type *type = va_arg(args, const struct ms_type *);
            ms_cell_bind(stmt, i, type, va_arg(args, const struct ms_value *));
            break;
        }
        default: sqlite3_bind_null(stmt, i); break;
        }
    }
}

sqlite3_stmt *ms_sql(struct ms_session *session, struct ms_error *err, const char *literal, const char *types,
                     ...)
{
    va_list args;
    sqlite3_stmt *stmt = prepared(session, literal, err);
    if (!stmt)
        return NULL;
    va_start(args, types);
    ms_sql_bind(stmt, types, args);
    va_end(args);
    return stmt;
}

bool ms_sql_finish(struct ms_session *session, sqlite3_stmt *stmt, struct ms_error *err)
{
    int rc;
    do {
        rc = sqlite3_step(stmt);
    } while (rc == SQLITE_ROW);
    if (rc != SQLITE_DONE)
        ms_session_sqlite_error(session, err);
    sqlite3_reset(stmt);
    sqlite3_clear_bindings(stmt);
    return rc == SQLITE_DONE;
}

bool ms_sql_run(struct ms_session *session, struct ms_error *err, const char *literal, const char *types, ...)
{
    va_list args;
    sqlite3_stmt *stmt = prepared(session, literal, err);
    if (!stmt)
        return false;
    va_start(args, types);
    ms_sql_bind(stmt, types, args);
    va_end(args);
    return ms_sql_finish(session, stmt, err);
}

int64_t ms_sql_int(struct ms_session *session, int64_t otherwise, const char *literal, const char *types, ...)
{
    va_list args;
    struct ms_error err;
    sqlite3_stmt *stmt = prepared(session, literal, &err);
    if (!stmt)
        return otherwise;
    va_start(args, types);
    ms_sql_bind(stmt, types, args);
    va_end(args);
    if (sqlite3_step(stmt) == SQLITE_ROW && sqlite3_column_type(stmt, 0) != SQLITE_NULL)
        otherwise = sqlite3_column_int64(stmt, 0);
    sqlite3_reset(stmt);
    sqlite3_clear_bindings(stmt);
    return otherwise;
}

static size_t text_slot(const struct ms_sql_cache *cache, const char *text)
{
    size_t hash = 14695981039346656037u;
    for (const char *p = text; *p; p++)
        hash = (hash ^ (uint8_t)*p) * 1099511628211u;
    size_t at = (hash ^ hash >> 32) & (cache->n_texts - 1);
    while (cache->by_text[at] && strcmp(sqlite3_sql(cache->by_text[at]), text) != 0)
        at = (at + 1) & (cache->n_texts - 1);
    return at;
}

void ms_sql_trim(struct ms_session *session)
{
    struct ms_sql_cache *cache = session->sql;
    if (cache->used_texts < KEPT_TEXTS)
        return;
    for (size_t i = 0; i < cache->n_texts; i++) {
        sqlite3_finalize(cache->by_text[i]);
        cache->by_text[i] = NULL;
    }
    cache->used_texts = 0;
}

static void grow_texts(struct ms_sql_cache *cache)
{
    sqlite3_stmt **old = cache->by_text;
    size_t n = cache->n_texts;
    cache->n_texts *= 2;
    cache->by_text = ms_heap_alloc(cache->n_texts * sizeof(sqlite3_stmt *));
    for (size_t i = 0; i < n; i++) {
        if (old[i])
            cache->by_text[text_slot(cache, sqlite3_sql(old[i]))] = old[i];
    }
    free(old);
}

sqlite3_stmt *ms_sql_by_text(struct ms_session *session, struct ms_error *err, const char *text)
{
    struct ms_sql_cache *cache = session->sql;
    size_t at = text_slot(cache, text);
    if (cache->by_text[at]) {
        sqlite3_reset(cache->by_text[at]);
        return cache->by_text[at];
    }
    sqlite3_stmt *stmt = NULL;
    if (sqlite3_prepare_v3(session->db, text, -1, SQLITE_PREPARE_PERSISTENT, &stmt, NULL) != SQLITE_OK) {
        ms_session_sqlite_error(session, err);
        return NULL;
    }
    if (cache->used_texts * 2 >= cache->n_texts)
        grow_texts(cache);
    cache->by_text[text_slot(cache, text)] = stmt;
    cache->used_texts++;
    return stmt;
}

bool ms_sql_exec(struct ms_session *session, struct ms_error *err, const char *text)
{
    if (sqlite3_exec(session->db, text, NULL, NULL, NULL) == SQLITE_OK)
        return true;
    ms_session_sqlite_error(session, err);
    return false;
}

bool ms_sql_execf(struct ms_session *session, struct ms_error *err, const char *format, ...)
{
    char *text = NULL;
    va_list args;
    va_start(args, format);
    if (vasprintf(&text, format, args) < 0)
        abort();
    va_end(args);
    bool ok = ms_sql_exec(session, err, text);
    free(text);
    return ok;
}

const char *ms_sql_text(sqlite3_stmt *stmt, int index, struct ms_arena *arena)
{
    const char *text = (const char *)sqlite3_column_text(stmt, index);
    return ms_arena_text(arena, text ? text : "");
}

const char *ms_sql_text_or_null(sqlite3_stmt *stmt, int index, struct ms_arena *arena)
{
    const char *text = (const char *)sqlite3_column_text(stmt, index);
    return text ? ms_arena_text(arena, text) : NULL;
}
