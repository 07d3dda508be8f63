/* SPDX-License-Identifier: Apache-2.0 */
/* Byte literals with their length, as the wire's spans. */
#ifndef TESTS_NET_CQL_BYTES_TEST_H
#define TESTS_NET_CQL_BYTES_TEST_H

#include "net/cql/cell.h"

#define CELL(text) ((struct sl_cql_cell){(const uint8_t *)(text), (int32_t)sizeof(text) - 1})

#endif
