/* SPDX-License-Identifier: Apache-2.0 */
#include "api/registry/routes.h"

#include "sluice/registry.h"

#include <stdlib.h>
#include <string.h>

#ifndef SL_VERSION
#define SL_VERSION "unknown"
#endif

const struct sl_http_route sl_registry_routes[] = {
    {"GET", "/", sl_registry_root},
    {"GET", "/subjects", sl_registry_subjects},
    {"POST", "/subjects/{subject}", sl_registry_look_up},
    {"DELETE", "/subjects/{subject}", sl_registry_delete_subject},
    {"GET", "/subjects/{subject}/metadata", sl_registry_by_metadata},
    {"GET", "/subjects/{subject}/versions", sl_registry_versions},
    {"POST", "/subjects/{subject}/versions", sl_registry_register},
    {"GET", "/subjects/{subject}/versions/{version}", sl_registry_get_version},
    {"DELETE", "/subjects/{subject}/versions/{version}", sl_registry_delete_version},
    {"GET", "/subjects/{subject}/versions/{version}/schema", sl_registry_get_text},
    {"GET", "/subjects/{subject}/versions/{version}/referencedby", sl_registry_referenced_by},
    {"GET", "/schemas", sl_registry_schemas},
    {"GET", "/schemas/types", sl_registry_types},
    {"GET", "/schemas/ids/{id}", sl_registry_by_id},
    {"GET", "/schemas/ids/{id}/schema", sl_registry_text_by_id},
    {"GET", "/schemas/ids/{id}/subjects", sl_registry_id_subjects},
    {"GET", "/schemas/ids/{id}/versions", sl_registry_id_versions},
    {"GET", "/schemas/guids/{guid}", sl_registry_by_guid},
    {"GET", "/schemas/guids/{guid}/ids", sl_registry_guid_ids},
    {"POST", "/compatibility/subjects/{subject}/versions", sl_registry_check_all},
    {"POST", "/compatibility/subjects/{subject}/versions/{version}", sl_registry_check},
    {"GET", "/config", sl_registry_get_config},
    {"PUT", "/config", sl_registry_put_config},
    {"DELETE", "/config", sl_registry_delete_config},
    {"GET", "/config/{subject}", sl_registry_get_config},
    {"PUT", "/config/{subject}", sl_registry_put_config},
    {"DELETE", "/config/{subject}", sl_registry_delete_config},
    {"GET", "/mode", sl_registry_get_mode},
    {"PUT", "/mode", sl_registry_put_mode},
    {"DELETE", "/mode", sl_registry_delete_mode},
    {"GET", "/mode/{subject}", sl_registry_get_mode},
    {"PUT", "/mode/{subject}", sl_registry_put_mode},
    {"DELETE", "/mode/{subject}", sl_registry_delete_mode},
    {"GET", "/contexts", sl_registry_contexts},
    {"GET", "/v1/metadata/id", sl_registry_metadata_id},
    {"GET", "/v1/metadata/version", sl_registry_metadata_version},
    {0},
};

void sl_registry_answer(struct sl_http_answer *answer, json_t *json, struct sl_refusal *refusal)
{
    if (json)
        sl_http_json(answer, 200, json);
    else
        sl_http_error(answer, refusal->status ? refusal->status : 500, refusal->code, "%s",
                      refusal->message ? refusal->message : "Internal Server Error");
    sl_refusal_done(refusal);
}

const char *sl_registry_subject(const struct sl_http_request *request)
{
    const char *subject = sl_http_path(request, "subject");

    if (subject && strncmp(subject, ":.:", 3) == 0)
        subject += 3;
    return subject ? subject : "";
}

bool sl_registry_version(const struct sl_http_request *request, struct sl_http_answer *answer,
                         int32_t *ret_version)
{
    const char *text = sl_http_path(request, "version");
    char *end;
    long number = strtol(text, &end, 10);

    if (strcmp(text, "latest") == 0 || strcmp(text, "-1") == 0) {
        *ret_version = SL_REGISTRY_LATEST;
        return true;
    }
    if (end != text && *end == '\0' && number > 0 && number <= INT32_MAX) {
        *ret_version = (int32_t)number;
        return true;
    }
    sl_http_error(answer, 422, 42202,
                  "The specified version '%.60s' is not a valid version id. Allowed values are between [1, "
                  "2^31-1] and the string \"latest\"",
                  text);
    return false;
}

bool sl_registry_body(const struct sl_http_request *request, struct sl_http_answer *answer, json_t **ret_json,
                      struct sl_schema_request *ret)
{
    struct sl_error err = {0};
    json_t *json = NULL;
    json_t *id;
    json_t *version;

    if (sl_http_body_json(request, &json, &err)) {
        sl_http_error(answer, 400, 400, "%s", err.text);
        return false;
    }
    if (!json_is_object(json)) {
        json_decref(json);
        sl_http_error(answer, 422, 42201, "Empty schema");
        return false;
    }
    id = json_object_get(json, "id");
    version = json_object_get(json, "version");
    *ret = (struct sl_schema_request){
        .text = json_string_value(json_object_get(json, "schema")),
        .type = json_string_value(json_object_get(json, "schemaType")),
        .references = json_object_get(json, "references"),
        .metadata = json_object_get(json, "metadata"),
        .rules = json_object_get(json, "ruleSet"),
        .normalize = sl_http_query_bool(request, "normalize", false),
    };
    if (json_integer_value(id) > 0 && json_integer_value(id) < INT32_MAX)
        ret->id = (int32_t)json_integer_value(id);
    if (json_integer_value(version) > 0 && json_integer_value(version) < INT32_MAX)
        ret->version = (int32_t)json_integer_value(version);
    *ret_json = json;
    return true;
}

static size_t query_number(const struct sl_http_request *request, const char *name)
{
    const char *text = sl_http_query(request, name);
    long long number = text ? strtoll(text, NULL, 10) : 0;

    return number > 0 ? (size_t)number : 0;
}

struct sl_book_filter sl_registry_filter(const struct sl_http_request *request)
{
    return (struct sl_book_filter){
        .prefix = sl_http_query(request, "subjectPrefix"),
        .deleted = sl_http_query_bool(request, "deleted", false),
        .deleted_only = sl_http_query_bool(request, "deletedOnly", false),
        .latest_only = sl_http_query_bool(request, "latestOnly", false),
        .offset = query_number(request, "offset"),
        .limit = query_number(request, "limit"),
    };
}

/* ---- what says something about the server ---- */

void sl_registry_root(void *ctx, const struct sl_http_request *request, struct sl_http_answer *answer)
{
    (void)ctx;
    (void)request;
    sl_http_json(answer, 200, json_object());
}

void sl_registry_types(void *ctx, const struct sl_http_request *request, struct sl_http_answer *answer)
{
    (void)ctx;
    (void)request;
    sl_http_json(answer, 200, json_pack("[s]", "AVRO"));
}

void sl_registry_contexts(void *ctx, const struct sl_http_request *request, struct sl_http_answer *answer)
{
    (void)request;
    sl_http_json(answer, 200, sl_book_contexts(ctx));
}

void sl_registry_metadata_id(void *ctx, const struct sl_http_request *request, struct sl_http_answer *answer)
{
    (void)ctx;
    (void)request;
    sl_http_json(answer, 200,
                 json_pack("{s:{s:[], s:{s:s, s:s}}, s:s}", "scope", "path", "clusters", "kafka-cluster",
                           "sluice", "schema-registry-cluster", "schema-registry", "id", ""));
}

void sl_registry_metadata_version(void *ctx, const struct sl_http_request *request,
                                  struct sl_http_answer *answer)
{
    (void)ctx;
    (void)request;
    sl_http_json(answer, 200, json_pack("{s:s, s:s}", "version", SL_VERSION "-sluice", "commitId", ""));
}
