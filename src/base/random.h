/* SPDX-License-Identifier: Apache-2.0 */
/* Random numbers: the system's for identities, a fast generator per thread for jitter and sampling. */
#ifndef SLUICE_BASE_RANDOM_H
#define SLUICE_BASE_RANDOM_H

#include <stddef.h>
#include <stdint.h>

void sl_random_bytes(void *ret, size_t len); /* from the kernel; aborts when it has none */
uint64_t sl_random_u64(void);                /* fast, not secret */

#endif
