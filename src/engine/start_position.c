/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/start_position.h"

enum sl_rc sl_start_position(const struct sl_start_sources *sources, struct sl_progress *position,
                             struct sl_error *err)
{
    if (sources->committed < 0 || sources->committed_by_us || sources->committed == position->next_offset)
        return SL_OK;
    if (position->next_offset < 0) { /* taken over from Kafka Connect: go on where it was */
        position->next_offset = sources->committed;
        return SL_OK;
    }
    return sl_error_set(err, SL_E_FOREIGN_POSITION,
                        "topic '%s' partition %d: the target of connector '%s' is at offset %lld, and group "
                        "'%s' was committed "
                        "by another program at offset %lld. HINT: stop the connector and choose: 'sluice "
                        "offsets adopt --from "
                        "target' goes on at %lld, '--from group' at %lld",
                        position->topic->name, position->partition, sources->connector,
                        (long long)position->next_offset, sources->reader, (long long)sources->committed,
                        (long long)position->next_offset, (long long)sources->committed);
}
