/* SPDX-License-Identifier: Apache-2.0 */
/* Runs a fuzz target over the files of its kept corpus, without libFuzzer: replay FOLDER */
#include "base/buf.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool replay(const char *folder, const char *name)
{
    char *path = sl_format("%s/%s", folder, name);
    FILE *file = fopen(path, "rbe");
    struct sl_buf bytes = {0};

    sl_free(path);
    if (!file)
        return false;
    while (!feof(file) && !ferror(file))
        bytes.len += fread(sl_buf_reserve(&bytes, 65536), 1, 65536, file);
    (void)fclose(file);
    LLVMFuzzerTestOneInput(bytes.data, bytes.len);
    sl_buf_done(&bytes);
    return true;
}

int main(int argc, char **argv)
{
    DIR *folder = argc == 2 ? opendir(argv[1]) : NULL;
    const struct dirent *entry;
    int n = 0;

    if (!folder)
        return 2;
    while ((entry = readdir(folder)))
        n += entry->d_name[0] != '.' && replay(argv[1], entry->d_name);
    closedir(folder);
    printf("%d files\n", n);
    return n ? 0 : 1;
}
