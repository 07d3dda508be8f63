/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/secrets/path.h"

#include "base/alloc.h"
#include "base/props.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { LARGEST = 1 << 20 };

bool sl_path_is_allowed(const char *allowed, const char *path)
{
    char folder[PATH_MAX];

    while (sl_list_next(&allowed, folder, sizeof(folder))) {
        char *real = realpath(folder, NULL);
        const char *root = real ? real : folder;
        size_t len = strlen(root);
        bool below;

        while (len > 1 && root[len - 1] == '/')
            len--;
        below = strncmp(root, path, len) == 0 &&
                (path[len] == '\0' || path[len] == '/' || (len == 1 && root[0] == '/'));
        free(real); /* the C library's */
        if (below)
            return true;
    }
    return false;
}

static enum sl_rc check_file(const char *path, const char *real, struct sl_error *err)
{
    struct stat facts;

    if (stat(real, &facts))
        return sl_error_set(err, SL_E_NOT_FOUND, "cannot look at '%s': %s", path, strerror(errno));
    if (!S_ISREG(facts.st_mode))
        return sl_error_set(err, SL_E_CONFIG, "'%s' is not a plain file", path);
    if (facts.st_size > LARGEST)
        return sl_error_set(err, SL_E_CONFIG, "'%s' is larger than %d bytes", path, LARGEST);
    return SL_OK;
}

enum sl_rc sl_path_check(const char *allowed, const char *path, char **ret_real, struct sl_error *err)
{
    char *found = realpath(path, NULL);
    char *real;
    enum sl_rc rc;

    if (!found && (errno == ENOENT || errno == ENOTDIR))
        return sl_error_set(err, SL_E_NOT_FOUND, "there is no file '%s'", path);
    if (!found)
        return sl_error_set(err, SL_E_CONFIG, "cannot look at '%s': %s", path, strerror(errno));
    real = sl_strdup(found);
    free(found); /* the C library's */
    if (sl_path_is_allowed(allowed, real))
        rc = check_file(path, real, err);
    else
        rc = sl_error_set(err, SL_E_CONFIG,
                          "'%s' is outside the folders that this config provider may read. HINT: its param "
                          "allowed.paths lists them (now: %s)",
                          path, allowed);
    if (rc) {
        sl_free(real);
        return rc;
    }
    *ret_real = real;
    return SL_OK;
}
