/* SPDX-License-Identifier: Apache-2.0 */
#include "control.h"

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static bool make_address(const char *program, const char *path, struct sockaddr_un *ret_address)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof(address.sun_path)) {
        fprintf(stderr,
                "%s: control path '%s' is too long for a socket. HINT: use a path shorter than %zu bytes\n",
                program, path, sizeof(address.sun_path));
        return false;
    }
    memcpy(address.sun_path, path, strlen(path));
    *ret_address = address;
    return true;
}

/* All of it, or nothing more when the client has gone. */
static void say(int client, const char *text)
{
    size_t len = strlen(text);
    while (len > 0) {
        ssize_t sent = send(client, text, len, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent <= 0)
            return;
        text += sent;
        len -= (size_t)sent;
    }
}

static void answer(const struct sim_control *control, int client, const char *command)
{
    char *text = calloc(1, SIM_CONTROL_ANSWER);
    if (text == NULL) {
        say(client, "error out of memory\n");
        return;
    }
    bool ok = control->handler.run(control->handler.ctx, command, text, SIM_CONTROL_ANSWER);
    for (char *end = text; (end = strchr(end, '\n')) != NULL;)
        *end = ' ';
    say(client, ok ? "ok" : "error");
    if (text[0] != '\0' || !ok)
        say(client, " ");
    say(client, text);
    say(client, "\n");
    free(text);
}

/* False when the stop was asked for. */
static bool wait_for(const struct sim_control *control, int fd)
{
    struct pollfd waits[2] = {{.fd = control->stop, .events = POLLIN}, {.fd = fd, .events = POLLIN}};
    while (poll(waits, 2, -1) < 0 && errno == EINTR)
        continue;
    return waits[0].revents == 0;
}

/* Lines until the client leaves. A line that is too long ends the conversation. */
static bool converse(const struct sim_control *control, int client)
{
    char buffer[SIM_CONTROL_LINE];
    size_t len = 0;
    while (len < sizeof(buffer) - 1) {
        if (!wait_for(control, client))
            return false;
        ssize_t got = recv(client, buffer + len, sizeof(buffer) - 1 - len, 0);
        if (got <= 0)
            return true;
        len += (size_t)got;
        char *end;
        while ((end = memchr(buffer, '\n', len)) != NULL) {
            *end = '\0';
            answer(control, client, buffer);
            size_t used = (size_t)(end - buffer) + 1;
            len -= used;
            memmove(buffer, end + 1, len);
        }
    }
    return true;
}

static void *serve(void *arg)
{
    const struct sim_control *control = arg;
    bool going = true;
    while (going && wait_for(control, control->fd)) {
        int client = accept4(control->fd, NULL, NULL, SOCK_CLOEXEC);
        if (client < 0)
            continue;
        going = converse(control, client);
        close(client);
    }
    return NULL;
}

bool sim_control_start(struct sim_control *control, const char *path, struct sim_control_handler handler)
{
    struct sockaddr_un address;
    if (!make_address(handler.program, path, &address))
        return false;
    *control = (struct sim_control){.handler = handler};
    snprintf(control->path, sizeof(control->path), "%s", path);
    control->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    control->stop = eventfd(0, EFD_CLOEXEC);
    (void)unlink(path);
    if (control->fd < 0 || control->stop < 0 ||
        bind(control->fd, (const struct sockaddr *)&address, sizeof(address)) != 0 ||
        listen(control->fd, 16) != 0 || pthread_create(&control->thread, NULL, serve, control) != 0) {
        fprintf(
            stderr,
            "%s: cannot make the control socket '%s': %s. HINT: give --control a path in a directory that "
            "can be written\n",
            handler.program, path, strerror(errno));
        return false;
    }
    return true;
}

void sim_control_stop(struct sim_control *control)
{
    uint64_t one = 1;
    ssize_t written;
    do {
        written = write(control->stop, &one, sizeof(one));
    } while (written < 0 && errno == EINTR);
    pthread_join(control->thread, NULL);
    close(control->fd);
    close(control->stop);
    (void)unlink(control->path);
}

static bool exchange(int fd, const char *command, char *answer_line, size_t size)
{
    char line[SIM_CONTROL_LINE];
    int len = snprintf(line, sizeof(line), "%s\n", command);
    if (len <= 0 || (size_t)len >= sizeof(line) || send(fd, line, (size_t)len, MSG_NOSIGNAL) != len)
        return false;
    size_t got = 0;
    while (got < size - 1 && memchr(answer_line, '\n', got) == NULL) {
        ssize_t n = recv(fd, answer_line + got, size - 1 - got, 0);
        if (n <= 0)
            return false;
        got += (size_t)n;
    }
    answer_line[got] = '\0';
    return true;
}

static int talk(const char *program, const char *path, const char *command, char *line, size_t size)
{
    struct sockaddr_un address;
    if (!make_address(program, path, &address))
        return 2;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool talked = fd >= 0 && connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0 &&
                  exchange(fd, command, line, size);
    if (!talked)
        fprintf(stderr,
                "%s: no answer from control socket '%s': %s. HINT: is the simulator running with --control "
                "at this path?\n",
                program, path, strerror(errno));
    if (fd >= 0)
        close(fd);
    if (!talked)
        return 2;
    fputs(line, stdout);
    return strncmp(line, "ok", 2) == 0 ? 0 : 1;
}

int sim_control_send(const char *program, const char *path, const char *command)
{
    size_t size = SIM_CONTROL_ANSWER + 16;
    char *line = calloc(1, size);
    if (line == NULL)
        return 2;
    int status = talk(program, path, command, line, size);
    free(line);
    return status;
}
