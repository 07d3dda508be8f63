/* SPDX-License-Identifier: Apache-2.0 */
#include "base/arena.h"
#include "base/varint.h"
#include "codec/avro_steps.h"

struct reader {
    const struct sl_avro_plan *plan;
    const uint8_t *at, *end;
    struct sl_arena *arena;
    uint64_t values_left; /* how many more values may be made: bytes can ask for more than they hold */
    uint32_t failed;      /* the step */
    const char *reason;
};

static bool run(struct reader *r, uint32_t pc, uint32_t end_pc, struct sl_value *out);

static bool fail(struct reader *r, uint32_t pc, const char *reason)
{
    r->failed = pc;
    r->reason = reason;
    return false;
}

static inline bool get_long(struct reader *r, int64_t *ret)
{
    const uint8_t *at = r->at;

    /* Most numbers take one byte or two. */
    if (__builtin_expect(r->end - at >= 2, 1)) {
        uint32_t raw = at[0];

        if (raw < 0x80) {
            *ret = (int64_t)(raw >> 1) ^ -(int64_t)(raw & 1);
            r->at = at + 1;
            return true;
        }
        if (at[1] < 0x80) {
            raw = (raw & 0x7F) | (uint32_t)at[1] << 7;
            *ret = (int64_t)(raw >> 1) ^ -(int64_t)(raw & 1);
            r->at = at + 2;
            return true;
        }
    }
    return sl_zigzag_read(&r->at, r->end, ret);
}

static struct sl_value *make_values(struct reader *r, uint64_t n)
{
    if (__builtin_expect(n > r->values_left, 0))
        return NULL;
    r->values_left -= n;
    return sl_arena_alloc(r->arena, (size_t)n * sizeof(struct sl_value));
}

static bool get_bytes(struct reader *r, uint32_t pc, enum sl_type tag, struct sl_value *out)
{
    int64_t len;

    if (!get_long(r, &len))
        return fail(r, pc, "its length is cut or no number");
    if (__builtin_expect(len < 0 || len > r->end - r->at || len > UINT32_MAX, 0))
        return fail(r, pc, "it is longer than the bytes that are left");
    *out = sl_bytes(tag, r->at, (size_t)len);
    r->at += len;
    return true;
}

static bool get_int(struct reader *r, uint32_t pc, enum sl_type tag, struct sl_value *out)
{
    int64_t i;

    if (!get_long(r, &i))
        return fail(r, pc, "the number is cut or too long");
    if (i != (int32_t)i || (tag == SL_INT16 && i != (int16_t)i) || (tag == SL_INT8 && i != (int8_t)i))
        return fail(r, pc, "the number is out of the range of its type");
    *out = sl_int(tag, i);
    return true;
}

static bool get_real(struct reader *r, uint32_t pc, enum sl_type tag, struct sl_value *out)
{
    size_t size = tag == SL_FLOAT32 ? 4 : 8;
    float f;
    double d;

    if ((size_t)(r->end - r->at) < size)
        return fail(r, pc, "the number is cut");
    if (tag == SL_FLOAT32) {
        memcpy(&f, r->at, 4);
        d = (double)f;
    } else {
        memcpy(&d, r->at, 8);
    }
    r->at += size;
    *out = sl_float(tag, d);
    return true;
}

static bool get_fixed(struct reader *r, uint32_t pc, struct sl_value *out)
{
    uint32_t size = r->plan->steps[pc].n;

    if ((size_t)(r->end - r->at) < size)
        return fail(r, pc, "the fixed value is cut");
    *out = sl_bytes(SL_BYTES, r->at, size);
    r->at += size;
    return true;
}

static bool get_enum(struct reader *r, uint32_t pc, struct sl_value *out)
{
    const struct sl_avro_type *type = r->plan->notes[pc].type;
    int64_t index;

    if (!get_long(r, &index) || index < 0 || index >= type->n)
        return fail(r, pc, "the enum has no such symbol");
    *out = sl_text(type->symbols[index]);
    return true;
}

/*
 * The next block of a collection: how many items it holds, 0 at the end. A negative count is followed by the
 * block's size, which we have no use for.
 */
static bool get_block(struct reader *r, uint32_t pc, uint64_t *ret_count)
{
    uint32_t least = r->plan->steps[pc].more;
    uint64_t left;
    int64_t count;
    int64_t size;

    if (!get_long(r, &count))
        return fail(r, pc, "the count of its items is cut or no number");
    if (count < 0) {
        if (count == INT64_MIN || !get_long(r, &size) || size < 0)
            return fail(r, pc, "the size of its block is no number");
        count = -count;
    }
    left = (uint64_t)(r->end - r->at);
    if (least && (uint64_t)count > left / least)
        return fail(r, pc, "it has more items than the bytes that are left can hold");
    *ret_count = (uint64_t)count;
    return true;
}

/* One item, or one pair. */
static bool get_item(struct reader *r, uint32_t pc, struct sl_value *out)
{
    const struct sl_avro_step *step = &r->plan->steps[pc];

    if (step->op == SL_OP_ARRAY)
        return run(r, pc + 1, step->next, out);
    if (step->op == SL_OP_MAP)
        return get_bytes(r, pc, SL_STRING, out) && run(r, pc + 1, step->next, out + 1);
    return run(r, pc + 1, step->n, out) && run(r, step->n, step->next, out + 1);
}

static bool get_collection(struct reader *r, uint32_t pc, struct sl_value *out)
{
    enum sl_type tag = (enum sl_type)r->plan->steps[pc].tag;
    size_t width = tag == SL_MAP ? 2 : 1;
    struct sl_value *items = NULL;
    uint64_t n = 0;
    uint64_t more;

    while (get_block(r, pc, &more)) {
        struct sl_value *grown;

        if (more == 0) {
            *out = sl_items(tag, items, (size_t)n);
            return true;
        }
        /* Later blocks are rare: what is there moves. */
        grown = more < UINT32_MAX && n + more < UINT32_MAX ? make_values(r, (n + more) * width) : NULL;
        if (!grown)
            return fail(r, pc, "it has too many items");
        if (n)
            memcpy(grown, items, (size_t)n * width * sizeof(*grown));
        items = grown;
        for (uint64_t i = 0; i < more; i++) {
            if (!get_item(r, pc, &items[(n + i) * width]))
                return false;
        }
        n += more;
    }
    return false;
}

static bool get_union(struct reader *r, uint32_t pc, struct sl_value *out)
{
    const struct sl_avro_step *step = &r->plan->steps[pc];
    uint32_t n_fields = r->plan->notes[pc].schema->n_fields;
    const struct sl_avro_branch *branch;
    struct sl_value *fields;
    int64_t index;

    if (!get_long(r, &index) || index < 0 || index >= step->n)
        return fail(r, pc, "the union has no such branch");
    if (index == step->null_branch) {
        *out = sl_null();
        return true;
    }
    branch = &r->plan->branches[step->more + (uint32_t)index];
    fields = make_values(r, n_fields);
    if (!fields)
        return fail(r, pc, "it has too many values");
    for (uint32_t i = 0; i < n_fields; i++)
        fields[i] = sl_null();
    *out = sl_items(SL_STRUCT, fields, n_fields);
    return run(r, branch->start, branch->end, &fields[branch->field]);
}

static bool get_rare(struct reader *r, uint32_t pc, struct sl_value *out)
{
    const struct sl_avro_step *step = &r->plan->steps[pc];

    switch ((enum sl_avro_op)step->op) {
    case SL_OP_FLOAT:
    case SL_OP_DOUBLE: return get_real(r, pc, (enum sl_type)step->tag, out);
    case SL_OP_FIXED: return get_fixed(r, pc, out);
    case SL_OP_ENUM: return get_enum(r, pc, out);
    case SL_OP_ARRAY:
    case SL_OP_MAP:
    case SL_OP_ENTRIES: return get_collection(r, pc, out);
    case SL_OP_UNION: return get_union(r, pc, out);
    case SL_OP_INT:
    case SL_OP_LONG:
    case SL_OP_BOOLEAN:
    case SL_OP_BYTES:
    case SL_OP_RECORD:
    case SL_OP_END:
    case SL_OP_SINGLE: break;
    }
    return fail(r, pc, "it is of an unknown kind");
}

/* Which branch of a nullable: -1 bad, 0 the value, 1 null. */
static inline int get_null(struct reader *r, uint32_t null_branch)
{
    int64_t index;

    if (!get_long(r, &index) || (index != 0 && index != 1))
        return -1;
    return index == null_branch;
}

static bool run(struct reader *r, uint32_t pc, uint32_t end_pc, struct sl_value *out)
{
    const struct sl_avro_step *steps = r->plan->steps;
    struct sl_value *outer[SL_AVRO_MAX_DEPTH];
    struct sl_value *fields;
    int64_t i;
    int depth = 0;

    while (pc != end_pc) {
        const struct sl_avro_step *step = &steps[pc];

        if (step->null_branch != SL_NOT_NULLABLE && step->op != SL_OP_UNION) {
            int null = get_null(r, step->null_branch);

            if (null < 0)
                return fail(r, pc, "it is neither its type nor null");
            if (null) {
                *out++ = sl_null();
                pc = step->next;
                continue;
            }
        }
        switch (step->op) {
        case SL_OP_INT:
            if (!get_int(r, pc, (enum sl_type)step->tag, out++))
                return false;
            break;
        case SL_OP_LONG:
            if (!get_long(r, &i))
                return fail(r, pc, "the number is cut or too long");
            *out++ = sl_int(SL_INT64, i);
            break;
        case SL_OP_BYTES:
            if (!get_bytes(r, pc, (enum sl_type)step->tag, out++))
                return false;
            break;
        case SL_OP_BOOLEAN:
            if (r->at == r->end || *r->at > 1)
                return fail(r, pc, "the boolean is neither 0 nor 1");
            *out++ = sl_bool(*r->at++);
            break;
        case SL_OP_RECORD:
            fields = make_values(r, step->n);
            if (!fields)
                return fail(r, pc, "it has too many values");
            *out++ = sl_items(SL_STRUCT, fields, step->n);
            outer[depth++] = out;
            out = fields;
            pc++;
            continue;
        case SL_OP_END: out = outer[--depth]; break;
        case SL_OP_SINGLE:
            if (!get_long(r, &i) || i != 0)
                return fail(r, pc, "the union has no such branch");
            break;
        default:
            if (!get_rare(r, pc, out++))
                return false;
        }
        pc = step->next;
    }
    return true;
}

enum sl_rc sl_avro_decode(const struct sl_avro_plan *plan, struct sl_span bytes, struct sl_arena *arena,
                          struct sl_value *ret_value, size_t *ret_used, struct sl_error *err)
{
    struct reader r = {
        .plan = plan,
        .at = bytes.ptr,
        .end = bytes.ptr + bytes.len,
        .arena = arena,
        .values_left = plan->n_steps + (uint64_t)bytes.len * 4 + 4096,
    };
    struct sl_value value = {0};

    if (!run(&r, 0, plan->n_steps, &value))
        return sl_error_set(err, SL_E_DATA, "Avro bytes do not fit their schema: field '%s', byte %zu: %s",
                            plan->notes[r.failed].name, (size_t)(r.at - bytes.ptr), r.reason);
    *ret_value = value;
    if (ret_used)
        *ret_used = (size_t)(r.at - bytes.ptr);
    return SL_OK;
}
