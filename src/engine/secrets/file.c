/* SPDX-License-Identifier: Apache-2.0 */
/* "${file:/etc/secrets/db.properties:password}": a key of a file in Java's properties form. */
#include "engine/secrets/inside.h"

#include "base/buf.h"
#include "base/file.h"
#include "base/props.h"

struct files {
    char *allowed;
    char *root; /* put before each path; "" when none */
    int64_t ttl_ms;
};

static const struct sl_option options[] = {
    {.name = "allowed.paths",
     .type = SL_OPT_LIST,
     .default_text = SL_DEFAULT_ALLOWED_PATHS,
     .importance = SL_IMPORTANCE_HIGH,
     .doc = "folders and files that may be read, what links lead to included; / allows all"},
    {.name = "root",
     .default_text = "",
     .importance = SL_IMPORTANCE_LOW,
     .doc = "a folder that every path is looked up below, so that settings made for another machine fit"},
    {.name = "default.ttl",
     .type = SL_OPT_LONG,
     .default_text = "0",
     .importance = SL_IMPORTANCE_LOW,
     .doc = "after how many ms the file is read again, to find what has changed; 0: only at a start",
     .min = 0,
     .max = INT64_MAX / 1000},
    {.name = NULL},
};

static enum sl_rc open_files(const struct sl_props *params, void **ret_self, struct sl_error *err)
{
    struct files *files = sl_zalloc(1, sizeof(*files));

    (void)err;
    files->root = sl_strdup(sl_option_text(options, params, NULL, "root"));
    /* Below another root, what is allowed is below it too. */
    files->allowed = sl_strdup(*files->root && !sl_props_get(params, "allowed.paths")
                                   ? files->root
                                   : sl_option_text(options, params, NULL, "allowed.paths"));
    files->ttl_ms = sl_option_int(options, params, NULL, "default.ttl");
    *ret_self = files;
    return SL_OK;
}

/* Nothing of the file stays in memory that is not a secret's. */
static void hide_all(struct sl_props *content)
{
    for (size_t i = 0; i < sl_props_count(content); i++) {
        const char *key;
        const char *value;

        sl_props_at(content, i, &key, &value);
        sl_props_hide(content, key);
    }
}

static enum sl_rc get_keys(void *self, const char *path, struct sl_secret_wanted *wanted, size_t n,
                           int64_t *ret_ttl_ms, struct sl_error *err)
{
    const struct files *files = self;
    struct sl_props *content = sl_props_new();
    char *full = sl_format("%s%s", files->root, path);
    char *real = NULL;
    enum sl_rc rc = *path ? sl_path_check(files->allowed, full, &real, err)
                          : sl_error_set(err, SL_E_CONFIG,
                                         "a reference names no file. HINT: ${provider:/path/of/file:key}");

    if (rc == SL_OK)
        rc = sl_props_read_file(content, real, err);
    hide_all(content);
    for (size_t i = 0; rc == SL_OK && i < n; i++) {
        const char *value = sl_props_get(content, wanted[i].key);

        wanted[i].value = value ? sl_secret_new(value, strlen(value)) : NULL;
    }
    if (rc == SL_OK)
        *ret_ttl_ms = files->ttl_ms ? files->ttl_ms : -1;
    sl_props_free(content);
    sl_free(full);
    sl_free(real);
    return rc;
}

static void close_files(void *self)
{
    struct files *files = self;

    sl_free(files->allowed);
    sl_free(files->root);
    sl_free(files);
}

/* ---- one file a key ---- */

enum { LARGEST_VALUE = 1 << 20 };

static enum sl_rc read_value(const struct files *files, const char *folder, struct sl_secret_wanted *wanted,
                             struct sl_error *err)
{
    char *path = sl_format("%s%s/%s", files->root, folder, wanted->key);
    char *real = NULL;
    struct sl_buf bytes = {0};
    enum sl_rc rc = sl_path_check(files->allowed, path, &real, err);

    if (rc == SL_OK)
        rc = sl_file_read(real, LARGEST_VALUE, &bytes, err);
    if (rc == SL_OK)
        wanted->value = sl_secret_new((const char *)bytes.data, bytes.len);
    if (bytes.data)
        sl_secret_wipe(bytes.data, bytes.capacity);
    sl_buf_done(&bytes);
    sl_free(real);
    sl_free(path);
    return rc == SL_E_NOT_FOUND ? SL_OK : rc; /* a key that is not there */
}

static enum sl_rc get_files(void *self, const char *path, struct sl_secret_wanted *wanted, size_t n,
                            int64_t *ret_ttl_ms, struct sl_error *err)
{
    const struct files *files = self;
    enum sl_rc rc = SL_OK;

    if (!*path)
        return sl_error_set(err, SL_E_CONFIG,
                            "a reference names no folder. HINT: ${provider:/path/of/folder:file}");
    for (size_t i = 0; rc == SL_OK && i < n; i++) {
        if (strchr(wanted[i].key, '/') || strcmp(wanted[i].key, "..") == 0)
            return sl_error_set(err, SL_E_CONFIG, "'%s' is not the name of a file in '%s'", wanted[i].key,
                                path);
        rc = read_value(files, path, &wanted[i], err);
    }
    if (rc == SL_OK)
        *ret_ttl_ms = files->ttl_ms ? files->ttl_ms : -1;
    return rc;
}

static const char *const file_classes[] = {"org.apache.kafka.common.config.provider.FileConfigProvider",
                                           NULL};
static const char *const directory_classes[] = {
    "org.apache.kafka.common.config.provider.DirectoryConfigProvider", NULL};

const struct sl_provider_ops sl_provider_file = {
    .name = "file",
    .classes = file_classes,
    .options = options,
    .open = open_files,
    .get = get_keys,
    .close = close_files,
};

const struct sl_provider_ops sl_provider_directory = {
    .name = "directory",
    .classes = directory_classes,
    .options = options,
    .open = open_files,
    .get = get_files,
    .close = close_files,
};
