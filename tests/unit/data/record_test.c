/* SPDX-License-Identifier: Apache-2.0 */
#include "base/arena.h"
#include "data/schema_build.h"
#include "sluice/record.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

static void equal_topic_names_are_one_pointer(void **state)
{
    const struct sl_topic *topic = sl_topic_intern("orders-and-more", 6);

    (void)state;
    assert_string_equal(topic->name, "orders");
    assert_int_equal(topic->len, 6);
    assert_ptr_equal(sl_topic_intern("orders", 6), topic);
    assert_ptr_not_equal(sl_topic_intern("order", 5), topic);
    for (int i = 0; i < 1000; i++) {
        char name[32];
        int len = snprintf(name, sizeof(name), "t%d", i);

        assert_string_equal(sl_topic_intern(name, (size_t)len)->name, name);
    }
    assert_ptr_equal(sl_topic_intern("orders", 6), topic);
}

static void neighbours_of_the_same_schemas_share_a_run(void **state)
{
    struct sl_batch *batch = sl_batch_new(4096);
    const struct sl_topic *topic = sl_topic_intern("a", 1);
    const struct sl_schema *key = sl_schema_plain(SL_INT32, false);
    const struct sl_schema *value = sl_schema_plain(SL_STRING, false);

    (void)state;
    (void)sl_batch_add(batch, topic, key, value);
    (void)sl_batch_add(batch, topic, key, value);
    (void)sl_batch_add(batch, topic, key, NULL);
    (void)sl_batch_add(batch, topic, key, value);
    (void)sl_batch_add(batch, sl_topic_intern("b", 1), key, value);
    assert_int_equal(batch->n_runs, 4);
    assert_int_equal(batch->runs[0].count, 2);
    assert_int_equal(batch->runs[1].first, 2);
    assert_null(batch->runs[1].value_schema);
    assert_int_equal(batch->runs[3].first, 4);
    assert_int_equal(batch->runs[3].count, 1);
    sl_batch_free(batch);
}

static void a_new_record_says_nothing_yet(void **state)
{
    struct sl_batch *batch = sl_batch_new(4096);
    const struct sl_record *record = sl_batch_add(batch, sl_topic_intern("a", 1), NULL, NULL);

    (void)state;
    assert_true(sl_is_null(record->key) && sl_is_null(record->value));
    assert_true(record->timestamp_ms == SL_NO_TIMESTAMP);
    assert_int_equal(record->offset, -1);
    assert_int_equal(record->partition, -1);
    assert_int_equal(record->n_headers, 0);
    assert_int_equal(record->position.len, 0);
    sl_batch_free(batch);
}

static void a_reset_batch_is_empty_and_keeps_its_memory(void **state)
{
    struct sl_batch *batch = sl_batch_new(4096);
    struct sl_record *records;

    (void)state;
    for (int i = 0; i < 100; i++)
        (void)sl_batch_add(batch, sl_topic_intern("a", 1), NULL, NULL);
    records = batch->records;
    batch->source_offset = (struct sl_span){(const uint8_t *)"{}", 2};
    (void)sl_arena_alloc(batch->arena, 100);
    sl_batch_reset(batch);
    assert_int_equal(batch->n_records + batch->n_runs + batch->n_progress, 0);
    assert_int_equal(batch->source_offset.len, 0);
    assert_int_equal(sl_arena_used(batch->arena), 0);
    for (int i = 0; i < 100; i++)
        (void)sl_batch_add(batch, sl_topic_intern("a", 1), NULL, NULL);
    assert_ptr_equal(batch->records, records);
    assert_int_equal(batch->n_runs, 1);
    sl_batch_free(batch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_topic_names_are_one_pointer),
        cmocka_unit_test(neighbours_of_the_same_schemas_share_a_run),
        cmocka_unit_test(a_new_record_says_nothing_yet),
        cmocka_unit_test(a_reset_batch_is_empty_and_keeps_its_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
