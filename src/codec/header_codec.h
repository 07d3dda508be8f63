/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Headers as bytes, in the log and in memory (the format stands in sluice/transport.h): for each header its
 * name's length, the name, its value's length + 1 (0: null), the value; lengths as unsigned LEB128.
 */
#ifndef SLUICE_CODEC_HEADER_CODEC_H
#define SLUICE_CODEC_HEADER_CODEC_H

#include "base/buf.h"
#include "sluice/record.h"

/* value.ptr NULL: a null value. */
void sl_headers_put(struct sl_buf *out, const char *name, struct sl_span value);

struct sl_raw_header {
    struct sl_span name;  /* without a NUL */
    struct sl_span value; /* ptr NULL: null */
};

/*
 * The next header at the front of *rest, which is moved behind it. 1: one was read; 0: the end; -1: the bytes
 * are not headers. What is returned points into them.
 */
int sl_headers_next(struct sl_span *rest, struct sl_raw_header *ret);

/* The last header of that name; false when there is none (or the bytes are no headers). */
bool sl_headers_find(struct sl_span headers, const char *name, struct sl_span *ret_value);

#endif
