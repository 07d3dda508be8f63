/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/group/fake_group.h"

#include "base/alloc.h"
#include "base/thread.h"

#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

enum { TEXTS = 200, WATCHERS = 40, MEMBERS = 8, SLOW_US = 50 * 1000 };

struct text {
    char *space, *key, *value;
};

struct watcher {
    char *space;
    sl_text_visitor *visit;
    void *ctx;
};

struct sl_membership {
    char *worker;
    struct sl_membership_listener listener;
    bool there, silent;
};

static struct {
    pthread_mutex_t texts_lock; /* held while watchers are told, so that all see the same order */
    struct text texts[TEXTS];
    size_t n_texts;
    struct watcher watchers[WATCHERS];
    size_t n_watchers;
    int claims, fenced;
    _Atomic int claiming, early; /* claims being made; times that slot 0 was given back meanwhile */
    bool slow;

    pthread_mutex_t group_lock;
    pthread_cond_t returned_cond;
    struct sl_membership members[MEMBERS];
    size_t n_members;
    struct sl_membership *owners[FAKE_SLOTS];
    bool returned[FAKE_SLOTS];
} fake;

/* ---- texts ---- */

static enum sl_rc put(struct sl_transport *transport, const char *space, const char *key,
                      struct sl_span value, struct sl_error *err)
{
    size_t at = 0;

    (void)transport;
    (void)err;
    (void)pthread_mutex_lock(&fake.texts_lock);
    while (at < fake.n_texts &&
           (strcmp(fake.texts[at].space, space) != 0 || strcmp(fake.texts[at].key, key) != 0))
        at++;
    if (at == fake.n_texts) {
        SL_ASSERT(fake.n_texts < TEXTS);
        fake.texts[fake.n_texts++] = (struct text){.space = sl_strdup(space), .key = sl_strdup(key)};
    }
    sl_free(fake.texts[at].value);
    fake.texts[at].value = value.ptr ? sl_strndup((const char *)value.ptr, value.len) : NULL;
    for (size_t i = 0; i < fake.n_watchers; i++) {
        if (strcmp(fake.watchers[i].space, space) == 0)
            fake.watchers[i].visit(fake.watchers[i].ctx, key, value);
    }
    (void)pthread_mutex_unlock(&fake.texts_lock);
    return SL_OK;
}

static enum sl_rc list(struct sl_transport *transport, const char *space, sl_text_visitor *visit, void *ctx,
                       struct sl_error *err)
{
    (void)transport;
    (void)err;
    (void)pthread_mutex_lock(&fake.texts_lock);
    for (size_t i = 0; i < fake.n_texts; i++) {
        const struct text *text = &fake.texts[i];

        if (text->value && strcmp(text->space, space) == 0)
            visit(ctx, text->key,
                  (struct sl_span){.ptr = (const uint8_t *)text->value, .len = strlen(text->value)});
    }
    (void)pthread_mutex_unlock(&fake.texts_lock);
    return SL_OK;
}

static enum sl_rc watch(struct sl_transport *transport, const char *space, sl_text_visitor *visit, void *ctx,
                        struct sl_error *err)
{
    (void)transport;
    (void)err;
    (void)pthread_mutex_lock(&fake.texts_lock);
    if (visit) {
        SL_ASSERT(fake.n_watchers < WATCHERS);
        fake.watchers[fake.n_watchers++] =
            (struct watcher){.space = sl_strdup(space), .visit = visit, .ctx = ctx};
    }
    for (size_t i = 0; !visit && i < fake.n_watchers; i++) {
        if (fake.watchers[i].ctx == ctx && strcmp(fake.watchers[i].space, space) == 0) {
            sl_free(fake.watchers[i].space);
            fake.watchers[i] = fake.watchers[--fake.n_watchers];
            break;
        }
    }
    (void)pthread_mutex_unlock(&fake.texts_lock);
    return SL_OK;
}

static enum sl_rc claim(struct sl_transport *transport, const char *space, const char *id,
                        struct sl_error *err)
{
    (void)transport;
    (void)space;
    (void)err;
    (void)pthread_mutex_lock(&fake.texts_lock);
    fake.claims += id != NULL;
    (void)pthread_mutex_unlock(&fake.texts_lock);
    fake.claiming += id != NULL;
    if (id && fake.slow)
        (void)usleep(SLOW_US);
    fake.claiming -= id != NULL;
    return SL_OK;
}

static enum sl_rc fence(struct sl_transport *transport, const char *id, struct sl_error *err)
{
    (void)transport;
    (void)id;
    (void)err;
    (void)pthread_mutex_lock(&fake.texts_lock);
    fake.fenced++;
    (void)pthread_mutex_unlock(&fake.texts_lock);
    return SL_OK;
}

int fake_group_claims(void)
{
    int claims;

    (void)pthread_mutex_lock(&fake.texts_lock);
    claims = fake.claims;
    (void)pthread_mutex_unlock(&fake.texts_lock);
    return claims;
}

void fake_group_slow_claims(void)
{
    fake.slow = true;
}

int fake_group_early_returns(void)
{
    return fake.early;
}

int fake_group_claiming(void)
{
    return fake.claiming;
}

void fake_group_usurp(const char *worker)
{
    char *text = sl_format("{\"version\":1,\"worker\":\"%s\",\"url\":\"\"}", worker);

    (void)put(NULL, "leader", "leader", (struct sl_span){(const uint8_t *)text, strlen(text)}, NULL);
    sl_free(text);
}

int fake_group_fenced(void)
{
    return fake.fenced;
}

/* ---- the group ---- */

static enum sl_rc join(struct sl_transport *transport, const char *worker,
                       const struct sl_membership_listener *listener, struct sl_membership **ret,
                       struct sl_error *err)
{
    (void)transport;
    (void)err;
    (void)pthread_mutex_lock(&fake.group_lock);
    SL_ASSERT(fake.n_members < MEMBERS);
    *ret = &fake.members[fake.n_members++];
    **ret = (struct sl_membership){.worker = sl_strdup(worker), .listener = *listener, .there = true};
    (void)pthread_mutex_unlock(&fake.group_lock);
    return SL_OK;
}

static int32_t count(const struct sl_membership *membership)
{
    (void)membership;
    return FAKE_SLOTS;
}

static void give_back(struct sl_membership *membership, int32_t slot)
{
    (void)membership;
    (void)pthread_mutex_lock(&fake.group_lock);
    fake.returned[slot] = true;
    fake.early += slot == 0 && fake.claiming;
    (void)pthread_cond_broadcast(&fake.returned_cond);
    (void)pthread_mutex_unlock(&fake.group_lock);
}

static void leave(struct sl_membership *membership)
{
    (void)pthread_mutex_lock(&fake.group_lock);
    membership->there = false;
    for (size_t s = 0; s < FAKE_SLOTS; s++) {
        if (fake.owners[s] == membership)
            fake.owners[s] = NULL;
    }
    (void)pthread_mutex_unlock(&fake.group_lock);
}

static void tell(struct sl_membership *member, enum sl_slot_event event, int32_t slot)
{
    member->listener.slots(member->listener.ctx, event, &slot, 1);
}

static size_t held_by(const struct sl_membership *member)
{
    size_t n = 0;

    for (size_t s = 0; s < FAKE_SLOTS; s++)
        n += fake.owners[s] == member;
    return n;
}

/* The member with the fewest slots (or the most). */
static struct sl_membership *extreme(bool most)
{
    struct sl_membership *best = NULL;

    for (size_t m = 0; m < fake.n_members; m++) {
        struct sl_membership *member = &fake.members[m];

        if (!member->there || member->silent)
            continue;
        if (!best || (most ? held_by(member) > held_by(best) : held_by(member) < held_by(best)))
            best = member;
    }
    return best;
}

static void take_back(struct sl_membership *from, int32_t slot)
{
    fake.returned[slot] = false;
    tell(from, SL_SLOTS_ASKED, slot);
    (void)pthread_mutex_lock(&fake.group_lock);
    while (!fake.returned[slot])
        (void)pthread_cond_wait(&fake.returned_cond, &fake.group_lock);
    (void)pthread_mutex_unlock(&fake.group_lock);
}

static void hand_out(int32_t slot)
{
    struct sl_membership *to = extreme(false);

    (void)pthread_mutex_lock(&fake.group_lock);
    fake.owners[slot] = to;
    (void)pthread_mutex_unlock(&fake.group_lock);
    if (to)
        tell(to, SL_SLOTS_GAINED, slot);
}

void fake_group_settle(void)
{
    for (int32_t s = 0; s < FAKE_SLOTS; s++) {
        if (!fake.owners[s] || fake.owners[s]->silent)
            hand_out(s);
    }
    while (extreme(true) && held_by(extreme(true)) > held_by(extreme(false)) + 1) {
        struct sl_membership *from = extreme(true);

        for (int32_t s = 0; s < FAKE_SLOTS; s++) {
            if (fake.owners[s] == from) {
                take_back(from, s);
                hand_out(s);
                break;
            }
        }
    }
}

static struct sl_membership *named(const char *worker)
{
    for (size_t m = 0; m < fake.n_members; m++) {
        if (fake.members[m].there && strcmp(fake.members[m].worker, worker) == 0)
            return &fake.members[m];
    }
    return NULL;
}

void fake_group_silence(const char *worker)
{
    (void)pthread_mutex_lock(&fake.group_lock);
    named(worker)->silent = true;
    (void)pthread_mutex_unlock(&fake.group_lock);
}

void fake_group_wake(const char *worker)
{
    struct sl_membership *member = named(worker);

    for (int32_t s = 0; s < FAKE_SLOTS; s++)
        tell(member, SL_SLOTS_LOST, s);
    (void)pthread_mutex_lock(&fake.group_lock);
    member->silent = false;
    (void)pthread_mutex_unlock(&fake.group_lock);
}

static void tell_all(const char *worker, enum sl_slot_event event)
{
    struct sl_membership *member = named(worker);

    for (int32_t s = 0; s < FAKE_SLOTS; s++) {
        if (fake.owners[s] == member)
            tell(member, event, s);
    }
}

void fake_group_doubt(const char *worker)
{
    tell_all(worker, SL_SLOTS_DOUBTED);
}

void fake_group_speak(const char *worker)
{
    tell_all(worker, SL_SLOTS_GAINED);
}

void fake_group_reset(void)
{
    for (size_t i = 0; i < fake.n_texts; i++) {
        sl_free(fake.texts[i].space);
        sl_free(fake.texts[i].key);
        sl_free(fake.texts[i].value);
    }
    for (size_t m = 0; m < fake.n_members; m++)
        sl_free(fake.members[m].worker);
    for (size_t i = 0; i < fake.n_watchers; i++)
        sl_free(fake.watchers[i].space);
    memset(&fake, 0, sizeof(fake));
    (void)pthread_mutex_init(&fake.texts_lock, NULL);
    (void)pthread_mutex_init(&fake.group_lock, NULL);
    (void)pthread_cond_init(&fake.returned_cond, NULL);
}

static const struct sl_membership_ops membership = {
    .join = join, .slots = count, .give_back = give_back, .leave = leave};

static const struct sl_transport_ops ops = {.name = "fake",
                                            .put = put,
                                            .list = list,
                                            .watch = watch,
                                            .claim = claim,
                                            .fence = fence,
                                            .membership = &membership};

struct sl_transport fake_group_log = {.ops = &ops};
