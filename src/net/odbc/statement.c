/* SPDX-License-Identifier: Apache-2.0 */
/* Statements: parameters, execution, rows into bound cells, long values in pieces. */
#include "net/odbc/connection.h"

#include <stdio.h>

/* SQL Server's own type numbers, the same in both drivers. */
enum {
    TYPE_VARIANT = -150,
    TYPE_UDT = -151,
    TYPE_XML = -152,
    TYPE_TIME2 = -154,
    TYPE_TIMESTAMPOFFSET = -155,
};

enum {
    LONG_FIRST_PIECE = 16 * 1024,
    LONG_LIMIT = 1 << 30, /* no value of a row is taken beyond this */
    BOUND_CHARACTERS = 8000,
};

enum sl_rc sl_odbc_stmt_error(struct sl_odbc_stmt *stmt, struct sl_error *err)
{
    if (atomic_load(&stmt->conn->cancelled))
        return sl_error_set(err, SL_E_STOPPED, "%s: cancelled", stmt->doing);
    return sl_odbc_diagnose(SQL_HANDLE_STMT, stmt->handle, stmt->doing, &stmt->conn->lost, err);
}

/* The first words of the SQL, on one line, for error texts. */
static void describe_work(struct sl_odbc_stmt *stmt, const char *sql)
{
    size_t n = 0;

    for (; *sql && n < sizeof(stmt->doing) - 4; sql++)
        if (*sql != '\n' || (n && stmt->doing[n - 1] != ' '))
            stmt->doing[n++] = *sql == '\n' ? ' ' : *sql;
    (void)snprintf(stmt->doing + n, sizeof(stmt->doing) - n, "%s", *sql ? "..." : "");
}

static enum sl_rc new_statement(struct sl_odbc *conn, const char *sql, struct sl_odbc_stmt **ret_stmt,
                                struct sl_error *err)
{
    struct sl_odbc_stmt *stmt;
    SQLHSTMT handle;

    if (!SQL_SUCCEEDED(SQLAllocHandle(SQL_HANDLE_STMT, conn->dbc, &handle)))
        return sl_odbc_diagnose(SQL_HANDLE_DBC, conn->dbc, "new statement", &conn->lost, err);
    if (conn->query_timeout_s > 0)
        (void)SQLSetStmtAttr(handle, SQL_ATTR_QUERY_TIMEOUT, (SQLPOINTER)(uintptr_t)conn->query_timeout_s, 0);
    stmt = sl_zalloc(1, sizeof(*stmt));
    stmt->conn = conn;
    stmt->handle = handle;
    stmt->next = conn->statements;
    conn->statements = stmt;
    describe_work(stmt, sql);
    *ret_stmt = stmt;
    return SL_OK;
}

enum sl_rc sl_odbc_direct(struct sl_odbc *conn, const char *sql, struct sl_odbc_stmt **ret_stmt,
                          struct sl_error *err)
{
    enum sl_rc rc = new_statement(conn, sql, ret_stmt, err);

    if (rc == SL_OK)
        (*ret_stmt)->sql = sl_strdup(sql);
    return rc;
}

enum sl_rc sl_odbc_prepare(struct sl_odbc *conn, const char *sql, struct sl_odbc_stmt **ret_stmt,
                           struct sl_error *err)
{
    struct sl_odbc_stmt *stmt;
    enum sl_rc rc = new_statement(conn, sql, &stmt, err);
    union {
        const char *in;
        SQLCHAR *out;
    } unconst = {.in = sql};

    if (rc != SL_OK)
        return rc;
    if (!SQL_SUCCEEDED(SQLPrepare(stmt->handle, unconst.out, SQL_NTS))) {
        rc = sl_odbc_stmt_error(stmt, err);
        sl_odbc_stmt_free(stmt);
        return rc;
    }
    *ret_stmt = stmt;
    return SL_OK;
}

static void drop_cells(struct sl_odbc_stmt *stmt)
{
    (void)SQLFreeStmt(stmt->handle, SQL_UNBIND);
    if (stmt->longs)
        for (int i = 0; i < stmt->n_cells; i++)
            sl_buf_done(&stmt->longs[i]);
    sl_free(stmt->longs);
    sl_free(stmt->cells);
    sl_free(stmt->row);
    stmt->longs = NULL;
    stmt->cells = NULL;
    stmt->row = NULL;
    stmt->n_cells = 0;
    stmt->described = false;
}

void sl_odbc_stmt_free(struct sl_odbc_stmt *stmt)
{
    struct sl_odbc_stmt **link;
    struct sl_odbc *conn;

    if (!stmt)
        return;
    conn = stmt->conn;
    for (link = &conn->statements; *link != stmt; link = &(*link)->next)
        ;
    *link = stmt->next;
    drop_cells(stmt);
    (void)SQLFreeHandle(SQL_HANDLE_STMT, stmt->handle);
    sl_free(stmt->sql);
    sl_free(stmt);
}

static enum sl_rc bind(struct sl_odbc_stmt *stmt, int index, SQLSMALLINT c_type, SQLSMALLINT type,
                       SQLULEN size, const void *value, size_t len, struct sl_error *err)
{
    union {
        const void *in;
        SQLPOINTER out;
    } unconst = {.in = value};

    SL_ASSERT(index >= 1 && index <= (int)(sizeof(stmt->param_len) / sizeof(*stmt->param_len)));
    stmt->param_len[index - 1] = (SQLLEN)len;
    if (!SQL_SUCCEEDED(SQLBindParameter(stmt->handle, (SQLUSMALLINT)index, SQL_PARAM_INPUT, c_type, type,
                                        size, 0, unconst.out, (SQLLEN)len, &stmt->param_len[index - 1])))
        return sl_odbc_stmt_error(stmt, err);
    return SL_OK;
}

enum sl_rc sl_odbc_bind_binary(struct sl_odbc_stmt *stmt, int index, const void *bytes, size_t len,
                               struct sl_error *err)
{
    return bind(stmt, index, SQL_C_BINARY, SQL_BINARY, len, bytes, len, err);
}

enum sl_rc sl_odbc_bind_text(struct sl_odbc_stmt *stmt, int index, const char *text, struct sl_error *err)
{
    size_t len = strlen(text);

    return bind(stmt, index, SQL_C_CHAR, SQL_WVARCHAR, len ? len : 1, text, len, err);
}

enum sl_rc sl_odbc_bind_int(struct sl_odbc_stmt *stmt, int index, const int64_t *value, struct sl_error *err)
{
    return bind(stmt, index, SQL_C_SBIGINT, SQL_BIGINT, 19, value, sizeof(*value), err);
}

static void size_text(struct sl_cell *cell, size_t bytes_each)
{
    cell->kind = SL_CELL_TEXT;
    cell->is_long = cell->size == 0 || cell->size > BOUND_CHARACTERS;
    cell->capacity = cell->is_long ? 0 : cell->size * bytes_each + 1;
}

static void size_bytes(struct sl_cell *cell)
{
    cell->kind = SL_CELL_BYTES;
    cell->is_long = cell->size == 0 || cell->size > BOUND_CHARACTERS;
    cell->capacity = cell->is_long ? 0 : cell->size;
}

/* What kind of cell a column makes. */
static void classify(struct sl_cell *cell)
{
    static const struct {
        SQLSMALLINT type;
        enum sl_cell_kind kind;
        size_t capacity;
    } fixed[] = {
        {SQL_BIT, SL_CELL_INT, 8},
        {SQL_TINYINT, SL_CELL_INT, 8},
        {SQL_SMALLINT, SL_CELL_INT, 8},
        {SQL_INTEGER, SL_CELL_INT, 8},
        {SQL_BIGINT, SL_CELL_INT, 8},
        {SQL_REAL, SL_CELL_DOUBLE, 8},
        {SQL_FLOAT, SL_CELL_DOUBLE, 8},
        {SQL_DOUBLE, SL_CELL_DOUBLE, 8},
        {SQL_DECIMAL, SL_CELL_NUMERIC, sizeof(SQL_NUMERIC_STRUCT)},
        {SQL_NUMERIC, SL_CELL_NUMERIC, sizeof(SQL_NUMERIC_STRUCT)},
        {SQL_TYPE_DATE, SL_CELL_DATE, sizeof(SQL_DATE_STRUCT)},
        {SQL_TYPE_TIME, SL_CELL_TIMESTAMP, sizeof(SQL_TIMESTAMP_STRUCT)},
        {TYPE_TIME2, SL_CELL_TIMESTAMP, sizeof(SQL_TIMESTAMP_STRUCT)},
        {SQL_TYPE_TIMESTAMP, SL_CELL_TIMESTAMP, sizeof(SQL_TIMESTAMP_STRUCT)},
        {TYPE_TIMESTAMPOFFSET, SL_CELL_OFFSET, sizeof(struct sl_cell_offset)},
        {SQL_GUID, SL_CELL_GUID, sizeof(SQLGUID)},
        {TYPE_VARIANT, SL_CELL_OTHER, 0},
    };

    for (size_t i = 0; i < sizeof(fixed) / sizeof(*fixed); i++)
        if (fixed[i].type == cell->type) {
            cell->kind = fixed[i].kind;
            cell->capacity = fixed[i].capacity;
            return;
        }
    switch (cell->type) {
    case SQL_BINARY:
    case SQL_VARBINARY: size_bytes(cell); break;
    case SQL_LONGVARBINARY:
    case TYPE_UDT:
        cell->size = 0;
        size_bytes(cell);
        break;
    case SQL_LONGVARCHAR:
    case SQL_WLONGVARCHAR:
    case TYPE_XML:
        cell->size = 0;
        size_text(cell, 4);
        break;
    case SQL_WCHAR:
    case SQL_WVARCHAR: size_text(cell, 3); break; /* a UTF-16 unit is at most three bytes of UTF-8 */
    default: size_text(cell, 4); break;           /* a byte of some code page */
    }
}

/*
 * SQLBindCol alone means scale 0 for SQL_C_NUMERIC; the record's fields say otherwise, data pointer last.
 * FreeTDS does not look at them, but gives a numeric as it is when it is asked for SQL_C_BINARY.
 */
static bool set_scale(struct sl_odbc_stmt *stmt, int column, const struct sl_cell *cell, void *data)
{
    SQLHDESC row;
    SQLSMALLINT at = (SQLSMALLINT)(column + 1);

    return SQL_SUCCEEDED(SQLGetStmtAttr(stmt->handle, SQL_ATTR_APP_ROW_DESC, &row, 0, NULL)) &&
           SQL_SUCCEEDED(
               SQLSetDescField(row, at, SQL_DESC_PRECISION, (SQLPOINTER)(uintptr_t)cell->size, 0)) &&
           SQL_SUCCEEDED(SQLSetDescField(row, at, SQL_DESC_SCALE, (SQLPOINTER)(intptr_t)cell->scale, 0)) &&
           SQL_SUCCEEDED(SQLSetDescField(row, at, SQL_DESC_DATA_PTR, data, 0));
}

static enum sl_rc bind_cell(struct sl_odbc_stmt *stmt, int column, struct sl_error *err)
{
    const SQLSMALLINT c_types[] = {
        [SL_CELL_INT] = SQL_C_SBIGINT,
        [SL_CELL_DOUBLE] = SQL_C_DOUBLE,
        [SL_CELL_NUMERIC] = stmt->conn->microsoft ? SQL_C_NUMERIC : SQL_C_BINARY,
        [SL_CELL_MONEY] = SQL_C_BINARY,
        [SL_CELL_DATE] = SQL_C_TYPE_DATE,
        [SL_CELL_TIMESTAMP] = SQL_C_TYPE_TIMESTAMP,
        [SL_CELL_OFFSET] = SQL_C_BINARY,
        [SL_CELL_GUID] = SQL_C_GUID,
        [SL_CELL_TEXT] = SQL_C_CHAR,
        [SL_CELL_BYTES] = SQL_C_BINARY,
    };
    struct sl_cell *cell = &stmt->cells[column];
    union {
        const void *in;
        SQLPOINTER out;
    } unconst = {.in = cell->data};

    if (cell->is_long || cell->kind == SL_CELL_OTHER)
        return SL_OK;
    if (!SQL_SUCCEEDED(SQLBindCol(stmt->handle, (SQLUSMALLINT)(column + 1), c_types[cell->kind], unconst.out,
                                  (SQLLEN)cell->capacity, &cell->len)))
        return sl_odbc_stmt_error(stmt, err);
    if (cell->kind == SL_CELL_NUMERIC && stmt->conn->microsoft && !set_scale(stmt, column, cell, unconst.out))
        return sl_error_set(err, SL_E_INTERNAL, "the ODBC driver cannot give column '%s' its scale",
                            cell->name);
    return SL_OK;
}

static bool is_money(struct sl_odbc_stmt *stmt, int column)
{
    char name[64] = "";
    SQLSMALLINT len = 0;

    (void)SQLColAttribute(stmt->handle, (SQLUSMALLINT)(column + 1), SQL_DESC_TYPE_NAME, name, sizeof(name),
                          &len, NULL);
    return strstr(name, "money") != NULL; /* smallmoney too */
}

/* Describe the answer's columns and give each a place in one row buffer. */
static enum sl_rc describe(struct sl_odbc_stmt *stmt, struct sl_error *err)
{
    SQLSMALLINT n = 0;
    size_t total = 0;
    enum sl_rc rc = SL_OK;

    drop_cells(stmt);
    if (!SQL_SUCCEEDED(SQLNumResultCols(stmt->handle, &n)))
        return sl_odbc_stmt_error(stmt, err);
    stmt->cells = sl_zalloc((size_t)n + 1, sizeof(*stmt->cells));
    stmt->longs = sl_zalloc((size_t)n + 1, sizeof(*stmt->longs));
    stmt->n_cells = n;
    for (int i = 0; i < n; i++) {
        struct sl_cell *cell = &stmt->cells[i];
        SQLSMALLINT name_len, nullable;

        if (!SQL_SUCCEEDED(SQLDescribeCol(stmt->handle, (SQLUSMALLINT)(i + 1), (SQLCHAR *)cell->name,
                                          sizeof(cell->name), &name_len, &cell->type, &cell->size,
                                          &cell->scale, &nullable)))
            return sl_odbc_stmt_error(stmt, err);
        classify(cell);
        if (cell->kind == SL_CELL_NUMERIC && !stmt->conn->microsoft && is_money(stmt, i))
            cell->kind = SL_CELL_MONEY;
        total += (cell->capacity + 7) & ~(size_t)7;
    }
    stmt->row = sl_zalloc(total + 8, 1);
    total = 0;
    for (int i = 0; i < n && rc == SL_OK; i++) {
        stmt->cells[i].data = stmt->row + total;
        total += (stmt->cells[i].capacity + 7) & ~(size_t)7;
        rc = bind_cell(stmt, i, err);
    }
    stmt->described = rc == SL_OK;
    return rc;
}

enum sl_rc sl_odbc_execute(struct sl_odbc_stmt *stmt, struct sl_error *err)
{
    SQLRETURN ret;

    sl_odbc_finish(stmt);
    atomic_store(&stmt->conn->cancelled, false);
    sl_odbc_call_begins(stmt);
    ret = stmt->sql ? SQLExecDirect(stmt->handle, (SQLCHAR *)stmt->sql, SQL_NTS) : SQLExecute(stmt->handle);
    sl_odbc_call_ends(stmt);
    if (!SQL_SUCCEEDED(ret) && ret != SQL_NO_DATA)
        return sl_odbc_stmt_error(stmt, err);
    stmt->open = true;
    return stmt->described ? SL_OK : describe(stmt, err);
}

/* A value that did not fit its cell: the column has grown since it was described. */
static enum sl_rc check_truncation(struct sl_odbc_stmt *stmt, struct sl_error *err)
{
    for (int i = 0; i < stmt->n_cells; i++) {
        const struct sl_cell *cell = &stmt->cells[i];

        if ((cell->kind == SL_CELL_TEXT || cell->kind == SL_CELL_BYTES) && !cell->is_long &&
            (cell->len == SQL_NO_TOTAL || cell->len > (SQLLEN)cell->capacity)) {
            stmt->described = false;
            return sl_error_set(err, SL_E_PROTOCOL,
                                "column '%s' holds a value longer than its declared %lu characters",
                                cell->name, (unsigned long)cell->size);
        }
    }
    return SL_OK;
}

enum sl_rc sl_odbc_fetch(struct sl_odbc_stmt *stmt, bool *ret_row, struct sl_error *err)
{
    SQLRETURN ret;

    sl_odbc_call_begins(stmt);
    ret = SQLFetch(stmt->handle);
    sl_odbc_call_ends(stmt);
    if (__builtin_expect(ret == SQL_SUCCESS, 1)) {
        *ret_row = true;
        return SL_OK;
    }
    if (ret == SQL_SUCCESS_WITH_INFO) {
        *ret_row = true;
        return check_truncation(stmt, err);
    }
    if (ret == SQL_NO_DATA && !atomic_load(&stmt->conn->cancelled)) {
        *ret_row = false;
        return SL_OK;
    }
    return sl_odbc_stmt_error(stmt, err);
}

enum sl_rc sl_odbc_next_result(struct sl_odbc_stmt *stmt, bool *ret_more, struct sl_error *err)
{
    SQLRETURN ret;

    sl_odbc_call_begins(stmt);
    ret = SQLMoreResults(stmt->handle);
    sl_odbc_call_ends(stmt);
    if (ret == SQL_NO_DATA && !atomic_load(&stmt->conn->cancelled)) {
        *ret_more = false;
        return SL_OK;
    }
    if (!SQL_SUCCEEDED(ret))
        return sl_odbc_stmt_error(stmt, err);
    *ret_more = true;
    return describe(stmt, err);
}

void sl_odbc_finish(struct sl_odbc_stmt *stmt)
{
    if (stmt->open)
        (void)SQLFreeStmt(stmt->handle, SQL_CLOSE);
    stmt->open = false;
}

int sl_odbc_n_cells(const struct sl_odbc_stmt *stmt)
{
    return stmt->n_cells;
}

const struct sl_cell *sl_odbc_cell(const struct sl_odbc_stmt *stmt, int column)
{
    SL_ASSERT(column >= 0 && column < stmt->n_cells);
    return &stmt->cells[column];
}

enum sl_rc sl_odbc_read_long(struct sl_odbc_stmt *stmt, int column, struct sl_error *err)
{
    struct sl_cell *cell = &stmt->cells[column];
    struct sl_buf *buf = &stmt->longs[column];
    size_t end = cell->kind == SL_CELL_TEXT ? 1 : 0; /* the driver's NUL takes a byte of each piece */
    size_t piece = LONG_FIRST_PIECE;

    sl_buf_reset(buf);
    for (;;) {
        SQLLEN left = 0;
        SQLRETURN ret = SQLGetData(stmt->handle, (SQLUSMALLINT)(column + 1), end ? SQL_C_CHAR : SQL_C_BINARY,
                                   sl_buf_reserve(buf, piece), (SQLLEN)piece, &left);

        if (ret == SQL_NO_DATA)
            break;
        if (!SQL_SUCCEEDED(ret))
            return sl_odbc_stmt_error(stmt, err);
        if (left == SQL_NULL_DATA) {
            cell->len = SQL_NULL_DATA;
            return SL_OK;
        }
        if (left != SQL_NO_TOTAL && (size_t)left <= piece - end) {
            buf->len += (size_t)left;
            break;
        }
        buf->len += piece - end;
        piece = left == SQL_NO_TOTAL ? piece * 2 : (size_t)left - (piece - end) + end;
        if (buf->len + piece > LONG_LIMIT)
            return sl_error_set(err, SL_E_DATA, "column '%s' holds a value of more than 1 GiB", cell->name);
    }
    cell->data = buf->data;
    cell->len = (SQLLEN)buf->len;
    return SL_OK;
}

const char *sl_odbc_text(const struct sl_odbc_stmt *stmt, int column)
{
    const struct sl_cell *cell = sl_odbc_cell(stmt, column);

    /* A text cell ends in the driver's NUL, a long one that was read too. */
    return cell->kind == SL_CELL_TEXT && !sl_cell_is_null(cell) && cell->data ? cell->data : "";
}

int64_t sl_odbc_int(const struct sl_odbc_stmt *stmt, int column)
{
    const struct sl_cell *cell = sl_odbc_cell(stmt, column);
    int64_t value = 0;

    if (cell->kind == SL_CELL_INT && !sl_cell_is_null(cell))
        memcpy(&value, cell->data, sizeof(value));
    return value;
}
