/* SPDX-License-Identifier: Apache-2.0 */
/* The orders of the control socket, taken apart and carried out. */
#include "service_internal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

const char sy_service_help[] =
    "Orders of the control socket, each answered by \"ok\", \"ok TEXT\" or \"error TEXT\" (NODE: 0, 1 ... or "
    "all):\n"
    "  node NODE down|up [quiet]      refuse and drop connections, and tell the clients of other nodes;\n"
    "                                 quiet: tell nobody\n"
    "  node NODE pause|resume         connections stay, nothing is read or answered\n"
    "  delay MS [MAX_MS] [node NODE]  wait before each answer, a random time between the two, so that "
    "answers\n"
    "                                 overtake each other; 0: no more\n"
    "  cut after N                    the next N bytes to clients pass, then that connection is cut, once\n"
    "  cut each after N               every connection is cut after N more bytes of its own;  cut off: no "
    "more\n"
    "  fail KIND [next N] [every N] [node NODE] [text TEXT]\n"
    "                                 the next N (without: all) requests that fit fail; every N: each n-th "
    "of\n"
    "                                 them; text: statements with TEXT in them (to the end of the line)\n"
    "      KIND: overload unavailable read-timeout write-timeout (the write is done) read-failure "
    "write-failure\n"
    "            rate-limit bootstrapping server-error unprepared ignore (no answer) drop (the connection\n"
    "            ends) garbage (an answer that is no frame)\n"
    "  fail off                       no request fails any more\n"
    "  forget NODE                    prepared statements are forgotten\n"
    "  kill NODE                      drop connections\n"
    "  event up|down|new|removed NODE tell clients so, true or not\n"
    "  stats [reset]                  requests by opcode and statement, as JSON\n"
    "  nodes                          addresses, ports, states, connections, as JSON\n"
    "  now                            the server's clock, microseconds since 1970\n"
    "  advance MS                     move it (with --manual-clock)\n"
    "  restart                        drop all clients, close the server, open it again, listen\n";

#define MAX_WORDS 12

struct order {
    struct sy_service *service;
    const char *line;
    char copy[1024];
    const char *words[MAX_WORDS];
    size_t at[MAX_WORDS]; /* where each begins in the line */
    size_t n;
    size_t next; /* the first word that was not looked at yet */
    char *text;  /* the answer */
    size_t size;
};

static void split(struct order *order)
{
    snprintf(order->copy, sizeof(order->copy), "%s", order->line);
    char *at = order->copy;
    while (order->n < MAX_WORDS) {
        at += strspn(at, " \t\r");
        if (*at == '\0')
            return;
        order->at[order->n] = (size_t)(at - order->copy);
        order->words[order->n++] = at;
        at += strcspn(at, " \t\r");
        if (*at != '\0')
            *at++ = '\0';
    }
}

static bool done(const struct order *order)
{
    return order->next == order->n;
}

/* Step over the next word if it is this one. */
static bool take(struct order *order, const char *word)
{
    if (done(order) || strcmp(order->words[order->next], word) != 0)
        return false;
    order->next++;
    return true;
}

static bool take_number(struct order *order, uint64_t max, uint64_t *ret_number)
{
    if (done(order))
        return false;
    const char *word = order->words[order->next];
    char *end;
    errno = 0;
    unsigned long long number = strtoull(word, &end, 10);
    if (word[0] < '0' || word[0] > '9' || *end != '\0' || errno != 0 || number > max)
        return false;
    order->next++;
    *ret_number = number;
    return true;
}

static bool take_node(struct order *order, uint32_t *ret_node)
{
    uint64_t node;
    if (take(order, "all")) {
        *ret_node = SY_FAULT_ALL_NODES;
        return true;
    }
    if (!take_number(order, order->service->wire.n_nodes - 1, &node))
        return false;
    *ret_node = (uint32_t)node;
    return true;
}

static bool explain(struct order *order, const char *why)
{
    snprintf(order->text, order->size, "%s", why);
    return false;
}

static bool misread(struct order *order)
{
    snprintf(order->text, order->size,
             "cannot understand '%.200s'. HINT: sluice-sim-scylla --help lists the orders", order->line);
    return false;
}

static void announce_nodes(struct order *order, uint32_t node, unsigned event, const char *change)
{
    for (uint32_t i = 0; i < order->service->wire.n_nodes; i++) {
        if (node == i || node == SY_FAULT_ALL_NODES)
            sy_service_announce(order->service, event, change, i);
    }
}

static bool run_node(struct order *order)
{
    uint32_t node;
    if (!take_node(order, &node))
        return misread(order);
    bool down = take(order, "down");
    bool up = !down && take(order, "up");
    bool pause = !down && !up && take(order, "pause");
    bool resume = !down && !up && !pause && take(order, "resume");
    bool quiet = take(order, "quiet");
    if (!done(order) || !(down || up || pause || resume))
        return misread(order);
    enum sy_node_state state = down ? SY_NODE_DOWN : pause ? SY_NODE_PAUSED : SY_NODE_UP;
    bool ok = sy_listener_set_state(&order->service->listener, node, state);
    if (!quiet && (down || up))
        announce_nodes(order, node, SY_EVENT_STATUS, down ? "DOWN" : "UP");
    return ok || explain(order, "cannot listen again: the port was taken meanwhile");
}

static bool run_delay(struct order *order)
{
    uint64_t min;
    uint64_t max;
    uint32_t node = SY_FAULT_ALL_NODES;
    if (!take_number(order, 3600000, &min))
        return misread(order);
    if (!take_number(order, 3600000, &max))
        max = min;
    if ((take(order, "node") && !take_node(order, &node)) || !done(order) || max < min)
        return misread(order);
    struct sy_wire *wire = &order->service->wire;
    for (uint32_t i = 0; i < wire->n_nodes; i++) {
        if (node == i || node == SY_FAULT_ALL_NODES) {
            atomic_store(&wire->nodes[i].delay_min_ms, (unsigned)min);
            atomic_store(&wire->nodes[i].delay_max_ms, (unsigned)max);
        }
    }
    return true;
}

static bool run_cut(struct order *order)
{
    uint64_t bytes = 0;
    enum sy_cut cut = SY_CUT_OFF;
    if (!take(order, "off")) {
        cut = take(order, "each") ? SY_CUT_EACH : SY_CUT_ONCE;
        if (!take(order, "after") || !take_number(order, INT64_MAX, &bytes))
            return misread(order);
    }
    if (!done(order))
        return misread(order);
    sy_faults_set_cut(&order->service->wire.faults, cut, bytes);
    return true;
}

static bool read_rule(struct order *order, struct sy_fault_rule *rule)
{
    while (!done(order)) {
        if (take(order, "next")) {
            if (!take_number(order, INT64_MAX, &rule->left) || rule->left == 0)
                return false;
        } else if (take(order, "every")) {
            if (!take_number(order, INT64_MAX, &rule->every) || rule->every == 0)
                return false;
        } else if (take(order, "node")) {
            if (!take_node(order, &rule->node))
                return false;
        } else if (take(order, "text") && !done(order)) {
            const char *text = order->line + order->at[order->next];
            if (strlen(text) >= sizeof(rule->text))
                return false;
            snprintf(rule->text, sizeof(rule->text), "%s", text);
            return true;
        } else {
            return false;
        }
    }
    return true;
}

static bool run_fail(struct order *order)
{
    struct sy_faults *faults = &order->service->wire.faults;
    if (take(order, "off") && done(order)) {
        sy_faults_clear(faults);
        return true;
    }
    struct sy_fault_rule rule = {.left = UINT64_MAX, .every = 1, .node = SY_FAULT_ALL_NODES};
    rule.failure = done(order) ? SY_FAIL_NONE : sy_faults_word(order->words[order->next++]);
    if (rule.failure == SY_FAIL_NONE || !read_rule(order, &rule))
        return misread(order);
    return sy_faults_add(faults, &rule) || explain(order, "too many such orders at once. HINT: fail off");
}

static bool run_forget(struct order *order)
{
    uint32_t node;
    if (!take_node(order, &node) || !done(order))
        return misread(order);
    sy_server_forget_prepared(order->service->wire.server, node);
    return true;
}

static bool run_kill(struct order *order)
{
    uint32_t node;
    if (!take_node(order, &node) || !done(order))
        return misread(order);
    snprintf(order->text, order->size, "%zu", sy_listener_kill(&order->service->listener, node));
    return true;
}

static bool run_event(struct order *order)
{
    static const struct {
        const char *word;
        unsigned event;
        const char *change;
    } events[] = {{"up", SY_EVENT_STATUS, "UP"},
                  {"down", SY_EVENT_STATUS, "DOWN"},
                  {"new", SY_EVENT_TOPOLOGY, "NEW_NODE"},
                  {"removed", SY_EVENT_TOPOLOGY, "REMOVED_NODE"}};
    for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
        uint32_t node;
        if (!take(order, events[i].word))
            continue;
        if (!take_node(order, &node) || !done(order))
            break;
        announce_nodes(order, node, events[i].event, events[i].change);
        return true;
    }
    return misread(order);
}

static bool run_stats(struct order *order)
{
    bool reset = take(order, "reset");
    if (!done(order))
        return misread(order);
    if (reset)
        sy_stats_reset(&order->service->wire.stats);
    else
        sy_stats_print(&order->service->wire.stats, order->text, order->size);
    return true;
}

static bool run_nodes(struct order *order)
{
    static const char *const states[] = {
        [SY_NODE_UP] = "up", [SY_NODE_DOWN] = "down", [SY_NODE_PAUSED] = "paused"};
    struct sy_service *service = order->service;
    size_t len = 0;
    if (!done(order))
        return misread(order);
    for (uint32_t i = 0; i < service->wire.n_nodes && len < order->size; i++) {
        const struct sy_node *node = &service->wire.nodes[i];
        len +=
            (size_t)snprintf(order->text + len, order->size - len,
                             "%s{\"address\": \"%s\", \"port\": %u, \"shard_port\": %u, \"state\": \"%s\", "
                             "\"connections\": %zu}",
                             i == 0 ? "[" : ", ", node->address, node->port, node->shard_port,
                             states[atomic_load(&node->state)], sy_listener_count(&service->listener, i));
    }
    if (len < order->size)
        snprintf(order->text + len, order->size - len, "]");
    return true;
}

static bool run_now(struct order *order)
{
    if (!done(order))
        return misread(order);
    snprintf(order->text, order->size, "%" PRId64, sy_server_now_us(order->service->wire.server));
    return true;
}

static bool run_advance(struct order *order)
{
    uint64_t ms;
    if (!take_number(order, INT64_MAX / 1000, &ms) || !done(order))
        return misread(order);
    sy_server_advance_us(order->service->wire.server, (int64_t)ms * 1000);
    return run_now(order);
}

bool sy_service_command(struct sy_service *service, const char *line, char *ret_text, size_t size)
{
    static const struct {
        const char *word;
        bool (*run)(struct order *order);
    } orders[] = {
        {"node", run_node},     {"delay", run_delay}, {"cut", run_cut},         {"fail", run_fail},
        {"forget", run_forget}, {"kill", run_kill},   {"event", run_event},     {"stats", run_stats},
        {"nodes", run_nodes},   {"now", run_now},     {"advance", run_advance},
    };
    struct order order = {.service = service, .line = line, .text = ret_text, .size = size};
    ret_text[0] = '\0';
    split(&order);
    /* "delay log ..." and "delay base ..." are the tables' */
    bool theirs = order.n > 1 && strcmp(order.words[0], "delay") == 0 &&
                  (order.words[1][0] < '0' || order.words[1][0] > '9');
    for (size_t i = 0; !theirs && i < sizeof(orders) / sizeof(orders[0]); i++) {
        if (take(&order, orders[i].word))
            return orders[i].run(&order);
    }
    return sy_server_command(service->wire.server, line, ret_text, size);
}
