/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The embedded log's stages alone, on one thread: batches of 4,000 encoded changes appended, each durable
 * with its source's position, and fetched again; beside the budget of the design.
 *
 *     log_stages [batches]
 */
#include "base/alloc.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/props.h"
#include "stage.h"
#include "transport/sqlite/sqlite.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ROWS = 4000, KEY_BYTES = 9, VALUE_BYTES = 250, FETCH_BYTES = 4 * 1024 * 1024 };

struct bench {
    struct sl_transport *log;
    struct sl_log_record records[ROWS];
    uint8_t bytes[ROWS][KEY_BYTES + VALUE_BYTES];
    char folder[64];
};

static void must(enum sl_rc rc, const struct sl_error *err)
{
    if (rc == SL_OK)
        return;
    (void)fprintf(stderr, "log_stages: %s\n", err->text);
    exit(1);
}

/* What Debezium's envelopes look like to a compressor: mostly the same, with numbers and a little text of its
 * own. */
static void make_records(struct bench *bench)
{
    static const char frame[] = "\x0c"
                                "2.5.4.Final\x12"
                                "sqlserver\x06"
                                "srv\x00\x0a"
                                "false\x08shop\x00\x06"
                                "dbo"
                                "\x0c"
                                "orders\x2c"
                                "00000027:00000758:0003\x2c"
                                "00000027:00000758:0005";
    static const char *const notes[] = {"left at the door of the neighbour", "gift, please wrap it in paper",
                                        "call before delivery", "shipped by night"};
    const struct sl_topic *topic = sl_topic_intern("orders", 6);
    uint32_t noise = 12345;

    for (int i = 0; i < ROWS; i++) {
        uint8_t *at = bench->bytes[i];
        const char *note = notes[i % 4];

        memset(at, 0, KEY_BYTES + VALUE_BYTES);
        memcpy(at + 5, &i, sizeof(i));
        memcpy(at + KEY_BYTES + 5, &i, sizeof(i));
        for (int j = 0; j < 24; j++) {
            noise = noise * 1664525 + 1013904223;
            at[KEY_BYTES + 10 + j] = (uint8_t)(noise >> 24);
        }
        memcpy(at + KEY_BYTES + 40, note, strlen(note));
        memcpy(at + KEY_BYTES + 90, frame, sizeof(frame) - 1);
        bench->records[i] = (struct sl_log_record){.topic = topic,
                                                   .timestamp_ms = 1700000000000 + i,
                                                   .key = {at, KEY_BYTES},
                                                   .value = {at + KEY_BYTES, VALUE_BYTES}};
    }
}

static void open_log(struct bench *bench)
{
    struct sl_props *props = sl_props_new();
    struct sl_error err = {0};

    (void)snprintf(bench->folder, sizeof(bench->folder), "/tmp/log-stages-XXXXXX");
    if (!mkdtemp(bench->folder)) {
        perror("log_stages: a folder in /tmp");
        exit(1);
    }
    sl_props_set(props, "sluice.state.dir", bench->folder);
    must(sl_transport_sqlite.open(props, false, &bench->log, &err), &err);
    sl_props_free(props);
}

static void remove_log(struct bench *bench)
{
    DIR *files;

    sl_transport_sqlite.close(bench->log);
    files = opendir(bench->folder);
    for (struct dirent *file = files ? readdir(files) : NULL; file; file = readdir(files)) {
        char path[512];

        (void)snprintf(path, sizeof(path), "%s/%s", bench->folder, file->d_name);
        (void)unlink(path);
    }
    if (files)
        (void)closedir(files);
    if (rmdir(bench->folder) != 0)
        (void)fprintf(stderr, "log_stages: '%s' is left behind\n", bench->folder);
}

static void append_all(struct bench *bench, long batches)
{
    static const char partition[] = "{\"server\":\"srv\",\"database\":\"shop\"}";
    uint32_t rows = (uint32_t)batches * ROWS;
    struct bench_stage cpu = {
        .name = "append, CPU", .rows = rows, .budget_ns = 1000, .clock = BENCH_PROCESS_CPU};
    struct bench_stage wall = {.name = "append, wall with syncs", .rows = rows, .budget_ns = 1000};

    bench_stage_begin(&cpu);
    bench_stage_begin(&wall);
    for (long i = 0; i < batches; i++) {
        char offset[64];
        int len = snprintf(offset, sizeof(offset), "{\"commit_lsn\":\"%ld\"}", i);
        struct sl_source_offset position = {.connector = "bench",
                                            .partition = {(const uint8_t *)partition, sizeof(partition) - 1},
                                            .offset = {(const uint8_t *)offset, (size_t)len}};
        struct sl_append append = {
            .records = bench->records, .n_records = ROWS, .offsets = &position, .n_offsets = 1};
        struct sl_error err = {0};

        must(sl_transport_sqlite.append(bench->log, &append, &err), &err);
    }
    bench_stage_end(&wall, (size_t)rows * (KEY_BYTES + VALUE_BYTES));
    bench_stage_end(&cpu, (size_t)rows * (KEY_BYTES + VALUE_BYTES));
    bench_stage_tell(&cpu);
    bench_stage_tell(&wall);
}

static void fetch_all(struct bench *bench, long batches)
{
    struct sl_progress start = {.topic = bench->records[0].topic, .next_offset = -1};
    struct sl_arena *arena = sl_arena_new((size_t)1 << 20);
    struct sl_log_reader *reader;
    struct sl_error err = {0};
    struct bench_stage stage = {
        .name = "fetch, CPU", .rows = (uint32_t)batches * ROWS, .budget_ns = 150, .clock = BENCH_PROCESS_CPU};
    long rows = 0;

    must(sl_transport_sqlite.reader_open(bench->log, "connect-bench", &start, 1, &reader, &err), &err);
    bench_stage_begin(&stage);
    while (rows < batches * ROWS) {
        struct sl_fetched fetched;

        sl_arena_reset(arena);
        must(sl_transport_sqlite.fetch(reader, FETCH_BYTES, ROWS, sl_now_us() + 1000000, arena, &fetched,
                                       &err),
             &err);
        if (!fetched.n_records) {
            (void)fprintf(stderr, "log_stages: the log gave %ld rows and no more\n", rows);
            exit(1);
        }
        rows += (long)fetched.n_records;
    }
    bench_stage_end(&stage, (size_t)rows * (KEY_BYTES + VALUE_BYTES));
    bench_stage_tell(&stage);
    sl_transport_sqlite.reader_close(reader);
    sl_arena_free(arena);
}

int main(int argc, char **argv)
{
    long batches = argc > 1 ? strtol(argv[1], NULL, 10) : 50;
    struct bench *bench = sl_zalloc(1, sizeof(*bench));

    make_records(bench);
    open_log(bench);
    append_all(bench, batches);
    fetch_all(bench, batches);
    remove_log(bench);
    sl_free(bench);
    return 0;
}
