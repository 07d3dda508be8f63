/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kafka Connect's schemas: immutable and interned. Equal schemas are one pointer for the life of the process,
 * so "same schema?" is a pointer compare, and what is derived from a schema (an encode plan, a column
 * binding) is kept by its pointer or its small dense id.
 *
 * Threads: sl_schema_intern takes one lock; a schema, once returned, is read by any thread without one.
 */
#ifndef SLUICE_SCHEMA_H
#define SLUICE_SCHEMA_H

#include "value.h"

struct sl_schema;

/* What a named schema means, found once when it is interned, so that nobody compares names per row. */
enum sl_semantic {
    SL_SEM_NONE = 0,
    SL_SEM_DECIMAL, /* org.apache.kafka.connect.data.Decimal: bytes, two's complement big-endian, unscaled */
    SL_SEM_DATE,    /* org.apache.kafka.connect.data.Date: int32, days */
    SL_SEM_TIME,    /* org.apache.kafka.connect.data.Time: int32, ms */
    SL_SEM_TIMESTAMP,      /* org.apache.kafka.connect.data.Timestamp: int64, ms */
    SL_SEM_DBZ_DATE,       /* io.debezium.time.Date: int32, days since epoch */
    SL_SEM_DBZ_TIME,       /* io.debezium.time.Time: int32, ms since midnight */
    SL_SEM_DBZ_MICRO_TIME, /* int64, us */
    SL_SEM_DBZ_NANO_TIME,  /* int64, ns */
    SL_SEM_DBZ_TIMESTAMP,  /* int64, ms since epoch, no zone */
    SL_SEM_DBZ_MICRO_TIMESTAMP,
    SL_SEM_DBZ_NANO_TIMESTAMP,
    SL_SEM_DBZ_ZONED_TIMESTAMP, /* string, ISO-8601 with its offset */
    SL_SEM_DBZ_ZONED_TIME,
    SL_SEM_DBZ_ISO_DATE, /* io.debezium.time.IsoDate ... : strings of time.precision.mode=isostring */
    SL_SEM_DBZ_ISO_TIME,
    SL_SEM_DBZ_ISO_TIMESTAMP,
    SL_SEM_DBZ_ENUM, /* io.debezium.data.Enum */
    SL_SEM_DBZ_JSON,
    SL_SEM_DBZ_UUID,
    SL_SEM_DBZ_XML,
    SL_SEM_OTHER, /* a name that means nothing to us */
};

struct sl_field {
    const char *name;
    const struct sl_schema *schema;
};

struct sl_parameter {
    const char *name;
    const char *value;
};

struct sl_schema {
    enum sl_type type; /* never ABSENT or NULL */
    bool optional;
    bool has_version;
    bool has_default;
    int32_t version;
    const char *name; /* NULL when unnamed */
    const char *doc;
    struct sl_value default_value; /* when has_default; a default of NULL is said by tag SL_NULL */
    const struct sl_parameter
        *parameters; /* in the order in which they were given: it shows in schema text */
    uint32_t n_parameters;
    uint32_t n_fields; /* struct */
    const struct sl_field *fields;
    const struct sl_schema *key;     /* map */
    const struct sl_schema *element; /* array: of the items; map: of the values */

    /* Filled by interning; whatever a draft holds here is ignored. */
    enum sl_semantic semantic;
    int32_t scale; /* SL_SEM_DECIMAL: from parameter "scale" */
    uint32_t id;   /* dense, from 0, in order of interning */
    uint64_t hash;
    const struct sl_schema *required; /* the same schema, not optional; itself when it is not */
};

/*
 * Find or add the schema that equals the draft (children must be interned already). The draft and all it
 * points to are copied when needed and stay the caller's. Never fails; lives until the process ends.
 */
const struct sl_schema *sl_schema_intern(const struct sl_schema *draft);

/* A bare type without name or default. */
const struct sl_schema *sl_schema_plain(enum sl_type type, bool optional);

/* The same schema, optional or not. */
const struct sl_schema *sl_schema_as_optional(const struct sl_schema *schema, bool optional);

/* org.apache.kafka.connect.data.Decimal, version 1; precision <= 0 leaves connect.decimal.precision out. */
const struct sl_schema *sl_schema_decimal(int32_t scale, int32_t precision, bool optional);

/* Index of a field of a struct, or -1. For start and schema changes, not for rows. */
int sl_schema_field(const struct sl_schema *schema, const char *name);

const char *sl_type_name(enum sl_type type); /* "int8" ... "struct", Connect's spelling */

#endif
