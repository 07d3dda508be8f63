/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Identity counters and row versions. A counter lives in the server's memory and goes on over rollbacks, as
 * in the real server; the commit of a transaction that moved it writes it down. After a crash it continues
 * from there.
 */
#include "../tsql/arena.h"
#include "cell.h"
#include "server.h"
#include "sql.h"
#include "tran.h"
#include "types.h"

#include <stdlib.h>
#include <string.h>

static struct ms_identity *find_slot(struct ms_server *server, int32_t object_id)
{
    size_t at = (uint32_t)object_id * 2654435769u & (server->n_identities - 1);
    while (server->identities[at].object_id && server->identities[at].object_id != object_id)
        at = (at + 1) & (server->n_identities - 1);
    return &server->identities[at];
}

static void make_room(struct ms_server *server)
{
    struct ms_identity *old = server->identities;
    size_t n = server->n_identities;
    if (server->used_identities * 2 < n)
        return;
    server->n_identities = n ? n * 2 : 64;
    server->identities = ms_heap_alloc(server->n_identities * sizeof *server->identities);
    for (size_t i = 0; i < n; i++) {
        if (old[i].object_id)
            *find_slot(server, old[i].object_id) = old[i];
    }
    free(old);
}

/* With the server's mutex held. The counter is read from disk at its first use. */
static struct ms_identity *counter(struct ms_session *session, const struct ms_table *table)
{
    struct ms_server *server = session->server;
    make_room(server);
    struct ms_identity *slot = find_slot(server, table->object_id);
    if (slot->object_id)
        return slot;
    struct ms_error err;
    sqlite3_stmt *s =
        ms_sql(session, &err, "SELECT last_value FROM sys_columns WHERE object_id=? AND identity=1", "i",
               table->object_id);
    *slot = (struct ms_identity){.object_id = table->object_id};
    if (s && sqlite3_step(s) == SQLITE_ROW && sqlite3_column_type(s, 0) != SQLITE_NULL) {
        slot->has_value = true;
        slot->last = sqlite3_column_int64(s, 0);
    }
    sqlite3_reset(s);
    server->used_identities++;
    return slot;
}

static void remember(struct ms_session *session, int32_t object_id)
{
    struct ms_tran *tran = session->tran;
    if (tran->n_identities && tran->identities[tran->n_identities - 1] == object_id)
        return;
    for (size_t i = 0; i < tran->n_identities; i++) {
        if (tran->identities[i] == object_id)
            return;
    }
    if (tran->n_identities == tran->cap_identities) {
        tran->cap_identities = tran->cap_identities ? tran->cap_identities * 2 : 16;
        tran->identities = ms_heap_resize(tran->identities, tran->cap_identities * sizeof *tran->identities);
    }
    tran->identities[tran->n_identities++] = object_id;
}

static bool fits(const struct ms_type *type, ms_int128 value)
{
    ms_int128 limit = 1;
    switch ((int)type->id) {
    case MS_TINYINT: return value >= 0 && value <= 255;
    case MS_SMALLINT: return value >= INT16_MIN && value <= INT16_MAX;
    case MS_INT: return value >= INT32_MIN && value <= INT32_MAX;
    case MS_BIGINT: return value >= INT64_MIN && value <= INT64_MAX;
    default: break;
    }
    for (int i = 0; i < type->precision && i < 18; i++)
        limit *= 10;
    return value > -limit && value < limit;
}

bool ms_identity_next(struct ms_session *session, const struct ms_table *table, int64_t *ret_value,
                      struct ms_error *err)
{
    const struct ms_catalog_column *column = &table->columns[table->identity_column];
    pthread_mutex_lock(&session->server->mutex);
    struct ms_identity *slot = counter(session, table);
    ms_int128 next =
        slot->has_value ? (ms_int128)slot->last + column->identity_increment : column->identity_seed;
    bool ok = fits(&column->type, next);
    if (ok) {
        slot->has_value = true;
        slot->last = *ret_value = (int64_t)next;
    }
    pthread_mutex_unlock(&session->server->mutex);
    if (ok) {
        remember(session, table->object_id);
        return true;
    }
    char type[64];
    return ms_error_set(err, 8115, 16, 1, "Arithmetic overflow error converting IDENTITY to data type %s.",
                        ms_type_text(&column->type, type, sizeof type));
}

void ms_identity_seen(struct ms_session *session, const struct ms_table *table, int64_t value)
{
    const struct ms_catalog_column *column = &table->columns[table->identity_column];
    pthread_mutex_lock(&session->server->mutex);
    struct ms_identity *slot = counter(session, table);
    bool further = column->identity_increment > 0 ? value > slot->last : value < slot->last;
    if (!slot->has_value || further) {
        slot->has_value = true;
        slot->last = value;
    }
    pthread_mutex_unlock(&session->server->mutex);
    remember(session, table->object_id);
}

bool ms_identity_current(struct ms_session *session, const struct ms_table *table, int64_t *ret_value)
{
    if (table->identity_column < 0)
        return false;
    pthread_mutex_lock(&session->server->mutex);
    const struct ms_identity *slot = counter(session, table);
    *ret_value = slot->has_value ? slot->last : table->columns[table->identity_column].identity_seed;
    pthread_mutex_unlock(&session->server->mutex);
    return true;
}

void ms_identity_reseed(struct ms_session *session, const struct ms_table *table, int64_t value)
{
    pthread_mutex_lock(&session->server->mutex);
    struct ms_identity *slot = counter(session, table);
    slot->has_value = true;
    slot->last = value;
    pthread_mutex_unlock(&session->server->mutex);
    remember(session, table->object_id);
}

void ms_identity_forget(struct ms_session *session, const struct ms_table *table)
{
    pthread_mutex_lock(&session->server->mutex);
    counter(session, table)->has_value = false;
    pthread_mutex_unlock(&session->server->mutex);
    struct ms_error ignored;
    ms_sql_run(session, &ignored, "UPDATE sys_columns SET last_value=NULL WHERE object_id=? AND identity=1",
               "i", table->object_id);
}

bool ms_identity_flush(struct ms_session *session, struct ms_error *err)
{
    struct ms_tran *tran = session->tran;
    for (size_t i = 0; i < tran->n_identities; i++) {
        pthread_mutex_lock(&session->server->mutex);
        int64_t last = find_slot(session->server, tran->identities[i])->last;
        pthread_mutex_unlock(&session->server->mutex);
        if (!ms_sql_run(session, err, "UPDATE sys_columns SET last_value=? WHERE object_id=? AND identity=1",
                        "Ii", last, tran->identities[i]))
            return false;
    }
    return true;
}

uint64_t ms_rowversion_current(struct ms_session *session, int32_t db_id)
{
    if (session->tran->writing) {
        const struct ms_db_state *state = ms_server_db_state(session, db_id);
        if (state)
            return state->dbts;
    }
    return (uint64_t)ms_sql_int(session, 0, "SELECT dbts FROM sys_databases WHERE db_id=?", "i", db_id);
}
