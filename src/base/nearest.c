/* SPDX-License-Identifier: Apache-2.0 */
#include "base/nearest.h"

#include <ctype.h>
#include <string.h>

enum { LONGEST = 200 }; /* longer words are nobody's typing error */

static size_t least(size_t a, size_t b, size_t c)
{
    size_t ab = a < b ? a : b;

    return ab < c ? ab : c;
}

/* Letters to insert, delete or exchange: one row of the usual table at a time. */
static size_t distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
    size_t row[LONGEST + 1];

    for (size_t j = 0; j <= b_len; j++)
        row[j] = j;
    for (size_t i = 1; i <= a_len; i++) {
        size_t diagonal = row[0];

        row[0] = i;
        for (size_t j = 1; j <= b_len; j++) {
            size_t above = row[j];
            bool same = tolower((unsigned char)a[i - 1]) == tolower((unsigned char)b[j - 1]);

            row[j] = least(above + 1, row[j - 1] + 1, diagonal + !same);
            diagonal = above;
        }
    }
    return row[b_len];
}

void sl_nearest_try(struct sl_nearest *nearest, const char *candidate)
{
    size_t word_len = strlen(nearest->word);
    size_t len = strlen(candidate);
    size_t found;

    if (word_len > LONGEST || len > LONGEST)
        return;
    found = distance(nearest->word, word_len, candidate, len);
    if (found * 3 > (word_len > len ? word_len : len))
        return;
    if (!nearest->best || found < nearest->distance) {
        nearest->best = candidate;
        nearest->distance = found;
    }
}
