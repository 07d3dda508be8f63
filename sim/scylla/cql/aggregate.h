/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The state of an aggregate: min and max keep the value, sums keep a wider one. A null is not counted.
 */
#ifndef SIM_SCYLLA_CQL_AGGREGATE_H
#define SIM_SCYLLA_CQL_AGGREGATE_H

#include "expression.h"

#define SY_FOLD(name) \
    void name(struct sy_run *run, const struct sy_type *type, struct sy_value *state, struct sy_value value)
#define SY_FINISH(name) \
    struct sy_value name(struct sy_run *run, const struct sy_type *type, struct sy_value state, int64_t n)

SY_FOLD(sy_fold_count);
SY_FOLD(sy_fold_min);
SY_FOLD(sy_fold_max);
SY_FOLD(sy_fold_sum);
SY_FINISH(sy_finish_count);
SY_FINISH(sy_finish_min);
SY_FINISH(sy_finish_sum);
SY_FINISH(sy_finish_avg);
#define sy_finish_max sy_finish_min
#define sy_fold_avg sy_fold_sum

#endif
