/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the tests of the embedded log share: a state directory in a scratch place, a log that is open, short
 * ways to append and fetch. A failure fails the test at once.
 */
#ifndef SLUICE_TEST_TRANSPORT_WORKPLACE_H
#define SLUICE_TEST_TRANSPORT_WORKPLACE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above first. */
#include <cmocka.h>

#include "base/arena.h"
#include "base/props.h"
#include "sluice/transport.h"

struct workplace {
    char dir[64];
    struct sl_props *props;
    struct sl_transport *log;
    struct sl_arena *arena;
    struct sl_error err;
};

/* cmocka set-up and tear-down: *state is a struct workplace with nothing open yet; the directory goes again.
 */
int workplace_make(void **state);
int workplace_remove(void **state);

void workplace_set(struct workplace *place, const char *key, const char *value);
void workplace_open(struct workplace *place);
void workplace_close(struct workplace *place);
void workplace_reopen(struct workplace *place);
const char *workplace_file(const struct workplace *place); /* the path of sluice.db; static memory */

const struct sl_topic *topic_of(const char *name);
struct sl_span span_of(const char *text); /* NULL: null */

/* One record; partition 0, timestamp 1000. */
struct sl_log_record record_of(const char *topic, const char *key, const char *value);

enum sl_rc try_append(struct workplace *place, const struct sl_log_record *records, size_t n);
void append_all(struct workplace *place, const struct sl_log_record *records, size_t n);
void append_one(struct workplace *place, const char *topic, const char *key, const char *value);
/* n records "k<i>" = "v<i>", i from first on, in one append. */
void append_numbered(struct workplace *place, const char *topic, int first, int n);

/* A reader over partition 0 of some topics (NULL-ended), all from the same offset. */
struct sl_log_reader *reader_from(struct workplace *place, const char *name, int64_t start, const char *topic,
                                  ...);
enum sl_rc try_reader(struct workplace *place, const char *name, const char *topic, int64_t start,
                      struct sl_log_reader **ret);

/* What is there now; no waiting. */
struct sl_fetched fetch_now(struct workplace *place, struct sl_log_reader *reader);
struct sl_fetched fetch_at_most(struct workplace *place, struct sl_log_reader *reader, size_t bytes,
                                size_t records);
enum sl_rc try_fetch(struct workplace *place, struct sl_log_reader *reader, struct sl_fetched *ret);
void close_reader(struct workplace *place, struct sl_log_reader *reader);

/* "key=value" of each record with commas between ("~" stands for null); static memory. */
const char *text_of(const struct sl_fetched *fetched);

void commit_to(struct workplace *place, const char *name, const char *topic, int64_t next);
int64_t first_offset(struct workplace *place, const char *topic);
int64_t next_offset(struct workplace *place, const char *topic);

#endif
