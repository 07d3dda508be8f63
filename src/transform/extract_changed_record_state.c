/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Debezium's ExtractChangedRecordState: an update's headers tell which columns changed and which did not.
 * Fields that nobody said anything about are in neither list. As in the 3.x releases, the headers of other
 * events are empty lists.
 */
#include "transform/transforms.h"

#include "base/alloc.h"
#include "codec/envelope.h"
#include "data/schema_build.h"
#include "transform/record_headers.h"

struct changed {
    char *names[2]; /* of the headers: changed, unchanged; NULL: not asked for */
    const struct sl_schema *schemas[2];
};

static const char *const classes[] = {"io.debezium.transforms.ExtractChangedRecordState", NULL};

static const struct sl_option options[] = {
    {.name = "header.changed.name",
     .type = SL_OPT_STRING,
     .importance = SL_IMPORTANCE_LOW,
     .doc = "The header that lists the columns whose values changed; none when not given."},
    {.name = "header.unchanged.name",
     .type = SL_OPT_STRING,
     .importance = SL_IMPORTANCE_LOW,
     .doc = "The header that lists the other columns; none when not given."},
    {0},
};

static void changed_close(void *self_)
{
    struct changed *self = self_;

    sl_free(self->names[0]);
    sl_free(self->names[1]);
    sl_free(self);
}

static enum sl_rc changed_open(const struct sl_props *props, const char *prefix, const char *class_name,
                               void **ret_self, struct sl_error *err)
{
    static const char *const keys[2] = {"header.changed.name", "header.unchanged.name"};
    struct changed *self = sl_zalloc(1, sizeof(*self));

    (void)class_name;
    (void)err;
    for (int i = 0; i < 2; i++) {
        const char *name = sl_option_text(options, props, prefix, keys[i]);
        const struct sl_schema draft = {
            .type = SL_ARRAY, .optional = true, .name = name, .element = sl_schema_plain(SL_STRING, true)};

        if (!name || name[strspn(name, " \t")] == '\0')
            continue;
        self->names[i] = sl_strdup(name);
        self->schemas[i] = sl_schema_intern(&draft);
    }
    *ret_self = self;
    return SL_OK;
}

/* The names of the fields that are the same in both rows, or that are not. */
static struct sl_value names_of(const struct sl_schema *row, struct sl_value before, struct sl_value after,
                                bool same, struct sl_arena *arena)
{
    struct sl_value *names = sl_arena_alloc(arena, after.len * sizeof(*names));
    uint32_t n = 0;

    for (uint32_t i = 0; i < after.len && i < before.len; i++) {
        if (after.items[i].tag != SL_ABSENT && sl_value_equal(before.items[i], after.items[i]) == same)
            names[n++] = sl_text(row->fields[i].name);
    }
    return sl_items(SL_ARRAY, names, n);
}

static enum sl_verdict changed_apply(void *self_, struct sl_message *message, struct sl_arena *arena,
                                     struct sl_error *err)
{
    const struct changed *self = self_;
    struct sl_record *record = &message->record;
    const struct sl_envelope *envelope;
    struct sl_header *headers;
    struct sl_value before;
    struct sl_value after;

    (void)err;
    envelope = message->value_schema && record->value.tag == SL_STRUCT ? sl_envelope_of(message->value_schema)
                                                                       : NULL;
    if (!envelope || envelope->before < 0)
        return SL_KEEP;
    before = record->value.items[envelope->before];
    after = record->value.items[envelope->after];
    if (before.tag != SL_STRUCT) /* not an update: the lists are there, and empty */
        after = sl_items(SL_STRUCT, NULL, 0);
    if (after.tag != SL_STRUCT)
        before = after = sl_items(SL_STRUCT, NULL, 0);
    headers = sl_record_grow_headers(record, 2, arena);
    for (int i = 0; i < 2; i++) {
        if (self->names[i])
            headers[record->n_headers++] =
                (struct sl_header){.name = self->names[i],
                                   .schema = self->schemas[i],
                                   .value = names_of(envelope->row, before, after, i == 1, arena)};
    }
    return SL_KEEP;
}

const struct sl_transform_ops sl_transform_extract_changed_record_state = {
    .name = "ExtractChangedRecordState",
    .classes = classes,
    .options = options,
    .open = changed_open,
    .apply = changed_apply,
    .close = changed_close,
};
