/* SPDX-License-Identifier: Apache-2.0 */
#include "net/pg/connection.h"

#include "base/clock.h"
#include "net/pg/sqlstate.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>

enum { CONNECT_TIMEOUT_S = 10 };

struct sl_pg {
    PGconn *conn;
    int stop_fd;
};

static enum sl_rc stopped(struct sl_error *err)
{
    return sl_error_set(err, SL_E_STOPPED, "asked to stop while waiting for PostgreSQL");
}

/* libpq's messages are several lines and end in a newline; an error is one line. */
static void one_line(char *to, size_t size, const char *from)
{
    size_t n = 0;

    for (; *from && n + 1 < size; from++) {
        if (*from != '\n')
            to[n++] = *from;
        else if (n && to[n - 1] != ' ')
            to[n++] = ' ';
        else
            continue;
        if (to[n - 1] == '\t')
            to[n - 1] = ' ';
    }
    while (n && to[n - 1] == ' ')
        n--;
    to[n] = '\0';
}

static enum sl_rc connection_lost(struct sl_pg *pg, struct sl_error *err)
{
    char text[300];

    one_line(text, sizeof(text), PQerrorMessage(pg->conn));
    return sl_error_set(err, SL_E_CONNECT, "lost the connection to PostgreSQL: %s",
                        *text ? text : "it was closed");
}

/* Wait for events on the socket. deadline_us 0: for ever. */
static enum sl_rc wait_socket(struct sl_pg *pg, short events, int64_t deadline_us, struct sl_error *err)
{
    struct pollfd fds[2] = {{.fd = PQsocket(pg->conn), .events = events},
                            {.fd = pg->stop_fd, .events = POLLIN}};

    for (;;) {
        int timeout_ms = -1;
        int ready;

        if (deadline_us) {
            int64_t left_us = deadline_us - sl_now_us();

            if (left_us <= 0)
                return sl_error_set(err, SL_E_TIMEOUT, "PostgreSQL did not answer in time");
            timeout_ms = (int)(left_us / 1000) + 1;
        }
        ready = poll(fds, 2, timeout_ms);
        if (ready < 0 && errno != EINTR)
            return sl_error_set(err, SL_E_IO, "poll: %s", strerror(errno));
        if (ready > 0 && fds[1].revents)
            return stopped(err);
        if (ready > 0)
            return SL_OK;
    }
}

enum sl_rc sl_pg_pause(struct sl_pg *pg, int64_t pause_us, struct sl_error *err)
{
    struct pollfd fd = {.fd = pg->stop_fd, .events = POLLIN};
    int64_t deadline_us = sl_now_us() + pause_us;

    for (;;) {
        int64_t left_us = deadline_us - sl_now_us();

        if (left_us <= 0)
            return SL_OK;
        if (poll(&fd, 1, (int)(left_us / 1000) + 1) > 0)
            return stopped(err);
    }
}

/* What the server said at login has no SQLSTATE that libpq shows: its words have to do. */
static enum sl_rc login_failed(struct sl_pg *pg, const struct sl_pg_params *params, struct sl_error *err)
{
    const char *message = PQerrorMessage(pg->conn);
    const char *host = sl_pg_params_get(params, "host");
    const char *port = sl_pg_params_get(params, "port");
    char text[260];

    one_line(text, sizeof(text), message);
    if (strstr(message, "password authentication failed") || strstr(message, "no password supplied") ||
        strstr(message, "pg_hba.conf") || strstr(message, "authentication failed") ||
        (strstr(message, "role \"") && strstr(message, "does not exist")))
        return sl_error_set(err, SL_E_AUTH,
                            "PostgreSQL refused the login: %s. HINT: check connection.user, "
                            "connection.password and the server's pg_hba.conf",
                            text);
    if (strstr(message, "database \"") && strstr(message, "does not exist"))
        return sl_error_set(err, SL_E_NOT_FOUND, "%s. HINT: create the database or correct connection.url",
                            text);
    if (strstr(message, "too many clients") || strstr(message, "remaining connection slots"))
        return sl_error_set(err, SL_E_BUSY, "PostgreSQL takes no more connections: %s", text);
    if (strstr(message, "invalid ") && PQsocket(pg->conn) < 0 && !strstr(message, "host"))
        return sl_error_set(err, SL_E_CONFIG, "%s. HINT: correct the options of connection.url", text);
    return sl_error_set(err, SL_E_CONNECT,
                        "cannot reach PostgreSQL at %s port %s: %s. HINT: is it running, and "
                        "is connection.url right?",
                        host ? host : "its local socket", port ? port : "5432", text);
}

static void drop_notice(void *ctx, const PGresult *result)
{
    (void)ctx;
    (void)result;
}

static enum sl_rc connect_poll(struct sl_pg *pg, const struct sl_pg_params *params, struct sl_error *err)
{
    const char *timeout_text = sl_pg_params_get(params, "connect_timeout");
    long timeout_s = timeout_text ? strtol(timeout_text, NULL, 10) : 0;
    int64_t deadline_us;
    PostgresPollingStatusType status = PGRES_POLLING_WRITING;

    if (timeout_s <= 0 || timeout_s > 86400)
        timeout_s = CONNECT_TIMEOUT_S;
    deadline_us = sl_now_us() + timeout_s * 1000000;
    if (PQstatus(pg->conn) == CONNECTION_BAD)
        return login_failed(pg, params, err);
    while (status != PGRES_POLLING_OK) {
        enum sl_rc rc = wait_socket(pg, status == PGRES_POLLING_READING ? POLLIN : POLLOUT, deadline_us, err);

        if (rc == SL_E_TIMEOUT)
            return sl_error_set(
                err, SL_E_CONNECT,
                "PostgreSQL at %s did not answer within %ld s. HINT: is the host right, and does "
                "a firewall drop packets?",
                sl_pg_params_get(params, "host"), timeout_s);
        if (rc != SL_OK)
            return rc;
        status = PQconnectPoll(pg->conn);
        if (status == PGRES_POLLING_FAILED)
            return login_failed(pg, params, err);
    }
    return SL_OK;
}

static void set_default(struct sl_pg_params *params, const char *keyword, const char *value)
{
    if (!sl_pg_params_get(params, keyword))
        sl_pg_params_set(params, keyword, value);
}

enum sl_rc sl_pg_connect(const struct sl_pg_params *params, int stop_fd, struct sl_pg **ret,
                         struct sl_error *err)
{
    struct sl_pg_params all = {0};
    struct sl_pg *pg = sl_zalloc(1, sizeof(*pg));
    enum sl_rc rc;

    for (size_t i = 0; i < params->n; i++)
        sl_pg_params_set(&all, params->keywords[i], params->values[i]);
    /* A peer that vanishes without a word is noticed in about a minute. */
    set_default(&all, "keepalives", "1");
    set_default(&all, "keepalives_idle", "30");
    set_default(&all, "keepalives_interval", "10");
    set_default(&all, "keepalives_count", "3");
    set_default(&all, "tcp_user_timeout", "60000");
    set_default(&all, "client_encoding", "UTF8");

    pg->stop_fd = stop_fd;
    pg->conn = PQconnectStartParams((const char *const *)all.keywords, (const char *const *)all.values, 0);
    if (!pg->conn)
        sl_assert_failed("out of memory", __FILE__, __LINE__);
    rc = connect_poll(pg, &all, err);
    sl_pg_params_done(&all);
    if (rc == SL_OK && PQsetnonblocking(pg->conn, 1) != 0)
        rc = connection_lost(pg, err);
    if (rc != SL_OK) {
        sl_pg_close(pg);
        return rc;
    }
    (void)PQsetNoticeReceiver(pg->conn, drop_notice, NULL);
    *ret = pg;
    return SL_OK;
}

void sl_pg_close(struct sl_pg *pg)
{
    if (!pg)
        return;
    PQfinish(pg->conn);
    sl_free(pg);
}

int sl_pg_server_version(const struct sl_pg *pg)
{
    return PQserverVersion(pg->conn);
}

uint32_t sl_pg_backend_pid(const struct sl_pg *pg)
{
    return (uint32_t)PQbackendPID(pg->conn);
}

enum sl_rc sl_pg_result_error(const PGresult *result, struct sl_error *err)
{
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    const char *table = PQresultErrorField(result, PG_DIAG_TABLE_NAME);
    const char *column = PQresultErrorField(result, PG_DIAG_COLUMN_NAME);
    const char *hint = PQresultErrorField(result, PG_DIAG_MESSAGE_HINT);
    enum sl_rc rc = sl_pg_sqlstate_rc(state);
    char text[320];

    one_line(text, sizeof(text), message ? message : PQresultErrorMessage(result));
    /* The server's DETAIL is left out: it quotes values of the row. */
    (void)sl_error_set(err, rc, "%s%s%s%s%s%s%s%s", text, table ? " (table " : "", table ? table : "",
                       table && column ? ", column " : "", table && column ? column : "", table ? ")" : "",
                       hint ? ". HINT: " : "", hint ? hint : "");
    sl_error_native(err, state ? state : "");
    return rc;
}

/* Send what libpq holds; reads meanwhile, so that a server that answers before it has read all goes on. */
static enum sl_rc flush_all(struct sl_pg *pg, struct sl_error *err)
{
    for (;;) {
        int left = PQflush(pg->conn);

        if (left == 0)
            return SL_OK;
        if (left < 0)
            return connection_lost(pg, err);
        enum sl_rc rc = wait_socket(pg, POLLIN | POLLOUT, 0, err);

        if (rc != SL_OK)
            return rc;
        if (!PQconsumeInput(pg->conn))
            return connection_lost(pg, err);
    }
}

/* libpq's next result once it is there, or NULL. */
static enum sl_rc await_result(struct sl_pg *pg, PGresult **ret, struct sl_error *err)
{
    while (PQisBusy(pg->conn)) {
        enum sl_rc rc = wait_socket(pg, POLLIN, 0, err);

        if (rc != SL_OK)
            return rc;
        if (!PQconsumeInput(pg->conn))
            return connection_lost(pg, err);
    }
    *ret = PQgetResult(pg->conn);
    return SL_OK;
}

static bool failed(const PGresult *result)
{
    ExecStatusType status = PQresultStatus(result);

    return status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK && status != PGRES_PIPELINE_SYNC &&
           status != PGRES_PIPELINE_ABORTED;
}

/* Read to the end of a command; the last result stays. */
static enum sl_rc finish(struct sl_pg *pg, PGresult **ret, struct sl_error *err)
{
    PGresult *last = NULL;
    enum sl_rc rc = flush_all(pg, err);

    while (rc == SL_OK) {
        PGresult *result = NULL;

        rc = await_result(pg, &result, err);
        if (rc != SL_OK || !result)
            break;
        if (last && failed(last)) {
            PQclear(result); /* the first failure tells why */
        } else {
            PQclear(last);
            last = result;
        }
    }
    if (rc == SL_OK && !last)
        rc = connection_lost(pg, err);
    if (rc == SL_OK && failed(last))
        rc = sl_pg_result_error(last, err);
    if (rc != SL_OK) {
        PQclear(last);
        return rc;
    }
    *ret = last;
    return SL_OK;
}

enum sl_rc sl_pg_query(struct sl_pg *pg, const char *sql, const struct sl_pg_args *args, PGresult **ret,
                       struct sl_error *err)
{
    static const struct sl_pg_args none;

    if (!args)
        args = &none;
    if (!PQsendQueryParams(pg->conn, sql, args->n, args->types, args->values, args->lengths, args->formats,
                           0))
        return connection_lost(pg, err);
    return finish(pg, ret, err);
}

enum sl_rc sl_pg_run(struct sl_pg *pg, const char *sql, struct sl_error *err)
{
    PGresult *result = NULL;
    enum sl_rc rc;

    if (!PQsendQuery(pg->conn, sql))
        return connection_lost(pg, err);
    rc = finish(pg, &result, err);
    if (rc == SL_OK)
        PQclear(result);
    return rc;
}

enum sl_rc sl_pg_prepare(struct sl_pg *pg, const char *name, const char *sql, int n, const Oid *types,
                         struct sl_error *err)
{
    PGresult *result = NULL;
    enum sl_rc rc;

    if (!PQsendPrepare(pg->conn, name, sql, n, types))
        return connection_lost(pg, err);
    rc = finish(pg, &result, err);
    if (rc == SL_OK)
        PQclear(result);
    return rc;
}

void sl_pg_quote_name(struct sl_buf *sql, const char *name)
{
    sl_buf_u8(sql, '"');
    for (; *name; name++) {
        if (*name == '"')
            sl_buf_u8(sql, '"');
        sl_buf_u8(sql, (uint8_t)*name);
    }
    sl_buf_u8(sql, '"');
}

void sl_pg_quote_text(struct sl_buf *sql, const char *text)
{
    sl_buf_text(sql, strchr(text, '\\') ? " E'" : "'");
    for (; *text; text++) {
        if (*text == '\'' || *text == '\\')
            sl_buf_u8(sql, (uint8_t)*text);
        sl_buf_u8(sql, (uint8_t)*text);
    }
    sl_buf_u8(sql, '\'');
}

enum sl_rc sl_pg_pipeline_begin(struct sl_pg *pg, struct sl_error *err)
{
    return PQenterPipelineMode(pg->conn) ? SL_OK : connection_lost(pg, err);
}

enum sl_rc sl_pg_send_prepared(struct sl_pg *pg, const char *name, const struct sl_pg_args *args,
                               struct sl_error *err)
{
    if (!PQsendQueryPrepared(pg->conn, name, args->n, args->values, args->lengths, args->formats, 0))
        return connection_lost(pg, err);
    return SL_OK;
}

enum sl_rc sl_pg_send_text(struct sl_pg *pg, const char *sql, struct sl_error *err)
{
    if (!PQsendQueryParams(pg->conn, sql, 0, NULL, NULL, NULL, NULL, 0))
        return connection_lost(pg, err);
    return SL_OK;
}

enum sl_rc sl_pg_pipeline_sync(struct sl_pg *pg, struct sl_error *err)
{
    if (!PQpipelineSync(pg->conn))
        return connection_lost(pg, err);
    return flush_all(pg, err);
}

enum sl_rc sl_pg_pipeline_next(struct sl_pg *pg, PGresult **ret, struct sl_error *err)
{
    PGresult *result = NULL;
    PGresult *end = NULL;
    enum sl_rc rc = await_result(pg, &result, err);

    if (rc != SL_OK)
        return rc;
    if (!result)
        return connection_lost(pg, err);
    if (PQresultStatus(result) == PGRES_PIPELINE_SYNC) {
        PQclear(result);
        *ret = NULL;
        return SL_OK;
    }
    /* A statement's result is followed by a NULL, unless the connection broke. */
    rc = await_result(pg, &end, err);
    if (end)
        PQclear(end);
    if (rc != SL_OK) {
        PQclear(result);
        return rc;
    }
    *ret = result;
    return SL_OK;
}

void sl_pg_pipeline_end(struct sl_pg *pg)
{
    (void)PQexitPipelineMode(pg->conn); /* fails on a broken connection only, and that is closed anyway */
}
