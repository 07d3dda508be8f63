/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A server in memory on a manual clock, one session, and answers as text:
 *   rows         "a, b\n1|'x'\nnull|'y'\n"
 *   void         "ok\n"
 *   USE          "keyspace ks\n"
 *   DDL          "CREATED TABLE ks.t\n"
 *   an error     "! 2200 its text\n"
 */
#ifndef TESTS_SIM_SCYLLA_CQL_HARNESS_H
#define TESTS_SIM_SCYLLA_CQL_HARNESS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "sim/scylla/session.h"
#include "sim/scylla/storage/arena.h"

struct harness {
    struct sy_server *server;
    struct sy_session *session;
    struct sy_arena arena; /* of the last answers; harness_forget empties it */
    struct sy_result last;
};

int harness_open(void **state); /* with keyspace ks, in use */
int harness_close(void **state);
void harness_forget(struct harness *h);

const char *harness_run(struct harness *h, const char *cql);
const char *harness_run_with(struct harness *h, const char *cql, const struct sy_parameters *parameters);
const char *harness_text(struct harness *h, const struct sy_result *result);

#define assert_answers(h, cql, text) assert_string_equal(harness_run(h, cql), text)
/* The statement must be answered with ok. */
#define does(h, cql) assert_answers(h, cql, "ok\n")
/* A definition must change the schema. */
void defines(struct harness *h, const char *cql);

/* Values to bind. */
struct sy_value int_value(struct harness *h, int32_t v);
struct sy_value bigint_value(struct harness *h, int64_t v);
struct sy_value text_value(const char *text);

#endif
