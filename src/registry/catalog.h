/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the built-in registry holds, in memory: schemas by id and by text, subjects with their versions and
 * settings. Only data and how to find it: who may add what is decided in book.h, where it is kept for ever in
 * store.h. Texts are canonical (codec/avro_schema.h) before they come here.
 *
 * Threads: none; the book's lock guards it.
 */
#ifndef SLUICE_REGISTRY_CATALOG_H
#define SLUICE_REGISTRY_CATALOG_H

#include "base/pointer_map.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SL_SCHEMA_DIGEST = 32 };

/* A schema as it is given or kept. Two are the same when all three texts are. */
struct sl_schema_text {
    const char *text;
    const char *references; /* JSON: [{"name":...,"subject":...,"version":n}, ...]; NULL: none */
    const char *extra;      /* JSON: {"metadata":...,"ruleSet":...}, members only if given; NULL: none */
};

struct sl_schema_entry {
    int32_t id;
    struct sl_schema_text schema; /* owned */
    uint8_t digest[SL_SCHEMA_DIGEST];
    uint32_t uses;                /* versions that stand for it, deleted ones too */
    struct sl_schema_entry *next; /* with the same first bytes of the digest */
};

struct sl_schema_version {
    int32_t version;
    bool deleted; /* softly */
    struct sl_schema_entry *entry;
};

struct sl_schema_subject {
    char *name;
    struct sl_schema_version *versions; /* by number */
    size_t n_versions, capacity;
    char *config; /* JSON as PUT /config took it; NULL: none */
    char *mode;   /* NULL: none */
};

struct sl_catalog {
    struct sl_schema_subject **subjects; /* by name */
    size_t n_subjects, capacity;
    struct sl_pointer_map by_id;
    struct sl_pointer_map by_digest;   /* by its first 8 bytes */
    int32_t last_id;                   /* the largest that was ever handed out, as far as is known */
    struct sl_schema_subject settings; /* the global ones */
};

void sl_catalog_done(struct sl_catalog *catalog);

void sl_schema_text_digest(const struct sl_schema_text *schema, uint8_t ret[SL_SCHEMA_DIGEST]);

struct sl_schema_entry *sl_catalog_by_id(const struct sl_catalog *catalog, int32_t id);
struct sl_schema_entry *sl_catalog_by_text(const struct sl_catalog *catalog,
                                           const struct sl_schema_text *schema);

/* NULL when it has no version at all, not even a deleted one, and no setting. "" is the global one. */
struct sl_schema_subject *sl_catalog_subject(const struct sl_catalog *catalog, const char *name);

/* NULL when there is none. */
struct sl_schema_version *sl_subject_version(const struct sl_schema_subject *subject, int32_t version);

/* The newest that is not deleted, or NULL. subject may be NULL. */
struct sl_schema_version *sl_subject_latest(const struct sl_schema_subject *subject);

/* ---- changes, as stores tell them when they load and the book when it has stored them ---- */

/* Add or replace a version; the schema is added when the id is new. */
void sl_catalog_put_version(struct sl_catalog *catalog, const char *subject, int32_t version, int32_t id,
                            const struct sl_schema_text *schema, bool deleted);
void sl_catalog_drop_version(struct sl_catalog *catalog, const char *subject, int32_t version);

/* A schema without a version (all were dropped): its id stays taken. */
void sl_catalog_put_entry(struct sl_catalog *catalog, int32_t id, const struct sl_schema_text *schema);

enum sl_schema_setting { SL_SETTING_CONFIG, SL_SETTING_MODE };

/* value NULL takes the setting away; subject "" is the global one. */
void sl_catalog_set(struct sl_catalog *catalog, const char *subject, enum sl_schema_setting setting,
                    const char *value);

#endif
