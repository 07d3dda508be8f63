/* SPDX-License-Identifier: Apache-2.0 */
#include "net/cql/session.h"

#include "net/cql/tls.h"

#include <errno.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { EVENTS_AT_ONCE = 64 };

void sl_cql_want_clock(struct sl_cql *cql, int64_t at_us)
{
    if (at_us < cql->next_due_us)
        cql->next_due_us = at_us;
}

void sl_cql_tell(struct sl_cql *cql, const struct sl_cql_event *event)
{
    if (cql->config.on_event)
        cql->config.on_event(cql->config.event_ctx, event);
}

/* ------------------------------------------------------------------ begin and end ------------------------
 */

static void set_default(int *value, int otherwise)
{
    if (*value <= 0)
        *value = otherwise;
}

static char *copy(const char *text)
{
    return text ? sl_strdup(text) : NULL;
}

static void take_config(struct sl_cql *cql, const struct sl_cql_config *given)
{
    enum { STREAMS_MAX = 32768, FRAME_BYTES_MAX = 256 * 1024 * 1024 };
    struct sl_cql_config *config = &cql->config;

    *config = *given;
    config->contact_points = sl_strdup(given->contact_points ? given->contact_points : "");
    config->local_dc = copy(given->local_dc);
    config->user = copy(given->user);
    config->password = given->user ? sl_strdup(given->password ? given->password : "") : NULL;
    config->application = sl_strdup(given->application ? given->application : "sluice");
    memset(&config->tls, 0, sizeof(config->tls)); /* only what is needed after the context was made */
    config->tls.enabled = given->tls.enabled;
    config->tls.verify_host = given->tls.verify_host;
    set_default(&config->connections_per_host, 1);
    set_default(&config->requests_per_connection, 256);
    if (config->requests_per_connection > STREAMS_MAX)
        config->requests_per_connection = STREAMS_MAX;
    set_default(&config->requests_per_session, 1024);
    set_default(&config->connect_timeout_ms, 5000);
    set_default(&config->try_timeout_ms, 12000);
    set_default(&config->request_timeout_ms, 60000);
    set_default(&config->tries, 8);
    set_default(&config->backoff_base_ms, 50);
    set_default(&config->backoff_max_ms, 30000);
    set_default(&config->heartbeat_ms, 30000);
    if (!config->frame_bytes_max || config->frame_bytes_max > FRAME_BYTES_MAX)
        config->frame_bytes_max = FRAME_BYTES_MAX;
}

static void free_text(const char *text)
{
    union {
        const char *given;
        char *own;
    } t = {.given = text};

    sl_free(t.own);
}

static void free_config(struct sl_cql_config *config)
{
    if (config->password)
        explicit_bzero((void *)(uintptr_t)config->password, strlen(config->password));
    free_text(config->contact_points);
    free_text(config->local_dc);
    free_text(config->user);
    free_text(config->password);
    free_text(config->application);
}

enum sl_rc sl_cql_new(const struct sl_cql_config *config, struct sl_cql **ret, struct sl_error *err)
{
    struct epoll_event event = {.events = EPOLLIN};
    SSL_CTX *tls = NULL;
    struct sl_cql *cql;

    if (config->tls.enabled) {
        enum sl_rc rc = sl_cql_tls_new(&config->tls, &tls, err);

        if (rc != SL_OK)
            return rc;
    }
    cql = sl_zalloc(1, sizeof(*cql));
    take_config(cql, config);
    cql->tls = tls;
    TAILQ_INIT(&cql->conns);
    TAILQ_INIT(&cql->dead);
    TAILQ_INIT(&cql->waiting);
    TAILQ_INIT(&cql->sent);
    TAILQ_INIT(&cql->ready);
    cql->refresh_backoff = (struct sl_backoff){(int64_t)cql->config.backoff_base_ms * 1000,
                                               (int64_t)cql->config.backoff_max_ms * 1000, 0};
    cql->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    cql->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    SL_ASSERT(cql->epoll_fd >= 0 && cql->wake_fd >= 0);
    (void)epoll_ctl(cql->epoll_fd, EPOLL_CTL_ADD, cql->wake_fd, &event);
    *ret = cql;
    return SL_OK;
}

static void bury(struct sl_cql *cql)
{
    struct sl_cql_conn *conn;

    while ((conn = TAILQ_FIRST(&cql->dead))) {
        TAILQ_REMOVE(&cql->dead, conn, link);
        sl_cql_conn_free(conn);
    }
}

static void free_calls(struct sl_cql_calls *calls)
{
    struct sl_cql_call *call;

    while ((call = TAILQ_FIRST(calls))) {
        TAILQ_REMOVE(calls, call, link);
        sl_cql_call_free(call);
    }
}

void sl_cql_free(struct sl_cql *cql)
{
    struct sl_cql_reply *reply;
    struct sl_cql_conn *conn;

    if (!cql)
        return;
    while ((conn = TAILQ_FIRST(&cql->conns))) {
        TAILQ_REMOVE(&cql->conns, conn, link);
        sl_cql_socket_close(&conn->socket);
        sl_cql_conn_free(conn);
    }
    bury(cql);
    free_calls(&cql->sent);
    free_calls(&cql->waiting);
    while ((reply = TAILQ_FIRST(&cql->ready))) {
        TAILQ_REMOVE(&cql->ready, reply, link);
        sl_cql_reply_free(reply);
    }
    while (cql->statements)
        sl_cql_statement_unref(cql->statements);
    sl_cql_topology_done(cql);
    sl_cql_nodes_free(cql);
    sl_cql_columns_cache_done(&cql->columns);
    SSL_CTX_free(cql->tls);
    sl_free(cql->local_dc);
    free_config(&cql->config);
    close(cql->epoll_fd);
    close(cql->wake_fd);
    sl_free(cql);
}

void sl_cql_wake(struct sl_cql *cql)
{
    const uint64_t one = 1;

    (void)!write(cql->wake_fd, &one, sizeof(one));
}

void sl_cql_cancel(struct sl_cql *cql)
{
    atomic_store(&cql->cancelled, true);
    sl_cql_wake(cql);
}

/* ------------------------------------------------------------------ the loop -----------------------------
 */

static void check_clocks(struct sl_cql *cql, int64_t now_us)
{
    struct sl_cql_conn *next;

    if (now_us < cql->next_due_us)
        return;
    cql->next_due_us = INT64_MAX;
    for (struct sl_cql_conn *conn = TAILQ_FIRST(&cql->conns); conn; conn = next) {
        next = TAILQ_NEXT(conn, link);
        sl_cql_conn_check_clock(conn, now_us);
        if (conn->phase == SL_CQL_CLOSED)
            next = TAILQ_FIRST(&cql->conns);
    }
    sl_cql_calls_check_clock(cql, now_us);
    for (struct sl_cql_node *node = cql->nodes; node; node = node->next) {
        if (node->busy_until_us > now_us)
            sl_cql_want_clock(cql, node->busy_until_us);
    }
    if (cql->refresh_after_us <= now_us)
        sl_cql_topology_start(cql);
    else
        sl_cql_want_clock(cql, cql->refresh_after_us);
    sl_cql_nodes_tend(cql, now_us);
}

static void flush(struct sl_cql *cql)
{
    struct sl_cql_conn *next;

    for (struct sl_cql_conn *conn = TAILQ_FIRST(&cql->conns); conn; conn = next) {
        next = TAILQ_NEXT(conn, link);
        if (conn->out_at < conn->out.len)
            sl_cql_conn_flush(conn);
        if (conn->phase == SL_CQL_CLOSED)
            next = TAILQ_FIRST(&cql->conns);
    }
}

static int timeout_ms(const struct sl_cql *cql, int64_t deadline_us)
{
    int64_t until_us = deadline_us < cql->next_due_us ? deadline_us : cql->next_due_us;
    int64_t left_us;

    if (deadline_us <= 0)
        return 0;
    left_us = until_us - sl_now_us();
    if (left_us <= 0)
        return 0;
    return left_us > 1000000 ? 1000 : (int)((left_us + 999) / 1000);
}

/* One round: clocks, out, wait, in. True when somebody called wake. */
static bool step(struct sl_cql *cql, int64_t deadline_us)
{
    struct epoll_event events[EVENTS_AT_ONCE];
    bool is_woken = false;
    int n;

    check_clocks(cql, sl_now_us());
    flush(cql);
    n = epoll_wait(cql->epoll_fd, events, EVENTS_AT_ONCE, timeout_ms(cql, deadline_us));
    for (int i = 0; i < n; i++) {
        uint64_t count;

        if (events[i].data.ptr) {
            sl_cql_conn_event(events[i].data.ptr, events[i].events);
        } else {
            (void)!read(cql->wake_fd, &count, sizeof(count));
            is_woken = true;
        }
    }
    bury(cql);
    check_clocks(cql, sl_now_us());
    sl_cql_calls_dispatch(cql, sl_now_us());
    flush(cql);
    bury(cql);
    return is_woken;
}

static struct sl_cql_answer *take_ready(struct sl_cql *cql)
{
    struct sl_cql_reply *reply = TAILQ_FIRST(&cql->ready);

    if (!reply)
        return NULL;
    TAILQ_REMOVE(&cql->ready, reply, link);
    cql->n_calls--;
    return &reply->answer;
}

struct sl_cql_answer *sl_cql_poll(struct sl_cql *cql, int64_t deadline_us)
{
    struct sl_cql_answer *answer = take_ready(cql);
    bool is_woken = false;

    while (!answer && !is_woken) {
        is_woken = step(cql, deadline_us);
        answer = take_ready(cql);
        if (!answer && sl_now_us() >= deadline_us)
            break;
    }
    if (answer && is_woken)
        sl_cql_wake(cql); /* the promise is for a poll that returns NULL */
    return answer;
}

/* ------------------------------------------------------------------ connecting ---------------------------
 */

static bool is_final(const struct sl_error *err)
{
    return err->rc != SL_OK && err->kind == SL_KIND_CONFIG;
}

/* Every node tried so far failed for a reason that trying again does not mend. */
static bool is_hopeless(const struct sl_cql *cql, struct sl_error *err)
{
    const struct sl_cql_node *node = cql->nodes;

    if (is_final(&cql->refresh_error)) {
        *err = cql->refresh_error;
        return true;
    }
    while (node && is_final(&node->last_error) && !node->n_opening && !node->n_ready)
        node = node->next;
    if (node)
        return false;
    *err = cql->nodes->last_error;
    return true;
}

static enum sl_rc nobody_answers(const struct sl_cql *cql, struct sl_error *err)
{
    struct sl_buf text = {0};
    enum sl_rc rc;

    for (const struct sl_cql_node *node = cql->nodes; node; node = node->next)
        sl_buf_format(&text, "%s%s", text.len ? "; " : "",
                      node->last_error.rc != SL_OK ? node->last_error.text : node->address);
    if (cql->refresh_error.rc != SL_OK)
        sl_buf_format(&text, "; %s", cql->refresh_error.text);
    rc = sl_error_set(err, SL_E_CONNECT,
                      "no contact point can be used: %.330s. HINT: check address, port, firewall and TLS",
                      sl_buf_cstr(&text));
    sl_buf_done(&text);
    return rc;
}

enum sl_rc sl_cql_connect(struct sl_cql *cql, int64_t deadline_us, struct sl_error *err)
{
    if (!cql->nodes) {
        enum sl_rc rc = sl_cql_nodes_of_contact_points(cql, err);

        if (rc != SL_OK)
            return rc;
    }
    sl_cql_want_clock(cql, 0);
    while (!cql->is_ready) {
        if (atomic_load(&cql->cancelled))
            return sl_error_set(err, SL_E_STOPPED, "asked to stop while connecting");
        if (is_hopeless(cql, err))
            return err->rc;
        if (sl_now_us() >= deadline_us)
            return nobody_answers(cql, err);
        (void)step(cql, deadline_us);
    }
    return SL_OK;
}

/* ------------------------------------------------------------------ blocking -----------------------------
 */

struct waiter {
    struct sl_cql_reply *reply;
};

static void keep_reply(struct sl_cql *cql, struct sl_cql_call *call, struct sl_cql_reply *reply)
{
    struct waiter *waiter = call->ctx;

    (void)cql;
    if (waiter)
        waiter->reply = reply;
    else
        sl_cql_reply_free(reply); /* who asked went away */
}

static void forget_waiter(struct sl_cql_calls *calls, const struct waiter *waiter)
{
    struct sl_cql_call *call;

    TAILQ_FOREACH(call, calls, link)
    {
        if (call->done == keep_reply && call->ctx == waiter)
            call->ctx = NULL;
    }
}

static enum sl_rc wait_for(struct sl_cql *cql, struct sl_cql_call *call, struct sl_cql_reply **ret,
                           struct sl_error *err)
{
    struct waiter waiter = {NULL};
    enum sl_rc rc;
    bool is_woken = false;

    call->done = keep_reply;
    call->ctx = &waiter;
    sl_cql_call_start(cql, call);
    while (!waiter.reply && !atomic_load(&cql->cancelled))
        is_woken |= step(cql, INT64_MAX);
    if (is_woken)
        sl_cql_wake(cql); /* it was meant for a poll */
    if (!waiter.reply) {
        forget_waiter(&cql->sent, &waiter);
        forget_waiter(&cql->waiting, &waiter);
        return sl_error_set(err, SL_E_STOPPED, "asked to stop while waiting for an answer");
    }
    rc = waiter.reply->answer.rc;
    if (rc != SL_OK) {
        if (err)
            *err = waiter.reply->answer.err;
        sl_cql_reply_free(waiter.reply);
        return rc;
    }
    *ret = waiter.reply;
    return SL_OK;
}

enum sl_rc sl_cql_ask(struct sl_cql *cql, uint8_t opcode, struct sl_buf *body, int64_t deadline_us,
                      struct sl_cql_reply **ret, struct sl_error *err)
{
    struct sl_cql_call *call = sl_cql_call_new(cql, opcode, 0);

    call->body = *body;
    *body = (struct sl_buf){0};
    if (deadline_us < call->deadline_us)
        call->deadline_us = deadline_us;
    return wait_for(cql, call, ret, err);
}

enum sl_rc sl_cql_query(struct sl_cql *cql, const struct sl_cql_request *request,
                        struct sl_cql_answer **ret_answer, struct sl_error *err)
{
    struct sl_cql_call *call = sl_cql_call_of_request(cql, request);
    struct sl_cql_reply *reply;
    enum sl_rc rc = wait_for(cql, call, &reply, err);

    if (rc == SL_OK)
        *ret_answer = &reply->answer;
    return rc;
}

enum sl_rc sl_cql_run(struct sl_cql *cql, const char *text, enum sl_cql_consistency consistency,
                      struct sl_error *err)
{
    const struct sl_cql_request request = {.text = text, .consistency = consistency, .not_idempotent = true};
    struct sl_cql_answer *answer;
    enum sl_rc rc = sl_cql_query(cql, &request, &answer, err);

    if (rc == SL_OK)
        sl_cql_answer_free(answer);
    return rc;
}

/* ------------------------------------------------------------------ what is known ------------------------
 */

uint32_t sl_cql_n_hosts(const struct sl_cql *cql)
{
    uint32_t n = 0;

    for (const struct sl_cql_node *node = cql->nodes; node; node = node->next)
        n += node->is_member;
    return n;
}

void sl_cql_host(const struct sl_cql *cql, uint32_t index, struct sl_cql_host *ret)
{
    const struct sl_cql_node *node = cql->nodes;

    while (!node->is_member || index-- > 0)
        node = node->next;
    *ret = (struct sl_cql_host){
        .address = node->address,
        .data_center = node->data_center,
        .rack = node->rack,
        .release_version = node->release_version,
        .is_up = node->is_up,
        .is_local = node->is_local,
        .is_scylla = node->supported.is_scylla,
        .n_shards = node->supported.n_shards,
        .ignore_msb = node->supported.ignore_msb,
    };
    memcpy(ret->host_id, node->host_id, 16);
}

bool sl_cql_is_scylla(const struct sl_cql *cql)
{
    for (const struct sl_cql_node *node = cql->nodes; node; node = node->next) {
        if (node->is_known && node->is_member)
            return node->supported.is_scylla;
    }
    return false;
}

const char *sl_cql_local_dc(const struct sl_cql *cql)
{
    return cql->local_dc ? cql->local_dc : "";
}

const int64_t *sl_cql_ring(const struct sl_cql *cql, uint32_t *ret_n)
{
    *ret_n = cql->ring.n;
    return cql->ring.tokens;
}

void sl_cql_stats(const struct sl_cql *cql, struct sl_cql_stats *ret)
{
    *ret = cql->stats;
}

static const char *const consistencies[] = {"ANY",    "ONE",          "TWO",          "THREE",
                                            "QUORUM", "ALL",          "LOCAL_QUORUM", "EACH_QUORUM",
                                            "SERIAL", "LOCAL_SERIAL", "LOCAL_ONE"};

bool sl_cql_consistency_parse(const char *name, enum sl_cql_consistency *ret)
{
    for (size_t i = 0; i < sizeof(consistencies) / sizeof(consistencies[0]); i++) {
        if (strcasecmp(name, consistencies[i]) == 0) {
            *ret = (enum sl_cql_consistency)i;
            return true;
        }
    }
    return false;
}

const char *sl_cql_consistency_name(enum sl_cql_consistency consistency)
{
    return consistencies[consistency];
}
