/* SPDX-License-Identifier: Apache-2.0 */
/* Which files a setting may name: whoever may write a connector's settings must not read the whole machine.
 */
#ifndef SLUICE_ENGINE_SECRETS_PATH_H
#define SLUICE_ENGINE_SECRETS_PATH_H

#include "sluice/error.h"

/* A path is one of the allowed ones (separated by commas) or below one; path is a real path. */
bool sl_path_is_allowed(const char *allowed, const char *path);

/* The real path of a plain, not too large file below an allowed folder. Errors: CONFIG, NOT_FOUND. */
enum sl_rc sl_path_check(const char *allowed, const char *path, char **ret_real, struct sl_error *err);

/* Where file and directory providers may read when nobody says otherwise. */
#define SL_DEFAULT_ALLOWED_PATHS                                                                        \
    "/vault/secrets,/run/secrets,/var/run/secrets,/etc/secrets,/etc/sluice/secrets,/etc/kafka/secrets," \
    "/opt/kafka/external-configuration"

#endif
