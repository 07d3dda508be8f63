/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The schema registry inside the state directory: file registry.db, SQLite in WAL mode. A schema is durable
 * (synchronous=FULL) before its id is handed out, so no stored record can name an id that a power cut takes
 * away. Identity is Confluent's: the text as Avro's Java library prints it; the same text has the same id in
 * every subject.
 *
 * Tables (format 1):
 *     meta(key, value)                       'format'
 *     schema(id, kind, digest, text)         kind 'AVRO'; digest: SHA-256 of the canonical text; ids from 1
 *     version(subject, version, id, deleted) versions of a subject, from 1; a deleted one keeps its number
 *     setting(subject, name, value)          for compatibility levels and modes; subject '' is the global one
 *
 * Threads: any; calls on one handle take turns. Processes: one writer at a time, any number of readers.
 */
#ifndef SLUICE_REGISTRY_BUILTIN_H
#define SLUICE_REGISTRY_BUILTIN_H

#include "sluice/registry.h"

#include <stdbool.h>

/*
 * read_only: the file must exist (NOT_FOUND otherwise), and register_schema is refused. Else the directory
 * and the file are made when they are missing. Errors: IO, LOG_DAMAGED (not our file, or another format).
 */
enum sl_rc sl_registry_builtin_open(const char *state_dir, bool read_only, struct sl_registry **ret,
                                    struct sl_error *err);

#endif
