/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The control socket: faults on command, one line in, one line out ("ok" or "error ..."), as many as wanted
 * on a connection. The words are in the help text; what is not of the wire goes to the handler.
 */
#ifndef SIM_SQLSERVER_TDS_CONTROL_H
#define SIM_SQLSERVER_TDS_CONTROL_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#define MS_CONTROL_LINE 1024

/* Runs one command. False with a text that says why. Control threads only, one at a time. */
struct ms_control_handler {
    bool (*run)(void *ctx, const char *command, char *ret_text, size_t size);
    void *ctx;
};

struct ms_control {
    struct ms_control_handler handler;
    char path[108];
    int fd;
    int stop; /* eventfd */
    pthread_t thread;
};

/* False with a line on stderr. A stale socket file is replaced. */
bool ms_control_start(struct ms_control *control, const char *path, struct ms_control_handler handler);
void ms_control_stop(struct ms_control *control);

/* The client: send one command, print the answer. The exit status: 0 for ok. */
int ms_control_send(const char *path, const char *command);

#endif
