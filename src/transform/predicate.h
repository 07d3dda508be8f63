/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Predicates: which records a transform is applied to. `transforms.<t>.predicate=<p>` with
 * `transforms.<t>.negate`, and `predicates.<p>.type` with the predicate's own keys.
 *
 *     TopicNameMatches   pattern: a Java regular expression for the whole name
 *     HasHeaderKey       name: a header that the record has
 *     RecordIsTombstone  the value is null
 *
 * Threads: an instance belongs to one thread.
 */
#ifndef SLUICE_TRANSFORM_PREDICATE_H
#define SLUICE_TRANSFORM_PREDICATE_H

#include "sluice/transform.h"

struct sl_predicate;

/*
 * The condition of the transform with this alias; *ret NULL when it has none. Errors: CONFIG (negate without
 * a predicate, a predicate that is not listed in `predicates`, unknown class, missing key, bad expression).
 */
enum sl_rc sl_predicate_open(const struct sl_props *props, const char *alias, struct sl_predicate **ret,
                             struct sl_error *err);

/* Is the transform to be applied to the message (negate is taken into account)? NULL: always. */
bool sl_predicate_holds(struct sl_predicate *predicate, const struct sl_message *message);

void sl_predicate_close(struct sl_predicate *predicate); /* NULL is fine */

/* The options of a predicate class, by its Java name or the last part of it; NULL when it is unknown. */
const struct sl_option *sl_predicate_options(const char *class_name);

#endif
