/* SPDX-License-Identifier: Apache-2.0 */
#include "request.h"
#include "chars.h"

#include <stdio.h>

bool ms_request_skip_headers(struct ms_reader *reader)
{
    uint32_t total = ms_read_u32(reader);
    if (reader->failed || total < 4 || ms_read_bytes(reader, total - 4) == NULL)
        return false;
    return true;
}

/* Procedures that clients name by number (MS-TDS 2.2.6.6). */
static const char *const numbered[] = {
    [1] = "sp_cursor",         [2] = "sp_cursoropen",      [3] = "sp_cursorprepare", [4] = "sp_cursorexecute",
    [5] = "sp_cursorprepexec", [6] = "sp_cursorunprepare", [7] = "sp_cursorfetch",   [8] = "sp_cursoroption",
    [9] = "sp_cursorclose",    [10] = "sp_executesql",     [11] = "sp_prepare",      [12] = "sp_execute",
    [13] = "sp_prepexec",      [14] = "sp_prepexecrpc",    [15] = "sp_unprepare",
};

#define BY_NUMBER 0xFFFF
#define CALL_SEPARATOR 0xFF
#define CALL_SEPARATOR_NO_EXEC 0xFE
#define PARAM_OUTPUT 0x01
#define PARAM_DEFAULT 0x02

static const char *read_procedure(struct ms_reader *reader, struct ms_scratch *scratch, struct ms_call *call)
{
    uint16_t units = ms_read_u16(reader);
    if (units != BY_NUMBER)
        return ms_chars_read_utf16(reader, units, scratch, NULL);
    uint16_t number = ms_read_u16(reader);
    if (number >= 1 && number < sizeof(numbered) / sizeof(numbered[0]))
        return numbered[number];
    snprintf(call->problem, sizeof(call->problem), "Procedure number %u is unknown", number);
    return NULL;
}

static enum ms_call_result refuse_type(struct ms_call *call, const struct ms_param *param, uint8_t wire)
{
    const char *what = wire == MS_WIRE_TVP       ? "a table-valued parameter"
                       : wire == MS_WIRE_VARIANT ? "a parameter of type sql_variant"
                                                 : "a parameter of a CLR type";
    snprintf(call->problem, sizeof(call->problem),
             "Parameter %zu (\"%.128s\"): %s (0x%02X) is not supported by this server. HINT: pass the rows "
             "one by one, "
             "or a value of a plain type",
             call->n_params + 1, param->column.name, what, wire);
    return MS_CALL_UNSUPPORTED;
}

static enum ms_call_result read_param(struct ms_reader *reader, struct ms_scratch *scratch,
                                      struct ms_call *call, struct ms_param *ret_param)
{
    struct ms_param param = {.column = {.nullable = true}};
    param.column.name = ms_chars_read_utf16(reader, ms_read_u8(reader), scratch, NULL);
    uint8_t flags = ms_read_u8(reader);
    param.output = flags & PARAM_OUTPUT;
    param.use_default = flags & PARAM_DEFAULT;
    struct ms_decoder decoder = {0};
    enum ms_decode_result type = ms_decoder_read_type(reader, &decoder);
    if (type == MS_DECODE_UNSUPPORTED)
        return refuse_type(call, &param, decoder.wire);
    if (type == MS_DECODE_OK && ms_decoder_read_value(&decoder, reader, scratch, &param.value)) {
        param.column.type = decoder.type;
        *ret_param = param;
        return MS_CALL_OK;
    }
    bool broken = type != MS_DECODE_OK || reader->failed;
    snprintf(call->problem, sizeof(call->problem), "Parameter %zu (\"%.128s\"): %s 0x%02X%s",
             call->n_params + 1, param.column.name,
             broken ? "Data type" : "The supplied value is not a valid instance of data type", decoder.wire,
             broken ? " has an invalid data length or metadata length" : "");
    return broken ? MS_CALL_BROKEN : MS_CALL_INVALID;
}

static bool at_separator(const struct ms_reader *reader)
{
    return *reader->at == CALL_SEPARATOR || *reader->at == CALL_SEPARATOR_NO_EXEC;
}

/* Room for one more parameter; arrays grow in scratch by doubling. */
static void make_room(struct ms_call *call, struct ms_scratch *scratch, size_t *cap)
{
    if (call->n_params < *cap)
        return;
    *cap = *cap == 0 ? 16 : *cap * 2;
    struct ms_param *larger = ms_scratch_alloc(scratch, *cap * sizeof(*larger));
    if (call->n_params > 0)
        memcpy(larger, call->params, call->n_params * sizeof(*larger));
    call->params = larger;
}

enum ms_call_result ms_request_next_call(struct ms_reader *reader, struct ms_scratch *scratch,
                                         struct ms_call *ret)
{
    *ret = (struct ms_call){.procedure = ""};
    if (ms_reader_left(reader) == 0)
        return MS_CALL_END;
    const char *procedure = read_procedure(reader, scratch, ret);
    (void)ms_read_u16(reader); /* options: recompile, no metadata; neither changes what is right */
    if (procedure == NULL || reader->failed) {
        if (reader->failed)
            snprintf(ret->problem, sizeof(ret->problem), "The procedure name is cut short");
        return MS_CALL_BROKEN;
    }
    size_t cap = 0;
    while (ms_reader_left(reader) > 0 && !at_separator(reader)) {
        if (ret->n_params == MS_MAX_PARAMS) {
            snprintf(ret->problem, sizeof(ret->problem),
                     "Too many parameters were provided; the maximum is 2100");
            return MS_CALL_BROKEN;
        }
        make_room(ret, scratch, &cap);
        enum ms_call_result result = read_param(reader, scratch, ret, &ret->params[ret->n_params]);
        if (result != MS_CALL_OK)
            return result;
        ret->n_params++;
    }
    if (ms_reader_left(reader) > 0)
        (void)ms_read_u8(reader); /* the separator: another call may follow */
    ret->procedure = procedure;
    return MS_CALL_OK;
}

bool ms_request_read_tran(struct ms_reader *reader, struct ms_scratch *scratch, struct ms_tran_call *ret_tran)
{
    struct ms_tran_call tran = {.request = ms_read_u16(reader), .name = ""};
    if (tran.request == MS_TRAN_BEGIN)
        tran.isolation = ms_read_u8(reader);
    if (tran.request >= MS_TRAN_BEGIN && tran.request <= MS_TRAN_SAVE) {
        /* the count is of bytes, as SQL Server's clients write it */
        size_t bytes = ms_read_u8(reader);
        tran.name = ms_chars_read_utf16(reader, bytes / 2, scratch, NULL);
    }
    if (tran.request == MS_TRAN_COMMIT || tran.request == MS_TRAN_ROLLBACK) {
        /* some clients leave the flags out when they are zero */
        tran.begin_again = ms_reader_left(reader) > 0 && (ms_read_u8(reader) & 1) != 0;
        if (tran.begin_again)
            tran.isolation = ms_read_u8(reader);
    }
    if (reader->failed)
        return false;
    *ret_tran = tran;
    return true;
}
