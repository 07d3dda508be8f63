/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The path of a field. Version 1: the text is the name. Version 2: dots lead into structs, and backticks
 * around a name keep the dots in it ("a.`b.c`"; "\`" before a dot is a backtick that does not end it).
 */
#ifndef SLUICE_TRANSFORM_FIELD_PATH_H
#define SLUICE_TRANSFORM_FIELD_PATH_H

#include "sluice/error.h"

#include <stddef.h>

struct sl_field_path {
    char **steps; /* at least one, but for the empty path of version 2 */
    size_t n, capacity;
};

/* Errors: CONFIG, a backtick without its end. */
enum sl_rc sl_field_path_parse(const char *text, int version, struct sl_field_path *ret,
                               struct sl_error *err);
void sl_field_path_done(struct sl_field_path *path);

#endif
