/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records of one table to rows, and rows to the last state of each key: an open-addressing table on the
 * encoded key, made anew for each load. The encoding also sorts as the column does (numbers) or nearly so
 * (text), which is all that locality in an index asks for.
 */
#include "sink/postgres/load.h"

#include "base/arena.h"
#include "base/hash.h"

#define SIGN (UINT64_C(1) << 63)

void sl_pgsink_group_begin(struct sl_pgsink_group *group, struct sl_pgsink_target *target)
{
    group->target = target;
    group->n_plans = 0;
    group->n_rows = 0;
    group->n_sorted = 0;
    sl_buf_reset(&group->keys);
}

void sl_pgsink_group_done(struct sl_pgsink_group *group)
{
    sl_free(group->plans);
    sl_free(group->rows);
    sl_free(group->slots);
    sl_free(group->sorted);
    sl_free(group->placed);
    sl_buf_done(&group->keys);
    sl_buf_done(&group->scratch);
}

/* Room for the rows, and a table at most half full. Slots that were used are emptied when the group begins.
 */
static void reserve(struct sl_pgsink_group *group, uint32_t more)
{
    uint32_t wanted = group->n_rows + more;
    uint32_t slots = group->slots_capacity ? group->slots_capacity : 64;

    if (wanted > group->rows_capacity) {
        group->rows_capacity = wanted + wanted / 2;
        group->rows = sl_realloc(group->rows, group->rows_capacity, sizeof(*group->rows));
    }
    while (slots < wanted * 2)
        slots *= 2;
    if (slots != group->slots_capacity) {
        group->slots_capacity = slots;
        group->slots = sl_realloc(group->slots, slots, sizeof(*group->slots));
    }
}

/* ---- keys ---- */

static void put_key_word(struct sl_buf *keys, uint64_t word)
{
    sl_buf_be64(keys, word);
}

/*
 * One key column: a tag, then what memcmp orders. Text ends in a zero, and all lengths follow the last
 * column, so that no two keys share an encoding.
 */
static void put_key_part(struct sl_buf *keys, struct sl_value value)
{
    sl_buf_u8(keys, value.tag);
    switch ((enum sl_type)value.tag) {
    case SL_INT8:
    case SL_INT16:
    case SL_INT32:
    case SL_INT64:
    case SL_BOOLEAN: put_key_word(keys, (uint64_t)value.i ^ SIGN); break;
    case SL_FLOAT32:
    case SL_FLOAT64: {
        double number = value.d == 0 ? 0 : value.d; /* -0 is 0 for PostgreSQL */
        uint64_t bits;

        memcpy(&bits, &number, sizeof(bits));
        put_key_word(keys, bits & SIGN ? ~bits : bits | SIGN);
        break;
    }
    case SL_STRING:
    case SL_BYTES:
        sl_buf_put(keys, value.bytes, value.len);
        sl_buf_u8(keys, 0);
        break;
    case SL_ABSENT:
    case SL_NULL:
    case SL_ARRAY:
    case SL_MAP:
    case SL_STRUCT: break; /* refused when the plan was made, or without a key */
    }
}

static struct sl_value key_value(const struct sl_pgsink_cell *cell, const struct sl_pgsink_row *row)
{
    struct sl_value value = row->cells[cell->source][cell->field];

    if (cell->boxed && value.tag == SL_STRUCT && value.len == 1)
        value = value.items[0];
    return value.tag == cell->tag ? value : cell->instead;
}

/* False when a key column is null: such a row has no equal. */
static bool encode_key(const struct sl_pgsink_plan *plan, const struct sl_pgsink_row *row,
                       struct sl_buf *keys)
{
    for (uint16_t i = 0; i < plan->n_keys; i++) {
        struct sl_value value = key_value(&plan->cells[i], row);

        if (sl_is_null(value))
            return false;
        put_key_part(keys, value);
    }
    for (uint16_t i = 0; plan->n_keys > 1 && i < plan->n_keys; i++) {
        struct sl_value value = key_value(&plan->cells[i], row);

        if (value.tag == SL_STRING || value.tag == SL_BYTES)
            sl_buf_be32(keys, value.len);
    }
    return true;
}

/* The first eight bytes behind the tag, as a number. */
static uint64_t key_prefix(const uint8_t *key, uint32_t len)
{
    uint8_t first[8] = {0};
    uint64_t word;

    memcpy(first, key + 1, len - 1 < 8 ? len - 1 : 8);
    memcpy(&word, first, 8);
    return __builtin_bswap64(word);
}

/* False when the row has no key to be found by. */
static bool set_key(struct sl_pgsink_group *group, const struct sl_pgsink_plan *plan,
                    struct sl_pgsink_row *row)
{
    size_t before = group->keys.len;

    row->key_at = (uint32_t)before;
    row->key_len = 0;
    if (plan->number_key) {
        struct sl_value value = key_value(&plan->cells[0], row);

        row->order = (uint64_t)value.i ^ SIGN;
        return !sl_is_null(value);
    }
    if (!encode_key(plan, row, &group->keys)) {
        group->keys.len = before;
        row->order = UINT64_MAX;
        return false;
    }
    row->key_len = (uint32_t)(group->keys.len - before);
    row->order = key_prefix(group->keys.data + before, row->key_len);
    return true;
}

static bool same_key(const struct sl_pgsink_group *group, const struct sl_pgsink_row *a,
                     const struct sl_pgsink_row *b)
{
    return a->order == b->order && a->key_len == b->key_len &&
           (a->key_len == 0 ||
            memcmp(group->keys.data + a->key_at, group->keys.data + b->key_at, a->key_len) == 0);
}

/* ---- the last state of a key ---- */

/* The later partial row takes what it does not say from the earlier one. */
static void fill_in(struct sl_pgsink_row *later, const struct sl_pgsink_row *earlier, uint32_t n_fields,
                    struct sl_arena *arena)
{
    struct sl_value *merged = sl_arena_copy(arena, later->cells[0], n_fields * sizeof(*merged));
    bool partial = false;

    for (uint32_t i = 0; i < n_fields; i++) {
        if (merged[i].tag == SL_ABSENT)
            merged[i] = earlier->cells[0][i];
        partial |= merged[i].tag == SL_ABSENT;
    }
    later->cells[0] = merged;
    later->partial = partial;
}

/* False: the two cannot be one. */
static bool supersede(const struct sl_pgsink_config *config, struct sl_pgsink_row *earlier,
                      struct sl_pgsink_row *later, const struct sl_pgsink_plan *plan, struct sl_arena *arena)
{
    if (config->insert_mode == SL_PGSINK_UPDATE && earlier->op == SL_PGSINK_DELETE) {
        later->op = SL_PGSINK_GONE; /* there is no row left to update */
        return true;
    }
    if (later->op == SL_PGSINK_WRITE && later->partial) {
        if (earlier->op == SL_PGSINK_DELETE || earlier->plan != later->plan)
            return false;
        fill_in(later, earlier, plan->value_schema->n_fields, arena);
    }
    earlier->op = SL_PGSINK_GONE;
    return true;
}

/* False: an earlier row of the key stands in the way; nothing has changed. */
static bool reduce(const struct sl_pgsink_config *config, struct sl_pgsink_group *group,
                   const struct sl_pgsink_plan *plan, uint32_t index, struct sl_arena *arena)
{
    struct sl_pgsink_row *row = &group->rows[index];
    uint64_t hash = row->key_len ? sl_hash_bytes(group->keys.data + row->key_at, row->key_len, 0)
                                 : sl_hash_u64(row->order);
    uint32_t mask = group->slots_capacity - 1;

    for (uint32_t slot = (uint32_t)hash & mask;; slot = (slot + 1) & mask) {
        uint32_t there = group->slots[slot];

        if (there && !same_key(group, &group->rows[there - 1], row))
            continue;
        if (there && !supersede(config, &group->rows[there - 1], row, plan, arena))
            return false;
        if (!there || row->op != SL_PGSINK_GONE)
            group->slots[slot] = index + 1;
        return true;
    }
}

/* ---- records to rows ---- */

static const struct sl_value *kafka_cells(struct sl_batch *batch, const struct sl_run *run,
                                          const struct sl_record *record)
{
    struct sl_value *cells = sl_arena_alloc(batch->arena, 3 * sizeof(*cells));
    int32_t partition = record->origin < batch->n_progress ? batch->progress[record->origin].partition : 0;

    cells[0] = sl_bytes(SL_STRING, run->topic->name, run->topic->len);
    cells[1] = sl_int(SL_INT32, partition);
    cells[2] = sl_int(SL_INT64, record->offset);
    return cells;
}

/* NULL, or what is wrong with the record as a whole. */
static const char *read_key(const struct sl_pgsink_config *config, const struct sl_pgsink_plan *plan,
                            struct sl_batch *batch, const struct sl_run *run, const struct sl_record *record,
                            struct sl_pgsink_row *row)
{
    if (plan->kafka_key) {
        row->cells[SL_PGSINK_FROM_KEY] = kafka_cells(batch, run, record);
        return NULL;
    }
    if (config->pk_mode != SL_PGSINK_PK_KEY)
        return NULL;
    if (sl_is_null(record->key))
        return "the record has no key, and pk.mode=record_key takes the key columns from it";
    if (plan->bare_key) {
        row->cells[SL_PGSINK_FROM_KEY] = &record->key;
        return NULL;
    }
    if (record->key.tag != SL_STRUCT || record->key.len != plan->key_schema->n_fields)
        return "the key is not what its schema says";
    row->cells[SL_PGSINK_FROM_KEY] = record->key.items;
    return NULL;
}

static const char *read_no_value(const struct sl_pgsink_config *config, struct sl_pgsink_row *row)
{
    if (!config->delete_enabled)
        return "the record has no value (a tombstone), and delete.enabled is false. HINT: drop tombstones in "
               "a "
               "transform, or set delete.enabled=true with pk.mode=record_key";
    row->op = SL_PGSINK_DELETE;
    return NULL;
}

/*
 * What Debezium writes where a change does not say what stands in a large column: the column is left alone.
 * Which columns a row leaves out decides its statement, so this cannot wait until the columns are bound.
 */
static const char unavailable[] = "__debezium_unavailable_value";

static bool is_unavailable(const struct sl_value *value)
{
    return value->len == sizeof(unavailable) - 1 && (value->tag == SL_STRING || value->tag == SL_BYTES) &&
           memcmp(value->bytes, unavailable, sizeof(unavailable) - 1) == 0;
}

/* Is some field absent, or as long as the placeholder? No branches: nearly every row says no. */
static bool may_be_partial(const struct sl_value *fields, uint32_t n)
{
    bool may = false;

    for (uint32_t i = 0; i < n; i++)
        may |= (fields[i].tag == SL_ABSENT) | (fields[i].len == sizeof(unavailable) - 1);
    return may;
}

/* The fields with the unavailable ones absent; a copy only where there is one. */
static const struct sl_value *without_unavailable(struct sl_value fields, struct sl_arena *arena,
                                                  bool *ret_partial)
{
    struct sl_value *copy = NULL;
    bool partial = false;

    for (uint32_t i = 0; i < fields.len; i++) {
        partial |= fields.items[i].tag == SL_ABSENT;
        if (!is_unavailable(&fields.items[i]))
            continue;
        if (!copy)
            copy = sl_arena_copy(arena, fields.items, fields.len * sizeof(*copy));
        copy[i] = (struct sl_value){.tag = SL_ABSENT};
        partial = true;
    }
    *ret_partial = partial;
    return copy ? copy : fields.items;
}

static const char *read_value(const struct sl_pgsink_config *config, const struct sl_pgsink_plan *plan,
                              const struct sl_record *record, struct sl_pgsink_row *row,
                              struct sl_arena *arena)
{
    const struct sl_value *fields = record->value.items;
    bool partial = false;

    row->op = SL_PGSINK_WRITE;
    row->partial = 0;
    row->cells[SL_PGSINK_FROM_VALUE] = NULL;
    if (sl_is_null(record->value))
        return read_no_value(config, row);
    if (!plan->value_schema)
        return "the value has no schema. HINT: use a value converter with schemas";
    if (plan->bare_value) {
        row->cells[SL_PGSINK_FROM_VALUE] = &record->value;
        return NULL;
    }
    if (record->value.tag != SL_STRUCT || record->value.len != plan->value_schema->n_fields)
        return "the value is not what its schema says";
    if (__builtin_expect(may_be_partial(fields, record->value.len), 0))
        fields = without_unavailable(record->value, arena, &partial);
    row->cells[SL_PGSINK_FROM_VALUE] = fields;
    row->partial = partial;
    return NULL;
}

static uint32_t plan_index(struct sl_pgsink_group *group, struct sl_pgsink_plan *plan)
{
    for (uint32_t i = 0; i < group->n_plans; i++) {
        if (group->plans[i] == plan)
            return i;
    }
    SL_GROW(group->plans, group->n_plans, group->plans_capacity);
    group->plans[group->n_plans] = plan;
    return group->n_plans++;
}

/* The table of keys covers all runs of the group: it grows with them, and is filled again when it does. */
static void prepare_slots(const struct sl_pgsink_config *config, struct sl_pgsink_group *group, uint32_t more)
{
    uint32_t before = group->slots_capacity;

    reserve(group, more);
    if (group->n_rows && group->slots_capacity == before)
        return;
    memset(group->slots, 0, group->slots_capacity * sizeof(*group->slots));
    for (uint32_t i = 0; i < group->n_rows; i++) {
        if (group->rows[i].op != SL_PGSINK_GONE && group->rows[i].has_key)
            (void)reduce(config, group, group->plans[group->rows[i].plan], i, NULL);
    }
}

uint32_t sl_pgsink_group_add(const struct sl_pgsink_config *config, struct sl_pgsink_load *load,
                             struct sl_pgsink_group *group, struct sl_pgsink_plan *plan,
                             struct sl_batch *batch, const struct sl_run *run, uint32_t first, uint32_t last,
                             const uint8_t *skip)
{
    bool reduces = config->insert_mode != SL_PGSINK_INSERT;
    uint32_t plan_at = plan_index(group, plan);

    prepare_slots(config, group, last - first);
    for (uint32_t i = first; i < last; i++) {
        const struct sl_record *record = &batch->records[i];
        struct sl_pgsink_row *row = &group->rows[group->n_rows];
        const char *why;

        if (skip && skip[i])
            continue;
        row->record = i;
        row->plan = plan_at;
        row->has_key = false;
        why = read_value(config, plan, record, row, batch->arena);
        if (!why)
            why = read_key(config, plan, batch, run, record, row);
        if (__builtin_expect(why != NULL, 0)) {
            sl_pgsink_bads_add(&load->bads, i, NULL, why);
            continue;
        }
        group->n_rows++;
        if (reduces) {
            row->has_key = set_key(group, plan, row);
            if (__builtin_expect(!row->has_key && row->op == SL_PGSINK_DELETE, 0)) {
                sl_pgsink_bads_add(&load->bads, i, NULL,
                                   "it deletes by a key with a null in it, which no row has");
                group->n_rows--;
                continue;
            }
            if (row->has_key && !reduce(config, group, plan, group->n_rows - 1, batch->arena)) {
                group->n_rows--;
                return i;
            }
        }
    }
    return last;
}

static bool encode_record_key(const struct sl_pgsink_plan *plan, const struct sl_record *record,
                              struct sl_buf *key)
{
    struct sl_pgsink_row row = {0};

    row.cells[SL_PGSINK_FROM_VALUE] = plan->bare_value ? &record->value : record->value.items;
    row.cells[SL_PGSINK_FROM_KEY] = plan->bare_key ? &record->key : record->key.items;
    for (uint16_t i = 0; i < plan->n_keys; i++) {
        if (sl_is_null(plan->cells[i].source == SL_PGSINK_FROM_KEY ? record->key : record->value))
            return false;
    }
    return !plan->kafka_key && plan->n_keys && encode_key(plan, &row, key);
}

bool sl_pgsink_same_key(const struct sl_pgsink_plan *plan_a, const struct sl_record *a,
                        const struct sl_pgsink_plan *plan_b, const struct sl_record *b)
{
    struct sl_buf key_a = {0};
    struct sl_buf key_b = {0};
    bool same = plan_a->target == plan_b->target && encode_record_key(plan_a, a, &key_a) &&
                encode_record_key(plan_b, b, &key_b) && key_a.len == key_b.len &&
                memcmp(key_a.data, key_b.data, key_a.len) == 0;

    sl_buf_done(&key_a);
    sl_buf_done(&key_b);
    return same;
}
