/* SPDX-License-Identifier: Apache-2.0 */
#include "../tsql/arena.h"
#include "../storage/clock.h"
#include "../storage/sql.h"
#include "../storage/tran.h"
#include "capture.h"
#include "cleanup.h"
#include "job.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MAX_DATABASES 64
#define KEPT_SESSIONS 64
#define KEPT_ERRORS 32
#define DUMMY_INTERVAL_MS 300000
#define CLEANUP_INTERVAL_MS 3600000
#define LONGEST_SLEEP_MS 250

/* What is known about one database's job. */
struct job {
    int32_t db_id; /* 0: a free slot */
    bool stopped;
    int64_t due_ms; /* monotonic */
    int64_t dummy_due_ms;
    int64_t cleanup_due_ms;
    int32_t last_session_id;
};

/* A database's settings as of this round. */
struct settings {
    int32_t db_id;
    int64_t interval_ms;
    int64_t maxtrans;
    int64_t maxscans;
};

struct ms_capture_jobs {
    struct ms_server *server;
    pthread_t thread;
    bool started;
    pthread_mutex_t mutex; /* guards what follows */
    pthread_cond_t wake;
    pthread_cond_t round_done;
    bool quit;
    bool stopped;               /* by fault */
    int64_t forced_interval_ms; /* by fault; 0: each job's own */
    uint64_t rounds_asked;      /* "once": rounds to run even when stopped */
    uint64_t rounds_done;
    struct job jobs[MAX_DATABASES];
    struct ms_scan_session sessions[KEPT_SESSIONS]; /* a ring */
    size_t n_sessions;
    struct ms_scan_error errors[KEPT_ERRORS]; /* a ring */
    size_t n_errors;
};

static struct job *job_of(struct ms_capture_jobs *jobs, int32_t db_id)
{
    struct job *spare = NULL;
    for (size_t i = 0; i < MAX_DATABASES; i++) {
        if (jobs->jobs[i].db_id == db_id)
            return &jobs->jobs[i];
        if (!jobs->jobs[i].db_id && !spare)
            spare = &jobs->jobs[i];
    }
    if (spare) {
        int64_t now = ms_clock_monotonic_ms();
        *spare = (struct job){.db_id = db_id,
                              .dummy_due_ms = now + DUMMY_INTERVAL_MS,
                              .cleanup_due_ms = now + CLEANUP_INTERVAL_MS};
    }
    return spare;
}

static struct ms_scan_session *new_session(struct ms_capture_jobs *jobs, struct job *job)
{
    struct ms_scan_session *s = &jobs->sessions[jobs->n_sessions++ % KEPT_SESSIONS];
    *s = (struct ms_scan_session){
        .db_id = job->db_id, .session_id = ++job->last_session_id, .start_time = ms_clock_datetime()};
    return s;
}

static struct ms_scan_session *last_session(struct ms_capture_jobs *jobs, int32_t db_id)
{
    for (size_t back = 1; back <= KEPT_SESSIONS && back <= jobs->n_sessions; back++) {
        struct ms_scan_session *s = &jobs->sessions[(jobs->n_sessions - back) % KEPT_SESSIONS];
        if (s->db_id == db_id)
            return s;
    }
    return NULL;
}

/* Empty scans are collapsed into one row with a rising count. */
static void note_empty(struct ms_capture_jobs *jobs, int32_t db_id)
{
    struct job *job = job_of(jobs, db_id);
    struct ms_scan_session *s = last_session(jobs, db_id);
    if (!s || s->tran_count > 0)
        s = job ? new_session(jobs, job) : NULL;
    if (!s)
        return;
    s->empty_scans++;
    s->end_time = ms_clock_datetime();
}

static void note_scan(struct ms_capture_jobs *jobs, int32_t db_id, const struct ms_scan *scan)
{
    struct job *job = job_of(jobs, db_id);
    if (!job)
        return;
    struct ms_scan_session *s = new_session(jobs, job);
    s->end_time = ms_clock_datetime();
    s->tran_count = scan->transactions;
    s->command_count = scan->commands;
    s->last_commit_time = scan->last_commit_time;
    s->latency_s = (s->end_time - scan->last_commit_time) / 300;
    memcpy(s->first_lsn, scan->first_lsn, MS_LSN_SIZE);
    memcpy(s->last_lsn, scan->last_lsn, MS_LSN_SIZE);
}

static void note_error(struct ms_capture_jobs *jobs, int32_t db_id, const struct ms_error *err)
{
    struct job *job = job_of(jobs, db_id);
    struct ms_scan_error *e = &jobs->errors[jobs->n_errors++ % KEPT_ERRORS];
    *e = (struct ms_scan_error){.db_id = db_id,
                                .session_id = job ? job->last_session_id : 0,
                                .time = ms_clock_datetime(),
                                .number = err->number,
                                .severity = err->severity,
                                .state = err->state};
    snprintf(e->text, sizeof e->text, "%s", err->text);
}

static size_t read_settings(struct ms_session *session, struct settings *list)
{
    struct ms_error err;
    size_t n = 0;
    sqlite3_stmt *s =
        ms_sql(session, &err,
               "SELECT d.db_id,j.interval_ms,j.maxtrans,j.maxscans FROM sys_databases d JOIN cdc_jobs j"
               " ON j.db_id=d.db_id AND j.job_type='capture' WHERE d.is_cdc_enabled=1 AND d.state=0"
               " AND j.enabled=1",
               "");
    while (s && n < MAX_DATABASES && sqlite3_step(s) == SQLITE_ROW) {
        list[n++] = (struct settings){.db_id = sqlite3_column_int(s, 0),
                                      .interval_ms = sqlite3_column_int64(s, 1),
                                      .maxtrans = sqlite3_column_int64(s, 2),
                                      .maxscans = sqlite3_column_int64(s, 3)};
    }
    sqlite3_reset(s);
    return n;
}

/* The writer's commit returned: what was captured can be seen from now on. */
static void trace_commits(struct ms_capture_jobs *jobs, const struct ms_scan *scan)
{
    struct timespec now;
    char text[23];
    clock_gettime(CLOCK_REALTIME, &now);
    for (int64_t i = 0; i < scan->transactions; i++)
        fprintf(jobs->server->capture_trace, "%s %" PRId64 "\n",
                ms_lsn_text(scan->commits + i * MS_LSN_SIZE, text),
                (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000);
    fflush(jobs->server->capture_trace);
}

/* One cycle of one database's job: scans until the log is empty or maxscans is reached. True: more is
 * waiting. */
static bool run_cycle(struct ms_capture_jobs *jobs, struct ms_session *session,
                      const struct settings *settings)
{
    bool trace = jobs->server->capture_trace != NULL;
    bool pending = ms_capture_pending(session, settings->db_id);
    if (!pending) {
        pthread_mutex_lock(&jobs->mutex);
        note_empty(jobs, settings->db_id);
        pthread_mutex_unlock(&jobs->mutex);
        return false;
    }
    for (int64_t i = 0; pending && i < settings->maxscans; i++) {
        struct ms_scan scan = {0};
        struct ms_error err;
        bool ok = ms_capture_scan(session, settings->db_id, settings->maxtrans, trace, &scan, &err);
        pthread_mutex_lock(&jobs->mutex);
        if (ok && scan.transactions)
            note_scan(jobs, settings->db_id, &scan);
        else if (!ok)
            note_error(jobs, settings->db_id, &err);
        bool quit = jobs->quit;
        pthread_mutex_unlock(&jobs->mutex);
        if (ok && trace)
            trace_commits(jobs, &scan);
        if (ok)
            free(scan.commits);
        if (!ok || quit)
            return false;
        pending = ms_capture_pending(session, settings->db_id);
    }
    return pending;
}

/* Dummy rows while idle, cleanup by the clock. */
static void run_chores(struct ms_capture_jobs *jobs, struct ms_session *session, int32_t db_id)
{
    struct ms_error ignored;
    int64_t now = ms_clock_monotonic_ms();
    pthread_mutex_lock(&jobs->mutex);
    struct job *job = job_of(jobs, db_id);
    bool dummy = job && now >= job->dummy_due_ms;
    bool cleanup = job && now >= job->cleanup_due_ms;
    if (dummy)
        job->dummy_due_ms = now + DUMMY_INTERVAL_MS;
    if (cleanup)
        job->cleanup_due_ms = now + CLEANUP_INTERVAL_MS;
    pthread_mutex_unlock(&jobs->mutex);
    if (dummy)
        ms_capture_dummy(session, db_id, &ignored);
    if (cleanup)
        ms_cleanup_by_retention(session, db_id, &ignored);
}

/* Is the database's job to run in this round? Also says when the next one is due. */
static bool is_due(struct ms_capture_jobs *jobs, const struct settings *settings, bool forced,
                   int64_t *next_ms)
{
    int64_t now = ms_clock_monotonic_ms();
    bool due = false;
    pthread_mutex_lock(&jobs->mutex);
    struct job *job = job_of(jobs, settings->db_id);
    int64_t interval = jobs->forced_interval_ms ? jobs->forced_interval_ms : settings->interval_ms;
    if (job && (forced || (!jobs->stopped && !job->stopped))) {
        due = forced || now >= job->due_ms;
        if (due)
            job->due_ms = now + interval;
        if (job->due_ms < *next_ms)
            *next_ms = job->due_ms;
    }
    pthread_mutex_unlock(&jobs->mutex);
    return due;
}

/* Each database whose time has come. Returns when the next one is due (monotonic). */
static int64_t run_round(struct ms_capture_jobs *jobs, struct ms_session *session, bool forced)
{
    struct settings list[MAX_DATABASES];
    size_t n = read_settings(session, list);
    int64_t next = ms_clock_monotonic_ms() + LONGEST_SLEEP_MS;
    for (size_t i = 0; i < n; i++) {
        if (!is_due(jobs, &list[i], forced, &next))
            continue;
        while (run_cycle(jobs, session, &list[i]) && forced)
            ;
        run_chores(jobs, session, list[i].db_id);
    }
    return next;
}

static void sleep_until(struct ms_capture_jobs *jobs, int64_t until_ms)
{
    struct timespec t = {.tv_sec = until_ms / 1000, .tv_nsec = (long)(until_ms % 1000) * 1000000};
    pthread_mutex_lock(&jobs->mutex);
    if (!jobs->quit && jobs->rounds_asked == jobs->rounds_done)
        pthread_cond_timedwait(&jobs->wake, &jobs->mutex, &t);
    pthread_mutex_unlock(&jobs->mutex);
}

static void *capture_thread(void *arg)
{
    struct ms_capture_jobs *jobs = arg;
    struct ms_session *session = ms_session_open_internal(jobs->server);
    while (session) {
        pthread_mutex_lock(&jobs->mutex);
        bool quit = jobs->quit;
        uint64_t asked = jobs->rounds_asked;
        bool forced = asked != jobs->rounds_done;
        pthread_mutex_unlock(&jobs->mutex);
        if (quit)
            break;
        int64_t next = run_round(jobs, session, forced);
        pthread_mutex_lock(&jobs->mutex);
        if (forced)
            jobs->rounds_done = asked;
        pthread_cond_broadcast(&jobs->round_done);
        pthread_mutex_unlock(&jobs->mutex);
        sleep_until(jobs, next);
    }
    ms_session_close(session);
    return NULL;
}

bool ms_capture_start(struct ms_server *server)
{
    pthread_condattr_t attr;
    struct ms_capture_jobs *jobs = ms_heap_alloc(sizeof *jobs);
    jobs->server = server;
    server->capture = jobs;
    pthread_mutex_init(&jobs->mutex, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&jobs->wake, &attr);
    pthread_cond_init(&jobs->round_done, &attr);
    pthread_condattr_destroy(&attr);
    jobs->started = pthread_create(&jobs->thread, NULL, capture_thread, jobs) == 0;
    return jobs->started;
}

void ms_capture_stop(struct ms_server *server)
{
    struct ms_capture_jobs *jobs = server->capture;
    if (!jobs)
        return;
    pthread_mutex_lock(&jobs->mutex);
    jobs->quit = true;
    pthread_cond_broadcast(&jobs->wake);
    pthread_cond_broadcast(&jobs->round_done);
    pthread_mutex_unlock(&jobs->mutex);
    if (jobs->started)
        pthread_join(jobs->thread, NULL);
    pthread_cond_destroy(&jobs->wake);
    pthread_cond_destroy(&jobs->round_done);
    pthread_mutex_destroy(&jobs->mutex);
    free(jobs);
    server->capture = NULL;
}

static bool run_once(struct ms_capture_jobs *jobs, char *ret_text, size_t size)
{
    uint64_t wanted = ++jobs->rounds_asked;
    pthread_cond_broadcast(&jobs->wake);
    while (jobs->rounds_done < wanted && !jobs->quit)
        pthread_cond_wait(&jobs->round_done, &jobs->mutex);
    snprintf(ret_text, size, "captured");
    return true;
}

/* With the mutex held. */
static bool obey(struct ms_capture_jobs *jobs, const char *command, char *ret_text, size_t size)
{
    long long interval_ms = 0;
    if (strcmp(command, "once") == 0)
        return run_once(jobs, ret_text, size);
    if (strcmp(command, "stop") == 0 || strcmp(command, "start") == 0) {
        jobs->stopped = command[2] == 'o';
        snprintf(ret_text, size, "capture %s", jobs->stopped ? "stopped" : "started");
        return true;
    }
    if (sscanf(command, "interval %lld", &interval_ms) == 1 && interval_ms > 0) {
        jobs->forced_interval_ms = interval_ms;
        snprintf(ret_text, size, "capture interval %lld ms", interval_ms);
        return true;
    }
    snprintf(ret_text, size, "unknown capture command '%s'. HINT: stop | start | once | interval MS",
             command);
    return false;
}

bool ms_capture_fault(struct ms_server *server, const char *command, char *ret_text, size_t size)
{
    struct ms_capture_jobs *jobs = server->capture;
    pthread_mutex_lock(&jobs->mutex);
    bool ok = obey(jobs, command, ret_text, size);
    for (size_t i = 0; ok && i < MAX_DATABASES; i++)
        jobs->jobs[i].due_ms = 0;
    pthread_cond_broadcast(&jobs->wake);
    pthread_mutex_unlock(&jobs->mutex);
    return ok;
}

bool ms_capture_set_running(struct ms_server *server, int32_t db_id, bool running)
{
    struct ms_capture_jobs *jobs = server->capture;
    pthread_mutex_lock(&jobs->mutex);
    struct job *job = job_of(jobs, db_id);
    bool changed = job && job->stopped == running;
    if (job) {
        job->stopped = !running;
        job->due_ms = 0;
    }
    pthread_cond_broadcast(&jobs->wake);
    pthread_mutex_unlock(&jobs->mutex);
    return changed;
}

void ms_capture_forget(struct ms_server *server, int32_t db_id)
{
    struct ms_capture_jobs *jobs = server->capture;
    pthread_mutex_lock(&jobs->mutex);
    for (size_t i = 0; i < MAX_DATABASES; i++) {
        if (jobs->jobs[i].db_id == db_id)
            jobs->jobs[i] = (struct job){0};
    }
    for (size_t i = 0; i < KEPT_SESSIONS; i++) {
        if (jobs->sessions[i].db_id == db_id)
            jobs->sessions[i].db_id = 0;
    }
    pthread_cond_broadcast(&jobs->wake);
    pthread_mutex_unlock(&jobs->mutex);
}

size_t ms_capture_sessions(struct ms_server *server, int32_t db_id, struct ms_scan_session *ret, size_t max)
{
    struct ms_capture_jobs *jobs = server->capture;
    size_t n = 0;
    pthread_mutex_lock(&jobs->mutex);
    size_t first = jobs->n_sessions > KEPT_SESSIONS ? jobs->n_sessions - KEPT_SESSIONS : 0;
    for (size_t i = first; i < jobs->n_sessions && n < max; i++) {
        if (jobs->sessions[i % KEPT_SESSIONS].db_id == db_id)
            ret[n++] = jobs->sessions[i % KEPT_SESSIONS];
    }
    pthread_mutex_unlock(&jobs->mutex);
    return n;
}

size_t ms_capture_errors(struct ms_server *server, int32_t db_id, struct ms_scan_error *ret, size_t max)
{
    struct ms_capture_jobs *jobs = server->capture;
    size_t n = 0;
    pthread_mutex_lock(&jobs->mutex);
    size_t first = jobs->n_errors > KEPT_ERRORS ? jobs->n_errors - KEPT_ERRORS : 0;
    for (size_t i = first; i < jobs->n_errors && n < max; i++) {
        if (jobs->errors[i % KEPT_ERRORS].db_id == db_id)
            ret[n++] = jobs->errors[i % KEPT_ERRORS];
    }
    pthread_mutex_unlock(&jobs->mutex);
    return n;
}
