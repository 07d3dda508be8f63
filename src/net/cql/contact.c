/* SPDX-License-Identifier: Apache-2.0 */
/* "host:port,host:port" into nodes to begin with. */
#include "net/cql/session.h"

#include <ctype.h>
#include <netdb.h>
#include <stdio.h>

enum { DEFAULT_PORT = 9042 };

static enum sl_rc resolve(struct sl_cql *cql, const char *host, const char *port, struct sl_error *err)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    struct addrinfo *found = NULL;
    int failure = getaddrinfo(host, port, &hints, &found);

    if (failure)
        return sl_error_set(err, failure == EAI_AGAIN ? SL_E_CONNECT : SL_E_CONFIG,
                            "contact point '%s': %s. HINT: check the host's name", host,
                            gai_strerror(failure));
    for (const struct addrinfo *info = found; info; info = info->ai_next) {
        struct sockaddr_storage address = {0};
        struct sl_cql_node *node;

        if (info->ai_family != AF_INET && info->ai_family != AF_INET6)
            continue;
        memcpy(&address, info->ai_addr, info->ai_addrlen);
        if (!(node = sl_cql_node_find(cql, &address)))
            node = sl_cql_node_add(cql, &address, host);
        node->is_contact = true;
        node->is_member = true;
    }
    freeaddrinfo(found);
    return SL_OK;
}

/* "host", "host:port", "[v6]", "[v6]:port", or a bare v6 address; cuts the text at the host's end. */
static enum sl_rc add_point(struct sl_cql *cql, char *text, struct sl_error *err)
{
    char number[16];
    char *host = text;
    char *colon = strrchr(text, ':');
    char *bracket = strrchr(text, ']');
    char *port = NULL;

    if (*text == '[' && bracket) {
        host++;
        *bracket = '\0';
        if (bracket[1] == ':')
            port = bracket + 2;
    } else if (colon && strchr(text, ':') == colon) {
        *colon = '\0';
        port = colon + 1;
    }
    if (!port) {
        (void)snprintf(number, sizeof(number), "%d", DEFAULT_PORT);
        port = number;
    }
    for (const char *c = port; !*port || *c; c++) {
        if (!isdigit((unsigned char)*c) || c - port > 4)
            return sl_error_set(err, SL_E_CONFIG,
                                "contact point '%s' has '%s' for a port. HINT: write host:port", host, port);
    }
    if (!*host)
        return sl_error_set(err, SL_E_CONFIG,
                            "a contact point without a host. HINT: write host:port,host:port");
    return resolve(cql, host, port, err);
}

enum sl_rc sl_cql_nodes_of_contact_points(struct sl_cql *cql, struct sl_error *err)
{
    char *copy = sl_strdup(cql->config.contact_points);
    enum sl_rc last = SL_OK;
    char *rest = copy;
    char *point;

    /* One name that is not known spoils nothing while another is. */
    while ((point = strsep(&rest, ", \t"))) {
        enum sl_rc rc = *point ? add_point(cql, point, err) : SL_OK;

        last = rc == SL_OK ? last : rc;
    }
    sl_free(copy);
    if (cql->nodes)
        return SL_OK;
    return last != SL_OK ? last
                         : sl_error_set(err, SL_E_CONFIG, "no contact point is given. HINT: host:port,...");
}
