/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/herd/former_sinks.h"

#include "base/alloc.h"
#include "base/log.h"

#define SPACE "readers"

struct noted {
    char **names;
    size_t n;
    size_t capacity;
};

static void note(void *ctx, const char *key, struct sl_span value)
{
    struct noted *noted = ctx;

    (void)value;
    SL_GROW(noted->names, noted->n, noted->capacity);
    noted->names[noted->n++] = sl_strdup(key);
}

static bool is_among(const char *name, const char *const *names, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(names[i], name) == 0)
            return true;
    }
    return false;
}

static enum sl_rc let_go(struct sl_transport *transport, const char *reader, struct sl_error *err)
{
    enum sl_rc rc = transport->ops->reserve(transport, reader, NULL, 0, err);

    if (rc == SL_OK)
        rc = transport->ops->put(transport, SPACE, reader, (struct sl_span){0}, err);
    if (rc == SL_OK)
        sl_info("a sink is not configured any more; the log keeps nothing for it from now on",
                SL_T("reader", reader));
    return rc;
}

enum sl_rc sl_former_sinks_release(struct sl_transport *transport, const char *const *readers, size_t n,
                                   struct sl_error *err)
{
    struct noted noted = {0};
    enum sl_rc rc = transport->ops->list(transport, SPACE, note, &noted, err);

    for (size_t i = 0; rc == SL_OK && i < noted.n; i++) {
        if (!is_among(noted.names[i], readers, n))
            rc = let_go(transport, noted.names[i], err);
    }
    for (size_t i = 0; rc == SL_OK && i < n; i++) {
        if (!is_among(readers[i], (const char *const *)noted.names, noted.n))
            rc = transport->ops->put(transport, SPACE, readers[i], (struct sl_span){(const uint8_t *)"1", 1},
                                     err);
    }
    for (size_t i = 0; i < noted.n; i++)
        sl_free(noted.names[i]);
    sl_free(noted.names);
    return rc;
}
