/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The built-in registry's rules: what may be registered, which id and version it gets, what is compatible,
 * what can be deleted. They are those of Confluent's registry, and so are the answers and refusals: answers
 * are the JSON of its REST interface, refusals carry its status, code and wording. The book keeps a catalog
 * in memory and a store behind it; nothing is answered before the store has it.
 *
 * Threads: any; calls take turns.
 */
#ifndef SLUICE_REGISTRY_BOOK_H
#define SLUICE_REGISTRY_BOOK_H

#include "registry/store.h"
#include "sluice/registry.h"

#include <jansson.h>

struct sl_schema_book;

/* Why a call gave no answer. message is heap memory: sl_refusal_done. */
struct sl_refusal {
    int status; /* of HTTP */
    int code;   /* Confluent's: 40401 */
    char *message;
    char hint[200]; /* for people who read our errors: the innermost reason; "" when there is none */
    enum sl_rc rc;  /* OK, or what the store said: then cause holds it */
    struct sl_error cause;
};

void sl_refusal_done(struct sl_refusal *refusal);

/* The same for callers in the program: 4xx become DATA, NOT_FOUND or CONFIG. Returns err->rc. */
enum sl_rc sl_refusal_error(const struct sl_refusal *refusal, struct sl_error *err);

/* Takes the store over (closed with the book, or at once when loading fails). */
enum sl_rc sl_schema_book_open(struct sl_schema_store *store, struct sl_schema_book **ret,
                               struct sl_error *err);
void sl_schema_book_close(struct sl_schema_book *book);

/* A schema as POST /subjects/... takes it. */
struct sl_schema_request {
    const char *text;
    const char *type;   /* NULL or "AVRO"; others are refused */
    json_t *references; /* array, or NULL */
    json_t *metadata;   /* object, or NULL */
    json_t *rules;      /* object, or NULL */
    int32_t id;         /* 0: not given; taken in mode IMPORT */
    int32_t version;    /* 0: not given */
    bool normalize;
};

/*
 * Each returns a new JSON value, or NULL with the refusal filled (which the caller has zeroed). version:
 * SL_REGISTRY_LATEST is the newest that is not deleted. deleted: soft-deleted ones count too.
 */
json_t *sl_book_register(struct sl_schema_book *book, const char *subject,
                         const struct sl_schema_request *request, struct sl_refusal *refusal);
json_t *sl_book_look_up(struct sl_schema_book *book, const char *subject,
                        const struct sl_schema_request *request, bool deleted, struct sl_refusal *refusal);
json_t *sl_book_version(struct sl_schema_book *book, const char *subject, int32_t version, bool deleted,
                        struct sl_refusal *refusal);
json_t *sl_book_by_id(struct sl_schema_book *book, int32_t id, struct sl_refusal *refusal);
json_t *sl_book_by_guid(struct sl_schema_book *book, const char *guid, struct sl_refusal *refusal);
/* The newest version whose metadata has every one of these properties. */
json_t *sl_book_by_metadata(struct sl_schema_book *book, const char *subject, const char *const *keys,
                            const char *const *values, size_t n, bool deleted, struct sl_refusal *refusal);

/* What a list is cut to. */
struct sl_book_filter {
    const char *prefix; /* of subjects; NULL: all */
    bool deleted;       /* deleted ones too */
    bool deleted_only;
    bool latest_only;
    size_t offset;
    size_t limit; /* 0: none */
};

json_t *sl_book_subjects(struct sl_schema_book *book, const struct sl_book_filter *filter);
json_t *sl_book_schemas(struct sl_schema_book *book, const struct sl_book_filter *filter);
json_t *sl_book_versions(struct sl_schema_book *book, const char *subject,
                         const struct sl_book_filter *filter, struct sl_refusal *refusal);
/* The subjects (names), or the versions ({"subject","version"}), that stand for an id. */
json_t *sl_book_users_of_id(struct sl_schema_book *book, int32_t id, const struct sl_book_filter *filter,
                            bool versions, struct sl_refusal *refusal);
json_t *sl_book_referenced_by(struct sl_schema_book *book, const char *subject, int32_t version,
                              struct sl_refusal *refusal);
json_t *sl_book_contexts(struct sl_schema_book *book);

json_t *sl_book_delete_version(struct sl_schema_book *book, const char *subject, int32_t version,
                               bool permanent, struct sl_refusal *refusal);
json_t *sl_book_delete_subject(struct sl_schema_book *book, const char *subject, bool permanent,
                               struct sl_refusal *refusal);

/* Against one version (SL_REGISTRY_LATEST too), or with version 0 against as many as the level asks for. */
json_t *sl_book_compatible(struct sl_schema_book *book, const char *subject, int32_t version,
                           const struct sl_schema_request *request, bool verbose, struct sl_refusal *refusal);

/* subject "": the global setting. */
json_t *sl_book_config(struct sl_schema_book *book, const char *subject, bool or_global,
                       struct sl_refusal *refusal);
json_t *sl_book_set_config(struct sl_schema_book *book, const char *subject, json_t *config,
                           struct sl_refusal *refusal);
json_t *sl_book_drop_config(struct sl_schema_book *book, const char *subject, struct sl_refusal *refusal);
json_t *sl_book_mode(struct sl_schema_book *book, const char *subject, bool or_global,
                     struct sl_refusal *refusal);
json_t *sl_book_set_mode(struct sl_schema_book *book, const char *subject, const char *mode, bool force,
                         struct sl_refusal *refusal);
json_t *sl_book_drop_mode(struct sl_schema_book *book, const char *subject, struct sl_refusal *refusal);

/* For converters: a schema with the texts of those that it refers to. */
bool sl_book_find(struct sl_schema_book *book, int32_t id, struct sl_registry_found *ret,
                  struct sl_refusal *refusal);

#endif
