/* SPDX-License-Identifier: Apache-2.0 */
/* The handlers of the registry's REST interface. Private to api/registry/. */
#ifndef SLUICE_API_REGISTRY_ROUTES_H
#define SLUICE_API_REGISTRY_ROUTES_H

#include "net/http/server.h"
#include "registry/book.h"

/* ctx of every handler is the struct sl_schema_book. */
typedef void sl_registry_handler(void *ctx, const struct sl_http_request *request,
                                 struct sl_http_answer *answer);

extern const struct sl_http_route sl_registry_routes[];

/* Answer with the JSON, or with the refusal when it is NULL. Takes both. */
void sl_registry_answer(struct sl_http_answer *answer, json_t *json, struct sl_refusal *refusal);

/* subject of the path, in the one spelling that the default context has: ":.:name" is "name". */
const char *sl_registry_subject(const struct sl_http_request *request);

/* A version of the path: a number from 1, "latest" or -1. False: 42202 was answered. */
bool sl_registry_version(const struct sl_http_request *request, struct sl_http_answer *answer,
                         int32_t *ret_version);

/* A body with a schema; *ret_json holds it and is to be given back. False: 4xx was answered. */
bool sl_registry_body(const struct sl_http_request *request, struct sl_http_answer *answer, json_t **ret_json,
                      struct sl_schema_request *ret);

/* deleted, deletedOnly, offset, limit, subjectPrefix, latestOnly. */
struct sl_book_filter sl_registry_filter(const struct sl_http_request *request);

sl_registry_handler sl_registry_root, sl_registry_types, sl_registry_contexts, sl_registry_metadata_id,
    sl_registry_metadata_version;
sl_registry_handler sl_registry_subjects, sl_registry_look_up, sl_registry_versions, sl_registry_register,
    sl_registry_get_version, sl_registry_get_text, sl_registry_referenced_by, sl_registry_by_metadata,
    sl_registry_delete_subject, sl_registry_delete_version;
sl_registry_handler sl_registry_schemas, sl_registry_by_id, sl_registry_text_by_id, sl_registry_id_subjects,
    sl_registry_id_versions, sl_registry_by_guid, sl_registry_guid_ids;
sl_registry_handler sl_registry_check, sl_registry_check_all;
sl_registry_handler sl_registry_get_config, sl_registry_put_config, sl_registry_delete_config,
    sl_registry_get_mode, sl_registry_put_mode, sl_registry_delete_mode;

#endif
