/* SPDX-License-Identifier: Apache-2.0 */
/* The server's clock: local time without offset, as GETDATE() and the CDC tables have it. */
#ifndef SIM_SQLSERVER_STORAGE_CLOCK_H
#define SIM_SQLSERVER_STORAGE_CLOCK_H

#include <stdint.h>

int64_t ms_clock_datetime(void);       /* 1/300 s since 1900-01-01, local */
int64_t ms_clock_monotonic_ms(void);   /* for intervals */
int64_t ms_clock_local_offset_s(void); /* seconds east of UTC, now */

#endif
