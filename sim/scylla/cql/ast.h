/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A CQL statement as it was written: nothing in here has been looked up in a catalogue. All of it lives in
 * the arena of the parser. Names are NUL-terminated and, unless they were quoted, in lower case.
 */
#ifndef SIM_SCYLLA_CQL_AST_H
#define SIM_SCYLLA_CQL_AST_H

#include "../session.h"

/* A type by name; n_parts > 0: name<...>. */
struct sy_type_name {
    const char *keyspace; /* NULL: not given */
    const char *name;
    bool quoted;
    uint32_t n_parts;
    const struct sy_type_name *const *parts;
};

enum sy_term_kind {
    SY_TERM_NULL,
    SY_TERM_INTEGER,
    SY_TERM_FLOAT, /* also NaN and Infinity */
    SY_TERM_STRING,
    SY_TERM_UUID,
    SY_TERM_BLOB, /* text: hex digits */
    SY_TERM_BOOLEAN,
    SY_TERM_DURATION,
    SY_TERM_MARKER,
    SY_TERM_LIST,
    SY_TERM_SET,    /* {a, b}; {} is an empty set or map */
    SY_TERM_MAP,    /* items: key, value, key, value ... */
    SY_TERM_FIELDS, /* {name: value, ...} of a user type */
    SY_TERM_TUPLE,
    SY_TERM_CALL,
    SY_TERM_TYPED,   /* (type) term */
    SY_TERM_CAST,    /* CAST(item AS type) */
    SY_TERM_COLUMN,  /* a column's value: arguments of functions in SELECT */
    SY_TERM_ELEMENT, /* items: collection, key */
    SY_TERM_FIELD,   /* items: a user type's value; text: the field */
};

struct sy_term {
    enum sy_term_kind kind;
    const char *text; /* literals; CALL: the function; COLUMN: the name */
    uint32_t len;
    uint32_t marker;          /* MARKER: its number in the statement, from 0 */
    const char *keyspace;     /* CALL: ks.function */
    const char *const *names; /* FIELDS */
    const struct sy_term *const *items;
    uint32_t n_items;
    const struct sy_type_name *type;
};

enum sy_operator {
    SY_OP_EQ,
    SY_OP_LT,
    SY_OP_LE,
    SY_OP_GT,
    SY_OP_GE,
    SY_OP_NE,
    SY_OP_IN,
    SY_OP_CONTAINS,
    SY_OP_CONTAINS_KEY,
    SY_OP_LIKE,
    SY_OP_IS_NOT_NULL,
};

enum sy_relation_kind { SY_RELATION_COLUMN, SY_RELATION_TOKEN, SY_RELATION_TUPLE };

/* WHERE and IF: column op value, token(columns) op value, (columns) op value. */
struct sy_relation {
    enum sy_relation_kind kind;
    enum sy_operator op;
    const char *const *columns;
    uint32_t n_columns;
    const struct sy_term *key;   /* c[key] op value; or NULL */
    const char *field;           /* c.field op value (IF); or NULL */
    const struct sy_term *value; /* IN: a SY_TERM_TUPLE of its list, or a marker */
};

enum sy_operation_kind {
    SY_SET_COLUMN,   /* c = v */
    SY_SET_ELEMENT,  /* c[key] = v */
    SY_SET_FIELD,    /* c.field = v */
    SY_ADD_TO,       /* c = c + v */
    SY_SUBTRACT,     /* c = c - v */
    SY_PREPEND,      /* c = v + c */
    SY_DROP_COLUMN,  /* DELETE c */
    SY_DROP_ELEMENT, /* DELETE c[key] */
    SY_DROP_FIELD,   /* DELETE c.field */
};

struct sy_operation {
    enum sy_operation_kind kind;
    const char *column;
    const char *field;
    const struct sy_term *key;
    const struct sy_term *value;
};

struct sy_selector {
    const struct sy_term *term;
    const char *text;  /* as written, for the name of the result column */
    const char *alias; /* or NULL */
};

struct sy_order {
    const char *column;
    bool descending;
};

/* Terms are NULL when not given. */
struct sy_select {
    const char *keyspace; /* NULL: the session's */
    const char *table;
    bool json;
    bool distinct;
    bool star;
    bool count_star; /* the single selector is COUNT(*) or COUNT(1) */
    const struct sy_selector *selectors;
    uint32_t n_selectors;
    const struct sy_relation *where;
    uint32_t n_where;
    const char *const *group_by;
    uint32_t n_group_by;
    const struct sy_order *order_by;
    uint32_t n_order_by;
    const struct sy_term *per_partition_limit;
    const struct sy_term *limit;
    bool allow_filtering;
};

enum sy_modify_kind { SY_INSERT, SY_UPDATE, SY_DELETE };

struct sy_modify {
    enum sy_modify_kind kind;
    const char *keyspace;
    const char *table;
    const char *const *names; /* INSERT: columns and, in the same order, */
    const struct sy_term *const *values;
    uint32_t n_names;
    const struct sy_term *json;            /* INSERT JSON */
    const struct sy_operation *operations; /* UPDATE, DELETE */
    uint32_t n_operations;
    const struct sy_relation *where;
    uint32_t n_where;
    const struct sy_relation *conditions;
    uint32_t n_conditions;
    bool if_exists;
    bool if_not_exists;
    const struct sy_term *timestamp;
    const struct sy_term *ttl;
};

struct sy_text_batch {
    enum sy_batch_kind kind;
    const struct sy_term *timestamp;
    const struct sy_modify *const *items;
    uint32_t n_items;
};

enum sy_statement_kind {
    SY_STATEMENT_SELECT,
    SY_STATEMENT_MODIFY,
    SY_STATEMENT_BATCH,
    SY_STATEMENT_USE,
    SY_STATEMENT_TRUNCATE,
    SY_CREATE_KEYSPACE,
    SY_ALTER_KEYSPACE,
    SY_DROP_KEYSPACE,
    SY_CREATE_TABLE,
    SY_ALTER_TABLE,
    SY_DROP_TABLE,
    SY_CREATE_TYPE,
    SY_ALTER_TYPE,
    SY_DROP_TYPE,
    SY_CREATE_INDEX,
    SY_DROP_INDEX,
    SY_CREATE_ROLE,
    SY_ALTER_ROLE,
    SY_DROP_ROLE,
    SY_LIST_ROLES,
    SY_GRANT, /* and REVOKE */
    SY_LIST_PERMISSIONS,
};

/* WITH name = value: a constant's text, or a map's. */
struct sy_with {
    const char *name;
    const struct sy_term *value;
};

struct sy_column_definition {
    const char *name;
    const struct sy_type_name *type;
    bool is_static;
    bool primary_key; /* written behind the column */
    bool row_ttl;
};

enum sy_alter_kind { SY_ALTER_ADD, SY_ALTER_DROP, SY_ALTER_RENAME, SY_ALTER_WITH, SY_ALTER_COLUMN_TYPE };

struct sy_renaming {
    const char *from;
    const char *to;
};

/* CREATE, ALTER, DROP of anything; a field is used where the kind has a use for it. */
struct sy_definition {
    const char *keyspace;
    const char *name;
    bool if_exists;
    bool if_not_exists;
    enum sy_alter_kind alter;
    const struct sy_column_definition *columns; /* table columns, type fields, ALTER ... ADD */
    uint32_t n_columns;
    const char *const *partition_key;
    uint32_t n_partition_key;
    const char *const *clustering;
    uint32_t n_clustering;
    const struct sy_order *clustering_order;
    uint32_t n_clustering_order;
    bool compact_storage;
    const struct sy_with *with;
    uint32_t n_with;
    const char *const *dropped;
    uint32_t n_dropped;
    const struct sy_renaming *renamed;
    uint32_t n_renamed;
    const char *table;  /* index */
    const char *column; /* index */
    const char *target; /* index: "values", "keys", "entries", "full"; NULL: the column itself */
    const char *custom_class;
};

struct sy_role_statement {
    const char *name;
    bool if_exists;
    bool if_not_exists;
    bool user;            /* CREATE USER: may log in unless told otherwise */
    const char *password; /* NULL: not given */
    int superuser;        /* -1: not given */
    int login;
    bool grant; /* GRANT, not REVOKE */
    bool grants_role;
    const char *permission;
    const char *resource;
    const char *grantee;
};

struct sy_statement {
    enum sy_statement_kind kind;
    uint32_t n_markers;
    const char *const *marker_names; /* by marker; NULL for ? */
    union {
        const struct sy_select *select;
        const struct sy_modify *modify;
        const struct sy_text_batch *batch;
        const struct sy_definition *definition;
        const struct sy_role_statement *role;
    };
};

#endif
