/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What DDL tells change data capture. All are part of the running statement's transaction and do nothing for
 * tables without a capture instance.
 */
#ifndef SIM_SQLSERVER_CDC_TRACKING_H
#define SIM_SQLSERVER_CDC_TRACKING_H

#include "../storage/catalog.h"

/* DROP TABLE: the table's instances go with it. */
bool ms_cdc_table_dropped(struct ms_session *session, int32_t object_id, struct ms_error *err);

/* A DDL statement on a tracked table, for cdc.ddl_history. */
bool ms_cdc_ddl(struct ms_session *session, const struct ms_table *table, const char *text,
                struct ms_error *err);

/* The same for a column whose type changed; the capture job carries it over to the change tables. */
bool ms_cdc_column_altered(struct ms_session *session, const struct ms_table *table, int32_t column_id,
                           const struct ms_type *type, const char *text, struct ms_error *err);

/* May an index (or a key constraint's index) go? Not while an instance with net changes uses it. */
bool ms_cdc_index_may_go(struct ms_session *session, const struct ms_table *table, const char *index,
                         struct ms_error *err);

#endif
