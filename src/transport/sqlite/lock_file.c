/* SPDX-License-Identifier: Apache-2.0 */
#include "transport/sqlite/log.h"
#include "transport/sqlite/sqlite.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

/* The holder writes its pid into the file; a holder that has only just begun may not have yet. */
static long holder(int fd)
{
    char text[32] = "";
    long pid = 0;
    ssize_t n = pread(fd, text, sizeof(text) - 1, 0);

    if (n <= 0 || sscanf(text, "%ld", &pid) != 1)
        return 0;
    return pid;
}

static enum sl_rc refuse(int fd, const char *path, struct sl_error *err)
{
    long pid = holder(fd);

    if (!pid)
        return sl_error_set(
            err, SL_E_BUSY,
            "another process holds '%.200s'. HINT: one sluice runs per state directory; stop the "
            "other, or give this one its own sluice.state.dir",
            path);
    return sl_error_set(
        err, SL_E_BUSY,
        "process %ld holds '%.200s'. HINT: one sluice runs per state directory; stop that process, "
        "or give this one its own sluice.state.dir",
        pid, path);
}

enum sl_rc sl_sqlite_lock_file(const char *dir, int *ret_fd, struct sl_error *err)
{
    char *path = sl_format("%s/sluice.lock", dir);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0640);
    enum sl_rc rc = SL_OK;

    if (fd < 0) {
        rc = sl_error_set(
            err, SL_E_IO,
            "the lock file '%.200s' cannot be opened: %s. HINT: the state directory must be writable", path,
            strerror(errno));
    } else if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        rc = refuse(fd, path, err);
        (void)close(fd);
    } else {
        /* The pid is for people; the lock itself is the kernel's and goes with the process. */
        if (ftruncate(fd, 0) == 0)
            (void)dprintf(fd, "%ld\n", (long)getpid());
        *ret_fd = fd;
    }
    sl_free(path);
    return rc;
}

bool sl_sqlite_log_in_use(const char *state_dir, long *ret_pid)
{
    char *path = sl_format("%s/sluice.lock", state_dir);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    bool in_use;

    sl_free(path);
    if (fd < 0)
        return false;
    in_use = flock(fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
    if (in_use)
        *ret_pid = holder(fd);
    (void)close(fd);
    return in_use;
}
