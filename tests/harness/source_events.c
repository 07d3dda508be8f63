/* SPDX-License-Identifier: Apache-2.0 */
/*
 * source_events CONNECTOR.json OUT.jsonl OFFSETS IDLE_SECONDS: run one task of a source of ours alone and
 * write one JSON line an event, keys and values as JsonConverter writes them, schemas included: what the
 * interop tests put beside the same of a Java connector. Ends when nothing came for IDLE_SECONDS.
 *
 * OFFSETS holds one line a position, the partition's JSON, a tab, the offset's JSON. It is read at the start
 * (missing: a first start) and written anew with each batch that moves a position. Notes are not kept:
 * options that need them must be off.
 */
#include "base/alloc.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/props.h"
#include "codec/converters.h"
#include "sluice/source.h"
#include "source/scylla/source.h"
#include "source/sqlserver/source.h"

#include <stdio.h>
#include <stdlib.h>

struct position {
    char *partition, *offset;
};

struct tool {
    const struct sl_source_ops *ops;
    const char *path; /* of the offsets */
    struct position *positions;
    size_t n_positions;
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

/* ---- positions ---- */

static void keep(struct tool *tool, struct sl_span partition, struct sl_span offset)
{
    struct position *position = tool->positions;
    struct position *end = tool->positions + tool->n_positions;

    while (position < end && (strlen(position->partition) != partition.len ||
                              memcmp(position->partition, partition.ptr, partition.len) != 0))
        position++;
    if (position == end) {
        tool->positions = sl_realloc(tool->positions, tool->n_positions + 1, sizeof(*tool->positions));
        position = &tool->positions[tool->n_positions++];
        *position = (struct position){.partition = sl_strndup((const char *)partition.ptr, partition.len)};
    }
    sl_free(position->offset);
    position->offset = offset.len ? sl_strndup((const char *)offset.ptr, offset.len) : sl_strdup("");
}

static void load(struct tool *tool)
{
    FILE *file = fopen(tool->path, "r");
    char *line = NULL;
    size_t size = 0;
    ssize_t len;

    if (!file)
        return;
    while ((len = getline(&line, &size, file)) > 0) {
        char *tab = strchr(line, '\t');
        char *end = line + len - (line[len - 1] == '\n');

        if (tab)
            keep(tool, (struct sl_span){(const uint8_t *)line, (size_t)(tab - line)},
                 (struct sl_span){(const uint8_t *)tab + 1, (size_t)(end - tab - 1)});
    }
    free(line);
    fclose(file);
}

static void store(struct tool *tool)
{
    const struct sl_batch *batch = tool->batch;
    FILE *file;

    if (!batch->source_offset.len && !batch->n_positions)
        return;
    if (batch->source_offset.len)
        keep(tool, batch->source_partition, batch->source_offset);
    for (uint32_t i = 0; i < batch->n_positions; i++)
        keep(tool, batch->positions[i].partition, batch->positions[i].offset);
    file = fopen(tool->path, "w");
    if (!file) {
        perror(tool->path);
        exit(1);
    }
    for (size_t i = 0; i < tool->n_positions; i++)
        fprintf(file, "%s\t%s\n", tool->positions[i].partition, tool->positions[i].offset);
    fclose(file);
}

static enum sl_rc stored_offset(void *ctx, struct sl_span partition, char **ret_offset, struct sl_error *err)
{
    const struct tool *tool = ctx;

    (void)err;
    *ret_offset = NULL;
    for (size_t i = 0; i < tool->n_positions; i++)
        if (strlen(tool->positions[i].partition) == partition.len &&
            memcmp(tool->positions[i].partition, partition.ptr, partition.len) == 0)
            *ret_offset = sl_strdup(tool->positions[i].offset);
    return SL_OK;
}

static enum sl_rc stored_offsets(void *ctx, sl_text_visitor *visit, void *visit_ctx, struct sl_error *err)
{
    const struct tool *tool = ctx;

    (void)err;
    for (size_t i = 0; i < tool->n_positions; i++)
        visit(
            visit_ctx, tool->positions[i].partition,
            (struct sl_span){(const uint8_t *)tool->positions[i].offset, strlen(tool->positions[i].offset)});
    return SL_OK;
}

static enum sl_rc notes(void *ctx, struct sl_span from, struct sl_span to, size_t max, sl_note_visitor *visit,
                        void *visit_ctx, struct sl_error *err)
{
    (void)ctx, (void)from, (void)to, (void)max, (void)visit, (void)visit_ctx, (void)err;
    return SL_OK;
}

/* ---- records ---- */

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
        rc = tool->ops->poll(tool->source, tool->batch, sl_now_us() + 200000, &err);
        if (rc != SL_OK && err.kind != SL_KIND_TRANSIENT)
            stop("poll", &err);
        if (rc != SL_OK)
            continue;
        if (tool->batch->n_records)
            last = sl_now_us();
        write_batch(tool);
        store(tool);
    }
}

static void open_source(struct tool *tool, const struct sl_props *props, const struct sl_source_env *env)
{
    static const struct sl_source_ops *const sources[] = {&sl_source_sqlserver, &sl_source_scylla, NULL};
    const char *class_name = sl_props_get(props, "connector.class");
    struct sl_error err = {0};

    for (size_t i = 0; class_name && sources[i] && !tool->ops; i++)
        for (const char *const *name = sources[i]->classes; *name; name++)
            if (strcmp(*name, class_name) == 0)
                tool->ops = sources[i];
    if (!tool->ops) {
        fprintf(stderr, "connector.class: no source of ours\n");
        exit(2);
    }
    if (tool->ops->probe(props, &err) != SL_OK)
        stop("probe", &err);
    if (tool->ops->open(env, props, &tool->source, &err) != SL_OK)
        stop("open", &err);
}

static void done(struct tool *tool)
{
    tool->ops->close(tool->source);
    for (size_t i = 0; i < tool->n_positions; i++) {
        sl_free(tool->positions[i].partition);
        sl_free(tool->positions[i].offset);
    }
    sl_free(tool->positions);
    sl_converter_json.close(tool->key);
    sl_converter_json.close(tool->value);
    sl_batch_free(tool->batch);
    sl_buf_done(&tool->line);
    fclose(tool->out);
}

int main(int argc, char **argv)
{
    struct tool tool = {0};
    struct sl_source_env env = {.connector = "peer",
                                .ctx = &tool,
                                .stored_offset = stored_offset,
                                .stored_offsets = stored_offsets,
                                .notes = notes};
    struct sl_props *props = sl_props_new();
    struct sl_error err = {0};

    if (argc != 5) {
        fprintf(stderr, "usage: source_events CONNECTOR.json OUT.jsonl OFFSETS IDLE_SECONDS\n");
        return 2;
    }
    if (sl_props_read_connector(props, argv[1], &err) != SL_OK)
        stop(argv[1], &err);
    tool.out = fopen(argv[2], "w");
    if (!tool.out) {
        perror(argv[2]);
        return 1;
    }
    tool.path = argv[3];
    load(&tool);
    tool.key = open_converter(true);
    tool.value = open_converter(false);
    tool.batch = sl_batch_new(1 << 20);
    open_source(&tool, props, &env);
    run(&tool, strtoll(argv[4], NULL, 10) * 1000000);
    done(&tool);
    sl_props_free(props);
    return 0;
}
