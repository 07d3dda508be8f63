/* SPDX-License-Identifier: Apache-2.0 */
#include "faulty_vfs.h"

#include <limits.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>

struct faulty_file {
    sqlite3_file base;
    sqlite3_file *real; /* behind this struct */
};

static sqlite3_vfs *real_vfs;
static _Atomic int count;
static _Atomic int fail_from; /* 0: never */
static _Atomic int fail_to;
static _Atomic int fail_code;
static _Atomic int64_t limit = INT64_MAX;

static sqlite3_file *real_of(sqlite3_file *file)
{
    return ((struct faulty_file *)file)->real;
}

static int chance(void)
{
    int n = ++count;

    return fail_from && n >= fail_from && n <= fail_to ? fail_code : SQLITE_OK;
}

static int file_close(sqlite3_file *file)
{
    return real_of(file)->pMethods->xClose(real_of(file));
}

static int file_read(sqlite3_file *file, void *bytes, int n, sqlite3_int64 at)
{
    return real_of(file)->pMethods->xRead(real_of(file), bytes, n, at);
}

static int file_write(sqlite3_file *file, const void *bytes, int n, sqlite3_int64 at)
{
    int code = chance();

    if (code == SQLITE_OK && at + n > limit)
        code = SQLITE_FULL;
    if (code != SQLITE_OK) { /* as a real disk: a part of it arrives */
        (void)real_of(file)->pMethods->xWrite(real_of(file), bytes, n / 2, at);
        return code;
    }
    return real_of(file)->pMethods->xWrite(real_of(file), bytes, n, at);
}

static int file_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    int code = chance();

    return code ? code : real_of(file)->pMethods->xTruncate(real_of(file), size);
}

static int file_sync(sqlite3_file *file, int flags)
{
    int code = chance();

    return code ? code : real_of(file)->pMethods->xSync(real_of(file), flags);
}

static int file_size(sqlite3_file *file, sqlite3_int64 *size)
{
    return real_of(file)->pMethods->xFileSize(real_of(file), size);
}

static int file_lock(sqlite3_file *file, int level)
{
    return real_of(file)->pMethods->xLock(real_of(file), level);
}

static int file_unlock(sqlite3_file *file, int level)
{
    return real_of(file)->pMethods->xUnlock(real_of(file), level);
}

static int file_reserved(sqlite3_file *file, int *ret)
{
    return real_of(file)->pMethods->xCheckReservedLock(real_of(file), ret);
}

static int file_control(sqlite3_file *file, int op, void *arg)
{
    return real_of(file)->pMethods->xFileControl(real_of(file), op, arg);
}

static int file_sector(sqlite3_file *file)
{
    return real_of(file)->pMethods->xSectorSize(real_of(file));
}

static int file_device(sqlite3_file *file)
{
    return real_of(file)->pMethods->xDeviceCharacteristics(real_of(file));
}

static int file_shm_map(sqlite3_file *file, int page, int size, int extend, void volatile **ret)
{
    return real_of(file)->pMethods->xShmMap(real_of(file), page, size, extend, ret);
}

static int file_shm_lock(sqlite3_file *file, int offset, int n, int flags)
{
    return real_of(file)->pMethods->xShmLock(real_of(file), offset, n, flags);
}

static void file_shm_barrier(sqlite3_file *file)
{
    real_of(file)->pMethods->xShmBarrier(real_of(file));
}

static int file_shm_unmap(sqlite3_file *file, int remove)
{
    return real_of(file)->pMethods->xShmUnmap(real_of(file), remove);
}

static const sqlite3_io_methods methods = {
    .iVersion = 2,
    .xClose = file_close,
    .xRead = file_read,
    .xWrite = file_write,
    .xTruncate = file_truncate,
    .xSync = file_sync,
    .xFileSize = file_size,
    .xLock = file_lock,
    .xUnlock = file_unlock,
    .xCheckReservedLock = file_reserved,
    .xFileControl = file_control,
    .xSectorSize = file_sector,
    .xDeviceCharacteristics = file_device,
    .xShmMap = file_shm_map,
    .xShmLock = file_shm_lock,
    .xShmBarrier = file_shm_barrier,
    .xShmUnmap = file_shm_unmap,
};

static int vfs_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *ret_flags)
{
    struct faulty_file *faulty = (struct faulty_file *)file;
    int code;

    (void)vfs;
    faulty->real = (sqlite3_file *)(faulty + 1);
    code = real_vfs->xOpen(real_vfs, name, faulty->real, flags, ret_flags);
    faulty->base.pMethods = code == SQLITE_OK ? &methods : NULL;
    return code;
}

void faulty_install(void)
{
    static sqlite3_vfs vfs;

    if (real_vfs)
        return;
    real_vfs = sqlite3_vfs_find(NULL);
    vfs = *real_vfs;
    vfs.zName = "faulty";
    vfs.szOsFile = (int)sizeof(struct faulty_file) + real_vfs->szOsFile;
    vfs.xOpen = vfs_open;
    (void)sqlite3_vfs_register(&vfs, 1);
}

static void set(int from, int to, int code)
{
    count = 0;
    fail_from = from;
    fail_to = to;
    fail_code = code;
}

void faulty_fail_at(int n, int code)
{
    set(n, INT_MAX, code);
}

void faulty_fail_once(int n, int code)
{
    set(n, n, code);
}

void faulty_limit(int64_t bytes)
{
    limit = bytes;
}

void faulty_heal(void)
{
    set(0, 0, SQLITE_OK);
    limit = INT64_MAX;
}

int faulty_count(void)
{
    return count;
}
