/* SPDX-License-Identifier: Apache-2.0 */
#include "raw_client.h"

#include "base/buf.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

int raw_connect(uint16_t port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
        return fd;
    (void)close(fd);
    return -1;
}

bool raw_send(int fd, const char *bytes, size_t len)
{
    while (len) {
        ssize_t n = send(fd, bytes, len, MSG_NOSIGNAL);

        if (n <= 0)
            return false;
        bytes += n;
        len -= (size_t)n;
    }
    return true;
}

static bool is_whole(struct sl_buf *got)
{
    const char *text = sl_buf_cstr(got);
    const char *end = strstr(text, "\r\n\r\n");
    const char *length = end ? strcasestr(text, "\r\nContent-Length: ") : NULL;

    if (!end)
        return false;
    if (!length || length > end)
        return true;
    return got->len >= (size_t)(end + 4 - text) + (size_t)strtoul(length + 18, NULL, 10);
}

static char *receive(int fd, int silence_ms, bool one)
{
    struct sl_buf got = {0};
    struct pollfd waiting = {.fd = fd, .events = POLLIN};
    char *text;

    sl_buf_put(&got, "", 0);
    while (!(one && is_whole(&got)) && poll(&waiting, 1, silence_ms) == 1) {
        ssize_t n = recv(fd, sl_buf_reserve(&got, 4096), 4096, 0);

        if (n <= 0)
            break;
        got.len += (size_t)n;
    }
    text = sl_strdup(sl_buf_cstr(&got));
    sl_buf_done(&got);
    return text;
}

char *raw_receive(int fd, int silence_ms)
{
    return receive(fd, silence_ms, false);
}

char *raw_receive_one(int fd)
{
    return receive(fd, 30000, true);
}

char *raw_ask(uint16_t port, const char *request)
{
    int fd = raw_connect(port);
    char *answer;

    (void)raw_send(fd, request, strlen(request));
    answer = raw_receive_one(fd);
    (void)close(fd);
    return answer;
}

bool raw_is_closed(int fd, int within_ms)
{
    struct pollfd waiting = {.fd = fd, .events = POLLIN};
    char bytes[4096];

    while (poll(&waiting, 1, within_ms) == 1) {
        if (recv(fd, bytes, sizeof(bytes), 0) <= 0)
            return true;
    }
    return false;
}

int raw_status(const char *answer)
{
    int status = 0;

    return sscanf(answer, "HTTP/1.1 %d", &status) == 1 ? status : 0;
}
