/* SPDX-License-Identifier: Apache-2.0 */
#include "transform/config_list.h"

#include "base/alloc.h"
#include "base/props.h"

#include <string.h>

void sl_config_list_read(struct sl_config_list *list, const char *text)
{
    size_t size = text ? strlen(text) + 1 : 0;
    char *item = text ? sl_alloc(size) : NULL;

    while (text && sl_list_next(&text, item, size)) {
        SL_GROW(list->items, list->n, list->capacity);
        list->items[list->n++] = sl_strdup(item);
    }
    sl_free(item);
}

void sl_config_list_done(struct sl_config_list *list)
{
    for (size_t i = 0; i < list->n; i++)
        sl_free(list->items[i]);
    sl_free(list->items);
    *list = (struct sl_config_list){0};
}

bool sl_config_list_has(const struct sl_config_list *list, const char *name)
{
    for (size_t i = 0; i < list->n; i++) {
        if (strcmp(list->items[i], name) == 0)
            return true;
    }
    return false;
}

const char *sl_config_list_validate(const char *text)
{
    char item[2];

    return sl_list_next(&text, item, sizeof(item)) ? NULL : "must name at least one";
}
