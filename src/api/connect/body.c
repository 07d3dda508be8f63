/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bodies as Connect reads them. What is no JSON, or not of the expected shape, is 500 there (Jackson's
 * exception reaches the client), and clients know it as that; only the bounds of depth and size, which
 * Connect does not have, are 400.
 */
#include "api/connect/inside.h"

#include "base/json.h"

bool sl_connect_body_object(const struct sl_http_request *request, json_t **ret,
                            struct sl_http_answer *answer)
{
    struct sl_error err = {0};
    json_t *body = NULL;

    if (sl_http_body_json(request, &body, &err)) {
        bool bound = strstr(err.text, "deeper than") || strstr(err.text, "more than");

        sl_http_error(answer, bound ? 400 : 500, 0, "%s", err.text);
        return false;
    }
    if (!json_is_object(body)) {
        sl_http_error(answer, 500, 0, "The request's body is %s. HINT: it has to be a JSON object",
                      body ? "no JSON object" : "empty");
        json_decref(body);
        return false;
    }
    *ret = body;
    return true;
}

bool sl_connect_config_texts(json_t *config, bool keep_null, json_t **ret, struct sl_http_answer *answer)
{
    json_t *texts = json_object();
    const char *key;
    json_t *value;

    json_object_foreach(config, key, value)
    {
        char *text;

        if (json_is_object(value) || json_is_array(value)) {
            sl_http_error(answer, 500, 0,
                          "The value of \"%s\" is %s. HINT: values of a configuration are texts, numbers or "
                          "booleans",
                          key, json_is_object(value) ? "an object" : "an array");
            json_decref(texts);
            json_decref(config);
            return false;
        }
        if (json_is_null(value)) {
            if (keep_null)
                (void)json_object_set_new(texts, key, json_null());
            continue;
        }
        text = sl_json_scalar_text(value);
        (void)json_object_set_new(texts, key, json_string(text));
        sl_free(text);
    }
    json_decref(config);
    *ret = texts;
    return true;
}
