/* SPDX-License-Identifier: Apache-2.0 */
#include "octets.h"

#include <stdio.h>
#include <stdlib.h>

static void *must(void *memory, size_t size)
{
    if (memory == NULL) {
        fprintf(stderr, "sluice-sim-scylla: out of memory (%zu bytes)\n", size);
        abort();
    }
    return memory;
}

void sy_out_done(struct sy_out *out)
{
    free(out->data);
    *out = (struct sy_out){0};
}

uint8_t *sy_out_grow(struct sy_out *out, size_t more)
{
    size_t need = out->len + more + 1;
    if (need > out->cap) {
        size_t cap = out->cap < 1024 ? 1024 : out->cap * 2;
        if (cap < need)
            cap = need;
        out->data = must(realloc(out->data, cap), cap);
        out->cap = cap;
    }
    return out->data + out->len;
}

void sy_out_drop_front(struct sy_out *out, size_t n)
{
    if (n == 0)
        return;
    out->len -= n;
    if (out->len > 0)
        memmove(out->data, out->data + n, out->len);
}

void *sy_wire_alloc(size_t n, size_t size)
{
    return must(calloc(n, size), n * size);
}
