/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Items in order, found in logarithmic time and walked both ways: a skip list. Partitions stand in one by
 * token, the rows of a partition in another by clustering key. It owns its nodes, not its items.
 */
#ifndef SIM_SCYLLA_STORAGE_ORDER_H
#define SIM_SCYLLA_STORAGE_ORDER_H

#include <stddef.h>
#include <stdint.h>

enum { SY_ORDER_LEVELS = 14 };

struct sy_order_node {
    void *item;
    struct sy_order_node *prev;
    uint32_t levels;
    struct sy_order_node *next[];
};

struct sy_order {
    struct sy_order_node *first[SY_ORDER_LEVELS];
    struct sy_order_node *last;
    uint32_t levels;
    uint32_t random;
    size_t n;
};

/* Where an item stands towards what is looked for: <0 before it, 0 there, >0 behind it. */
typedef int sy_order_place(const void *sought, const void *item);

/* The first item that is not before; NULL: none. */
struct sy_order_node *sy_order_seek(const struct sy_order *order, sy_order_place *place, const void *sought);
/* The last item that is before; NULL: none. */
struct sy_order_node *sy_order_seek_before(const struct sy_order *order, sy_order_place *place,
                                           const void *sought);
/* The item that is there (its node, to have its item replaced), or a new node with item NULL at its place. */
struct sy_order_node *sy_order_add(struct sy_order *order, sy_order_place *place, const void *sought);
/* Take the item that is there out; its item, or NULL. */
void *sy_order_remove(struct sy_order *order, sy_order_place *place, const void *sought);
/* Give up all nodes. */
void sy_order_clear(struct sy_order *order);

#endif
