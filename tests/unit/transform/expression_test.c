/* SPDX-License-Identifier: Apache-2.0 */
/* What the expressions say of records is judged by Groovy itself: tests/interop/transforms/expressions.py. */
#include "events.h"

#include "transform/transforms.h"

#include <string.h>

static const struct sl_transform_ops *const filter = &sl_transform_scripted_filter;
static const struct sl_transform_ops *const router = &sl_transform_content_based_router;

static void a_condition_keeps_what_it_is_true_for(void **state)
{
    struct bench *bench = *state;
    struct sl_message created = event_of(bench, 'c', 1, "a");
    struct sl_message deleted = event_of(bench, 'd', 1, "a");

    bench_open(bench, filter, "language", "jsr223.groovy", "condition",
               "value.op in ['c', 'u'] && value.after?.id < 2L && !(topic ==~ /x.*/)", NULL);
    assert_int_equal(bench_apply(bench, &created), SL_KEEP);
    assert_int_equal(bench_apply(bench, &deleted), SL_DROP);
    created = event_of(bench, 'c', 2, "a");
    assert_int_equal(bench_apply(bench, &created), SL_DROP);
}

static void a_null_column_is_read_as_its_default(void **state)
{
    struct bench *bench = *state;
    struct sl_message message = event_of(bench, 'c', 1, NULL);

    bench_open(bench, filter, "language", "jsr223.groovy", "condition",
               "value.after.name == null && value.after.qty == 5", NULL);
    assert_int_equal(bench_apply(bench, &message), SL_KEEP);
}

static void records_without_a_schema_are_asked_too(void **state)
{
    struct bench *bench = *state;
    struct sl_message message = map_of(bench);

    bench_open(bench, filter, "language", "jsr223.groovy", "condition",
               "value.c.d == 2.5 && value['nope'] == null && value.containsKey('e') && valueSchema == null",
               NULL);
    assert_int_equal(bench_apply(bench, &message), SL_KEEP);
}

static enum sl_verdict tombstone_with(void **state, const char *mode)
{
    struct bench *bench = *state;
    struct sl_message message = tombstone_of(bench, 1);

    if (bench->self)
        filter->close(bench->self);
    bench_open(bench, filter, "language", "jsr223.groovy", "condition", "value.op == 'c'",
               "null.handling.mode", mode, NULL);
    return bench_apply(bench, &message);
}

static void records_without_a_value_go_as_the_mode_says(void **state)
{
    assert_int_equal(tombstone_with(state, "keep"), SL_KEEP);
    assert_int_equal(tombstone_with(state, "drop"), SL_DROP);
    assert_int_equal(tombstone_with(state, "evaluate"), SL_FAIL); /* a field of null */
    assert_non_null(strstr((*(struct bench **)state)->err.text, "?.op"));
}

static void other_topics_pass(void **state)
{
    struct bench *bench = *state;
    struct sl_message message = event_of(bench, 'c', 1, "a");

    bench_open(bench, filter, "language", "jsr223.groovy", "condition", "false", "topic.regex", "srv\\..*",
               NULL);
    assert_int_equal(bench_apply(bench, &message), SL_DROP);
    message = event_of(bench, 'c', 1, "a");
    message.topic = sl_topic_intern("x.srv.y", 7);
    assert_int_equal(bench_apply(bench, &message), SL_KEEP);
}

static void a_router_takes_the_topic_from_the_record(void **state)
{
    struct bench *bench = *state;
    struct sl_message message = event_of(bench, 'u', 1, "a");

    bench_open(bench, router, "language", "jsr223.groovy", "topic.expression",
               "value.op == 'u' ? 'all-' + value.source.table : null", "topic.regex", "srv.*",
               "null.handling.mode", "drop", NULL);
    assert_int_equal(bench_apply(bench, &message), SL_KEEP);
    assert_string_equal(message.topic->name, "all-things");
    message = event_of(bench, 'c', 1, "a");
    assert_int_equal(bench_apply(bench, &message), SL_KEEP);
    assert_string_equal(message.topic->name, "srv.shop.dbo.things");
    message = tombstone_of(bench, 1);
    assert_int_equal(bench_apply(bench, &message), SL_DROP);
}

static void a_record_that_cannot_be_asked_fails_and_says_why(void **state)
{
    static const struct {
        const char *condition, *why;
    } cases[] = {
        {"value.nope == 1", "no field 'nope'"},
        {"value.before.id == 1", "asked of null"},
        {"value.op", "neither true nor false"},
        {"value.op < 5", "c"}, /* one letter beside a number is its code, as in Groovy: no failure */
        {"value.source.table < 5", "cannot be compared"},
        {"value.op in 'abc'", "needs a list"},
        {"value.ts_ms.startsWith('1')", "no method startsWith"},
        {"1 + 1 == 2", "no arithmetic"},
        {"header.h.schema == null", "asked of null"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct bench *bench = *state;
        struct sl_message message = event_of(bench, 'c', 1, "a");
        enum sl_verdict verdict;

        if (bench->self)
            filter->close(bench->self);
        bench_open(bench, filter, "language", "jsr223.groovy", "condition", cases[i].condition, NULL);
        verdict = bench_apply(bench, &message);
        if (i == 3) {
            assert_int_equal(verdict, SL_DROP);
            continue;
        }
        assert_int_equal(verdict, SL_FAIL);
        if (!strstr(bench->err.text, cases[i].why) || !strstr(bench->err.text, "condition"))
            fail_msg("%s: %s", cases[i].condition, bench->err.text);
    }
}

static void what_is_not_understood_is_refused_with_its_place(void **state)
{
    static const struct {
        const char *condition, *why;
    } cases[] = {
        {"value.op = 'u'", "character 10: the operator '='"},
        {"value.op =~ /u/", "the operator '=~'"},
        {"value.op === 'u'", "the operator '==='"},
        {"value.a <=> 1", "the operator '<=>'"},
        {"value.after.id * 2 > 4", "no arithmetic"},
        {"System.exit(1)", "'System' is not known"},
        {"return true", "'return' is not known"},
        {"'ls'.execute()", "the method 'execute'"},
        {"value.op.class.forName('x')", "the method 'forName'"},
        {"\"${value.op}\" == 'u'", "'$' in a text"},
        {"value.op == 'u", "does not end"},
        {"value.op ==~ value.x", "a pattern that is no literal"},
        {"value.op ==~ /(/", "character 13"},
        {"value.op == 'u' value", "'value' is not understood"},
        {"('a'", "ends where ')'"},
        {"value.op ==", "ends where a value"},
        {"value.tags[0] == 1", "not named by a text"},
        {"value.op in [value.op]", "other things than literals"},
        {"value.id == 99999999999999999999", "too large"},
        {"value.id == 12abc", "no number"},
        {"value.op == 'a\\d'", "'\\d' in a text"},
        {"value.'op' == 'u'", "in quotes"},
        {"value..op", "no name behind a dot"},
        {"{ it }", "'{' is not understood"},
        {"value.op == 'u';", "';' is not understood"},
        {"@Grab('x')", "'@' is not understood"},
        {"new File('x')", "'new' is not known"},
    };
    struct bench *bench = *state;

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        assert_int_equal(
            bench_try(bench, filter, "language", "jsr223.groovy", "condition", cases[i].condition, NULL),
            SL_E_CONFIG);
        if (!strstr(bench->err.text, cases[i].why) || !strstr(bench->err.text, "transforms.t.condition"))
            fail_msg("%s: %s", cases[i].condition, bench->err.text);
    }
}

static void wrong_settings_are_refused_by_key(void **state)
{
    struct bench *bench = *state;

    assert_int_equal(bench_try(bench, filter, "language", "jsr223.graal.js", "condition", "true", NULL),
                     SL_E_CONFIG);
    assert_non_null(strstr(bench->err.text, "transforms.t.language"));
    assert_int_equal(bench_try(bench, filter, "language", "jsr223.groovy", "topic.regex", "(", NULL),
                     SL_E_CONFIG);
    assert_non_null(strstr(bench->err.text, "transforms.t.topic.regex"));
    assert_int_equal(bench_try(bench, router, "language", "jsr223.groovy", "topic.expression", "", NULL),
                     SL_E_CONFIG);
    assert_non_null(strstr(bench->err.text, "transforms.t.topic.expression"));
}

/* An expression of many characters: the same one in a row, then another. */
static const char *many(struct bench *bench, const char *part, size_t n, const char *end)
{
    char *text = sl_arena_alloc(bench->arena, strlen(part) * n + strlen(end) + 1);

    for (size_t i = 0; i < n; i++)
        memcpy(text + i * strlen(part), part, strlen(part));
    memcpy(text + n * strlen(part), end, strlen(end) + 1);
    return text;
}

static void expressions_without_end_are_refused(void **state)
{
    static const char *const parts[] = {"(", "!", "true && ", "true ? ", "value.a + ", "[", "'a' in ["};
    struct bench *bench = *state;

    for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++)
        assert_int_equal(bench_try(bench, filter, "language", "jsr223.groovy", "condition",
                                   many(bench, parts[i], 100000, "true"), NULL),
                         SL_E_CONFIG);
    bench_open(bench, filter, "language", "jsr223.groovy", "condition", many(bench, "true && ", 200, "true"),
               NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_make, bench_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_condition_keeps_what_it_is_true_for),
        TEST(a_null_column_is_read_as_its_default),
        TEST(records_without_a_schema_are_asked_too),
        TEST(records_without_a_value_go_as_the_mode_says),
        TEST(other_topics_pass),
        TEST(a_router_takes_the_topic_from_the_record),
        TEST(a_record_that_cannot_be_asked_fails_and_says_why),
        TEST(what_is_not_understood_is_refused_with_its_place),
        TEST(wrong_settings_are_refused_by_key),
        TEST(expressions_without_end_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
