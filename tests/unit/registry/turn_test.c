/* SPDX-License-Identifier: Apache-2.0 */
/* Workers that all want to write to the registry, and never anything else. */
#include "registry/turn.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum {
    WORKERS = 5,
    TICK_US = 50 * 1000,
    CLAIM_US = 1000 * 1000, /* what taking the claim lasts */
    TICKS = 120 * 1000 * 1000 / TICK_US,
};

struct worker {
    char name[SL_UUID_TEXT_SIZE];
    struct sl_turn turn; /* as it sees it */
    int64_t skew_us;     /* of its clock */
    int64_t claims_us;   /* since when; 0: it does not */
    bool claimed;
    int64_t last_us; /* of its writes */
    int64_t longest_us;
    int writes;
};

static int64_t clock_of(const struct worker *worker, int64_t now_us)
{
    return now_us + worker->skew_us;
}

static void all_hear_of_a_request(struct worker *workers, const char *who, int64_t now_us)
{
    for (int i = 0; i < WORKERS; i++)
        sl_turn_asked(&workers[i].turn, who, clock_of(&workers[i], now_us));
}

static void write_something(struct worker *workers, struct worker *writer, int64_t now_us)
{
    for (int i = 0; i < WORKERS; i++)
        sl_turn_written(&workers[i].turn, clock_of(&workers[i], now_us));
    if (now_us - writer->last_us > writer->longest_us)
        writer->longest_us = now_us - writer->last_us;
    writer->last_us = now_us;
    writer->writes++;
}

/* As the registry does it: claim when the turn is ours, write while nobody else has one. */
static void act(struct worker *workers, struct worker *self, int64_t now_us)
{
    enum sl_turn_whose whose = sl_turn_whose(&self->turn, self->name, clock_of(self, now_us));

    if (self->claimed && whose != SL_TURN_ANOTHERS) {
        write_something(workers, self, now_us);
        return;
    }
    self->claimed = false;
    if (whose == SL_TURN_NOBODYS) {
        all_hear_of_a_request(workers, self->name, now_us);
        whose = sl_turn_whose(&self->turn, self->name, clock_of(self, now_us));
    }
    if (whose != SL_TURN_OURS) {
        self->claims_us = 0;
        return;
    }
    if (!self->claims_us)
        self->claims_us = now_us;
    if (now_us - self->claims_us < CLAIM_US)
        return;
    for (int i = 0; i < WORKERS; i++)
        workers[i].claimed = false; /* fenced */
    self->claimed = true;
    self->claims_us = 0;
}

static void let_them_write(struct worker *workers, int silent)
{
    for (int i = 0; i < WORKERS; i++) {
        memset(workers[i].name, 'a' + i, sizeof(workers[i].name) - 1);
        workers[i].last_us = TICK_US;
    }
    for (int tick = 1; tick < TICKS; tick++) {
        for (int i = 0; i < WORKERS; i++) /* another one is the first each time */
            if ((tick + i) % WORKERS != silent)
                act(workers, &workers[(tick + i) % WORKERS], (int64_t)tick * TICK_US);
    }
}

static void each_of_five_that_never_stop_writing_comes_to_its_turn(void **state)
{
    struct worker workers[WORKERS] = {0};

    (void)state;
    let_them_write(workers, -1);
    for (int i = 0; i < WORKERS; i++) {
        assert_true(workers[i].writes > 50);
        /* Not a queue (the first to ask is next), but nobody is left out for long. */
        assert_true(workers[i].longest_us < 60 * 1000 * 1000);
    }
}

static void clocks_that_differ_cost_no_liveliness(void **state)
{
    struct worker workers[WORKERS] = {0};
    int writes = 0;

    (void)state;
    for (int i = 0; i < WORKERS; i++)
        workers[i].skew_us = i * 3600LL * 1000 * 1000;
    let_them_write(workers, -1);
    for (int i = 0; i < WORKERS; i++)
        writes += workers[i].writes;
    assert_true(writes > TICKS / 2);
}

static void one_that_died_in_its_turn_is_not_waited_for(void **state)
{
    struct sl_turn turn = {0};

    (void)state;
    sl_turn_asked(&turn, "a", 1);
    sl_turn_asked(&turn, "b", 2); /* too late */
    assert_int_equal(sl_turn_whose(&turn, "a", 3), SL_TURN_OURS);
    assert_int_equal(sl_turn_whose(&turn, "b", 3), SL_TURN_ANOTHERS);
    assert_int_equal(sl_turn_whose(&turn, "b", 1 + SL_TURN_CLAIM_US), SL_TURN_NOBODYS);
    sl_turn_written(&turn, 4);
    assert_int_equal(sl_turn_whose(&turn, "b", 4 + SL_TURN_QUIET_US), SL_TURN_NOBODYS);
    for (int64_t now_us = 4; now_us < 4 + SL_TURN_LONGEST_US; now_us += SL_TURN_QUIET_US / 2)
        sl_turn_written(&turn, now_us);
    assert_int_equal(sl_turn_whose(&turn, "b", 3 + SL_TURN_LONGEST_US), SL_TURN_ANOTHERS);
    assert_int_equal(sl_turn_whose(&turn, "b", 4 + SL_TURN_LONGEST_US), SL_TURN_NOBODYS);
    sl_turn_asked(&turn, "b", 4 + SL_TURN_LONGEST_US);
    assert_int_equal(sl_turn_whose(&turn, "b", 5 + SL_TURN_LONGEST_US), SL_TURN_OURS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_of_five_that_never_stop_writing_comes_to_its_turn),
        cmocka_unit_test(clocks_that_differ_cost_no_liveliness),
        cmocka_unit_test(one_that_died_in_its_turn_is_not_waited_for),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
