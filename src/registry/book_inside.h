/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of the book. Private to registry/. What is declared here is called under the book's lock. */
#ifndef SLUICE_REGISTRY_BOOK_INSIDE_H
#define SLUICE_REGISTRY_BOOK_INSIDE_H

#include "codec/avro_schema.h"
#include "registry/book.h"

#include <pthread.h>

struct sl_schema_book {
    pthread_mutex_t lock; /* guards everything below */
    struct sl_schema_store *store;
    struct sl_catalog catalog;
};

/* Fill a refusal; always NULL, so that `return sl_refuse(...)` reads well. */
void *sl_refuse(struct sl_refusal *refusal, int status, int code, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
void *sl_refuse_subject(struct sl_refusal *refusal, const char *subject); /* 40401 */
void *sl_refuse_version(struct sl_refusal *refusal, int32_t version);     /* 40402 */

/* Lock, and see what other processes wrote. False: the store failed; the lock is not held. */
bool sl_book_enter(struct sl_schema_book *book, struct sl_refusal *refusal);
void sl_book_leave(struct sl_schema_book *book);

/*
 * A call that changes something: the store is asked for the right to write, the catalog is brought up to
 * date, the action decides and commits; when another worker came between, all of it is done again.
 */
typedef json_t *sl_book_action(struct sl_schema_book *book, const void *arg, struct sl_refusal *refusal);
json_t *sl_book_write(struct sl_schema_book *book, sl_book_action *action, const void *arg,
                      struct sl_refusal *refusal);

/* Store the changes, then apply them to the catalog. */
bool sl_book_commit(struct sl_schema_book *book, const struct sl_schema_change *changes, size_t n,
                    struct sl_refusal *refusal);

/* {"subject","version","id","guid",["references"],"schema"}; subject NULL leaves the first two out. */
json_t *sl_book_describe(const struct sl_schema_entry *entry, const char *subject, int32_t version);

/* Its MD5 as a UUID. */
void sl_schema_guid(const struct sl_schema_text *schema, char ret[37]);

/* A version of a subject as a path names it, or a refusal. */
struct sl_schema_version *sl_book_find_version(struct sl_schema_book *book, const char *subject,
                                               int32_t version, bool deleted, struct sl_refusal *refusal);

/* ---- schemas (book_schema.c) ---- */

/* Texts of the schemas that one refers to, each once, those that others need first. */
struct sl_schema_texts {
    const char **items; /* borrowed from the catalog */
    size_t n, capacity;
};

/* False: a reference does not lead anywhere, or too many are nested. */
bool sl_book_resolve(const struct sl_schema_book *book, const char *references, struct sl_schema_texts *ret,
                     struct sl_error *err);

/* The catalog's own entry as a tree. */
enum sl_rc sl_book_parse(const struct sl_schema_book *book, const struct sl_schema_entry *entry,
                         struct sl_avro_doc **ret, struct sl_error *err);

/* A request, read: the tree and the canonical texts (heap). */
struct sl_schema_draft {
    struct sl_avro_doc *doc;
    struct sl_schema_text schema;
};

/* is_new: what only new schemas have to fulfil is looked at too. */
bool sl_book_draft(const struct sl_schema_book *book, const char *subject,
                   const struct sl_schema_request *request, bool is_new, struct sl_schema_draft *ret,
                   struct sl_refusal *refusal);
void sl_schema_draft_done(struct sl_schema_draft *draft);

/* ---- compatibility (book_compatible.c) ---- */

/*
 * What is in the way of a new schema beside earlier versions of its subject, as the registry words it: an
 * array of texts, empty when nothing is. The caller owns it. hint (may be NULL): the innermost reason of the
 * first.
 */
json_t *sl_book_incompatibilities(const struct sl_schema_book *book, const char *subject,
                                  const struct sl_avro_doc *draft, const struct sl_schema_version *versions,
                                  size_t n, char *hint, size_t hint_size);

/* ---- settings (book_settings.c) ---- */

/* "BACKWARD": the subject's, or the global one. */
const char *sl_book_level(const struct sl_schema_book *book, const char *subject);
const char *sl_book_mode_of(const struct sl_schema_book *book, const char *subject);
bool sl_book_normalizes(const struct sl_schema_book *book, const char *subject);

/* May the subject be written to? False with 42205. */
bool sl_book_writable(const struct sl_schema_book *book, const char *subject, struct sl_refusal *refusal);

#endif
