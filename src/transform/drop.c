/* SPDX-License-Identifier: Apache-2.0 */
/* Confluent's Drop: the key or value becomes null, and its schema what schema.behavior says. */
#include "transform/transforms.h"

#include "base/alloc.h"
#include "transform/side.h"

#include <strings.h>

/* In the order of the words. */
enum behavior { NULLIFY, RETAIN, VALIDATE, FORCE_OPTIONAL };

struct drop {
    bool key;
    enum behavior behavior;
};

static const char *const classes[] = {"io.confluent.connect.transforms.Drop$Value",
                                      "io.confluent.connect.transforms.Drop$Key", NULL};
static const char *const behaviors[] = {"nullify", "retain", "validate", "force_optional", NULL};

static const struct sl_option options[] = {
    {.name = "schema.behavior",
     .type = SL_OPT_STRING,
     .default_text = "nullify",
     .importance = SL_IMPORTANCE_MEDIUM,
     .doc = "What becomes of the schema: nothing is left of it, it stays, it must be optional already, or it "
            "is made so.",
     .values = behaviors},
    {0},
};

static enum sl_rc drop_open(const struct sl_props *props, const char *prefix, const char *class_name,
                            void **ret_self, struct sl_error *err)
{
    const char *word = sl_option_text(options, props, prefix, "schema.behavior");
    struct drop *self;
    int at = 0;

    while (behaviors[at] && strcasecmp(behaviors[at], word) != 0)
        at++;
    if (!behaviors[at])
        return sl_error_set(err, SL_E_CONFIG,
                            "%sschema.behavior: '%.60s' is none. HINT: nullify, retain, validate or "
                            "force_optional",
                            prefix, word);
    self = sl_zalloc(1, sizeof(*self));
    self->key = sl_side_is_key(class_name);
    self->behavior = (enum behavior)at;
    *ret_self = self;
    return SL_OK;
}

static enum sl_verdict drop_apply(void *self_, struct sl_message *message, struct sl_arena *arena,
                                  struct sl_error *err)
{
    const struct drop *self = self_;
    struct sl_side side = sl_side_of(message, self->key);

    (void)arena;
    if (*side.schema && self->behavior == VALIDATE && !(*side.schema)->optional)
        return sl_bad_record(err,
                             "Drop leaves null, and the schema of the %s is not optional. HINT: set "
                             "schema.behavior to force_optional or nullify",
                             self->key ? "key" : "value");
    if (self->behavior == NULLIFY)
        *side.schema = NULL;
    else if (*side.schema && self->behavior == FORCE_OPTIONAL)
        *side.schema = sl_schema_as_optional(*side.schema, true);
    *side.value = sl_null();
    return SL_KEEP;
}

static void drop_close(void *self)
{
    sl_free(self);
}

const struct sl_transform_ops sl_transform_drop = {
    .name = "Drop",
    .classes = classes,
    .options = options,
    .open = drop_open,
    .apply = drop_apply,
    .close = drop_close,
};
