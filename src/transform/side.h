/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The half of a record that a transform works on: its key or its value, as the end of the class name says
 * ($Key, $Value).
 */
#ifndef SLUICE_TRANSFORM_SIDE_H
#define SLUICE_TRANSFORM_SIDE_H

#include "sluice/transform.h"

struct sl_side {
    const struct sl_schema **schema; /* of the message, to be replaced; holds NULL: schemaless, or no value */
    struct sl_value *value;
};

/* Anything but ...$Key is the value. */
bool sl_side_is_key(const char *class_name);

static inline struct sl_side sl_side_of(struct sl_message *message, bool key)
{
    return key ? (struct sl_side){&message->key_schema, &message->record.key}
               : (struct sl_side){&message->value_schema, &message->record.value};
}

/* Is there a struct with its schema? Asked where the schema is not NULL. */
static inline bool sl_side_is_struct(struct sl_side side)
{
    return (*side.schema)->type == SL_STRUCT && side.value->tag == SL_STRUCT;
}

/* "Cast needs structs, and this is a string": fills err and returns SL_FAIL. */
enum sl_verdict sl_side_refuse(struct sl_side side, const char *transform, struct sl_error *err);

/* Fill err with a data error; returns SL_FAIL, so that `return sl_bad_record(...)` reads well. */
#define sl_bad_record(err, ...) ((void)sl_error_set((err), SL_E_DATA, __VA_ARGS__), SL_FAIL)

#endif
