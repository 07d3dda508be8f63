/* SPDX-License-Identifier: Apache-2.0 */
#include "net/http/inside.h"

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* The length of a well-formed UTF-8 character at text, or 0. Overlong forms and surrogates are not. */
static size_t utf8_length(const unsigned char *text, size_t left)
{
    static const struct {
        unsigned char first_min, first_max, second_min, second_max, length;
    } forms[] = {
        {0x00, 0x7F, 0, 0, 1},       {0xC2, 0xDF, 0x80, 0xBF, 2}, {0xE0, 0xE0, 0xA0, 0xBF, 3},
        {0xE1, 0xEC, 0x80, 0xBF, 3}, {0xED, 0xED, 0x80, 0x9F, 3}, {0xEE, 0xEF, 0x80, 0xBF, 3},
        {0xF0, 0xF0, 0x90, 0xBF, 4}, {0xF1, 0xF3, 0x80, 0xBF, 4}, {0xF4, 0xF4, 0x80, 0x8F, 4},
    };

    for (size_t i = 0; i < sizeof(forms) / sizeof(*forms); i++) {
        if (text[0] < forms[i].first_min || text[0] > forms[i].first_max)
            continue;
        if (left < forms[i].length)
            return 0;
        if (forms[i].length > 1 && (text[1] < forms[i].second_min || text[1] > forms[i].second_max))
            return 0;
        for (size_t k = 2; k < forms[i].length; k++) {
            if ((text[k] & 0xC0) != 0x80)
                return 0;
        }
        return forms[i].length;
    }
    return 0;
}

static bool is_plain_text(const char *text, size_t len)
{
    const unsigned char *at = (const unsigned char *)text;

    for (size_t i = 0; i < len;) {
        size_t one = utf8_length(at + i, len - i);

        if (one == 0 || at[i] < 0x20 || at[i] == 0x7F)
            return false;
        i += one;
    }
    return true;
}

/* Decode [from, to) to *out and behind it a NUL; *out moves on. NULL: malformed. */
static const char *decode(const char *from, const char *to, bool plus_is_blank, char **out)
{
    char *start = *out;
    char *at = start;

    while (from < to) {
        int high;
        int low;

        if (*from != '%') {
            *at++ = *from == '+' && plus_is_blank ? ' ' : *from;
            from++;
            continue;
        }
        if (to - from < 3 || (high = hex_digit(from[1])) < 0 || (low = hex_digit(from[2])) < 0)
            return NULL;
        *at++ = (char)(high * 16 + low);
        from += 3;
    }
    if (!is_plain_text(start, (size_t)(at - start)))
        return NULL;
    *at = 0;
    *out = at + 1;
    return start;
}

static bool cut_path(struct sl_http_inside *inside, const char *path, char **out)
{
    const char *at = path;

    while (*at == '/') {
        const char *end = at + 1;
        const char *segment;

        while (*end && *end != '/')
            end++;
        if (end == at + 1 && !*end)
            break; /* a slash at the end */
        segment = decode(at + 1, end, false, out);
        if (!segment)
            return false;
        if (inside->n_segments == SL_HTTP_SEGMENTS_MAX) {
            inside->too_many_segments = true;
            return true;
        }
        inside->segments[inside->n_segments++] = segment;
        at = end;
    }
    return *path == '/';
}

static bool cut_query(struct sl_http_inside *inside, const char *query, char **out)
{
    while (*query) {
        const char *end = strchrnul(query, '&');
        const char *equals = memchr(query, '=', (size_t)(end - query));
        struct sl_http_pair pair;

        if (end > query) {
            pair.name = decode(query, equals ? equals : end, true, out);
            pair.value = decode(equals ? equals + 1 : end, end, true, out);
            if (!pair.name || !pair.value || inside->n_query == SL_HTTP_QUERY_MAX)
                return false;
            inside->query[inside->n_query++] = pair;
        }
        query = *end ? end + 1 : end;
    }
    return true;
}

/* "http://host/path", as one writes to a proxy: RFC 9112 §3.2.2 wants it taken. */
static char *skip_authority(char *uri)
{
    size_t scheme = strncasecmp(uri, "http://", 7) == 0 ? 7 : strncasecmp(uri, "https://", 8) == 0 ? 8 : 0;
    char *slash = scheme ? strchr(uri + scheme, '/') : NULL;

    return slash ? slash : uri;
}

bool sl_http_cut_uri(struct sl_http_inside *inside)
{
    char *path = skip_authority(inside->uri);
    char *mark = strchr(path, '?');
    char *out;

    inside->request.path = path;
    inside->request.query = "";
    if (mark) {
        *mark = 0;
        inside->request.query = mark + 1;
    }
    /* Each piece shrinks or stays, and gains one NUL in place of the separator before or behind it. */
    inside->decoded = out = sl_alloc(strlen(path) + 2 * strlen(inside->request.query) + 4);
    return cut_path(inside, path, &out) && cut_query(inside, inside->request.query, &out);
}
