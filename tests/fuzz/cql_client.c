/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzz target: what a CQL server sends, as our client reads it. The first byte says what the rest is: an
 * answer's result with its rows, an error, what is supported, an event, a prepared statement's values, a
 * tablet, a class name, the text of a type, a Java key store. Whatever it is, it is read or refused; nothing
 * is read past its end, and no memory is asked for that the bytes do not pay for.
 */
#include "net/cql/columns.h"
#include "net/keystore.h"
#include "net/cql/message.h"
#include "net/cql/ring.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_cells(const struct sl_cql_columns *columns, struct sl_cql_rows *rows)
{
    enum { CELLS = 64 };
    struct sl_cql_cell cells[CELLS];
    struct sl_buf out = {0};
    struct sl_error err;
    bool more;

    /* A row without columns takes no bytes: as many as the server likes. */
    while (columns->n && columns->n <= CELLS && sl_cql_rows_next(rows, cells, &more, &err) == SL_OK && more) {
        for (uint32_t i = 0; i < columns->n; i++) {
            sl_buf_reset(&out);
            sl_cql_put_value(&out, columns->items[i].type, cells[i]);
        }
    }
    sl_buf_done(&out);
}

static void read_result(struct sl_cql_in in)
{
    struct sl_cql_columns_cache cache = {0};
    struct sl_cql_metadata metadata;
    struct sl_cql_metadata again;
    struct sl_cql_in second = in;

    if (sl_cql_metadata_read(&cache, &in, &metadata) && metadata.columns) {
        struct sl_cql_rows rows = {.columns = metadata.columns, .n_rows = (uint32_t)sl_cql_take_i32(&in)};

        SL_ASSERT(metadata.columns->n == metadata.n_columns);
        /* known specifications are found again, and end where they ended */
        SL_ASSERT(sl_cql_metadata_read(&cache, &second, &again) && again.columns == metadata.columns);
        rows.at = in.at;
        rows.end = in.end;
        read_cells(metadata.columns, &rows);
    }
    sl_cql_columns_cache_done(&cache);
}

static void read_values(struct sl_cql_in in, int version)
{
    struct sl_cql_columns_cache cache = {0};
    struct sl_cql_metadata metadata;

    (void)sl_cql_bind_metadata_read(&cache, &in, version, &metadata);
    sl_cql_columns_cache_done(&cache);
}

static void read_tablets(struct sl_cql_in in)
{
    struct sl_cql_tablets tablets = {0};

    while (in.at < in.end && !in.bad) {
        struct sl_cql_cell payload = sl_cql_take_bytes(&in);

        if (payload.len >= 0)
            sl_cql_tablets_learn(&tablets, "ks", "t", payload);
    }
    for (int64_t token = -8; token < 8; token++) {
        const struct sl_cql_tablet *tablet = sl_cql_tablets_find(&tablets, "ks", "t", token);

        SL_ASSERT(!tablet || (tablet->first < token && token <= tablet->last));
    }
    sl_cql_tablets_done(&tablets);
}

static void read_type_text(struct sl_cql_in in, bool is_class)
{
    char *text = sl_strndup((const char *)in.at, (size_t)(in.end - in.at));
    struct sl_arena *arena = sl_arena_new(1024);
    const struct sl_cql_type *type = NULL;
    struct sl_buf out = {0};
    struct sl_error err;

    if (is_class)
        type = sl_cql_type_of_class(text, arena);
    else
        (void)sl_cql_type_parse(text, "ks", NULL, NULL, arena, &type, &err);
    if (type)
        sl_cql_type_put(&out, type);
    sl_buf_done(&out);
    sl_arena_free(arena);
    sl_free(text);
}

static void read_store(struct sl_cql_in in)
{
    struct sl_keystore store;
    struct sl_error err;

    if (sl_keystore_read_jks(in.at, (size_t)(in.end - in.at), NULL, NULL, "fuzz", &store, &err) == SL_OK)
        sl_keystore_done(&store);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sl_cql_in in = {data + 1, data + size, false};
    struct sl_cql_event_message event;
    struct sl_cql_supported supported;
    struct sl_error err;

    if (size == 0)
        return 0;
    switch (data[0]) {
    case 'r': read_result(in); break;
    case 'e': (void)sl_cql_error_read(&in, "fuzz", 0xF000, &err); break;
    case 's': (void)sl_cql_supported_read(&in, &supported); break;
    case 'v': (void)sl_cql_event_read(&in, &event); break;
    case 'b':
    case 'B': read_values(in, data[0] == 'b' ? 4 : 3); break;
    case 't': read_tablets(in); break;
    case 'c':
    case 'y': read_type_text(in, data[0] == 'c'); break;
    case 'j': read_store(in); break;
    default: break;
    }
    return 0;
}
