/* SPDX-License-Identifier: Apache-2.0 */
/* The Connect schema of a CQL type, nested names included (scylla-source §4.10). */
#ifndef SLUICE_SOURCE_SCYLLA_TYPE_NAMES_H
#define SLUICE_SOURCE_SCYLLA_TYPE_NAMES_H

#include "net/cql/type.h"
#include "sluice/schema.h"

/* Optional, as all of the connector's column schemas are. NULL for a custom class, also inside. */
const struct sl_schema *sl_scylla_type_schema(const struct sl_cql_type *type, const char *prefix);

#endif
