/* SPDX-License-Identifier: Apache-2.0 */
#include "connection.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BACKLOG_BYTES (4U << 20) /* a client that does not read is not read from */
#define ROUND_BYTES (256U << 10)
#define LINGER_NS 2000000000

struct sy_late {
    struct sy_late *next;
    int64_t due_ns;
    struct sy_out bytes;
};

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

void sy_connection_init(struct sy_connection *connection, struct sy_wire *wire, uint32_t node, uint32_t shard,
                        int fd)
{
    memset(connection, 0, sizeof(*connection));
    connection->wire = wire;
    connection->random = (uint64_t)fd * 2654435761U + shard + 1;
    connection->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    pthread_mutex_init(&connection->lock, NULL);
    sy_dialog_init(&connection->dialog, wire, node, shard);
    sy_stream_init(&connection->stream, fd, wire);
}

void sy_connection_done(struct sy_connection *connection)
{
    sy_dialog_done(&connection->dialog);
    sy_stream_done(&connection->stream);
    while (connection->late != NULL) {
        struct sy_late *late = connection->late;
        connection->late = late->next;
        sy_out_done(&late->bytes);
        free(late);
    }
    sy_out_done(&connection->out);
    sy_out_done(&connection->pushed);
    close(connection->wake);
    pthread_mutex_destroy(&connection->lock);
}

void sy_connection_wake(struct sy_connection *connection)
{
    uint64_t one = 1;
    ssize_t written;
    do {
        written = write(connection->wake, &one, sizeof(one));
    } while (written < 0 && errno == EINTR);
}

void sy_connection_stop(struct sy_connection *connection)
{
    atomic_store(&connection->stop, true);
    sy_connection_wake(connection);
    sy_stream_shutdown(&connection->stream);
}

void sy_connection_push(struct sy_connection *connection, unsigned event, const struct sy_out *body)
{
    if (!(atomic_load(&connection->dialog.events) & event))
        return;
    pthread_mutex_lock(&connection->lock);
    uint8_t version = atomic_load(&connection->dialog.version);
    size_t at = sy_frame_begin(&connection->pushed, version, 0, SY_STREAM_EVENT, SY_OP_EVENT);
    sy_out_bytes(&connection->pushed, body->data, body->len);
    sy_frame_end(&connection->pushed, at, false);
    pthread_mutex_unlock(&connection->lock);
    sy_connection_wake(connection);
}

static const struct sy_node *node_of(const struct sy_connection *connection)
{
    return &connection->wire->nodes[connection->dialog.node];
}

/* A delay on command for the next answer, in ns. */
static int64_t throw_delay(struct sy_connection *connection)
{
    const struct sy_node *node = node_of(connection);
    int64_t max_ms = atomic_load_explicit(&node->delay_max_ms, memory_order_relaxed);
    if (max_ms == 0)
        return 0;
    int64_t min_ms = atomic_load_explicit(&node->delay_min_ms, memory_order_relaxed);
    connection->random = connection->random * 6364136223846793005U + 1442695040888963407U;
    int64_t span_us = (max_ms - min_ms) * 1000 + 1;
    return (min_ms * 1000 + (int64_t)((connection->random >> 33) % (uint64_t)span_us)) * 1000;
}

static void keep_for_later(struct sy_connection *connection, struct sy_out *bytes, int64_t due_ns)
{
    struct sy_late *late = sy_wire_alloc(1, sizeof(*late));
    late->due_ns = due_ns;
    late->bytes = *bytes;
    struct sy_late **at = &connection->late;
    while (*at != NULL && (*at)->due_ns <= due_ns)
        at = &(*at)->next;
    late->next = *at;
    *at = late;
}

/* Answers whose time has come. */
static void take_due(struct sy_connection *connection)
{
    int64_t now = connection->late == NULL ? 0 : now_ns();
    while (connection->late != NULL && connection->late->due_ns <= now) {
        struct sy_late *late = connection->late;
        connection->late = late->next;
        sy_out_bytes(&connection->out, late->bytes.data, late->bytes.len);
        sy_out_done(&late->bytes);
        free(late);
    }
}

static void take_pushed(struct sy_connection *connection)
{
    uint64_t count;
    (void)!read(connection->wake, &count, sizeof(count));
    pthread_mutex_lock(&connection->lock);
    sy_out_bytes(&connection->out, connection->pushed.data, connection->pushed.len);
    connection->pushed.len = 0;
    pthread_mutex_unlock(&connection->lock);
}

/* False when the connection is to end at once. */
static bool follow(struct sy_connection *connection, enum sy_dialog_result result)
{
    if (result == SY_DIALOG_CLOSE) {
        connection->closing = true;
        connection->leave_at_ns = now_ns() + LINGER_NS;
    }
    return result != SY_DIALOG_CUT;
}

static bool answer(struct sy_connection *connection, const struct sy_frame *frame)
{
    int64_t delay_ns = throw_delay(connection);
    if (delay_ns == 0)
        return follow(connection, sy_dialog_answer(&connection->dialog, frame, &connection->out));
    struct sy_out bytes = {0};
    enum sy_dialog_result result = sy_dialog_answer(&connection->dialog, frame, &bytes);
    keep_for_later(connection, &bytes, now_ns() + delay_ns);
    return follow(connection, result);
}

/* Answer the whole frames that came, as long as the client takes the answers. */
static bool serve_frames(struct sy_connection *connection)
{
    struct sy_stream *stream = &connection->stream;
    size_t used = 0;
    bool alive = true;
    connection->more = false;
    while (alive && !connection->closing) {
        if (sy_stream_pending(stream) >= BACKLOG_BYTES) {
            connection->more = true;
            break;
        }
        struct sy_frame frame;
        size_t size = 0;
        enum sy_frame_result found =
            sy_frame_peek(stream->in.data + used, stream->in.len - used, &frame, &size);
        if (found == SY_FRAME_PARTIAL)
            break;
        if (found == SY_FRAME_WHOLE)
            alive = answer(connection, &frame);
        else
            alive =
                follow(connection, sy_dialog_refuse(&connection->dialog, &frame, found, &connection->out));
        used += size;
        if (connection->out.len >= ROUND_BYTES) {
            sy_stream_write(stream, &connection->out);
            alive = alive && sy_stream_flush(stream);
        }
    }
    if (connection->closing)
        used = stream->in.len;
    sy_out_drop_front(&stream->in, used);
    return alive;
}

static int wait_ms(const struct sy_connection *connection)
{
    if (connection->more)
        return 0;
    if (connection->late == NULL && !connection->closing)
        return -1;
    int64_t until = connection->late != NULL ? connection->late->due_ns : connection->leave_at_ns;
    int64_t left = until - now_ns();
    return left <= 0 ? 0 : (int)((left + 999999) / 1000000);
}

/* A paused node: nothing is read or sent until its state changes. */
static bool sit_still(struct sy_connection *connection)
{
    struct pollfd wait = {.fd = connection->wake, .events = POLLIN};
    while (atomic_load(&node_of(connection)->state) == SY_NODE_PAUSED && !atomic_load(&connection->stop)) {
        (void)poll(&wait, 1, -1);
        take_pushed(connection);
    }
    return !atomic_load(&connection->stop);
}

/* Wait for the client, for a due time or for others; then move bytes. False at the end. */
static bool wait_and_read(struct sy_connection *connection)
{
    struct sy_stream *stream = &connection->stream;
    bool stuck = sy_stream_pending(stream) >= BACKLOG_BYTES;
    connection->more = connection->more && !stuck;
    short events = (short)((stuck ? 0 : POLLIN) | (sy_stream_pending(stream) > 0 ? POLLOUT : 0));
    struct pollfd waits[2] = {{.fd = connection->wake, .events = POLLIN},
                              {.fd = stream->fd, .events = events}};
    if (poll(waits, 2, wait_ms(connection)) < 0)
        return errno == EINTR;
    if (waits[0].revents != 0)
        take_pushed(connection);
    /* what came to a node while it is paused waits in the kernel */
    if (atomic_load(&node_of(connection)->state) == SY_NODE_PAUSED)
        return sit_still(connection);
    if (waits[1].revents & (POLLERR | POLLNVAL))
        return false;
    return !(waits[1].revents & (POLLIN | POLLHUP)) || sy_stream_read(stream);
}

/* Said all: the client sees our end of the stream; nobody reads what it sends now. */
static bool bid_farewell(struct sy_connection *connection, bool *said)
{
    if (connection->late != NULL)
        return true;
    if (!*said && sy_stream_pending(&connection->stream) == 0) {
        (void)shutdown(connection->stream.fd, SHUT_WR);
        *said = true;
    }
    return now_ns() < connection->leave_at_ns;
}

void sy_connection_serve(struct sy_connection *connection)
{
    bool alive = connection->wake >= 0 && !connection->stream.broken;
    bool farewell = false;
    while (alive && !atomic_load(&connection->stop)) {
        alive = wait_and_read(connection);
        if (alive)
            alive = serve_frames(connection);
        take_due(connection);
        sy_stream_write(&connection->stream, &connection->out);
        if (!sy_stream_flush(&connection->stream))
            break;
        if (connection->closing && alive)
            alive = bid_farewell(connection, &farewell);
    }
    sy_stream_shutdown(&connection->stream);
}
