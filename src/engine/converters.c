/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/converters.h"

#include "base/props.h"

#define DEFAULT_CONVERTER "io.confluent.connect.avro.AvroConverter"

static const char *side(bool is_key)
{
    return is_key ? "key.converter" : "value.converter";
}

struct sl_converter_choice sl_converters_choose(const struct sl_props *worker,
                                                const struct sl_props *connector, bool is_key)
{
    const char *class_name = sl_props_get(connector, side(is_key));

    if (class_name && *class_name)
        return (struct sl_converter_choice){connector, class_name};
    class_name = sl_props_get(worker, side(is_key));
    return (struct sl_converter_choice){worker, class_name && *class_name ? class_name : DEFAULT_CONVERTER};
}

static enum sl_rc open_side(struct sl_converter *ret, const struct sl_plugins *plugins,
                            struct sl_converter_choice choice, bool is_key, struct sl_registry *registry,
                            struct sl_error *err)
{
    const struct sl_converter_ops *ops = NULL;
    void *self = NULL;
    enum sl_rc rc = sl_plugins_converter(plugins, choice.class_name, &ops, err);

    if (rc == SL_OK)
        rc = ops->open(choice.props, is_key ? "key.converter." : "value.converter.", is_key, registry, &self,
                       err);
    if (rc) {
        (void)sl_error_wrap(err, "%s", side(is_key));
        return rc;
    }
    *ret = (struct sl_converter){.ops = ops, .self = self};
    return SL_OK;
}

enum sl_rc sl_converters_open(struct sl_converters *ret, const struct sl_plugins *plugins,
                              const struct sl_props *worker, const struct sl_props *connector,
                              struct sl_registry *registry, struct sl_error *err)
{
    struct sl_converters opened = {0};
    enum sl_rc rc;

    rc = open_side(&opened.key, plugins, sl_converters_choose(worker, connector, true), true, registry, err);
    if (rc == SL_OK)
        rc = open_side(&opened.value, plugins, sl_converters_choose(worker, connector, false), false,
                       registry, err);
    if (rc) {
        sl_converters_close(&opened);
        return rc;
    }
    *ret = opened;
    return SL_OK;
}

void sl_converters_close(struct sl_converters *converters)
{
    if (converters->key.ops)
        converters->key.ops->close(converters->key.self);
    if (converters->value.ops)
        converters->value.ops->close(converters->value.self);
    *converters = (struct sl_converters){0};
}
