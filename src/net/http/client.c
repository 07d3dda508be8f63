/* SPDX-License-Identifier: Apache-2.0 */
#include "net/http/client.h"

#include "base/clock.h"
#include "sluice/secret.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <strings.h>
#include <sys/socket.h>

enum {
    CONNECT_MS = 10 * 1000,
    READ_MS = 60 * 1000,
    MAX_BYTES = 8 << 20,
    IDLE_CONNECTIONS = 4, /* kept for the next request */
    LONGEST_POLL_MS = 1000,
};

/* An easy handle with a multi of its own: so that a request that waits can be woken. */
struct line {
    CURL *easy;
    CURLM *multi;
    struct line *next;
};

/* Texts of the settings, owned. */
struct texts {
    char *proxy, *user_agent, *ca_file, *ca_path, *ca_pem, *cert_file, *key_file, *cert_pem, *key_pem,
        *key_password;
};

struct sl_http_client {
    struct sl_http_client_settings settings;
    struct texts texts;
    _Atomic bool stopped;
    pthread_mutex_t lock; /* guards the lists */
    struct line *idle;
    int n_idle;
    struct line *busy;
};

/* One request under way. */
struct transfer {
    struct sl_http_client *client;
    const struct sl_http_call *request;
    struct sl_http_reply *response;
    struct sl_error *err;
    struct line *line;
    struct curl_slist *headers;
    size_t max_bytes;
    bool too_large;
    bool refused; /* by the tls callback, which has filled err */
    bool is_astray;
    int64_t last_byte_us;
    char where[256]; /* "http://host:port" for messages */
    char detail[CURL_ERROR_SIZE];
};

/* ---- life ---- */

static void init_curl(void)
{
    (void)curl_global_init(CURL_GLOBAL_DEFAULT);
}

static const char *keep(char **owned, const char *text)
{
    *owned = text ? sl_strdup(text) : NULL;
    return *owned;
}

static void keep_texts(struct sl_http_client *client, const struct sl_http_client_settings *settings)
{
    struct sl_http_client_settings *own = &client->settings;
    struct texts *texts = &client->texts;

    own->proxy = keep(&texts->proxy, settings->proxy);
    own->user_agent = keep(&texts->user_agent, settings->user_agent ? settings->user_agent : "sluice");
    own->ca_file = keep(&texts->ca_file, settings->ca_file);
    own->ca_path = keep(&texts->ca_path, settings->ca_path);
    own->ca_pem = keep(&texts->ca_pem, settings->ca_pem);
    own->cert_file = keep(&texts->cert_file, settings->cert_file);
    own->key_file = keep(&texts->key_file, settings->key_file);
    own->cert_pem = keep(&texts->cert_pem, settings->cert_pem);
    own->key_pem = keep(&texts->key_pem, settings->key_pem);
    own->key_password = keep(&texts->key_password, settings->key_password);
}

struct sl_http_client *sl_http_client_new(const struct sl_http_client_settings *settings)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct sl_http_client *client = sl_zalloc(1, sizeof(*client));

    (void)pthread_once(&once, init_curl);
    client->settings = *settings;
    keep_texts(client, settings);
    if (!client->settings.connect_timeout_ms)
        client->settings.connect_timeout_ms = CONNECT_MS;
    if (!client->settings.read_timeout_ms)
        client->settings.read_timeout_ms = READ_MS;
    (void)pthread_mutex_init(&client->lock, NULL);
    return client;
}

static void free_line(struct line *line)
{
    curl_easy_cleanup(line->easy);
    (void)curl_multi_cleanup(line->multi);
    sl_free(line);
}

static void free_secret_text(char *text)
{
    if (text)
        sl_secret_wipe(text, strlen(text));
    sl_free(text);
}

void sl_http_client_free(struct sl_http_client *client)
{
    struct texts *texts;

    if (!client)
        return;
    while (client->idle) {
        struct line *line = client->idle;

        client->idle = line->next;
        free_line(line);
    }
    texts = &client->texts;
    sl_free(texts->proxy);
    sl_free(texts->user_agent);
    sl_free(texts->ca_file);
    sl_free(texts->ca_path);
    sl_free(texts->ca_pem);
    sl_free(texts->cert_file);
    sl_free(texts->key_file);
    sl_free(texts->cert_pem);
    free_secret_text(texts->key_pem);
    free_secret_text(texts->key_password);
    (void)pthread_mutex_destroy(&client->lock);
    sl_free(client);
}

void sl_http_client_stop(struct sl_http_client *client)
{
    (void)pthread_mutex_lock(&client->lock);
    atomic_store(&client->stopped, true);
    for (struct line *line = client->busy; line; line = line->next)
        (void)curl_multi_wakeup(line->multi);
    (void)pthread_mutex_unlock(&client->lock);
}

/* ---- the pool ---- */

static struct line *new_line(void)
{
    struct line *line = sl_zalloc(1, sizeof(*line));

    line->easy = curl_easy_init();
    line->multi = curl_multi_init();
    SL_ASSERT(line->easy && line->multi);
    return line;
}

static struct line *take_line(struct sl_http_client *client)
{
    struct line *line;

    (void)pthread_mutex_lock(&client->lock);
    line = client->idle;
    if (line) {
        client->idle = line->next;
        client->n_idle--;
    } else {
        line = new_line();
    }
    line->next = client->busy;
    client->busy = line;
    (void)pthread_mutex_unlock(&client->lock);
    return line;
}

static void give_line(struct sl_http_client *client, struct line *line)
{
    bool surplus;

    (void)pthread_mutex_lock(&client->lock);
    for (struct line **at = &client->busy; *at; at = &(*at)->next) {
        if (*at == line) {
            *at = line->next;
            break;
        }
    }
    surplus = client->n_idle >= IDLE_CONNECTIONS;
    if (!surplus) {
        line->next = client->idle;
        client->idle = line;
        client->n_idle++;
    }
    (void)pthread_mutex_unlock(&client->lock);
    if (surplus)
        free_line(line);
}

/* ---- what libcurl calls ---- */

static size_t take_body(char *bytes, size_t size, size_t count, void *arg)
{
    struct transfer *transfer = arg;
    size_t len = size * count;

    transfer->last_byte_us = sl_now_us();
    if (len > transfer->max_bytes - transfer->response->body.len) {
        transfer->too_large = true;
        return 0;
    }
    sl_buf_put(&transfer->response->body, bytes, len);
    return len;
}

static size_t take_header(char *bytes, size_t size, size_t count, void *arg)
{
    struct transfer *transfer = arg;

    (void)bytes;
    transfer->last_byte_us = sl_now_us();
    return size * count;
}

static CURLcode take_context(CURL *easy, void *context, void *arg)
{
    struct transfer *transfer = arg;
    const struct sl_http_client_settings *settings = &transfer->client->settings;

    (void)easy;
    if (settings->tls(settings->tls_ctx, context, transfer->err) == SL_OK)
        return CURLE_OK;
    transfer->refused = true;
    return CURLE_SSL_CERTPROBLEM;
}

/* ---- names that lead astray ---- */

/* Where clouds serve their credentials, and what no router passes on. */
static bool is_link_local(const struct sockaddr *address)
{
    static const uint8_t amazons[4] = {0xFD, 0x00, 0x0E, 0xC2};
    const struct in6_addr *v6 = &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr;
    const struct in_addr *v4 = &((const struct sockaddr_in *)(const void *)address)->sin_addr;

    if (address->sa_family == AF_INET)
        return ntohl(v4->s_addr) >> 16 == 0xA9FE;
    if (address->sa_family != AF_INET6)
        return false;
    return IN6_IS_ADDR_LINKLOCAL(v6) || memcmp(v6, amazons, sizeof(amazons)) == 0 ||
           (IN6_IS_ADDR_V4MAPPED(v6) && v6->s6_addr[12] == 0xA9 && v6->s6_addr[13] == 0xFE);
}

/* The host of the URL is written as an address. */
static bool names_address(const struct transfer *transfer)
{
    const char *host = strstr(transfer->where, "://") + 3;
    bool bracket = *host == '[';
    char text[64];
    struct in6_addr address;

    host += bracket;
    if (snprintf(text, sizeof(text), "%.*s", (int)strcspn(host, bracket ? "%]" : ":"), host) >=
        (int)sizeof(text))
        return false;
    return inet_pton(bracket ? AF_INET6 : AF_INET, text, &address) == 1;
}

/*
 * A name that resolves to a link-local address is no server's that anybody meant: a name server may say so to
 * have us knock there. It is asked here, where the address is the one that is connected to.
 */
static curl_socket_t open_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct transfer *transfer = arg;

    (void)purpose;
    if (!transfer->client->settings.proxy && is_link_local(&address->addr) && !names_address(transfer)) {
        transfer->is_astray = true;
        return CURL_SOCKET_BAD;
    }
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/* ---- a request ---- */

/* Scheme, host and port of a URL; what stands before an "@" is nobody's business. */
static void name_host(struct transfer *transfer)
{
    const char *url = transfer->request->url;
    const char *authority = strstr(url, "://");
    const char *at;
    size_t len;

    authority = authority ? authority + 3 : url;
    len = strcspn(authority, "/?#");
    at = memrchr(authority, '@', len);
    if (at) {
        len -= (size_t)(at + 1 - authority);
        authority = at + 1;
    }
    (void)snprintf(transfer->where, sizeof(transfer->where), "%s%.*s",
                   strncasecmp(url, "https:", 6) == 0 ? "https://" : "http://", (int)(len < 200 ? len : 200),
                   authority);
}

static void set_blob(CURL *easy, CURLoption option, const char *pem)
{
    struct curl_blob blob = {.flags = CURL_BLOB_COPY};

    if (!pem)
        return;
    blob.len = strlen(pem);
    memcpy(&blob.data, &pem, sizeof(pem)); /* only read; the field is not const */
    (void)curl_easy_setopt(easy, option, &blob);
}

static void set_text(CURL *easy, CURLoption option, const char *text)
{
    if (text)
        (void)curl_easy_setopt(easy, option, text);
}

static void set_tls(struct transfer *transfer)
{
    const struct sl_http_client_settings *settings = &transfer->client->settings;
    CURL *easy = transfer->line->easy;

    set_text(easy, CURLOPT_CAINFO, settings->ca_file);
    set_text(easy, CURLOPT_CAPATH, settings->ca_path);
    set_blob(easy, CURLOPT_CAINFO_BLOB, settings->ca_pem);
    set_text(easy, CURLOPT_SSLCERT, settings->cert_file);
    set_text(easy, CURLOPT_SSLKEY, settings->key_file);
    set_blob(easy, CURLOPT_SSLCERT_BLOB, settings->cert_pem);
    set_blob(easy, CURLOPT_SSLKEY_BLOB, settings->key_pem);
    /* Without one libcurl would leave it to OpenSSL, which asks at the terminal. */
    set_text(easy, CURLOPT_KEYPASSWD,
             settings->key_password                    ? settings->key_password
             : settings->key_file || settings->key_pem ? ""
                                                       : NULL);
    (void)curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    if (settings->insecure)
        (void)curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
    if (settings->insecure || settings->any_name)
        (void)curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
    if (settings->tls) {
        (void)curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, take_context);
        (void)curl_easy_setopt(easy, CURLOPT_SSL_CTX_DATA, transfer);
    }
}

static void set_headers(struct transfer *transfer)
{
    const char *const *header = transfer->request->headers;

    transfer->headers = curl_slist_append(NULL, "Expect:"); /* no waiting for 100 Continue */
    for (; header && *header; header++)
        transfer->headers = curl_slist_append(transfer->headers, *header);
    (void)curl_easy_setopt(transfer->line->easy, CURLOPT_HTTPHEADER, transfer->headers);
}

static void set_request(struct transfer *transfer)
{
    const struct sl_http_call *request = transfer->request;
    CURL *easy = transfer->line->easy;

    if (request->body) {
        (void)curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body_len);
        (void)curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request->body);
    }
    if (strcmp(request->method, "HEAD") == 0)
        (void)curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
    else
        (void)curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request->method);
    if (request->user) {
        (void)curl_easy_setopt(easy, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
        (void)curl_easy_setopt(easy, CURLOPT_USERNAME, request->user);
        set_text(easy, CURLOPT_PASSWORD, request->password);
    }
    set_headers(transfer);
}

static void set_up(struct transfer *transfer)
{
    const struct sl_http_client_settings *settings = &transfer->client->settings;
    CURL *easy = transfer->line->easy;

    curl_easy_reset(easy); /* connections and what was learnt of names stay */
    (void)curl_easy_setopt(easy, CURLOPT_URL, transfer->request->url);
    (void)curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    (void)curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    (void)curl_easy_setopt(easy, CURLOPT_PROXY, settings->proxy ? settings->proxy : "");
    (void)curl_easy_setopt(easy, CURLOPT_USERAGENT, settings->user_agent);
    (void)curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)settings->connect_timeout_ms);
    (void)curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->detail);
    (void)curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body);
    (void)curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
    (void)curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, take_header);
    (void)curl_easy_setopt(easy, CURLOPT_HEADERDATA, transfer);
    (void)curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    (void)curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, transfer);
    set_tls(transfer);
    set_request(transfer);
}

static enum sl_rc explain(struct transfer *transfer, CURLcode code)
{
    const char *detail = transfer->detail[0] ? transfer->detail : curl_easy_strerror(code);

    if (transfer->refused)
        return transfer->err ? transfer->err->rc : SL_E_CONFIG;
    if (transfer->is_astray)
        return sl_error_set(transfer->err, SL_E_CONFIG,
                            "the name in %s leads to a link-local address, which is not asked. HINT: who is "
                            "meant all the same is named by the address itself",
                            transfer->where);
    if (transfer->too_large)
        return sl_error_set(transfer->err, SL_E_PROTOCOL, "%s answers with more than %zu bytes",
                            transfer->where, transfer->max_bytes);
    switch ((int)code) {
    case CURLE_OPERATION_TIMEDOUT:
        return sl_error_set(transfer->err, SL_E_TIMEOUT, "%s does not answer: %s", transfer->where, detail);
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
        return sl_error_set(transfer->err, SL_E_CONFIG,
                            "'%s' is no address to ask: %s. HINT: http://host:port or https://host:port",
                            transfer->where, detail);
    case CURLE_PEER_FAILED_VERIFICATION:
        return sl_error_set(transfer->err, SL_E_CONFIG,
                            "the certificate of %s is not trusted: %s. HINT: name the authority that signed "
                            "it",
                            transfer->where, detail);
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_ISSUER_ERROR:
        return sl_error_set(transfer->err, SL_E_CONFIG,
                            "cannot set up TLS to %s: %s. HINT: look at the files with authorities, "
                            "certificate and key, and at the key's password",
                            transfer->where, detail);
    case CURLE_WEIRD_SERVER_REPLY:
        return sl_error_set(transfer->err, SL_E_PROTOCOL, "%s does not speak HTTP: %s", transfer->where,
                            detail);
    default: return sl_error_set(transfer->err, SL_E_CONNECT, "cannot reach %s: %s", transfer->where, detail);
    }
}

/* How long to wait for bytes; negative: too long already. */
static int64_t left_ms(const struct transfer *transfer)
{
    int64_t now_us = sl_now_us();
    int64_t until_us = transfer->last_byte_us + transfer->client->settings.read_timeout_ms * 1000;

    if (transfer->request->deadline_us && transfer->request->deadline_us < until_us)
        until_us = transfer->request->deadline_us;
    return (until_us - now_us + 999) / 1000;
}

static enum sl_rc wait_a_little(struct transfer *transfer)
{
    int64_t wait_ms = left_ms(transfer);

    if (atomic_load(&transfer->client->stopped))
        return sl_error_set(transfer->err, SL_E_STOPPED, "asking %s was stopped", transfer->where);
    if (wait_ms <= 0)
        return sl_error_set(transfer->err, SL_E_TIMEOUT, "%s does not answer in time", transfer->where);
    if (wait_ms > LONGEST_POLL_MS)
        wait_ms = LONGEST_POLL_MS;
    (void)curl_multi_poll(transfer->line->multi, NULL, 0, (int)wait_ms, NULL);
    return SL_OK;
}

static enum sl_rc judge(struct transfer *transfer)
{
    CURLMsg *message;
    int left;

    while ((message = curl_multi_info_read(transfer->line->multi, &left))) {
        if (message->msg == CURLMSG_DONE && message->data.result != CURLE_OK)
            return explain(transfer, message->data.result);
    }
    return SL_OK;
}

static enum sl_rc perform(struct transfer *transfer)
{
    int running = 1;

    while (running) {
        enum sl_rc rc;

        if (curl_multi_perform(transfer->line->multi, &running) != CURLM_OK)
            return sl_error_set(transfer->err, SL_E_INTERNAL, "libcurl cannot go on with %s",
                                transfer->where);
        if (!running)
            break;
        rc = wait_a_little(transfer);
        if (rc)
            return rc;
    }
    return judge(transfer);
}

static void read_facts(struct transfer *transfer)
{
    struct sl_http_reply *response = transfer->response;
    CURL *easy = transfer->line->easy;
    const char *type = NULL;
    curl_off_t retry_after = 0;
    long status = 0;

    (void)curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    (void)curl_easy_getinfo(easy, CURLINFO_CONTENT_TYPE, &type);
    (void)curl_easy_getinfo(easy, CURLINFO_RETRY_AFTER, &retry_after);
    response->status = (int)status;
    (void)snprintf(response->content_type, sizeof(response->content_type), "%s", type ? type : "");
    response->retry_after_s = retry_after > 0 ? (int64_t)retry_after : -1;
}

enum sl_rc sl_http_client_ask(struct sl_http_client *client, const struct sl_http_call *request,
                              struct sl_http_reply *response, struct sl_error *err)
{
    struct transfer transfer = {.client = client,
                                .request = request,
                                .response = response,
                                .err = err,
                                .max_bytes = request->max_bytes ? request->max_bytes : MAX_BYTES,
                                .last_byte_us = sl_now_us()};
    enum sl_rc rc;

    name_host(&transfer);
    sl_buf_reset(&response->body);
    response->status = 0;
    if (atomic_load(&client->stopped))
        return sl_error_set(err, SL_E_STOPPED, "asking %s was stopped", transfer.where);
    transfer.line = take_line(client);
    set_up(&transfer);
    (void)curl_multi_add_handle(transfer.line->multi, transfer.line->easy);
    rc = perform(&transfer);
    if (rc == SL_OK)
        read_facts(&transfer);
    (void)curl_multi_remove_handle(transfer.line->multi, transfer.line->easy);
    curl_easy_reset(transfer.line->easy); /* it keeps no pointer to what is ours */
    curl_slist_free_all(transfer.headers);
    give_line(client, transfer.line);
    return rc;
}

void sl_http_reply_done(struct sl_http_reply *response)
{
    sl_buf_done(&response->body);
}

void sl_http_put_escaped(struct sl_buf *out, const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];

        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
            (c && strchr("-._~", c)))
            sl_buf_u8(out, c);
        else
            sl_buf_format(out, "%%%02X", c);
    }
}
