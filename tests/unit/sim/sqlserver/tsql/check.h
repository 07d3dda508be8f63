/* SPDX-License-Identifier: Apache-2.0 */
/* cmocka with the headers that it wants before it. */
#ifndef TESTS_UNIT_SIM_SQLSERVER_TSQL_CHECK_H
#define TESTS_UNIT_SIM_SQLSERVER_TSQL_CHECK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#endif
