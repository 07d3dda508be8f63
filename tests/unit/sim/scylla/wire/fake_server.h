/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A server without a language, behind the wire: it knows a handful of words.
 *
 *     ONE        a row with the int 1            ROWS n     n rows of one text, "row 0" ...
 *     ECHO       the values that came, as blobs  TYPES      no rows, a column of every type
 *     USE x      sets the keyspace               CREATE     a schema change, announced
 *     WARN       void with two warnings          PAGE       a row and a paging state
 *     BAD        a syntax error                  everything else: void
 */
#ifndef TESTS_UNIT_SIM_SCYLLA_WIRE_FAKE_SERVER_H
#define TESTS_UNIT_SIM_SCYLLA_WIRE_FAKE_SERVER_H

#include "sim/scylla/session.h"

struct fake_seen {
    int sessions_open;
    char last[256]; /* the last statement that ran */
    struct sy_parameters parameters;
    uint32_t batch_items;
    uint32_t node; /* of the last session */
    char user[64];
    int forgets;
};

struct fake_seen fake_seen(struct sy_server *server);

#endif
