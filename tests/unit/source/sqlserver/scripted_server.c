/* SPDX-License-Identifier: Apache-2.0 */
#include "scripted_server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct script script = {.lock = PTHREAD_MUTEX_INITIALIZER, .mark = 1};

struct ms_server {
    int sessions;
};

/* The statements that were prepared, by handle. */
struct ms_session {
    struct ms_server *server;
    char *prepared[64];
    int n_prepared;
    _Atomic bool cancelled;
};

struct answer {
    const struct ms_sink *sink;
    int64_t rows;
    bool going;
};

#define INT_COLUMN(name_) {.name = (name_), .type = {.id = MS_INT}, .nullable = true}
#define LSN_COLUMN(name_) {.name = (name_), .type = {.id = MS_BINARY, .length = 10}, .nullable = true}
#define TEXT_COLUMN(name_) {.name = (name_), .type = {.id = MS_NVARCHAR, .length = 128}, .nullable = true}

struct lsn_bytes {
    uint8_t b[10];
};

static struct lsn_bytes lsn_of(uint32_t number)
{
    struct lsn_bytes lsn = {{0}};

    for (int i = 0; i < 4; i++)
        lsn.b[9 - i] = (uint8_t)(number >> (8 * i));
    return lsn;
}

/* A parameter as a number; what lies beyond 32 bits is the largest. */
static uint32_t number_of(const struct ms_param *param)
{
    uint32_t number = 0;

    for (uint32_t i = 0; i < param->value.len; i++) {
        if (number >> 24)
            return UINT32_MAX;
        number = number << 8 | param->value.bytes[i];
    }
    return number;
}

static struct ms_value int_value(int64_t i)
{
    return (struct ms_value){.i = i};
}

static struct ms_value text_value(const char *text)
{
    return text ? (struct ms_value){.len = (uint32_t)strlen(text), .bytes = (const uint8_t *)text}
                : (struct ms_value){.is_null = true};
}

static struct ms_value lsn_value(const struct lsn_bytes *lsn)
{
    return (struct ms_value){.len = 10, .bytes = lsn->b};
}

static struct ms_value null_value(void)
{
    return (struct ms_value){.is_null = true};
}

static void put(struct answer *answer, const struct ms_value *values)
{
    answer->going = answer->going && answer->sink->row(answer->sink->ctx, values);
    answer->rows++;
}

static const char *const names[SCRIPT_TABLES] = {"t", "u"};

static void give_instances(struct answer *answer)
{
    static const struct ms_column columns[] = {
        INT_COLUMN("object_id"), INT_COLUMN("source_object_id"), TEXT_COLUMN("capture_instance"),
        LSN_COLUMN("start_lsn"), TEXT_COLUMN("schema"),          TEXT_COLUMN("table")};
    struct lsn_bytes mark = lsn_of(script.mark);

    answer->going = answer->sink->columns(answer->sink->ctx, columns, 6);
    for (int i = 0; i < SCRIPT_TABLES; i++) {
        char instance[16];

        snprintf(instance, sizeof(instance), "dbo_%s", names[i]);
        put(answer, (struct ms_value[]){int_value(1000 + i), int_value(100 + i), text_value(instance),
                                        lsn_value(&mark), text_value("dbo"), text_value(names[i])});
    }
}

static void give_columns(struct answer *answer)
{
    static const struct ms_column columns[] = {
        INT_COLUMN("object_id"),   TEXT_COLUMN("column_name"), INT_COLUMN("column_id"),
        INT_COLUMN("ordinal"),     INT_COLUMN("type"),         INT_COLUMN("max_length"),
        INT_COLUMN("precision"),   INT_COLUMN("scale"),        INT_COLUMN("is_nullable"),
        INT_COLUMN("is_identity"), INT_COLUMN("is_computed"),  INT_COLUMN("source_type"),
        TEXT_COLUMN("definition")};

    answer->going = answer->sink->columns(answer->sink->ctx, columns, 13);
    for (int i = 0; i < SCRIPT_TABLES; i++) {
        put(answer,
            (struct ms_value[]){int_value(1000 + i), text_value("id"), int_value(1), int_value(1),
                                int_value(56), int_value(4), int_value(10), int_value(0), int_value(0),
                                int_value(0), int_value(0), int_value(56), null_value()});
        put(answer,
            (struct ms_value[]){int_value(1000 + i), text_value("name"), int_value(2), int_value(2),
                                int_value(231), int_value(100), int_value(0), int_value(0), int_value(1),
                                int_value(0), int_value(0), int_value(231), null_value()});
    }
}

static void give_keys(struct answer *answer)
{
    static const struct ms_column columns[] = {INT_COLUMN("object_id"), INT_COLUMN("index_id"),
                                               INT_COLUMN("is_primary_key"), INT_COLUMN("key_ordinal"),
                                               INT_COLUMN("column_id")};

    answer->going = answer->sink->columns(answer->sink->ctx, columns, 5);
    for (int i = 0; i < SCRIPT_TABLES; i++)
        put(answer,
            (struct ms_value[]){int_value(100 + i), int_value(1), int_value(1), int_value(1), int_value(1)});
}

static void give_object_ids(struct answer *answer)
{
    static const struct ms_column columns[] = {INT_COLUMN("object_id")};

    answer->going = answer->sink->columns(answer->sink->ctx, columns, 1);
    for (int i = 0; i < SCRIPT_TABLES; i++)
        put(answer, (struct ms_value[]){int_value(1000 + i)});
}

static void give_one(struct answer *answer, struct ms_type type, struct ms_value value)
{
    const struct ms_column column = {.name = "", .type = type, .nullable = true};

    answer->going = answer->sink->columns(answer->sink->ctx, &column, 1);
    put(answer, &value);
}

static uint32_t newest(void)
{
    uint32_t lsn = 0;

    for (size_t i = 0; i < script.n_commits; i++)
        lsn = script.commits[i] > lsn ? script.commits[i] : lsn;
    for (size_t i = 0; i < script.n_dummies; i++)
        lsn = script.dummies[i] > lsn ? script.dummies[i] : lsn;
    return lsn;
}

static int compare_numbers(const void *a, const void *b)
{
    const uint32_t *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

static void give_commits(struct answer *answer, uint32_t from)
{
    static const struct ms_column columns[] = {
        LSN_COLUMN("start_lsn"),
        {.name = "tran_id", .type = {.id = MS_VARBINARY, .length = 10}, .nullable = true},
        {.name = "tran_end_time", .type = {.id = MS_DATETIME}, .nullable = true}};
    size_t n = script.n_commits + script.n_dummies;
    uint32_t *all = calloc(n + 1, sizeof(*all));

    script.polls++;
    for (size_t i = 0; i < n; i++)
        all[i] =
            i < script.n_commits ? script.commits[i] << 1 | 1 : script.dummies[i - script.n_commits] << 1;
    qsort(all, n, sizeof(*all), compare_numbers);
    answer->going = answer->sink->columns(answer->sink->ctx, columns, 3);
    for (size_t i = 0; i < n; i++) {
        struct lsn_bytes lsn = lsn_of(all[i] >> 1);
        const uint8_t id[1] = {(uint8_t)(all[i] & 1)};

        if (all[i] >> 1 >= from) /* 46021 days from 1900 to 2026 */
            put(answer,
                (struct ms_value[]){lsn_value(&lsn),
                                    {.len = 1, .bytes = id},
                                    int_value(INT64_C(46021) * 86400 * 300 + (all[i] >> 1) * INT64_C(300))});
    }
    free(all);
}

static void give_marks(struct answer *answer)
{
    static const struct ms_column columns[] = {INT_COLUMN("object_id"), LSN_COLUMN("lsn"),
                                               INT_COLUMN("kind")};
    struct lsn_bytes lsn = lsn_of(script.mark);

    answer->going = answer->sink->columns(answer->sink->ctx, columns, 3);
    for (int i = 0; i < SCRIPT_TABLES; i++)
        put(answer, (struct ms_value[]){int_value(1000 + i), lsn_value(&lsn), int_value(0)});
    put(answer, (struct ms_value[]){int_value(0), null_value(), int_value(1)});
    for (int i = 0; i < SCRIPT_TABLES; i++) {
        uint32_t last = script.generated && i == 0 ? 100 : 0;

        for (size_t j = 0; j < script.n_rows; j++)
            if (script.rows[j].table == i && script.rows[j].lsn > last)
                last = script.rows[j].lsn;
        lsn = lsn_of(last);
        put(answer,
            (struct ms_value[]){int_value(1000 + i), last ? lsn_value(&lsn) : null_value(), int_value(2)});
    }
}

static int compare_rows(const void *a, const void *b)
{
    const struct script_row *x = a, *y = b;

    if (x->lsn != y->lsn)
        return x->lsn < y->lsn ? -1 : 1;
    if (x->command != y->command)
        return x->command < y->command ? -1 : 1;
    if (x->change != y->change)
        return x->change < y->change ? -1 : 1;
    return x->operation - y->operation;
}

static void give_change(struct answer *answer, const struct script_row *row)
{
    struct lsn_bytes lsn = lsn_of(row->lsn), change = lsn_of(row->change);

    put(answer, (struct ms_value[]){lsn_value(&lsn), int_value(row->command), lsn_value(&change),
                                    int_value(row->operation), int_value(row->id), text_value(row->name)});
}

static void give_changes(struct answer *answer, int table, uint32_t from, uint32_t to)
{
    static const struct ms_column columns[] = {
        LSN_COLUMN("__$start_lsn"),
        INT_COLUMN("__$command_id"),
        LSN_COLUMN("__$seqval"),
        INT_COLUMN("__$operation"),
        INT_COLUMN("id"),
        {.name = "name", .type = {.id = MS_NVARCHAR, .length = 50}, .nullable = true}};

    script.scans++;
    answer->going = answer->sink->columns(answer->sink->ctx, columns, 6);
    if (script.n_rows)
        qsort(script.rows, script.n_rows, sizeof(*script.rows), compare_rows);
    for (size_t i = 0; i < script.n_rows && answer->going; i++)
        if (script.rows[i].table == table && script.rows[i].lsn >= from && script.rows[i].lsn <= to)
            give_change(answer, &script.rows[i]);
    for (uint32_t i = 0; i < script.generated && answer->going && table == 0 && from <= 100 && to >= 100; i++)
        give_change(answer, &(struct script_row){.lsn = 100,
                                                 .command = 1,
                                                 .change = i + 1,
                                                 .operation = 2,
                                                 .id = (int)i,
                                                 .name = "generated"});
}

/* The rows whose id is greater; they are listed in that order. */
static void give_table(struct answer *answer, int table, int64_t behind)
{
    static const struct ms_column columns[] = {
        INT_COLUMN("id"), {.name = "name", .type = {.id = MS_NVARCHAR, .length = 50}, .nullable = true}};

    answer->going = answer->sink->columns(answer->sink->ctx, columns, 2);
    for (int i = 0; i < script.n_table_rows[table]; i++)
        if (script.table_ids[table][i] > behind)
            put(answer, (struct ms_value[]){int_value(script.table_ids[table][i]), text_value("old")});
}

static void give_gap(struct answer *answer, uint32_t from)
{
    static const struct ms_column columns[] = {INT_COLUMN("object_id"), LSN_COLUMN("start_lsn"),
                                               INT_COLUMN("remembered"), INT_COLUMN("existed"),
                                               INT_COLUMN("happened")};
    struct lsn_bytes mark = lsn_of(script.mark);

    answer->going = answer->sink->columns(answer->sink->ctx, columns, 5);
    if (script.mark > from)
        put(answer,
            (struct ms_value[]){int_value(1000), lsn_value(&mark), int_value(0), int_value(0), int_value(1)});
}

static void give(struct ms_session *session, const char *sql, const struct ms_param *params, size_t n_params,
                 const struct ms_sink *sink)
{
    struct answer answer = {.sink = sink, .going = true};
    uint32_t first = n_params > 0 ? number_of(&params[0]) : 0;

    (void)session;
    (void)pthread_mutex_lock(&script.lock);
    if (strstr(sql, "JOIN sys.tables"))
        give_instances(&answer);
    else if (strstr(sql, "cdc.captured_columns"))
        give_columns(&answer);
    else if (strstr(sql, "sys.indexes"))
        give_keys(&answer);
    else if (strstr(sql, "c.name = N'__$command_id'"))
        give_object_ids(&answer);
    else if (strncmp(sql, "SELECT object_id, start_lsn, 0", 30) == 0)
        give_marks(&answer);
    else if (strstr(sql, "MAX(ddl_lsn)"))
        give_one(&answer, (struct ms_type){.id = MS_BINARY, .length = 10}, null_value());
    else if (strstr(sql, "TZOFFSET") || strstr(sql, "snapshot_isolation_state"))
        give_one(&answer, (struct ms_type){.id = MS_INT}, int_value(0));
    else if (strstr(sql, "SYSUTCDATETIME"))
        give_one(&answer, (struct ms_type){.id = MS_DATETIME2, .scale = 7},
                 int_value(INT64_C(638000000000000000)));
    else if (strstr(sql, "CASE WHEN EXISTS"))
        give_gap(&answer, first);
    else if (strstr(sql, "SELECT MAX(start_lsn)")) {
        struct lsn_bytes lsn = lsn_of(newest());

        give_one(&answer, (struct ms_type){.id = MS_BINARY, .length = 10},
                 newest() ? lsn_value(&lsn) : null_value());
    } else if (strstr(sql, "TOP ("))
        give_commits(&answer, first);
    else if (strstr(sql, "cdc.[dbo_t_CT]") || strstr(sql, "cdc.[dbo_u_CT]"))
        give_changes(&answer, strstr(sql, "cdc.[dbo_u_CT]") != NULL, first, number_of(&params[1]));
    else if (strstr(sql, "FROM [dbo]."))
        give_table(&answer, strstr(sql, "[u]") != NULL,
                   strstr(sql, "WHERE ([id] > ") ? params[0].value.i : INT64_MIN);
    else
        answer.rows = -1; /* SET and the like */
    (void)pthread_mutex_unlock(&script.lock);
    if (answer.going)
        sink->done(sink->ctx, answer.rows < 0 ? MS_CMD_SET : MS_CMD_SELECT, answer.rows, false);
}

struct ms_server *ms_server_open(const struct ms_server_options *options)
{
    (void)options;
    return calloc(1, sizeof(struct ms_server));
}

void ms_server_close(struct ms_server *server)
{
    free(server);
}

bool ms_session_open(struct ms_server *server, const char *user, const char *password, const char *database,
                     const char *app_name, const char *host_name, bool read_only_intent,
                     struct ms_session **ret_session, struct ms_message *ret_message)
{
    (void)user;
    (void)password;
    (void)database;
    (void)app_name;
    (void)host_name;
    (void)read_only_intent;
    (void)ret_message;
    *ret_session = calloc(1, sizeof(**ret_session));
    (*ret_session)->server = server;
    return true;
}

void ms_session_close(struct ms_session *session)
{
    for (int i = 0; i < session->n_prepared; i++)
        free(session->prepared[i]);
    free(session);
}

const char *ms_session_database(const struct ms_session *session)
{
    (void)session;
    return "shop";
}

uint16_t ms_session_spid(const struct ms_session *session)
{
    (void)session;
    return 51;
}

void ms_session_reset(struct ms_session *session)
{
    (void)session;
}

void ms_session_cancel(struct ms_session *session)
{
    session->cancelled = true;
}

bool ms_server_fault(struct ms_server *server, const char *command, char *ret_text, size_t size)
{
    (void)server;
    (void)command;
    (void)ret_text;
    (void)size;
    return false;
}

void ms_session_batch(struct ms_session *session, const char *sql, size_t len, const struct ms_sink *sink)
{
    char *text = strndup(sql, len);

    give(session, text, NULL, 0, sink);
    free(text);
}

void ms_session_call(struct ms_session *session, const char *procedure, struct ms_param *params,
                     size_t n_params, const struct ms_sink *sink)
{
    bool prepexec = strcmp(procedure, "sp_prepexec") == 0;
    struct ms_value handle;

    if (strcmp(procedure, "sp_execute") == 0) {
        give(session, session->prepared[params[0].value.i - 1], params + 1, n_params - 1, sink);
    } else if ((prepexec || strcmp(procedure, "sp_prepare") == 0) && session->n_prepared < 64) {
        session->prepared[session->n_prepared++] =
            strndup((const char *)params[2].value.bytes, params[2].value.len);
        if (prepexec)
            give(session, session->prepared[session->n_prepared - 1], params + 3, n_params - 3, sink);
        handle = int_value(session->n_prepared);
        sink->return_value(sink->ctx, &params[0].column, &handle);
    } else if (strcmp(procedure, "sp_executesql") == 0) {
        char *text = strndup((const char *)params[0].value.bytes, params[0].value.len);

        give(session, text, params + 2, n_params > 2 ? n_params - 2 : 0, sink);
        free(text);
    }
    sink->return_status(sink->ctx, 0);
}

void ms_session_transaction(struct ms_session *session, enum ms_tran_request request, const char *name,
                            uint8_t isolation, bool begin_again, const struct ms_sink *sink)
{
    (void)session;
    (void)request;
    (void)name;
    (void)isolation;
    (void)begin_again;
    sink->done(sink->ctx, MS_CMD_OTHER, -1, false);
}
