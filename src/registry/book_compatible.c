/* SPDX-License-Identifier: Apache-2.0 */
/* The seven compatibility levels over the versions of a subject, and how the registry words what it finds. */
#include "base/buf.h"
#include "registry/book_inside.h"
#include "registry/compatibility.h"

#include <stdio.h>
#include <string.h>

enum { MAX_OLD_TEXT = 16 * 1024 }; /* of an earlier schema in a message */

struct comparison {
    json_t *messages;
    const struct sl_avro_doc *draft;
    bool backward; /* the new schema has to read what the old one wrote */
    bool forward;  /* and the other way round */
    char *hint;    /* NULL: not wanted */
    size_t hint_size;
};

/* What is wrong, as seen by the reader: "new" reads "old", or the other way round. */
static void describe(const struct sl_incompatibility *item, const char *reader, const char *writer,
                     struct sl_buf *out)
{
    switch (item->kind) {
    case SL_FIXED_SIZE_MISMATCH:
        sl_buf_format(out,
                      "The size of FIXED type field at path '%s' in the %s schema does not match with the %s "
                      "schema",
                      item->location, reader, writer);
        break;
    case SL_TYPE_MISMATCH:
        sl_buf_format(out,
                      "The type (path '%s') of a field in the %s schema does not match with the %s schema",
                      item->location, reader, writer);
        break;
    case SL_NAME_MISMATCH:
        sl_buf_format(out, "The name of the schema has changed (path '%s')", item->location);
        break;
    case SL_MISSING_ENUM_SYMBOLS:
        sl_buf_format(out, "The %s schema is missing enum symbols '%s' at path '%s' in the %s schema", reader,
                      item->message, item->location, writer);
        break;
    case SL_MISSING_UNION_BRANCH:
        sl_buf_format(out,
                      "The %s schema is missing a type inside a union field at path '%s' in the %s schema",
                      reader, item->location, writer);
        break;
    case SL_READER_FIELD_MISSING_DEFAULT_VALUE:
        sl_buf_format(out,
                      "The field '%s' at path '%s' in the %s schema has no default value and is missing in "
                      "the %s schema",
                      item->message, item->location, reader, writer);
        break;
    }
}

static void add_message(json_t *messages, struct sl_buf *text)
{
    (void)json_array_append_new(messages, json_string(sl_buf_cstr(text)));
    sl_buf_reset(text);
}

static void add_items(json_t *messages, const struct sl_incompatibilities *list, const char *reader,
                      const char *writer)
{
    struct sl_buf text = {0};

    for (size_t i = 0; i < list->n; i++) {
        sl_buf_format(&text, "{errorType:'%s', description:'", sl_incompatibility_name(list->items[i]->kind));
        describe(list->items[i], reader, writer, &text);
        sl_buf_format(&text, "', additionalInfo:'%s'}", list->items[i]->message);
        add_message(messages, &text);
    }
    sl_buf_done(&text);
}

/* The innermost reason, in the same words. */
static void put_hint(struct comparison *c, const struct sl_incompatibility *item, bool new_reads)
{
    struct sl_buf text = {0};

    while (item->cause)
        item = item->cause;
    describe(item, new_reads ? "new" : "earlier", new_reads ? "earlier" : "new", &text);
    if (c->hint)
        (void)snprintf(c->hint, c->hint_size, "%s", sl_buf_cstr(&text));
    sl_buf_done(&text);
}

static void compare(struct comparison *c, const struct sl_avro_type *reader,
                    const struct sl_avro_type *writer, bool new_reads)
{
    struct sl_incompatibilities list = {0};
    struct sl_error err = {0};

    if (sl_compatibility_check(reader, writer, &list, &err))
        (void)json_array_append_new(
            c->messages, json_sprintf("Unexpected exception during compatibility check: %s", err.text));
    if (list.n && json_array_size(c->messages) == 0)
        put_hint(c, list.items[0], new_reads);
    add_items(c->messages, &list, new_reads ? "new" : "old", new_reads ? "old" : "new");
    sl_incompatibilities_done(&list);
}

static void add_old(json_t *messages, const struct sl_schema_version *old)
{
    struct sl_buf text = {0};
    size_t len = strlen(old->entry->schema.text);

    sl_buf_format(&text, "{oldSchemaVersion: %d}", old->version);
    add_message(messages, &text);
    sl_buf_text(&text, len > MAX_OLD_TEXT ? "{oldSchema: <truncated> '" : "{oldSchema: '");
    if (len > MAX_OLD_TEXT) {
        len = MAX_OLD_TEXT;
        /* Never in the middle of a character. */
        while (len > 0 && ((uint8_t)old->entry->schema.text[len] & 0xC0) == 0x80)
            len--;
    }
    sl_buf_put(&text, old->entry->schema.text, len);
    sl_buf_text(&text, old->entry->schema.text[len] ? "...'}" : "'}");
    add_message(messages, &text);
    sl_buf_done(&text);
}

static void compare_version(const struct sl_schema_book *book, struct comparison *c,
                            const struct sl_schema_version *old)
{
    struct sl_avro_doc *doc = NULL;
    struct sl_error err = {0};

    if (sl_book_parse(book, old->entry, &doc, &err)) {
        (void)json_array_append_new(c->messages,
                                    json_sprintf("Version %d cannot be read: %s", old->version, err.text));
        return;
    }
    if (c->backward)
        compare(c, c->draft->root, doc->root, true);
    if (c->forward)
        compare(c, doc->root, c->draft->root, false);
    sl_avro_doc_free(doc);
    if (json_array_size(c->messages))
        add_old(c->messages, old);
}

json_t *sl_book_incompatibilities(const struct sl_schema_book *book, const char *subject,
                                  const struct sl_avro_doc *draft, const struct sl_schema_version *versions,
                                  size_t n, char *hint, size_t hint_size)
{
    const char *level = sl_book_level(book, subject);
    bool transitive = strstr(level, "_TRANSITIVE") != NULL;
    struct comparison c = {
        .messages = json_array(),
        .draft = draft,
        .backward = strncmp(level, "BACKWARD", 8) == 0 || strncmp(level, "FULL", 4) == 0,
        .forward = strncmp(level, "FORWARD", 7) == 0 || strncmp(level, "FULL", 4) == 0,
        .hint = hint,
        .hint_size = hint_size,
    };

    /* The newest first; the first that does not fit is told of. */
    for (size_t i = n; i > 0 && (c.backward || c.forward); i--) {
        if (versions[i - 1].deleted)
            continue;
        compare_version(book, &c, &versions[i - 1]);
        if (!transitive || json_array_size(c.messages))
            break;
    }
    if (json_array_size(c.messages))
        (void)json_array_append_new(c.messages,
                                    json_sprintf("{validateFields: 'false', compatibility: '%s'}", level));
    return c.messages;
}

static json_t *answer(json_t *messages, bool verbose)
{
    bool compatible = json_array_size(messages) == 0;

    if (!verbose) {
        json_decref(messages);
        return json_pack("{s:b}", "is_compatible", compatible);
    }
    return json_pack("{s:b, s:o}", "is_compatible", compatible, "messages", messages);
}

json_t *sl_book_compatible(struct sl_schema_book *book, const char *subject_name, int32_t version,
                           const struct sl_schema_request *request, bool verbose, struct sl_refusal *refusal)
{
    const struct sl_schema_subject *subject;
    const struct sl_schema_version *versions = NULL;
    struct sl_schema_draft draft;
    json_t *result = NULL;
    size_t n = 0;

    if (!sl_book_enter(book, refusal))
        return NULL;
    subject = sl_catalog_subject(&book->catalog, subject_name);
    if (version == 0 && subject) {
        versions = subject->versions;
        n = subject->n_versions;
    } else if (version == SL_REGISTRY_LATEST) {
        versions = sl_subject_latest(subject);
    } else if (version != 0) {
        versions = sl_book_find_version(book, subject_name, version, false, refusal);
    }
    if (versions && version != 0)
        n = 1;
    if (refusal->status == 0 && sl_book_draft(book, subject_name, request, true, &draft, refusal)) {
        result =
            answer(sl_book_incompatibilities(book, subject_name, draft.doc, versions, n, NULL, 0), verbose);
        sl_schema_draft_done(&draft);
    }
    sl_book_leave(book);
    return result;
}
