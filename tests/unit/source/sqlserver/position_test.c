/* SPDX-License-Identifier: Apache-2.0 */
#include "source/sqlserver/position.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static struct sl_lsn lsn_of(const char *text)
{
    struct sl_lsn lsn = {{0}};

    assert_true(sl_lsn_parse(text, &lsn));
    return lsn;
}

static void an_lsn_is_written_as_debezium_writes_it(void **state)
{
    struct sl_lsn lsn = {{0, 0, 0, 0x27, 0, 0, 0x07, 0x58, 0, 5}};
    char text[SL_LSN_TEXT_SIZE + 1] = "";

    (void)state;
    sl_lsn_write(&lsn, text);
    assert_string_equal(text, "00000027:00000758:0005");
    lsn = lsn_of("00000027:00000758:0005");
    assert_int_equal(lsn.b[9], 5);
    assert_false(sl_lsn_parse("NULL", &lsn));
    assert_false(sl_lsn_parse("00000027:00000758:00051", &lsn));
    assert_false(sl_lsn_parse("00000027-00000758-0005", &lsn));
    assert_false(sl_lsn_parse("", &lsn));
}

static void next_and_previous_carry_over_all_ten_bytes(void **state)
{
    struct sl_lsn lsn = lsn_of("00000027:ffffffff:ffff");
    struct sl_lsn next = sl_lsn_next(&lsn);
    struct sl_lsn expected = lsn_of("00000028:00000000:0000");

    (void)state;
    assert_int_equal(sl_lsn_compare(&next, &expected), 0);
    next = sl_lsn_previous(&next);
    assert_int_equal(sl_lsn_compare(&next, &lsn), 0);
}

static struct sl_mssql_position at(const char *commit, uint32_t command, const char *change,
                                   uint8_t operation)
{
    struct sl_lsn c = lsn_of(commit), s = lsn_of(change);
    struct sl_mssql_position position;

    sl_mssql_position_set(&position, c.b, command, s.b, operation);
    return position;
}

static void positions_order_by_commit_command_change_operation(void **state)
{
    const struct sl_mssql_position rising[] = {
        at("00000001:00000001:0001", 9, "00000009:00000001:0001", 4),
        at("00000001:00000001:0002", 1, "00000009:00000001:0001", 1),
        at("00000001:00000001:0002", 1, "00000009:00000001:0001", 2),
        /* a deferred update: the insert has the smaller change LSN, the command id decides */
        at("00000001:00000001:0002", 300, "00000001:00000001:0001", 2),
        at("00000001:00000001:0002", 300, "00000001:00000001:0002", 1),
    };

    (void)state;
    for (size_t i = 0; i + 1 < sizeof(rising) / sizeof(*rising); i++)
        assert_true(sl_mssql_position_compare(&rising[i], &rising[i + 1]) < 0);
}

static void our_offset_comes_back_as_the_same_row(void **state)
{
    struct sl_mssql_offset offset = {.state = SL_MSSQL_OFFSET_STREAM,
                                     .position = at("00000027:00000ac0:0002", 7, "00000027:00000ac0:0001", 4),
                                     .event_serial_no = 2,
                                     .at_row = true};
    struct sl_mssql_offset back;
    struct sl_buf json = {0};
    struct sl_error err = {0};

    (void)state;
    sl_mssql_offset_write(&offset, false, &json);
    assert_string_equal(
        sl_buf_cstr(&json),
        "{\"commit_lsn\":\"00000027:00000ac0:0002\",\"change_lsn\":\"00000027:00000ac0:0001\","
        "\"event_serial_no\":2,\"command_id\":7,\"sluice.operation\":4}");
    assert_int_equal(sl_mssql_offset_read(sl_buf_cstr(&json), &back, &err), SL_OK);
    assert_int_equal(sl_mssql_position_compare(&back.position, &offset.position), 0);
    assert_true(back.at_row);
    assert_false(back.complete);
    assert_int_equal(back.event_serial_no, 2);
    sl_mssql_offset_done(&back);
    sl_buf_done(&json);
}

static void an_open_transaction_survives_in_the_offset(void **state)
{
    struct sl_mssql_offset offset = {.state = SL_MSSQL_OFFSET_STREAM,
                                     .position = at("00000027:00000ac0:0002", 7, "00000027:00000ac0:0001", 1),
                                     .event_serial_no = 1,
                                     .at_row = true,
                                     .transaction_id = "00000027:00000ac0:0002"};
    struct sl_mssql_offset back;
    struct sl_buf json = {0};
    struct sl_error err = {0};

    (void)state;
    sl_buf_put(&offset.collections,
               "shop.dbo.a\0"
               "12\0",
               14);
    sl_mssql_offset_write(&offset, false, &json);
    assert_non_null(strstr(sl_buf_cstr(&json), "\"transaction_id\":\"00000027:00000ac0:0002\","
                                               "\"transaction_data_collection_order_shop.dbo.a\":12}"));
    assert_int_equal(sl_mssql_offset_read(sl_buf_cstr(&json), &back, &err), SL_OK);
    assert_string_equal(back.transaction_id, "00000027:00000ac0:0002");
    assert_int_equal(back.collections.len, 14);
    assert_memory_equal(back.collections.data,
                        "shop.dbo.a\0"
                        "12\0",
                        14);
    sl_mssql_offset_done(&back);
    sl_mssql_offset_done(&offset);
    sl_buf_done(&json);
}

static void debeziums_offset_sends_its_transaction_again(void **state)
{
    struct sl_mssql_offset offset;
    struct sl_error err = {0};
    struct sl_mssql_position first = at("00000027:00000ac0:0002", 0, "00000000:00000000:0001", 1);

    (void)state;
    assert_int_equal(sl_mssql_offset_read("{\"commit_lsn\":\"00000027:00000ac0:0002\",\"change_lsn\":"
                                          "\"00000027:00000ac0:0001\",\"event_serial_no\":1}",
                                          &offset, &err),
                     SL_OK);
    assert_int_equal(offset.state, SL_MSSQL_OFFSET_STREAM);
    assert_false(offset.at_row);
    assert_true(sl_mssql_position_compare(&offset.position, &first) < 0);
    sl_mssql_offset_done(&offset);
}

static void an_idle_range_of_debezium_is_taken_as_read(void **state)
{
    struct sl_mssql_offset offset;
    struct sl_error err = {0};
    struct sl_mssql_position last = at("00000027:00000ac0:0002", 0xfffffffe, "ffffffff:ffffffff:ffff", 4);

    (void)state;
    assert_int_equal(
        sl_mssql_offset_read("{\"commit_lsn\":\"00000027:00000ac0:0002\",\"change_lsn\":\"NULL\","
                             "\"event_serial_no\":0}",
                             &offset, &err),
        SL_OK);
    assert_true(sl_mssql_position_compare(&last, &offset.position) < 0);
    sl_mssql_offset_done(&offset);
}

static void snapshot_states_of_both_lines_are_understood(void **state)
{
    static const struct {
        const char *json;
        enum sl_mssql_offset_state state;
    } cases[] = {
        {"{\"commit_lsn\":\"00000027:00000ac0:0002\",\"snapshot\":true,\"snapshot_completed\":false}",
         SL_MSSQL_OFFSET_SNAPSHOT},
        {"{\"commit_lsn\":\"00000027:00000ac0:0002\",\"snapshot\":true,\"snapshot_completed\":true}",
         SL_MSSQL_OFFSET_SNAPSHOT_DONE},
        {"{\"commit_lsn\":\"00000027:00000ac0:0002\",\"snapshot\":\"INITIAL\",\"snapshot_completed\":false}",
         SL_MSSQL_OFFSET_SNAPSHOT},
        {"{\"commit_lsn\":\"NULL\",\"snapshot\":\"INITIAL\",\"snapshot_completed\":true}",
         SL_MSSQL_OFFSET_SNAPSHOT_DONE},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct sl_mssql_offset offset;
        struct sl_error err = {0};

        assert_int_equal(sl_mssql_offset_read(cases[i].json, &offset, &err), SL_OK);
        assert_int_equal(offset.state, cases[i].state);
        sl_mssql_offset_done(&offset);
    }
}

static void how_far_a_snapshot_came_survives_the_offset(void **state)
{
    struct sl_mssql_offset offset = {.state = SL_MSSQL_OFFSET_SNAPSHOT,
                                     .progress = {.known = true,
                                                  .tables = UINT64_C(0xfedcba9876543210),
                                                  .table = 7,
                                                  .rows = INT64_C(5000000000),
                                                  .n_key = 2,
                                                  .key = "-3\0\"\xc3\xab\\"}};
    static const char *const others[] = {
        "{\"commit_lsn\":\"NULL\",\"snapshot\":true,\"sluice.snapshot\":\"x/1/2/0\"}",
        "{\"commit_lsn\":\"NULL\",\"snapshot\":true,\"sluice.snapshot\":\"ab/1/2/1\"}",
        "{\"commit_lsn\":\"NULL\",\"snapshot\":true,\"sluice.snapshot\":\"ab/1/2/9\"}",
        "{\"commit_lsn\":\"NULL\",\"snapshot\":true,\"sluice.snapshot\":5}",
    };
    struct sl_mssql_offset again;
    struct sl_error err = {0};
    struct sl_buf json = {0};

    (void)state;
    sl_mssql_offset_write(&offset, false, &json);
    assert_int_equal(sl_mssql_offset_read(sl_buf_cstr(&json), &again, &err), SL_OK);
    assert_memory_equal(&again.progress, &offset.progress, sizeof(offset.progress));
    sl_mssql_offset_done(&again);
    offset.state = SL_MSSQL_OFFSET_SNAPSHOT_DONE; /* then it says nothing more */
    sl_mssql_offset_write(&offset, false, &json);
    assert_null(strstr(sl_buf_cstr(&json), "sluice.snapshot"));
    for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
        assert_int_equal(sl_mssql_offset_read(others[i], &again, &err), SL_OK);
        assert_false(again.progress.known);
        sl_mssql_offset_done(&again);
    }
    sl_buf_done(&json);
}

static void what_is_no_offset_is_refused(void **state)
{
    static const char *const texts[] = {"", "[]", "{", "{}", "{\"commit_lsn\":1}", "{\"commit_lsn\":\"x\"}"};

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
        struct sl_mssql_offset offset;
        struct sl_error err = {0};

        assert_int_equal(sl_mssql_offset_read(texts[i], &offset, &err), SL_E_CONFIG);
    }
}

static void a_partition_is_debeziums(void **state)
{
    struct sl_buf json = {0};

    (void)state;
    sl_mssql_partition_write("sqlserver", "a \"b\"", &json);
    assert_string_equal(sl_buf_cstr(&json), "{\"server\":\"sqlserver\",\"database\":\"a \\\"b\\\"\"}");
    sl_buf_done(&json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_lsn_is_written_as_debezium_writes_it),
        cmocka_unit_test(next_and_previous_carry_over_all_ten_bytes),
        cmocka_unit_test(positions_order_by_commit_command_change_operation),
        cmocka_unit_test(our_offset_comes_back_as_the_same_row),
        cmocka_unit_test(an_open_transaction_survives_in_the_offset),
        cmocka_unit_test(debeziums_offset_sends_its_transaction_again),
        cmocka_unit_test(an_idle_range_of_debezium_is_taken_as_read),
        cmocka_unit_test(snapshot_states_of_both_lines_are_understood),
        cmocka_unit_test(how_far_a_snapshot_came_survives_the_offset),
        cmocka_unit_test(what_is_no_offset_is_refused),
        cmocka_unit_test(a_partition_is_debeziums),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
