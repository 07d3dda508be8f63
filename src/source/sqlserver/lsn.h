/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A log sequence number of SQL Server: ten bytes (virtual log file 4, block 4, slot 2), big-endian, so that
 * memcmp orders them. Debezium writes it "00000027:00000758:0005".
 */
#ifndef SLUICE_SOURCE_SQLSERVER_LSN_H
#define SLUICE_SOURCE_SQLSERVER_LSN_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum {
    SL_LSN_SIZE = 10,
    SL_LSN_TEXT_SIZE = 22, /* without a NUL */
};

struct sl_lsn {
    uint8_t b[SL_LSN_SIZE];
};

static inline int sl_lsn_compare(const struct sl_lsn *a, const struct sl_lsn *b)
{
    return memcmp(a->b, b->b, SL_LSN_SIZE);
}

static inline bool sl_lsn_is_zero(const struct sl_lsn *lsn)
{
    static const struct sl_lsn zero;

    return sl_lsn_compare(lsn, &zero) == 0;
}

/* The next one, as sys.fn_cdc_increment_lsn has it: plus one as an 80-bit number. */
static inline struct sl_lsn sl_lsn_next(const struct sl_lsn *lsn)
{
    struct sl_lsn next = *lsn;

    for (int i = SL_LSN_SIZE - 1; i >= 0; i--)
        if (++next.b[i] != 0)
            break;
    return next;
}

/* The one before, as sys.fn_cdc_decrement_lsn has it. Not for zero. */
static inline struct sl_lsn sl_lsn_previous(const struct sl_lsn *lsn)
{
    struct sl_lsn previous = *lsn;

    for (int i = SL_LSN_SIZE - 1; i >= 0; i--)
        if (previous.b[i]-- != 0)
            break;
    return previous;
}

/* Writes exactly SL_LSN_TEXT_SIZE bytes. */
static inline void sl_lsn_write(const struct sl_lsn *lsn, char *text)
{
    static const char hex[] = "0123456789abcdef";

    for (int i = 0; i < SL_LSN_SIZE; i++) {
        *text++ = hex[lsn->b[i] >> 4];
        *text++ = hex[lsn->b[i] & 15];
        if (i == 3 || i == 7)
            *text++ = ':';
    }
}

/* False when the text is not an LSN. "NULL" is none either. */
static inline bool sl_lsn_parse(const char *text, struct sl_lsn *ret_lsn)
{
    struct sl_lsn lsn;

    for (int i = 0; i < SL_LSN_SIZE; i++) {
        unsigned byte = 0;

        if ((i == 4 || i == 8) && *text++ != ':')
            return false;
        for (int half = 0; half < 2; half++) {
            char c = *text++;

            if (c >= '0' && c <= '9')
                byte = byte << 4 | (unsigned)(c - '0');
            else if ((c | 32) >= 'a' && (c | 32) <= 'f')
                byte = byte << 4 | (unsigned)((c | 32) - 'a' + 10);
            else
                return false;
        }
        lsn.b[i] = (uint8_t)byte;
    }
    if (*text)
        return false;
    *ret_lsn = lsn;
    return true;
}

#endif
