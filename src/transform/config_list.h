/* SPDX-License-Identifier: Apache-2.0 */
/* The names in an option of type LIST, for start; compare them when a schema is compiled, not per row. */
#ifndef SLUICE_TRANSFORM_CONFIG_LIST_H
#define SLUICE_TRANSFORM_CONFIG_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct sl_config_list {
    char **items;
    size_t n, capacity;
};

/* Adds the names of a comma-separated text; NULL: none. */
void sl_config_list_read(struct sl_config_list *list, const char *text);
void sl_config_list_done(struct sl_config_list *list);

bool sl_config_list_has(const struct sl_config_list *list, const char *name);

/* For option tables: a list with at least one name. */
const char *sl_config_list_validate(const char *text);

#endif
