/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A task's key and value converters. A connector that names its own converter brings that converter's keys
 * too; the worker's sub-keys do not carry over (as in Kafka Connect).
 */
#ifndef SLUICE_ENGINE_CONVERTERS_H
#define SLUICE_ENGINE_CONVERTERS_H

#include "engine/config/plugins.h"

struct sl_converters {
    struct sl_converter key;
    struct sl_converter value;
};

/* What stands for one side: whose properties hold it, and its class. */
struct sl_converter_choice {
    const struct sl_props *props;
    const char *class_name; /* never NULL: Avro when nobody says anything */
};

struct sl_converter_choice sl_converters_choose(const struct sl_props *worker,
                                                const struct sl_props *connector, bool is_key);

enum sl_rc sl_converters_open(struct sl_converters *ret, const struct sl_plugins *plugins,
                              const struct sl_props *worker, const struct sl_props *connector,
                              struct sl_registry *registry, struct sl_error *err);
void sl_converters_close(struct sl_converters *converters);

#endif
