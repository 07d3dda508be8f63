/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/herd/former_sinks.h"

#include "base/log.h"
#include "engine/herd/key_list.h"

#include <string.h>

#define SPACE "readers"

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
    struct sl_key_list noted = {0};
    enum sl_rc rc = sl_key_list_read(&noted, transport, SPACE, err);

    for (size_t i = 0; rc == SL_OK && i < noted.n; i++) {
        if (!is_among(noted.keys[i], readers, n))
            rc = let_go(transport, noted.keys[i], err);
    }
    for (size_t i = 0; rc == SL_OK && i < n; i++) {
        if (!is_among(readers[i], (const char *const *)noted.keys, noted.n))
            rc = transport->ops->put(transport, SPACE, readers[i], (struct sl_span){(const uint8_t *)"1", 1},
                                     err);
    }
    sl_key_list_done(&noted);
    return rc;
}
