/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_server.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct ms_server {
    char password[64];
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct fake_seen seen;
    int waiting;
    uint16_t next_spid;
};

struct ms_session {
    struct ms_server *server;
    char database[64];
    uint16_t spid;
    bool cancelled; /* guarded by server->lock */
};

struct ms_server *ms_server_open(const struct ms_server_options *options)
{
    struct ms_server *server = calloc(1, sizeof(*server));
    if (server == NULL)
        abort();
    snprintf(server->password, sizeof(server->password), "%s", options->sa_password);
    pthread_mutex_init(&server->lock, NULL);
    pthread_cond_init(&server->changed, NULL);
    server->next_spid = 51;
    return server;
}

void ms_server_close(struct ms_server *server)
{
    pthread_mutex_destroy(&server->lock);
    pthread_cond_destroy(&server->changed);
    free(server);
}

bool ms_session_open(struct ms_server *server, const char *user, const char *password, const char *database,
                     const char *app_name, const char *host_name, bool read_only_intent,
                     struct ms_session **ret_session, struct ms_message *ret_message)
{
    (void)host_name;
    if (strcmp(user, "sa") != 0 || strcmp(password, server->password) != 0) {
        *ret_message = (struct ms_message){.number = 18456,
                                           .state = 1,
                                           .severity = 14,
                                           .text = "Login failed for user 'sa'.",
                                           .procedure = ""};
        return false;
    }
    struct ms_session *session = calloc(1, sizeof(*session));
    if (session == NULL)
        abort();
    session->server = server;
    snprintf(session->database, sizeof(session->database), "%s", database[0] == '\0' ? "master" : database);
    pthread_mutex_lock(&server->lock);
    session->spid = server->next_spid++;
    server->seen.sessions_open++;
    server->seen.read_only_intent = read_only_intent;
    snprintf(server->seen.app_name, sizeof(server->seen.app_name), "%s", app_name);
    pthread_cond_broadcast(&server->changed);
    pthread_mutex_unlock(&server->lock);
    *ret_session = session;
    return true;
}

void ms_session_close(struct ms_session *session)
{
    pthread_mutex_lock(&session->server->lock);
    session->server->seen.sessions_open--;
    pthread_cond_broadcast(&session->server->changed);
    pthread_mutex_unlock(&session->server->lock);
    free(session);
}

const char *ms_session_database(const struct ms_session *session)
{
    return session->database;
}

uint16_t ms_session_spid(const struct ms_session *session)
{
    return session->spid;
}

void ms_session_reset(struct ms_session *session)
{
    pthread_mutex_lock(&session->server->lock);
    session->server->seen.resets++;
    pthread_mutex_unlock(&session->server->lock);
}

void ms_session_cancel(struct ms_session *session)
{
    pthread_mutex_lock(&session->server->lock);
    session->server->seen.cancels++;
    session->cancelled = true;
    pthread_cond_broadcast(&session->server->changed);
    pthread_mutex_unlock(&session->server->lock);
}

bool ms_server_fault(struct ms_server *server, const char *command, char *ret_text, size_t size)
{
    (void)server;
    if (strcmp(command, "capture once") == 0)
        return true;
    snprintf(ret_text, size, "unknown command '%s'", command);
    return false;
}

struct fake_seen fake_seen(struct ms_server *server)
{
    pthread_mutex_lock(&server->lock);
    struct fake_seen seen = server->seen;
    pthread_mutex_unlock(&server->lock);
    return seen;
}

void fake_wait_until_waiting(struct ms_server *server, int n)
{
    pthread_mutex_lock(&server->lock);
    while (server->waiting < n)
        pthread_cond_wait(&server->changed, &server->lock);
    pthread_mutex_unlock(&server->lock);
}

static struct ms_value text_value(const char *text)
{
    return (struct ms_value){.len = (uint32_t)strlen(text), .bytes = (const uint8_t *)text};
}

static void add(struct fake_types *types, const char *name, struct ms_type type, struct ms_value value)
{
    types->columns[types->n] = (struct ms_column){.name = name, .type = type, .nullable = true};
    types->values[types->n++] = value;
}

static void add_numbers(struct fake_types *types)
{
    add(types, "c_bit", (struct ms_type){.id = MS_BIT}, (struct ms_value){.i = 1});
    add(types, "c_tinyint", (struct ms_type){.id = MS_TINYINT}, (struct ms_value){.i = 255});
    add(types, "c_smallint", (struct ms_type){.id = MS_SMALLINT}, (struct ms_value){.i = INT16_MIN});
    add(types, "c_int", (struct ms_type){.id = MS_INT}, (struct ms_value){.i = INT32_MIN});
    add(types, "c_bigint", (struct ms_type){.id = MS_BIGINT}, (struct ms_value){.i = INT64_MIN});
    add(types, "c_real", (struct ms_type){.id = MS_REAL}, (struct ms_value){.d = 1.5});
    add(types, "c_float", (struct ms_type){.id = MS_FLOAT}, (struct ms_value){.d = -2.25e300});
    add(types, "c_decimal", (struct ms_type){.id = MS_DECIMAL, .precision = 10, .scale = 2},
        (struct ms_value){.dec = -9999999999});
    add(types, "c_numeric", (struct ms_type){.id = MS_NUMERIC, .precision = 38, .scale = 0},
        (struct ms_value){.dec = (__extension__(__int128) 1) << 126});
    add(types, "c_smallmoney", (struct ms_type){.id = MS_SMALLMONEY}, (struct ms_value){.i = INT32_MIN});
    add(types, "c_money", (struct ms_type){.id = MS_MONEY}, (struct ms_value){.i = INT64_MAX});
}

static void add_texts(struct fake_types *types)
{
    add(types, "c_char", (struct ms_type){.id = MS_CHAR, .length = 3}, text_value("a\xC3\xA9 "));
    add(types, "c_varchar", (struct ms_type){.id = MS_VARCHAR, .length = 10}, text_value("\xE2\x82\xAC 5"));
    add(types, "c_varchar_max", (struct ms_type){.id = MS_VARCHAR, .length = MS_MAX}, text_value("max"));
    add(types, "c_text", (struct ms_type){.id = MS_TEXT}, text_value("old text"));
    add(types, "c_nchar", (struct ms_type){.id = MS_NCHAR, .length = 2}, text_value("\xF0\x9F\x98\x80"));
    add(types, "c_nvarchar", (struct ms_type){.id = MS_NVARCHAR, .length = 20},
        text_value("\xD0\x94\xD0\xB0"));
    add(types, "c_nvarchar_max", (struct ms_type){.id = MS_NVARCHAR, .length = MS_MAX}, text_value(""));
    add(types, "c_ntext", (struct ms_type){.id = MS_NTEXT}, text_value("old \xC3\xBC"));
    add(types, "c_binary", (struct ms_type){.id = MS_BINARY, .length = 3}, text_value("\x01\x02\x03"));
    add(types, "c_varbinary", (struct ms_type){.id = MS_VARBINARY, .length = 8}, text_value("\xFF\xFE"));
    add(types, "c_varbinary_max", (struct ms_type){.id = MS_VARBINARY, .length = MS_MAX}, text_value("blob"));
    add(types, "c_image", (struct ms_type){.id = MS_IMAGE}, text_value("picture"));
    add(types, "c_rowversion", (struct ms_type){.id = MS_ROWVERSION},
        text_value("\x01\x02\x03\x04\x05\x06\x07\x08"));
    add(types, "c_guid", (struct ms_type){.id = MS_UNIQUEIDENTIFIER}, text_value("0123456789abcdef"));
    add(types, "c_xml", (struct ms_type){.id = MS_XML}, text_value("<a>\xC3\xA9</a>"));
}

static void add_times(struct fake_types *types)
{
    const int64_t last_tick = INT64_C(863999999999);
    const int64_t last_day = INT64_C(3652058);
    add(types, "c_date", (struct ms_type){.id = MS_DATE}, (struct ms_value){.i = last_day});
    add(types, "c_time", (struct ms_type){.id = MS_TIME, .scale = 7}, (struct ms_value){.i = last_tick});
    add(types, "c_datetime2", (struct ms_type){.id = MS_DATETIME2, .scale = 7},
        (struct ms_value){.i = last_day * INT64_C(864000000000) + last_tick});
    add(types, "c_datetimeoffset", (struct ms_type){.id = MS_DATETIMEOFFSET, .scale = 7},
        (struct ms_value){.i = INT64_C(730000) * INT64_C(864000000000), .offset_min = 345});
    add(types, "c_datetime", (struct ms_type){.id = MS_DATETIME}, (struct ms_value){.i = -1});
    add(types, "c_smalldatetime", (struct ms_type){.id = MS_SMALLDATETIME},
        (struct ms_value){.i = 1440 * 2 + 61});
}

static struct fake_types all_types;
static pthread_once_t all_types_once = PTHREAD_ONCE_INIT;

static void make_all_types(void)
{
    add_numbers(&all_types);
    add_texts(&all_types);
    add_times(&all_types);
}

const struct fake_types *fake_all_types(void)
{
    pthread_once(&all_types_once, make_all_types);
    return &all_types;
}

static void give_rows(const struct ms_sink *sink, int64_t n)
{
    const struct ms_column columns[2] = {
        {.name = "id", .type = {.id = MS_INT}},
        {.name = "text", .type = {.id = MS_NVARCHAR, .length = 40}, .nullable = true}};
    if (!sink->columns(sink->ctx, columns, 2))
        return;
    for (int64_t i = 0; i < n; i++) {
        char text[40];
        snprintf(text, sizeof(text), "row number %lld", (long long)i);
        const struct ms_value values[2] = {{.i = i}, text_value(text)};
        if (!sink->row(sink->ctx, values))
            return;
    }
    sink->done(sink->ctx, MS_CMD_SELECT, n, false);
}

static void give_types(const struct ms_sink *sink)
{
    const struct fake_types *types = fake_all_types();
    if (sink->columns(sink->ctx, types->columns, types->n) && sink->row(sink->ctx, types->values))
        sink->done(sink->ctx, MS_CMD_SELECT, 1, false);
}

static void give_error(const struct ms_sink *sink)
{
    const struct ms_message message = {.number = 208,
                                       .state = 1,
                                       .severity = 16,
                                       .text = "Invalid object name 't'.",
                                       .procedure = "",
                                       .line = 1};
    if (sink->message(sink->ctx, &message))
        sink->done(sink->ctx, MS_CMD_SELECT, -1, true);
}

static void wait_until_cancelled(struct ms_session *session)
{
    struct ms_server *server = session->server;
    pthread_mutex_lock(&server->lock);
    server->waiting++;
    pthread_cond_broadcast(&server->changed);
    while (!session->cancelled)
        pthread_cond_wait(&server->changed, &server->lock);
    server->waiting--;
    pthread_mutex_unlock(&server->lock);
}

void ms_session_batch(struct ms_session *session, const char *sql, size_t len, const struct ms_sink *sink)
{
    pthread_mutex_lock(&session->server->lock);
    session->cancelled = false;
    session->server->seen.batches++;
    pthread_mutex_unlock(&session->server->lock);
    if (strncmp(sql, "rows ", 5) == 0) {
        give_rows(sink, strtoll(sql + 5, NULL, 10));
    } else if (strcmp(sql, "types") == 0) {
        give_types(sink);
    } else if (strncmp(sql, "set ", 4) == 0) {
        sink->done(sink->ctx, MS_CMD_SET, -1, false);
    } else if (strcmp(sql, "wait") == 0) {
        wait_until_cancelled(session);
    } else if (strncmp(sql, "fail", 4) == 0) {
        give_error(sink);
        if (len > 4)
            give_rows(sink, 1);
    } else if (strcmp(sql, "two") == 0) {
        give_rows(sink, 1);
        give_rows(sink, 2);
    } else {
        const struct ms_column column = {.name = "echo", .type = {.id = MS_NVARCHAR, .length = MS_MAX}};
        const struct ms_value value = {.len = (uint32_t)len, .bytes = (const uint8_t *)sql};
        if (sink->columns(sink->ctx, &column, 1) && sink->row(sink->ctx, &value))
            sink->done(sink->ctx, MS_CMD_SELECT, 1, false);
    }
}

void ms_session_call(struct ms_session *session, const char *procedure, struct ms_param *params,
                     size_t n_params, const struct ms_sink *sink)
{
    (void)session;
    struct ms_column columns[64] = {{.name = "procedure", .type = {.id = MS_NVARCHAR, .length = 128}}};
    struct ms_value values[64] = {text_value(procedure)};
    for (size_t i = 0; i < n_params && i < 63; i++) {
        columns[i + 1] = params[i].column;
        values[i + 1] = params[i].value;
    }
    size_t n = n_params < 63 ? n_params + 1 : 64;
    if (!sink->columns(sink->ctx, columns, n) || !sink->row(sink->ctx, values) ||
        !sink->done(sink->ctx, MS_CMD_SELECT, 1, false) || !sink->return_status(sink->ctx, 0))
        return;
    for (size_t i = 0; i < n_params; i++) {
        if (params[i].output && !sink->return_value(sink->ctx, &params[i].column, &params[i].value))
            return;
    }
}

void ms_session_transaction(struct ms_session *session, enum ms_tran_request request, const char *name,
                            uint8_t isolation, bool begin_again, const struct ms_sink *sink)
{
    struct fake_seen *seen = &session->server->seen;
    pthread_mutex_lock(&session->server->lock);
    seen->tran = request;
    seen->isolation = isolation;
    seen->begin_again = begin_again;
    snprintf(seen->name, sizeof(seen->name), "%s", name);
    pthread_mutex_unlock(&session->server->lock);
    enum ms_env env = request == MS_TRAN_BEGIN    ? MS_ENV_BEGIN_TRAN
                      : request == MS_TRAN_COMMIT ? MS_ENV_COMMIT_TRAN
                                                  : MS_ENV_ROLLBACK_TRAN;
    if (sink->env(sink->ctx, env, NULL, NULL, 7))
        sink->done(sink->ctx, MS_CMD_OTHER, -1, false);
}
