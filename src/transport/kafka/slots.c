/* SPDX-License-Identifier: Apache-2.0 */
#include "transport/kafka/slots.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/thread.h"
#include "transport/kafka/client.h"
#include "transport/kafka/doubt.h"

#include <stdio.h>
#include <string.h>

enum {
    POLL_MS = 50,
    LINE_EVERY_US = 10 * 1000 * 1000,
    ALONE_MS = 1000, /* one question at a stop */
    ALONE_US = 2 * 1000 * 1000,
    LEAVE_US = 1500 * 1000,
    RECONNECT_MS = 100,
    RECONNECT_MOST_MS = 400,
    LOOK_MS = 2000, /* for the topic, which a broker may not know yet when it was just made: then nobody has
                       a slot until the client looks again, by default after five minutes */
};

struct sl_slots {
    rd_kafka_t *consumer;
    struct sl_membership_listener listener;
    char *group;
    char *topic;
    char *worker;
    int32_t n_slots;
    int64_t give_back_us;
    struct sl_thread thread;
    struct sl_stop stop;

    /* The polling thread's own. */
    rd_kafka_topic_partition_list_t *asked; /* a revocation that waits for its slots; NULL: none */
    int64_t asked_until_us;
    int64_t next_line_us;
    bool over;             /* a fatal error was told */
    struct sl_doubt doubt; /* what the group has to say of, when it speaks again */

    pthread_mutex_t lock; /* guards returned */
    bool *returned;       /* per slot: given back since it was asked for */
};

/* ---- what the group says ---- */

static void tell_numbers(const struct sl_slots *slots, enum sl_slot_event event, const int32_t *numbers,
                         size_t n)
{
    if (n)
        slots->listener.slots(slots->listener.ctx, event, numbers, n);
}

/* The caller's. */
static int32_t *numbers_of(const rd_kafka_topic_partition_list_t *partitions)
{
    int32_t *numbers = sl_zalloc((size_t)partitions->cnt, sizeof(*numbers));

    for (int i = 0; i < partitions->cnt; i++)
        numbers[i] = partitions->elems[i].partition;
    return numbers;
}

static void tell(const struct sl_slots *slots, enum sl_slot_event event,
                 const rd_kafka_topic_partition_list_t *partitions)
{
    int32_t *numbers = numbers_of(partitions);

    tell_numbers(slots, event, numbers, (size_t)partitions->cnt);
    sl_free(numbers);
}

static void say(rd_kafka_error_t *error, const char *sentence)
{
    if (!error)
        return;
    sl_warn(sentence, SL_T("cause", rd_kafka_error_string(error)));
    rd_kafka_error_destroy(error);
}

/* What was in doubt and is not among these is lost. */
static void settle_doubt(struct sl_slots *slots, const rd_kafka_topic_partition_list_t *assigned)
{
    int32_t *numbers = numbers_of(assigned);
    int32_t *lost = sl_zalloc(slots->doubt.n, sizeof(*lost));
    size_t n = sl_doubt_settle(&slots->doubt, numbers, (size_t)assigned->cnt, lost);

    if (n)
        sl_warn("slots lost: the group has given them to others meanwhile", SL_I("slots", n));
    tell_numbers(slots, SL_SLOTS_LOST, lost, n);
    sl_free(lost);
    sl_free(numbers);
}

static void gained(struct sl_slots *slots, rd_kafka_topic_partition_list_t *partitions)
{
    /* A place to read from that needs no question to the broker: nothing is ever there. */
    for (int i = 0; i < partitions->cnt; i++)
        partitions->elems[i].offset = 0;
    say(rd_kafka_incremental_assign(slots->consumer, partitions), "slots could not be taken over");
    sl_info("slots gained", SL_I("slots", partitions->cnt));
    settle_doubt(slots, partitions);
    tell(slots, SL_SLOTS_GAINED, partitions);
}

static void doubted(struct sl_slots *slots, rd_kafka_topic_partition_list_t *partitions)
{
    int32_t *numbers = numbers_of(partitions);

    sl_warn("the group of workers does not answer: whose this worker's slots are nobody can say; their tasks "
            "go on where a second one can do no harm, the others wait",
            SL_I("slots", partitions->cnt));
    sl_doubt_begin(&slots->doubt, numbers, (size_t)partitions->cnt, sl_now_us());
    tell_numbers(slots, SL_SLOTS_DOUBTED, numbers, (size_t)partitions->cnt);
    sl_free(numbers);
    say(rd_kafka_incremental_unassign(slots->consumer, partitions), "slots in doubt could not be let go");
}

static void lost(struct sl_slots *slots, rd_kafka_topic_partition_list_t *partitions)
{
    if (partitions->cnt)
        sl_warn("slots lost: this worker was not heard of in time; their tasks stop at once",
                SL_I("slots", partitions->cnt));
    tell(slots, SL_SLOTS_LOST, partitions);
    say(rd_kafka_incremental_unassign(slots->consumer, partitions), "lost slots could not be let go");
}

static void asked(struct sl_slots *slots, const rd_kafka_topic_partition_list_t *partitions)
{
    (void)pthread_mutex_lock(&slots->lock);
    for (int i = 0; i < partitions->cnt; i++) {
        if (partitions->elems[i].partition >= 0 && partitions->elems[i].partition < slots->n_slots)
            slots->returned[partitions->elems[i].partition] = false;
    }
    (void)pthread_mutex_unlock(&slots->lock);
    slots->asked = rd_kafka_topic_partition_list_copy(partitions);
    slots->asked_until_us = sl_now_us() + slots->give_back_us;
    sl_info("slots asked back", SL_I("slots", partitions->cnt));
    tell(slots, SL_SLOTS_ASKED, partitions);
}

static void rebalance(rd_kafka_t *consumer, rd_kafka_resp_err_t code,
                      rd_kafka_topic_partition_list_t *partitions, void *opaque)
{
    struct sl_slots *slots = opaque;

    if (code == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS)
        gained(slots, partitions);
    else if (sl_stop_requested(&slots->stop)) /* the listener is not there any more */
        say(rd_kafka_incremental_unassign(consumer, partitions), "slots could not be let go");
    else if (!rd_kafka_assignment_lost(consumer))
        asked(slots, partitions);
    else if (sl_doubt_may_be(&slots->doubt, sl_now_us()))
        doubted(slots, partitions);
    else
        lost(slots, partitions);
}

/* Nobody has answered since. */
static void look_after_doubt(struct sl_slots *slots)
{
    int64_t now_us = sl_now_us();

    sl_doubt_look(&slots->doubt, now_us);
    if (sl_doubt_is_over(&slots->doubt, now_us)) {
        rd_kafka_topic_partition_list_t *none = rd_kafka_topic_partition_list_new(0);

        settle_doubt(slots, none);
        rd_kafka_topic_partition_list_destroy(none);
    }
}

/* ---- giving back ---- */

static bool all_returned(struct sl_slots *slots)
{
    bool all = true;

    (void)pthread_mutex_lock(&slots->lock);
    for (int i = 0; i < slots->asked->cnt; i++)
        all = all && slots->returned[slots->asked->elems[i].partition];
    (void)pthread_mutex_unlock(&slots->lock);
    return all;
}

/* Those that were not given back. */
static rd_kafka_topic_partition_list_t *still_held(struct sl_slots *slots)
{
    rd_kafka_topic_partition_list_t *held = rd_kafka_topic_partition_list_new(slots->asked->cnt);

    (void)pthread_mutex_lock(&slots->lock);
    for (int i = 0; i < slots->asked->cnt; i++) {
        if (!slots->returned[slots->asked->elems[i].partition])
            (void)rd_kafka_topic_partition_list_add(held, slots->topic, slots->asked->elems[i].partition);
    }
    (void)pthread_mutex_unlock(&slots->lock);
    return held;
}

/* The revocation under way ends when everything is given back, when time is up, or when the group has gone
 * on without us. */
static void look_after_asked(struct sl_slots *slots)
{
    bool too_late;

    if (!slots->asked)
        return;
    too_late = sl_now_us() >= slots->asked_until_us || rd_kafka_assignment_lost(slots->consumer);
    if (!too_late && !all_returned(slots))
        return;
    if (too_late) {
        rd_kafka_topic_partition_list_t *held = still_held(slots);

        if (held->cnt)
            sl_warn("slots were not given back in time; their tasks stop at once", SL_I("slots", held->cnt));
        tell(slots, SL_SLOTS_LOST, held);
        rd_kafka_topic_partition_list_destroy(held);
    }
    say(rd_kafka_incremental_unassign(slots->consumer, slots->asked), "slots could not be given back");
    rd_kafka_topic_partition_list_destroy(slots->asked);
    slots->asked = NULL;
}

void sl_slots_give_back(struct sl_slots *slots, int32_t slot)
{
    (void)pthread_mutex_lock(&slots->lock);
    if (slot >= 0 && slot < slots->n_slots)
        slots->returned[slot] = true;
    (void)pthread_mutex_unlock(&slots->lock);
}

/* ---- errors ---- */

static void say_now_and_then(struct sl_slots *slots, const char *sentence, const char *cause)
{
    if (sl_now_us() < slots->next_line_us)
        return;
    slots->next_line_us = sl_now_us() + LINE_EVERY_US;
    sl_warn(sentence, SL_T("group", slots->group), SL_T("cause", cause));
}

/* The client has given up for good. */
static void fail(struct sl_slots *slots)
{
    rd_kafka_topic_partition_list_t *all = rd_kafka_topic_partition_list_new(slots->n_slots);
    struct sl_error err = {0};
    char text[300];
    rd_kafka_resp_err_t code = rd_kafka_fatal_error(slots->consumer, text, sizeof(text));

    for (int32_t slot = 0; slot < slots->n_slots; slot++)
        (void)rd_kafka_topic_partition_list_add(all, slots->topic, slot);
    tell(slots, SL_SLOTS_LOST, all);
    rd_kafka_topic_partition_list_destroy(all);
    if (code == RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID)
        (void)sl_error_set(&err, SL_E_FENCED,
                           "another worker joined group '%s' under this worker's name '%s'. HINT: give each "
                           "worker a name of its own (rest.advertised.host.name, or the port in listeners)",
                           slots->group, slots->worker);
    else
        (void)sl_error_set(&err, SL_E_INTERNAL, "membership in group '%s' is over: %s", slots->group, text);
    sl_error_native(&err, rd_kafka_err2name(code));
    slots->over = true;
    slots->listener.failed(slots->listener.ctx, &err);
}

static void handle_error(struct sl_slots *slots, rd_kafka_resp_err_t code, const char *text)
{
    if (code == RD_KAFKA_RESP_ERR__FATAL) {
        if (!slots->over)
            fail(slots);
    } else if (code == RD_KAFKA_RESP_ERR_INCONSISTENT_GROUP_PROTOCOL) {
        say_now_and_then(
            slots,
            "workers of Kafka Connect are still in this group; waiting until they are gone. HINT: "
            "stop them, sluice takes over by itself",
            text);
    } else if (code == RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED ||
               code == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED) {
        say_now_and_then(
            slots,
            "the brokers do not let this worker into its group. HINT: it needs READ on the group "
            "and on the topic of slots",
            text);
    } else {
        say_now_and_then(slots, "the group of workers cannot be reached; trying again", text);
    }
}

static void on_client_error(rd_kafka_t *consumer, int code, const char *text, void *opaque)
{
    (void)consumer;
    /* Brokers that go and come are the client's business; what it gives up on is ours. */
    if (code == RD_KAFKA_RESP_ERR__FATAL || code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN ||
        code == RD_KAFKA_RESP_ERR__AUTHENTICATION)
        handle_error(opaque, (rd_kafka_resp_err_t)code, text);
}

/* librdkafka's own thread. Why an assignment was lost is said here alone. */
static void on_log(const rd_kafka_t *consumer, int level, const char *facility, const char *text)
{
    struct sl_slots *slots = rd_kafka_opaque(consumer);

    if (strcmp(facility, "SESSTMOUT") == 0)
        sl_doubt_silence(&slots->doubt);
    sl_kafka_log(consumer, level, facility, text);
}

/* ---- the thread ---- */

/* Is this the only member? A busy broker may need more than one question; while one is away nobody can tell.
 */
static bool is_alone(struct sl_slots *slots)
{
    int64_t deadline_us = sl_now_us() + ALONE_US;
    const struct rd_kafka_group_list *list = NULL;
    int members = 0;

    while (rd_kafka_list_groups(slots->consumer, slots->group, &list, ALONE_MS) &&
           sl_now_us() < deadline_us) {
        if (list) /* a part of the answer */
            rd_kafka_group_list_destroy(list);
        list = NULL;
    }
    for (int i = 0; list && i < list->group_cnt; i++) {
        if (strcmp(list->groups[i].group, slots->group) == 0 && !list->groups[i].err)
            members = list->groups[i].member_cnt;
    }
    if (list)
        rd_kafka_group_list_destroy(list);
    return members == 1;
}

/*
 * The last one leaves the group. A static member that merely closes stays in it for the session's time, which
 * is what keeps its slots for it while others work on; but a worker of Kafka Connect that is started
 * meanwhile finds a group of another protocol, and ends. librdkafka tells the group of a static member's
 * leaving only when that unsubscribes before it closes; its member id is then gone.
 */
static void leave_when_alone(struct sl_slots *slots)
{
    bool left = slots->over || !is_alone(slots);
    int64_t deadline_us = sl_now_us() + LEAVE_US;

    if (!left)
        (void)rd_kafka_unsubscribe(slots->consumer);
    while (!left && sl_now_us() < deadline_us) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(slots->consumer, POLL_MS);
        char *id = rd_kafka_memberid(slots->consumer);

        left = !id || !*id;
        if (id)
            rd_kafka_mem_free(slots->consumer, id);
        if (message)
            rd_kafka_message_destroy(message);
    }
}

static void run(void *arg)
{
    struct sl_slots *slots = arg;

    while (!sl_stop_requested(&slots->stop)) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(slots->consumer, POLL_MS);

        if (message && message->err && message->err != RD_KAFKA_RESP_ERR__PARTITION_EOF)
            handle_error(slots, message->err, rd_kafka_message_errstr(message));
        if (message)
            rd_kafka_message_destroy(message);
        look_after_asked(slots);
        look_after_doubt(slots);
    }
    if (slots->asked) {
        say(rd_kafka_incremental_unassign(slots->consumer, slots->asked), "slots could not be given back");
        rd_kafka_topic_partition_list_destroy(slots->asked);
        slots->asked = NULL;
    }
    leave_when_alone(slots);
}

int32_t sl_slots_count(const struct sl_slots *slots)
{
    return slots->n_slots;
}

/* ---- joining and leaving ---- */

/* A group.instance.id takes the letters of topic names only. */
static void instance_id(const char *worker, char *id, size_t size)
{
    size_t n = 0;

    for (; worker[n] && n + 1 < size; n++) {
        char c = worker[n];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
                     c == '-' || c == '_';

        id[n] = plain ? c : '_';
    }
    id[n] = '\0';
}

static enum sl_rc set(rd_kafka_conf_t *conf, const char *key, const char *value, struct sl_error *err)
{
    char text[300];

    if (rd_kafka_conf_set(conf, key, value, text, sizeof(text)) == RD_KAFKA_CONF_OK)
        return SL_OK;
    return sl_error_set(err, SL_E_CONFIG, "%s", text);
}

static enum sl_rc set_int(rd_kafka_conf_t *conf, const char *key, int value, struct sl_error *err)
{
    char text[16];

    (void)snprintf(text, sizeof(text), "%d", value);
    return set(conf, key, text, err);
}

/* What makes a member of it; these come last, so that nobody overrides them. */
static enum sl_rc configure(rd_kafka_conf_t *conf, const struct sl_slots_config *config, struct sl_error *err)
{
    char id[250];
    enum sl_rc rc;

    instance_id(config->worker, id, sizeof(id));
    rc = set(conf, "group.id", config->group, err);
    if (rc == SL_OK)
        rc = set(conf, "group.instance.id", id, err);
    if (rc == SL_OK)
        rc = set(conf, "client.id", config->worker, err);
    if (rc == SL_OK)
        rc = set(conf, "partition.assignment.strategy", "cooperative-sticky", err);
    if (rc == SL_OK)
        rc = set(conf, "enable.auto.commit", "false", err);
    if (rc == SL_OK)
        rc = set(conf, "auto.offset.reset", "earliest", err);
    if (rc == SL_OK) /* to one coordinator after another, while nobody may begin anything */
        rc = set_int(conf, "reconnect.backoff.ms", RECONNECT_MS, err);
    if (rc == SL_OK)
        rc = set_int(conf, "reconnect.backoff.max.ms", RECONNECT_MOST_MS, err);
    if (rc == SL_OK)
        rc = set_int(conf, "topic.metadata.refresh.interval.ms", LOOK_MS, err);
    if (rc == SL_OK)
        rc = set_int(conf, "session.timeout.ms", config->session_timeout_ms, err);
    if (rc == SL_OK)
        rc = set_int(conf, "heartbeat.interval.ms", config->session_timeout_ms / 12, err);
    return rc;
}

static void free_slots(struct sl_slots *slots)
{
    if (slots->consumer)
        rd_kafka_destroy(slots->consumer);
    sl_stop_done(&slots->stop);
    (void)pthread_mutex_destroy(&slots->lock);
    sl_doubt_done(&slots->doubt);
    sl_free(slots->returned);
    sl_free(slots->group);
    sl_free(slots->topic);
    sl_free(slots->worker);
    sl_free(slots);
}

static enum sl_rc subscribe(struct sl_slots *slots, struct sl_error *err)
{
    rd_kafka_topic_partition_list_t *topics = rd_kafka_topic_partition_list_new(1);
    rd_kafka_resp_err_t code;

    (void)rd_kafka_topic_partition_list_add(topics, slots->topic, RD_KAFKA_PARTITION_UA);
    code = rd_kafka_subscribe(slots->consumer, topics);
    rd_kafka_topic_partition_list_destroy(topics);
    if (code)
        return sl_error_set(err, SL_E_INTERNAL, "group '%s' cannot be joined: %s", slots->group,
                            rd_kafka_err2str(code));
    return SL_OK;
}

static enum sl_rc open_consumer(struct sl_slots *slots, rd_kafka_conf_t *conf, struct sl_error *err)
{
    char text[300];

    rd_kafka_conf_set_opaque(conf, slots);
    rd_kafka_conf_set_rebalance_cb(conf, rebalance);
    rd_kafka_conf_set_error_cb(conf, on_client_error);
    rd_kafka_conf_set_log_cb(conf, on_log);
    slots->consumer = rd_kafka_new(RD_KAFKA_CONSUMER, conf, text, sizeof(text));
    if (!slots->consumer) {
        rd_kafka_conf_destroy(conf);
        return sl_error_set(err, SL_E_CONFIG, "%s", text);
    }
    sl_kafka_log_in_behind(slots->consumer);
    (void)rd_kafka_poll_set_consumer(slots->consumer);
    return subscribe(slots, err);
}

enum sl_rc sl_slots_open(const struct sl_slots_config *config, const struct sl_membership_listener *listener,
                         struct sl_slots **ret, struct sl_error *err)
{
    struct sl_slots *slots = sl_zalloc(1, sizeof(*slots));
    enum sl_rc rc;

    slots->listener = *listener;
    slots->group = sl_strdup(config->group);
    slots->topic = sl_strdup(config->topic);
    slots->worker = sl_strdup(config->worker);
    slots->n_slots = config->n_slots;
    slots->give_back_us = config->give_back_ms * INT64_C(1000);
    slots->returned = sl_zalloc((size_t)config->n_slots, sizeof(*slots->returned));
    (void)pthread_mutex_init(&slots->lock, NULL);
    sl_stop_init(&slots->stop);
    sl_doubt_init(&slots->doubt, config->session_timeout_ms * INT64_C(1000), sl_now_us());
    rc = configure(config->conf, config, err);
    if (rc)
        rd_kafka_conf_destroy(config->conf);
    else
        rc = open_consumer(slots, config->conf, err);
    if (rc) {
        free_slots(slots);
        return rc;
    }
    sl_thread_start(&slots->thread, "slots", run, slots);
    *ret = slots;
    return SL_OK;
}

rd_kafka_t *sl_slots_close(struct sl_slots *slots)
{
    rd_kafka_t *consumer = slots->consumer;

    sl_stop_request(&slots->stop);
    sl_thread_join(&slots->thread);
    slots->consumer = NULL;
    free_slots(slots);
    return consumer;
}
