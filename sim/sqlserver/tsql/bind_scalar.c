/* SPDX-License-Identifier: Apache-2.0 */
/* Scalars: literals, columns, variables, operators, CASE, casts. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "binder.h"
#include "typing.h"

void ms_binder_fail(struct ms_binder *b, int32_t number, uint8_t severity, const char *format, ...)
{
    char text[2048];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    (void)ms_error_set(b->err, number, severity, 1, "%s", text);
    longjmp(b->escape, 1);
}

void *ms_binder_grow(struct ms_binder *b, void *array, size_t n, size_t size)
{
    if (n != 0 && (n & (n - 1)) != 0)
        return array;
    void *more = ms_arena_alloc(b->arena, (n ? n * 2 : 1) * size);
    if (n)
        memcpy(more, array, n * size);
    return more;
}

/* --- parameters: equal ones share a number, so that equal expressions have equal text (GROUP BY) --- */

static bool same_type(const struct ms_type *a, const struct ms_type *b)
{
    return a->id == b->id && a->length == b->length && a->precision == b->precision && a->scale == b->scale;
}

static bool has_bytes(const struct ms_type *type)
{
    enum ms_class class = ms_type_class(type->id);
    return class == MS_CLASS_TEXT || class == MS_CLASS_BINARY || class == MS_CLASS_GUID ||
           class == MS_CLASS_XML || class == MS_CLASS_VARIANT;
}

static bool same_value(const struct ms_type *type, const struct ms_value *a, const struct ms_value *b)
{
    if (a->is_null || b->is_null)
        return a->is_null && b->is_null;
    if (has_bytes(type))
        return a->len == b->len && memcmp(a->bytes, b->bytes, a->len) == 0;
    if (ms_type_class(type->id) == MS_CLASS_FLOAT)
        return memcmp(&a->d, &b->d, sizeof a->d) == 0;
    if (ms_type_class(type->id) == MS_CLASS_DECIMAL)
        return a->dec == b->dec;
    return a->i == b->i && a->offset_min == b->offset_min;
}

static bool same_operation(const struct ms_operation *a, const struct ms_operation *b)
{
    if (a->eval != b->eval || a->n_args != b->n_args || a->symbol != b->symbol || a->number != b->number ||
        a->flag != b->flag || a->text != b->text || a->changing || !same_type(&a->result, &b->result))
        return false;
    for (size_t i = 0; i < a->n_args; i++)
        if (!same_type(&a->args[i], &b->args[i]))
            return false;
    return true;
}

static bool same_parameter(const struct ms_parameter *a, const struct ms_parameter *b)
{
    if (a->kind != b->kind)
        return false;
    if (a->kind == MS_PARAMETER_OPERATION)
        return same_operation(a->operation, b->operation);
    if (!same_type(&a->type, &b->type))
        return false;
    return a->kind == MS_PARAMETER_VARIABLE ? a->slot == b->slot : same_value(&a->type, &a->value, &b->value);
}

const char *ms_binder_parameter(struct ms_binder *b, const struct ms_parameter *parameter)
{
    struct ms_plan *plan = b->plan;
    size_t look = plan->n_parameters > 64 ? plan->n_parameters - 64 : 0;
    for (size_t i = look; i < plan->n_parameters; i++)
        if (same_parameter(&plan->parameters[i], parameter))
            return ms_arena_format(b->arena, "?%zu", i + 1);
    if (plan->n_parameters >= 32000)
        ms_binder_fail(b, 8623, 16,
                       "The query processor ran out of internal resources and could not produce a query "
                       "plan.");
    plan->parameters = ms_binder_grow(b, plan->parameters, plan->n_parameters, sizeof *plan->parameters);
    plan->parameters[plan->n_parameters++] = *parameter;
    return ms_arena_format(b->arena, "?%zu", plan->n_parameters);
}

const char *ms_binder_literal(struct ms_binder *b, const struct ms_type *type, const struct ms_value *value)
{
    if (value->is_null)
        return "NULL";
    if (ms_type_class(type->id) == MS_CLASS_INTEGER)
        return ms_arena_format(b->arena, value->i < 0 ? "(%lld)" : "%lld", (long long)value->i);
    struct ms_parameter p = {.kind = MS_PARAMETER_LITERAL, .type = *type, .value = *value};
    return ms_binder_parameter(b, &p);
}

/* --- making bound nodes --- */

struct ms_bound *ms_bind_new(struct ms_binder *b, const struct ms_type *type, const char *sql, bool nullable)
{
    struct ms_bound *bound = ms_arena_alloc(b->arena, sizeof *bound);
    bound->type = *type;
    bound->sql = sql;
    bound->nullable = nullable;
    return bound;
}

const char *ms_bind_loose(struct ms_bound **list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (list[i]->loose)
            return list[i]->loose;
    return NULL;
}

static struct ms_bound *constant(struct ms_binder *b, const struct ms_type *type,
                                 const struct ms_value *value)
{
    struct ms_bound *bound = ms_bind_new(b, type, ms_binder_literal(b, type, value), value->is_null);
    bound->form = MS_BOUND_CONSTANT;
    bound->value = *value;
    return bound;
}

struct ms_bound *ms_bind_operation(struct ms_binder *b, const struct ms_operation *op, struct ms_bound **args)
{
    struct ms_operation *kept = ms_arena_alloc(b->arena, sizeof *kept);
    bool nullable = !op->null_in_null_out || op->flag;
    bool direct = true;
    *kept = *op;
    struct ms_parameter p = {.kind = MS_PARAMETER_OPERATION, .operation = kept};
    struct ms_buffer sql = {.arena = b->arena};
    ms_buffer_format(&sql, "%s(%s", op->changing ? "msv" : "ms", ms_binder_parameter(b, &p));
    for (size_t i = 0; i < op->n_args; i++) {
        ms_buffer_format(&sql, ",%s", args[i]->sql);
        nullable = nullable || args[i]->nullable;
        direct = direct && args[i]->form != MS_BOUND_SQL;
    }
    ms_buffer_byte(&sql, ')');
    struct ms_bound *bound = ms_bind_new(b, &op->result, ms_arena_dup(b->arena, sql.data, sql.len), nullable);
    ms_buffer_free(&sql);
    bound->form = direct ? MS_BOUND_OPERATION : MS_BOUND_SQL;
    bound->operation = kept;
    bound->args = args;
    bound->loose = ms_bind_loose(args, op->n_args);
    return bound;
}

static struct ms_bound **one_arg(struct ms_binder *b, struct ms_bound *arg)
{
    struct ms_bound **args = ms_arena_alloc(b->arena, sizeof *args);
    args[0] = arg;
    return args;
}

/* A conversion of a constant that succeeds is done now; one that fails must fail when (and if) it is run. */
static struct ms_bound *fold(struct ms_binder *b, struct ms_bound *bound)
{
    struct ms_eval ev = {b->session, b->language, b->arena, b->err};
    struct ms_value value;
    if (bound->form != MS_BOUND_OPERATION || bound->args[0]->form != MS_BOUND_CONSTANT ||
        !ms_operation_run(&ev, bound->operation, &bound->args[0]->value, &value))
        return bound;
    struct ms_bound *folded = constant(b, &bound->type, &value);
    folded->nullable = bound->nullable && value.is_null;
    return folded;
}

static struct ms_bound *converted(struct ms_binder *b, struct ms_bound *from, const struct ms_operation *op)
{
    struct ms_bound *bound = fold(b, ms_bind_operation(b, op, one_arg(b, from)));
    if (ms_type_class(from->type.id) == MS_CLASS_TEXT && ms_type_class(op->result.id) == MS_CLASS_TEXT) {
        bound->collation =
            ms_type_is_unicode(from->type.id) == ms_type_is_unicode(op->result.id) ? from->collation : NULL;
        bound->explicit_collation = from->explicit_collation && bound->collation;
    }
    return bound;
}

static struct ms_bound *retyped(struct ms_binder *b, struct ms_bound *from, const struct ms_type *to)
{
    struct ms_bound *bound = ms_arena_alloc(b->arena, sizeof *bound);
    *bound = *from;
    bound->type = *to;
    if (from->form != MS_BOUND_SQL && from->form != MS_BOUND_CONSTANT)
        bound->form = from->form; /* the same cell: values need no change either */
    return bound;
}

static void check_allowed(struct ms_binder *b, const struct ms_bound *from, const struct ms_type *to,
                          int needed)
{
    int allowed = ms_convert_allowed(&from->type, to);
    if (allowed >= needed)
        return;
    if (allowed == 1)
        ms_binder_fail(b, 257, 16,
                       "Implicit conversion from data type %s to %s is not allowed. Use the CONVERT "
                       "function to run this query.",
                       ms_type_word(from->type.id), ms_type_word(to->id));
    if (needed == 1)
        ms_binder_fail(b, 529, 16, "Explicit conversion from data type %s to %s is not allowed.",
                       ms_type_word(from->type.id), ms_type_word(to->id));
    ms_binder_fail(b, 206, 16, "Operand type clash: %s is incompatible with %s", ms_type_word(from->type.id),
                   ms_type_word(to->id));
}

struct ms_bound *ms_bind_convert(struct ms_binder *b, struct ms_bound *from, const struct ms_type *to)
{
    if (ms_type_same_cell(&from->type, to))
        return retyped(b, from, to);
    check_allowed(b, from, to, 2);
    struct ms_operation op = {.eval = ms_op_convert,
                              .result = *to,
                              .n_args = 1,
                              .args = {from->type},
                              .null_in_null_out = true,
                              .number = MS_STYLE_NONE};
    return converted(b, from, &op);
}

struct ms_bound *ms_bind_assign(struct ms_binder *b, struct ms_bound *from, const struct ms_type *to)
{
    if (ms_type_same_cell(&from->type, to))
        return retyped(b, from, to);
    check_allowed(b, from, to, 2);
    struct ms_operation op = {.eval = ms_op_assign,
                              .result = *to,
                              .n_args = 1,
                              .args = {from->type},
                              .null_in_null_out = true,
                              .text = b->assigning};
    return converted(b, from, &op);
}

struct ms_bound *ms_bind_cast(struct ms_binder *b, struct ms_bound *from, const struct ms_type *to, int style,
                              bool try_cast)
{
    if (style == MS_STYLE_NONE && ms_type_same_cell(&from->type, to))
        return retyped(b, from, to);
    check_allowed(b, from, to, 1);
    struct ms_operation op = {.eval = ms_op_convert,
                              .result = *to,
                              .n_args = 1,
                              .args = {from->type},
                              .null_in_null_out = true,
                              .number = style,
                              .flag = try_cast};
    return converted(b, from, &op);
}

struct ms_type ms_bind_common(struct ms_binder *b, struct ms_bound **list, size_t n, const char *what)
{
    struct ms_type type = {0}, next;
    (void)what;
    for (size_t i = 0; i < n; i++) {
        if (!ms_type_common(&type, &list[i]->type, &next))
            ms_binder_fail(b, 206, 16, "Operand type clash: %s is incompatible with %s",
                           ms_type_word(list[i]->type.id), ms_type_word(type.id));
        type = next;
    }
    if (type.id == MS_UNKNOWN)
        type = ms_type_simple(MS_INT);
    return type;
}

/* --- collation --- */

const char *ms_bind_collation(const struct ms_bound *a, const struct ms_bound *c)
{
    if (ms_type_class(a->type.id) != MS_CLASS_TEXT)
        return NULL;
    if (a->explicit_collation)
        return a->collation;
    if (c && c->explicit_collation)
        return c->collation;
    if (a->collation)
        return a->collation;
    if (c && c->collation)
        return c->collation;
    return ms_collation_sqlite_name(NULL, ms_type_is_unicode(a->type.id));
}

const char *ms_bind_key(struct ms_binder *b, const struct ms_bound *value)
{
    const char *collation = ms_bind_collation(value, NULL);
    if (collation)
        return ms_arena_format(b->arena, "%s COLLATE %s", value->sql, collation);
    if (value->type.id == MS_DATETIMEOFFSET)
        return ms_arena_format(b->arena, "ms_dto_utc(%s)", value->sql);
    return value->sql;
}

/* --- columns --- */

static bool qualifier_matches(const struct ms_source_view *s, const struct ms_name *name)
{
    if (name->n == 1)
        return true;
    if (name->n == 2 && s->alias)
        return ms_name_equal(s->alias, name->parts[0]);
    if (s->alias || !s->table_name || !ms_name_equal(s->table_name, name->parts[name->n - 2]))
        return false;
    if (name->n > 2 && name->parts[name->n - 3][0] && s->schema &&
        !ms_name_equal(s->schema, name->parts[name->n - 3]))
        return false;
    return name->n <= 3 || !s->database || ms_name_equal(s->database, name->parts[0]);
}

const char *ms_name_text(struct ms_arena *arena, const struct ms_name *name)
{
    const char *text = name->parts[0];
    for (int i = 1; i < name->n; i++)
        text = ms_arena_format(arena, "%s.%s", text, name->parts[i]);
    return text;
}

static struct ms_bound *find_in_scope(struct ms_binder *b, struct ms_scope *scope, const struct ms_name *name,
                                      const struct ms_source_view **ret_source)
{
    struct ms_bound *found = NULL;
    const char *column = name->parts[name->n - 1];
    for (size_t i = 0; i < scope->n_sources; i++) {
        struct ms_source_view *s = &scope->sources[i];
        if (!qualifier_matches(s, name))
            continue;
        for (size_t c = 0; c < s->n_columns; c++) {
            if (!ms_name_equal(s->columns[c].name, column))
                continue;
            if (found)
                ms_binder_fail(b, 209, 16, "Ambiguous column name '%s'.", column);
            found = &s->columns[c];
            *ret_source = s;
        }
    }
    return found;
}

static bool any_qualifier(struct ms_scope *scope, const struct ms_name *name)
{
    for (; scope; scope = scope->outer)
        for (size_t i = 0; i < scope->n_sources; i++)
            if (qualifier_matches(&scope->sources[i], name))
                return true;
    return false;
}

static struct ms_bound *bind_column(struct ms_binder *b, const struct ms_expr *e)
{
    const struct ms_source_view *source = NULL;
    for (struct ms_scope *scope = b->scope; scope; scope = scope->outer) {
        struct ms_bound *found = find_in_scope(b, scope, &e->name, &source);
        if (!found)
            continue;
        struct ms_bound *bound = ms_arena_alloc(b->arena, sizeof *bound);
        *bound = *found;
        if (scope->grouped && scope->in_aggregate == 0)
            bound->loose =
                source->alias || !source->table_name
                    ? ms_arena_format(b->arena, "%s.%s", source->alias ? source->alias : "", found->name)
                    : ms_arena_format(b->arena, "%s.%s", source->table_name, found->name);
        return bound;
    }
    const char *column = e->name.parts[e->name.n - 1];
    if (e->name.n == 1 && !b->scope)
        ms_binder_fail(b, 207, 16, "Invalid column name '%s'.", column);
    if (e->name.n > 1 && !any_qualifier(b->scope, &e->name))
        ms_binder_fail(b, 4104, 16, "The multi-part identifier \"%s\" could not be bound.",
                       ms_name_text(b->arena, &e->name));
    ms_binder_fail(b, 207, 16, "Invalid column name '%s'.", column);
}

/* --- operators --- */

static void invalid_operands(struct ms_binder *b, const char *op, const struct ms_bound *x,
                             const struct ms_bound *y)
{
    static const struct {
        char symbol;
        const char *word;
    } words[] = {{'+', "add"},    {'-', "subtract"}, {'*', "multiply"}, {'/', "divide"},
                 {'%', "modulo"}, {'&', "'&'"},      {'|', "'|'"},      {'^', "'^'"}};
    const char *word = op;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (words[i].symbol == op[0])
            word = words[i].word;
    if (x->type.id == y->type.id)
        ms_binder_fail(b, 8117, 16, "Operand data type %s is invalid for %s operator.",
                       ms_type_word(x->type.id), word);
    ms_binder_fail(b, 402, 16, "The data types %s and %s are incompatible in the %s operator.",
                   ms_type_word(x->type.id), ms_type_word(y->type.id), word);
}

/* The types that the operands of an operator take before it is computed. */
static void operand_types(char symbol, const struct ms_type *result, struct ms_type *x, struct ms_type *y)
{
    enum ms_class class = ms_type_class(result->id);
    if (class == MS_CLASS_DECIMAL) {
        *x = ms_type_class(x->id) == MS_CLASS_TEXT ? *result : ms_type_as_decimal(x);
        *y = ms_type_class(y->id) == MS_CLASS_TEXT ? *result : ms_type_as_decimal(y);
    } else if (class == MS_CLASS_TEXT) {
        struct ms_type a =
            ms_type_string(ms_type_is_unicode(result->id), x->length <= 0 ? MS_MAX : x->length);
        struct ms_type c =
            ms_type_string(ms_type_is_unicode(result->id), y->length <= 0 ? MS_MAX : y->length);
        *x = ms_type_class(x->id) == MS_CLASS_TEXT ? a : *result;
        *y = ms_type_class(y->id) == MS_CLASS_TEXT ? c : *result;
    } else if (class != MS_CLASS_BINARY) {
        *x = *y = *result;
    }
    (void)symbol;
}

static struct ms_bound *arithmetic(struct ms_binder *b, const char *symbol, struct ms_bound *x,
                                   struct ms_bound *y)
{
    struct ms_operation op = {
        .eval = ms_op_arithmetic, .n_args = 2, .null_in_null_out = true, .symbol = symbol[0]};
    if (!ms_type_arithmetic(symbol[0], &x->type, &y->type, &op.result))
        invalid_operands(b, symbol, x, y);
    op.args[0] = x->type.id == MS_UNKNOWN ? op.result : x->type;
    op.args[1] = y->type.id == MS_UNKNOWN ? op.result : y->type;
    operand_types(symbol[0], &op.result, &op.args[0], &op.args[1]);
    struct ms_bound **args = ms_arena_alloc(b->arena, 2 * sizeof *args);
    args[0] = ms_bind_convert(b, x, &op.args[0]);
    args[1] = ms_bind_convert(b, y, &op.args[1]);
    struct ms_bound *bound = ms_bind_operation(b, &op, args);
    if (ms_type_class(op.result.id) == MS_CLASS_TEXT)
        bound->collation = x->collation ? x->collation : y->collation;
    return bound;
}

/* Left-deep chains of operators can be long ('a' + 'b' + ...): walk down their left side without recursion.
 */
static struct ms_bound *bind_binary(struct ms_binder *b, const struct ms_expr *e)
{
    size_t depth = 0;
    for (const struct ms_expr *at = e; at->kind == MS_EXPR_BINARY; at = at->args[0])
        depth++;
    const struct ms_expr **chain = ms_arena_alloc(b->arena, depth * sizeof *chain);
    const struct ms_expr *at = e;
    for (size_t i = depth; i-- > 0; at = at->args[0])
        chain[i] = at;
    struct ms_bound *left = ms_bind_expr(b, at);
    for (size_t i = 0; i < depth; i++)
        left = arithmetic(b, chain[i]->text, left, ms_bind_expr(b, chain[i]->args[1]));
    return left;
}

static struct ms_bound *bind_unary(struct ms_binder *b, const struct ms_expr *e)
{
    struct ms_bound *x = ms_bind_expr(b, e->args[0]);
    enum ms_class class = ms_type_class(x->type.id);
    if (e->text[0] == '+')
        return x;
    if (class == MS_CLASS_NONE)
        return x;
    if (class != MS_CLASS_INTEGER &&
        (e->text[0] == '~' ||
         (class != MS_CLASS_DECIMAL && class != MS_CLASS_FLOAT && class != MS_CLASS_MONEY)))
        ms_binder_fail(b, 8117, 16, "Operand data type %s is invalid for %s operator.",
                       ms_type_word(x->type.id), e->text[0] == '~' ? "'~'" : "minus");
    struct ms_operation op = {.eval = e->text[0] == '-' ? ms_op_negate : ms_op_invert,
                              .result = x->type,
                              .n_args = 1,
                              .args = {x->type},
                              .null_in_null_out = true};
    if (x->form == MS_BOUND_CONSTANT && class == MS_CLASS_DECIMAL && e->text[0] == '-' &&
        x->type.scale == 0 &&
        x->value.dec == 2147483648) { /* -2147483648 is an int, though 2147483648 is none */
        struct ms_type integer = ms_type_simple(MS_INT);
        struct ms_value value = {.i = INT32_MIN};
        return constant(b, &integer, &value);
    }
    return fold(b, ms_bind_operation(b, &op, one_arg(b, x)));
}

/* --- CASE --- */

static struct ms_bound *bind_case(struct ms_binder *b, const struct ms_expr *e)
{
    size_t pairs = (e->n_args - e->has_operand - e->has_else) / 2, n = pairs + e->has_else;
    struct ms_bound **results = ms_arena_alloc(b->arena, n * sizeof *results);
    const char **conditions = ms_arena_alloc(b->arena, (pairs + 1) * sizeof *conditions);
    struct ms_expr **at = e->args + e->has_operand;
    bool nullable = !e->has_else;
    for (size_t i = 0; i < pairs; i++, at += 2) {
        struct ms_expr compare = {.kind = MS_EXPR_COMPARE, .line = e->line, .text = "=", .n_args = 2};
        struct ms_expr *operands[2] = {e->args[0], at[0]};
        compare.args = operands;
        conditions[i] = ms_bind_predicate(b, e->has_operand ? &compare : at[0]);
        results[i] = ms_bind_expr(b, at[1]);
    }
    if (e->has_else)
        results[pairs] = ms_bind_expr(b, at[0]);
    struct ms_type type = ms_bind_common(b, results, n, "CASE");
    const char *loose = ms_bind_loose(results, n);
    struct ms_buffer sql = {.arena = b->arena};
    ms_buffer_text(&sql, "CASE");
    for (size_t i = 0; i < n; i++) {
        struct ms_bound *r = ms_bind_convert(b, results[i], &type);
        nullable = nullable || results[i]->nullable;
        if (i < pairs)
            ms_buffer_format(&sql, " WHEN %s THEN %s", conditions[i], r->sql);
        else
            ms_buffer_format(&sql, " ELSE %s", r->sql);
    }
    ms_buffer_text(&sql, " END");
    struct ms_bound *bound = ms_bind_new(b, &type, ms_arena_dup(b->arena, sql.data, sql.len), nullable);
    ms_buffer_free(&sql);
    bound->loose = loose;
    return bound;
}

static struct ms_bound *bind_cast(struct ms_binder *b, const struct ms_expr *e)
{
    int style = MS_STYLE_NONE;
    struct ms_bound *from = ms_bind_expr(b, e->args[0]);
    if (e->n_args > 1) {
        struct ms_bound *given = ms_bind_expr(b, e->args[1]);
        if (given->form != MS_BOUND_CONSTANT || ms_type_class(given->type.id) != MS_CLASS_INTEGER)
            ms_binder_fail(b, 8116, 16,
                           "Argument data type %s is invalid for argument 3 of convert function. This "
                           "server takes only a constant style.",
                           ms_type_word(given->type.id));
        style = given->value.is_null ? MS_STYLE_NONE : (int)given->value.i;
    }
    if (e->cast == MS_CAST_PARSE) {
        if (ms_type_class(from->type.id) != MS_CLASS_TEXT && from->type.id != MS_UNKNOWN)
            ms_binder_fail(b, 8116, 16, "Argument data type %s is invalid for argument 1 of parse function.",
                           ms_type_word(from->type.id));
        if (ms_type_class(e->type.id) == MS_CLASS_TEXT)
            ms_binder_fail(b, 10761, 15, "Invalid data type %s in function PARSE.", ms_type_word(e->type.id));
    }
    return ms_bind_cast(b, from, &e->type, style, e->try_cast);
}

static struct ms_bound *bind_collate(struct ms_binder *b, const struct ms_expr *e)
{
    struct ms_bound *x = ms_bind_expr(b, e->args[0]);
    if (x->type.id == MS_UNKNOWN)
        return x;
    if (ms_type_class(x->type.id) != MS_CLASS_TEXT)
        ms_binder_fail(b, 447, 16, "Expression type %s is invalid for COLLATE clause.",
                       ms_type_word(x->type.id));
    bool server = strcasecmp(e->text, "database_default") == 0 || strcasecmp(e->text, "catalog_default") == 0;
    if (!server && !ms_collation_known(e->text))
        ms_binder_fail(b, 448, 16, "Invalid collation '%s'.", e->text);
    struct ms_bound *bound = ms_arena_alloc(b->arena, sizeof *bound);
    *bound = *x;
    bound->collation = ms_collation_sqlite_name(server ? NULL : e->text, ms_type_is_unicode(x->type.id));
    bound->explicit_collation = true;
    return bound;
}

static struct ms_bound *bind_subquery(struct ms_binder *b, const struct ms_expr *e)
{
    struct ms_relation r = ms_bind_relation(b, e->query);
    if (r.n_outputs != 1)
        ms_binder_fail(b, 116, 16,
                       "Only one expression can be specified in the select list when the subquery is not "
                       "introduced with EXISTS.");
    struct ms_bound *bound = ms_bind_new(b, &r.outputs[0].column.type,
                                         ms_arena_format(b->arena, "(SELECT k0 FROM (%s))", r.sql), true);
    bound->collation = r.outputs[0].collation;
    return bound;
}

static struct ms_bound *bind_global(struct ms_binder *b, const struct ms_expr *e)
{
    static const char *const texts[] = {"@@version", "@@servername", "@@servicename", "@@language"};
    static const char *const numbers[] = {
        "@@rowcount",         "@@error",           "@@trancount", "@@spid",        "@@fetch_status",
        "@@nestlevel",        "@@lock_timeout",    "@@datefirst", "@@textsize",    "@@langid",
        "@@max_precision",    "@@max_connections", "@@procid",    "@@cursor_rows", "@@timeticks",
        "@@microsoftversion", "@@options"};
    struct ms_operation op = {.eval = ms_op_global, .changing = true, .text = e->text};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (strcasecmp(e->text, texts[i]) == 0)
            op.result = ms_type_string(true, 300);
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        if (strcasecmp(e->text, numbers[i]) == 0)
            op.result = ms_type_simple(strcasecmp(e->text, "@@spid") == 0 ? MS_SMALLINT : MS_INT);
    if (strcasecmp(e->text, "@@identity") == 0)
        op.result = (struct ms_type){.id = MS_NUMERIC, .precision = 38};
    if (strcasecmp(e->text, "@@dbts") == 0)
        op.result = (struct ms_type){.id = MS_VARBINARY, .length = 8};
    if (op.result.id == MS_UNKNOWN)
        ms_binder_fail(b, 137, 15, "Must declare the scalar variable \"%s\".", e->text);
    return ms_bind_operation(b, &op, NULL);
}

static struct ms_bound *bind_variable(struct ms_binder *b, const struct ms_expr *e)
{
    const struct ms_variable *v = &b->language->frame->batch->variables[e->slot];
    if (v->table)
        ms_binder_fail(b, 137, 15, "Must declare the scalar variable \"%s\".", v->name);
    if (b->live_variables) { /* SELECT @s = @s + x: each row sees what the one before it assigned */
        struct ms_operation op = {
            .eval = ms_op_variable, .result = v->type, .changing = true, .number = e->slot};
        return ms_bind_operation(b, &op, NULL);
    }
    struct ms_parameter p = {.kind = MS_PARAMETER_VARIABLE, .type = v->type, .slot = e->slot};
    struct ms_bound *bound = ms_bind_new(b, &v->type, ms_binder_parameter(b, &p), true);
    bound->form = MS_BOUND_VARIABLE;
    bound->slot = e->slot;
    return bound;
}

static struct ms_bound *bind_time_zone(struct ms_binder *b, const struct ms_expr *e)
{
    struct ms_bound *zone = ms_bind_expr(b, e->args[1]);
    if (zone->form != MS_BOUND_CONSTANT || ms_type_class(zone->type.id) != MS_CLASS_TEXT ||
        zone->value.len != 3 || strncasecmp((const char *)zone->value.bytes, "UTC", 3) != 0)
        ms_binder_fail(b, 9820, 16,
                       "The time zone parameter provided to AT TIME ZONE clause is invalid. This server "
                       "knows only 'UTC'.");
    struct ms_bound *x = ms_bind_expr(b, e->args[0]);
    const struct ms_function *f =
        ms_function_find(x->type.id == MS_DATETIMEOFFSET ? "switchoffset" : "todatetimeoffset");
    struct ms_type result = ms_type_simple(MS_DATETIMEOFFSET), from = ms_function_arg_type(f, 0, &x->type);
    struct ms_bound **args = ms_arena_alloc(b->arena, 2 * sizeof *args);
    struct ms_type integer = ms_type_simple(MS_INT);
    struct ms_value zero = {0};
    args[0] = ms_bind_convert(b, x, &from);
    args[1] = constant(b, &integer, &zero);
    struct ms_operation op = {
        .eval = f->eval, .result = result, .n_args = 2, .args = {from, integer}, .null_in_null_out = true};
    return ms_bind_operation(b, &op, args);
}

static struct ms_bound *bind_kind(struct ms_binder *b, const struct ms_expr *e)
{
    switch (e->kind) {
    case MS_EXPR_LITERAL: return constant(b, &e->type, &e->value);
    case MS_EXPR_COLUMN: return bind_column(b, e);
    case MS_EXPR_VARIABLE: return bind_variable(b, e);
    case MS_EXPR_GLOBAL: return bind_global(b, e);
    case MS_EXPR_UNARY: return bind_unary(b, e);
    case MS_EXPR_BINARY: return bind_binary(b, e);
    case MS_EXPR_CALL: return ms_bind_call(b, e);
    case MS_EXPR_CAST: return bind_cast(b, e);
    case MS_EXPR_CASE: return bind_case(b, e);
    case MS_EXPR_SUBQUERY: return bind_subquery(b, e);
    case MS_EXPR_COLLATE: return bind_collate(b, e);
    case MS_EXPR_AT_TIME_ZONE: return bind_time_zone(b, e);
    case MS_EXPR_DEFAULT: ms_binder_fail(b, 156, 15, "Incorrect syntax near the keyword 'DEFAULT'.");
    case MS_EXPR_COMPARE: ms_binder_fail(b, 102, 15, "Incorrect syntax near '%s'.", e->text);
    case MS_EXPR_AND:
    case MS_EXPR_OR:
    case MS_EXPR_NOT:
    case MS_EXPR_IS_NULL:
    case MS_EXPR_BETWEEN:
    case MS_EXPR_IN:
    case MS_EXPR_LIKE:
    case MS_EXPR_EXISTS:
    case MS_EXPR_QUANTIFIED: break;
    }
    static const char *const words[] = {"AND", "OR", "NOT", "IS", "BETWEEN", "IN", "LIKE", "EXISTS", "ALL"};
    ms_binder_fail(b, 156, 15, "Incorrect syntax near the keyword '%s'.", words[e->kind - MS_EXPR_AND]);
}

struct ms_bound *ms_bind_expr(struct ms_binder *b, const struct ms_expr *e)
{
    struct ms_bound *bound = bind_kind(b, e);
    for (size_t i = 0; bound->loose && b->scope && i < b->scope->n_groups; i++)
        if (strcmp(b->scope->groups[i]->sql, bound->sql) == 0)
            bound->loose = NULL;
    return bound;
}
