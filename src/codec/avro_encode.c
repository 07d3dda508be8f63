/* SPDX-License-Identifier: Apache-2.0 */
#include "base/varint.h"
#include "codec/avro_steps.h"

enum { ROOM = 16 }; /* free at every step: a branch number and the longest number */

struct writer {
    const struct sl_avro_plan *plan;
    struct sl_buf *out;
    uint8_t *at, *end; /* of out's memory */
    uint32_t failed;   /* the step */
    const char *reason;
};

static bool run(struct writer *w, uint32_t pc, uint32_t end_pc, const struct sl_value *in);

/* Room for more bytes and one more step. */
static void grow(struct writer *w, size_t more)
{
    w->out->len = (size_t)(w->at - w->out->data);
    w->at = sl_buf_reserve(w->out, more + ROOM);
    w->end = w->out->data + w->out->capacity;
}

static inline void want(struct writer *w, size_t more)
{
    if (__builtin_expect((size_t)(w->end - w->at) < more + ROOM, 0))
        grow(w, more);
}

static bool fail(struct writer *w, uint32_t pc, const char *reason)
{
    w->failed = pc;
    w->reason = reason;
    return false;
}

static inline void put_long(struct writer *w, int64_t value)
{
    uint64_t raw = sl_zigzag(value);
    uint8_t *at = w->at;

    while (raw >= 0x80) {
        *at++ = (uint8_t)(raw | 0x80);
        raw >>= 7;
    }
    *at++ = (uint8_t)raw;
    w->at = at;
}

static inline void put_bytes(struct writer *w, const void *bytes, size_t len)
{
    want(w, len);
    if (len)
        memcpy(w->at, bytes, len);
    w->at += len;
}

/*
 * The value is not of the step's type: it may be null, or stand for the default. True: *v is what to write, a
 * null included.
 */
static bool resolve(struct writer *w, uint32_t pc, struct sl_value *v)
{
    const struct sl_avro_step *step = &w->plan->steps[pc];
    const struct sl_schema *schema = w->plan->notes[pc].schema;
    bool use_default =
        (v->tag != SL_ABSENT && w->plan->null_becomes_default) || step->null_branch == SL_NOT_NULLABLE;

    if (sl_is_null(*v) && use_default && schema->has_default)
        *v = schema->default_value;
    if (sl_is_null(*v))
        return step->null_branch != SL_NOT_NULLABLE ||
               fail(w, pc, "is null, which its schema does not allow");
    return v->tag == step->tag || fail(w, pc, "holds a value of another type than its schema says");
}

static bool put_fixed(struct writer *w, uint32_t pc, struct sl_value v)
{
    const struct sl_avro_step *step = &w->plan->steps[pc];
    bool decimal = w->plan->notes[pc].schema->semantic == SL_SEM_DECIMAL;
    bool negative = v.len && (v.bytes[0] & 0x80);

    if (v.len > step->n || (v.len < step->n && !decimal))
        return fail(w, pc, "has another length than its fixed type");
    want(w, step->n);
    memset(w->at, negative ? 0xFF : 0, step->n - v.len); /* a decimal's sign, extended */
    w->at += step->n - v.len;
    put_bytes(w, v.bytes, v.len);
    return true;
}

static bool put_enum(struct writer *w, uint32_t pc, struct sl_value v)
{
    const struct sl_avro_type *type = w->plan->notes[pc].type;

    for (uint32_t i = 0; i < type->n; i++) {
        if (strlen(type->symbols[i]) == v.len && memcmp(type->symbols[i], v.bytes, v.len) == 0) {
            put_long(w, i);
            return true;
        }
    }
    return fail(w, pc, "is not one of the enum's symbols");
}

static bool put_array(struct writer *w, uint32_t pc, struct sl_value v)
{
    uint32_t next = w->plan->steps[pc].next;

    if (v.len) {
        put_long(w, v.len);
        for (uint32_t i = 0; i < v.len; i++) {
            want(w, 0);
            if (!run(w, pc + 1, next, &v.items[i]))
                return false;
        }
    }
    want(w, 0);
    put_long(w, 0);
    return true;
}

static bool put_map(struct writer *w, uint32_t pc, struct sl_value v)
{
    uint32_t next = w->plan->steps[pc].next;

    if (v.len)
        put_long(w, v.len);
    for (uint32_t i = 0; i < v.len; i++) {
        const struct sl_value *pair = &v.items[2 * (size_t)i];

        if (pair->tag != SL_STRING)
            return fail(w, pc, "has a key that is no string");
        want(w, 0);
        put_long(w, pair->len);
        put_bytes(w, pair->bytes, pair->len);
        if (!run(w, pc + 1, next, pair + 1))
            return false;
    }
    want(w, 0);
    put_long(w, 0);
    return true;
}

static bool put_entries(struct writer *w, uint32_t pc, struct sl_value v)
{
    const struct sl_avro_step *step = &w->plan->steps[pc];

    if (v.len)
        put_long(w, v.len);
    for (uint32_t i = 0; i < v.len; i++) {
        const struct sl_value *pair = &v.items[2 * (size_t)i];

        want(w, 0);
        if (!run(w, pc + 1, step->n, pair) || !run(w, step->n, step->next, pair + 1))
            return false;
    }
    want(w, 0);
    put_long(w, 0);
    return true;
}

/* The first field of the Union struct that is not null says which branch it is. */
static bool put_union(struct writer *w, uint32_t pc, struct sl_value v)
{
    const struct sl_avro_step *step = &w->plan->steps[pc];
    const struct sl_avro_branch *branches = &w->plan->branches[step->more];

    for (uint32_t i = 0; i < step->n; i++) {
        uint32_t field = branches[i].field;

        if (i == step->null_branch || field >= v.len || sl_is_null(v.items[field]))
            continue;
        put_long(w, i);
        return run(w, branches[i].start, branches[i].end, &v.items[field]);
    }
    if (step->null_branch == SL_NOT_NULLABLE)
        return fail(w, pc, "is a union of which no branch is set");
    put_long(w, step->null_branch);
    return true;
}

static bool put_rare(struct writer *w, uint32_t pc, struct sl_value v)
{
    switch ((enum sl_avro_op)w->plan->steps[pc].op) {
    case SL_OP_FIXED: return put_fixed(w, pc, v);
    case SL_OP_ENUM: return put_enum(w, pc, v);
    case SL_OP_ARRAY: return put_array(w, pc, v);
    case SL_OP_MAP: return put_map(w, pc, v);
    case SL_OP_ENTRIES: return put_entries(w, pc, v);
    case SL_OP_UNION: return put_union(w, pc, v);
    case SL_OP_INT:
    case SL_OP_LONG:
    case SL_OP_BOOLEAN:
    case SL_OP_FLOAT:
    case SL_OP_DOUBLE:
    case SL_OP_BYTES:
    case SL_OP_RECORD:
    case SL_OP_END:
    case SL_OP_SINGLE: break;
    }
    return fail(w, pc, "is of an unknown kind");
}

static void put_float(struct writer *w, double d)
{
    float f = (float)d;

    memcpy(w->at, &f, 4); /* Avro is little-endian, as this machine is */
    w->at += 4;
}

static bool run(struct writer *w, uint32_t pc, uint32_t end_pc, const struct sl_value *in)
{
    const struct sl_avro_step *steps = w->plan->steps;
    const struct sl_value *outer[SL_AVRO_MAX_DEPTH];
    int depth = 0;

    while (pc != end_pc) {
        const struct sl_avro_step *step = &steps[pc];
        struct sl_value v;

        want(w, 0);
        if (step->op == SL_OP_END) {
            in = outer[--depth];
            pc++;
            continue;
        }
        if (__builtin_expect(step->op == SL_OP_SINGLE, 0)) {
            put_long(w, 0);
            pc++;
            continue;
        }
        v = *in++;
        if (__builtin_expect(v.tag != step->tag, 0)) {
            if (!resolve(w, pc, &v))
                return false;
            if (sl_is_null(v)) {
                put_long(w, step->null_branch);
                pc = step->next;
                continue;
            }
        }
        if (step->null_branch != SL_NOT_NULLABLE && step->op != SL_OP_UNION)
            *w->at++ = (uint8_t)((1 - step->null_branch) << 1);
        switch (step->op) {
        case SL_OP_INT:
            if (v.i != (int32_t)v.i)
                return fail(w, pc, "is out of the range of its integer type");
            put_long(w, v.i);
            break;
        case SL_OP_LONG: put_long(w, v.i); break;
        case SL_OP_BOOLEAN: *w->at++ = v.i != 0; break;
        case SL_OP_FLOAT: put_float(w, v.d); break;
        case SL_OP_DOUBLE:
            memcpy(w->at, &v.d, 8);
            w->at += 8;
            break;
        case SL_OP_BYTES:
            put_long(w, v.len);
            put_bytes(w, v.bytes, v.len);
            break;
        case SL_OP_RECORD:
            if (v.len != step->n)
                return fail(w, pc, "is a struct with another number of fields than its schema");
            outer[depth++] = in;
            in = v.items;
            pc++;
            continue;
        default:
            if (!put_rare(w, pc, v))
                return false;
        }
        pc = step->next;
    }
    return true;
}

enum sl_rc sl_avro_encode(const struct sl_avro_plan *plan, struct sl_value value, struct sl_buf *out,
                          struct sl_error *err)
{
    struct writer w = {.plan = plan, .out = out};
    size_t before = out->len;

    w.at = sl_buf_reserve(out, (size_t)ROOM * 2);
    w.end = out->data + out->capacity;
    if (!run(&w, 0, plan->n_steps, &value)) {
        out->len = before;
        return sl_error_set(err, SL_E_DATA, "a value cannot be written in Avro: field '%s' %s",
                            plan->notes[w.failed].name, w.reason);
    }
    out->len = (size_t)(w.at - out->data);
    return SL_OK;
}
