/* SPDX-License-Identifier: Apache-2.0 */
#include "../tsql/arena.h"
#include "catalog_load.h"
#include "clock.h"
#include "server.h"
#include "sql.h"
#include "tran.h"

#include "../cdc/job.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define FIRST_LOG_FILE 0x27
#define FIRST_LOG_BLOCK 0x2e0
#define TRAN_ID_RESERVE 1000000

uint64_t ms_server_random(struct ms_server *server)
{
    /* xorshift128+ */
    pthread_mutex_lock(&server->mutex);
    uint64_t a = server->random[0];
    uint64_t b = server->random[1];
    server->random[0] = b;
    a ^= a << 23;
    server->random[1] = a ^ b ^ (a >> 17) ^ (b >> 26);
    uint64_t result = server->random[1] + b;
    pthread_mutex_unlock(&server->mutex);
    return result;
}

void ms_server_guid(struct ms_server *server, uint8_t ret_guid[16])
{
    uint64_t high = ms_server_random(server);
    uint64_t low = ms_server_random(server);
    memcpy(ret_guid, &high, 8);
    memcpy(ret_guid + 8, &low, 8);
    ret_guid[7] = (uint8_t)((ret_guid[7] & 0x0F) | 0x40);
    ret_guid[8] = (uint8_t)((ret_guid[8] & 0x3F) | 0x80);
}

struct ms_db_state *ms_server_db_state(struct ms_session *session, int32_t db_id)
{
    struct ms_server *server = session->server;
    struct ms_error err;
    for (size_t i = 0; i < server->n_db_states; i++) {
        if (server->db_states[i].db_id == db_id)
            return &server->db_states[i];
    }
    sqlite3_stmt *s =
        ms_sql(session, &err, "SELECT log_lsn,dbts FROM sys_databases WHERE db_id=?", "i", db_id);
    if (!s || sqlite3_step(s) != SQLITE_ROW) {
        sqlite3_reset(s);
        return NULL;
    }
    struct ms_db_state state = {.db_id = db_id,
                                .log = {.file = FIRST_LOG_FILE, .block = FIRST_LOG_BLOCK},
                                .dbts = (uint64_t)sqlite3_column_int64(s, 1)};
    if (sqlite3_column_bytes(s, 0) == MS_LSN_SIZE)
        ms_lsn_decode(sqlite3_column_blob(s, 0), &state.log);
    sqlite3_reset(s);
    server->db_states = ms_heap_resize(server->db_states, (server->n_db_states + 1) * sizeof state);
    server->db_states[server->n_db_states] = state;
    return &server->db_states[server->n_db_states++];
}

void ms_server_forget_database(struct ms_server *server, int32_t db_id)
{
    for (size_t i = 0; i < server->n_db_states; i++) {
        if (server->db_states[i].db_id == db_id)
            server->db_states[i] = server->db_states[--server->n_db_states];
    }
}

int32_t ms_server_sessions_in(struct ms_session *session, int32_t db_id)
{
    int32_t n = 0;
    pthread_mutex_lock(&session->server->mutex);
    for (const struct ms_session *s = session->server->sessions; s; s = s->next)
        n += s != session && s->db_id == db_id && !s->killed;
    pthread_mutex_unlock(&session->server->mutex);
    return n;
}

/* One pass over the sessions of a database; true when none of them holds anything any more. */
static bool kill_pass(struct ms_session *session, int32_t db_id)
{
    bool all = true;
    pthread_mutex_lock(&session->server->mutex);
    for (struct ms_session *s = session->server->sessions; s; s = s->next) {
        if (s == session || s->db_id != db_id)
            continue;
        s->killed = true;
        ms_session_cancel(s);
        if (pthread_mutex_trylock(&s->tran->busy) != 0) {
            all = false; /* it runs a statement, which is being interrupted, and gives up by itself */
            continue;
        }
        ms_tran_abandon(s);
        pthread_mutex_unlock(&s->tran->busy);
    }
    pthread_mutex_unlock(&session->server->mutex);
    return all;
}

void ms_session_kill_others(struct ms_session *session, const char *database)
{
    struct ms_error err;
    int32_t db_id = 0;
    if (!ms_statement_begin(session, MS_STATEMENT_READ, &err))
        return;
    const struct ms_database *db = ms_catalog_database(session, database);
    if (db)
        db_id = db->db_id;
    ms_statement_end(session, true, &err);
    int64_t until = ms_clock_monotonic_ms() + 5000;
    while (db_id && !kill_pass(session, db_id) && ms_clock_monotonic_ms() < until)
        nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
}

static bool make_directories(const char *path)
{
    char *copy = ms_heap_text(path, strlen(path));
    bool ok = true;
    for (char *slash = copy + 1; ok && *slash; slash++) {
        if (*slash != '/')
            continue;
        *slash = 0;
        ok = mkdir(copy, 0777) == 0 || errno == EEXIST;
        *slash = '/';
    }
    ok = ok && (mkdir(copy, 0777) == 0 || errno == EEXIST);
    free(copy);
    return ok;
}

static void seed_random(struct ms_server *server, uint64_t seed)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    server->random[0] =
        seed ? seed * 0x9E3779B97F4A7C15u + 1 : (uint64_t)now.tv_nsec * 6364136223846793005u + 1;
    server->random[1] = seed ? seed ^ 0xD1B54A32D192ED03u : (uint64_t)now.tv_sec ^ 0xD1B54A32D192ED03u;
    for (int i = 0; i < 8; i++)
        (void)ms_server_random(server);
}

/* Counters go on behind what is on disk. */
static bool recover_counters(struct ms_session *session, struct ms_error *err)
{
    struct ms_server *server = session->server;
    int64_t tran_id =
        ms_sql_int(session, 1000, "SELECT value FROM sys_settings WHERE key='last_tran_id'", "");
    server->last_log_row = ms_sql_int(session, 0, "SELECT max(id) FROM log_row", "");
    server->last_log_tran = ms_sql_int(session, 0, "SELECT max(id) FROM log_tran", "");
    atomic_store(&server->last_tran_id, (uint64_t)tran_id);
    atomic_store(
        &server->last_catalog_version,
        (uint64_t)ms_sql_int(session, 1, "SELECT value FROM sys_settings WHERE key='catalog_version'", ""));
    return ms_sql_run(session, err, "INSERT OR REPLACE INTO sys_settings VALUES('last_tran_id',?)", "I",
                      tran_id + TRAN_ID_RESERVE);
}

static bool start_up(struct ms_server *server, const struct ms_server_options *options)
{
    struct ms_error err = {0};
    struct ms_session *session = ms_session_open_internal(server);
    if (!session)
        return false;
    bool ok = ms_bootstrap(session, options->sa_password ? options->sa_password : "", &err) &&
              recover_counters(session, &err);
    if (!ok)
        fprintf(stderr, "mssim: cannot open %s: %s\n", server->path, err.text);
    ms_session_close(session);
    return ok;
}

struct ms_server *ms_server_open(const struct ms_server_options *options)
{
    struct ms_buffer path = {0};
    struct ms_server *server = ms_heap_alloc(sizeof *server);
    if (!make_directories(options->state_dir)) {
        fprintf(stderr, "mssim: cannot create the state directory '%s': %s\n", options->state_dir,
                strerror(errno));
        free(server);
        return NULL;
    }
    ms_buffer_format(&path, "%s/mssim.db", options->state_dir);
    server->path = path.data;
    server->capture_interval_ms = options->capture_interval_ms > 0 ? options->capture_interval_ms : 5000;
    server->last_spid = 50;
    ms_locks_init(&server->locks);
    pthread_mutex_init(&server->mutex, NULL);
    seed_random(server, options->seed);
    if (options->capture_trace) {
        server->capture_trace = fopen(options->capture_trace, "a");
        if (!server->capture_trace)
            fprintf(stderr, "mssim: cannot write the trace '%s': %s\n", options->capture_trace,
                    strerror(errno));
    }
    if (!start_up(server, options) || !ms_capture_start(server)) {
        ms_server_close(server);
        return NULL;
    }
    return server;
}

void ms_server_close(struct ms_server *server)
{
    if (!server)
        return;
    ms_capture_stop(server);
    if (server->capture_trace)
        fclose(server->capture_trace);
    ms_catalog_unref(server->published);
    ms_locks_done(&server->locks);
    pthread_mutex_destroy(&server->mutex);
    free(server->identities);
    free(server->db_states);
    free(server->path);
    free(server);
}

static bool deadlock_fault(struct ms_server *server, char *ret_text, size_t size)
{
    pthread_mutex_lock(&server->locks.mutex);
    server->locks.deadlocks_to_report++;
    pthread_mutex_unlock(&server->locks.mutex);
    snprintf(ret_text, size, "the next writer becomes a deadlock victim");
    return true;
}

bool ms_server_fault(struct ms_server *server, const char *command, char *ret_text, size_t size)
{
    if (strncmp(command, "capture ", 8) == 0)
        return ms_capture_fault(server, command + 8, ret_text, size);
    if (strcmp(command, "deadlock next") == 0)
        return deadlock_fault(server, ret_text, size);
    snprintf(ret_text, size, "unknown command '%s'. HINT: sluice-sim-sqlserver --help lists them", command);
    return false;
}
