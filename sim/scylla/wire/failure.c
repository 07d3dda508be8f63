/* SPDX-License-Identifier: Apache-2.0 */
/* Errors on command, with the words and the extras that a real node gives them (section 9). */
#include "dialog.h"
#include "../storage/arena.h"

#define NOBODY_ALIVE "Cannot achieve consistency level. Requires 1, alive 0 (asked for by the test)"

/* Appended to the extras of timeouts and failures: what one replica of one, which did not answer, leaves. */
static void put_replicas(struct sy_out *out, const struct sy_request *request, bool failures)
{
    sy_out_u16(out, request->parameters.consistency);
    sy_out_i32(out, 0);
    sy_out_i32(out, 1);
    if (failures)
        sy_out_i32(out, 1);
}

static const char *write_type(const struct sy_request *request)
{
    if (request->opcode != SY_OP_BATCH)
        return "SIMPLE";
    return request->batch_kind == SY_BATCH_LOGGED    ? "BATCH"
           : request->batch_kind == SY_BATCH_COUNTER ? "COUNTER"
                                                     : "UNLOGGED_BATCH";
}

static struct sy_error describe(enum sy_failure failure, const struct sy_request *request,
                                const struct sy_startup *startup, struct sy_out *out)
{
    switch (failure) {
    case SY_FAIL_OVERLOADED:
        return (struct sy_error){.code = SY_CODE_OVERLOADED, .message = "Too many in flight requests"};
    case SY_FAIL_UNAVAILABLE:
        sy_out_u16(out, request->parameters.consistency);
        sy_out_i32(out, 1);
        sy_out_i32(out, 0);
        return (struct sy_error){.code = SY_CODE_UNAVAILABLE, .message = NOBODY_ALIVE};
    case SY_FAIL_READ_TIMEOUT:
        put_replicas(out, request, false);
        sy_out_u8(out, 0);
        return (struct sy_error){.code = SY_CODE_READ_TIMEOUT,
                                 .message = "Operation timed out - received only 0 responses from 1 CL"};
    case SY_FAIL_WRITE_TIMEOUT:
        put_replicas(out, request, false);
        sy_out_string(out, write_type(request));
        return (struct sy_error){.code = SY_CODE_WRITE_TIMEOUT,
                                 .message = "Operation timed out - received only 0 responses from 1 CL"};
    case SY_FAIL_READ_FAILURE:
        put_replicas(out, request, true);
        sy_out_u8(out, 0);
        return (struct sy_error){.code = SY_CODE_READ_FAILURE,
                                 .message = "Operation failed - received 0 responses and 1 failures"};
    case SY_FAIL_WRITE_FAILURE:
        put_replicas(out, request, true);
        sy_out_string(out, write_type(request));
        return (struct sy_error){.code = SY_CODE_WRITE_FAILURE,
                                 .message = "Operation failed - received 0 responses and 1 failures"};
    case SY_FAIL_RATE_LIMIT:
        /* a client that does not know the error is given one that it knows, without extras */
        if (startup->rate_limit) {
            sy_out_u8(out, 0);
            sy_out_u8(out, 1);
        }
        return (struct sy_error){.code = startup->rate_limit ? SY_CODE_RATE_LIMIT : SY_CODE_CONFIG,
                                 .message = "Per-partition rate limit reached"};
    case SY_FAIL_BOOTSTRAPPING:
        return (struct sy_error){.code = SY_CODE_BOOTSTRAPPING, .message = "The node is bootstrapping"};
    case SY_FAIL_UNPREPARED:
        sy_out_u16(out, (uint16_t)request->id.len);
        sy_out_bytes(out, request->id.bytes, (size_t)request->id.len);
        return (struct sy_error){.code = SY_CODE_UNPREPARED,
                                 .message = "No prepared statement with this ID found"};
    case SY_FAIL_SERVER_ERROR:
    case SY_FAIL_IGNORE:
    case SY_FAIL_DROP:
    case SY_FAIL_GARBAGE:
    case SY_FAIL_NONE: break;
    }
    return (struct sy_error){.code = SY_CODE_SERVER, .message = "An error that the test asked for"};
}

struct sy_error sy_failure_error(enum sy_failure failure, const struct sy_request *request,
                                 const struct sy_startup *startup, struct sy_arena *arena)
{
    struct sy_out extra = {0};
    struct sy_error error = describe(failure, request, startup, &extra);
    error.extra = (struct sy_value){.len = SY_NULL};
    if (extra.len > 0)
        error.extra = (struct sy_value){.len = (int32_t)extra.len,
                                        .bytes = (const uint8_t *)sy_arena_dup(arena, extra.data, extra.len)};
    sy_out_done(&extra);
    return error;
}
