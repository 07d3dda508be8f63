/* SPDX-License-Identifier: Apache-2.0 */
#include "sluice/secret.h"

#include "base/buf.h"

#include <pthread.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>

enum {
    PAGE = 4096,
    REMEMBERED = 1024, /* values let go that the mask still knows: an old password may still be good */
    SHORTEST = 6,
    SHORTEST_PLAIN = 12,
    SHORTEST_CUT = 4, /* of a value's beginning at the end of a text that was cut */
};

struct sl_secret {
    char *text; /* pages of its own */
    size_t len;
    size_t mapped;
    unsigned owners;
    bool masked; /* looked for in texts */
};

/* Every value: those with owners, and the last ones without, oldest first. */
static struct {
    pthread_rwlock_t lock;
    struct sl_secret **items;
    size_t n, capacity;
    size_t n_ownerless;
} known = {.lock = PTHREAD_RWLOCK_INITIALIZER};

void sl_secret_wipe(void *memory, size_t size)
{
    explicit_bzero(memory, size);
}

/* ---- pages ---- */

static char *map_pages(size_t size)
{
    void *pages = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    SL_ASSERT(pages != MAP_FAILED);
    (void)madvise(pages, size, MADV_DONTDUMP);
    return pages;
}

static void forget(struct sl_secret *secret)
{
    sl_secret_wipe(secret->text, secret->mapped);
    (void)munmap(secret->text, secret->mapped);
    sl_free(secret);
}

static bool is_plain(const char *value, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (value[i] < 'a' || value[i] > 'z')
            return false;
    }
    return true;
}

static struct sl_secret *make(const char *value, size_t len)
{
    struct sl_secret *secret = sl_zalloc(1, sizeof(*secret));

    secret->mapped = (len + 1 + PAGE - 1) / PAGE * PAGE;
    secret->text = map_pages(secret->mapped);
    memcpy(secret->text, value, len);
    secret->len = len;
    secret->masked = len >= SHORTEST && (len >= SHORTEST_PLAIN || !is_plain(value, len)) &&
                     memchr(value, '\0', len) == NULL;
    return secret;
}

/* ---- the table ---- */

static struct sl_secret *find(const char *value, size_t len)
{
    for (size_t i = 0; i < known.n; i++) {
        if (known.items[i]->len == len && memcmp(known.items[i]->text, value, len) == 0)
            return known.items[i];
    }
    return NULL;
}

static void drop_oldest_ownerless(void)
{
    for (size_t i = 0; i < known.n; i++) {
        if (known.items[i]->owners)
            continue;
        forget(known.items[i]);
        memmove(&known.items[i], &known.items[i + 1], (known.n - i - 1) * sizeof(struct sl_secret *));
        known.n--;
        known.n_ownerless--;
        return;
    }
}

struct sl_secret *sl_secret_new(const char *value, size_t len)
{
    struct sl_secret *secret;

    (void)pthread_rwlock_wrlock(&known.lock);
    secret = find(value, len);
    if (!secret) {
        secret = make(value, len);
        SL_GROW(known.items, known.n, known.capacity);
        known.items[known.n++] = secret;
    } else if (!secret->owners) {
        known.n_ownerless--;
    }
    secret->owners++;
    (void)pthread_rwlock_unlock(&known.lock);
    return secret;
}

struct sl_secret *sl_secret_share(struct sl_secret *secret)
{
    (void)pthread_rwlock_wrlock(&known.lock);
    secret->owners++;
    (void)pthread_rwlock_unlock(&known.lock);
    return secret;
}

void sl_secret_free(struct sl_secret *secret)
{
    if (!secret)
        return;
    (void)pthread_rwlock_wrlock(&known.lock);
    SL_ASSERT(secret->owners);
    if (--secret->owners == 0 && ++known.n_ownerless > REMEMBERED)
        drop_oldest_ownerless();
    (void)pthread_rwlock_unlock(&known.lock);
}

const char *sl_secret_reveal(const struct sl_secret *secret)
{
    return secret->text;
}

size_t sl_secret_len(const struct sl_secret *secret)
{
    return secret->len;
}

/* ---- the mask ---- */

static const struct sl_secret *longest_at(const char *text, size_t left)
{
    const struct sl_secret *longest = NULL;

    for (size_t i = 0; i < known.n; i++) {
        const struct sl_secret *secret = known.items[i];

        if (secret->masked && secret->len <= left && (!longest || secret->len > longest->len) &&
            text[0] == secret->text[0] && memcmp(text, secret->text, secret->len) == 0)
            longest = secret;
    }
    return longest;
}

/* How much of the text's end is the beginning of a value; 0: nothing. */
static size_t cut_value(const char *text, size_t len)
{
    size_t longest = 0;

    for (size_t i = 0; i < known.n; i++) {
        const struct sl_secret *secret = known.items[i];
        size_t left = secret->len - 1 < len ? secret->len - 1 : len;

        for (; secret->masked && left >= SHORTEST_CUT && left > longest; left--) {
            if (memcmp(text + len - left, secret->text, left) == 0)
                longest = left;
        }
    }
    return longest;
}

static bool holds_any(const char *text, size_t len)
{
    for (size_t i = 0; i < known.n; i++) {
        const struct sl_secret *secret = known.items[i];

        if (secret->masked && memmem(text, len, secret->text, secret->len))
            return true;
    }
    return false;
}

/* to may be from: what is written never overtakes what is read, for a value is longer than its mask. */
static size_t mask_bytes(const char *from, size_t len, char *to)
{
    size_t out = 0;

    for (size_t i = 0; i < len;) {
        const struct sl_secret *secret = longest_at(from + i, len - i);

        if (!secret) {
            to[out++] = from[i++];
            continue;
        }
        i += secret->len;
        memcpy(to + out, SL_SECRET_SHOWN, strlen(SL_SECRET_SHOWN));
        out += strlen(SL_SECRET_SHOWN);
    }
    return out;
}

void sl_secret_mask(char *text, bool cut)
{
    size_t len = strlen(text);
    size_t beginning = 0;

    (void)pthread_rwlock_rdlock(&known.lock);
    if (cut)
        beginning = cut_value(text, len);
    if (beginning) {
        memcpy(text + len - beginning, SL_SECRET_SHOWN, SHORTEST_CUT);
        len -= beginning - SHORTEST_CUT;
        text[len] = '\0';
    }
    if (known.n && holds_any(text, len))
        text[mask_bytes(text, len, text)] = '\0';
    (void)pthread_rwlock_unlock(&known.lock);
}

const char *sl_secret_masked(const char *text, struct sl_buf *scratch)
{
    size_t len = strlen(text);

    (void)pthread_rwlock_rdlock(&known.lock);
    if (known.n && holds_any(text, len)) {
        char *to;

        sl_buf_reset(scratch);
        to = (char *)sl_buf_reserve(scratch, len + 1);
        to[mask_bytes(text, len, to)] = '\0';
        text = to;
    }
    (void)pthread_rwlock_unlock(&known.lock);
    return text;
}

/* ---- names ---- */

static bool ends_with(const char *text, const char *end)
{
    size_t len = strlen(text);
    size_t end_len = strlen(end);

    return len >= end_len && strcasecmp(text + len - end_len, end) == 0;
}

bool sl_secret_is_name(const char *setting)
{
    static const char *const ends[] = {
        "password",    "passwd",       "passphrase", "secret",      "secret.id",  "token",      "user.info",
        "jaas.config", "keystore.key", "api.key",    "private.key", "access.key", "credentials"};

    for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++) {
        if (ends_with(setting, ends[i]))
            return true;
    }
    return false;
}
