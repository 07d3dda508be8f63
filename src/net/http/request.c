/* SPDX-License-Identifier: Apache-2.0 */
#include "net/http/inside.h"

#include "base/json.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <strings.h>

/* The pattern's segment at *cursor, which moves on; false at the end. */
static bool next_segment(const char **cursor, const char **ret, size_t *ret_len)
{
    const char *start = *cursor;

    if (*start != '/' || !start[1])
        return false;
    start++;
    *ret = start;
    *ret_len = (size_t)(strchrnul(start, '/') - start);
    *cursor = start + *ret_len;
    return true;
}

const char *sl_http_path(const struct sl_http_request *request, const char *name)
{
    const struct sl_http_inside *inside = request->inside;
    const char *cursor = inside->route->pattern;
    size_t name_len = strlen(name);
    const char *segment;
    size_t len;

    for (size_t i = 0; next_segment(&cursor, &segment, &len); i++) {
        if (len == name_len + 2 && segment[0] == '{' && memcmp(segment + 1, name, name_len) == 0)
            return inside->segments[i];
    }
    return NULL;
}

const char *sl_http_query(const struct sl_http_request *request, const char *name)
{
    for (size_t i = 0; i < request->inside->n_query; i++) {
        if (strcmp(request->inside->query[i].name, name) == 0)
            return request->inside->query[i].value;
    }
    return NULL;
}

bool sl_http_query_at(const struct sl_http_request *request, size_t index, const char **ret_name,
                      const char **ret_value)
{
    if (index >= request->inside->n_query)
        return false;
    *ret_name = request->inside->query[index].name;
    *ret_value = request->inside->query[index].value;
    return true;
}

bool sl_http_query_bool(const struct sl_http_request *request, const char *name, bool fallback)
{
    const char *text = sl_http_query(request, name);

    return text ? strcasecmp(text, "true") == 0 : fallback;
}

const char *sl_http_header(const struct sl_http_request *request, const char *name)
{
    return MHD_lookup_connection_value(request->inside->mhd, MHD_HEADER_KIND, name);
}

struct walk {
    bool (*visit)(void *ctx, const char *name, const char *value);
    void *ctx;
};

static enum MHD_Result visit_one(void *cls, enum MHD_ValueKind kind, const char *name, const char *value)
{
    const struct walk *walk = cls;

    (void)kind;
    return walk->visit(walk->ctx, name, value ? value : "") ? MHD_YES : MHD_NO;
}

void sl_http_headers(const struct sl_http_request *request,
                     bool (*visit)(void *ctx, const char *name, const char *value), void *ctx)
{
    struct walk walk = {visit, ctx};

    (void)MHD_get_connection_values(request->inside->mhd, MHD_HEADER_KIND, visit_one, &walk);
}

enum sl_rc sl_http_body_json(const struct sl_http_request *request, json_t **ret, struct sl_error *err)
{
    const struct sl_http_limits *limits = &request->inside->server->config.limits;
    const char *text = (const char *)request->body;
    enum sl_rc rc;

    if (request->body_bytes == 0) {
        *ret = NULL;
        return SL_OK;
    }
    rc = sl_json_within(text, request->body_bytes, "the request's body", limits->json_depth,
                        limits->json_values, err);
    return rc ? rc : sl_json_parse(text, request->body_bytes, "the request's body", ret, err);
}

bool sl_http_basic(const struct sl_http_request *request, char **ret_user, char **ret_password)
{
    const char *header = sl_http_header(request, "Authorization");
    size_t len;
    unsigned char *text;
    char *colon;
    int n;

    if (!header || strncasecmp(header, "Basic ", 6) != 0)
        return false;
    header += 6;
    header += strspn(header, " ");
    len = strlen(header);
    if (len == 0 || len % 4 != 0)
        return false;
    text = sl_alloc(len / 4 * 3 + 1);
    n = EVP_DecodeBlock(text, (const unsigned char *)header, (int)len);
    if (n > 0) {
        n -= (header[len - 1] == '=') + (header[len - 2] == '=');
        text[n] = 0;
    }
    colon = n > 0 ? memchr(text, ':', (size_t)n) : NULL;
    if (colon && !memchr(text, 0, (size_t)n)) {
        *ret_user = sl_strndup((char *)text, (size_t)(colon - (char *)text));
        *ret_password = sl_strdup(colon + 1);
    } else {
        colon = NULL;
    }
    OPENSSL_cleanse(text, len / 4 * 3 + 1);
    sl_free(text);
    return colon != NULL;
}

void sl_http_set_user(const struct sl_http_request *request, const char *user)
{
    struct sl_http_inside *inside = request->inside;

    sl_free(inside->user);
    inside->user = sl_strdup(user);
    inside->request.user = inside->user;
}
