/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What SQL Server says about the captured tables: capture instances, their columns (exact types come from the
 * change table, nullability, defaults and keys from the source table), and the unique key of each.
 *
 * A table has one capture instance, or two while its structure is being changed: then the older one is read
 * up to the start of the newer (its stop), and the newer from there.
 */
#ifndef SLUICE_SOURCE_SQLSERVER_CATALOG_H
#define SLUICE_SOURCE_SQLSERVER_CATALOG_H

#include "net/odbc/odbc.h"
#include "source/sqlserver/config.h"
#include "source/sqlserver/lsn.h"

/* sys.columns.system_type_id; of the CLR types that come with SQL Server, which share one, user_type_id. */
enum sl_mssql_type {
    SL_MSSQL_IMAGE = 34,
    SL_MSSQL_TEXT = 35,
    SL_MSSQL_UNIQUEIDENTIFIER = 36,
    SL_MSSQL_DATE = 40,
    SL_MSSQL_TIME = 41,
    SL_MSSQL_DATETIME2 = 42,
    SL_MSSQL_DATETIMEOFFSET = 43,
    SL_MSSQL_TINYINT = 48,
    SL_MSSQL_SMALLINT = 52,
    SL_MSSQL_INT = 56,
    SL_MSSQL_SMALLDATETIME = 58,
    SL_MSSQL_REAL = 59,
    SL_MSSQL_MONEY = 60,
    SL_MSSQL_DATETIME = 61,
    SL_MSSQL_FLOAT = 62,
    SL_MSSQL_VARIANT = 98,
    SL_MSSQL_NTEXT = 99,
    SL_MSSQL_BIT = 104,
    SL_MSSQL_DECIMAL = 106,
    SL_MSSQL_NUMERIC = 108,
    SL_MSSQL_SMALLMONEY = 122,
    SL_MSSQL_BIGINT = 127,
    SL_MSSQL_HIERARCHYID = 128,
    SL_MSSQL_GEOMETRY = 129,
    SL_MSSQL_GEOGRAPHY = 130,
    SL_MSSQL_VARBINARY = 165,
    SL_MSSQL_VARCHAR = 167,
    SL_MSSQL_BINARY = 173,
    SL_MSSQL_CHAR = 175,
    SL_MSSQL_TIMESTAMP = 189,
    SL_MSSQL_NVARCHAR = 231,
    SL_MSSQL_NCHAR = 239,
    SL_MSSQL_CLR = 240, /* a type of the user's own */
    SL_MSSQL_XML = 241,
};

struct sl_mssql_column {
    char name[129];
    int id;      /* column_id in the source table */
    int ordinal; /* from 1: the column's bit in the update mask */
    enum sl_mssql_type type;
    int max_length; /* bytes; -1: max */
    int precision, scale;
    bool nullable, identity, computed;
    char *default_text; /* the default's definition, as "((0))"; NULL when none */
    int key;            /* place in the key from 1; 0: not part of it */
};

struct sl_mssql_instance {
    int object_id;        /* of the change table: the instance's identity */
    int source_object_id; /* of the table */
    char name[129];       /* capture instance; its change table is cdc.[<name>_CT] */
    char schema[129], table[129];
    struct sl_lsn start; /* low end of valid data; zero while the server has not set it */
    struct sl_lsn stop;  /* a newer instance takes over from here */
    bool has_stop;
    bool has_command_id; /* very old change tables lack __$command_id */
    bool key_clustered;  /* the key is the clustered index: to read the table in its order costs nothing */
    struct sl_mssql_column *columns;
    size_t n_columns;
};

struct sl_mssql_catalog {
    struct sl_mssql_instance *instances; /* in the order of their tables' place in the include list */
    size_t n;
    struct sl_lsn ddl; /* newest entry of cdc.ddl_history: when it moves, read the catalog again */
};

/*
 * Read the instances of the tables that the configuration lets pass. Errors: NOT_FOUND (no such database, CDC
 * not enabled), transport errors of sl_odbc_*.
 */
enum sl_rc sl_mssql_catalog_read(struct sl_odbc *conn, const struct sl_mssql_config *config,
                                 const char *database, struct sl_mssql_catalog *ret_catalog,
                                 struct sl_error *err);
void sl_mssql_catalog_done(struct sl_mssql_catalog *catalog);

/* Is the column a large one, whose unchanged value a change table may lack? */
bool sl_mssql_column_is_large(const struct sl_mssql_column *column);

/* SQL Server's name of a type: "nvarchar". */
const char *sl_mssql_type_name(enum sl_mssql_type type);

/* "[" name "]" with its closing brackets doubled. */
void sl_mssql_quote(struct sl_buf *sql, const char *name);

#endif
