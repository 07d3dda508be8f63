/* SPDX-License-Identifier: Apache-2.0 */
#include "base/arena.h"
#include "transform/expression_node.h"
#include "transform/map_value.h"
#include "transform/row_plan.h"

struct run {
    const struct sl_message *message;
    struct sl_arena *arena;
    struct sl_error *err;
};

static enum sl_rc evaluate(const struct run *run, struct sl_script_node *node, struct sl_script_value *ret);

static enum sl_rc truth_of(const struct run *run, struct sl_script_node *node, bool *ret)
{
    struct sl_script_value value;
    enum sl_rc rc = evaluate(run, node, &value);

    return rc ? rc : sl_script_truth(&value, ret, run->err);
}

/* ---- fields ---- */

static enum sl_rc field_of_struct(const struct run *run, struct sl_script_node *node,
                                  const struct sl_script_value *of, struct sl_script_value *ret)
{
    struct sl_plan_cache *places = &node->places;
    uintptr_t place = (uintptr_t)sl_plan_cache_get(places, of->schema);
    const struct sl_schema *schema;

    if (!place) {
        int index = sl_schema_field(of->schema, node->name);

        if (index < 0)
            return sl_error_set(
                run->err, SL_E_DATA,
                "a struct %s%.100s has no field '%.100s'. HINT: topic.regex says to which topics "
                "the expression is applied",
                of->schema->name ? "" : "without a name", of->schema->name ? of->schema->name : "",
                node->name);
        place = (uintptr_t)index + 1;
        (void)sl_plan_cache_put(places, of->schema, (void *)place);
    }
    schema = of->schema->fields[place - 1].schema;
    *ret = sl_script_of(schema, sl_field_get(of->schema, of->value, (uint32_t)place - 1, true));
    return SL_OK;
}

static const struct sl_header *header_named(const struct sl_record *record, const char *name)
{
    for (uint16_t i = record->n_headers; i > 0; i--) {
        if (strcmp(record->headers[i - 1].name, name) == 0)
            return &record->headers[i - 1];
    }
    return NULL;
}

static struct sl_script_value field_of_headers(const struct run *run, const char *name)
{
    const struct sl_header *header = header_named(&run->message->record, name);

    return (struct sl_script_value){
        .kind = header ? SL_SCRIPT_HEADER : SL_SCRIPT_NULL, .value = sl_null(), .header = header};
}

static struct sl_script_value field_of_map(const struct sl_script_value *map, const char *name)
{
    return sl_script_of(map->schema ? map->schema->element : NULL, sl_map_get(map->value, name));
}

static enum sl_rc field_of(const struct run *run, struct sl_script_node *node,
                           const struct sl_script_value *of, struct sl_script_value *ret)
{
    switch ((int)of->kind) {
    case SL_SCRIPT_STRUCT: return field_of_struct(run, node, of, ret);
    case SL_SCRIPT_MAP: *ret = field_of_map(of, node->name); return SL_OK;
    case SL_SCRIPT_HEADERS: *ret = field_of_headers(run, node->name); return SL_OK;
    case SL_SCRIPT_HEADER:
        if (strcmp(node->name, "value") != 0)
            break;
        *ret = sl_script_of(of->header->schema, of->header->value);
        return SL_OK;
    case SL_SCRIPT_SCHEMA:
        if (strcmp(node->name, "name") != 0)
            break;
        *ret = sl_script_of(NULL, of->schema->name ? sl_text(of->schema->name) : sl_null());
        return SL_OK;
    case SL_SCRIPT_NULL:
        return sl_error_set(run->err, SL_E_DATA,
                            "the field '%.100s' is asked of null. HINT: ?.%.100s gives null then", node->name,
                            node->name);
    default: break;
    }
    return sl_error_set(run->err, SL_E_DATA,
                        "%s has no '%.100s'. HINT: docs/transforms.md lists what expressions may hold",
                        sl_script_kind_name(of->kind), node->name);
}

/* ---- methods ---- */

static enum sl_rc no_method(const struct run *run, struct sl_script_node *node,
                            const struct sl_script_value *of)
{
    return sl_error_set(run->err, SL_E_DATA, "%s has no method %.20s for what is given to it. HINT: %s",
                        sl_script_kind_name(of->kind), node->name,
                        of->kind == SL_SCRIPT_NULL ? "?. before the method gives null then"
                                                   : "docs/transforms.md lists what expressions may hold");
}

static bool has_word(const struct sl_script_value *text, const struct sl_script_value *word,
                     enum sl_script_op op)
{
    const uint8_t *bytes = text->value.bytes;
    uint32_t len = text->value.len;
    uint32_t n = word->value.len;

    if (op == SL_OP_CONTAINS)
        return n == 0 || memmem(bytes, len, word->value.bytes, n);
    return n <= len && memcmp(op == SL_OP_ENDS_WITH ? bytes + len - n : bytes, word->value.bytes, n) == 0;
}

/* Whether something in a list equals the value. */
static enum sl_rc list_has(const struct run *run, const struct sl_script_value *list,
                           const struct sl_script_value *value, struct sl_script_value *ret)
{
    bool words = list->kind == SL_SCRIPT_WORDS;
    size_t n = words ? list->n_words : list->value.len;
    bool found = false;
    enum sl_rc rc = SL_OK;

    for (size_t i = 0; i < n && !found && rc == SL_OK; i++) {
        struct sl_script_value item =
            words ? list->words[i]
                  : sl_script_of(list->schema ? list->schema->element : NULL, list->value.items[i]);

        rc = sl_script_equals(&item, value, &found, run->err);
    }
    if (rc == SL_OK)
        *ret = sl_script_bool(found);
    return rc;
}

static enum sl_rc is_empty(const struct run *run, struct sl_script_node *node,
                           const struct sl_script_value *of, struct sl_script_value *ret)
{
    switch ((int)of->kind) {
    case SL_SCRIPT_STRING:
    case SL_SCRIPT_MAP:
    case SL_SCRIPT_HEADERS:
    case SL_SCRIPT_LIST: *ret = sl_script_bool(of->value.len == 0); return SL_OK;
    case SL_SCRIPT_WORDS: *ret = sl_script_bool(of->n_words == 0); return SL_OK;
    default: return no_method(run, node, of);
    }
}

static enum sl_rc text_of(const struct run *run, const struct sl_script_value *a,
                          const struct sl_script_value *b, struct sl_script_value *ret)
{
    struct sl_buf text = {0};
    enum sl_rc rc = sl_script_text(a, &text, run->err);

    if (rc == SL_OK && b)
        rc = sl_script_text(b, &text, run->err);
    if (rc == SL_OK)
        *ret =
            sl_script_of(NULL, sl_bytes(SL_STRING, sl_arena_copy(run->arena, text.data, text.len), text.len));
    sl_buf_done(&text);
    return rc;
}

static enum sl_rc matches(const struct run *run, struct sl_script_node *node,
                          const struct sl_script_value *of, struct sl_script_value *ret)
{
    struct sl_script_value text;
    enum sl_rc rc;

    if (node->op == SL_OP_MATCHES && of->kind != SL_SCRIPT_STRING)
        return no_method(run, node, of);
    if (of->kind == SL_SCRIPT_NULL) {
        *ret = sl_script_bool(false);
        return SL_OK;
    }
    rc = text_of(run, of, NULL, &text);
    if (rc == SL_OK)
        *ret =
            sl_script_bool(sl_regex_matches(node->pattern, (const char *)text.value.bytes, text.value.len));
    return rc;
}

static enum sl_rc contains_key(const struct run *run, struct sl_script_node *node,
                               const struct sl_script_value *of, const struct sl_script_value *name,
                               struct sl_script_value *ret)
{
    const char *text;

    if ((of->kind != SL_SCRIPT_MAP && of->kind != SL_SCRIPT_HEADERS) || name->kind != SL_SCRIPT_STRING)
        return no_method(run, node, of);
    text = sl_arena_format(run->arena, "%.*s", (int)name->value.len, (const char *)name->value.bytes);
    *ret = sl_script_bool(of->kind == SL_SCRIPT_MAP ? sl_map_find(of->value, text) >= 0
                                                    : header_named(&run->message->record, text) != NULL);
    return SL_OK;
}

static enum sl_rc call(const struct run *run, struct sl_script_node *node, const struct sl_script_value *of,
                       struct sl_script_value *ret)
{
    struct sl_script_value argument = sl_script_of(NULL, sl_null());
    enum sl_rc rc = node->b ? evaluate(run, node->b, &argument) : SL_OK;
    bool equal = false;

    if (rc)
        return rc;
    switch ((int)node->op) {
    case SL_OP_EQUALS:
        rc = sl_script_equals(of, &argument, &equal, run->err);
        if (rc == SL_OK)
            *ret = sl_script_bool(equal);
        return rc;
    case SL_OP_CONTAINS:
        if (of->kind == SL_SCRIPT_LIST || of->kind == SL_SCRIPT_WORDS)
            return list_has(run, of, &argument, ret);
        break;
    case SL_OP_CONTAINS_KEY: return contains_key(run, node, of, &argument, ret);
    case SL_OP_IS_EMPTY: return is_empty(run, node, of, ret);
    case SL_OP_MATCHES: return matches(run, node, of, ret);
    case SL_OP_TO_STRING: return text_of(run, of, NULL, ret);
    default: break;
    }
    if (of->kind != SL_SCRIPT_STRING || argument.kind != SL_SCRIPT_STRING)
        return no_method(run, node, of);
    *ret = sl_script_bool(has_word(of, &argument, node->op));
    return SL_OK;
}

/* A field or a method; behind ?. null gives null. */
static enum sl_rc access_part(const struct run *run, struct sl_script_node *node, struct sl_script_value *ret)
{
    struct sl_script_value of;
    enum sl_rc rc = evaluate(run, node->a, &of);

    if (rc)
        return rc;
    if (node->safe && of.kind == SL_SCRIPT_NULL) {
        *ret = of;
        return SL_OK;
    }
    return node->op == SL_OP_FIELD ? field_of(run, node, &of, ret) : call(run, node, &of, ret);
}

/* ---- operators ---- */

static enum sl_rc join(const struct run *run, const struct sl_script_value *a,
                       const struct sl_script_value *b, struct sl_script_value *ret)
{
    if (a->kind != SL_SCRIPT_STRING && (b->kind != SL_SCRIPT_STRING || a->kind == SL_SCRIPT_BOOLEAN))
        return sl_error_set(run->err, SL_E_DATA,
                            "+ joins texts, and here are %s and %s. HINT: there is no arithmetic",
                            sl_script_kind_name(a->kind), sl_script_kind_name(b->kind));
    return text_of(run, a, b, ret);
}

static enum sl_rc is_in(const struct run *run, const struct sl_script_value *value,
                        const struct sl_script_value *list, struct sl_script_value *ret)
{
    if (list->kind == SL_SCRIPT_LIST || list->kind == SL_SCRIPT_WORDS)
        return list_has(run, list, value, ret);
    return sl_error_set(run->err, SL_E_DATA, "'in' needs a list, and here is %s. HINT: write ['a', 'b']",
                        sl_script_kind_name(list->kind));
}

static enum sl_rc of_two(const struct run *run, struct sl_script_node *node, struct sl_script_value *ret)
{
    struct sl_script_value a;
    struct sl_script_value b;
    enum sl_rc rc = evaluate(run, node->a, &a);
    bool same = false;
    int order = 0;

    if (rc == SL_OK)
        rc = evaluate(run, node->b, &b);
    if (rc)
        return rc;
    if (node->op == SL_OP_JOIN)
        return join(run, &a, &b, ret);
    if (node->op == SL_OP_IN)
        return is_in(run, &a, &b, ret);
    if (node->op == SL_OP_SAME)
        rc = sl_script_same(&a, &b, &same, run->err);
    else
        rc = sl_script_order(&a, &b, &order, run->err);
    if (rc == SL_OK)
        *ret = sl_script_bool(node->op == SL_OP_SAME   ? same
                              : node->op == SL_OP_LESS ? order < 0
                                                       : order <= 0);
    return rc;
}

/* && and ||: the second is asked only when it matters. */
static enum sl_rc logic(const struct run *run, struct sl_script_node *node, struct sl_script_value *ret)
{
    bool truth = false;
    enum sl_rc rc = truth_of(run, node->a, &truth);

    if (rc == SL_OK && node->op != SL_OP_NOT && truth == (node->op == SL_OP_AND))
        rc = truth_of(run, node->b, &truth);
    if (rc == SL_OK)
        *ret = sl_script_bool(truth != (node->op == SL_OP_NOT));
    return rc;
}

static enum sl_rc choose(const struct run *run, struct sl_script_node *node, struct sl_script_value *ret)
{
    struct sl_script_value first;
    bool truth = false;
    enum sl_rc rc = evaluate(run, node->a, &first);

    if (rc == SL_OK)
        rc = sl_script_truth(&first, &truth, run->err);
    if (rc)
        return rc;
    if (node->op == SL_OP_CHOOSE)
        return evaluate(run, truth ? node->b : node->c, ret);
    if (!truth)
        return evaluate(run, node->b, ret);
    *ret = first;
    return SL_OK;
}

static struct sl_script_value schema_value(const struct sl_schema *schema)
{
    return (struct sl_script_value){
        .kind = schema ? SL_SCRIPT_SCHEMA : SL_SCRIPT_NULL, .schema = schema, .value = sl_null()};
}

static struct sl_script_value variable(const struct run *run, enum sl_script_op op)
{
    const struct sl_message *message = run->message;

    switch ((int)op) {
    case SL_OP_KEY: return sl_script_of(message->key_schema, message->record.key);
    case SL_OP_VALUE: return sl_script_of(message->value_schema, message->record.value);
    case SL_OP_TOPIC:
        return sl_script_of(NULL, sl_bytes(SL_STRING, message->topic->name, message->topic->len));
    case SL_OP_KEY_SCHEMA: return schema_value(message->key_schema);
    case SL_OP_VALUE_SCHEMA: return schema_value(message->value_schema);
    default:
        return (struct sl_script_value){.kind = SL_SCRIPT_HEADERS,
                                        .value = sl_items(SL_MAP, NULL, message->record.n_headers)};
    }
}

static enum sl_rc evaluate(const struct run *run, struct sl_script_node *node, struct sl_script_value *ret)
{
    switch ((int)node->op) {
    case SL_OP_CONSTANT: *ret = node->constant; return SL_OK;
    case SL_OP_NOT:
    case SL_OP_AND:
    case SL_OP_OR: return logic(run, node, ret);
    case SL_OP_CHOOSE:
    case SL_OP_ELSE: return choose(run, node, ret);
    case SL_OP_SAME:
    case SL_OP_LESS:
    case SL_OP_LESS_OR_SAME:
    case SL_OP_IN:
    case SL_OP_JOIN: return of_two(run, node, ret);
    case SL_OP_PATTERN: {
        struct sl_script_value text;
        enum sl_rc rc = evaluate(run, node->a, &text);

        return rc ? rc : matches(run, node, &text, ret);
    }
    case SL_OP_FIELD:
    case SL_OP_EQUALS:
    case SL_OP_STARTS_WITH:
    case SL_OP_ENDS_WITH:
    case SL_OP_CONTAINS:
    case SL_OP_MATCHES:
    case SL_OP_CONTAINS_KEY:
    case SL_OP_IS_EMPTY:
    case SL_OP_TO_STRING: return access_part(run, node, ret);
    default: *ret = variable(run, node->op); return SL_OK;
    }
}

enum sl_rc sl_expression_run(struct sl_expression *expression, const struct sl_message *message,
                             struct sl_arena *arena, struct sl_script_value *ret, struct sl_error *err)
{
    const struct run run = {.message = message, .arena = arena, .err = err};

    return evaluate(&run, expression->root, ret);
}
