/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Are the topics of texts compacted, and nothing else? With cleanup.policy=delete the brokers would one day
 * remove configurations and offsets that are still needed. Kafka Connect refuses to start then, in these
 * words (TopicAdmin.verifyTopicCleanupPolicyOnlyCompact), and so do we. A broker that does not let us look is
 * not asked twice.
 */
#include "transport/kafka/inside.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"

#include <string.h>

enum { REQUEST_MS = 5000 };

static const char *policy_of(const rd_kafka_ConfigResource_t *resource)
{
    size_t n = 0;
    const rd_kafka_ConfigEntry_t **entries = rd_kafka_ConfigResource_configs(resource, &n);

    for (size_t i = 0; i < n; i++) {
        if (strcmp(rd_kafka_ConfigEntry_name(entries[i]), "cleanup.policy") == 0)
            return rd_kafka_ConfigEntry_value(entries[i]);
    }
    return NULL;
}

static enum sl_rc refuse(const struct sl_kafka_compacted *topic, const char *policy, struct sl_error *err)
{
    return sl_error_set(
        err, SL_E_CONFIG,
        "Topic '%.200s' supplied via the '%s' property is required to have 'cleanup.policy=compact' to "
        "guarantee consistency and durability of %s, but found the topic currently has "
        "'cleanup.policy=%.60s'. Continuing would likely result in eventually losing %s and problems "
        "restarting. HINT: change the '%s' property to name a topic with 'cleanup.policy=compact', or set "
        "that of this topic (kafka-configs --alter)",
        topic->name, topic->property, topic->what, policy, topic->what, topic->property);
}

static enum sl_rc check(const rd_kafka_ConfigResource_t *resource, const struct sl_kafka_compacted *topics,
                        size_t n, struct sl_error *err)
{
    const char *name = rd_kafka_ConfigResource_name(resource);
    const char *policy = rd_kafka_ConfigResource_error(resource) ? NULL : policy_of(resource);

    if (!policy || strcmp(policy, "compact") == 0)
        return SL_OK;
    for (size_t i = 0; i < n; i++) {
        if (strcmp(topics[i].name, name) == 0)
            return refuse(&topics[i], policy, err);
    }
    return SL_OK;
}

static rd_kafka_event_t *describe(struct sl_kafka *kafka, const struct sl_kafka_compacted *topics, size_t n)
{
    rd_kafka_queue_t *queue = rd_kafka_queue_new(kafka->client);
    rd_kafka_AdminOptions_t *admin =
        rd_kafka_AdminOptions_new(kafka->client, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS);
    rd_kafka_ConfigResource_t **resources = sl_zalloc(n, sizeof(rd_kafka_ConfigResource_t *));
    rd_kafka_event_t *event;
    char why[200];

    for (size_t i = 0; i < n; i++)
        resources[i] = rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topics[i].name);
    (void)rd_kafka_AdminOptions_set_request_timeout(admin, REQUEST_MS, why, sizeof(why));
    rd_kafka_DescribeConfigs(kafka->client, resources, n, admin, queue);
    event = rd_kafka_queue_poll(queue, REQUEST_MS + 1000);
    rd_kafka_ConfigResource_destroy_array(resources, n);
    sl_free(resources);
    rd_kafka_AdminOptions_destroy(admin);
    rd_kafka_queue_destroy(queue);
    return event;
}

static bool answered(const rd_kafka_event_t *event)
{
    return event && !rd_kafka_event_error((rd_kafka_event_t *)(uintptr_t)event);
}

enum sl_rc sl_kafka_expect_compacted(struct sl_kafka *kafka, const struct sl_kafka_compacted *topics,
                                     size_t n, struct sl_error *err)
{
    int64_t deadline_us = sl_now_us() + SL_KAFKA_ANSWER_US;
    rd_kafka_event_t *event = describe(kafka, topics, n);
    const rd_kafka_ConfigResource_t **resources;
    enum sl_rc rc = SL_OK;
    size_t found = 0;

    while (!answered(event) && sl_now_us() < deadline_us && !sl_kafka_given_up(kafka) &&
           (!event || sl_kafka_retriable(rd_kafka_event_error(event)))) {
        if (event)
            rd_kafka_event_destroy(event);
        event = describe(kafka, topics, n);
    }
    if (!answered(event)) {
        sl_warn("whether the topics of configurations and offsets are compacted could not be learnt",
                SL_T("why", event ? rd_kafka_event_error_string(event) : "no answer"));
        if (event)
            rd_kafka_event_destroy(event);
        return SL_OK;
    }
    resources =
        rd_kafka_DescribeConfigs_result_resources(rd_kafka_event_DescribeConfigs_result(event), &found);
    for (size_t i = 0; rc == SL_OK && i < found; i++)
        rc = check(resources[i], topics, n, err);
    rd_kafka_event_destroy(event);
    return rc;
}
