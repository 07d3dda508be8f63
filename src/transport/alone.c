/* SPDX-License-Identifier: Apache-2.0 */
/* The membership of a process that has its log for itself. */
#include "sluice/membership.h"

#include "base/alloc.h"

struct sl_membership {
    char nothing;
};

static enum sl_rc join(struct sl_transport *transport, const char *worker,
                       const struct sl_membership_listener *listener, struct sl_membership **ret,
                       struct sl_error *err)
{
    static const int32_t all[] = {0};

    struct sl_membership *membership = sl_zalloc(1, sizeof(*membership));

    (void)transport;
    (void)worker;
    (void)err;
    *ret = membership;
    listener->slots(listener->ctx, SL_SLOTS_GAINED, all, 1);
    return SL_OK;
}

static int32_t slots(const struct sl_membership *membership)
{
    (void)membership;
    return 1;
}

static void give_back(struct sl_membership *membership, int32_t slot)
{
    (void)membership;
    (void)slot;
}

static void leave(struct sl_membership *membership)
{
    sl_free(membership);
}

const struct sl_membership_ops sl_membership_alone = {
    .join = join,
    .slots = slots,
    .give_back = give_back,
    .leave = leave,
};
