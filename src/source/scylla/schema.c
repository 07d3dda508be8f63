/* SPDX-License-Identifier: Apache-2.0 */
#include "source/scylla/schema.h"

#include "base/number.h"

#include <stdlib.h>

/* ---- the cdc option ---- */

static uint32_t load_le32(const uint8_t *at)
{
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

/* The next text of the blob; false when there is none. */
static bool next_text(struct sl_cql_cell *rest, char *text, size_t size)
{
    uint32_t len;

    if (rest->len < 4)
        return false;
    len = load_le32(rest->data);
    if (len > (uint32_t)rest->len - 4)
        return false;
    if (len >= size)
        text[0] = '\0'; /* none of the words that we know is that long */
    else {
        memcpy(text, rest->data + 4, len);
        text[len] = '\0';
    }
    rest->data += 4 + len;
    rest->len -= (int32_t)(4 + len);
    return true;
}

static bool is_on(const char *text)
{
    return strcasecmp(text, "true") == 0 || strcasecmp(text, "full") == 0 || strcmp(text, "1") == 0;
}

bool sl_scylla_cdc_parse(struct sl_cql_cell blob, struct sl_scylla_cdc *ret)
{
    struct sl_scylla_cdc cdc = {.known = true, .ttl_s = 86400};
    uint32_t n;

    if (blob.len < 4)
        return false;
    n = load_le32(blob.data);
    blob.data += 4;
    blob.len -= 4;
    for (uint32_t i = 0; i < n; i++) {
        char key[64], value[64];

        if (!next_text(&blob, key, sizeof(key)) || !next_text(&blob, value, sizeof(value)))
            return false;
        if (strcmp(key, "enabled") == 0)
            cdc.enabled = is_on(value);
        else if (strcmp(key, "preimage") == 0)
            cdc.preimage = is_on(value);
        else if (strcmp(key, "postimage") == 0)
            cdc.postimage = is_on(value);
        else if (strcmp(key, "ttl") == 0 && (!sl_parse_int64(value, &cdc.ttl_s) || cdc.ttl_s < 0))
            return false;
    }
    *ret = cdc;
    return true;
}

/* ---- reading system_schema ---- */

/* One statement with one or two texts to bind; the answer is the caller's. */
static enum sl_rc ask(struct sl_cql *cql, const char *text, const char *first, const char *second,
                      struct sl_cql_answer **ret, struct sl_error *err)
{
    struct sl_cql_values values = {0};
    enum sl_rc rc;

    sl_cql_bind_text(&values, first);
    if (second)
        sl_cql_bind_text(&values, second);
    rc = sl_cql_query(
        cql,
        &(struct sl_cql_request){.text = text, .values = &values, .consistency = SL_CQL_ONE, .page_rows = -1},
        ret, err);
    sl_cql_values_done(&values);
    return rc;
}

static char *copy_text(struct sl_arena *arena, struct sl_cql_cell cell)
{
    size_t len = cell.len > 0 ? (size_t)cell.len : 0;
    char *text = sl_arena_alloc(arena, len + 1);

    if (len)
        memcpy(text, cell.data, len);
    text[len] = '\0';
    return text;
}

/* User-defined types of a keyspace, as texts until somebody asks for one. */
struct udt {
    const char *name;
    const char **fields;
    const char **types;
    uint32_t n;
    const struct sl_cql_type *type; /* once asked for */
    bool under_way;                 /* a type that holds itself is refused */
};

struct udts {
    struct sl_arena *arena;
    const char *keyspace;
    struct udt *items;
    uint32_t n, capacity;
};

static const struct sl_cql_type *find_udt(void *ctx, const char *keyspace, const char *name)
{
    struct udts *udts = ctx;
    struct udt *udt = NULL;
    const struct sl_cql_type **args;
    struct sl_cql_type *type;

    for (uint32_t i = 0; i < udts->n; i++)
        if (strcmp(udts->items[i].name, name) == 0)
            udt = &udts->items[i];
    if (!udt || udt->under_way)
        return NULL;
    if (udt->type)
        return udt->type;
    udt->under_way = true;
    args = sl_arena_alloc(udts->arena, ((size_t)udt->n + 1) * sizeof(struct sl_cql_type *));
    for (uint32_t i = 0; i < udt->n; i++)
        if (sl_cql_type_parse(udt->types[i], keyspace, find_udt, udts, udts->arena, &args[i], NULL) != SL_OK)
            return NULL;
    type = sl_arena_alloc(udts->arena, sizeof(*type));
    *type = (struct sl_cql_type){.kind = SL_CQL_UDT,
                                 .keyspace = udts->keyspace,
                                 .name = udt->name,
                                 .n_args = udt->n,
                                 .args = args,
                                 .field_names = udt->fields};
    udt->type = type;
    udt->under_way = false;
    return type;
}

static const char **copy_texts(struct sl_arena *arena, struct sl_cql_cell cell, uint32_t *ret_n)
{
    const struct sl_cql_type *args[] = {sl_cql_type_simple(SL_CQL_VARCHAR)};
    const struct sl_cql_type list = {.kind = SL_CQL_LIST, .n_args = 1, .args = args};
    const struct sl_cql_type *type;
    struct sl_cql_parts parts;
    struct sl_cql_cell part;
    const char **texts;
    uint32_t n = 0;

    *ret_n = 0;
    if (sl_cql_is_null(cell) || !sl_cql_parts_open(&list, cell, &parts))
        return NULL;
    texts = sl_arena_alloc(arena, ((size_t)parts.n + 1) * sizeof(*texts));
    while (n < parts.n && sl_cql_parts_next(&parts, &type, &part) > 0)
        texts[n++] = copy_text(arena, part);
    *ret_n = n;
    return texts;
}

static enum sl_rc read_udts(struct sl_cql *cql, struct udts *udts, struct sl_error *err)
{
    struct sl_cql_answer *answer;
    struct sl_cql_cell cells[3];
    bool more = false;
    enum sl_rc rc = ask(cql,
                        "SELECT type_name, field_names, field_types FROM system_schema.types WHERE "
                        "keyspace_name = ?",
                        udts->keyspace, NULL, &answer, err);

    if (rc != SL_OK)
        return rc;
    while ((rc = sl_cql_rows_next(&answer->rows, cells, &more, err)) == SL_OK && more) {
        struct udt *udt;
        uint32_t n_types;

        SL_GROW(udts->items, udts->n, udts->capacity);
        udt = &udts->items[udts->n++];
        *udt = (struct udt){.name = copy_text(udts->arena, cells[0])};
        udt->fields = copy_texts(udts->arena, cells[1], &udt->n);
        udt->types = copy_texts(udts->arena, cells[2], &n_types);
        if (n_types < udt->n)
            udt->n = n_types;
    }
    sl_cql_answer_free(answer);
    return rc;
}

static bool is_cell_text(struct sl_cql_cell cell, const char *text)
{
    return cell.len >= 0 && (size_t)cell.len == strlen(text) && memcmp(cell.data, text, strlen(text)) == 0;
}

static enum sl_scylla_kind kind_of(struct sl_cql_cell cell)
{
    if (is_cell_text(cell, "partition_key"))
        return SL_SCYLLA_PARTITION;
    if (is_cell_text(cell, "clustering"))
        return SL_SCYLLA_CLUSTERING;
    return is_cell_text(cell, "static") ? SL_SCYLLA_STATIC : SL_SCYLLA_REGULAR;
}

static int by_kind_and_place(const void *a_, const void *b_)
{
    const struct sl_scylla_column *a = a_, *b = b_;

    if (a->kind != b->kind && (a->kind < SL_SCYLLA_STATIC || b->kind < SL_SCYLLA_STATIC))
        return a->kind < b->kind ? -1 : 1;
    if (a->kind < SL_SCYLLA_STATIC)
        return a->position < b->position ? -1 : 1;
    return strcmp(a->name, b->name);
}

static enum sl_rc read_column(struct sl_scylla_table *table, struct udts *udts,
                              const struct sl_cql_cell *cells, struct sl_scylla_column *ret,
                              struct sl_error *err)
{
    const char *type = copy_text(table->arena, cells[4]);
    int32_t position = 0;
    enum sl_rc rc;

    (void)sl_cql_int32(cells[3], &position);
    *ret = (struct sl_scylla_column){.name = copy_text(table->arena, cells[0]),
                                     .kind = kind_of(cells[2]),
                                     .position = position > 0 ? (uint32_t)position : 0,
                                     .descending =
                                         is_cell_text(cells[1], "desc") || is_cell_text(cells[1], "DESC")};
    rc = sl_cql_type_parse(type, table->keyspace, find_udt, udts, table->arena, &ret->type, err);
    if (rc != SL_OK)
        return sl_error_wrap(err, "table '%s.%s', column '%s'", table->keyspace, table->name, ret->name);
    return SL_OK;
}

static enum sl_rc read_columns(struct sl_cql *cql, struct sl_scylla_table *table, struct udts *udts,
                               struct sl_error *err)
{
    struct sl_scylla_column *columns = NULL;
    uint32_t n = 0, capacity = 0;
    struct sl_cql_answer *answer;
    struct sl_cql_cell cells[5];
    bool more = false;
    enum sl_rc rc = ask(cql,
                        "SELECT column_name, clustering_order, kind, position, type FROM "
                        "system_schema.columns WHERE keyspace_name = ? AND table_name = ?",
                        table->keyspace, table->name, &answer, err);

    if (rc != SL_OK)
        return rc;
    while ((rc = sl_cql_rows_next(&answer->rows, cells, &more, err)) == SL_OK && more) {
        SL_GROW(columns, n, capacity);
        rc = read_column(table, udts, cells, &columns[n], err);
        if (rc != SL_OK)
            break;
        table->n_partition += columns[n].kind == SL_SCYLLA_PARTITION;
        table->n_clustering += columns[n].kind == SL_SCYLLA_CLUSTERING;
        table->has_statics |= columns[n].kind == SL_SCYLLA_STATIC;
        n++;
    }
    sl_cql_answer_free(answer);
    if (n)
        qsort(columns, n, sizeof(*columns), by_kind_and_place);
    table->columns = sl_arena_copy(table->arena, columns, n * sizeof(*columns));
    table->n_columns = n;
    sl_free(columns);
    return rc;
}

/* ---- what is there at all ---- */

static enum sl_rc has_row(struct sl_cql *cql, const char *text, const char *first, const char *second,
                          bool *ret_row, struct sl_error *err)
{
    struct sl_cql_answer *answer;
    enum sl_rc rc = ask(cql, text, first, second, &answer, err);

    if (rc != SL_OK)
        return rc;
    *ret_row = answer->rows.n_rows > 0;
    sl_cql_answer_free(answer);
    return SL_OK;
}

static enum sl_rc no_table(struct sl_cql *cql, const struct sl_scylla_table *table, struct sl_error *err)
{
    bool found = false;
    enum sl_rc rc = has_row(cql, "SELECT keyspace_name FROM system_schema.keyspaces WHERE keyspace_name = ?",
                            table->keyspace, NULL, &found, err);

    if (rc != SL_OK)
        return rc;
    if (!found)
        return sl_error_set(
            err, SL_E_NOT_FOUND,
            "keyspace '%s' does not exist. HINT: check scylla.table.names; names are in lower "
            "case unless they were made in quotes",
            table->keyspace);
    return sl_error_set(err, SL_E_NOT_FOUND,
                        "table '%s' does not exist in keyspace '%s'. HINT: check scylla.table.names",
                        table->name, table->keyspace);
}

/* The extensions map of a table: frozen<map<text, blob>>. */
static void find_cdc(struct sl_cql_cell cell, struct sl_scylla_cdc *cdc)
{
    const struct sl_cql_type *args[] = {sl_cql_type_simple(SL_CQL_VARCHAR), sl_cql_type_simple(SL_CQL_BLOB)};
    const struct sl_cql_type map = {.kind = SL_CQL_MAP, .is_frozen = true, .n_args = 2, .args = args};
    const struct sl_cql_type *type;
    struct sl_cql_parts parts;
    struct sl_cql_cell key, value;

    if (sl_cql_is_null(cell) || !sl_cql_parts_open(&map, cell, &parts))
        return;
    while (sl_cql_parts_next(&parts, &type, &key) > 0 && sl_cql_parts_next(&parts, &type, &value) > 0)
        if (is_cell_text(key, "cdc"))
            (void)sl_scylla_cdc_parse(value, cdc);
}

static enum sl_rc read_cdc(struct sl_cql *cql, struct sl_scylla_table *table, struct sl_error *err)
{
    struct sl_cql_answer *answer;
    struct sl_cql_cell cell;
    bool more = false;
    enum sl_rc rc =
        ask(cql, "SELECT extensions FROM system_schema.tables WHERE keyspace_name = ? AND table_name = ?",
            table->keyspace, table->name, &answer, err);

    if (rc != SL_OK)
        return rc;
    rc = sl_cql_rows_next(&answer->rows, &cell, &more, err);
    if (rc == SL_OK && more)
        find_cdc(cell, &table->cdc);
    sl_cql_answer_free(answer);
    return rc;
}

static enum sl_rc check_cdc(struct sl_cql *cql, struct sl_scylla_table *table, bool log_may_rest,
                            struct sl_error *err)
{
    bool has_log = false;
    enum sl_rc rc;

    if (table->cdc.enabled)
        return SL_OK;
    /* Only ScyllaDB has the option; elsewhere a log table that somebody fills must do. */
    if (log_may_rest || !sl_cql_is_scylla(cql)) {
        rc = has_row(cql,
                     "SELECT table_name FROM system_schema.tables WHERE keyspace_name = ? AND table_name = ?",
                     table->keyspace, table->log_name, &has_log, err);
        if (rc != SL_OK || has_log)
            return rc;
    }
    return sl_error_set(err, SL_E_CONFIG,
                        "table '%s.%s' has no change log: its CDC is off. HINT: ALTER TABLE %s.%s WITH cdc = "
                        "{'enabled': true}; only what is written afterwards is in the log",
                        table->keyspace, table->name, table->keyspace, table->name);
}

/* A server that knows no tablets has no such table or column: vnodes. */
static enum sl_rc read_tablets(struct sl_cql *cql, struct sl_scylla_table *table, struct sl_error *err)
{
    struct sl_cql_answer *answer;
    struct sl_cql_cell cell;
    bool more = false;
    enum sl_rc rc =
        ask(cql, "SELECT initial_tablets FROM system_schema.scylla_keyspaces WHERE keyspace_name = ?",
            table->keyspace, NULL, &answer, err);

    if (rc != SL_OK && err && err->kind != SL_KIND_TRANSIENT && rc != SL_E_STOPPED) {
        sl_error_clear(err);
        return SL_OK;
    }
    if (rc != SL_OK)
        return rc;
    rc = sl_cql_rows_next(&answer->rows, &cell, &more, err);
    table->tablets = rc == SL_OK && more && !sl_cql_is_null(cell);
    sl_cql_answer_free(answer);
    return rc;
}

enum sl_rc sl_scylla_table_read(struct sl_cql *cql, const struct sl_scylla_table_name *name, uint32_t number,
                                bool log_may_rest, struct sl_scylla_table **ret, struct sl_error *err)
{
    struct sl_arena *arena = sl_arena_new(16 << 10);
    struct sl_scylla_table *table = sl_arena_alloc(arena, sizeof(*table));
    struct udts udts = {.arena = arena};
    enum sl_rc rc;

    *table = (struct sl_scylla_table){.arena = arena,
                                      .keyspace = sl_arena_strdup(arena, name->keyspace),
                                      .name = sl_arena_strdup(arena, name->table),
                                      .log_name = sl_arena_format(arena, "%s_scylla_cdc_log", name->table),
                                      .number = number};
    udts.keyspace = table->keyspace;
    rc = read_udts(cql, &udts, err);
    if (rc == SL_OK)
        rc = read_columns(cql, table, &udts, err);
    if (rc == SL_OK && !table->n_columns)
        rc = no_table(cql, table, err);
    if (rc == SL_OK)
        rc = read_cdc(cql, table, err);
    if (rc == SL_OK)
        rc = check_cdc(cql, table, log_may_rest, err);
    if (rc == SL_OK)
        rc = read_tablets(cql, table, err);
    sl_free(udts.items);
    if (rc != SL_OK)
        sl_arena_free(arena);
    else
        *ret = table;
    return rc;
}

void sl_scylla_table_free(struct sl_scylla_table *table)
{
    if (table)
        sl_arena_free(table->arena);
}

const struct sl_scylla_column *sl_scylla_table_column(const struct sl_scylla_table *table, const char *name)
{
    for (uint32_t i = 0; i < table->n_columns; i++)
        if (strcmp(table->columns[i].name, name) == 0)
            return &table->columns[i];
    return NULL;
}

bool sl_scylla_table_equal(const struct sl_scylla_table *a, const struct sl_scylla_table *b)
{
    if (a->n_columns != b->n_columns || a->cdc.preimage != b->cdc.preimage ||
        a->cdc.postimage != b->cdc.postimage || a->cdc.ttl_s != b->cdc.ttl_s)
        return false;
    for (uint32_t i = 0; i < a->n_columns; i++) {
        const struct sl_scylla_column *x = &a->columns[i], *y = &b->columns[i];

        if (strcmp(x->name, y->name) != 0 || x->kind != y->kind || x->position != y->position ||
            x->type->is_frozen != y->type->is_frozen || !sl_cql_type_equal(x->type, y->type))
            return false;
    }
    return true;
}
