/* SPDX-License-Identifier: Apache-2.0 */
/* A client that sends whatever bytes a test wants, well formed or not. */
#ifndef TESTS_NET_HTTP_RAW_CLIENT_H
#define TESTS_NET_HTTP_RAW_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

int raw_connect(uint16_t port);
bool raw_send(int fd, const char *bytes, size_t len); /* false: the server closed */

/* Everything until the server closes or is silent for silence_ms; a C string of the caller (free). */
char *raw_receive(int fd, int silence_ms);

char *raw_receive_one(int fd); /* until one answer is whole */

/* Connect, send, receive until one answer is whole, close. */
char *raw_ask(uint16_t port, const char *request);

/* True when the server closes the connection within this time. */
bool raw_is_closed(int fd, int within_ms);

int raw_status(const char *answer); /* 0: no answer */

#endif
