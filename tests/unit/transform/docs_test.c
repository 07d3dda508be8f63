/* SPDX-License-Identifier: Apache-2.0 */
/*
 * docs_test FILE: docs/transforms.md holds the tables that the options of all transforms make, word for word.
 * docs_test: prints them, to be put there.
 */
#include "base/buf.h"
#include "transform/predicate.h"
#include "transform/transforms.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct sl_transform_ops *const transforms[] = {
    &sl_transform_cast,
    &sl_transform_drop_headers,
    &sl_transform_extract_field,
    &sl_transform_filter,
    &sl_transform_flatten,
    &sl_transform_header_from,
    &sl_transform_hoist_field,
    &sl_transform_insert_field,
    &sl_transform_insert_header,
    &sl_transform_mask_field,
    &sl_transform_regex_router,
    &sl_transform_replace_field,
    &sl_transform_set_schema_metadata,
    &sl_transform_timestamp_converter,
    &sl_transform_timestamp_router,
    &sl_transform_value_to_key,
    &sl_transform_extract_new_record_state,
    &sl_transform_by_logical_table_router,
    &sl_transform_to_logical_topic_router,
    &sl_transform_header_to_value,
    &sl_transform_extract_changed_record_state,
    &sl_transform_activate_tracing_span,
    &sl_transform_scripted_filter,
    &sl_transform_content_based_router,
    &sl_transform_collection_name,
    &sl_transform_field_name,
    &sl_transform_drop,
    &sl_transform_tombstone_handler,
    &sl_transform_extract_topic,
    &sl_transform_extract_topic_header,
    &sl_transform_confluent_replace_field,
    &sl_transform_json_path_filter,
    &sl_transform_message_timestamp_router,
    &sl_transform_extract_schema_to_new_record,
    &sl_transform_timezone_converter,
    &sl_transform_scylla_extract_new_record_state,
    &sl_transform_scylla_flatten_columns,
};

static const char *const types[] = {"string", "password", "boolean", "int",
                                    "long",   "double",   "list",    "class"};
static const char *const importances[] = {"high", "medium", "low"};

static void put_option(struct sl_buf *out, const struct sl_option *option)
{
    sl_buf_format(out, "| `%s` | %s | ", option->name, types[option->type]);
    if (option->required)
        sl_buf_text(out, "required");
    else if (option->default_text)
        sl_buf_format(out, *option->default_text ? "`%s`" : "empty%s", option->default_text);
    else
        sl_buf_text(out, "none");
    sl_buf_format(out, " | %s | %s", importances[option->importance], option->doc);
    for (size_t i = 0; option->values && option->values[i]; i++)
        sl_buf_format(out, "%s`%s`", i ? ", " : " One of ", option->values[i]);
    if (option->values)
        sl_buf_u8(out, '.');
    if (option->alias)
        sl_buf_format(out, " Also `%s`.", option->alias);
    sl_buf_text(out, " |\n");
}

static void put_table(struct sl_buf *out, const struct sl_option *options)
{
    if (!options->name) {
        sl_buf_text(out, "No options.\n");
        return;
    }
    sl_buf_text(out, "| option | type | default | importance | |\n|---|---|---|---|---|\n");
    for (; options->name; options++)
        put_option(out, options);
}

static void put_all(struct sl_buf *out)
{
    static const char *const predicates[] = {"TopicNameMatches", "HasHeaderKey", "RecordIsTombstone"};

    for (size_t i = 0; i < sizeof(transforms) / sizeof(*transforms); i++) {
        const char *const *name = transforms[i]->classes;

        sl_buf_format(out, "### %s\n\n", transforms[i]->name);
        for (; *name; name++)
            sl_buf_format(out, "%s`%s`", name == transforms[i]->classes ? "" : ", ", *name);
        sl_buf_text(out, "\n\n");
        put_table(out, transforms[i]->options);
        sl_buf_u8(out, '\n');
    }
    for (size_t i = 0; i < sizeof(predicates) / sizeof(*predicates); i++) {
        sl_buf_format(out, "### %s\n\n`org.apache.kafka.connect.transforms.predicates.%s`\n\n", predicates[i],
                      predicates[i]);
        put_table(out, sl_predicate_options(predicates[i]));
        if (i + 1 < sizeof(predicates) / sizeof(*predicates))
            sl_buf_u8(out, '\n');
    }
}

static char *read_file(const char *path)
{
    FILE *file = fopen(path, "r");
    struct sl_buf text = {0};
    size_t n;

    if (!file)
        return NULL;
    do {
        n = fread(sl_buf_reserve(&text, 4096), 1, 4096, file);
        text.len += n;
    } while (n);
    (void)fclose(file);
    (void)sl_buf_cstr(&text);
    return (char *)text.data;
}

int main(int argc, char **argv)
{
    struct sl_buf tables = {0};
    char *document = argc == 2 ? read_file(argv[1]) : NULL;
    bool holds;

    put_all(&tables);
    if (argc == 1) {
        (void)fputs(sl_buf_cstr(&tables), stdout);
        return 0;
    }
    holds = document && strstr(document, sl_buf_cstr(&tables));
    if (!holds)
        (void)fprintf(stderr,
                      "%s does not hold the options as they are: run this test without an argument and "
                      "put there what it prints\n",
                      argv[1]);
    sl_free(document);
    sl_buf_done(&tables);
    return holds ? 0 : 1;
}
