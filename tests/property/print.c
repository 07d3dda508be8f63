/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Print a history for those who run it elsewhere: print-history SEED STATEMENTS UNIT_US TTL_MIN TTL_MAX
 * KEYSPACE. A JSON line that tells of the table, "D cql" for each statement of the set-up, then the steps: "S
 * traits cql", "P microseconds", "C" crash, "R" restart, "G" new streams.
 */
#include "history.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void print_step(const struct step *step)
{
    switch (step->kind) {
    case STEP_STATEMENT: printf("S %u %s\n", step->traits, step->text); break;
    case STEP_PAUSE: printf("P %" PRId64 "\n", step->pause_us); break;
    case STEP_CRASH: printf("C\n"); break;
    case STEP_RESTART: printf("R\n"); break;
    case STEP_GENERATION: printf("G\n"); break;
    case STEP_EXPIRY: /* only the runner has tables with it */
    case STEP_END: break;
    }
}

static void print_table(const struct history_table *t)
{
    printf("{\"keyspace\":\"%s\",\"name\":\"%s\",\"clustering\":%s,\"descending\":%s,\"statics\":%s,"
           "\"collections\":%s,\"udt\":%s,\"tablets\":%s,\"images\":%d,\"default_ttl_s\":%d}\n",
           t->keyspace, t->name, t->clustering ? "true" : "false", t->descending ? "true" : "false",
           t->statics ? "true" : "false", t->collections ? "true" : "false", t->udt ? "true" : "false",
           t->tablets ? "true" : "false", t->images, t->default_ttl_s);
}

int main(int argc, char **argv)
{
    struct history_options options = {.crashes = true, .generations = true};
    struct history *history;
    struct step step;
    const char *text;

    if (argc != 8) {
        fprintf(stderr, "usage: print-history SEED STATEMENTS UNIT_US TTL_MIN_S TTL_MAX_S KEYSPACE no|yes\n");
        return 2;
    }
    options.seed = strtoull(argv[1], NULL, 10);
    options.statements = (uint32_t)strtoul(argv[2], NULL, 10);
    options.unit_us = strtoll(argv[3], NULL, 10);
    options.ttl_min_s = (int)strtol(argv[4], NULL, 10);
    options.ttl_max_s = (int)strtol(argv[5], NULL, 10);
    options.keyspace = argv[6];
    options.tablets = strcmp(argv[7], "yes") == 0 ? 2 : 1;
    history = history_new(&options);
    print_table(history_table(history));
    while ((text = history_setup(history)))
        printf("D %s\n", text);
    do {
        history_next(history, &step);
        print_step(&step);
    } while (step.kind != STEP_END);
    history_free(history);
    return 0;
}
