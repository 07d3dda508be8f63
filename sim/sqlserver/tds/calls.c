/* SPDX-License-Identifier: Apache-2.0 */
#include "calls.h"

#include <strings.h>

static void begin_recording(struct ms_replay *replay, const char *sql, size_t len, struct ms_reply *reply)
{
    reply->recording = ms_replay_begin_record(replay, sql, len);
}

static void end_recording(struct ms_replay *replay, struct ms_reply *reply)
{
    if (reply->recording != NULL)
        ms_replay_save(replay, reply->recording);
    reply->recording = NULL;
}

void ms_calls_batch(struct ms_session *session, struct ms_replay *replay, const char *sql, size_t len,
                    struct ms_reply *reply)
{
    struct ms_recording *recording = ms_replay_find(replay, sql, len);
    if (recording != NULL && ms_replay_take(replay, recording)) {
        ms_reply_put_recording(reply, recording);
        return;
    }
    const struct ms_sink sink = ms_reply_sink(reply);
    begin_recording(replay, sql, len, reply);
    ms_session_batch(session, sql, len, &sink);
    end_recording(replay, reply);
}

/* Where the statement's text stands among a procedure's parameters; -1 for procedures without one. */
static int text_place(const char *procedure)
{
    if (strcasecmp(procedure, "sp_executesql") == 0)
        return 0;
    if (strcasecmp(procedure, "sp_prepexec") == 0 || strcasecmp(procedure, "sp_prepare") == 0)
        return 2;
    return -1;
}

static const struct ms_value *text_of(const struct ms_call *call)
{
    int place = text_place(call->procedure);
    if (place < 0 || (size_t)place >= call->n_params)
        return NULL;
    const struct ms_param *text = &call->params[place];
    bool is_text = text->column.type.id >= MS_CHAR && text->column.type.id <= MS_NTEXT;
    return is_text && !text->value.is_null ? &text->value : NULL;
}

/* The handle that a preparing call returned: heard in passing, or alone. */
struct overheard {
    struct ms_sink sink; /* where everything goes on to */
    bool pass_on;
    int64_t handle; /* -1: none came */
};

static bool hear_value(void *ctx, const struct ms_column *column, const struct ms_value *value)
{
    struct overheard *overheard = ctx;
    if (overheard->handle < 0 && !value->is_null)
        overheard->handle = value->i;
    return !overheard->pass_on || overheard->sink.return_value(overheard->sink.ctx, column, value);
}

static bool hear_columns(void *ctx, const struct ms_column *columns, size_t n)
{
    struct overheard *o = ctx;
    return !o->pass_on || o->sink.columns(o->sink.ctx, columns, n);
}

static bool hear_row(void *ctx, const struct ms_value *values)
{
    struct overheard *o = ctx;
    return !o->pass_on || o->sink.row(o->sink.ctx, values);
}

static bool hear_done(void *ctx, enum ms_command command, int64_t rows, bool failed)
{
    struct overheard *o = ctx;
    return !o->pass_on || o->sink.done(o->sink.ctx, command, rows, failed);
}

/* Messages are never kept back: they tell why there is no handle. */
static bool hear_message(void *ctx, const struct ms_message *message)
{
    struct overheard *o = ctx;
    return o->sink.message(o->sink.ctx, message);
}

static bool hear_env(void *ctx, enum ms_env what, const char *new_text, const char *old_text,
                     uint64_t descriptor)
{
    struct overheard *o = ctx;
    return o->sink.env(o->sink.ctx, what, new_text, old_text, descriptor);
}

static bool hear_status(void *ctx, int32_t status)
{
    struct overheard *o = ctx;
    return !o->pass_on || o->sink.return_status(o->sink.ctx, status);
}

/* Run a call and hear its first return value. */
static int64_t call_for_handle(struct ms_session *session, const char *procedure, struct ms_param *params,
                               size_t n, struct ms_reply *reply, bool pass_on)
{
    struct overheard overheard = {.sink = ms_reply_sink(reply), .pass_on = pass_on, .handle = -1};
    const struct ms_sink sink = {.ctx = &overheard,
                                 .columns = hear_columns,
                                 .row = hear_row,
                                 .done = hear_done,
                                 .message = hear_message,
                                 .env = hear_env,
                                 .return_value = hear_value,
                                 .return_status = hear_status};
    ms_session_call(session, procedure, params, n, &sink);
    return overheard.handle;
}

static void remember(struct ms_replayed *replayed, int64_t handle, struct ms_recording *recording)
{
    if (handle < 0 || replayed->n == MS_MAX_REPLAYED)
        return;
    replayed->handles[replayed->n].handle = handle;
    replayed->handles[replayed->n].recording = recording;
    replayed->n++;
}

static struct ms_recording *of_handle(const struct ms_replayed *replayed, const struct ms_call *call)
{
    bool execute = strcasecmp(call->procedure, "sp_execute") == 0 && call->n_params > 0;
    for (size_t i = replayed->n; execute && i > 0; i--) {
        if (replayed->handles[i - 1].handle == call->params[0].value.i)
            return replayed->handles[i - 1].recording;
    }
    return NULL;
}

static void answer_from(const struct ms_recording *recording, struct ms_reply *reply)
{
    const struct ms_sink sink = ms_reply_sink(reply);
    ms_reply_put_recording(reply, recording);
    sink.return_status(sink.ctx, 0);
}

/* sp_prepexec: the server prepares the statement, the recording is its execution. */
static void prepare_and_answer(struct ms_session *session, struct ms_replayed *replayed,
                               const struct ms_call *call, struct ms_recording *recording,
                               struct ms_reply *reply)
{
    int64_t handle = call_for_handle(session, "sp_prepare", call->params, 3, reply, false);
    remember(replayed, handle, recording);
    answer_from(recording, reply);
    const struct ms_sink sink = ms_reply_sink(reply);
    const struct ms_column column = {
        .name = call->params[0].column.name, .type = {.id = MS_INT}, .nullable = true};
    const struct ms_value value = {.i = handle, .is_null = handle < 0};
    sink.return_value(sink.ctx, &column, &value);
}

static bool answered(struct ms_session *session, struct ms_replay *replay, struct ms_replayed *replayed,
                     const struct ms_call *call, const struct ms_value *text, struct ms_reply *reply)
{
    struct ms_recording *recording = of_handle(replayed, call);
    if (recording != NULL && ms_replay_take(replay, recording)) {
        answer_from(recording, reply);
        return true;
    }
    recording = text == NULL ? NULL : ms_replay_find(replay, (const char *)text->bytes, text->len);
    if (recording == NULL)
        return false;
    if (strcasecmp(call->procedure, "sp_prepare") == 0) {
        remember(replayed,
                 call_for_handle(session, call->procedure, call->params, call->n_params, reply, true),
                 recording);
        return true;
    }
    if (!ms_replay_take(replay, recording))
        return false;
    if (strcasecmp(call->procedure, "sp_prepexec") == 0)
        prepare_and_answer(session, replayed, call, recording, reply);
    else
        answer_from(recording, reply);
    return true;
}

void ms_calls_call(struct ms_session *session, struct ms_replay *replay, struct ms_replayed *replayed,
                   const struct ms_call *call, struct ms_reply *reply)
{
    const struct ms_value *text = text_of(call);
    if (!answered(session, replay, replayed, call, text, reply)) {
        const struct ms_sink sink = ms_reply_sink(reply);
        if (text != NULL)
            begin_recording(replay, (const char *)text->bytes, text->len, reply);
        ms_session_call(session, call->procedure, call->params, call->n_params, &sink);
        end_recording(replay, reply);
    }
    ms_reply_end_call(reply);
}
