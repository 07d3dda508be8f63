/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/systems.h"

#include "base/props.h"
#include "engine/converters.h"
#include "registry/http_config.h"

#include <string.h>

/* An address as it may be shown: without scheme, login and parameters. */
static void put_address(struct sl_buf *out, const char *text)
{
    const char *scheme = strstr(text, "://");
    const char *start = scheme ? scheme + 3 : text;
    size_t len = strcspn(start, "?;");
    const char *at = memrchr(start, '@', strcspn(start, "/?;"));

    if (at) {
        len -= (size_t)(at + 1 - start);
        start = at + 1;
    }
    while (len && start[len - 1] == '/')
        len--;
    sl_buf_format(out, "%s%.*s", out->len ? ":" : "", (int)len, start);
}

static void join_system(const struct sl_connector *connector, struct sl_seat *seat)
{
    const struct sl_option *options =
        connector->source ? connector->source->options : connector->sink->options;
    const char *const *keys =
        connector->source ? connector->source->address_keys : connector->sink->address_keys;
    struct sl_buf address = {0};

    for (; keys && *keys; keys++) {
        const char *value = sl_option_text(options, connector->props, NULL, *keys);

        if (value && *value)
            put_address(&address, value);
    }
    if (!address.len)
        sl_buf_text(&address, connector->name);
    sl_seat_take(seat, connector->source ? connector->source->name : connector->sink->name,
                 sl_buf_cstr(&address), false);
    sl_buf_done(&address);
}

/* Schemas that are known need no registry: who has not failed yet is not held up. */
static void join_registry(const struct sl_shared *shared, const struct sl_connector *connector,
                          struct sl_seat *seat)
{
    struct sl_converter_choice choice = sl_converters_choose(shared->worker, connector->props, false);
    const char *url = sl_registry_http_url(choice.props, "value.converter.");
    struct sl_buf address = {0};

    if (!url)
        return;
    put_address(&address, url);
    sl_seat_take(seat, "schema registry", sl_buf_cstr(&address), true);
    seat->is = SL_SEAT_FINE;
    sl_buf_done(&address);
}

void sl_systems_join(const struct sl_shared *shared, const struct sl_connector *connector,
                     struct sl_seat *system, struct sl_seat *registry)
{
    join_system(connector, system);
    join_registry(shared, connector, registry);
}
