/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What was written, in the order of writing, in one file: `journal` in the state directory. Each record is
 * handed to the kernel before the client has its answer, so a killed process loses nothing (a machine that
 * loses its power may). A start reads it from the beginning; a record cut short by the kill is cut off. A
 * long journal is then written anew from what is in memory.
 *
 * Record: u32 length of the rest, u32 check sum of it, u8 kind, content. Little-endian.
 */
#include "../cdc/cdc.h"
#include "server.h"
#include "table_make.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { RECORD_START = 1, RECORD_CATALOG = 2, RECORD_UPDATES = 3, RECORD_TRUNCATE = 4 };
enum { HEAD_BYTES = 8 };
enum { REWRITE_BYTES = 8 * 1024 * 1024 };

struct sy_journal {
    int fd;
    int dir_fd; /* locked while the server is open: two at one directory would spoil it */
    const char *path;
    struct sy_buffer record;
    uint64_t n_starts;
};

static uint32_t check_sum(const uint8_t *bytes, size_t len)
{
    uint64_t hash = 0xcbf29ce484222325u;

    for (size_t i = 0; i < len; i++)
        hash = (hash ^ bytes[i]) * 0x100000001b3u;
    return (uint32_t)(hash ^ hash >> 32);
}

static void put_u32(uint8_t *at, uint32_t v)
{
    for (int i = 0; i < 4; i++)
        at[i] = (uint8_t)(v >> (8 * i));
}

static uint32_t get_u32(const uint8_t *at)
{
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static struct sy_buffer *record_begin(struct sy_journal *journal, uint8_t kind)
{
    static const uint8_t head[HEAD_BYTES];

    journal->record.len = 0;
    sy_buffer_put(&journal->record, head, sizeof(head));
    sy_buffer_put_u8(&journal->record, kind);
    return &journal->record;
}

/* A write that fails ends the program: its clients must not be told that it was kept. */
static void record_end(struct sy_journal *journal)
{
    struct sy_buffer *record = &journal->record;
    size_t done = 0;

    put_u32(record->bytes, (uint32_t)(record->len - HEAD_BYTES));
    put_u32(record->bytes + 4, check_sum(record->bytes + HEAD_BYTES, record->len - HEAD_BYTES));
    while (done < record->len) {
        ssize_t n = write(journal->fd, record->bytes + done, record->len - done);

        if (n < 0 && errno != EINTR) {
            fprintf(stderr, "%s: %s\nHINT: the disk may be full; what was answered before is kept.\n",
                    journal->path, strerror(errno));
            abort();
        }
        done += n > 0 ? (size_t)n : 0;
    }
    if (record->size > 4 * 1024 * 1024)
        sy_buffer_free(record);
}

static void put_updates(struct sy_buffer *record, const struct sy_update *const *updates, uint32_t n)
{
    struct sy_buffer one = {0};

    for (uint32_t i = 0; i < n; i++) {
        if (updates[i]->table->data->local)
            continue;
        one.len = 0;
        sy_update_pack(&one, updates[i]);
        sy_buffer_put_varint(record, one.len);
        sy_buffer_put(record, one.bytes, one.len);
    }
    sy_buffer_free(&one);
}

void sy_journal_updates(struct sy_server *server, const struct sy_update *const *updates, uint32_t n)
{
    struct sy_journal *journal = server->journal;

    if (journal == NULL || n == 0)
        return;
    put_updates(record_begin(journal, RECORD_UPDATES), updates, n);
    record_end(journal);
}

static void put_catalog(struct sy_server *server, struct sy_buffer *record)
{
    sy_catalog_save(server, record);
    sy_cdc_state_save(server, record);
}

void sy_journal_catalog(struct sy_server *server)
{
    if (server->journal == NULL)
        return;
    put_catalog(server, record_begin(server->journal, RECORD_CATALOG));
    record_end(server->journal);
}

void sy_journal_truncate(struct sy_server *server, const struct sy_table *table)
{
    if (server->journal == NULL || table->data->local)
        return;
    sy_buffer_put(record_begin(server->journal, RECORD_TRUNCATE), table->id, 16);
    record_end(server->journal);
}

/* --- reading it back --- */

static bool replay_updates(struct sy_server *server, struct sy_reader *reader, struct sy_arena *arena)
{
    while (reader->at < reader->end && !reader->bad) {
        size_t len = (size_t)sy_reader_varint(reader);
        const uint8_t *bytes = sy_reader_bytes(reader, len);
        struct sy_reader one = {.at = bytes, .end = bytes != NULL ? bytes + len : NULL};
        struct sy_update update;

        if (bytes == NULL || !sy_update_unpack(&one, server, arena, &update))
            return false;
        if (update.table != NULL)
            sy_store_apply_update(server, &update, 0, arena);
    }
    return !reader->bad;
}

static bool replay_truncate(struct sy_server *server, struct sy_reader *reader)
{
    const uint8_t *id = sy_reader_bytes(reader, 16);

    for (struct sy_table_data *data = server->catalog.data; id != NULL && data != NULL; data = data->next) {
        if (memcmp(data->id, id, 16) == 0)
            sy_partitions_clear(&data->partitions[0]);
    }
    return id != NULL;
}

static bool replay(struct sy_server *server, const uint8_t *bytes, size_t len, struct sy_arena *arena)
{
    struct sy_reader reader = {.at = bytes, .end = bytes + len};

    switch (sy_reader_u8(&reader)) {
    case RECORD_START: server->journal->n_starts = sy_reader_u64(&reader); return true;
    case RECORD_CATALOG: return sy_catalog_load(server, &reader) && sy_cdc_state_load(server, &reader);
    case RECORD_UPDATES: return replay_updates(server, &reader, arena);
    case RECORD_TRUNCATE: return replay_truncate(server, &reader);
    default: return false;
    }
}

/* One record from the file: 1 there, 0 the end (or a cut tail), -1 damaged. */
static int read_record(FILE *file, struct sy_buffer *buffer)
{
    uint8_t head[HEAD_BYTES];
    uint32_t len;

    if (fread(head, 1, sizeof(head), file) != sizeof(head))
        return 0;
    len = get_u32(head);
    if (len == 0 || len > INT32_MAX)
        return -1;
    buffer->len = 0;
    sy_buffer_grow(buffer, len);
    if (fread(buffer->bytes, 1, len, file) != len)
        return 0;
    buffer->len = len;
    return check_sum(buffer->bytes, len) == get_u32(head + 4) ? 1 : -1;
}

static bool recover(struct sy_server *server)
{
    FILE *file = fopen(server->journal->path, "re");
    struct sy_buffer buffer = {0};
    struct sy_arena arena = {0};
    long good = 0;
    int found = 0;
    bool ok = true;

    if (file == NULL)
        return errno == ENOENT;
    while (ok && (found = read_record(file, &buffer)) == 1) {
        ok = replay(server, buffer.bytes, buffer.len, &arena);
        sy_arena_reset(&arena);
        if (ok)
            good = ftell(file);
    }
    if (!ok || found < 0)
        fprintf(stderr,
                "%s: the record at byte %ld is damaged\nHINT: remove the file to start without data.\n",
                server->journal->path, good);
    else if (truncate(server->journal->path, good) != 0)
        ok = false;
    fclose(file);
    sy_buffer_free(&buffer);
    sy_arena_free(&arena);
    return ok && found >= 0;
}

/* --- writing it anew --- */

static void save_row(const struct sy_stored_row *row, struct sy_arena *arena, struct sy_row_data *ret)
{
    if (!sy_stored_row_unpack(row, arena, ret))
        *ret = (struct sy_row_data){0};
}

static void save_partition(struct sy_server *server, const struct sy_table *table,
                           const struct sy_partition *partition, struct sy_arena *arena)
{
    struct sy_update update = {.table = table,
                               .key_bytes = partition->key,
                               .key_len = partition->key_len,
                               .token = partition->token,
                               .has_tombstone = partition->has_tombstone,
                               .tombstone_us = partition->tombstone_us,
                               .has_static = partition->static_row != NULL};
    const struct sy_update *one = &update;

    if (update.has_static)
        save_row(partition->static_row, arena, &update.static_row);
    update.rows = sy_arena_alloc(arena, (partition->rows.n + 1) * sizeof(*update.rows));
    if (partition->single != NULL)
        save_row(partition->single, arena, &update.rows[update.n_rows++].data);
    for (struct sy_order_node *node = partition->rows.first[0]; node != NULL; node = node->next[0]) {
        struct sy_value *key = sy_arena_raw(arena, table->n_clustering * sizeof(*key));

        if (table->is_cdc_log && sy_stored_row_expired(node->item, sy_server_now_s(server), arena))
            continue;
        sy_stored_row_key(node->item, table->n_clustering, key);
        update.rows[update.n_rows].clustering = key;
        save_row(node->item, arena, &update.rows[update.n_rows++].data);
    }
    update.ranges = sy_arena_alloc(arena, partition->n_ranges * sizeof(*update.ranges));
    update.n_ranges = partition->n_ranges;
    for (uint32_t i = 0; i < partition->n_ranges; i++)
        update.ranges[i] = (struct sy_range_write){.start = partition->ranges[i].start,
                                                   .end = partition->ranges[i].end,
                                                   .timestamp_us = partition->ranges[i].timestamp_us};
    sy_journal_updates(server, &one, 1);
    sy_arena_reset(arena);
}

static void put_start(struct sy_server *server)
{
    sy_buffer_put_u64(record_begin(server->journal, RECORD_START), server->journal->n_starts);
    record_end(server->journal);
}

static void save_everything(struct sy_server *server)
{
    struct sy_catalog *catalog = &server->catalog;
    struct sy_arena arena = {0};

    put_start(server);
    sy_journal_catalog(server);
    for (uint32_t i = 0; i < catalog->n_tables; i++) {
        const struct sy_table *table = catalog->tables[i];

        if (table->data->local)
            continue;
        for (struct sy_order_node *node = table->data->partitions[0].order.first[0]; node != NULL;
             node = node->next[0])
            save_partition(server, table, node->item, &arena);
    }
    for (struct sy_held *held = server->held; held != NULL; held = held->next) {
        struct sy_buffer *record = record_begin(server->journal, RECORD_UPDATES);

        sy_buffer_put_varint(record, held->packed.len);
        sy_buffer_put(record, held->packed.bytes, held->packed.len);
        record_end(server->journal);
    }
    sy_arena_free(&arena);
}

static bool rewrite(struct sy_server *server)
{
    struct sy_journal *journal = server->journal;
    struct sy_arena arena = {0};
    const char *next = sy_arena_format(&arena, "%s.new", journal->path);
    bool ok;

    journal->fd = open(next, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0666);
    ok = journal->fd >= 0;
    if (ok) {
        save_everything(server);
        ok = rename(next, journal->path) == 0;
    }
    if (!ok)
        fprintf(stderr, "%s: %s\n", next, strerror(errno));
    sy_arena_free(&arena);
    return ok;
}

/* --- opening and closing --- */

static bool open_file(struct sy_server *server)
{
    struct sy_journal *journal = server->journal;
    struct stat status;

    if (stat(journal->path, &status) == 0 && status.st_size > REWRITE_BYTES)
        return rewrite(server);
    journal->fd = open(journal->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (journal->fd < 0) {
        fprintf(stderr, "%s: %s\n", journal->path, strerror(errno));
        return false;
    }
    put_start(server);
    return true;
}

static bool lock_dir(struct sy_journal *journal, const char *dir)
{
    journal->dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (journal->dir_fd >= 0 && flock(journal->dir_fd, LOCK_EX | LOCK_NB) == 0)
        return true;
    if (errno == EWOULDBLOCK)
        fprintf(stderr, "%s: another server has it open\nHINT: stop that one, or name another directory.\n",
                dir);
    else
        fprintf(stderr, "%s: %s\n", dir, strerror(errno));
    return false;
}

bool sy_journal_open(struct sy_server *server)
{
    struct sy_arena *memory = &server->catalog.statement_memory;
    const char *dir = server->options.state_dir;
    struct sy_journal *journal;

    if (dir == NULL)
        return true;
    if (mkdir(dir, 0777) != 0 && errno != EEXIST) {
        fprintf(stderr, "%s: %s\nHINT: the state directory's parent must exist.\n", dir, strerror(errno));
        return false;
    }
    journal = sy_arena_alloc(memory, sizeof(*journal));
    journal->fd = journal->dir_fd = -1;
    journal->path = sy_arena_format(memory, "%s/journal", dir);
    server->journal = journal;
    if (!lock_dir(journal, dir) || !recover(server))
        return false;
    journal->n_starts++;
    /* Numbers that were drawn before the kill must not come again. */
    sy_server_seed_random(server, server->options.seed + (journal->n_starts - 1) * 0x9E3779B97F4A7C15u);
    return open_file(server);
}

void sy_journal_close(struct sy_server *server)
{
    if (server->journal == NULL)
        return;
    if (server->journal->fd >= 0)
        close(server->journal->fd);
    if (server->journal->dir_fd >= 0)
        close(server->journal->dir_fd);
    sy_buffer_free(&server->journal->record);
    server->journal = NULL;
}
