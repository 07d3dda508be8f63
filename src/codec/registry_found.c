/* SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"
#include "sluice/registry.h"

void sl_registry_found_done(struct sl_registry_found *found)
{
    sl_free(found->text);
    for (size_t i = 0; i < found->n_before; i++)
        sl_free(found->before[i]);
    sl_free(found->before);
    *found = (struct sl_registry_found){0};
}
