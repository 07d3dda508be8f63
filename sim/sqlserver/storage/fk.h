/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Foreign keys. A child's key is looked up when the row is written; what is not found yet, and every key that
 * left a parent, is looked at again when the statement ends, so that rows of one statement may point at each
 * other. Private to storage/.
 */
#ifndef SIM_SQLSERVER_STORAGE_FK_H
#define SIM_SQLSERVER_STORAGE_FK_H

#include "row.h"

/* The row was or will be written; before NULL: inserted. Keys that did not change are not looked at. */
bool ms_fk_child_written(struct ms_session *session, const struct ms_table *table,
                         const struct ms_value *after, const struct ms_value *before, const char *verb,
                         struct ms_error *err);

/* The row's keys are gone from the table (after NULL: deleted). Does ON DELETE and ON UPDATE. */
bool ms_fk_parent_gone(struct ms_session *session, const struct ms_table *table,
                       const struct ms_value *before, const struct ms_value *after, struct ms_error *err);

#endif
