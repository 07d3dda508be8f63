/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Debezium's TimezoneConverter: timestamps in change events, in another time zone. Zoned texts say the same
 * moment with another offset. Numbers, which know no zone, are read as what a clock on the wall of that zone
 * showed; the source block's ts_ms, ts_us and ts_ns move by the zone's offset. Which fields: worked out once
 * for each schema, topic and table. Dates and times without a zone stay.
 */
#include "transform/transforms.h"

#include "base/alloc.h"
#include "base/arena.h"
#include "base/clock.h"
#include "codec/envelope.h"
#include "transform/config_list.h"
#include "transform/row_plan.h"
#include "transform/side.h"
#include "transform/time_zone.h"
#include "transform/zoned_text.h"

#include <strings.h>

enum scope { SCOPE_ANY, SCOPE_TOPIC, SCOPE_SOURCE };
enum part { BEFORE, AFTER, SOURCE, PARTS };

/* One entry of a list; entries without a field are about all. */
struct rule {
    enum scope scope;
    char *match;
    char *field; /* or NULL */
};

struct converter {
    struct sl_time_zone *zone;
    bool excludes;
    struct rule *rules;
    size_t n_rules, capacity;
    struct sl_plan_cache plans;
};

/* What a field's value becomes: a zoned text, or a number moved by the offset times the unit. */
struct change {
    uint32_t at;
    bool is_text;
    bool is_epoch; /* of the source block: moved the other way, by the offset at its moment */
    int64_t per_second;
};

struct plan {
    const struct sl_envelope *envelope;
    const struct sl_topic *topic;
    char *table;
    struct change *changes[PARTS];
    size_t n[PARTS];
};

static const char *const classes[] = {"io.debezium.transforms.TimezoneConverter", NULL};

static const struct sl_option options[] = {
    {.name = "converted.timezone",
     .type = SL_OPT_STRING,
     .required = true,
     .importance = SL_IMPORTANCE_HIGH,
     .doc = "The time zone: a name as America/Los_Angeles, or an offset as +08:00."},
    {.name = "include.list",
     .type = SL_OPT_LIST,
     .default_text = "",
     .importance = SL_IMPORTANCE_HIGH,
     .doc = "What to convert, as source:table, source:table:field, topic:name, topic:name:field or "
            "name:field; empty: all."},
    {.name = "exclude.list",
     .type = SL_OPT_LIST,
     .default_text = "",
     .importance = SL_IMPORTANCE_HIGH,
     .doc = "What not to convert, likewise; not together with include.list."},
    {0},
};

static void free_plan(void *plan_)
{
    struct plan *plan = plan_;

    for (int i = 0; i < PARTS; i++)
        sl_free(plan->changes[i]);
    sl_free(plan->table);
    sl_free(plan);
}

static void converter_close(void *self_)
{
    struct converter *self = self_;

    sl_plan_cache_done(&self->plans, free_plan);
    for (size_t i = 0; i < self->n_rules; i++) {
        sl_free(self->rules[i].match);
        sl_free(self->rules[i].field);
    }
    sl_free(self->rules);
    sl_time_zone_free(self->zone);
    sl_free(self);
}

/* ---- lists ---- */

/* An entry without source: or topic: is of the same kind as the one before it, as in the original. */
static bool read_rule(struct converter *self, const char *text, enum scope *scope)
{
    const char *colon = strchr(text, ':');
    size_t len = colon ? (size_t)(colon - text) : strlen(text);
    struct rule rule = {0};

    if (colon && (len == 6 || len == 5) &&
        (strncasecmp(text, "source", len) == 0 || strncasecmp(text, "topic", len) == 0)) {
        *scope = len == 6 ? SCOPE_SOURCE : SCOPE_TOPIC;
        text = colon + 1;
        colon = strchr(text, ':');
        len = colon ? (size_t)(colon - text) : strlen(text);
    } else if (!colon && !self->n_rules) {
        return false;
    }
    if (len == 0 || (colon && (!colon[1] || strchr(colon + 1, ':'))))
        return false;
    rule = (struct rule){
        .scope = *scope, .match = sl_strndup(text, len), .field = colon ? sl_strdup(colon + 1) : NULL};
    SL_GROW(self->rules, self->n_rules, self->capacity);
    self->rules[self->n_rules++] = rule;
    return true;
}

static enum sl_rc read_rules(struct converter *self, const char *text, const char *prefix, const char *name,
                             struct sl_error *err)
{
    struct sl_config_list list = {0};
    enum scope scope = SCOPE_ANY;
    enum sl_rc rc = SL_OK;

    sl_config_list_read(&list, text);
    for (size_t i = 0; i < list.n && rc == SL_OK; i++) {
        if (!read_rule(self, list.items[i], &scope))
            rc = sl_error_set(err, SL_E_CONFIG,
                              "%s%s: '%.100s' is none of source:table, source:table:field, topic:name, "
                              "topic:name:field and name:field. HINT: write it as one of them",
                              prefix, name, list.items[i]);
    }
    sl_config_list_done(&list);
    return rc;
}

static enum sl_rc open_parts(struct converter *self, const struct sl_props *props, const char *prefix,
                             struct sl_error *err)
{
    const char *zone = sl_option_text(options, props, prefix, "converted.timezone");
    const char *include = sl_option_text(options, props, prefix, "include.list");
    const char *exclude = sl_option_text(options, props, prefix, "exclude.list");

    if (!zone || !*zone)
        return sl_error_set(err, SL_E_CONFIG, "%sconverted.timezone is missing. HINT: name the time zone",
                            prefix);
    if (*include && *exclude)
        return sl_error_set(err, SL_E_CONFIG,
                            "%sinclude.list and %sexclude.list are both given. HINT: leave one out", prefix,
                            prefix);
    if (sl_time_zone_open(zone, &self->zone, err))
        return sl_error_wrap(err, "%sconverted.timezone", prefix);
    self->excludes = *exclude != '\0';
    return self->excludes ? read_rules(self, exclude, prefix, "exclude.list", err)
                          : read_rules(self, include, prefix, "include.list", err);
}

static enum sl_rc converter_open(const struct sl_props *props, const char *prefix, const char *class_name,
                                 void **ret_self, struct sl_error *err)
{
    struct converter *self = sl_zalloc(1, sizeof(*self));
    enum sl_rc rc = open_parts(self, props, prefix, err);

    (void)class_name;
    if (rc)
        converter_close(self);
    else
        *ret_self = self;
    return rc;
}

/* ---- plans ---- */

/* The rules that are about this event have one scope and match; the first that has any counts. */
struct chosen {
    bool found, has_fields;
    enum scope scope;
    const char *match;
};

static struct chosen choose(const struct converter *self, const char *topic, const char *table)
{
    const struct chosen tries[] = {{.scope = SCOPE_TOPIC, .match = topic},
                                   {.scope = SCOPE_SOURCE, .match = table},
                                   {.scope = SCOPE_ANY, .match = topic},
                                   {.scope = SCOPE_ANY, .match = table}};
    struct chosen chosen = {0};

    for (size_t i = 0; i < sizeof(tries) / sizeof(*tries) && !chosen.found; i++) {
        chosen = tries[i];
        for (size_t j = 0; j < self->n_rules; j++) {
            const struct rule *rule = &self->rules[j];

            if (rule->scope != chosen.scope || strcmp(rule->match, chosen.match) != 0)
                continue;
            chosen.found = true;
            chosen.has_fields |= rule->field != NULL;
        }
    }
    return chosen;
}

/* Whether a rule's field is this one: before.x, after.x and source.x are of their part, x of both rows. */
static bool is_field(const char *rule, enum part part, const char *name)
{
    static const char *const parts[] = {"before.", "after.", "source."};

    for (int i = 0; i < PARTS; i++) {
        size_t len = strlen(parts[i]);

        if (strncmp(rule, parts[i], len) == 0)
            return i == (int)part && strcmp(rule + len, name) == 0;
    }
    return part != SOURCE && strcmp(rule, name) == 0;
}

static bool is_listed(const struct converter *self, const struct chosen *chosen, enum part part,
                      const char *name) /* name NULL: any field of the part */
{
    for (size_t i = 0; i < self->n_rules; i++) {
        const struct rule *rule = &self->rules[i];

        if (rule->scope != chosen->scope || strcmp(rule->match, chosen->match) != 0 || !rule->field)
            continue;
        if (name ? is_field(rule->field, part, name) : strncmp(rule->field, "source.", 7) == 0)
            return true;
    }
    return false;
}

static bool describe(const struct sl_field *field, enum part part, struct change *ret)
{
    switch ((int)field->schema->semantic) {
    case SL_SEM_DBZ_ZONED_TIMESTAMP:
    case SL_SEM_DBZ_ZONED_TIME: ret->is_text = true; return true;
    case SL_SEM_TIMESTAMP:
    case SL_SEM_DBZ_TIMESTAMP: ret->per_second = 1000; return true;
    case SL_SEM_DBZ_MICRO_TIMESTAMP: ret->per_second = 1000000; return true;
    case SL_SEM_DBZ_NANO_TIMESTAMP: ret->per_second = 1000000000; return true;
    default: break;
    }
    if (part != SOURCE || field->schema->name || field->schema->type != SL_INT64)
        return false;
    ret->is_epoch = true;
    ret->per_second = strcmp(field->name, "ts_ms") == 0   ? 1000
                      : strcmp(field->name, "ts_us") == 0 ? 1000000
                      : strcmp(field->name, "ts_ns") == 0 ? 1000000000
                                                          : 0;
    return ret->per_second != 0;
}

static void compile_part(const struct converter *self, struct plan *plan, const struct chosen *chosen,
                         enum part part, const struct sl_schema *schema)
{
    if (!schema || schema->type != SL_STRUCT)
        return;
    if (part == SOURCE && !(chosen->found && is_listed(self, chosen, part, NULL)))
        return;
    plan->changes[part] = sl_zalloc((size_t)schema->n_fields + 1, sizeof(struct change));
    for (uint32_t i = 0; i < schema->n_fields; i++) {
        struct change change = {.at = i};
        bool listed = chosen->has_fields && is_listed(self, chosen, part, schema->fields[i].name);

        if (chosen->has_fields && listed == self->excludes)
            continue;
        if (describe(&schema->fields[i], part, &change))
            plan->changes[part][plan->n[part]++] = change;
    }
}

static void compile(const struct converter *self, struct plan *plan)
{
    struct chosen chosen = choose(self, plan->topic->name, plan->table);

    for (int i = 0; i < PARTS; i++) {
        sl_free(plan->changes[i]);
        plan->changes[i] = NULL;
        plan->n[i] = 0;
    }
    /* In no list: excluded from including, and not excluded. In a list without fields: the reverse. */
    if (self->n_rules && !chosen.has_fields && chosen.found == self->excludes)
        return;
    compile_part(self, plan, &chosen, BEFORE, plan->envelope->row);
    compile_part(self, plan, &chosen, AFTER, plan->envelope->row);
    compile_part(self, plan, &chosen, SOURCE, plan->envelope->source_schema);
}

static struct sl_value table_of(const struct sl_envelope *envelope, struct sl_value event)
{
    const struct sl_schema *schema = envelope->source < 0 ? NULL : envelope->source_schema;
    int at = schema ? sl_schema_field(schema, "table") : -1;
    struct sl_value source = schema ? event.items[envelope->source] : sl_null();

    return at >= 0 && source.tag == SL_STRUCT ? source.items[at] : sl_null();
}

static const struct plan *plan_for(struct converter *self, const struct sl_message *message)
{
    struct plan *plan = sl_plan_cache_get(&self->plans, message->value_schema);
    struct sl_value table;
    size_t len;

    if (!plan) {
        plan = sl_zalloc(1, sizeof(*plan));
        plan->envelope = sl_envelope_of(message->value_schema);
        (void)sl_plan_cache_put(&self->plans, message->value_schema, plan);
    }
    if (!plan->envelope)
        return plan;
    table = table_of(plan->envelope, message->record.value);
    len = table.tag == SL_STRING ? table.len : 0;
    if (plan->topic != message->topic || !plan->table || strlen(plan->table) != len ||
        (len && memcmp(plan->table, table.bytes, len) != 0)) {
        sl_free(plan->table);
        plan->table = sl_strndup(len ? (const char *)table.bytes : "", len);
        plan->topic = message->topic;
        compile(self, plan);
    }
    return plan;
}

/* ---- values ---- */

static bool convert_text(const struct converter *self, struct sl_value *value, struct sl_arena *arena)
{
    char text[SL_ZONED_TEXT_SIZE];
    struct sl_zoned zoned;
    int32_t offset_s;
    size_t len;

    if (value->tag != SL_STRING || !sl_zoned_read((const char *)value->bytes, value->len, &zoned))
        return false;
    /* The original asks for the offset of the time as it stands there, and of times for today's. */
    offset_s = zoned.has_date ? sl_time_zone_at_local(self->zone, zoned.local_s)
                              : sl_time_zone_at(self->zone, sl_wall_us() / 1000000);
    zoned.local_s += offset_s - zoned.offset_s;
    zoned.offset_s = offset_s;
    len = sl_zoned_write(&zoned, text);
    *value = sl_bytes(SL_STRING, sl_arena_copy(arena, text, len), len);
    return true;
}

static bool convert_number(const struct converter *self, const struct change *change, struct sl_value *value)
{
    int64_t s = value->i / change->per_second - (value->i % change->per_second < 0);
    int64_t moved;
    int32_t by = change->is_epoch ? sl_time_zone_at(self->zone, s) : -sl_time_zone_at_local(self->zone, s);

    if (value->tag != SL_INT64 || __builtin_add_overflow(value->i, by * change->per_second, &moved))
        return false;
    *value = sl_int(SL_INT64, moved);
    return true;
}

static enum sl_verdict convert_part(const struct converter *self, const struct plan *plan, enum part part,
                                    const struct sl_schema *schema, struct sl_value *row,
                                    struct sl_arena *arena, struct sl_error *err)
{
    struct sl_value *fields;

    if (!plan->n[part] || row->tag != SL_STRUCT)
        return SL_KEEP;
    fields = sl_arena_copy(arena, row->items, row->len * sizeof(*fields));
    for (size_t i = 0; i < plan->n[part]; i++) {
        const struct change *change = &plan->changes[part][i];
        struct sl_value value = sl_field_get(schema, *row, change->at, true);

        if (sl_is_null(value))
            continue;
        if (!(change->is_text ? convert_text(self, &value, arena) : convert_number(self, change, &value)))
            return sl_bad_record(err,
                                 "TimezoneConverter cannot read the field '%.100s' as a timestamp. HINT: see "
                                 "the record, or leave the field out with exclude.list",
                                 schema->fields[change->at].name);
        fields[change->at] = value;
    }
    *row = sl_items(SL_STRUCT, fields, row->len);
    return SL_KEEP;
}

static enum sl_verdict converter_apply(void *self_, struct sl_message *message, struct sl_arena *arena,
                                       struct sl_error *err)
{
    struct converter *self = self_;
    const struct plan *plan;
    struct sl_value *event;
    enum sl_verdict verdict = SL_KEEP;

    if (!message->value_schema || message->record.value.tag != SL_STRUCT)
        return SL_KEEP;
    plan = plan_for(self, message);
    if (!plan->envelope || !(plan->n[BEFORE] + plan->n[AFTER] + plan->n[SOURCE]))
        return SL_KEEP;
    event = sl_arena_copy(arena, message->record.value.items, message->record.value.len * sizeof(*event));
    for (int i = 0; i < PARTS && verdict == SL_KEEP; i++) {
        const struct sl_envelope *envelope = plan->envelope;
        int at = i == BEFORE ? envelope->before : i == AFTER ? envelope->after : envelope->source;

        if (at >= 0)
            verdict =
                convert_part(self, plan, (enum part)i, i == SOURCE ? envelope->source_schema : envelope->row,
                             &event[at], arena, err);
    }
    if (verdict == SL_KEEP)
        message->record.value = sl_items(SL_STRUCT, event, message->record.value.len);
    return verdict;
}

const struct sl_transform_ops sl_transform_timezone_converter = {
    .name = "TimezoneConverter",
    .classes = classes,
    .options = options,
    .open = converter_open,
    .apply = converter_apply,
    .close = converter_close,
};
