/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A sink's positions. The target's own transaction holds the truth, so that is changed first; what the log
 * knows of it follows.
 */
#include "engine/herd/herd_offsets.h"

#include "base/alloc.h"
#include "base/props.h"
#include "base/regex.h"
#include "engine/config/connector_options.h"
#include "engine/positions.h"
#include "engine/subscription.h"

#include <errno.h>
#include <stdlib.h>

/* The partitions of the log that the connector reads. */
struct reads {
    struct sl_herder *herder;
    const struct sl_props *props;
    struct sl_regex *regex;
    struct sl_progress *items; /* first_offset: the oldest there; next_offset: the end */
    size_t n;
    size_t capacity;
};

static bool is_listed(const char *list, const char *topic)
{
    char name[256];

    while (list && sl_list_next(&list, name, sizeof(name))) {
        if (strcmp(name, topic) == 0)
            return true;
    }
    return false;
}

static void see_topic(void *ctx, const struct sl_topic_info *info)
{
    struct reads *reads = ctx;
    size_t len = strlen(info->name);

    if (reads->regex ? !sl_regex_matches(reads->regex, info->name, len)
                     : !is_listed(sl_connector_text(reads->props, "topics"), info->name))
        return;
    SL_GROW(reads->items, reads->n, reads->capacity);
    reads->items[reads->n++] = (struct sl_progress){
        .topic = sl_topic_intern(info->name, len),
        .partition = info->partition,
        .first_offset = info->first_offset,
        .next_offset = info->next_offset,
    };
}

static enum sl_rc find_reads(struct sl_herder *herder, const struct sl_props *props, struct reads *ret,
                             struct sl_error *err)
{
    struct sl_transport *transport = herder->shared.transport;
    const char *regex = sl_connector_text(props, "topics.regex");
    enum sl_rc rc = SL_OK;

    *ret = (struct reads){.herder = herder, .props = props};
    if (regex && *regex)
        rc = sl_regex_compile(regex, 0, &ret->regex, err);
    if (rc == SL_OK)
        rc = transport->ops->topics(transport, see_topic, ret, err);
    return rc;
}

static void reads_done(struct reads *reads)
{
    sl_regex_free(reads->regex);
    sl_free(reads->items);
}

static struct sl_progress *find(struct reads *reads, const char *topic, int64_t partition)
{
    for (size_t i = 0; i < reads->n; i++) {
        if (reads->items[i].partition == partition && strcmp(reads->items[i].topic->name, topic) == 0)
            return &reads->items[i];
    }
    return NULL;
}

/* Of each partition what is known to be applied, in place of its end; -1: nothing. */
static enum sl_rc read_committed(struct sl_herder *herder, const char *reader, struct reads *reads,
                                 struct sl_error *err)
{
    struct sl_transport *transport = herder->shared.transport;
    enum sl_rc rc = SL_OK;

    for (size_t i = 0; rc == SL_OK && i < reads->n; i++) {
        int64_t next = -1;
        bool foreign; /* Connect committed it: it is a position all the same */

        rc = transport->ops->committed(transport, reader, reads->items[i].topic, reads->items[i].partition,
                                       &next, &foreign, err);
        reads->items[i].next_offset = next;
    }
    return rc;
}

enum sl_rc sl_herd_sink_offsets(struct sl_herder *herder, const char *name, json_t *config, json_t *offsets,
                                struct sl_error *err)
{
    struct sl_props *props = sl_herd_props(config);
    char *reader = sl_format("connect-%s", name);
    struct reads reads;
    enum sl_rc rc = find_reads(herder, props, &reads, err);

    sl_reader_tell(herder->shared.transport, reader, props);
    if (rc == SL_OK)
        rc = read_committed(herder, reader, &reads, err);
    for (size_t i = 0; rc == SL_OK && i < reads.n; i++) {
        const struct sl_progress *at = &reads.items[i];

        if (at->next_offset >= 0)
            (void)json_array_append_new(offsets,
                                        json_pack("{s:{s:s, s:i}, s:{s:I}}", "partition", "kafka_topic",
                                                  at->topic->name, "kafka_partition", (int)at->partition,
                                                  "offset", "kafka_offset", (json_int_t)at->next_offset));
    }
    reads_done(&reads);
    sl_props_free(props);
    sl_free(reader);
    return rc;
}

/* ---- what was asked for ---- */

/* Connect takes numbers as texts too. */
static bool read_number(const json_t *value, int64_t *ret)
{
    const char *text = json_string_value(value);
    char *end;

    if (json_is_integer(value)) {
        *ret = json_integer_value(value);
        return true;
    }
    if (!text || !*text)
        return false;
    errno = 0;
    *ret = strtoll(text, &end, 10);
    return !*end && !errno;
}

static enum sl_rc read_entry(const json_t *entry, const char **ret_topic, int64_t *ret_partition,
                             int64_t *ret_offset, struct sl_error *err)
{
    const json_t *partition = json_object_get(entry, "partition");
    const json_t *offset = json_object_get(entry, "offset");

    *ret_topic = json_string_value(json_object_get(partition, "kafka_topic"));
    *ret_offset = -1;
    if (!*ret_topic)
        return sl_error_set(
            err, SL_E_CONFIG,
            "The partition for a sink connector offset must contain the key 'kafka_topic' with the "
            "name of a topic");
    if (!read_number(json_object_get(partition, "kafka_partition"), ret_partition))
        return sl_error_set(
            err, SL_E_CONFIG,
            "The partition for a sink connector offset must contain the key 'kafka_partition' with "
            "an integer");
    if (json_is_object(offset) &&
        (!read_number(json_object_get(offset, "kafka_offset"), ret_offset) || *ret_offset < 0))
        return sl_error_set(
            err, SL_E_CONFIG,
            "The offset for a sink connector must be null, or contain the key 'kafka_offset' with an "
            "integer that is not negative");
    return SL_OK;
}

/* A position that the log cannot serve would only fail the task later: beyond its end, or gone. */
static enum sl_rc check_place(const struct sl_progress *at, const char *topic, int64_t partition,
                              int64_t offset, struct sl_error *err)
{
    if (!at)
        return sl_error_set(
            err, SL_E_CONFIG,
            "the connector reads no topic '%.200s' with a partition %lld. HINT: GET the offsets for "
            "those that it reads",
            topic, (long long)partition);
    if (offset >= 0 && (offset < at->first_offset || offset > at->next_offset))
        return sl_error_set(
            err, SL_E_CONFIG,
            "topic '%.200s', partition %lld holds the offsets %lld to %lld; %lld cannot be read. "
            "HINT: choose one of those, or null for the oldest",
            topic, (long long)partition, (long long)at->first_offset, (long long)at->next_offset,
            (long long)offset);
    return SL_OK;
}

/* The partitions to be moved, next_offset -1 for those to be forgotten. */
static enum sl_rc make_moves(struct reads *reads, const json_t *offsets, struct sl_progress **ret,
                             size_t *ret_n, struct sl_error *err)
{
    size_t n = offsets ? json_array_size(offsets) : reads->n;
    struct sl_progress *moves = sl_zalloc(n, sizeof(*moves));
    enum sl_rc rc = SL_OK;

    for (size_t i = 0; rc == SL_OK && !offsets && i < n; i++) {
        moves[i] = reads->items[i];
        moves[i].next_offset = -1;
    }
    for (size_t i = 0; rc == SL_OK && offsets && i < n; i++) {
        const struct sl_progress *at = NULL;
        const char *topic = NULL;
        int64_t partition = 0;
        int64_t offset = -1;

        rc = read_entry(json_array_get(offsets, i), &topic, &partition, &offset, err);
        if (rc == SL_OK) {
            at = find(reads, topic, partition);
            rc = check_place(at, topic, partition, offset, err);
        }
        if (rc == SL_OK) {
            moves[i] = *at;
            moves[i].next_offset = offset;
        }
    }
    if (rc) {
        sl_free(moves);
        return rc;
    }
    *ret = moves;
    *ret_n = n;
    return SL_OK;
}

/* ---- moving ---- */

static enum sl_rc topic_identity(void *ctx, const struct sl_topic *topic, char **ret, struct sl_error *err)
{
    struct sl_herder *herder = ctx;
    struct sl_transport *transport = herder->shared.transport;

    return transport->ops->topic_identity(transport, topic, ret, err);
}

static enum sl_rc move_target(struct sl_herder *herder, const struct sl_connector *connector,
                              const struct sl_progress *moves, size_t n, struct sl_error *err)
{
    struct sl_transport *transport = herder->shared.transport;
    const struct sl_sink_ops *ops = connector->sink;
    const struct sl_sink_env env = {
        .connector = connector->name,
        .log_identity = transport->ops->identity(transport),
        .topic_identity = topic_identity,
        .ctx = herder,
    };
    void *sink = NULL;
    enum sl_rc rc;

    if (!ops->reposition)
        return sl_error_set(err, SL_E_UNSUPPORTED, "the sink '%s' cannot move its position", ops->name);
    rc = ops->open(&env, connector->props, &sink, err);
    if (rc)
        return rc;
    rc = ops->reposition(sink, moves, n, err);
    ops->close(sink);
    return rc;
}

/*
 * The log lets go of what it knew and learns the positions anew: its own only ever rise. What stays unknown
 * is reserved again when the connector is opened, and kept from its oldest record on.
 */
static enum sl_rc move_log(struct sl_herder *herder, const char *name, struct reads *reads,
                           const struct sl_progress *moves, size_t n, struct sl_error *err)
{
    struct sl_transport *transport = herder->shared.transport;
    char *reader = sl_format("connect-%s", name);
    enum sl_rc rc = read_committed(herder, reader, reads, err);
    size_t known = 0;

    for (size_t i = 0; i < n; i++)
        find(reads, moves[i].topic->name, moves[i].partition)->next_offset = moves[i].next_offset;
    for (size_t i = 0; i < reads->n; i++) {
        if (reads->items[i].next_offset >= 0 || sl_progress_find(moves, n, &reads->items[i]))
            reads->items[known++] = reads->items[i];
    }
    if (rc == SL_OK)
        rc = transport->ops->reserve(transport, reader, NULL, 0, err);
    if (rc == SL_OK && known)
        rc = transport->ops->commit(transport, reader, reads->items, known, err);
    sl_free(reader);
    return rc;
}

enum sl_rc sl_herd_change_sink(struct sl_herder *herder, const struct sl_connector *connector,
                               const json_t *offsets, struct sl_error *err)
{
    struct sl_progress *moves = NULL;
    struct reads reads;
    size_t n = 0;
    enum sl_rc rc = find_reads(herder, connector->props, &reads, err);

    if (rc == SL_OK)
        rc = make_moves(&reads, offsets, &moves, &n, err);
    if (rc == SL_OK && n)
        rc = move_target(herder, connector, moves, n, err);
    if (rc == SL_OK && n)
        rc = move_log(herder, connector->name, &reads, moves, n, err);
    sl_free(moves);
    reads_done(&reads);
    return rc;
}
