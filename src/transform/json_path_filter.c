/* SPDX-License-Identifier: Apache-2.0 */
/* Confluent's Filter: a condition in JsonPath (json_path.h) about the key or value says which records stay.
 */
#include "transform/transforms.h"

#include "transform/json_path.h"
#include "transform/side.h"

#include <strings.h>

struct filter {
    bool key;
    bool includes;          /* those that fulfil the condition stay; else: they go */
    enum sl_verdict absent; /* what becomes of records without the field */
    struct sl_json_path *path;
};

static const char *const classes[] = {"io.confluent.connect.transforms.Filter$Value",
                                      "io.confluent.connect.transforms.Filter$Key", NULL};
static const char *const kinds[] = {"include", "exclude", NULL};
static const char *const behaviors[] = {"fail", "include", "exclude", NULL};

static const struct sl_option options[] = {
    {.name = "filter.condition",
     .type = SL_OPT_STRING,
     .required = true,
     .importance = SL_IMPORTANCE_HIGH,
     .doc = "A condition in JsonPath, as far as shown above."},
    {.name = "filter.type",
     .type = SL_OPT_STRING,
     .required = true,
     .importance = SL_IMPORTANCE_HIGH,
     .doc = "Whether the records that fulfil it are those that stay (include) or those that go (exclude).",
     .values = kinds},
    {.name = "missing.or.null.behavior",
     .type = SL_OPT_STRING,
     .default_text = "fail",
     .importance = SL_IMPORTANCE_MEDIUM,
     .doc = "What becomes of a record in which the path before [?( leads to nothing, or to null.",
     .values = behaviors},
    {0},
};

static void filter_close(void *self_)
{
    struct filter *self = self_;

    sl_json_path_free(self->path);
    sl_free(self);
}

static enum sl_verdict verdict_of(const char *behavior)
{
    if (strcasecmp(behavior, "include") == 0)
        return SL_KEEP;
    return strcasecmp(behavior, "exclude") == 0 ? SL_DROP : SL_FAIL;
}

static enum sl_rc filter_open(const struct sl_props *props, const char *prefix, const char *class_name,
                              void **ret_self, struct sl_error *err)
{
    struct filter *self = sl_zalloc(1, sizeof(*self));
    const char *condition = sl_option_text(options, props, prefix, "filter.condition");
    const char *type = sl_option_text(options, props, prefix, "filter.type");
    enum sl_rc rc;

    self->key = sl_side_is_key(class_name);
    self->includes = type && strcasecmp(type, "include") == 0;
    self->absent = verdict_of(sl_option_text(options, props, prefix, "missing.or.null.behavior"));
    if (!condition || !type)
        rc = sl_error_set(err, SL_E_CONFIG,
                          "%sfilter.%s is missing. HINT: filter.condition and filter.type are given together",
                          prefix, condition ? "type" : "condition");
    else if ((rc = sl_json_path_read(condition, &self->path, err)) != SL_OK)
        (void)sl_error_wrap(err, "%sfilter.condition", prefix);
    if (rc)
        filter_close(self);
    else
        *ret_self = self;
    return rc;
}

static enum sl_verdict filter_apply(void *self_, struct sl_message *message, struct sl_arena *arena,
                                    struct sl_error *err)
{
    struct filter *self = self_;
    struct sl_side side = sl_side_of(message, self->key);
    enum sl_json_answer answer = sl_json_path_ask(self->path, *side.schema, *side.value);

    (void)arena;
    if (answer == SL_JSON_MISSING && self->absent == SL_FAIL)
        return sl_bad_record(
            err,
            "Filter: the path of filter.condition leads to nothing in a %s of topic '%.200s'. "
            "HINT: missing.or.null.behavior says what becomes of such records",
            self->key ? "key" : "value", message->topic->name);
    if (answer == SL_JSON_MISSING)
        return self->absent;
    return (answer == SL_JSON_YES) == self->includes ? SL_KEEP : SL_DROP;
}

const struct sl_transform_ops sl_transform_json_path_filter = {
    .name = "JsonPathFilter",
    .classes = classes,
    .options = options,
    .open = filter_open,
    .apply = filter_apply,
    .close = filter_close,
};
