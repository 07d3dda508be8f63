/* SPDX-License-Identifier: Apache-2.0 */
#include "bytes.h"

#include <stdio.h>
#include <stdlib.h>

static void *must(void *memory, size_t size)
{
    if (memory == NULL) {
        fprintf(stderr, "sluice-sim-sqlserver: out of memory (%zu bytes)\n", size);
        abort();
    }
    return memory;
}

void ms_bytes_done(struct ms_bytes *bytes)
{
    free(bytes->data);
    *bytes = (struct ms_bytes){0};
}

uint8_t *ms_bytes_grow(struct ms_bytes *bytes, size_t more)
{
    /* never exactly full: ms_bytes_put_le stores eight bytes and keeps fewer */
    size_t need = bytes->len + more + 8;
    if (need > bytes->cap) {
        size_t cap = bytes->cap < 1024 ? 1024 : bytes->cap * 2;
        if (cap < need)
            cap = need;
        bytes->data = must(realloc(bytes->data, cap), cap);
        bytes->cap = cap;
    }
    return bytes->data + bytes->len;
}

void ms_bytes_drop_front(struct ms_bytes *bytes, size_t n)
{
    if (n == 0)
        return;
    memmove(bytes->data, bytes->data + n, bytes->len - n);
    bytes->len -= n;
}

struct ms_scratch_block {
    struct ms_scratch_block *older;
    size_t used;
    size_t size;
    _Alignas(16) uint8_t data[];
};

#define SCRATCH_BLOCK_BYTES 16384

void *ms_scratch_alloc(struct ms_scratch *scratch, size_t size)
{
    size = (size + 15) & ~(size_t)15;
    struct ms_scratch_block *block = scratch->newest;
    if (block == NULL || block->size - block->used < size) {
        size_t room = size > SCRATCH_BLOCK_BYTES ? size : SCRATCH_BLOCK_BYTES;
        block = must(malloc(sizeof(*block) + room), room);
        *block = (struct ms_scratch_block){.older = scratch->newest, .size = room};
        scratch->newest = block;
    }
    void *memory = block->data + block->used;
    block->used += size;
    return memory;
}

void ms_scratch_reset(struct ms_scratch *scratch)
{
    while (scratch->newest != NULL) {
        struct ms_scratch_block *older = scratch->newest->older;
        free(scratch->newest);
        scratch->newest = older;
    }
}
