/* SPDX-License-Identifier: Apache-2.0 */
#include "collection.h"

#include "../storage/types.h"
#include "bytes.h"

bool sy_walk_collection(struct sy_walk *walk, struct sy_value value)
{
    *walk = (struct sy_walk){0};
    if (value.len <= 0)
        return true;
    if (value.len < 4)
        return false;
    walk->at = value.bytes + 4;
    walk->end = value.bytes + value.len;
    walk->left = (int32_t)sy_get_u32(value.bytes);
    return walk->left >= 0;
}

void sy_walk_fields(struct sy_walk *walk, struct sy_value value)
{
    *walk = (struct sy_walk){.at = value.bytes, .end = value.len > 0 ? value.bytes + value.len : value.bytes};
}

bool sy_walk_next(struct sy_walk *walk, struct sy_value *ret)
{
    if (walk->end == NULL || walk->end - walk->at < 4)
        return false;
    int32_t len = (int32_t)sy_get_u32(walk->at);
    if (len < 0) {
        *ret = (struct sy_value){.len = SY_NULL};
        walk->at += 4;
        return true;
    }
    if (len > walk->end - walk->at - 4)
        return false;
    *ret = (struct sy_value){.len = len, .bytes = walk->at + 4};
    walk->at += 4 + len;
    return true;
}

static bool valid_utf8(const uint8_t *s, size_t len)
{
    size_t i = 0;
    while (i < len) {
        uint8_t c = s[i];
        size_t more = c < 0x80 ? 0 : c < 0xc2 ? 9 : c < 0xe0 ? 1 : c < 0xf0 ? 2 : c < 0xf5 ? 3 : 9;
        if (more == 9 || len - i <= more)
            return false;
        for (size_t k = 1; k <= more; k++)
            if ((s[i + k] & 0xc0) != 0x80)
                return false;
        if ((c == 0xe0 && s[i + 1] < 0xa0) || (c == 0xed && s[i + 1] > 0x9f) ||
            (c == 0xf0 && s[i + 1] < 0x90) || (c == 0xf4 && s[i + 1] > 0x8f))
            return false;
        i += more + 1;
    }
    return true;
}

static const char *elements_fault(const struct sy_type *type, struct sy_value value)
{
    struct sy_walk walk;
    struct sy_value part;
    if (!sy_walk_collection(&walk, value))
        return "Not enough bytes to read a collection";
    for (int32_t i = 0; i < walk.left; i++)
        for (uint32_t p = 0; p < type->n_parts; p++) {
            if (!sy_walk_next(&walk, &part))
                return "Not enough bytes to read a collection";
            if (part.len < 0)
                return "null is not supported inside collections";
            const char *fault = sy_value_check(type->parts[p], part);
            if (fault != NULL)
                return fault;
        }
    return walk.at == walk.end ? NULL : "Unexpected extraneous bytes after a collection value";
}

static const char *fields_fault(const struct sy_type *type, struct sy_value value)
{
    struct sy_walk walk;
    struct sy_value part;
    sy_walk_fields(&walk, value);
    for (uint32_t i = 0; i < type->n_parts && walk.at < walk.end; i++) {
        if (!sy_walk_next(&walk, &part))
            return "Not enough bytes to read a tuple";
        const char *fault = sy_value_check(type->parts[i], part);
        if (fault != NULL)
            return fault;
    }
    return walk.at == walk.end ? NULL : "Invalid remaining data after end of tuple value";
}

/* 0: any length. Fixed types also take no bytes at all (old tables' "empty" value). */
static int32_t fixed_len(enum sy_type_id id)
{
    switch ((int)id) {
    case SY_BIGINT:
    case SY_COUNTER:
    case SY_DOUBLE:
    case SY_TIMESTAMP:
    case SY_TIME: return 8;
    case SY_INT:
    case SY_FLOAT:
    case SY_DATE: return 4;
    case SY_SMALLINT: return 2;
    case SY_BOOLEAN:
    case SY_TINYINT: return 1;
    case SY_UUID:
    case SY_TIMEUUID: return 16;
    default: return 0;
    }
}

static const char *length_fault(int32_t need)
{
    switch (need) {
    case 1: return "Expected 1 byte for a value";
    case 2: return "Expected 2 bytes for a smallint";
    case 4: return "Expected 4 bytes for a value";
    case 8: return "Expected 8 bytes for a value";
    default: return "UUID should be 16 or 0 bytes";
    }
}

const char *sy_value_check(const struct sy_type *type, struct sy_value value)
{
    if (value.len < 0)
        return NULL;
    int32_t need = fixed_len(type->id);
    if (need != 0) {
        if (value.len != need && value.len != 0)
            return length_fault(need);
        if (type->id == SY_TIMEUUID && value.len == 16 && value.bytes[6] >> 4 != 1)
            return "Unsupported UUID version for a timeuuid";
        return NULL;
    }
    switch ((int)type->id) {
    case SY_TEXT:
        return valid_utf8(value.bytes, (size_t)value.len) ? NULL : "String didn't validate: not UTF-8";
    case SY_ASCII:
        for (int32_t i = 0; i < value.len; i++)
            if (value.bytes[i] > 127)
                return "Invalid byte for ascii";
        return NULL;
    case SY_INET:
        return value.len == 0 || value.len == 4 || value.len == 16 ? NULL : "An inet has 4 or 16 bytes";
    case SY_DECIMAL: return value.len == 0 || value.len >= 5 ? NULL : "Expected at least 5 bytes";
    case SY_DURATION: return value.len >= 3 ? NULL : "Expected at least 3 bytes for a duration";
    case SY_LIST:
    case SY_SET:
    case SY_MAP: return elements_fault(type, value);
    case SY_TUPLE:
    case SY_UDT: return fields_fault(type, value);
    default: return NULL;
    }
}
