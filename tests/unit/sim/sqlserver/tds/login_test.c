/* SPDX-License-Identifier: Apache-2.0 */
/* PRELOGIN and LOGIN7: what is understood, who encrypts what, and that lies are only lies. */
#include "sim/sqlserver/tds/login.h"
#include "sim/sqlserver/tds/prelogin.h"
#include "sim/sqlserver/tds/chars.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static const uint8_t prelogin[] = {0, 0, 11, 0, 6, 1, 0, 17, 0, 1, 0xFF, 1, 2, 3, 4, 5, 6, MS_ENCRYPT_ON};

static void the_encryption_wish_is_found(void **state)
{
    (void)state;
    struct ms_prelogin parsed;
    assert_true(ms_prelogin_parse(prelogin, sizeof(prelogin), &parsed));
    assert_int_equal(parsed.encryption, MS_ENCRYPT_ON);
}

static void an_option_outside_the_message_is_refused(void **state)
{
    (void)state;
    struct ms_prelogin parsed;
    for (size_t len = 0; len < sizeof(prelogin); len++)
        assert_false(ms_prelogin_parse(prelogin, len, &parsed));
}

static void every_pair_of_wishes_has_its_outcome(void **state)
{
    (void)state;
    static const struct {
        uint8_t client;
        enum ms_encrypt_policy policy;
        uint8_t answer;
        enum ms_tls_span span;
    } outcomes[] = {
        {MS_ENCRYPT_OFF, MS_POLICY_OFF, MS_ENCRYPT_NOT_SUP, MS_TLS_NOTHING},
        {MS_ENCRYPT_ON, MS_POLICY_OFF, MS_ENCRYPT_NOT_SUP, MS_TLS_REFUSE},
        {MS_ENCRYPT_NOT_SUP, MS_POLICY_OFF, MS_ENCRYPT_NOT_SUP, MS_TLS_NOTHING},
        {MS_ENCRYPT_REQ, MS_POLICY_OFF, MS_ENCRYPT_NOT_SUP, MS_TLS_REFUSE},
        {MS_ENCRYPT_OFF, MS_POLICY_LOGIN, MS_ENCRYPT_OFF, MS_TLS_LOGIN},
        {MS_ENCRYPT_ON, MS_POLICY_LOGIN, MS_ENCRYPT_ON, MS_TLS_ALL},
        {MS_ENCRYPT_NOT_SUP, MS_POLICY_LOGIN, MS_ENCRYPT_NOT_SUP, MS_TLS_NOTHING},
        {MS_ENCRYPT_REQ, MS_POLICY_LOGIN, MS_ENCRYPT_ON, MS_TLS_ALL},
        {MS_ENCRYPT_OFF, MS_POLICY_ON, MS_ENCRYPT_REQ, MS_TLS_ALL},
        {MS_ENCRYPT_NOT_SUP, MS_POLICY_ON, MS_ENCRYPT_NOT_SUP, MS_TLS_NOTHING},
        {MS_ENCRYPT_OFF, MS_POLICY_REQUIRED, MS_ENCRYPT_REQ, MS_TLS_ALL},
        {MS_ENCRYPT_NOT_SUP, MS_POLICY_REQUIRED, MS_ENCRYPT_REQ, MS_TLS_REFUSE},
        {MS_ENCRYPT_ON, MS_POLICY_REQUIRED, MS_ENCRYPT_ON, MS_TLS_ALL},
    };
    for (size_t i = 0; i < sizeof(outcomes) / sizeof(outcomes[0]); i++) {
        uint8_t answer;
        assert_int_equal(ms_prelogin_negotiate(outcomes[i].client, outcomes[i].policy, &answer),
                         outcomes[i].span);
        assert_int_equal(answer, outcomes[i].answer);
    }
}

static void the_answer_is_a_prelogin_itself(void **state)
{
    (void)state;
    struct ms_bytes out = {0};
    struct ms_prelogin parsed;
    ms_prelogin_put_answer(&out, MS_ENCRYPT_NOT_SUP);
    assert_true(ms_prelogin_parse(out.data, out.len, &parsed));
    assert_int_equal(parsed.encryption, MS_ENCRYPT_NOT_SUP);
    assert_false(parsed.mars);
    ms_bytes_done(&out);
}

static void set_le(struct ms_bytes *bytes, size_t at, uint64_t number, size_t size)
{
    memcpy(bytes->data + at, &number, size);
}

static void add_string(struct ms_bytes *login, size_t pair_at, const char *text, bool hide)
{
    size_t offset = login->len;
    size_t size =
        ms_chars_to_utf16((const uint8_t *)text, strlen(text), ms_bytes_room(login, 2 * strlen(text)));
    for (size_t i = 0; i < size && hide; i++) {
        uint8_t byte = login->data[offset + i];
        login->data[offset + i] = (uint8_t)((byte << 4 | byte >> 4) ^ 0xA5);
    }
    login->len += size;
    set_le(login, pair_at, offset, 2);
    set_le(login, pair_at + 2, size / 2, 2);
}

static void make_login(struct ms_bytes *login)
{
    memset(ms_bytes_room(login, 94), 0, 94);
    login->len = 94;
    set_le(login, 4, MS_TDS_74, 4);
    set_le(login, 8, 8000, 4);
    login->data[26] = 0x20;
    login->data[27] = 0x10;
    add_string(login, 36, "host", false);
    add_string(login, 40, "sa", false);
    add_string(login, 44, "P\xC3\xA4ss!", true);
    add_string(login, 48, "a program", false);
    add_string(login, 68, "db", false);
    size_t pointer = login->len;
    set_le(login, 56, pointer, 2);
    set_le(login, 58, 4, 2);
    ms_bytes_put_le(login, pointer + 4, 4);
    const uint8_t features[] = {0x0A, 1, 0, 0, 0, 1, 0xFF};
    ms_bytes_put(login, features, sizeof(features));
    set_le(login, 0, login->len, 4);
}

static void a_login_is_read_whole(void **state)
{
    (void)state;
    struct ms_bytes bytes = {0};
    struct ms_scratch scratch = {0};
    struct ms_login login;
    make_login(&bytes);
    assert_true(ms_login_parse(bytes.data, bytes.len, &scratch, &login));
    assert_int_equal(login.tds_version, MS_TDS_74);
    assert_int_equal(login.packet_bytes, 8000);
    assert_true(login.read_only_intent);
    assert_true(login.utf8_asked);
    assert_false(login.integrated_security);
    assert_string_equal(login.user, "sa");
    assert_string_equal(login.password, "P\xC3\xA4ss!");
    assert_string_equal(login.app_name, "a program");
    assert_string_equal(login.host_name, "host");
    assert_string_equal(login.database, "db");
    assert_string_equal(login.language, "");
    ms_scratch_reset(&scratch);
    ms_bytes_done(&bytes);
}

static bool parses(const struct ms_bytes *bytes, size_t len)
{
    struct ms_scratch scratch = {0};
    struct ms_login login;
    uint8_t *exact = malloc(len + 1); /* so that a sanitizer sees a step too far */
    assert_non_null(exact);
    memcpy(exact, bytes->data, len);
    bool ok = ms_login_parse(exact, len, &scratch, &login);
    free(exact);
    ms_scratch_reset(&scratch);
    return ok;
}

static void a_login_cut_anywhere_is_refused(void **state)
{
    (void)state;
    struct ms_bytes bytes = {0};
    make_login(&bytes);
    for (size_t len = 0; len < bytes.len; len++)
        assert_false(parses(&bytes, len));
    ms_bytes_done(&bytes);
}

static void lying_offsets_and_lengths_are_refused(void **state)
{
    (void)state;
    static const size_t pairs[] = {36, 40, 44, 48, 68};
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        struct ms_bytes bytes = {0};
        make_login(&bytes);
        set_le(&bytes, pairs[i], 0xFFFF, 2);
        assert_false(parses(&bytes, bytes.len));
        set_le(&bytes, pairs[i], bytes.len - 1, 2);
        set_le(&bytes, pairs[i] + 2, 1, 2);
        assert_false(parses(&bytes, bytes.len));
        ms_bytes_done(&bytes);
    }
    struct ms_bytes bytes = {0};
    make_login(&bytes);
    set_le(&bytes, 0, 0xFFFFFFFF, 4);
    assert_false(parses(&bytes, bytes.len));
    ms_bytes_done(&bytes);
}

static void a_login_with_any_byte_changed_is_survived(void **state)
{
    (void)state;
    struct ms_bytes bytes = {0};
    make_login(&bytes);
    for (size_t at = 0; at < bytes.len; at++) {
        uint8_t kept = bytes.data[at];
        for (unsigned value = 0; value < 256; value += 5) {
            bytes.data[at] = (uint8_t)value;
            (void)parses(&bytes, bytes.len);
        }
        bytes.data[at] = kept;
    }
    assert_true(parses(&bytes, bytes.len));
    ms_bytes_done(&bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_encryption_wish_is_found),
        cmocka_unit_test(an_option_outside_the_message_is_refused),
        cmocka_unit_test(every_pair_of_wishes_has_its_outcome),
        cmocka_unit_test(the_answer_is_a_prelogin_itself),
        cmocka_unit_test(a_login_is_read_whole),
        cmocka_unit_test(a_login_cut_anywhere_is_refused),
        cmocka_unit_test(lying_offsets_and_lengths_are_refused),
        cmocka_unit_test(a_login_with_any_byte_changed_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
