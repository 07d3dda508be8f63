/* SPDX-License-Identifier: Apache-2.0 */
#include "aggregate.h"

#include <string.h>

#include "../storage/arena.h"
#include "../types/bytes.h"
#include "../types/number.h"

static struct sy_value keep(struct sy_run *run, struct sy_value value)
{
    if (value.len > 0)
        value.bytes = (const uint8_t *)sy_arena_dup(run->arena, value.bytes, (size_t)value.len);
    return value;
}

static struct sy_value make_64(struct sy_run *run, uint64_t bits)
{
    uint8_t *bytes = sy_arena_raw(run->arena, 8);
    sy_put_u64(bytes, bits);
    return (struct sy_value){.len = 8, .bytes = bytes};
}

#define UNUSED __attribute__((unused))

void sy_fold_count(struct sy_run *run UNUSED, const struct sy_type *type UNUSED,
                   struct sy_value *state UNUSED, struct sy_value value UNUSED)
{
}

struct sy_value sy_finish_count(struct sy_run *run, const struct sy_type *type UNUSED,
                                struct sy_value state UNUSED, int64_t n)
{
    return make_64(run, (uint64_t)n);
}

void sy_fold_min(struct sy_run *run, const struct sy_type *type, struct sy_value *state,
                 struct sy_value value)
{
    if (state->len == SY_NULL || sy_value_compare(type, value, *state) < 0)
        *state = keep(run, value);
}

void sy_fold_max(struct sy_run *run, const struct sy_type *type, struct sy_value *state,
                 struct sy_value value)
{
    if (state->len == SY_NULL || sy_value_compare(type, value, *state) > 0)
        *state = keep(run, value);
}

struct sy_value sy_finish_min(struct sy_run *run UNUSED, const struct sy_type *type UNUSED,
                              struct sy_value state, int64_t n UNUSED)
{
    return state;
}

static bool is_floating(const struct sy_type *type)
{
    return type->id == SY_FLOAT || type->id == SY_DOUBLE;
}

static int64_t whole(struct sy_value value)
{
    int64_t v = 0;
    (void)sy_varint_to_int(value, &v);
    return v;
}

/* Whole numbers are summed in 64 bits, floating ones as doubles; both stand in eight bytes that are reused.
 */
void sy_fold_sum(struct sy_run *run, const struct sy_type *type, struct sy_value *state,
                 struct sy_value value)
{
    if (value.len <= 0)
        return;
    if (type->id == SY_VARINT) {
        *state = state->len == SY_NULL ? keep(run, value) : sy_varint_add(*state, value, run->arena);
        return;
    }
    if (type->id == SY_DECIMAL) {
        *state = state->len == SY_NULL ? keep(run, value) : sy_decimal_add(*state, value, run->arena);
        return;
    }
    if (state->len == SY_NULL)
        *state = make_64(run, 0);
    uint8_t *bytes = (uint8_t *)(uintptr_t)state->bytes;
    if (is_floating(type)) {
        double v = type->id == SY_FLOAT ? (double)sy_get_float(value.bytes) : sy_get_double(value.bytes);
        sy_put_double(bytes, sy_get_double(bytes) + v);
    } else {
        sy_put_u64(bytes, sy_get_u64(bytes) + (uint64_t)whole(value));
    }
}

/* The state as a value of the argument's type; nothing at all sums up to 0. */
static struct sy_value narrow(struct sy_run *run, const struct sy_type *type, struct sy_value state)
{
    int32_t len = type->id == SY_TINYINT ? 1 : type->id == SY_SMALLINT ? 2 : type->id == SY_INT ? 4 : 8;
    if (type->id == SY_FLOAT) {
        uint8_t *bytes = sy_arena_raw(run->arena, 4);
        sy_put_float(bytes, (float)sy_get_double(state.bytes));
        return (struct sy_value){.len = 4, .bytes = bytes};
    }
    return (struct sy_value){.len = len, .bytes = state.bytes + 8 - len};
}

static struct sy_value nothing(struct sy_run *run, const struct sy_type *type)
{
    static const uint8_t zero[5];
    if (type->id == SY_VARINT)
        return (struct sy_value){.len = 1, .bytes = zero};
    if (type->id == SY_DECIMAL)
        return (struct sy_value){.len = 5, .bytes = zero};
    return narrow(run, type, make_64(run, 0));
}

struct sy_value sy_finish_sum(struct sy_run *run, const struct sy_type *type, struct sy_value state,
                              int64_t n UNUSED)
{
    if (state.len == SY_NULL)
        return nothing(run, type);
    return type->id == SY_VARINT || type->id == SY_DECIMAL ? state : narrow(run, type, state);
}

struct sy_value sy_finish_avg(struct sy_run *run, const struct sy_type *type, struct sy_value state,
                              int64_t n)
{
    if (state.len == SY_NULL || n == 0)
        return nothing(run, type);
    if (type->id == SY_VARINT)
        return sy_varint_divide(state, n, run->arena);
    if (type->id == SY_DECIMAL)
        return sy_decimal_divide(state, n, run->arena);
    uint8_t *bytes = (uint8_t *)(uintptr_t)state.bytes;
    if (is_floating(type))
        sy_put_double(bytes, sy_get_double(bytes) / (double)n);
    else
        sy_put_u64(bytes, (uint64_t)((int64_t)sy_get_u64(bytes) / n));
    return narrow(run, type, state);
}
