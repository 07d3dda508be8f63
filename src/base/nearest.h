/* SPDX-License-Identifier: Apache-2.0 */
/* "Did you mean ...?": how far apart two words are, for messages to people. */
#ifndef SLUICE_BASE_NEAREST_H
#define SLUICE_BASE_NEAREST_H

#include <stdbool.h>
#include <stddef.h>

/* The best candidate so far; begin with {.word = "what the user wrote"}. */
struct sl_nearest {
    const char *word;
    const char *best; /* NULL: nothing near enough */
    size_t distance;
};

/* Consider a candidate. Near enough is: at most a third of the letters differ (letter case does not count).
 */
void sl_nearest_try(struct sl_nearest *nearest, const char *candidate);

#endif
