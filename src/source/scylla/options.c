/* SPDX-License-Identifier: Apache-2.0 */
#include "source/scylla/options.h"

#include "base/props.h"
#include "net/cql/cql.h"

#include <ctype.h>

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})
#define HIGH SL_IMPORTANCE_HIGH
#define MEDIUM SL_IMPORTANCE_MEDIUM
#define LOW SL_IMPORTANCE_LOW
#define MODES WORDS("none", "full", "only-updated")

/* host:port,host:port; the port is part of the connector's contract. */
static const char *check_addresses(const char *text)
{
    const char *cursor = text;
    char item[300];

    while (sl_list_next(&cursor, item, sizeof(item))) {
        const char *colon = strrchr(item, ':');

        if (!colon || colon == item || !colon[1] || strspn(colon + 1, "0123456789") != strlen(colon + 1))
            return "is not host:port,host:port. HINT: each address needs its port, e.g. 10.0.0.1:9042";
    }
    return NULL;
}

static bool is_name(const char *text, size_t len)
{
    if (len < 1 || len > 48)
        return false;
    for (size_t i = 0; i < len; i++)
        if (!isalnum((unsigned char)text[i]) && text[i] != '_')
            return false;
    return true;
}

static const char *check_tables(const char *text)
{
    const char *cursor = text;
    char item[300];

    while (sl_list_next(&cursor, item, sizeof(item))) {
        const char *dot = strchr(item, '.');

        if (!dot || !is_name(item, (size_t)(dot - item)) || !is_name(dot + 1, strlen(dot + 1)))
            return "is not keyspace.table,keyspace.table. HINT: names have letters, digits and _, at most 48 "
                   "of them";
    }
    return NULL;
}

static const char *check_consistency(const char *text)
{
    static const char *const taken[] = {"ONE",    "TWO",          "THREE", "LOCAL_ONE",
                                        "QUORUM", "LOCAL_QUORUM", "ALL",   NULL};

    for (const char *const *word = taken; *word; word++)
        if (strcasecmp(*word, text) == 0)
            return NULL;
    return "is none of ONE, TWO, THREE, LOCAL_ONE, QUORUM, LOCAL_QUORUM, ALL";
}

static const char *check_placement(const char *text)
{
    static const char *const taken[] = {"kafka-key",   "payload-after", "payload-before",
                                        "payload-key", "kafka-headers", NULL};
    const char *cursor = text;
    char item[64];

    while (sl_list_next(&cursor, item, sizeof(item))) {
        const char *const *word = taken;

        while (*word && strcmp(*word, item) != 0)
            word++;
        if (!*word)
            return "names a place that is none of kafka-key, payload-after, payload-before, payload-key, "
                   "kafka-headers";
    }
    return NULL;
}

const struct sl_option sl_scylla_options[] = {
    /* Whom to call. */
    {"scylla.cluster.ip.addresses", SL_OPT_LIST, NULL, true, HIGH,
     "Nodes to call first, as host:port, separated by commas; the others are learnt from them.",
     .validate = check_addresses},
    {"scylla.table.names", SL_OPT_LIST, NULL, true, HIGH,
     "Tables to read, as keyspace.table, separated by commas; each must have CDC on.",
     .validate = check_tables},
    {"topic.prefix", SL_OPT_STRING, NULL, false, HIGH,
     "Logical name of the cluster: first part of every topic and schema name; never change it later. "
     "scylla.name or this is required."},
    {"scylla.name", SL_OPT_STRING, NULL, false, HIGH,
     "The logical name, as connectors up to 1.2.2 called it; with both given, sluice.compat.scylla says "
     "which "
     "one names the topics."},
    {"sluice.compat.scylla", SL_OPT_STRING, "2", false, MEDIUM,
     "The connector line whose events are written: 1.2 (up to 1.2.2, named by scylla.name) or 2 "
     "(topic.prefix).",
     WORDS("1.2", "2")},
    {"scylla.user", SL_OPT_STRING, NULL, false, HIGH,
     "User name; together with scylla.password, or neither."},
    {"scylla.password", SL_OPT_PASSWORD, NULL, false, HIGH, "Password of the user."},
    {"scylla.consistency.level", SL_OPT_STRING, "QUORUM", false, MEDIUM,
     "Consistency of reads of the change log and of rows.", .validate = check_consistency},
    {"scylla.local.dc", SL_OPT_STRING, NULL, false, MEDIUM,
     "Data centre whose nodes are asked; unset: that of the first node that answers."},
    {"scylla.ssl.enabled", SL_OPT_BOOLEAN, "false", false, MEDIUM, "Whether connections are encrypted."},
    {"scylla.ssl.provider", SL_OPT_STRING, "JDK", false, LOW,
     "Accepted without effect: OpenSSL does the work.", WORDS("JDK", "OPENSSL", "OPENSSL_REFCNT")},
    {"scylla.ssl.truststore.path", SL_OPT_STRING, NULL, false, MEDIUM,
     "Certificates of authorities to trust: JKS, PKCS#12 or PEM."},
    {"scylla.ssl.truststore.password", SL_OPT_PASSWORD, NULL, false, MEDIUM, "Password of the trust store."},
    {"scylla.ssl.keystore.path", SL_OPT_STRING, NULL, false, MEDIUM,
     "The client's key and certificate: JKS or PKCS#12."},
    {"scylla.ssl.keystore.password", SL_OPT_PASSWORD, NULL, false, MEDIUM, "Password of the key store."},
    {"scylla.ssl.cipherSuites", SL_OPT_LIST, NULL, false, LOW,
     "Cipher suites to offer, by their JSSE or OpenSSL names."},
    {"scylla.ssl.openssl.keyCertChain", SL_OPT_STRING, NULL, false, LOW,
     "The client's certificate as PEM; together with scylla.ssl.openssl.privateKey."},
    {"scylla.ssl.openssl.privateKey", SL_OPT_STRING, NULL, false, LOW, "The client's key as PEM."},
    {"sluice.scylla.ssl.verify.host", SL_OPT_BOOLEAN, "false", false, MEDIUM,
     "Whether a node's certificate must name the host that was called."},
    {"sluice.scylla.compression", SL_OPT_BOOLEAN, "true", false, LOW,
     "Whether frames are compressed (LZ4) where the server offers it."},
    {"worker.pooling.core.pool.local", SL_OPT_INT, "1", false, LOW,
     "Connections for each node, or for each shard of a ScyllaDB node.", .min = 1, .max = 128},
    {"worker.pooling.max.pool.local", SL_OPT_INT, "1", false, LOW, "Accepted without effect."},
    {"worker.pooling.max.queue.size", SL_OPT_INT, "256", false, LOW, "Accepted without effect."},
    {"worker.pooling.max.requests.per.connection", SL_OPT_INT, "256", false, LOW,
     "Most requests on their way on one connection.", .min = 1, .max = 32767},
    {"worker.pooling.pool.timeout.ms", SL_OPT_INT, "5000", false, LOW,
     "Longest time in ms until a new connection can be used.", .min = 0, .max = INT32_MAX},
    {"worker.retry.backoff.base", SL_OPT_INT, "50", false, LOW,
     "First wait in ms before a failed read is tried again.", .min = 1, .max = INT32_MAX},
    {"worker.maximum.backoff", SL_OPT_INT, "30000", false, LOW, "Longest wait in ms between tries.", .min = 1,
     .max = INT32_MAX},
    {"worker.jitter.percentage", SL_OPT_INT, "20", false, LOW,
     "Accepted without effect: half of a wait is random.", .min = 1, .max = 100},
    {"worker.max.retries", SL_OPT_INT, "20", false, LOW, "Accepted without effect: outages are waited for."},
    {"worker.shared.session.enabled", SL_OPT_BOOLEAN, "false", false, LOW, "Accepted without effect."},

    /* Reading the log. */
    {"scylla.query.time.window.size", SL_OPT_INT, "30000", false, MEDIUM,
     "Length in ms of the window of the log that is closed and confirmed at once.", .min = 1,
     .max = INT32_MAX},
    {"scylla.confidence.window.size", SL_OPT_INT, "30000", false, MEDIUM,
     "Age in ms that a change must have until it is held for settled; more than the cluster's write timeout "
     "and the difference of its clocks.",
     .min = 0, .max = INT32_MAX},
    {"scylla.minimal.wait.for.window.time", SL_OPT_INT, "0", false, LOW,
     "Least time in ms between two windows of the same streams.", .min = 0, .max = INT32_MAX},
    {"scylla.query.options.fetch.size", SL_OPT_INT, "0", false, LOW, "Rows of a page; 0: 5,000.", .min = 0,
     .max = 1000000},
    {"scylla.initial.lookback.ms", SL_OPT_LONG, "0", false, MEDIUM,
     "First start only: how far back in ms to begin; 0: at the oldest change that the log still holds.",
     .min = 0, .max = INT64_MAX / 2000},
    {"sluice.scylla.requests.max", SL_OPT_INT, "64", false, LOW,
     "Most requests of one task on their way to the cluster.", .min = 1, .max = 1024},
    {"sluice.scylla.expired", SL_OPT_STRING, "fail", false, MEDIUM,
     "What to do when the position lies behind what the log still holds: fail stops the task and names the "
     "gap, "
     "continue goes on with the oldest change that is there.",
     WORDS("fail", "continue")},
    {"sluice.scylla.range.deletes", SL_OPT_BOOLEAN, "true", false, MEDIUM,
     "Whether deletes of ranges and partitions become events (header __sluice.range); the connector leaves "
     "them "
     "out."},

    /* Settling what the log cannot tell; docs/decisions/scylla-order.md. */
    {"sluice.scylla.early.reads", SL_OPT_BOOLEAN, "true", false, MEDIUM,
     "Whether changes are written as soon as they are seen, and settled when their window closes."},
    {"sluice.scylla.early.interval.ms", SL_OPT_INT, "500", false, LOW,
     "Wait in ms between two early looks at all streams.", .min = 10, .max = 3600000},
    {"sluice.scylla.read.again", SL_OPT_BOOLEAN, "true", false, MEDIUM,
     "Whether a row is read from its table where its events do not tell what it is in the end."},
    {"sluice.scylla.sweep.ms", SL_OPT_LONG, "600000", false, LOW,
     "How far behind the closed windows late changes are looked for, in ms; 0: not at all.", .min = 0,
     .max = INT64_MAX / 2000},
    {"sluice.scylla.sweep.interval.ms", SL_OPT_LONG, "60000", false, LOW,
     "Wait in ms between two looks for late changes.", .min = 100, .max = INT32_MAX},
    {"snapshot.mode", SL_OPT_STRING, "no_data", false, HIGH,
     "When the rows that exist already are read, beside the log: initial (at the first start), initial_only "
     "(and "
     "then nothing more), when_needed (also where the position lies behind what the log still holds), always "
     "(at "
     "each start), or no_data (schema_only, never) as the connector does.",
     WORDS("initial", "initial_only", "when_needed", "always", "no_data", "schema_only", "never")},
    {"snapshot.consistency.mode", SL_OPT_STRING, "all_tables", false, LOW,
     "all_tables: the position of all tables is fixed before the first row is read.", WORDS("all_tables")},
    {"sluice.scylla.snapshot.ranges", SL_OPT_INT, "8", false, LOW,
     "Token ranges of a snapshot that are read at a time.", .min = 1, .max = 256},

    /* Events and topics. */
    {"cdc.output.format", SL_OPT_STRING, "legacy", false, HIGH,
     "Shape of the events: legacy (cells, no collections) or advanced (plain columns, images).",
     WORDS("legacy", "advanced")},
    {"experimental.preimages.enabled", SL_OPT_BOOLEAN, "false", false, MEDIUM,
     "legacy only: whether the row before the change is written where the log has it."},
    {"cdc.include.before", SL_OPT_STRING, "none", false, MEDIUM,
     "advanced only: the row before the change; needs the table's preimage.", MODES},
    {"cdc.include.after", SL_OPT_STRING, "none", false, MEDIUM,
     "advanced only: the row after the change, from the table's postimage or else what the change names.",
     MODES},
    {"cdc.include.primary-key.placement", SL_OPT_LIST, "kafka-key,payload-after,payload-before", false,
     MEDIUM,
     "advanced only: where the primary key is written: kafka-key, payload-after, payload-before, "
     "payload-key, "
     "kafka-headers.",
     .validate = check_placement},
    {"cdc.include.primary-key.payload-key-name", SL_OPT_STRING, "key", false, LOW,
     "Name of the field for payload-key."},
    {"cdc.incomplete.task.timeout.ms", SL_OPT_LONG, "15000", false, LOW,
     "Accepted without effect: a change whose image is missing is written at once, with what is known."},
    {"tombstones.on.delete", SL_OPT_BOOLEAN, "true", false, MEDIUM,
     "Whether a delete is followed by a record with the key and no value."},
    {"skipped.operations", SL_OPT_LIST, "t", false, LOW,
     "Operations that make no record: c, u, d, r, t, or none."},
    {"topic.delimiter", SL_OPT_STRING, ".", false, LOW, "What stands between the parts of a topic name."},
    {"topic.naming.strategy", SL_OPT_CLASS, NULL, false, LOW,
     "Accepted without effect, as in the connector."},
    {"heartbeat.interval.ms", SL_OPT_INT, "30000", false, LOW,
     "Wait in ms between two heartbeat records of a task.", .min = 1, .max = INT32_MAX},
    {"topic.heartbeat.prefix", SL_OPT_STRING, "__debezium-heartbeat", false, LOW,
     "First part of the name of the heartbeat topic.", NULL, "heartbeat.topics.prefix"},
    {"topic.heartbeat.name", SL_OPT_STRING, NULL, false, LOW, "Accepted without effect."},
    {"heartbeat.action.query", SL_OPT_STRING, NULL, false, LOW, "Accepted without effect."},
    {"sourceinfo.struct.maker", SL_OPT_CLASS, NULL, false, LOW, "Accepted without effect."},

    /* Debezium's common ones. */
    {"poll.interval.ms", SL_OPT_LONG, "500", false, LOW,
     "Accepted without effect: windows say when to look at the log.", .min = 1, .max = INT32_MAX},
    {"max.batch.size", SL_OPT_INT, "2048", false, LOW,
     "Accepted without effect: a batch holds what is there.", .min = 1, .max = INT32_MAX},
    {"max.queue.size", SL_OPT_INT, "8192", false, LOW,
     "Accepted without effect: memory is bounded in bytes by the worker."},
    {"max.queue.size.in.bytes", SL_OPT_LONG, "0", false, LOW, "Accepted without effect."},
    {"event.processing.failure.handling.mode", SL_OPT_STRING, "fail", false, LOW,
     "A change that cannot be read stops the task; warn and skip are taken and do the same.",
     WORDS("fail", "warn", "skip", "ignore")},
    {"event.converting.failure.handling.mode", SL_OPT_STRING, "warn", false, LOW, "Accepted without effect."},
    {"errors.max.retries", SL_OPT_INT, "-1", false, LOW, "Accepted without effect: outages are waited for."},
    {"retriable.restart.connector.wait.ms", SL_OPT_INT, "10000", false, LOW, "Accepted without effect."},
    {"binary.handling.mode", SL_OPT_STRING, "bytes", false, LOW,
     "Accepted without effect, as in the connector."},
    {"schema.name.adjustment.mode", SL_OPT_STRING, "avro", false, LOW,
     "Accepted without effect: schema names are always made to fit Avro, as in the connector."},
    {"field.name.adjustment.mode", SL_OPT_STRING, "none", false, LOW,
     "Accepted without effect, as in the connector."},
    {"skip.messages.without.change", SL_OPT_BOOLEAN, "false", false, LOW, "Accepted without effect."},
    {"streaming.delay.ms", SL_OPT_INT, "0", false, LOW, "Accepted without effect."},
    {"custom.metric.tags", SL_OPT_STRING, NULL, false, LOW, "Accepted without effect."},
    {"converters", SL_OPT_LIST, NULL, false, LOW, "Accepted without effect."},
    {"post.processors", SL_OPT_LIST, NULL, false, LOW, "Accepted without effect."},
    {"scylla.worker.config", SL_OPT_STRING, NULL, false, LOW,
     "Accepted without effect: tasks find their part."},
    {"signal.*", SL_OPT_STRING, NULL, false, LOW, "Accepted without effect."},
    {"notification.*", SL_OPT_STRING, NULL, false, LOW, "Accepted without effect."},
    {"incremental.snapshot.*", SL_OPT_STRING, NULL, false, LOW, "Accepted without effect."},
    {"snapshot.*", SL_OPT_STRING, NULL, false, LOW, "Accepted without effect."},
    {"schema.history.*", SL_OPT_STRING, NULL, false, LOW,
     "Accepted without effect: no schema history is needed."},
    {"internal.*", SL_OPT_STRING, NULL, false, LOW, "Accepted without effect."},
    {0},
};
