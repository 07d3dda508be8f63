/* SPDX-License-Identifier: Apache-2.0 */
#include "transport/kafka/prefetch.h"

#include <stdlib.h>
#include <string.h>

enum { HAS_SETTING = 0x02020000 };

const char *sl_kafka_prefetch_setting(void)
{
    return rd_kafka_version() >= HAS_SETTING ? "fetch.queue.backoff.ms" : NULL;
}

/* False: it is not set, or longer than there is room. */
static bool get(rd_kafka_t *consumer, const char *name, char *text, size_t size)
{
    size_t len = size;

    return rd_kafka_conf_get(rd_kafka_conf(consumer), name, text, &len) == RD_KAFKA_CONF_OK && len <= size;
}

static size_t get_number(rd_kafka_t *consumer, const char *name)
{
    char text[24];

    return get(consumer, name, text, sizeof(text)) ? (size_t)strtoull(text, NULL, 10) : 0;
}

/* What connections log in with; empty where nobody looks at it. False: it is not known (Kerberos). */
static bool get_credentials(rd_kafka_t *consumer, char *username, char *password, size_t size)
{
    char protocol[32] = "";
    char mechanism[32] = "";

    username[0] = password[0] = '\0';
    if (!get(consumer, "security.protocol", protocol, sizeof(protocol)))
        return false;
    if (strncmp(protocol, "sasl", 4) != 0)
        return true;
    if (!get(consumer, "sasl.mechanisms", mechanism, sizeof(mechanism)))
        return false;
    return strcmp(mechanism, "OAUTHBEARER") == 0 ||
           (get(consumer, "sasl.username", username, size) && get(consumer, "sasl.password", password, size));
}

/*
 * The one call that wakes these threads and asks nobody anything: new credentials for connections to come,
 * which are the old ones.
 */
void sl_kafka_wake_consumer(rd_kafka_t *consumer)
{
    char username[1024];
    char password[1024];

    if (get_credentials(consumer, username, password, sizeof(username))) {
        rd_kafka_error_t *error = rd_kafka_sasl_set_credentials(consumer, username, password);

        if (error)
            rd_kafka_error_destroy(error);
    }
    explicit_bzero(password, sizeof(password));
}

void sl_kafka_prefetch_init(struct sl_kafka_prefetch *prefetch, rd_kafka_t *consumer)
{
    *prefetch = (struct sl_kafka_prefetch){0};
    if (sl_kafka_prefetch_setting())
        return;
    prefetch->consumer = consumer;
    prefetch->quarter_bytes = get_number(consumer, "queued.max.messages.kbytes") * 1024 / 4;
    prefetch->quarter_records = get_number(consumer, "queued.min.messages") / 4;
}

void sl_kafka_prefetch_took(struct sl_kafka_prefetch *prefetch, size_t records, size_t bytes)
{
    if (!prefetch->consumer || !records)
        return;
    prefetch->records += records;
    prefetch->bytes += bytes;
    if (prefetch->records < prefetch->quarter_records && prefetch->bytes < prefetch->quarter_bytes)
        return;
    prefetch->records = 0;
    prefetch->bytes = 0;
    sl_kafka_wake_consumer(prefetch->consumer);
}
