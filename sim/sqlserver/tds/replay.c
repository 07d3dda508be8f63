/* SPDX-License-Identifier: Apache-2.0 */
#include "replay.h"

#include <strings.h>

static const struct ms_replay_entry *find(const struct ms_replay *replay, const char *sql, size_t len)
{
    for (size_t i = 0; replay != NULL && i < replay->n; i++) {
        const char *needle = replay->entries[i].needle;
        if (memmem(sql, len, needle, strlen(needle)) != NULL)
            return &replay->entries[i];
    }
    return NULL;
}

static void put_out(const struct ms_replay_entry *entry, struct ms_out *out)
{
    for (size_t at = 0; at < entry->len && !out->failed; at += MS_SPILL_BYTES) {
        size_t left = entry->len - at;
        ms_bytes_put(&out->body, entry->tokens + at, left < MS_SPILL_BYTES ? left : MS_SPILL_BYTES);
        (void)ms_out_spill(out);
    }
}

bool ms_replay_answer(const struct ms_replay *replay, const char *sql, size_t len, struct ms_out *out)
{
    const struct ms_replay_entry *entry = find(replay, sql, len);
    if (entry != NULL)
        put_out(entry, out);
    return entry != NULL;
}

/* The statement is the first parameter of sp_executesql; prepared statements are not replayed. */
bool ms_replay_answer_call(const struct ms_replay *replay, const struct ms_call *call, struct ms_out *out)
{
    if (replay == NULL || strcasecmp(call->procedure, "sp_executesql") != 0 || call->n_params == 0)
        return false;
    const struct ms_param *statement = &call->params[0];
    bool text = statement->column.type.id == MS_NVARCHAR || statement->column.type.id == MS_NTEXT;
    if (!text || statement->value.is_null)
        return false;
    return ms_replay_answer(replay, (const char *)statement->value.bytes, statement->value.len, out);
}
