/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a log keeps for a source, in memory: its positions and notes. A batch is stored whole or not at all,
 * as an append is.
 */
#ifndef SLUICE_TESTS_PROPERTY_MEMORY_H
#define SLUICE_TESTS_PROPERTY_MEMORY_H

#include "sluice/source.h"

struct memory_entry {
    uint8_t *key;
    size_t key_len;
    uint8_t *value;
    size_t value_len;
};

struct memory_map {
    struct memory_entry *entries; /* in the order of the keys */
    size_t n, capacity;
};

struct memory {
    struct memory_map positions;
    struct memory_map notes;
};

void memory_done(struct memory *memory);

/* Take over the positions and notes of a batch. */
void memory_store(struct memory *memory, const struct sl_batch *batch);

/* An environment whose ctx is the memory. */
struct sl_source_env memory_env(struct memory *memory, const char *connector);

#endif
