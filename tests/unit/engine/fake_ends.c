/* SPDX-License-Identifier: Apache-2.0 */
/* The fake source, sink and converter. */
#include "engine/fake_parts.h"

#include "base/alloc.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/queue.h"
#include "base/thread.h"
#include "sluice/position.h"

#include <stdio.h>
#include <stdlib.h>

static const struct sl_option no_options[] = {{.name = NULL}};

static const struct sl_option source_options[] = {
    {.name = "sluice.compat.debezium", .doc = "which release to write like"}, {.name = NULL}};

#define PARTITION "{\"db\":\"fake\"}"

/* ---- source ---- */

struct fake_source {
    const struct sl_source_env *env;
    int64_t next; /* -1: the stored offset was not read yet */
    bool woken;
    int polls;
};

static const char *const source_classes[] = {"test.FakeSource", NULL};

static enum sl_rc source_plan(const struct sl_props *props, int max_tasks, int *ret_tasks,
                              struct sl_error *err)
{
    (void)props;
    (void)max_tasks;
    (void)err;
    *ret_tasks = 1;
    return SL_OK;
}

static enum sl_rc source_open(const struct sl_source_env *env, const struct sl_props *props, void **ret_self,
                              struct sl_error *err)
{
    struct fake_source *self = sl_zalloc(1, sizeof(*self));

    (void)props;
    (void)err;
    self->env = env;
    self->next = -1;
    *ret_self = self;
    return SL_OK;
}

static enum sl_rc read_offset(struct fake_source *self, struct sl_error *err)
{
    char *offset = NULL;
    enum sl_rc rc = self->env->stored_offset(
        self->env->ctx, (struct sl_span){(const uint8_t *)PARTITION, strlen(PARTITION)}, &offset, err);

    if (rc == SL_OK)
        self->next = offset ? strtoll(offset, NULL, 10) : 0;
    sl_free(offset);
    return rc;
}

static void give_one(struct sl_batch *batch, int64_t number)
{
    const struct sl_schema *text = sl_schema_plain(SL_STRING, false);
    char name[16];
    char *value = sl_arena_format(batch->arena, "%lld", (long long)number);
    char *key = sl_arena_format(batch->arena, "%lld", (long long)(number % 10));
    uint8_t *position = sl_arena_alloc(batch->arena, 9);
    uint64_t big = __builtin_bswap64((uint64_t)number);
    struct sl_record *record;

    (void)snprintf(name, sizeof(name), "t%lld", (long long)(number % world.topics));
    record = sl_batch_add(batch, sl_topic_intern(name, strlen(name)), text, text);
    record->key = sl_text(key);
    record->value = sl_text(value);
    position[0] = number < 5 ? SL_SRC_SNAPSHOT : SL_SRC_STREAM;
    memcpy(position + 1, &big, 8);
    record->position = (struct sl_span){position, 9};
}

static enum sl_rc source_poll(void *ptr, struct sl_batch *batch, int64_t deadline_us, struct sl_error *err)
{
    struct fake_source *self = ptr;
    int64_t until;
    char *offset;

    if (self->next < 0 && read_offset(self, err))
        return err->rc;
    (void)pthread_mutex_lock(&world.lock);
    while (self->next >= world.source_end && !self->woken &&
           sl_cond_wait(&world.changed, &world.lock, deadline_us))
        continue;
    until = self->next + 20 < world.source_end ? self->next + 20 : world.source_end;
    self->woken = false;
    self->polls++;
    if (world.faults.source_transient && self->polls % world.faults.source_transient == 0) {
        world.source_errors++;
        (void)pthread_mutex_unlock(&world.lock);
        return sl_error_set(err, SL_E_CONNECT, "the fake source is away");
    }
    (void)pthread_mutex_unlock(&world.lock);
    if (until <= self->next)
        return SL_OK;
    while (self->next < until)
        give_one(batch, self->next++);
    offset = sl_arena_format(batch->arena, "%lld", (long long)self->next);
    batch->source_partition = (struct sl_span){(const uint8_t *)PARTITION, strlen(PARTITION)};
    batch->source_offset = (struct sl_span){(const uint8_t *)offset, strlen(offset)};
    return SL_OK;
}

static void source_wake(void *ptr)
{
    struct fake_source *self = ptr;

    (void)pthread_mutex_lock(&world.lock);
    self->woken = true;
    (void)pthread_cond_broadcast(&world.changed);
    (void)pthread_mutex_unlock(&world.lock);
}

static void plain_close(void *ptr)
{
    sl_free(ptr);
}

const struct sl_source_ops fake_source_ops = {
    .name = "fakesource",
    .classes = source_classes,
    .options = source_options,
    .plan = source_plan,
    .open = source_open,
    .poll = source_poll,
    .wake = source_wake,
    .close = plain_close,
};

/* ---- sink: one transaction in flight, as the real one has ---- */

struct fake_sink {
    const struct sl_sink_env *env;
    struct sl_batch *pending; /* put, not settled */
    bool woken;
};

static const char *const sink_classes[] = {"test.FakeSink", NULL};

static enum sl_rc sink_open(const struct sl_sink_env *env, const struct sl_props *props, void **ret_self,
                            struct sl_error *err)
{
    struct fake_sink *self = sl_zalloc(1, sizeof(*self));

    (void)props;
    (void)err;
    self->env = env;
    *ret_self = self;
    return SL_OK;
}

static struct sl_progress *held(const struct sl_progress *wanted)
{
    for (size_t i = 0; i < world.n_held; i++) {
        if (world.held[i].topic == wanted->topic && world.held[i].partition == wanted->partition)
            return &world.held[i];
    }
    return NULL;
}

static enum sl_rc sink_assign(void *ptr, struct sl_progress *partitions, size_t n, struct sl_error *err)
{
    struct fake_sink *self = ptr;
    enum sl_rc rc = SL_OK;

    SL_ASSERT(!self->pending);
    (void)pthread_mutex_lock(&world.lock);
    if (world.dead)
        rc = fake_dead(err);
    else if (world.faults.sink_down && world.faults.sink_down-- > 0)
        rc = sl_error_set(err, SL_E_CONNECT, "the fake target is away");
    for (size_t i = 0; rc == SL_OK && i < n; i++) {
        struct sl_progress *position = held(&partitions[i]);

        partitions[i].next_offset = position ? position->next_offset : -1;
    }
    (void)pthread_mutex_unlock(&world.lock);
    return rc;
}

static void commit_rows(const struct sl_batch *batch)
{
    for (uint32_t r = 0; r < batch->n_runs; r++) {
        const struct sl_run *run = &batch->runs[r];

        for (uint32_t i = run->first; i < run->first + run->count; i++) {
            const struct sl_record *record = &batch->records[i];
            struct fake_row *row;

            if (world.faults.bad_value && record->value.len == strlen(world.faults.bad_value) &&
                memcmp(record->value.bytes, world.faults.bad_value, record->value.len) == 0)
                continue;
            SL_GROW(world.rows, world.n_rows, world.rows_capacity);
            row = &world.rows[world.n_rows++];
            *row = (struct fake_row){.topic = run->topic,
                                     .partition = batch->progress[record->origin].partition,
                                     .offset = record->offset};
            (void)snprintf(row->value, sizeof(row->value), "%.*s", (int)record->value.len,
                           (const char *)record->value.bytes);
        }
    }
    for (uint32_t i = 0; i < batch->n_progress; i++) {
        struct sl_progress *position = held(&batch->progress[i]);

        /* The contract: what is applied follows what was applied, without gap or overlap. */
        SL_ASSERT(!position || position->next_offset == batch->progress[i].first_offset);
        if (!position) {
            SL_GROW(world.held, world.n_held, world.held_capacity);
            position = &world.held[world.n_held++];
        }
        *position = batch->progress[i];
    }
}

/* Bad rows are told before the transaction that leaves them out. */
static enum sl_rc report_bad(struct fake_sink *self, struct sl_error *err)
{
    struct sl_error why = {0};

    (void)sl_error_set(&why, SL_E_DATA, "the fake target refuses the row");
    sl_error_native(&why, "23514");
    for (uint32_t i = 0; world.faults.bad_value && i < self->pending->n_records; i++) {
        const struct sl_value *value = &self->pending->records[i].value;

        if (value->len == strlen(world.faults.bad_value) &&
            memcmp(value->bytes, world.faults.bad_value, value->len) == 0 &&
            self->env->bad_record(self->env->ctx, self->pending, i, &why, err))
            return err->rc;
    }
    return SL_OK;
}

static enum sl_rc transact(struct fake_sink *self, struct sl_error *err)
{
    enum sl_rc rc = SL_OK;

    (void)pthread_mutex_lock(&world.lock);
    while (world.faults.sink_hangs && !self->woken)
        (void)pthread_cond_wait(&world.changed, &world.lock);
    world.transactions++;
    if (self->woken) {
        rc = sl_error_set(err, SL_E_STOPPED, "woken");
    } else if (world.faults.sink_transient && world.transactions % world.faults.sink_transient == 0) {
        if (world.transactions % 2 && !world.dead) /* committed, but the answer is lost */
            commit_rows(self->pending);
        rc = sl_error_set(err, SL_E_CONNECT, "the fake connection is lost");
    } else {
        if (fake_step())
            commit_rows(self->pending);
        if (world.dead)
            rc = fake_dead(err);
    }
    (void)pthread_cond_broadcast(&world.changed);
    (void)pthread_mutex_unlock(&world.lock);
    return rc;
}

static enum sl_rc sink_flush(void *ptr, struct sl_error *err)
{
    struct fake_sink *self = ptr;
    struct sl_batch *batch = self->pending;
    enum sl_rc rc;

    if (!batch)
        return SL_OK;
    rc = report_bad(self, err);
    if (rc == SL_OK)
        rc = transact(self, err);
    self->pending = NULL;
    self->env->release(self->env->ctx, batch, rc == SL_OK);
    return rc;
}

static enum sl_rc sink_put(void *ptr, struct sl_batch *batch, struct sl_error *err)
{
    struct fake_sink *self = ptr;
    enum sl_rc rc = sink_flush(self, err);

    if (rc)
        self->env->release(self->env->ctx, batch, false);
    else
        self->pending = batch;
    return rc;
}

static enum sl_rc sink_reposition(void *ptr, const struct sl_progress *positions, size_t n,
                                  struct sl_error *err)
{
    (void)ptr;
    (void)err;
    (void)pthread_mutex_lock(&world.lock);
    for (size_t i = 0; i < n; i++) {
        struct sl_progress *position = held(&positions[i]);

        if (position && positions[i].next_offset < 0)
            *position = world.held[--world.n_held];
        else if (position)
            position->next_offset = positions[i].next_offset;
    }
    (void)pthread_mutex_unlock(&world.lock);
    return SL_OK;
}

static void sink_close(void *ptr)
{
    struct fake_sink *self = ptr;

    if (self->pending)
        self->env->release(self->env->ctx, self->pending, false);
    sl_free(self);
}

static void sink_wake(void *ptr)
{
    struct fake_sink *self = ptr;

    (void)pthread_mutex_lock(&world.lock);
    self->woken = true;
    (void)pthread_cond_broadcast(&world.changed);
    (void)pthread_mutex_unlock(&world.lock);
}

const struct sl_sink_ops fake_sink_ops = {
    .name = "fakesink",
    .classes = sink_classes,
    .options = no_options,
    .open = sink_open,
    .assign = sink_assign,
    .put = sink_put,
    .flush = sink_flush,
    .reposition = sink_reposition,
    .close = sink_close,
    .wake = sink_wake,
};

/* ---- converter: text as it is ---- */

static const char *const converter_classes[] = {"test.FakeConverter", NULL};

static enum sl_rc converter_open(const struct sl_props *props, const char *prefix, bool is_key,
                                 struct sl_registry *registry, void **ret_self, struct sl_error *err)
{
    (void)props;
    (void)prefix;
    (void)is_key;
    (void)registry;
    (void)err;
    *ret_self = sl_alloc(1);
    return SL_OK;
}

static bool converter_is_away(void)
{
    bool away;

    (void)pthread_mutex_lock(&world.lock);
    away = world.faults.converter_away > 0;
    world.faults.converter_away -= away;
    (void)pthread_mutex_unlock(&world.lock);
    return away;
}

static enum sl_rc converter_encode(void *self, const struct sl_topic *topic, const struct sl_schema *schema,
                                   struct sl_value value, struct sl_buf *out, bool *ret_null,
                                   struct sl_error *err)
{
    const char *bad = world.faults.unencodable;

    (void)self;
    (void)topic;
    (void)schema;
    if (bad && value.len == strlen(bad) && memcmp(value.bytes, bad, value.len) == 0)
        return sl_error_set(err, SL_E_DATA, "the fake converter cannot write '%s'", bad);
    if (converter_is_away())
        return sl_error_set(err, SL_E_CONNECT, "the fake registry is away");
    *ret_null = sl_is_null(value);
    if (!*ret_null)
        sl_buf_put(out, value.bytes, value.len);
    return SL_OK;
}

static enum sl_rc converter_decode(void *self, const struct sl_topic *topic, struct sl_span bytes,
                                   struct sl_arena *arena, const struct sl_schema **ret_schema,
                                   struct sl_value *ret_value, struct sl_error *err)
{
    const char *bad = world.faults.undecodable;

    (void)self;
    (void)topic;
    (void)arena;
    if (bad && bytes.len == strlen(bad) && memcmp(bytes.ptr, bad, bytes.len) == 0)
        return sl_error_set(err, SL_E_DATA, "the fake converter refuses '%s'", bad);
    if (converter_is_away())
        return sl_error_set(err, SL_E_CONNECT, "the fake registry is away");
    *ret_schema = bytes.ptr ? sl_schema_plain(SL_STRING, false) : NULL;
    *ret_value = bytes.ptr ? sl_bytes(SL_STRING, bytes.ptr, bytes.len) : sl_null();
    return SL_OK;
}

const struct sl_converter_ops fake_converter_ops = {
    .name = "fakeconverter",
    .classes = converter_classes,
    .options = no_options,
    .open = converter_open,
    .encode = converter_encode,
    .decode = converter_decode,
    .close = plain_close,
};
