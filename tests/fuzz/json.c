/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzz target: text as the JSON converter reads it, with a schema and without; a header literal. A value that
 * was read with its schema must fit it, and must be written to text that reads back as the same value.
 */
#include "base/arena.h"
#include "codec/json_schema.h"
#include "codec/value_text.h"
#include "data/value.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_payload(struct sl_span text, const struct sl_schema *schema, struct sl_arena *arena)
{
    const struct sl_json_style style = {0};
    struct sl_buf out = {0};
    struct sl_value value;
    struct sl_value again;
    struct sl_error err;

    if (sl_value_json_read(text, schema, arena, &value, &err))
        return;
    SL_ASSERT(!schema || sl_value_check(schema, value, &err) == SL_OK);
    sl_value_json(&out, schema, value, &style);
    SL_ASSERT(sl_value_json_read((struct sl_span){out.data, out.len}, schema, arena, &again, &err) == SL_OK);
    if (schema)
        SL_ASSERT(sl_value_equal(value, again));
    sl_buf_done(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sl_span text = {size ? data : (const uint8_t *)"", size};
    struct sl_json_cursor cursor = {.rest = text};
    struct sl_arena *arena = sl_arena_new(4096);
    const struct sl_schema *schema = NULL;
    struct sl_span name;
    struct sl_span member;
    struct sl_value value;
    struct sl_error err;

    /* {"schema":...,"payload":...} in this order, or anything else */
    while (sl_json_next_member(&cursor, &name, &member) > 0) {
        if (!schema && sl_json_schema_read(member, &schema, &err) == SL_OK)
            continue;
        read_payload(member, schema, arena);
    }
    read_payload(text, NULL, arena);
    sl_value_literal_read(text, arena, &schema, &value);
    sl_arena_free(arena);
    return 0;
}
