/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/builtin.h"

#include "base/alloc.h"

struct builtin {
    struct sl_registry registry;
    struct sl_schema_book *book;
};

static struct sl_schema_book *book_of(struct sl_registry *registry)
{
    return ((struct builtin *)registry)->book;
}

/* The error of a refusal, which is given back. */
static enum sl_rc refused(struct sl_refusal *refusal, struct sl_error *err)
{
    enum sl_rc rc = sl_refusal_error(refusal, err);

    sl_refusal_done(refusal);
    return rc;
}

static enum sl_rc take_id(json_t *answer, struct sl_refusal *refusal, int32_t *ret_id, struct sl_error *err)
{
    if (!answer)
        return refused(refusal, err);
    *ret_id = (int32_t)json_integer_value(json_object_get(answer, "id"));
    json_decref(answer);
    sl_refusal_done(refusal);
    return SL_OK;
}

static enum sl_rc register_schema(struct sl_registry *registry, const char *subject, const char *text,
                                  bool normalize, int32_t *ret_id, struct sl_error *err)
{
    const struct sl_schema_request request = {.text = text, .normalize = normalize};
    struct sl_refusal refusal = {0};

    return take_id(sl_book_register(book_of(registry), subject, &request, &refusal), &refusal, ret_id, err);
}

static enum sl_rc look_up(struct sl_registry *registry, const char *subject, const char *text, bool normalize,
                          int32_t *ret_id, struct sl_error *err)
{
    const struct sl_schema_request request = {.text = text, .normalize = normalize};
    struct sl_refusal refusal = {0};

    return take_id(sl_book_look_up(book_of(registry), subject, &request, false, &refusal), &refusal, ret_id,
                   err);
}

static enum sl_rc schema_by_id(struct sl_registry *registry, int32_t id, const char *subject,
                               struct sl_registry_found *ret, struct sl_error *err)
{
    struct sl_refusal refusal = {0};

    (void)subject; /* ids are counted over all subjects */
    if (!sl_book_find(book_of(registry), id, ret, &refusal)) {
        enum sl_rc rc = refused(&refusal, err);

        if (rc == SL_E_NOT_FOUND)
            (void)sl_error_set(err, rc,
                               "schema id %d is not in the registry. HINT: the log and the registry of one "
                               "state directory belong together; restore both from the same backup",
                               id);
        return rc;
    }
    return SL_OK;
}

static enum sl_rc version(struct sl_registry *registry, const char *subject, int32_t number,
                          struct sl_registry_found *ret, struct sl_error *err)
{
    struct sl_refusal refusal = {0};
    json_t *answer = sl_book_version(book_of(registry), subject, number, false, &refusal);
    int32_t id;
    enum sl_rc rc;

    if (!answer)
        return refused(&refusal, err);
    id = (int32_t)json_integer_value(json_object_get(answer, "id"));
    number = (int32_t)json_integer_value(json_object_get(answer, "version"));
    json_decref(answer);
    rc = schema_by_id(registry, id, subject, ret, err);
    if (rc == SL_OK)
        ret->version = number;
    return rc;
}

static void close_builtin(struct sl_registry *registry)
{
    if (!registry)
        return;
    sl_schema_book_close(book_of(registry));
    sl_free(registry);
}

static const struct sl_registry_ops builtin_ops = {
    .name = "builtin",
    .register_schema = register_schema,
    .look_up = look_up,
    .schema_by_id = schema_by_id,
    .version = version,
    .close = close_builtin,
};

enum sl_rc sl_registry_builtin_over(struct sl_schema_store *store, struct sl_registry **ret,
                                    struct sl_error *err)
{
    struct sl_schema_book *book;
    struct builtin *b;
    enum sl_rc rc = sl_schema_book_open(store, &book, err);

    if (rc)
        return rc;
    b = sl_zalloc(1, sizeof(*b));
    b->registry.ops = &builtin_ops;
    b->book = book;
    *ret = &b->registry;
    return SL_OK;
}

enum sl_rc sl_registry_builtin_open(const char *state_dir, bool read_only, struct sl_registry **ret,
                                    struct sl_error *err)
{
    struct sl_schema_store *store;
    enum sl_rc rc = sl_schema_store_sqlite_open(state_dir, read_only, &store, err);

    return rc ? rc : sl_registry_builtin_over(store, ret, err);
}

struct sl_schema_book *sl_registry_builtin_book(struct sl_registry *registry)
{
    return book_of(registry);
}
