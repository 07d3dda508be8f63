/* SPDX-License-Identifier: Apache-2.0 */
#include "world.h"

#include "base/clock.h"
#include "base/props.h"
#include "memory.h"
#include "render.h"
#include "sim/scylla/session.h"
#include "sim/scylla/storage/arena.h"
#include "sim/scylla/wire/service.h"
#include "sluice/position.h"
#include "source/scylla/source.h"
#include "target.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>

#define START_US (1760000000LL * 1000000)

enum {
    POLLS_MAX = 3,       /* of one pause */
    DRAIN_POLLS = 10000, /* more than any history needs to come to rest */
    CONFIDENCE_MS = 30000,
    WINDOW_MS = 30000,
    STOP_MS = 10000,
    SETTLE_STEP_US = 20 * 1000 * 1000,
    SETTLE_STEPS = 20, /* beyond the longest short TTL, the windows and a sweep */
};

static const int op_codes[WORLD_OPS] = {-4, -3, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9};

struct world {
    const struct history_table *table;
    bool verbose;
    bool advanced;
    uint64_t random;
    int64_t now_us;
    struct sy_server *server;
    struct sy_service *service;
    struct sy_session *session;
    struct sy_arena arena;
    int64_t registers[HISTORY_REGISTERS];

    struct sl_props *props;
    struct memory memory;
    struct sl_source_env env;
    void *source;
    struct sl_batch *batch;
    struct target target;
    struct world_counts counts;
    char failure[600];
};

__attribute__((format(printf, 2, 3))) static void fail(struct world *world, const char *format, ...)
{
    va_list args;

    if (world->failure[0])
        return;
    va_start(args, format);
    (void)vsnprintf(world->failure, sizeof(world->failure), format, args);
    va_end(args);
}

__attribute__((format(printf, 2, 3))) static void say(const struct world *world, const char *format, ...)
{
    va_list args;

    if (!world->verbose)
        return;
    va_start(args, format);
    printf("%10.3f  ", (double)(world->now_us - START_US) / 1e6);
    vprintf(format, args);
    printf("\n");
    va_end(args);
}

const char *world_failure(const struct world *world)
{
    return world->failure;
}

int world_op_code(int n)
{
    return op_codes[n];
}

static uint32_t below(struct world *world, uint32_t n)
{
    world->random = world->random * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(world->random >> 33) % n;
}

static void advance(struct world *world, int64_t by_us)
{
    sy_server_advance_us(world->server, by_us);
    world->now_us = sy_server_now_us(world->server);
    sl_clock_set_wall(world->now_us);
}

/* ---- the server ---- */

static const struct sy_result *ask(struct world *world, const char *text)
{
    static const struct sy_parameters parameters = {.consistency = 4, .paging_state = {.len = SY_NULL}};
    struct sy_result *result;

    sy_arena_reset(&world->arena);
    result = sy_arena_alloc(&world->arena, sizeof(*result));
    sy_session_query(world->session, text, strlen(text), &parameters, &world->arena, result);
    return result;
}

bool world_statement(struct world *world, const char *text)
{
    char cql[10000];
    const struct sy_result *result;

    advance(world, 1);
    history_put_times(text, world->now_us, world->registers, cql, sizeof(cql));
    result = ask(world, cql);
    say(world, "%s%s%s", cql, result->kind == SY_ERROR ? "\n            refused: " : "",
        result->kind == SY_ERROR ? result->error.message : "");
    if (result->kind != SY_ERROR)
        return true;
    if (result->error.code != 0x2200 && !strstr(result->error.message, "could not find any CDC stream"))
        fail(world, "the server refused with 0x%04x %s: %s", (unsigned)result->error.code,
             result->error.message, cql);
    return false;
}

static void set_up(struct world *world, struct history *history)
{
    const char *text;

    while ((text = history_setup(history)) && !world->failure[0]) {
        const struct sy_result *result = ask(world, text);

        say(world, "%s", text);
        if (result->kind == SY_ERROR)
            fail(world, "the set-up failed: %s: %s", result->error.message, text);
    }
}

/* An operator's order: of the table when there is a rest, "" included. */
static void order(struct world *world, const char *verb, const char *rest)
{
    char line[200];
    char answer[400] = "";

    if (rest)
        (void)snprintf(line, sizeof(line), "%s %s.%s%s", verb, world->table->keyspace, world->table->name,
                       rest);
    else
        (void)snprintf(line, sizeof(line), "%s", verb);
    if (!sy_server_command(world->server, line, answer, sizeof(answer)))
        fail(world, "%s: %s", line, answer);
    say(world, "%s: %s", line, answer);
}

/*
 * In one history of four, what is written is seen late: rows of the table within the two seconds after which
 * a server gives a write up, rows of the log also long after their window was closed, and out of order.
 */
static void hold_back(struct world *world, uint64_t seed)
{
    if (seed % 4)
        return;
    world->counts.held_back = 1;
    order(world, "delay base", " 1900 every 3 shuffled");
    order(world, "delay log", seed % 8 ? " 1900 every 3" : " 60000 every 4 shuffled");
}

static bool start_server(struct world *world, uint64_t seed)
{
    const struct sy_service_options wire = {.n_nodes = 1, .n_shards = 2, .no_shard_port = true};
    struct sy_server_options options = {
        .seed = seed,
        .n_nodes = 1,
        .n_shards = 2,
        .vnodes = 2,
        .manual_clock = true,
        .start_us = START_US,
        .address = "127.0.0.1",
    };

    world->service = sy_service_bind(&wire);
    if (!world->service) {
        fail(world, "the simulator gets no port");
        return false;
    }
    options.port = sy_service_port(world->service, 0);
    world->server = sy_server_open(&options);
    if (!world->server || !sy_service_start(world->service, world->server)) {
        fail(world, "the simulator does not start");
        return false;
    }
    world->session = sy_session_open(world->server, 0, "cassandra");
    return true;
}

/* ---- the source ---- */

static void choose_shape(struct world *world)
{
    const struct history_table *t = world->table;
    bool post = t->images & IMAGES_POST;

    world->advanced = t->collections || below(world, 2);
    sl_props_set(world->props, "cdc.output.format", world->advanced ? "advanced" : "legacy");
    if (world->advanced) {
        sl_props_set(world->props, "cdc.include.after",
                     post && below(world, 3) == 0 ? "only-updated" : "full");
        if ((t->images & 3) == IMAGES_PRE && below(world, 2))
            sl_props_set(world->props, "cdc.include.before", "full");
        sl_props_set(world->props, "cdc.include.primary-key.placement",
                     "kafka-key,payload-after,payload-before");
    } else if (t->images & 3 && below(world, 2)) {
        sl_props_set(world->props, "experimental.preimages.enabled", "true");
    }
}

static void configure(struct world *world)
{
    char text[100];

    world->props = sl_props_new();
    (void)snprintf(text, sizeof(text), "127.0.0.1:%u", sy_service_port(world->service, 0));
    sl_props_set(world->props, "scylla.cluster.ip.addresses", text);
    (void)snprintf(text, sizeof(text), "%s.%s", world->table->keyspace, world->table->name);
    sl_props_set(world->props, "scylla.table.names", text);
    sl_props_set(world->props, "topic.prefix", "c");
    (void)snprintf(text, sizeof(text), "%d", WINDOW_MS);
    sl_props_set(world->props, "scylla.query.time.window.size", text);
    (void)snprintf(text, sizeof(text), "%d", CONFIDENCE_MS);
    sl_props_set(world->props, "scylla.confidence.window.size", text);
    sl_props_set(world->props, "sluice.scylla.sweep.ms", "4000000");
    sl_props_set(world->props, "sluice.scylla.sweep.interval.ms", "20000");
    sl_props_set(world->props, "sluice.scylla.early.reads", below(world, 3) ? "true" : "false");
    choose_shape(world);
}

static void open_source(struct world *world)
{
    struct sl_error err = {0};

    if (world->failure[0] || world->source)
        return;
    if (sl_source_scylla.open(&world->env, world->props, &world->source, &err))
        fail(world, "the source does not open: %s", err.text);
}

static void close_source(struct world *world)
{
    if (world->source)
        sl_source_scylla.close(world->source);
    world->source = NULL;
}

/* One poll; lost: the batch never becomes durable. Returns how much it gave. */
static size_t poll(struct world *world, bool lost)
{
    struct sl_error err = {0};

    if (world->failure[0])
        return 0;
    sl_batch_reset(world->batch);
    world->counts.polls++;
    if (sl_source_scylla.poll(world->source, world->batch, 0, &err)) {
        fail(world, "a poll failed: %s", err.text);
        return 0;
    }
    if (lost)
        return 0;
    say(world, "poll: %" PRIu32 " records, %" PRIu32 " positions, %" PRIu32 " notes", world->batch->n_records,
        world->batch->n_positions, world->batch->n_notes);
    if (world->verbose)
        target_describe(world->batch, stdout);
    memory_store(&world->memory, world->batch);
    for (uint32_t i = 0; i < world->batch->n_positions; i++)
        world->counts.tidied += !world->batch->positions[i].offset.len;
    target_apply(&world->target, world->batch);
    if (world->target.fault[0])
        fail(world, "%s", world->target.fault);
    return world->batch->n_records;
}

void world_pause(struct world *world, int64_t pause_us)
{
    uint32_t polls = below(world, POLLS_MAX + 1);

    for (uint32_t i = 0; i < polls; i++) {
        advance(world, pause_us / (polls + 1));
        (void)poll(world, false);
    }
    advance(world, pause_us / (polls + 1));
}

void world_crash(struct world *world)
{
    say(world, "crash");
    (void)poll(world, below(world, 2));
    close_source(world);
    open_source(world);
}

void world_restart(struct world *world)
{
    say(world, "restart");
    close_source(world);
    open_source(world);
}

void world_generation(struct world *world)
{
    if (world->table->tablets)
        order(world, "tablets split", below(world, 2) ? " one" : "");
    else
        order(world, "generation new", NULL);
}

void world_expiry(struct world *world)
{
    advance(world, 1);
    order(world, "rowttl expire", "");
}

/* ---- the comparison ---- */

static const struct sy_column *column_named(const struct sy_result *rows, const char *name, uint32_t *ret_at)
{
    for (uint32_t i = 0; i < rows->n_columns; i++) {
        if (strcmp(rows->columns[i].name, name) == 0) {
            *ret_at = i;
            return &rows->columns[i];
        }
    }
    return NULL;
}

/* A row of the base table as the target should have it. */
static void base_row(const struct sy_result *rows, uint32_t row, struct sl_buf text[TARGET_COLUMNS])
{
    for (int i = 0; i < TARGET_COLUMNS; i++) {
        uint32_t at = 0;
        const struct sy_column *column = column_named(rows, target_columns[i], &at);

        text[i] = (struct sl_buf){0};
        if (column)
            render_cql(&text[i], column->type, rows->cells[row * rows->n_columns + at]);
    }
}

/* Legacy carries no collections, UDTs and tuples. */
static bool is_compared(const struct world *world, int column)
{
    return column < 6 || column > 11 || world->advanced;
}

static void compare_row(struct world *world, struct sl_buf text[TARGET_COLUMNS])
{
    char *keys[TARGET_KEYS] = {NULL};
    const struct target_row *row;

    for (int i = 0; i < (world->table->clustering ? TARGET_KEYS : 1); i++)
        keys[i] = (char *)(uintptr_t)sl_buf_cstr(&text[i]);
    row = target_find(&world->target, keys);
    if (!row) {
        fail(world, "the target lacks the row %s %s %s", keys[0], keys[1] ? keys[1] : "",
             keys[2] ? keys[2] : "");
        return;
    }
    for (int i = TARGET_KEYS; i < TARGET_COLUMNS; i++) {
        const char *is = row->cells[i] ? row->cells[i] : "null";

        if (text[i].len && is_compared(world, i) && strcmp(is, sl_buf_cstr(&text[i])) != 0)
            fail(world, "row %s %s %s: column %s is %s in the target and %s in the base table", keys[0],
                 keys[1] ? keys[1] : "", keys[2] ? keys[2] : "", target_columns[i], is,
                 sl_buf_cstr(&text[i]));
    }
}

static void compare_rows(struct world *world)
{
    char cql[120];
    const struct sy_result *rows;
    size_t n_live = 0;

    (void)snprintf(cql, sizeof(cql), "SELECT * FROM %s.%s", world->table->keyspace, world->table->name);
    rows = ask(world, cql);
    if (rows->kind != SY_ROWS) {
        fail(world, "the base table cannot be read: %s", rows->error.message);
        return;
    }
    for (uint32_t i = 0; i < rows->n_rows; i++) {
        struct sl_buf text[TARGET_COLUMNS];

        base_row(rows, i, text);
        /* A partition of which only statics are left has no row in the target. */
        if (!world->table->clustering || strcmp(sl_buf_cstr(&text[1]), "null") != 0) {
            compare_row(world, text);
            world->counts.rows++;
        }
        for (int k = 0; k < TARGET_COLUMNS; k++)
            sl_buf_done(&text[k]);
    }
    for (size_t i = 0; i < world->target.n_rows; i++)
        n_live += world->target.rows[i].live;
    if (n_live > world->counts.rows)
        fail(world, "the target has %zu rows, the base table %" PRIu64, n_live, world->counts.rows);
}

/* A timeuuid's sixteen bytes as a position has them. */
static void put_time(const uint8_t uuid[16], uint8_t ret[16])
{
    uint64_t ticks = 0;
    const uint8_t order[8] = {6, 7, 4, 5, 0, 1, 2, 3};

    for (int i = 0; i < 8; i++)
        ticks = ticks << 8 | (i == 0 ? uuid[order[i]] & 0x0f : uuid[order[i]]);
    for (int i = 0; i < 8; i++) {
        ret[i] = (uint8_t)(ticks >> (56 - 8 * i));
        ret[8 + i] = uuid[8 + i] ^ 0x80;
    }
}

/* A timeuuid's time in the seconds that --verbose prints. */
static double seconds_of(const uint8_t uuid[16])
{
    uint8_t bytes[16];
    uint64_t ticks = 0;

    put_time(uuid, bytes);
    for (int i = 0; i < 8; i++)
        ticks = ticks << 8 | bytes[i];
    return (double)(int64_t)(ticks / 10 - 0x01B21DD213814000ULL / 10 - START_US) / 1e6;
}

static void look_for_event(struct world *world, const struct sy_value *cells)
{
    int op = (int8_t)cells[3].bytes[0];
    struct target_event event;

    for (int i = 0; i < WORLD_OPS; i++)
        world->counts.ops[i] += op_codes[i] == op;
    if (op == 0 || op >= 7)
        return; /* images, and the ends of ranges */
    memcpy(event.bytes, cells[0].bytes, 16);
    put_time(cells[1].bytes, event.bytes + 16);
    memcpy(event.bytes + 32, cells[2].bytes, 4);
    if (!target_has_event(&world->target, &event))
        fail(world, "the change of operation %d, sequence %d, written at %.6f, never came", op,
             cells[2].bytes[3], seconds_of(cells[1].bytes));
}

static void check_ledger(struct world *world)
{
    char cql[250];
    const struct sy_result *rows;

    (void)snprintf(cql, sizeof(cql),
                   "SELECT \"cdc$stream_id\", \"cdc$time\", \"cdc$batch_seq_no\", \"cdc$operation\" "
                   "FROM %s.%s_scylla_cdc_log",
                   world->table->keyspace, world->table->name);
    rows = ask(world, cql);
    if (rows->kind != SY_ROWS) {
        fail(world, "the change log cannot be read: %s", rows->error.message);
        return;
    }
    for (uint32_t i = 0; i < rows->n_rows; i++)
        look_for_event(world, &rows->cells[(size_t)i * rows->n_columns]);
}

static void drain(struct world *world)
{
    int polls = 0;

    while (polls++ < DRAIN_POLLS && (poll(world, false) || polls < 3) && !world->failure[0])
        ;
    if (polls >= DRAIN_POLLS)
        fail(world, "the source does not come to rest");
}

void world_settle(struct world *world)
{
    for (int i = 0; i < SETTLE_STEPS && !world->failure[0]; i++) {
        advance(world, SETTLE_STEP_US);
        drain(world);
    }
    target_close_ledger(&world->target);
    if (world->target.fault[0])
        fail(world, "%s", world->target.fault);
    if (!world->failure[0])
        compare_rows(world);
    if (!world->failure[0])
        check_ledger(world);
    if (world->failure[0] && world->verbose) {
        printf("target:\n");
        target_print(&world->target, stdout);
    }
}

void world_counts(const struct world *world, struct world_counts *ret)
{
    *ret = world->counts;
    ret->read_again = world->target.read_again;
    ret->advanced = world->advanced;
}

/* ---- life ---- */

struct world *world_new(struct history *history, uint64_t seed, bool verbose)
{
    struct world *world = sl_zalloc(1, sizeof(*world));

    world->table = history_table(history);
    world->verbose = verbose;
    world->random = seed;
    world->target.clustering = world->table->clustering;
    world->batch = sl_batch_new(65536);
    world->env = memory_env(&world->memory, "histories");
    if (!start_server(world, seed))
        return world;
    advance(world, SETTLE_STEP_US); /* the first generation begins */
    set_up(world, history);
    hold_back(world, seed);
    configure(world);
    open_source(world);
    return world;
}

void world_free(struct world *world)
{
    close_source(world);
    if (world->session)
        sy_session_close(world->session);
    if (world->service && !sy_service_stop(world->service, STOP_MS)) {
        fprintf(stderr, "requests to the simulator do not end\n");
        abort();
    }
    if (world->server)
        sy_server_close(world->server);
    if (world->service)
        sy_service_free(world->service);
    sy_arena_free(&world->arena);
    sl_props_free(world->props);
    memory_done(&world->memory);
    target_done(&world->target);
    sl_batch_free(world->batch);
    sl_free(world);
}
