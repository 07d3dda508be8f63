/* SPDX-License-Identifier: Apache-2.0 */
/*
 * transform_dump RELEASE CASES: sends the same events as Transforms.java through our transform of the class
 * that a case names (type=, else ExtractNewRecordState), for the cases of that release, and prints what comes
 * out in the same form.
 */
#include "../../unit/transform/events.h"

#include "base/buf.h"
#include "base/log.h"
#include "transform/transforms.h"

#include <stdio.h>
#include <string.h>

static void put_value(struct sl_buf *text, const struct sl_schema *schema, struct sl_value value)
{
    if (sl_is_null(value)) {
        sl_buf_text(text, "null");
    } else if (value.tag == SL_STRING) {
        sl_buf_put(text, value.bytes, value.len);
    } else if (value.tag == SL_STRUCT) {
        for (uint32_t i = 0; i < value.len; i++) {
            sl_buf_format(text, "%s%s:", i ? "," : "{", schema->fields[i].name);
            put_value(text, schema->fields[i].schema, value.items[i]);
        }
        sl_buf_text(text, value.len ? "}" : "{}");
    } else if (value.tag == SL_FLOAT32 || value.tag == SL_FLOAT64) {
        sl_buf_format(text, "%.3g", value.d);
    } else if (value.tag == SL_BOOLEAN) {
        sl_buf_text(text, value.i ? "true" : "false");
    } else {
        sl_buf_format(text, "%lld", (long long)value.i);
    }
}

static void put_schema(struct sl_buf *text, const struct sl_schema *schema)
{
    if (!schema) {
        sl_buf_text(text, "none");
        return;
    }
    sl_buf_text(text, sl_type_name(schema->type));
    if (schema->name) {
        sl_buf_format(text, "(%s", schema->name);
        if (schema->has_version)
            sl_buf_format(text, " v%d", schema->version);
        sl_buf_text(text, ")");
    }
    if (schema->optional)
        sl_buf_text(text, "?");
    if (schema->has_default) {
        sl_buf_text(text, "=");
        put_value(text, schema, schema->default_value);
    }
    if (schema->type == SL_STRUCT) {
        for (uint32_t i = 0; i < schema->n_fields; i++) {
            sl_buf_format(text, "%s%s:", i ? "," : "{", schema->fields[i].name);
            put_schema(text, schema->fields[i].schema);
        }
        sl_buf_text(text, schema->n_fields ? "}" : "{}");
    }
}

static void put_message(struct sl_buf *text, const struct sl_message *message)
{
    sl_buf_format(text, "%s ", message->topic->name);
    put_schema(text, message->key_schema);
    sl_buf_text(text, " ");
    put_value(text, message->key_schema, message->record.key);
    sl_buf_text(text, " ");
    put_schema(text, message->value_schema);
    sl_buf_text(text, " ");
    put_value(text, message->value_schema, message->record.value);
    for (uint16_t i = 0; i < message->record.n_headers; i++) {
        const struct sl_header *header = &message->record.headers[i];

        if (strcmp(header->name, "drop") == 0)
            continue;
        sl_buf_format(text, " %s:", header->name);
        put_value(text, header->schema, header->value);
        sl_buf_text(text, ":");
        put_schema(text, header->schema);
    }
}

static void send(struct bench *bench, struct sl_message message, const struct sl_header *drop)
{
    struct sl_buf text = {0};

    message.record.headers = drop;
    message.record.offset = 0; /* as the original's records */
    message.record.n_headers = drop ? 1 : 0;
    switch (bench_apply(bench, &message)) {
    case SL_KEEP: put_message(&text, &message); break;
    case SL_DROP: sl_buf_text(&text, "drop"); break;
    case SL_FAIL: sl_buf_text(&text, "fail"); break;
    }
    (void)puts(sl_buf_cstr(&text));
    sl_buf_done(&text);
}

static void send_all(struct bench *bench)
{
    struct sl_value names[3] = {sl_text("name"), sl_text("id"), sl_text("__op")};
    struct sl_header drop = {.name = "drop", .value = sl_items(SL_ARRAY, names, 3)};

    send(bench, event_of(bench, 'c', 1, "a"), NULL);
    send(bench, event_of(bench, 'u', 1, "b"), NULL);
    send(bench, event_of(bench, 'r', 1, NULL), NULL);
    send(bench, event_of(bench, 'd', 2, "c"), NULL);
    send(bench, tombstone_of(bench, 2), NULL);
    send(bench, event_of(bench, 't', 3, NULL), NULL);
    send(bench, heartbeat_of(bench), NULL);
    send(bench, event_of(bench, 'c', 4, "d"), &drop);
    send(bench, event_of(bench, 'd', 4, "d"), &drop);
    send(bench, event_of(bench, 'c', 5, " "), NULL);
    send(bench, row_of(bench, 6), NULL);
}

static const struct sl_transform_ops *const transforms[] = {
    &sl_transform_extract_new_record_state,
    &sl_transform_insert_field,
    &sl_transform_insert_header,
    &sl_transform_flatten,
    &sl_transform_replace_field,
};

static const struct sl_transform_ops *find(const char *class_name)
{
    for (size_t i = 0; i < sizeof(transforms) / sizeof(*transforms); i++) {
        for (const char *const *name = transforms[i]->classes; *name; name++) {
            if (strcmp(*name, class_name) == 0)
                return transforms[i];
        }
    }
    return transforms[0];
}

static void run(char *settings)
{
    struct sl_complaints complaints = {0};
    struct bench *bench;
    const char *class_name;
    void *state = NULL;
    char *rest = settings;

    (void)bench_make(&state);
    bench = state;
    for (char *pair = strsep(&rest, ";"); pair; pair = strsep(&rest, ";")) {
        char *equals = strchr(pair, '=');

        *equals = '\0';
        sl_props_set(bench->props, pair, equals + 1);
    }
    class_name = sl_props_get(bench->props, "type");
    if (!class_name)
        class_name = transforms[0]->classes[0];
    bench->ops = find(class_name);
    sl_options_check(bench->ops->options, bench->props, "", &complaints);
    if (complaints.n || bench->ops->open(bench->props, "", class_name, &bench->self, &bench->err) != SL_OK)
        (void)puts("refused");
    else
        send_all(bench);
    sl_complaints_done(&complaints);
    (void)bench_remove(&state);
}

int main(int argc, char **argv)
{
    FILE *cases = argc == 3 ? fopen(argv[2], "r") : NULL;
    char line[1000];

    if (!cases)
        return 2;
    sl_log_level = SL_LEVEL_ERROR;
    while (fgets(line, sizeof(line), cases)) {
        size_t release = strlen(argv[1]);

        line[strcspn(line, "\n")] = '\0';
        if (strncmp(line, argv[1], release) != 0 || line[release] != ' ')
            continue;
        (void)printf("# %s\n", line);
        run(line + release + 1);
    }
    return fclose(cases);
}
