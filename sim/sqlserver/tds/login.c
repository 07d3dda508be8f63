/* SPDX-License-Identifier: Apache-2.0 */
#include "login.h"
#include "chars.h"

#define FIXED_BYTES 94
#define MAX_UNITS 128 /* of any name; passwords too */

#define FLAGS2_INTEGRATED 0x80
#define TYPE_READ_ONLY 0x20
#define FLAGS3_EXTENSION 0x10

enum feature { FEATURE_FEDERATED = 0x02, FEATURE_UTF8 = 0x0A, FEATURE_END = 0xFF };

struct source {
    const uint8_t *data;
    size_t len;
    struct ms_scratch *scratch;
    bool failed;
};

/* The string whose {offset u16, units u16} stands at `at`. */
static struct ms_reader locate(struct source *source, size_t at)
{
    struct ms_reader pair = {.at = source->data + at, .end = source->data + source->len};
    size_t offset = ms_read_u16(&pair);
    size_t units = ms_read_u16(&pair);
    if (units == 0)
        return (struct ms_reader){.at = source->data, .end = source->data};
    if (units > MAX_UNITS || offset < FIXED_BYTES - 8 || offset > source->len ||
        2 * units > source->len - offset) {
        source->failed = true;
        return (struct ms_reader){.at = source->data, .end = source->data};
    }
    return (struct ms_reader){.at = source->data + offset, .end = source->data + offset + 2 * units};
}

static const char *read_text(struct source *source, size_t at)
{
    struct ms_reader reader = locate(source, at);
    return ms_chars_read_utf16(&reader, ms_reader_left(&reader) / 2, source->scratch, NULL);
}

/* Each byte went through a swap of its nibbles and an XOR with 0xA5. */
static const char *read_password(struct source *source, size_t at)
{
    struct ms_reader hidden = locate(source, at);
    size_t size = ms_reader_left(&hidden);
    uint8_t *clear = ms_scratch_alloc(source->scratch, size + 1);
    for (size_t i = 0; i < size; i++) {
        uint8_t byte = hidden.at[i] ^ 0xA5;
        clear[i] = (uint8_t)(byte << 4 | byte >> 4);
    }
    struct ms_reader reader = {.at = clear, .end = clear + size};
    const char *password = ms_chars_read_utf16(&reader, size / 2, source->scratch, NULL);
    explicit_bzero(clear, size);
    return password;
}

/* The extension's offset points to the offset of a list {id u8, length u32, data}..., 0xFF. */
static void read_features(struct source *source, struct ms_login *login)
{
    struct ms_reader pair = {.at = source->data + 56, .end = source->data + source->len};
    size_t offset = ms_read_u16(&pair);
    if (offset > source->len || source->len - offset < 4) {
        source->failed = true;
        return;
    }
    struct ms_reader pointer = {.at = source->data + offset, .end = source->data + source->len};
    size_t list = ms_read_u32(&pointer);
    if (list > source->len) {
        source->failed = true;
        return;
    }
    struct ms_reader reader = {.at = source->data + list, .end = source->data + source->len};
    for (;;) {
        uint8_t feature = ms_read_u8(&reader);
        if (reader.failed || feature == FEATURE_END)
            break;
        (void)ms_read_bytes(&reader, ms_read_u32(&reader));
        login->utf8_asked = login->utf8_asked || feature == FEATURE_UTF8;
        login->federated = login->federated || feature == FEATURE_FEDERATED;
    }
    source->failed = source->failed || reader.failed;
}

bool ms_login_parse(const uint8_t *data, size_t len, struct ms_scratch *scratch, struct ms_login *ret_login)
{
    if (len < FIXED_BYTES)
        return false;
    struct ms_reader reader = {.at = data, .end = data + len};
    uint32_t stated = ms_read_u32(&reader);
    if (stated < FIXED_BYTES || stated > len)
        return false;
    struct source source = {.data = data, .len = stated, .scratch = scratch};
    struct ms_login login = {.tds_version = ms_read_u32(&reader), .packet_bytes = ms_read_u32(&reader)};
    login.integrated_security = data[25] & FLAGS2_INTEGRATED;
    login.read_only_intent = data[26] & TYPE_READ_ONLY;
    login.host_name = read_text(&source, 36);
    login.user = read_text(&source, 40);
    login.password = read_password(&source, 44);
    login.app_name = read_text(&source, 48);
    login.library = read_text(&source, 60);
    login.language = read_text(&source, 64);
    login.database = read_text(&source, 68);
    if (data[27] & FLAGS3_EXTENSION)
        read_features(&source, &login);
    if (source.failed)
        return false;
    *ret_login = login;
    return true;
}
