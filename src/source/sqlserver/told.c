/* SPDX-License-Identifier: Apache-2.0 */
#include "source/sqlserver/told.h"

#include "base/alloc.h"
#include "base/buf.h"

#include <stdio.h>
#include <string.h>

struct entry {
    char *id; /* of the table */
    char mark[SL_MSSQL_MARK_SIZE];
};

struct sl_mssql_told {
    const struct sl_source_env *env;
    char *prefix;
    struct sl_buf key;
    struct entry *entries;
    size_t n, capacity;
    bool loaded;
};

struct sl_mssql_told *sl_mssql_told_new(const struct sl_source_env *env, const char *prefix)
{
    struct sl_mssql_told *told = sl_zalloc(1, sizeof(*told));

    told->env = env;
    told->prefix = sl_strdup(prefix);
    return told;
}

void sl_mssql_told_forget(struct sl_mssql_told *told)
{
    if (!told)
        return;
    while (told->n)
        sl_free(told->entries[--told->n].id);
    told->loaded = false;
}

void sl_mssql_told_free(struct sl_mssql_told *told)
{
    if (!told)
        return;
    sl_mssql_told_forget(told);
    sl_free(told->entries);
    sl_free(told->prefix);
    sl_buf_done(&told->key);
    sl_free(told);
}

static struct entry *find(const struct sl_mssql_told *told, const char *id)
{
    for (size_t i = 0; i < told->n; i++) {
        if (strcmp(told->entries[i].id, id) == 0)
            return &told->entries[i];
    }
    return NULL;
}

static void remember(struct sl_mssql_told *told, const char *id, const char *mark)
{
    struct entry *entry = find(told, id);

    if (!entry) {
        SL_GROW(told->entries, told->n, told->capacity);
        entry = &told->entries[told->n++];
        *entry = (struct entry){.id = sl_strdup(id)};
    }
    (void)snprintf(entry->mark, sizeof(entry->mark), "%s", mark);
}

static void see_note(void *ctx, const struct sl_note *note)
{
    struct sl_mssql_told *told = ctx;
    size_t skip = strlen(told->prefix);
    char mark[SL_MSSQL_MARK_SIZE];
    char *id;

    if (note->key.len <= skip || !note->value.ptr || note->value.len >= sizeof(mark))
        return;
    memcpy(mark, note->value.ptr, note->value.len);
    mark[note->value.len] = '\0';
    id = sl_strndup((const char *)note->key.ptr + skip, note->key.len - skip);
    remember(told, id, mark);
    sl_free(id);
}

enum sl_rc sl_mssql_told_load(struct sl_mssql_told *told, struct sl_error *err)
{
    size_t len = told ? strlen(told->prefix) : 0;
    struct sl_buf end = {0};
    enum sl_rc rc;

    if (!told || told->loaded)
        return SL_OK;
    told->loaded = true;
    if (!told->env->notes)
        return SL_OK;
    sl_buf_put(&end, told->prefix, len - 1);
    sl_buf_u8(&end, '/' + 1);
    rc = told->env->notes(told->env->ctx, (struct sl_span){(const uint8_t *)told->prefix, len},
                          (struct sl_span){end.data, end.len}, SIZE_MAX, see_note, told, err);
    sl_buf_done(&end);
    told->loaded = rc == SL_OK;
    return rc;
}

bool sl_mssql_told_is_empty(const struct sl_mssql_told *told)
{
    return !told->n;
}

const char *sl_mssql_told_find(const struct sl_mssql_told *told, const char *table_id)
{
    const struct entry *entry = find(told, table_id);

    return entry ? entry->mark : NULL;
}

void sl_mssql_told_put(struct sl_mssql_told *told, struct sl_batch *batch, const char *table_id,
                       const char *mark)
{
    sl_buf_reset(&told->key);
    sl_buf_format(&told->key, "%s%s", told->prefix, table_id);
    sl_batch_add_note(batch, (struct sl_span){told->key.data, told->key.len},
                      (struct sl_span){(const uint8_t *)mark, strlen(mark)});
    remember(told, table_id, mark);
}
