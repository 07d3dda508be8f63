/* SPDX-License-Identifier: Apache-2.0 */
/* One breaker a system: who waits, who tries, and who is let through. */
#include "engine/breaker.h"

#include "base/clock.h"

#include <string.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct sl_error failure(enum sl_rc rc)
{
    struct sl_error err = {0};

    (void)sl_error_set(&err, rc, "no answer from db:5432");
    return err;
}

static int64_t ask_in_vain(struct sl_seat *seat, enum sl_rc rc)
{
    struct sl_error err = failure(rc);

    return sl_seat_failed(seat, &err);
}

static bool may_ask(struct sl_seat *seat)
{
    int64_t wait_us;

    return sl_seat_may_ask(seat, &wait_us);
}

static void wait_until_it_may(struct sl_seat *seat)
{
    int64_t wait_us;

    while (!sl_seat_may_ask(seat, &wait_us))
        (void)usleep((useconds_t)wait_us);
}

static void assert_shown(const char *part)
{
    struct sl_buf text = {0};

    sl_breakers_json(true, &text);
    if (!strstr(sl_buf_cstr(&text), part))
        fail_msg("%s does not say %s", sl_buf_cstr(&text), part);
    sl_buf_done(&text);
}

static void those_who_ask_one_system_share_its_failure_and_one_tries_for_all(void **state)
{
    struct sl_seat a, b, other;

    (void)state;
    sl_seat_take(&a, "postgres", "db:5432/x", false);
    sl_seat_take(&b, "postgres", "db:5432/x", false);
    sl_seat_take(&other, "postgres", "db2:5432/x", false);
    assert_true(may_ask(&a) && may_ask(&b));
    sl_seat_succeeded(&a);
    sl_seat_succeeded(&b);
    assert_true(ask_in_vain(&a, SL_E_CONNECT) > 0);
    assert_true(ask_in_vain(&b, SL_E_CONNECT) > 0); /* the same outage: no second step of the wait */
    assert_shown("\"attempts\":1");
    assert_shown("\"waiting\":2");
    assert_shown("\"state\":\"open\"");
    assert_false(may_ask(&a) || may_ask(&b));
    assert_true(may_ask(&other));
    wait_until_it_may(&a);
    assert_shown("\"state\":\"half-open\"");
    assert_true(may_ask(&a));
    assert_false(may_ask(&b));
    assert_true(ask_in_vain(&a, SL_E_TIMEOUT) > 0);
    assert_shown("\"attempts\":2");
    assert_false(may_ask(&b));
    wait_until_it_may(&b); /* whoever comes first */
    assert_false(may_ask(&a));
    sl_seat_succeeded(&b);
    assert_true(may_ask(&a));
    assert_false(sl_seat_waits(&a));
    sl_seat_leave(&a);
    sl_seat_leave(&b);
    sl_seat_leave(&other);
    assert_shown("[]");
}

static void who_gets_through_is_not_held_up_and_who_is_new_waits(void **state)
{
    struct sl_seat fine, failing, fresh;

    (void)state;
    sl_seat_take(&fine, "postgres", "db", false);
    sl_seat_take(&failing, "postgres", "db", false);
    sl_seat_succeeded(&fine);
    (void)ask_in_vain(&failing, SL_E_CONNECT);
    sl_seat_take(&fresh, "postgres", "db", false);
    assert_true(may_ask(&fine));
    assert_false(sl_seat_waits(&fine));
    assert_false(may_ask(&fresh));
    assert_true(sl_seat_waits(&fresh));
    sl_seat_leave(&fresh);
    sl_seat_leave(&failing); /* the last who failed */
    assert_shown("\"state\":\"closed\"");
    sl_seat_leave(&fine);
}

static void an_asker_s_own_trouble_opens_nothing(void **state)
{
    struct sl_seat database, vault;

    (void)state;
    sl_seat_take(&database, "postgres", "db", false);
    sl_seat_take(&vault, "vault", "http://v", true);
    assert_int_equal(ask_in_vain(&database, SL_E_BUSY), 0); /* a deadlock */
    assert_int_equal(ask_in_vain(&database, SL_E_AUTH), 0);
    assert_true(may_ask(&database));
    assert_true(ask_in_vain(&vault, SL_E_BUSY) > 0); /* sealed */
    assert_false(may_ask(&vault));
    wait_until_it_may(&vault);
    assert_int_equal(ask_in_vain(&vault, SL_E_AUTH), 0); /* it answers again, though not as we like */
    assert_true(may_ask(&vault));
    sl_seat_leave(&database);
    sl_seat_leave(&vault);
}

static void who_leaves_in_the_middle_of_a_try_gives_it_to_the_next(void **state)
{
    struct sl_seat a, b;

    (void)state;
    sl_seat_take(&a, "sqlserver", "db:1433", false);
    sl_seat_take(&b, "sqlserver", "db:1433", false);
    (void)ask_in_vain(&a, SL_E_CONNECT);
    (void)ask_in_vain(&b, SL_E_CONNECT);
    wait_until_it_may(&a);
    assert_false(may_ask(&b));
    sl_seat_rest(&a);
    assert_true(may_ask(&b));
    sl_seat_leave(&a);
    assert_shown("\"waiting\":1");
    sl_seat_leave(&b);
    assert_shown("[]");
}

static void a_seat_at_no_breaker_allows_everything(void **state)
{
    struct sl_seat none = {0};

    (void)state;
    assert_true(may_ask(&none));
    assert_int_equal(ask_in_vain(&none, SL_E_CONNECT), 0);
    sl_seat_succeeded(&none);
    assert_false(sl_seat_waits(&none));
    sl_seat_leave(&none);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(those_who_ask_one_system_share_its_failure_and_one_tries_for_all),
        cmocka_unit_test(who_gets_through_is_not_held_up_and_who_is_new_waits),
        cmocka_unit_test(an_asker_s_own_trouble_opens_nothing),
        cmocka_unit_test(who_leaves_in_the_middle_of_a_try_gives_it_to_the_next),
        cmocka_unit_test(a_seat_at_no_breaker_allows_everything),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
