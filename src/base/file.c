/* SPDX-License-Identifier: Apache-2.0 */
#include "base/file.h"

#include <errno.h>
#include <stdio.h>

enum sl_rc sl_file_read(const char *path, size_t max_bytes, struct sl_buf *out, struct sl_error *err)
{
    FILE *file = fopen(path, "re");
    size_t start = out->len;
    int reason = errno;

    if (!file)
        return sl_error_set(err, SL_E_NOT_FOUND,
                            "cannot open '%s': %s. HINT: check the path and its permissions", path,
                            strerror(reason));
    (void)setvbuf(file, NULL, _IONBF, 0); /* no copy of a secret in a buffer that is freed as it is */
    while (out->len - start <= max_bytes) {
        size_t n = fread(sl_buf_reserve(out, 8192), 1, 8192, file);

        out->len += n;
        if (n == 0)
            break;
    }
    reason = ferror(file) ? errno : 0;
    (void)fclose(file);
    if (reason)
        return sl_error_set(err, SL_E_NOT_FOUND, "cannot read '%s': %s. HINT: it must be a plain file", path,
                            strerror(reason));
    if (out->len - start > max_bytes)
        return sl_error_set(err, SL_E_CONFIG, "'%s' is larger than %zu bytes", path, max_bytes);
    return SL_OK;
}
