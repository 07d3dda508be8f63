/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"
#include "base/thread.h"
#include "net/cql/cql.h"
#include "net/cql/wire.h"
#include "scripted_server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

static struct sl_cql *connect_with(const struct scripted *server, struct sl_cql_config config)
{
    char point[32];
    struct sl_cql *cql;
    struct sl_error err;

    (void)snprintf(point, sizeof(point), "127.0.0.1:%d", scripted_port(server));
    config.contact_points = point;
    config.backoff_base_ms = 1;
    config.backoff_max_ms = 20;
    assert_int_equal(sl_cql_new(&config, &cql, &err), SL_OK);
    if (sl_cql_connect(cql, sl_now_us() + 5000000, &err) != SL_OK)
        fail_msg("%s", err.text);
    return cql;
}

static struct sl_cql *connect_to(const struct scripted *server)
{
    return connect_with(server, (struct sl_cql_config){0});
}

static struct sl_cql_answer *next_answer(struct sl_cql *cql)
{
    int64_t deadline_us = sl_now_us() + 5000000;
    struct sl_cql_answer *answer = NULL;

    while (!answer && sl_now_us() < deadline_us)
        answer = sl_cql_poll(cql, deadline_us);
    assert_non_null(answer);
    return answer;
}

static struct sl_cql_answer *ask(struct sl_cql *cql, struct sl_cql_request request)
{
    struct sl_error err;

    request.text = request.statement ? NULL : "SELECT n FROM ks.t";
    request.consistency = SL_CQL_ONE;
    assert_int_equal(sl_cql_submit(cql, &request, &err), SL_OK);
    return next_answer(cql);
}

static bool is_ours(const struct asked *asked)
{
    return asked->opcode == SL_CQL_OP_EXECUTE || memmem(asked->body, asked->len, "ks.t", 4) != NULL;
}

static int32_t sum_of(struct sl_cql_answer *answer)
{
    struct sl_cql_cell cells[1];
    struct sl_error err;
    int32_t sum = 0;
    int32_t n = 0;
    bool more;

    while (sl_cql_rows_next(&answer->rows, cells, &more, &err) == SL_OK && more) {
        assert_true(sl_cql_int32(cells[0], &n));
        sum += n;
    }
    return sum;
}

/* ------------------------------------------------------------------ versions -----------------------------
 */

static enum verdict only_v3(struct scripted *server, const struct asked *asked, struct sl_buf *out)
{
    (void)server;
    if (asked->version > 3) {
        struct asked in_v3 = *asked;

        in_v3.version = 3;
        put_error(out, &in_v3, 0x000A, "Invalid or unsupported protocol version (4); highest is 3");
        return SAID;
    }
    return USUAL;
}

static void a_server_of_an_older_protocol_is_spoken_to_in_it(void **state)
{
    struct scripted *server = scripted_start(only_v3, NULL, 0);
    struct sl_cql *cql = connect_to(server);
    struct sl_cql_statement *statement;
    struct sl_error err;

    (void)state;
    assert_int_equal(sl_cql_prepare(cql, "SELECT n FROM ks.t", sl_now_us() + 5000000, &statement, &err),
                     SL_OK);
    assert_int_equal(sl_cql_statement_result(statement)->n, 1);
    sl_cql_free(cql);
    scripted_stop(server);
}

/* ------------------------------------------------------------------ errors -------------------------------
 */

struct failing {
    int32_t code;
    int times;
    int32_t page_rows[8]; /* as asked */
    int n;
};

static enum verdict fail_at_first(struct scripted *server, const struct asked *asked, struct sl_buf *out)
{
    struct failing *failing = scripted_ctx(server);

    if (!is_ours(asked))
        return USUAL;
    /* the page size ends the parameters */
    failing->page_rows[failing->n++ & 7] = (int32_t)sl_cql_load_be32(asked->body + asked->len - 4);
    if (failing->n <= failing->times)
        put_error(out, asked, failing->code, "not now");
    else
        put_rows(out, asked, 1, 3);
    return SAID;
}

static void what_passes_is_tried_again(void **state)
{
    static const int32_t codes[] = {SL_CQL_OVERLOADED, SL_CQL_SERVER_ERROR, SL_CQL_UNAVAILABLE,
                                    SL_CQL_READ_FAILURE, SL_CQL_BOOTSTRAPPING};

    (void)state;
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        struct failing failing = {codes[i], 2, {0}, 0};
        struct scripted *server = scripted_start(fail_at_first, &failing, 0);
        struct sl_cql *cql = connect_to(server);
        struct sl_cql_answer *answer = ask(cql, (struct sl_cql_request){.ctx = &failing});

        assert_int_equal(answer->rc, SL_OK);
        assert_ptr_equal(answer->ctx, &failing);
        assert_int_equal(answer->tries, 3);
        assert_int_equal(sum_of(answer), 6);
        sl_cql_answer_free(answer);
        sl_cql_free(cql);
        scripted_stop(server);
    }
}

static void a_read_that_timed_out_asks_for_less(void **state)
{
    struct failing failing = {SL_CQL_READ_TIMEOUT, 2, {0}, 0};
    struct scripted *server = scripted_start(fail_at_first, &failing, 0);
    struct sl_cql *cql = connect_to(server);
    struct sl_cql_answer *answer = ask(cql, (struct sl_cql_request){.page_rows = 1000});

    (void)state;
    assert_int_equal(answer->rc, SL_OK);
    assert_int_equal(failing.page_rows[0], 1000);
    assert_int_equal(failing.page_rows[1], 500);
    assert_int_equal(failing.page_rows[2], 250);
    sl_cql_answer_free(answer);
    sl_cql_free(cql);
    scripted_stop(server);
}

static void what_does_not_pass_is_an_error_at_once(void **state)
{
    static const struct {
        int32_t code;
        enum sl_rc rc;
    } known[] = {
        {SL_CQL_SYNTAX_ERROR, SL_E_CONFIG}, {SL_CQL_UNAUTHORIZED, SL_E_AUTH}, {SL_CQL_INVALID, SL_E_CONFIG}};

    (void)state;
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        struct failing failing = {known[i].code, 9, {0}, 0};
        struct scripted *server = scripted_start(fail_at_first, &failing, 0);
        struct sl_cql *cql = connect_to(server);
        struct sl_cql_answer *answer = ask(cql, (struct sl_cql_request){0});

        assert_int_equal(answer->rc, known[i].rc);
        assert_int_equal(answer->code, known[i].code);
        assert_int_equal(failing.n, 1);
        sl_cql_answer_free(answer);
        sl_cql_free(cql);
        scripted_stop(server);
    }
}

static void what_may_have_happened_is_not_done_twice(void **state)
{
    struct failing failing = {SL_CQL_WRITE_TIMEOUT, 1, {0}, 0};
    struct scripted *server = scripted_start(fail_at_first, &failing, 0);
    struct sl_cql *cql = connect_to(server);
    struct sl_cql_answer *answer = ask(cql, (struct sl_cql_request){.not_idempotent = true});

    (void)state;
    assert_int_equal(answer->rc, SL_E_TIMEOUT);
    assert_int_equal(failing.n, 1);
    sl_cql_answer_free(answer);
    /* but this was surely not done */
    failing = (struct failing){SL_CQL_OVERLOADED, 1, {0}, 0};
    answer = ask(cql, (struct sl_cql_request){.not_idempotent = true});
    assert_int_equal(answer->rc, SL_OK);
    sl_cql_answer_free(answer);
    sl_cql_free(cql);
    scripted_stop(server);
}

static void tries_are_bounded_and_the_last_reason_is_told(void **state)
{
    struct failing failing = {SL_CQL_OVERLOADED, 1000, {0}, 0};
    struct scripted *server = scripted_start(fail_at_first, &failing, 0);
    struct sl_cql *cql = connect_with(server, (struct sl_cql_config){.tries = 3});
    struct sl_cql_answer *answer = ask(cql, (struct sl_cql_request){0});

    (void)state;
    assert_int_equal(answer->rc, SL_E_BUSY);
    assert_int_equal(answer->tries, 3);
    assert_non_null(strstr(answer->err.text, "overloaded"));
    assert_string_equal(answer->err.native, "0x1001");
    sl_cql_answer_free(answer);
    sl_cql_free(cql);
    scripted_stop(server);
}

/* ------------------------------------------------------------------ statements ---------------------------
 */

struct forgetful {
    int prepares, executes, to_forget;
};

static enum verdict forget(struct scripted *server, const struct asked *asked, struct sl_buf *out)
{
    struct forgetful *forgetful = scripted_ctx(server);

    if (asked->opcode == SL_CQL_OP_PREPARE) {
        forgetful->prepares++;
        forgetful->to_forget = forgetful->prepares > 1 ? 0 : forgetful->to_forget;
        return USUAL;
    }
    if (asked->opcode != SL_CQL_OP_EXECUTE)
        return USUAL;
    forgetful->executes++;
    if (forgetful->to_forget)
        put_unprepared(out, asked);
    else
        put_rows(out, asked, 1, 1);
    return SAID;
}

static void a_forgotten_statement_is_prepared_once_for_all_who_wait(void **state)
{
    enum { N = 50 };
    struct forgetful forgetful = {0, 0, 1};
    struct scripted *server = scripted_start(forget, &forgetful, 0);
    struct sl_cql *cql = connect_to(server);
    struct sl_cql_statement *statement;
    struct sl_error err;

    (void)state;
    assert_int_equal(sl_cql_prepare(cql, "SELECT n FROM ks.t", sl_now_us() + 5000000, &statement, &err),
                     SL_OK);
    for (int i = 0; i < N; i++)
        assert_int_equal(sl_cql_submit(cql, &(struct sl_cql_request){.statement = statement}, &err), SL_OK);
    sl_cql_statement_free(statement); /* requests keep it */
    for (int i = 0; i < N; i++) {
        struct sl_cql_answer *answer = next_answer(cql);

        assert_int_equal(answer->rc, SL_OK);
        assert_int_equal(sum_of(answer), 1);
        sl_cql_answer_free(answer);
    }
    assert_int_equal(forgetful.prepares, 2);
    sl_cql_free(cql);
    scripted_stop(server);
}

/* ------------------------------------------------------------------ time and order -----------------------
 */

struct held {
    struct asked first;
    int n;
};

/* The first question is answered after the second. */
static enum verdict swap_two(struct scripted *server, const struct asked *asked, struct sl_buf *out)
{
    struct held *held = scripted_ctx(server);

    if (!is_ours(asked))
        return USUAL;
    if (held->n++ == 0) {
        held->first = *asked;
        return SAID;
    }
    put_rows(out, asked, 20, 1);
    put_rows(out, &held->first, 10, 1);
    return SAID;
}

static void answers_find_their_questions_in_any_order(void **state)
{
    const struct sl_cql_request request = {.text = "SELECT n FROM ks.t"};
    struct held held = {.n = 0};
    struct scripted *server = scripted_start(swap_two, &held, 0);
    struct sl_cql *cql = connect_to(server);
    struct sl_cql_request first = request;
    struct sl_cql_request second = request;
    struct sl_cql_answer *answer;
    struct sl_error err;

    (void)state;
    first.ctx = &first;
    second.ctx = &second;
    assert_int_equal(sl_cql_submit(cql, &first, &err), SL_OK);
    assert_int_equal(sl_cql_submit(cql, &second, &err), SL_OK);
    assert_int_equal(sl_cql_in_flight(cql), 2);
    answer = next_answer(cql);
    assert_ptr_equal(answer->ctx, &second);
    assert_int_equal(sum_of(answer), 20);
    sl_cql_answer_free(answer);
    answer = next_answer(cql);
    assert_ptr_equal(answer->ctx, &first);
    assert_int_equal(sum_of(answer), 10);
    sl_cql_answer_free(answer);
    assert_int_equal(sl_cql_in_flight(cql), 0);
    sl_cql_free(cql);
    scripted_stop(server);
}

/* The first try gets its answer only when the second one comes; meanwhile other things are said. */
static enum verdict late(struct scripted *server, const struct asked *asked, struct sl_buf *out)
{
    struct held *held = scripted_ctx(server);

    if (!is_ours(asked))
        return USUAL;
    if (held->n++ == 0) {
        held->first = *asked;
        put_frame(out, 4, -1, SL_CQL_OP_EVENT, "\0\1?", 3); /* a sign of life, and no event that is known */
        return SAID;
    }
    put_rows(out, &held->first, 10, 1);
    put_rows(out, asked, 20, 1);
    return SAID;
}

static void an_answer_that_comes_too_late_is_nobody_s(void **state)
{
    struct held held = {.n = 0};
    struct scripted *server = scripted_start(late, &held, 0);
    struct sl_cql *cql = connect_with(server, (struct sl_cql_config){.try_timeout_ms = 100});
    struct sl_cql_answer *answer = ask(cql, (struct sl_cql_request){0});
    struct sl_cql_stats stats;

    (void)state;
    assert_int_equal(answer->rc, SL_OK);
    assert_int_equal(sum_of(answer), 20);
    assert_int_equal(answer->tries, 2);
    sl_cql_stats(cql, &stats);
    assert_int_equal(stats.timeouts, 1);
    assert_int_equal(stats.disconnects, 0);
    sl_cql_answer_free(answer);
    sl_cql_free(cql);
    scripted_stop(server);
}

static enum verdict say_nothing(struct scripted *server, const struct asked *asked, struct sl_buf *out)
{
    (void)server;
    (void)out;
    return is_ours(asked) ? SAID : USUAL;
}

static void a_request_ends_at_its_deadline(void **state)
{
    struct scripted *server = scripted_start(say_nothing, NULL, 0);
    struct sl_cql *cql = connect_with(server, (struct sl_cql_config){.try_timeout_ms = 100});
    int64_t start_us = sl_now_us();
    struct sl_cql_answer *answer = ask(cql, (struct sl_cql_request){.timeout_ms = 350});

    (void)state;
    assert_int_equal(answer->err.kind, SL_KIND_TRANSIENT);
    assert_non_null(strstr(answer->err.text, "127.0.0.1"));
    assert_in_range(sl_now_us() - start_us, 100000, 2000000);
    sl_cql_answer_free(answer);
    sl_cql_free(cql);
    scripted_stop(server);
}

static void requests_beyond_the_budget_are_refused(void **state)
{
    const struct sl_cql_request request = {.text = "SELECT n FROM ks.t"};
    struct scripted *server = scripted_start(say_nothing, NULL, 0);
    struct sl_cql *cql =
        connect_with(server, (struct sl_cql_config){.requests_per_session = 3, .requests_per_connection = 2});
    struct sl_error err;

    (void)state;
    for (int i = 0; i < 3; i++)
        assert_int_equal(sl_cql_submit(cql, &request, &err), SL_OK);
    assert_int_equal(sl_cql_room(cql), 0);
    assert_int_equal(sl_cql_submit(cql, &request, &err), SL_E_BUSY);
    sl_cql_free(cql);
    scripted_stop(server);
}

static void wake_later(void *arg)
{
    sl_cql_wake(arg);
}

static void cancel_later(void *arg)
{
    sl_cql_cancel(arg);
}

static void others_may_wake_and_cancel(void **state)
{
    struct scripted *server = scripted_start(say_nothing, NULL, 0);
    struct sl_cql *cql = connect_to(server);
    struct sl_thread thread = {0};
    struct sl_error err;

    (void)state;
    sl_thread_start(&thread, "wake", wake_later, cql);
    assert_null(sl_cql_poll(cql, INT64_MAX));
    sl_thread_join(&thread);
    thread = (struct sl_thread){0};
    sl_thread_start(&thread, "cancel", cancel_later, cql);
    assert_int_equal(sl_cql_run(cql, "TRUNCATE ks.t", SL_CQL_ONE, &err), SL_E_STOPPED);
    sl_thread_join(&thread);
    sl_cql_free(cql);
    scripted_stop(server);
}

/* ------------------------------------------------------------------ malformed ----------------------------
 */

struct lie {
    const char *bytes;
    size_t len;
    int told;
};

/* A RESULT with this body first, the truth afterwards. */
static enum verdict lie_once(struct scripted *server, const struct asked *asked, struct sl_buf *out)
{
    struct lie *lie = scripted_ctx(server);

    if (!is_ours(asked))
        return USUAL;
    if (lie->told++ == 0)
        put_frame(out, 4, asked->stream, SL_CQL_OP_RESULT, lie->bytes, lie->len);
    else
        put_rows(out, asked, 5, 1);
    return SAID;
}

static void a_result_that_lies_is_asked_for_again(void **state)
{
#define LIE(text) {text, sizeof(text) - 1, 0}
    struct lie lies[] = {
        LIE(""),
        LIE("\0\0\0\2\0\0\0\0\0\0\0"),                           /* cut in the metadata */
        LIE("\0\0\0\2\0\0\0\0\x7f\xff\xff\xff\0\0\0\0"),         /* 2^31 columns */
        LIE("\0\0\0\2\0\0\0\0\xff\xff\xff\xff\0\0\0\0"),         /* -1 columns */
        LIE("\0\0\0\2\0\0\0\2\0\0\0\0\x7f\xff\xff\xff\0\0\0\0"), /* a long paging state */
        LIE("\0\0\0\2\0\0\0\4\0\0\0\1\0\0\0\1\0\0\0\4\0\0\0\1"), /* no metadata where none is known */
        LIE("\0\0\0\2\0\0\0\1\0\0\0\1\0\1k\0\1t\0\1n\0\x31\xff\xff\0\x09\0\0\0\0"), /* a tuple of 65,535 */
        LIE("\0\0\0\2\0\0\0\1\0\0\0\1\0\1k\0\1t\0\1n\0\x77\0\0\0\0"),               /* a type unheard of */
        LIE("\0\0\0\2\0\0\0\1\0\0\0\1\0\1k\0\1t\0\1n\0\x09\xff\xff\xff\xff"),       /* -1 rows */
    };

    (void)state;
    for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
        struct scripted *server = scripted_start(lie_once, &lies[i], 0);
        struct sl_cql *cql = connect_to(server);
        struct sl_cql_answer *answer = ask(cql, (struct sl_cql_request){0});

        assert_int_equal(answer->rc, SL_OK);
        assert_int_equal(answer->tries, 2);
        assert_int_equal(sum_of(answer), 5);
        sl_cql_answer_free(answer);
        sl_cql_free(cql);
        scripted_stop(server);
    }
}

static void a_row_that_lies_is_an_error_where_it_is_read(void **state)
{
    struct lie lie =
        LIE("\0\0\0\2\0\0\0\1\0\0\0\1\0\1k\0\1t\0\1n\0\x09\0\0\0\2\0\0\0\4\0\0\0\7\0\0\0\5\0\0\0\7");
    struct scripted *server = scripted_start(lie_once, &lie, 0);
    struct sl_cql *cql = connect_to(server);
    struct sl_cql_answer *answer = ask(cql, (struct sl_cql_request){0});
    struct sl_cql_cell cells[1];
    struct sl_error err;
    bool more;

    (void)state;
    assert_int_equal(answer->rc, SL_OK);
    assert_int_equal(sl_cql_rows_next(&answer->rows, cells, &more, &err), SL_OK);
    assert_int_equal(sl_cql_rows_next(&answer->rows, cells, &more, &err), SL_E_PROTOCOL);
    assert_non_null(strstr(err.text, "k.t"));
    sl_cql_answer_free(answer);
    sl_cql_free(cql);
    scripted_stop(server);
}

/* Bytes that are no frame at all, to the first question. */
static enum verdict rave(struct scripted *server, const struct asked *asked, struct sl_buf *out)
{
    struct lie *lie = scripted_ctx(server);

    if (!is_ours(asked))
        return USUAL;
    if (lie->told++ == 0)
        sl_buf_put(out, lie->bytes, lie->len);
    else
        put_rows(out, asked, 5, 1);
    return SAID;
}

static void what_is_no_frame_ends_the_connection_and_no_more(void **state)
{
    struct lie lies[] = {
        LIE("HTTP/1.1 400 Bad Request\r\n\r\n"),
        LIE("\x84\0\0\0\x08\xff\xff\xff\xff"),                 /* four gigabytes */
        LIE("\x84\0\x7f\xff\x08\0\0\0\4\0\0\0\1"),             /* an answer to no question */
        LIE("\x84\x01\0\0\x08\0\0\0\x06\xff\xff\xff\xff\0\0"), /* compressed: so it says */
        LIE("\x84\x04\0\0\x08\0\0\0\2\xff\xff"),               /* a payload that is not there */
        LIE("\x84\x08\0\0\x08\0\0\0\3\0\1\xff"),               /* a warning that is cut */
    };

    (void)state;
    for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
        struct scripted *server = scripted_start(rave, &lies[i], 0);
        struct sl_cql *cql = connect_to(server);
        struct sl_cql_answer *answer = ask(cql, (struct sl_cql_request){0});
        struct sl_cql_stats stats;

        assert_int_equal(answer->rc, SL_OK);
        assert_int_equal(sum_of(answer), 5);
        sl_cql_stats(cql, &stats);
        assert_int_equal(stats.disconnects, 1);
        sl_cql_answer_free(answer);
        sl_cql_free(cql);
        scripted_stop(server);
    }
}

static enum verdict hang_up_once(struct scripted *server, const struct asked *asked, struct sl_buf *out)
{
    struct lie *lie = scripted_ctx(server);

    if (!is_ours(asked))
        return USUAL;
    if (lie->told++ == 0)
        return HANG_UP;
    put_rows(out, asked, 5, 1);
    return SAID;
}

static void a_lost_connection_costs_a_try(void **state)
{
    struct lie lie = {NULL, 0, 0};
    struct scripted *server = scripted_start(hang_up_once, &lie, 0);
    struct sl_cql *cql = connect_to(server);
    struct sl_cql_answer *answer = ask(cql, (struct sl_cql_request){0});

    (void)state;
    assert_int_equal(answer->rc, SL_OK);
    assert_int_equal(answer->tries, 2);
    sl_cql_answer_free(answer);
    lie.told = 0;
    answer = ask(cql, (struct sl_cql_request){.not_idempotent = true});
    assert_int_equal(answer->rc, SL_E_CONNECT);
    sl_cql_answer_free(answer);
    sl_cql_free(cql);
    scripted_stop(server);
}

/* ------------------------------------------------------------------ shards -------------------------------
 */

/* The answer's number is the shard that was asked. */
static enum verdict tell_shard(struct scripted *server, const struct asked *asked, struct sl_buf *out)
{
    (void)server;
    if (!is_ours(asked))
        return USUAL;
    put_rows(out, asked, (int32_t)asked->shard, 1);
    return SAID;
}

static int32_t shard_asked(struct sl_cql *cql, struct sl_cql_request request)
{
    struct sl_cql_answer *answer;
    int32_t shard;

    request.has_token = true;
    request.keyspace = "ks";
    request.table = "t";
    answer = ask(cql, request);
    assert_int_equal(answer->rc, SL_OK);
    shard = sum_of(answer);
    sl_cql_answer_free(answer);
    return shard;
}

static void wait_for_connections(struct sl_cql *cql, uint32_t n)
{
    int64_t deadline_us = sl_now_us() + 5000000;
    struct sl_cql_stats stats;

    do {
        assert_true(sl_now_us() < deadline_us);
        assert_null(sl_cql_poll(cql, sl_now_us() + 10000));
        sl_cql_stats(cql, &stats);
    } while (stats.connections < n);
}

static void a_request_goes_to_the_shard_of_its_token(void **state)
{
    struct scripted *server = scripted_start(tell_shard, NULL, 4);
    struct sl_cql *cql = connect_to(server);

    (void)state;
    wait_for_connections(cql, 4);
    for (int64_t i = 0; i < 64; i++) {
        int64_t token = i * 0x0123456789abcdefLL;

        assert_int_equal(shard_asked(cql, (struct sl_cql_request){.token = token}),
                         sl_cql_shard(token, 4, 12));
    }
    sl_cql_free(cql);
    scripted_stop(server);
}

/* One answer teaches that the tokens (0, 100] live on shard 2 of this node. */
static enum verdict teach_tablet(struct scripted *server, const struct asked *asked, struct sl_buf *out)
{
    static const char payload[] = "\0\1\0\x12tablets-routing-v1\0\0\0\x44"
                                  "\0\0\0\x08\0\0\0\0\0\0\0\0\0\0\0\x08\0\0\0\0\0\0\0\x64"
                                  "\0\0\0\x28\0\0\0\1\0\0\0\x20"
                                  "\0\0\0\x10"
                                  "0123456789abcdef"
                                  "\0\0\0\4\0\0\0\2\0\0\0\0";
    struct sl_buf rows = {0};

    (void)server;
    if (!is_ours(asked))
        return USUAL;
    put_rows(&rows, asked, (int32_t)asked->shard, 1);
    sl_buf_put(out, rows.data, SL_CQL_HEADER_BYTES);
    out->data[1] = SL_CQL_FLAG_PAYLOAD;
    sl_buf_put(out, payload, sizeof(payload) - 1);
    sl_buf_put(out, rows.data + SL_CQL_HEADER_BYTES, rows.len - SL_CQL_HEADER_BYTES);
    out->data[8] = (uint8_t)(out->len - SL_CQL_HEADER_BYTES);
    sl_buf_done(&rows);
    return SAID;
}

static void tablets_are_learned_from_answers(void **state)
{
    struct scripted *server = scripted_start(teach_tablet, NULL, 4);
    struct sl_cql *cql = connect_to(server);
    int64_t token = 1; /* by the ring's rule it would be another shard's */

    (void)state;
    wait_for_connections(cql, 4);
    while (sl_cql_shard(token, 4, 12) == 2)
        token++;
    (void)shard_asked(cql, (struct sl_cql_request){.token = token});
    assert_int_equal(shard_asked(cql, (struct sl_cql_request){.token = token}), 2);
    assert_int_equal(shard_asked(cql, (struct sl_cql_request){.token = 100}), 2);
    assert_int_equal(shard_asked(cql, (struct sl_cql_request){.token = 101}), sl_cql_shard(101, 4, 12));
    sl_cql_free(cql);
    scripted_stop(server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_server_of_an_older_protocol_is_spoken_to_in_it),
        cmocka_unit_test(what_passes_is_tried_again),
        cmocka_unit_test(a_read_that_timed_out_asks_for_less),
        cmocka_unit_test(what_does_not_pass_is_an_error_at_once),
        cmocka_unit_test(what_may_have_happened_is_not_done_twice),
        cmocka_unit_test(tries_are_bounded_and_the_last_reason_is_told),
        cmocka_unit_test(a_forgotten_statement_is_prepared_once_for_all_who_wait),
        cmocka_unit_test(answers_find_their_questions_in_any_order),
        cmocka_unit_test(an_answer_that_comes_too_late_is_nobody_s),
        cmocka_unit_test(a_request_ends_at_its_deadline),
        cmocka_unit_test(requests_beyond_the_budget_are_refused),
        cmocka_unit_test(others_may_wake_and_cancel),
        cmocka_unit_test(a_result_that_lies_is_asked_for_again),
        cmocka_unit_test(a_row_that_lies_is_an_error_where_it_is_read),
        cmocka_unit_test(what_is_no_frame_ends_the_connection_and_no_more),
        cmocka_unit_test(a_lost_connection_costs_a_try),
        cmocka_unit_test(a_request_goes_to_the_shard_of_its_token),
        cmocka_unit_test(tablets_are_learned_from_answers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
