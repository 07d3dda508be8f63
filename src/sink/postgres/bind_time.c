/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Dates and times. Connect and Debezium count from 1970-01-01, PostgreSQL from 2000-01-01: date as int32
 * days, timestamp and timestamptz as int64 microseconds, time as int64 microseconds of the day. Nanoseconds
 * are cut, not rounded, as Debezium's sink does it.
 */
#include "sink/postgres/bind.h"

#define DAYS_TO_2000 10957
#define US_PER_DAY INT64_C(86400000000)
#define US_TO_2000 (DAYS_TO_2000 * US_PER_DAY)

/* What PostgreSQL takes: 4713 BC to 294276 AD (timestamp) and 5874897 AD (date). */
#define FIRST_DAY (-2451545)
#define LAST_DAY 2145031948
#define FIRST_STAMP INT64_C(-211813488000000000)
#define END_STAMP INT64_C(9223371331200000000)

static const char out_of_range[] = "the time is outside the range that PostgreSQL knows";

SL_PGSINK_INLINE int64_t floor_div(int64_t number, int64_t divisor)
{
    int64_t quotient = number / divisor;

    return quotient - (number % divisor < 0);
}

SL_PGSINK_INLINE const char *put_date(const struct sl_pgsink_cell *cell, struct sl_value value, uint8_t *at)
{
    int64_t days = value.i - DAYS_TO_2000;

    (void)cell;
    (void)put_be32(at, (uint32_t)days);
    return days >= FIRST_DAY && days <= LAST_DAY ? NULL : out_of_range;
}

SL_PGSINK_INLINE const char *put_time(int64_t us, uint8_t *at)
{
    (void)put_be64(at, (uint64_t)us);
    return us >= 0 && us <= US_PER_DAY ? NULL : "the time is not within a day";
}

SL_PGSINK_INLINE const char *put_time_ms(const struct sl_pgsink_cell *cell, struct sl_value value,
                                         uint8_t *at)
{
    (void)cell;
    if (value.i < 0 || value.i > US_PER_DAY)
        return "the time is not within a day";
    return put_time(value.i * 1000, at);
}

SL_PGSINK_INLINE const char *put_time_us(const struct sl_pgsink_cell *cell, struct sl_value value,
                                         uint8_t *at)
{
    (void)cell;
    return put_time(value.i, at);
}

SL_PGSINK_INLINE const char *put_time_ns(const struct sl_pgsink_cell *cell, struct sl_value value,
                                         uint8_t *at)
{
    (void)cell;
    return put_time(floor_div(value.i, 1000), at);
}

/* us: since 1970 */
SL_PGSINK_INLINE const char *put_stamp(int64_t us, uint8_t *at)
{
    int64_t since_2000;

    if (__builtin_sub_overflow(us, US_TO_2000, &since_2000))
        return out_of_range;
    (void)put_be64(at, (uint64_t)since_2000);
    return since_2000 >= FIRST_STAMP && since_2000 < END_STAMP ? NULL : out_of_range;
}

SL_PGSINK_INLINE const char *put_stamp_ms(const struct sl_pgsink_cell *cell, struct sl_value value,
                                          uint8_t *at)
{
    int64_t us;

    (void)cell;
    return __builtin_mul_overflow(value.i, 1000, &us) ? out_of_range : put_stamp(us, at);
}

SL_PGSINK_INLINE const char *put_stamp_us(const struct sl_pgsink_cell *cell, struct sl_value value,
                                          uint8_t *at)
{
    (void)cell;
    return put_stamp(value.i, at);
}

SL_PGSINK_INLINE const char *put_stamp_ns(const struct sl_pgsink_cell *cell, struct sl_value value,
                                          uint8_t *at)
{
    (void)cell;
    return put_stamp(floor_div(value.i, 1000), at);
}

SL_PGSINK_INLINE const char *put_stamp_days(const struct sl_pgsink_cell *cell, struct sl_value value,
                                            uint8_t *at)
{
    int64_t us;

    (void)cell;
    return __builtin_mul_overflow(value.i, US_PER_DAY, &us) ? out_of_range : put_stamp(us, at);
}

#define BIND_FIXED(name, size, put)                                                                   \
    void name(const struct sl_pgsink_cell *cell, const struct sl_pgsink_row *const *rows, uint32_t n, \
              struct sl_buf *out, struct sl_pgsink_bads *bads)                                        \
    {                                                                                                 \
        bind_fixed(cell, rows, n, out, bads, size, put);                                              \
    }

BIND_FIXED(sl_pgsink_bind_date, 4, put_date)
BIND_FIXED(sl_pgsink_bind_time_ms, 8, put_time_ms)
BIND_FIXED(sl_pgsink_bind_time_us, 8, put_time_us)
BIND_FIXED(sl_pgsink_bind_time_ns, 8, put_time_ns)
BIND_FIXED(sl_pgsink_bind_stamp_ms, 8, put_stamp_ms)
BIND_FIXED(sl_pgsink_bind_stamp_us, 8, put_stamp_us)
BIND_FIXED(sl_pgsink_bind_stamp_ns, 8, put_stamp_ns)
BIND_FIXED(sl_pgsink_bind_stamp_days, 8, put_stamp_days)
