/* SPDX-License-Identifier: Apache-2.0 */
#include "base/uuid.h"

#include "base/random.h"

#include <stddef.h>

void sl_uuid_new(struct sl_uuid *ret)
{
    sl_random_bytes(ret->bytes, sizeof(ret->bytes));
    ret->bytes[6] = (uint8_t)((ret->bytes[6] & 0x0F) | 0x40);
    ret->bytes[8] = (uint8_t)((ret->bytes[8] & 0x3F) | 0x80);
}

static bool hyphen_before(size_t byte)
{
    return byte == 4 || byte == 6 || byte == 8 || byte == 10;
}

void sl_uuid_format(const struct sl_uuid *uuid, char text[SL_UUID_TEXT_SIZE])
{
    static const char hex[] = "0123456789abcdef";

    for (size_t i = 0; i < sizeof(uuid->bytes); i++) {
        if (hyphen_before(i))
            *text++ = '-';
        *text++ = hex[uuid->bytes[i] >> 4];
        *text++ = hex[uuid->bytes[i] & 15];
    }
    *text = '\0';
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 32;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool sl_uuid_parse(const char *text, struct sl_uuid *ret)
{
    struct sl_uuid uuid;

    for (size_t i = 0; i < sizeof(uuid.bytes); i++) {
        int high;
        int low;

        if (hyphen_before(i) && *text++ != '-')
            return false;
        high = hex_digit(text[0]);
        low = high < 0 ? -1 : hex_digit(text[1]);
        if (low < 0)
            return false;
        uuid.bytes[i] = (uint8_t)(high << 4 | low);
        text += 2;
    }
    if (*text)
        return false;
    *ret = uuid;
    return true;
}
