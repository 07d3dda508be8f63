/* SPDX-License-Identifier: Apache-2.0 */
/* `sluice apply`: connector files become connectors, or replace what there is. */
#include "cli/rest.h"

#include "base/alloc.h"
#include "base/json.h"
#include "base/props.h"
#include "engine/config/connector_config.h"
#include "net/http/client.h"

#include <stdio.h>

enum { INPUT_MAX = 16 * 1024 * 1024 };

static void read_all(FILE *file, struct sl_buf *ret)
{
    size_t n;

    do {
        n = fread(sl_buf_reserve(ret, 65536), 1, 65536, file);
        ret->len += n;
    } while (n && ret->len < INPUT_MAX);
}

/* {"name": ..., "config": {...}} or a bare object with "name". */
static enum sl_rc read_stdin(json_t **ret, struct sl_error *err)
{
    struct sl_buf text = {0};
    json_t *body = NULL;
    enum sl_rc rc;

    read_all(stdin, &text);
    rc = sl_json_parse((const char *)text.data, text.len, "standard input", &body, err);
    sl_buf_done(&text);
    if (rc)
        return rc;
    if (json_is_object(json_object_get(body, "config"))) {
        json_t *config = json_copy(json_object_get(body, "config"));

        if (json_object_get(body, "name"))
            (void)json_object_set(config, "name", json_object_get(body, "name"));
        json_decref(body);
        body = config;
    }
    *ret = body;
    return SL_OK;
}

static enum sl_rc read_connector(const char *path, json_t **ret, struct sl_error *err)
{
    struct sl_props *props = NULL;
    enum sl_rc rc;

    if (strcmp(path, "-") == 0)
        return read_stdin(ret, err);
    rc = sl_connector_read(path, &props, err);
    if (rc)
        return rc;
    *ret = json_object();
    for (size_t i = 0; i < sl_props_count(props); i++) {
        const char *key;
        const char *value;

        sl_props_at(props, i, &key, &value);
        (void)json_object_set_new(*ret, key, json_string(value));
    }
    sl_props_free(props);
    return SL_OK;
}

static int print_errors(const char *path, const json_t *validation)
{
    const json_t *entry;
    const json_t *text;
    size_t i;
    size_t k;

    json_array_foreach(json_object_get(validation, "configs"), i, entry)
    {
        json_array_foreach(json_object_get(json_object_get(entry, "value"), "errors"), k, text)(void)
            fprintf(stderr, "sluice: %s: %s\n", path, json_string_value(text));
    }
    return json_integer_value(json_object_get(validation, "error_count")) ? SL_EXIT_FAILED : SL_EXIT_OK;
}

static int check(struct sl_rest *rest, const char *path, const json_t *config)
{
    const char *class_name = sl_json_text(config, "connector.class", "");
    struct sl_buf url = {0};
    json_t *validation = NULL;
    int status;

    sl_buf_text(&url, "/connector-plugins/");
    sl_http_put_escaped(&url, class_name, strlen(class_name));
    sl_buf_text(&url, "/config/validate");
    if (*class_name) {
        status = sl_rest_ask(rest, "PUT", sl_buf_cstr(&url), config, &validation);
    } else {
        (void)fprintf(stderr, "sluice: %s: connector.class is missing\n", path);
        status = SL_EXIT_FAILED;
    }
    if (status == SL_EXIT_OK)
        status = print_errors(path, validation);
    if (status == SL_EXIT_OK)
        (void)printf("%s: connector '%s' could be made\n", path, sl_json_text(config, "name", "?"));
    json_decref(validation);
    sl_buf_done(&url);
    return status;
}

static int put(struct sl_rest *rest, const json_t *config)
{
    const char *name = sl_json_text(config, "name", "");
    char *path = sl_rest_connector_path(name, "/config");
    json_t *names = NULL;
    const json_t *one;
    bool there = false;
    size_t i;
    int status = sl_rest_ask(rest, "GET", "/connectors", NULL, &names);

    json_array_foreach(names, i, one) there |= strcmp(json_string_value(one), name) == 0;
    if (status == SL_EXIT_OK)
        status = sl_rest_ask(rest, "PUT", path, config, NULL);
    if (status == SL_EXIT_OK)
        (void)printf("%s connector '%s'\n", there ? "changed" : "made", name);
    json_decref(names);
    sl_free(path);
    return status;
}

static int apply_one(struct sl_rest *rest, const char *path, bool only_check)
{
    struct sl_error err = {0};
    json_t *config = NULL;
    int status;

    if (read_connector(path, &config, &err))
        return sl_cli_fail(NULL, &err);
    if (!json_is_string(json_object_get(config, "name"))) {
        (void)fprintf(stderr, "sluice: %s: the connector has no name. HINT: add \"name\"\n", path);
        status = SL_EXIT_FAILED;
    } else {
        status = only_check ? check(rest, path, config) : put(rest, config);
    }
    json_decref(config);
    return status;
}

static int apply(const struct sl_cli *cli, const struct sl_arguments *arguments)
{
    const char *file = sl_arguments_flag(arguments, "file");
    bool only_check = sl_arguments_flag(arguments, "dry-run") != NULL;
    struct sl_rest *rest = NULL;
    int worst = SL_EXIT_OK;
    int status;

    (void)cli;
    if (!file && !arguments->n_words)
        return sl_cli_misuse(&sl_command_apply, "no file is given; '-' is standard input");
    status = sl_rest_open(arguments, &rest);
    if (status)
        return status;
    if (file)
        worst = apply_one(rest, file, only_check);
    for (size_t i = 0; i < arguments->n_words; i++) {
        status = apply_one(rest, arguments->words[i], only_check);
        worst = status ? status : worst;
    }
    sl_rest_close(rest);
    return worst;
}

static const struct sl_flag flags[] = {
    {"file", 'f', "FILE", "a connector's file; '-' is standard input"},
    {"dry-run", 'n', NULL, "ask only what would be wrong with it"},
    SL_REST_FLAGS,
    {NULL, 0, NULL, NULL},
};

const struct sl_command sl_command_apply = {
    .name = "apply",
    .arguments = "[-n] FILE...",
    .summary = "make connectors from files, or change those that there are",
    .help = "Files are JSON ({\"name\": ..., \"config\": {...}} or a bare object) or Java properties.",
    .max_words = 1000,
    .flags = flags,
    .run = apply,
};
