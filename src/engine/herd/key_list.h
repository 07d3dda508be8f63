/* SPDX-License-Identifier: Apache-2.0 */
/* The keys of a space of the log as they are now, copied: for those who put or remove keys while they go
 * through. */
#ifndef SLUICE_ENGINE_HERD_KEY_LIST_H
#define SLUICE_ENGINE_HERD_KEY_LIST_H

#include "sluice/transport.h"

struct sl_key_list {
    char **keys;
    size_t n, capacity;
};

/* Add the keys of a space to a list, zeroed at first. Errors: the transport's; what was listed is there. */
enum sl_rc sl_key_list_read(struct sl_key_list *list, struct sl_transport *transport, const char *space,
                            struct sl_error *err);
void sl_key_list_done(struct sl_key_list *list);

#endif
