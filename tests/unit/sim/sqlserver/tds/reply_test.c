/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens: known bytes, their order, and which DONE says "more". */
#include "sim/sqlserver/tds/reply.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

struct fixture {
    int sockets[2];
    struct ms_faults faults;
    struct ms_stream stream;
    struct ms_out out;
    atomic_bool cancelled;
    struct ms_reply reply;
    struct ms_sink sink;
};

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    assert_non_null(fixture);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fixture->sockets), 0);
    ms_faults_init(&fixture->faults);
    ms_stream_init(&fixture->stream, fixture->sockets[0], &fixture->faults);
    ms_out_init(&fixture->out, &fixture->stream, MS_PACKET_REPLY);
    ms_reply_init(&fixture->reply, &fixture->out, &fixture->cancelled);
    fixture->sink = ms_reply_sink(&fixture->reply);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    ms_reply_done(&fixture->reply);
    ms_out_done(&fixture->out);
    ms_stream_done(&fixture->stream);
    ms_faults_done(&fixture->faults);
    close(fixture->sockets[1]);
    free(fixture);
    return 0;
}

/* The bytes of the next message as hex, without packet headers. */
static void expect_next(struct ms_stream *stream, const char *expected)
{
    struct ms_message_in message = {0};
    assert_int_equal(ms_packet_read(stream, &message, 1000), MS_READ_OK);
    char *hex = calloc(1, message.body.len * 2 + 1);
    assert_non_null(hex);
    for (size_t i = 0; i < message.body.len; i++)
        snprintf(hex + 2 * i, 3, "%02X", message.body.data[i]);
    assert_string_equal(hex, expected);
    free(hex);
    ms_bytes_done(&message.body);
}

/* One or two (second not NULL) messages. */
static void expect_messages(struct fixture *fixture, const char *first, const char *second)
{
    struct ms_faults faults;
    struct ms_stream stream;
    ms_faults_init(&faults);
    ms_stream_init(&stream, dup(fixture->sockets[1]), &faults);
    expect_next(&stream, first);
    if (second != NULL)
        expect_next(&stream, second);
    ms_stream_done(&stream);
    ms_faults_done(&faults);
}

static void expect_message(struct fixture *fixture, const char *expected)
{
    expect_messages(fixture, expected, NULL);
}

static void an_empty_batch_ends_with_one_done(void **state)
{
    struct fixture *f = *state;
    assert_true(ms_reply_finish(&f->reply, false));
    expect_message(f, "FD0000FD000000000000000000");
}

static void only_the_last_done_does_not_say_more(void **state)
{
    struct fixture *f = *state;
    f->sink.done(f->sink.ctx, MS_CMD_INSERT, 2, false);
    f->sink.done(f->sink.ctx, MS_CMD_UPDATE, -1, true);
    f->sink.done(f->sink.ctx, MS_CMD_SELECT, 1, false);
    assert_true(ms_reply_finish(&f->reply, false));
    expect_message(f, "FD1100C3000200000000000000"
                      "FD0300C5000000000000000000"
                      "FD1000C1000100000000000000");
}

static void a_row_has_known_bytes(void **state)
{
    struct fixture *f = *state;
    const struct ms_column columns[2] = {
        {.name = "a", .type = {.id = MS_INT}, .identity = true},
        {.name = "", .type = {.id = MS_VARCHAR, .length = 2}, .nullable = true, .updatable = true}};
    const struct ms_value values[2] = {{.i = 5}, {.len = 1, .bytes = (const uint8_t *)"x"}};
    assert_true(f->sink.columns(f->sink.ctx, columns, 2));
    assert_true(f->sink.row(f->sink.ctx, values));
    f->sink.done(f->sink.ctx, MS_CMD_SELECT, 1, false);
    assert_true(ms_reply_finish(&f->reply, false));
    expect_message(f, "810200"
                      "0000000010003801"
                      "6100"
                      "000000000900A702000904D0003400"
                      "D105000000010078"
                      "FD1000C1000100000000000000");
}

static void a_row_of_many_nulls_is_sent_with_a_bitmap(void **state)
{
    struct fixture *f = *state;
    const struct ms_column column = {.name = "", .type = {.id = MS_INT}, .nullable = true};
    const struct ms_column columns[3] = {column, column, column};
    const struct ms_value values[3] = {{.is_null = true}, {.i = 1}, {.is_null = true}};
    f->sink.columns(f->sink.ctx, columns, 3);
    f->sink.row(f->sink.ctx, values);
    assert_true(ms_reply_finish(&f->reply, false));
    expect_message(f, "8103000000000001002604000000000001002604000000000001002604"
                      "00"
                      "D205"
                      "0401000000"
                      "FD0000FD000000000000000000");
}

static void a_null_in_a_not_null_column_is_an_error_that_names_it(void **state)
{
    struct fixture *f = *state;
    const struct ms_column column = {.name = "c", .type = {.id = MS_INT}};
    const struct ms_value null = {.is_null = true};
    f->sink.columns(f->sink.ctx, &column, 1);
    assert_false(f->sink.row(f->sink.ctx, &null));
    assert_int_equal(f->out.body.data[f->out.body.len - 4], 1);
    bool found = false;
    for (size_t i = 0; i < f->out.body.len; i++)
        found = found || f->out.body.data[i] == MS_TOKEN_ERROR;
    assert_true(found);
}

static void an_error_marks_the_next_done(void **state)
{
    struct fixture *f = *state;
    const struct ms_message message = {
        .number = 208, .state = 1, .severity = 16, .text = "no", .procedure = "p", .line = 3};
    f->sink.message(f->sink.ctx, &message);
    assert_true(ms_reply_finish(&f->reply, false));
    expect_message(f, "AA2800D0000000011002006E006F00"
                      "0A73006C0075006900630065002D00730069006D00"
                      "01700003000000"
                      "FD0200FD000000000000000000");
}

static void information_is_no_error(void **state)
{
    struct fixture *f = *state;
    const struct ms_message message = {.number = 5701, .state = 2, .text = "x", .procedure = "", .line = 1};
    f->sink.message(f->sink.ctx, &message);
    assert_true(ms_reply_finish(&f->reply, false));
    expect_message(f, "AB240045160000020001007800"
                      "0A73006C0075006900630065002D00730069006D00"
                      "0001000000"
                      "FD0000FD000000000000000000");
}

static void a_call_ends_with_status_outputs_and_doneproc(void **state)
{
    struct fixture *f = *state;
    const struct ms_param params[3] = {{.column = {.name = ""}},
                                       {.column = {.name = "@a"}, .output = true},
                                       {.column = {.name = "@b"}, .output = true}};
    const struct ms_column b = {.name = "@b", .type = {.id = MS_INT}, .nullable = true};
    const struct ms_value value = {.i = 9};
    ms_reply_begin_call(&f->reply, params, 3);
    f->sink.done(f->sink.ctx, MS_CMD_SELECT, 1, false);
    f->sink.return_status(f->sink.ctx, -6);
    f->sink.return_value(f->sink.ctx, &b, &value);
    ms_reply_end_call(&f->reply);
    assert_true(ms_reply_finish(&f->reply, false));
    expect_message(f, "FF1100C1000100000000000000"
                      "79FAFFFFFF"
                      "AC0200024000620001000000000100260404"
                      "09000000"
                      "FE0000E0000000000000000000");
}

static void of_several_calls_all_but_the_last_say_more(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < 2; i++) {
        ms_reply_begin_call(&f->reply, NULL, 0);
        f->sink.return_status(f->sink.ctx, 0);
        ms_reply_end_call(&f->reply);
    }
    assert_true(ms_reply_finish(&f->reply, false));
    expect_message(f, "7900000000FE0100E0000000000000000000"
                      "7900000000FE0000E0000000000000000000");
}

static void an_executed_procedure_in_a_batch_ends_with_doneproc(void **state)
{
    struct fixture *f = *state;
    f->sink.return_status(f->sink.ctx, 0);
    f->sink.done(f->sink.ctx, MS_CMD_EXECUTE, -1, false);
    assert_true(ms_reply_finish(&f->reply, false));
    expect_message(f, "7900000000FE0000E0000000000000000000");
}

static void transactions_tell_their_descriptor(void **state)
{
    struct fixture *f = *state;
    f->sink.env(f->sink.ctx, MS_ENV_BEGIN_TRAN, NULL, NULL, 0x11);
    f->sink.env(f->sink.ctx, MS_ENV_COMMIT_TRAN, NULL, NULL, 0x11);
    f->sink.env(f->sink.ctx, MS_ENV_DATABASE, "b", "a", 0);
    assert_true(ms_reply_finish(&f->reply, false));
    expect_message(f, "E30B0008081100000000000000"
                      "00"
                      "E30B000900081100000000000000"
                      "E307000101620001"
                      "6100"
                      "FD0000FD000000000000000000");
}

static void an_attention_is_answered_after_what_was_sent(void **state)
{
    struct fixture *f = *state;
    f->sink.done(f->sink.ctx, MS_CMD_SELECT, 1, false);
    atomic_store(&f->cancelled, true);
    assert_false(f->sink.done(f->sink.ctx, MS_CMD_SELECT, 1, false));
    assert_true(ms_reply_finish(&f->reply, true));
    expect_messages(f,
                    "FD1100C1000100000000000000"
                    "FD1000C1000100000000000000",
                    "FD200000000000000000000000");
}

static void long_replies_are_cut_into_packets_and_stay_whole(void **state)
{
    struct fixture *f = *state;
    struct ms_bytes expected = {0};
    f->out.packet_bytes = 512;
    const struct ms_column column = {.name = "", .type = {.id = MS_INT}};
    for (size_t rows = 0; rows < 300; rows++) {
        expected.len = 0;
        ms_reply_init(&f->reply, &f->out, &f->cancelled);
        f->sink.columns(f->sink.ctx, &column, 1);
        for (size_t i = 0; i < rows; i++)
            f->sink.row(f->sink.ctx, &(struct ms_value){.i = (int64_t)i});
        ms_bytes_put(&expected, f->out.body.data, f->out.body.len);
        assert_true(ms_reply_finish(&f->reply, false));
        ms_reply_done(&f->reply);
        ms_reply_init(&f->reply, &f->out, &f->cancelled);
        uint8_t packet[512];
        size_t at = 0;
        bool last = false;
        for (uint8_t id = 1; !last; id++) {
            assert_int_equal(recv(f->sockets[1], packet, 8, MSG_WAITALL), 8);
            size_t data = (size_t)(packet[2] << 8 | packet[3]) - 8;
            last = packet[1] & MS_STATUS_END;
            assert_int_equal(packet[6], id);
            assert_true(data > 0 && data <= 504 && (last || data == 504));
            assert_int_equal(recv(f->sockets[1], packet, data, MSG_WAITALL), data);
            size_t compared = at + data <= expected.len ? data : expected.len - at;
            assert_memory_equal(packet, expected.data + at, compared);
            at += compared;
        }
        assert_int_equal(at, expected.len);
    }
    ms_bytes_done(&expected);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(an_empty_batch_ends_with_one_done),
        TEST(only_the_last_done_does_not_say_more),
        TEST(a_row_has_known_bytes),
        TEST(a_row_of_many_nulls_is_sent_with_a_bitmap),
        TEST(a_null_in_a_not_null_column_is_an_error_that_names_it),
        TEST(an_error_marks_the_next_done),
        TEST(information_is_no_error),
        TEST(a_call_ends_with_status_outputs_and_doneproc),
        TEST(of_several_calls_all_but_the_last_say_more),
        TEST(an_executed_procedure_in_a_batch_ends_with_doneproc),
        TEST(transactions_tell_their_descriptor),
        TEST(an_attention_is_answered_after_what_was_sent),
        TEST(long_replies_are_cut_into_packets_and_stay_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
