/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The built-in registry: the book behind the contract of sluice/registry.h. Embedded it lives in the state
 * directory (file registry.db), with Kafka in the compacted topic kafkastore.topic.
 */
#ifndef SLUICE_REGISTRY_BUILTIN_H
#define SLUICE_REGISTRY_BUILTIN_H

#include "registry/book.h"

#include <stdbool.h>

/*
 * In the state directory. read_only: the file must exist (NOT_FOUND otherwise), and register_schema is
 * refused. Else the directory and the file are made when they are missing. Errors: IO, LOG_DAMAGED (not our
 * file, or another format).
 */
enum sl_rc sl_registry_builtin_open(const char *state_dir, bool read_only, struct sl_registry **ret,
                                    struct sl_error *err);

/* Over any store, which is taken over. */
enum sl_rc sl_registry_builtin_over(struct sl_schema_store *store, struct sl_registry **ret,
                                    struct sl_error *err);

/* What stands behind it, to be served. Lives as long as the registry. */
struct sl_schema_book *sl_registry_builtin_book(struct sl_registry *registry);

#endif
