/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/rest.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/nearest.h"
#include "net/http/client.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <unistd.h>

enum { ASK_US = 100 * 1000 * 1000, CONNECT_MS = 5000 };

struct sl_rest {
    struct sl_http_client *client;
    char *url;
    char *user;
    char *password;
};

/* ---- opening ---- */

static int read_password(const char *path, char **ret)
{
    FILE *file = fopen(path, "re");
    char line[1024];

    if (!file || !fgets(line, sizeof(line), file)) {
        (void)fprintf(stderr, "sluice: --password-file: cannot read '%s': %s\n", path, strerror(errno));
        if (file)
            (void)fclose(file);
        return SL_EXIT_FAILED;
    }
    (void)fclose(file);
    line[strcspn(line, "\r\n")] = 0;
    *ret = sl_strdup(line);
    explicit_bzero(line, sizeof(line));
    return SL_EXIT_OK;
}

static const char *flag_or_environment(const struct sl_arguments *arguments, const char *flag,
                                       const char *name)
{
    const char *value = sl_arguments_flag(arguments, flag);

    if (!value)
        value = getenv(name);
    return value && *value ? value : NULL;
}

static char *base_url(const struct sl_arguments *arguments)
{
    const char *given = flag_or_environment(arguments, "url", "SLUICE_URL");
    char *url;
    size_t len;

    if (!given)
        return sl_strdup("http://localhost:8083");
    url = strstr(given, "://") ? sl_strdup(given) : sl_format("http://%s", given);
    for (len = strlen(url); len && url[len - 1] == '/'; len--)
        url[len - 1] = 0;
    return url;
}

int sl_rest_open(const struct sl_arguments *arguments, struct sl_rest **ret)
{
    const struct sl_http_client_settings settings = {.connect_timeout_ms = CONNECT_MS,
                                                     .read_timeout_ms = ASK_US / 1000,
                                                     .user_agent = "sluice-cli",
                                                     .ca_file = sl_arguments_flag(arguments, "ca"),
                                                     .insecure =
                                                         sl_arguments_flag(arguments, "insecure") != NULL};
    const char *user = flag_or_environment(arguments, "user", "SLUICE_USER");
    const char *file = sl_arguments_flag(arguments, "password-file");
    struct sl_rest *rest = sl_zalloc(1, sizeof(*rest));
    int status = SL_EXIT_OK;

    rest->url = base_url(arguments);
    rest->user = user ? sl_strdup(user) : NULL;
    if (file)
        status = read_password(file, &rest->password);
    else
        rest->password = sl_strdup(getenv("SLUICE_PASSWORD") ? getenv("SLUICE_PASSWORD") : "");
    rest->client = sl_http_client_new(&settings);
    if (status)
        sl_rest_close(rest);
    else
        *ret = rest;
    return status;
}

void sl_rest_close(struct sl_rest *rest)
{
    sl_http_client_free(rest->client);
    if (rest->password)
        explicit_bzero(rest->password, strlen(rest->password));
    sl_free(rest->url);
    sl_free(rest->user);
    sl_free(rest->password);
    sl_free(rest);
}

/* ---- asking ---- */

static int exit_status_of(int http_status)
{
    if (http_status < 400)
        return SL_EXIT_OK;
    if (http_status == 404)
        return SL_EXIT_NOT_FOUND;
    if (http_status == 409 || http_status == 503)
        return SL_EXIT_CONFLICT;
    return SL_EXIT_FAILED;
}

static void print_refusal(const struct sl_rest *rest, int status, const json_t *body)
{
    const char *message = json_string_value(json_object_get(body, "message"));

    if (status == 401)
        (void)fprintf(
            stderr,
            "sluice: %s wants a login: %s. HINT: give --user and --password-file, or SLUICE_USER and "
            "SLUICE_PASSWORD [401]\n",
            rest->url, message ? message : "refused");
    else
        (void)fprintf(stderr, "sluice: %s [%d]\n", message ? message : "the server refused", status);
}

static int send(struct sl_rest *rest, const char *method, const char *path, const json_t *body,
                struct sl_http_reply *reply)
{
    static const char *const headers[] = {"Accept: application/json", "Content-Type: application/json", NULL};
    struct sl_buf text = {0};
    char *url = sl_format("%s%s", rest->url, path);
    struct sl_http_call call = {.method = method,
                                .url = url,
                                .headers = headers,
                                .user = rest->user,
                                .password = rest->password,
                                .deadline_us = sl_now_us() + ASK_US};
    struct sl_error err = {0};
    enum sl_rc rc;

    if (body) {
        sl_json_put(&text, body);
        call.body = text.data;
        call.body_len = text.len;
    }
    rc = sl_http_client_ask(rest->client, &call, reply, &err);
    sl_buf_done(&text);
    sl_free(url);
    if (!rc)
        return SL_EXIT_OK;
    (void)sl_cli_fail("no answer", &err);
    (void)fprintf(stderr,
                  "HINT: is sluice running, and does it listen at %s? --url or SLUICE_URL says where\n",
                  rest->url);
    return SL_EXIT_UNREACHABLE;
}

/* The JSON of a reply, NULL when it holds none. */
static json_t *json_of(const struct sl_http_reply *reply)
{
    struct sl_error err;
    json_t *json = NULL;

    if (reply->body.len)
        (void)sl_json_parse((const char *)reply->body.data, reply->body.len, "the answer", &json, &err);
    return json;
}

static int ask(struct sl_rest *rest, const char *method, const char *path, const json_t *body, bool quiet_404,
               json_t **ret)
{
    struct sl_http_reply reply = {0};
    int status = send(rest, method, path, body, &reply);
    json_t *json;

    if (status == SL_EXIT_OK) {
        json = json_of(&reply);
        status = exit_status_of(reply.status);
        if (status && !(quiet_404 && status == SL_EXIT_NOT_FOUND))
            print_refusal(rest, reply.status, json);
        if (status == SL_EXIT_OK && ret)
            *ret = json;
        else
            json_decref(json);
    }
    sl_http_reply_done(&reply);
    return status;
}

int sl_rest_ask(struct sl_rest *rest, const char *method, const char *path, const json_t *body, json_t **ret)
{
    return ask(rest, method, path, body, false, ret);
}

char *sl_rest_connector_path(const char *name, const char *rest)
{
    struct sl_buf path = {0};

    sl_buf_text(&path, "/connectors/");
    sl_http_put_escaped(&path, name, strlen(name));
    sl_buf_text(&path, rest);
    (void)sl_buf_cstr(&path);
    return (char *)path.data;
}

static void print_no_connector(struct sl_rest *rest, const char *name)
{
    struct sl_nearest nearest = {.word = name};
    json_t *names = NULL;
    const json_t *one;
    size_t i;

    if (ask(rest, "GET", "/connectors", NULL, true, &names) == SL_EXIT_OK) {
        json_array_foreach(names, i, one)
        {
            if (json_is_string(one) &&
                strcmp(json_string_value(one), name) == 0) { /* something of it is not there */
                json_decref(names);
                (void)fprintf(stderr, "sluice: connector '%s' has no such part, or no status yet [404]\n",
                              name);
                return;
            }
            if (json_is_string(one))
                sl_nearest_try(&nearest, json_string_value(one));
        }
    }
    if (nearest.best)
        (void)fprintf(stderr, "sluice: there is no connector '%s'; did you mean '%s'? [404]\n", name,
                      nearest.best);
    else
        (void)fprintf(stderr,
                      "sluice: there is no connector '%s'. HINT: `sluice get connectors` lists them [404]\n",
                      name);
    json_decref(names);
}

int sl_rest_ask_connector(struct sl_rest *rest, const char *method, const char *name, const char *path,
                          const json_t *body, json_t **ret)
{
    char *whole = sl_rest_connector_path(name, path);
    int status = ask(rest, method, whole, body, true, ret);

    if (status == SL_EXIT_NOT_FOUND)
        print_no_connector(rest, name);
    sl_free(whole);
    return status;
}
