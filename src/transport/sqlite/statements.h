/* SPDX-License-Identifier: Apache-2.0 */
/* Every SQL statement of the embedded log that runs more than once: name, text. */
#ifndef SLUICE_TRANSPORT_SQLITE_STATEMENTS_H
#define SLUICE_TRANSPORT_SQLITE_STATEMENTS_H

/* clang-format off */
#define SL_SQL_LIST(X)                                                                                          \
    X(BEGIN, "BEGIN IMMEDIATE")                                                                                 \
    X(BEGIN_READ, "BEGIN")                                                                                      \
    X(COMMIT, "COMMIT")                                                                                         \
    X(META, "SELECT value FROM meta WHERE key = ?1")                                                            \
    X(SET_META, "INSERT INTO meta (key, value) VALUES (?1, ?2)")                                                \
    X(TOPICS, "SELECT id, name, partitions, compact, retention_ms, retention_bytes, crc FROM topics ORDER BY id") \
    X(ADD_TOPIC,                                                                                                \
      "INSERT INTO topics (id, name, partitions, compact, retention_ms, retention_bytes, crc)"                  \
      " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")                                                                   \
    X(PARTITIONS,                                                                                               \
      "SELECT id, topic_id, number, first_offset, next_offset, bytes, last_batch, cleaned_to, crc"              \
      " FROM partitions ORDER BY id")                                                                           \
    X(ADD_PARTITION,                                                                                            \
      "INSERT INTO partitions (topic_id, number, first_offset, next_offset, bytes, last_batch, cleaned_to, crc, id)" \
      " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)")                                                           \
    X(SET_PARTITION,                                                                                            \
      "UPDATE partitions SET topic_id = ?1, number = ?2, first_offset = ?3, next_offset = ?4, bytes = ?5,"      \
      " last_batch = ?6, cleaned_to = ?7, crc = ?8 WHERE id = ?9")                                              \
    X(FIND_PARTITION,                                                                                           \
      "SELECT p.id, p.topic_id, p.number, p.first_offset, p.next_offset, p.bytes, p.last_batch, p.cleaned_to,"  \
      " p.crc FROM topics t JOIN partitions p ON p.topic_id = t.id WHERE t.name = ?1 AND p.number = ?2")        \
    X(GET_PARTITION,                                                                                            \
      "SELECT id, topic_id, number, first_offset, next_offset, bytes, last_batch, cleaned_to, crc"              \
      " FROM partitions WHERE id = ?1")                                                                         \
    X(HAS_TOPIC, "SELECT partitions FROM topics WHERE name = ?1")                                               \
    X(ADD_BATCH,                                                                                                \
      "INSERT INTO batches (id, append_id, partition_id, first_offset, next_offset, appended_ms, bytes, block)" \
      " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)")                                                               \
    X(SCAN,                                                                                                     \
      "SELECT id, append_id, partition_id, first_offset, next_offset, block FROM batches WHERE id >= ?1 ORDER BY id") \
    X(FIRST_BATCH,                                                                                              \
      "SELECT id, first_offset, next_offset, appended_ms, bytes FROM batches"                                   \
      " WHERE partition_id = ?1 ORDER BY first_offset LIMIT 1")                                                 \
    X(LAST_BATCH,                                                                                               \
      "SELECT next_offset FROM batches WHERE partition_id = ?1 ORDER BY first_offset DESC LIMIT 1")             \
    X(SEEK_BATCH,                                                                                               \
      "SELECT id, next_offset FROM batches WHERE partition_id = ?1 AND first_offset <= ?2"                      \
      " ORDER BY first_offset DESC LIMIT 1")                                                                    \
    X(SEEK_AFTER,                                                                                               \
      "SELECT id FROM batches WHERE partition_id = ?1 AND first_offset > ?2 ORDER BY first_offset LIMIT 1")     \
    X(DIRTY_BYTES, "SELECT total(bytes) FROM batches WHERE partition_id = ?1 AND first_offset >= ?2")           \
    X(BATCHES_FROM,                                                                                             \
      "SELECT id, append_id, first_offset, next_offset, appended_ms, bytes, block FROM batches"                 \
      " WHERE partition_id = ?1 AND first_offset >= ?2 ORDER BY first_offset LIMIT 1")                          \
    X(REPLACE_BATCH,                                                                                            \
      "UPDATE batches SET first_offset = ?2, next_offset = ?3, bytes = ?4, block = ?5 WHERE id = ?1")           \
    X(DROP_BATCH, "DELETE FROM batches WHERE id = ?1")                                                          \
    X(SOURCE_OFFSET, "SELECT offset, crc FROM source_offsets WHERE connector = ?1 AND partition = ?2")          \
    X(SOURCE_OFFSETS,                                                                                           \
      "SELECT partition, offset, crc FROM source_offsets WHERE connector = ?1 ORDER BY partition")              \
    X(ALL_SOURCE_OFFSETS, "SELECT connector, partition, offset, crc FROM source_offsets")                       \
    X(ALL_TEXTS, "SELECT space, key, value, crc FROM texts")                                                    \
    X(SET_SOURCE_OFFSET,                                                                                        \
      "INSERT INTO source_offsets (connector, partition, offset, crc) VALUES (?1, ?2, ?3, ?4)"                  \
      " ON CONFLICT (connector, partition) DO UPDATE SET offset = excluded.offset, crc = excluded.crc")         \
    X(DROP_SOURCE_OFFSET, "DELETE FROM source_offsets WHERE connector = ?1 AND partition = ?2")                 \
    X(SOURCE_NOTES,                                                                                            \
      "SELECT key, value, crc FROM source_notes WHERE connector = ?1 AND key >= ?2"                            \
      " AND (?3 IS NULL OR key < ?3) ORDER BY key LIMIT ?4")                                                    \
    X(ALL_SOURCE_NOTES, "SELECT connector, key, value, crc FROM source_notes")                                \
    X(SET_SOURCE_NOTE,                                                                                         \
      "INSERT INTO source_notes (connector, key, value, crc) VALUES (?1, ?2, ?3, ?4)"                          \
      " ON CONFLICT (connector, key) DO UPDATE SET value = excluded.value, crc = excluded.crc")                 \
    X(DROP_SOURCE_NOTE, "DELETE FROM source_notes WHERE connector = ?1 AND key = ?2")                         \
    X(READERS, "SELECT name, partition_id, next_offset, crc FROM readers")                                      \
    X(READER,                                                                                                   \
      "SELECT r.next_offset, r.crc, r.partition_id FROM topics t JOIN partitions p ON p.topic_id = t.id"        \
      " JOIN readers r ON r.partition_id = p.id WHERE t.name = ?1 AND p.number = ?2 AND r.name = ?3")           \
    X(SET_READER,                                                                                               \
      "INSERT INTO readers (name, partition_id, next_offset, crc) VALUES (?1, ?2, ?3, ?4)"                      \
      " ON CONFLICT (name, partition_id) DO UPDATE SET next_offset = excluded.next_offset, crc = excluded.crc") \
    X(DROP_READER, "DELETE FROM readers WHERE name = ?1 AND partition_id = ?2")                                 \
    X(RESERVATIONS, "SELECT name, topic, crc FROM reservations")                                                \
    X(ADD_RESERVATION, "INSERT OR IGNORE INTO reservations (name, topic, crc) VALUES (?1, ?2, ?3)")             \
    X(DROP_RESERVATIONS, "DELETE FROM reservations WHERE name = ?1")                                            \
    X(TEXTS, "SELECT key, value, crc FROM texts WHERE space = ?1 ORDER BY key")                                 \
    X(SET_TEXT,                                                                                                 \
      "INSERT INTO texts (space, key, value, crc) VALUES (?1, ?2, ?3, ?4)"                                      \
      " ON CONFLICT (space, key) DO UPDATE SET value = excluded.value, crc = excluded.crc")                     \
    X(DROP_TEXT, "DELETE FROM texts WHERE space = ?1 AND key = ?2")
/* clang-format on */

enum sl_sql {
#define SL_SQL_ENUM(name, text) SL_SQL_##name,
    SL_SQL_LIST(SL_SQL_ENUM)
#undef SL_SQL_ENUM
        SL_SQL_STATEMENTS,
};

#endif
