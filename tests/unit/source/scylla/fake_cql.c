/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_cql.h"

#include "base/clock.h"

#include <stdio.h>
#include <stdlib.h>

struct log_row {
    uint8_t stream[16], time[16];
    uint32_t sequence;
    int32_t pk;
    bool ends;
};

struct sl_cql {
    struct sl_cql_answer **answers;
    uint32_t n, capacity;
};

struct sl_cql_statement {
    char *text;
};

struct fake_answer {
    struct sl_cql_answer answer;
    struct sl_buf bytes;
};

struct fake_cluster fake;
static struct log_row *rows;
static uint32_t n_rows, rows_capacity;
static bool unsorted;
static struct sl_cql session;

#define SIMPLE(name_, kind_) static const struct sl_cql_type name_ = {.kind = (kind_)}
SIMPLE(type_int, SL_CQL_INT);
SIMPLE(type_tinyint, SL_CQL_TINYINT);
SIMPLE(type_bool, SL_CQL_BOOLEAN);
SIMPLE(type_text, SL_CQL_VARCHAR);
SIMPLE(type_blob, SL_CQL_BLOB);
SIMPLE(type_timeuuid, SL_CQL_TIMEUUID);

#define COLUMN(name_, type_) {"ks", "t_scylla_cdc_log", (name_), &(type_)}
static const struct sl_cql_column log_columns[] = {
    COLUMN("cdc$stream_id", type_blob),
    COLUMN("cdc$time", type_timeuuid),
    COLUMN("cdc$batch_seq_no", type_int),
    COLUMN("cdc$end_of_batch", type_bool),
    COLUMN("cdc$operation", type_tinyint),
    COLUMN("ck", type_int),
    COLUMN("pk", type_int),
    COLUMN("v", type_text),
    COLUMN("cdc$deleted_v", type_bool),
};
static const struct sl_cql_columns all_columns = {9, log_columns};
static const struct sl_cql_columns any_columns[6] = {{0, log_columns}, {1, log_columns}, {2, log_columns},
                                                     {3, log_columns}, {4, log_columns}, {5, log_columns}};

void fake_reset(void)
{
    sl_free(rows);
    rows = NULL;
    n_rows = rows_capacity = 0;
    fake = (struct fake_cluster){.n_generations = 1, .generations_ms = {1000}, .ttl_s = 0};
}

void fake_stream(uint32_t generation, uint32_t stream, uint8_t ret[16])
{
    memset(ret, 0, 16);
    ret[0] = (uint8_t)(0x80 + stream * 40); /* negative tokens first, as signed bytes */
    ret[7] = (uint8_t)generation;
    ret[15] = (uint8_t)((stream / 2) << 4 | 1);
}

static void make_time(int64_t us, uint32_t random, uint8_t ret[16])
{
    sl_cql_timeuuid_min(us, ret);
    ret[8] = 0xA0;
    memcpy(ret + 9, &random, 4);
}

static int by_place(const void *a_, const void *b_)
{
    const struct log_row *a = a_, *b = b_;
    int order = memcmp(a->stream, b->stream, 16);

    order = order ? order : sl_cql_timeuuid_compare(a->time, b->time);
    return order ? order : a->sequence < b->sequence ? -1 : 1;
}

void fake_write(uint32_t generation, uint32_t stream, int64_t us, uint32_t sequence, int32_t pk, bool ends)
{
    struct log_row *row;

    SL_GROW(rows, n_rows, rows_capacity);
    row = &rows[n_rows++];
    *row = (struct log_row){.sequence = sequence, .pk = pk, .ends = ends};
    fake_stream(generation, stream, row->stream);
    make_time(us, 7, row->time);
    unsorted = true;
}

/* ---- answers ---- */

static void put(struct sl_buf *out, const void *bytes, size_t len)
{
    sl_buf_be32(out, (uint32_t)len);
    sl_buf_put(out, bytes, len);
}

static void put_null(struct sl_buf *out)
{
    sl_buf_be32(out, UINT32_MAX);
}

static void put_text(struct sl_buf *out, const char *text)
{
    put(out, text, strlen(text));
}

static void put_int(struct sl_buf *out, int32_t v)
{
    uint32_t be = __builtin_bswap32((uint32_t)v);

    put(out, &be, 4);
}

static void put_long(struct sl_buf *out, int64_t v)
{
    uint64_t be = __builtin_bswap64((uint64_t)v);

    put(out, &be, 8);
}

static struct fake_answer *new_answer(void *ctx)
{
    struct fake_answer *made = sl_zalloc(1, sizeof(*made));

    made->answer.ctx = ctx;
    made->answer.host = "";
    return made;
}

static struct sl_cql_answer *seal(struct fake_answer *made, const struct sl_cql_columns *columns, uint32_t n)
{
    made->answer.rows.columns = columns;
    made->answer.rows.n_rows = n;
    made->answer.rows.at = made->bytes.data;
    made->answer.rows.end = made->bytes.data + made->bytes.len;
    made->answer.size_bytes = made->bytes.len;
    return &made->answer;
}

enum sl_rc sl_cql_rows_next(struct sl_cql_rows *answer_rows, struct sl_cql_cell *cells, bool *ret_row,
                            struct sl_error *err)
{
    (void)err;
    *ret_row = answer_rows->index < answer_rows->n_rows;
    for (uint32_t i = 0; *ret_row && i < answer_rows->columns->n; i++) {
        int32_t len = (int32_t)sl_cql_load_be32(answer_rows->at);

        answer_rows->at += 4;
        cells[i] = (struct sl_cql_cell){answer_rows->at, len};
        answer_rows->at += len > 0 ? len : 0;
    }
    answer_rows->index += *ret_row;
    return SL_OK;
}

/* ---- the log ---- */

static void put_log_row(struct sl_buf *out, const struct log_row *row)
{
    put(out, row->stream, 16);
    put(out, row->time, 16);
    put_int(out, (int32_t)row->sequence);
    if (row->ends)
        put(out, "\1", 1);
    else
        put_null(out);
    put(out, "\2", 1);
    put_int(out, (int32_t)row->sequence);
    put_int(out, row->pk);
    put_text(out, "v");
    put_null(out);
}

static bool is_asked(const uint8_t *ids, uint32_t n, const struct log_row *row)
{
    for (uint32_t i = 0; i < n; i++)
        if (memcmp(ids + (size_t)i * 20 + 4, row->stream, 16) == 0)
            return true;
    return false;
}

static struct sl_cql_answer *read_log(const struct sl_cql_request *request)
{
    const uint8_t *values = request->values->bytes.data;
    uint32_t n_ids = sl_cql_load_be32(values + 4);
    const uint8_t *ids = values + 8, *bounds = ids + (size_t)n_ids * 20;
    uint32_t first = request->paging_state.len ? sl_cql_load_be32(request->paging_state.ptr) : 0;
    uint32_t matched = 0, given = 0;
    uint32_t most = request->page_rows ? (uint32_t)request->page_rows : 5000;
    struct fake_answer *made = new_answer(request->ctx);

    fake.log_reads++;
    if (unsorted)
        qsort(rows, n_rows, sizeof(*rows), by_place);
    unsorted = false;
    for (uint32_t i = 0; i < n_rows; i++) {
        if (!is_asked(ids, n_ids, &rows[i]) || sl_cql_timeuuid_compare(rows[i].time, bounds + 4) <= 0 ||
            sl_cql_timeuuid_compare(rows[i].time, bounds + 24) > 0)
            continue;
        if (matched++ < first)
            continue;
        if (given == most) {
            made->answer.rows.has_more = true;
            break;
        }
        put_log_row(&made->bytes, &rows[i]);
        given++;
    }
    if (made->answer.rows.has_more) {
        uint32_t *state = sl_alloc(4); /* freed with the answer */

        *state = __builtin_bswap32(first + given);
        made->answer.rows.paging_state = (struct sl_span){.ptr = (const uint8_t *)state, .len = 4};
    }
    return seal(made, &all_columns, given);
}

/* ---- metadata ---- */

static struct sl_cql_answer *columns_of_table(void)
{
    static const struct {
        const char *name, *order, *kind, *type;
    } columns[] = {{"ck", "asc", "clustering", "int"},
                   {"pk", "none", "partition_key", "int"},
                   {"v", "none", "regular", "text"}};
    struct fake_answer *made = new_answer(NULL);

    for (int i = 0; i < 3; i++) {
        put_text(&made->bytes, columns[i].name);
        put_text(&made->bytes, columns[i].order);
        put_text(&made->bytes, columns[i].kind);
        put_int(&made->bytes, i < 2 ? 0 : -1);
        put_text(&made->bytes, columns[i].type);
    }
    return seal(made, &any_columns[5], 3);
}

static struct sl_cql_answer *extensions(void)
{
    struct fake_answer *made = new_answer(NULL);
    static const char start[] = "\2\0\0\0\7\0\0\0enabled\4\0\0\0true\3\0\0\0ttl";
    struct sl_buf blob = {0}, map = {0};
    char ttl[24];
    uint8_t len[4] = {0};

    (void)snprintf(ttl, sizeof(ttl), "%lld", (long long)fake.ttl_s);
    sl_buf_put(&blob, start, sizeof(start) - 1);
    len[0] = (uint8_t)strlen(ttl);
    sl_buf_put(&blob, len, 4);
    sl_buf_text(&blob, ttl);
    sl_buf_be32(&map, 1);
    put_text(&map, "cdc");
    put(&map, blob.data, blob.len);
    put(&made->bytes, map.data, map.len);
    sl_buf_done(&blob);
    sl_buf_done(&map);
    return seal(made, &any_columns[1], 1);
}

static int64_t bound_long(const struct sl_cql_request *request)
{
    return (int64_t)sl_cql_load_be64(request->values->bytes.data + 4);
}

static struct sl_cql_answer *next_generation(const struct sl_cql_request *request)
{
    struct fake_answer *made = new_answer(NULL);
    int64_t after_ms = bound_long(request), found_ms = INT64_MAX;

    for (uint32_t i = 0; i < fake.n_generations; i++)
        if (fake.generations_ms[i] > after_ms && fake.generations_ms[i] < found_ms)
            found_ms = fake.generations_ms[i];
    if (found_ms == INT64_MAX)
        put_null(&made->bytes);
    else
        put_long(&made->bytes, found_ms);
    return seal(made, &any_columns[1], 1);
}

static struct sl_cql_answer *streams_of(const struct sl_cql_request *request)
{
    struct fake_answer *made = new_answer(NULL);
    int64_t at_ms = bound_long(request);
    uint32_t n = 0;

    for (uint32_t g = 0; g < fake.n_generations; g++) {
        struct sl_buf set = {0};

        if (fake.generations_ms[g] != at_ms || (fake.streams_hidden && g + 1 == fake.n_generations))
            continue;
        sl_buf_be32(&set, FAKE_STREAMS);
        for (uint32_t i = 0; i < FAKE_STREAMS; i++) {
            uint8_t id[16];

            fake_stream(g, i, id);
            put(&set, id, 16);
        }
        put(&made->bytes, set.data, set.len);
        sl_buf_done(&set);
        n++;
    }
    return seal(made, &any_columns[1], n);
}

static struct sl_cql_answer *exists(const struct sl_cql_request *request)
{
    struct fake_answer *made = new_answer(NULL);
    const struct sl_buf *values = &request->values->bytes;
    bool old = memmem(values->data, values->len, "cdc_streams_descriptions", 24) != NULL;

    if (!old)
        put_text(&made->bytes, "x");
    return seal(made, &any_columns[1], !old);
}

enum sl_rc sl_cql_query(struct sl_cql *cql, const struct sl_cql_request *request,
                        struct sl_cql_answer **ret_answer, struct sl_error *err)
{
    const char *text = request->text;

    (void)cql;
    if (strstr(text, "system_schema.types"))
        *ret_answer = seal(new_answer(NULL), &any_columns[3], 0);
    else if (strstr(text, "system_schema.columns"))
        *ret_answer = columns_of_table();
    else if (strstr(text, "extensions"))
        *ret_answer = extensions();
    else if (strstr(text, "system_schema.tables"))
        *ret_answer = exists(request);
    else if (strstr(text, "scylla_keyspaces"))
        *ret_answer = seal(new_answer(NULL), &any_columns[1], 0);
    else if (strstr(text, "min(time)"))
        *ret_answer = next_generation(request);
    else if (strstr(text, "SELECT streams"))
        *ret_answer = streams_of(request);
    else
        return sl_error_set(err, SL_E_UNSUPPORTED, "not known here: %s", text);
    return SL_OK;
}

/* ---- the rest of the session ---- */

enum sl_rc sl_cql_new(const struct sl_cql_config *config, struct sl_cql **ret, struct sl_error *err)
{
    (void)config;
    (void)err;
    *ret = &session;
    return SL_OK;
}

enum sl_rc sl_cql_connect(struct sl_cql *cql, int64_t deadline_us, struct sl_error *err)
{
    (void)cql;
    (void)deadline_us;
    (void)err;
    return SL_OK;
}

void sl_cql_answer_free(struct sl_cql_answer *answer)
{
    struct fake_answer *made = (struct fake_answer *)answer;

    if (!answer)
        return;
    sl_free((void *)(uintptr_t)answer->rows.paging_state.ptr);
    sl_buf_done(&made->bytes);
    sl_free(made);
}

void sl_cql_free(struct sl_cql *cql)
{
    for (uint32_t i = 0; cql && i < cql->n; i++)
        sl_cql_answer_free(cql->answers[i]);
    sl_free(session.answers);
    session = (struct sl_cql){0};
}

void sl_cql_wake(struct sl_cql *cql)
{
    (void)cql;
}

enum sl_rc sl_cql_prepare(struct sl_cql *cql, const char *text, int64_t deadline_us,
                          struct sl_cql_statement **ret, struct sl_error *err)
{
    (void)cql;
    (void)deadline_us;
    (void)err;
    *ret = sl_zalloc(1, sizeof(**ret));
    (*ret)->text = sl_strdup(text);
    return SL_OK;
}

void sl_cql_statement_free(struct sl_cql_statement *statement)
{
    if (statement)
        sl_free(statement->text);
    sl_free(statement);
}

uint32_t sl_cql_room(const struct sl_cql *cql)
{
    (void)cql;
    return 1000;
}

enum sl_rc sl_cql_submit(struct sl_cql *cql, const struct sl_cql_request *request, struct sl_error *err)
{
    struct sl_cql_answer *answer;

    (void)err;
    if (fake.failures) {
        fake.failures--;
        answer = seal(new_answer(request->ctx), NULL, 0);
        answer->rc = sl_error_set(&answer->err, SL_E_TIMEOUT, "the replicas were too slow");
    } else {
        answer = read_log(request);
    }
    SL_GROW(cql->answers, cql->n, cql->capacity);
    cql->answers[cql->n++] = answer;
    fake.most_in_flight = cql->n > fake.most_in_flight ? cql->n : fake.most_in_flight;
    return SL_OK;
}

struct sl_cql_answer *sl_cql_poll(struct sl_cql *cql, int64_t deadline_us)
{
    struct sl_cql_answer *answer = cql->n ? cql->answers[0] : NULL;

    (void)deadline_us;
    if (!answer)
        return NULL;
    cql->n--;
    memmove(cql->answers, cql->answers + 1, cql->n * sizeof(*cql->answers));
    return answer;
}

uint32_t sl_cql_n_hosts(const struct sl_cql *cql)
{
    (void)cql;
    return 1;
}

bool sl_cql_is_scylla(const struct sl_cql *cql)
{
    (void)cql;
    return true;
}

bool sl_cql_consistency_parse(const char *name, enum sl_cql_consistency *ret)
{
    *ret = SL_CQL_QUORUM;
    return name != NULL;
}

const char *sl_cql_consistency_name(enum sl_cql_consistency consistency)
{
    return consistency == SL_CQL_QUORUM ? "QUORUM" : "ONE";
}

int sl_cql_find_column(const struct sl_cql_columns *columns, const char *name)
{
    for (uint32_t i = 0; i < columns->n; i++)
        if (strcmp(columns->items[i].name, name) == 0)
            return (int)i;
    return -1;
}
