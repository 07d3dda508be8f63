/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tables of system views. A view is a SQLite SELECT over the catalogue's tables, in which {db} stands for
 * the id of the database it is read in, and a list of its columns: "name type, name type!, ..." where ! means
 * NOT NULL. The SELECT gives its columns in that order; their names in it do not matter. Private to storage/.
 */
#ifndef SIM_SQLSERVER_STORAGE_VIEWS_H
#define SIM_SQLSERVER_STORAGE_VIEWS_H

#include <stddef.h>

struct ms_view {
    const char *schema; /* "sys", "INFORMATION_SCHEMA", "dbo" (msdb) */
    const char *name;
    const char *columns;
    const char *select;
};

extern const struct ms_view ms_views_objects[]; /* sys.objects, tables, columns, constraints ... */
extern const size_t ms_views_objects_count;
extern const struct ms_view ms_views_server[]; /* sys.databases, principals, dm_* ... */
extern const size_t ms_views_server_count;
extern const struct ms_view ms_views_standard[]; /* INFORMATION_SCHEMA, sysobjects ... */
extern const size_t ms_views_standard_count;

#endif
