/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of transforms share: change events of a small table, and a transform to send them through.
 */
#ifndef SLUICE_TEST_TRANSFORM_EVENTS_H
#define SLUICE_TEST_TRANSFORM_EVENTS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above first. */
#include <cmocka.h>

#include "base/arena.h"
#include "base/props.h"
#include "sluice/transform.h"

struct bench {
    struct sl_arena *arena;
    struct sl_props *props;
    const struct sl_transform_ops *ops;
    void *self;
    struct sl_error err;
};

int bench_make(void **state);
int bench_remove(void **state);

/* Keys are given without "transforms.t."; a NULL ends the pairs. */
void bench_open(struct bench *bench, const struct sl_transform_ops *ops, const char *key, ...);
enum sl_rc bench_try(struct bench *bench, const struct sl_transform_ops *ops, const char *key, ...);
enum sl_verdict bench_apply(struct bench *bench, struct sl_message *message);

/*
 * A change of srv.shop.dbo.things (id int32, name optional string, qty optional int32 default 5) as Debezium
 * 3.5 or 2.5 writes it: name NULL is a null. op: c, u, r, d, t (neither before nor after).
 */
struct sl_message event_of(struct bench *bench, char op, int64_t id, const char *name);
struct sl_message tombstone_of(struct bench *bench, int64_t id);
struct sl_message heartbeat_of(struct bench *bench);
struct sl_message row_of(struct bench *bench, int64_t id); /* the bare row, name and qty null */

/* A value of all sorts of types, each field but id and inner optional; its schema in message.value_schema:
 * id int32, text string, n int64 default 7, real float64, flag boolean, at Timestamp, day Date, raw bytes,
 * amount Decimal(2), list array of int32, inner {deep string}. */
struct sl_message rich_of(struct bench *bench);
/* A value without a schema: {"a": 1, "b": "text", "c": {"d": 2.5}, "e": null}. */
struct sl_message map_of(struct bench *bench);

/* The same class with $Key at its end. */
void bench_open_key(struct bench *bench, const struct sl_transform_ops *ops, const char *key, ...);

/* Any value as JSON-like text: {id:1,text:x,list:[1,2],inner:{deep:y}}; in the arena. */
const char *value_text(struct bench *bench, const struct sl_schema *schema, struct sl_value value);

/* "{id:1,name:a,__deleted:false}"; in the arena. */
const char *row_text(struct bench *bench, const struct sl_message *message);
/* "name:value" of each header with commas between; in the arena. */
const char *headers_text(struct bench *bench, const struct sl_message *message);

#endif
