/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The scalar types of CQL as histories use them: a column x has one of them, so that over the seeds all of
 * them occur. Literals are few, so that equal ones meet; render.c knows how their bytes look as text.
 */
#ifndef SLUICE_TESTS_PROPERTY_SCALARS_H
#define SLUICE_TESTS_PROPERTY_SCALARS_H

enum { SCALARS = 17, SCALAR_LITERALS = 3, SCALAR_TIMESTAMP = 11 };

struct scalar {
    const char *type;
    const char *literals[SCALAR_LITERALS];
};

extern const struct scalar scalars[SCALARS];

#endif
