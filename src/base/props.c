/* SPDX-License-Identifier: Apache-2.0 */
#include "base/props.h"

#include "base/alloc.h"
#include "sluice/secret.h"

#include <ctype.h>
#include <string.h>

struct entry {
    char *key;
    char *value;              /* NULL: the secret is the value */
    struct sl_secret *secret; /* or NULL */
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
    sl_secret_free(entry->secret);
}

static const char *text_of(const struct entry *entry)
{
    return entry->secret ? sl_secret_reveal(entry->secret) : entry->value;
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

static struct entry *find_or_add(struct sl_props *props, const char *key)
{
    struct entry *entry = find(props, key);

    if (entry)
        return entry;
    SL_GROW(props->entries, props->n, props->capacity);
    props->entries[props->n] = (struct entry){.key = sl_strdup(key)};
    return &props->entries[props->n++];
}

/* The new value may be the old one's memory: the old one goes last. */
static void replace(struct entry *entry, char *value, struct sl_secret *secret)
{
    struct entry old = *entry;

    entry->value = value;
    entry->secret = secret;
    sl_free(old.value);
    sl_secret_free(old.secret);
}

void sl_props_set(struct sl_props *props, const char *key, const char *value)
{
    struct entry *entry = find(props, key);

    if (entry && entry->secret)
        sl_props_set_secret(props, key, value);
    else
        replace(find_or_add(props, key), sl_strdup(value), NULL);
}

void sl_props_set_secret(struct sl_props *props, const char *key, const char *value)
{
    struct sl_secret *secret = sl_secret_new(value, strlen(value));

    replace(find_or_add(props, key), NULL, secret);
}

void sl_props_hide(struct sl_props *props, const char *key)
{
    struct entry *entry = find(props, key);

    if (!entry || entry->secret)
        return;
    entry->secret = sl_secret_new(entry->value, strlen(entry->value));
    sl_secret_wipe(entry->value, strlen(entry->value));
    sl_free(entry->value);
    entry->value = NULL;
}

bool sl_props_is_secret(const struct sl_props *props, const char *key)
{
    const struct entry *entry = find(props, key);

    return entry && entry->secret;
}

const char *sl_props_shown(const struct sl_props *props, const char *key)
{
    const struct entry *entry = find(props, key);

    return !entry ? NULL : entry->secret ? SL_SECRET_SHOWN : entry->value;
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

    return entry ? text_of(entry) : NULL;
}

size_t sl_props_count(const struct sl_props *props)
{
    return props->n;
}

void sl_props_at(const struct sl_props *props, size_t index, const char **ret_key, const char **ret_value)
{
    SL_ASSERT(index < props->n);
    *ret_key = props->entries[index].key;
    *ret_value = text_of(&props->entries[index]);
}

struct sl_props *sl_props_copy(const struct sl_props *props)
{
    struct sl_props *copy = sl_props_new();

    for (size_t i = 0; i < props->n; i++) {
        const struct entry *entry = &props->entries[i];

        if (entry->secret)
            replace(find_or_add(copy, entry->key), NULL, sl_secret_share(entry->secret));
        else
            sl_props_set(copy, entry->key, entry->value);
    }
    return copy;
}

bool sl_props_same(const struct sl_props *a, const struct sl_props *b)
{
    size_t n = a ? a->n : 0;

    if (n != (b ? b->n : 0))
        return false;
    for (size_t i = 0; i < n; i++) {
        const struct entry *other = find(b, a->entries[i].key);

        if (!other || strcmp(text_of(&a->entries[i]), text_of(other)) != 0)
            return false;
    }
    return true;
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
