/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A running sluice (or Kafka Connect) as the commands beside `run` see it: over its REST API. What it refuses
 * is printed here, with its own words, and becomes the command's exit status.
 */
#ifndef SLUICE_CLI_REST_H
#define SLUICE_CLI_REST_H

#include "base/buf.h"
#include "cli/command.h"

#include <jansson.h>

/* The flags that every such command has. */
#define SL_REST_FLAGS                                                                               \
    {"url", 'u', "URL", "the REST API (default: $SLUICE_URL, else http://localhost:8083)"},         \
        {"user", 0, "NAME", "log in as (default: $SLUICE_USER)"},                                   \
        {"password-file", 0, "FILE", "its first line is the password (default: $SLUICE_PASSWORD)"}, \
        {"ca", 0, "FILE", "PEM file of the authorities to trust, for https"},                       \
        {"insecure", 0, NULL, "trust any certificate"}

/* The flags of those that show something. */
#define SL_OUTPUT_FLAGS {"output", 'o', "FORM", "table (default), wide, json or yaml"}
#define SL_WATCH_FLAGS                                                  \
    {"watch", 'w', NULL, "show it again and again, until interrupted"}, \
        {"every", 0, "SECONDS", "how often (default: 2)"}

struct sl_rest;

/* SL_EXIT_OK, or what was printed. */
int sl_rest_open(const struct sl_arguments *arguments, struct sl_rest **ret);
void sl_rest_close(struct sl_rest *rest);

/*
 * Ask; the path is escaped already; body is borrowed, or NULL. Anything below 400 is SL_EXIT_OK and *ret the
 * JSON of the answer (the caller's; NULL when it is empty; ret may be NULL). Else it was printed, and the
 * exit status says which kind it is.
 */
int sl_rest_ask(struct sl_rest *rest, const char *method, const char *path, const json_t *body, json_t **ret);

/* "/connectors/<name>" and what follows. Heap memory of the caller. */
char *sl_rest_connector_path(const char *name, const char *rest);

/* One connector: like ask, and an unknown name is answered with the nearest one that there is. */
int sl_rest_ask_connector(struct sl_rest *rest, const char *method, const char *name, const char *path,
                          const json_t *body, json_t **ret);

/* ---- showing ---- */

enum sl_form { SL_FORM_TABLE, SL_FORM_WIDE, SL_FORM_JSON, SL_FORM_YAML };

/* The form that -o asks for; SL_EXIT_USAGE when there is no such form. */
int sl_form_read(const struct sl_command *command, const struct sl_arguments *arguments, enum sl_form *ret);

/* The document as JSON or YAML; false when the form is a table's. */
bool sl_form_print(enum sl_form form, const json_t *document);

/* yaml.c: block style, keys in their order, texts quoted where YAML would take them for something else. */
void sl_yaml_put(struct sl_buf *out, const json_t *json);

/* Call show until it fails; with --watch again and again, with the screen cleared where there is one. */
int sl_watch(const struct sl_command *command, const struct sl_arguments *arguments, int (*show)(void *ctx),
             void *ctx);

/* offsets.c, plugins.c, loggers.c: shared by `get` and by the command of that name. */
int sl_offsets_show(struct sl_rest *rest, const char *connector, enum sl_form form);
int sl_plugins_show(struct sl_rest *rest, bool all, enum sl_form form);
int sl_loggers_show(struct sl_rest *rest, enum sl_form form);

/* A member's text, or fallback. */
const char *sl_json_text(const json_t *object, const char *key, const char *fallback);

/* Cut the first line of a trace to what fits beside others. Heap memory of the caller. */
char *sl_first_line(const char *text, size_t max);

#endif
