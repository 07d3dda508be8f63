/* SPDX-License-Identifier: Apache-2.0 */
/* Kafka Connect's Cast: fields, or the whole key or value, in another type. */
#include "transform/transforms.h"

#include "base/alloc.h"
#include "base/arena.h"
#include "base/props.h"
#include "transform/cast_value.h"
#include "transform/map_value.h"
#include "transform/row_plan.h"
#include "transform/side.h"

#include <ctype.h>
#include <strings.h>

struct field_cast {
    char *field; /* NULL: the whole */
    enum sl_type to;
};

struct cast {
    bool key;
    bool null_is_default;
    struct field_cast *casts;
    size_t n, capacity;
    struct sl_arena *defaults; /* of the schemas that are made */
    struct sl_plan_cache plans;
};

/* A field that changes its type. */
struct step {
    uint32_t at;
    const struct sl_schema *from;
    enum sl_type to;
};

/* One schema and what it becomes. */
struct plan {
    struct sl_plan_parts parts; /* row NULL: the whole is cast */
    const struct sl_schema *to; /* NULL: why says what is wrong */
    struct sl_error why;
    struct step *steps;
    size_t n_steps;
};

static const char *const classes[] = {"org.apache.kafka.connect.transforms.Cast$Value",
                                      "org.apache.kafka.connect.transforms.Cast$Key", NULL};

static const struct sl_option options[] = {
    {.name = "spec",
     .type = SL_OPT_LIST,
     .required = true,
     .importance = SL_IMPORTANCE_HIGH,
     .doc = "Fields and their new types, as field1:type,field2:type, or one type for the whole: int8, int16, "
            "int32, int64, float32, float64, boolean, string."},
    SL_NULL_DEFAULT_OPTION,
    {0},
};

static void cast_close(void *self_)
{
    struct cast *self = self_;

    sl_plan_cache_done(&self->plans, sl_plan_parts_free);
    for (size_t i = 0; i < self->n; i++)
        sl_free(self->casts[i].field);
    sl_free(self->casts);
    sl_arena_free(self->defaults);
    sl_free(self);
}

/* ---- the specification ---- */

static bool read_type(const char *text, enum sl_type *ret)
{
    while (isspace((unsigned char)*text))
        text++;
    for (int type = SL_INT8; type <= SL_STRING; type++) {
        size_t len = strlen(sl_type_name((enum sl_type)type));

        if (strncasecmp(text, sl_type_name((enum sl_type)type), len) == 0 &&
            text[len + strspn(text + len, " \t")] == '\0') {
            *ret = (enum sl_type)type;
            return true;
        }
    }
    return false;
}

static void add_cast(struct cast *self, const char *field, enum sl_type to)
{
    for (size_t i = 0; field && i < self->n; i++) {
        if (self->casts[i].field && strcmp(self->casts[i].field, field) == 0) {
            self->casts[i].to = to; /* the last one counts */
            return;
        }
    }
    SL_GROW(self->casts, self->n, self->capacity);
    self->casts[self->n++] = (struct field_cast){.field = field ? sl_strdup(field) : NULL, .to = to};
}

static bool read_one(struct cast *self, char *item)
{
    char *colon = strchr(item, ':');
    enum sl_type to = SL_STRING;

    if (colon && strchr(colon + 1, ':'))
        return false;
    if (!read_type(colon ? colon + 1 : item, &to))
        return false;
    if (colon) {
        *colon = '\0';
        for (size_t len = strlen(item); len && isspace((unsigned char)item[len - 1]); len--)
            item[len - 1] = '\0';
    }
    add_cast(self, colon ? item : NULL, to);
    return true;
}

static enum sl_rc read_spec(struct cast *self, const char *text, const char *prefix, struct sl_error *err)
{
    size_t size = strlen(text) + 1;
    char *item = sl_alloc(size);
    size_t items = 0;
    bool whole = false;
    enum sl_rc rc = SL_OK;

    while (!rc && sl_list_next(&text, item, size)) {
        if (!read_one(self, item))
            rc = sl_error_set(err, SL_E_CONFIG,
                              "%sspec: '%.100s' is not field:type. HINT: the types are int8, int16, int32, "
                              "int64, float32, float64, boolean and string",
                              prefix, item);
        else
            whole |= !self->casts[self->n - 1].field;
        items++;
    }
    if (!rc && (items == 0 || (whole && items > 1)))
        rc = sl_error_set(err, SL_E_CONFIG,
                          "%sspec %s. HINT: field:type,field:type, or one type for the whole", prefix,
                          items ? "names a type for the whole and more beside it" : "is empty");
    sl_free(item);
    return rc;
}

static enum sl_rc cast_open(const struct sl_props *props, const char *prefix, const char *class_name,
                            void **ret_self, struct sl_error *err)
{
    struct cast *self = sl_zalloc(1, sizeof(*self));
    const char *spec = sl_option_text(options, props, prefix, "spec");
    enum sl_rc rc;

    self->key = sl_side_is_key(class_name);
    self->null_is_default = sl_null_is_default(options, props, prefix);
    self->defaults = sl_arena_new(1024);
    rc = read_spec(self, spec ? spec : "", prefix, err);
    if (rc)
        cast_close(self);
    else
        *ret_self = self;
    return rc;
}

static const struct field_cast *cast_of(const struct cast *self, const char *field)
{
    for (size_t i = 0; i < self->n; i++) {
        if (self->casts[i].field && strcmp(self->casts[i].field, field) == 0)
            return &self->casts[i];
    }
    return NULL;
}

/* ---- plans ---- */

/* The draft with the default of from, cast; NULL: it cannot be. */
static const struct sl_schema *with_default(const struct cast *self, const struct sl_schema *from,
                                            struct sl_schema draft, struct sl_error *why)
{
    struct sl_value value;

    if (from->has_default && !sl_is_null(from->default_value)) {
        if (sl_cast_value(from, from->default_value, draft.type, self->defaults, &value, why))
            return NULL;
        draft.has_default = true;
        draft.default_value = value;
    }
    return sl_schema_intern(&draft);
}

static void compile_whole(const struct cast *self, const struct sl_schema *from, struct plan *plan)
{
    /* Here, and only here, the name and what belongs to it stay. */
    struct sl_schema draft = {.type = self->casts[0].to,
                              .optional = from->optional,
                              .name = from->name,
                              .has_version = from->has_version,
                              .version = from->version,
                              .doc = from->doc,
                              .parameters = from->parameters,
                              .n_parameters = from->n_parameters};

    plan->to = with_default(self, from, draft, &plan->why);
}

static void compile_field(const struct cast *self, struct sl_row_draft *draft, uint32_t index,
                          struct plan *plan)
{
    const struct sl_field *field = &draft->plan->from->fields[index];
    const struct field_cast *cast = cast_of(self, field->name);
    const struct sl_schema *to;

    if (!cast) {
        sl_row_draft_keep(draft, index, NULL, NULL);
        return;
    }
    to = with_default(self, field->schema,
                      (struct sl_schema){.type = cast->to, .optional = field->schema->optional}, &plan->why);
    plan->steps[plan->n_steps++] = (struct step){.at = index, .from = field->schema, .to = cast->to};
    sl_row_draft_keep(draft, index, NULL, to ? to : field->schema);
}

static void compile_row(const struct cast *self, const struct sl_schema *from, struct plan *plan)
{
    struct sl_row_draft draft;

    plan->parts.own = plan->steps = sl_zalloc((size_t)from->n_fields + 1, sizeof(*plan->steps));
    sl_row_draft_begin(&draft, "Cast", from, self->null_is_default);
    for (uint32_t i = 0; i < from->n_fields; i++)
        compile_field(self, &draft, i, plan);
    plan->parts.row = sl_row_draft_end(&draft, from->optional);
    if (from->has_default && !sl_is_null(from->default_value))
        (void)sl_error_set(&plan->why, SL_E_DATA,
                           "Cast cannot cast the default of a whole struct. HINT: its schema must have none");
    if (!plan->why.rc)
        plan->to = plan->parts.row->to;
}

static const struct plan *plan_for(struct cast *self, const struct sl_schema *schema)
{
    struct plan *plan = sl_plan_cache_get(&self->plans, schema);

    if (plan)
        return plan;
    plan = sl_zalloc(1, sizeof(*plan));
    if (!self->casts[0].field)
        compile_whole(self, schema, plan);
    else
        compile_row(self, schema, plan);
    return sl_plan_cache_put(&self->plans, schema, plan);
}

/* ---- records ---- */

static enum sl_verdict with_schema(struct cast *self, struct sl_side side, struct sl_arena *arena,
                                   struct sl_error *err)
{
    const struct sl_schema *schema = *side.schema;
    bool whole = !self->casts[0].field;
    const struct plan *plan;
    struct sl_value *fields;

    if (!whole && !sl_side_is_struct(side))
        return sl_side_refuse(side, "Cast", err);
    plan = plan_for(self, schema);
    if (!plan->to) {
        *err = plan->why;
        return SL_FAIL;
    }
    if (whole) {
        if (sl_cast_value(schema, *side.value, self->casts[0].to, arena, side.value, err))
            return SL_FAIL;
        *side.schema = plan->to;
        return SL_KEEP;
    }
    fields = sl_row_plan_copy(plan->parts.row, *side.value, arena);
    for (size_t i = 0; i < plan->n_steps; i++) {
        const struct step *step = &plan->steps[i];

        if (sl_cast_value(step->from, fields[step->at], step->to, arena, &fields[step->at], err)) {
            (void)sl_error_wrap(err, "field '%.100s'", schema->fields[step->at].name);
            return SL_FAIL;
        }
    }
    *side.value = sl_items(SL_STRUCT, fields, plan->parts.row->n_kept);
    *side.schema = plan->to;
    return SL_KEEP;
}

static enum sl_verdict without_schema(const struct cast *self, struct sl_side side, struct sl_arena *arena,
                                      struct sl_error *err)
{
    struct sl_map_edit edit;

    if (!self->casts[0].field)
        return sl_cast_value(NULL, *side.value, self->casts[0].to, arena, side.value, err) ? SL_FAIL
                                                                                           : SL_KEEP;
    if (side.value->tag != SL_MAP)
        return sl_side_refuse(side, "Cast", err);
    edit = sl_map_edit_begin(*side.value, self->n, arena);
    for (size_t i = 0; i < self->n; i++) {
        struct sl_value value = sl_map_get(*side.value, self->casts[i].field);

        if (sl_cast_value(NULL, value, self->casts[i].to, arena, &value, err)) {
            (void)sl_error_wrap(err, "field '%.100s'", self->casts[i].field);
            return SL_FAIL;
        }
        sl_map_edit_put(&edit, self->casts[i].field, value);
    }
    *side.value = sl_map_edit_end(&edit);
    return SL_KEEP;
}

static enum sl_verdict cast_apply(void *self_, struct sl_message *message, struct sl_arena *arena,
                                  struct sl_error *err)
{
    struct cast *self = self_;
    struct sl_side side = sl_side_of(message, self->key);

    if (sl_is_null(*side.value))
        return SL_KEEP;
    return *side.schema ? with_schema(self, side, arena, err) : without_schema(self, side, arena, err);
}

const struct sl_transform_ops sl_transform_cast = {
    .name = "Cast",
    .classes = classes,
    .options = options,
    .open = cast_open,
    .apply = cast_apply,
    .close = cast_close,
};
