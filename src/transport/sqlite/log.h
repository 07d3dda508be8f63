/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The inside of the embedded log: what its files share. Outsiders see sqlite.h.
 *
 * Two locks. `lock` guards the writing connection: whoever changes the file holds it, for as long as a sync
 * takes. `table_lock` guards what is known in memory (topics, partitions, readers' positions) and is held for
 * moments. Who takes both takes `lock` first. Topics and partitions change under both, so holding either is
 * enough to read them; positions of readers are read and changed under `table_lock`. `wait_lock` guards only
 * the waking of readers and of the housekeeping thread; nothing else is taken under it.
 */
#ifndef SLUICE_TRANSPORT_SQLITE_LOG_H
#define SLUICE_TRANSPORT_SQLITE_LOG_H

#include "base/thread.h"
#include "sluice/transport.h"
#include "transport/sqlite/block.h"
#include "transport/sqlite/db.h"
#include "transport/sqlite/watch.h"

struct sl_sqlite_topic;

/* A row of the table partitions, and what append needs while it works. */
struct sl_sqlite_partition {
    struct sl_sqlite_topic *topic;
    int64_t id;
    int64_t topic_id;
    int32_t number;
    int64_t first_offset;
    int64_t next_offset;
    int64_t bytes;             /* of its blocks */
    int64_t last_batch;        /* id of the newest batch that it ever had; 0: none */
    int64_t cleaned_to;        /* compacted topics: offsets below it hold each key once */
    int64_t tombstones_due_ms; /* compacted topics: when the next kept tombstone may go; INT64_MAX: none */

    uint32_t n_group; /* append: how many records of this append are its own */
    uint32_t head, tail;
};

struct sl_sqlite_topic {
    const struct sl_topic *topic;
    int64_t id;
    struct sl_topic_settings settings;
    struct sl_sqlite_partition *partitions; /* settings.partitions of them */
    int64_t bytes;                          /* retention: of all partitions, while it works */
};

/* How far a reader's name has come in one partition. Retention keeps the rest. */
struct sl_sqlite_hold {
    struct sl_sqlite_partition *partition;
    int64_t next_offset;
    int64_t stored; /* what the file says; -1: nothing */
};

struct sl_sqlite_name {
    char *name;
    struct sl_sqlite_hold *holds; /* ordered by partition id */
    size_t n_holds, holds_capacity;
    const struct sl_topic **reserved;
    size_t n_reserved, reserved_capacity;
};

/* A position that the transaction at hand writes. */
struct sl_sqlite_pending {
    struct sl_sqlite_name *name;
    struct sl_sqlite_partition *partition;
    int64_t next_offset;
};

struct sl_sqlite_settings {
    enum sl_block_codec codec;
    int64_t max_bytes; /* -1: no limit */
    int64_t retention_ms;
    int64_t retention_bytes;
    int64_t delete_retention_ms;
    int64_t retention_check_ms;
};

/* A block on its way into the file. */
struct sl_sqlite_piece {
    struct sl_sqlite_partition *partition;
    size_t start, size; /* in the append's buffer */
    int64_t next_offset;
};

struct sl_sqlite {
    struct sl_transport transport;
    bool read_only;
    char *dir;
    char *path;
    int lock_fd; /* -1 when read-only */
    char identity[40];
    struct sl_sqlite_settings settings;

    pthread_mutex_t lock;
    struct sl_sqlite_db db;

    pthread_mutex_t table_lock;
    struct sl_sqlite_topic **topics; /* by sl_topic.id; NULL where the log has no such topic */
    size_t topics_capacity;
    struct sl_sqlite_topic **in_order; /* by id in the file */
    size_t n_topics, in_order_capacity;
    struct sl_sqlite_name **names;
    size_t n_names, names_capacity;
    bool holds_dirty;
    int64_t holds_stored_us;
    struct sl_sqlite_pending *pending; /* positions on their way into the file; under lock */
    size_t n_pending, pending_capacity;
    int64_t bytes; /* of all blocks */
    int64_t next_batch;
    int64_t next_partition;

    /* Append's memory, reused. Under lock. */
    struct sl_block_encoder encoder;
    struct sl_buf blocks;
    struct sl_sqlite_piece *pieces;
    size_t n_pieces, pieces_capacity;
    uint32_t *links;
    size_t links_capacity;

    pthread_mutex_t wait_lock;
    pthread_cond_t appended; /* readers wait here */
    uint64_t appends;        /* counts what readers may want to see */
    pthread_cond_t work;     /* the housekeeping thread waits here */
    bool stopping;
    bool checkpoint_wanted;
    int wal_pages; /* in the write-ahead log after the last commit; under lock, as the next */
    int wal_asked; /* of them, when a checkpoint was asked for last */
    struct sl_thread housekeeper;
    struct sl_sqlite_db checkpointer; /* the housekeeper's own connection */
    char last_complaint[SL_ERROR_TEXT_SIZE];

    struct sl_sqlite_watches watches;
};

static inline struct sl_sqlite *sl_sqlite_of(struct sl_transport *transport)
{
    return (struct sl_sqlite *)transport;
}

/* log.c: CONFIG when the log was opened for reading only. */
enum sl_rc sl_sqlite_writable(struct sl_sqlite *log, struct sl_error *err);

/* lock_file.c: one writer per state directory. Errors: BUSY (names the holder's pid), IO. */
enum sl_rc sl_sqlite_lock_file(const char *dir, int *ret_fd, struct sl_error *err);

/* schema.c: create the tables when the file is new, check format and identity, set the pragmas. */
enum sl_rc sl_sqlite_schema_open(struct sl_sqlite *log, struct sl_error *err);

/* table.c: topics and partitions. */
enum sl_rc sl_sqlite_table_load(struct sl_sqlite *log, struct sl_error *err);
void sl_sqlite_table_done(struct sl_sqlite *log);
struct sl_sqlite_topic *sl_sqlite_topic_find(struct sl_sqlite *log, const struct sl_topic *topic);
/* With `lock` held and no transaction open. */
enum sl_rc sl_sqlite_topic_add(struct sl_sqlite *log, const struct sl_topic *topic,
                               const struct sl_topic_settings *settings, struct sl_error *err);
enum sl_rc sl_sqlite_create_topic(struct sl_transport *transport, const struct sl_topic *topic,
                                  const struct sl_topic_settings *settings, struct sl_error *err);
enum sl_rc sl_sqlite_partitions(struct sl_transport *transport, const struct sl_topic *topic, int32_t *ret,
                                struct sl_error *err);
enum sl_rc sl_sqlite_list_topics(struct sl_transport *transport, sl_topic_change *visit, void *ctx,
                                 struct sl_error *err);
enum sl_rc sl_sqlite_topics(struct sl_transport *transport, sl_topic_visitor *visit, void *ctx,
                            struct sl_error *err);
/* Write a partition's row as it is to become; in a transaction. */
struct sl_sqlite_partition *sl_sqlite_partition_by_id(struct sl_sqlite *log, int64_t id);
/* A loop over the rows of a statement without parameters. */
typedef enum sl_rc sl_sqlite_load(struct sl_sqlite *log, sqlite3_stmt *row, struct sl_error *err);
enum sl_rc sl_sqlite_load_rows(struct sl_sqlite *log, enum sl_sql sql, sl_sqlite_load *load,
                               struct sl_error *err);
enum sl_rc sl_sqlite_partition_store(struct sl_sqlite *log, const struct sl_sqlite_partition *partition,
                                     enum sl_sql sql, struct sl_error *err);
/* Read the current row of one of the statements that give a partition. Errors: LOG_DAMAGED. */
enum sl_rc sl_sqlite_partition_read(struct sl_sqlite_db *db, sqlite3_stmt *row,
                                    struct sl_sqlite_partition *ret, struct sl_error *err);

/* append.c */
enum sl_rc sl_sqlite_append(struct sl_transport *transport, const struct sl_append *append,
                            struct sl_error *err);

/* offsets.c: source offsets. _store: in append's transaction. */
enum sl_rc sl_sqlite_offset_store(struct sl_sqlite *log, const struct sl_source_offset *offset,
                                  struct sl_error *err);
enum sl_rc sl_sqlite_source_offset(struct sl_transport *transport, const char *connector,
                                   struct sl_span partition, char **ret_offset, struct sl_error *err);
enum sl_rc sl_sqlite_source_offsets(struct sl_transport *transport, const char *connector,
                                    sl_text_visitor *visit, void *ctx, struct sl_error *err);

/* A position whose key is damaged would be missing, not wrong: so all are looked at when the log is opened.
 */
enum sl_rc sl_sqlite_offsets_check(struct sl_sqlite *log, struct sl_error *err);

/* notes.c: what sources remember beside their positions. _store: in append's transaction. _check: as above.
 */
enum sl_rc sl_sqlite_note_store(struct sl_sqlite *log, const struct sl_source_note *note,
                                struct sl_error *err);
enum sl_rc sl_sqlite_notes_check(struct sl_sqlite *log, struct sl_error *err);
enum sl_rc sl_sqlite_source_notes(struct sl_transport *transport, const char *connector, struct sl_span from,
                                  struct sl_span to, size_t max, sl_note_visitor *visit, void *ctx,
                                  struct sl_error *err);

/* keyed.c: small keyed texts. _check: as above. */
enum sl_rc sl_sqlite_texts_check(struct sl_sqlite *log, struct sl_error *err);
enum sl_rc sl_sqlite_put(struct sl_transport *transport, const char *space, const char *key,
                         struct sl_span value, struct sl_error *err);
enum sl_rc sl_sqlite_put_all(struct sl_transport *transport, const char *space, const struct sl_text *texts,
                             size_t n, struct sl_error *err);
enum sl_rc sl_sqlite_watch(struct sl_transport *transport, const char *space, sl_text_visitor *visit,
                           void *ctx, struct sl_error *err);
enum sl_rc sl_sqlite_list(struct sl_transport *transport, const char *space, sl_text_visitor *visit,
                          void *ctx, struct sl_error *err);

/* holds.c: what readers' names have committed and reserved. */
enum sl_rc sl_sqlite_holds_load(struct sl_sqlite *log, struct sl_error *err);
void sl_sqlite_holds_done(struct sl_sqlite *log);
enum sl_rc sl_sqlite_sync_commits(struct sl_transport *transport, struct sl_error *err);
enum sl_rc sl_sqlite_commit(struct sl_transport *transport, const char *name,
                            const struct sl_progress *progress, size_t n, struct sl_error *err);
enum sl_rc sl_sqlite_committed(struct sl_transport *transport, const char *name, const struct sl_topic *topic,
                               int32_t partition, int64_t *ret_next, bool *ret_foreign, struct sl_error *err);
enum sl_rc sl_sqlite_reserve(struct sl_transport *transport, const char *name,
                             const struct sl_topic *const *topics, size_t n, struct sl_error *err);
/* A reader begins at these offsets (checked, >= 0): hold them from now on, durably. With `lock` held. */
enum sl_rc sl_sqlite_hold(struct sl_sqlite *log, const char *name, const struct sl_progress *start, size_t n,
                          struct sl_error *err);
/* Offsets from here on are still wanted by somebody; INT64_MAX: nobody holds anything. *ret_name: who. */
int64_t sl_sqlite_floor(struct sl_sqlite *log, const struct sl_sqlite_partition *partition,
                        const char **ret_name);
/* Write what changed since the last time; in a transaction. _stored: after it committed. */
enum sl_rc sl_sqlite_holds_store(struct sl_sqlite *log, struct sl_error *err);
void sl_sqlite_holds_stored(struct sl_sqlite *log);

/* retention.c: with `lock` held, no transaction open. */
/* Remove what the topics' settings say; at most about step_bytes, *ret_more says that there is more to do. */
enum sl_rc sl_sqlite_retention_step(struct sl_sqlite *log, int64_t step_bytes, bool *ret_more,
                                    struct sl_error *err);
/* Make room for bytes more below the total limit. Errors: LOG_FULL, naming who holds what. */
enum sl_rc sl_sqlite_make_room(struct sl_sqlite *log, int64_t bytes, struct sl_error *err);

/*
 * compact.c: from the housekeeper's thread only, without a lock: reads by the housekeeper's connection, takes
 * `lock` to write. Compacts what is due; *ret_more: call again.
 */
enum sl_rc sl_sqlite_compact_step(struct sl_sqlite *log, bool *ret_more, struct sl_error *err);

/* reader.c */
enum sl_rc sl_sqlite_reader_open(struct sl_transport *transport, const char *name,
                                 const struct sl_progress *start, size_t n, struct sl_log_reader **ret,
                                 struct sl_error *err);
void sl_sqlite_reader_wake(struct sl_log_reader *reader);
void sl_sqlite_reader_close(struct sl_log_reader *reader);

/* fetch.c */
enum sl_rc sl_sqlite_fetch(struct sl_log_reader *reader, size_t max_bytes, size_t max_records,
                           int64_t deadline_us, struct sl_arena *arena, struct sl_fetched *ret,
                           struct sl_error *err);

/* LOG_DAMAGED for a batch: file, topic, partition, offsets, why, what to do. */
enum sl_rc sl_sqlite_damaged_batch(const char *path, const struct sl_topic *topic, int32_t partition,
                                   int64_t first_offset, int64_t next_offset, const char *why,
                                   struct sl_error *err);

#endif
