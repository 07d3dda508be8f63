/* SPDX-License-Identifier: Apache-2.0 */
#include "prelogin.h"

enum option {
    OPTION_VERSION = 0,
    OPTION_ENCRYPTION = 1,
    OPTION_INSTANCE = 2,
    OPTION_THREAD = 3,
    OPTION_MARS = 4
};

#define OPTION_END 0xFF

bool ms_prelogin_parse(const uint8_t *data, size_t len, struct ms_prelogin *ret_prelogin)
{
    /* a client that says nothing about encryption can none */
    struct ms_prelogin prelogin = {.encryption = MS_ENCRYPT_NOT_SUP};
    struct ms_reader reader = {.at = data, .end = data + len};
    for (;;) {
        uint8_t option = ms_read_u8(&reader);
        if (reader.failed)
            return false;
        if (option == OPTION_END)
            break;
        size_t offset = ms_read_be16(&reader);
        size_t size = ms_read_be16(&reader);
        if (reader.failed || offset > len || size > len - offset)
            return false;
        if (option == OPTION_ENCRYPTION && size >= 1)
            prelogin.encryption = data[offset] & 0x7F;
        if (option == OPTION_MARS && size >= 1)
            prelogin.mars = data[offset] != 0;
    }
    *ret_prelogin = prelogin;
    return true;
}

enum ms_tls_span ms_prelogin_negotiate(uint8_t client, enum ms_encrypt_policy policy, uint8_t *ret_answer)
{
    bool able = client != MS_ENCRYPT_NOT_SUP;
    bool wants_all = client == MS_ENCRYPT_ON || client == MS_ENCRYPT_REQ;
    if (policy == MS_POLICY_OFF) {
        *ret_answer = MS_ENCRYPT_NOT_SUP;
        return wants_all ? MS_TLS_REFUSE : MS_TLS_NOTHING;
    }
    if (wants_all) {
        *ret_answer = MS_ENCRYPT_ON;
        return MS_TLS_ALL;
    }
    if (policy == MS_POLICY_LOGIN || (policy == MS_POLICY_ON && !able)) {
        *ret_answer = able ? MS_ENCRYPT_OFF : MS_ENCRYPT_NOT_SUP;
        return able ? MS_TLS_LOGIN : MS_TLS_NOTHING;
    }
    *ret_answer = MS_ENCRYPT_REQ;
    return able ? MS_TLS_ALL : MS_TLS_REFUSE;
}

static void put_option(struct ms_bytes *out, uint8_t option, uint16_t offset, uint16_t size)
{
    ms_bytes_put_u8(out, option);
    ms_bytes_put_be16(out, offset);
    ms_bytes_put_be16(out, size);
}

void ms_prelogin_put_answer(struct ms_bytes *out, uint8_t encryption)
{
    const uint8_t version[6] = {
        MS_VERSION_MAJOR, MS_VERSION_MINOR, MS_VERSION_BUILD >> 8, MS_VERSION_BUILD & 0xFF, 0, 0};
    const uint16_t data_at = 5 * 5 + 1;
    put_option(out, OPTION_VERSION, data_at, 6);
    put_option(out, OPTION_ENCRYPTION, data_at + 6, 1);
    put_option(out, OPTION_INSTANCE, data_at + 7, 1);
    put_option(out, OPTION_THREAD, data_at + 8, 0);
    put_option(out, OPTION_MARS, data_at + 8, 1);
    ms_bytes_put_u8(out, OPTION_END);
    ms_bytes_put(out, version, sizeof(version));
    ms_bytes_put_u8(out, encryption);
    ms_bytes_put_u8(out, 0); /* the instance name, if one was asked for, is ours */
    ms_bytes_put_u8(out, 0); /* no MARS */
}
