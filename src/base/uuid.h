/* SPDX-License-Identifier: Apache-2.0 */
/* UUIDs: 16 bytes in the order of their text (RFC 9562). */
#ifndef SLUICE_BASE_UUID_H
#define SLUICE_BASE_UUID_H

#include <stdbool.h>
#include <stdint.h>

struct sl_uuid {
    uint8_t bytes[16];
};

#define SL_UUID_TEXT_SIZE 37

void sl_uuid_new(struct sl_uuid *ret); /* version 4, from the system's random numbers */
void sl_uuid_format(const struct sl_uuid *uuid, char text[SL_UUID_TEXT_SIZE]); /* lower case, with hyphens */
bool sl_uuid_parse(const char *text, struct sl_uuid *ret);                     /* either case */

#endif
