/* SPDX-License-Identifier: Apache-2.0 */
#include "api/users.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/props.h"
#include "base/thread.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    HASH_BYTES = 32,
    SALT_BYTES = 16,
    ITERATIONS = 60000,
    ITERATIONS_MAX = 10 * 1000 * 1000,
    REMEMBERED = 64,
    GUESSERS_MAX = 2,           /* requests that wait for their password to be looked at */
    GUESS_PAUSE_US = 50 * 1000, /* after a wrong one */
};

static const char prefix[] = "pbkdf2-sha256:";

struct remembered {
    uint8_t mark[HASH_BYTES]; /* of user and password, under a key of this process */
    bool used;
};

struct sl_users {
    char *path;
    pthread_mutex_t lock;     /* everything below */
    pthread_mutex_t guessing; /* held while a password is looked at */
    _Atomic int guessers;
    struct sl_props *entries;
    struct timespec changed;
    off_t size;
    uint8_t key[HASH_BYTES];
    struct remembered remembered[REMEMBERED];
    unsigned next;
};

/* ---- hashes ---- */

struct hashed {
    int iterations;
    uint8_t salt[64];
    int salt_len;
    uint8_t hash[HASH_BYTES];
};

/* Base64 with its padding; the number of bytes or -1. */
static int decode64(const char *text, size_t len, uint8_t *ret, size_t size)
{
    uint8_t bytes[128];
    int n;

    if (len == 0 || len % 4 || len / 4 * 3 > sizeof(bytes))
        return -1;
    n = EVP_DecodeBlock(bytes, (const unsigned char *)text, (int)len);
    if (n < 0)
        return -1;
    n -= (text[len - 1] == '=') + (text[len - 2] == '=');
    if ((size_t)n > size)
        return -1;
    memcpy(ret, bytes, (size_t)n);
    return n;
}

static bool parse_hash(const char *text, struct hashed *ret)
{
    char *end;
    long iterations = strtol(text + sizeof(prefix) - 1, &end, 10);
    const char *hash = *end == ':' ? strchr(end + 1, ':') : NULL;

    if (!hash || iterations < 1 || iterations > ITERATIONS_MAX)
        return false;
    ret->iterations = (int)iterations;
    ret->salt_len = decode64(end + 1, (size_t)(hash - end - 1), ret->salt, sizeof(ret->salt));
    return ret->salt_len > 0 && decode64(hash + 1, strlen(hash + 1), ret->hash, HASH_BYTES) == HASH_BYTES;
}

static bool is_hash(const char *text)
{
    return strncmp(text, prefix, sizeof(prefix) - 1) == 0;
}

static bool matches_hash(const char *stored, const char *password)
{
    struct hashed hashed;
    uint8_t made[HASH_BYTES];

    return parse_hash(stored, &hashed) &&
           PKCS5_PBKDF2_HMAC(password, (int)strlen(password), hashed.salt, hashed.salt_len, hashed.iterations,
                             EVP_sha256(), HASH_BYTES, made) == 1 &&
           CRYPTO_memcmp(made, hashed.hash, HASH_BYTES) == 0;
}

char *sl_users_hash(const char *password)
{
    uint8_t salt[SALT_BYTES];
    uint8_t hash[HASH_BYTES];
    unsigned char salt_text[SALT_BYTES * 2];
    unsigned char hash_text[HASH_BYTES * 2];

    SL_ASSERT(RAND_bytes(salt, sizeof(salt)) == 1);
    SL_ASSERT(PKCS5_PBKDF2_HMAC(password, (int)strlen(password), salt, sizeof(salt), ITERATIONS, EVP_sha256(),
                                HASH_BYTES, hash) == 1);
    (void)EVP_EncodeBlock(salt_text, salt, sizeof(salt));
    (void)EVP_EncodeBlock(hash_text, hash, sizeof(hash));
    return sl_format("%s%d:%s:%s", prefix, ITERATIONS, (char *)salt_text, (char *)hash_text);
}

/* ---- the file ---- */

static enum sl_rc check_entries(const struct sl_props *entries, const char *path, struct sl_error *err)
{
    struct hashed hashed;

    for (size_t i = 0; i < sl_props_count(entries); i++) {
        const char *user;
        const char *stored;

        sl_props_at(entries, i, &user, &stored);
        if (is_hash(stored) && !parse_hash(stored, &hashed))
            return sl_error_set(err, SL_E_CONFIG,
                                "users file '%s': what stands for user '%s' is no hash. HINT: `sluice users "
                                "hash` makes one",
                                path, user);
    }
    return SL_OK;
}

/* Read the file if it is another than the one we know. With the lock held. */
static enum sl_rc refresh(struct sl_users *users, struct sl_error *err)
{
    struct sl_props *entries;
    struct stat found;
    enum sl_rc rc;

    if (!users->path)
        return SL_OK;
    if (stat(users->path, &found) == 0 && users->entries && found.st_size == users->size &&
        found.st_mtim.tv_sec == users->changed.tv_sec && found.st_mtim.tv_nsec == users->changed.tv_nsec)
        return SL_OK;
    entries = sl_props_new();
    rc = sl_props_read_file(entries, users->path, err);
    if (rc == SL_OK)
        rc = check_entries(entries, users->path, err);
    if (rc) {
        sl_props_free(entries);
        return rc;
    }
    if (users->entries)
        sl_props_free(users->entries);
    users->entries = entries;
    users->changed = found.st_mtim;
    users->size = found.st_size;
    memset(users->remembered, 0, sizeof(users->remembered));
    return SL_OK;
}

enum sl_rc sl_users_open(const char *path, struct sl_users **ret, struct sl_error *err)
{
    struct sl_users *users = sl_zalloc(1, sizeof(*users));
    enum sl_rc rc;

    users->path = path && *path ? sl_strdup(path) : NULL;
    (void)pthread_mutex_init(&users->lock, NULL);
    (void)pthread_mutex_init(&users->guessing, NULL);
    SL_ASSERT(RAND_bytes(users->key, sizeof(users->key)) == 1);
    rc = refresh(users, err);
    if (rc) {
        sl_users_close(users);
        return rc;
    }
    *ret = users;
    return SL_OK;
}

void sl_users_close(struct sl_users *users)
{
    if (users->entries)
        sl_props_free(users->entries);
    (void)pthread_mutex_destroy(&users->lock);
    (void)pthread_mutex_destroy(&users->guessing);
    OPENSSL_cleanse(users->key, sizeof(users->key));
    sl_free(users->path);
    sl_free(users);
}

/* ---- logging in ---- */

static void make_mark(const struct sl_users *users, const char *user, const char *password, uint8_t *ret)
{
    struct sl_buf both = {0};
    unsigned len = HASH_BYTES;

    sl_buf_put(&both, user, strlen(user) + 1);
    sl_buf_text(&both, password);
    (void)HMAC(EVP_sha256(), users->key, HASH_BYTES, both.data, both.len, ret, &len);
    OPENSSL_cleanse(both.data, both.len);
    sl_buf_done(&both);
}

static bool remembers(struct sl_users *users, const uint8_t *mark)
{
    bool found = false;

    for (unsigned i = 0; i < REMEMBERED; i++)
        found |= users->remembered[i].used && CRYPTO_memcmp(users->remembered[i].mark, mark, HASH_BYTES) == 0;
    return found;
}

/* What the file says of the user: a copy, or NULL; and whether this very login was right before. */
static char *look_up(struct sl_users *users, const char *user, const uint8_t *mark, bool *ret_known)
{
    struct sl_error err = {0};
    const char *stored = NULL;
    char *copy;

    (void)pthread_mutex_lock(&users->lock);
    if (refresh(users, &err)) /* what was read last goes on */
        sl_log_error(SL_LEVEL_WARN, "the users file cannot be read again", &err);
    if (users->entries)
        stored = sl_props_get(users->entries, user);
    *ret_known = stored && remembers(users, mark);
    copy = stored ? sl_strdup(stored) : NULL;
    (void)pthread_mutex_unlock(&users->lock);
    return copy;
}

static void remember(struct sl_users *users, const uint8_t *mark)
{
    (void)pthread_mutex_lock(&users->lock);
    memcpy(users->remembered[users->next].mark, mark, HASH_BYTES);
    users->remembered[users->next].used = true;
    users->next = (users->next + 1) % REMEMBERED;
    (void)pthread_mutex_unlock(&users->lock);
}

static bool is_right(const char *stored, const char *password)
{
    size_t len = strlen(password);

    if (is_hash(stored))
        return matches_hash(stored, password);
    return strlen(stored) == len && CRYPTO_memcmp(stored, password, len) == 0;
}

enum verdict { RIGHT, WRONG, TOO_MANY };

static enum verdict judge(struct sl_users *users, const char *user, const char *password)
{
    uint8_t mark[HASH_BYTES];
    enum verdict verdict = WRONG;
    bool known;
    char *stored;

    make_mark(users, user, password, mark);
    stored = look_up(users, user, mark, &known);
    if (known) {
        verdict = RIGHT;
    } else if (atomic_fetch_add(&users->guessers, 1) >= GUESSERS_MAX) {
        verdict = TOO_MANY;
        atomic_fetch_sub(&users->guessers, 1);
    } else {
        (void)pthread_mutex_lock(&users->guessing);
        if (stored && is_right(stored, password)) {
            verdict = RIGHT;
            remember(users, mark);
        } else {
            (void)usleep(GUESS_PAUSE_US);
        }
        (void)pthread_mutex_unlock(&users->guessing);
        atomic_fetch_sub(&users->guessers, 1);
    }
    if (stored)
        OPENSSL_cleanse(stored, strlen(stored));
    sl_free(stored);
    return verdict;
}

bool sl_users_log_in(struct sl_users *users, const struct sl_http_request *request,
                     struct sl_http_answer *answer)
{
    enum verdict verdict = WRONG;
    char *password;
    char *user;

    if (sl_http_basic(request, &user, &password)) {
        verdict = judge(users, user, password);
        if (verdict == RIGHT)
            sl_http_set_user(request, user);
        OPENSSL_cleanse(password, strlen(password));
        sl_free(user);
        sl_free(password);
    }
    if (verdict == TOO_MANY) {
        sl_http_add_header(answer, "Retry-After", "1");
        sl_http_error(answer, 429, 0, "Too many logins are being looked at. Try again shortly.");
    } else if (verdict == WRONG) {
        sl_http_add_header(answer, "WWW-Authenticate", "Basic realm=\"sluice\", charset=\"UTF-8\"");
        sl_http_error(answer, 401, 0, "User cannot access the resource.");
    }
    return verdict == RIGHT;
}
