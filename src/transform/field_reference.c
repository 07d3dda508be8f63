/* SPDX-License-Identifier: Apache-2.0 */
#include "transform/field_reference.h"

#include "base/alloc.h"
#include "base/props.h"

#include <string.h>

/* Where a bare name is looked for. */
static const struct {
    const char *field;
    const char *block;
} homes[] = {
    {"op", NULL},
    {"ts_ms", NULL},
    {"ts_us", NULL},
    {"ts_ns", NULL},
    {"id", "transaction"},
    {"total_order", "transaction"},
    {"data_collection_order", "transaction"},
    {"updateDescription", "updateDescription"},
};

static const char *home(const char *field)
{
    for (size_t i = 0; i < sizeof(homes) / sizeof(*homes); i++) {
        if (strcmp(homes[i].field, field) == 0)
            return homes[i].block;
    }
    return "source";
}

static enum sl_rc bad_item(const char *item, struct sl_error *err)
{
    return sl_error_set(
        err, SL_E_CONFIG,
        "'%.100s' is no field reference. HINT: write field, struct.field, or either with :newname", item);
}

static enum sl_rc parse_item(char *item, const char *prefix, struct sl_field_reference *ret,
                             struct sl_error *err)
{
    char *colon = strchr(item, ':');
    const char *new_name = colon ? colon + 1 : NULL;
    char *dot;

    if (colon) {
        if (strchr(colon + 1, ':') || colon[1] == '\0')
            return bad_item(item, err);
        *colon = '\0';
    }
    dot = strchr(item, '.');
    if (*item == '\0' || (dot && (dot == item || dot[1] == '\0' || strchr(dot + 1, '.'))))
        return bad_item(item, err);
    if (dot) {
        *dot = '\0';
        ret->block = sl_strdup(item);
        ret->field = sl_strdup(dot + 1);
        ret->new_name = new_name ? sl_format("%s%s", prefix, new_name)
                                 : sl_format("%s%s_%s", prefix, ret->block, ret->field);
    } else {
        const char *block = home(item);

        ret->block = block ? sl_strdup(block) : NULL;
        ret->field = sl_strdup(item);
        ret->new_name = sl_format("%s%s", prefix, new_name ? new_name : item);
    }
    return SL_OK;
}

enum sl_rc sl_field_references_parse(const char *text, const char *prefix, struct sl_field_references *ret,
                                     struct sl_error *err)
{
    struct sl_field_references references = {0};
    char item[512];

    while (text && sl_list_next(&text, item, sizeof(item))) {
        struct sl_field_reference reference = {0};
        enum sl_rc rc = parse_item(item, prefix, &reference, err);

        if (rc) {
            sl_field_references_done(&references);
            return rc;
        }
        SL_GROW(references.items, references.n, references.capacity);
        references.items[references.n++] = reference;
    }
    *ret = references;
    return SL_OK;
}

void sl_field_references_done(struct sl_field_references *references)
{
    for (size_t i = 0; i < references->n; i++) {
        sl_free(references->items[i].block);
        sl_free(references->items[i].field);
        sl_free(references->items[i].new_name);
    }
    sl_free(references->items);
    *references = (struct sl_field_references){0};
}

static const struct sl_schema *as_added(const struct sl_schema *schema)
{
    struct sl_schema draft = *schema;

    draft.optional = true;
    draft.has_default = false;
    return sl_schema_intern(&draft);
}

bool sl_field_reference_find(const struct sl_field_reference *reference, const struct sl_schema *envelope,
                             struct sl_field_place *ret)
{
    int block = reference->block ? sl_schema_field(envelope, reference->block) : -1;
    const struct sl_schema *in = block >= 0 ? envelope->fields[block].schema : envelope;
    int field = in->type == SL_STRUCT ? sl_schema_field(in, reference->field) : -1;

    if (field < 0 && block >= 0) { /* not in the block: the top level may have it */
        block = -1;
        in = envelope;
        field = sl_schema_field(in, reference->field);
    }
    if (field < 0)
        return false;
    *ret =
        (struct sl_field_place){.block = block, .field = field, .schema = as_added(in->fields[field].schema)};
    return true;
}
