/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Dates as Java's SimpleDateFormat writes and reads them, in UTC and English: the pattern letters
 * G y Y M L w W D d F E u a H k K h m s S z Z X. Before 15 October 1582 the calendar is the Julian one, as
 * GregorianCalendar has it. Reading is lenient (month 13 is the next year's first) and takes a prefix, as
 * there; it knows neither the week letters Y w W F nor names of time zones but UTC and GMT.
 *
 * Threads: any; a compiled pattern does not change.
 */
#ifndef SLUICE_CODEC_DATE_FORMAT_H
#define SLUICE_CODEC_DATE_FORMAT_H

#include "base/buf.h"
#include "sluice/error.h"

struct sl_date_format;

/* Errors: CONFIG, with the place in the pattern. */
enum sl_rc sl_date_format_compile(const char *pattern, struct sl_date_format **ret, struct sl_error *err);
void sl_date_format_free(struct sl_date_format *format); /* NULL is fine */

/* Append the time, milliseconds since 1970. */
void sl_date_format_put(const struct sl_date_format *format, int64_t ms, struct sl_buf *out);

/* Within each multiple of so many milliseconds the text is the same. */
int64_t sl_date_format_step_ms(const struct sl_date_format *format);

/* False: the text does not begin with what the pattern wants. */
bool sl_date_format_read(const struct sl_date_format *format, const char *text, size_t len, int64_t *ret_ms);

/* The three forms that Connect itself writes: 23:59:59.999Z, 2024-12-31, 2024-12-31T23:59:59.999Z. */
enum sl_iso_form { SL_ISO_TIME, SL_ISO_DATE, SL_ISO_TIMESTAMP };

struct sl_iso_text {
    char chars[48];
    size_t len;
};

void sl_iso_text(int64_t ms, enum sl_iso_form form, struct sl_iso_text *ret);

#endif
