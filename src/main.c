/* SPDX-License-Identifier: Apache-2.0 */
/* What this program is made of: every kind of part stands in one array here, and nowhere else. */
#include "cli/command.h"
#include "cli/dlq.h"
#include "registry/registries.h"
#include "codec/converters.h"
#include "engine/secrets/secrets.h"
#include "sink/postgres/sink.h"
#include "source/scylla/source.h"
#include "source/sqlserver/source.h"
#include "transform/transforms.h"
#include "transport/kafka/kafka.h"
#include "transport/sqlite/sqlite.h"

static const struct sl_source_ops *const sources[] = {&sl_source_sqlserver, &sl_source_scylla, NULL};
static const struct sl_sink_ops *const sinks[] = {&sl_pgsink_ops, NULL};
static const struct sl_transport_ops *const transports[] = {&sl_transport_sqlite, &sl_transport_kafka, NULL};
static const struct sl_converter_ops *const converters[] = {
    &sl_converter_avro,  &sl_converter_json,   &sl_converter_string,  &sl_converter_simple,
    &sl_converter_bytes, &sl_converter_short,  &sl_converter_integer, &sl_converter_long,
    &sl_converter_float, &sl_converter_double, &sl_converter_boolean, NULL,
};
static const struct sl_transform_ops *const transforms[] = {
    &sl_transform_activate_tracing_span,
    &sl_transform_by_logical_table_router,
    &sl_transform_cast,
    &sl_transform_collection_name,
    &sl_transform_confluent_replace_field,
    &sl_transform_content_based_router,
    &sl_transform_drop,
    &sl_transform_drop_headers,
    &sl_transform_extract_changed_record_state,
    &sl_transform_extract_field,
    &sl_transform_extract_new_record_state,
    &sl_transform_extract_schema_to_new_record,
    &sl_transform_extract_topic,
    &sl_transform_extract_topic_header,
    &sl_transform_field_name,
    &sl_transform_filter,
    &sl_transform_flatten,
    &sl_transform_header_from,
    &sl_transform_header_to_value,
    &sl_transform_hoist_field,
    &sl_transform_insert_field,
    &sl_transform_insert_header,
    &sl_transform_json_path_filter,
    &sl_transform_mask_field,
    &sl_transform_message_timestamp_router,
    &sl_transform_regex_router,
    &sl_transform_replace_field,
    &sl_transform_scripted_filter,
    &sl_transform_scylla_extract_new_record_state,
    &sl_transform_scylla_flatten_columns,
    &sl_transform_set_schema_metadata,
    &sl_transform_timestamp_converter,
    &sl_transform_timestamp_router,
    &sl_transform_timezone_converter,
    &sl_transform_to_logical_topic_router,
    &sl_transform_tombstone_handler,
    &sl_transform_value_to_key,
    NULL,
};

static const struct sl_provider_ops *const providers[] = {
    &sl_provider_file, &sl_provider_directory, &sl_provider_env, &sl_provider_vault, NULL,
};

static const struct sl_command *const commands[] = {
    &sl_command_run,
    &sl_command_get,
    &sl_command_describe,
    &sl_command_apply,
    &sl_command_patch,
    &sl_command_pause,
    &sl_command_resume,
    &sl_command_stop,
    &sl_command_restart,
    &sl_command_delete,
    &sl_command_offsets_get,
    &sl_command_offsets_set,
    &sl_command_offsets_reset,
    &sl_command_offsets_adopt,
    &sl_command_plugins,
    &sl_command_loggers,
    &sl_command_migrate,
    &sl_command_users_hash,
    &sl_command_status,
    &sl_command_dlq_list,
    &sl_command_dlq_show,
    &sl_command_dlq_export,
    &sl_command_dlq_replay,
    &sl_command_dlq_drop,
    &sl_command_topics_list,
    &sl_command_topics_tail,
    &sl_command_completion,
    &sl_command_man,
    &sl_command_version,
    &sl_command_help,
    NULL,
};

int main(int argc, char **argv)
{
    static const struct sl_plugins plugins = {
        .sources = sources,
        .sinks = sinks,
        .transports = transports,
        .converters = converters,
        .transforms = transforms,
        .providers = providers,
        .open_registry = sl_registries_open,
    };
    const struct sl_cli cli = {.plugins = &plugins, .commands = commands};

    return sl_cli_main(&cli, argc, argv);
}
