/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who may use the REST APIs: a Java properties file with a line "user=password" each, as Kafka Connect's
 * PropertyFileLoginModule reads it. In place of a password its hash may stand:
 *
 *     pbkdf2-sha256:<iterations>:<salt, base64>:<hash, base64>
 *
 * (`sluice users hash` makes one). The file is read again when it has changed. A right password is remembered
 * (as a keyed hash), so that a client that polls costs nothing; wrong ones are looked at one after the other
 * and slowly, so that guessing is dear for the guesser alone.
 *
 * Threads: any.
 */
#ifndef SLUICE_API_USERS_H
#define SLUICE_API_USERS_H

#include "net/http/server.h"

struct sl_users;

/* path NULL: there are no users, and nobody gets in. Errors: NOT_FOUND, CONFIG (a hash that is none). */
enum sl_rc sl_users_open(const char *path, struct sl_users **ret, struct sl_error *err);
void sl_users_close(struct sl_users *users);

/*
 * True: the request may go on, and is known as its user. False: it was answered, 401 (no login, a wrong one)
 * or 429 (too many wrong ones at the moment).
 */
bool sl_users_log_in(struct sl_users *users, const struct sl_http_request *request,
                     struct sl_http_answer *answer);

/* The hash of a password with a new salt, for the file. Heap memory of the caller. */
char *sl_users_hash(const char *password);

#endif
