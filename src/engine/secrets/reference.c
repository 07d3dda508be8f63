/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/secrets/reference.h"

#include <ctype.h>
#include <string.h>

bool sl_reference_next(const char **cursor, struct sl_reference *ret)
{
    const char *start = *cursor;

    while ((start = strstr(start, "${"))) {
        const char *body = start + 2;
        const char *end = strchr(body, '}');
        const char *colon = end ? memchr(body, ':', (size_t)(end - body)) : NULL;
        const char *second;

        if (!end)
            return false;
        if (!colon) {
            start = end + 1;
            continue;
        }
        second = memchr(colon + 1, ':', (size_t)(end - colon - 1));
        *ret = (struct sl_reference){.start = start,
                                     .len = (size_t)(end + 1 - start),
                                     .provider = body,
                                     .provider_len = (size_t)(colon - body),
                                     .path = colon + 1,
                                     .path_len = second ? (size_t)(second - colon - 1) : 0,
                                     .key = second ? second + 1 : colon + 1};
        ret->key_len = (size_t)(end - ret->key);
        *cursor = end + 1;
        return true;
    }
    return false;
}

bool sl_reference_with_hash(const char *text, struct sl_reference *ret)
{
    const char *colon = strchr(text, ':');
    const char *hash = colon ? strchr(colon, '#') : NULL;

    if (!hash || colon == text || hash == colon + 1 || hash[1] == '\0' || strchr(hash + 1, '#'))
        return false;
    for (const char *at = text; *at; at++) {
        if (isspace((unsigned char)*at))
            return false;
    }
    *ret = (struct sl_reference){.start = text,
                                 .len = strlen(text),
                                 .provider = text,
                                 .provider_len = (size_t)(colon - text),
                                 .path = colon + 1,
                                 .path_len = (size_t)(hash - colon - 1),
                                 .key = hash + 1,
                                 .key_len = strlen(hash + 1)};
    return true;
}
