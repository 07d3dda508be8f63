/* SPDX-License-Identifier: Apache-2.0 */
/* The texts of io.debezium.time.ZonedTimestamp and ZonedTime, as Java's ISO_OFFSET_DATE_TIME has them. */
#ifndef SLUICE_TRANSFORM_ZONED_TEXT_H
#define SLUICE_TRANSFORM_ZONED_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sl_zoned {
    bool has_date;
    int64_t local_s; /* what the clock on the wall shows, since its 1970; a time: since midnight */
    int32_t nanos;
    int32_t offset_s;
};

/* False: the text is not of this form. Years have four digits. */
bool sl_zoned_read(const char *text, size_t len, struct sl_zoned *ret);

enum { SL_ZONED_TEXT_SIZE = 64 };
size_t sl_zoned_write(const struct sl_zoned *zoned, char ret_text[SL_ZONED_TEXT_SIZE]);

#endif
