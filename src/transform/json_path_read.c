/* SPDX-License-Identifier: Apache-2.0 */
/* The reader: recursive descent over the text, || before && before comparisons. */
#include "transform/json_path.h"

#include "base/alloc.h"

#include <errno.h>
#include <stdlib.h>

enum { MAX_DEPTH = 32 };

struct reader {
    const char *text, *at;
    unsigned depth;
    struct sl_error *err;
};

static bool refuse(struct reader *reader, const char *what)
{
    (void)sl_error_set(reader->err, SL_E_CONFIG,
                       "'%.120s': character %td: %s. HINT: docs/transforms.md says which JsonPath is "
                       "understood",
                       reader->text, reader->at - reader->text + 1, what);
    return false;
}

static void skip_blanks(struct reader *reader)
{
    while (*reader->at == ' ' || *reader->at == '\t')
        reader->at++;
}

static bool take(struct reader *reader, const char *word)
{
    size_t len = strlen(word);

    skip_blanks(reader);
    if (strncmp(reader->at, word, len) != 0)
        return false;
    reader->at += len;
    return true;
}

/* Text between quotes; a backslash makes the next character plain. */
static bool read_quoted(struct reader *reader, char **ret)
{
    struct sl_buf text = {0};
    char quote = *reader->at;
    const char *at = reader->at + 1;

    for (; *at && *at != quote; at++) {
        if (*at == '\\' && at[1])
            at++;
        sl_buf_u8(&text, (uint8_t)*at);
    }
    if (!*at) {
        sl_buf_done(&text);
        return refuse(reader, "this text does not end");
    }
    reader->at = at + 1;
    *ret = sl_strndup(sl_buf_cstr(&text), text.len);
    sl_buf_done(&text);
    return true;
}

static bool is_name(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || (unsigned char)c >= 0x80;
}

static void add_name(struct sl_json_steps *steps, char *name)
{
    SL_GROW(steps->names.items, steps->names.n, steps->names.capacity);
    steps->names.items[steps->names.n++] = name;
}

static bool read_bracket(struct reader *reader, struct sl_json_steps *steps)
{
    char *name = NULL;

    reader->at++;
    skip_blanks(reader);
    if (*reader->at != '\'' && *reader->at != '"')
        return refuse(reader, "only a name in quotes is understood here, no index and no wildcard");
    if (!read_quoted(reader, &name))
        return false;
    add_name(steps, name);
    return take(reader, "]") || refuse(reader, "a ] is missing");
}

/* .a and ['a'] as long as they come; a [? is not of them. */
static bool read_steps(struct reader *reader, struct sl_json_steps *steps)
{
    while (*reader->at == '.' || (*reader->at == '[' && reader->at[1] != '?')) {
        const char *from = reader->at + 1;

        if (*reader->at == '[') {
            if (!read_bracket(reader, steps))
                return false;
            continue;
        }
        reader->at++;
        while (is_name(*reader->at))
            reader->at++;
        if (reader->at == from)
            return refuse(reader, "a name is missing; .. and .* are not understood");
        if (*reader->at == '(')
            return refuse(reader, "functions are not understood");
        add_name(steps, sl_strndup(from, (size_t)(reader->at - from)));
    }
    return true;
}

static bool read_number(struct reader *reader, struct sl_json_operand *operand)
{
    char *end = NULL;
    char *real_end = NULL;
    long long whole;
    double real;

    errno = 0;
    whole = strtoll(reader->at, &end, 10);
    if (end == reader->at)
        return refuse(reader, "a field (@.name), a text, a number, true or false is missing");
    if (errno)
        return refuse(reader, "this number is too large");
    real = strtod(reader->at, &real_end);
    operand->constant =
        sl_script_of(NULL, real_end == end ? sl_int(SL_INT64, whole) : sl_float(SL_FLOAT64, real));
    reader->at = real_end;
    return !is_name(*reader->at) || refuse(reader, "this is no number");
}

static bool read_operand(struct reader *reader, struct sl_json_operand *operand)
{
    skip_blanks(reader);
    if (take(reader, "@")) {
        operand->is_path = true;
        return read_steps(reader, &operand->steps) &&
               (*reader->at != '[' || refuse(reader, "a filter within a filter is not understood"));
    }
    if (*reader->at == '\'' || *reader->at == '"') {
        if (!read_quoted(reader, &operand->text))
            return false;
        operand->constant = sl_script_of(NULL, sl_text(operand->text));
        return true;
    }
    if (strncmp(reader->at, "null", 4) == 0)
        return refuse(reader, "null is never met: write @.name alone for a field that is there");
    if (take(reader, "true"))
        operand->constant = sl_script_bool(true);
    else if (take(reader, "false"))
        operand->constant = sl_script_bool(false);
    else
        return read_number(reader, operand);
    return !is_name(*reader->at) || refuse(reader, "this word is not understood");
}

static bool read_pattern(struct reader *reader, struct sl_json_node *node)
{
    struct sl_buf pattern = {0};
    struct sl_error why = {0};
    const char *at;
    enum sl_rc rc;

    skip_blanks(reader);
    if (*reader->at != '/')
        return refuse(reader, "=~ wants a /pattern/");
    for (at = reader->at + 1; *at && *at != '/'; at++) {
        if (*at == '\\' && at[1] == '/')
            at++;
        else if (*at == '\\' && at[1])
            sl_buf_u8(&pattern, (uint8_t)*at++);
        sl_buf_u8(&pattern, (uint8_t)*at);
    }
    if (!*at) {
        sl_buf_done(&pattern);
        return refuse(reader, "this pattern does not end");
    }
    rc = sl_regex_compile(sl_buf_cstr(&pattern), at[1] == 'i' ? SL_REGEX_IGNORE_CASE : 0, &node->pattern,
                          &why);
    sl_buf_done(&pattern);
    if (rc)
        return refuse(reader, why.text);
    reader->at = at[1] == 'i' ? at + 2 : at + 1;
    return !is_name(*reader->at) || refuse(reader, "of the flags of a pattern only i is understood");
}

static bool read_comparison(struct reader *reader, struct sl_json_node *node)
{
    /* Longer ones first. */
    static const struct {
        const char *text;
        enum sl_json_op op;
    } operators[] = {
        {"==", SL_JSON_SAME},         {"!=", SL_JSON_NOT_SAME}, {"<=", SL_JSON_LESS_OR_SAME},
        {">=", SL_JSON_MORE_OR_SAME}, {"=~", SL_JSON_PATTERN},  {"<", SL_JSON_LESS},
        {">", SL_JSON_MORE},
    };

    if (!read_operand(reader, &node->left))
        return false;
    for (size_t i = 0; i < sizeof(operators) / sizeof(*operators); i++) {
        if (!take(reader, operators[i].text))
            continue;
        node->op = operators[i].op;
        return node->op == SL_JSON_PATTERN ? read_pattern(reader, node) : read_operand(reader, &node->right);
    }
    node->op = SL_JSON_HAS;
    return node->left.is_path || refuse(reader, "a comparison is missing");
}

static struct sl_json_node *read_either(struct reader *reader);

/* NULL: refused, as of the next two. */
static struct sl_json_node *read_single(struct reader *reader)
{
    struct sl_json_node *node;

    if (take(reader, "(")) {
        if (++reader->depth > MAX_DEPTH) {
            (void)refuse(reader, "there are too many brackets within brackets");
            return NULL;
        }
        node = read_either(reader);
        reader->depth--;
        if (node && !take(reader, ")")) {
            (void)refuse(reader, "a ) is missing");
            sl_json_node_free(node);
            node = NULL;
        }
        return node;
    }
    node = sl_zalloc(1, sizeof(*node));
    if (read_comparison(reader, node))
        return node;
    sl_json_node_free(node);
    return NULL;
}

static struct sl_json_node *join(enum sl_json_op op, struct sl_json_node *a, struct sl_json_node *b)
{
    struct sl_json_node *node;

    if (!b) {
        sl_json_node_free(a);
        return NULL;
    }
    node = sl_zalloc(1, sizeof(*node));
    node->op = op;
    node->a = a;
    node->b = b;
    return node;
}

static struct sl_json_node *read_both(struct reader *reader)
{
    struct sl_json_node *node = read_single(reader);

    while (node && take(reader, "&&"))
        node = join(SL_JSON_AND, node, read_single(reader));
    return node;
}

static struct sl_json_node *read_either(struct reader *reader)
{
    struct sl_json_node *node = read_both(reader);

    while (node && take(reader, "||"))
        node = join(SL_JSON_OR, node, read_both(reader));
    return node;
}

static bool read_all(struct reader *reader, struct sl_json_path *path)
{
    if (!take(reader, "$"))
        return refuse(reader, "a path begins with $");
    if (!read_steps(reader, &path->steps))
        return false;
    if (take(reader, "[?(")) {
        path->filter = read_either(reader);
        if (!path->filter)
            return false;
        if (!take(reader, ")") || !take(reader, "]"))
            return refuse(reader, "&&, || or )] is missing");
    }
    skip_blanks(reader);
    return !*reader->at || refuse(reader, "this is not understood");
}

enum sl_rc sl_json_path_read(const char *text, struct sl_json_path **ret, struct sl_error *err)
{
    struct reader reader = {.text = text, .at = text, .err = err};
    struct sl_json_path *path = sl_zalloc(1, sizeof(*path));

    if (!read_all(&reader, path)) {
        sl_json_path_free(path);
        return SL_E_CONFIG;
    }
    *ret = path;
    return SL_OK;
}
