/* SPDX-License-Identifier: Apache-2.0 */
/* Where a log that is elsewhere keeps what belongs to this process alone: the embedded log's state directory.
 */
#ifndef SLUICE_TRANSPORT_LOCAL_H
#define SLUICE_TRANSPORT_LOCAL_H

#include "sluice/transport.h"

extern const struct sl_transport_ops *const sl_transport_local;

#endif
