/* SPDX-License-Identifier: Apache-2.0 */
/* Do other settings lead to this cluster, or to another? */
#include "transport/kafka/inside.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/props.h"

#include <string.h>
#include <strings.h>

enum { ASK_US = 3 * 1000 * 1000 };

static bool is_among(const char *servers, const char *wanted)
{
    char server[300];

    while (sl_list_next(&servers, server, sizeof(server))) {
        if (strcasecmp(server, wanted) == 0)
            return true;
    }
    return false;
}

/* A broker belongs to one cluster: one that both lists name decides. */
static bool have_one_in_common(const char *ours, const char *others)
{
    char server[300];

    while (ours && sl_list_next(&others, server, sizeof(server))) {
        if (*server && is_among(ours, server))
            return true;
    }
    return false;
}

struct asking {
    rd_kafka_resp_err_t code;
    char why[200];
};

static void on_error(rd_kafka_t *client, int code, const char *why, void *opaque)
{
    struct asking *asking = opaque;

    (void)client;
    asking->code = (rd_kafka_resp_err_t)code;
    (void)snprintf(asking->why, sizeof(asking->why), "%s", why);
}

/* What there is to say is said by whoever asked: librdkafka would write it to the standard error. */
static void on_log(const rd_kafka_t *client, int level, const char *facility, const char *text)
{
    (void)level;
    sl_debug("Kafka client", SL_T("client", rd_kafka_name(client)), SL_T("what", facility),
             SL_T("text", text));
}

/* Until they say it, or cannot be reached. What is told as an error first is what no waiting would mend. */
static enum sl_rc ask(struct sl_kafka *kafka, rd_kafka_t *client, const struct asking *asking, bool *ret_is,
                      struct sl_error *err)
{
    int64_t deadline_us = sl_now_us() + ASK_US;
    char *id = NULL;

    while (!id && !asking->code && sl_now_us() < deadline_us && !sl_kafka_given_up(kafka)) {
        id = rd_kafka_clusterid(client, SL_KAFKA_TURN_MS);
        (void)rd_kafka_poll(client, 0);
    }
    if (!id)
        return sl_kafka_error(err, asking->code ? asking->code : RD_KAFKA_RESP_ERR__TIMED_OUT, asking->why,
                              "asking brokers to which cluster they belong");
    *ret_is = strcmp(kafka->identity + strlen("kafka:"), id) == 0;
    rd_kafka_mem_free(client, id);
    return SL_OK;
}

enum sl_rc sl_kafka_is_log_at(struct sl_transport *transport, const struct sl_props *props,
                              const char *prefix, const char *servers, bool *ret_is, struct sl_error *err)
{
    static const struct sl_kafka_setting quick[] = {{"reconnect.backoff.max.ms", "500"}, {NULL, NULL}};
    struct sl_kafka *kafka = sl_kafka_of(transport);
    struct sl_props *nothing;
    struct asking asking = {0};
    rd_kafka_conf_t *conf;
    rd_kafka_t *client;
    enum sl_rc rc;

    if (have_one_in_common(sl_props_get(kafka->props, "bootstrap.servers"), servers)) {
        *ret_is = true;
        return SL_OK;
    }
    nothing = sl_props_new();
    rc = sl_kafka_conf_new(
        &(struct sl_kafka_client){
            .worker = nothing, .connector = props, .override_prefix = prefix, .always = quick},
        &conf, err);
    sl_props_free(nothing);
    if (rc)
        return rc;
    rd_kafka_conf_set_log_cb(conf, on_log);
    rd_kafka_conf_set_error_cb(conf, on_error);
    rd_kafka_conf_set_opaque(conf, &asking);
    rc = sl_kafka_conf_set(conf, "bootstrap.servers", servers, err);
    if (rc) {
        rd_kafka_conf_destroy(conf);
        return rc;
    }
    rc = sl_kafka_client_open(RD_KAFKA_PRODUCER, conf, &client, err);
    if (rc)
        return rc;
    rc = ask(kafka, client, &asking, ret_is, err);
    sl_kafka_bury(kafka, client); /* it calls back only while it is polled */
    return rc;
}
