/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kafka Connect's InsertHeader: a fixed value as a header, read as any literal of Connect's. Beyond that,
 * ${uuid} within it stands for a new UUID for each record.
 */
#include "transform/transforms.h"

#include "base/alloc.h"
#include "base/arena.h"
#include "base/random.h"
#include "base/uuid.h"
#include "codec/value_text.h"
#include "transform/record_headers.h"

#include <ctype.h>

static const char mark[] = "${uuid}";

enum { MARK_LEN = sizeof(mark) - 1, UUID_LEN = SL_UUID_TEXT_SIZE - 1 };

struct insert {
    char *name;
    char *literal;
    size_t literal_len;
    uint32_t n_uuids;       /* how often ${uuid} stands in it */
    struct sl_arena *arena; /* what the value points to */
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

/* ---- the transform ---- */

static void insert_close(void *self_)
{
    struct insert *self = self_;

    sl_free(self->name);
    sl_free(self->literal);
    sl_arena_free(self->arena);
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
    self->arena = sl_arena_new(1024);
    if (self->n_uuids)
        self->header.schema = sl_schema_plain(SL_STRING, false);
    else
        sl_value_literal_read((struct sl_span){(const uint8_t *)self->literal, self->literal_len},
                              self->arena, &self->header.schema, &self->header.value);
    *ret_self = self;
    return SL_OK;
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
