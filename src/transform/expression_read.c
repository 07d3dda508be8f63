/* SPDX-License-Identifier: Apache-2.0 */
#include "base/arena.h"
#include "base/number.h"
#include "codec/decimal_text.h"
#include "transform/expression_node.h"

#include <errno.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    NODES_MAX = 500, /* the runner's stack is bounded by it */
    DEPTH_MAX = 100,
    WORDS_MAX = 1000,
};

struct reader {
    const char *text;
    const char *at;
    struct sl_expression *expression;
    struct sl_error *err;
    int depth;
    bool failed;
};

static struct sl_script_node *read_choice(struct reader *reader);

/* ---- text ---- */

static struct sl_script_node *refuse(struct reader *reader, const char *at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static struct sl_script_node *refuse(struct reader *reader, const char *at, const char *format, ...)
{
    char what[300];
    va_list args;

    if (reader->failed)
        return NULL;
    reader->failed = true;
    va_start(args, format);
    (void)vsnprintf(what, sizeof(what), format, args);
    va_end(args);
    (void)sl_error_set(reader->err, SL_E_CONFIG,
                       "at character %td: %s. HINT: docs/transforms.md lists what expressions may hold",
                       at - reader->text + 1, what);
    return NULL;
}

static void skip_blanks(struct reader *reader)
{
    reader->at += strspn(reader->at, " \t\r\n");
}

static bool is_word_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '$';
}

static size_t word_len(const char *at)
{
    size_t n = 0;

    if (*at >= '0' && *at <= '9')
        return 0;
    while (is_word_char(at[n]))
        n++;
    return n;
}

/* Takes an operator. Of two that begin alike the longer one is asked for first. */
static bool take(struct reader *reader, const char *token)
{
    size_t len = strlen(token);

    skip_blanks(reader);
    if (strncmp(reader->at, token, len) != 0 ||
        (is_word_char(token[len - 1]) && is_word_char(reader->at[len])))
        return false;
    reader->at += len;
    return true;
}

static bool expect(struct reader *reader, const char *token)
{
    if (take(reader, token))
        return true;
    if (*reader->at)
        (void)refuse(reader, reader->at, "'%.12s' where '%s' is expected", reader->at, token);
    else
        (void)refuse(reader, reader->at, "it ends where '%s' is expected", token);
    return false;
}

/* ---- nodes ---- */

static struct sl_script_node *add_node(struct reader *reader, enum sl_script_op op, struct sl_script_node *a,
                                       struct sl_script_node *b)
{
    struct sl_expression *expression = reader->expression;
    struct sl_script_node *node;

    if (reader->failed)
        return NULL;
    if (expression->n == NODES_MAX)
        return refuse(reader, reader->at, "it is too long (more than %d parts)", NODES_MAX);
    node = sl_zalloc(1, sizeof(*node));
    node->op = op;
    node->a = a;
    node->b = b;
    SL_GROW(expression->nodes, expression->n, expression->capacity);
    expression->nodes[expression->n++] = node;
    return node;
}

static struct sl_script_node *constant(struct reader *reader, struct sl_script_value value)
{
    struct sl_script_node *node = add_node(reader, SL_OP_CONSTANT, NULL, NULL);

    if (node)
        node->constant = value;
    return node;
}

/* ---- literals ---- */

/* The character that a backslash and this one stand for; NUL: none. */
static char unescape(char c)
{
    static const char written[] = "ntrbf\\'\"$";
    static const char meant[] = "\n\t\r\b\f\\'\"$";
    const char *found = c ? strchr(written, c) : NULL;

    return found ? meant[found - written] : '\0';
}

static struct sl_script_node *read_quoted(struct reader *reader)
{
    const char *begin = reader->at;
    char quote = *reader->at++;
    size_t n = 0;
    char *text = sl_arena_alloc(reader->expression->arena, strlen(reader->at) + 1);

    for (; *reader->at != quote; reader->at++) {
        char c = *reader->at;

        if (c == '\0')
            return refuse(reader, begin, "a text that does not end");
        if (c == '$' && quote == '"')
            return refuse(reader, reader->at, "'$' in a text of double quotes; join texts with +");
        if (c == '\\' && quote != '/') {
            c = unescape(reader->at[1]);
            if (!c)
                return refuse(reader, reader->at, "'%.2s' in a text; a pattern reads best as /pattern/",
                              reader->at);
            reader->at++;
        } else if (c == '\\' && reader->at[1] == '/') {
            c = *++reader->at;
        }
        text[n++] = c;
    }
    reader->at++;
    text[n] = '\0';
    return constant(reader, sl_script_of(NULL, sl_bytes(SL_STRING, text, n)));
}

static struct sl_script_node *decimal(struct reader *reader, const char *begin, const char *end)
{
    const char *point = memchr(begin, '.', (size_t)(end - begin));
    int32_t scale = point ? (int32_t)(end - point - 1) : 0;
    struct sl_value value;

    if (!sl_decimal_read(begin, (size_t)(end - begin), scale, reader->expression->arena, &value))
        return refuse(reader, begin, "'%.*s' is no number", (int)(end - begin), begin);
    return constant(reader, sl_script_of(sl_schema_decimal(scale, 0, false), value));
}

/* Groovy's: an integer, with L a long; with a point a decimal, with d or f a real one. */
static struct sl_script_node *read_number(struct reader *reader)
{
    const char *begin = reader->at;
    const char *end;
    bool whole;
    long long integer;
    char suffix;

    reader->at += *reader->at == '-';
    reader->at += strspn(reader->at, "0123456789");
    whole = *reader->at != '.';
    if (!whole)
        reader->at += 1 + strspn(reader->at + 1, "0123456789");
    end = reader->at;
    suffix = *end && strchr("LldDfF", *end) ? (char)(*reader->at++ | 0x20) : '\0';
    if (is_word_char(*reader->at) || (suffix == 'l' && !whole))
        return refuse(reader, begin, "'%.*s' is no number that is understood", (int)(end - begin + 1), begin);
    if (suffix == 'd' || suffix == 'f')
        return constant(reader,
                        sl_script_of(NULL, suffix == 'd' ? sl_float(SL_FLOAT64, strtod(begin, NULL))
                                                         : sl_float(SL_FLOAT32, strtof(begin, NULL))));
    if (!whole)
        return decimal(reader, begin, end);
    errno = 0;
    integer = strtoll(begin, NULL, 10);
    if (errno)
        return refuse(reader, begin, "'%.*s' is too large a number", (int)(end - begin), begin);
    return constant(
        reader, sl_script_of(NULL, sl_int(suffix == 'l' || integer != (int32_t)integer ? SL_INT64 : SL_INT32,
                                          integer)));
}

static struct sl_script_node *read_list(struct reader *reader)
{
    struct sl_script_value *words = sl_arena_alloc(reader->expression->arena, WORDS_MAX * sizeof(*words));
    size_t n = 0;

    reader->at++;
    while (!reader->failed && !take(reader, "]")) {
        const char *begin = reader->at;
        struct sl_script_node *word;

        if (n && !expect(reader, ","))
            return NULL;
        word = read_choice(reader);
        if (word && word->op != SL_OP_CONSTANT)
            return refuse(reader, begin, "a list of other things than literals");
        if (n == WORDS_MAX)
            return refuse(reader, begin, "a list of more than %d", WORDS_MAX);
        if (word)
            words[n++] = word->constant;
    }
    return constant(reader, (struct sl_script_value){.kind = SL_SCRIPT_WORDS, .words = words, .n_words = n});
}

/* ---- what binds tightest ---- */

static struct sl_script_node *read_word(struct reader *reader)
{
    static const struct {
        const char *name;
        enum sl_script_op op;
    } variables[] = {
        {"key", SL_OP_KEY},        {"value", SL_OP_VALUE},          {"topic", SL_OP_TOPIC},
        {"header", SL_OP_HEADERS}, {"keySchema", SL_OP_KEY_SCHEMA}, {"valueSchema", SL_OP_VALUE_SCHEMA},
    };
    size_t len = word_len(reader->at);

    if (take(reader, "null"))
        return constant(reader, sl_script_of(NULL, sl_null()));
    if (take(reader, "true"))
        return constant(reader, sl_script_bool(true));
    if (take(reader, "false"))
        return constant(reader, sl_script_bool(false));
    for (size_t i = 0; i < sizeof(variables) / sizeof(*variables); i++) {
        if (take(reader, variables[i].name))
            return add_node(reader, variables[i].op, NULL, NULL);
    }
    return refuse(reader, reader->at,
                  "'%.*s' is not known: the variables are key, value, topic, header, keySchema and "
                  "valueSchema, and there are no statements",
                  (int)(len < 60 ? len : 60), reader->at);
}

static struct sl_script_node *read_primary(struct reader *reader)
{
    skip_blanks(reader);
    if (take(reader, "(")) {
        struct sl_script_node *inner = read_choice(reader);

        return inner && expect(reader, ")") ? inner : NULL;
    }
    if (*reader->at == '\'' || *reader->at == '"' || *reader->at == '/')
        return read_quoted(reader);
    if (*reader->at == '[')
        return read_list(reader);
    if (*reader->at >= '0' && *reader->at <= '9')
        return read_number(reader);
    if (*reader->at == '-' && reader->at[1] >= '0' && reader->at[1] <= '9')
        return read_number(reader);
    if (word_len(reader->at))
        return read_word(reader);
    return *reader->at ? refuse(reader, reader->at, "'%.1s' is not understood here", reader->at)
                       : refuse(reader, reader->at, "it ends where a value is expected");
}

static bool is_text(struct sl_script_node *node)
{
    return node->op == SL_OP_CONSTANT && node->constant.kind == SL_SCRIPT_STRING;
}

static const char *text_of(struct sl_script_node *node)
{
    return (const char *)node->constant.value.bytes;
}

static struct sl_script_node *pattern(struct reader *reader, enum sl_script_op op, const char *at,
                                      struct sl_script_node *a, struct sl_script_node *b)
{
    struct sl_script_node *node = b ? add_node(reader, op, a, NULL) : NULL;
    struct sl_error why = {0};

    if (!node)
        return NULL;
    if (!is_text(b))
        return refuse(reader, at, "a pattern that is no literal");
    if (sl_regex_compile(text_of(b), 0, &node->pattern, &why))
        return refuse(reader, at, "%.200s", why.text);
    return node;
}

static struct sl_script_node *field(struct reader *reader, struct sl_script_node *of, const char *name,
                                    size_t len)
{
    struct sl_script_node *node = add_node(reader, SL_OP_FIELD, of, NULL);

    if (node)
        node->name = sl_strndup(name, len);
    return node;
}

/* a.get('b') and a['b'] are a.b. */
static struct sl_script_node *field_of_text(struct reader *reader, struct sl_script_node *of, const char *end)
{
    const char *at = reader->at;
    struct sl_script_node *name = read_choice(reader);

    if (!name || !expect(reader, end))
        return NULL;
    return is_text(name) ? field(reader, of, text_of(name), strlen(text_of(name)))
                         : refuse(reader, at, "a field that is not named by a text");
}

static struct sl_script_node *read_method(struct reader *reader, struct sl_script_node *of, const char *name,
                                          size_t len)
{
    static const struct {
        const char *name;
        enum sl_script_op op;
        bool argument;
    } methods[] = {
        {"equals", SL_OP_EQUALS, true},      {"startsWith", SL_OP_STARTS_WITH, true},
        {"endsWith", SL_OP_ENDS_WITH, true}, {"contains", SL_OP_CONTAINS, true},
        {"matches", SL_OP_MATCHES, true},    {"containsKey", SL_OP_CONTAINS_KEY, true},
        {"isEmpty", SL_OP_IS_EMPTY, false},  {"toString", SL_OP_TO_STRING, false},
    };
    struct sl_script_node *argument = NULL;
    struct sl_script_node *node;
    const char *at = reader->at;

    if (len == 3 && memcmp(name, "get", 3) == 0)
        return field_of_text(reader, of, ")");
    for (size_t i = 0; i < sizeof(methods) / sizeof(*methods); i++) {
        if (strlen(methods[i].name) != len || memcmp(methods[i].name, name, len) != 0)
            continue;
        argument = methods[i].argument ? read_choice(reader) : NULL;
        if (reader->failed || !expect(reader, ")"))
            return NULL;
        if (methods[i].op == SL_OP_MATCHES)
            node = pattern(reader, SL_OP_MATCHES, at, of, argument);
        else
            node = add_node(reader, methods[i].op, of, argument);
        if (node)
            node->name = sl_strndup(name, len);
        return node;
    }
    return refuse(
        reader, name,
        "the method '%.*s' is not known: there are equals, startsWith, endsWith, contains, matches, "
        "containsKey, isEmpty, toString and get",
        (int)(len < 60 ? len : 60), name);
}

static struct sl_script_node *read_name(struct reader *reader, struct sl_script_node *of)
{
    const char *name;
    size_t len;

    skip_blanks(reader);
    name = reader->at;
    if (*name == '\'' || *name == '"')
        return refuse(reader, name, "a name in quotes; write ['name']");
    len = word_len(name);
    if (!len)
        return refuse(reader, name, "no name behind a dot");
    reader->at += len;
    return take(reader, "(") ? read_method(reader, of, name, len) : field(reader, of, name, len);
}

static struct sl_script_node *read_postfix(struct reader *reader)
{
    struct sl_script_node *node = read_primary(reader);

    while (node && !reader->failed) {
        bool safe = take(reader, "?.");

        if (safe || take(reader, ".")) {
            node = read_name(reader, node);
            if (node)
                node->safe = safe;
        } else if (take(reader, "[")) {
            node = field_of_text(reader, node, "]");
        } else {
            return node;
        }
    }
    return NULL;
}

static struct sl_script_node *read_unary(struct reader *reader)
{
    struct sl_script_node *node = NULL;

    if (++reader->depth > DEPTH_MAX)
        return refuse(reader, reader->at, "more than %d brackets in one another", DEPTH_MAX / 2);
    skip_blanks(reader);
    if (strncmp(reader->at, "!in", 3) != 0 && take(reader, "!")) {
        struct sl_script_node *inner = read_unary(reader);

        node = inner ? add_node(reader, SL_OP_NOT, inner, NULL) : NULL;
    } else {
        node = read_postfix(reader);
    }
    reader->depth--;
    return node;
}

/* ---- operators, from tight to loose ---- */

static struct sl_script_node *read_sum(struct reader *reader)
{
    struct sl_script_node *a = read_unary(reader);

    while (a) {
        struct sl_script_node *b;

        skip_blanks(reader);
        if (*reader->at && strchr("-*/%", *reader->at))
            return refuse(reader, reader->at, "'%.1s': there is no arithmetic", reader->at);
        if (!take(reader, "+"))
            return a;
        b = read_unary(reader);
        a = b ? add_node(reader, SL_OP_JOIN, a, b) : NULL;
    }
    return NULL;
}

/* One operator of those that stand at one place; swapped: of b and a; negated: not that. */
struct operator
{
    const char *token;
    enum sl_script_op op;
    bool swapped, negated;
};

static const struct operator orders[] = {
    {"!in", SL_OP_IN, false, true},
    {"in", SL_OP_IN, false, false},
    {"<=>", SL_OP_CONSTANT, false, false},
    {"<<", SL_OP_CONSTANT, false, false},
    {">>", SL_OP_CONSTANT, false, false},
    {"<=", SL_OP_LESS_OR_SAME, false, false},
    {">=", SL_OP_LESS_OR_SAME, true, false},
    {"<", SL_OP_LESS, false, false},
    {">", SL_OP_LESS, true, false},
    {NULL, SL_OP_CONSTANT, false, false},
};
static const struct operator comparisons[] = {
    {"===", SL_OP_CONSTANT, false, false},
    {"!==", SL_OP_CONSTANT, false, false},
    {"==~", SL_OP_PATTERN, false, false},
    {"==", SL_OP_SAME, false, false},
    {"!=", SL_OP_SAME, false, true},
    {"=~", SL_OP_CONSTANT, false, false},
    {"=", SL_OP_CONSTANT, false, false},
    {NULL, SL_OP_CONSTANT, false, false},
};

/* Longer ones stand before those with which they begin; CONSTANT: known, so that it can be refused by name.
 */
static const struct operator* take_operator(struct reader *reader, const struct operator* operators)
{
    for (; operators->token; operators++) {
        const char *at = reader->at;

        if (!take(reader, operators->token))
            continue;
        if (operators->op != SL_OP_CONSTANT)
            return operators;
        (void)refuse(reader, at, "the operator '%s' is not known", operators->token);
        return NULL;
    }
    return NULL;
}

/* a and what stands behind it, as long as one of the operators follows. */
static struct sl_script_node *read_operands(struct reader *reader, struct sl_script_node *a,
                                            const struct operator* operators,
                                            struct sl_script_node *(*read)(struct reader *))
{
    const struct operator* operator;

    while (a && (operator= take_operator(reader, operators))) {
        const char *at = reader->at;
        struct sl_script_node *b = read(reader);

        if (!b)
            return NULL;
        if (operator->op == SL_OP_PATTERN)
            a = pattern(reader, operator->op, at, a, b);
        else
            a = operator->swapped ? add_node(reader, operator->op, b, a)
                                  : add_node(reader, operator->op, a, b);
        if (a && operator->negated)
            a = add_node(reader, SL_OP_NOT, a, NULL);
    }
    return reader->failed ? NULL : a;
}

static struct sl_script_node *read_order(struct reader *reader)
{
    return read_operands(reader, read_sum(reader), orders, read_sum);
}

static struct sl_script_node *read_same(struct reader *reader)
{
    return read_operands(reader, read_order(reader), comparisons, read_order);
}

static struct sl_script_node *read_and(struct reader *reader)
{
    struct sl_script_node *a = read_same(reader);

    while (a && take(reader, "&&")) {
        struct sl_script_node *b = read_same(reader);

        a = b ? add_node(reader, SL_OP_AND, a, b) : NULL;
    }
    return a;
}

static struct sl_script_node *read_or(struct reader *reader)
{
    struct sl_script_node *a = read_and(reader);

    while (a && take(reader, "||")) {
        struct sl_script_node *b = read_and(reader);

        a = b ? add_node(reader, SL_OP_OR, a, b) : NULL;
    }
    return a;
}

static struct sl_script_node *read_choice(struct reader *reader)
{
    struct sl_script_node *a = NULL;

    if (++reader->depth > DEPTH_MAX)
        return refuse(reader, reader->at, "more than %d brackets in one another", DEPTH_MAX / 2);
    a = read_or(reader);
    if (a && take(reader, "?:")) {
        struct sl_script_node *b = read_choice(reader);

        a = b ? add_node(reader, SL_OP_ELSE, a, b) : NULL;
    } else if (a && take(reader, "?")) {
        struct sl_script_node *b = read_choice(reader);
        struct sl_script_node *c = b && expect(reader, ":") ? read_choice(reader) : NULL;

        a = c ? add_node(reader, SL_OP_CHOOSE, a, b) : NULL;
        if (a)
            a->c = c;
    }
    reader->depth--;
    return a;
}

enum sl_rc sl_expression_read(const char *text, struct sl_expression **ret, struct sl_error *err)
{
    struct sl_expression *expression = sl_zalloc(1, sizeof(*expression));
    struct reader reader = {.text = text, .at = text, .expression = expression, .err = err};

    expression->arena = sl_arena_new(4096);
    expression->root = read_choice(&reader);
    if (!reader.failed) {
        skip_blanks(&reader);
        if (*reader.at)
            (void)refuse(&reader, reader.at, "'%.12s' is not understood here", reader.at);
    }
    if (reader.failed) {
        sl_expression_free(expression);
        return SL_E_CONFIG;
    }
    *ret = expression;
    return SL_OK;
}

void sl_expression_free(struct sl_expression *expression)
{
    for (size_t i = 0; i < expression->n; i++) {
        struct sl_script_node *node = expression->nodes[i];

        sl_free(node->name);
        if (node->pattern)
            sl_regex_free(node->pattern);
        sl_plan_cache_done(&node->places, NULL); /* they are numbers */
        sl_free(node);
    }
    sl_free(expression->nodes);
    sl_arena_free(expression->arena);
    sl_free(expression);
}
