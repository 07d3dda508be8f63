/* SPDX-License-Identifier: Apache-2.0 */
#include "dialog.h"
#include "result.h"
#include "../storage/arena.h"

#include <stdio.h>

#define AUTHENTICATOR "org.apache.cassandra.auth.PasswordAuthenticator"
#define MAX_CREDENTIAL_BYTES 512

/* One request under way. */
struct turn {
    struct sy_dialog *dialog;
    const struct sy_frame *frame;
    const struct sy_request *request;
    struct sy_out *out;
};

void sy_dialog_init(struct sy_dialog *dialog, struct sy_wire *wire, uint32_t node, uint32_t shard)
{
    *dialog = (struct sy_dialog){.wire = wire, .node = node, .shard = shard, .version = SY_VERSION_MAX};
}

void sy_dialog_done(struct sy_dialog *dialog)
{
    if (dialog->session != NULL)
        sy_session_close(dialog->session);
    sy_arena_free(&dialog->arena);
    sy_out_done(&dialog->body);
}

static enum sy_dialog_result put_error(struct sy_dialog *dialog, uint8_t version, int16_t stream,
                                       const struct sy_error *error, struct sy_out *out)
{
    size_t at = sy_frame_begin(out, version, 0, stream, SY_OP_ERROR);
    sy_result_put_error(out, error);
    sy_frame_end(out, at, dialog->compress);
    atomic_fetch_add_explicit(&dialog->wire->stats.errors, 1, memory_order_relaxed);
    return SY_DIALOG_GO_ON;
}

static enum sy_dialog_result fail(const struct turn *turn, int32_t code, const char *message)
{
    const struct sy_error error = {.code = code, .message = message, .extra = {.len = SY_NULL}};
    return put_error(turn->dialog, turn->frame->version, turn->frame->stream, &error, turn->out);
}

/* An answer whose body is empty, or holds what `put` writes. */
static enum sy_dialog_result say(const struct turn *turn, uint8_t opcode)
{
    size_t at = sy_frame_begin(turn->out, turn->frame->version, 0, turn->frame->stream, opcode);
    if (opcode == SY_OP_SUPPORTED)
        sy_supported_put(turn->out, turn->dialog->wire, turn->dialog->node, turn->dialog->shard);
    else if (opcode == SY_OP_AUTHENTICATE)
        sy_out_string(turn->out, AUTHENTICATOR);
    else if (opcode == SY_OP_AUTH_SUCCESS)
        sy_out_i32(turn->out, -1);
    sy_frame_end(turn->out, at, turn->dialog->compress && opcode != SY_OP_READY);
    return SY_DIALOG_GO_ON;
}

/* A tracing session of this request; nothing is kept under it. */
static void put_trace(const struct turn *turn)
{
    uint8_t id[16] = {0};
    uint64_t n = ++turn->dialog->n_traces;
    memcpy(id, &n, sizeof(n));
    id[6] = 0x10; /* a version 1 UUID, as drivers expect */
    id[8] = 0x80;
    sy_out_bytes(turn->out, id, sizeof(id));
}

static void put_result(const struct turn *turn, const struct sy_result *result)
{
    const struct sy_result_style style = {.version = turn->frame->version,
                                          .skip_metadata = turn->request->parameters.skip_metadata,
                                          .lwt_mark = turn->dialog->startup.lwt_mark};
    bool failed = result->kind == SY_ERROR;
    uint8_t flags = turn->frame->flags & SY_FLAG_TRACING;
    if (result->n_warnings > 0 && style.version >= 4)
        flags |= SY_FLAG_WARNING;
    size_t at = sy_frame_begin(turn->out, style.version, flags, turn->frame->stream,
                               failed ? SY_OP_ERROR : SY_OP_RESULT);
    if (flags & SY_FLAG_TRACING)
        put_trace(turn);
    if (flags & SY_FLAG_WARNING) {
        sy_out_u16(turn->out, (uint16_t)result->n_warnings);
        for (uint32_t i = 0; i < result->n_warnings; i++)
            sy_out_string(turn->out, result->warnings[i]);
    }
    if (failed) {
        sy_result_put_error(turn->out, &result->error);
        atomic_fetch_add_explicit(&turn->dialog->wire->stats.errors, 1, memory_order_relaxed);
    } else {
        sy_result_put(turn->out, result, &style);
    }
    sy_frame_end(turn->out, at, turn->dialog->compress);
}

static enum sy_dialog_result begin_session(const struct turn *turn, const char *user, uint8_t opcode)
{
    struct sy_dialog *dialog = turn->dialog;
    dialog->session = sy_session_open(dialog->wire->server, dialog->node, user);
    if (dialog->session == NULL) {
        fail(turn, SY_CODE_SERVER, "The server has no session left");
        return SY_DIALOG_CLOSE;
    }
    dialog->state = SY_DIALOG_READY;
    return say(turn, opcode);
}

static enum sy_dialog_result start(const struct turn *turn)
{
    struct sy_dialog *dialog = turn->dialog;
    dialog->startup = turn->request->startup;
    if (dialog->startup.unknown_compression)
        return fail(turn, SY_CODE_PROTOCOL, "Unknown compression algorithm: lz4 is known");
    enum sy_dialog_result result;
    if (dialog->wire->authenticate) {
        dialog->state = SY_DIALOG_LOGIN;
        result = say(turn, SY_OP_AUTHENTICATE);
    } else {
        result = begin_session(turn, "anonymous", SY_OP_READY);
    }
    dialog->compress = dialog->startup.lz4;
    return result;
}

/* One of the token's parts: up to a NUL, or to its end. */
static bool take_part(struct sy_in *in, char ret[MAX_CREDENTIAL_BYTES])
{
    const uint8_t *nul = memchr(in->at, 0, sy_in_left(in));
    size_t len = nul == NULL ? sy_in_left(in) : (size_t)(nul - in->at);
    if (len >= MAX_CREDENTIAL_BYTES)
        return false;
    memcpy(ret, in->at, len);
    ret[len] = '\0';
    in->at += nul == NULL ? len : len + 1;
    return true;
}

/* SASL PLAIN: identity to act as (may be empty), NUL, user, NUL, password. */
static bool read_credentials(struct sy_value token, char user[MAX_CREDENTIAL_BYTES],
                             char password[MAX_CREDENTIAL_BYTES])
{
    if (token.len < 2)
        return false;
    struct sy_in in = {.at = token.bytes, .end = token.bytes + token.len};
    char acting_as[MAX_CREDENTIAL_BYTES];
    return take_part(&in, acting_as) && take_part(&in, user) && take_part(&in, password);
}

static enum sy_dialog_result log_in(const struct turn *turn)
{
    char user[MAX_CREDENTIAL_BYTES];
    char password[MAX_CREDENTIAL_BYTES];
    if (!read_credentials(turn->request->token, user, password) ||
        !sy_server_login(turn->dialog->wire->server, user, password)) {
        fail(turn, SY_CODE_CREDENTIALS, "Username and/or password are incorrect");
        return SY_DIALOG_GO_ON;
    }
    return begin_session(turn, user, SY_OP_AUTH_SUCCESS);
}

static void run_prepare(const struct turn *turn, struct sy_result *result)
{
    struct sy_dialog *dialog = turn->dialog;
    const struct sy_request *request = turn->request;
    sy_session_prepare(dialog->session, request->cql, request->cql_len, &dialog->arena, result);
    if (result->kind == SY_PREPARED)
        sy_stats_learn(&dialog->wire->stats, result->id, request->cql, request->cql_len);
}

static void run(const struct turn *turn, struct sy_result *result)
{
    struct sy_session *session = turn->dialog->session;
    struct sy_arena *arena = &turn->dialog->arena;
    const struct sy_request *r = turn->request;
    *result = (struct sy_result){.kind = SY_VOID, .paging_state = {.len = SY_NULL}};
    if (r->opcode == SY_OP_QUERY)
        sy_session_query(session, r->cql, r->cql_len, &r->parameters, arena, result);
    else if (r->opcode == SY_OP_EXECUTE)
        sy_session_execute(session, r->id.bytes, &r->parameters, arena, result);
    else if (r->opcode == SY_OP_BATCH)
        sy_session_batch(session, r->batch_kind, r->items, r->n_items, &r->parameters, arena, result);
    else
        run_prepare(turn, result);
}

/* Count the statement, and say what it is (for rules that ask for a text). */
static const char *note_statement(const struct turn *turn, size_t *ret_len)
{
    struct sy_stats *stats = &turn->dialog->wire->stats;
    const struct sy_request *r = turn->request;
    const char *text = NULL;
    sy_stats_count_shard(stats, turn->dialog->node, turn->dialog->shard);
    if (r->opcode == SY_OP_EXECUTE) {
        text = sy_stats_count_id(stats, r->id.bytes);
        *ret_len = text == NULL ? 0 : strlen(text);
        return text;
    }
    if (r->opcode == SY_OP_BATCH) {
        sy_stats_count(stats, "batch", 5);
        for (uint32_t i = 0; i < r->n_items; i++) {
            if (r->items[i].cql == NULL)
                text = sy_stats_count_id(stats, r->items[i].id);
            else
                sy_stats_count(stats, r->items[i].cql, r->items[i].cql_len);
        }
        *ret_len = text == NULL ? 0 : strlen(text);
        return text;
    }
    sy_stats_count(stats, r->cql, r->cql_len);
    *ret_len = r->cql_len;
    return r->cql;
}

static enum sy_dialog_result answer_failure(const struct turn *turn, enum sy_failure failure)
{
    static const uint8_t garbage[] = {0x84, 0x08, 0x00, 0x00, 0x08, 0x7F, 0xFF, 0xFF, 0xFF,
                                      0x00, 0x00, 0x00, 0x02, 0xFF, 0xFF, 0xFF, 0xFF};
    struct sy_dialog *dialog = turn->dialog;
    if (failure == SY_FAIL_DROP)
        return SY_DIALOG_CUT;
    if (failure == SY_FAIL_IGNORE)
        return SY_DIALOG_GO_ON;
    if (failure == SY_FAIL_GARBAGE) {
        sy_out_bytes(turn->out, garbage, sizeof(garbage));
        return SY_DIALOG_CLOSE;
    }
    if (failure == SY_FAIL_WRITE_TIMEOUT) {
        struct sy_result done;
        run(turn, &done);
    }
    struct sy_result result = {.kind = SY_ERROR};
    result.error = sy_failure_error(failure, turn->request, &dialog->startup, &dialog->arena);
    put_result(turn, &result);
    return SY_DIALOG_GO_ON;
}

static enum sy_dialog_result serve(const struct turn *turn)
{
    struct sy_dialog *dialog = turn->dialog;
    if (turn->request->opcode == SY_OP_EXECUTE && turn->request->id.len != 16) {
        struct sy_result unknown = {.kind = SY_ERROR};
        unknown.error = sy_failure_error(SY_FAIL_UNPREPARED, turn->request, &dialog->startup, &dialog->arena);
        put_result(turn, &unknown);
        return SY_DIALOG_GO_ON;
    }
    if (turn->request->opcode != SY_OP_PREPARE) {
        size_t len = 0;
        const char *text = note_statement(turn, &len);
        enum sy_failure failure = sy_faults_pick(&dialog->wire->faults, dialog->node, text, len);
        if (failure == SY_FAIL_UNPREPARED && turn->request->opcode != SY_OP_EXECUTE)
            failure = SY_FAIL_NONE;
        if (failure != SY_FAIL_NONE)
            return answer_failure(turn, failure);
    }
    struct sy_result result;
    run(turn, &result);
    put_result(turn, &result);
    return SY_DIALOG_GO_ON;
}

static enum sy_dialog_result out_of_turn(const struct turn *turn)
{
    char text[160];
    snprintf(text, sizeof(text), "Unexpected message %s, expecting %s", sy_opcode_name(turn->frame->opcode),
             turn->dialog->state == SY_DIALOG_START   ? "STARTUP or OPTIONS"
             : turn->dialog->state == SY_DIALOG_LOGIN ? "AUTH_RESPONSE"
                                                      : "a request");
    return fail(turn, SY_CODE_PROTOCOL, text);
}

static enum sy_dialog_result respond(const struct turn *turn)
{
    enum sy_dialog_state state = turn->dialog->state;
    enum sy_opcode opcode = turn->request->opcode;
    if (opcode == SY_OP_OPTIONS)
        return say(turn, SY_OP_SUPPORTED);
    if (opcode == SY_OP_STARTUP && state == SY_DIALOG_START)
        return start(turn);
    if (opcode == SY_OP_AUTH_RESPONSE && state == SY_DIALOG_LOGIN)
        return log_in(turn);
    if (state != SY_DIALOG_READY || opcode == SY_OP_STARTUP || opcode == SY_OP_AUTH_RESPONSE)
        return out_of_turn(turn);
    if (opcode == SY_OP_REGISTER) {
        atomic_fetch_or(&turn->dialog->events, turn->request->events);
        return say(turn, SY_OP_READY);
    }
    return serve(turn);
}

/* The body in clear and without its payload; NULL, or what is wrong. */
static const char *open_body(struct sy_dialog *dialog, const struct sy_frame *frame, const uint8_t **ret_body,
                             size_t *ret_len)
{
    *ret_body = frame->body;
    *ret_len = frame->body_len;
    if (frame->flags & SY_FLAG_COMPRESSED) {
        dialog->body.len = 0;
        if (!dialog->compress)
            return "a compressed frame, though STARTUP named no compression";
        const char *problem = sy_frame_decompress(frame->body, frame->body_len, &dialog->body);
        if (problem != NULL)
            return problem;
        *ret_body = dialog->body.data;
        *ret_len = dialog->body.len;
    }
    if (frame->flags & SY_FLAG_PAYLOAD && !sy_request_skip_payload(ret_body, ret_len))
        return "truncated custom payload";
    return NULL;
}

enum sy_dialog_result sy_dialog_answer(struct sy_dialog *dialog, const struct sy_frame *frame,
                                       struct sy_out *out)
{
    static const uint8_t nothing[1];
    const uint8_t *body = nothing;
    size_t len = 0;
    struct sy_request request = {0};
    const struct turn turn = {.dialog = dialog, .frame = frame, .request = &request, .out = out};
    dialog->version = frame->version;
    if (frame->opcode < SY_OPCODES)
        atomic_fetch_add_explicit(&dialog->wire->stats.opcodes[frame->opcode], 1, memory_order_relaxed);
    const char *problem = open_body(dialog, frame, &body, &len);
    if (problem == NULL)
        problem = sy_request_read(frame->version, frame->opcode, body, len, &dialog->arena, &request);
    enum sy_dialog_result result = SY_DIALOG_CLOSE;
    if (problem == NULL)
        result = respond(&turn);
    else
        fail(&turn, SY_CODE_PROTOCOL, problem);
    sy_arena_reset(&dialog->arena);
    return result;
}

enum sy_dialog_result sy_dialog_refuse(struct sy_dialog *dialog, const struct sy_frame *frame,
                                       enum sy_frame_result why, struct sy_out *out)
{
    char text[160];
    struct sy_error error = {.code = SY_CODE_PROTOCOL, .message = text, .extra = {.len = SY_NULL}};
    if (why == SY_FRAME_VERSION)
        snprintf(text, sizeof(text),
                 "Invalid or unsupported protocol version (%u); the lowest supported version is %d and the "
                 "greatest is %d",
                 frame->version, SY_VERSION_MIN, SY_VERSION_MAX);
    else
        snprintf(text, sizeof(text), "Not a request frame, or its body is longer than %u bytes",
                 SY_BODY_MAX_BYTES);
    /* on stream 0, as ScyllaDB does before it knows how to read the header; Apache's gocql counts on it */
    put_error(dialog, SY_VERSION_MAX, why == SY_FRAME_VERSION ? 0 : frame->stream, &error, out);
    return SY_DIALOG_CLOSE;
}
