/* SPDX-License-Identifier: Apache-2.0 */
#include "../storage/cell.h"
#include "../storage/change_log.h"
#include "enable.h"
#include "tracking.h"

#include <string.h>

bool ms_cdc_table_dropped(struct ms_session *session, int32_t object_id, struct ms_error *err)
{
    struct ms_instances instances;
    const struct ms_table *table = ms_catalog_table_by_id(session, object_id);
    int32_t db_id = table->db_id;
    int32_t ids[2];
    size_t n = 0;
    if (!ms_instances_load(session, db_id, &instances, err))
        return false;
    for (size_t i = 0; i < instances.n && n < 2; i++) {
        if (instances.list[i].source_id == object_id)
            ids[n++] = instances.list[i].table->object_id;
    }
    ms_instances_free(&instances);
    for (size_t i = 0; i < n; i++) {
        if (!ms_cdc_drop_instance(session, db_id, ids[i], object_id, err))
            return false;
    }
    return true;
}

bool ms_cdc_ddl(struct ms_session *session, const struct ms_table *table, const char *text,
                struct ms_error *err)
{
    if (!table->tracked_by_cdc)
        return true;
    if (!text)
        text = "";
    return ms_log_append(session, table->db_id, table->object_id, MS_LOG_DDL, 0, NULL, text, strlen(text),
                         err);
}

bool ms_cdc_column_altered(struct ms_session *session, const struct ms_table *table, int32_t column_id,
                           const struct ms_type *type, const char *text, struct ms_error *err)
{
    struct ms_log_alter alter = {.column_id = column_id, .type = *type};
    struct ms_buffer image = {0};
    if (!table->tracked_by_cdc)
        return true;
    ms_buffer_add(&image, &alter, sizeof alter);
    ms_buffer_text(&image, text ? text : "");
    bool ok = ms_log_append(session, table->db_id, table->object_id, MS_LOG_ALTER, 0, NULL, image.data,
                            image.len, err);
    ms_buffer_free(&image);
    return ok;
}

bool ms_cdc_index_may_go(struct ms_session *session, const struct ms_table *table, const char *index,
                         struct ms_error *err)
{
    struct ms_instances instances;
    bool free_to_go = true;
    if (!table->tracked_by_cdc)
        return true;
    if (!ms_instances_load(session, table->db_id, &instances, err))
        return false;
    for (size_t i = 0; i < instances.n; i++) {
        const struct ms_instance *instance = &instances.list[i];
        if (instance->source_id == table->object_id && ms_name_equal(instance->index, index) &&
            (instance->net_changes || ms_table_primary_key(table)))
            free_to_go = ms_error_set(
                err, 4929, 16, 1,
                "Cannot alter the table '%s' because it is being published for replication.", table->name);
    }
    ms_instances_free(&instances);
    return free_to_go;
}
