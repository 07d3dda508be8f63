/* SPDX-License-Identifier: Apache-2.0 */
#include "reply.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

void ms_reply_init(struct ms_reply *reply, struct ms_out *out, const atomic_bool *cancelled)
{
    *reply = (struct ms_reply){.out = out, .cancelled = cancelled};
}

void ms_reply_done(struct ms_reply *reply)
{
    free(reply->encoders);
    free((void *)reply->names);
}

static bool wanted(const struct ms_reply *reply)
{
    return !reply->out->failed && !atomic_load_explicit(reply->cancelled, memory_order_relaxed);
}

static void release_held(struct ms_reply *reply, bool more)
{
    if (!reply->held)
        return;
    if (more)
        reply->held_done.status |= MS_DONE_MORE;
    ms_token_put_done(&reply->out->body, &reply->held_done);
    reply->held = false;
}

/* What every sink function does first: the held DONE is not the last. */
static struct ms_bytes *begin_token(struct ms_reply *reply)
{
    release_held(reply, true);
    return &reply->out->body;
}

static bool end_token(struct ms_reply *reply)
{
    return ms_out_spill(reply->out) && wanted(reply);
}

static void hold(struct ms_reply *reply, uint8_t token, enum ms_command command, int64_t rows, bool failed)
{
    release_held(reply, true);
    failed = failed || reply->error_since_done;
    reply->held = true;
    reply->held_done = (struct ms_done){.token = token, .command = (uint16_t)command};
    if (failed)
        reply->held_done.status |= MS_DONE_ERROR;
    if (rows >= 0) {
        reply->held_done.status |= MS_DONE_COUNT;
        reply->held_done.rows = (uint64_t)rows;
    }
    reply->last_failed = failed;
    reply->error_since_done = false;
    reply->status_since_done = false;
}

static void make_room(struct ms_reply *reply, size_t n)
{
    if (n <= reply->cap_columns)
        return;
    reply->encoders = realloc(reply->encoders, n * sizeof(reply->encoders[0]));
    reply->names = realloc((void *)reply->names, n * sizeof(reply->names[0]));
    if (reply->encoders == NULL || reply->names == NULL)
        abort();
    reply->cap_columns = n;
}

/* What stands in the body from `begin` on goes into the recording too. */
static void record(struct ms_reply *reply, size_t begin, uint64_t rows)
{
    if (reply->recording == NULL)
        return;
    ms_bytes_put(&reply->recording->tokens, reply->out->body.data + begin, reply->out->body.len - begin);
    reply->recording->rows += rows;
}

static bool on_columns(void *ctx, const struct ms_column *columns, size_t n)
{
    struct ms_reply *reply = ctx;
    make_room(reply, n);
    for (size_t i = 0; i < n; i++) {
        reply->encoders[i] = ms_encoder_make(&columns[i].type, columns[i].nullable);
        reply->names[i] = columns[i].name;
    }
    reply->n_columns = n;
    struct ms_bytes *body = begin_token(reply);
    size_t begin = body->len;
    ms_token_put_columns(body, columns, reply->encoders, n);
    if (reply->recording != NULL && reply->recording->tokens.len == 0)
        record(reply, begin, 0);
    return end_token(reply);
}

/* A value that its announced type cannot hold is a mistake of the server behind: say so instead of bending
 * it. */
static bool refuse_value(struct ms_reply *reply, const char *name, const struct ms_value *value)
{
    char text[400];
    snprintf(text, sizeof(text), "The value of result column '%.128s' does not fit its announced type: %s.",
             name,
             value->is_null ? "it is NULL and the column is NOT NULL" : "it is longer than the type allows");
    const struct ms_message message = {.number = 682, .state = 1, .severity = 16, .text = text, .line = 1};
    ms_token_put_message(&reply->out->body, &message);
    reply->error_since_done = true;
    return false;
}

static bool on_row(void *ctx, const struct ms_value *values)
{
    struct ms_reply *reply = ctx;
    size_t n = reply->n_columns;
    struct ms_bytes *body = begin_token(reply);
    size_t begin = body->len;
    size_t put = ms_token_put_row(body, reply->encoders, values, n);
    if (put < n)
        return refuse_value(reply, reply->names[put], &values[put]);
    record(reply, begin, 1);
    return end_token(reply);
}

static bool on_done(void *ctx, enum ms_command command, int64_t rows, bool failed)
{
    struct ms_reply *reply = ctx;
    /* in a batch, a status before a DONE means that the statement was EXECUTE */
    uint8_t token = reply->in_call             ? MS_TOKEN_DONEINPROC
                    : reply->status_since_done ? MS_TOKEN_DONEPROC
                                               : MS_TOKEN_DONE;
    hold(reply, token, command, rows, failed);
    return end_token(reply);
}

static bool on_message(void *ctx, const struct ms_message *message)
{
    struct ms_reply *reply = ctx;
    ms_token_put_message(begin_token(reply), message);
    if (message->severity > 10)
        reply->error_since_done = true;
    return end_token(reply);
}

static bool on_env(void *ctx, enum ms_env what, const char *new_text, const char *old_text,
                   uint64_t descriptor)
{
    struct ms_reply *reply = ctx;
    struct ms_bytes *body = begin_token(reply);
    if (what == MS_ENV_DATABASE || what == MS_ENV_LANGUAGE)
        ms_token_put_env_text(body, (uint8_t)what, new_text, old_text);
    else
        ms_token_put_env_transaction(body, (uint8_t)what, descriptor);
    return end_token(reply);
}

/* The 0-based place of an output among all parameters of the call: by name, else the next one marked as
 * output. */
static uint16_t ordinal_of(struct ms_reply *reply, const char *name)
{
    for (size_t i = 0; i < reply->n_params && name[0] != '\0'; i++) {
        if (reply->params[i].output && strcasecmp(reply->params[i].column.name, name) == 0)
            return (uint16_t)i;
    }
    for (size_t i = reply->next_output; i < reply->n_params; i++) {
        if (reply->params[i].output) {
            reply->next_output = i + 1;
            return (uint16_t)i;
        }
    }
    return 0;
}

static bool on_return_value(void *ctx, const struct ms_column *column, const struct ms_value *value)
{
    struct ms_reply *reply = ctx;
    struct ms_bytes *body = begin_token(reply);
    if (!ms_token_put_return_value(body, ordinal_of(reply, column->name), column, value))
        return refuse_value(reply, column->name, value);
    return end_token(reply);
}

static bool on_return_status(void *ctx, int32_t status)
{
    struct ms_reply *reply = ctx;
    ms_token_put_return_status(begin_token(reply), status);
    reply->status_since_done = true;
    return end_token(reply);
}

struct ms_sink ms_reply_sink(struct ms_reply *reply)
{
    return (struct ms_sink){
        .ctx = reply,
        .columns = on_columns,
        .row = on_row,
        .done = on_done,
        .message = on_message,
        .env = on_env,
        .return_value = on_return_value,
        .return_status = on_return_status,
    };
}

void ms_reply_put_recording(struct ms_reply *reply, const struct ms_recording *recording)
{
    struct ms_bytes *body = begin_token(reply);
    const struct ms_bytes *tokens = &recording->tokens;
    for (size_t at = 0; at < tokens->len && end_token(reply); at += MS_SPILL_BYTES) {
        size_t left = tokens->len - at;
        ms_bytes_put(body, tokens->data + at, left < MS_SPILL_BYTES ? left : MS_SPILL_BYTES);
    }
    (void)on_done(reply, MS_CMD_SELECT, (int64_t)recording->rows, false);
}

void ms_reply_begin_call(struct ms_reply *reply, const struct ms_param *params, size_t n_params)
{
    reply->in_call = true;
    reply->params = params;
    reply->n_params = n_params;
    reply->next_output = 0;
    reply->last_failed = false;
}

void ms_reply_end_call(struct ms_reply *reply)
{
    bool failed = reply->last_failed;
    hold(reply, MS_TOKEN_DONEPROC, MS_CMD_EXECUTE, -1, failed);
    reply->in_call = false;
    reply->params = NULL;
    reply->n_params = 0;
}

void ms_reply_fail(struct ms_reply *reply, const struct ms_message *message)
{
    ms_token_put_message(begin_token(reply), message);
    hold(reply, reply->in_call ? MS_TOKEN_DONEPROC : MS_TOKEN_DONE, MS_CMD_OTHER, -1, true);
}

bool ms_reply_finish(struct ms_reply *reply, bool attention)
{
    if (!reply->held)
        hold(reply, MS_TOKEN_DONE, MS_CMD_OTHER, -1, false);
    release_held(reply, false);
    if (!ms_out_finish(reply->out))
        return false;
    return !attention || ms_reply_attention(reply->out);
}

bool ms_reply_attention(struct ms_out *out)
{
    const struct ms_done done = {.token = MS_TOKEN_DONE, .status = MS_DONE_ATTENTION};
    ms_token_put_done(&out->body, &done);
    return ms_out_finish(out);
}
