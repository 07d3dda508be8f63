/* SPDX-License-Identifier: Apache-2.0 */
/* The compiled pattern, which writing (date_format.c) and reading (date_read.c) share. */
#ifndef SLUICE_CODEC_DATE_PATTERN_H
#define SLUICE_CODEC_DATE_PATTERN_H

#include "codec/date_format.h"

struct sl_date_piece {
    char letter; /* 0: the text as it stands */
    uint32_t count;
    const char *text; /* in the format's own memory */
    size_t len;
};

struct sl_date_format {
    struct sl_date_piece *pieces;
    size_t n, capacity;
    char *texts;
    int64_t step_ms;
    int64_t century_start_ms; /* two-digit years lie within a hundred years from here */
};

extern const char *const sl_month_names[12];
extern const char *const sl_day_names[7]; /* Sunday first */

#endif
