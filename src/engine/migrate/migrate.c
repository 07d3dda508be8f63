/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/migrate/migrate.h"

#include "base/arena.h"
#include "base/json.h"
#include "base/props.h"
#include "engine/herd/config_store.h"
#include "engine/migrate/migrate_records.h"
#include "engine/migrate/migrate_space.h"
#include "engine/subscription.h"
#include "registry/registries.h"

#include <stdio.h>

enum { AT_ONCE = 1000, ARENA_CHUNK = 64 << 10 };

struct work {
    struct sl_migration *migration;
    struct sl_transport *from, *to;
    struct sl_moved *moved;
    size_t n_moved, moved_capacity;
    struct sl_topic_info *infos; /* each partition of the old log */
    size_t n_infos, infos_capacity;
    size_t sink; /* of the visitor that runs */
};

/* ---- what stands in the way ---- */

struct look {
    const char *key; /* NULL: any */
    char text[300];
    bool found;
};

static void see_key(void *ctx, const char *key, struct sl_span value)
{
    struct look *look = ctx;

    if (look->key && strcmp(look->key, key) != 0)
        return;
    look->found = true;
    (void)snprintf(look->text, sizeof(look->text), "%.*s", look->key ? (int)value.len : 200,
                   look->key ? (const char *)value.ptr : key);
}

static enum sl_rc look_for(struct sl_transport *log, const char *space, const char *key, struct look *ret,
                           struct sl_error *err)
{
    *ret = (struct look){.key = key};
    return log->ops->list(log, space, see_key, ret, err);
}

static enum sl_rc check_ways(const struct work *work, struct sl_error *err)
{
    struct look look, ours; /* the same one is there when an earlier try came that far */
    enum sl_rc rc = look_for(work->from, "parked", NULL, &look, err);

    if (rc == SL_OK && look.found)
        return sl_error_set(
            err, SL_E_CONFIG,
            "keys are parked behind bad records ('%s'). HINT: replay or drop them first, with "
            "sluice dlq",
            look.text);
    for (size_t i = 0; rc == SL_OK && i < work->migration->stored.n; i++) {
        const char *name = work->migration->stored.connectors[i]->name;
        char *key = sl_format("connector-%s", name);

        rc = look_for(work->to, SL_CONFIG_SPACE, key, &look, err);
        if (rc == SL_OK && look.found)
            rc = look_for(work->from, SL_CONFIG_SPACE, key, &ours, err);
        if (rc == SL_OK && look.found && strcmp(look.text, ours.text) != 0)
            rc = sl_error_set(
                err, SL_E_CONFIG,
                "the cluster has a connector '%s' already. HINT: migrate to a group.id and topics "
                "of its own, or delete that connector",
                name);
        sl_free(key);
    }
    return rc;
}

/* ---- what is there ---- */

static void see_topic(void *ctx, const struct sl_topic_info *info)
{
    struct work *work = ctx;

    SL_GROW(work->infos, work->n_infos, work->infos_capacity);
    work->infos[work->n_infos++] = *info;
}

static struct sl_moved *find_moved(struct work *work, size_t sink, const char *topic, int32_t partition)
{
    for (size_t i = 0; i < work->n_moved; i++) {
        struct sl_moved *moved = &work->moved[i];

        if (moved->sink == sink && moved->partition == partition && strcmp(moved->topic->name, topic) == 0)
            return moved;
    }
    return NULL;
}

/* Positions of other logs are no business of this move: the sink refuses them itself when it starts. */
static void see_position(void *ctx, const struct sl_sink_position *position)
{
    struct work *work = ctx;
    struct sl_moved *moved = find_moved(work, work->sink, position->topic, position->partition);

    if (moved && strcmp(position->identity, work->from->ops->identity(work->from)) == 0)
        moved->from = position->next_offset;
}

/* Each partition that a sink reads, with the position in its target. */
static enum sl_rc read_sink(struct work *work, size_t index, struct sl_error *err)
{
    const struct sl_connector *connector = work->migration->stored.connectors[index];
    struct sl_sink_target target = {0};
    enum sl_rc rc;

    if (!connector->sink)
        return SL_OK;
    for (size_t i = 0; i < work->n_infos; i++) {
        const struct sl_topic_info *info = &work->infos[i];

        if (!sl_stored_reads(connector, info->name))
            continue;
        SL_GROW(work->moved, work->n_moved, work->moved_capacity);
        work->moved[work->n_moved++] =
            (struct sl_moved){.sink = index,
                              .topic = sl_topic_intern(info->name, strlen(info->name)),
                              .partition = info->partition,
                              .from = -1,
                              .to = -1};
    }
    work->sink = index;
    rc = sl_sink_target_open(work->from, connector, &target, err);
    if (rc == SL_OK)
        rc = connector->sink->positions(target.self, see_position, work, err);
    sl_sink_target_close(&target);
    return rc ? sl_error_wrap(err, "connector '%s'", connector->name) : SL_OK;
}

/* ---- records ---- */

/* The first record that some sink has not applied; all of them where no sink reads. */
static int64_t begin_of(const struct work *work, const struct sl_topic_info *info)
{
    int64_t begin = INT64_MAX;

    for (size_t i = 0; i < work->n_moved; i++) {
        const struct sl_moved *moved = &work->moved[i];

        if (moved->partition == info->partition && strcmp(moved->topic->name, info->name) == 0)
            begin = moved->from < begin ? moved->from : begin;
    }
    return begin == INT64_MAX || begin < info->first_offset ? info->first_offset : begin;
}

static enum sl_rc move_partition(struct work *work, const struct sl_topic_info *info, struct sl_error *err)
{
    const struct sl_topic *topic = sl_topic_intern(info->name, strlen(info->name));
    struct sl_topic_settings settings = info->settings;
    const struct sl_partition_move move = {.from = work->from,
                                           .to = work->to,
                                           .topic = topic,
                                           .partition = info->partition,
                                           .begin = begin_of(work, info),
                                           .end = info->next_offset,
                                           .moved = work->moved,
                                           .n_moved = work->n_moved};
    uint64_t records = 0;
    enum sl_rc rc = SL_OK;

    if (info->partition == 0) {
        rc = work->to->ops->create_topic(work->to, topic, &settings, err);
        work->migration->topics++;
    }
    if (rc == SL_OK)
        rc = sl_migrate_partition(&move, &records, err);
    work->migration->records += records;
    return rc ? sl_error_wrap(err, "topic '%s' partition %d", info->name, info->partition) : SL_OK;
}

/* ---- positions of sources, and their memories ---- */

/* Many at a time: each append to Kafka has a producer of its own, and those who read the log wait for it. */
struct memories {
    struct work *work;
    const char *connector;
    struct sl_arena *arena; /* of what waits to be appended */
    struct sl_source_offset offsets[AT_ONCE];
    struct sl_source_note notes[AT_ONCE];
    size_t n_offsets, n_notes;
    struct sl_error *err;
    enum sl_rc rc;
};

static struct sl_span keep(const struct memories *memories, struct sl_span span)
{
    struct sl_span kept = span;

    if (span.ptr)
        kept.ptr = sl_arena_copy(memories->arena, span.ptr, span.len);
    return kept;
}

static enum sl_rc flush(struct memories *memories)
{
    struct sl_transport *to = memories->work->to;
    const struct sl_append append = {.offsets = memories->offsets,
                                     .n_offsets = memories->n_offsets,
                                     .notes = memories->notes,
                                     .n_notes = memories->n_notes};

    if (memories->rc == SL_OK && (append.n_offsets || append.n_notes))
        memories->rc = to->ops->append(to, &append, memories->err);
    memories->n_offsets = memories->n_notes = 0;
    sl_arena_reset(memories->arena);
    return memories->rc;
}

static void move_offset(void *ctx, const char *key, struct sl_span value)
{
    struct memories *memories = ctx;

    if (memories->n_offsets == AT_ONCE)
        (void)flush(memories);
    memories->offsets[memories->n_offsets++] = (struct sl_source_offset){
        .connector = memories->connector,
        .partition = keep(memories, (struct sl_span){(const uint8_t *)key, strlen(key)}),
        .offset = keep(memories, value)};
    memories->work->migration->offsets++;
}

static void move_note(void *ctx, const struct sl_note *note)
{
    struct memories *memories = ctx;

    memories->notes[memories->n_notes++] = (struct sl_source_note){
        .connector = memories->connector,
        .note = {.key = keep(memories, note->key), .value = keep(memories, note->value)}};
}

static enum sl_rc move_notes(struct memories *memories, struct sl_error *err)
{
    struct sl_transport *from = memories->work->from;
    struct sl_buf key = {0}; /* the next one is above the last */
    enum sl_rc rc;
    size_t n;

    sl_buf_put(&key, "", 0);
    do {
        struct sl_span begin = {(const uint8_t *)sl_buf_cstr(&key), key.len};

        rc = from->ops->source_notes(from, memories->connector, begin, (struct sl_span){0}, AT_ONCE,
                                     move_note, memories, err);
        n = memories->n_notes;
        if (n) {
            const struct sl_span last = memories->notes[n - 1].note.key;

            sl_buf_reset(&key);
            sl_buf_put(&key, last.ptr, last.len);
            sl_buf_u8(&key, 0);
        }
        if (rc == SL_OK)
            rc = flush(memories);
    } while (rc == SL_OK && n == AT_ONCE);
    sl_buf_done(&key);
    return rc;
}

static enum sl_rc move_source(struct work *work, const struct sl_connector *connector, struct sl_error *err)
{
    struct sl_transport *from = work->from;
    struct memories *memories = sl_zalloc(1, sizeof(*memories));
    enum sl_rc rc;

    *memories = (struct memories){
        .work = work, .connector = connector->name, .arena = sl_arena_new(ARENA_CHUNK), .err = err};
    rc = from->ops->source_offsets(from, connector->name, move_offset, memories, err);
    if (rc == SL_OK)
        rc = flush(memories);
    if (rc == SL_OK)
        rc = move_notes(memories, err);
    sl_arena_free(memories->arena);
    sl_free(memories);
    return rc;
}

/* ---- texts ---- */

struct texts {
    struct sl_transport *to;
    const char *space;
    const char *prefix; /* only keys that begin so; NULL: all */
    struct sl_error *err;
    enum sl_rc rc;
};

static void move_text(void *ctx, const char *key, struct sl_span value)
{
    struct texts *texts = ctx;

    if (texts->rc || (texts->prefix && strncmp(key, texts->prefix, strlen(texts->prefix)) != 0))
        return;
    texts->rc = texts->to->ops->put(texts->to, texts->space, key, value, texts->err);
}

static enum sl_rc move_texts(struct work *work, const char *space, const char *prefix, struct sl_error *err)
{
    struct texts texts = {.to = work->to, .space = space, .prefix = prefix, .err = err};
    enum sl_rc rc = work->from->ops->list(work->from, space, move_text, &texts, err);

    return rc ? rc : texts.rc;
}

/* The commit of a connector's task configs makes them count: it comes last. */
static enum sl_rc move_configs(struct work *work, struct sl_error *err)
{
    static const char *const prefixes[] = {"target-state-", "connector-", "task-", "commit-"};
    const char *group = sl_props_get(work->migration->stored.worker, "group.id");
    char *id = sl_format("connect-cluster-%s", group ? group : "");
    enum sl_rc rc = work->to->ops->claim(work->to, SL_CONFIG_SPACE, id, err);

    sl_free(id);
    for (size_t i = 0; rc == SL_OK && i < sizeof(prefixes) / sizeof(*prefixes); i++)
        rc = move_texts(work, SL_CONFIG_SPACE, prefixes[i], err);
    return rc;
}

/* ---- positions of sinks ---- */

static enum sl_rc settle_sink(struct work *work, size_t index, struct sl_error *err)
{
    const struct sl_connector *connector = work->migration->stored.connectors[index];
    struct sl_progress *positions = sl_zalloc(work->n_moved, sizeof(*positions));
    char *reader = sl_format("connect-%s", connector->name);
    struct sl_sink_target target = {0};
    size_t n = 0;
    enum sl_rc rc = SL_OK;

    sl_reader_tell(work->to, reader, connector->props);
    for (size_t i = 0; i < work->n_moved; i++) {
        const struct sl_moved *moved = &work->moved[i];

        if (moved->sink == index)
            positions[n++] = (struct sl_progress){.topic = moved->topic,
                                                  .partition = moved->partition,
                                                  .first_offset = moved->to,
                                                  .next_offset = moved->to};
    }
    if (n)
        rc = sl_sink_target_open(work->to, connector, &target, err);
    if (rc == SL_OK && n)
        rc = connector->sink->reposition(target.self, positions, n, err);
    if (rc == SL_OK && n)
        rc = work->to->ops->commit(work->to, reader, positions, n, err);
    sl_sink_target_close(&target);
    sl_free(reader);
    sl_free(positions);
    return rc ? sl_error_wrap(err, "connector '%s'", connector->name) : SL_OK;
}

/* ---- all of it ---- */

static enum sl_rc move_everything(struct work *work, struct sl_error *err)
{
    static const char *const spaces[] = {"incarnations", "from-files", "readers"};
    struct sl_migration *migration = work->migration;
    const char *state_dir = sl_props_get(migration->stored.worker, "sluice.state.dir");
    enum sl_rc rc = work->from->ops->topics(work->from, see_topic, work, err);

    for (size_t i = 0; rc == SL_OK && i < migration->stored.n; i++)
        rc = read_sink(work, i, err);
    for (size_t i = 0; rc == SL_OK && i < work->n_infos; i++)
        rc = move_partition(work, &work->infos[i], err);
    if (rc == SL_OK)
        rc = sl_registries_migrate(state_dir, work->to, &migration->schemas, err);
    for (size_t i = 0; rc == SL_OK && i < migration->stored.n; i++) {
        if (migration->stored.connectors[i]->source)
            rc = move_source(work, migration->stored.connectors[i], err);
    }
    for (size_t i = 0; rc == SL_OK && i < sizeof(spaces) / sizeof(*spaces); i++)
        rc = move_texts(work, spaces[i], NULL, err);
    for (size_t i = 0; rc == SL_OK && i < migration->stored.n; i++) {
        if (migration->stored.connectors[i]->sink)
            rc = settle_sink(work, i, err);
    }
    return rc;
}

static enum sl_rc note_done(struct work *work, struct sl_error *err)
{
    struct sl_buf text = {0};
    const char *identity = work->to->ops->identity(work->to);
    enum sl_rc rc;

    sl_buf_text(&text, "{\"version\":1,\"to\":");
    sl_json_put_text(&text, identity, strlen(identity));
    sl_buf_text(&text, "}");
    rc = work->from->ops->put(work->from, SL_MIGRATE_SPACE, SL_MIGRATE_DONE,
                              (struct sl_span){text.data, text.len}, err);
    sl_buf_done(&text);
    return rc;
}

enum sl_rc sl_migrate(struct sl_migration *migration, struct sl_error *err)
{
    struct work work = {.migration = migration, .from = migration->stored.transport, .to = migration->to};
    struct look look;
    enum sl_rc rc = look_for(work.from, SL_MIGRATE_SPACE, SL_MIGRATE_DONE, &look, err);

    if (rc == SL_OK && look.found)
        return sl_error_set(err, SL_E_CONFIG,
                            "this log has been moved already (%s). HINT: sluice run with this worker's file",
                            look.text);
    if (rc == SL_OK)
        rc = sl_stored_read(&migration->stored, NULL, err);
    migration->connectors = migration->stored.n;
    if (rc == SL_OK)
        rc = check_ways(&work, err);
    if (rc == SL_OK)
        rc = move_everything(&work, err);
    if (rc == SL_OK)
        rc = move_configs(&work, err);
    if (rc == SL_OK)
        rc = note_done(&work, err);
    sl_free(work.moved);
    sl_free(work.infos);
    return rc;
}

/* ---- at every start ---- */

static void see_any(void *ctx, const struct sl_topic_info *info)
{
    bool *any = ctx;

    *any = *any || info->next_offset > info->first_offset;
}

enum sl_rc sl_migrate_refuse(const struct sl_plugins *plugins, const struct sl_props *worker,
                             struct sl_error *err)
{
    const struct sl_transport_ops *embedded = plugins->transports[0];
    bool on_brokers = sl_plugins_transport(plugins, worker) != embedded;
    const char *dir = sl_props_get(worker, "sluice.state.dir");
    struct sl_transport *log = NULL;
    struct look look = {0};
    bool any = false;
    enum sl_rc rc;

    /* There is no log, or it cannot be read: opening it for work says so better. */
    if (embedded->open(worker, true, &log, NULL) != SL_OK)
        return SL_OK;
    rc = look_for(log, SL_MIGRATE_SPACE, SL_MIGRATE_DONE, &look, err);
    if (rc == SL_OK)
        rc = embedded->topics(log, see_any, &any, err);
    log->ops->close(log);
    if (rc == SL_OK && look.found && !on_brokers)
        rc = sl_error_set(
            err, SL_E_CONFIG,
            "the log in '%s' has been moved to Kafka (%s). HINT: set bootstrap.servers, or another "
            "sluice.state.dir to begin anew",
            dir, look.text);
    else if (rc == SL_OK && any && !look.found && on_brokers)
        rc = sl_error_set(
            err, SL_E_CONFIG,
            "bootstrap.servers is set, but '%s' holds an embedded log with records and positions, "
            "which mean nothing on Kafka. HINT: run 'sluice migrate' with this worker's file to move "
            "them, or set another sluice.state.dir to begin anew",
            dir);
    return rc;
}
