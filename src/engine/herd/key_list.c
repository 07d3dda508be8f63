/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/herd/key_list.h"

#include "base/alloc.h"

static void see(void *ctx, const char *key, struct sl_span value)
{
    struct sl_key_list *list = ctx;

    (void)value;
    SL_GROW(list->keys, list->n, list->capacity);
    list->keys[list->n++] = sl_strdup(key);
}

enum sl_rc sl_key_list_read(struct sl_key_list *list, struct sl_transport *transport, const char *space,
                            struct sl_error *err)
{
    return transport->ops->list(transport, space, see, list, err);
}

void sl_key_list_done(struct sl_key_list *list)
{
    for (size_t i = 0; i < list->n; i++)
        sl_free(list->keys[i]);
    sl_free(list->keys);
    *list = (struct sl_key_list){0};
}
