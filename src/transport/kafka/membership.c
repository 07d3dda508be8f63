/* SPDX-License-Identifier: Apache-2.0 */
#include "transport/kafka/membership.h"

#include "base/clock.h"
#include "base/number.h"
#include "base/props.h"
#include "transport/kafka/inside.h"
#include "transport/kafka/slots.h"

enum {
    SLOTS = 64,              /* of a topic that is made now; one that is there keeps its number */
    SESSION_MS = 6000,       /* the least that brokers take by default */
    GIVE_BACK_MS = 5000,     /* beyond what tasks have to stop in */
    SESSION_LEAST_MS = 1000, /* brokers have the last word */
};

struct sl_membership {
    struct sl_kafka *kafka;
    struct sl_slots *slots;
};

static int64_t number(const struct sl_props *props, const char *key, int64_t otherwise)
{
    const char *text = sl_props_get(props, key);
    int64_t value;

    return text && sl_parse_int64(text, &value) ? value : otherwise;
}

/* The topic of slots is there, and has how many? */
static enum sl_rc make_topic(struct sl_kafka *kafka, const char *name, int32_t *ret_slots,
                             struct sl_error *err)
{
    const struct sl_topic_settings settings = {
        .partitions = SLOTS,
        .compact = true,
        .replication = (int16_t)number(kafka->props, "config.storage.replication.factor", -1),
        .retention_ms = SL_LOG_DEFAULT,
        .retention_bytes = SL_LOG_DEFAULT,
    };
    int64_t deadline_us = sl_now_us() + SL_KAFKA_ANSWER_US;
    enum sl_rc rc = sl_kafka_make_topic(kafka, name, &settings, err);

    if (rc == SL_OK)
        rc = sl_kafka_count_partitions(kafka, name, ret_slots, err);
    while (rc == SL_OK && !*ret_slots && sl_now_us() < deadline_us && !sl_kafka_given_up(kafka) &&
           !sl_stop_wait(&kafka->stop, sl_now_us() + SL_KAFKA_TURN_MS * 1000))
        rc = sl_kafka_count_partitions(kafka, name, ret_slots, err); /* not every broker knows it yet */
    if (rc == SL_OK && *ret_slots < 1)
        rc = sl_error_set(err, SL_E_NOT_FOUND,
                          "topic '%s', by which workers share the tasks, is not there although it was made. "
                          "HINT: look whether something deletes topics",
                          name);
    return rc;
}

static enum sl_rc open_slots(struct sl_kafka *kafka, const char *topic, int32_t n, const char *worker,
                             const struct sl_membership_listener *listener, struct sl_slots **ret,
                             struct sl_error *err)
{
    const struct sl_kafka_client client = {.worker = kafka->props};
    struct sl_slots_config config = {.group = kafka->group, .topic = topic, .n_slots = n, .worker = worker};
    int64_t session_ms = number(kafka->props, "session.timeout.ms", SESSION_MS);
    int64_t stop_ms = number(kafka->props, "task.shutdown.graceful.timeout.ms", GIVE_BACK_MS);
    enum sl_rc rc = sl_kafka_conf(kafka, &client, &config.conf, err);

    if (rc)
        return rc;
    config.session_timeout_ms = session_ms < SESSION_LEAST_MS ? SESSION_LEAST_MS
                                : session_ms > INT32_MAX      ? INT32_MAX
                                                              : (int)session_ms;
    config.give_back_ms = GIVE_BACK_MS + (stop_ms > 0 && stop_ms < 60000 ? (int)stop_ms : GIVE_BACK_MS);
    return sl_slots_open(&config, listener, ret, err);
}

static enum sl_rc join(struct sl_transport *transport, const char *worker,
                       const struct sl_membership_listener *listener, struct sl_membership **ret,
                       struct sl_error *err)
{
    struct sl_kafka *kafka = sl_kafka_of(transport);
    struct sl_slots *slots = NULL;
    int32_t n = 0;
    char *topic = sl_format("%s-sluice-slots", kafka->group);
    enum sl_rc rc = make_topic(kafka, topic, &n, err);

    if (rc == SL_OK)
        rc = open_slots(kafka, topic, n, worker, listener, &slots, err);
    sl_free(topic);
    if (rc)
        return rc;
    *ret = sl_zalloc(1, sizeof(**ret));
    (*ret)->kafka = kafka;
    (*ret)->slots = slots;
    return SL_OK;
}

static int32_t count(const struct sl_membership *membership)
{
    return sl_slots_count(membership->slots);
}

static void give_back(struct sl_membership *membership, int32_t slot)
{
    sl_slots_give_back(membership->slots, slot);
}

static void leave(struct sl_membership *membership)
{
    sl_kafka_bury(membership->kafka, sl_slots_close(membership->slots));
    sl_free(membership);
}

const struct sl_membership_ops sl_kafka_membership = {
    .join = join, .slots = count, .give_back = give_back, .leave = leave};
