/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A sink under test: what an engine would do with it, and batches written down in a line.
 */
#ifndef SLUICE_TESTS_SINK_FIXTURE_H
#define SLUICE_TESTS_SINK_FIXTURE_H

#include "base/props.h"
#include "pg_fixture.h"
#include "sink/postgres/sink.h"

enum { MAX_BAD = 5000 };

struct sink_under_test {
    struct sl_sink_env env;
    struct sl_props *props;
    void *self;
    struct sl_progress progress[4];
    size_t n_progress;
    struct sl_error err;
    int released_durable;
    int released_given_up;
    uint32_t bad[MAX_BAD];             /* record indexes, as reported */
    char bad_text[SL_ERROR_TEXT_SIZE]; /* of the last */
    char bad_native[MAX_BAD][8];
    int n_bad;
    bool refuse_bad; /* as with errors.tolerance=none */
};

extern struct pg_fixture pg;

/* For cmocka: a server for a group of tests, and an empty database for each. */
int server_start(void **state);
int server_stop(void **state);
int server_clean(void **state);

/* settings: key, value, ..., NULL; beside the connection to the fixture. */
void sink_open(struct sink_under_test *sut, const char *const *settings);
void sink_close(struct sink_under_test *sut);

/* Take over partition 0 of the topic. */
enum sl_rc sink_assign(struct sink_under_test *sut, const char *topic);

/* All of it, for topic "t": run the DDL, open, assign. */
void sink_open_on(struct sink_under_test *sut, const char *ddl, const char *const *settings);

/* A batch that goes on where the topic's partition 0 ends: call, add records, then sink_put. */
struct sl_batch *batch_new(void);
struct sl_record *batch_add(struct sl_batch *batch, const char *topic, const struct sl_schema *key_schema,
                            struct sl_value key, const struct sl_schema *value_schema, struct sl_value value);

/* Sets offsets and progress, puts and flushes. */
enum sl_rc sink_put(struct sink_under_test *sut, const char *topic, struct sl_batch *batch);
enum sl_rc sink_put_only(struct sink_under_test *sut, const char *topic, struct sl_batch *batch);

/* Puts on topic "t" what must go well. */
void sink_must_put(struct sink_under_test *sut, struct sl_batch *batch);

/* Records of topic "t" with the key (id) and the value (id, name, n); the name may be NULL. */
struct people {
    const struct sl_schema *key;   /* id int32 */
    const struct sl_schema *value; /* id int32, name string null, n int64 null */
};
extern struct people people;    /* made by people_start */
int people_start(void **state); /* a server, too */
void people_add(struct sl_batch *batch, int id, const char *name, int n);
void people_delete(struct sl_batch *batch, int id);

/* A struct value of n fields, copied into the batch. */
struct sl_value row_of(struct sl_batch *batch, size_t n, const struct sl_value *fields);
#define ROW(batch, ...)                                                                 \
    row_of((batch), sizeof((struct sl_value[]){__VA_ARGS__}) / sizeof(struct sl_value), \
           (struct sl_value[]){__VA_ARGS__})

/* A struct schema: name, schema, ..., NULL. */
const struct sl_schema *schema_of(const char *name, const struct sl_schema *schema, ...);

#define INT(n) sl_int(SL_INT32, (n))
#define LONG(n) sl_int(SL_INT64, (n))
#define TEXT(t) sl_text(t)
#define NIL sl_null()
#define ABSENT ((struct sl_value){.tag = SL_ABSENT})

#endif
