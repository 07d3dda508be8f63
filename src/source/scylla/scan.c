/* SPDX-License-Identifier: Apache-2.0 */
#include "source/scylla/scan.h"

#include "base/clock.h"
#include "source/scylla/scan_queue.h"

#include <stdlib.h>

enum {
    PARTS_AHEAD = 4, /* parts that are asked before their turn */
    PAGES_AHEAD = 2, /* pages of one stream that wait to be gone through */
};

/* Rows of one stream within an answer. */
struct segment {
    uint32_t stream;
    uint32_t n_rows;
    struct sl_cql_rows rows; /* standing at the first one */
};

/* What one statement asks for: one stream page by page, or a list of streams in one page. */
struct part {
    struct sl_scylla_ask ask;
    struct sl_scylla_scan *scan; /* NULL: nobody wants the answer any more */
    struct sl_scylla_reader *reader;
    uint32_t first, n; /* streams */
    bool asked, complete;
    struct sl_buf paging_state;

    struct sl_cql_answer *pages[PAGES_AHEAD]; /* the oldest first */
    uint32_t n_pages;
    struct segment *segments; /* of a list's answer, in the order of streams */
    uint32_t n_segments, segments_capacity, segment;
};

struct sl_scylla_scan {
    struct sl_scylla_reader *reader;
    struct sl_scylla_log_table *log;
    const struct sl_scylla_stream *streams;
    uint8_t from[16], to[16];

    struct part **parts;
    uint32_t n_parts, parts_capacity, current;

    bool queued, started;
    struct sl_scylla_scan *previous, *next;

    struct sl_scylla_group group;
    bool filling; /* the group is not whole yet */
    uint32_t group_stream;
    struct sl_cql_cell *cells; /* of the row that was read last */
    uint32_t cells_capacity;
    bool has_row; /* that row is still to be used */
    const struct sl_cql_columns *row_columns;
    const struct sl_scylla_shape *shape; /* of those columns */
    uint32_t row_stream;

    struct sl_cql_answer **spent; /* gone through, but the group may point into them */
    uint32_t n_spent, spent_capacity;
    uint64_t rows;
};

/* ---- the queue ---- */

static void enqueue(struct sl_scylla_scan *scan)
{
    struct sl_scylla_reader *reader = scan->reader;

    if (scan->queued)
        return;
    scan->queued = true;
    scan->previous = reader->last;
    scan->next = NULL;
    if (reader->last)
        reader->last->next = scan;
    else
        reader->first = scan;
    reader->last = scan;
}

static void dequeue(struct sl_scylla_scan *scan)
{
    struct sl_scylla_reader *reader = scan->reader;

    if (!scan->queued)
        return;
    scan->queued = false;
    if (scan->previous)
        scan->previous->next = scan->next;
    else
        reader->first = scan->next;
    if (scan->next)
        scan->next->previous = scan->previous;
    else
        reader->last = scan->previous;
}

struct sl_scylla_scan *sl_scylla_scan_queued_after(const struct sl_scylla_scan *scan)
{
    return scan->next;
}

/* ---- answers ---- */

static void drop_answer(struct sl_scylla_reader *reader, struct sl_cql_answer *answer)
{
    reader->held_bytes -= answer->size_bytes;
    sl_cql_answer_free(answer);
}

static void free_part(struct sl_scylla_reader *reader, struct part *part)
{
    for (uint32_t i = 0; i < part->n_pages; i++)
        drop_answer(reader, part->pages[i]);
    part->n_pages = 0;
    sl_free(part->segments);
    part->segments = NULL;
    sl_buf_done(&part->paging_state);
    if (part->asked) {
        part->scan = NULL; /* freed when its answer comes */
        sl_scylla_reader_orphan(reader, &part->ask);
    } else {
        sl_free(part);
    }
}

static void answered(struct sl_scylla_ask *ask, struct sl_cql_answer *answer);

static struct part *add_part(struct sl_scylla_scan *scan, uint32_t first, uint32_t n)
{
    struct part *part = sl_zalloc(1, sizeof(*part));

    part->ask.answered = answered;
    part->scan = scan;
    part->reader = scan->reader;
    part->first = first;
    part->n = n;
    SL_GROW(scan->parts, scan->n_parts, scan->parts_capacity);
    scan->parts[scan->n_parts++] = part;
    return part;
}

/* A list whose rows do not fit into a page: each of its streams by itself, in its place. */
static void split_part(struct sl_scylla_scan *scan, struct part *part)
{
    uint32_t at = 0, behind;
    uint32_t first = part->first, n = part->n;
    struct part **rest;

    while (scan->parts[at] != part)
        at++;
    behind = scan->n_parts - at - 1;
    rest = sl_zalloc(behind + 1, sizeof(struct part *));
    memcpy(rest, scan->parts + at + 1, behind * sizeof(struct part *));
    scan->n_parts = at;
    free_part(scan->reader, part);
    for (uint32_t i = 0; i < n; i++)
        (void)add_part(scan, first + i, 1);
    for (uint32_t i = 0; i < behind; i++) {
        SL_GROW(scan->parts, scan->n_parts, scan->parts_capacity);
        scan->parts[scan->n_parts++] = rest[i];
    }
    sl_free(rest);
}

static int by_stream(const void *a, const void *b)
{
    uint32_t x = ((const struct segment *)a)->stream, y = ((const struct segment *)b)->stream;

    return x < y ? -1 : x > y;
}

static int compare_id(const void *id, const void *stream)
{
    return sl_scylla_stream_compare(id, ((const struct sl_scylla_stream *)stream)->id);
}

static void make_cells(struct sl_scylla_scan *scan, uint32_t n)
{
    if (n <= scan->cells_capacity)
        return;
    scan->cells = sl_realloc(scan->cells, n, sizeof(*scan->cells));
    scan->cells_capacity = n;
}

/* Find where each stream's rows begin: servers give the streams of a list in an order of their own. */
static enum sl_rc find_segments(struct sl_scylla_scan *scan, struct part *part, struct sl_cql_rows rows,
                                struct sl_error *err)
{
    int column = rows.columns ? sl_cql_find_column(rows.columns, "cdc$stream_id") : -1;
    struct sl_cql_cell *cells = sl_zalloc((rows.columns ? rows.columns->n : 0) + 1, sizeof(*cells));
    struct segment *last = NULL;
    enum sl_rc rc = SL_OK;

    while (rc == SL_OK && column >= 0) {
        struct sl_cql_rows before = rows;
        const struct sl_scylla_stream *stream;
        bool more = false;

        rc = sl_cql_rows_next(&rows, cells, &more, err);
        if (rc != SL_OK || !more)
            break;
        if (last && cells[column].len == 16 &&
            memcmp(scan->streams[last->stream].id, cells[column].data, 16) == 0) {
            last->n_rows++;
            continue;
        }
        stream = cells[column].len == 16 ? bsearch(cells[column].data, scan->streams + part->first, part->n,
                                                   sizeof(*scan->streams), compare_id)
                                         : NULL;
        if (!stream) {
            rc = sl_error_set(err, SL_E_PROTOCOL, "a row of a stream that was not asked for");
            break;
        }
        SL_GROW(part->segments, part->n_segments, part->segments_capacity);
        last = &part->segments[part->n_segments++];
        *last = (struct segment){.stream = (uint32_t)(stream - scan->streams), .n_rows = 1, .rows = before};
    }
    sl_free(cells);
    if (part->n_segments > 1)
        qsort(part->segments, part->n_segments, sizeof(*part->segments), by_stream);
    return rc;
}

/* Keep a page; what it holds is gone through when its turn comes. */
static enum sl_rc keep_answer(struct sl_scylla_scan *scan, struct part *part, struct sl_cql_answer *answer,
                              struct sl_error *err)
{
    part->complete = !answer->rows.has_more;
    sl_buf_reset(&part->paging_state);
    sl_buf_put(&part->paging_state, answer->rows.paging_state.ptr, answer->rows.paging_state.len);
    scan->rows += answer->rows.n_rows;
    part->pages[part->n_pages++] = answer;
    return part->n > 1 ? find_segments(scan, part, answer->rows, err) : SL_OK;
}

static void answered(struct sl_scylla_ask *ask, struct sl_cql_answer *answer)
{
    struct part *part = (struct part *)ask;
    struct sl_scylla_scan *scan = part->scan;
    struct sl_error err;

    part->asked = false;
    if (!scan) {
        sl_scylla_reader_adopt(part->reader, ask);
        sl_cql_answer_free(answer);
        sl_free(part);
        return;
    }
    scan->reader->held_bytes += answer->size_bytes;
    if (answer->rc != SL_OK) {
        sl_scylla_reader_failed(scan->reader, scan->log->table, &answer->err);
        drop_answer(scan->reader, answer);
    } else if (part->n > 1 && answer->rows.has_more) {
        drop_answer(scan->reader, answer);
        split_part(scan, part);
    } else if (keep_answer(scan, part, answer, &err) != SL_OK) {
        part->pages[--part->n_pages] = NULL;
        part->n_segments = 0;
        part->complete = false;
        sl_scylla_reader_failed(scan->reader, scan->log->table, &err);
        drop_answer(scan->reader, answer);
    }
    enqueue(scan);
}

/* ---- asking ---- */

static void ask_part(struct sl_scylla_scan *scan, struct part *part)
{
    const struct sl_scylla_table *table = scan->log->table;
    struct sl_cql_cell ids[SL_SCYLLA_IN_MAX];
    struct sl_cql_values values = {0};
    struct sl_cql_request request = {
        .statement = scan->log->in_streams,
        .values = &values,
        .consistency = scan->reader->config->consistency,
        .page_rows = scan->reader->config->page_rows,
        .paging_state = {.ptr = part->paging_state.data, .len = part->paging_state.len},
        .has_token = true,
        .keyspace = table->keyspace,
        .table = table->log_name,
    };

    for (uint32_t i = 0; i < part->n; i++)
        ids[i] = (struct sl_cql_cell){scan->streams[part->first + i].id, 16};
    request.token = sl_cql_cdc_token(ids[0]);
    sl_cql_bind_list(&values, ids, part->n);
    sl_cql_bind_bytes(&values, scan->from, 16);
    sl_cql_bind_bytes(&values, scan->to, 16);
    part->asked = true;
    scan->started = true;
    sl_scylla_reader_ask(scan->reader, &request, &part->ask);
    sl_cql_values_done(&values);
}

static bool wants_page(const struct part *part)
{
    return !part->asked && !part->complete && part->n_pages < PAGES_AHEAD;
}

void sl_scylla_scan_send(struct sl_scylla_scan *scan)
{
    struct sl_scylla_reader *reader = scan->reader;
    uint32_t end = scan->current + PARTS_AHEAD < scan->n_parts ? scan->current + PARTS_AHEAD : scan->n_parts;

    for (uint32_t i = scan->current; i < end; i++) {
        if (!wants_page(scan->parts[i]))
            continue;
        /* Whose turn it is may always ask, or nothing would move; a scan that has not begun waits. */
        if ((i > scan->current || !scan->started) && reader->held_bytes >= reader->bytes_max)
            return;
        if (!sl_scylla_reader_has_room(reader))
            return;
        ask_part(scan, scan->parts[i]);
    }
    dequeue(scan);
}

/* ---- going through ---- */

static void spend(struct sl_scylla_scan *scan, struct sl_cql_answer *answer)
{
    SL_GROW(scan->spent, scan->n_spent, scan->spent_capacity);
    scan->spent[scan->n_spent++] = answer;
}

static void free_spent(struct sl_scylla_scan *scan)
{
    for (uint32_t i = 0; i < scan->n_spent; i++)
        drop_answer(scan->reader, scan->spent[i]);
    scan->n_spent = 0;
}

static void leave_page(struct sl_scylla_scan *scan, struct part *part)
{
    spend(scan, part->pages[0]);
    part->n_pages--;
    memmove(part->pages, part->pages + 1, part->n_pages * sizeof(part->pages[0]));
    if (wants_page(part))
        enqueue(scan);
}

static enum sl_rc read_row(struct sl_scylla_scan *scan, struct sl_cql_rows *rows, uint32_t stream,
                           struct sl_error *err)
{
    bool more = false;
    enum sl_rc rc;

    make_cells(scan, rows->columns ? rows->columns->n : 0);
    rc = sl_cql_rows_next(rows, scan->cells, &more, err);
    if (rc != SL_OK || !more)
        return rc;
    scan->has_row = true;
    scan->row_stream = stream;
    if (scan->row_columns != rows->columns)
        scan->shape = NULL;
    scan->row_columns = rows->columns;
    return SL_OK;
}

/* The next row of the part, if one is here. */
static enum sl_rc next_row(struct sl_scylla_scan *scan, struct part *part, struct sl_error *err)
{
    enum sl_rc rc = SL_OK;

    while (rc == SL_OK && !scan->has_row && part->n_pages) {
        if (part->n == 1) {
            rc = read_row(scan, &part->pages[0]->rows, part->first, err);
            if (rc == SL_OK && !scan->has_row)
                leave_page(scan, part);
        } else if (part->segment < part->n_segments) {
            struct segment *segment = &part->segments[part->segment];

            if (!segment->n_rows--)
                part->segment++;
            else
                rc = read_row(scan, &segment->rows, segment->stream, err);
        } else {
            leave_page(scan, part);
        }
    }
    return rc;
}

/* The part is gone through: the next one's turn. */
static void leave_part(struct sl_scylla_scan *scan)
{
    free_part(scan->reader, scan->parts[scan->current]);
    scan->parts[scan->current] = NULL;
    scan->current++;
    if (scan->current < scan->n_parts)
        enqueue(scan);
}

/* Put the row into the group, or find that the group ends before it. */
static enum sl_rc take_row(struct sl_scylla_scan *scan, bool *ret_whole, struct sl_error *err)
{
    struct sl_scylla_place place;
    enum sl_rc rc = SL_OK;

    if (!scan->shape)
        rc = sl_scylla_log_table_shape(scan->log, scan->row_columns, &scan->shape, err);
    if (rc == SL_OK)
        rc = sl_scylla_row_place(scan->shape, scan->cells, &place, err);
    if (rc != SL_OK)
        return rc;
    if (scan->filling && memcmp(&place, &scan->group.place, sizeof(place)) != 0) {
        *ret_whole = true;
        return SL_OK;
    }
    if (!scan->filling) {
        sl_scylla_group_begin(&scan->group, &place);
        scan->group_stream = scan->row_stream;
        scan->filling = true;
    }
    rc = sl_scylla_group_add(&scan->group, scan->shape, scan->cells, err);
    scan->has_row = false;
    *ret_whole = scan->group.ended;
    return rc;
}

/* Fill the group from what is here; *ret_whole: it is whole. */
static enum sl_rc fill_group(struct sl_scylla_scan *scan, bool *ret_whole, struct sl_error *err)
{
    while (scan->current < scan->n_parts || scan->has_row) {
        struct part *part = scan->current < scan->n_parts ? scan->parts[scan->current] : NULL;
        enum sl_rc rc = part && !scan->has_row ? next_row(scan, part, err) : SL_OK;

        if (rc == SL_OK && scan->has_row)
            rc = take_row(scan, ret_whole, err);
        else if (rc == SL_OK && part->complete && !part->n_pages)
            leave_part(scan);
        else
            return rc; /* on its way */
        if (rc != SL_OK || *ret_whole)
            return rc;
    }
    *ret_whole = scan->filling; /* the log ends with it */
    return SL_OK;
}

enum sl_rc sl_scylla_scan_next(struct sl_scylla_scan *scan, struct sl_scylla_group **ret_group,
                               uint32_t *ret_stream, struct sl_error *err)
{
    bool whole = false;
    enum sl_rc rc;

    if (!scan->filling && !scan->has_row)
        free_spent(scan);
    rc = fill_group(scan, &whole, err);
    *ret_group = NULL;
    if (rc != SL_OK || !whole)
        return rc;
    scan->filling = false;
    *ret_group = &scan->group;
    *ret_stream = scan->group_stream;
    return SL_OK;
}

bool sl_scylla_scan_ended(const struct sl_scylla_scan *scan)
{
    return scan->current >= scan->n_parts && !scan->has_row && !scan->filling;
}

bool sl_scylla_scan_ready(const struct sl_scylla_scan *scan)
{
    const struct part *part = scan->current < scan->n_parts ? scan->parts[scan->current] : NULL;

    return !part || part->n_pages || part->complete || scan->has_row;
}

uint64_t sl_scylla_scan_rows(const struct sl_scylla_scan *scan)
{
    return scan->rows;
}

struct sl_scylla_scan *sl_scylla_scan_new(struct sl_scylla_reader *reader, struct sl_scylla_log_table *log,
                                          const struct sl_scylla_stream *streams, uint32_t n,
                                          const uint8_t from[16], const uint8_t to[16])
{
    struct sl_scylla_scan *scan = sl_zalloc(1, sizeof(*scan));

    scan->reader = reader;
    scan->log = log;
    scan->streams = streams;
    memcpy(scan->from, from, 16);
    memcpy(scan->to, to, 16);
    for (uint32_t first = 0; first < n; first += SL_SCYLLA_IN_MAX)
        (void)add_part(scan, first, n - first < SL_SCYLLA_IN_MAX ? n - first : SL_SCYLLA_IN_MAX);
    enqueue(scan);
    return scan;
}

void sl_scylla_scan_free(struct sl_scylla_scan *scan)
{
    if (!scan)
        return;
    dequeue(scan);
    free_spent(scan);
    for (uint32_t i = scan->current; i < scan->n_parts; i++)
        free_part(scan->reader, scan->parts[i]);
    sl_scylla_group_done(&scan->group);
    sl_free(scan->parts);
    sl_free(scan->spent);
    sl_free(scan->cells);
    sl_free(scan);
}
