/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The expressions of Debezium's Filter and ContentBasedRouter: the part of Groovy in which such conditions
 * are written, and no more. They read the record and nothing else; there is no loop, no assignment, and no
 * way to anything outside.
 *
 *     value.op == 'u' && value.after?.status in ['open', 'new']
 *     topic.startsWith('srv.') ? 'all-' + value.source.table : null
 *
 *     variables   key, value (structs or maps), topic, header (header.x.value), keySchema.name,
 * valueSchema.name access      a.b  a?.b  a['b']  a.get('b') operators   ?:  ||  &&  ==  !=  ==~  <  <=  > >=
 * in  !in  + (text)  !  and brackets methods     equals startsWith endsWith contains matches containsKey
 * isEmpty toString literals    'text' "text" /regex/ 12 12L 1.5 1.5d true false null [lists]
 *
 * What is written otherwise is refused when the connector starts, with its place. Values behave as they do in
 * Groovy: == asks whether numbers are the same number whatever their types, equals, contains and in ask for
 * the same type too; null is false, and so are 0 and ''; a field of null is an error.
 *
 * Fields are looked up once for each schema. Threads: one, the transform's.
 */
#ifndef SLUICE_TRANSFORM_EXPRESSION_H
#define SLUICE_TRANSFORM_EXPRESSION_H

#include "transform/script_value.h"

struct sl_expression;

/* Errors: CONFIG, naming what is not understood and where. */
enum sl_rc sl_expression_read(const char *text, struct sl_expression **ret, struct sl_error *err);
void sl_expression_free(struct sl_expression *expression);

/* What it is for this record; new text comes from the arena. Errors: DATA, where Groovy would throw. */
enum sl_rc sl_expression_run(struct sl_expression *expression, const struct sl_message *message,
                             struct sl_arena *arena, struct sl_script_value *ret, struct sl_error *err);

#endif
