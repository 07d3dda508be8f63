/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sluice's own way to a broker, or back, without sources and sinks: batches of 4,000 records of 250 bytes
 * with a key go through an appender, three of them on their way as a source task has it; or are read.
 *
 *     kafka_loop produce|consume BOOTSTRAP TOPIC ROWS STATE_DIR [PAUSE_US]
 *
 * PAUSE_US: a reader that has something to do between two batches.
 *
 * Prints one JSON line: the peak of memory, and the seconds between the same two events as
 * rdkafka_performance has them. Producing: from the first record handed in, when the producer exists and is
 * not connected yet, to the last acknowledgement. Reading: from the first record received to the last.
 */
#include "base/alloc.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/props.h"
#include "base/queue.h"
#include "measure.h"
#include "transport/kafka/kafka.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { BATCH = 4000, IN_FLIGHT = 3, KEY = 8, VALUE = 242 };

struct batch {
    struct sl_queue *idle;
    struct sl_log_record records[BATCH];
    uint8_t bytes[BATCH][KEY + VALUE];
};

static void must(enum sl_rc rc, const struct sl_error *err)
{
    if (rc == SL_OK)
        return;
    (void)fprintf(stderr, "kafka_loop: %s\n", err->text);
    exit(1);
}

/* Bytes that no compressor would find much in, were there one; of today, for a broker removes what is old. */
static void fill(struct batch *batch, const struct sl_topic *topic, uint32_t *noise)
{
    int64_t now_ms = sl_wall_us() / 1000;

    for (int i = 0; i < BATCH; i++) {
        uint8_t *at = batch->bytes[i];

        for (int k = 0; k < KEY + VALUE; k++) {
            *noise = *noise * 1664525 + 1013904223;
            at[k] = (uint8_t)(*noise >> 24);
        }
        batch->records[i] = (struct sl_log_record){
            .topic = topic, .timestamp_ms = now_ms, .key = {at, KEY}, .value = {at + KEY, VALUE}};
    }
}

static void done(void *ctx, const struct sl_error *failure)
{
    struct batch *batch = ctx;

    if (failure)
        must(failure->rc, failure);
    (void)sl_queue_push(batch->idle, batch, SL_FOREVER);
}

static double produce(struct sl_transport *log, const struct sl_topic *topic, long rows)
{
    const struct sl_appender_config config = {.connector = "bench", .role = "producer"};
    struct sl_queue *idle = sl_queue_new(IN_FLIGHT);
    struct batch *batches = sl_zalloc(IN_FLIGHT, sizeof(*batches));
    struct sl_log_appender *appender;
    struct sl_error err;
    uint32_t noise = 1;
    int64_t began_us;
    int64_t over_us;
    void *item;

    for (int i = 0; i < IN_FLIGHT; i++) {
        batches[i].idle = idle;
        fill(&batches[i], topic, &noise);
        (void)sl_queue_push(idle, &batches[i], 0);
    }
    must(log->ops->appender_open(log, &config, &appender, &err), &err);
    began_us = sl_now_us();
    for (long left = rows; left > 0; left -= BATCH) {
        struct sl_append append = {.n_records = left < BATCH ? (size_t)left : BATCH};

        (void)sl_queue_pop(idle, SL_FOREVER, &item);
        append.records = ((struct batch *)item)->records;
        log->ops->appender_append(appender, &append, done, item);
    }
    for (int i = 0; i < IN_FLIGHT; i++)
        (void)sl_queue_pop(idle, SL_FOREVER, &item);
    over_us = sl_now_us();
    log->ops->appender_close(appender, sl_now_us() + 1000000);
    sl_queue_free(idle);
    sl_free(batches);
    return (double)(over_us - began_us) / 1e6;
}

static double consume(struct sl_transport *log, const struct sl_topic *topic, long rows, long pause_us)
{
    const struct sl_progress start = {.topic = topic, .next_offset = -1};
    const struct timespec pause = {.tv_sec = pause_us / 1000000, .tv_nsec = pause_us % 1000000 * 1000};
    struct sl_arena *arena = sl_arena_new(256 << 10);
    struct sl_log_reader *reader;
    struct sl_error err;
    int64_t began_us = 0;
    int64_t over_us;
    long seen = 0;

    must(log->ops->reader_open(log, "connect-bench", &start, 1, &reader, &err), &err);
    while (seen < rows) {
        struct sl_fetched fetched = {0};

        sl_arena_reset(arena);
        must(log->ops->fetch(reader, 4 << 20, BATCH, sl_now_us() + 1000000, arena, &fetched, &err), &err);
        if (!seen && fetched.n_records)
            began_us = sl_now_us();
        seen += (long)fetched.n_records;
        if (pause_us)
            (void)nanosleep(&pause, NULL);
    }
    over_us = sl_now_us();
    log->ops->reader_close(reader);
    sl_arena_free(arena);
    return (double)(over_us - began_us) / 1e6;
}

int main(int argc, char **argv)
{
    struct sl_props *props = sl_props_new();
    struct sl_topic_settings settings = {
        .partitions = 1, .retention_ms = SL_LOG_DEFAULT, .retention_bytes = SL_LOG_DEFAULT};
    const struct sl_topic *topic;
    struct sl_transport *log;
    struct sl_error err;
    double seconds;
    long rows;

    if (argc < 6 || argc > 7) {
        (void)fprintf(stderr,
                      "usage: kafka_loop produce|consume BOOTSTRAP TOPIC ROWS STATE_DIR [PAUSE_US]\n");
        return 2;
    }
    rows = strtol(argv[4], NULL, 10);
    topic = sl_topic_intern(argv[3], strlen(argv[3]));
    sl_props_set(props, "bootstrap.servers", argv[2]);
    sl_props_set(props, "sluice.state.dir", argv[5]);
    must(sl_transport_kafka.open(props, false, &log, &err), &err);
    must(log->ops->create_topic(log, topic, &settings, &err), &err);
    seconds = strcmp(argv[1], "produce") == 0
                  ? produce(log, topic, rows)
                  : consume(log, topic, rows, argc > 6 ? strtol(argv[6], NULL, 10) : 0);
    (void)printf("{\"seconds\": %.6f, \"rss_mb\": %.1f}\n", seconds, bench_peak_mb());
    log->ops->close(log);
    sl_props_free(props);
    return 0;
}
