/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Vault's HTTP API (and OpenBao's, which is the same): log in, read, renew. What is known about it stands
 * beside the requests.
 *
 * Paths: a reference may name a secret with or without the "data/" that version 2 of the key-value engine
 * puts behind the mount. Which engine a mount is is asked once (sys/internal/ui/mounts, as Vault's own
 * command line does) and tried out when the answer is refused.
 *
 * Leases: what a secrets engine makes up (database credentials) is read once and renewed for as long as its
 * lease can be; only then new ones are asked for, so that a connector is not restarted for nothing.
 */
#ifndef SLUICE_ENGINE_SECRETS_VAULT_H
#define SLUICE_ENGINE_SECRETS_VAULT_H

#include "base/json.h"
#include "engine/secrets/inside.h"
#include "net/http/client.h"

enum vault_login { VAULT_TOKEN, VAULT_APPROLE, VAULT_KUBERNETES };

/* A mount whose engine is known. */
struct vault_mount {
    char *path; /* "secret/" */
    int version;
};

/* Credentials that were made for us. */
struct vault_lease {
    char *path; /* as in references */
    char *id;
    json_t *data;
    int64_t granted_s; /* of the first grant */
    int64_t ends_us;
    bool renewable;
};

struct vault {
    struct sl_props *params;
    struct sl_http_client *http;
    struct sl_http_reply answer; /* used again */
    struct sl_stop stop;
    char *address; /* without the slash at its end */
    enum vault_login login;
    int version; /* of the key-value engine, 0: find out */
    int64_t default_ttl_ms;

    struct sl_secret *token; /* NULL: not logged in */
    int64_t token_granted_s;
    int64_t token_ends_us; /* INT64_MAX: never */
    bool token_renewable;

    struct vault_mount *mounts;
    size_t n_mounts, mounts_capacity;
    struct vault_lease *leases;
    size_t n_leases, leases_capacity;
};

extern const struct sl_option sl_vault_options[];

/*
 * One request below /v1/, with the token when there is one; body NULL: none. *ret_status is HTTP's; *ret_json
 * the answer's object, or NULL. Errors: CONNECT, TIMEOUT, CONFIG (TLS, address), BUSY (sealed, not
 * initialised, standby, too many requests, a failing server), STOPPED.
 */
enum sl_rc sl_vault_ask(struct vault *vault, const char *method, const char *path, const json_t *body,
                        int *ret_status, json_t **ret_json, struct sl_error *err);

/* "permission denied; ..." out of {"errors": [...]}; a text for messages, in out. */
const char *sl_vault_errors(const json_t *json, char *out, size_t size);

/* Have a token that is good for now. Errors: as sl_vault_ask, AUTH, CONFIG. */
enum sl_rc sl_vault_log_in(struct vault *vault, struct sl_error *err);
/* Let go of the token, so that the next log in makes a new one; false: there is no way to make one. */
bool sl_vault_log_out(struct vault *vault);
/* Renew the token when two thirds of its time are over; returns when to look again. */
int64_t sl_vault_renew(struct vault *vault);

/* The provider's get. */
enum sl_rc sl_vault_get(void *self, const char *path, struct sl_secret_wanted *wanted, size_t n,
                        int64_t *ret_ttl_ms, struct sl_error *err);

#endif
