/* SPDX-License-Identifier: Apache-2.0 */
/* Text functions. Positions and lengths count UTF-16 units for Unicode text, characters otherwise. */
#include <openssl/evp.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "operation.h"

static bool wide(const struct ms_operation *op, size_t i)
{
    return ms_type_is_unicode(op->args[i].id);
}

static bool give(struct ms_value *ret, const void *bytes, size_t len)
{
    *ret = (struct ms_value){.len = (uint32_t)len, .bytes = bytes};
    return true;
}

static bool give_null(struct ms_value *ret)
{
    *ret = (struct ms_value){.is_null = true};
    return true;
}

static bool fail_length(struct ms_eval *ev, const char *function)
{
    return ms_error_set(ev->err, 537, 16, 2, "Invalid length parameter passed to the %s function.", function);
}

static bool fn_len(struct ms_eval *ev, const struct ms_operation *op, const struct ms_value *a,
                   struct ms_value *ret)
{
    (void)ev;
    size_t len = a[0].len;
    while (len && a[0].bytes[len - 1] == ' ')
        len--;
    ret->i = (int64_t)ms_text_units(a[0].bytes, len, wide(op, 0));
    return true;
}

static bool fn_datalength(struct ms_eval *ev, const struct ms_operation *op, const struct ms_value *a,
                          struct ms_value *ret)
{
    (void)ev;
    enum ms_type_id id = op->args[0].id;
    switch (ms_type_class(id)) {
    case MS_CLASS_TEXT:
    case MS_CLASS_XML:
    case MS_CLASS_VARIANT:
        ret->i = (int64_t)ms_text_units(a[0].bytes, a[0].len, ms_type_is_unicode(id)) *
                 (ms_type_is_unicode(id) ? 2 : 1);
        break;
    case MS_CLASS_BINARY: ret->i = a[0].len; break;
    case MS_CLASS_INTEGER:
        ret->i = id == MS_BIT || id == MS_TINYINT ? 1 : id == MS_SMALLINT ? 2 : id == MS_INT ? 4 : 8;
        break;
    case MS_CLASS_FLOAT: ret->i = id == MS_REAL ? 4 : 8; break;
    case MS_CLASS_DECIMAL: {
        int p = op->args[0].precision;
        ret->i = p <= 9 ? 5 : p <= 19 ? 9 : p <= 28 ? 13 : 17;
        break;
    }
    case MS_CLASS_MONEY: ret->i = id == MS_MONEY ? 8 : 4; break;
    case MS_CLASS_GUID: ret->i = 16; break;
    case MS_CLASS_DATE: {
        int scale = op->args[0].scale, time = scale <= 2 ? 3 : scale <= 4 ? 4 : 5;
        ret->i = id == MS_DATE             ? 3
                 : id == MS_TIME           ? time
                 : id == MS_DATETIME2      ? time + 3
                 : id == MS_DATETIMEOFFSET ? time + 5
                 : id == MS_DATETIME       ? 8
                                           : 4;
        break;
    }
    case MS_CLASS_NONE: break;
    }
    return true;
}

static void cut(const struct ms_value *text, bool unicode, int64_t start, int64_t count, struct ms_value *ret)
{
    size_t skip = start > 0 ? ms_text_prefix(text->bytes, text->len, (size_t)start, unicode) : 0;
    size_t keep =
        count > 0 ? ms_text_prefix(text->bytes + skip, text->len - skip, (size_t)count, unicode) : 0;
    give(ret, text->bytes + skip, keep);
}

static bool fn_substring(struct ms_eval *ev, const struct ms_operation *op, const struct ms_value *a,
                         struct ms_value *ret)
{
    int64_t start = a[1].i - 1, count = a[2].i;
    if (count < 0)
        return fail_length(ev, "SUBSTRING");
    if (start < 0) {
        count += start;
        start = 0;
    }
    if (ms_type_class(op->args[0].id) == MS_CLASS_BINARY) {
        size_t from = (size_t)start > a[0].len ? a[0].len : (size_t)start;
        size_t left = a[0].len - from;
        return give(ret, a[0].bytes + from, count <= 0 ? 0 : (size_t)count < left ? (size_t)count : left);
    }
    cut(&a[0], wide(op, 0), start, count, ret);
    return true;
}

static bool fn_left(struct ms_eval *ev, const struct ms_operation *op, const struct ms_value *a,
                    struct ms_value *ret)
{
    if (a[1].i < 0)
        return fail_length(ev, "left");
    cut(&a[0], wide(op, 0), 0, a[1].i, ret);
    return true;
}

static bool fn_right(struct ms_eval *ev, const struct ms_operation *op, const struct ms_value *a,
                     struct ms_value *ret)
{
    int64_t units = (int64_t)ms_text_units(a[0].bytes, a[0].len, wide(op, 0));
    if (a[1].i < 0)
        return fail_length(ev, "right");
    int64_t count = a[1].i < units ? a[1].i : units;
    cut(&a[0], wide(op, 0), units - count, count, ret);
    return true;
}

/* Upper or lower case of the letters that code page 1252, Greek and Cyrillic have in pairs. */
static uint32_t change_case(uint32_t c, bool up)
{
    if (c < 0x80)
        return (uint32_t)(up ? toupper((int)c) : tolower((int)c));
    if (c >= 0xE0 && c <= 0xFE && c != 0xF7)
        return up ? c - 32 : c;
    if (c >= 0xC0 && c <= 0xDE && c != 0xD7)
        return up ? c : c + 32;
    if (c == 0xFF || c == 0x178)
        return up ? 0x178 : 0xFF;
    if ((c >= 0x100 && c <= 0x137) || (c >= 0x14A && c <= 0x177))
        return up ? c & ~1u : c | 1u;
    if ((c >= 0x3B1 && c <= 0x3C9 && c != 0x3C2) || (c >= 0x430 && c <= 0x44F))
        return up ? c - 32 : c;
    if ((c >= 0x391 && c <= 0x3A9) || (c >= 0x410 && c <= 0x42F))
        return up ? c : c + 32;
    return c;
}

static bool with_case(struct ms_eval *ev, const struct ms_value *a, bool up, struct ms_value *ret)
{
    uint8_t *out = ms_arena_alloc(ev->arena, (size_t)a->len * 2 + 4);
    size_t n = 0;
    for (const uint8_t *at = a->bytes, *end = at + a->len; at < end;)
        n += ms_text_put(out + n, change_case((uint32_t)ms_text_next(&at, end), up));
    return give(ret, out, n);
}

static bool fn_upper(struct ms_eval *ev, const struct ms_operation *op, const struct ms_value *a,
                     struct ms_value *ret)
{
    (void)op;
    return with_case(ev, &a[0], true, ret);
}

static bool fn_lower(struct ms_eval *ev, const struct ms_operation *op, const struct ms_value *a,
                     struct ms_value *ret)
{
    (void)op;
    return with_case(ev, &a[0], false, ret);
}

static bool strip(const struct ms_value *a, bool front, bool back, struct ms_value *ret)
{
    const uint8_t *p = a->bytes;
    size_t len = a->len;
    while (front && len && *p == ' ') {
        p++;
        len--;
    }
    while (back && len && p[len - 1] == ' ')
        len--;
    return give(ret, p, len);
}

static bool fn_ltrim(struct ms_eval *ev, const struct ms_operation *op, const struct ms_value *a,
                     struct ms_value *ret)
{
    (void)ev;
    (void)op;
    return strip(&a[0], true, false, ret);
}

static bool fn_rtrim(struct ms_eval *ev, const struct ms_operation *op, const struct ms_value *a,
                     struct ms_value *ret)
{
    (void)ev;
    (void)op;
    return strip(&a[0], false, true, ret);
}

static bool has_character(const struct ms_value *set, int32_t code)
{
    for (const uint8_t *at = set->bytes, *end = at + set->len; at < end;)
        if (ms_text_next(&at, end) == code)
            return true;
    return false;
}

/* TRIM(x), TRIM(characters FROM x) */
static bool fn_trim(struct ms_eval *ev, const struct ms_operation *op, const struct ms_value *a,
                    struct ms_value *ret)
{
    (void)ev;
    if (op->n_args == 1)
        return strip(&a[0], true, true, ret);
    const uint8_t *at = a[1].bytes, *end = at + a[1].len, *first = end, *last = at;
    while (at < end) {
        const uint8_t *before = at;
        if (!has_character(&a[0], ms_text_next(&at, end))) {
            first = first == end ? before : first;
            last = at;
        }
    }
    return give(ret, first, last > first ? (size_t)(last - first) : 0);
}

/* Where `needle` stands in `hay` without regard to case, from byte `from`; hay_len when it does not. */
static size_t find(const struct ms_value *hay, const struct ms_value *needle, size_t from)
{
    for (size_t i = from; i + needle->len <= hay->len; i++) {
        const uint8_t *h = hay->bytes + i, *n = needle->bytes, *end = needle->bytes + needle->len;
        const uint8_t *hay_end = hay->bytes + hay->len;
        if ((*h & 0xC0) == 0x80)
            continue;
        while (n < end && h < hay_end &&
               change_case((uint32_t)ms_text_next(&h, hay_end), false) ==
                   change_case((uint32_t)ms_text_next(&n, end), false))
            if (n == end)
                return i;
    }
    return hay->len;
}

static bool fn_charindex(struct ms_eval *ev, const struct ms_operation *op, const struct ms_value *a,
                         struct ms_value *ret)
{
    (void)ev;
    bool unicode = wide(op, 1);
    int64_t start = op->n_args > 2 && a[2].i > 1 ? a[2].i - 1 : 0;
    size_t from = ms_text_prefix(a[1].bytes, a[1].len, (size_t)start, unicode);
    if (a[0].len == 0 || a[1].len == 0) {
        ret->i = 0;
        return true;
    }
    size_t at = find(&a[1], &a[0], from);
    ret->i = at == a[1].len ? 0 : (int64_t)ms_text_units(a[1].bytes, at, unicode) + 1;
    return true;
}

static bool fn_replace(struct ms_eval *ev, const struct ms_operation *op, const struct ms_value *a,
                       struct ms_value *ret)
{
    (void)op;
    struct ms_buffer out = {0};
    size_t at = 0;
    if (a[1].len == 0)
        return give(ret, a[0].bytes, a[0].len);
    while (at < a[0].len) {
        size_t hit = find(&a[0], &a[1], at);
        ms_buffer_add(&out, a[0].bytes + at, hit - at);
        if (hit == a[0].len)
            break;
        ms_buffer_add(&out, a[2].bytes, a[2].len);
        at = hit + a[1].len;
    }
    give(ret, ms_arena_dup(ev->arena, out.data, out.len), out.len);
    ms_buffer_free(&out);
    return true;
}

static bool repeat(struct ms_eval *ev, const struct ms_value *text, int64_t times, struct ms_value *ret)
{
    if (times < 0)
        return give_null(ret);
    if (text->len && times > (int64_t)(64 << 20) / text->len)
        return ms_error_set(ev->err, 8623, 16, 1,
                            "The result of REPLICATE is larger than this server's 64 MB limit.");
    size_t len = text->len * (size_t)times;
    uint8_t *out = ms_arena_alloc(ev->arena, len + 1);
    for (size_t at = 0; at < len; at += text->len)
        memcpy(out + at, text->bytes, text->len);
    return give(ret, out, len);
}

static bool fn_replicate(struct ms_eval *ev, const struct ms_operation *op, const struct ms_value *a,
                         struct ms_value *ret)
{
    int64_t times = a[1].i;
    if (op->result.length != MS_MAX && a[0].len && times > 8000 / a[0].len)
        times = 8000 / a[0].len;
    return repeat(ev, &a[0], times, ret);
}

static bool fn_space(struct ms_eval *ev, const struct ms_operation *op, const struct ms_value *a,
                     struct ms_value *ret)
{
    (void)op;
    struct ms_value blank = {.len = 1, .bytes = (const uint8_t *)" "};
    return repeat(ev, &blank, a[0].i > 8000 ? 8000 : a[0].i, ret);
}

static bool fn_stuff(struct ms_eval *ev, const struct ms_operation *op, const struct ms_value *a,
                     struct ms_value *ret)
{
    bool unicode = wide(op, 0);
    int64_t units = a[0].is_null ? 0 : (int64_t)ms_text_units(a[0].bytes, a[0].len, unicode);
    if (a[0].is_null || a[1].is_null || a[2].is_null || a[1].i < 1 || a[1].i > units || a[2].i < 0)
        return give_null(ret);
    size_t head = ms_text_prefix(a[0].bytes, a[0].len, (size_t)a[1].i - 1, unicode);
    size_t gone = ms_text_prefix(a[0].bytes + head, a[0].len - head, (size_t)a[2].i, unicode);
    size_t middle = a[3].is_null ? 0 : a[3].len, tail = a[0].len - head - gone;
    uint8_t *out = ms_arena_alloc(ev->arena, head + middle + tail + 1);
    memcpy(out, a[0].bytes, head);
    if (middle)
        memcpy(out + head, a[3].bytes, middle);
    memcpy(out + head + middle, a[0].bytes + head + gone, tail);
    return give(ret, out, head + middle + tail);
}

/* CONCAT and CONCAT_WS: NULL counts as nothing. */
static bool join(struct ms_eval *ev, const struct ms_operation *op, const struct ms_value *a, bool separator,
                 struct ms_value *ret)
{
    struct ms_buffer out = {0};
    bool any = false;
    for (size_t i = separator; i < op->n_args; i++) {
        if (a[i].is_null)
            continue;
        if (separator && any && !a[0].is_null)
            ms_buffer_add(&out, a[0].bytes, a[0].len);
        ms_buffer_add(&out, a[i].bytes, a[i].len);
        any = true;
    }
    give(ret, ms_arena_dup(ev->arena, out.data, out.len), out.len);
    ms_buffer_free(&out);
    return true;
}

static bool fn_concat(struct ms_eval *ev, const struct ms_operation *op, const struct ms_value *a,
                      struct ms_value *ret)
{
    return join(ev, op, a, false, ret);
}

static bool fn_concat_ws(struct ms_eval *ev, const struct ms_operation *op, const struct ms_value *a,
                         struct ms_value *ret)
{
    return join(ev, op, a, true, ret);
}

static bool fn_char(struct ms_eval *ev, const struct ms_operation *op, const struct ms_value *a,
                    struct ms_value *ret)
{
    uint8_t *out = ms_arena_alloc(ev->arena, 4);
    bool unicode = ms_type_is_unicode(op->result.id);
    if (a[0].i < 0 || a[0].i > (unicode ? 0xFFFF : 255))
        return give_null(ret);
    return give(ret, out, ms_text_put(out, unicode ? (uint32_t)a[0].i : ms_text_from_1252((uint8_t)a[0].i)));
}

static bool fn_ascii(struct ms_eval *ev, const struct ms_operation *op, const struct ms_value *a,
                     struct ms_value *ret)
{
    (void)ev;
    const uint8_t *at = a[0].bytes;
    if (a[0].len == 0)
        return give_null(ret);
    uint32_t code = (uint32_t)ms_text_next(&at, at + a[0].len);
    int byte = ms_text_to_1252(code);
    if (op->args[0].id == MS_NVARCHAR || op->args[0].id == MS_NCHAR)
        ret->i = code < 0x10000 ? code : 0xD800 + ((code - 0x10000) >> 10);
    else
        ret->i = byte < 0 ? '?' : byte;
    return true;
}

static bool fn_reverse(struct ms_eval *ev, const struct ms_operation *op, const struct ms_value *a,
                       struct ms_value *ret)
{
    (void)op;
    uint8_t *out = ms_arena_alloc(ev->arena, (size_t)a[0].len + 1);
    size_t at = a[0].len;
    for (const uint8_t *p = a[0].bytes, *end = p + a[0].len; p < end;) {
        const uint8_t *before = p;
        (void)ms_text_next(&p, end);
        at -= (size_t)(p - before);
        memcpy(out + at, before, (size_t)(p - before));
    }
    return give(ret, out, a[0].len);
}

static bool fn_quotename(struct ms_eval *ev, const struct ms_operation *op, const struct ms_value *a,
                         struct ms_value *ret)
{
    char open = op->n_args > 1 && a[1].len ? (char)a[1].bytes[0] : '[';
    char close = open == '[' || open == ']'   ? ']'
                 : open == '(' || open == ')' ? ')'
                 : open == '<' || open == '>' ? '>'
                 : open == '{' || open == '}' ? '}'
                                              : open;
    if (a[0].len > 256 || !strchr("[]()<>{}'\"`", open))
        return give_null(ret);
    char *out = ms_arena_alloc(ev->arena, (size_t)a[0].len * 2 + 3);
    size_t n = 0;
    out[n++] = close == ']' ? '[' : close == ')' ? '(' : close == '>' ? '<' : close == '}' ? '{' : open;
    for (uint32_t i = 0; i < a[0].len; i++) {
        out[n++] = (char)a[0].bytes[i];
        if ((char)a[0].bytes[i] == close)
            out[n++] = close;
    }
    out[n++] = close;
    return give(ret, out, n);
}

static bool fn_patindex(struct ms_eval *ev, const struct ms_operation *op, const struct ms_value *a,
                        struct ms_value *ret)
{
    struct ms_value pattern = a[0], hit;
    struct ms_operation like = {.n_args = 2, .args = {op->args[1], op->args[0]}};
    bool floating = pattern.len && pattern.bytes[0] == '%';
    pattern.bytes += floating;
    pattern.len -= floating;
    size_t at = 0;
    for (;;) {
        struct ms_value pair[2] = {{.len = (uint32_t)(a[1].len - at), .bytes = a[1].bytes + at}, pattern};
        if (!ms_op_like(ev, &like, pair, &hit))
            return false;
        if (hit.i || !floating || at >= a[1].len)
            break;
        const uint8_t *p = a[1].bytes + at;
        (void)ms_text_next(&p, a[1].bytes + a[1].len);
        at = (size_t)(p - a[1].bytes);
    }
    ret->i = hit.i ? (int64_t)ms_text_units(a[1].bytes, at, wide(op, 1)) + 1 : 0;
    return true;
}

static bool fn_str(struct ms_eval *ev, const struct ms_operation *op, const struct ms_value *a,
                   struct ms_value *ret)
{
    int width = op->n_args > 1 ? (int)a[1].i : 10, digits = op->n_args > 2 ? (int)a[2].i : 0;
    if (width < 0 || width > 8000 || digits < 0)
        return give_null(ret);
    digits = digits > 16 ? 16 : digits;
    char *out = ms_arena_alloc(ev->arena, (size_t)width + 400);
    int len = snprintf(out, (size_t)width + 400, "%*.*f", width, digits, a[0].d);
    if (len > width) {
        memset(out, '*', (size_t)width);
        len = width;
    }
    return give(ret, out, (size_t)len);
}

/* HASHBYTES: NULL for an algorithm that is not there. MD2 and MD4 are not. */
static bool fn_hashbytes(struct ms_eval *ev, const struct ms_operation *op, const struct ms_value *a,
                         struct ms_value *ret)
{
    static const struct {
        const char *name;
        const char *openssl;
    } algorithms[] = {
        {"md5", "MD5"}, {"sha", "SHA1"}, {"sha1", "SHA1"}, {"sha2_256", "SHA256"}, {"sha2_512", "SHA512"}};
    (void)op;
    for (size_t i = 0; i < sizeof algorithms / sizeof algorithms[0]; i++) {
        size_t size = 0;
        uint8_t *out = ms_arena_alloc(ev->arena, EVP_MAX_MD_SIZE);
        if (strlen(algorithms[i].name) != a[0].len ||
            strncasecmp(algorithms[i].name, (const char *)a[0].bytes, a[0].len) != 0)
            continue;
        if (EVP_Q_digest(NULL, algorithms[i].openssl, NULL, a[1].bytes, a[1].len, out, &size) != 1)
            break;
        *ret = (struct ms_value){.len = (uint32_t)size, .bytes = out};
        return true;
    }
    *ret = (struct ms_value){.is_null = true};
    return true;
}

const struct ms_function ms_functions_text[] = {
    {"len", 1, 1, "s", "int", fn_len, false, false},
    {"datalength", 1, 1, "v", "int", fn_datalength, false, false},
    {"substring", 3, 3, "xbb", "s0", fn_substring, false, false},
    {"left", 2, 2, "sb", "s0", fn_left, false, false},
    {"right", 2, 2, "sb", "s0", fn_right, false, false},
    {"upper", 1, 1, "s", "s0", fn_upper, false, false},
    {"lower", 1, 1, "s", "s0", fn_lower, false, false},
    {"ltrim", 1, 1, "s", "s0", fn_ltrim, false, false},
    {"rtrim", 1, 1, "s", "s0", fn_rtrim, false, false},
    {"trim", 1, 2, "s", "s0", fn_trim, false, false},
    {"charindex", 2, 3, "ssb", "int", fn_charindex, false, false},
    {"patindex", 2, 2, "s", "int", fn_patindex, false, false},
    {"replace", 3, 3, "s", "S0", fn_replace, false, false},
    {"replicate", 2, 2, "sb", "S0", fn_replicate, false, false},
    {"space", 1, 1, "i", "varchar:8000", fn_space, false, false},
    {"stuff", 4, 4, "sbbs", "S0", fn_stuff, false, true},
    {"concat", 2, 15, "s", "sum", fn_concat, false, true},
    {"concat_ws", 3, 15, "s", "S0", fn_concat_ws, false, true},
    {"char", 1, 1, "i", "char:1", fn_char, false, false},
    {"nchar", 1, 1, "i", "nchar:1", fn_char, false, false},
    {"ascii", 1, 1, "c", "int", fn_ascii, false, false},
    {"unicode", 1, 1, "u", "int", fn_ascii, false, false},
    {"reverse", 1, 1, "s", "s0", fn_reverse, false, false},
    {"quotename", 1, 2, "u", "nvarchar:258", fn_quotename, false, false},
    {"str", 1, 3, "fi", "varchar:8000", fn_str, false, false},
    {"hashbytes", 2, 2, "cy", "varbinary:8000", fn_hashbytes, false, false},
    {NULL, 0, 0, NULL, NULL, NULL, false, false},
};
