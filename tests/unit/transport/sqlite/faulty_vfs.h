/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A disk that fails on command, as an SQLite VFS over the real one: the n-th write, sync, cut or growth fails
 * (and all after it, until healed), or the disk is full beyond so many bytes a file.
 */
#ifndef SLUICE_TEST_TRANSPORT_FAULTY_VFS_H
#define SLUICE_TEST_TRANSPORT_FAULTY_VFS_H

#include <stdint.h>

/* Becomes the default VFS of this process. */
void faulty_install(void);

/* From the n-th changing operation on (from 1), fail with the SQLite code; 0: never. Counting begins anew. */
void faulty_fail_at(int n, int code);

/* Only the n-th fails. */
void faulty_fail_once(int n, int code);

/* Writes beyond this offset of a file find the disk full; INT64_MAX: no limit. */
void faulty_limit(int64_t bytes);

void faulty_heal(void);
int faulty_count(void); /* changing operations since the last setting */

#endif
