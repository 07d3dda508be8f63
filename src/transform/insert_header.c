/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kafka Connect's InsertHeader: a fixed value as a header. The literal is read as Connect's Values reads it:
 * true, false, numbers in the smallest type that holds them, null, else text. Beyond that, ${uuid} within it
 * stands for a new UUID for each record.
 */
#include "transform/transforms.h"

#include "base/alloc.h"
#include "base/arena.h"
#include "base/random.h"
#include "base/uuid.h"
#include "transform/record_headers.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char mark[] = "${uuid}";

enum { MARK_LEN = sizeof(mark) - 1, UUID_LEN = SL_UUID_TEXT_SIZE - 1 };

struct insert {
    char *name;
    char *literal;
    size_t literal_len;
    uint32_t n_uuids; /* how often ${uuid} stands in it */
    struct sl_header header;
};

static const char *const classes[] = {"org.apache.kafka.connect.transforms.InsertHeader", NULL};

static const struct sl_option options[] = {
    {.name = "header",
     .type = SL_OPT_STRING,
     .required = true,
     .importance = SL_IMPORTANCE_HIGH,
     .doc = "The header's name."},
    {.name = "value.literal",
     .type = SL_OPT_STRING,
     .required = true,
     .importance = SL_IMPORTANCE_HIGH,
     .doc = "The header's value; ${uuid} within it is a new UUID for each record."},
    {0},
};

/* ---- the literal ---- */

static const char *digits(const char *at)
{
    while (isdigit((unsigned char)*at))
        at++;
    return at;
}

/*
 * [+-] digits [. digits] [e [+-] digits], with a digit before or behind the point: what BigDecimal takes, but
 * for texts that begin with the point, which Values does not try.
 */
static bool is_number(const char *text)
{
    const char *at = text + (*text == '+' || *text == '-');
    const char *whole = digits(at);
    const char *end = *whole == '.' ? digits(whole + 1) : whole;

    if (*text == '.' || end - at - (*whole == '.') <= 0)
        return false;
    if (*end == 'e' || *end == 'E') {
        const char *exponent = end + 1 + (end[1] == '+' || end[1] == '-');

        end = digits(exponent);
        if (end == exponent)
            return false;
    }
    return *end == '\0';
}

static struct sl_value smallest_int(int64_t number)
{
    if (number == (int8_t)number)
        return sl_int(SL_INT8, number);
    if (number == (int16_t)number)
        return sl_int(SL_INT16, number);
    return sl_int(number == (int32_t)number ? SL_INT32 : SL_INT64, number);
}

/* False: larger than any type that a header can have here. */
static bool read_number(const char *text, struct sl_value *ret)
{
    long double exact;
    long long whole;
    char *end;

    errno = 0;
    whole = strtoll(text, &end, 10);
    if (*end == '\0' && errno == 0) {
        *ret = smallest_int(whole);
        return true;
    }
    exact = strtold(text, NULL); /* 64 bits of mantissa: whole numbers of int64 are exact */
    if (exact == truncl(exact) && exact >= -0x1p63L && exact < 0x1p63L)
        *ret = smallest_int((int64_t)exact);
    else if (isfinite(strtof(text, NULL)))
        *ret = sl_float(SL_FLOAT32, (double)strtof(text, NULL));
    else
        *ret = sl_float(SL_FLOAT64, strtod(text, NULL));
    return isfinite(strtod(text, NULL)) && (*end == '.' || *end == 'e' || *end == 'E');
}

static enum sl_rc read_literal(struct insert *self, const char *prefix, struct sl_error *err)
{
    const char *text = self->literal;
    bool fits = *text != '[' && *text != '{';

    if (strcmp(text, "null") == 0)
        self->header.value = sl_null();
    else if (strcmp(text, "true") == 0 || strcmp(text, "false") == 0)
        self->header.value = sl_bool(*text == 't');
    else if (is_number(text))
        fits = read_number(text, &self->header.value);
    else
        self->header.value = sl_bytes(SL_STRING, text, self->literal_len);
    if (!fits)
        return sl_error_set(err, SL_E_CONFIG,
                            "%svalue.literal is a list, a map or a number beyond all types, which cannot be "
                            "written as a header. HINT: put something before it that makes it a text",
                            prefix);
    if (!sl_is_null(self->header.value))
        self->header.schema = sl_schema_plain((enum sl_type)self->header.value.tag, false);
    return SL_OK;
}

/* ---- the transform ---- */

static void insert_close(void *self_)
{
    struct insert *self = self_;

    sl_free(self->name);
    sl_free(self->literal);
    sl_free(self);
}

/* Connect trims what a configuration gives. */
static char *trimmed(const char *text)
{
    size_t len;

    while (isspace((unsigned char)*text))
        text++;
    len = strlen(text);
    while (len && isspace((unsigned char)text[len - 1]))
        len--;
    return sl_strndup(text, len);
}

static enum sl_rc insert_open(const struct sl_props *props, const char *prefix, const char *class_name,
                              void **ret_self, struct sl_error *err)
{
    const char *name = sl_option_text(options, props, prefix, "header");
    const char *literal = sl_option_text(options, props, prefix, "value.literal");
    struct insert *self;
    enum sl_rc rc = SL_OK;

    (void)class_name;
    if (!name || !*name || !literal)
        return sl_error_set(err, SL_E_CONFIG,
                            "%s%s is missing. HINT: InsertHeader needs header and value.literal", prefix,
                            literal ? "header" : "value.literal");
    self = sl_zalloc(1, sizeof(*self));
    self->name = sl_strdup(name);
    self->literal = trimmed(literal);
    self->literal_len = strlen(self->literal);
    self->header.name = self->name;
    for (const char *at = strstr(self->literal, mark); at; at = strstr(at + MARK_LEN, mark))
        self->n_uuids++;
    if (self->n_uuids)
        self->header.schema = sl_schema_plain(SL_STRING, false);
    else
        rc = read_literal(self, prefix, err);
    if (rc)
        insert_close(self);
    else
        *ret_self = self;
    return rc;
}

/* A version 4 UUID without asking the system each time; returns behind it. */
static char *put_uuid(char *at)
{
    uint64_t words[2] = {sl_random_u64(), sl_random_u64()};
    char text[SL_UUID_TEXT_SIZE];
    struct sl_uuid uuid;

    memcpy(uuid.bytes, words, sizeof(uuid.bytes));
    uuid.bytes[6] = (uint8_t)((uuid.bytes[6] & 0x0F) | 0x40);
    uuid.bytes[8] = (uint8_t)((uuid.bytes[8] & 0x3F) | 0x80);
    sl_uuid_format(&uuid, text);
    memcpy(at, text, UUID_LEN);
    return at + UUID_LEN;
}

static struct sl_value with_uuids(const struct insert *self, struct sl_arena *arena)
{
    size_t len = self->literal_len + self->n_uuids * (size_t)(UUID_LEN - MARK_LEN);
    char *text = sl_arena_alloc(arena, len);
    const char *from = self->literal;
    char *at = text;

    for (const char *hit; (hit = strstr(from, mark)); from = hit + MARK_LEN) {
        memcpy(at, from, (size_t)(hit - from));
        at = put_uuid(at + (hit - from));
    }
    memcpy(at, from, strlen(from));
    return sl_bytes(SL_STRING, text, len);
}

static enum sl_verdict insert_apply(void *self_, struct sl_message *message, struct sl_arena *arena,
                                    struct sl_error *err)
{
    const struct insert *self = self_;
    struct sl_record *record = &message->record;
    struct sl_header *headers;

    (void)err;
    headers = sl_record_grow_headers(record, 1, arena);
    headers[record->n_headers] = self->header;
    if (self->n_uuids)
        headers[record->n_headers].value = with_uuids(self, arena);
    record->n_headers++;
    return SL_KEEP;
}

const struct sl_transform_ops sl_transform_insert_header = {
    .name = "InsertHeader",
    .classes = classes,
    .options = options,
    .open = insert_open,
    .apply = insert_apply,
    .close = insert_close,
};
