/* SPDX-License-Identifier: Apache-2.0 */
#include "net/pg/params.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

void sl_pg_params_done(struct sl_pg_params *params)
{
    for (size_t i = 0; i < params->n; i++) {
        sl_free(params->keywords[i]);
        sl_free(params->values[i]);
    }
    sl_free(params->keywords);
    sl_free(params->values);
    sl_buf_done(&params->ignored);
    *params = (struct sl_pg_params){0};
}

void sl_pg_params_set(struct sl_pg_params *params, const char *keyword, const char *value)
{
    for (size_t i = 0; i < params->n; i++) {
        if (strcmp(params->keywords[i], keyword) == 0) {
            sl_free(params->values[i]);
            params->values[i] = sl_strdup(value);
            return;
        }
    }
    if (params->n + 1 >= params->capacity) {
        params->capacity = params->capacity ? params->capacity * 2 : 16;
        params->keywords = sl_realloc(params->keywords, params->capacity, sizeof(*params->keywords));
        params->values = sl_realloc(params->values, params->capacity, sizeof(*params->values));
    }
    params->keywords[params->n] = sl_strdup(keyword);
    params->values[params->n] = sl_strdup(value);
    params->n++;
    params->keywords[params->n] = NULL;
    params->values[params->n] = NULL;
}

const char *sl_pg_params_get(const struct sl_pg_params *params, const char *keyword)
{
    for (size_t i = 0; i < params->n; i++) {
        if (strcmp(params->keywords[i], keyword) == 0)
            return params->values[i];
    }
    return NULL;
}

/* Add "-c name=value" to the keyword "options", escaped as libpq and the server ask. */
static void add_setting(struct sl_pg_params *params, const char *name, const char *value)
{
    const char *before = sl_pg_params_get(params, "options");
    struct sl_buf text = {0};

    if (before)
        sl_buf_format(&text, "%s ", before);
    sl_buf_format(&text, "-c %s=", name);
    for (; *value; value++) {
        if (*value == '\\' || isspace((unsigned char)*value))
            sl_buf_u8(&text, '\\');
        sl_buf_u8(&text, (uint8_t)*value);
    }
    sl_pg_params_set(params, "options", sl_buf_cstr(&text));
    sl_buf_done(&text);
}

static bool is_true(const char *value)
{
    return strcasecmp(value, "true") == 0 || *value == '\0';
}

/* pgjdbc property, libpq keyword: the value is the same. NULL: it tunes pgjdbc and nothing else. */
static const struct {
    const char *property;
    const char *keyword;
} same_value[] = {
    {"user", "user"},
    {"password", "password"},
    {"sslmode", "sslmode"},
    {"sslcert", "sslcert"},
    {"sslkey", "sslkey"},
    {"sslrootcert", "sslrootcert"},
    {"sslpassword", "sslpassword"},
    {"ApplicationName", "application_name"},
    {"connectTimeout", "connect_timeout"},
    {"loginTimeout", "connect_timeout"},
    {"gssEncMode", "gssencmode"},
    {"channelBinding", "channel_binding"},
    {"kerberosServerName", "krbsrvname"},
    {"service", "service"},
    {"PGHOST", "host"},
    {"PGPORT", "port"},
    {"PGDBNAME", "dbname"},
    {"adaptiveFetch", NULL},
    {"allowEncodingChanges", NULL},
    {"assumeMinServerVersion", NULL},
    {"autosave", NULL},
    {"binaryTransfer", NULL},
    {"binaryTransferDisable", NULL},
    {"binaryTransferEnable", NULL},
    {"cancelSignalTimeout", NULL},
    {"cleanupSavepoints", NULL},
    {"databaseMetadataCacheFields", NULL},
    {"databaseMetadataCacheFieldsMiB", NULL},
    {"defaultRowFetchSize", NULL},
    {"disableColumnSanitiser", NULL},
    {"escapeSyntaxCallMode", NULL},
    {"groupStartupParameters", NULL},
    {"hostRecheckSeconds", NULL},
    {"loadBalanceHosts", NULL},
    {"logServerErrorDetail", NULL},
    {"logUnclosedConnections", NULL},
    {"loggerFile", NULL},
    {"loggerLevel", NULL},
    {"maxResultBuffer", NULL},
    {"preferQueryMode", NULL},
    {"prepareThreshold", NULL},
    {"preparedStatementCacheQueries", NULL},
    {"preparedStatementCacheSizeMiB", NULL},
    {"protocolVersion", NULL},
    {"quoteReturningIdentifiers", NULL},
    {"reWriteBatchedInserts", NULL},
    {"readOnly", NULL},
    {"readOnlyMode", NULL},
    {"receiveBufferSize", NULL},
    {"sendBufferSize", NULL},
    {"stringtype", NULL},
    {"tcpNoDelay", NULL},
    {"unknownLength", NULL},
    {"xmlFactoryFactory", NULL},
};

static void set_target(struct sl_pg_params *params, const char *value)
{
    static const struct {
        const char *jdbc;
        const char *libpq;
    } words[] = {
        {"any", "any"},
        {"preferPrimary", "any"},
        {"primary", "primary"},
        {"master", "primary"},
        {"secondary", "standby"},
        {"slave", "standby"},
        {"preferSecondary", "prefer-standby"},
        {"preferSlave", "prefer-standby"},
    };

    for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
        if (strcasecmp(words[i].jdbc, value) == 0) {
            sl_pg_params_set(params, "target_session_attrs", words[i].libpq);
            return;
        }
    }
    sl_pg_params_set(params, "target_session_attrs", value); /* libpq names the allowed words */
}

/* The properties whose value changes on the way. */
static bool set_translated(struct sl_pg_params *params, const char *name, const char *value)
{
    char text[32];

    if (strcasecmp(name, "ssl") == 0) {
        /* pgjdbc: ssl=true is verify-full, unless sslmode says otherwise */
        if (is_true(value) && !sl_pg_params_get(params, "sslmode"))
            sl_pg_params_set(params, "sslmode", "verify-full");
    } else if (strcasecmp(name, "currentSchema") == 0) {
        add_setting(params, "search_path", value);
    } else if (strcasecmp(name, "tcpKeepAlive") == 0) {
        sl_pg_params_set(params, "keepalives", is_true(value) ? "1" : "0");
    } else if (strcasecmp(name, "socketTimeout") == 0) {
        long seconds = strtol(value, NULL, 10);

        if (seconds > 0 && seconds < 1000000) {
            (void)snprintf(text, sizeof(text), "%ld", seconds * 1000);
            sl_pg_params_set(params, "tcp_user_timeout", text);
        }
    } else if (strcasecmp(name, "targetServerType") == 0) {
        set_target(params, value);
    } else if (strcasecmp(name, "options") == 0) {
        const char *before = sl_pg_params_get(params, "options");
        char *joined = before ? sl_format("%s %s", before, value) : sl_strdup(value);

        sl_pg_params_set(params, "options", joined);
        sl_free(joined);
    } else {
        return false;
    }
    return true;
}

void sl_pg_params_property(struct sl_pg_params *params, const char *name, const char *value)
{
    if (set_translated(params, name, value))
        return;
    for (size_t i = 0; i < sizeof(same_value) / sizeof(*same_value); i++) {
        if (strcasecmp(same_value[i].property, name) == 0) {
            if (same_value[i].keyword)
                sl_pg_params_set(params, same_value[i].keyword, value);
            return;
        }
    }
    if (params->ignored.len)
        sl_buf_text(&params->ignored, ", ");
    sl_buf_text(&params->ignored, name);
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)tolower((unsigned char)c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Undo percent-encoding of a part of a URL; '+' is a blank in the query only. NULL when it is malformed. */
static char *decode(const char *from, size_t len, bool query)
{
    char *text = sl_alloc(len + 1);
    size_t n = 0;

    for (size_t i = 0; i < len; i++) {
        if (from[i] == '%') {
            int high = i + 2 < len ? hex_digit(from[i + 1]) : -1;
            int low = i + 2 < len ? hex_digit(from[i + 2]) : -1;

            if (high < 0 || low < 0 || (high == 0 && low == 0)) {
                sl_free(text);
                return NULL;
            }
            text[n++] = (char)(high * 16 + low);
            i += 2;
        } else {
            text[n++] = query && from[i] == '+' ? ' ' : from[i];
        }
    }
    text[n] = '\0';
    return text;
}

static enum sl_rc bad_url(struct sl_error *err, const char *what)
{
    return sl_error_set(err, SL_E_CONFIG,
                        "connection.url: %s. HINT: write jdbc:postgresql://host:port/database?option=value",
                        what);
}

static bool port_is_fine(const char *port, size_t len)
{
    unsigned long number = 0;

    for (size_t i = 0; i < len; i++) {
        if (!isdigit((unsigned char)port[i]) || number > 65535)
            return false;
        number = number * 10 + (unsigned long)(port[i] - '0');
    }
    return len > 0 && number > 0 && number <= 65535;
}

/* One "host", "host:port", "[v6]" or "[v6]:port" of the list. */
static enum sl_rc add_host(struct sl_buf *hosts, struct sl_buf *ports, const char *part, size_t len,
                           struct sl_error *err)
{
    const char *end = part + len;
    const char *host = part;
    const char *host_end;
    const char *after;

    if (len && *part == '[') {
        host++;
        host_end = memchr(part, ']', len);
        if (!host_end)
            return bad_url(err, "an IPv6 address lacks its ']'");
        after = host_end + 1;
    } else {
        host_end = memchr(part, ':', len);
        host_end = host_end ? host_end : end;
        after = host_end;
    }
    if (after < end && (*after != ':' || !port_is_fine(after + 1, (size_t)(end - after - 1))))
        return bad_url(err, "a port is not a number from 1 to 65535");
    if (ports->len || hosts->len) {
        sl_buf_u8(hosts, ',');
        sl_buf_u8(ports, ',');
    }
    if (host == host_end)
        sl_buf_text(hosts, "localhost");
    else
        sl_buf_put(hosts, host, (size_t)(host_end - host));
    if (after < end)
        sl_buf_put(ports, after + 1, (size_t)(end - after - 1));
    else
        sl_buf_text(ports, "5432");
    return SL_OK;
}

static enum sl_rc read_hosts(struct sl_pg_params *params, const char *text, size_t len, struct sl_error *err)
{
    struct sl_buf hosts = {0};
    struct sl_buf ports = {0};
    const char *end = text + len;
    enum sl_rc rc = SL_OK;

    for (const char *at = text; rc == SL_OK && at <= end;) {
        const char *comma = memchr(at, ',', (size_t)(end - at));
        const char *stop = comma ? comma : end;

        rc = add_host(&hosts, &ports, at, (size_t)(stop - at), err);
        at = stop + 1;
    }
    if (rc == SL_OK) {
        char *decoded = decode(sl_buf_cstr(&hosts), hosts.len, false);

        if (decoded) {
            sl_pg_params_set(params, "host", decoded);
            sl_pg_params_set(params, "port", sl_buf_cstr(&ports));
        } else {
            rc = bad_url(err, "a '%' in a host is not followed by two hex digits");
        }
        sl_free(decoded);
    }
    sl_buf_done(&hosts);
    sl_buf_done(&ports);
    return rc;
}

static enum sl_rc read_query(struct sl_pg_params *params, const char *query, struct sl_error *err)
{
    while (*query) {
        size_t len = strcspn(query, "&");
        const char *equals = memchr(query, '=', len);
        size_t name_len = equals ? (size_t)(equals - query) : len;
        char *name = decode(query, name_len, true);
        char *value = equals ? decode(equals + 1, len - name_len - 1, true) : sl_strdup("");

        if (name && value && *name)
            sl_pg_params_property(params, name, value);
        if (!name || !value) {
            sl_free(name);
            sl_free(value);
            return bad_url(err, "a '%' in the options is not followed by two hex digits");
        }
        sl_free(name);
        sl_free(value);
        query += len;
        query += *query == '&';
    }
    return SL_OK;
}

enum sl_rc sl_pg_params_url(struct sl_pg_params *params, const char *url, struct sl_error *err)
{
    static const char scheme[] = "jdbc:postgresql:";
    const char *at = url + sizeof(scheme) - 1;
    size_t len;
    char *database;

    if (strncasecmp(url, scheme, sizeof(scheme) - 1) != 0)
        return bad_url(err, "it does not begin with jdbc:postgresql:");
    if (strncmp(at, "//", 2) == 0) {
        at += 2;
        len = strcspn(at, "/?");
        enum sl_rc rc = read_hosts(params, at, len, err);

        if (rc != SL_OK)
            return rc;
        at += len;
        at += *at == '/';
    } else {
        at += *at == '/';
        sl_pg_params_set(params, "host", "localhost");
        sl_pg_params_set(params, "port", "5432");
    }
    len = strcspn(at, "?");
    database = decode(at, len, false);
    if (!database)
        return bad_url(err, "a '%' in the database name is not followed by two hex digits");
    if (*database)
        sl_pg_params_set(params, "dbname", database);
    sl_free(database);
    at += len;
    return *at == '?' ? read_query(params, at + 1, err) : SL_OK;
}
