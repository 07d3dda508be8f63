/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/migrate/adopt.h"
#include "engine/subscription.h"

#include <stdio.h>

struct part {
    struct sl_progress progress; /* next_offset: what to go on with */
    int64_t target, group;
};

struct work {
    struct sl_transport *transport;
    const struct sl_connector *connector;
    struct part *parts;
    size_t n, capacity;
    char *reader;
};

static void see_topic(void *ctx, const struct sl_topic_info *info)
{
    struct work *work = ctx;

    if (!sl_stored_reads(work->connector, info->name))
        return;
    SL_GROW(work->parts, work->n, work->capacity);
    work->parts[work->n++] = (struct part){
        .progress = {.topic = sl_topic_intern(info->name, strlen(info->name)), .partition = info->partition},
        .target = -1,
        .group = -1,
    };
}

/* A position in a topic that was made again, or of another log, is none. */
static void see_position(void *ctx, const struct sl_sink_position *position)
{
    struct work *work = ctx;

    for (size_t i = 0; i < work->n; i++) {
        struct part *part = &work->parts[i];
        char *identity = NULL;
        struct sl_error err;

        if (part->progress.partition != position->partition ||
            strcmp(part->progress.topic->name, position->topic) != 0)
            continue;
        if (work->transport->ops->topic_identity(work->transport, part->progress.topic, &identity, &err) ==
                SL_OK &&
            strcmp(identity, position->identity) == 0)
            part->target = position->next_offset;
        sl_free(identity);
    }
}

static enum sl_rc read_groups(struct work *work, struct sl_error *err)
{
    for (size_t i = 0; i < work->n; i++) {
        struct part *part = &work->parts[i];
        bool foreign;
        enum sl_rc rc =
            work->transport->ops->committed(work->transport, work->reader, part->progress.topic,
                                            part->progress.partition, &part->group, &foreign, err);

        if (rc)
            return rc;
    }
    return SL_OK;
}

/* The partitions for which there is something to say, as the sink and the log take them. */
static struct sl_progress *choose(struct work *work, enum sl_adopt_from from, size_t *ret_n)
{
    struct sl_progress *chosen = sl_zalloc(work->n, sizeof(*chosen));
    size_t n = 0;

    for (size_t i = 0; i < work->n; i++) {
        struct part *part = &work->parts[i];
        int64_t wanted = from == SL_ADOPT_TARGET ? part->target : part->group;
        int64_t other = from == SL_ADOPT_TARGET ? part->group : part->target;

        part->progress.next_offset = wanted >= 0 ? wanted : other;
        part->progress.first_offset = part->progress.next_offset;
        if (part->progress.next_offset >= 0)
            chosen[n++] = part->progress;
    }
    *ret_n = n;
    return chosen;
}

static enum sl_rc settle(struct work *work, struct sl_sink_target *target, enum sl_adopt_from from,
                         struct sl_error *err)
{
    size_t n;
    struct sl_progress *chosen = choose(work, from, &n);
    enum sl_rc rc = SL_OK;

    if (n && from == SL_ADOPT_GROUP)
        rc = target->connector->sink->reposition(target->self, chosen, n, err);
    if (rc == SL_OK && n)
        rc = work->transport->ops->commit(work->transport, work->reader, chosen, n, err);
    sl_free(chosen);
    return rc;
}

enum sl_rc sl_adopt(struct sl_transport *transport, const struct sl_connector *connector,
                    enum sl_adopt_from from, sl_adopt_visitor *visit, void *ctx, struct sl_error *err)
{
    struct work work = {.transport = transport, .connector = connector};
    struct sl_sink_target target = {0};
    enum sl_rc rc = sl_sink_target_open(transport, connector, &target, err);

    work.reader = sl_format("connect-%s", connector->name);
    sl_reader_tell(transport, work.reader, connector->props);
    if (rc == SL_OK)
        rc = transport->ops->topics(transport, see_topic, &work, err);
    if (rc == SL_OK)
        rc = connector->sink->positions(target.self, see_position, &work, err);
    if (rc == SL_OK)
        rc = read_groups(&work, err);
    if (rc == SL_OK)
        rc = settle(&work, &target, from, err);
    for (size_t i = 0; rc == SL_OK && i < work.n; i++)
        visit(ctx, &(struct sl_adopted){.topic = work.parts[i].progress.topic->name,
                                        .partition = work.parts[i].progress.partition,
                                        .target = work.parts[i].target,
                                        .group = work.parts[i].group,
                                        .now = work.parts[i].progress.next_offset});
    sl_sink_target_close(&target);
    sl_free(work.parts);
    sl_free(work.reader);
    return rc;
}
