/* SPDX-License-Identifier: Apache-2.0 */
#include "harness.h"

#include <ftw.h>
#include <stdio.h>
#include <unistd.h>

struct ms_session *harness_login(struct harness *h)
{
    struct ms_session *session;
    struct ms_message message;
    if (!ms_session_open(h->server, "sa", "Password!", "", "unit test", "here", false, &session, &message))
        fail_msg("login: %s", message.text);
    return session;
}

int harness_open(void **state)
{
    struct harness *h = ms_heap_alloc(sizeof *h);
    (void)snprintf(h->dir, sizeof h->dir, "/tmp/mssim-tsql-XXXXXX");
    assert_non_null(mkdtemp(h->dir));
    struct ms_server_options options = {
        .state_dir = h->dir, .sa_password = "Password!", .capture_interval_ms = 20, .seed = 1};
    h->server = ms_server_open(&options);
    assert_non_null(h->server);
    h->session = harness_login(h);
    printer_init(&h->printer);
    *state = h;
    assert_answers(h, "CREATE DATABASE test", "");
    assert_answers(h, "USE test", "");
    return 0;
}

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *ftw)
{
    (void)info;
    (void)kind;
    (void)ftw;
    return remove(path);
}

int harness_close(void **state)
{
    struct harness *h = *state;
    ms_session_close(h->session);
    ms_server_close(h->server);
    printer_done(&h->printer);
    (void)nftw(h->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    free(h);
    return 0;
}

const char *harness_run(struct harness *h, const char *sql)
{
    printer_clear(&h->printer);
    ms_session_batch(h->session, sql, strlen(sql), &h->printer.sink);
    return h->printer.text.data;
}
