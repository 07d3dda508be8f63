/* SPDX-License-Identifier: Apache-2.0 */
#include "transform/field_path.h"

#include "base/buf.h"

static void add_step(struct sl_field_path *path, const char *text, size_t len)
{
    SL_GROW(path->steps, path->n, path->capacity);
    path->steps[path->n++] = sl_strndup(text, len);
}

void sl_field_path_done(struct sl_field_path *path)
{
    for (size_t i = 0; i < path->n; i++)
        sl_free(path->steps[i]);
    sl_free(path->steps);
    *path = (struct sl_field_path){0};
}

/* From behind the opening backtick to behind the dot that follows the closing one; NULL: it does not close.
 */
static const char *read_quoted(struct sl_field_path *path, const char *at)
{
    struct sl_buf name = {0};
    const char *next = NULL;

    for (; *at; at++) {
        bool escaped = name.len && name.data[name.len - 1] == '\\';

        if (*at == '`' && at[1] == '\0') {
            next = escaped ? NULL : at + 1;
            break;
        }
        if (*at == '`' && at[1] == '.') {
            if (!escaped) {
                next = at + 2;
                break;
            }
            name.len--; /* the backslash has done its work */
        }
        sl_buf_u8(&name, (uint8_t)*at);
    }
    if (next)
        add_step(path, sl_buf_cstr(&name), name.len);
    sl_buf_done(&name);
    return next;
}

static enum sl_rc parse_dotted(const char *text, struct sl_field_path *path, struct sl_error *err)
{
    const char *at = text;

    while (at && *at) {
        if (*at == '`') {
            const char *next = read_quoted(path, at + 1);

            if (!next)
                return sl_error_set(err, SL_E_CONFIG,
                                    "the path '%.100s' has a backtick at character %td that does not end. "
                                    "HINT: close it before a dot or the end, or write \\` where it is meant",
                                    text, at - text + 1);
            at = next;
        } else {
            const char *dot = strchr(at, '.');

            add_step(path, at, dot ? (size_t)(dot - at) : strlen(at));
            at = dot ? dot + 1 : NULL;
        }
    }
    if (*text && text[strlen(text) - 1] == '.')
        add_step(path, "", 0);
    return SL_OK;
}

enum sl_rc sl_field_path_parse(const char *text, int version, struct sl_field_path *ret, struct sl_error *err)
{
    struct sl_field_path path = {0};
    enum sl_rc rc = SL_OK;

    if (version == 1)
        add_step(&path, text, strlen(text));
    else
        rc = parse_dotted(text, &path, err);
    if (rc)
        sl_field_path_done(&path);
    else
        *ret = path;
    return rc;
}
