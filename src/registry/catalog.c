/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/catalog.h"

#include "base/alloc.h"

#include <openssl/evp.h>
#include <string.h>

static void free_entry(void *pointer)
{
    struct sl_schema_entry *entry = pointer;

    sl_free((char *)(uintptr_t)entry->schema.text);
    sl_free((char *)(uintptr_t)entry->schema.references);
    sl_free((char *)(uintptr_t)entry->schema.extra);
    sl_free(entry);
}

static void free_subject(struct sl_schema_subject *subject)
{
    sl_free(subject->name);
    sl_free(subject->versions);
    sl_free(subject->config);
    sl_free(subject->mode);
}

void sl_catalog_done(struct sl_catalog *catalog)
{
    for (size_t i = 0; i < catalog->n_subjects; i++) {
        free_subject(catalog->subjects[i]);
        sl_free(catalog->subjects[i]);
    }
    sl_free(catalog->subjects);
    free_subject(&catalog->settings);
    sl_pointer_map_done(&catalog->by_digest, NULL);
    sl_pointer_map_done(&catalog->by_id, free_entry);
    *catalog = (struct sl_catalog){0};
}

static void hash_part(EVP_MD_CTX *hash, const char *text)
{
    SL_ASSERT(EVP_DigestUpdate(hash, text, strlen(text)) == 1);
}

void sl_schema_text_digest(const struct sl_schema_text *schema, uint8_t ret[SL_SCHEMA_DIGEST])
{
    EVP_MD_CTX *hash = EVP_MD_CTX_new();

    SL_ASSERT(hash && EVP_DigestInit_ex(hash, EVP_sha256(), NULL) == 1);
    hash_part(hash, schema->text);
    /* Nothing is added without references: the digests of format 1 stay good. */
    if (schema->references) {
        hash_part(hash, "\nreferences ");
        hash_part(hash, schema->references);
    }
    if (schema->extra) {
        hash_part(hash, "\nextra ");
        hash_part(hash, schema->extra);
    }
    SL_ASSERT(EVP_DigestFinal_ex(hash, ret, NULL) == 1);
    EVP_MD_CTX_free(hash);
}

static uint64_t first_bytes(const uint8_t *digest)
{
    uint64_t first;

    memcpy(&first, digest, sizeof(first));
    return first;
}

struct sl_schema_entry *sl_catalog_by_id(const struct sl_catalog *catalog, int32_t id)
{
    return sl_pointer_map_get(&catalog->by_id, (uint32_t)id);
}

struct sl_schema_entry *sl_catalog_by_text(const struct sl_catalog *catalog,
                                           const struct sl_schema_text *schema)
{
    uint8_t digest[SL_SCHEMA_DIGEST];
    struct sl_schema_entry *entry;

    sl_schema_text_digest(schema, digest);
    entry = sl_pointer_map_get(&catalog->by_digest, first_bytes(digest));
    while (entry && memcmp(entry->digest, digest, sizeof(digest)) != 0)
        entry = entry->next;
    return entry;
}

/* Where the name is or would be. */
static size_t find_place(const struct sl_catalog *catalog, const char *name, bool *ret_found)
{
    size_t low = 0;
    size_t high = catalog->n_subjects;

    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = strcmp(catalog->subjects[middle]->name, name);

        if (order == 0) {
            *ret_found = true;
            return middle;
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    *ret_found = false;
    return low;
}

struct sl_schema_subject *sl_catalog_subject(const struct sl_catalog *catalog, const char *name)
{
    bool found;
    size_t place;

    if (*name == '\0')
        return (struct sl_schema_subject *)(uintptr_t)&catalog->settings;
    place = find_place(catalog, name, &found);
    return found ? catalog->subjects[place] : NULL;
}

struct sl_schema_version *sl_subject_version(const struct sl_schema_subject *subject, int32_t version)
{
    for (size_t i = subject ? subject->n_versions : 0; i > 0; i--) {
        if (subject->versions[i - 1].version == version)
            return &subject->versions[i - 1];
    }
    return NULL;
}

struct sl_schema_version *sl_subject_latest(const struct sl_schema_subject *subject)
{
    for (size_t i = subject ? subject->n_versions : 0; i > 0; i--) {
        if (!subject->versions[i - 1].deleted)
            return &subject->versions[i - 1];
    }
    return NULL;
}

/* ---- changes ---- */

static struct sl_schema_subject *make_subject(struct sl_catalog *catalog, const char *name)
{
    struct sl_schema_subject *subject;
    bool found;
    size_t place;

    if (*name == '\0')
        return &catalog->settings;
    place = find_place(catalog, name, &found);
    if (found)
        return catalog->subjects[place];
    subject = sl_zalloc(1, sizeof(*subject));
    subject->name = sl_strdup(name);
    SL_GROW(catalog->subjects, catalog->n_subjects, catalog->capacity);
    memmove(&catalog->subjects[place + 1], &catalog->subjects[place],
            (catalog->n_subjects - place) * sizeof(*catalog->subjects));
    catalog->subjects[place] = subject;
    catalog->n_subjects++;
    return subject;
}

/* A subject of which nothing is left is forgotten. */
static void tidy_subject(struct sl_catalog *catalog, const char *name)
{
    struct sl_schema_subject *subject;
    bool found;
    size_t place = find_place(catalog, name, &found);

    if (!found)
        return;
    subject = catalog->subjects[place];
    if (subject->n_versions || subject->config || subject->mode)
        return;
    catalog->n_subjects--;
    memmove(&catalog->subjects[place], &catalog->subjects[place + 1],
            (catalog->n_subjects - place) * sizeof(*catalog->subjects));
    free_subject(subject);
    sl_free(subject);
}

static struct sl_schema_entry *make_entry(struct sl_catalog *catalog, int32_t id,
                                          const struct sl_schema_text *schema)
{
    struct sl_schema_entry *entry = sl_catalog_by_id(catalog, id);
    struct sl_schema_entry *other;

    if (entry)
        return entry;
    entry = sl_zalloc(1, sizeof(*entry));
    entry->id = id;
    entry->schema = (struct sl_schema_text){
        .text = sl_strdup(schema->text),
        .references = schema->references ? sl_strdup(schema->references) : NULL,
        .extra = schema->extra ? sl_strdup(schema->extra) : NULL,
    };
    sl_schema_text_digest(schema, entry->digest);
    sl_pointer_map_put(&catalog->by_id, (uint32_t)id, entry);
    other = sl_pointer_map_get(&catalog->by_digest, first_bytes(entry->digest));
    if (other) {
        /* Behind the first: the one with the smaller id goes on being found. */
        entry->next = other->next;
        other->next = entry;
    } else {
        sl_pointer_map_put(&catalog->by_digest, first_bytes(entry->digest), entry);
    }
    if (id > catalog->last_id)
        catalog->last_id = id;
    return entry;
}

void sl_catalog_put_entry(struct sl_catalog *catalog, int32_t id, const struct sl_schema_text *schema)
{
    (void)make_entry(catalog, id, schema);
}

void sl_catalog_put_version(struct sl_catalog *catalog, const char *subject_name, int32_t version, int32_t id,
                            const struct sl_schema_text *schema, bool deleted)
{
    struct sl_schema_subject *subject = make_subject(catalog, subject_name);
    struct sl_schema_entry *entry = make_entry(catalog, id, schema);
    struct sl_schema_version *old = sl_subject_version(subject, version);
    size_t place = subject->n_versions;

    entry->uses++;
    if (old) {
        old->entry->uses--;
        *old = (struct sl_schema_version){.version = version, .deleted = deleted, .entry = entry};
        return;
    }
    while (place > 0 && subject->versions[place - 1].version > version)
        place--;
    SL_GROW(subject->versions, subject->n_versions, subject->capacity);
    memmove(&subject->versions[place + 1], &subject->versions[place],
            (subject->n_versions - place) * sizeof(*subject->versions));
    subject->versions[place] =
        (struct sl_schema_version){.version = version, .deleted = deleted, .entry = entry};
    subject->n_versions++;
}

void sl_catalog_drop_version(struct sl_catalog *catalog, const char *subject_name, int32_t version)
{
    struct sl_schema_subject *subject = sl_catalog_subject(catalog, subject_name);
    struct sl_schema_version *old = sl_subject_version(subject, version);
    size_t place;

    if (!old)
        return;
    old->entry->uses--;
    place = (size_t)(old - subject->versions);
    subject->n_versions--;
    memmove(old, old + 1, (subject->n_versions - place) * sizeof(*old));
    tidy_subject(catalog, subject_name);
}

void sl_catalog_set(struct sl_catalog *catalog, const char *subject_name, enum sl_schema_setting setting,
                    const char *value)
{
    struct sl_schema_subject *subject = make_subject(catalog, subject_name);
    char **place = setting == SL_SETTING_CONFIG ? &subject->config : &subject->mode;

    sl_free(*place);
    *place = value ? sl_strdup(value) : NULL;
    if (!value && *subject_name)
        tidy_subject(catalog, subject_name);
}
