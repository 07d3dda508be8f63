/* SPDX-License-Identifier: Apache-2.0 */
#include "base/arena.h"
#include "base/buf.h"
#include "base/props.h"
#include "codec/converters.h"
#include "data/schema_build.h"
#include "sluice/registry.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

/* A registry in memory that notes what it was asked. */
struct fake {
    struct sl_registry registry;
    char subjects[16][64];
    char *texts[16];
    int n;
    int calls;
    bool normalized; /* the last one */
};

static enum sl_rc fake_register(struct sl_registry *registry, const char *subject, const char *text,
                                bool normalize, int32_t *ret_id, struct sl_error *err)
{
    struct fake *f = (struct fake *)registry;

    (void)err;
    f->normalized = normalize;
    f->calls++;
    for (int i = 0; i < f->n; i++) {
        if (strcmp(f->texts[i], text) == 0 && strcmp(f->subjects[i], subject) == 0) {
            *ret_id = 100 + i;
            return SL_OK;
        }
    }
    (void)snprintf(f->subjects[f->n], sizeof(f->subjects[0]), "%s", subject);
    f->texts[f->n] = sl_strdup(text);
    *ret_id = 100 + f->n++;
    return SL_OK;
}

static enum sl_rc fake_look_up(struct sl_registry *registry, const char *subject, const char *text,
                               bool normalize, int32_t *ret_id, struct sl_error *err)
{
    struct fake *f = (struct fake *)registry;

    (void)normalize;
    for (int i = 0; i < f->n; i++) {
        if (strcmp(f->texts[i], text) == 0 && strcmp(f->subjects[i], subject) == 0) {
            *ret_id = 100 + i;
            return SL_OK;
        }
    }
    return sl_error_set(err, SL_E_NOT_FOUND, "no subject %s", subject);
}

static enum sl_rc fake_by_id(struct sl_registry *registry, int32_t id, const char *subject,
                             struct sl_registry_found *ret, struct sl_error *err)
{
    struct fake *f = (struct fake *)registry;

    (void)subject;
    f->calls++;
    if (id < 100 || id >= 100 + f->n)
        return sl_error_set(err, SL_E_NOT_FOUND, "no schema %d", id);
    *ret = (struct sl_registry_found){.id = id, .text = sl_strdup(f->texts[id - 100])};
    return SL_OK;
}

static enum sl_rc fake_version(struct sl_registry *registry, const char *subject, int32_t version,
                               struct sl_registry_found *ret, struct sl_error *err)
{
    struct fake *f = (struct fake *)registry;

    assert_int_equal(version, SL_REGISTRY_LATEST);
    for (int i = f->n - 1; i >= 0; i--) {
        if (strcmp(f->subjects[i], subject) == 0) {
            *ret = (struct sl_registry_found){.id = 100 + i, .version = 1, .text = sl_strdup(f->texts[i])};
            return SL_OK;
        }
    }
    return sl_error_set(err, SL_E_NOT_FOUND, "no subject %s", subject);
}

static const struct sl_registry_ops fake_ops = {.name = "fake",
                                                .register_schema = fake_register,
                                                .look_up = fake_look_up,
                                                .schema_by_id = fake_by_id,
                                                .version = fake_version};

struct world {
    struct fake fake;
    struct sl_arena *arena;
    struct sl_buf out;
    struct sl_converter c;
};

static void open_world(struct world *w, bool is_key, const char *key, const char *value)
{
    struct sl_props *props = sl_props_new();
    struct sl_error err = {0};

    *w = (struct world){
        .fake.registry.ops = &fake_ops, .arena = sl_arena_new(4096), .c.ops = &sl_converter_avro};
    if (key)
        sl_props_set(props, key, value);
    if (w->c.ops->open(props, "value.converter.", is_key, &w->fake.registry, &w->c.self, &err))
        fail_msg("%s", err.text);
    sl_props_free(props);
}

static void open_chosen(struct world *w, const char *key, const char *value)
{
    struct sl_props *props = sl_props_new();
    struct sl_error err = {0};

    *w = (struct world){
        .fake.registry.ops = &fake_ops, .arena = sl_arena_new(4096), .c.ops = &sl_converter_avro};
    sl_props_set(props, "value.converter.auto.register.schemas", "false");
    sl_props_set(props, key, value);
    if (w->c.ops->open(props, "value.converter.", false, &w->fake.registry, &w->c.self, &err))
        fail_msg("%s", err.text);
    sl_props_free(props);
}

static void open_latest(struct world *w)
{
    open_chosen(w, "value.converter.use.latest.version", "true");
}

static void close_world(struct world *w)
{
    w->c.ops->close(w->c.self);
    sl_buf_done(&w->out);
    sl_arena_free(w->arena);
    for (int i = 0; i < w->fake.n; i++)
        sl_free(w->fake.texts[i]);
}

static const struct sl_schema *row_schema(void)
{
    struct sl_struct_builder b = {.name = "srv.shop.Row"};

    sl_struct_add(&b, "id", sl_schema_plain(SL_INT32, false));
    sl_struct_add(&b, "name", sl_schema_plain(SL_STRING, true));
    return sl_struct_end(&b, false);
}

static struct sl_value row(struct world *w, int64_t id, const char *name)
{
    struct sl_value *fields = sl_arena_alloc(w->arena, 2 * sizeof(*fields));

    fields[0] = sl_int(SL_INT32, id);
    fields[1] = name ? sl_text(name) : sl_null();
    return sl_items(SL_STRUCT, fields, 2);
}

static const struct sl_topic *topic(const char *name)
{
    return sl_topic_intern(name, strlen(name));
}

static void encode(struct world *w, const char *to, const struct sl_schema *schema, struct sl_value value)
{
    struct sl_error err = {0};
    bool null = true;

    sl_buf_reset(&w->out);
    if (w->c.ops->encode(w->c.self, topic(to), schema, value, &w->out, &null, &err))
        fail_msg("%s", err.text);
    assert_false(null);
}

static void a_record_is_framed_and_comes_back(void **state)
{
    struct world w;
    const struct sl_schema *schema;
    struct sl_value value;
    struct sl_error err = {0};

    (void)state;
    open_world(&w, false, NULL, NULL);
    encode(&w, "orders", row_schema(), row(&w, 1, "a"));
    assert_int_equal(w.out.len, 9);
    assert_memory_equal(w.out.data,
                        "\x00\x00\x00\x00\x64\x02\x02\x02"
                        "a",
                        9);
    assert_string_equal(w.fake.subjects[0], "orders-value");
    assert_string_equal(w.fake.texts[0],
                        "{\"type\":\"record\",\"name\":\"Row\",\"namespace\":\"srv.shop\",\"fields\":["
                        "{\"name\":\"id\",\"type\":\"int\"},"
                        "{\"name\":\"name\",\"type\":[\"null\",\"string\"],\"default\":null}],"
                        "\"connect.name\":\"srv.shop.Row\"}");
    assert_int_equal(w.c.ops->decode(w.c.self, topic("orders"), (struct sl_span){w.out.data, w.out.len},
                                     w.arena, &schema, &value, &err),
                     SL_OK);
    assert_ptr_equal(schema, row_schema());
    assert_true(sl_value_equal(value, row(&w, 1, "a")));
    assert_true(value.items[1].bytes > w.out.data && value.items[1].bytes < w.out.data + w.out.len);
    close_world(&w);
}

static void the_registry_is_asked_once_for_a_schema_in_a_topic(void **state)
{
    struct world w;

    (void)state;
    open_world(&w, true, NULL, NULL);
    for (int i = 0; i < 50; i++) {
        encode(&w, "a", row_schema(), row(&w, i, NULL));
        encode(&w, "b", row_schema(), row(&w, i, NULL));
        encode(&w, "a", row_schema()->fields[0].schema, sl_int(SL_INT32, i));
    }
    assert_int_equal(w.fake.calls, 3);
    assert_string_equal(w.fake.subjects[0], "a-key");
    assert_string_equal(w.fake.subjects[1], "b-key");
    assert_string_equal(w.fake.texts[2], "\"int\"");
    close_world(&w);
}

static void null_is_a_tombstone_in_both_directions(void **state)
{
    struct world w;
    struct sl_error err;
    const struct sl_schema *schema = row_schema();
    struct sl_value value = sl_bool(true);
    bool null = false;

    (void)state;
    open_world(&w, false, NULL, NULL);
    assert_int_equal(w.c.ops->encode(w.c.self, topic("a"), NULL, sl_null(), &w.out, &null, &err), SL_OK);
    assert_true(null);
    assert_int_equal(w.out.len, 0);
    assert_int_equal(
        w.c.ops->decode(w.c.self, topic("a"), (struct sl_span){0}, w.arena, &schema, &value, &err), SL_OK);
    assert_null(schema);
    assert_int_equal(value.tag, SL_NULL);
    close_world(&w);
}

static void bytes_of_another_hand_are_data_errors(void **state)
{
    static const char *const bad[] = {"\x01\x00\x00\x00\x64", "\x00\x00\x00\x00\x07", "\x00\x00\x00\x00\x64"};
    struct world w;
    const struct sl_schema *schema;
    struct sl_value value;

    (void)state;
    open_world(&w, false, NULL, NULL);
    encode(&w, "a", row_schema(), row(&w, 1, NULL));
    for (size_t i = 0; i < 3; i++) {
        struct sl_error err = {0};

        assert_int_equal(w.c.ops->decode(w.c.self, topic("a"), (struct sl_span){(const uint8_t *)bad[i], 5},
                                         w.arena, &schema, &value, &err),
                         SL_E_DATA);
        assert_int_equal(err.kind, SL_KIND_DATA);
        assert_non_null(strstr(err.text, "topic 'a'"));
    }
    close_world(&w);
}

static void subjects_follow_the_strategy(void **state)
{
    struct world w;

    (void)state;
    open_world(&w, false, "value.converter.value.subject.name.strategy",
               "io.confluent.kafka.serializers.subject.TopicRecordNameStrategy");
    encode(&w, "a", row_schema(), row(&w, 1, NULL));
    assert_string_equal(w.fake.subjects[0], "a-srv.shop.Row");
    close_world(&w);
    open_world(&w, false, "value.converter.value.subject.name.strategy",
               "io.confluent.kafka.serializers.subject.RecordNameStrategy");
    encode(&w, "a", row_schema(), row(&w, 1, NULL));
    assert_string_equal(w.fake.subjects[0], "srv.shop.Row");
    close_world(&w);
}

static void without_registering_only_a_known_schema_is_written(void **state)
{
    struct world w;
    struct sl_error err = {0};
    bool null;

    (void)state;
    open_world(&w, false, "value.converter.auto.register.schemas", "false");
    assert_int_equal(
        w.c.ops->encode(w.c.self, topic("a"), row_schema(), row(&w, 1, NULL), &w.out, &null, &err),
        SL_E_NOT_FOUND);
    assert_int_equal(w.out.len, 0);
    close_world(&w);
}

static void give(struct world *w, const char *subject, const char *text)
{
    int32_t id;

    assert_int_equal(fake_register(&w->fake.registry, subject, text, false, &id, NULL), SL_OK);
}

static void with_the_newest_version_fields_are_matched_by_name(void **state)
{
    struct world w;

    (void)state;
    open_latest(&w);
    give(&w, "a-value",
         "{\"type\":\"record\",\"name\":\"Row\",\"fields\":[{\"name\":\"added\",\"type\":\"string\","
         "\"default\":\"z\"},"
         "{\"name\":\"name\",\"type\":[\"null\",\"string\"],\"default\":null},{\"name\":\"id\",\"type\":"
         "\"long\"}]}");
    encode(&w, "a", row_schema(), row(&w, 3, "x"));
    assert_int_equal(w.out.len, 5 + 2 + 3 + 1);
    assert_memory_equal(w.out.data + 4, "\x64\x02z\x02\x02x\x06", 7);
    encode(&w, "a", row_schema(), row(&w, 4, NULL));
    assert_memory_equal(w.out.data + 5, "\x02z\x00\x08", 4);
    close_world(&w);
}

static void with_an_id_its_schema_is_written_and_no_other(void **state)
{
    struct world w;
    struct sl_error err = {0};
    bool null;

    (void)state;
    open_chosen(&w, "value.converter.use.schema.id", "101");
    give(&w, "a-value", "\"int\"");
    give(&w, "other",
         "{\"type\":\"record\",\"name\":\"Row\",\"fields\":[{\"name\":\"id\",\"type\":\"long\"}]}");
    give(&w, "a-value", "\"long\"");
    encode(&w, "a", row_schema(), row(&w, 3, NULL));
    assert_int_equal(w.out.len, 6);
    assert_memory_equal(w.out.data, "\0\0\0\0\x65\x06", 6);
    close_world(&w);

    open_chosen(&w, "value.converter.use.schema.id", "100"); /* id.compatibility.strict or not */
    give(&w, "a-value", "\"int\"");
    assert_int_equal(
        w.c.ops->encode(w.c.self, topic("a"), row_schema(), row(&w, 1, NULL), &w.out, &null, &err),
        SL_E_DATA);
    close_world(&w);
}

static void a_newest_version_that_does_not_fit_is_refused(void **state)
{
    struct world w;
    struct sl_error err = {0};
    bool null;

    (void)state;
    open_latest(&w);
    give(&w, "a-value",
         "{\"type\":\"record\",\"name\":\"Row\",\"fields\":[{\"name\":\"must\",\"type\":\"string\"}]}");
    assert_int_equal(
        w.c.ops->encode(w.c.self, topic("a"), row_schema(), row(&w, 1, NULL), &w.out, &null, &err),
        SL_E_DATA);
    assert_non_null(strstr(err.text, "'must'"));
    assert_int_equal(w.out.len, 0);
    close_world(&w);
}

static void normalizing_is_passed_on_to_the_registry(void **state)
{
    struct world w;

    (void)state;
    open_world(&w, false, "value.converter.normalize.schemas", "true");
    encode(&w, "a", row_schema(), row(&w, 1, NULL));
    assert_true(w.fake.normalized);
    close_world(&w);
}

static void a_null_stays_null_unless_the_default_is_asked_for(void **state)
{
    struct sl_struct_builder b = {.name = "D"};
    const struct sl_schema *schema;
    struct sl_value null = sl_null();
    struct world w;

    (void)state;
    sl_struct_add(&b, "n", sl_schema_with_default(sl_schema_plain(SL_INT32, true), sl_int(SL_INT32, 5)));
    schema = sl_struct_end(&b, false);
    open_world(&w, false, NULL, NULL);
    encode(&w, "a", schema, sl_items(SL_STRUCT, &null, 1));
    assert_memory_equal(w.out.data + 5, "\x02", 1); /* branch 1 is null: [int, null] */
    null.tag = SL_ABSENT;
    encode(&w, "a", schema, sl_items(SL_STRUCT, &null, 1)); /* nothing was said: the least is written */
    assert_memory_equal(w.out.data + 5, "\x02", 1);
    close_world(&w);
    null.tag = SL_NULL;
    open_world(&w, false, "value.converter.ignore.default.for.nullables", "false");
    encode(&w, "a", schema, sl_items(SL_STRUCT, &null, 1));
    assert_memory_equal(w.out.data + 5, "\x00\x0a", 2);
    null.tag = SL_ABSENT;
    encode(&w, "a", schema, sl_items(SL_STRUCT, &null, 1));
    assert_memory_equal(w.out.data + 5, "\x02", 1);
    close_world(&w);
}

static void a_row_that_does_not_fit_leaves_nothing_behind(void **state)
{
    struct sl_value fields[2] = {sl_null(), sl_null()};
    struct world w;
    struct sl_error err = {0};
    bool null;

    (void)state;
    open_world(&w, false, NULL, NULL);
    assert_int_equal(w.c.ops->encode(w.c.self, topic("a"), row_schema(), sl_items(SL_STRUCT, fields, 2),
                                     &w.out, &null, &err),
                     SL_E_DATA);
    assert_non_null(strstr(err.text, "'id'"));
    assert_int_equal(w.out.len, 0);
    close_world(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_record_is_framed_and_comes_back),
        cmocka_unit_test(the_registry_is_asked_once_for_a_schema_in_a_topic),
        cmocka_unit_test(null_is_a_tombstone_in_both_directions),
        cmocka_unit_test(bytes_of_another_hand_are_data_errors),
        cmocka_unit_test(subjects_follow_the_strategy),
        cmocka_unit_test(without_registering_only_a_known_schema_is_written),
        cmocka_unit_test(with_the_newest_version_fields_are_matched_by_name),
        cmocka_unit_test(with_an_id_its_schema_is_written_and_no_other),
        cmocka_unit_test(a_newest_version_that_does_not_fit_is_refused),
        cmocka_unit_test(normalizing_is_passed_on_to_the_registry),
        cmocka_unit_test(a_null_stays_null_unless_the_default_is_asked_for),
        cmocka_unit_test(a_row_that_does_not_fit_leaves_nothing_behind),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
