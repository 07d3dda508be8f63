/* SPDX-License-Identifier: Apache-2.0 */
/* Deleting: softly (a version is no longer seen, its id still resolves), then for ever. */
#include "registry/book_inside.h"

#include <stdio.h>
#include <string.h>

struct deleting {
    const char *subject;
    int32_t version;
    bool permanent;
};

static bool refers(const struct sl_schema_entry *entry, const char *subject, int32_t version)
{
    json_t *list = entry->schema.references ? json_loads(entry->schema.references, 0, NULL) : NULL;
    bool found = false;

    for (size_t i = 0; i < json_array_size(list) && !found; i++) {
        json_t *reference = json_array_get(list, i);
        const char *name = json_string_value(json_object_get(reference, "subject"));

        found = name && strcmp(name, subject) == 0 &&
                json_integer_value(json_object_get(reference, "version")) == version;
    }
    json_decref(list);
    return found;
}

/* Ids of the schemas that refer to a version; those of subject except are not looked at. */
static json_t *referring_ids(const struct sl_schema_book *book, const char *subject_name, int32_t version,
                             bool deleted, const char *except)
{
    json_t *ids = json_array();

    for (size_t i = 0; i < book->catalog.n_subjects; i++) {
        const struct sl_schema_subject *subject = book->catalog.subjects[i];

        for (size_t v = 0; v < subject->n_versions && !(except && strcmp(except, subject->name) == 0); v++) {
            const struct sl_schema_version *other = &subject->versions[v];
            bool known = false;

            if ((other->deleted && !deleted) || !refers(other->entry, subject_name, version))
                continue;
            for (size_t k = 0; k < json_array_size(ids); k++)
                known = known || json_integer_value(json_array_get(ids, k)) == other->entry->id;
            if (!known)
                (void)json_array_append_new(ids, json_integer(other->entry->id));
        }
    }
    return ids;
}

json_t *sl_book_referenced_by(struct sl_schema_book *book, const char *subject, int32_t version,
                              struct sl_refusal *refusal)
{
    const struct sl_schema_version *found;
    json_t *ids = NULL;

    if (!sl_book_enter(book, refusal))
        return NULL;
    found = sl_book_find_version(book, subject, version, true, refusal);
    if (found)
        ids = referring_ids(book, subject, found->version, false, NULL);
    sl_book_leave(book);
    return ids;
}

static bool check_unreferenced(const struct sl_schema_book *book, const char *subject, int32_t version,
                               bool permanent, const char *except, struct sl_refusal *refusal)
{
    json_t *ids = referring_ids(book, subject, version, permanent, except);
    bool free_to_go = json_array_size(ids) == 0;

    json_decref(ids);
    if (!free_to_go)
        (void)sl_refuse(refusal, 422, 42206,
                        "One or more references exist to the schema {magic=1,keytype=SCHEMA,subject=%s,"
                        "version=%d}.",
                        subject, version);
    return free_to_go;
}

static struct sl_schema_change change_of(const char *subject, const struct sl_schema_version *version,
                                         bool permanent)
{
    return (struct sl_schema_change){
        .kind = permanent ? SL_CHANGE_DROP : SL_CHANGE_VERSION,
        .subject = subject,
        .version = version->version,
        .id = version->entry->id,
        .schema = version->entry->schema,
        .deleted = true,
    };
}

/* ---- one version ---- */

static json_t *delete_version(struct sl_schema_book *book, const void *arg, struct sl_refusal *refusal)
{
    const struct deleting *d = arg;
    struct sl_schema_subject *subject = sl_catalog_subject(&book->catalog, d->subject);
    struct sl_schema_version *version;
    struct sl_schema_change change;

    if (!sl_book_writable(book, d->subject, refusal))
        return NULL;
    if (!subject || subject->n_versions == 0)
        return sl_refuse_subject(refusal, d->subject);
    version = d->version == SL_REGISTRY_LATEST
                  ? (d->permanent ? &subject->versions[subject->n_versions - 1] : sl_subject_latest(subject))
                  : sl_subject_version(subject, d->version);
    if (!version)
        return sl_refuse_version(refusal, d->version);
    if (version->deleted && !d->permanent)
        return sl_refuse(refusal, 404, 40406,
                         "Subject '%s' Version %d was soft deleted.Set permanent=true to delete permanently",
                         d->subject, version->version);
    if (!version->deleted && d->permanent)
        return sl_refuse(refusal, 404, 40407,
                         "Subject '%s' Version %d was not deleted first before being permanently deleted",
                         d->subject, version->version);
    if (!check_unreferenced(book, d->subject, version->version, d->permanent, NULL, refusal))
        return NULL;
    change = change_of(d->subject, version, d->permanent);
    return sl_book_commit(book, &change, 1, refusal) ? json_integer(change.version) : NULL;
}

json_t *sl_book_delete_version(struct sl_schema_book *book, const char *subject, int32_t version,
                               bool permanent, struct sl_refusal *refusal)
{
    return sl_book_write(book, delete_version, &(struct deleting){subject, version, permanent}, refusal);
}

/* ---- a whole subject ---- */

static bool check_subject(const struct sl_schema_subject *subject, const struct deleting *d,
                          struct sl_refusal *refusal)
{
    if (!subject || subject->n_versions == 0)
        return sl_refuse_subject(refusal, d->subject) != NULL;
    if (!d->permanent && !sl_subject_latest(subject))
        return sl_refuse(refusal, 404, 40404,
                         "Subject '%s' was soft deleted.Set permanent=true to delete permanently",
                         d->subject) != NULL;
    if (d->permanent && sl_subject_latest(subject))
        return sl_refuse(refusal, 404, 40405,
                         "Subject '%s' was not deleted first before being permanently deleted",
                         d->subject) != NULL;
    return true;
}

/* Settings go with the last version. */
static size_t drop_settings(const struct sl_schema_subject *subject, struct sl_schema_change *changes)
{
    size_t n = 0;

    if (subject->mode)
        changes[n++] = (struct sl_schema_change){
            .kind = SL_CHANGE_SETTING, .subject = subject->name, .setting = SL_SETTING_MODE};
    if (subject->config)
        changes[n++] = (struct sl_schema_change){
            .kind = SL_CHANGE_SETTING, .subject = subject->name, .setting = SL_SETTING_CONFIG};
    return n;
}

static json_t *delete_subject(struct sl_schema_book *book, const void *arg, struct sl_refusal *refusal)
{
    const struct deleting *d = arg;
    struct sl_schema_subject *subject = sl_catalog_subject(&book->catalog, d->subject);
    struct sl_schema_change *changes;
    json_t *versions;
    size_t n = 0;
    bool good = true;

    if (!sl_book_writable(book, d->subject, refusal) || !check_subject(subject, d, refusal))
        return NULL;
    changes = sl_alloc((subject->n_versions + 2) * sizeof(*changes));
    versions = json_array();
    for (size_t i = 0; i < subject->n_versions && good; i++) {
        const struct sl_schema_version *version = &subject->versions[i];

        if (version->deleted != d->permanent)
            continue;
        good = check_unreferenced(book, d->subject, version->version, d->permanent, d->subject, refusal);
        changes[n++] = change_of(d->subject, version, d->permanent);
        (void)json_array_append_new(versions, json_integer(version->version));
    }
    if (d->permanent)
        n += drop_settings(subject, changes + n);
    /* The changes name the subject by d: applying them takes the catalog's own away. */
    for (size_t i = 0; i < n; i++)
        changes[i].subject = d->subject;
    good = good && sl_book_commit(book, changes, n, refusal);
    sl_free(changes);
    if (!good) {
        json_decref(versions);
        return NULL;
    }
    return versions;
}

json_t *sl_book_delete_subject(struct sl_schema_book *book, const char *subject, bool permanent,
                               struct sl_refusal *refusal)
{
    return sl_book_write(book, delete_subject, &(struct deleting){subject, 0, permanent}, refusal);
}
