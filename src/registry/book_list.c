/* SPDX-License-Identifier: Apache-2.0 */
/* What only reads: lists, and schemas by id. */
#include "registry/book_inside.h"

#include <string.h>
#include <strings.h>

/* A list that is cut: how many to skip, how many to take. */
struct page {
    json_t *list;
    size_t skip;
    size_t left;
};

static struct page open_page(const struct sl_book_filter *filter)
{
    return (struct page){
        .list = json_array(), .skip = filter->offset, .left = filter->limit ? filter->limit : SIZE_MAX};
}

static void put(struct page *page, json_t *item)
{
    if (page->skip > 0) {
        page->skip--;
        json_decref(item);
    } else if (page->left == 0) {
        json_decref(item);
    } else {
        page->left--;
        (void)json_array_append_new(page->list, item);
    }
}

/* ":*:" is every context; there is one here. */
static bool has_prefix(const char *name, const char *prefix)
{
    if (prefix && strncmp(prefix, ":*:", 3) == 0)
        prefix += 3;
    return !prefix || strncmp(name, prefix, strlen(prefix)) == 0;
}

static bool wanted(const struct sl_schema_version *version, const struct sl_book_filter *filter)
{
    return version->deleted ? filter->deleted || filter->deleted_only : !filter->deleted_only;
}

static bool subject_wanted(const struct sl_schema_subject *subject, const struct sl_book_filter *filter)
{
    bool alive = sl_subject_latest(subject) != NULL;

    if (subject->n_versions == 0 || !has_prefix(subject->name, filter->prefix))
        return false;
    return filter->deleted_only ? !alive : alive || filter->deleted;
}

json_t *sl_book_subjects(struct sl_schema_book *book, const struct sl_book_filter *filter)
{
    struct page page = open_page(filter);
    struct sl_refusal refusal = {0};

    if (sl_book_enter(book, &refusal)) {
        for (size_t i = 0; i < book->catalog.n_subjects; i++) {
            if (subject_wanted(book->catalog.subjects[i], filter))
                put(&page, json_string(book->catalog.subjects[i]->name));
        }
        sl_book_leave(book);
    }
    sl_refusal_done(&refusal);
    return page.list;
}

json_t *sl_book_schemas(struct sl_schema_book *book, const struct sl_book_filter *filter)
{
    struct page page = open_page(filter);
    struct sl_refusal refusal = {0};

    if (!sl_book_enter(book, &refusal)) {
        sl_refusal_done(&refusal);
        return page.list;
    }
    for (size_t i = 0; i < book->catalog.n_subjects && page.left; i++) {
        const struct sl_schema_subject *subject = book->catalog.subjects[i];
        const struct sl_schema_version *latest = NULL;

        if (!has_prefix(subject->name, filter->prefix))
            continue;
        for (size_t v = 0; v < subject->n_versions; v++) {
            if (!wanted(&subject->versions[v], filter))
                continue;
            latest = &subject->versions[v];
            if (!filter->latest_only)
                put(&page, sl_book_describe(latest->entry, subject->name, latest->version));
        }
        if (filter->latest_only && latest)
            put(&page, sl_book_describe(latest->entry, subject->name, latest->version));
    }
    sl_book_leave(book);
    return page.list;
}

json_t *sl_book_versions(struct sl_schema_book *book, const char *subject_name,
                         const struct sl_book_filter *filter, struct sl_refusal *refusal)
{
    const struct sl_schema_subject *subject;
    struct page page;
    bool any = false;

    if (!sl_book_enter(book, refusal))
        return NULL;
    page = open_page(filter);
    subject = sl_catalog_subject(&book->catalog, subject_name);
    for (size_t i = 0; subject && i < subject->n_versions; i++) {
        if (!wanted(&subject->versions[i], filter))
            continue;
        any = true;
        put(&page, json_integer(subject->versions[i].version));
    }
    sl_book_leave(book);
    if (!any) {
        json_decref(page.list);
        return sl_refuse_subject(refusal, subject_name);
    }
    return page.list;
}

json_t *sl_book_version(struct sl_schema_book *book, const char *subject, int32_t version, bool deleted,
                        struct sl_refusal *refusal)
{
    const struct sl_schema_version *found;
    json_t *answer = NULL;

    if (!sl_book_enter(book, refusal))
        return NULL;
    found = sl_book_find_version(book, subject, version, deleted, refusal);
    if (found)
        answer = sl_book_describe(found->entry, subject, found->version);
    sl_book_leave(book);
    return answer;
}

/* An id of which every version is gone for ever is not known any more. */
static const struct sl_schema_entry *find_entry(const struct sl_schema_book *book, int32_t id,
                                                struct sl_refusal *refusal)
{
    const struct sl_schema_entry *entry = sl_catalog_by_id(&book->catalog, id);

    return entry && entry->uses ? entry : sl_refuse(refusal, 404, 40403, "Schema %d not found", id);
}

json_t *sl_book_by_id(struct sl_schema_book *book, int32_t id, struct sl_refusal *refusal)
{
    const struct sl_schema_entry *entry;
    json_t *answer = NULL;

    if (!sl_book_enter(book, refusal))
        return NULL;
    entry = find_entry(book, id, refusal);
    if (entry)
        answer = sl_book_describe(entry, NULL, 0);
    if (answer)
        (void)json_object_set_new(answer, "maxId", json_integer(book->catalog.last_id));
    sl_book_leave(book);
    return answer;
}

json_t *sl_book_by_guid(struct sl_schema_book *book, const char *guid, struct sl_refusal *refusal)
{
    json_t *answer = NULL;

    if (!sl_book_enter(book, refusal))
        return NULL;
    for (int32_t id = 1; id <= book->catalog.last_id && !answer; id++) {
        const struct sl_schema_entry *entry = sl_catalog_by_id(&book->catalog, id);
        char own[37];

        if (!entry || !entry->uses)
            continue;
        sl_schema_guid(&entry->schema, own);
        if (strcasecmp(own, guid) == 0) {
            answer = sl_book_describe(entry, NULL, 0);
            (void)json_object_set_new(answer, "id", json_integer(id));
        }
    }
    sl_book_leave(book);
    return answer ? answer : sl_refuse(refusal, 404, 40403, "Schema %.60s not found", guid);
}

static bool has_metadata(const struct sl_schema_entry *entry, const char *const *keys,
                         const char *const *values, size_t n)
{
    json_t *extra = entry->schema.extra ? json_loads(entry->schema.extra, 0, NULL) : NULL;
    json_t *properties = json_object_get(json_object_get(extra, "metadata"), "properties");
    bool fits = true;

    for (size_t i = 0; i < n && fits; i++) {
        const char *value = json_string_value(json_object_get(properties, keys[i]));

        fits = value && strcmp(value, values[i]) == 0;
    }
    json_decref(extra);
    return fits;
}

json_t *sl_book_by_metadata(struct sl_schema_book *book, const char *subject_name, const char *const *keys,
                            const char *const *values, size_t n, bool deleted, struct sl_refusal *refusal)
{
    const struct sl_schema_subject *subject;
    json_t *answer = NULL;

    if (!sl_book_enter(book, refusal))
        return NULL;
    subject = sl_catalog_subject(&book->catalog, subject_name);
    for (size_t i = subject ? subject->n_versions : 0; i > 0 && !answer; i--) {
        const struct sl_schema_version *version = &subject->versions[i - 1];

        if ((deleted || !version->deleted) && has_metadata(version->entry, keys, values, n))
            answer = sl_book_describe(version->entry, subject_name, version->version);
    }
    if (!answer && (!subject || subject->n_versions == 0))
        (void)sl_refuse_subject(refusal, subject_name);
    else if (!answer)
        (void)sl_refuse(refusal, 404, 40403, "Schema not found");
    sl_book_leave(book);
    return answer;
}

json_t *sl_book_users_of_id(struct sl_schema_book *book, int32_t id, const struct sl_book_filter *filter,
                            bool versions, struct sl_refusal *refusal)
{
    struct page page;

    if (!sl_book_enter(book, refusal))
        return NULL;
    page = open_page(filter);
    if (!find_entry(book, id, refusal)) {
        json_decref(page.list);
        page.list = NULL;
    }
    for (size_t i = 0; page.list && i < book->catalog.n_subjects; i++) {
        const struct sl_schema_subject *subject = book->catalog.subjects[i];
        bool told = false;

        for (size_t v = 0; v < subject->n_versions; v++) {
            const struct sl_schema_version *version = &subject->versions[v];

            if (version->entry->id != id || !wanted(version, filter))
                continue;
            if (versions)
                put(&page, json_pack("{s:s, s:i}", "subject", subject->name, "version", version->version));
            else if (!told)
                put(&page, json_string(subject->name));
            told = true;
        }
    }
    sl_book_leave(book);
    return page.list;
}

/* Contexts are part of names here (":.context:subject"); ids are counted over all of them. */
json_t *sl_book_contexts(struct sl_schema_book *book)
{
    struct sl_refusal refusal = {0};
    json_t *seen = json_object();
    json_t *list = json_array();

    (void)json_object_set_new(seen, ".", json_true());
    if (sl_book_enter(book, &refusal)) {
        for (size_t i = 0; i < book->catalog.n_subjects; i++) {
            const char *name = book->catalog.subjects[i]->name;
            const char *end = strncmp(name, ":.", 2) == 0 ? strchr(name + 2, ':') : NULL;
            char *context = end ? sl_strndup(name + 1, (size_t)(end - name - 1)) : NULL;

            if (context)
                (void)json_object_set_new(seen, context, json_true());
            sl_free(context);
        }
        sl_book_leave(book);
    }
    sl_refusal_done(&refusal);
    for (void *it = json_object_iter(seen); it; it = json_object_iter_next(seen, it))
        (void)json_array_append_new(list, json_string(json_object_iter_key(it)));
    json_decref(seen);
    return list;
}

bool sl_book_find(struct sl_schema_book *book, int32_t id, struct sl_registry_found *ret,
                  struct sl_refusal *refusal)
{
    const struct sl_schema_entry *entry;
    struct sl_schema_texts before = {0};
    struct sl_error err = {0};
    bool good = false;

    if (!sl_book_enter(book, refusal))
        return false;
    /* What the log holds can be read even when all versions were deleted for ever. */
    entry = sl_catalog_by_id(&book->catalog, id);
    if (!entry)
        (void)find_entry(book, id, refusal);
    else if (!sl_book_resolve(book, entry->schema.references, &before, &err))
        (void)sl_refuse(refusal, 422, 42201, "%s", err.text);
    else {
        *ret = (struct sl_registry_found){.id = id, .text = sl_strdup(entry->schema.text)};
        ret->before = before.n ? sl_alloc(before.n * sizeof(*ret->before)) : NULL;
        for (size_t i = 0; i < before.n; i++)
            ret->before[ret->n_before++] = sl_strdup(before.items[i]);
        good = true;
    }
    sl_free(before.items);
    sl_book_leave(book);
    return good;
}
