/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The PostgreSQL sink, under the name and with the keys of Confluent's JdbcSinkConnector. Rows and the log
 * position share one transaction; docs/architecture.md, promise 2.
 */
#ifndef SLUICE_SINK_POSTGRES_SINK_H
#define SLUICE_SINK_POSTGRES_SINK_H

#include "sluice/sink.h"

extern const struct sl_sink_ops sl_pgsink_ops;

#endif
