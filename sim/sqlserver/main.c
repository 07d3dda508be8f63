/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sluice-sim-sqlserver: a stand-in for SQL Server, honest about being one. Options, wiring, signals.
 */
#include "session.h"
#include "../base/control.h"
#include "tds/commands.h"
#include "tds/listener.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STOP_TIMEOUT_MS 800

static const char help[] =
    "Usage: sluice-sim-sqlserver --state DIR [options]\n"
    "       sluice-sim-sqlserver ctl PATH COMMAND\n"
    "\n"
    "A stand-in for SQL Server: TDS 7.4, enough T-SQL for ordinary set-up scripts, and change data capture.\n"
    "\n"
    "  --state DIR               everything durable is in here; made when missing\n"
    "  --listen HOST:PORT        default 127.0.0.1:1433; port 0 chooses one and prints it\n"
    "  --sa-password PASSWORD    of login sa; default: environment variable MSSQL_SA_PASSWORD\n"
    "  --capture-interval-ms MS  polling interval of capture jobs (default 5000)\n"
    "  --capture-trace FILE      a line per captured transaction: commit LSN, microseconds since 1970\n"
    "  --encrypt POLICY          login (default): the client chooses, its login packet at least\n"
    "                            on: everything, for clients that can; required: for all; off: nothing\n"
    "  --cert FILE --key FILE    certificate and key; default: DIR/tls-cert.pem and DIR/tls-key.pem, made "
    "when missing\n"
    "  --seed N                  for generated ids, so that a run can be repeated (default 1)\n"
    "  --control PATH            unix socket for faults on command\n"
    "  --version, --help\n"
    "\n"
    "Commands of the control socket, each answered by \"ok\" or \"error ...\":\n"
    "  cut after N        the next N bytes to clients pass, then the connection that sends on is cut, once\n"
    "  cut each after N   every connection is cut after N more bytes of its own;  cut off: no more\n"
    "  delay MS           wait before each reply; 0: no more\n"
    "  refuse on|off      refuse new connections\n"
    "  restart            drop all connections, close, open again and listen\n"
    "  kill SPID|all      drop a connection\n"
    "  record PATH TEXT   write the first result set of the next statement that contains TEXT to PATH\n"
    "  replay PATH N      answer the next N executions of that statement from PATH;  replay off: no more\n"
    "  capture stop|start|once|interval MS\n"
    "  deadlock next      the next session that wants to write becomes a deadlock victim (1205)\n";

struct options {
    struct ms_server_options server;
    char host[64];
    uint16_t port;
    enum ms_encrypt_policy policy;
    const char *control;
    char cert[1024];
    char key[1024];
};

struct process {
    struct options options;
    struct ms_tls tls;
    struct ms_faults faults;
    struct ms_watch watch;
    struct ms_replay replay;
    struct ms_wire wire;
    pthread_mutex_t lock; /* guards what follows: a restart and the stop exclude each other */
    struct ms_server *server;
    struct ms_listener listener;
    bool up;
};

static struct process process;

static bool complain(const char *option, const char *value, const char *hint)
{
    fprintf(stderr, "sluice-sim-sqlserver: bad value '%s' for --%s. HINT: %s\n", value, option, hint);
    return false;
}

static bool parse_number(const char *option, const char *text, uint64_t max, uint64_t *ret_number)
{
    char *end;
    errno = 0;
    unsigned long long number = strtoull(text, &end, 10);
    if (errno != 0 || *end != '\0' || text[0] < '0' || text[0] > '9' || number > max)
        return complain(option, text, "give a whole number that fits");
    *ret_number = number;
    return true;
}

static bool parse_listen(const char *text, struct options *options)
{
    const char *colon = strrchr(text, ':');
    uint64_t port;
    if (colon == NULL || colon == text || (size_t)(colon - text) >= sizeof(options->host))
        return complain("listen", text, "give HOST:PORT, for example 127.0.0.1:11433");
    if (!parse_number("listen", colon + 1, UINT16_MAX, &port))
        return false;
    snprintf(options->host, sizeof(options->host), "%.*s", (int)(colon - text), text);
    options->port = (uint16_t)port;
    return true;
}

static bool parse_policy(const char *text, enum ms_encrypt_policy *ret_policy)
{
    static const char *const names[] = {[MS_POLICY_OFF] = "off",
                                        [MS_POLICY_LOGIN] = "login",
                                        [MS_POLICY_ON] = "on",
                                        [MS_POLICY_REQUIRED] = "required"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(text, names[i]) == 0) {
            *ret_policy = (enum ms_encrypt_policy)i;
            return true;
        }
    }
    return complain("encrypt", text, "choose off, login, on or required");
}

enum flag {
    FLAG_STATE = 1000,
    FLAG_LISTEN,
    FLAG_PASSWORD,
    FLAG_INTERVAL,
    FLAG_TRACE,
    FLAG_ENCRYPT,
    FLAG_CERT,
    FLAG_KEY,
    FLAG_SEED,
    FLAG_CONTROL,
    FLAG_VERSION,
    FLAG_HELP
};

static const struct option flags[] = {
    {"state", required_argument, NULL, FLAG_STATE},
    {"listen", required_argument, NULL, FLAG_LISTEN},
    {"sa-password", required_argument, NULL, FLAG_PASSWORD},
    {"capture-interval-ms", required_argument, NULL, FLAG_INTERVAL},
    {"capture-trace", required_argument, NULL, FLAG_TRACE},
    {"encrypt", required_argument, NULL, FLAG_ENCRYPT},
    {"cert", required_argument, NULL, FLAG_CERT},
    {"key", required_argument, NULL, FLAG_KEY},
    {"seed", required_argument, NULL, FLAG_SEED},
    {"control", required_argument, NULL, FLAG_CONTROL},
    {"version", no_argument, NULL, FLAG_VERSION},
    {"help", no_argument, NULL, FLAG_HELP},
    {0},
};

static bool set_option(int flag, const char *value, struct options *options)
{
    uint64_t number = 0;
    switch ((enum flag)flag) {
    case FLAG_STATE: options->server.state_dir = value; return true;
    case FLAG_LISTEN: return parse_listen(value, options);
    case FLAG_PASSWORD: options->server.sa_password = value; return true;
    case FLAG_INTERVAL:
        if (!parse_number("capture-interval-ms", value, 86400000, &number))
            return false;
        options->server.capture_interval_ms = (int64_t)number;
        return true;
    case FLAG_TRACE: options->server.capture_trace = value; return true;
    case FLAG_ENCRYPT: return parse_policy(value, &options->policy);
    case FLAG_CERT: snprintf(options->cert, sizeof(options->cert), "%s", value); return true;
    case FLAG_KEY: snprintf(options->key, sizeof(options->key), "%s", value); return true;
    case FLAG_SEED: return parse_number("seed", value, UINT64_MAX, &options->server.seed);
    case FLAG_CONTROL: options->control = value; return true;
    case FLAG_VERSION: printf("sluice-sim-sqlserver %s\n", SLUICE_VERSION); exit(0);
    case FLAG_HELP: fputs(help, stdout); exit(0);
    default: fprintf(stderr, "HINT: see sluice-sim-sqlserver --help\n"); return false;
    }
}

static bool check_options(struct options *options)
{
    if (options->server.state_dir == NULL) {
        fprintf(stderr,
                "sluice-sim-sqlserver: --state is missing. HINT: give a directory for the databases\n");
        return false;
    }
    if (options->server.sa_password == NULL)
        options->server.sa_password = getenv("MSSQL_SA_PASSWORD");
    if (options->server.sa_password == NULL || options->server.sa_password[0] == '\0') {
        fprintf(stderr, "sluice-sim-sqlserver: login sa has no password. HINT: give --sa-password, or set "
                        "MSSQL_SA_PASSWORD\n");
        return false;
    }
    if (options->cert[0] == '\0')
        snprintf(options->cert, sizeof(options->cert), "%.1000s/tls-cert.pem", options->server.state_dir);
    if (options->key[0] == '\0')
        snprintf(options->key, sizeof(options->key), "%.1000s/tls-key.pem", options->server.state_dir);
    return true;
}

static bool read_options(int argc, char **argv, struct options *options)
{
    *options = (struct options){.server = {.capture_interval_ms = 5000, .seed = 1},
                                .host = "127.0.0.1",
                                .port = 1433,
                                .policy = MS_POLICY_LOGIN};
    int flag;
    while ((flag = getopt_long(argc, argv, "", flags, NULL)) != -1) {
        if (!set_option(flag, optarg, options))
            return false;
    }
    if (optind < argc) {
        fprintf(stderr, "sluice-sim-sqlserver: unknown argument '%s'. HINT: see --help\n", argv[optind]);
        return false;
    }
    return check_options(options);
}

/* The caller holds `lock`. A port that was chosen is kept over restarts. */
static bool go_up(void)
{
    struct options *options = &process.options;
    process.server = ms_server_open(&options->server);
    if (process.server == NULL)
        return false;
    process.wire.server = process.server;
    if (process.tls.inside == NULL && !ms_tls_open(&process.tls, options->cert, options->key)) {
        ms_server_close(process.server);
        return false;
    }
    if (!ms_listener_start(&process.listener, &process.wire, options->host, options->port)) {
        ms_server_close(process.server);
        return false;
    }
    options->port = process.listener.port;
    process.up = true;
    return true;
}

/* The caller holds `lock`. */
static bool go_down(void)
{
    if (!process.up)
        return true;
    if (!ms_listener_stop(&process.listener, STOP_TIMEOUT_MS))
        return false;
    ms_server_close(process.server);
    process.up = false;
    return true;
}

static bool explain(char *text, size_t size, const char *why)
{
    snprintf(text, size, "%s", why);
    return false;
}

static bool restart(char *text, size_t size)
{
    if (!go_down())
        return explain(text, size, "some connections did not end in time");
    return go_up() || explain(text, size, "cannot open again; see the simulator's stderr");
}

static bool run_command(const struct ms_control_command *command, const char *line, char *text, size_t size)
{
    switch (command->word) {
    case MS_WORD_CUT_ONCE: ms_faults_set_cut(&process.faults, MS_CUT_ONCE, command->number); return true;
    case MS_WORD_CUT_EACH: ms_faults_set_cut(&process.faults, MS_CUT_EACH, command->number); return true;
    case MS_WORD_CUT_OFF: ms_faults_set_cut(&process.faults, MS_CUT_OFF, 0); return true;
    case MS_WORD_DELAY: ms_faults_set_delay(&process.faults, (int64_t)command->number); return true;
    case MS_WORD_RESTART: return restart(text, size);
    case MS_WORD_RECORD: ms_replay_record(&process.replay, command->path, command->text); return true;
    case MS_WORD_REPLAY: return ms_replay_load(&process.replay, command->path, command->number, text, size);
    case MS_WORD_REPLAY_OFF: ms_replay_stop(&process.replay); return true;
    case MS_WORD_SERVER:
    case MS_WORD_REFUSE:
    case MS_WORD_KILL: break;
    }
    if (!process.up)
        return explain(text, size, "the server is down");
    if (command->word == MS_WORD_REFUSE)
        return ms_listener_refuse(&process.listener, command->number != 0) ||
               explain(text, size, "cannot listen again; see the simulator's stderr");
    if (command->word == MS_WORD_KILL) {
        size_t n = ms_listener_kill(&process.listener, (uint16_t)command->number);
        return n > 0 || command->number == 0 || explain(text, size, "no connection has this SPID");
    }
    return ms_server_fault(process.server, line, text, size);
}

static bool on_command(void *ctx, const char *line, char *ret_text, size_t size)
{
    (void)ctx;
    struct ms_control_command command;
    if (!ms_command_parse(line, &command, ret_text, size))
        return false;
    pthread_mutex_lock(&process.lock);
    bool ok = run_command(&command, line, ret_text, size);
    pthread_mutex_unlock(&process.lock);
    return ok;
}

static void wait_for_stop(const sigset_t *stop_signals)
{
    int got;
    while (sigwait(stop_signals, &got) != 0)
        continue;
}

static bool start_process(struct sim_control *control)
{
    pthread_mutex_init(&process.lock, NULL);
    ms_faults_init(&process.faults);
    ms_replay_init(&process.replay);
    if (!ms_watch_start(&process.watch)) {
        fprintf(stderr, "sluice-sim-sqlserver: cannot start the watch thread: %s\n", strerror(errno));
        return false;
    }
    process.wire = (struct ms_wire){.tls = &process.tls,
                                    .faults = &process.faults,
                                    .watch = &process.watch,
                                    .replay = &process.replay,
                                    .policy = process.options.policy};
    if (!go_up())
        return false;
    const struct sim_control_handler handler = {.run = on_command, .program = "sluice-sim-sqlserver"};
    return process.options.control == NULL || sim_control_start(control, process.options.control, handler);
}

int main(int argc, char **argv)
{
    if (argc == 4 && strcmp(argv[1], "ctl") == 0)
        return sim_control_send("sluice-sim-sqlserver", argv[2], argv[3]);
    if (!read_options(argc, argv, &process.options))
        return 2;
    sigset_t stop_signals;
    sigemptyset(&stop_signals);
    sigaddset(&stop_signals, SIGTERM);
    sigaddset(&stop_signals, SIGINT);
    pthread_sigmask(SIG_BLOCK, &stop_signals, NULL);
    signal(SIGPIPE, SIG_IGN);
    struct sim_control control;
    if (!start_process(&control))
        return 1;
    printf("listening on %s:%u\n", process.options.host, process.options.port);
    fflush(stdout);
    wait_for_stop(&stop_signals);
    if (process.options.control != NULL)
        sim_control_stop(&control);
    pthread_mutex_lock(&process.lock);
    bool down = go_down();
    pthread_mutex_unlock(&process.lock);
    if (!down) {
        fprintf(
            stderr,
            "sluice-sim-sqlserver: some statements did not stop in time; what was committed is on disk\n");
        _exit(1);
    }
    ms_watch_stop(&process.watch);
    ms_tls_close(&process.tls);
    ms_replay_done(&process.replay);
    return 0;
}
