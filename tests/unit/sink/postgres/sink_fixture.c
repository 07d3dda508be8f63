/* SPDX-License-Identifier: Apache-2.0 */
#include "sink_fixture.h"

#include "base/alloc.h"
#include "base/arena.h"
#include "data/schema_build.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

struct pg_fixture pg;
struct people people;

int server_start(void **state)
{
    (void)state;
    pg_fixture_start(&pg);
    return 0;
}

int server_stop(void **state)
{
    (void)state;
    pg_fixture_stop(&pg);
    return 0;
}

int server_clean(void **state)
{
    (void)state;
    pg_fixture_run(&pg, "DROP SCHEMA public CASCADE; CREATE SCHEMA public");
    return 0;
}

static void on_release(void *ctx, struct sl_batch *batch, bool durable)
{
    struct sink_under_test *sut = ctx;

    if (durable)
        sut->released_durable++;
    else
        sut->released_given_up++;
    sl_batch_free(batch);
}

static enum sl_rc on_bad(void *ctx, const struct sl_batch *batch, uint32_t record, const struct sl_error *why,
                         struct sl_error *err)
{
    struct sink_under_test *sut = ctx;

    assert_true(record < batch->n_records);
    assert_int_equal(why->kind, SL_KIND_DATA);
    if (sut->refuse_bad)
        return sl_error_set(err, SL_E_DATA, "bad record: %.400s", why->text);
    assert_true(sut->n_bad < MAX_BAD);
    (void)snprintf(sut->bad_native[sut->n_bad], sizeof(sut->bad_native[0]), "%.7s", why->native);
    sut->bad[sut->n_bad++] = record;
    (void)snprintf(sut->bad_text, sizeof(sut->bad_text), "%s", why->text);
    return SL_OK;
}

void sink_open(struct sink_under_test *sut, const char *const *settings)
{
    char url[200];

    *sut = (struct sink_under_test){0};
    sut->env = (struct sl_sink_env){
        .connector = "pg-sink",
        .log_identity = "11111111-2222-3333-4444-555555555555",
        .ctx = sut,
        .release = on_release,
        .bad_record = on_bad,
    };
    sut->props = sl_props_new();
    (void)snprintf(url, sizeof(url), "jdbc:postgresql://127.0.0.1:%d/postgres?user=postgres", pg.port);
    sl_props_set(sut->props, "connection.url", url);
    for (; *settings; settings += 2)
        sl_props_set(sut->props, settings[0], settings[1]);
    assert_int_equal(sl_pgsink_ops.check(sut->props, &sut->err), SL_OK);
    assert_int_equal(sl_pgsink_ops.open(&sut->env, sut->props, &sut->self, &sut->err), SL_OK);
}

void sink_close(struct sink_under_test *sut)
{
    sl_pgsink_ops.close(sut->self);
    sl_props_free(sut->props);
}

enum sl_rc sink_assign(struct sink_under_test *sut, const char *topic)
{
    sut->n_progress = 1;
    sut->progress[0] = (struct sl_progress){.topic = sl_topic_intern(topic, strlen(topic))};
    return sl_pgsink_ops.assign(sut->self, sut->progress, 1, &sut->err);
}

struct sl_batch *batch_new(void)
{
    return sl_batch_new(4096);
}

struct sl_record *batch_add(struct sl_batch *batch, const char *topic, const struct sl_schema *key_schema,
                            struct sl_value key, const struct sl_schema *value_schema, struct sl_value value)
{
    struct sl_record *record =
        sl_batch_add(batch, sl_topic_intern(topic, strlen(topic)), key_schema, value_schema);

    record->key = key;
    record->value = value;
    return record;
}

enum sl_rc sink_put_only(struct sink_under_test *sut, const char *topic, struct sl_batch *batch)
{
    struct sl_progress *position = &sut->progress[0];
    int64_t first = position->next_offset < 0 ? 0 : position->next_offset;

    for (uint32_t i = 0; i < batch->n_records; i++)
        batch->records[i].offset = first + i;
    batch->progress = sl_realloc(batch->progress, 1, sizeof(*batch->progress));
    batch->n_progress = batch->progress_capacity = 1;
    batch->progress[0] = (struct sl_progress){.topic = sl_topic_intern(topic, strlen(topic)),
                                              .first_offset = first,
                                              .next_offset = first + batch->n_records};
    position->next_offset = first + batch->n_records;
    return sl_pgsink_ops.put(sut->self, batch, &sut->err);
}

enum sl_rc sink_put(struct sink_under_test *sut, const char *topic, struct sl_batch *batch)
{
    enum sl_rc rc = sink_put_only(sut, topic, batch);

    return rc == SL_OK ? sl_pgsink_ops.flush(sut->self, &sut->err) : rc;
}

struct sl_value row_of(struct sl_batch *batch, size_t n, const struct sl_value *fields)
{
    struct sl_value *copy = sl_arena_copy(batch->arena, fields, n * sizeof(*fields));

    return sl_items(SL_STRUCT, copy, n);
}

const struct sl_schema *schema_of(const char *name, const struct sl_schema *schema, ...)
{
    struct sl_struct_builder builder = {0};
    va_list args;

    va_start(args, schema);
    while (name) {
        sl_struct_add(&builder, name, schema);
        name = va_arg(args, const char *);
        schema = name ? va_arg(args, const struct sl_schema *) : NULL;
    }
    va_end(args);
    return sl_struct_end(&builder, false);
}

void sink_open_on(struct sink_under_test *sut, const char *ddl, const char *const *settings)
{
    pg_fixture_run(&pg, ddl);
    sink_open(sut, settings);
    if (sink_assign(sut, "t") != SL_OK)
        fail_msg("%s", sut->err.text);
}

void sink_must_put(struct sink_under_test *sut, struct sl_batch *batch)
{
    if (sink_put(sut, "t", batch) != SL_OK)
        fail_msg("%s", sut->err.text);
}

int people_start(void **state)
{
    people.key = schema_of("id", sl_schema_plain(SL_INT32, false), NULL);
    people.value = schema_of("id", sl_schema_plain(SL_INT32, false), "name", sl_schema_plain(SL_STRING, true),
                             "n", sl_schema_plain(SL_INT64, true), NULL);
    return server_start(state);
}

void people_add(struct sl_batch *batch, int id, const char *name, int n)
{
    (void)batch_add(batch, "t", people.key, ROW(batch, INT(id)), people.value,
                    ROW(batch, INT(id), name ? TEXT(sl_arena_strdup(batch->arena, name)) : NIL, LONG(n)));
}

void people_delete(struct sl_batch *batch, int id)
{
    (void)batch_add(batch, "t", people.key, ROW(batch, INT(id)), NULL, NIL);
}
