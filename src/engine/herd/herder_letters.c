/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Dead letters that are replayed or dropped by the running process, since nobody beside it may write to the
 * embedded log. It may take long, so that it has a thread of its own, and whoever asked looks again. One at
 * a time: the leader's, which alone could start the connector meanwhile, and does not.
 */
#include "engine/herd/herd.h"

#include "base/alloc.h"
#include "base/log.h"
#include "engine/config/connector_config.h"
#include "engine/letters/replay.h"

struct sl_settling {
    struct sl_herder *herder;
    char *name;
    json_t *config; /* of the connector */
    json_t *given;  /* what filter's texts belong to */
    struct sl_dlq_filter filter;
    bool drop;
    struct sl_thread thread;
    _Atomic bool stop;

    bool done; /* guarded by the herder's lock, as is the rest */
    struct sl_error err;
    struct sl_replay_counts counts;
};

/* ---- the thread ---- */

/* Between two readings. Who started the connector meanwhile, or leads in our place, is not to be disturbed.
 */
static enum sl_rc may_go_on(void *ctx, const struct sl_replay_counts *counts, struct sl_error *err)
{
    struct sl_settling *settling = ctx;
    struct sl_herder *herder = settling->herder;
    struct sl_config_view view = {0};
    enum sl_rc rc = SL_OK;

    (void)pthread_mutex_lock(&herder->lock);
    settling->counts = *counts;
    (void)pthread_mutex_unlock(&herder->lock);
    if (atomic_load(&settling->stop))
        rc = sl_error_set(err, SL_E_STOPPED,
                          "the worker stops; what was counted is done. HINT: ask again when it runs");
    else if (!sl_herd_leads(herder))
        rc = sl_error_set(err, SL_E_FENCED,
                          "another worker leads now; what was counted is done. HINT: ask again");
    else if (!sl_config_store_read(herder->configs, settling->name, &view) ||
             view.target != SL_TARGET_STOPPED)
        rc = sl_error_set(
            err, SL_E_BUSY,
            "connector '%s' is not stopped any more; what was counted is done. HINT: stop it, and "
            "ask again",
            settling->name);
    sl_config_view_done(&view);
    return rc;
}

static void settle_main(void *arg)
{
    struct sl_settling *settling = arg;
    struct sl_herder *herder = settling->herder;
    const struct sl_replay_guard guard = {.may_go_on = may_go_on, .ctx = settling};
    struct sl_connector *connector = NULL;
    struct sl_replay_counts counts = {0};
    struct sl_error err = {0};
    enum sl_rc rc = sl_herd_make_connector(herder, settling->config, &connector, &err);

    sl_log_context(settling->name, "letters");
    if (rc == SL_OK)
        rc = sl_replay_run(&herder->shared, connector, &settling->filter, settling->drop, &guard, &counts,
                           &err);
    sl_connector_free(connector);
    if (rc)
        sl_log_error(SL_LEVEL_WARN, "dead letters were not settled to the end", &err);
    else
        sl_error_clear(&err);
    (void)pthread_mutex_lock(&herder->lock);
    settling->counts = counts;
    settling->err = err;
    settling->done = true;
    (void)pthread_cond_broadcast(&herder->answered);
    (void)pthread_mutex_unlock(&herder->lock);
}

static void free_settling(struct sl_settling *settling)
{
    sl_thread_join(&settling->thread);
    json_decref(settling->config);
    json_decref(settling->given);
    sl_free(settling->name);
    sl_free(settling);
}

bool sl_herd_is_settling(struct sl_herder *herder, const char *name)
{
    bool is;

    (void)pthread_mutex_lock(&herder->lock);
    is = herder->settling && !herder->settling->done && strcmp(herder->settling->name, name) == 0;
    (void)pthread_mutex_unlock(&herder->lock);
    return is;
}

bool sl_herd_stop_settling(struct sl_herder *herder, int64_t deadline_us)
{
    struct sl_settling *settling = herder->settling;
    bool done;

    if (!settling)
        return true;
    atomic_store(&settling->stop, true);
    (void)pthread_mutex_lock(&herder->lock);
    while (!settling->done && sl_cond_wait(&herder->answered, &herder->lock, deadline_us))
        continue;
    done = settling->done;
    if (done)
        herder->settling = NULL; /* who asks for it looks under the lock */
    (void)pthread_mutex_unlock(&herder->lock);
    if (!done)
        return false;
    free_settling(settling);
    return true;
}

/* ---- requests ---- */

/* NULL: another is still at it. */
static struct sl_settling *take_place(struct sl_herder *herder, const char *name)
{
    struct sl_settling *former;
    struct sl_settling *ret = NULL;

    (void)pthread_mutex_lock(&herder->lock);
    former = herder->settling;
    if (!former || former->done) {
        ret = sl_zalloc(1, sizeof(*ret));
        ret->herder = herder;
        ret->name = sl_strdup(name);
        herder->settling = ret;
    }
    (void)pthread_mutex_unlock(&herder->lock);
    if (ret && former)
        free_settling(former);
    return ret;
}

static void begin(struct sl_settling *settling, struct sl_request *request, json_t *config)
{
    const json_t *given = request->json;

    settling->given = json_incref(request->json);
    settling->config = json_incref(config);
    settling->drop = request->flags[0];
    settling->filter = (struct sl_dlq_filter){
        .topic = json_string_value(json_object_get(given, "topic")),
        .stage = json_string_value(json_object_get(given, "stage")),
        .error = json_string_value(json_object_get(given, "error")),
        .letters = json_string_value(json_object_get(given, "letters")),
        .since_ms = json_integer_value(json_object_get(given, "since_ms")),
        .until_ms = json_integer_value(json_object_get(given, "until_ms")),
    };
    sl_thread_start(&settling->thread, "dead-letters", settle_main, settling);
}

static void serve_settle(struct sl_herder *herder, struct sl_request *request)
{
    static const char what[] = "their dead letters can be replayed or dropped";
    struct sl_answer *ret = &request->answer;
    struct sl_config_view view = {0};
    struct sl_settling *settling;

    if (!sl_herd_may_write(herder, ret) || !sl_herd_check_stopped(herder, request->name, what, &view, ret))
        return;
    settling = take_place(herder, request->name);
    if (settling) {
        begin(settling, request, view.config);
        sl_answer_body(ret, SL_ANSWER_ACCEPTED,
                       json_pack("{s:s, s:s}", "connector", request->name, "state", "RUNNING"));
    } else {
        sl_answer_refuse(ret, SL_ANSWER_CONFLICT,
                         "Dead letters are being replayed or dropped already. Try again when that is over.");
    }
    sl_config_view_done(&view);
}

/* False: the answer says why. */
static bool check_filter(const json_t *given, struct sl_answer *ret)
{
    static const char *const texts[] = {"topic", "stage", "error", "letters"};
    static const char *const numbers[] = {"since_ms", "until_ms"};
    const json_t *letters = json_object_get(given, "letters");
    size_t known = 0;

    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
        known += json_is_string(json_object_get(given, texts[i]));
    for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
        known += json_is_integer(json_object_get(given, numbers[i]));
    if (known != json_object_size(given))
        sl_answer_refuse(
            ret, SL_ANSWER_BAD_REQUEST,
            "The filters are the texts topic, stage, error and letters, and the numbers since_ms "
            "and until_ms; there are others, or others of these types, in the request.");
    else if (letters && !sl_dlq_are_letters(json_string_value(letters)))
        sl_answer_refuse(ret, SL_ANSWER_BAD_REQUEST,
                         "'%s' is no list of PARTITION@OFFSET separated by commas.",
                         json_string_value(letters));
    return !ret->status;
}

void sl_herder_settle_letters(struct sl_herder *herder, const char *name, json_t *filter, bool drop,
                              struct sl_answer *ret)
{
    struct sl_request *request;

    *ret = (struct sl_answer){0};
    if (!check_filter(filter, ret)) {
        json_decref(filter);
        return;
    }
    request = sl_request_new(serve_settle, name);
    request->json = filter;
    request->flags[0] = drop;
    sl_herder_call(herder, request, ret);
}

/* Under the lock. */
static json_t *describe(const struct sl_settling *settling)
{
    const struct sl_replay_counts *counts = &settling->counts;
    const char *state = !settling->done ? "RUNNING" : settling->err.rc ? "FAILED" : "DONE";
    json_t *body = json_pack("{s:s, s:s, s:s}", "connector", settling->name, "verb",
                             settling->drop ? "drop" : "replay", "state", state);

    if (settling->done && settling->err.rc)
        (void)json_object_set_new(body, "error", json_string(settling->err.text));
    sl_replay_counts_json(counts, body);
    return body;
}

void sl_herder_letters(struct sl_herder *herder, const char *name, struct sl_answer *ret)
{
    const struct sl_placement *placement = herder->placement;
    json_t *body = NULL;
    char url[512];

    *ret = (struct sl_answer){0};
    (void)pthread_mutex_lock(&herder->lock);
    if (herder->settling && strcmp(herder->settling->name, name) == 0)
        body = describe(herder->settling);
    (void)pthread_mutex_unlock(&herder->lock);
    if (body)
        sl_answer_body(ret, SL_ANSWER_OK, body);
    else if (placement && !placement->leads(placement->ctx) &&
             placement->leader_url(placement->ctx, url, sizeof(url)))
        *ret = (struct sl_answer){.status = SL_ANSWER_ELSEWHERE, .url = sl_strdup(url)};
    else
        sl_answer_refuse(ret, SL_ANSWER_NOT_FOUND,
                         "Nobody asked this worker to replay or drop dead letters of connector %s last",
                         name);
}
