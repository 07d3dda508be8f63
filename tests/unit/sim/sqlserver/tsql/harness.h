/* SPDX-License-Identifier: Apache-2.0 */
/* A server of its own in a scratch directory, and batches run on it with their answers as text (printer.h).
 */
#ifndef TESTS_UNIT_SIM_SQLSERVER_TSQL_HARNESS_H
#define TESTS_UNIT_SIM_SQLSERVER_TSQL_HARNESS_H

#include "check.h"
#include "printer.h"

struct harness {
    char dir[64];
    struct ms_server *server;
    struct ms_session *session;
    struct printer printer;
};

int harness_open(void **state); /* database "test", current */
int harness_close(void **state);

/* Run a batch; the answer lives until the next run. */
const char *harness_run(struct harness *h, const char *sql);

/* A second login. */
struct ms_session *harness_login(struct harness *h);

#define assert_answers(h, sql, expected) assert_string_equal(harness_run(h, sql), expected)

#endif
