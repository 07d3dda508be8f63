/* SPDX-License-Identifier: Apache-2.0 */
/* Random schemas and values that fit them, from a seed: the same seed makes the same ones. */
#ifndef SLUICE_TEST_CODEC_GENERATE_H
#define SLUICE_TEST_CODEC_GENERATE_H

#include "base/arena.h"
#include "sluice/schema.h"

struct generator {
    uint64_t state;
    unsigned names; /* for names that do not repeat */
    struct sl_arena *arena;
    bool tame; /* only what Java's converters take and write as we do: see generate.c */
};

uint64_t generate_number(struct generator *g);
uint32_t generate_below(struct generator *g, uint32_t n);

/* A struct at the top; nesting up to depth more levels. */
const struct sl_schema *generate_schema(struct generator *g, int depth);

/* A value of the schema; null sometimes where it may be. Lives in the generator's arena. */
struct sl_value generate_value(struct generator *g, const struct sl_schema *schema);

#endif
