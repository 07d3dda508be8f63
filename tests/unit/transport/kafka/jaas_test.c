/* SPDX-License-Identifier: Apache-2.0 */
#include "base/props.h"
#include "transport/kafka/jaas.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void a_login_module_and_its_options_are_read(void **state)
{
    struct sl_error err = {0};
    struct sl_jaas jaas;

    (void)state;
    assert_int_equal(sl_jaas_parse("org.apache.kafka.common.security.plain.PlainLoginModule required\n"
                                   "  username=\"al\\\"ice\" password='p w;' ;",
                                   &jaas, &err),
                     SL_OK);
    assert_string_equal(jaas.module, "PlainLoginModule");
    assert_string_equal(sl_props_get(jaas.options, "username"), "al\"ice");
    assert_string_equal(sl_props_get(jaas.options, "password"), "p w;");
    sl_props_free(jaas.options);
}

static void what_is_no_configuration_is_refused_without_its_secrets(void **state)
{
    static const char *const wrong[] = {"", "Module", "Module required a", "Module required a=\"secret",
                                        "Module required a=\"secret\""};

    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
        struct sl_error err = {0};
        struct sl_jaas jaas;

        assert_int_equal(sl_jaas_parse(wrong[i], &jaas, &err), SL_E_CONFIG);
        assert_null(strstr(err.text, "secret"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_login_module_and_its_options_are_read),
        cmocka_unit_test(what_is_no_configuration_is_refused_without_its_secrets),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
