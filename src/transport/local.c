/* SPDX-License-Identifier: Apache-2.0 */
#include "transport/local.h"

#include "transport/sqlite/sqlite.h"

const struct sl_transport_ops *const sl_transport_local = &sl_transport_sqlite;
