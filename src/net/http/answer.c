/* SPDX-License-Identifier: Apache-2.0 */
#include "net/http/inside.h"

#include "base/json.h"

#include <stdio.h>

static void begin(struct sl_http_answer *answer, int status, const char *type)
{
    answer->status = status;
    (void)snprintf(answer->type, sizeof(answer->type), "%s", type);
    sl_buf_reset(&answer->body);
}

void sl_http_json(struct sl_http_answer *answer, int status, json_t *json)
{
    begin(answer, status, "application/json");
    sl_json_put(&answer->body, json);
    json_decref(json);
}

void sl_http_empty(struct sl_http_answer *answer, int status)
{
    begin(answer, status, "");
}

void sl_http_text(struct sl_http_answer *answer, int status, const char *type, const void *text, size_t len)
{
    begin(answer, status, type);
    sl_buf_put(&answer->body, text, len);
}

void sl_http_error(struct sl_http_answer *answer, int status, int code, const char *format, ...)
{
    struct sl_buf message = {0};
    char *text;
    va_list args;

    va_start(args, format);
    text = sl_vformat(format, args);
    va_end(args);
    sl_json_put_text(&message, text, strlen(text));
    begin(answer, status, "application/json");
    sl_buf_format(&answer->body, "{\"error_code\":%d,\"message\":%s}", code ? code : status,
                  sl_buf_cstr(&message));
    sl_buf_done(&message);
    sl_free(text);
}

void sl_http_add_header(struct sl_http_answer *answer, const char *name, const char *value)
{
    sl_buf_format(&answer->headers, "%s: ", name);
    for (const char *at = value; *at; at++) {
        unsigned char c = (unsigned char)*at;

        sl_buf_u8(&answer->headers, c < 0x20 || c == 0x7F ? ' ' : c);
    }
    sl_buf_u8(&answer->headers, '\n');
}

void sl_http_answer_done(struct sl_http_answer *answer)
{
    sl_buf_done(&answer->body);
    sl_buf_done(&answer->headers);
    *answer = (struct sl_http_answer){0};
}

static void put_headers(struct MHD_Response *response, char *lines)
{
    char *line = lines;

    while (*line) {
        char *end = strchrnul(line, '\n');
        char *colon = strstr(line, ": ");
        char *next = *end ? end + 1 : end;

        *end = 0;
        if (colon) {
            *colon = 0;
            (void)MHD_add_response_header(response, line, colon + 2);
        }
        line = next;
    }
}

struct MHD_Response *sl_http_response_new(struct sl_http_inside *inside)
{
    struct sl_http_answer *answer = &inside->answer;
    struct MHD_Response *response =
        MHD_create_response_from_buffer(answer->body.len, answer->body.data, MHD_RESPMEM_MUST_COPY);

    if (!response)
        return NULL;
    if (answer->type[0])
        (void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, answer->type);
    if (answer->headers.len) {
        (void)sl_buf_cstr(&answer->headers);
        put_headers(response, (char *)answer->headers.data);
    }
    return response;
}
