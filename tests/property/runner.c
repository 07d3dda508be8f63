/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Truth, tried: random histories run through the simulator and the ScyllaDB source in one process, on a
 * manual clock, with crashes and restarts; at the end the target must hold the rows that the base table has,
 * and each change of the log must have come exactly once.
 *
 *     scylla-histories [--seed N] [--count N] [--statements N] [--times N] [--no-crashes] [--no-new-streams]
 *                      [--verbose]
 *
 * runs the histories of the seeds N, N+1, ... and prints a histogram of what they did. A seed that fails is
 * named with the command that runs it alone. Exit 1 when one failed, or when there were a hundred and
 * something in the histogram never occurred.
 *
 * Statements, clock and crashes are the seed's; in which order the answers to requests under way arrive is
 * the kernel's. So a failure that hangs on that may take several turns to come back: --times runs each seed
 * so often, until it fails.
 */
#include "history.h"
#include "scalars.h"
#include "world.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct tally {
    uint64_t traits[HISTORY_TRAITS];
    uint64_t ops[WORLD_OPS];
    uint64_t scalars[SCALARS]; /* statements that name x, by its type */
    uint64_t statements, refused, pauses, crashes, restarts, generations, expiries, polls, read_again, rows,
        tidied, held_back;
    uint64_t tables[2][2];     /* legacy or advanced, without or with images */
    uint32_t least_partitions; /* that the statements of a history named */
};

static void count_statement(struct tally *tally, const struct step *step, int scalar, bool taken)
{
    tally->statements++;
    tally->refused += !taken;
    for (int i = 0; taken && i < HISTORY_TRAITS; i++)
        tally->traits[i] += step->traits >> i & 1;
    if (taken && step->traits & TRAIT_SCALAR)
        tally->scalars[scalar]++;
}

static void take_step(struct world *world, const struct step *step, int scalar, struct tally *tally)
{
    switch (step->kind) {
    case STEP_STATEMENT: count_statement(tally, step, scalar, world_statement(world, step->text)); break;
    case STEP_PAUSE:
        tally->pauses++;
        world_pause(world, step->pause_us);
        break;
    case STEP_CRASH:
        tally->crashes++;
        world_crash(world);
        break;
    case STEP_RESTART:
        tally->restarts++;
        world_restart(world);
        break;
    case STEP_EXPIRY:
        tally->expiries++;
        world_expiry(world);
        break;
    case STEP_GENERATION:
        tally->generations++;
        world_generation(world);
        break;
    case STEP_END: break;
    }
}

/* True: it ended in the right rows. */
static bool run_history(const struct history_options *options, bool verbose, struct tally *tally)
{
    struct history *history = history_new(options);
    struct world *world = world_new(history, options->seed, verbose);
    struct world_counts counts;
    struct step step;
    bool right;

    do {
        history_next(history, &step);
        take_step(world, &step, history_table(history)->scalar, tally);
    } while (step.kind != STEP_END && !world_failure(world)[0]);
    world_settle(world);
    right = world_failure(world)[0] == '\0';
    if (!right)
        printf("seed %" PRIu64 ": %s\n", options->seed, world_failure(world));
    world_counts(world, &counts);
    tally->polls += counts.polls;
    tally->read_again += counts.read_again;
    tally->rows += counts.rows;
    tally->tidied += counts.tidied;
    tally->held_back += counts.held_back;
    tally->tables[counts.advanced][history_table(history)->images != 0]++;
    if (history_partitions(history) < tally->least_partitions)
        tally->least_partitions = history_partitions(history);
    for (int i = 0; i < WORLD_OPS; i++)
        tally->ops[i] += counts.ops[i];
    world_free(world);
    history_free(history);
    return right;
}

static void print_tally(const struct tally *t)
{
    printf("statements %" PRIu64 " (%" PRIu64 " refused by the server), pauses %" PRIu64 ", crashes %" PRIu64
           ", restarts %" PRIu64 ", new streams %" PRIu64 ", expiries by a column %" PRIu64 ", polls %" PRIu64
           "\n",
           t->statements, t->refused, t->pauses, t->crashes, t->restarts, t->generations, t->expiries,
           t->polls);
    printf("partitions that a history wrote to: at least %" PRIu32
           "; histories whose rows were seen late: %" PRIu64 "\n",
           t->least_partitions, t->held_back);
    printf("tables: legacy %" PRIu64 " without images, %" PRIu64 " with; advanced %" PRIu64
           " without, %" PRIu64 " with\n",
           t->tables[0][0], t->tables[0][1], t->tables[1][0], t->tables[1][1]);
    printf("rows at the end %" PRIu64 ", rows read again %" PRIu64
           ", positions of former streams removed %" PRIu64 "\nstatements by what they do:",
           t->rows, t->read_again, t->tidied);
    for (int i = 0; i < HISTORY_TRAITS; i++)
        printf(" %s %" PRIu64 "%s", history_trait_name(i), t->traits[i], i + 1 < HISTORY_TRAITS ? "," : "\n");
    printf("scalars by type:");
    for (int i = 0; i < SCALARS; i++)
        printf(" %s %" PRIu64 "%s", scalars[i].type, t->scalars[i], i + 1 < SCALARS ? "," : "\n");
    printf("log rows by operation:");
    for (int i = 0; i < WORLD_OPS; i++)
        printf(" %d: %" PRIu64 "%s", world_op_code(i), t->ops[i], i + 1 < WORLD_OPS ? "," : "\n");
}

static bool occurred(uint64_t n, const char *what, const char *which)
{
    if (!n)
        printf("never occurred: %s %s\n", what, which);
    return n != 0;
}

/* Everything that a history can do must be among what many of them did. */
static bool all_occurred(const struct tally *t, const struct history_options *options)
{
    bool all = occurred(t->refused, "statements", "refused by the server");
    char op[16];

    for (int i = 0; i < HISTORY_TRAITS; i++)
        all = occurred(t->traits[i], "a statement of", history_trait_name(i)) && all;
    for (int i = 0; i < SCALARS; i++)
        all = occurred(t->scalars[i], "a value of", scalars[i].type) && all;
    for (int i = 0; i < WORLD_OPS; i++) {
        (void)snprintf(op, sizeof(op), "%d", world_op_code(i));
        all = occurred(t->ops[i], "a log row of operation", op) && all;
    }
    for (int i = 0; i < 4; i++)
        all = occurred(t->tables[i / 2][i % 2], i / 2 ? "advanced," : "legacy,",
                       i % 2 ? "with images" : "without images") &&
              all;
    if (options->crashes)
        all = occurred(t->crashes, "a", "crash") && occurred(t->restarts, "a", "restart") && all;
    if (options->generations)
        all =
            occurred(t->generations, "new", "streams") && occurred(t->tidied, "positions", "removed") && all;
    return occurred(t->expiries, "an expiry", "by a column") &&
           occurred(t->read_again, "a row", "read again") && occurred(t->held_back, "rows", "seen late") &&
           all;
}

static uint64_t number(const char *program, const char *text)
{
    char *end;
    uint64_t value = text ? strtoull(text, &end, 10) : 0;

    if (!text || *end || !*text) {
        fprintf(stderr, "%s: a number is missing. HINT: %s --seed 1 --count 100\n", program, program);
        exit(2);
    }
    return value;
}

int main(int argc, char **argv)
{
    struct history_options options = {
        .seed = 1,
        .statements = 200,
        .unit_us = 3 * 1000 * 1000,
        .ttl_min_s = 5,
        .ttl_max_s = 120,
        .crashes = true,
        .generations = true,
        .scalars = true,
    };
    struct tally tally = {.least_partitions = UINT32_MAX};
    uint64_t count = 100;
    uint64_t times = 1;
    uint64_t failed = 0;
    bool verbose = false;

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--verbose") == 0)
            verbose = true;
        else if (strcmp(argv[i], "--no-crashes") == 0)
            options.crashes = false;
        else if (strcmp(argv[i], "--no-new-streams") == 0)
            options.generations = false;
        else if (strcmp(argv[i], "--seed") == 0)
            options.seed = number(argv[0], argv[++i]);
        else if (strcmp(argv[i], "--count") == 0)
            count = number(argv[0], argv[++i]);
        else if (strcmp(argv[i], "--times") == 0)
            times = number(argv[0], argv[++i]);
        else if (strcmp(argv[i], "--statements") == 0)
            options.statements = (uint32_t)number(argv[0], argv[++i]);
        else {
            fprintf(stderr,
                    "usage: %s [--seed N] [--count N] [--statements N] [--times N] [--no-crashes] "
                    "[--no-new-streams] [--verbose]\n",
                    argv[0]);
            return 2;
        }
    }
    for (uint64_t n = 0; n < count; n++, options.seed++) {
        uint64_t turn = 0;

        while (turn < times && run_history(&options, verbose, &tally))
            turn++;
        if (turn == times)
            continue;
        failed++;
        printf("    again: %s --seed %" PRIu64 " --count 1 --statements %" PRIu32
               "%s%s --times 20 --verbose\n",
               argv[0], options.seed, options.statements, options.crashes ? "" : " --no-crashes",
               options.generations ? "" : " --no-new-streams");
        (void)fflush(stdout);
    }
    print_tally(&tally);
    printf("%" PRIu64 " histories, %" PRIu64 " failed\n", count, failed);
    if (count >= 100 && !all_occurred(&tally, &options))
        return 1;
    if (count && options.statements >= 200 && tally.least_partitions < 3) {
        printf("a history wrote to fewer than 3 partitions\n");
        return 1;
    }
    return failed != 0;
}
