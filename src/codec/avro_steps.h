/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of a plan: what the two loops of avro_encode.c and avro_decode.c walk over. Private to codec/.
 */
#ifndef SLUICE_CODEC_AVRO_STEPS_H
#define SLUICE_CODEC_AVRO_STEPS_H

#include "codec/avro_plan.h"

enum sl_avro_op {
    SL_OP_INT, /* int8, int16, int32 by tag */
    SL_OP_LONG,
    SL_OP_BOOLEAN,
    SL_OP_FLOAT,
    SL_OP_DOUBLE,
    SL_OP_BYTES, /* and strings */
    SL_OP_FIXED, /* n bytes */
    SL_OP_ENUM,
    SL_OP_RECORD, /* n fields; their steps follow, then SL_OP_END */
    SL_OP_END,
    SL_OP_ARRAY,   /* steps of one item follow, up to next */
    SL_OP_MAP,     /* steps of one value follow, up to next */
    SL_OP_ENTRIES, /* steps of a key up to n, of a value up to next */
    SL_OP_UNION,   /* n branches from plan->branches[more]; their steps follow, up to next */
    SL_OP_SINGLE,  /* a union of one branch, not seen in Connect */
};

enum { SL_NOT_NULLABLE = 0xFF };

struct sl_avro_step {
    uint8_t op;
    uint8_t tag;         /* enum sl_type of the value here */
    uint8_t null_branch; /* 0 or 1 of a two-branch union, any number of SL_OP_UNION; or SL_NOT_NULLABLE */
    uint8_t unused;
    uint32_t n;
    uint32_t next; /* the step behind this one and all that belongs to it */
    uint32_t more; /* collections: the fewest bytes that one item takes; unions: first branch */
};

struct sl_avro_branch {
    uint32_t start, end;
    uint32_t field; /* of the Connect struct; unused for the null branch */
};

/* What only the uncommon case asks for. */
struct sl_avro_note {
    const struct sl_schema *schema;
    const struct sl_avro_type *type;
    const char *name; /* of the field; "" when there is none */
};

struct sl_avro_plan {
    struct sl_avro_step *steps;
    struct sl_avro_note *notes; /* one per step */
    uint32_t n_steps, steps_capacity, notes_capacity;
    struct sl_avro_branch *branches;
    uint32_t n_branches, branches_capacity;
    bool null_becomes_default;
};

#endif
