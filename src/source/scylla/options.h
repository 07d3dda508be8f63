/* SPDX-License-Identifier: Apache-2.0 */
/* The option table: every property of the Scylla CDC source connector (both major versions), and ours. */
#ifndef SLUICE_SOURCE_SCYLLA_OPTIONS_H
#define SLUICE_SOURCE_SCYLLA_OPTIONS_H

#include "sluice/option.h"

extern const struct sl_option sl_scylla_options[];

#endif
