/* SPDX-License-Identifier: Apache-2.0 */
/* Schemas as they are given to the registry: reading, registering and looking them up. */
#include "base/buf.h"
#include "registry/book_inside.h"

#include <string.h>

enum { MAX_REFERENCES = 500, MAX_REFERENCE_DEPTH = 32 };

/* ---- references ---- */

static bool resolve(const struct sl_schema_book *book, json_t *references, int depth,
                    struct sl_schema_texts *ret, struct sl_error *err);

static bool resolve_one(const struct sl_schema_book *book, json_t *reference, int depth,
                        struct sl_schema_texts *ret, struct sl_error *err)
{
    const char *subject = json_string_value(json_object_get(reference, "subject"));
    json_t *number = json_object_get(reference, "version");
    const struct sl_schema_version *version = NULL;
    json_t *nested;
    bool good = true;

    if (subject && *subject && json_is_integer(number) && json_integer_value(number) > 0 &&
        json_integer_value(number) <= INT32_MAX)
        version = sl_subject_version(sl_catalog_subject(&book->catalog, subject),
                                     (int32_t)json_integer_value(number));
    if (!version) {
        (void)sl_error_set(err, SL_E_DATA,
                           "No schema reference found for subject \"%.100s\" and version %lld",
                           subject ? subject : "", (long long)json_integer_value(number));
        return false;
    }
    for (size_t i = 0; i < ret->n; i++) {
        if (ret->items[i] == version->entry->schema.text)
            return true;
    }
    if (version->entry->schema.references) {
        nested = json_loads(version->entry->schema.references, 0, NULL);
        good = resolve(book, nested, depth + 1, ret, err);
        json_decref(nested);
    }
    SL_GROW(ret->items, ret->n, ret->capacity);
    ret->items[ret->n++] = version->entry->schema.text;
    return good;
}

static bool resolve(const struct sl_schema_book *book, json_t *references, int depth,
                    struct sl_schema_texts *ret, struct sl_error *err)
{
    if (depth > MAX_REFERENCE_DEPTH || ret->n + json_array_size(references) > MAX_REFERENCES) {
        (void)sl_error_set(err, SL_E_DATA, "too many references, or they are nested too deep");
        return false;
    }
    for (size_t i = 0; i < json_array_size(references); i++) {
        if (!resolve_one(book, json_array_get(references, i), depth, ret, err))
            return false;
    }
    return true;
}

bool sl_book_resolve(const struct sl_schema_book *book, const char *references, struct sl_schema_texts *ret,
                     struct sl_error *err)
{
    json_t *list = references ? json_loads(references, 0, NULL) : NULL;
    bool good = resolve(book, list, 0, ret, err);

    json_decref(list);
    return good;
}

enum sl_rc sl_book_parse(const struct sl_schema_book *book, const struct sl_schema_entry *entry,
                         struct sl_avro_doc **ret, struct sl_error *err)
{
    struct sl_schema_texts before = {0};
    enum sl_rc rc = SL_E_DATA;

    if (sl_book_resolve(book, entry->schema.references, &before, err))
        rc = sl_avro_parse_with(before.items, before.n, entry->schema.text, strlen(entry->schema.text), ret,
                                err);
    sl_free(before.items);
    return rc;
}

/* ---- drafts ---- */

/* References with the three members that count, in one order; NULL when there are none. */
static char *references_text(json_t *references)
{
    json_t *list = json_array();
    char *text = NULL;

    for (size_t i = 0; i < json_array_size(references); i++) {
        json_t *reference = json_array_get(references, i);
        json_t *name = json_object_get(reference, "name");

        (void)json_array_append_new(list, json_pack("{s:O?, s:O?, s:O?}", "name",
                                                    json_is_string(name) ? name : NULL, "subject",
                                                    json_object_get(reference, "subject"), "version",
                                                    json_object_get(reference, "version")));
    }
    if (json_array_size(list))
        text = json_dumps(list, JSON_COMPACT);
    json_decref(list);
    return text;
}

static char *extra_text(const struct sl_schema_request *request)
{
    json_t *extra = json_object();
    char *text = NULL;

    if (json_is_object(request->metadata))
        (void)json_object_set(extra, "metadata", request->metadata);
    if (json_is_object(request->rules))
        (void)json_object_set(extra, "ruleSet", request->rules);
    if (json_object_size(extra))
        text = json_dumps(extra, JSON_COMPACT | JSON_SORT_KEYS);
    json_decref(extra);
    return text;
}

static void *refuse_schema(struct sl_refusal *refusal, const char *subject, const char *details)
{
    return sl_refuse(refusal, 422, 42201, "Invalid schema for subject '%s' of type AVRO, details: %s",
                     subject, details);
}

void sl_schema_draft_done(struct sl_schema_draft *draft)
{
    sl_avro_doc_free(draft->doc);
    sl_free((char *)(uintptr_t)draft->schema.text);
    sl_free((char *)(uintptr_t)draft->schema.references);
    sl_free((char *)(uintptr_t)draft->schema.extra);
    *draft = (struct sl_schema_draft){0};
}

bool sl_book_draft(const struct sl_schema_book *book, const char *subject,
                   const struct sl_schema_request *request, bool is_new, struct sl_schema_draft *ret,
                   struct sl_refusal *refusal)
{
    bool normal = request->normalize || sl_book_normalizes(book, subject);
    struct sl_schema_texts before = {0};
    struct sl_buf text = {0};
    struct sl_error err = {0};
    enum sl_rc rc = SL_E_DATA;

    if (request->type && strcmp(request->type, "AVRO") != 0)
        return sl_refuse(refusal, 422, 42201, "Invalid schema type %.60s: this registry keeps AVRO",
                         request->type) != NULL;
    if (!request->text || *request->text == '\0')
        return sl_refuse(refusal, 422, 42201, "Empty schema") != NULL;
    *ret = (struct sl_schema_draft){0};
    if (resolve(book, request->references, 0, &before, &err))
        rc =
            sl_avro_parse_with(before.items, before.n, request->text, strlen(request->text), &ret->doc, &err);
    sl_free(before.items);
    if (rc)
        return refuse_schema(refusal, subject, err.text) != NULL;
    if (is_new && ret->doc->bad_default) {
        (void)sl_refuse(
            refusal, 422, 42201,
            "Invalid schema for subject '%s' of type AVRO, details: the default of field '%.100s' "
            "does not fit its type",
            subject, ret->doc->bad_default);
        sl_schema_draft_done(ret);
        return false;
    }
    sl_avro_print_doc(ret->doc, normal ? SL_AVRO_NORMAL : SL_AVRO_AS_IS, &text);
    ret->schema = (struct sl_schema_text){
        .text = sl_strdup(sl_buf_cstr(&text)),
        .references = references_text(request->references),
        .extra = extra_text(request),
    };
    sl_buf_done(&text);
    return true;
}

/* ---- registering ---- */

struct registering {
    const char *subject;
    const struct sl_schema_request *request;
};

/* The newest version with the very text; deleted ones only when asked for. */
static const struct sl_schema_version *find_same(const struct sl_schema_book *book, const char *subject_name,
                                                 const struct sl_schema_text *schema, bool deleted)
{
    const struct sl_schema_subject *subject = sl_catalog_subject(&book->catalog, subject_name);
    const struct sl_schema_entry *entry = sl_catalog_by_text(&book->catalog, schema);

    for (size_t i = subject && entry ? subject->n_versions : 0; i > 0; i--) {
        const struct sl_schema_version *version = &subject->versions[i - 1];

        if ((!version->deleted || deleted) &&
            memcmp(version->entry->digest, entry->digest, sizeof(entry->digest)) == 0)
            return version;
    }
    return NULL;
}

static bool check_compatible(struct sl_schema_book *book, const char *subject_name,
                             const struct sl_schema_draft *draft, struct sl_refusal *refusal)
{
    const struct sl_schema_subject *subject = sl_catalog_subject(&book->catalog, subject_name);
    json_t *found;
    struct sl_buf details = {0};

    if (!subject)
        return true;
    found = sl_book_incompatibilities(book, subject_name, draft->doc, subject->versions, subject->n_versions,
                                      refusal->hint, sizeof(refusal->hint));
    for (size_t i = 0; i < json_array_size(found); i++)
        sl_buf_format(&details, "%s%s", i ? ", " : "", json_string_value(json_array_get(found, i)));
    if (json_array_size(found))
        (void)sl_refuse(refusal, 409, 409,
                        "Schema being registered is incompatible with an earlier schema for subject \"%s\", "
                        "details: [%s]",
                        subject_name, sl_buf_cstr(&details));
    sl_buf_done(&details);
    json_decref(found);
    return refusal->status == 0;
}

static int32_t next_version(const struct sl_schema_book *book, const char *subject_name)
{
    const struct sl_schema_subject *subject = sl_catalog_subject(&book->catalog, subject_name);

    return subject && subject->n_versions ? subject->versions[subject->n_versions - 1].version + 1 : 1;
}

/* In mode IMPORT the client says which id and version a schema has. */
static bool import_numbers(const struct sl_schema_book *book, const struct registering *r,
                           const struct sl_schema_text *schema, struct sl_schema_change *change,
                           struct sl_refusal *refusal)
{
    const struct sl_schema_entry *other;
    uint8_t digest[SL_SCHEMA_DIGEST];

    if (r->request->id > 0)
        change->id = r->request->id;
    if (r->request->version > 0)
        change->version = r->request->version;
    other = sl_catalog_by_id(&book->catalog, change->id);
    sl_schema_text_digest(schema, digest);
    if (other && memcmp(other->digest, digest, sizeof(digest)) != 0)
        return sl_refuse(refusal, 422, 42205, "Overwrite new schema with id %d is not permitted.",
                         change->id) != NULL;
    if (sl_subject_version(sl_catalog_subject(&book->catalog, r->subject), change->version))
        return sl_refuse(refusal, 422, 42205, "Version %d of subject '%s' exists already.", change->version,
                         r->subject) != NULL;
    return true;
}

static json_t *add_version(struct sl_schema_book *book, const struct registering *r,
                           const struct sl_schema_draft *draft, struct sl_refusal *refusal)
{
    const struct sl_schema_entry *entry = sl_catalog_by_text(&book->catalog, &draft->schema);
    struct sl_schema_change change = {
        .kind = SL_CHANGE_VERSION,
        .subject = r->subject,
        .version = next_version(book, r->subject),
        .id = entry ? entry->id : book->catalog.last_id + 1,
        .schema = draft->schema,
    };
    bool import = strcmp(sl_book_mode_of(book, r->subject), "IMPORT") == 0;

    if (!import && r->request->id > 0 && r->request->id != change.id)
        return sl_refuse(refusal, 422, 42205, "Subject %s is not in import mode", r->subject);
    if (import ? !import_numbers(book, r, &draft->schema, &change, refusal)
               : !check_compatible(book, r->subject, draft, refusal))
        return NULL;
    if (!sl_book_commit(book, &change, 1, refusal))
        return NULL;
    return json_pack("{s:i}", "id", change.id);
}

/* What the subject has already is answered without the right to write. */
static json_t *find_registered(struct sl_schema_book *book, const struct registering *r,
                               const struct sl_schema_draft *draft)
{
    const struct sl_schema_version *same = find_same(book, r->subject, &draft->schema, false);

    if (!same || (r->request->id > 0 && r->request->id != same->entry->id))
        return NULL;
    return json_pack("{s:i}", "id", same->entry->id);
}

static json_t *register_schema(struct sl_schema_book *book, const void *arg, struct sl_refusal *refusal)
{
    const struct registering *r = arg;
    struct sl_schema_draft draft;
    json_t *answer;

    if (!sl_book_writable(book, r->subject, refusal) ||
        !sl_book_draft(book, r->subject, r->request, true, &draft, refusal))
        return NULL;
    answer = find_registered(book, r, &draft);
    if (!answer)
        answer = add_version(book, r, &draft, refusal);
    sl_schema_draft_done(&draft);
    return answer;
}

json_t *sl_book_register(struct sl_schema_book *book, const char *subject,
                         const struct sl_schema_request *request, struct sl_refusal *refusal)
{
    const struct registering r = {subject, request};
    struct sl_schema_draft draft;
    json_t *answer = NULL;

    if (!sl_book_enter(book, refusal))
        return NULL;
    if (sl_book_writable(book, subject, refusal) &&
        sl_book_draft(book, subject, request, true, &draft, refusal)) {
        answer = find_registered(book, &r, &draft);
        sl_schema_draft_done(&draft);
    }
    sl_book_leave(book);
    if (answer || refusal->status)
        return answer;
    return sl_book_write(book, register_schema, &r, refusal);
}

json_t *sl_book_look_up(struct sl_schema_book *book, const char *subject,
                        const struct sl_schema_request *request, bool deleted, struct sl_refusal *refusal)
{
    const struct sl_schema_version *same;
    struct sl_schema_draft draft;
    json_t *answer = NULL;

    if (!sl_book_enter(book, refusal))
        return NULL;
    if (sl_book_find_version(book, subject, SL_REGISTRY_LATEST, deleted, refusal) &&
        sl_book_draft(book, subject, request, false, &draft, refusal)) {
        same = find_same(book, subject, &draft.schema, deleted);
        answer = same ? sl_book_describe(same->entry, subject, same->version)
                      : sl_refuse(refusal, 404, 40403, "Schema not found");
        sl_schema_draft_done(&draft);
    }
    sl_book_leave(book);
    return answer;
}
