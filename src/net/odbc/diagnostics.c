/* SPDX-License-Identifier: Apache-2.0 */
/* What a driver says, as an error object: SQL Server's own number first, the SQLSTATE where there is none. */
#include "net/odbc/odbc.h"

#include <stdio.h>

/* Numbers of sys.messages that mean something to us, and what a person can do about them. */
static const struct {
    int32_t native;
    enum sl_rc rc;
    const char *hint;
} known[] = {
    {18456, SL_E_AUTH, "check database.user and database.password"},
    {18452, SL_E_AUTH, "the login comes from an untrusted domain; use a SQL login or Kerberos"},
    {18470, SL_E_AUTH, "the account is disabled; enable it on the server"},
    {18486, SL_E_AUTH, "the account is locked; unlock it on the server"},
    {18487, SL_E_AUTH, "the password has expired; change it on the server"},
    {18488, SL_E_AUTH, "the password must be changed first; do so on the server"},
    {4060, SL_E_NOT_FOUND, "check database.names, and that the login may enter the database"},
    {4064, SL_E_NOT_FOUND, "the login's default database cannot be opened; check database.names"},
    {911, SL_E_NOT_FOUND, "check database.names"},
    {916, SL_E_AUTH, "create a user for this login in the database"},
    {229, SL_E_AUTH, "grant SELECT on the tables and on schema cdc to this user"},
    {230, SL_E_AUTH, "grant SELECT on the captured columns to this user"},
    {297, SL_E_AUTH, "grant the permission to this user"},
    {300, SL_E_AUTH, "grant VIEW SERVER STATE to this login"},
    {208, SL_E_NOT_FOUND, "the table, view or function does not exist, or is not visible to this user"},
    {207, SL_E_SCHEMA, "the table has changed; restart the connector so that its columns are read again"},
    {313, SL_E_GAP,
     "the wanted log range is outside what the capture instance still holds; take a new snapshot"},
    {22903, SL_E_BUSY, NULL},
    {1205, SL_E_BUSY, NULL},
    {1222, SL_E_BUSY, NULL},
    {3952, SL_E_CONFIG, "ALTER DATABASE ... SET ALLOW_SNAPSHOT_ISOLATION ON, or set snapshot.isolation.mode"},
    {3960, SL_E_BUSY, NULL},
    {3961, SL_E_BUSY, NULL},
    {601, SL_E_BUSY, NULL},
    {701, SL_E_BUSY, NULL},
    {802, SL_E_BUSY, NULL},
    {921, SL_E_BUSY, "the database is still starting"},
    {922, SL_E_BUSY, "the database is still recovering"},
    {924, SL_E_BUSY, "the database is in single-user mode"},
    {927, SL_E_BUSY, "the database is being restored"},
    {942, SL_E_BUSY, "the database is offline"},
    {945, SL_E_BUSY, "the database cannot be opened; look at the server's error log"},
    {976, SL_E_BUSY, "the database is on a replica that does not take this connection"},
    {978, SL_E_BUSY, "the replica takes read-only connections only: driver.applicationIntent=ReadOnly"},
    {983, SL_E_BUSY, "the availability replica is not in a readable role"},
    {6005, SL_E_CONNECT, "the server is shutting down"},
    {17142, SL_E_CONNECT, "the server is paused"},
    {17809, SL_E_BUSY, "the server has no connection left"},
    {17830, SL_E_CONNECT, NULL},
    {10928, SL_E_BUSY, "the Azure database is at its session limit"},
    {10929, SL_E_BUSY, "the Azure server is too busy"},
    {40197, SL_E_CONNECT, NULL},
    {40501, SL_E_BUSY, NULL},
    {40613, SL_E_BUSY, "the Azure database is not available at the moment"},
    {49918, SL_E_BUSY, NULL},
    {49919, SL_E_BUSY, NULL},
    {49920, SL_E_BUSY, NULL},
    {20002, SL_E_CONNECT, NULL},
    {20003, SL_E_TIMEOUT, NULL},
    {20004, SL_E_CONNECT, NULL},
    {20006, SL_E_CONNECT, NULL},
    {20009, SL_E_CONNECT, "check database.hostname, database.port and the network"},
    {20017, SL_E_CONNECT, NULL}, /* unexpected end of file from the server */
    {20020, SL_E_PROTOCOL, NULL},
    {20047, SL_E_CONNECT, NULL},
};

static const struct {
    const char *state;
    enum sl_rc rc;
    const char *hint;
} states[] = {
    {"08001", SL_E_CONNECT, "check database.hostname, database.port and the network"},
    {"08004", SL_E_CONNECT, NULL},
    {"08S01", SL_E_CONNECT, NULL},
    {"08003", SL_E_CONNECT, NULL},
    {"08007", SL_E_CONNECT, NULL},
    {"HYT00", SL_E_TIMEOUT, "raise database.query.timeout.ms if the server needs longer"},
    {"HYT01", SL_E_TIMEOUT, NULL},
    {"HY008", SL_E_STOPPED, NULL},
    {"28000", SL_E_AUTH, "check database.user and database.password"},
    {"40001", SL_E_BUSY, NULL},
    {"42S02", SL_E_NOT_FOUND, "the table does not exist, or is not visible to this user"},
    {"42S22", SL_E_SCHEMA, "the table has changed; restart the connector so that its columns are read again"},
    {"IM002", SL_E_CONFIG, "install the FreeTDS ODBC driver (package tdsodbc), or set sluice.odbc.driver"},
    {"IM003", SL_E_CONFIG, "install the FreeTDS ODBC driver (package tdsodbc), or set sluice.odbc.driver"},
    {"IM004", SL_E_CONFIG, "the ODBC driver does not start; check sluice.odbc.driver"},
};

enum sl_rc sl_odbc_classify(int32_t native, const char *sqlstate)
{
    for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
        if (known[i].native == native)
            return known[i].rc;
    for (size_t i = 0; i < sizeof(states) / sizeof(*states); i++)
        if (strncmp(states[i].state, sqlstate, 5) == 0)
            return states[i].rc;
    return SL_E_UNSUPPORTED;
}

static const char *hint_for(int32_t native, const char *sqlstate)
{
    for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
        if (known[i].native == native)
            return known[i].hint;
    for (size_t i = 0; i < sizeof(states) / sizeof(*states); i++)
        if (strncmp(states[i].state, sqlstate, 5) == 0)
            return states[i].hint;
    return NULL;
}

/* "[FreeTDS][SQL Server]Login failed" -> "Login failed". */
static const char *skip_brackets(const char *text)
{
    while (*text == '[') {
        const char *end = strchr(text, ']');

        if (!end)
            break;
        text = end + 1;
    }
    return text;
}

/* A hint brings a full stop of its own. */
static int without_full_stop(const char *text)
{
    size_t len = strlen(text);

    return (int)(len > 0 && text[len - 1] == '.' ? len - 1 : len);
}

struct diagnostic {
    char state[6];
    SQLINTEGER native;
    char text[400];
};

/* A record that says more than another: SQL Server's known numbers, then any known SQLSTATE, then the rest.
 */
static int weight(const struct diagnostic *d)
{
    for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
        if (known[i].native == d->native)
            return d->native >= 20000 && d->native < 20100 ? 3 : 4; /* FreeTDS's own messages say less */
    return sl_odbc_classify(d->native, d->state) != SL_E_UNSUPPORTED ? 2 : 1;
}

static bool read_diagnostics(SQLSMALLINT handle_type, SQLHANDLE handle, struct diagnostic *ret_best,
                             bool *ret_lost)
{
    struct diagnostic one;
    int best = 0;

    for (SQLSMALLINT i = 1; i <= 16; i++) {
        SQLSMALLINT len = 0;
        SQLRETURN ret = SQLGetDiagRec(handle_type, handle, i, (SQLCHAR *)one.state, &one.native,
                                      (SQLCHAR *)one.text, sizeof(one.text), &len);

        if (!SQL_SUCCEEDED(ret))
            break;
        if (strncmp(one.state, "08", 2) == 0)
            *ret_lost = true;
        if (strstr(one.text, "Can't open lib")) /* the driver manager says so with a mere 01000 */
            memcpy(one.state, "IM003", 6);
        if (weight(&one) > best) {
            best = weight(&one);
            *ret_best = one;
        }
    }
    return best > 0;
}

enum sl_rc sl_odbc_diagnose(SQLSMALLINT handle_type, SQLHANDLE handle, const char *doing, bool *ret_lost,
                            struct sl_error *err)
{
    struct diagnostic best = {.state = "HY000"};
    bool lost = false;
    char native[16];
    const char *hint, *text;
    enum sl_rc rc;

    if (!read_diagnostics(handle_type, handle, &best, &lost)) {
        /* A driver that fails without a word has usually lost its connection. */
        *ret_lost = true;
        return sl_error_set(err, SL_E_CONNECT, "%s: the ODBC driver failed without saying why", doing);
    }
    rc = sl_odbc_classify(best.native, best.state);
    /* FreeTDS says a bare HY000 "Unknown error", with no number, when the server dies in the middle of an
     * answer. */
    if (rc == SL_E_UNSUPPORTED && (lost || (best.native == 0 && strncmp(best.state, "HY000", 5) == 0)))
        rc = SL_E_CONNECT;
    if (rc == SL_E_CONNECT)
        lost = true;
    *ret_lost = *ret_lost || lost;
    hint = hint_for(best.native, best.state);
    text = skip_brackets(best.text);
    rc = hint ? sl_error_set(err, rc, "%s: %.*s. HINT: %s", doing, without_full_stop(text), text, hint)
              : sl_error_set(err, rc, "%s: %s", doing, text);
    if (best.native)
        (void)snprintf(native, sizeof(native), "%d", (int)best.native);
    else
        (void)snprintf(native, sizeof(native), "%s", best.state);
    sl_error_native(err, native);
    return rc;
}
