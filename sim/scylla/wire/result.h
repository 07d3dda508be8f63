/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the server answers, as bytes of RESULT and ERROR bodies (native protocol v4 sections 4.2.1 and 4.2.5).
 */
#ifndef SIM_SCYLLA_WIRE_RESULT_H
#define SIM_SCYLLA_WIRE_RESULT_H

#include "octets.h"
#include "../session.h"

struct sy_result_style {
    uint8_t version;
    bool skip_metadata;
    bool lwt_mark;
};

/* The body of a RESULT; not for SY_ERROR. */
void sy_result_put(struct sy_out *out, const struct sy_result *result, const struct sy_result_style *style);
/* The body of an ERROR. */
void sy_result_put_error(struct sy_out *out, const struct sy_error *error);
/* The parts of a schema change: "CREATED", "TABLE", keyspace and name. */
void sy_result_put_schema_change(struct sy_out *out, const struct sy_schema_change *change);

#endif
