/* SPDX-License-Identifier: Apache-2.0 */
/*
 * converter_dump SEED N [OPTION ...]: N generated schemas with a value each. A line holds, separated by tabs:
 * the JSON converter's envelope, the Avro schema, the Avro bytes in hex.
 *
 * converter_dump read [OPTION ...]: Avro schemas from stdin, one a line; for each the Connect schema as the
 * JSON converter writes it, or "refused" and why.
 *
 * Options: enhanced.avro.schema.support, connect.meta.data=false, flatten.singleton.unions=false.
 */
#include "codec/avro_plan.h"
#include "codec/json_schema.h"
#include "generate.h"

#include <stdio.h>
#include <stdlib.h>

static int dump(struct generator *g, struct sl_avro_options options)
{
    const struct sl_json_style style = {.null_becomes_default = true};
    const struct sl_schema *schema = generate_schema(g, 3);
    struct sl_value value = generate_value(g, schema);
    struct sl_avro_plan *plan = NULL;
    struct sl_avro_doc *doc = NULL;
    struct sl_buf line = {0};
    struct sl_buf bytes = {0};
    struct sl_error err = {0};
    enum sl_rc rc = sl_avro_from_connect(schema, &options, &doc, &err);

    if (!rc)
        rc = sl_avro_plan_new(schema, doc->root, true, &plan, &err);
    if (!rc)
        rc = sl_avro_encode(plan, value, &bytes, &err);
    if (!rc) {
        sl_buf_text(&line, "{\"schema\":");
        sl_json_schema_put(&line, schema, &style);
        sl_buf_text(&line, ",\"payload\":");
        sl_value_json(&line, schema, value, &style);
        sl_buf_text(&line, "}\t");
        sl_avro_print(doc->root, &line);
        sl_buf_u8(&line, '\t');
        for (size_t i = 0; i < bytes.len; i++)
            sl_buf_format(&line, "%02x", bytes.data[i]);
        (void)puts(sl_buf_cstr(&line));
    } else {
        (void)fprintf(stderr, "converter_dump: %s\n", err.text);
    }
    sl_avro_plan_free(plan);
    sl_avro_doc_free(doc);
    sl_buf_done(&line);
    sl_buf_done(&bytes);
    return rc ? 1 : 0;
}

static void read_one(const char *text, struct sl_avro_options options, struct sl_buf *line)
{
    const struct sl_json_style style = {.null_becomes_default = true};
    const struct sl_schema *schema = NULL;
    struct sl_avro_doc *doc = NULL;
    struct sl_error err = {0};

    sl_buf_reset(line);
    if (sl_avro_parse(text, strlen(text), &doc, &err) ||
        sl_avro_to_connect(doc->root, &options, 0, &schema, &err))
        sl_buf_format(line, "refused %s", err.text);
    else
        sl_json_schema_put(line, schema, &style);
    sl_avro_doc_free(doc);
    (void)puts(sl_buf_cstr(line));
}

static int read_all(struct sl_avro_options options)
{
    struct sl_buf out = {0};
    char *line = NULL;
    size_t size = 0;
    ssize_t len;

    while ((len = getline(&line, &size, stdin)) > 0) {
        line[len - 1] = '\0';
        read_one(line, options, &out);
    }
    free(line);
    sl_buf_done(&out);
    return 0;
}

int main(int argc, char **argv)
{
    struct generator g = {.arena = sl_arena_new(4096), .tame = true};
    struct sl_avro_options options = SL_AVRO_DEFAULT_OPTIONS;
    int status = 0;

    for (int i = 2; i < argc; i++) {
        if (strcmp(argv[i], "enhanced.avro.schema.support") == 0)
            options.enhanced_schema_support = true;
        if (strcmp(argv[i], "flatten.singleton.unions=false") == 0)
            options.flatten_singleton_unions = false;
        if (strcmp(argv[i], "connect.meta.data=false") == 0)
            options.connect_meta_data = false;
    }
    if (argc > 1 && strcmp(argv[1], "read") == 0) {
        sl_arena_free(g.arena);
        return read_all(options);
    }
    g.state = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;
    for (long n = argc > 2 ? strtol(argv[2], NULL, 10) : 100; n > 0 && status == 0; n--) {
        status = dump(&g, options);
        sl_arena_reset(g.arena);
    }
    sl_arena_free(g.arena);
    return status;
}
