/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzz target: a schema's text, a NUL, and bytes of a value. Whatever is decoded must be a sound value of its
 * schema, and must be written again to bytes that give the same value.
 */
#include "base/arena.h"
#include "codec/avro_plan.h"
#include "data/value.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void round_trip(const struct sl_avro_plan *plan, const struct sl_schema *schema, struct sl_span bytes)
{
    struct sl_arena *arena = sl_arena_new(4096);
    struct sl_buf out = {0};
    struct sl_value value;
    struct sl_value again;
    struct sl_error err;

    if (sl_avro_decode(plan, bytes, arena, &value, NULL, &err) == SL_OK) {
        SL_ASSERT(sl_value_check(schema, value, &err) == SL_OK);
        SL_ASSERT(sl_avro_encode(plan, value, &out, &err) == SL_OK);
        SL_ASSERT(sl_avro_decode(plan, (struct sl_span){out.data, out.len}, arena, &again, NULL, &err) ==
                  SL_OK);
        SL_ASSERT(sl_value_equal(value, again));
    }
    sl_buf_done(&out);
    sl_arena_free(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct sl_avro_options options = SL_AVRO_DEFAULT_OPTIONS;
    const uint8_t *nul = size ? memchr(data, 0, size) : NULL;
    size_t text_len = nul ? (size_t)(nul - data) : size;
    struct sl_span bytes = {(const uint8_t *)"", 0};
    const struct sl_schema *schema;
    struct sl_avro_plan *plan;
    struct sl_avro_doc *doc;
    struct sl_error err;

    if (nul)
        bytes = (struct sl_span){nul + 1, size - text_len - 1};
    if (sl_avro_parse((const char *)data, text_len, &doc, &err))
        return 0;
    if (sl_avro_to_connect(doc->root, &options, 0, &schema, &err) == SL_OK &&
        sl_avro_plan_new(schema, doc->root, false, &plan, &err) == SL_OK) {
        round_trip(plan, schema, bytes);
        sl_avro_plan_free(plan);
    }
    sl_avro_doc_free(doc);
    return 0;
}
