/* SPDX-License-Identifier: Apache-2.0 */
/* Kafka Connect's DropHeaders: all headers with the given names go. */
#include "transform/transforms.h"

#include "base/alloc.h"
#include "transform/config_list.h"
#include "transform/record_headers.h"

struct drop {
    struct sl_config_list names;
};

static const char *const classes[] = {"org.apache.kafka.connect.transforms.DropHeaders", NULL};

static const struct sl_option options[] = {
    {.name = "headers",
     .type = SL_OPT_LIST,
     .required = true,
     .importance = SL_IMPORTANCE_HIGH,
     .doc = "Names of the headers to remove.",
     .validate = sl_config_list_validate},
    {0},
};

static void drop_close(void *self_)
{
    struct drop *self = self_;

    sl_config_list_done(&self->names);
    sl_free(self);
}

static enum sl_rc drop_open(const struct sl_props *props, const char *prefix, const char *class_name,
                            void **ret_self, struct sl_error *err)
{
    struct drop *self = sl_zalloc(1, sizeof(*self));

    (void)class_name;
    sl_config_list_read(&self->names, sl_option_text(options, props, prefix, "headers"));
    if (self->names.n == 0) {
        drop_close(self);
        return sl_error_set(err, SL_E_CONFIG, "%sheaders is missing. HINT: name the headers to remove",
                            prefix);
    }
    *ret_self = self;
    return SL_OK;
}

static enum sl_verdict drop_apply(void *self_, struct sl_message *message, struct sl_arena *arena,
                                  struct sl_error *err)
{
    const struct drop *self = self_;
    struct sl_record *record = &message->record;
    struct sl_header *left;
    uint16_t n = 0;
    uint16_t first = 0;

    (void)err;
    while (first < record->n_headers && !sl_config_list_has(&self->names, record->headers[first].name))
        first++;
    if (first == record->n_headers)
        return SL_KEEP;
    left = sl_arena_copy(arena, record->headers, record->n_headers * sizeof(*left));
    for (uint16_t i = 0; i < record->n_headers; i++) {
        if (!sl_config_list_has(&self->names, record->headers[i].name))
            left[n++] = record->headers[i];
    }
    record->headers = left;
    record->n_headers = n;
    return SL_KEEP;
}

const struct sl_transform_ops sl_transform_drop_headers = {
    .name = "DropHeaders",
    .classes = classes,
    .options = options,
    .open = drop_open,
    .apply = drop_apply,
    .close = drop_close,
};
