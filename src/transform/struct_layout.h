/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How one struct becomes another: which fields stay, which are left out, what is put behind. Compiled when a
 * schema is first seen; applying it is moves of 16-byte values, or nothing at all when only the schema's
 * pointer changes.
 */
#ifndef SLUICE_TRANSFORM_STRUCT_LAYOUT_H
#define SLUICE_TRANSFORM_STRUCT_LAYOUT_H

#include "sluice/error.h"
#include "sluice/record.h"
#include "transform/field_reference.h"

/* A field that is put behind those of the struct. */
struct sl_layout_extra {
    bool constant;
    struct sl_value value;       /* when constant */
    struct sl_field_place place; /* else: in the envelope */
};

struct sl_struct_layout {
    const struct sl_schema *schema; /* of what comes out */
    bool same_fields;               /* the values of the struct as they are */
    uint32_t *kept;                 /* NULL: all fields stay; else their indexes */
    uint32_t n_kept;
    uint32_t *defaults; /* places in the outcome where a null is read as the field's default */
    uint32_t n_defaults;
    struct sl_layout_extra *extras;
    uint32_t n_extras;
};

/* What a layout is compiled from. Texts are borrowed during the call. */
struct sl_layout_plan {
    const struct sl_schema *row; /* a struct */
    const char *deleted;         /* "true" or "false": add __deleted with it; NULL: do not */
    const struct sl_field_references *adds;
    const struct sl_schema *envelope; /* where adds are looked up */
    const struct sl_span *drops;      /* names to leave out */
    size_t n_drops;
    bool drops_first;   /* before the adds, so that those stay */
    bool optional_only; /* leave only optional fields out */
    bool null_is_default;
};

/* Errors: DATA, when a name would appear twice. */
enum sl_rc sl_struct_layout_compile(const struct sl_layout_plan *plan, struct sl_struct_layout *ret,
                                    struct sl_error *err);
void sl_struct_layout_done(struct sl_struct_layout *layout);

/* The struct's new value; new arrays come from the arena. */
struct sl_value sl_struct_layout_apply(const struct sl_struct_layout *layout, struct sl_value row,
                                       struct sl_value envelope, struct sl_arena *arena);

#endif
