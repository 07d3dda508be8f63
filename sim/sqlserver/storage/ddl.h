/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Changes of the catalogue, from plain structs. Call them between ms_statement_begin(MS_STATEMENT_WRITE) and
 * ms_statement_end: they are part of the session's transaction like any other write, and roll back with it
 * (databases too, unlike the real server). Each refreshes the session's catalogue; struct pointers got before
 * are dead afterwards, which is why tables are named here by object id.
 *
 * Rules of change data capture are kept here: what is refused on a tracked table, what reaches
 * cdc.ddl_history. `ddl_text` is the statement's own text, for that history.
 *
 * System-generated constraint names: pass NULL as name.
 */
#ifndef SIM_SQLSERVER_STORAGE_DDL_H
#define SIM_SQLSERVER_STORAGE_DDL_H

#include "catalog.h"

struct ms_column_spec {
    const char *name;
    struct ms_type type;
    bool nullable;
    bool identity;
    int64_t identity_seed;
    int64_t identity_increment;
    bool rowguidcol;
    const char *collation;           /* NULL: the database's */
    const char *computed_definition; /* NULL: a plain column */
    bool computed_persisted;
    const char *default_name;       /* NULL: generated */
    const char *default_definition; /* NULL: no default; already normalized */
};

/* --- databases, schemas --- */
bool ms_ddl_create_database(struct ms_session *session, const char *name, const char *collation,
                            struct ms_error *err);
/* 3702 while other sessions use it: their count is in the error. */
bool ms_ddl_drop_database(struct ms_session *session, const char *name, struct ms_error *err);

enum ms_db_option {
    MS_DB_SNAPSHOT_ISOLATION,      /* on/off */
    MS_DB_READ_COMMITTED_SNAPSHOT, /* on/off */
    MS_DB_ONLINE,                  /* on: ONLINE, off: OFFLINE */
    MS_DB_USER_ACCESS,             /* text: MULTI_USER, SINGLE_USER, RESTRICTED_USER */
    MS_DB_RECOVERY,                /* text: FULL, SIMPLE, BULK_LOGGED */
    MS_DB_COLLATE,                 /* text */
    MS_DB_READ_ONLY,               /* on/off */
    MS_DB_NAME,                    /* text: MODIFY NAME = */
};
/* WITH ROLLBACK IMMEDIATE: see ms_session_kill_others. */
bool ms_ddl_alter_database(struct ms_session *session, const char *name, enum ms_db_option option, bool on,
                           const char *text, struct ms_error *err);

bool ms_ddl_create_schema(struct ms_session *session, int32_t db_id, const char *name, const char *owner,
                          struct ms_error *err);
bool ms_ddl_drop_schema(struct ms_session *session, int32_t db_id, const char *name, struct ms_error *err);

/* --- tables --- */
bool ms_ddl_create_table(struct ms_session *session, int32_t db_id, const char *schema, const char *name,
                         const struct ms_column_spec *columns, size_t n_columns, int32_t *ret_object_id,
                         struct ms_error *err); /* 2714 exists, 2760 no such schema, 2705 column twice */
bool ms_ddl_drop_table(struct ms_session *session, int32_t object_id, struct ms_error *err);
bool ms_ddl_truncate_table(struct ms_session *session, int32_t object_id, struct ms_error *err);

/* fill: the value for the rows that exist (the default, evaluated by the caller); NULL: they get NULL. */
bool ms_ddl_add_column(struct ms_session *session, int32_t object_id, const struct ms_column_spec *column,
                       const struct ms_value *fill, const char *ddl_text, struct ms_error *err);
bool ms_ddl_drop_column(struct ms_session *session, int32_t object_id, const char *column,
                        const char *ddl_text, struct ms_error *err);
/* Converts the rows that exist with ms_convert_value. collation NULL: the database's. */
bool ms_ddl_alter_column(struct ms_session *session, int32_t object_id, const char *column,
                         const struct ms_type *type, bool nullable, const char *collation,
                         const char *ddl_text, struct ms_error *err);

/* --- constraints and indexes --- */
struct ms_key_spec {
    const char *name; /* NULL: generated (constraints only) */
    bool primary_key;
    bool unique_constraint; /* neither: CREATE INDEX */
    bool unique;
    bool clustered;
    bool ignore_dup_key;
    const char *filter;
    const char *const *columns;
    const bool *descending; /* NULL: all ascending */
    size_t n_columns;
    const char *const *included;
    size_t n_included;
};
bool ms_ddl_add_key(struct ms_session *session, int32_t object_id, const struct ms_key_spec *key,
                    struct ms_error *err); /* 1505 duplicate, 8111 nullable key column, 1913 name taken */
bool ms_ddl_drop_index(struct ms_session *session, int32_t object_id, const char *index,
                       struct ms_error *err);

struct ms_fk_spec {
    const char *name;
    int32_t referenced_id;
    const char *const *columns;
    const char *const *referenced_columns;
    size_t n_columns; /* n of both; referenced_columns NULL: the primary key */
    enum ms_fk_action on_delete;
    enum ms_fk_action on_update;
    bool nocheck; /* WITH NOCHECK: rows that exist are not looked at */
};
bool ms_ddl_add_foreign_key(struct ms_session *session, int32_t object_id, const struct ms_fk_spec *fk,
                            struct ms_error *err);
/* The caller has checked the rows that exist. column NULL: table level. */
bool ms_ddl_add_check(struct ms_session *session, int32_t object_id, const char *name, const char *column,
                      const char *definition, struct ms_error *err);
bool ms_ddl_add_default(struct ms_session *session, int32_t object_id, const char *name, const char *column,
                        const char *definition, const char *ddl_text, struct ms_error *err);
bool ms_ddl_drop_constraint(struct ms_session *session, int32_t object_id, const char *name,
                            struct ms_error *err);
/* NOCHECK CONSTRAINT / CHECK CONSTRAINT; name NULL: ALL. */
bool ms_ddl_enable_constraint(struct ms_session *session, int32_t object_id, const char *name, bool enabled,
                              struct ms_error *err);

/* --- modules (views, procedures, functions): the text only; alter replaces it --- */
bool ms_ddl_create_module(struct ms_session *session, int32_t db_id, const char *schema, const char *name,
                          const char *type, const char *definition, bool alter, struct ms_error *err);
bool ms_ddl_drop_module(struct ms_session *session, int32_t object_id, struct ms_error *err);

/* --- names: what sp_rename does; also callable by tsql/ --- */
bool ms_ddl_rename_object(struct ms_session *session, int32_t object_id, const char *new_name,
                          struct ms_error *err);
bool ms_ddl_rename_column(struct ms_session *session, int32_t object_id, const char *column,
                          const char *new_name, struct ms_error *err);

/* --- principals --- */
bool ms_ddl_create_login(struct ms_session *session, const char *name, const char *password,
                         const char *default_database, struct ms_error *err);
bool ms_ddl_alter_login(struct ms_session *session, const char *name, const char *password, int enabled,
                        const char *default_database,
                        struct ms_error *err); /* password NULL: as it is; enabled -1: as it is */
bool ms_ddl_drop_login(struct ms_session *session, const char *name, struct ms_error *err);
bool ms_ddl_create_user(struct ms_session *session, int32_t db_id, const char *name, const char *login,
                        const char *default_schema,
                        struct ms_error *err); /* login and default_schema: NULL leaves what is. */
bool ms_ddl_alter_user(struct ms_session *session, int32_t db_id, const char *name, const char *login,
                       const char *default_schema, struct ms_error *err);
/* login NULL: WITHOUT LOGIN */
bool ms_ddl_drop_user(struct ms_session *session, int32_t db_id, const char *name, struct ms_error *err);
/* owner (or NULL) must exist; who owns a role is not kept. */
bool ms_ddl_create_role(struct ms_session *session, int32_t db_id, const char *name, const char *owner,
                        struct ms_error *err);
bool ms_ddl_drop_role(struct ms_session *session, int32_t db_id, const char *name, struct ms_error *err);
/* db_id 0: a server role (sysadmin) and a login. */
bool ms_ddl_role_member(struct ms_session *session, int32_t db_id, const char *role, const char *member,
                        bool add, struct ms_error *err);
/* permission: "SELECT", "INSERT", "CONTROL", "VIEW SERVER STATE" ...; object_id 0: on schema (schema_id != 0)
 * or on the database. grant: 'G' grant, 'D' deny, 'R' revoke. */
bool ms_ddl_permission(struct ms_session *session, int32_t db_id, char grant, const char *permission,
                       int32_t object_id, int32_t schema_id, const char *grantee, struct ms_error *err);

#endif
