/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/header_codec.h"

#include "base/varint.h"

void sl_headers_put(struct sl_buf *out, const char *name, struct sl_span value)
{
    size_t name_len = strlen(name);

    sl_buf_varint(out, name_len);
    sl_buf_put(out, name, name_len);
    sl_buf_varint(out, value.ptr ? value.len + 1 : 0);
    if (value.ptr)
        sl_buf_put(out, value.ptr, value.len);
}

int sl_headers_next(struct sl_span *rest, struct sl_raw_header *ret)
{
    const uint8_t *at = rest->ptr;
    const uint8_t *end = at + rest->len;
    struct sl_raw_header header = {0};
    uint64_t len;

    if (rest->len == 0)
        return 0;
    if (!sl_varint_read(&at, end, &len) || !sl_bytes_read(&at, end, len, &header.name.ptr))
        return -1;
    header.name.len = (size_t)len;
    if (!sl_varint_read(&at, end, &len) || (len && !sl_bytes_read(&at, end, len - 1, &header.value.ptr)))
        return -1;
    header.value.len = len ? (size_t)len - 1 : 0;
    *rest = (struct sl_span){at, (size_t)(end - at)};
    *ret = header;
    return 1;
}

bool sl_headers_find(struct sl_span headers, const char *name, struct sl_span *ret_value)
{
    size_t name_len = strlen(name);
    struct sl_raw_header header;
    struct sl_span last = {0};
    bool found = false;
    int more;

    while ((more = sl_headers_next(&headers, &header)) > 0) {
        if (header.name.len == name_len && memcmp(header.name.ptr, name, name_len) == 0) {
            last = header.value;
            found = true;
        }
    }
    if (more < 0 || !found)
        return false;
    *ret_value = last;
    return true;
}
