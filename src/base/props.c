/* SPDX-License-Identifier: Apache-2.0 */
#include "base/props.h"

#include "base/alloc.h"

#include <ctype.h>
#include <string.h>

struct entry {
    char *key;
    char *value;
};

/* A few dozen keys, read at start: a walk over an array is as good as anything. */
struct sl_props {
    struct entry *entries;
    size_t n;
    size_t capacity;
};

struct sl_props *sl_props_new(void)
{
    return sl_zalloc(1, sizeof(struct sl_props));
}

static void free_entry(struct entry *entry)
{
    sl_free(entry->key);
    sl_free(entry->value);
}

void sl_props_free(struct sl_props *props)
{
    if (!props)
        return;
    for (size_t i = 0; i < props->n; i++)
        free_entry(&props->entries[i]);
    sl_free(props->entries);
    sl_free(props);
}

static struct entry *find(const struct sl_props *props, const char *key)
{
    for (size_t i = 0; i < props->n; i++) {
        if (strcmp(props->entries[i].key, key) == 0)
            return &props->entries[i];
    }
    return NULL;
}

void sl_props_set(struct sl_props *props, const char *key, const char *value)
{
    struct entry *entry = find(props, key);
    char *copy = sl_strdup(value);

    if (entry) {
        sl_free(entry->value);
        entry->value = copy;
        return;
    }
    SL_GROW(props->entries, props->n, props->capacity);
    props->entries[props->n++] = (struct entry){.key = sl_strdup(key), .value = copy};
}

void sl_props_remove(struct sl_props *props, const char *key)
{
    struct entry *entry = find(props, key);
    size_t after;

    if (!entry)
        return;
    free_entry(entry);
    after = props->n - (size_t)(entry - props->entries) - 1;
    memmove(entry, entry + 1, after * sizeof(*entry));
    props->n--;
}

const char *sl_props_get(const struct sl_props *props, const char *key)
{
    struct entry *entry = find(props, key);

    return entry ? entry->value : NULL;
}

size_t sl_props_count(const struct sl_props *props)
{
    return props->n;
}

void sl_props_at(const struct sl_props *props, size_t index, const char **ret_key, const char **ret_value)
{
    SL_ASSERT(index < props->n);
    *ret_key = props->entries[index].key;
    *ret_value = props->entries[index].value;
}

struct sl_props *sl_props_copy(const struct sl_props *props)
{
    struct sl_props *copy = sl_props_new();

    for (size_t i = 0; i < props->n; i++)
        sl_props_set(copy, props->entries[i].key, props->entries[i].value);
    return copy;
}

int sl_list_next(const char **cursor, char *item, size_t size)
{
    const char *at = *cursor;
    size_t n = 0;
    size_t keep = 0; /* length without trailing blanks; an escaped character is never trimmed */

    SL_ASSERT(size > 0);
    while (*at == ',' || isspace((unsigned char)*at))
        at++;
    if (*at == '\0') {
        *cursor = at;
        return 0;
    }
    for (; *at && *at != ','; at++) {
        if (at[0] == '\\' && at[1] == ',')
            at++;
        if (n + 1 < size)
            item[n++] = *at;
        if (!isspace((unsigned char)*at))
            keep = n;
    }
    item[keep] = '\0';
    *cursor = at;
    return 1;
}
