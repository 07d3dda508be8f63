/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzz target: what a client might send to the ScyllaDB stand-in. The first byte chooses whether STARTUP
 * (with LZ4 or without) and a password went before; the rest is frames. Every answer must be whole frames of
 * version 3 or 4.
 */
#include "sim/scylla/wire/dialog.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { STARTED = 1, LZ4 = 2, PASSWORD = 4 };

static const uint8_t startup[] = "\x04\0\0\0\x01\0\0\0\x02\0\0";
static const uint8_t startup_lz4[] = "\x04\0\0\0\x01\0\0\0\x14\0\x01\0\x0b"
                                     "COMPRESSION\0\x03lz4";

static bool feed(struct sy_dialog *dialog, const uint8_t *data, size_t size, struct sy_out *out)
{
    while (size > 0) {
        struct sy_frame frame;
        size_t used = 0;
        enum sy_frame_result found = sy_frame_peek(data, size, &frame, &used);
        if (found == SY_FRAME_PARTIAL)
            return false;
        enum sy_dialog_result result = found == SY_FRAME_WHOLE ? sy_dialog_answer(dialog, &frame, out)
                                                               : sy_dialog_refuse(dialog, &frame, found, out);
        if (result != SY_DIALOG_GO_ON)
            return false;
        data += used;
        size -= used;
    }
    return true;
}

static void check_answers(const struct sy_out *out)
{
    size_t at = 0;
    while (at < out->len) {
        struct sy_in in = {.at = out->data + at, .end = out->data + out->len};
        uint8_t version = sy_in_u8(&in);
        (void)sy_in_bytes(&in, 3);
        uint8_t opcode = sy_in_u8(&in);
        uint32_t len = sy_in_u32(&in);
        if (in.failed || (version != 0x83 && version != 0x84) || opcode >= SY_OPCODES ||
            len > sy_in_left(&in))
            abort();
        at += SY_HEADER_BYTES + len;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    struct sy_wire *wire = sy_wire_alloc(1, sizeof(*wire));
    struct sy_dialog dialog;
    struct sy_out out = {0};
    wire->n_nodes = wire->n_shards = 1;
    wire->authenticate = (data[0] & PASSWORD) != 0;
    wire->server = sy_server_open(&(struct sy_server_options){.n_nodes = 1});
    sy_faults_init(&wire->faults);
    sy_stats_init(&wire->stats);
    sy_dialog_init(&dialog, wire, 0, 0);
    bool going = true;
    if (data[0] & STARTED)
        going = data[0] & LZ4 ? feed(&dialog, startup_lz4, sizeof(startup_lz4) - 1, &out)
                              : feed(&dialog, startup, sizeof(startup) - 1, &out);
    if (!going)
        abort();
    (void)feed(&dialog, data + 1, size - 1, &out);
    check_answers(&out);
    sy_dialog_done(&dialog);
    sy_out_done(&out);
    sy_faults_done(&wire->faults);
    sy_stats_done(&wire->stats);
    sy_server_close(wire->server);
    free(wire);
    return 0;
}
