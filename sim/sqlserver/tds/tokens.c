/* SPDX-License-Identifier: Apache-2.0 */
#include "tokens.h"
#include "prelogin.h"
#include "chars.h"

#define COLUMN_NULLABLE 0x0001
#define COLUMN_UPDATABLE_UNKNOWN 0x0008
#define COLUMN_IDENTITY 0x0010
#define COLUMN_COMPUTED 0x0020

#define USER_TYPE_TIMESTAMP 0x50

/* Tokens with a u16 length: remember where it stands, and fill it in when the body is known. */
static size_t begin_counted(struct ms_bytes *out, uint8_t token)
{
    ms_bytes_put_u8(out, token);
    ms_bytes_put_le(out, 0, 2);
    return out->len;
}

static void end_counted(struct ms_bytes *out, size_t body_at)
{
    uint16_t count = (uint16_t)(out->len - body_at);
    memcpy(out->data + body_at - 2, &count, 2);
}

void ms_token_put_done(struct ms_bytes *out, const struct ms_done *done)
{
    ms_bytes_put_u8(out, done->token);
    ms_bytes_put_le(out, done->status, 2);
    ms_bytes_put_le(out, done->command, 2);
    ms_bytes_put_le(out, done->rows, 8);
}

/* The text is cut where the whole token would pass its u16 length; SQL Server's own limit is 2,047
 * characters. */
static void put_message_text(struct ms_bytes *out, const char *text)
{
    const size_t max_units = 16000;
    size_t len = strlen(text);
    size_t count_at = out->len;
    ms_bytes_put_le(out, 0, 2);
    size_t size = ms_chars_to_utf16((const uint8_t *)text, len, ms_bytes_room(out, 2 * len));
    if (size > 2 * max_units)
        size = 2 * max_units;
    uint16_t units = (uint16_t)(size / 2);
    memcpy(out->data + count_at, &units, 2);
    out->len += size;
}

void ms_token_put_message(struct ms_bytes *out, const struct ms_message *message)
{
    size_t body = begin_counted(out, message->severity > 10 ? MS_TOKEN_ERROR : MS_TOKEN_INFO);
    ms_bytes_put_le(out, (uint32_t)message->number, 4);
    ms_bytes_put_u8(out, message->state);
    ms_bytes_put_u8(out, message->severity);
    put_message_text(out, message->text);
    ms_chars_put_b_varchar(out, MS_SERVER_NAME);
    ms_chars_put_b_varchar(out, message->procedure == NULL ? "" : message->procedure);
    ms_bytes_put_le(out, (uint32_t)message->line, 4);
    end_counted(out, body);
}

void ms_token_put_env_text(struct ms_bytes *out, uint8_t type, const char *new_text, const char *old_text)
{
    size_t body = begin_counted(out, MS_TOKEN_ENVCHANGE);
    ms_bytes_put_u8(out, type);
    ms_chars_put_b_varchar(out, new_text == NULL ? "" : new_text);
    ms_chars_put_b_varchar(out, old_text == NULL ? "" : old_text);
    end_counted(out, body);
}

/* Begin has the descriptor as its new value; commit and rollback as their old one. */
void ms_token_put_env_transaction(struct ms_bytes *out, uint8_t type, uint64_t descriptor)
{
    size_t body = begin_counted(out, MS_TOKEN_ENVCHANGE);
    ms_bytes_put_u8(out, type);
    if (type != MS_ENV_BEGIN_TRAN)
        ms_bytes_put_u8(out, 0);
    ms_bytes_put_u8(out, 8);
    ms_bytes_put_le(out, descriptor, 8);
    if (type == MS_ENV_BEGIN_TRAN)
        ms_bytes_put_u8(out, 0);
    end_counted(out, body);
}

void ms_token_put_env_collation(struct ms_bytes *out)
{
    size_t body = begin_counted(out, MS_TOKEN_ENVCHANGE);
    ms_bytes_put_u8(out, MS_WIRE_ENV_COLLATION);
    ms_bytes_put_u8(out, sizeof(ms_collation));
    ms_bytes_put(out, ms_collation, sizeof(ms_collation));
    ms_bytes_put_u8(out, 0);
    end_counted(out, body);
}

void ms_token_put_env_reset(struct ms_bytes *out)
{
    size_t body = begin_counted(out, MS_TOKEN_ENVCHANGE);
    ms_bytes_put_u8(out, MS_WIRE_ENV_RESET);
    ms_bytes_put_le(out, 0, 2);
    end_counted(out, body);
}

void ms_token_put_login_ack(struct ms_bytes *out, uint32_t tds_version)
{
    size_t body = begin_counted(out, MS_TOKEN_LOGINACK);
    ms_bytes_put_u8(out, 1); /* SQL_TSQL */
    ms_bytes_put_be16(out, (uint16_t)(tds_version >> 16));
    ms_bytes_put_be16(out, (uint16_t)tds_version);
    ms_chars_put_b_varchar(out, "Microsoft SQL Server");
    ms_bytes_put_u8(out, MS_VERSION_MAJOR);
    ms_bytes_put_u8(out, MS_VERSION_MINOR);
    ms_bytes_put_be16(out, MS_VERSION_BUILD);
    end_counted(out, body);
}

void ms_token_put_return_status(struct ms_bytes *out, int32_t status)
{
    ms_bytes_put_u8(out, MS_TOKEN_RETURNSTATUS);
    ms_bytes_put_le(out, (uint32_t)status, 4);
}

static void put_user_type_and_flags(struct ms_bytes *out, const struct ms_column *column)
{
    uint16_t flags = 0;
    if (column->nullable)
        flags |= COLUMN_NULLABLE;
    if (column->updatable)
        flags |= COLUMN_UPDATABLE_UNKNOWN;
    if (column->identity)
        flags |= COLUMN_IDENTITY;
    if (column->computed)
        flags |= COLUMN_COMPUTED;
    ms_bytes_put_le(out, column->type.id == MS_ROWVERSION ? USER_TYPE_TIMESTAMP : 0, 4);
    ms_bytes_put_le(out, flags, 2);
}

bool ms_token_put_return_value(struct ms_bytes *out, uint16_t ordinal, const struct ms_column *column,
                               const struct ms_value *value)
{
    size_t begin = out->len;
    struct ms_encoder encoder = ms_encoder_make(&column->type, true);
    ms_bytes_put_u8(out, MS_TOKEN_RETURNVALUE);
    ms_bytes_put_le(out, ordinal, 2);
    ms_chars_put_b_varchar(out, column->name);
    ms_bytes_put_u8(out, 1); /* an output parameter, not a function's result */
    put_user_type_and_flags(out, column);
    ms_encoder_put_type(&encoder, out);
    if (ms_encoder_put_value(&encoder, out, value))
        return true;
    out->len = begin;
    return false;
}

void ms_token_put_columns(struct ms_bytes *out, const struct ms_column *columns,
                          const struct ms_encoder *encoders, size_t n)
{
    ms_bytes_put_u8(out, MS_TOKEN_COLMETADATA);
    ms_bytes_put_le(out, n, 2);
    for (size_t i = 0; i < n; i++) {
        put_user_type_and_flags(out, &columns[i]);
        ms_encoder_put_type(&encoders[i], out);
        if (ms_encoder_has_table_name(&encoders[i])) {
            ms_bytes_put_u8(out, 1); /* one part: clients insist on one to four */
            ms_chars_put_us_varchar(out, "");
        }
        ms_chars_put_b_varchar(out, columns[i].name);
    }
}

static size_t count_nulls(const struct ms_value *values, size_t n)
{
    size_t nulls = 0;
    for (size_t i = 0; i < n; i++)
        nulls += values[i].is_null;
    return nulls;
}

/* Bit i of the bitmap, lowest first, stands for column i. */
static void put_null_bitmap(struct ms_bytes *out, const struct ms_value *values, size_t n)
{
    size_t size = (n + 7) / 8;
    uint8_t *bitmap = ms_bytes_room(out, size);
    memset(bitmap, 0, size);
    for (size_t i = 0; i < n; i++)
        bitmap[i / 8] |= (uint8_t)(values[i].is_null << (i % 8));
    out->len += size;
}

size_t ms_token_put_row(struct ms_bytes *out, const struct ms_encoder *encoders,
                        const struct ms_value *values, size_t n)
{
    size_t begin = out->len;
    bool bitmap = count_nulls(values, n) > (n + 7) / 8;
    ms_bytes_put_u8(out, bitmap ? MS_TOKEN_NBCROW : MS_TOKEN_ROW);
    if (bitmap)
        put_null_bitmap(out, values, n);
    for (size_t i = 0; i < n; i++) {
        if (bitmap && values[i].is_null && !encoders[i].fixed)
            continue;
        if (!ms_encoder_put_value(&encoders[i], out, &values[i])) {
            out->len = begin;
            return i;
        }
    }
    return n;
}
