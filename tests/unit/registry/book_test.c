/* SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"
#include "base/props.h"
#include "registry/builtin.h"
#include "registry/registries.h"
#include "transport/sqlite/sqlite.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#define R1 "{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"a\",\"type\":\"int\"}]}"
#define R2                                                                                               \
    "{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"a\",\"type\":\"int\"},{\"name\":\"b\"," \
    "\"type\":\"int\",\"default\":1}]}"
#define R3                                                                                               \
    "{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"a\",\"type\":\"int\"},{\"name\":\"c\"," \
    "\"type\":\"int\"}]}"

struct world {
    char dir[64];
    bool in_topic; /* the store is a keyed space of a transport */
    struct sl_transport *transport;
    struct sl_schema_book *book;
    struct sl_refusal refusal;
};

static void open_book(struct world *w)
{
    struct sl_schema_store *store = NULL;
    struct sl_error err = {0};
    enum sl_rc rc;

    if (w->in_topic) {
        struct sl_props *props = sl_props_new();

        sl_props_set(props, "sluice.state.dir", w->dir);
        if (sl_transport_sqlite.open(props, false, &w->transport, &err))
            fail_msg("%s", err.text);
        sl_props_free(props);
        rc = sl_schema_store_topic_open(w->transport, &store, &err);
    } else {
        rc = sl_schema_store_sqlite_open(w->dir, false, &store, &err);
    }
    if (!rc)
        rc = sl_schema_book_open(store, &w->book, &err);
    if (rc)
        fail_msg("%s", err.text);
}

static void close_book(struct world *w)
{
    sl_schema_book_close(w->book);
    if (w->transport)
        w->transport->ops->close(w->transport);
    w->transport = NULL;
}

static struct world *make_world(bool in_topic)
{
    struct world *w = sl_zalloc(1, sizeof(*w));

    w->in_topic = in_topic;
    (void)snprintf(w->dir, sizeof(w->dir), "/tmp/sluice-book-XXXXXX");
    if (!mkdtemp(w->dir))
        fail_msg("no folder");
    open_book(w);
    return w;
}

static int set_up_file(void **state)
{
    *state = make_world(false);
    return 0;
}

static int set_up_topic(void **state)
{
    *state = make_world(true);
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;
    char command[128];

    close_book(w);
    sl_refusal_done(&w->refusal);
    (void)snprintf(command, sizeof(command), "rm -r %s", w->dir);
    (void)!system(command);
    sl_free(w);
    return 0;
}

/* The answer must be this text. */
static void expect(struct world *w, json_t *answer, const char *text)
{
    char *got;

    if (!answer)
        fail_msg("refused: %d %s", w->refusal.code, w->refusal.message);
    got = json_dumps(answer, JSON_COMPACT | JSON_ENCODE_ANY);
    assert_string_equal(got, text);
    sl_free(got);
    json_decref(answer);
}

static void expect_refusal(struct world *w, json_t *answer, int code)
{
    assert_null(answer);
    assert_int_equal(w->refusal.code, code);
    sl_refusal_done(&w->refusal);
}

static json_t *add(struct world *w, const char *subject, const char *text)
{
    return sl_book_register(w->book, subject, &(struct sl_schema_request){.text = text}, &w->refusal);
}

static json_t *add_with(struct world *w, const char *subject, const char *text, const char *references)
{
    json_t *list = json_loads(references, 0, NULL);
    json_t *answer = sl_book_register(
        w->book, subject, &(struct sl_schema_request){.text = text, .references = list}, &w->refusal);

    json_decref(list);
    return answer;
}

static void set_level(struct world *w, const char *subject, const char *level)
{
    json_t *config = json_pack("{s:s}", "compatibility", level);
    json_t *answer = sl_book_set_config(w->book, subject, config, &w->refusal);

    assert_non_null(answer);
    json_decref(answer);
    json_decref(config);
}

static json_t *versions(struct world *w, const char *subject, bool deleted)
{
    return sl_book_versions(w->book, subject, &(struct sl_book_filter){.deleted = deleted}, &w->refusal);
}

static void an_incompatible_schema_is_refused_with_the_reason(void **state)
{
    struct world *w = *state;

    expect(w, add(w, "s", R1), "{\"id\":1}");
    expect(w, add(w, "s", R2), "{\"id\":2}");
    assert_null(add(w, "s", R3));
    assert_int_equal(w->refusal.status, 409);
    assert_non_null(strstr(w->refusal.message,
                           "The field 'c' at path '/fields/1' in the new schema has no default value"));
    assert_non_null(strstr(w->refusal.message, "{oldSchemaVersion: 2}"));
    assert_non_null(strstr(w->refusal.message, "compatibility: 'BACKWARD'"));
    sl_refusal_done(&w->refusal);
    expect(w, versions(w, "s", false), "[1,2]");
}

static void check(struct world *w, const char *level, const char *text, bool fits)
{
    set_level(w, "s", level);
    expect(w,
           sl_book_compatible(w->book, "s", 0, &(struct sl_schema_request){.text = text}, false, &w->refusal),
           fits ? "{\"is_compatible\":true}" : "{\"is_compatible\":false}");
}

static void every_level_asks_its_own_question(void **state)
{
    struct world *w = *state;
    const char *dropped = "{\"type\":\"record\",\"name\":\"R\",\"fields\":[]}";
    const char *back = R1;

    /* versions: a; a and b with a default; nothing */
    set_level(w, "s", "NONE");
    expect(w, add(w, "s", R3), "{\"id\":1}");
    expect(w, add(w, "s", R1), "{\"id\":2}");
    check(w, "BACKWARD", dropped, true);
    check(w, "FORWARD", dropped, false); /* the old one misses a */
    check(w, "FULL", dropped, false);
    check(w, "BACKWARD", R3, false);
    check(w, "FORWARD", R3, true);
    check(w, "FULL", R2, true);
    check(w, "NONE", R3, true);
    check(w, "FORWARD_TRANSITIVE", back, false); /* version 1 needs c */
    check(w, "FORWARD", back, true);
    check(w, "BACKWARD_TRANSITIVE", back, true);
    check(w, "FULL_TRANSITIVE", back, false);
}

static void deleting_is_soft_first_and_then_for_ever(void **state)
{
    struct world *w = *state;
    json_t *resolved;

    expect(w, add(w, "s", R1), "{\"id\":1}");
    expect(w, add(w, "s", R2), "{\"id\":2}");
    expect_refusal(w, sl_book_delete_version(w->book, "s", 1, true, &w->refusal), 40407);
    expect(w, sl_book_delete_version(w->book, "s", 1, false, &w->refusal), "1");
    expect_refusal(w, sl_book_delete_version(w->book, "s", 1, false, &w->refusal), 40406);
    expect(w, versions(w, "s", false), "[2]");
    expect(w, versions(w, "s", true), "[1,2]");
    expect(w, add(w, "s", R1), "{\"id\":1}"); /* a new version of the old id */
    expect(w, versions(w, "s", true), "[1,2,3]");
    expect_refusal(w, sl_book_delete_subject(w->book, "s", true, &w->refusal), 40405);
    expect(w, sl_book_delete_subject(w->book, "s", false, &w->refusal), "[2,3]");
    expect_refusal(w, sl_book_delete_subject(w->book, "s", false, &w->refusal), 40404);
    expect_refusal(w, versions(w, "s", false), 40401);
    resolved = sl_book_by_id(w->book, 2, &w->refusal); /* still resolves */
    assert_non_null(resolved);
    json_decref(resolved);
    expect(w, sl_book_delete_subject(w->book, "s", true, &w->refusal), "[1,2,3]");
    expect_refusal(w, sl_book_by_id(w->book, 2, &w->refusal), 40403);
    expect_refusal(w, sl_book_delete_subject(w->book, "s", true, &w->refusal), 40401);
    expect(w, sl_book_subjects(w->book, &(struct sl_book_filter){.deleted = true}), "[]");
}

static void what_was_written_is_there_after_a_restart(void **state)
{
    struct world *w = *state;

    expect(w, add(w, "s", R1), "{\"id\":1}");
    expect(w, add(w, "s", R2), "{\"id\":2}");
    expect(w, add(w, "t", "{\"type\":\"record\",\"name\":\"T\",\"fields\":[]}"), "{\"id\":3}");
    set_level(w, "t", "FULL_TRANSITIVE");
    set_level(w, "", "FORWARD");
    expect(w, sl_book_set_mode(w->book, "t", "READONLY", false, &w->refusal), "{\"mode\":\"READONLY\"}");
    expect(w, sl_book_delete_version(w->book, "s", 1, false, &w->refusal), "1");
    close_book(w);
    open_book(w);
    expect(w, versions(w, "s", false), "[2]");
    expect(w, versions(w, "s", true), "[1,2]");
    expect(w, sl_book_config(w->book, "t", false, &w->refusal),
           "{\"compatibilityLevel\":\"FULL_TRANSITIVE\"}");
    expect(w, sl_book_config(w->book, "", false, &w->refusal), "{\"compatibilityLevel\":\"FORWARD\"}");
    expect_refusal(w, add(w, "t", "\"int\""), 42205);
    expect(w, add(w, "u", "\"int\""), "{\"id\":4}");
}

static void references_are_parsed_kept_and_keep_what_they_name(void **state)
{
    static const char part[] = "{\"type\":\"record\",\"name\":\"Part\",\"namespace\":\"shop\",\"fields\":[]}";
    static const char whole[] = "{\"type\":\"record\",\"name\":\"Whole\",\"namespace\":\"shop\",\"fields\":["
                                "{\"name\":\"p\",\"type\":\"Part\"}]}";
    static const char reference[] = "[{\"name\":\"shop.Part\",\"subject\":\"parts\",\"version\":1}]";
    struct world *w = *state;
    struct sl_registry_found found = {0};

    expect(w, add(w, "parts", part), "{\"id\":1}");
    expect_refusal(w, add(w, "wholes", whole), 42201);
    expect_refusal(w, add_with(w, "wholes", whole, "[{\"name\":\"x\",\"subject\":\"no\",\"version\":1}]"),
                   42201);
    expect(w, add_with(w, "wholes", whole, reference), "{\"id\":2}");
    expect(w, add_with(w, "wholes", whole, reference), "{\"id\":2}");
    assert_true(sl_book_find(w->book, 2, &found, &w->refusal));
    assert_string_equal(found.text, whole);
    assert_int_equal(found.n_before, 1);
    assert_string_equal(found.before[0], part);
    sl_registry_found_done(&found);
    expect(w, sl_book_referenced_by(w->book, "parts", 1, &w->refusal), "[2]");
    expect_refusal(w, sl_book_delete_version(w->book, "parts", 1, false, &w->refusal), 42206);
    expect_refusal(w, sl_book_delete_subject(w->book, "parts", false, &w->refusal), 42206);
}

static void importing_takes_the_clients_numbers(void **state)
{
    struct world *w = *state;
    const struct sl_schema_request seven = {.text = R1, .id = 7, .version = 3};

    expect_refusal(w, sl_book_register(w->book, "s", &seven, &w->refusal), 42205);
    expect(w, sl_book_set_mode(w->book, "s", "import", false, &w->refusal), "{\"mode\":\"IMPORT\"}");
    expect(w, sl_book_register(w->book, "s", &seven, &w->refusal), "{\"id\":7}");
    expect(w, versions(w, "s", false), "[3]");
    expect_refusal(
        w, sl_book_register(w->book, "s", &(struct sl_schema_request){.text = R3, .id = 7}, &w->refusal),
        42205);
    expect(w, sl_book_drop_mode(w->book, "s", &w->refusal), "{\"mode\":\"IMPORT\"}");
    expect(w, add(w, "s", R2), "{\"id\":8}");
    expect_refusal(w, sl_book_set_mode(w->book, "s", "IMPORT", false, &w->refusal), 42205);
    expect_refusal(w, sl_book_set_mode(w->book, "s", "SOMEHOW", false, &w->refusal), 42204);
}

static void normalizing_makes_order_irrelevant(void **state)
{
    static const char one[] =
        "{\"type\":\"record\",\"name\":\"N\",\"doc\":\"\",\"aliases\":[\"Z\",\"B\"],\"fields\":[{\"name\":"
        "\"d\",\"type\":{\"type\":\"bytes\",\"z\":1,\"scale\":2,\"precision\":4,\"logicalType\":"
        "\"decimal\",\"b\":2}}],\"y\":1,\"x\":2}";
    static const char other[] =
        "{\"x\":2,\"type\":\"record\",\"name\":\"N\",\"y\":1,\"aliases\":[\"B\",\"Z\"],\"fields\":[{\"name\":"
        "\"d\",\"type\":{\"type\":\"bytes\",\"logicalType\":\"decimal\",\"b\":2,\"precision\":4,"
        "\"scale\":2,\"z\":1}}]}";
    struct world *w = *state;
    const struct sl_schema_request first = {.text = one, .normalize = true};
    const struct sl_schema_request second = {.text = other, .normalize = true};
    struct sl_registry_found found = {0};

    expect(w, sl_book_register(w->book, "s", &first, &w->refusal), "{\"id\":1}");
    expect(w, sl_book_register(w->book, "s", &second, &w->refusal), "{\"id\":1}");
    assert_true(sl_book_find(w->book, 1, &found, &w->refusal));
    assert_string_equal(
        found.text,
        "{\"type\":\"record\",\"name\":\"N\",\"fields\":[{\"name\":\"d\",\"type\":{\"type\":\"bytes\","
        "\"logicalType\":\"decimal\",\"precision\":4,\"scale\":2,\"b\":2,\"z\":1}}],\"x\":2,\"y\":1,"
        "\"aliases\":[\"B\",\"Z\"]}");
    sl_registry_found_done(&found);
    expect(w, add(w, "s", other), "{\"id\":2}");
}

static void what_is_no_schema_is_refused(void **state)
{
    static const char *const bad[] = {
        "",
        "nonsense",
        "{\"type\":\"recor\"}",
        "{\"type\":\"record\",\"name\":\"A-B\",\"fields\":[]}",
        "{\"type\":\"record\",\"name\":\"D\",\"fields\":[{\"name\":\"a\",\"type\":\"int\",\"default\":\"x\"}]"
        "}",
        /* defaults that go in circles */
        "[{\"type\":\"record\",\"name\":\"A\",\"fields\":[{\"name\":\"s\",\"type\":\"A\",\"default\":{}}]},"
        "{\"type\":\"record\",\"name\":\"B\",\"fields\":[{\"name\":\"a\",\"type\":\"A\",\"default\":{}}]}]",
    };
    struct world *w = *state;

    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        expect_refusal(w, add(w, "s", bad[i]), 42201);
    expect_refusal(w,
                   sl_book_register(w->book, "s", &(struct sl_schema_request){.text = "{}", .type = "JSON"},
                                    &w->refusal),
                   42201);
    expect(w, sl_book_subjects(w->book, &(struct sl_book_filter){.deleted = true}), "[]");
}

static void settings_are_told_as_they_were_given(void **state)
{
    struct world *w = *state;
    json_t *bad = json_pack("{s:s}", "compatibility", "SOMEWHAT");

    expect(w, sl_book_config(w->book, "", false, &w->refusal), "{\"compatibilityLevel\":\"BACKWARD\"}");
    expect_refusal(w, sl_book_config(w->book, "s", false, &w->refusal), 40408);
    expect(w, sl_book_config(w->book, "s", true, &w->refusal), "{\"compatibilityLevel\":\"BACKWARD\"}");
    expect_refusal(w, sl_book_mode(w->book, "s", false, &w->refusal), 40409);
    expect(w, sl_book_mode(w->book, "s", true, &w->refusal), "{\"mode\":\"READWRITE\"}");
    expect_refusal(w, sl_book_set_config(w->book, "s", bad, &w->refusal), 42203);
    json_decref(bad);
    expect_refusal(w, sl_book_drop_config(w->book, "s", &w->refusal), 40401);
    set_level(w, "s", "full");
    expect(w, sl_book_drop_config(w->book, "s", &w->refusal), "{\"compatibilityLevel\":\"FULL\"}");
    expect_refusal(w, sl_book_config(w->book, "s", false, &w->refusal), 40408);
}

static void a_registry_moves_into_a_topic_with_its_ids(void **state)
{
    struct world *w = *state;
    struct sl_schema_store *file;
    struct sl_registry *from;
    struct sl_error err = {0};
    int32_t id;
    size_t n = 0;

    assert_int_equal(sl_schema_store_sqlite_open(w->dir, false, &file, &err), SL_OK);
    assert_int_equal(sl_registry_builtin_over(file, &from, &err), SL_OK);
    assert_int_equal(from->ops->register_schema(from, "s", R1, false, &id, &err), SL_OK);
    assert_int_equal(from->ops->register_schema(from, "s", R2, false, &id, &err), SL_OK);
    from->ops->close(from);
    assert_int_equal(sl_registries_migrate(w->dir, w->transport, &n, &err), SL_OK);
    assert_int_equal(n, 2);
    close_book(w);
    open_book(w);
    expect(w, versions(w, "s", false), "[1,2]");
    expect(w, add(w, "t", R2), "{\"id\":2}");
    assert_int_equal(sl_registries_migrate(w->dir, w->transport, &n, &err), SL_OK);
    assert_int_equal(n, 0);
}

int main(void)
{
#define BOTH(test)                                                 \
    cmocka_unit_test_setup_teardown(test, set_up_file, tear_down), \
        cmocka_unit_test_setup_teardown(test, set_up_topic, tear_down)
    const struct CMUnitTest tests[] = {
        BOTH(an_incompatible_schema_is_refused_with_the_reason),
        BOTH(every_level_asks_its_own_question),
        BOTH(deleting_is_soft_first_and_then_for_ever),
        BOTH(what_was_written_is_there_after_a_restart),
        BOTH(references_are_parsed_kept_and_keep_what_they_name),
        BOTH(importing_takes_the_clients_numbers),
        BOTH(normalizing_makes_order_irrelevant),
        BOTH(what_is_no_schema_is_refused),
        BOTH(settings_are_told_as_they_were_given),
        cmocka_unit_test_setup_teardown(a_registry_moves_into_a_topic_with_its_ids, set_up_topic, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
