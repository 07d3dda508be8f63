/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/murmur2.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

/* The vectors of Kafka's own UtilsTest. */
static void hashes_are_those_of_kafka(void **state)
{
    static const struct {
        const char *text;
        int32_t hash;
    } known[] = {
        {"21", -973932308},
        {"foobar", -790332482},
        {"a-little-bit-long-string", -985981536},
        {"a-little-bit-longer-string", -1486304829},
        {"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971},
        {"abc", 479470107},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
        assert_int_equal((int32_t)sl_murmur2(known[i].text, strlen(known[i].text)), known[i].hash);
}

static void the_sign_is_masked_not_negated(void **state)
{
    (void)state;
    assert_int_equal(sl_murmur2_partition("21", 2, 10), (-973932308 & 0x7fffffff) % 10);
    assert_int_equal(sl_murmur2_partition("abc", 3, 1), 0);
    for (int i = 0; i < 1000; i++) {
        int32_t partition = sl_murmur2_partition(&i, sizeof(i), 7);

        assert_true(partition >= 0 && partition < 7);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hashes_are_those_of_kafka),
        cmocka_unit_test(the_sign_is_masked_not_negated),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
