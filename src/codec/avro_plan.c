/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/avro_plan.h"

#include "base/alloc.h"
#include "codec/avro_steps.h"

enum { MAX_STEPS = 200000 };

struct compiler {
    struct sl_avro_plan *plan;
    struct sl_error *err;
    const char *name; /* of the field that is being compiled */
    int depth;
};

/* Each returns the fewest bytes that the value takes; failure is -1 with the error set. */
static int64_t compile(struct compiler *c, const struct sl_schema *schema, const struct sl_avro_type *type);

static int64_t misfit(struct compiler *c, const struct sl_schema *schema, const struct sl_avro_type *type)
{
    (void)sl_error_set(c->err, SL_E_DATA, "field '%s': Connect's type %s does not fit Avro's '%.100s'",
                       c->name, sl_type_name(schema->type), type->full);
    return -1;
}

static uint32_t add_step(struct compiler *c, enum sl_avro_op op, const struct sl_schema *schema,
                         const struct sl_avro_type *type)
{
    struct sl_avro_plan *plan = c->plan;
    uint32_t at = plan->n_steps;

    SL_GROW(plan->steps, at, plan->steps_capacity);
    SL_GROW(plan->notes, at, plan->notes_capacity);
    plan->steps[at] = (struct sl_avro_step){
        .op = (uint8_t)op, .tag = (uint8_t)schema->type, .null_branch = SL_NOT_NULLABLE, .next = at + 1};
    plan->notes[at] = (struct sl_avro_note){.schema = schema, .type = type, .name = c->name};
    plan->n_steps++;
    return at;
}

static int64_t compile_record(struct compiler *c, const struct sl_schema *schema,
                              const struct sl_avro_type *type)
{
    uint32_t at = add_step(c, SL_OP_RECORD, schema, type);
    const char *outer = c->name;
    int64_t least = 0;

    if (schema->type != SL_STRUCT || schema->n_fields != type->n)
        return misfit(c, schema, type);
    for (uint32_t i = 0; i < type->n; i++) {
        int64_t field;

        c->name = schema->fields[i].name;
        field = compile(c, schema->fields[i].schema, type->fields[i].type);
        if (field < 0)
            return -1;
        least += field;
    }
    c->name = outer;
    (void)add_step(c, SL_OP_END, schema, type);
    c->plan->steps[at].n = type->n;
    c->plan->steps[at].next = c->plan->n_steps;
    return least;
}

static int64_t compile_items(struct compiler *c, enum sl_avro_op op, const struct sl_schema *schema,
                             const struct sl_avro_type *type)
{
    uint32_t at = add_step(c, op, schema, type);
    int64_t least = compile(c, schema->element, type->items);

    if (least < 0)
        return -1;
    /* A pair of a map begins with its key's length. */
    least += op == SL_OP_MAP;
    c->plan->steps[at].next = c->plan->n_steps;
    c->plan->steps[at].more = least > UINT16_MAX ? UINT16_MAX : (uint32_t)least;
    return 1;
}

static int64_t compile_entries(struct compiler *c, const struct sl_schema *schema,
                               const struct sl_avro_type *type)
{
    const struct sl_avro_type *entry = type->items;
    uint32_t at = add_step(c, SL_OP_ENTRIES, schema, type);
    int64_t key;
    int64_t value;

    if (!sl_avro_is_map_entry(entry) || entry->n != 2)
        return misfit(c, schema, type);
    key = compile(c, schema->key, entry->fields[0].type);
    if (key < 0)
        return -1;
    c->plan->steps[at].n = c->plan->n_steps;
    value = compile(c, schema->element, entry->fields[1].type);
    if (value < 0)
        return -1;
    c->plan->steps[at].next = c->plan->n_steps;
    c->plan->steps[at].more = key + value > UINT16_MAX ? UINT16_MAX : (uint32_t)(key + value);
    return 1;
}

static int64_t compile_union(struct compiler *c, const struct sl_schema *schema,
                             const struct sl_avro_type *type)
{
    struct sl_avro_plan *plan = c->plan;
    uint32_t at = add_step(c, SL_OP_UNION, schema, type);
    uint32_t first = plan->n_branches;
    uint32_t field = 0;

    for (uint32_t i = 0; i < type->n; i++) {
        SL_GROW(plan->branches, plan->n_branches, plan->branches_capacity);
        plan->branches[plan->n_branches++] = (struct sl_avro_branch){0};
    }
    for (uint32_t i = 0; i < type->n; i++) {
        struct sl_avro_branch branch = {.start = plan->n_steps, .field = field};

        if (type->branches[i]->kind == SL_AVRO_NULL && i < SL_NOT_NULLABLE) {
            plan->steps[at].null_branch = (uint8_t)i;
            continue;
        }
        if (field >= schema->n_fields ||
            compile(c, schema->fields[field].schema->required, type->branches[i]) < 0)
            return misfit(c, schema, type);
        branch.end = plan->n_steps;
        plan->branches[first + i] = branch;
        field++;
    }
    if (field != schema->n_fields)
        return misfit(c, schema, type);
    plan->steps[at].n = type->n;
    plan->steps[at].more = first;
    plan->steps[at].next = plan->n_steps;
    return 1;
}

static int64_t compile_scalar(struct compiler *c, const struct sl_schema *schema,
                              const struct sl_avro_type *type, enum sl_avro_op op, bool fits, uint32_t n,
                              int64_t least)
{
    uint32_t at;

    if (!fits)
        return misfit(c, schema, type);
    at = add_step(c, op, schema, type);
    c->plan->steps[at].n = n;
    return least;
}

/* Everything but unions. */
static int64_t compile_kind(struct compiler *c, const struct sl_schema *schema,
                            const struct sl_avro_type *type)
{
    enum sl_type t = schema->type;

    switch (type->kind) {
    case SL_AVRO_BOOLEAN: return compile_scalar(c, schema, type, SL_OP_BOOLEAN, t == SL_BOOLEAN, 0, 1);
    case SL_AVRO_INT: return compile_scalar(c, schema, type, SL_OP_INT, t >= SL_INT8 && t <= SL_INT32, 0, 1);
    case SL_AVRO_LONG: return compile_scalar(c, schema, type, SL_OP_LONG, t == SL_INT64, 0, 1);
    case SL_AVRO_FLOAT: return compile_scalar(c, schema, type, SL_OP_FLOAT, t == SL_FLOAT32, 0, 4);
    case SL_AVRO_DOUBLE: return compile_scalar(c, schema, type, SL_OP_DOUBLE, t == SL_FLOAT64, 0, 8);
    case SL_AVRO_BYTES: return compile_scalar(c, schema, type, SL_OP_BYTES, t == SL_BYTES, 0, 1);
    case SL_AVRO_STRING: return compile_scalar(c, schema, type, SL_OP_BYTES, t == SL_STRING, 0, 1);
    case SL_AVRO_ENUM: return compile_scalar(c, schema, type, SL_OP_ENUM, t == SL_STRING, type->n, 1);
    case SL_AVRO_FIXED:
        return compile_scalar(c, schema, type, SL_OP_FIXED, t == SL_BYTES, type->size, type->size);
    case SL_AVRO_RECORD: return compile_record(c, schema, type);
    case SL_AVRO_ARRAY:
        if (t == SL_MAP)
            return compile_entries(c, schema, type);
        return t == SL_ARRAY ? compile_items(c, SL_OP_ARRAY, schema, type) : misfit(c, schema, type);
    case SL_AVRO_MAP:
        return t == SL_MAP ? compile_items(c, SL_OP_MAP, schema, type) : misfit(c, schema, type);
    case SL_AVRO_NULL:
    case SL_AVRO_UNION: break;
    }
    return misfit(c, schema, type);
}

/* A union of null and one other: the branch's own first step says so. */
static int64_t compile_nullable(struct compiler *c, const struct sl_schema *schema,
                                const struct sl_avro_type *branch, uint32_t branch_index)
{
    uint32_t at = c->plan->n_steps;

    if (compile_kind(c, schema, branch) < 0)
        return -1;
    c->plan->steps[at].null_branch = (uint8_t)(1 - branch_index);
    return 1;
}

static int64_t compile(struct compiler *c, const struct sl_schema *schema, const struct sl_avro_type *type)
{
    const struct sl_avro_type *branch;
    uint32_t index;
    int64_t least;

    if (c->depth >= SL_AVRO_MAX_DEPTH || c->plan->n_steps > MAX_STEPS) {
        (void)sl_error_set(c->err, SL_E_DATA, "field '%s': the schema is too deep or too large", c->name);
        return -1;
    }
    c->depth++;
    if (type->kind == SL_AVRO_UNION && sl_avro_is_union(schema)) {
        least = compile_union(c, schema, type);
    } else if ((branch = sl_avro_nullable(type, &index)) != NULL) {
        least = compile_nullable(c, schema, branch, index);
    } else if (type->kind == SL_AVRO_UNION && type->n == 1) {
        (void)add_step(c, SL_OP_SINGLE, schema, type);
        least = compile(c, schema, type->branches[0]);
        least = least < 0 ? -1 : least + 1;
    } else {
        least = compile_kind(c, schema, type);
    }
    c->depth--;
    return least;
}

enum sl_rc sl_avro_plan_new(const struct sl_schema *schema, const struct sl_avro_type *type,
                            bool null_becomes_default, struct sl_avro_plan **ret, struct sl_error *err)
{
    struct compiler c = {.plan = sl_zalloc(1, sizeof(*c.plan)), .err = err, .name = ""};

    c.plan->null_becomes_default = null_becomes_default;
    if (compile(&c, schema, type) < 0) {
        sl_avro_plan_free(c.plan);
        return SL_E_DATA;
    }
    *ret = c.plan;
    return SL_OK;
}

void sl_avro_plan_free(struct sl_avro_plan *plan)
{
    if (!plan)
        return;
    sl_free(plan->steps);
    sl_free(plan->notes);
    sl_free(plan->branches);
    sl_free(plan);
}
