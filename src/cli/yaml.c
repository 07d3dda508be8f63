/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/rest.h"

#include "base/json.h"

#include <strings.h>

/* Words that YAML 1.1 or 1.2 takes for something else than text. */
static bool is_reserved(const char *text)
{
    static const char *const words[] = {"true", "false", "yes", "no", "on", "off", "null", "y", "n", "~"};

    for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
        if (strcasecmp(words[i], text) == 0)
            return true;
    }
    return false;
}

/* Only what is a plain word for every reader stands without quotes. */
static bool is_plain(const char *text)
{
    static const char others[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./$";

    if (!*text || is_reserved(text) || strchr("0123456789-.~", *text))
        return false;
    return text[strspn(text, others)] == 0;
}

static void put_scalar(struct sl_buf *out, const json_t *json)
{
    const char *text = json_string_value(json);

    if (text && is_plain(text))
        sl_buf_text(out, text);
    else
        sl_json_put(out, json); /* a JSON text is a YAML text */
}

static void put_node(struct sl_buf *out, const json_t *json, int depth, bool in_line);

static void put_indent(struct sl_buf *out, int depth)
{
    for (int i = 0; i < depth; i++)
        sl_buf_text(out, "  ");
}

static bool is_nested(const json_t *json)
{
    return (json_is_object(json) && json_object_size(json)) || (json_is_array(json) && json_array_size(json));
}

static void put_entry(struct sl_buf *out, const json_t *value, int depth)
{
    if (is_nested(value)) {
        sl_buf_text(out, "\n");
        put_node(out, value, depth, false);
    } else {
        sl_buf_text(out, " ");
        put_scalar(out, value);
        sl_buf_text(out, "\n");
    }
}

/* in_line: the first entry goes where the line stands now, behind "- ". */
static void put_node(struct sl_buf *out, const json_t *json, int depth, bool in_line)
{
    const char *key;
    json_t *value;
    size_t i;

    if (!is_nested(json)) {
        put_scalar(out, json);
        sl_buf_text(out, "\n");
        return;
    }
    json_object_foreach((json_t *)(uintptr_t)json, key, value)
    {
        json_t *name = json_string(key);

        if (!in_line)
            put_indent(out, depth);
        in_line = false;
        put_scalar(out, name);
        sl_buf_text(out, ":");
        put_entry(out, value, depth + 1);
        json_decref(name);
    }
    json_array_foreach(json, i, value)
    {
        if (!in_line)
            put_indent(out, depth);
        in_line = false;
        sl_buf_text(out, "- ");
        put_node(out, value, depth + 1, true);
    }
}

void sl_yaml_put(struct sl_buf *out, const json_t *json)
{
    put_node(out, json, 0, false);
}
