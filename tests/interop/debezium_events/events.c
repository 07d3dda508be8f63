/* SPDX-License-Identifier: Apache-2.0 */
/*
 * events CONNECTOR.json OUT.jsonl OFFSETS IDLE_SECONDS: run sluice's SQL Server source alone and write one
 * JSON line an event, keys and values as JsonConverter writes them, schemas included. The twin of
 * Events.java. Ends when nothing came for IDLE_SECONDS. OFFSETS is a file with the last offset; missing: a
 * first start.
 */
#include "base/alloc.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/props.h"
#include "codec/converters.h"
#include "sluice/source.h"
#include "source/sqlserver/source.h"

#include <stdio.h>
#include <stdlib.h>

struct tool {
    const char *offsets;
    FILE *out;
    void *key, *value; /* converters */
    void *source;
    struct sl_batch *batch;
    struct sl_buf line;
};

static void stop(const char *what, const struct sl_error *err)
{
    fprintf(stderr, "%s: %s\n", what, err->text);
    exit(1);
}

static enum sl_rc stored_offset(void *ctx, struct sl_span partition, char **ret_offset, struct sl_error *err)
{
    const struct tool *tool = ctx;
    FILE *file = fopen(tool->offsets, "r");
    char text[4096];
    size_t n;

    (void)partition;
    (void)err;
    *ret_offset = NULL;
    if (!file)
        return SL_OK;
    n = fread(text, 1, sizeof(text), file);
    fclose(file);
    *ret_offset = sl_strndup(text, n);
    return SL_OK;
}

static void store_offset(const struct tool *tool)
{
    FILE *file = tool->batch->source_offset.len ? fopen(tool->offsets, "w") : NULL;

    if (!file)
        return;
    fwrite(tool->batch->source_offset.ptr, 1, tool->batch->source_offset.len, file);
    fclose(file);
}

static void *open_converter(bool is_key)
{
    struct sl_props *props = sl_props_new();
    struct sl_error err = {0};
    void *self = NULL;

    sl_props_set(props, "schemas.enable", "true");
    sl_props_set(props, "replace.null.with.default", "true"); /* as the twin's converter prints */
    if (sl_converter_json.open(props, "", is_key, NULL, &self, &err) != SL_OK)
        stop("converter", &err);
    sl_props_free(props);
    return self;
}

static void put(struct tool *tool, void *converter, const struct sl_topic *topic,
                const struct sl_schema *schema, struct sl_value value)
{
    struct sl_error err = {0};
    bool null = false;

    if (value.tag == SL_NULL && !schema) {
        sl_buf_text(&tool->line, "null");
        return;
    }
    if (sl_converter_json.encode(converter, topic, schema, value, &tool->line, &null, &err) != SL_OK)
        stop("encode", &err);
    if (null)
        sl_buf_text(&tool->line, "null");
}

static void put_headers(struct tool *tool, const struct sl_record *record)
{
    sl_buf_text(&tool->line, ",\"headers\":{");
    for (uint16_t i = 0; i < record->n_headers; i++) {
        const struct sl_header *header = &record->headers[i];

        sl_buf_text(&tool->line, i ? "," : "");
        sl_json_put_text(&tool->line, header->name, strlen(header->name));
        sl_buf_u8(&tool->line, ':');
        put(tool, tool->value, tool->batch->runs[0].topic, header->schema, header->value);
    }
    sl_buf_u8(&tool->line, '}');
}

static void write_batch(struct tool *tool)
{
    for (uint32_t r = 0; r < tool->batch->n_runs; r++) {
        const struct sl_run *run = &tool->batch->runs[r];

        for (uint32_t i = run->first; i < run->first + run->count; i++) {
            const struct sl_record *record = &tool->batch->records[i];

            sl_buf_reset(&tool->line);
            sl_buf_text(&tool->line, "{\"topic\":");
            sl_json_put_text(&tool->line, run->topic->name, run->topic->len);
            put_headers(tool, record);
            sl_buf_text(&tool->line, ",\"key\":");
            put(tool, tool->key, run->topic, run->key_schema, record->key);
            sl_buf_text(&tool->line, ",\"value\":");
            put(tool, tool->value, run->topic, run->value_schema, record->value);
            sl_buf_text(&tool->line, "}\n");
            fwrite(tool->line.data, 1, tool->line.len, tool->out);
        }
    }
    fflush(tool->out);
}

static void run(struct tool *tool, int64_t idle_us)
{
    int64_t last = sl_now_us();

    while (sl_now_us() - last < idle_us) {
        struct sl_error err = {0};
        enum sl_rc rc;

        sl_batch_reset(tool->batch);
        rc = sl_source_sqlserver.poll(tool->source, tool->batch, sl_now_us() + 200000, &err);
        if (rc != SL_OK && err.kind != SL_KIND_TRANSIENT)
            stop("poll", &err);
        if (rc != SL_OK)
            continue;
        if (tool->batch->n_records)
            last = sl_now_us();
        write_batch(tool);
        store_offset(tool);
    }
}

int main(int argc, char **argv)
{
    struct tool tool = {0};
    struct sl_source_env env = {.connector = "peer", .ctx = &tool, .stored_offset = stored_offset};
    struct sl_props *props = sl_props_new();
    struct sl_error err = {0};

    if (argc != 5) {
        fprintf(stderr, "usage: events CONNECTOR.json OUT.jsonl OFFSETS IDLE_SECONDS\n");
        return 2;
    }
    if (sl_props_read_connector(props, argv[1], &err) != SL_OK)
        stop(argv[1], &err);
    tool.out = fopen(argv[2], "w");
    if (!tool.out) {
        perror(argv[2]);
        return 1;
    }
    tool.offsets = argv[3];
    tool.key = open_converter(true);
    tool.value = open_converter(false);
    tool.batch = sl_batch_new(1 << 20);
    if (sl_source_sqlserver.probe(props, &err) != SL_OK)
        stop("probe", &err);
    if (sl_source_sqlserver.open(&env, props, &tool.source, &err) != SL_OK)
        stop("open", &err);
    run(&tool, strtoll(argv[4], NULL, 10) * 1000000);
    sl_source_sqlserver.close(tool.source);
    sl_converter_json.close(tool.key);
    sl_converter_json.close(tool.value);
    sl_batch_free(tool.batch);
    sl_props_free(props);
    sl_buf_done(&tool.line);
    fclose(tool.out);
    return 0;
}
