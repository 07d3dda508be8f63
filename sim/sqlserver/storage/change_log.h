/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The transaction log of tracked tables: what stands in log_row.image, and how it is read back by the capture
 * job.
 *
 * An image holds values by column id, so that a column added or dropped between the change and its capture
 * does no harm. Values are in the type that the column had at the change; the log tells of a change of type
 * (MS_LOG_ALTER) in its place among the rows.
 */
#ifndef SIM_SQLSERVER_STORAGE_CHANGE_LOG_H
#define SIM_SQLSERVER_STORAGE_CHANGE_LOG_H

#include "tran.h"

enum ms_log_op {
    MS_LOG_INSERT = 'I',
    MS_LOG_DELETE = 'D',
    MS_LOG_UPDATE = 'U', /* image: before, then after */
    MS_LOG_KEY_UPDATE =
        'K', /* one row whose key changed: captured as delete and insert with one sequence value */
    MS_LOG_ENABLE = 'E', /* object_id is a change table whose instance begins here */
    MS_LOG_DDL = 'T',    /* image: the statement's text; object_id the source table */
    MS_LOG_ALTER = 'A',  /* a captured column's type changed; image: struct ms_log_alter, then the text */
};

struct ms_log_alter {
    int32_t column_id;
    struct ms_type type;
};

struct ms_log_value {
    int32_t column_id;
    bool assigned; /* the statement's SET named the column */
    struct ms_value value;
};

/*
 * Read one half of an image from *at on and move *at behind it. Values' bytes point into the image. Returns
 * how many there are, at most `max`; -1 when the image is damaged.
 */
int ms_image_read(const uint8_t **at, const uint8_t *end, struct ms_log_value *ret_values, int max);

#endif
