/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Confluent's ExtractTopic: a text in the key, the value or a header becomes the topic. Records of one topic
 * mostly follow each other, so the last one is kept at hand.
 */
#include "transform/transforms.h"

#include "base/alloc.h"
#include "transform/json_path.h"
#include "transform/side.h"

#include <strings.h>

struct extract {
    bool key;
    bool skips;                /* what is missing or null leaves the topic as it is */
    struct sl_json_path *path; /* of the key or value; without a step: the whole */
    char *header;              /* not NULL: the header of this name */
    const struct sl_topic *last;
};

static const char *const classes[] = {"io.confluent.connect.transforms.ExtractTopic$Value",
                                      "io.confluent.connect.transforms.ExtractTopic$Key", NULL};
static const char *const header_classes[] = {"io.confluent.connect.transforms.ExtractTopic$Header", NULL};
static const char *const formats[] = {"PLAIN", "JSON_PATH", NULL};
static const char *const header_formats[] = {"PLAIN", NULL};

#define FORMAT_AND_SKIP(formats_, doc_)                                                              \
    {.name = "field.format",                                                                         \
     .type = SL_OPT_STRING,                                                                          \
     .default_text = "PLAIN",                                                                        \
     .importance = SL_IMPORTANCE_MEDIUM,                                                             \
     .doc = doc_,                                                                                    \
     .values = formats_},                                                                            \
        {.name = "skip.missing.or.null",                                                             \
         .type = SL_OPT_BOOLEAN,                                                                     \
         .default_text = "false",                                                                    \
         .importance = SL_IMPORTANCE_LOW,                                                            \
         .doc = "Whether the topic stays where there is nothing, or null; else such records fail."}, \
        {0}

static const struct sl_option options[] = {
    {.name = "field",
     .type = SL_OPT_STRING,
     .default_text = "",
     .importance = SL_IMPORTANCE_MEDIUM,
     .doc = "The field; empty: the whole key or value."},
    FORMAT_AND_SKIP(formats,
                    "PLAIN: the text is the field's name; JSON_PATH: a path, as $.a.b or $['a']['b'].")};
static const struct sl_option header_options[] = {
    {.name = "field",
     .type = SL_OPT_STRING,
     .required = true,
     .importance = SL_IMPORTANCE_MEDIUM,
     .doc = "The name of the header; of several the last one counts."},
    FORMAT_AND_SKIP(header_formats, "Headers have no paths.")};

static void extract_close(void *self_)
{
    struct extract *self = self_;

    sl_json_path_free(self->path);
    sl_free(self->header);
    sl_free(self);
}

static enum sl_rc read_field(const char *field, const char *format, struct sl_json_path **ret,
                             struct sl_error *err)
{
    enum sl_rc rc;

    if (!*field || strcasecmp(format, "JSON_PATH") != 0) {
        *ret = sl_json_path_of(field);
        return SL_OK;
    }
    rc = sl_json_path_read(field, ret, err);
    if (rc == SL_OK && (*ret)->filter)
        rc = sl_error_set(err, SL_E_CONFIG,
                          "'%.120s' has a filter, and a topic is one field. HINT: write a path of names",
                          field);
    return rc;
}

static enum sl_rc extract_open(const struct sl_props *props, const char *prefix, const char *class_name,
                               void **ret_self, struct sl_error *err)
{
    struct extract *self = sl_zalloc(1, sizeof(*self));
    enum sl_rc rc = read_field(sl_option_text(options, props, prefix, "field"),
                               sl_option_text(options, props, prefix, "field.format"), &self->path, err);

    self->key = sl_side_is_key(class_name);
    self->skips = sl_option_bool(options, props, prefix, "skip.missing.or.null");
    if (rc) {
        (void)sl_error_wrap(err, "%sfield", prefix);
        extract_close(self);
    } else {
        *ret_self = self;
    }
    return rc;
}

static enum sl_rc header_open(const struct sl_props *props, const char *prefix, const char *class_name,
                              void **ret_self, struct sl_error *err)
{
    const char *name = sl_option_text(header_options, props, prefix, "field");
    const char *format = sl_option_text(header_options, props, prefix, "field.format");
    struct extract *self;

    (void)class_name;
    if (!name || !*name)
        return sl_error_set(err, SL_E_CONFIG, "%sfield is missing. HINT: name the header", prefix);
    if (strcasecmp(format, "PLAIN") != 0)
        return sl_error_set(err, SL_E_CONFIG, "%sfield.format: headers have no paths. HINT: use PLAIN",
                            prefix);
    self = sl_zalloc(1, sizeof(*self));
    self->header = sl_strdup(name);
    self->skips = sl_option_bool(header_options, props, prefix, "skip.missing.or.null");
    *ret_self = self;
    return SL_OK;
}

/* A header of a log comes as bytes without a schema: SimpleHeaderConverter's text. */
static struct sl_value header_value(const struct extract *self, const struct sl_record *record)
{
    for (uint16_t i = record->n_headers; i-- > 0;) {
        const struct sl_header *header = &record->headers[i];
        struct sl_value value = header->value;

        if (strcmp(header->name, self->header) == 0)
            return !header->schema && value.tag == SL_BYTES ? sl_bytes(SL_STRING, value.bytes, value.len)
                                                            : value;
    }
    return sl_null();
}

static enum sl_verdict route(struct extract *self, struct sl_value text, struct sl_message *message,
                             struct sl_error *err)
{
    const struct sl_topic *last = self->last;

    if (sl_is_null(text) && self->skips)
        return SL_KEEP;
    if (sl_is_null(text))
        return sl_bad_record(err,
                             "ExtractTopic finds nothing, or null, in a record of topic '%.200s'. HINT: "
                             "skip.missing.or.null leaves the topic of such records as it is",
                             message->topic->name);
    if (text.tag != SL_STRING || text.len == 0 || memchr(text.bytes, 0, text.len))
        return sl_bad_record(
            err,
            "ExtractTopic finds what is no name of a topic (type %s, %u bytes). HINT: name a "
            "field of text",
            sl_type_name((enum sl_type)text.tag), (unsigned)text.len);
    if (!last || last->len != text.len || memcmp(last->name, text.bytes, text.len) != 0)
        self->last = sl_topic_intern((const char *)text.bytes, text.len);
    message->topic = self->last;
    return SL_KEEP;
}

static enum sl_verdict extract_apply(void *self_, struct sl_message *message, struct sl_arena *arena,
                                     struct sl_error *err)
{
    struct extract *self = self_;
    struct sl_side side = sl_side_of(message, self->key);

    (void)arena;
    if (self->header)
        return route(self, header_value(self, &message->record), message, err);
    return route(self, sl_json_path_find(self->path, *side.schema, *side.value).value, message, err);
}

const struct sl_transform_ops sl_transform_extract_topic = {
    .name = "ExtractTopic",
    .classes = classes,
    .options = options,
    .open = extract_open,
    .apply = extract_apply,
    .close = extract_close,
};

const struct sl_transform_ops sl_transform_extract_topic_header = {
    .name = "ExtractTopic$Header",
    .classes = header_classes,
    .options = header_options,
    .open = header_open,
    .apply = extract_apply,
    .close = extract_close,
};
