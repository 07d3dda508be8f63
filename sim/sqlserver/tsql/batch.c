/* SPDX-License-Identifier: Apache-2.0 */
/* Batches: parsed once per text and kept, run in frames; the session's beginning and end; the doors of
 * session.h. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "compile.h"
#include "execute.h"
#include "temporary.h"

#define CACHE_MAX 128
#define CACHE_TEXT_MAX ((size_t)8 * 1024) /* longer texts are rarely sent twice; their trees are large */

struct ms_cached_batch {
    struct ms_cached_batch *next; /* most recently used first */
    struct ms_batch batch;
    char *text;
    size_t len;
    bool quoted_identifier; /* as it was when the text was parsed */
    bool busy;
};

/* --- plans of statements --- */

static void empty_plan(struct ms_statement_plan *kept)
{
    ms_plan_close(&kept->plan);
    ms_plan_close(&kept->change.plan);
    ms_arena_reset(&kept->arena);
    kept->plan = (struct ms_plan){0};
    kept->change = (struct ms_bound_change){0};
    kept->bound = false;
}

struct ms_statement_plan *ms_statement_plan_for(struct ms_run *run, struct ms_batch *batch,
                                                struct ms_statement *st)
{
    struct ms_statement_plan *kept = st->plan;
    uint64_t version = ms_catalog_version(run->session);
    if (!kept) {
        kept = ms_heap_alloc(sizeof *kept);
        kept->next = batch->plans;
        batch->plans = kept;
        st->plan = kept;
    } else if (kept->bound && kept->version == version && kept->temp_version == run->l->temp_version &&
               kept->db_id == run->session->db_id) {
        return kept;
    }
    empty_plan(kept);
    kept->version = version;
    kept->temp_version = run->l->temp_version;
    kept->db_id = run->session->db_id;
    return kept;
}

void ms_batch_free(struct ms_batch *batch)
{
    while (batch->plans) {
        struct ms_statement_plan *kept = batch->plans;
        batch->plans = kept->next;
        empty_plan(kept);
        ms_arena_free(&kept->arena);
        free(kept);
    }
    ms_arena_free(&batch->arena);
    *batch = (struct ms_batch){0};
}

/* --- the cache --- */

static void drop_cached(struct ms_cached_batch *entry)
{
    ms_batch_free(&entry->batch);
    free(entry->text);
    free(entry);
}

static void trim_cache(struct ms_language *l)
{
    struct ms_cached_batch **link = &l->cache;
    size_t n = 0;
    while (*link) {
        struct ms_cached_batch *entry = *link;
        if ((++n > CACHE_MAX || entry->len > CACHE_TEXT_MAX) && !entry->busy) {
            *link = entry->next;
            drop_cached(entry);
            continue;
        }
        link = &entry->next;
    }
}

static struct ms_cached_batch *find_cached(struct ms_language *l, const char *sql, size_t len)
{
    for (struct ms_cached_batch **link = &l->cache; *link; link = &(*link)->next) {
        struct ms_cached_batch *entry = *link;
        if (entry->len != len || entry->busy || entry->quoted_identifier != l->quoted_identifier ||
            memcmp(entry->text, sql, len) != 0)
            continue;
        *link = entry->next;
        entry->next = l->cache;
        l->cache = entry;
        return entry;
    }
    return NULL;
}

/* A parsed batch of this text, from the cache or fresh into it. NULL: it does not parse. */
static struct ms_cached_batch *take(struct ms_language *l, const char *sql, size_t len, int *ret_line,
                                    struct ms_error *err)
{
    struct ms_cached_batch *entry = len <= CACHE_TEXT_MAX ? find_cached(l, sql, len) : NULL;
    if (entry)
        return entry;
    entry = ms_heap_alloc(sizeof *entry);
    entry->quoted_identifier = l->quoted_identifier;
    if (!ms_parse_batch(sql, len, NULL, l->quoted_identifier, &entry->batch, ret_line, err)) {
        drop_cached(entry);
        return NULL;
    }
    entry->text = ms_heap_text(sql, len);
    entry->len = len;
    entry->next = l->cache;
    l->cache = entry;
    return entry;
}

/* --- frames --- */

static void free_slots(struct ms_language *l, struct ms_frame *frame)
{
    for (size_t i = 0; i < frame->batch->n_variables; i++) {
        if (frame->slots[i].table)
            ms_temporary_free(l, frame->slots[i].table);
        free(frame->slots[i].owned);
    }
    free(frame->slots);
}

static void give_outputs(struct ms_frame *frame, struct ms_value *ret_outputs, struct ms_arena *arena)
{
    for (size_t i = 0; i < frame->batch->n_parameters; i++) {
        const struct ms_type *type = &frame->batch->variables[i].type;
        ret_outputs[i] = frame->slots[i].value;
        if (!ret_outputs[i].is_null && ms_value_has_bytes(type))
            ret_outputs[i].bytes =
                (const uint8_t *)ms_arena_dup(arena, ret_outputs[i].bytes, ret_outputs[i].len);
    }
}

enum ms_flow ms_execute_batch(struct ms_language *l, struct ms_batch *batch, const char *procedure,
                              const struct ms_value *arguments, struct ms_value *ret_outputs,
                              struct ms_arena *out_arena, int32_t *ret_status)
{
    struct ms_frame frame = {.outer = l->frame, .batch = batch, .procedure = procedure, .line = 1};
    frame.slots = ms_heap_alloc((batch->n_variables + 1) * sizeof *frame.slots);
    for (size_t i = 0; i < batch->n_variables; i++) {
        if (i < batch->n_parameters && arguments)
            ms_slot_set(&frame.slots[i], &batch->variables[i].type, &arguments[i]);
        else
            frame.slots[i].value.is_null = true;
    }
    l->frame = &frame;
    l->nest++;
    enum ms_flow flow = MS_FLOW_NEXT;
    if (ms_compile_batch(l, batch, &flow))
        flow = ms_execute_list(l, batch, batch->statements);
    l->nest--;
    if (ret_outputs)
        give_outputs(&frame, ret_outputs, out_arena);
    if (ret_status)
        *ret_status = frame.return_status;
    ms_cursors_leave(l, batch);
    l->frame = frame.outer;
    free_slots(l, &frame);
    if (flow == MS_FLOW_GOTO) {
        struct ms_error err;
        (void)ms_error_set(&err, 133, 15, 1,
                           "A GOTO statement references the label '%s' but the label has not been "
                           "declared.",
                           frame.going_to);
        ms_tell(l, &err, frame.line);
        return MS_FLOW_ABORT;
    }
    return flow;
}

/* --- the doors --- */

static void forget_caught(struct ms_language *l)
{
    while (l->caught) {
        struct ms_caught *gone = l->caught;
        l->caught = gone->outer;
        free(gone);
    }
    l->try_depth = 0;
}

/* What must be so between two batches, whatever happened in the last one. */
void ms_session_settle(struct ms_language *l)
{
    struct ms_error err;
    forget_caught(l);
    if (l->doomed && ms_tran_count(l->session) > 0) {
        (void)ms_run_tran_rollback(l, NULL, &err);
        (void)ms_error_set(&err, 3998, 16, 1,
                           "Uncommittable transaction is detected at the end of the batch. The "
                           "transaction is rolled back.");
        ms_tell(l, &err, 1);
    }
    l->doomed = false;
    trim_cache(l);
}

void ms_session_batch(struct ms_session *session, const char *sql, size_t len, const struct ms_sink *sink)
{
    struct ms_language *l = ms_language_of(session);
    struct ms_error err = {0};
    int line = 1;
    l->sink = sink;
    l->gone = false;
    session->cancelled = false;
    struct ms_cached_batch *entry = take(l, sql, len, &line, &err);
    if (!entry) {
        l->last_error = err.number;
        ms_tell(l, &err, line);
        ms_tell_done(l, MS_CMD_OTHER, -1, true);
        return;
    }
    entry->busy = true;
    if (entry->batch.parse_only != MS_PARSE_ONLY_UNSAID)
        l->parse_only = entry->batch.parse_only == MS_PARSE_ONLY_ON;
    if (!l->parse_only)
        (void)ms_execute_batch(l, &entry->batch, "", NULL, NULL, NULL, NULL);
    entry->busy = false;
    ms_session_settle(l);
}

void ms_session_transaction(struct ms_session *session, enum ms_tran_request request, const char *name,
                            uint8_t isolation, bool begin_again, const struct ms_sink *sink)
{
    struct ms_language *l = ms_language_of(session);
    struct ms_error err = {0};
    bool ok = true;
    enum ms_command command = MS_CMD_OTHER;
    l->sink = sink;
    l->gone = false;
    if (isolation >= 1 && isolation <= 5)
        session->isolation = (enum ms_isolation)isolation;
    if (request == MS_TRAN_BEGIN) {
        command = MS_CMD_BEGIN_TRAN;
        ok = ms_run_tran_begin(l, name, &err);
    } else if (request == MS_TRAN_COMMIT) {
        command = MS_CMD_COMMIT_TRAN;
        ok = ms_run_tran_commit(l, &err);
    } else if (request == MS_TRAN_ROLLBACK) {
        command = MS_CMD_ROLLBACK_TRAN;
        ok = ms_run_tran_rollback(l, name && name[0] ? name : NULL, &err);
    } else {
        ok = ms_tran_save(session, name, &err);
    }
    if (ok && begin_again)
        ok = ms_run_tran_begin(l, NULL, &err);
    if (!ok)
        ms_tell(l, &err, 1);
    ms_tell_done(l, command, -1, !ok);
}

static void set_defaults(struct ms_language *l)
{
    l->nocount = l->xact_abort = l->implicit_transactions = l->doomed = false;
    l->parse_only = l->no_exec = l->fmt_only = l->has_context_info = false;
    l->arith_abort = l->quoted_identifier = l->ansi_padding = true;
    l->row_limit = 0;
    l->text_size = 2147483647;
    l->date_first = 7;
    l->identity_insert = 0;
    l->row_count = 0;
    l->last_error = 0;
    l->fetch_status = 0;
    (void)memcpy(l->language_name, "us_english", sizeof "us_english");
    l->session->isolation = MS_READ_COMMITTED;
    l->session->lock_timeout_ms = -1;
}

void ms_tsql_session_open(struct ms_session *session)
{
    struct ms_language *l = ms_heap_alloc(sizeof *l);
    l->session = session;
    l->next_handle = 1;
    l->random = ((uint64_t)session->spid << 32) ^ (uint64_t)session->login_time_dt;
    session->tsql = l;
    set_defaults(l);
    ms_operation_register(session);
}

static void drop_all(struct ms_language *l)
{
    forget_caught(l);
    ms_cursors_free(l);
    ms_prepared_free(l);
    while (l->cache) {
        struct ms_cached_batch *entry = l->cache;
        l->cache = entry->next;
        drop_cached(entry);
    }
    ms_temporary_drop_all(l);
}

void ms_tsql_session_reset(struct ms_session *session)
{
    struct ms_language *l = ms_language_of(session);
    drop_all(l);
    set_defaults(l);
}

void ms_tsql_session_close(struct ms_session *session)
{
    struct ms_language *l = ms_language_of(session);
    if (!l)
        return;
    drop_all(l);
    ms_arena_free(&l->scratch);
    free(l);
    session->tsql = NULL;
}
