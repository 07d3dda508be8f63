/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fetching: batches are read in the order of their ids, those of one append are merged by the places of their
 * records in it, so that records come out in log order over all topics. Blocks are unpacked into the caller's
 * arena. A fetch ends before the append that would not fit; only an append that is larger than the limits by
 * itself is handed out in pieces, and what remains of it is kept by the reader.
 *
 * Every batch is checked before anything of it counts: its checksum, its head against its row, and that it
 * begins where the one before it ended. An append with a damaged batch is not handed out at all; what was
 * read before it is, and the fetch after that tells of the damage, again and again.
 */
#include "transport/sqlite/reader.h"

#include "base/clock.h"

#include <string.h>

enum { FOREIGN_POLL_US = 5000 }; /* how often readers of other processes look */

/* One fetch's limits, and what it has read of them. */
struct intake {
    struct sl_arena *arena;
    size_t max_bytes, max_records;
    size_t bytes;   /* of whole appends */
    size_t records; /* likewise: where the append at hand begins */
    bool full;      /* the append at hand does not fit any more */
    bool at_end;    /* of the log */
};

static struct sl_reader_part *find_part(struct sl_log_reader *reader, int64_t id)
{
    size_t low = 0;
    size_t high = reader->n_known;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (reader->parts[middle].id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low < reader->n_known && reader->parts[low].id == id ? &reader->parts[low] : NULL;
}

static enum sl_rc damaged(const struct sl_log_reader *reader, const struct sl_reader_part *part,
                          int64_t first, int64_t next, const char *why, struct sl_error *err)
{
    return sl_sqlite_damaged_batch(reader->db.path, part->topic, part->number, first, next, why, err);
}

static enum sl_rc read_row(struct sl_log_reader *reader, const struct sl_reader_part *part,
                           struct sl_sqlite_partition *ret, struct sl_error *err)
{
    sqlite3_stmt *statement;
    bool found = false;
    enum sl_rc rc = sl_sqlite_db_statement(&reader->db, SL_SQL_GET_PARTITION, &statement, err);

    if (rc)
        return rc;
    (void)sqlite3_bind_int64(statement, 1, part->id);
    rc = sl_sqlite_db_next(&reader->db, SL_SQL_GET_PARTITION, &found, err);
    if (!rc && !found)
        return sl_sqlite_db_damaged_row(&reader->db, "a partition of topic", part->topic->name, err);
    if (!rc)
        rc = sl_sqlite_partition_read(&reader->db, statement, ret, err);
    sl_sqlite_db_reset(&reader->db, SL_SQL_GET_PARTITION);
    return rc;
}

/* Offsets are missing before next: removed in this reader's way (another process has no say), or lost. */
static enum sl_rc missing(struct sl_log_reader *reader, const struct sl_reader_part *part, int64_t next,
                          struct sl_error *err)
{
    struct sl_sqlite_partition row;
    enum sl_rc rc = read_row(reader, part, &row, err);

    if (rc)
        return rc;
    if (part->gathered >= row.first_offset)
        return damaged(reader, part, part->gathered, next, "its batch is missing", err);
    return sl_error_set(
        err, SL_E_GAP,
        "reader '%.60s' stands at offset %lld of topic '%.120s' partition %d, but retention has removed "
        "what lies before %lld. HINT: begin again at the oldest record; a reader in the worker itself "
        "holds back retention, one beside it does not",
        reader->name, (long long)part->gathered, part->topic->name, part->number,
        (long long)row.first_offset);
}

static void make_room(struct sl_log_reader *reader, size_t more)
{
    size_t capacity = reader->records_capacity ? reader->records_capacity : 1024;

    if (reader->n_records + more <= reader->records_capacity)
        return;
    while (capacity < reader->n_records + more)
        capacity *= 2;
    reader->records = sl_realloc(reader->records, capacity, sizeof(*reader->records));
    reader->ordinals = sl_realloc(reader->ordinals, capacity, sizeof(*reader->ordinals));
    reader->records_capacity = capacity;
}

/* A reader that begins inside a batch does not want what lies before. */
static size_t drop_before(struct sl_log_record *records, uint32_t *ordinals, size_t n, int64_t offset)
{
    size_t skip = 0;

    while (skip < n && records[skip].offset < offset)
        skip++;
    if (skip) {
        memmove(records, records + skip, (n - skip) * sizeof(*records));
        memmove(ordinals, ordinals + skip, (n - skip) * sizeof(*ordinals));
    }
    return n - skip;
}

/* Would the append at hand, with this block, go beyond the limits? The first append may. */
static bool too_much(const struct sl_log_reader *reader, const struct intake *intake, size_t append_bytes,
                     const struct sl_block_head *head)
{
    return intake->records && (intake->bytes + append_bytes + head->raw_bytes > intake->max_bytes ||
                               reader->n_records + head->records > intake->max_records);
}

/* A checked block's records, behind those that are there. Returns NULL, or what is wrong. */
static const char *take_records(struct sl_log_reader *reader, const struct sl_reader_part *part,
                                const struct sl_block_head *head, struct sl_span block,
                                struct sl_arena *arena)
{
    struct sl_log_record blank = {.topic = part->topic, .partition = part->number};
    struct sl_log_record *records;
    uint32_t *ordinals;
    const uint8_t *raw = NULL;
    const char *why = sl_block_unpack(head, block.ptr, block.len, arena, &raw);
    size_t n = head->records;

    if (why)
        return why;
    make_room(reader, n);
    records = reader->records + reader->n_records;
    ordinals = reader->ordinals + reader->n_records;
    why = sl_block_records(head, raw, &blank, records, ordinals);
    if (why)
        return why;
    if (head->first_offset < part->gathered)
        n = drop_before(records, ordinals, n, part->gathered);
    reader->n_records += n;
    return NULL;
}

/* The row that the scan stands on: check it whole, then take its records. */
static enum sl_rc load_batch(struct sl_log_reader *reader, sqlite3_stmt *row, struct sl_reader_part *part,
                             struct intake *intake, size_t *append_bytes, struct sl_error *err)
{
    int64_t first = sqlite3_column_int64(row, 3);
    int64_t next = sqlite3_column_int64(row, 4);
    struct sl_span block;
    struct sl_block_head head;
    const char *why;

    if (next <= part->gathered)
        return SL_OK;
    if (first > part->gathered)
        return missing(reader, part, first, err);
    block = sl_sqlite_column_span(row, 5);
    why = sl_block_check(block.ptr, block.len, &head);
    if (!why && (head.append_id != sqlite3_column_int64(row, 1) || head.partition_id != part->id ||
                 head.first_offset != first || head.next_offset != next))
        why = "its row names other offsets than its block";
    if (!why && too_much(reader, intake, *append_bytes, &head)) {
        intake->full = true;
        return SL_OK;
    }
    if (!why)
        why = take_records(reader, part, &head, block, intake->arena);
    if (why)
        return damaged(reader, part, first, next, why, err);
    *append_bytes += head.raw_bytes;
    SL_GROW(reader->batches, reader->n_batches, reader->batches_capacity);
    reader->batches[reader->n_batches++] =
        (struct sl_reader_batch){.part = part, .end = reader->n_records, .next_offset = next};
    return SL_OK;
}

/* Merge two ordered runs of keys. */
static void merge(const uint64_t *a, size_t n_a, const uint64_t *b, size_t n_b, uint64_t *ret)
{
    while (n_a && n_b) {
        if (*a < *b) {
            *ret++ = *a++;
            n_a--;
        } else {
            *ret++ = *b++;
            n_b--;
        }
    }
    memcpy(ret, a, n_a * sizeof(*a));
    memcpy(ret + n_a, b, n_b * sizeof(*b));
}

static void order_memory(struct sl_log_reader *reader, size_t n)
{
    if (n <= reader->order_capacity)
        return;
    reader->order_capacity = n * 2;
    for (int i = 0; i < 2; i++)
        reader->order[i] = sl_realloc(reader->order[i], reader->order_capacity, sizeof(uint64_t));
    reader->sorted = sl_realloc(reader->sorted, reader->order_capacity, sizeof(*reader->sorted));
}

/* The append's batches, each in order, become one run in the order of the append. Keys: ordinal, place. */
static void merge_batches(struct sl_log_reader *reader, size_t start)
{
    size_t n = reader->n_records - start;
    size_t runs = reader->n_batches;
    uint64_t *from;
    uint64_t *to;

    order_memory(reader, n);
    from = reader->order[0];
    to = reader->order[1];
    for (size_t i = 0; i < n; i++)
        from[i] = (uint64_t)reader->ordinals[start + i] << 32 | i;
    for (; runs > 1; runs = (runs + 1) / 2) {
        size_t begin = start;

        for (size_t i = 0; i < runs; i += 2) {
            size_t middle = reader->batches[i].end;
            size_t end = i + 1 < runs ? reader->batches[i + 1].end : middle;

            merge(from + (begin - start), middle - begin, from + (middle - start), end - middle,
                  to + (begin - start));
            reader->batches[i / 2].end = end;
            begin = end;
        }
        from = to;
        to = from == reader->order[0] ? reader->order[1] : reader->order[0];
    }
    for (size_t i = 0; i < n; i++)
        reader->sorted[i] = reader->records[start + (uint32_t)from[i]];
    memcpy(reader->records + start, reader->sorted, n * sizeof(*reader->sorted));
}

/* All batches of the append are read: now it counts. */
static void finish_append(struct sl_log_reader *reader, struct intake *intake, size_t append_bytes)
{
    for (size_t i = 0; i < reader->n_batches; i++)
        reader->batches[i].part->gathered = reader->batches[i].next_offset;
    if (reader->n_batches > 1 && reader->n_records > intake->records)
        merge_batches(reader, intake->records);
    if (reader->n_batches)
        reader->ends_unchecked = true;
    reader->n_batches = 0;
    intake->records = reader->n_records;
    intake->bytes += append_bytes;
}

static void forget_append(struct sl_log_reader *reader, const struct intake *intake)
{
    reader->n_records = intake->records;
    reader->n_batches = 0;
}

/* How far a part has come, the append at hand included. */
static int64_t reached(const struct sl_log_reader *reader, const struct sl_reader_part *part)
{
    for (size_t i = 0; i < reader->n_batches; i++) {
        if (reader->batches[i].part == part)
            return reader->batches[i].next_offset;
    }
    return part->gathered;
}

/*
 * Ids were skipped: batches that retention removed, or one whose id is damaged and that would now come in
 * another append's place. The index over the offsets knows which.
 */
static enum sl_rc check_skipped(struct sl_log_reader *reader, int64_t id, struct sl_error *err)
{
    for (size_t i = 0; i < reader->n_known; i++) {
        const struct sl_reader_part *part = &reader->parts[i];
        int64_t at = reached(reader, part);
        sqlite3_stmt *next;
        bool found = false;
        enum sl_rc rc = sl_sqlite_db_statement(&reader->db, SL_SQL_SEEK_AFTER, &next, err);

        if (rc)
            return rc;
        (void)sqlite3_bind_int64(next, 1, part->id);
        (void)sqlite3_bind_int64(next, 2, at - 1);
        rc = sl_sqlite_db_next(&reader->db, SL_SQL_SEEK_AFTER, &found, err);
        if (rc)
            return rc;
        if (found && sqlite3_column_int64(next, 0) < id)
            rc = damaged(reader, part, at, at, "its batch is not where the index has it", err);
        sl_sqlite_db_reset(&reader->db, SL_SQL_SEEK_AFTER);
        if (rc)
            return rc;
    }
    return SL_OK;
}

/*
 * A row that says that it begins another append must not split the one at hand by a damaged number. What is
 * wrong with a block is found when it is loaded: the append before it is whole.
 */
static enum sl_rc check_new_append(const struct sl_log_reader *reader, sqlite3_stmt *row,
                                   const struct sl_reader_part *part, struct sl_error *err)
{
    struct sl_span block = sl_sqlite_column_span(row, 5);
    struct sl_block_head head;

    if (sl_block_check(block.ptr, block.len, &head) || head.append_id == sqlite3_column_int64(row, 1))
        return SL_OK;
    return damaged(reader, part, sqlite3_column_int64(row, 3), sqlite3_column_int64(row, 4),
                   "its row names another append than its block", err);
}

static bool satisfied(const struct intake *intake)
{
    return intake->full || (intake->records &&
                            (intake->bytes >= intake->max_bytes || intake->records >= intake->max_records));
}

/* Walk the batches from scan_id on until the limits are reached or nothing more is there. */
static enum sl_rc scan(struct sl_log_reader *reader, struct intake *intake, struct sl_error *err)
{
    sqlite3_stmt *row;
    int64_t append_id = -1; /* of the rows at hand */
    int64_t last_id = reader->scan_id - 1;
    size_t append_bytes = 0;
    bool more = true;
    enum sl_rc rc = sl_sqlite_db_statement(&reader->db, SL_SQL_SCAN, &row, err);

    if (rc)
        return rc;
    (void)sqlite3_bind_int64(row, 1, reader->scan_id);
    while (!rc && !satisfied(intake)) {
        struct sl_reader_part *part;

        rc = sl_sqlite_db_next(&reader->db, SL_SQL_SCAN, &more, err);
        if (rc || !more)
            break;
        part = find_part(reader, sqlite3_column_int64(row, 2));
        if (sqlite3_column_int64(row, 1) != append_id) {
            if (part && append_id >= 0)
                rc = check_new_append(reader, row, part, err);
            if (rc)
                break;
            finish_append(reader, intake, append_bytes);
            append_bytes = 0;
            reader->scan_id = last_id + 1;
            append_id = sqlite3_column_int64(row, 1);
            if (satisfied(intake))
                break;
        }
        if (sqlite3_column_int64(row, 0) != last_id + 1)
            rc = check_skipped(reader, sqlite3_column_int64(row, 0), err);
        if (!rc && part)
            rc = load_batch(reader, row, part, intake, &append_bytes, err);
        last_id = sqlite3_column_int64(row, 0);
    }
    if (rc || intake->full) {
        forget_append(reader, intake);
    } else if (!more) {
        finish_append(reader, intake, append_bytes);
        reader->scan_id = last_id + 1;
        intake->at_end = true;
    }
    sl_sqlite_db_reset(&reader->db, SL_SQL_SCAN);
    return rc;
}

/* At the end of the log every part must stand where the table says that its partition ends. */
static enum sl_rc check_ends(struct sl_log_reader *reader, struct sl_error *err)
{
    for (size_t i = 0; i < reader->n_known; i++) {
        const struct sl_reader_part *part = &reader->parts[i];
        struct sl_sqlite_partition row;
        enum sl_rc rc = read_row(reader, part, &row, err);

        if (rc)
            return rc;
        if (row.next_offset != part->gathered)
            return missing(reader, part, row.next_offset, err);
    }
    reader->ends_unchecked = false;
    return SL_OK;
}

static enum sl_rc gather(struct sl_log_reader *reader, struct intake *intake, struct sl_error *err)
{
    enum sl_rc rc;

    reader->n_records = reader->cursor = 0;
    sl_arena_reset(reader->rest_arena);
    rc = sl_sqlite_db_begin_read(&reader->db, err);
    if (rc)
        return rc;
    if (reader->n_known < reader->n_parts)
        rc = sl_sqlite_reader_resolve(reader, err);
    if (!rc)
        rc = scan(reader, intake, err);
    if (!rc && intake->at_end && reader->n_records == 0 && reader->ends_unchecked)
        rc = check_ends(reader, err);
    rc = sl_sqlite_db_end(&reader->db, rc, err);
    /* What was read before the trouble is good: it goes first, and the trouble is met again. */
    return reader->n_records ? SL_OK : rc;
}

/* One past the last record from cursor on that fits the limits; at least one goes. */
static size_t fitting(const struct sl_log_reader *reader, const struct intake *intake)
{
    size_t bytes = 0;
    size_t at = reader->cursor;

    while (at < reader->n_records && at - reader->cursor < intake->max_records && bytes < intake->max_bytes) {
        const struct sl_log_record *record = &reader->records[at++];

        bytes += record->key.len + record->value.len + record->headers.len;
    }
    return at > reader->cursor || at == reader->n_records ? at : at + 1;
}

static void move_span(struct sl_span *span, struct sl_arena *arena)
{
    if (span->ptr)
        span->ptr = sl_arena_copy(arena, span->ptr, span->len);
}

static void move_records(struct sl_log_record *records, size_t n, struct sl_arena *arena)
{
    for (size_t i = 0; i < n; i++) {
        move_span(&records[i].key, arena);
        move_span(&records[i].value, arena);
        move_span(&records[i].headers, arena);
    }
}

static struct sl_reader_part *part_of(struct sl_log_reader *reader, const struct sl_log_record *record)
{
    for (size_t i = 0; i < reader->n_known; i++) {
        if (reader->parts[i].topic == record->topic && reader->parts[i].number == record->partition)
            return &reader->parts[i];
    }
    return NULL; /* not reached: records carry their part's topic and number */
}

static void note_progress(struct sl_log_reader *reader, struct sl_fetched *fetched,
                          struct sl_reader_part *part, int64_t next)
{
    if (next > part->delivered) {
        reader->progress[fetched->n_progress++] = (struct sl_progress){.topic = part->topic,
                                                                       .partition = part->number,
                                                                       .first_offset = part->delivered,
                                                                       .next_offset = next};
        part->delivered = next;
    }
}

/* Part of what was gathered goes out: see from the records how far each partition has come. */
static void partial_progress(struct sl_log_reader *reader, size_t end, struct sl_fetched *fetched)
{
    struct sl_reader_part *part = NULL;

    for (size_t at = end; at > reader->cursor; at--) {
        const struct sl_log_record *record = &reader->records[at - 1];

        /* Backwards: the first record seen of a partition is its last. */
        if (!part || part->topic != record->topic || part->number != record->partition)
            part = part_of(reader, record);
        if (part)
            note_progress(reader, fetched, part, record->offset + 1);
    }
}

static void deliver(struct sl_log_reader *reader, size_t end, struct sl_fetched *ret)
{
    struct sl_fetched fetched = {
        .records = reader->records + reader->cursor,
        .n_records = end - reader->cursor,
        .progress = reader->progress,
    };

    if (end < reader->n_records) {
        partial_progress(reader, end, &fetched);
    } else {
        for (size_t i = 0; i < reader->n_known; i++)
            note_progress(reader, &fetched, &reader->parts[i], reader->parts[i].gathered);
    }
    reader->cursor = end;
    *ret = fetched;
}

/* What was read last time, or else what the file has now. */
static enum sl_rc fetch_now(struct sl_log_reader *reader, struct intake *intake, struct sl_fetched *ret,
                            struct sl_error *err)
{
    bool rest = reader->cursor < reader->n_records;
    enum sl_rc rc = rest ? SL_OK : gather(reader, intake, err);
    size_t end;

    if (rc)
        return rc;
    end = rest || intake->bytes > intake->max_bytes || reader->n_records > intake->max_records
              ? fitting(reader, intake)
              : reader->n_records;
    if (rest)
        move_records(reader->records + reader->cursor, end - reader->cursor, intake->arena);
    else
        move_records(reader->records + end, reader->n_records - end, reader->rest_arena);
    deliver(reader, end, ret);
    return SL_OK;
}

static bool may_have_more(struct sl_log_reader *reader, int64_t *seen)
{
    int64_t version = *seen;

    if (sl_sqlite_db_integer(&reader->db, "PRAGMA data_version", &version, NULL) != SL_OK)
        return true;
    if (version == *seen)
        return false;
    *seen = version;
    return true;
}

/* Another process writes: look from time to time. True when something may be there. */
static bool wait_beside(struct sl_log_reader *reader, int64_t deadline_us, int64_t *seen)
{
    struct sl_sqlite *log = reader->log;
    bool stop = false;

    while (!stop) {
        int64_t now = sl_now_us();

        if (may_have_more(reader, seen))
            return true;
        (void)pthread_mutex_lock(&log->wait_lock);
        if (!reader->woken && now < deadline_us)
            (void)sl_cond_wait(&log->appended, &log->wait_lock,
                               deadline_us - now < FOREIGN_POLL_US ? deadline_us : now + FOREIGN_POLL_US);
        stop = reader->woken || now >= deadline_us;
        reader->woken = false;
        (void)pthread_mutex_unlock(&log->wait_lock);
    }
    return false;
}

static bool wait_within(struct sl_log_reader *reader, int64_t deadline_us, uint64_t seen)
{
    struct sl_sqlite *log = reader->log;
    bool in_time = true;
    bool more;

    (void)pthread_mutex_lock(&log->wait_lock);
    while (log->appends == seen && !reader->woken && in_time)
        in_time = sl_cond_wait(&log->appended, &log->wait_lock, deadline_us);
    more = log->appends != seen;
    if (!more)
        reader->woken = false;
    (void)pthread_mutex_unlock(&log->wait_lock);
    return more;
}

static uint64_t appends_seen(struct sl_sqlite *log)
{
    uint64_t seen;

    (void)pthread_mutex_lock(&log->wait_lock);
    seen = log->appends;
    (void)pthread_mutex_unlock(&log->wait_lock);
    return seen;
}

enum sl_rc sl_sqlite_fetch(struct sl_log_reader *reader, size_t max_bytes, size_t max_records,
                           int64_t deadline_us, struct sl_arena *arena, struct sl_fetched *ret,
                           struct sl_error *err)
{
    struct sl_sqlite *log = reader->log;
    int64_t version = -1;
    bool more = true;

    if (log->read_only)
        (void)may_have_more(reader, &version);
    while (more) {
        struct intake intake = {.arena = arena, .max_bytes = max_bytes, .max_records = max_records};
        uint64_t seen = appends_seen(log);
        enum sl_rc rc = fetch_now(reader, &intake, ret, err);

        if (rc)
            return rc;
        if (ret->n_records || ret->n_progress)
            break;
        more = log->read_only ? wait_beside(reader, deadline_us, &version)
                              : wait_within(reader, deadline_us, seen);
    }
    return SL_OK;
}
