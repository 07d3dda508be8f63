/* SPDX-License-Identifier: Apache-2.0 */
/* `sluice run`: read and check everything, try the servers, start, wait for a signal, stop. */
#include "cli/command.h"
#include "cli/version.h"

#include "api/connect/api.h"
#include "api/registry/serve.h"
#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/props.h"
#include "base/queue.h"
#include "base/thread.h"
#include "engine/config/connector_config.h"
#include "engine/group/group_member.h"
#include "engine/herd/herder.h"
#include "engine/migrate/migrate.h"
#include "engine/config/worker_config.h"
#include "sluice/registry.h"

#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

enum {
    STOP_US = 950 * 1000,
    LEAVE_US = 3 * 1000 * 1000, /* then for what may wait for brokers: the group, the log's own notes */
    SECRETS_MS = 2000,          /* between two tries of a config provider that is away */
    SILENT_MS = 3000,           /* a server that has not answered by then is named */
};

/* Everything that one run is made of. */
struct run {
    const struct sl_cli *cli;
    struct sl_props *props;
    struct sl_secrets *secrets;
    struct sl_connector **connectors; /* of the files that were given */
    const char **paths;
    size_t n;
    struct sl_herder *herder;
    struct sl_group_member *member;     /* NULL: alone */
    struct sl_connect_api *rest;        /* NULL: listeners is empty */
    struct sl_registry_server *schemas; /* the built-in registry, served */
    int64_t began_us;
    int signal_fd;
    bool only_check;
};

/* ---- reading ---- */

/* A config provider that is away or sealed may come back: true, after a while. A signal ends the process. */
static bool waits_for_secrets(const struct run *run, bool passing, const char *path, const char *why)
{
    struct pollfd waiting = {.fd = run->signal_fd, .events = POLLIN};

    if (!passing || run->only_check)
        return false;
    sl_warn("secrets cannot be read yet; trying again", SL_T("file", path ? path : "(defaults)"),
            SL_T("error", why));
    if (poll(&waiting, 1, SECRETS_MS) > 0)
        _exit(SL_EXIT_OK);
    return true;
}

/* One line a key: the file, the key, what is wrong, and what to do. */
static int print_complaints(const char *path, struct sl_complaints *complaints)
{
    int status = complaints->n ? SL_EXIT_FAILED : SL_EXIT_OK;

    for (size_t i = 0; i < complaints->n; i++) {
        const struct sl_complaint *complaint = &complaints->items[i];
        size_t len = strlen(complaint->text);

        if (len && complaint->text[len - 1] == '.')
            len--;
        (void)fprintf(stderr, "sluice: %s: %s%s%.*s%s [CONFIG]\n", path ? path : "(defaults)", complaint->key,
                      complaint->key[0] ? ": " : "", (int)len, complaint->text,
                      strstr(complaint->text, "HINT:") ? "" : ". HINT: correct this key in the file");
    }
    sl_complaints_done(complaints);
    return status;
}

static int read_worker(struct run *run, const char *path)
{
    struct sl_complaints complaints = {0};
    struct sl_error err = {0};
    int status;

    if (sl_worker_config_read(path, &run->props, &err))
        return sl_cli_fail(NULL, &err);
    while (sl_worker_config_resolve(&run->props, run->cli->plugins, &complaints, &run->secrets, &err)) {
        if (!waits_for_secrets(run, err.kind == SL_KIND_TRANSIENT, path, err.text))
            return sl_cli_fail(path, &err);
    }
    sl_worker_config_check(run->props, run->cli->plugins, &complaints);
    status = print_complaints(path, &complaints);
    return status;
}

/* The connector of a file, or complaints. */
static enum sl_rc check_connector(const struct run *run, const char *path, struct sl_complaints *complaints,
                                  struct sl_connector **ret, struct sl_error *err)
{
    for (;;) {
        struct sl_props *props = NULL;
        enum sl_rc rc = sl_connector_read(path, &props, err);

        if (rc)
            return rc;
        sl_connector_check(props, run->cli->plugins, run->props, run->secrets, complaints, ret);
        if (*ret || !waits_for_secrets(run, complaints->passing, path, complaints->items[0].text))
            return SL_OK;
        sl_complaints_done(complaints);
    }
}

static int read_connector(struct run *run, const char *path)
{
    struct sl_complaints complaints = {0};
    struct sl_connector *connector = NULL;
    struct sl_error err = {0};

    if (check_connector(run, path, &complaints, &connector, &err))
        return sl_cli_fail(NULL, &err);
    for (size_t i = 0; connector && i < run->n; i++) {
        if (strcmp(run->connectors[i]->name, connector->name) == 0)
            sl_complain(&complaints, "name",
                        "'%s' is the name of the connector in '%s' too. HINT: names are unique",
                        connector->name, run->paths[i]);
    }
    if (connector) {
        run->paths[run->n] = path;
        run->connectors[run->n++] = connector;
    }
    return print_complaints(path, &complaints);
}

/* All files are read, so that all that is wrong is told at once. */
static int read_all(struct run *run, const struct sl_arguments *arguments)
{
    int status = read_worker(run, arguments->words[0]);

    if (status)
        return status;
    sl_worker_config_open_log(run->props);
    for (size_t i = 1; i < arguments->n_words; i++) {
        if (read_connector(run, arguments->words[i]))
            status = SL_EXIT_FAILED;
    }
    return status;
}

/* ---- trying the servers ---- */

struct probe {
    const struct sl_plugins *plugins;
    const struct sl_connector *connector;
    int done_fd; /* told when the answer is there */
    _Atomic bool answered;
    struct sl_thread thread;
    struct sl_error err;
};

static void probe_main(void *arg)
{
    struct probe *probe = arg;
    uint64_t one = 1;

    (void)sl_connector_probe(probe->connector, probe->plugins, &probe->err);
    atomic_store(&probe->answered, true);
    (void)!write(probe->done_fd, &one, sizeof(one));
}

/* A server that cannot be reached may come back; anything else needs the user. */
static int judge(const struct probe *probe, const char *path, bool only_check)
{
    char what[300];

    if (!probe->err.rc)
        return SL_EXIT_OK;
    if (probe->err.kind == SL_KIND_TRANSIENT && !only_check) {
        sl_log_context(probe->connector->name, NULL);
        sl_log_error(SL_LEVEL_WARN, "cannot work yet; it is tried again for as long as it takes",
                     &probe->err);
        sl_log_context(NULL, NULL);
        return SL_EXIT_OK;
    }
    (void)snprintf(what, sizeof(what), "connector '%s' (%s)", probe->connector->name, path);
    return sl_cli_fail(what, &probe->err);
}

static void say_who_is_silent(const struct probe *probes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (!atomic_load(&probes[i].answered))
            sl_warn("a server does not answer yet; waiting for it",
                    SL_T("connector", probes[i].connector->name));
    }
}

/*
 * Until all answers are there. A server that does not answer at all can take long: it is said, and a signal
 * is not kept waiting for it. Nothing runs yet, so the process can simply end.
 */
static void wait_for_answers(const struct probe *probes, size_t n, int done_fd, int signal_fd)
{
    struct pollfd waiting[] = {{.fd = signal_fd, .events = POLLIN}, {.fd = done_fd, .events = POLLIN}};
    size_t missing = n;
    uint64_t one;

    while (missing) {
        int ready = poll(waiting, 2, SILENT_MS);

        if (ready == 0)
            say_who_is_silent(probes, n);
        if (ready > 0 && waiting[0].revents) {
            sl_info("stopping");
            _exit(SL_EXIT_OK);
        }
        while (missing && read(done_fd, &one, sizeof(one)) == sizeof(one))
            missing--;
    }
}

/* All at once: a start should not take as long as the slowest server times the connectors. */
static int probe_all(const struct run *run, int signal_fd, bool only_check)
{
    struct probe *probes = sl_zalloc(run->n, sizeof(*probes));
    int done_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK | EFD_SEMAPHORE);
    int status = SL_EXIT_OK;

    for (size_t i = 0; i < run->n; i++) {
        probes[i].plugins = run->cli->plugins;
        probes[i].connector = run->connectors[i];
        probes[i].done_fd = done_fd;
        sl_thread_start(&probes[i].thread, "probe", probe_main, &probes[i]);
    }
    wait_for_answers(probes, run->n, done_fd, signal_fd);
    for (size_t i = 0; i < run->n; i++) {
        sl_thread_join(&probes[i].thread);
        if (judge(&probes[i], run->paths[i], only_check))
            status = SL_EXIT_FAILED;
    }
    (void)close(done_fd);
    sl_free(probes);
    return status;
}

/* ---- running ---- */

static int block_signals(void)
{
    sigset_t set;

    (void)signal(SIGPIPE, SIG_IGN);
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGTERM);
    (void)sigaddset(&set, SIGINT);
    (void)pthread_sigmask(SIG_BLOCK, &set, NULL);
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* From now on a signal ends the process at once. */
static void unblock_signals(int signal_fd)
{
    struct signalfd_siginfo taken;
    sigset_t set;

    (void)!read(signal_fd, &taken, sizeof(taken));
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGTERM);
    (void)sigaddset(&set, SIGINT);
    (void)pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

/* Until a signal (0), or until nothing is left to do here (1): in a group, work may come from elsewhere. */
static int wait_for_end(struct run *run, int signal_fd)
{
    struct pollfd waiting[] = {{.fd = signal_fd, .events = POLLIN},
                               {.fd = sl_herder_event_fd(run->herder), .events = POLLIN},
                               {.fd = run->member ? sl_group_member_fd(run->member) : -1, .events = POLLIN}};
    struct sl_error err;
    char reason[800];
    uint64_t count;

    for (;;) {
        if (poll(waiting, 3, -1) < 0)
            continue;
        if (waiting[1].revents)
            (void)!read(waiting[1].fd, &count, sizeof(count));
        if (!run->member && sl_herder_all_failed(run->herder, reason, sizeof(reason))) {
            sl_fail("every task has failed: nothing is left to do", SL_T("first", reason));
            return SL_EXIT_FAILED;
        }
        if (run->member && sl_group_member_failure(run->member, &err)) {
            sl_log_error(SL_LEVEL_ERROR, "this worker is out of its group", &err);
            return SL_EXIT_FAILED;
        }
        if (waiting[0].revents) {
            sl_info("stopping");
            return SL_EXIT_OK;
        }
    }
}

static void say_start(const struct run *run)
{
    struct sl_transport *transport = sl_herder_shared(run->herder)->transport;
    struct sl_buf names = {0};

    for (size_t i = 0; i < run->n; i++)
        sl_buf_format(&names, "%s%s", i ? "," : "", run->connectors[i]->name);
    sl_info("sluice starts", SL_T("version", SL_VERSION),
            SL_T("state_dir", sl_props_get(run->props, "sluice.state.dir")),
            SL_T("log_identity", transport->ops->identity(transport)),
            SL_T("connectors", sl_buf_cstr(&names)), SL_I("pid", getpid()));
    sl_buf_done(&names);
    sl_worker_config_warn_unknown(run->props, run->cli->plugins);
}

struct guard {
    struct sl_stop over;
    int64_t deadline_us;
    int status;
};

/* All tasks have ended in order; what is left to be done is worth so long and no longer. */
static void guard_main(void *arg)
{
    struct guard *guard = arg;

    if (sl_stop_wait(&guard->over, guard->deadline_us))
        return;
    sl_warn(
        "stopped without taking leave of the log any longer; nothing that was confirmed is lost. HINT: are "
        "brokers away?");
    _exit(guard->status);
}

static int stop(struct run *run, int status)
{
    struct sl_thread watching = {0};
    struct guard guard = {.status = status};
    struct sl_registry *registry = sl_herder_shared(run->herder)->registry;
    int64_t began_us = sl_now_us();

    if (registry->ops->stop)
        registry->ops->stop(registry);
    if (run->rest)
        sl_connect_api_leave(run->rest);
    if (!sl_herder_stop(run->herder, began_us + STOP_US) ||
        (run->rest && !sl_connect_api_close(run->rest, began_us + STOP_US)) ||
        !sl_registry_server_stop(run->schemas)) {
        sl_warn("stopped without waiting any longer; nothing that was confirmed is lost");
        _exit(status); /* threads still run: leave them to the kernel */
    }
    sl_stop_init(&guard.over);
    guard.deadline_us = sl_now_us() + LEAVE_US;
    sl_thread_start(&watching, "stop-guard", guard_main, &guard);
    sl_group_member_leave(run->member);
    sl_herder_free(run->herder);
    run->herder = NULL;
    sl_stop_request(&guard.over);
    sl_thread_join(&watching);
    sl_stop_done(&guard.over);
    sl_info("stopped", SL_I("after_ms", (sl_now_us() - began_us) / 1000));
    return status;
}

/* In its group, if the worker's file names one; the others are told where its REST API answers. */
static enum sl_rc join_group(struct run *run, struct sl_error *err)
{
    if (!sl_group_member_is_wanted(run->props))
        return SL_OK;
    return sl_group_member_join(run->herder, run->props, run->rest ? sl_connect_api_url(run->rest) : "",
                                &run->member, err);
}

/* With connector files as connect-standalone does, without them as connect-distributed. */
static enum sl_rc start(struct run *run, struct sl_error *err)
{
    const struct sl_props **configs = sl_zalloc(run->n, sizeof(*configs));
    enum sl_rc rc = SL_OK;

    for (size_t i = 0; i < run->n; i++)
        configs[i] = run->connectors[i]->raw;
    if (run->n)
        rc = sl_herder_adopt_files(run->herder, configs, run->n, err);
    sl_free(configs);
    if (rc == SL_OK)
        rc = join_group(run, err);
    return rc ? rc : sl_herder_start(run->herder, err);
}

static int run_worker(struct run *run, int signal_fd)
{
    const struct sl_herder_settings settings = {
        .plugins = run->cli->plugins, .worker = run->props, .secrets = run->secrets};
    struct sl_error err = {0};
    int status = SL_EXIT_FAILED;

    if (sl_migrate_refuse(run->cli->plugins, run->props, &err))
        return sl_cli_fail(NULL, &err);
    /* Ports first: a port in use is told before anything else happens. */
    if (sl_connect_api_open(run->props, run->cli->plugins, &run->rest, &err))
        return sl_cli_fail(NULL, &err);
    if (sl_herder_open(&settings, &run->herder, &err)) {
        if (run->rest)
            (void)sl_connect_api_close(run->rest, SL_FOREVER);
        return sl_cli_fail(NULL, &err);
    }
    say_start(run);
    if (sl_registry_server_start(run->props, sl_herder_shared(run->herder)->registry, &run->schemas, &err))
        status = sl_cli_fail(NULL, &err);
    else
        status = probe_all(run, signal_fd, false);
    if (status == SL_EXIT_OK && start(run, &err))
        status = sl_cli_fail(NULL, &err);
    if (status == SL_EXIT_OK) {
        if (run->rest)
            sl_connect_api_ready(run->rest, run->herder);
        sl_info("ready", SL_I("after_ms", (sl_now_us() - run->began_us) / 1000));
        status = wait_for_end(run, signal_fd);
    }
    unblock_signals(signal_fd);
    return stop(run, status);
}

/* A core file would hold what the client libraries keep of passwords; ours are left out of it anyway. */
static void allow_core_dumps(bool allowed)
{
    (void)prctl(PR_SET_DUMPABLE, allowed ? 1 : 0, 0, 0, 0);
}

static int run_command(const struct sl_cli *cli, const struct sl_arguments *arguments)
{
    struct run run = {.cli = cli, .began_us = sl_now_us()};
    bool only_check = sl_arguments_flag(arguments, "check");
    int signal_fd = block_signals();
    int status;

    run.signal_fd = signal_fd;
    run.only_check = only_check;
    allow_core_dumps(false);
    run.connectors = sl_zalloc(arguments->n_words, sizeof(struct sl_connector *));
    run.paths = sl_zalloc(arguments->n_words, sizeof(*run.paths));
    status = read_all(&run, arguments);
    if (status == SL_EXIT_OK) {
        allow_core_dumps(sl_option_bool(sl_worker_options, run.props, NULL, "sluice.core.dumps"));
        status = only_check ? probe_all(&run, signal_fd, true) : run_worker(&run, signal_fd);
        if (only_check && status == SL_EXIT_OK)
            (void)puts("everything that was given can be used, and every server answers");
    }
    for (size_t i = 0; i < run.n; i++)
        sl_connector_free(run.connectors[i]);
    sl_free(run.connectors);
    sl_free(run.paths);
    sl_secrets_close(run.secrets);
    sl_props_free(run.props);
    (void)close(signal_fd);
    return status;
}

static const struct sl_flag flags[] = {
    {"check", 0, NULL, "check files and servers, then exit"},
    {NULL, 0, NULL, NULL},
};

const struct sl_command sl_command_run = {
    .name = "run",
    .arguments = "[--check] WORKER.properties [CONNECTOR.json...]",
    .summary = "run connectors until SIGTERM or SIGINT",
    .help =
        "The worker's file holds Kafka Connect's keys and sluice.*; connector files hold the JSON that "
        "Connect's\n"
        "REST API takes ({\"name\": ..., \"config\": {...}}), a bare object, or Java properties.\n\n"
        "With connector files this is connect-standalone: they run, and their files say how. Without, it is\n"
        "connect-distributed: every connector that is known runs (docs/lifecycle.md).\n\n"
        "Wrong configuration, refused credentials and missing tables end the program at once with status "
        "1; a\n"
        "server that cannot be reached is tried again. When every task has failed, the status is 1 too. "
        "The first\n"
        "signal stops cleanly within a second, the second at once.",
    .min_words = 1,
    .max_words = 1000,
    .flags = flags,
    .run = run_command,
};
