/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/config/override_policy.h"

#include "base/props.h"

#include <string.h>
#include <strings.h>

#define PACKAGE "org.apache.kafka.connect.connector.policy."
#define CLASS "ConnectorClientConfigOverridePolicy"

const char *const sl_override_policies[] = {
    "All",
    "None",
    "Principal",
    "All" CLASS,
    "None" CLASS,
    "Principal" CLASS,
    PACKAGE "All" CLASS,
    PACKAGE "None" CLASS,
    PACKAGE "Principal" CLASS,
    NULL,
};

/* "None" of "org...NoneConnectorClientConfigOverridePolicy". */
static bool is(const char *policy, const char *name)
{
    if (strncmp(policy, PACKAGE, sizeof(PACKAGE) - 1) == 0)
        policy += sizeof(PACKAGE) - 1;
    return strncasecmp(policy, name, strlen(name)) == 0 &&
           (!policy[strlen(name)] || strcmp(policy + strlen(name), CLASS) == 0);
}

static bool says_who(const char *key)
{
    return strcmp(key, "security.protocol") == 0 || strcmp(key, "sasl.mechanism") == 0 ||
           strcmp(key, "sasl.jaas.config") == 0;
}

void sl_override_policy_check(const char *policy, bool sink, const struct sl_props *props,
                              struct sl_complaints *complaints)
{
    static const char *const prefixes[] = {"consumer.override.", "producer.override.", "admin.override."};
    const char *letters = sl_props_get(props, "errors.deadletterqueue.topic.name");
    size_t n_prefixes = sink && (!letters || !*letters) ? 1 : 3;
    bool principal = is(policy, "Principal");

    if (!principal && !is(policy, "None"))
        return;
    for (size_t i = 0; i < sl_props_count(props); i++) {
        const char *key;
        const char *value;

        sl_props_at(props, i, &key, &value);
        for (size_t p = 0; p < n_prefixes; p++) {
            size_t len = strlen(prefixes[p]);

            if (strncmp(key, prefixes[p], len) == 0 && !(principal && says_who(key + len)))
                sl_complain(complaints, key,
                            "The '%s' policy does not allow '%s' to be overridden in the connector "
                            "configuration.",
                            principal ? "Principal" : "None", key + len);
        }
    }
}
