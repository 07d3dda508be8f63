/* SPDX-License-Identifier: Apache-2.0 */
#include "transport/kafka/produce.h"

#include "base/alloc.h"
#include "codec/header_codec.h"

#include <stdio.h>
#include <string.h>

void sl_kafka_handles_done(struct sl_kafka_handles *handles)
{
    for (size_t i = 0; i < handles->n; i++) {
        if (handles->items[i])
            rd_kafka_topic_destroy(handles->items[i]);
    }
    sl_free(handles->items);
    *handles = (struct sl_kafka_handles){0};
}

static rd_kafka_topic_t *handle_of(rd_kafka_t *producer, struct sl_kafka_handles *handles,
                                   const struct sl_topic *topic)
{
    if (topic->id >= handles->n) {
        size_t n = topic->id + 32;

        handles->items = sl_realloc(handles->items, n, sizeof(*handles->items));
        memset(handles->items + handles->n, 0, (n - handles->n) * sizeof(*handles->items));
        handles->n = n;
    }
    if (!handles->items[topic->id])
        handles->items[topic->id] = rd_kafka_topic_new(producer, topic->name, NULL);
    return handles->items[topic->id];
}

static rd_kafka_headers_t *make_headers(struct sl_span encoded)
{
    rd_kafka_headers_t *headers = rd_kafka_headers_new(4);
    struct sl_raw_header header;

    while (sl_headers_next(&encoded, &header) > 0)
        (void)rd_kafka_header_add(headers, (const char *)header.name.ptr, (ssize_t)header.name.len,
                                  header.value.ptr, (ssize_t)header.value.len);
    return headers;
}

rd_kafka_resp_err_t sl_kafka_produce(rd_kafka_t *producer, struct sl_kafka_handles *handles,
                                     const struct sl_log_record *record, bool copy, void *opaque)
{
    rd_kafka_vu_t parts[8];
    rd_kafka_headers_t *headers = NULL;
    rd_kafka_error_t *error;
    rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR_NO_ERROR;
    size_t n = 0;

    parts[n++] =
        (rd_kafka_vu_t){.vtype = RD_KAFKA_VTYPE_RKT, .u.rkt = handle_of(producer, handles, record->topic)};
    parts[n++] = (rd_kafka_vu_t){.vtype = RD_KAFKA_VTYPE_PARTITION, .u.i32 = record->partition};
    parts[n++] = (rd_kafka_vu_t){.vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u.i = copy ? RD_KAFKA_MSG_F_COPY : 0};
    parts[n++] =
        (rd_kafka_vu_t){.vtype = RD_KAFKA_VTYPE_VALUE,
                        .u.mem = {.ptr = (void *)(uintptr_t)record->value.ptr, .size = record->value.len}};
    parts[n++] =
        (rd_kafka_vu_t){.vtype = RD_KAFKA_VTYPE_KEY,
                        .u.mem = {.ptr = (void *)(uintptr_t)record->key.ptr, .size = record->key.len}};
    parts[n++] = (rd_kafka_vu_t){.vtype = RD_KAFKA_VTYPE_OPAQUE, .u.ptr = opaque};
    if (record->timestamp_ms != SL_NO_TIMESTAMP)
        parts[n++] = (rd_kafka_vu_t){.vtype = RD_KAFKA_VTYPE_TIMESTAMP, .u.i64 = record->timestamp_ms};
    if (record->headers.len) {
        headers = make_headers(record->headers);
        parts[n++] = (rd_kafka_vu_t){.vtype = RD_KAFKA_VTYPE_HEADERS, .u.headers = headers};
    }
    error = rd_kafka_produceva(producer, parts, n);
    if (error) {
        code = rd_kafka_error_code(error);
        rd_kafka_error_destroy(error);
        if (headers)
            rd_kafka_headers_destroy(headers);
    }
    return code;
}

static rd_kafka_resp_err_t produce_to(rd_kafka_t *producer, const char *topic, int32_t partition,
                                      struct sl_span key, struct sl_span value, void *opaque)
{
    const rd_kafka_vu_t parts[] = {
        {.vtype = RD_KAFKA_VTYPE_TOPIC, .u.cstr = topic},
        {.vtype = RD_KAFKA_VTYPE_PARTITION, .u.i32 = partition},
        {.vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u.i = RD_KAFKA_MSG_F_COPY},
        {.vtype = RD_KAFKA_VTYPE_KEY, .u.mem = {.ptr = (void *)(uintptr_t)key.ptr, .size = key.len}},
        {.vtype = RD_KAFKA_VTYPE_VALUE, .u.mem = {.ptr = (void *)(uintptr_t)value.ptr, .size = value.len}},
        {.vtype = RD_KAFKA_VTYPE_OPAQUE, .u.ptr = opaque},
    };
    rd_kafka_error_t *error = rd_kafka_produceva(producer, parts, sizeof(parts) / sizeof(*parts));
    rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR_NO_ERROR;

    if (error) {
        code = rd_kafka_error_code(error);
        rd_kafka_error_destroy(error);
    }
    return code;
}

rd_kafka_resp_err_t sl_kafka_produce_text(struct sl_kafka *kafka, rd_kafka_t *producer,
                                          enum sl_kafka_table table, struct sl_span key, struct sl_span value,
                                          void *opaque)
{
    return produce_to(producer, kafka->tables[table], sl_kafka_table_partition(kafka, table, key), key, value,
                      opaque);
}

rd_kafka_resp_err_t sl_kafka_produce_message(struct sl_kafka *kafka, rd_kafka_t *producer,
                                             const struct sl_kafka_message *message, void *opaque)
{
    const struct sl_span key = {message->key.data, message->key.len};

    if (message->topic)
        return produce_to(producer, message->topic, message->partition, key, message->value, opaque);
    return sl_kafka_produce_text(kafka, producer, message->table, key, message->value, opaque);
}
