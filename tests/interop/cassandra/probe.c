/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cql-probe: our CQL client at the end of a pipe. Orders come in line by line on stdin as JSON, one answer
 * goes out for each as a line of JSON: what a test in Python needs to put the client before a real server.
 *
 *     {"op": "connect", "contact_points": "127.0.0.1:9042", "user": ..., "compress": true, ...}
 *     {"op": "run", "cql": "CREATE ..."}
 *     {"op": "query", "cql": "SELECT ...", "page_rows": 10, "values": ["0x01", null], "prepare": true}
 *     {"op": "read", "cql": "SELECT ...", "in_flight": 64, "times": 1000}      many at once, rows counted
 *     {"op": "poll", "ms": 100}                                               events since the last order
 *     {"op": "stats"} {"op": "hosts"}
 */
#include "base/clock.h"
#include "net/cql/cql.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

struct probe {
    struct sl_cql *cql;
    json_t *events;
    struct {
        char *text;
        struct sl_cql_statement *statement;
    } prepared[64];
    int n_prepared;
};

static void say(json_t *answer)
{
    char *text = json_dumps(answer, JSON_COMPACT);

    printf("%s\n", text);
    (void)fflush(stdout);
    free(text);
    json_decref(answer);
}

static json_t *failed(const struct sl_error *err, int code)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:i}", "error", err->text, "rc", sl_rc_name(err->rc), "kind",
                     sl_kind_name(err->kind), "native", err->native, "code", code);
}

static void note_event(void *ctx, const struct sl_cql_event *event)
{
    static const char *const kinds[] = {"TOPOLOGY", "UP", "DOWN", "SCHEMA", "RESYNC"};
    struct probe *probe = ctx;

    json_array_append_new(probe->events,
                          json_pack("{s:s, s:s*, s:s*, s:s*, s:s*, s:s*}", "kind", kinds[event->kind],
                                    "address", event->address, "change", event->change, "object",
                                    event->object, "keyspace", event->keyspace, "name", event->name));
}

static const char *text_of(const json_t *order, const char *key)
{
    return json_string_value(json_object_get(order, key));
}

static int int_of(const json_t *order, const char *key)
{
    return (int)json_integer_value(json_object_get(order, key));
}

static bool is_true(const json_t *order, const char *key)
{
    return json_is_true(json_object_get(order, key));
}

static void let_go(struct probe *probe)
{
    for (int i = 0; i < probe->n_prepared; i++)
        sl_free(probe->prepared[i].text);
    probe->n_prepared = 0;
    sl_cql_free(probe->cql);
    probe->cql = NULL;
}

static json_t *do_connect(struct probe *probe, const json_t *order)
{
    const struct sl_cql_config config = {
        .contact_points = text_of(order, "contact_points"),
        .local_dc = text_of(order, "local_dc"),
        .user = text_of(order, "user"),
        .password = text_of(order, "password"),
        .compress = is_true(order, "compress"),
        .contact_points_only = is_true(order, "contact_points_only"),
        .requests_per_connection = int_of(order, "requests_per_connection"),
        .try_timeout_ms = int_of(order, "try_timeout_ms"),
        .request_timeout_ms = int_of(order, "request_timeout_ms"),
        .connect_timeout_ms = int_of(order, "connect_timeout_ms"),
        .heartbeat_ms = int_of(order, "heartbeat_ms"),
        .tries = int_of(order, "tries"),
        .backoff_max_ms = int_of(order, "backoff_max_ms"),
        .on_event = note_event,
        .event_ctx = probe,
        .tls =
            {
                .enabled = is_true(order, "tls"),
                .ca_path = text_of(order, "ca"),
                .truststore_path = text_of(order, "truststore"),
                .truststore_password = text_of(order, "truststore_password"),
                .keystore_path = text_of(order, "keystore"),
                .keystore_password = text_of(order, "keystore_password"),
                .certificate_path = text_of(order, "certificate"),
                .key_path = text_of(order, "key"),
                .ciphers = text_of(order, "ciphers"),
                .skip_verification = is_true(order, "skip_verification"),
                .verify_host = is_true(order, "verify_host"),
            },
    };
    struct sl_error err;

    let_go(probe);
    if (sl_cql_new(&config, &probe->cql, &err) != SL_OK)
        return failed(&err, SL_CQL_NO_CODE);
    if (sl_cql_connect(probe->cql, sl_now_us() + (int64_t)int_of(order, "deadline_ms") * 1000, &err) != SL_OK)
        return failed(&err, SL_CQL_NO_CODE);
    return json_pack("{s:i, s:b, s:s}", "hosts", (int)sl_cql_n_hosts(probe->cql), "scylla",
                     sl_cql_is_scylla(probe->cql), "local_dc", sl_cql_local_dc(probe->cql));
}

/* ["0x0102", null, "unset"]: the bytes of the values. */
static void bind_values(struct sl_cql_values *values, const json_t *list)
{
    size_t i;
    const json_t *item;

    json_array_foreach(list, i, item)
    {
        const char *hex = json_string_value(item);
        uint8_t bytes[4096];
        size_t n = 0;

        if (!hex || strcmp(hex, "unset") == 0) {
            sl_cql_bind_cell(values, (struct sl_cql_cell){NULL, hex ? SL_CQL_UNSET : SL_CQL_NULL});
            continue;
        }
        for (hex += 2; hex[0] && hex[1] && n < sizeof(bytes); hex += 2) {
            char pair[3] = {hex[0], hex[1], 0};

            bytes[n++] = (uint8_t)strtoul(pair, NULL, 16);
        }
        sl_cql_bind_bytes(values, bytes, n);
    }
}

static enum sl_rc find_prepared(struct probe *probe, const char *text, struct sl_cql_statement **ret,
                                struct sl_error *err)
{
    enum sl_rc rc;

    for (int i = 0; i < probe->n_prepared; i++) {
        if (strcmp(probe->prepared[i].text, text) == 0) {
            *ret = probe->prepared[i].statement;
            return SL_OK;
        }
    }
    SL_ASSERT(probe->n_prepared < 64);
    rc = sl_cql_prepare(probe->cql, text, sl_now_us() + 10000000, ret, err);
    if (rc == SL_OK) {
        probe->prepared[probe->n_prepared].text = sl_strdup(text);
        probe->prepared[probe->n_prepared++].statement = *ret;
    }
    return rc;
}

static json_t *columns_of(const struct sl_cql_columns *columns)
{
    json_t *list = json_array();
    struct sl_buf type = {0};

    for (uint32_t i = 0; columns && i < columns->n; i++) {
        sl_buf_reset(&type);
        sl_cql_type_put(&type, columns->items[i].type);
        json_array_append_new(list, json_pack("[s, s]", columns->items[i].name, sl_buf_cstr(&type)));
    }
    sl_buf_done(&type);
    return list;
}

static enum sl_rc take_rows(struct sl_cql_rows *rows, json_t *list, struct sl_error *err)
{
    struct sl_cql_cell cells[256];
    struct sl_buf text = {0};
    enum sl_rc rc;
    bool more;

    while ((rc = sl_cql_rows_next(rows, cells, &more, err)) == SL_OK && more) {
        json_t *row = json_array();

        for (uint32_t i = 0; i < rows->columns->n; i++) {
            sl_buf_reset(&text);
            sl_cql_put_value(&text, rows->columns->items[i].type, cells[i]);
            json_array_append_new(row, json_string(sl_buf_cstr(&text)));
        }
        json_array_append_new(list, row);
    }
    sl_buf_done(&text);
    return rc;
}

static json_t *query_pages(struct probe *probe, struct sl_cql_request *request)
{
    json_t *rows = json_array();
    json_t *columns = NULL;
    struct sl_buf state = {0};
    struct sl_error err;
    int pages = 0;
    bool more;

    do {
        struct sl_cql_answer *answer;
        enum sl_rc rc;

        request->paging_state = (struct sl_span){state.data, state.len};
        rc = sl_cql_query(probe->cql, request, &answer, &err);
        if (rc == SL_OK) {
            pages++;
            json_decref(columns);
            columns = columns_of(answer->rows.columns);
            more = answer->rows.has_more;
            sl_buf_reset(&state);
            sl_buf_put(&state, answer->rows.paging_state.ptr, answer->rows.paging_state.len);
            rc = take_rows(&answer->rows, rows, &err);
            sl_cql_answer_free(answer);
        }
        if (rc != SL_OK) {
            json_decref(rows);
            json_decref(columns);
            sl_buf_done(&state);
            return failed(&err, (int)strtol(*err.native ? err.native : "-1", NULL, 0));
        }
    } while (more);
    sl_buf_done(&state);
    return json_pack("{s:o, s:o, s:i}", "rows", rows, "columns", columns, "pages", pages);
}

static json_t *do_query(struct probe *probe, const json_t *order)
{
    struct sl_cql_request request = {.text = text_of(order, "cql"), .consistency = SL_CQL_ONE};
    struct sl_cql_statement *statement = NULL;
    struct sl_cql_values values = {0};
    struct sl_error err;
    json_t *answer;

    if (is_true(order, "prepare")) {
        if (find_prepared(probe, request.text, &statement, &err) != SL_OK)
            return failed(&err, SL_CQL_NO_CODE);
        request.statement = statement;
    }
    if (text_of(order, "consistency"))
        (void)sl_cql_consistency_parse(text_of(order, "consistency"), &request.consistency);
    bind_values(&values, json_object_get(order, "values"));
    request.values = &values;
    request.page_rows = int_of(order, "page_rows");
    answer = query_pages(probe, &request);
    sl_cql_values_done(&values);
    return answer;
}

/* Many readers of one statement, each through all its pages; cells are looked at, no more. */
struct reading {
    struct probe *probe;
    struct sl_cql_request request;
    int left, failures;
    uint64_t rows, bytes;
    uint32_t columns_changed;
    const struct sl_cql_columns *columns;
    struct sl_error err;
};

static void count_rows(struct reading *reading, struct sl_cql_answer *answer)
{
    struct sl_cql_cell cells[256];
    struct sl_error err;
    bool more;

    if (answer->rc != SL_OK) {
        reading->failures++;
        reading->err = answer->err;
        return;
    }
    if (answer->rows.columns != reading->columns)
        reading->columns_changed++;
    reading->columns = answer->rows.columns;
    while (sl_cql_rows_next(&answer->rows, cells, &more, &err) == SL_OK && more) {
        reading->rows++;
        for (uint32_t i = 0; i < answer->rows.columns->n; i++)
            reading->bytes += cells[i].len > 0 ? (uint64_t)cells[i].len : 0;
    }
}

static void read_on(struct reading *reading, struct sl_cql_answer *answer)
{
    struct sl_cql *cql = reading->probe->cql;
    struct sl_cql_request next = reading->request;

    count_rows(reading, answer);
    if (answer->rc == SL_OK && answer->rows.has_more)
        next.paging_state = answer->rows.paging_state;
    else
        reading->left--;
    if (next.paging_state.len)
        (void)sl_cql_submit(cql, &next, NULL);
    sl_cql_answer_free(answer);
}

/* Once: so many tries failed, for some the time ran out, and a connection was given up for it. */
static void tell_of_retries(struct probe *probe, int *wanted)
{
    struct sl_cql_stats s;

    sl_cql_stats(probe->cql, &s);
    if (!*wanted || s.retries < (uint64_t)*wanted || !s.timeouts || !s.disconnects)
        return;
    *wanted = 0;
    printf("{\"retries\": %" PRIu64 "}\n", s.retries);
    (void)fflush(stdout);
}

static json_t *do_read(struct probe *probe, const json_t *order)
{
    struct reading reading = {.probe = probe, .left = int_of(order, "times")};
    struct sl_cql_statement *statement;
    int64_t start_us = sl_now_us();
    int to_start = reading.left;
    int tell_at = int_of(order, "tell_at_retries");
    json_t *answer;

    if (find_prepared(probe, text_of(order, "cql"), &statement, &reading.err) != SL_OK)
        return failed(&reading.err, SL_CQL_NO_CODE);
    reading.request = (struct sl_cql_request){
        .statement = statement, .consistency = SL_CQL_ONE, .page_rows = int_of(order, "page_rows")};
    while (reading.left > 0) {
        struct sl_cql_answer *next;

        while (to_start > 0 && sl_cql_in_flight(probe->cql) < (uint32_t)int_of(order, "in_flight")) {
            (void)sl_cql_submit(probe->cql, &reading.request, NULL);
            to_start--;
        }
        if ((next = sl_cql_poll(probe->cql, sl_now_us() + 1000000)))
            read_on(&reading, next);
        tell_of_retries(probe, &tell_at);
    }
    answer = json_pack("{s:I, s:I, s:i, s:i, s:I}", "rows", (json_int_t)reading.rows, "bytes",
                       (json_int_t)reading.bytes, "failures", reading.failures, "columns_changed",
                       (int)reading.columns_changed, "us", (json_int_t)(sl_now_us() - start_us));
    if (reading.failures)
        json_object_set_new(answer, "last_error", json_string(reading.err.text));
    return answer;
}

static json_t *do_poll(struct probe *probe, const json_t *order)
{
    json_t *events;
    int64_t deadline_us = sl_now_us() + (int64_t)int_of(order, "ms") * 1000;
    struct sl_cql_answer *answer;

    while (json_array_size(probe->events) == 0 && sl_now_us() < deadline_us) {
        answer =
            sl_cql_poll(probe->cql, deadline_us < sl_now_us() + 20000 ? deadline_us : sl_now_us() + 20000);
        sl_cql_answer_free(answer);
    }
    events = probe->events;
    probe->events = json_array();
    return json_pack("{s:o}", "events", events);
}

static json_t *do_stats(struct probe *probe)
{
    struct sl_cql_stats s;

    sl_cql_stats(probe->cql, &s);
    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:i}", "retries", (json_int_t)s.retries,
                     "timeouts", (json_int_t)s.timeouts, "overloads", (json_int_t)s.overloads, "reprepares",
                     (json_int_t)s.reprepares, "connects", (json_int_t)s.connects, "disconnects",
                     (json_int_t)s.disconnects, "bytes_in", (json_int_t)s.bytes_in, "bytes_out",
                     (json_int_t)s.bytes_out, "connections", (int)s.connections);
}

static json_t *do_hosts(struct probe *probe)
{
    json_t *list = json_array();

    for (uint32_t i = 0; i < sl_cql_n_hosts(probe->cql); i++) {
        struct sl_cql_host host;

        sl_cql_host(probe->cql, i, &host);
        json_array_append_new(list,
                              json_pack("{s:s, s:s, s:s, s:b, s:b, s:i}", "address", host.address, "dc",
                                        host.data_center, "version", host.release_version, "up", host.is_up,
                                        "local", host.is_local, "shards", (int)host.n_shards));
    }
    return json_pack("{s:o}", "hosts", list);
}

static json_t *obey(struct probe *probe, const json_t *order)
{
    const char *op = text_of(order, "op");
    struct sl_error err;

    if (strcmp(op, "connect") == 0)
        return do_connect(probe, order);
    if (!probe->cql)
        return json_pack("{s:s}", "error", "connect first");
    if (strcmp(op, "run") == 0)
        return sl_cql_run(probe->cql, text_of(order, "cql"), SL_CQL_ONE, &err) == SL_OK ? json_object()
                                                                                        : failed(&err, 0);
    if (strcmp(op, "query") == 0)
        return do_query(probe, order);
    if (strcmp(op, "read") == 0)
        return do_read(probe, order);
    if (strcmp(op, "poll") == 0)
        return do_poll(probe, order);
    if (strcmp(op, "stats") == 0)
        return do_stats(probe);
    if (strcmp(op, "hosts") == 0)
        return do_hosts(probe);
    return json_pack("{s:s}", "error", "what?");
}

int main(void)
{
    struct probe probe = {.events = json_array()};
    size_t capacity = 0;
    char *line = NULL;

    while (getline(&line, &capacity, stdin) > 0) {
        json_t *order = json_loads(line, 0, NULL);

        if (!order)
            return 2;
        say(obey(&probe, order));
        json_decref(order);
    }
    let_go(&probe);
    json_decref(probe.events);
    free(line);
    return 0;
}
