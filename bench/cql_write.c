/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes orders into ScyllaDB, at a steady rate or as fast as the cluster takes them:
 *
 *     cql_write HOST:PORT RATE SECONDS KEYS UPDATES TABLE...
 *
 * RATE writes a second for SECONDS, or with RATE 0 as many writes as SECONDS says. They go to the tables in
 * turn and to KEYS keys of each, in turn. One write in UPDATES (0: none) is a partial update of a key that
 * was written before. Each write's own timestamp stands in column written_us, too: from there latency counts.
 *
 * The clock of a write is that of its turn's sending, not of when it was due: a late writer is no latency.
 */
#include "base/clock.h"
#include "measure.h"
#include "net/cql/cql.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { TABLES_MAX = 16, IN_FLIGHT = 256, PATIENCE_US = 30 * 1000000 };

static const char *const columns = "(id bigint PRIMARY KEY, customer uuid, status text, total decimal, "
                                   "placed_at timestamp, note text, written_us bigint)";

struct writer {
    struct sl_cql *cql;
    struct sl_cql_statement *insert[TABLES_MAX], *update[TABLES_MAX];
    uint32_t n_tables;
    uint64_t keys, updates;
    uint64_t sent, failed;
    struct sl_cql_values values;
    uint64_t random;
};

static void must(enum sl_rc rc, const struct sl_error *err)
{
    if (rc == SL_OK)
        return;
    (void)fprintf(stderr, "cql_write: %s\n", err->text);
    exit(1);
}

static struct sl_cql_statement *prepare(struct writer *w, const char *text)
{
    struct sl_cql_statement *statement;
    struct sl_error err = {0};

    must(sl_cql_prepare(w->cql, text, sl_now_us() + PATIENCE_US, &statement, &err), &err);
    return statement;
}

static void prepare_table(struct writer *w, const char *table)
{
    char text[512];

    (void)snprintf(text, sizeof(text),
                   "INSERT INTO %s (id, customer, status, total, placed_at, note, written_us) "
                   "VALUES (?, ?, ?, ?, ?, ?, ?)",
                   table);
    w->insert[w->n_tables] = prepare(w, text);
    (void)snprintf(text, sizeof(text), "UPDATE %s SET status = ?, written_us = ? WHERE id = ?", table);
    w->update[w->n_tables++] = prepare(w, text);
}

static uint64_t next_random(struct writer *w)
{
    w->random ^= w->random << 13;
    w->random ^= w->random >> 7;
    w->random ^= w->random << 17;
    return w->random;
}

static void bind_insert(struct writer *w, uint64_t id, int64_t now_us)
{
    static const char *const states[] = {"new", "paid", "packed", "sent", "delivered"};
    uint64_t r = next_random(w);
    uint64_t uuid[2] = {r, next_random(w)};
    uint8_t total[8] = {0, 0, 0, 2, 0, (uint8_t)(r >> 40), (uint8_t)(r >> 48), (uint8_t)(r >> 56)};
    char note[64];

    (void)snprintf(note, sizeof(note), "leave it at door %" PRIu64 ", thank you", r % 1000);
    sl_cql_bind_int64(&w->values, (int64_t)id);
    sl_cql_bind_bytes(&w->values, uuid, sizeof(uuid));
    sl_cql_bind_text(&w->values, states[r % 5]);
    sl_cql_bind_bytes(&w->values, total, sizeof(total));
    sl_cql_bind_int64(&w->values, now_us / 1000);
    sl_cql_bind_text(&w->values, note);
    sl_cql_bind_int64(&w->values, now_us);
}

static void bind_update(struct writer *w, uint64_t id, int64_t now_us)
{
    sl_cql_bind_text(&w->values, "returned");
    sl_cql_bind_int64(&w->values, now_us);
    sl_cql_bind_int64(&w->values, (int64_t)id);
}

/* The write of number w->sent; two of them never have the same microsecond. */
static void write_one(struct writer *w)
{
    static int64_t last_us;
    uint32_t table = (uint32_t)(w->sent % w->n_tables);
    uint64_t turn = w->sent / w->n_tables;
    int64_t now_us = sl_wall_us();
    bool is_update = w->updates && turn > 100 && turn % w->updates == 0;
    struct sl_error err = {0};

    now_us = last_us = now_us > last_us ? now_us : last_us + 1;
    sl_cql_values_reset(&w->values);
    if (is_update)
        bind_update(w, next_random(w) % turn % w->keys, now_us);
    else
        bind_insert(w, turn % w->keys, now_us);
    must(sl_cql_submit(w->cql,
                       &(struct sl_cql_request){.statement = is_update ? w->update[table] : w->insert[table],
                                                .values = &w->values,
                                                .consistency = SL_CQL_LOCAL_QUORUM,
                                                .has_timestamp = true,
                                                .timestamp_us = now_us},
                       &err),
         &err);
    w->sent++;
}

static void take_answer(struct writer *w, int64_t deadline_us)
{
    struct sl_cql_answer *answer = sl_cql_poll(w->cql, deadline_us);

    if (!answer)
        return;
    if (answer->rc != SL_OK && w->failed++ == 0)
        (void)fprintf(stderr, "cql_write: %s\n", answer->err.text);
    sl_cql_answer_free(answer);
}

static void write_steadily(struct writer *w, uint64_t rate, uint64_t total)
{
    int64_t began_us = sl_now_us();

    while (w->sent < total) {
        int64_t now_us = sl_now_us();
        int64_t due_us = rate ? began_us + (int64_t)(w->sent * 1000000 / rate) : now_us;

        if (due_us <= now_us && sl_cql_in_flight(w->cql) < IN_FLIGHT)
            write_one(w);
        else
            take_answer(w, due_us > now_us ? due_us : now_us + PATIENCE_US);
    }
    while (sl_cql_in_flight(w->cql) > 0)
        take_answer(w, sl_now_us() + PATIENCE_US);
}

static uint64_t number(const char *text)
{
    return strtoull(text, NULL, 10);
}

int main(int argc, char **argv)
{
    struct writer w = {.random = 0x9E3779B97F4A7C15};
    struct bench_run measured;
    struct sl_error err = {0};
    uint64_t rate, total;

    if (argc < 7 || argc - 6 > TABLES_MAX || number(argv[4]) == 0) {
        (void)fprintf(stderr, "usage: cql_write HOST:PORT RATE SECONDS KEYS UPDATES TABLE...\ntables: %s\n",
                      columns);
        return 2;
    }
    rate = number(argv[2]);
    total = rate ? rate * number(argv[3]) : number(argv[3]);
    w.keys = number(argv[4]);
    w.updates = number(argv[5]);
    must(sl_cql_new(&(struct sl_cql_config){.contact_points = argv[1], .application = "bench"}, &w.cql, &err),
         &err);
    must(sl_cql_connect(w.cql, sl_now_us() + PATIENCE_US, &err), &err);
    for (int i = 6; i < argc; i++)
        prepare_table(&w, argv[i]);
    measured = bench_begin(0);
    write_steadily(&w, rate, total);
    bench_tell(&measured, "writes", w.sent - w.failed);
    sl_cql_values_done(&w.values);
    sl_cql_free(w.cql);
    return w.failed ? 1 : 0;
}
