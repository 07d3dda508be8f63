/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Does a message that was read have no headers? To ask librdkafka costs two allocations a message before it
 * has found a count of zero, a quarter of what reading a row costs; where the client left the record in the
 * batch that it received (it does), the answer stands in the next byte.
 *
 * A record of format 2 (Kafka 0.11 and later) ends so, lengths and counts being zigzag varints:
 *
 *     length of the key, key, length of the value, value, count of headers, headers
 *
 * That the bytes between key and value are the length of this very value, in that coding, tells that the two
 * stand in such a record: in the formats before, four bytes stand there, the highest first, and its top bit
 * is clear where a varint of four bytes has it set. The count is always there in a record that is whole;
 * should a broker send one that is not, at the end of all that was received, the byte is read on the page
 * that the value's last byte is on, never on the next.
 */
#ifndef SLUICE_TRANSPORT_KAFKA_HEADERLESS_H
#define SLUICE_TRANSPORT_KAFKA_HEADERLESS_H

#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stdint.h>

enum { SL_KAFKA_PAGE_MIN = 4096 };

/* Is [at, end) the zigzag varint of a length? */
static inline bool sl_kafka_is_varint(const uint8_t *at, const uint8_t *end, uint64_t length)
{
    uint64_t left = length << 1;

    for (; at + 1 < end; at++, left >>= 7) {
        if (*at != (uint8_t)(left | 0x80))
            return false;
    }
    return *at == left && left < 0x80;
}

/* True: it has none. False: it may have some. */
static inline bool sl_kafka_headerless(const rd_kafka_message_t *message)
{
    const uint8_t *key = message->key;
    const uint8_t *value = message->payload;
    uintptr_t after = (uintptr_t)value + message->len;
    uintptr_t gap = (uintptr_t)value - ((uintptr_t)key + message->key_len);

    return key && value && message->len && gap - 1 < 5 && after % SL_KAFKA_PAGE_MIN &&
           sl_kafka_is_varint(value - gap, value, message->len) && value[message->len] == 0;
}

#endif
