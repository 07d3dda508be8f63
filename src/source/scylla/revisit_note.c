/* SPDX-License-Identifier: Apache-2.0 */
#include "source/scylla/revisit_note.h"

enum { HEAD_SIZE = 13 }; /* 'r', version, due, scope, length of the table's name */

const struct sl_span sl_revisit_from = {(const uint8_t *)"r", 1};

void sl_revisit_put_cell(struct sl_buf *key, struct sl_cql_cell cell)
{
    sl_buf_be32(key, (uint32_t)cell.len);
    if (cell.len > 0)
        sl_buf_put(key, cell.data, (size_t)cell.len);
}

bool sl_revisit_next_cell(struct sl_span *rest, struct sl_cql_cell *ret)
{
    int32_t len;

    if (rest->len < 4)
        return false;
    len = (int32_t)sl_cql_load_be32(rest->ptr);
    rest->ptr += 4;
    rest->len -= 4;
    if (len > 0 && (size_t)len > rest->len)
        return false;
    *ret = (struct sl_cql_cell){.data = rest->ptr, .len = len};
    if (len > 0) {
        rest->ptr += len;
        rest->len -= (size_t)len;
    }
    return true;
}

int64_t sl_revisit_due_us(int64_t at_us, int64_t grid_us)
{
    return grid_us > 0 ? (at_us + grid_us - 1) / grid_us * grid_us : at_us;
}

struct sl_span sl_revisit_bound(int64_t now_us, uint8_t ret[SL_REVISIT_BOUND_SIZE])
{
    uint64_t beyond = (uint64_t)now_us + 1;

    ret[0] = 'r';
    ret[1] = 1;
    for (int i = 0; i < 8; i++)
        ret[2 + i] = (uint8_t)(beyond >> (56 - 8 * i));
    return (struct sl_span){ret, SL_REVISIT_BOUND_SIZE};
}

void sl_revisit_put(struct sl_buf *out, const struct sl_revisit *revisit)
{
    sl_buf_u8(out, 'r');
    sl_buf_u8(out, 1);
    sl_buf_be32(out, (uint32_t)((uint64_t)revisit->due_us >> 32));
    sl_buf_be32(out, (uint32_t)revisit->due_us);
    sl_buf_u8(out, (uint8_t)revisit->scope);
    sl_buf_u8(out, (uint8_t)(revisit->table.len >> 8));
    sl_buf_u8(out, (uint8_t)revisit->table.len);
    sl_buf_put(out, revisit->table.ptr, revisit->table.len);
    sl_buf_put(out, revisit->key.ptr, revisit->key.len);
}

bool sl_revisit_read(struct sl_span key, struct sl_revisit *ret)
{
    uint64_t due = 0;
    size_t name_len;

    if (key.len < HEAD_SIZE || key.ptr[0] != 'r' || key.ptr[1] != 1 ||
        (key.ptr[10] != SL_REVISIT_ROW && key.ptr[10] != SL_REVISIT_PARTITION))
        return false;
    for (int i = 0; i < 8; i++)
        due = due << 8 | key.ptr[2 + i];
    name_len = (size_t)key.ptr[11] << 8 | key.ptr[12];
    if (name_len > key.len - HEAD_SIZE || due > INT64_MAX)
        return false;
    *ret = (struct sl_revisit){
        .due_us = (int64_t)due,
        .scope = (enum sl_revisit_scope)key.ptr[10],
        .table = {key.ptr + HEAD_SIZE, name_len},
        .key = {key.ptr + HEAD_SIZE + name_len, key.len - HEAD_SIZE - name_len},
    };
    return true;
}
