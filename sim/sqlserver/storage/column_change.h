/* SPDX-License-Identifier: Apache-2.0 */
/* Columns in the catalogue and their cells, for DDL and for the capture job. Private to storage/ and cdc/. */
#ifndef SIM_SQLSERVER_STORAGE_COLUMN_CHANGE_H
#define SIM_SQLSERVER_STORAGE_COLUMN_CHANGE_H

#include "ddl.h"

bool ms_ddl_insert_column(struct ms_session *session, const struct ms_database *db, int32_t object_id,
                          int32_t column_id, const struct ms_column_spec *spec, struct ms_error *err);

/* Rewrite the column's cells from one type to another; the catalogue is left alone. */
bool ms_column_convert(struct ms_session *session, int32_t object_id, int32_t column_id,
                       const struct ms_type *from, const struct ms_type *to, struct ms_error *err);

/* The catalogue's row of the column; the cells are left alone. */
bool ms_column_set_type(struct ms_session *session, int32_t object_id, int32_t column_id,
                        const struct ms_type *type, bool nullable, const char *collation,
                        struct ms_error *err);

#endif
