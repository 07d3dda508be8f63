/* SPDX-License-Identifier: Apache-2.0 */
#include "transport/sqlite/log.h"

#include "sluice/membership.h"
#include "transport/sqlite/housekeeper.h"
#include "transport/sqlite/sqlite.h"

#include "base/props.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const codecs[] = {"none", "lz4", "zstd", NULL};

static const struct sl_option options[] = {
    {.name = "sluice.state.dir",
     .type = SL_OPT_STRING,
     .default_text = "sluice-state",
     .importance = SL_IMPORTANCE_HIGH,
     .doc = "The directory that holds the embedded log, the registry and everything else that survives a "
            "restart."},
    {.name = "sluice.log.compression",
     .type = SL_OPT_STRING,
     .default_text = "lz4",
     .importance = SL_IMPORTANCE_LOW,
     .doc = "How new batches are compressed in the embedded log; those already there stay readable.",
     .values = codecs},
    {.name = "sluice.log.max.bytes",
     .type = SL_OPT_LONG,
     .default_text = "10737418240",
     .importance = SL_IMPORTANCE_HIGH,
     .doc = "Bytes of stored batches at which sources stop reading until sinks advance; -1: no limit.",
     .min = -1,
     .max = INT64_MAX},
    {.name = "sluice.log.retention.ms",
     .type = SL_OPT_LONG,
     .default_text = "604800000",
     .importance = SL_IMPORTANCE_MEDIUM,
     .doc =
         "Milliseconds after which applied records are removed, for topics that say nothing else; -1: never.",
     .min = -1,
     .max = INT64_MAX},
    {.name = "sluice.log.retention.bytes",
     .type = SL_OPT_LONG,
     .default_text = "-1",
     .importance = SL_IMPORTANCE_MEDIUM,
     .doc = "Bytes per topic above which applied records are removed, for topics that say nothing else; -1: "
            "no limit.",
     .min = -1,
     .max = INT64_MAX},
    {.name = "sluice.log.retention.check.ms",
     .type = SL_OPT_LONG,
     .default_text = "30000",
     .importance = SL_IMPORTANCE_LOW,
     .doc = "Milliseconds between two looks at what retention and compaction may remove.",
     .min = 10,
     .max = 86400000},
    {.name = "sluice.log.delete.retention.ms",
     .type = SL_OPT_LONG,
     .default_text = "86400000",
     .importance = SL_IMPORTANCE_LOW,
     .doc = "Milliseconds that a tombstone stays in a compacted topic.",
     .min = 0,
     .max = INT64_MAX / 2},
    {0},
};

enum sl_rc sl_sqlite_writable(struct sl_sqlite *log, struct sl_error *err)
{
    if (!log->read_only)
        return SL_OK;
    return sl_error_set(err, SL_E_UNSUPPORTED, "the log '%.200s' was opened for reading only", log->path);
}

enum sl_rc sl_sqlite_damaged_batch(const char *path, const struct sl_topic *topic, int32_t partition,
                                   int64_t first_offset, int64_t next_offset, const char *why,
                                   struct sl_error *err)
{
    return sl_error_set(
        err, SL_E_LOG_DAMAGED,
        "the log '%.120s' is damaged: topic '%.100s' partition %d offsets %lld to %lld: %s. HINT: stop "
        "sluice, keep a copy of the state directory, restore it from a backup or move it away (sources "
        "then take a new snapshot); nothing behind the damage is served",
        path, topic->name, partition, (long long)first_offset, (long long)next_offset - 1, why);
}

static void read_settings(struct sl_sqlite *log, const struct sl_props *props)
{
    const char *codec = sl_option_text(options, props, "", "sluice.log.compression");

    for (int i = 0; codecs[i]; i++) {
        if (strcasecmp(codec, codecs[i]) == 0)
            log->settings.codec = (enum sl_block_codec)i;
    }
    log->encoder.codec = log->settings.codec;
    log->settings.max_bytes = sl_option_int(options, props, "", "sluice.log.max.bytes");
    log->settings.retention_ms = sl_option_int(options, props, "", "sluice.log.retention.ms");
    log->settings.retention_bytes = sl_option_int(options, props, "", "sluice.log.retention.bytes");
    log->settings.retention_check_ms = sl_option_int(options, props, "", "sluice.log.retention.check.ms");
    log->settings.delete_retention_ms = sl_option_int(options, props, "", "sluice.log.delete.retention.ms");
}

/* Make the directory and those above it. */
static enum sl_rc make_dir(const char *dir, struct sl_error *err)
{
    char *path = sl_strdup(dir);
    enum sl_rc rc = SL_OK;

    for (char *at = path + 1; !rc; at++) {
        char kept = *at;

        if (kept != '/' && kept != '\0')
            continue;
        *at = '\0';
        if (mkdir(path, 0750) != 0 && errno != EEXIST)
            rc = sl_error_set(err, SL_E_IO,
                              "the state directory '%.200s' cannot be made: %s. HINT: sluice.state.dir", path,
                              strerror(errno));
        *at = kept;
        if (kept == '\0')
            break;
    }
    sl_free(path);
    return rc;
}

/* Rows are other people's data: make the file ourselves, closed to strangers, before SQLite would. */
static enum sl_rc make_file(const struct sl_sqlite *log, struct sl_error *err)
{
    int fd = open(log->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
    int dir_fd;

    if (fd < 0 && errno == EEXIST)
        return SL_OK;
    if (fd < 0)
        return sl_error_set(err, SL_E_IO, "the log '%.200s' cannot be made: %s. HINT: sluice.state.dir",
                            log->path, strerror(errno));
    (void)close(fd);
    dir_fd = open(log->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir_fd >= 0) {
        (void)fsync(dir_fd);
        (void)close(dir_fd);
    }
    return SL_OK;
}

static enum sl_rc open_for_writing(struct sl_sqlite *log, struct sl_error *err)
{
    enum sl_rc rc = make_dir(log->dir, err);

    if (!rc)
        rc = sl_sqlite_lock_file(log->dir, &log->lock_fd, err);
    if (!rc)
        rc = make_file(log, err);
    if (!rc)
        rc = sl_sqlite_db_open(&log->db, log->path, SL_SQLITE_WRITE, err);
    if (!rc)
        rc = sl_sqlite_schema_open(log, err);
    if (!rc)
        rc = sl_sqlite_table_load(log, err);
    if (!rc)
        rc = sl_sqlite_holds_load(log, err);
    if (!rc)
        rc = sl_sqlite_offsets_check(log, err);
    if (!rc)
        rc = sl_sqlite_notes_check(log, err);
    if (!rc)
        rc = sl_sqlite_texts_check(log, err);
    return rc ? rc : sl_sqlite_housekeeper_start(log, err);
}

static enum sl_rc open_for_reading(struct sl_sqlite *log, struct sl_error *err)
{
    enum sl_rc rc;

    if (access(log->path, F_OK) != 0)
        return sl_error_set(
            err, SL_E_NOT_FOUND,
            "there is no log '%.200s'. HINT: sluice.state.dir must name the state directory of a worker "
            "that has run",
            log->path);
    rc = sl_sqlite_db_open(&log->db, log->path, SL_SQLITE_READ, err);
    return rc ? rc : sl_sqlite_schema_open(log, err);
}

static void sqlite_close(struct sl_transport *transport)
{
    struct sl_sqlite *log = sl_sqlite_of(transport);
    bool open_for_write = log->housekeeper.started;

    sl_sqlite_housekeeper_stop(log);
    if (open_for_write && log->holds_dirty)
        sl_sqlite_housekeeper_store_holds(log);
    if (log->db.handle)
        sl_sqlite_db_close(&log->db);
    sl_sqlite_holds_done(log);
    sl_sqlite_table_done(log);
    sl_block_encoder_done(&log->encoder);
    sl_buf_done(&log->blocks);
    sl_free(log->pieces);
    sl_free(log->links);
    if (log->lock_fd >= 0)
        (void)close(log->lock_fd);
    (void)pthread_mutex_destroy(&log->lock);
    (void)pthread_mutex_destroy(&log->table_lock);
    (void)pthread_mutex_destroy(&log->wait_lock);
    (void)pthread_cond_destroy(&log->appended);
    (void)pthread_cond_destroy(&log->work);
    sl_sqlite_watches_done(&log->watches);
    sl_free(log->path);
    sl_free(log->dir);
    sl_free(log);
}

static enum sl_rc sqlite_open(const struct sl_props *props, bool read_only, struct sl_transport **ret,
                              struct sl_error *err)
{
    struct sl_sqlite *log = sl_zalloc(1, sizeof(*log));
    enum sl_rc rc;

    log->transport.ops = &sl_transport_sqlite;
    log->read_only = read_only;
    log->lock_fd = -1;
    log->dir = sl_strdup(sl_option_text(options, props, "", "sluice.state.dir"));
    log->path = sl_format("%s/sluice.db", log->dir);
    (void)pthread_mutex_init(&log->lock, NULL);
    (void)pthread_mutex_init(&log->table_lock, NULL);
    (void)pthread_mutex_init(&log->wait_lock, NULL);
    sl_cond_init(&log->appended);
    sl_cond_init(&log->work);
    sl_sqlite_watches_init(&log->watches);
    read_settings(log, props);
    rc = read_only ? open_for_reading(log, err) : open_for_writing(log, err);
    if (rc)
        sqlite_close(&log->transport);
    else
        *ret = &log->transport;
    return rc;
}

static const char *sqlite_identity(struct sl_transport *transport)
{
    return sl_sqlite_of(transport)->identity;
}

static enum sl_rc sqlite_topic_identity(struct sl_transport *transport, const struct sl_topic *topic,
                                        char **ret, struct sl_error *err)
{
    (void)topic;
    (void)err;
    *ret = sl_strdup(sl_sqlite_of(transport)->identity);
    return SL_OK;
}

/* One process writes here, and its tasks are told apart by the engine: there is nobody to be shut out. */
static enum sl_rc sqlite_claim(struct sl_transport *transport, const char *space, const char *id,
                               struct sl_error *err)
{
    (void)space;
    (void)id;
    return sl_sqlite_writable(sl_sqlite_of(transport), err);
}

static enum sl_rc sqlite_fence(struct sl_transport *transport, const char *exclusive_id, struct sl_error *err)
{
    (void)exclusive_id;
    return sl_sqlite_writable(sl_sqlite_of(transport), err);
}

/* Nothing here waits for a server. */
static void sqlite_abandon(struct sl_transport *transport)
{
    (void)transport;
}

const struct sl_transport_ops sl_transport_sqlite = {
    .name = "sqlite",
    .options = options,
    .open = sqlite_open,
    .identity = sqlite_identity,
    .topic_identity = sqlite_topic_identity,
    .create_topic = sl_sqlite_create_topic,
    .partitions = sl_sqlite_partitions,
    .list_topics = sl_sqlite_list_topics,
    .topics = sl_sqlite_topics,
    .ends = sl_sqlite_topics,
    .append = sl_sqlite_append,
    .fence = sqlite_fence,
    .source_offset = sl_sqlite_source_offset,
    .source_offsets = sl_sqlite_source_offsets,
    .source_notes = sl_sqlite_source_notes,
    .reader_open = sl_sqlite_reader_open,
    .fetch = sl_sqlite_fetch,
    .reader_wake = sl_sqlite_reader_wake,
    .reader_close = sl_sqlite_reader_close,
    .commit = sl_sqlite_commit,
    .sync_commits = sl_sqlite_sync_commits,
    .committed = sl_sqlite_committed,
    .reserve = sl_sqlite_reserve,
    .put = sl_sqlite_put,
    .put_all = sl_sqlite_put_all,
    .claim = sqlite_claim,
    .list = sl_sqlite_list,
    .watch = sl_sqlite_watch,
    .abandon = sqlite_abandon,
    .close = sqlite_close,
    .membership = &sl_membership_alone,
};
