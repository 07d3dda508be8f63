/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Secrets: what came out of a config provider ("${vault:secret/database:password}") or stands in an option of
 * type PASSWORD. Two walls keep them in:
 *
 * - The type. A value is a struct sl_secret from where it is read to where it is used (a setting in
 * base/props.h holds one). It has no text for printing but "****"; sl_secret_reveal is what the code that
 * logs in calls, and reviewers look for. Its bytes live in pages that a core dump leaves out and are wiped
 * when let go.
 * - The mask. Every value that this process has held is known to it, and the places where text leaves (a log
 *   line, an error, with it task statuses, REST answers and the headers of dead letters) put "****" where one
 *   stands. So a server's message that quotes a value does not carry it out either. Values that are too short
 * or too plain to be told from ordinary words (fewer than 6 bytes; lower-case letters only, fewer than 12)
 * are kept by the first wall alone.
 *
 * Threads: any. The table of values is the one thing of the process that everybody shares beside the log
 * level.
 */
#ifndef SLUICE_SECRET_H
#define SLUICE_SECRET_H

#include "error.h"
#include "option.h"

#include <stdint.h>

#define SL_SECRET_SHOWN "****"

struct sl_buf;
struct sl_secret;

/* The value's bytes are copied; the caller wipes its own. Equal values share one object. */
struct sl_secret *sl_secret_new(const char *value, size_t len);
struct sl_secret *sl_secret_share(struct sl_secret *secret); /* one more owner; returns it */
void sl_secret_free(struct sl_secret *secret);               /* NULL is fine */

/* The value itself, ended by a NUL: to log in with, never to print. Lives as long as its owner. */
const char *sl_secret_reveal(const struct sl_secret *secret);
size_t sl_secret_len(const struct sl_secret *secret);

/* Put "****" where the text holds a value, in place. cut: its end is missing, and with it perhaps a value's.
 */
void sl_secret_mask(char *text, bool cut);

/* The text itself when it holds no value; else a masked copy in scratch (from its beginning). */
const char *sl_secret_masked(const char *text, struct sl_buf *scratch);

/* Does the name of a setting say that it is secret ("...password", "...token", "sasl.jaas.config")? */
bool sl_secret_is_name(const char *setting);

/* Overwrite memory that held a secret; not optimised away. */
void sl_secret_wipe(void *memory, size_t size);

/* ---- config providers ---- */

/* One key that is asked for; value stays NULL when the path has no such key. */
struct sl_secret_wanted {
    const char *key;
    struct sl_secret *value; /* the asker's to free */
};

/*
 * Where secrets come from. get reads each time it is asked: a rotated value is found at the next start of a
 * connector. Threads: get from one thread at a time; upkeep from one other.
 */
struct sl_provider_ops {
    const char *name;                /* "file" */
    const char *const *classes;      /* Java class names, NULL-ended */
    const struct sl_option *options; /* keys behind config.providers.<name>.param. */
    bool with_hash;                  /* "name:path#key" as a whole value is a reference too */

    enum sl_rc (*open)(const struct sl_props *params, void **ret_self, struct sl_error *err);
    /*
     * The keys of one path, all from one reading. *ret_ttl_ms: how long they are good for, -1 for ever.
     * Errors: CONFIG, AUTH, NOT_FOUND (no such path; a missing key is none), CONNECT, TIMEOUT, BUSY (sealed).
     */
    enum sl_rc (*get)(void *self, const char *path, struct sl_secret_wanted *wanted, size_t n,
                      int64_t *ret_ttl_ms, struct sl_error *err);
    /* The address of the server that is asked, to show; NULL, or returning NULL: none. Lives as long as self.
     */
    const char *(*address)(const void *self);

    /* Renew what has to be renewed; returns when to be called next (sl_now_us clock). May be NULL. */
    int64_t (*upkeep)(void *self);
    void (*wake)(
        void *self); /* a call that waits returns STOPPED soon, and so does every later one; may be NULL */
    void (*close)(void *self);
};

#endif
