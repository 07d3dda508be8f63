/* SPDX-License-Identifier: Apache-2.0 */
/* Errors of unique keys, and comparison of values. Private to storage/ and cdc/. */
#ifndef SIM_SQLSERVER_STORAGE_UNIQUE_H
#define SIM_SQLSERVER_STORAGE_UNIQUE_H

#include "catalog.h"

/* Find the index that the row violates and tell 2627 or 2601 with the key's values. */
void ms_unique_error(struct ms_session *session, const struct ms_table *table, const struct ms_value *row,
                     struct ms_error *err);

/* Byte for byte the same value (two NULLs are the same). */
bool ms_value_same(const struct ms_type *type, const struct ms_value *a, const struct ms_value *b);

/* "(1, abc)": values of key columns as error messages show them. Returns buf. */
const char *ms_value_key_text(const struct ms_table *table, const struct ms_index *index,
                              const struct ms_value *row, char *buf, size_t size);

#endif
