/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A server behind the seam of sim/sqlserver/session.h that has no database: it lets the wire be tested alone.
 *
 * Batches: "rows N" gives N rows of (int id, nvarchar text); "types" one row with a column of every type;
 * "wait" runs until it is cancelled; "fail" gives error 208 and a failed statement, "fail then go on" one
 * more good statement; "two" gives two results; "set ..." is done at once; anything else "echo" of its own
 * text. Calls give back their parameters: one row of all, and each output as it came. User sa, password of
 * the options; database "none" does not exist.
 */
#ifndef TESTS_FAKE_SERVER_H
#define TESTS_FAKE_SERVER_H

#include "sim/sqlserver/session.h"

struct fake_types {
    struct ms_column columns[32];
    struct ms_value values[32];
    size_t n;
};

/* Every type once, each with a value. */
const struct fake_types *fake_all_types(void);

/* What the last transaction request, reset and cancel were; read them when no statement runs. */
struct fake_seen {
    enum ms_tran_request tran;
    uint8_t isolation;
    bool begin_again;
    char name[64];
    int batches;
    int resets;
    int cancels;
    int sessions_open;
    bool read_only_intent;
    char app_name[64];
};

struct fake_seen fake_seen(struct ms_server *server);
/* Wait until n sessions run a "wait". */
void fake_wait_until_waiting(struct ms_server *server, int n);

#endif
