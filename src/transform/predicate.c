/* SPDX-License-Identifier: Apache-2.0 */
#include "transform/predicate.h"

#include "base/alloc.h"
#include "base/props.h"
#include "base/regex.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

enum kind { TOPIC_NAME_MATCHES, HAS_HEADER_KEY, RECORD_IS_TOMBSTONE, N_KINDS };

struct sl_predicate {
    enum kind kind;
    bool negate;
    struct sl_regex *pattern;
    char *header;
    const struct sl_topic *last_topic; /* the answer changes with the topic only */
    bool last_answer;
};

static const char *const class_names[N_KINDS] = {"TopicNameMatches", "HasHeaderKey", "RecordIsTombstone"};
static const char package[] = "org.apache.kafka.connect.transforms.predicates.";

static const struct sl_option options[N_KINDS][2] = {
    {{.name = "pattern",
      .type = SL_OPT_STRING,
      .required = true,
      .importance = SL_IMPORTANCE_MEDIUM,
      .doc = "A Java regular expression that must match the whole topic name."}},
    {{.name = "name",
      .type = SL_OPT_STRING,
      .required = true,
      .importance = SL_IMPORTANCE_MEDIUM,
      .doc = "The name of the header that the record must have."}},
    {{0}},
};

static int kind_of(const char *class_name)
{
    if (strncmp(class_name, package, sizeof(package) - 1) == 0)
        class_name += sizeof(package) - 1;
    for (int i = 0; i < N_KINDS; i++) {
        if (strcmp(class_name, class_names[i]) == 0)
            return i;
    }
    return -1;
}

const struct sl_option *sl_predicate_options(const char *class_name)
{
    int kind = kind_of(class_name);

    return kind < 0 ? NULL : options[kind];
}

static const char *get(const struct sl_props *props, const char *family, const char *name, const char *key)
{
    char *full = sl_format("%s.%s.%s", family, name, key);
    const char *value = sl_props_get(props, full);

    sl_free(full);
    return value && *value ? value : NULL;
}

static bool is_listed(const struct sl_props *props, const char *name)
{
    const char *cursor = sl_props_get(props, "predicates");
    char item[256];

    while (cursor && sl_list_next(&cursor, item, sizeof(item))) {
        if (strcmp(item, name) == 0)
            return true;
    }
    return false;
}

static enum sl_rc set_up(struct sl_predicate *predicate, const struct sl_props *props, const char *name,
                         struct sl_error *err)
{
    const char *key = options[predicate->kind][0].name;
    const char *value = key ? get(props, "predicates", name, key) : NULL;
    enum sl_rc rc = SL_OK;

    if (!key)
        return SL_OK;
    if (!value)
        return sl_error_set(err, SL_E_CONFIG, "predicates.%s.%s is missing. HINT: %s needs it", name, key,
                            class_names[predicate->kind]);
    if (predicate->kind == HAS_HEADER_KEY) {
        predicate->header = sl_strdup(value);
        return SL_OK;
    }
    rc = sl_regex_compile(value, 0, &predicate->pattern, err);
    if (rc)
        (void)sl_error_wrap(err, "predicates.%s.%s", name, key);
    return rc;
}

static enum sl_rc find_kind(const struct sl_props *props, const char *alias, const char *name, enum kind *ret,
                            struct sl_error *err)
{
    const char *class_name = get(props, "predicates", name, "type");
    int kind;

    if (!is_listed(props, name))
        return sl_error_set(
            err, SL_E_CONFIG,
            "transforms.%s.predicate names '%s', which is not in predicates. HINT: add it to the list", alias,
            name);
    if (!class_name)
        return sl_error_set(err, SL_E_CONFIG,
                            "predicates.%s.type is missing. HINT: name the predicate's class", name);
    kind = kind_of(class_name);
    if (kind < 0)
        return sl_error_set(
            err, SL_E_CONFIG,
            "predicates.%s.type: there is no predicate '%s'. HINT: TopicNameMatches, HasHeaderKey or "
            "RecordIsTombstone of %.*s",
            name, class_name, (int)sizeof(package) - 2, package);
    *ret = (enum kind)kind;
    return SL_OK;
}

enum sl_rc sl_predicate_open(const struct sl_props *props, const char *alias, struct sl_predicate **ret,
                             struct sl_error *err)
{
    const char *name = get(props, "transforms", alias, "predicate");
    const char *negate = get(props, "transforms", alias, "negate");
    struct sl_predicate *predicate;
    enum kind kind = N_KINDS;
    enum sl_rc rc;

    if (!name) {
        *ret = NULL;
        return !negate ? SL_OK
                       : sl_error_set(
                             err, SL_E_CONFIG,
                             "transforms.%s.negate is given without transforms.%s.predicate. HINT: name the "
                             "predicate to negate, or remove the key",
                             alias, alias);
    }
    rc = find_kind(props, alias, name, &kind, err);
    if (rc)
        return rc;
    predicate = sl_zalloc(1, sizeof(*predicate));
    predicate->kind = kind;
    predicate->negate = negate && strcasecmp(negate, "true") == 0;
    rc = set_up(predicate, props, name, err);
    if (rc)
        sl_predicate_close(predicate);
    else
        *ret = predicate;
    return rc;
}

static bool topic_matches(struct sl_predicate *predicate, const struct sl_topic *topic)
{
    if (topic != predicate->last_topic) {
        predicate->last_answer = sl_regex_matches(predicate->pattern, topic->name, topic->len);
        predicate->last_topic = topic;
    }
    return predicate->last_answer;
}

static bool has_header(const struct sl_predicate *predicate, const struct sl_record *record)
{
    for (uint16_t i = 0; i < record->n_headers; i++) {
        if (strcmp(record->headers[i].name, predicate->header) == 0)
            return true;
    }
    return false;
}

bool sl_predicate_holds(struct sl_predicate *predicate, const struct sl_message *message)
{
    bool answer = false;

    if (!predicate)
        return true;
    switch (predicate->kind) {
    case TOPIC_NAME_MATCHES: answer = topic_matches(predicate, message->topic); break;
    case HAS_HEADER_KEY: answer = has_header(predicate, &message->record); break;
    case RECORD_IS_TOMBSTONE: answer = sl_is_null(message->record.value); break;
    case N_KINDS: break;
    }
    return answer != predicate->negate;
}

void sl_predicate_close(struct sl_predicate *predicate)
{
    if (!predicate)
        return;
    if (predicate->pattern)
        sl_regex_free(predicate->pattern);
    sl_free(predicate->header);
    sl_free(predicate);
}
