/* SPDX-License-Identifier: Apache-2.0 */
/* Properties from files: Java's format for workers, JSON for connectors. */
#include "base/props.h"

#include "base/buf.h"
#include "base/file.h"
#include "base/json.h"
#include "sluice/secret.h"

enum { LARGEST = 64 << 20 };

struct parser {
    const char *path;
    const uint8_t *at;
    const uint8_t *end;
    int line; /* of at, from 1 */
    struct sl_buf key;
    struct sl_buf value;
};

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\f';
}

static bool is_line_end(uint8_t c)
{
    return c == '\n' || c == '\r';
}

static void skip_blanks(struct parser *p)
{
    while (p->at < p->end && is_blank(*p->at))
        p->at++;
}

/* Step over one line end; "\r\n" is one. */
static void skip_line_end(struct parser *p)
{
    if (p->at == p->end)
        return;
    if (*p->at++ == '\r' && p->at < p->end && *p->at == '\n')
        p->at++;
    p->line++;
}

static void skip_line(struct parser *p)
{
    while (p->at < p->end && !is_line_end(*p->at))
        p->at++;
    skip_line_end(p);
}

static void put_utf8(struct sl_buf *out, uint32_t c)
{
    if (c < 0x80) {
        sl_buf_u8(out, (uint8_t)c);
    } else if (c < 0x800) {
        sl_buf_u8(out, (uint8_t)(0xC0 | c >> 6));
        sl_buf_u8(out, (uint8_t)(0x80 | (c & 0x3F)));
    } else if (c < 0x10000) {
        sl_buf_u8(out, (uint8_t)(0xE0 | c >> 12));
        sl_buf_u8(out, (uint8_t)(0x80 | (c >> 6 & 0x3F)));
        sl_buf_u8(out, (uint8_t)(0x80 | (c & 0x3F)));
    } else {
        sl_buf_u8(out, (uint8_t)(0xF0 | c >> 18));
        sl_buf_u8(out, (uint8_t)(0x80 | (c >> 12 & 0x3F)));
        sl_buf_u8(out, (uint8_t)(0x80 | (c >> 6 & 0x3F)));
        sl_buf_u8(out, (uint8_t)(0x80 | (c & 0x3F)));
    }
}

/* Four hex digits at at; -1 when they are not there. */
static int32_t hex4(const uint8_t *at, const uint8_t *end)
{
    int32_t value = 0;

    if (end - at < 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        uint8_t c = at[i];
        int digit = c >= '0' && c <= '9'                 ? c - '0'
                    : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10
                                                         : -1;

        if (digit < 0)
            return -1;
        value = value << 4 | digit;
    }
    return value;
}

/* "\uXXXX", at behind the u; a surrogate pair makes one character. */
static enum sl_rc put_unicode(struct parser *p, struct sl_buf *out, struct sl_error *err)
{
    int32_t c = hex4(p->at, p->end);
    int32_t low;

    if (c < 0)
        return sl_error_set(err, SL_E_CONFIG,
                            "'%s', line %d: \\u is not followed by four hex digits. HINT: write \\\\u for a "
                            "backslash and a u",
                            p->path, p->line);
    p->at += 4;
    if (c >= 0xD800 && c < 0xDC00 && p->end - p->at >= 6 && p->at[0] == '\\' && p->at[1] == 'u' &&
        (low = hex4(p->at + 2, p->end)) >= 0xDC00 && low < 0xE000) {
        p->at += 6;
        c = 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
    }
    put_utf8(out, (uint32_t)c);
    return SL_OK;
}

/* A backslash and what follows; at stands behind the backslash. */
static enum sl_rc put_escape(struct parser *p, struct sl_buf *out, struct sl_error *err)
{
    uint8_t c;

    if (p->at == p->end)
        return SL_OK;
    if (is_line_end(*p->at)) { /* the logical line goes on, without the blanks that begin the next */
        skip_line_end(p);
        skip_blanks(p);
        return SL_OK;
    }
    c = *p->at++;
    if (c == 'u')
        return put_unicode(p, out, err);
    sl_buf_u8(out, c == 't' ? '\t' : c == 'n' ? '\n' : c == 'r' ? '\r' : c == 'f' ? '\f' : c);
    return SL_OK;
}

static enum sl_rc read_part(struct parser *p, bool is_key, struct sl_buf *out, struct sl_error *err)
{
    sl_buf_reset(out);
    while (p->at < p->end && !is_line_end(*p->at)) {
        uint8_t c = *p->at;

        if (is_key && (c == '=' || c == ':' || is_blank(c)))
            break;
        p->at++;
        if (c != '\\') {
            sl_buf_u8(out, c);
            continue;
        }
        enum sl_rc rc = put_escape(p, out, err);
        if (rc)
            return rc;
    }
    return SL_OK;
}

static enum sl_rc read_entry(struct parser *p, struct sl_props *props, struct sl_error *err)
{
    enum sl_rc rc = read_part(p, true, &p->key, err);

    if (rc)
        return rc;
    skip_blanks(p);
    if (p->at < p->end && (*p->at == '=' || *p->at == ':'))
        p->at++;
    skip_blanks(p);
    rc = read_part(p, false, &p->value, err);
    if (rc)
        return rc;
    skip_line_end(p);
    sl_props_set(props, sl_buf_cstr(&p->key), sl_buf_cstr(&p->value));
    return SL_OK;
}

/* Properties hold passwords. */
static void wipe(struct sl_buf *buf)
{
    if (buf->data)
        sl_secret_wipe(buf->data, buf->capacity);
    sl_buf_done(buf);
}

enum sl_rc sl_props_read_file(struct sl_props *props, const char *path, struct sl_error *err)
{
    struct sl_buf text = {0};
    struct parser p = {.path = path, .line = 1};
    enum sl_rc rc = sl_file_read(path, LARGEST, &text, err);

    p.at = text.data;
    p.end = text.data + text.len;
    while (rc == SL_OK && p.at < p.end) {
        skip_blanks(&p);
        if (p.at == p.end)
            break;
        if (is_line_end(*p.at))
            skip_line_end(&p);
        else if (*p.at == '#' || *p.at == '!')
            skip_line(&p);
        else
            rc = read_entry(&p, props, err);
    }
    wipe(&p.key);
    wipe(&p.value);
    wipe(&text);
    return rc;
}

static enum sl_rc take_config(struct sl_props *props, const json_t *config, const char *path,
                              struct sl_error *err)
{
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)config, key, value)
    {
        char *text = sl_json_scalar_text(value);

        if (text)
            sl_props_set(props, key, text);
        else if (!json_is_null(value)) /* null: as if the key were not there */
            return sl_error_set(err, SL_E_CONFIG,
                                "'%s': key '%s' holds an object or an array. HINT: connector values are "
                                "text; lists are written \"a,b,c\"",
                                path, key);
        sl_free(text);
    }
    return SL_OK;
}

static enum sl_rc take_document(struct sl_props *props, const json_t *root, const char *path,
                                struct sl_error *err)
{
    const json_t *config = json_object_get(root, "config");
    const json_t *name = json_object_get(root, "name");
    enum sl_rc rc;

    if (!json_is_object(root))
        return sl_error_set(err, SL_E_CONFIG,
                            "'%s' holds no JSON object. HINT: write {\"name\": \"...\", \"config\": {...}}",
                            path);
    if (!config)
        return take_config(props, root, path, err);
    if (!json_is_object(config))
        return sl_error_set(err, SL_E_CONFIG,
                            "'%s': \"config\" is not an object. HINT: write {\"name\": \"...\", \"config\": "
                            "{\"connector.class\": \"...\"}}",
                            path);
    rc = take_config(props, config, path, err);
    if (rc == SL_OK && json_is_string(name))
        sl_props_set(props, "name", json_string_value(name));
    return rc;
}

enum sl_rc sl_props_read_connector(struct sl_props *props, const char *path, struct sl_error *err)
{
    json_t *root;
    enum sl_rc rc = sl_json_parse_file(path, &root, err);

    if (rc)
        return rc;
    rc = take_document(props, root, path, err);
    json_decref(root);
    return rc;
}
