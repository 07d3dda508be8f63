/* SPDX-License-Identifier: Apache-2.0 */
/* /schemas, /config and /mode. */
#include "api/registry/routes.h"

#include <stdlib.h>
#include <string.h>

/* An id that is no number cannot be there. */
static int32_t id_of(const struct sl_http_request *request)
{
    const char *text = sl_http_path(request, "id");
    char *end;
    long id = strtol(text, &end, 10);

    return end != text && *end == '\0' && id > 0 && id <= INT32_MAX ? (int32_t)id : 0;
}

void sl_registry_schemas(void *ctx, const struct sl_http_request *request, struct sl_http_answer *answer)
{
    struct sl_book_filter filter = sl_registry_filter(request);

    sl_http_json(answer, 200, sl_book_schemas(ctx, &filter));
}

void sl_registry_by_id(void *ctx, const struct sl_http_request *request, struct sl_http_answer *answer)
{
    struct sl_refusal refusal = {0};
    json_t *found = sl_book_by_id(ctx, id_of(request), &refusal);

    if (found && !sl_http_query_bool(request, "fetchMaxId", false))
        (void)json_object_del(found, "maxId");
    sl_registry_answer(answer, found, &refusal);
}

void sl_registry_text_by_id(void *ctx, const struct sl_http_request *request, struct sl_http_answer *answer)
{
    struct sl_refusal refusal = {0};
    json_t *found = sl_book_by_id(ctx, id_of(request), &refusal);
    const char *text = json_string_value(json_object_get(found, "schema"));

    if (!text) {
        sl_registry_answer(answer, NULL, &refusal);
        return;
    }
    sl_http_text(answer, 200, "application/vnd.schemaregistry.v1+json", text, strlen(text));
    json_decref(found);
}

static void users_of_id(struct sl_schema_book *book, const struct sl_http_request *request, bool versions,
                        struct sl_http_answer *answer)
{
    struct sl_book_filter filter = sl_registry_filter(request);
    struct sl_refusal refusal = {0};

    sl_registry_answer(answer, sl_book_users_of_id(book, id_of(request), &filter, versions, &refusal),
                       &refusal);
}

void sl_registry_id_subjects(void *ctx, const struct sl_http_request *request, struct sl_http_answer *answer)
{
    users_of_id(ctx, request, false, answer);
}

void sl_registry_id_versions(void *ctx, const struct sl_http_request *request, struct sl_http_answer *answer)
{
    users_of_id(ctx, request, true, answer);
}

void sl_registry_by_guid(void *ctx, const struct sl_http_request *request, struct sl_http_answer *answer)
{
    struct sl_refusal refusal = {0};
    json_t *found = sl_book_by_guid(ctx, sl_http_path(request, "guid"), &refusal);

    if (found)
        (void)json_object_del(found, "id");
    sl_registry_answer(answer, found, &refusal);
}

/* Contexts and the id in each; there is one context here. */
void sl_registry_guid_ids(void *ctx, const struct sl_http_request *request, struct sl_http_answer *answer)
{
    struct sl_refusal refusal = {0};
    json_t *found = sl_book_by_guid(ctx, sl_http_path(request, "guid"), &refusal);
    json_t *ids = NULL;

    if (found)
        ids = json_pack("[{s:s, s:O}]", "context", ".", "id", json_object_get(found, "id"));
    json_decref(found);
    sl_registry_answer(answer, ids, &refusal);
}

/* ---- settings ---- */

static bool setting_body(const struct sl_http_request *request, struct sl_http_answer *answer, json_t **ret)
{
    struct sl_error err = {0};

    *ret = NULL;
    if (sl_http_body_json(request, ret, &err)) {
        sl_http_error(answer, 400, 400, "%s", err.text);
        return false;
    }
    if (json_is_object(*ret))
        return true;
    json_decref(*ret);
    sl_http_error(answer, 422, 422, "The request's body must be a JSON object");
    return false;
}

void sl_registry_get_config(void *ctx, const struct sl_http_request *request, struct sl_http_answer *answer)
{
    struct sl_refusal refusal = {0};

    sl_registry_answer(answer,
                       sl_book_config(ctx, sl_registry_subject(request),
                                      sl_http_query_bool(request, "defaultToGlobal", false), &refusal),
                       &refusal);
}

void sl_registry_put_config(void *ctx, const struct sl_http_request *request, struct sl_http_answer *answer)
{
    struct sl_refusal refusal = {0};
    json_t *body;

    if (!setting_body(request, answer, &body))
        return;
    sl_registry_answer(answer, sl_book_set_config(ctx, sl_registry_subject(request), body, &refusal),
                       &refusal);
    json_decref(body);
}

void sl_registry_delete_config(void *ctx, const struct sl_http_request *request,
                               struct sl_http_answer *answer)
{
    struct sl_refusal refusal = {0};

    sl_registry_answer(answer, sl_book_drop_config(ctx, sl_registry_subject(request), &refusal), &refusal);
}

void sl_registry_get_mode(void *ctx, const struct sl_http_request *request, struct sl_http_answer *answer)
{
    struct sl_refusal refusal = {0};

    sl_registry_answer(answer,
                       sl_book_mode(ctx, sl_registry_subject(request),
                                    sl_http_query_bool(request, "defaultToGlobal", false), &refusal),
                       &refusal);
}

void sl_registry_put_mode(void *ctx, const struct sl_http_request *request, struct sl_http_answer *answer)
{
    struct sl_refusal refusal = {0};
    json_t *body;

    if (!setting_body(request, answer, &body))
        return;
    sl_registry_answer(answer,
                       sl_book_set_mode(ctx, sl_registry_subject(request),
                                        json_string_value(json_object_get(body, "mode")),
                                        sl_http_query_bool(request, "force", false), &refusal),
                       &refusal);
    json_decref(body);
}

void sl_registry_delete_mode(void *ctx, const struct sl_http_request *request, struct sl_http_answer *answer)
{
    struct sl_refusal refusal = {0};

    sl_registry_answer(answer, sl_book_drop_mode(ctx, sl_registry_subject(request), &refusal), &refusal);
}
