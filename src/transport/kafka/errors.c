/* SPDX-License-Identifier: Apache-2.0 */
#include "transport/kafka/inside.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Codes by what the receiver does; what is not here is a server that misbehaves, and is tried again. */
static enum sl_rc meaning(rd_kafka_resp_err_t code)
{
    static const struct {
        rd_kafka_resp_err_t code;
        enum sl_rc rc;
    } table[] = {
        {RD_KAFKA_RESP_ERR__AUTHENTICATION, SL_E_AUTH},
        {RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED, SL_E_AUTH},
        {RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, SL_E_AUTH},
        {RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED, SL_E_AUTH},
        {RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED, SL_E_AUTH},
        {RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED, SL_E_AUTH},
        {RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, SL_E_NOT_FOUND},
        {RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC, SL_E_NOT_FOUND},
        {RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION, SL_E_NOT_FOUND},
        {RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, SL_E_DATA},
        {RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE, SL_E_DATA},
        {RD_KAFKA_RESP_ERR_INVALID_RECORD, SL_E_DATA},
        {RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP, SL_E_DATA},
        {RD_KAFKA_RESP_ERR_PRODUCER_FENCED, SL_E_FENCED},
        {RD_KAFKA_RESP_ERR__FENCED, SL_E_FENCED},
        {RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH, SL_E_FENCED},
        {RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE, SL_E_GAP},
        {RD_KAFKA_RESP_ERR_POLICY_VIOLATION, SL_E_CONFIG},
        {RD_KAFKA_RESP_ERR_INVALID_CONFIG, SL_E_CONFIG},
        {RD_KAFKA_RESP_ERR_INVALID_PARTITIONS, SL_E_CONFIG},
        {RD_KAFKA_RESP_ERR_INVALID_REPLICATION_FACTOR, SL_E_CONFIG},
        {RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION, SL_E_CONFIG},
        {RD_KAFKA_RESP_ERR_INVALID_TRANSACTION_TIMEOUT, SL_E_CONFIG},
        {RD_KAFKA_RESP_ERR__INVALID_ARG, SL_E_CONFIG},
        {RD_KAFKA_RESP_ERR__TIMED_OUT, SL_E_TIMEOUT},
        {RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT, SL_E_TIMEOUT},
        {RD_KAFKA_RESP_ERR__MSG_TIMED_OUT, SL_E_TIMEOUT},
        {RD_KAFKA_RESP_ERR__TRANSPORT, SL_E_CONNECT},
        {RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN, SL_E_CONNECT},
        {RD_KAFKA_RESP_ERR__RESOLVE, SL_E_CONNECT},
        {RD_KAFKA_RESP_ERR__SSL, SL_E_CONNECT},
        {RD_KAFKA_RESP_ERR__PURGE_QUEUE, SL_E_STOPPED},
        {RD_KAFKA_RESP_ERR__PURGE_INFLIGHT, SL_E_STOPPED},
        {RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID, SL_E_BUSY},
    };

    for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
        if (table[i].code == code)
            return table[i].rc;
    }
    return SL_E_PROTOCOL;
}

/*
 * Until 2.6.1 librdkafka wrote its own nonce twice into SCRAM's last message (its change 4895). Brokers up to
 * 3.9 bear with that, brokers from 4.0 on compare the nonces as RFC 5802 wants it, and answer as they do to a
 * wrong password. Their text names the mechanism.
 */
static bool may_be_the_nonce(enum sl_rc rc, const char *why)
{
    return rc == SL_E_AUTH && why && strstr(why, "SCRAM-") && rd_kafka_version() < 0x02060100;
}

static const char *hint(enum sl_rc rc, const char *why)
{
    if (may_be_the_nonce(rc, why))
        return "is the password right? brokers from 4.0 on refuse every SCRAM login of librdkafka before "
               "2.6.1, "
               "and an older one is loaded: put a newer librdkafka in its place, or log in with PLAIN over "
               "TLS, "
               "OAUTHBEARER or a client certificate (docs/kafka.md, \"SCRAM\")";
    switch ((int)rc) {
    case SL_E_AUTH: return "check the user's rights (ACLs), security.protocol, sasl.* and ssl.*";
    case SL_E_NOT_FOUND: return "was the topic deleted? see docs/kafka.md, \"A topic was deleted\"";
    case SL_E_DATA: return "raise max.message.bytes of the topic and producer.max.request.size";
    case SL_E_FENCED: return "another worker has taken this over; nothing of this one's was made durable";
    case SL_E_CONNECT:
    case SL_E_TIMEOUT: return "are the brokers of bootstrap.servers up and reachable?";
    case SL_E_BUSY: return "is a Kafka Connect worker still running with this group?";
    default: return "see docs/kafka.md";
    }
}

enum sl_rc sl_kafka_error(struct sl_error *err, rd_kafka_resp_err_t code, const char *why, const char *doing,
                          ...)
{
    enum sl_rc rc = meaning(code);
    char what[200];
    va_list args;

    va_start(args, doing);
    (void)vsnprintf(what, sizeof(what), doing, args);
    va_end(args);
    (void)sl_error_set(err, rc, "Kafka: %s: %.150s. HINT: %s", what,
                       why && *why ? why : rd_kafka_err2str(code), hint(rc, why));
    sl_error_native(err, rd_kafka_err2name(code));
    return rc;
}

enum sl_rc sl_kafka_error_of(struct sl_error *err, rd_kafka_error_t *error, const char *doing)
{
    enum sl_rc rc =
        sl_kafka_error(err, rd_kafka_error_code(error), rd_kafka_error_string(error), "%s", doing);

    rd_kafka_error_destroy(error);
    return rc;
}

enum sl_rc sl_kafka_stopped(struct sl_error *err)
{
    return sl_error_set(err, SL_E_STOPPED, "stopped while waiting for Kafka");
}

bool sl_kafka_retriable(rd_kafka_resp_err_t code)
{
    switch ((int)code) {
    case RD_KAFKA_RESP_ERR__TRANSPORT:
    case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
    case RD_KAFKA_RESP_ERR__TIMED_OUT:
    case RD_KAFKA_RESP_ERR__RESOLVE:
    case RD_KAFKA_RESP_ERR__WAIT_COORD:
    case RD_KAFKA_RESP_ERR__IN_PROGRESS: return true;
    case RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION:
    case RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT:
    case RD_KAFKA_RESP_ERR_BROKER_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_NETWORK_EXCEPTION:
    case RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS:
    case RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_NOT_COORDINATOR:
    case RD_KAFKA_RESP_ERR_NOT_CONTROLLER:
    case RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS:
    case RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR:
    case RD_KAFKA_RESP_ERR_CONCURRENT_TRANSACTIONS:
    case RD_KAFKA_RESP_ERR_OFFSET_NOT_AVAILABLE: return true;
    default: return false;
    }
}
