/* SPDX-License-Identifier: Apache-2.0 */
#include "order.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The last item before the sought one. */
static struct sy_order_node *before(const struct sy_order *order, sy_order_place *place, const void *sought)
{
    struct sy_order_node *const *links = order->first;
    struct sy_order_node *last = NULL;

    for (uint32_t level = order->levels; level-- > 0;) {
        for (struct sy_order_node *node = links[level]; node != NULL && place(sought, node->item) < 0;
             node = links[level]) {
            last = node;
            links = node->next;
        }
    }
    return last;
}

/* The same, with the pointers that lead past it at each level. */
static struct sy_order_node *trace(struct sy_order *order, sy_order_place *place, const void *sought,
                                   struct sy_order_node ***ret_links)
{
    struct sy_order_node **links = order->first;
    struct sy_order_node *last = NULL;

    for (uint32_t level = order->levels; level-- > 0;) {
        for (struct sy_order_node *node = links[level]; node != NULL && place(sought, node->item) < 0;
             node = links[level]) {
            last = node;
            links = node->next;
        }
        ret_links[level] = &links[level];
    }
    return last;
}

struct sy_order_node *sy_order_seek(const struct sy_order *order, sy_order_place *place, const void *sought)
{
    struct sy_order_node *last = before(order, place, sought);

    return last != NULL ? last->next[0] : order->first[0];
}

struct sy_order_node *sy_order_seek_before(const struct sy_order *order, sy_order_place *place,
                                           const void *sought)
{
    return before(order, place, sought);
}

static uint32_t draw_levels(struct sy_order *order)
{
    uint32_t x = order->random != 0 ? order->random : 0x9E3779B9u;
    uint32_t levels = 1;

    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    order->random = x;
    while (levels < SY_ORDER_LEVELS && (x & 3) == 0) {
        levels++;
        x >>= 2;
    }
    return levels;
}

struct sy_order_node *sy_order_add(struct sy_order *order, sy_order_place *place, const void *sought)
{
    struct sy_order_node **links[SY_ORDER_LEVELS];
    struct sy_order_node *last = trace(order, place, sought, links);
    struct sy_order_node *node = last != NULL ? last->next[0] : order->first[0];
    uint32_t levels;

    if (node != NULL && place(sought, node->item) == 0)
        return node;
    levels = draw_levels(order);
    node = malloc(sizeof(*node) + levels * sizeof(node->next[0]));
    if (node == NULL) {
        fprintf(stderr, "out of memory for a row\n");
        abort();
    }
    *node = (struct sy_order_node){.prev = last, .levels = levels};
    while (order->levels < levels) {
        links[order->levels] = &order->first[order->levels];
        order->levels++;
    }
    for (uint32_t level = 0; level < levels; level++) {
        node->next[level] = *links[level];
        *links[level] = node;
    }
    if (node->next[0] != NULL)
        node->next[0]->prev = node;
    else
        order->last = node;
    order->n++;
    return node;
}

void *sy_order_remove(struct sy_order *order, sy_order_place *place, const void *sought)
{
    struct sy_order_node **links[SY_ORDER_LEVELS];
    struct sy_order_node *last = trace(order, place, sought, links);
    struct sy_order_node *node = last != NULL ? last->next[0] : order->first[0];
    void *item;

    if (node == NULL || place(sought, node->item) != 0)
        return NULL;
    for (uint32_t level = 0; level < node->levels; level++)
        *links[level] = node->next[level];
    if (node->next[0] != NULL)
        node->next[0]->prev = last;
    else
        order->last = last;
    item = node->item;
    order->n--;
    free(node);
    return item;
}

void sy_order_clear(struct sy_order *order)
{
    struct sy_order_node *node = order->first[0];

    while (node != NULL) {
        struct sy_order_node *next = node->next[0];

        free(node);
        node = next;
    }
    memset(order, 0, sizeof(*order));
}
