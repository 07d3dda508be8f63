/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An error as SQL Server would send it, filled once where it arises. The caller owns the struct; nothing
 * allocates. Functions that can fail return false and fill it; tsql/ turns it into a ms_message with the line
 * of the statement.
 */
#ifndef SIM_SQLSERVER_STORAGE_ERROR_H
#define SIM_SQLSERVER_STORAGE_ERROR_H

#include <stdbool.h>
#include <stdint.h>

struct ms_error {
    int32_t number;
    uint8_t severity;
    uint8_t state;
    char procedure[132]; /* "" outside system procedures */
    char text[2048];
};

/* Fill *err and return false, so that a caller can `return ms_error_set(...)`. */
bool ms_error_set(struct ms_error *err, int32_t number, uint8_t severity, uint8_t state, const char *format,
                  ...) __attribute__((format(printf, 5, 6)));

#endif
