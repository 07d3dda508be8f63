/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kafka Connect's TimestampConverter: a timestamp in another of five forms: text, a number since 1970, or
 * Connect's Date, Time and Timestamp. Between them stands a time in milliseconds.
 */
#include "transform/transforms.h"

#include "base/alloc.h"
#include "base/arena.h"
#include "codec/calendar.h"
#include "codec/date_format.h"
#include "transform/map_value.h"
#include "transform/row_plan.h"
#include "transform/side.h"

#include <strings.h>

enum form { STRING, UNIX, DATE, TIME, TIMESTAMP, N_FORMS, UNKNOWN = N_FORMS };
enum precision { SECONDS, MILLISECONDS, MICROSECONDS, NANOSECONDS };

struct converter {
    bool key;
    bool null_is_default;
    char *field; /* "": the whole */
    enum form to;
    enum precision precision;
    struct sl_date_format *format; /* NULL: none given */
    char *pattern;
    struct sl_buf text;
    struct sl_arena *defaults; /* of the schemas that are made */
    struct sl_plan_cache plans;
};

/* One schema and what it becomes. */
struct plan {
    struct sl_plan_parts parts; /* row NULL: the whole is converted */
    const struct sl_schema *to; /* NULL: why says what is wrong */
    struct sl_error why;
    enum form from; /* of the field, or of the whole */
    int at;         /* -1: the schema has no such field */
};

static const char *const classes[] = {"org.apache.kafka.connect.transforms.TimestampConverter$Value",
                                      "org.apache.kafka.connect.transforms.TimestampConverter$Key", NULL};
static const char *const forms[N_FORMS + 1] = {"string", "unix", "Date", "Time", "Timestamp", NULL};
static const char *const precisions[] = {"seconds", "milliseconds", "microseconds", "nanoseconds", NULL};

static const struct sl_option options[] = {
    {.name = "field",
     .type = SL_OPT_STRING,
     .default_text = "",
     .importance = SL_IMPORTANCE_HIGH,
     .doc = "The field with the timestamp; empty: the whole key or value is one."},
    {.name = "target.type",
     .type = SL_OPT_STRING,
     .required = true,
     .importance = SL_IMPORTANCE_HIGH,
     .doc = "What it becomes.",
     .values = forms},
    {.name = "format",
     .type = SL_OPT_STRING,
     .default_text = "",
     .importance = SL_IMPORTANCE_MEDIUM,
     .doc = "How text is written and read, as for Java's SimpleDateFormat, in UTC."},
    {.name = "unix.precision",
     .type = SL_OPT_STRING,
     .default_text = "milliseconds",
     .importance = SL_IMPORTANCE_LOW,
     .doc = "What the numbers count.",
     .values = precisions},
    SL_NULL_DEFAULT_OPTION,
    {0},
};

static void converter_close(void *self_)
{
    struct converter *self = self_;

    sl_plan_cache_done(&self->plans, sl_plan_parts_free);
    sl_date_format_free(self->format);
    sl_free(self->field);
    sl_free(self->pattern);
    sl_buf_done(&self->text);
    sl_arena_free(self->defaults);
    sl_free(self);
}

/* Which of the words it is; those of option tables are checked before. */
static int word_of(const char *const *words, const char *text)
{
    int i = 0;

    while (words[i] && strcasecmp(words[i], text) != 0)
        i++;
    return i;
}

static enum sl_rc read_format(struct converter *self, const char *prefix, struct sl_error *err)
{
    enum sl_rc rc;

    if (self->pattern[strspn(self->pattern, " \t\r\n")] == '\0')
        return self->to != STRING
                   ? SL_OK
                   : sl_error_set(err, SL_E_CONFIG,
                                  "%sformat is missing. HINT: text needs a pattern, e.g. yyyy-MM-dd", prefix);
    rc = sl_date_format_compile(self->pattern, &self->format, err);
    if (rc)
        (void)sl_error_wrap(err, "%sformat", prefix);
    return rc;
}

static enum sl_rc converter_open(const struct sl_props *props, const char *prefix, const char *class_name,
                                 void **ret_self, struct sl_error *err)
{
    const char *target = sl_option_text(options, props, prefix, "target.type");
    struct converter *self;
    enum sl_rc rc;

    if (!target)
        return sl_error_set(err, SL_E_CONFIG,
                            "%starget.type is missing. HINT: string, unix, Date, Time or Timestamp", prefix);
    self = sl_zalloc(1, sizeof(*self));
    self->key = sl_side_is_key(class_name);
    self->null_is_default = sl_null_is_default(options, props, prefix);
    self->field = sl_strdup(sl_option_text(options, props, prefix, "field"));
    self->pattern = sl_strdup(sl_option_text(options, props, prefix, "format"));
    self->to = (enum form)word_of(forms, target);
    self->precision =
        (enum precision)word_of(precisions, sl_option_text(options, props, prefix, "unix.precision"));
    self->defaults = sl_arena_new(1024);
    rc = read_format(self, prefix, err);
    if (rc)
        converter_close(self);
    else
        *ret_self = self;
    return rc;
}

/* ---- from one form to another ---- */

static int64_t saturated(int64_t number, int64_t factor)
{
    int64_t product;

    if (__builtin_mul_overflow(number, factor, &product))
        return number < 0 ? INT64_MIN : INT64_MAX;
    return product;
}

static int64_t unix_to_ms(enum precision precision, int64_t number)
{
    switch (precision) {
    case SECONDS: return saturated(number, 1000);
    case MILLISECONDS: return number;
    case MICROSECONDS: return number / 1000;
    case NANOSECONDS: return number / 1000000;
    }
    return number;
}

static int64_t ms_to_unix(enum precision precision, int64_t ms)
{
    switch (precision) {
    case SECONDS: return ms / 1000;
    case MILLISECONDS: return ms;
    case MICROSECONDS: return saturated(ms, 1000);
    case NANOSECONDS: return saturated(ms, 1000000);
    }
    return ms;
}

static enum sl_rc read_text(const struct converter *self, struct sl_value value, int64_t *ret,
                            struct sl_error *err)
{
    if (!self->format)
        return sl_error_set(err, SL_E_DATA,
                            "TimestampConverter is given a text and has no format to read it. HINT: set its "
                            "format");
    if (sl_date_format_read(self->format, (const char *)value.bytes, value.len, ret))
        return SL_OK;
    return sl_error_set(err, SL_E_DATA,
                        "TimestampConverter cannot read '%.*s' with the format '%.100s'. HINT: the text must "
                        "begin with what the format says",
                        value.len > 60 ? 60 : (int)value.len, (const char *)value.bytes, self->pattern);
}

static enum sl_rc to_ms(const struct converter *self, enum form from, struct sl_value value, int64_t *ret,
                        struct sl_error *err)
{
    switch (from) {
    case STRING: return read_text(self, value, ret, err);
    case UNIX: *ret = unix_to_ms(self->precision, value.i); return SL_OK;
    case DATE: *ret = value.i * SL_MS_PER_DAY; return SL_OK;
    case TIME:
    case TIMESTAMP: *ret = value.i; return SL_OK;
    case UNKNOWN: break;
    }
    return sl_error_set(err, SL_E_DATA,
                        "TimestampConverter does not know a timestamp in this %s. HINT: it takes int64, "
                        "strings, and Connect's Date, Time and Timestamp",
                        sl_type_name((enum sl_type)value.tag));
}

static struct sl_value from_ms(struct converter *self, int64_t ms, struct sl_arena *arena)
{
    int64_t day = ms / SL_MS_PER_DAY - (ms % SL_MS_PER_DAY < 0);

    switch (self->to) {
    case STRING:
        sl_buf_reset(&self->text);
        sl_date_format_put(self->format, ms, &self->text);
        return sl_bytes(SL_STRING, sl_arena_copy(arena, self->text.data, self->text.len), self->text.len);
    case UNIX: return sl_int(SL_INT64, ms_to_unix(self->precision, ms));
    case DATE: return sl_int(SL_INT32, (int32_t)day);
    case TIME: return sl_int(SL_INT32, ms - day * SL_MS_PER_DAY);
    case TIMESTAMP:
    case UNKNOWN: break;
    }
    return sl_int(SL_INT64, ms);
}

static enum sl_rc convert(struct converter *self, enum form from, struct sl_value *value,
                          struct sl_arena *arena, struct sl_error *err)
{
    int64_t ms = 0;
    enum sl_rc rc;

    if (sl_is_null(*value))
        return SL_OK;
    rc = to_ms(self, from, *value, &ms, err);
    if (rc == SL_OK)
        *value = from_ms(self, ms, arena);
    return rc;
}

/* ---- plans ---- */

static const struct sl_schema *target_schema(const struct converter *self, bool optional)
{
    switch (self->to) {
    case STRING: return sl_schema_plain(SL_STRING, optional);
    case DATE: return sl_schema_named(SL_INT32, "org.apache.kafka.connect.data.Date", 1, optional);
    case TIME: return sl_schema_named(SL_INT32, "org.apache.kafka.connect.data.Time", 1, optional);
    case TIMESTAMP: return sl_schema_named(SL_INT64, "org.apache.kafka.connect.data.Timestamp", 1, optional);
    case UNIX:
    case UNKNOWN: break;
    }
    return sl_schema_plain(SL_INT64, optional);
}

static enum form form_of(const struct sl_schema *schema)
{
    switch ((int)schema->semantic) {
    case SL_SEM_TIMESTAMP: return TIMESTAMP;
    case SL_SEM_DATE: return DATE;
    case SL_SEM_TIME: return TIME;
    default: break;
    }
    return schema->type == SL_STRING ? STRING : schema->type == SL_INT64 ? UNIX : UNKNOWN;
}

static void unknown_form(struct plan *plan, const struct sl_schema *schema)
{
    (void)sl_error_set(&plan->why, SL_E_DATA,
                       "TimestampConverter does not know a timestamp in a %s%s%s. HINT: it takes int64, "
                       "strings, and Connect's Date, Time and Timestamp",
                       sl_type_name(schema->type), schema->name ? " named " : "",
                       schema->name ? schema->name : "");
}

/* The schema's own default, with its field converted. */
static void convert_default(struct converter *self, const struct sl_schema *schema, struct plan *plan)
{
    struct sl_schema draft = *plan->to;
    struct sl_value *fields = sl_row_plan_copy(plan->parts.row, schema->default_value, self->defaults);

    if (plan->at >= 0 && convert(self, plan->from, &fields[plan->at], self->defaults, &plan->why)) {
        plan->to = NULL;
        return;
    }
    draft.has_default = true;
    draft.default_value = sl_items(SL_STRUCT, fields, plan->parts.row->n_kept);
    plan->to = sl_schema_intern(&draft);
}

static void compile_row(struct converter *self, const struct sl_schema *schema, struct plan *plan)
{
    struct sl_row_draft draft;

    plan->at = sl_schema_field(schema, self->field);
    sl_row_draft_begin(&draft, "TimestampConverter", schema, self->null_is_default);
    for (uint32_t i = 0; i < schema->n_fields; i++)
        sl_row_draft_keep(&draft, i, NULL,
                          (int)i == plan->at ? target_schema(self, schema->fields[i].schema->optional)
                                             : NULL);
    plan->parts.row = sl_row_draft_end(&draft, schema->optional);
    plan->from = plan->at >= 0 ? form_of(schema->fields[plan->at].schema) : UNKNOWN;
    plan->to = plan->parts.row->to;
    if (schema->has_default && schema->default_value.tag == SL_STRUCT)
        convert_default(self, schema, plan);
}

static struct plan *plan_for(struct converter *self, const struct sl_schema *schema)
{
    struct plan *plan = sl_plan_cache_get(&self->plans, schema);

    if (plan)
        return plan;
    plan = sl_zalloc(1, sizeof(*plan));
    if (*self->field) {
        compile_row(self, schema, plan);
    } else {
        plan->from = form_of(schema);
        plan->to = target_schema(self, schema->optional);
        if (plan->from == UNKNOWN) {
            plan->to = NULL;
            unknown_form(plan, schema);
        }
    }
    return sl_plan_cache_put(&self->plans, schema, plan);
}

/* ---- records ---- */

static enum sl_verdict convert_row(struct converter *self, const struct plan *plan, struct sl_side side,
                                   struct sl_arena *arena, struct sl_error *err)
{
    struct sl_value *fields;

    if (sl_is_null(*side.value))
        return SL_KEEP;
    if (plan->at >= 0 && plan->from == UNKNOWN) {
        struct plan wrong;

        unknown_form(&wrong, (*side.schema)->fields[plan->at].schema);
        *err = wrong.why;
        return SL_FAIL;
    }
    fields = sl_row_plan_copy(plan->parts.row, *side.value, arena);
    if (plan->at >= 0 && convert(self, plan->from, &fields[plan->at], arena, err))
        return SL_FAIL;
    *side.value = sl_items(SL_STRUCT, fields, plan->parts.row->n_kept);
    return SL_KEEP;
}

static enum sl_verdict with_schema(struct converter *self, struct sl_side side, struct sl_arena *arena,
                                   struct sl_error *err)
{
    const struct plan *plan;
    enum sl_verdict verdict = SL_KEEP;

    if (*self->field &&
        ((*side.schema)->type != SL_STRUCT || (!sl_is_null(*side.value) && side.value->tag != SL_STRUCT)))
        return sl_side_refuse(side, "TimestampConverter", err);
    plan = plan_for(self, *side.schema);
    if (!plan->to) {
        *err = plan->why;
        return SL_FAIL;
    }
    if (plan->parts.row)
        verdict = convert_row(self, plan, side, arena, err);
    else if (convert(self, plan->from, side.value, arena, err))
        verdict = SL_FAIL;
    if (verdict == SL_KEEP)
        *side.schema = plan->to;
    return verdict;
}

static enum form form_without_schema(struct sl_value value)
{
    return value.tag == SL_INT64 ? UNIX : value.tag == SL_STRING ? STRING : UNKNOWN;
}

static enum sl_verdict without_schema(struct converter *self, struct sl_side side, struct sl_arena *arena,
                                      struct sl_error *err)
{
    struct sl_map_edit edit;
    struct sl_value value = *side.value;

    if (sl_is_null(value))
        return SL_KEEP;
    if (!*self->field)
        return convert(self, form_without_schema(value), side.value, arena, err) ? SL_FAIL : SL_KEEP;
    if (value.tag != SL_MAP)
        return sl_side_refuse(side, "TimestampConverter", err);
    value = sl_map_get(value, self->field);
    if (convert(self, form_without_schema(value), &value, arena, err))
        return SL_FAIL;
    edit = sl_map_edit_begin(*side.value, 1, arena);
    sl_map_edit_put(&edit, self->field, value);
    *side.value = sl_map_edit_end(&edit);
    return SL_KEEP;
}

static enum sl_verdict converter_apply(void *self_, struct sl_message *message, struct sl_arena *arena,
                                       struct sl_error *err)
{
    struct converter *self = self_;
    struct sl_side side = sl_side_of(message, self->key);

    return *side.schema ? with_schema(self, side, arena, err) : without_schema(self, side, arena, err);
}

const struct sl_transform_ops sl_transform_timestamp_converter = {
    .name = "TimestampConverter",
    .classes = classes,
    .options = options,
    .open = converter_open,
    .apply = converter_apply,
    .close = converter_close,
};
