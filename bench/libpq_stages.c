/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What it costs to hand a batch's parameters to libpq, alone: PQsendQueryPrepared in pipeline mode, with the
 * kernel's copy into the socket, on a connection whose other end only swallows. The thread's processor time.
 *
 *     libpq_stages [rounds]
 */
#include "base/alloc.h"
#include "stage.h"

#include <libpq-fe.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { ROWS = 4000, COLUMNS = 8, ROW_BYTES = 110 };

static void die(const char *what, const char *why)
{
    (void)fprintf(stderr, "libpq_stages: %s: %s\n", what, why);
    exit(1);
}

/* PostgreSQL's protocol 3.0: a start-up packet is answered by AuthenticationOk and ReadyForQuery; the rest
 * is read and forgotten. */
static void *swallow(void *arg)
{
    static const uint8_t ready[] = {'R', 0, 0, 0, 8, 0, 0, 0, 0, 'Z', 0, 0, 0, 5, 'I'};
    static uint8_t bytes[1 << 18];
    int listener = *(int *)arg;
    int fd = accept(listener, NULL, NULL);

    if (fd < 0 || read(fd, bytes, sizeof(bytes)) <= 0 || write(fd, ready, sizeof(ready)) < 0)
        die("the other end", "no connection came");
    while (read(fd, bytes, sizeof(bytes)) > 0)
        continue;
    (void)close(fd);
    return NULL;
}

static void flush(PGconn *conn)
{
    int left;

    while ((left = PQflush(conn)) > 0)
        (void)poll(&(struct pollfd){.fd = PQsocket(conn), .events = POLLOUT}, 1, -1);
    if (left < 0)
        die("flush", PQerrorMessage(conn));
}

static int listen_in(const char *folder, struct sockaddr_un *address)
{
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    (void)snprintf(address->sun_path, sizeof(address->sun_path), "%s/.s.PGSQL.5432", folder);
    if (listener < 0 || bind(listener, (const struct sockaddr *)address, sizeof(*address)) != 0 ||
        listen(listener, 1) != 0)
        die(folder, "cannot listen there");
    return listener;
}

/* Connections in pipeline mode remember what was sent until it is answered: a new one each round. */
static void one_round(const char *folder, int listener, struct bench_stage *stage)
{
    static char cells[COLUMNS][ROWS * ROW_BYTES / COLUMNS];
    const char *const keywords[] = {"host", "port", "user", "dbname", "sslmode", "gssencmode", NULL};
    const char *const texts[] = {folder, "5432", "bench", "bench", "disable", "disable", NULL};
    const char *values[COLUMNS];
    int lengths[COLUMNS];
    int formats[COLUMNS];
    pthread_t other;
    PGconn *conn;

    memset(cells, 'x', sizeof(cells)); /* untouched, all of it would be one page of zeros */
    for (int i = 0; i < COLUMNS; i++) {
        values[i] = cells[i];
        lengths[i] = sizeof(cells[i]);
        formats[i] = 1;
    }
    if (pthread_create(&other, NULL, swallow, &listener) != 0)
        die("the other end", "no thread");
    conn = PQconnectdbParams(keywords, texts, 0);
    if (PQstatus(conn) != CONNECTION_OK || PQsetnonblocking(conn, 1) != 0 || PQenterPipelineMode(conn) != 1)
        die("connect", PQerrorMessage(conn));
    for (int i = 0; i < 20; i++) { /* the first ones let libpq's buffer grow, as a long life does */
        bench_stage_begin(stage);
        if (PQsendQueryPrepared(conn, "upsert", COLUMNS, values, lengths, formats, 1) != 1)
            die("send", PQerrorMessage(conn));
        flush(conn);
        bench_stage_end(stage, sizeof(cells));
    }
    PQfinish(conn);
    (void)pthread_join(other, NULL);
}

int main(int argc, char **argv)
{
    long rounds = argc > 1 ? strtol(argv[1], NULL, 10) : 10;
    struct bench_stage stage = {
        .name = "hand to libpq", .rows = ROWS, .budget_ns = 100, .clock = BENCH_THREAD_CPU};
    char folder[] = "/tmp/libpq-stages-XXXXXX";
    struct sockaddr_un address;
    int listener;

    if (!mkdtemp(folder))
        die("/tmp", "cannot make a folder there");
    listener = listen_in(folder, &address);
    for (long i = 0; i < rounds; i++)
        one_round(folder, listener, &stage);
    (void)close(listener);
    (void)unlink(address.sun_path);
    (void)rmdir(folder);
    bench_stage_tell(&stage);
    return 0;
}
