/* SPDX-License-Identifier: Apache-2.0 */
/* /subjects and /compatibility. */
#include "api/registry/routes.h"
#include "sluice/registry.h"

#include <string.h>

enum { MAX_METADATA = 32 };

void sl_registry_subjects(void *ctx, const struct sl_http_request *request, struct sl_http_answer *answer)
{
    struct sl_book_filter filter = sl_registry_filter(request);

    sl_http_json(answer, 200, sl_book_subjects(ctx, &filter));
}

void sl_registry_versions(void *ctx, const struct sl_http_request *request, struct sl_http_answer *answer)
{
    struct sl_book_filter filter = sl_registry_filter(request);
    struct sl_refusal refusal = {0};

    sl_registry_answer(answer, sl_book_versions(ctx, sl_registry_subject(request), &filter, &refusal),
                       &refusal);
}

/* A subject that may be written to: not empty, and no control characters. */
static bool check_subject(const char *subject, struct sl_http_answer *answer)
{
    bool good = *subject != '\0' && strcmp(subject, "__GLOBAL") != 0 && strcmp(subject, "__EMPTY") != 0;

    for (const char *at = subject; *at; at++)
        good = good && (unsigned char)*at >= 0x20 && *at != 0x7F;
    if (!good)
        sl_http_error(answer, 422, 42208, "The specified subject '%.200s' is not a valid.", subject);
    return good;
}

void sl_registry_register(void *ctx, const struct sl_http_request *request, struct sl_http_answer *answer)
{
    const char *subject = sl_registry_subject(request);
    struct sl_refusal refusal = {0};
    struct sl_schema_request schema;
    json_t *body;

    if (!check_subject(subject, answer) || !sl_registry_body(request, answer, &body, &schema))
        return;
    sl_registry_answer(answer, sl_book_register(ctx, subject, &schema, &refusal), &refusal);
    json_decref(body);
}

void sl_registry_look_up(void *ctx, const struct sl_http_request *request, struct sl_http_answer *answer)
{
    struct sl_refusal refusal = {0};
    struct sl_schema_request schema;
    json_t *body;

    if (!sl_registry_body(request, answer, &body, &schema))
        return;
    sl_registry_answer(answer,
                       sl_book_look_up(ctx, sl_registry_subject(request), &schema,
                                       sl_http_query_bool(request, "deleted", false), &refusal),
                       &refusal);
    json_decref(body);
}

static json_t *get_version(void *ctx, const struct sl_http_request *request, int32_t version,
                           struct sl_refusal *refusal)
{
    return sl_book_version(ctx, sl_registry_subject(request), version,
                           sl_http_query_bool(request, "deleted", false), refusal);
}

void sl_registry_get_version(void *ctx, const struct sl_http_request *request, struct sl_http_answer *answer)
{
    struct sl_refusal refusal = {0};
    int32_t version;

    if (sl_registry_version(request, answer, &version))
        sl_registry_answer(answer, get_version(ctx, request, version, &refusal), &refusal);
}

void sl_registry_get_text(void *ctx, const struct sl_http_request *request, struct sl_http_answer *answer)
{
    struct sl_refusal refusal = {0};
    json_t *found;
    const char *text;
    int32_t version;

    if (!sl_registry_version(request, answer, &version))
        return;
    found = get_version(ctx, request, version, &refusal);
    if (!found) {
        sl_registry_answer(answer, NULL, &refusal);
        return;
    }
    text = json_string_value(json_object_get(found, "schema"));
    sl_http_text(answer, 200, "application/vnd.schemaregistry.v1+json", text, strlen(text));
    json_decref(found);
}

void sl_registry_referenced_by(void *ctx, const struct sl_http_request *request,
                               struct sl_http_answer *answer)
{
    struct sl_refusal refusal = {0};
    int32_t version;

    if (sl_registry_version(request, answer, &version))
        sl_registry_answer(
            answer, sl_book_referenced_by(ctx, sl_registry_subject(request), version, &refusal), &refusal);
}

/* ?key=owner&value=me&key=... : every pair has to be there. */
void sl_registry_by_metadata(void *ctx, const struct sl_http_request *request, struct sl_http_answer *answer)
{
    struct sl_refusal refusal = {0};
    const char *keys[MAX_METADATA];
    const char *values[MAX_METADATA];
    const char *name;
    const char *value;
    size_t n_keys = 0;
    size_t n_values = 0;

    for (size_t i = 0; sl_http_query_at(request, i, &name, &value); i++) {
        if (strcmp(name, "key") == 0 && n_keys < MAX_METADATA)
            keys[n_keys++] = value;
        else if (strcmp(name, "value") == 0 && n_values < MAX_METADATA)
            values[n_values++] = value;
    }
    sl_registry_answer(answer,
                       sl_book_by_metadata(ctx, sl_registry_subject(request), keys, values,
                                           n_keys < n_values ? n_keys : n_values,
                                           sl_http_query_bool(request, "deleted", false), &refusal),
                       &refusal);
}

void sl_registry_delete_subject(void *ctx, const struct sl_http_request *request,
                                struct sl_http_answer *answer)
{
    struct sl_refusal refusal = {0};

    sl_registry_answer(answer,
                       sl_book_delete_subject(ctx, sl_registry_subject(request),
                                              sl_http_query_bool(request, "permanent", false), &refusal),
                       &refusal);
}

void sl_registry_delete_version(void *ctx, const struct sl_http_request *request,
                                struct sl_http_answer *answer)
{
    struct sl_refusal refusal = {0};
    int32_t version;

    if (sl_registry_version(request, answer, &version))
        sl_registry_answer(answer,
                           sl_book_delete_version(ctx, sl_registry_subject(request), version,
                                                  sl_http_query_bool(request, "permanent", false), &refusal),
                           &refusal);
}

/* ---- compatibility ---- */

static void check(struct sl_schema_book *book, const struct sl_http_request *request, int32_t version,
                  struct sl_http_answer *answer)
{
    struct sl_refusal refusal = {0};
    struct sl_schema_request schema;
    json_t *body;

    if (!sl_registry_body(request, answer, &body, &schema))
        return;
    sl_registry_answer(answer,
                       sl_book_compatible(book, sl_registry_subject(request), version, &schema,
                                          sl_http_query_bool(request, "verbose", false), &refusal),
                       &refusal);
    json_decref(body);
}

void sl_registry_check(void *ctx, const struct sl_http_request *request, struct sl_http_answer *answer)
{
    int32_t version;

    if (sl_registry_version(request, answer, &version))
        check(ctx, request, version, answer);
}

void sl_registry_check_all(void *ctx, const struct sl_http_request *request, struct sl_http_answer *answer)
{
    check(ctx, request, 0, answer);
}
