/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An ordered map of text to text: a connector's JSON config or a worker's properties file, once read.
 * Values are kept as written (numbers and booleans in JSON become their text). Not for rows.
 */
#ifndef SLUICE_BASE_PROPS_H
#define SLUICE_BASE_PROPS_H

#include "sluice/error.h"

#include <stddef.h>

struct sl_props;

struct sl_props *sl_props_new(void);
void sl_props_free(struct sl_props *props);
void sl_props_set(struct sl_props *props, const char *key, const char *value); /* replaces */
/*
 * The same for a value that nobody may see (sluice/secret.h): it is kept as a secret, and copies keep it so.
 * A setting stays secret when it is set again. sl_props_hide makes one of a value that is there.
 */
void sl_props_set_secret(struct sl_props *props, const char *key, const char *value);
void sl_props_hide(struct sl_props *props, const char *key);
bool sl_props_is_secret(const struct sl_props *props, const char *key);
/* What may be printed: the value, or "****". NULL when missing. */
const char *sl_props_shown(const struct sl_props *props, const char *key);
void sl_props_remove(struct sl_props *props, const char *key);
const char *sl_props_get(const struct sl_props *props, const char *key); /* NULL when missing */
size_t sl_props_count(const struct sl_props *props);
void sl_props_at(const struct sl_props *props, size_t index, const char **ret_key, const char **ret_value);
struct sl_props *sl_props_copy(const struct sl_props *props);
/* The same keys with the same values, in whatever order; NULL is as good as empty. */
bool sl_props_same(const struct sl_props *a, const struct sl_props *b);

/* A Java properties file: comments, continuation lines, escapes, ':' and '=' and blanks as separators. */
enum sl_rc sl_props_read_file(struct sl_props *props, const char *path, struct sl_error *err);

/*
 * A connector file as connect-standalone takes it: {"name": ..., "config": {...}} or a flat object; "name"
 * ends up as key "name". Errors name file, line and column.
 */
enum sl_rc sl_props_read_connector(struct sl_props *props, const char *path, struct sl_error *err);

/*
 * Walk a comma-separated list: *cursor starts as the text; gives each item trimmed, in a buffer of the
 * caller. False at the end. "\," is a literal comma. Items longer than size - 1 are cut.
 */
int sl_list_next(const char **cursor, char *item, size_t size);

#endif
