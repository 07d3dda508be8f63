/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A sink that writes everything it is told as lines of text, so that a test can compare the whole answer:
 *
 *   # id int, name nvarchar(20) null        columns
 *   1|'Ann'                                 a row
 *   (2)                                     done with a count; () without; failed ones end in !
 *   ! 208 16 1: Invalid object name 'x'.    an error; i for information
 */
#ifndef TESTS_UNIT_SIM_SQLSERVER_TSQL_PRINTER_H
#define TESTS_UNIT_SIM_SQLSERVER_TSQL_PRINTER_H

#include "../../../../../sim/sqlserver/session.h"
#include "../../../../../sim/sqlserver/tsql/arena.h"

struct printer {
    struct ms_buffer text;
    struct ms_type *types;
    size_t n_types;
    bool quiet_env; /* leave out transaction and database changes */
    struct ms_sink sink;
};

void printer_init(struct printer *p);
void printer_clear(struct printer *p);
void printer_done(struct printer *p);

#endif
