/* SPDX-License-Identifier: Apache-2.0 */
#include "net/pg/sqlstate.h"

#include <string.h>

/* The first prefix that fits decides: whole states stand before their class. */
static const struct {
    const char *prefix;
    enum sl_rc rc;
} rules[] = {
    {"08", SL_E_CONNECT},      {"57014", SL_E_TIMEOUT}, /* statement_timeout, or an administrator cancelled */
    {"57P04", SL_E_NOT_FOUND},                          /* database dropped */
    {"57", SL_E_CONNECT},                               /* shutdown, crash, starting up */
    {"40", SL_E_BUSY},                                  /* deadlock, serialization */
    {"53", SL_E_BUSY},                                  /* too many connections, disk full, out of memory */
    {"55", SL_E_BUSY},                                  /* lock not available, object in use */
    {"25006", SL_E_CONNECT}, /* read-only: a standby, or a primary that became one */
    {"25P03", SL_E_CONNECT}, /* idle in transaction too long: the session is gone */
    {"26", SL_E_CONNECT},    /* a pooler gave us a session without our statements */
    {"28", SL_E_AUTH},         {"42501", SL_E_AUTH},    {"3D", SL_E_NOT_FOUND},
    {"3F", SL_E_SCHEMA},       {"42", SL_E_SCHEMA},     {"0A", SL_E_UNSUPPORTED},
    {"21", SL_E_DATA}, /* two rows of one statement meet in one target row */
    {"22", SL_E_DATA},         {"23", SL_E_DATA},       {"27", SL_E_DATA},
    {"44", SL_E_DATA},      /* a view's check option */
    {"09", SL_E_DATA},      /* a trigger's exception */
    {"P0", SL_E_DATA},      /* raised by a trigger function */
    {"54011", SL_E_SCHEMA}, /* too many columns */
    {"54", SL_E_DATA},      /* an index row too large, and the like */
};

enum sl_rc sl_pg_sqlstate_rc(const char *state)
{
    if (!state || !*state)
        return SL_E_CONNECT;
    for (size_t i = 0; i < sizeof(rules) / sizeof(*rules); i++) {
        if (strncmp(state, rules[i].prefix, strlen(rules[i].prefix)) == 0)
            return rules[i].rc;
    }
    return SL_E_IO; /* 58 system error, XX internal error: the server is not well, going on would not help */
}

bool sl_pg_sqlstate_lost(const char *state)
{
    return sl_pg_sqlstate_rc(state) == SL_E_CONNECT;
}
