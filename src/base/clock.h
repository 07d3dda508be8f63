/* SPDX-License-Identifier: Apache-2.0 */
/* Time is int64_t microseconds, converted at the edge. */
#ifndef SLUICE_BASE_CLOCK_H
#define SLUICE_BASE_CLOCK_H

#include <stdint.h>

enum { SL_CLOCK_TEXT = 40 }; /* room for sl_clock_text */

int64_t sl_now_us(void);  /* monotonic: for deadlines and durations */
int64_t sl_wall_us(void); /* since 1970-01-01T00:00:00Z: for records and people */

/* "2026-11-21T15:28:03.517Z", from milliseconds since 1970, whichever. */
void sl_clock_text(int64_t wall_ms, char ret[SL_CLOCK_TEXT]);

/* For tests that make time pass: sl_wall_us says this from now on; 0 gives the real time back. Any thread. */
void sl_clock_set_wall(int64_t wall_us);

#endif
