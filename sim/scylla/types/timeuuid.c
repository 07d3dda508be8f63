/* SPDX-License-Identifier: Apache-2.0 */
#include "timeuuid.h"

#include "bytes.h"

uint64_t sy_timeuuid_ticks(const uint8_t uuid[16])
{
    return (uint64_t)(sy_get_u16(uuid + 6) & 0x0fff) << 48 | (uint64_t)sy_get_u16(uuid + 4) << 32 |
           sy_get_u32(uuid);
}

int64_t sy_timeuuid_us(const uint8_t uuid[16])
{
    int64_t ticks = (int64_t)sy_timeuuid_ticks(uuid) - SY_UUID_EPOCH;
    return ticks / 10 - (ticks % 10 < 0);
}

void sy_timeuuid_make(uint64_t ticks, uint64_t low, uint8_t ret_uuid[16])
{
    sy_put_u32(ret_uuid, (uint32_t)ticks);
    sy_put_u16(ret_uuid + 4, (uint16_t)(ticks >> 32));
    sy_put_u16(ret_uuid + 6, (uint16_t)((ticks >> 48 & 0x0fff) | 0x1000));
    sy_put_u64(ret_uuid + 8, low);
}
