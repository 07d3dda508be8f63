/* SPDX-License-Identifier: Apache-2.0 */
#include "events.h"

#include "transform/predicate.h"

#include <string.h>

#define PACKAGE "org.apache.kafka.connect.transforms.predicates."

static struct sl_predicate *open_predicate(struct bench *bench, const char *type, const char *key,
                                           const char *value, const char *negate)
{
    struct sl_predicate *predicate = NULL;

    sl_props_set(bench->props, "predicates", "other, p");
    sl_props_set(bench->props, "predicates.p.type", type);
    sl_props_set(bench->props, "transforms.t.predicate", "p");
    if (key)
        sl_props_set(bench->props, key, value);
    if (negate)
        sl_props_set(bench->props, "transforms.t.negate", negate);
    if (sl_predicate_open(bench->props, "t", &predicate, &bench->err) != SL_OK)
        fail_msg("%s", bench->err.text);
    return predicate;
}

static void a_transform_without_a_predicate_applies_always(void **state)
{
    struct bench *bench = *state;
    struct sl_message message = tombstone_of(bench, 1);
    struct sl_predicate *predicate = (struct sl_predicate *)bench;

    assert_int_equal(sl_predicate_open(bench->props, "t", &predicate, &bench->err), SL_OK);
    assert_null(predicate);
    assert_true(sl_predicate_holds(predicate, &message));
    sl_predicate_close(predicate);
}

static void topic_names_match_as_a_whole(void **state)
{
    struct bench *bench = *state;
    struct sl_message message = tombstone_of(bench, 1);
    struct sl_predicate *predicate =
        open_predicate(bench, PACKAGE "TopicNameMatches", "predicates.p.pattern", "srv\\..*", NULL);

    assert_true(sl_predicate_holds(predicate, &message));
    message.topic = sl_topic_intern("x.srv.y", 7);
    assert_false(sl_predicate_holds(predicate, &message));
    sl_predicate_close(predicate);
}

static void a_header_is_looked_for_by_name(void **state)
{
    struct bench *bench = *state;
    struct sl_message message = tombstone_of(bench, 1);
    struct sl_header header = {.name = "h", .value = sl_null()};
    struct sl_predicate *predicate = open_predicate(bench, "HasHeaderKey", "predicates.p.name", "h", NULL);

    assert_false(sl_predicate_holds(predicate, &message));
    message.record.headers = &header;
    message.record.n_headers = 1;
    assert_true(sl_predicate_holds(predicate, &message));
    sl_predicate_close(predicate);
}

static void negate_turns_the_answer_round(void **state)
{
    struct bench *bench = *state;
    struct sl_message tombstone = tombstone_of(bench, 1);
    struct sl_message event = event_of(bench, 'c', 1, "a");
    struct sl_predicate *predicate = open_predicate(bench, PACKAGE "RecordIsTombstone", NULL, NULL, "true");

    assert_false(sl_predicate_holds(predicate, &tombstone));
    assert_true(sl_predicate_holds(predicate, &event));
    sl_predicate_close(predicate);
}

static void refuse(struct bench *bench, const char *word)
{
    struct sl_predicate *predicate = NULL;

    assert_int_equal(sl_predicate_open(bench->props, "t", &predicate, &bench->err), SL_E_CONFIG);
    assert_non_null(strstr(bench->err.text, word));
}

static void wrong_settings_are_refused_by_key(void **state)
{
    struct bench *bench = *state;

    sl_props_set(bench->props, "transforms.t.negate", "true");
    refuse(bench, "transforms.t.negate");
    sl_props_set(bench->props, "transforms.t.predicate", "p");
    refuse(bench, "not in predicates");
    sl_props_set(bench->props, "predicates", "p");
    refuse(bench, "predicates.p.type");
    sl_props_set(bench->props, "predicates.p.type", "No.Such");
    refuse(bench, "No.Such");
    sl_props_set(bench->props, "predicates.p.type", "TopicNameMatches");
    refuse(bench, "predicates.p.pattern");
    sl_props_set(bench->props, "predicates.p.pattern", "(");
    refuse(bench, "predicates.p.pattern");
    assert_non_null(sl_predicate_options("HasHeaderKey"));
    assert_null(sl_predicate_options("HasHeader"));
}

#define BENCH_TEST(name) cmocka_unit_test_setup_teardown(name, bench_make, bench_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        BENCH_TEST(a_transform_without_a_predicate_applies_always),
        BENCH_TEST(topic_names_match_as_a_whole),
        BENCH_TEST(a_header_is_looked_for_by_name),
        BENCH_TEST(negate_turns_the_answer_round),
        BENCH_TEST(wrong_settings_are_refused_by_key),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
