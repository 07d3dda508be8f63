/* SPDX-License-Identifier: Apache-2.0 */
#include "sockets.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#define BACKLOG 512

static int open_one(const char *address, uint16_t *port)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(*port)};
    socklen_t size = sizeof(at);
    int on = 1;
    if (inet_pton(AF_INET, address, &at.sin_addr) != 1) {
        errno = EINVAL;
        return -1;
    }
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -1;
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (bind(fd, (const struct sockaddr *)&at, sizeof(at)) == 0 && listen(fd, BACKLOG) == 0 &&
        getsockname(fd, (struct sockaddr *)&at, &size) == 0) {
        if (*port == 0) /* a port that was chosen stays, and others read it */
            *port = ntohs(at.sin_port);
        return fd;
    }
    int saved = errno;
    close(fd);
    errno = saved;
    return -1;
}

bool sy_sockets_open(struct sy_node *node, bool shard_aware, int ret_fds[2])
{
    int fds[2] = {open_one(node->address, &node->port), -1};
    if (fds[0] >= 0 && shard_aware)
        fds[1] = open_one(node->address, &node->shard_port);
    if (fds[0] < 0 || (shard_aware && fds[1] < 0)) {
        int saved = errno;
        sy_sockets_close(fds);
        errno = saved;
        return false;
    }
    ret_fds[0] = fds[0];
    ret_fds[1] = fds[1];
    return true;
}

void sy_sockets_close(int fds[2])
{
    for (int i = 0; i < 2; i++) {
        if (fds[i] >= 0)
            close(fds[i]);
        fds[i] = -1;
    }
}
