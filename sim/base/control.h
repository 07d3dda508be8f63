/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The control socket of a stand-in: orders on command, one line in, one line out ("ok", "ok TEXT" or
 * "error ..."), as many as wanted on a connection. What the words mean is the handler's business.
 */
#ifndef SIM_BASE_CONTROL_H
#define SIM_BASE_CONTROL_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#define SIM_CONTROL_LINE 1024     /* a command, with its newline */
#define SIM_CONTROL_ANSWER 262144 /* the text of an answer */

/* Runs one command. False with a text that says why; true with a text, or with none ("" beforehand).
 * Control threads only, one at a time. */
struct sim_control_handler {
    bool (*run)(void *ctx, const char *command, char *ret_text, size_t size);
    void *ctx;
    const char *program; /* who complains on stderr */
};

struct sim_control {
    struct sim_control_handler handler;
    char path[108];
    int fd;
    int stop; /* eventfd */
    pthread_t thread;
};

/* False with a line on stderr. A stale socket file is replaced. */
bool sim_control_start(struct sim_control *control, const char *path, struct sim_control_handler handler);
void sim_control_stop(struct sim_control *control);

/* The client: send one command, print the answer. The exit status: 0 for ok. */
int sim_control_send(const char *program, const char *path, const char *command);

#endif
