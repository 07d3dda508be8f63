/* SPDX-License-Identifier: Apache-2.0 */
/* Whole small files into memory. */
#ifndef SLUICE_BASE_FILE_H
#define SLUICE_BASE_FILE_H

#include "base/buf.h"
#include "sluice/error.h"

/*
 * Append the file's content to out. Errors: NOT_FOUND (it cannot be opened or read), CONFIG (it is larger
 * than max_bytes). out may hold a part of it then.
 */
enum sl_rc sl_file_read(const char *path, size_t max_bytes, struct sl_buf *out, struct sl_error *err);

#endif
