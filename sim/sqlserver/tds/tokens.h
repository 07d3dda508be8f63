/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tokens of a reply (MS-TDS 2.2.7), one function each, appended to a buffer. What order they come in, and
 * which DONE says "more", is for reply.c and the login.
 */
#ifndef SIM_SQLSERVER_TDS_TOKENS_H
#define SIM_SQLSERVER_TDS_TOKENS_H

#include "types.h"
#include "../session.h"

enum ms_token {
    MS_TOKEN_RETURNSTATUS = 0x79,
    MS_TOKEN_COLMETADATA = 0x81,
    MS_TOKEN_ERROR = 0xAA,
    MS_TOKEN_INFO = 0xAB,
    MS_TOKEN_RETURNVALUE = 0xAC,
    MS_TOKEN_LOGINACK = 0xAD,
    MS_TOKEN_ROW = 0xD1,
    MS_TOKEN_NBCROW = 0xD2,
    MS_TOKEN_ENVCHANGE = 0xE3,
    MS_TOKEN_DONE = 0xFD,
    MS_TOKEN_DONEPROC = 0xFE,
    MS_TOKEN_DONEINPROC = 0xFF,
};

#define MS_DONE_MORE 0x0001
#define MS_DONE_ERROR 0x0002
#define MS_DONE_COUNT 0x0010
#define MS_DONE_ATTENTION 0x0020

/* ENVCHANGE types that the seam does not name. */
enum ms_wire_env { MS_WIRE_ENV_PACKET_SIZE = 4, MS_WIRE_ENV_COLLATION = 7, MS_WIRE_ENV_RESET = 18 };

#define MS_SERVER_NAME "sluice-sim"

struct ms_done {
    uint8_t token; /* DONE, DONEPROC or DONEINPROC */
    uint16_t status;
    uint16_t command;
    uint64_t rows;
};

void ms_token_put_done(struct ms_bytes *out, const struct ms_done *done);
/* ERROR from severity 11, INFO below. */
void ms_token_put_message(struct ms_bytes *out, const struct ms_message *message);
void ms_token_put_env_text(struct ms_bytes *out, uint8_t type, const char *new_text, const char *old_text);
void ms_token_put_env_transaction(struct ms_bytes *out, uint8_t type, uint64_t descriptor);
void ms_token_put_env_collation(struct ms_bytes *out);
void ms_token_put_env_reset(struct ms_bytes *out);
void ms_token_put_login_ack(struct ms_bytes *out, uint32_t tds_version);
void ms_token_put_return_status(struct ms_bytes *out, int32_t status);
/* False when the value does not fit its column's type. */
bool ms_token_put_return_value(struct ms_bytes *out, uint16_t ordinal, const struct ms_column *column,
                               const struct ms_value *value);
void ms_token_put_columns(struct ms_bytes *out, const struct ms_column *columns,
                          const struct ms_encoder *encoders, size_t n);
/* A ROW, or an NBCROW where its NULL bitmap is the shorter. Returns n, or the index of a value that does not
 * fit. */
size_t ms_token_put_row(struct ms_bytes *out, const struct ms_encoder *encoders,
                        const struct ms_value *values, size_t n);

#endif
