/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/config/reach.h"

#include "base/buf.h"
#include "base/props.h"
#include "engine/config/worker_config.h"
#include "engine/secrets/path.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

/* ---- addresses ---- */

/* An IPv4 address is kept as IPv6 has it: ::ffff:a.b.c.d. */
struct address {
    uint8_t bytes[16];
};

static void map_v4(const struct in_addr *v4, struct address *ret)
{
    static const uint8_t mapped[12] = {[10] = 0xFF, [11] = 0xFF};

    memcpy(ret->bytes, mapped, 12);
    memcpy(ret->bytes + 12, v4, 4);
}

/* Also the odd forms that connect() understands: 0xA9FEA9FE, 2852039166, 169.254.43518, fe80::1%eth0. */
static bool read_address(const char *text, struct address *ret)
{
    char plain[64];
    struct in_addr v4;

    if (snprintf(plain, sizeof(plain), "%.*s", (int)strcspn(text, "%"), text) >= (int)sizeof(plain))
        return false;
    if (inet_pton(AF_INET6, plain, ret->bytes) == 1)
        return true;
    if (!inet_aton(plain, &v4))
        return false;
    map_v4(&v4, ret);
    return true;
}

static bool same_bits(const struct address *a, const struct address *b, unsigned bits)
{
    unsigned whole = bits / 8;
    unsigned rest = bits % 8;

    if (memcmp(a->bytes, b->bytes, whole) != 0)
        return false;
    return !rest || (a->bytes[whole] ^ b->bytes[whole]) >> (8 - rest) == 0;
}

/* "10.0.0.0/8", "fd00::/8", or one address. */
static bool in_network(const char *network, const struct address *address)
{
    const char *slash = strchr(network, '/');
    struct address base;
    unsigned bits = 128;
    char text[64];

    (void)snprintf(text, sizeof(text), "%.*s", (int)(slash ? (size_t)(slash - network) : strlen(network)),
                   network);
    if (!read_address(text, &base))
        return false;
    if (slash) {
        char *end;
        unsigned long given = strtoul(slash + 1, &end, 10);

        if (end == slash + 1 || *end)
            return false;
        if (!strchr(text, ':'))
            given += 96;
        bits = given < 128 ? (unsigned)given : 128;
    }
    return same_bits(&base, address, bits);
}

static bool name_matches(const char *pattern, const char *name)
{
    size_t end_len = strlen(pattern);
    size_t len = strlen(name);

    if (strcmp(pattern, "*") == 0)
        return true;
    if (strncmp(pattern, "*.", 2) == 0)
        return len >= end_len && strcasecmp(name + len - (end_len - 1), pattern + 1) == 0;
    return strcasecmp(pattern, name) == 0;
}

static bool is_listed(const char *list, const char *host)
{
    struct address address;
    bool numeric = read_address(host, &address);
    char item[300];

    while (sl_list_next(&list, item, sizeof(item))) {
        if (*item &&
            (numeric ? strcmp(item, "*") == 0 || in_network(item, &address) : name_matches(item, host)))
            return true;
    }
    return false;
}

bool sl_reach_host(const char *allowed, const char *host)
{
    static const char *const out_of_bounds =
        "169.254.0.0/16, fe80::/10, fd00:ec2::/32, metadata.google.internal, metadata.google.internal.";

    if (allowed && *allowed)
        return is_listed(allowed, host);
    return *host != '/' && *host != '@' && !is_listed(out_of_bounds, host);
}

/* ---- what a setting names ---- */

static bool ends_with_any(const char *key, const char *const *ends)
{
    size_t len = strlen(key);

    for (; *ends; ends++) {
        size_t end_len = strlen(*ends);

        if (len >= end_len && strcasecmp(key + len - end_len, *ends) == 0)
            return true;
    }
    return false;
}

/* pgjdbc's names without case, as net/pg takes them; those of Java's Kafka clients and of librdkafka. */
static const char *const file_keys[] = {
    ".location", "store.path",   "ssl.keystore", "ssl.truststore", ".keycertchain", ".privatekey", ".sslcert",
    ".sslkey",   ".sslrootcert", "odbc.driver",  ".filename",      "library.paths", ".keytab",     NULL};

static const char *const host_keys[] = {"connection.url",      "database.hostname", "cluster.ip.addresses",
                                        "schema.registry.url", "bootstrap.servers", "proxy.host",
                                        "connection.pghost",   ".endpoint.url",     NULL};

struct reach {
    const char *files, *hosts; /* the worker's lists; hosts NULL: the default */
    struct sl_complaints *complaints;
};

/* ---- files ---- */

static bool is_file_allowed(const char *files, const char *path)
{
    char *real = realpath(path, NULL);
    bool allowed = sl_path_is_allowed(files, real ? real : path) && (real || !strstr(path, ".."));

    free(real); /* the C library's */
    return allowed;
}

/* Whether there is such a file is told only of places that may be read. */
static void check_file(const struct reach *reach, const char *key, const char *path)
{
    struct stat facts;

    if (!*path || strncmp(path, "-----BEGIN", 10) == 0)
        return;
    if (!strchr(path, '/') && ends_with_any(key, (const char *const[]){"odbc.driver", NULL}))
        return; /* the name of one that the administrator registered */
    if (!is_file_allowed(reach->files, path))
        sl_complain(reach->complaints, key,
                    "'%s' is outside the folders that a connector made by REST may name files in. HINT: the "
                    "worker's sluice.connector.files lists them (now: %s)",
                    path, reach->files);
    else if (stat(path, &facts) == 0 && !S_ISREG(facts.st_mode))
        sl_complain(reach->complaints, key, "'%s' is not a plain file", path);
}

/* ---- hosts ---- */

static int hex_digit(char c)
{
    return isdigit((unsigned char)c) ? c - '0' : isxdigit((unsigned char)c) ? (c | 0x20) - 'a' + 10 : -1;
}

/* Up to len bytes of text, with %XX undone. */
static char *decode(const char *text, size_t len)
{
    struct sl_buf out = {0};
    char *decoded;

    for (size_t i = 0; i < len; i++) {
        int high = text[i] == '%' && i + 2 < len ? hex_digit(text[i + 1]) : -1;
        int low = high >= 0 ? hex_digit(text[i + 2]) : -1;

        sl_buf_u8(&out, low >= 0 ? (uint8_t)(high * 16 + low) : (uint8_t)text[i]);
        i += low >= 0 ? 2 : 0;
    }
    decoded = sl_strdup(sl_buf_cstr(&out));
    sl_buf_done(&out);
    return decoded;
}

/* "user@host:1433", "[::1]:5432", "tcp:host\instance": the host alone, in place. */
static const char *bare_host(char *text)
{
    char *at = strrchr(text, '@');
    char *colon;

    if (at && at != text)
        text = at + 1;
    if (strncasecmp(text, "tcp:", 4) == 0)
        text += 4;
    if (*text == '[') {
        text++;
        text[strcspn(text, "]")] = '\0';
        return text;
    }
    if (*text != '/')
        text[strcspn(text, "\\")] = '\0';
    colon = strchr(text, ':');
    if (colon && !strchr(colon + 1, ':'))
        *colon = '\0';
    return text;
}

static void check_host(const struct reach *reach, const char *key, char *text)
{
    const char *host = bare_host(text);

    if (!*host)
        host = "localhost";
    if (sl_reach_host(reach->hosts, host))
        return;
    if (reach->hosts && *reach->hosts)
        sl_complain(reach->complaints, key,
                    "'%s' is none of the hosts that a connector made by REST may name. HINT: the worker's "
                    "sluice.connector.hosts lists them",
                    host);
    else
        sl_complain(reach->complaints, key,
                    "'%s' is a link-local address or a socket, which a connector made by REST may not name. "
                    "HINT: the worker's sluice.connector.hosts lists the hosts that it may",
                    host);
}

/* A list of hosts, with ports or without. */
static void check_hosts(const struct reach *reach, const char *key, const char *list, size_t len)
{
    char *decoded = decode(list, len);
    char *rest = decoded;
    char *item;

    while ((item = strsep(&rest, ","))) {
        item += strspn(item, " \t");
        item[strcspn(item, " \t")] = '\0';
        check_host(reach, key, item);
    }
    sl_free(decoded);
}

/* The parameters of a JDBC URL mean what connection.<parameter> means. */
static void check_one(const struct reach *reach, const char *key, const char *value);

static void check_parameters(const struct reach *reach, const char *query)
{
    for (; *query; query += strspn(query, "&")) {
        size_t len = strcspn(query, "&");
        const char *equals = memchr(query, '=', len);

        if (equals) {
            char *name = decode(query, (size_t)(equals - query));
            char *value = decode(equals + 1, len - (size_t)(equals + 1 - query));
            char *key = sl_format("connection.%s", name);

            check_one(reach, key, value);
            sl_free(key);
            sl_free(value);
            sl_free(name);
        }
        query += len;
    }
}

static void check_jdbc(const struct reach *reach, const char *key, const char *url)
{
    const char *authority = strstr(url, "://");
    const char *query;

    if (authority) {
        authority += 3;
        check_hosts(reach, key, authority, strcspn(authority, "/?"));
    } else {
        check_hosts(reach, key, "localhost", strlen("localhost"));
    }
    query = strchr(url, '?');
    if (query)
        check_parameters(reach, query + 1);
}

static void check_urls(const struct reach *reach, const char *key, const char *list)
{
    char item[1024];

    while (sl_list_next(&list, item, sizeof(item))) {
        const char *scheme = strstr(item, "://");
        const char *authority = scheme ? scheme + 3 : item;

        check_hosts(reach, key, authority, strcspn(authority, "/?#"));
    }
}

static void check_one(const struct reach *reach, const char *key, const char *value)
{
    if (ends_with_any(key, file_keys))
        check_file(reach, key, value);
    else if (ends_with_any(key, host_keys)) {
        if (strncasecmp(value, "jdbc:", 5) == 0)
            check_jdbc(reach, key, value);
        else if (strstr(value, "://"))
            check_urls(reach, key, value);
        else
            check_hosts(reach, key, value, strlen(value));
    }
}

void sl_reach_check(const struct sl_props *props, const struct sl_props *worker,
                    struct sl_complaints *complaints)
{
    struct reach reach = {.files = sl_option_text(sl_worker_options, worker, NULL, "sluice.connector.files"),
                          .hosts = sl_option_text(sl_worker_options, worker, NULL, "sluice.connector.hosts"),
                          .complaints = complaints};

    for (size_t i = 0; i < sl_props_count(props); i++) {
        const char *key;
        const char *value;

        sl_props_at(props, i, &key, &value);
        if (strncmp(key, "transforms.", 11) != 0 && strncmp(key, "predicates.", 11) != 0)
            check_one(&reach, key, value);
    }
}
