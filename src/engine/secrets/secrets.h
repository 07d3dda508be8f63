/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Config providers at work: the worker's properties name them (config.providers=vault,file), and settings
 * refer to what they keep ("${vault:secret/database:password}"). What is stored and shown everywhere is the
 * text with its references; only what is about to run is resolved, each time it is started.
 *
 * Kafka's rule for a reference to a provider or key that does not exist is to leave the text as it is. Here
 * that is so in transforms.* and predicates.*, where such a text may be meant, with a warning; in every other
 * setting it is an error that names setting, provider and key, since a password of "${...}" would be a riddle
 * later.
 *
 * Threads: any. Providers are asked one at a time. A thread of this module renews tokens and reads again what
 * has a time to live.
 */
#ifndef SLUICE_ENGINE_SECRETS_SECRETS_H
#define SLUICE_ENGINE_SECRETS_SECRETS_H

#include "sluice/secret.h"

struct sl_secrets;

/* The complaints about config.providers.*, key by key. providers ends with NULL. */
void sl_secrets_check(const struct sl_provider_ops *const *providers, const struct sl_props *worker,
                      struct sl_complaints *complaints);

/* Does the worker's table know this key (config.providers...)? */
bool sl_secrets_know(const struct sl_provider_ops *const *providers, const struct sl_props *worker,
                     const char *key);

/*
 * Open the providers, in the order of their list; the params of a later one may refer to an earlier one.
 * Checked props only. Nobody is asked yet but by such references. Errors: the providers'.
 */
enum sl_rc sl_secrets_open(const struct sl_provider_ops *const *providers, const struct sl_props *worker,
                           struct sl_secrets **ret, struct sl_error *err);
void sl_secrets_close(struct sl_secrets *secrets); /* NULL is fine */

/*
 * A copy of raw with every reference replaced and every secret setting hidden (base/props.h). *ret_ttl_ms:
 * how long the values are good for, -1 for ever. Errors: a provider's (CONNECT, BUSY and TIMEOUT are worth
 * another try); CONFIG for references that lead nowhere, each of which is also told by its setting in
 * complaints (unless NULL). secrets NULL: there are no providers.
 */
enum sl_rc sl_secrets_resolve(struct sl_secrets *secrets, const struct sl_props *raw,
                              struct sl_complaints *complaints, struct sl_props **ret, int64_t *ret_ttl_ms,
                              struct sl_error *err);

/*
 * Read the references of raw again whenever their time is over, and tell when a value is another than in
 * resolved. changed is called on this module's thread with no lock held; it may not call unwatch or close. A
 * second watch of the same name replaces the first.
 */
void sl_secrets_watch(struct sl_secrets *secrets, const char *name, const struct sl_props *raw,
                      const struct sl_props *resolved, int64_t ttl_ms,
                      void (*changed)(void *ctx, const char *name), void *ctx);
void sl_secrets_unwatch(struct sl_secrets *secrets, const char *name);

extern const struct sl_provider_ops sl_provider_file;
extern const struct sl_provider_ops sl_provider_directory;
extern const struct sl_provider_ops sl_provider_env;
extern const struct sl_provider_ops sl_provider_vault;

#endif
