/* SPDX-License-Identifier: Apache-2.0 */
/*
 * References in the text of a setting, as Kafka's ConfigTransformer finds them: "${provider:key}" and
 * "${provider:path:key}", any number of them. The first colon ends the provider, the next one the path, the
 * first
 * "}" the key. Without a colon ("${uuid}") it is no reference.
 */
#ifndef SLUICE_ENGINE_SECRETS_REFERENCE_H
#define SLUICE_ENGINE_SECRETS_REFERENCE_H

#include <stdbool.h>
#include <stddef.h>

/* Slices of the text. */
struct sl_reference {
    const char *start; /* at "${" */
    size_t len;        /* up to behind "}" */
    const char *provider, *path, *key;
    size_t provider_len, path_len, key_len; /* path_len 0: none */
};

/* The next one at or after *cursor, which is moved behind it. False: no more. */
bool sl_reference_next(const char **cursor, struct sl_reference *ret);

/* A whole text of the form "provider:path#key". */
bool sl_reference_with_hash(const char *text, struct sl_reference *ret);

#endif
