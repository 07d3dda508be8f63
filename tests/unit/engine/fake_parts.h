/* SPDX-License-Identifier: Apache-2.0 */
/* What the fakes' files share. */
#ifndef SLUICE_TESTS_FAKE_PARTS_H
#define SLUICE_TESTS_FAKE_PARTS_H

#include "engine/fakes.h"

extern const struct sl_transport_ops fake_log_ops;
extern const struct sl_source_ops fake_source_ops;
extern const struct sl_sink_ops fake_sink_ops;
extern const struct sl_converter_ops fake_converter_ops;

/* Something is about to become durable (the lock is held): true when it does. The process may die of it. */
bool fake_step(void);
enum sl_rc fake_dead(struct sl_error *err);

#endif
