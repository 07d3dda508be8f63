/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Debezium's Filter and ContentBasedRouter. There, scripts of any language run in the Java virtual machine;
 * here, the part of Groovy that expression.h describes.
 */
#include "transform/transforms.h"

#include "base/regex.h"
#include "transform/expression.h"
#include "transform/side.h"

#include <strings.h>

enum null_mode { NULL_KEEP, NULL_DROP, NULL_EVALUATE };

struct scripted {
    const char *option; /* for messages: where the expression stands */
    struct sl_expression *expression;
    struct sl_regex *topics; /* NULL: all */
    enum null_mode nulls;
    const struct sl_topic *last_topic; /* the answer of topics changes with the topic only */
    bool last_answer;
    const struct sl_topic *last_route; /* the router's last topic */
};

static const char *const filter_classes[] = {"io.debezium.transforms.Filter", NULL};
static const char *const router_classes[] = {"io.debezium.transforms.ContentBasedRouter", NULL};
static const char *const null_modes[] = {"keep", "drop", "evaluate", NULL};

static const char *check_language(const char *text)
{
    if (strcmp(text, "jsr223.groovy") == 0)
        return NULL;
    return "only expressions in Groovy are understood (docs/transforms.md). HINT: write it so, with "
           "jsr223.groovy";
}

#define SCRIPT_OPTIONS(expression_, doc_)                                                   \
    {.name = "language",                                                                    \
     .type = SL_OPT_STRING,                                                                 \
     .required = true,                                                                      \
     .importance = SL_IMPORTANCE_HIGH,                                                      \
     .doc = "What the expression is written in: jsr223.groovy, as far as shown above.",     \
     .validate = check_language},                                                           \
        {.name = expression_,                                                               \
         .type = SL_OPT_STRING,                                                             \
         .required = true,                                                                  \
         .importance = SL_IMPORTANCE_HIGH,                                                  \
         .doc = doc_},                                                                      \
        {.name = "topic.regex",                                                             \
         .type = SL_OPT_STRING,                                                             \
         .importance = SL_IMPORTANCE_LOW,                                                   \
         .doc = "A Java regular expression: other topics pass unchanged."},                 \
    {                                                                                       \
        .name = "null.handling.mode", .type = SL_OPT_STRING, .default_text = "keep",        \
        .importance = SL_IMPORTANCE_LOW, .doc = "What becomes of records without a value.", \
        .values = null_modes                                                                \
    }

static const struct sl_option filter_options[] = {
    SCRIPT_OPTIONS("condition", "An expression that is true for the records that stay."), {0}};
static const struct sl_option router_options[] = {
    SCRIPT_OPTIONS("topic.expression", "An expression that gives the new topic, or null: as it is."), {0}};

static void scripted_close(void *self_)
{
    struct scripted *self = self_;

    if (self->expression)
        sl_expression_free(self->expression);
    if (self->topics)
        sl_regex_free(self->topics);
    sl_free(self);
}

static enum null_mode null_mode_of(const char *word)
{
    if (strcasecmp(word, "drop") == 0)
        return NULL_DROP;
    return strcasecmp(word, "evaluate") == 0 ? NULL_EVALUATE : NULL_KEEP;
}

static enum sl_rc open_parts(struct scripted *self, const struct sl_option *options,
                             const struct sl_props *props, const char *prefix, struct sl_error *err)
{
    const char *language = sl_option_text(options, props, prefix, "language");
    const char *text = sl_option_text(options, props, prefix, self->option);
    const char *topics = sl_option_text(options, props, prefix, "topic.regex");
    enum sl_rc rc;

    if (!language || check_language(language))
        return sl_error_set(err, SL_E_CONFIG, "%slanguage: '%.60s': %s", prefix, language ? language : "",
                            check_language(language ? language : ""));
    if (!text)
        return sl_error_set(err, SL_E_CONFIG, "%s%s is missing. HINT: write the expression there", prefix,
                            self->option);
    self->nulls = null_mode_of(sl_option_text(options, props, prefix, "null.handling.mode"));
    rc = sl_expression_read(text, &self->expression, err);
    if (rc) {
        (void)sl_error_wrap(err, "%s%s", prefix, self->option);
        return rc;
    }
    if (topics && *topics) {
        rc = sl_regex_compile(topics, 0, &self->topics, err);
        if (rc)
            (void)sl_error_wrap(err, "%stopic.regex", prefix);
    }
    return rc;
}

static enum sl_rc open_scripted(const struct sl_option *options, const char *option,
                                const struct sl_props *props, const char *prefix, void **ret_self,
                                struct sl_error *err)
{
    struct scripted *self = sl_zalloc(1, sizeof(*self));
    enum sl_rc rc;

    self->option = option;
    rc = open_parts(self, options, props, prefix, err);
    if (rc)
        scripted_close(self);
    else
        *ret_self = self;
    return rc;
}

static enum sl_rc filter_open(const struct sl_props *props, const char *prefix, const char *class_name,
                              void **ret_self, struct sl_error *err)
{
    (void)class_name;
    return open_scripted(filter_options, "condition", props, prefix, ret_self, err);
}

static enum sl_rc router_open(const struct sl_props *props, const char *prefix, const char *class_name,
                              void **ret_self, struct sl_error *err)
{
    (void)class_name;
    return open_scripted(router_options, "topic.expression", props, prefix, ret_self, err);
}

static bool topic_matches(struct scripted *self, const struct sl_topic *topic)
{
    if (self->topics && topic != self->last_topic) {
        self->last_answer = sl_regex_matches(self->topics, topic->name, topic->len);
        self->last_topic = topic;
    }
    return !self->topics || self->last_answer;
}

/* Whether the expression is asked. False: *ret_verdict says what becomes of the record. */
static bool is_asked(struct scripted *self, const struct sl_message *message, enum sl_verdict *ret_verdict)
{
    *ret_verdict = SL_KEEP;
    if (!topic_matches(self, message->topic))
        return false;
    if (!sl_is_null(message->record.value) || self->nulls == NULL_EVALUATE)
        return true;
    *ret_verdict = self->nulls == NULL_DROP ? SL_DROP : SL_KEEP;
    return false;
}

static enum sl_verdict ask(struct scripted *self, const struct sl_message *message, struct sl_arena *arena,
                           struct sl_script_value *ret, struct sl_error *err)
{
    if (sl_expression_run(self->expression, message, arena, ret, err) == SL_OK)
        return SL_KEEP;
    (void)sl_error_wrap(err, "%s", self->option);
    return SL_FAIL;
}

static enum sl_verdict filter_apply(void *self_, struct sl_message *message, struct sl_arena *arena,
                                    struct sl_error *err)
{
    struct scripted *self = self_;
    struct sl_script_value said;
    enum sl_verdict verdict;

    if (!is_asked(self, message, &verdict))
        return verdict;
    verdict = ask(self, message, arena, &said, err);
    if (verdict != SL_KEEP)
        return verdict;
    if (said.kind != SL_SCRIPT_BOOLEAN)
        return sl_bad_record(err,
                             "condition: it is %s, neither true nor false. HINT: compare, e.g. with != null",
                             sl_script_kind_name(said.kind));
    return said.value.i ? SL_KEEP : SL_DROP;
}

static enum sl_verdict router_apply(void *self_, struct sl_message *message, struct sl_arena *arena,
                                    struct sl_error *err)
{
    struct scripted *self = self_;
    const struct sl_topic *last = self->last_route;
    struct sl_script_value said;
    enum sl_verdict verdict;

    if (!is_asked(self, message, &verdict))
        return verdict;
    verdict = ask(self, message, arena, &said, err);
    if (verdict != SL_KEEP || said.kind == SL_SCRIPT_NULL)
        return verdict;
    if (said.kind != SL_SCRIPT_STRING || said.value.len == 0)
        return sl_bad_record(err,
                             "topic.expression: it is %s, and a topic is a text. HINT: null keeps the topic",
                             said.kind == SL_SCRIPT_STRING ? "empty" : sl_script_kind_name(said.kind));
    if (!last || last->len != said.value.len || memcmp(last->name, said.value.bytes, last->len) != 0)
        self->last_route = sl_topic_intern((const char *)said.value.bytes, said.value.len);
    message->topic = self->last_route;
    return SL_KEEP;
}

const struct sl_transform_ops sl_transform_scripted_filter = {
    .name = "ScriptedFilter",
    .classes = filter_classes,
    .options = filter_options,
    .open = filter_open,
    .apply = filter_apply,
    .close = scripted_close,
};

const struct sl_transform_ops sl_transform_content_based_router = {
    .name = "ContentBasedRouter",
    .classes = router_classes,
    .options = router_options,
    .open = router_open,
    .apply = router_apply,
    .close = scripted_close,
};
