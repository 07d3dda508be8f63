/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/exclusive.h"

#include "base/alloc.h"
#include "engine/group/group_member.h"

#include <strings.h>

bool sl_exclusive_enabled(const struct sl_props *worker)
{
    const char *support = sl_props_get(worker, "exactly.once.source.support");

    return support && strcasecmp(support, "enabled") == 0 && sl_group_member_is_wanted(worker);
}

char *sl_exclusive_id(const char *group, const char *connector, int task)
{
    return sl_format("%s-%s-%d", group, connector, task);
}

enum sl_rc sl_exclusive_check(const struct sl_props *worker, const struct sl_props *connector,
                              struct sl_error *err)
{
    const char *asked = sl_props_get(connector, "exactly.once.support");
    const char *boundary = sl_props_get(connector, "transaction.boundary");

    if (asked && strcasecmp(asked, "required") == 0 && !sl_exclusive_enabled(worker))
        return sl_error_set(err, SL_E_CONFIG,
                            "this worker does not have exactly-once source support enabled. HINT: set "
                            "exactly.once.source.support=enabled in the properties of every worker (it needs "
                            "bootstrap.servers and group.id), or take exactly.once.support=required away");
    if (boundary && strcasecmp(boundary, "connector") == 0)
        return sl_error_set(err, SL_E_CONFIG,
                            "the connector does not support connector-defined transaction boundaries. HINT: "
                            "use transaction.boundary=poll or interval");
    return SL_OK;
}
