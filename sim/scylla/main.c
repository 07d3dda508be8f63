/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sluice-sim-scylla: a stand-in for ScyllaDB, honest about being one. Options, wiring, signals.
 */
#include "session.h"
#include "../base/control.h"
#include "wire/service.h"

#include <errno.h>
#include <getopt.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define PROGRAM "sluice-sim-scylla"
#define STOP_TIMEOUT_MS 2000

static const char help[] =
    "Usage: sluice-sim-scylla --state DIR [options]\n"
    "       sluice-sim-scylla ctl PATH ORDER\n"
    "\n"
    "A stand-in for a ScyllaDB cluster: CQL native protocol v4, tables with CDC logs, streams in generations "
    "or\n"
    "tablets. Any driver of Cassandra or ScyllaDB connects; release_version is 3.0.8, as ScyllaDB says.\n"
    "\n"
    "  --state DIR            everything durable is in here; made when missing\n"
    "  --listen HOST:PORT     of node 0, IPv4; default 127.0.0.1:9042; port 0 chooses one and prints it\n"
    "  --nodes N              default 1. Node i listens on the address plus i (127.0.0.1, 127.0.0.2 ...), "
    "same port\n"
    "  --one-address          all nodes on one address, node i at PORT + i (few drivers understand that)\n"
    "  --shards N             of each node, default 2\n"
    "  --shard-port PORT      shard-aware port: there a client's own port, modulo shards, chooses the "
    "shard;\n"
    "                         default 0: a free one, which SUPPORTED tells; off: none\n"
    "  --vnodes N             token ranges of each node, default 16\n"
    "  --seed N               for stream ids and uuids, so that a run can be repeated (default 1)\n"
    "  --auth                 ask for passwords; the first role is cassandra with password cassandra\n"
    "  --tls                  TLS from the first byte, with DIR/tls-cert.pem and DIR/tls-key.pem, made when "
    "missing\n"
    "  --tls-cert FILE --tls-key FILE   the same with a pair of your own\n"
    "  --tls-client-ca FILE   only clients with a certificate of this authority come in\n"
    "  --control PATH         unix socket for orders, see below\n"
    "  --manual-clock         time stands still but for the order 'advance'\n"
    "  --clock-start MS       the same from a time on, milliseconds since 1970, so that a run can be "
    "repeated\n"
    "  --version, --help\n"
    "\n"
    "A first look, with Python's cassandra-driver (package python3-cassandra):\n"
    "  sluice-sim-scylla --state /tmp/scylla --control /tmp/scylla.ctl &\n"
    "  python3 -c \"from cassandra.cluster import Cluster; s = Cluster(['127.0.0.1']).connect();\n"
    "  print(s.execute('SELECT cluster_name FROM system.local').one())\"\n"
    "  sluice-sim-scylla ctl /tmp/scylla.ctl 'fail overload next 3'\n"
    "\n";

static const char more_orders[] =
    "Orders about rows and streams (TABLE: ks.name):\n"
    "  generation new [in MS]         the streams of vnode keyspaces begin a new generation, MS from now "
    "(3000)\n"
    "  tablets split TABLE [one] [in MS]  each tablet of a table, or one of them, becomes two: new streams\n"
    "  delay log|base TABLE MS [every N] [count N] [shuffled]\n"
    "                                 rows written from now on are seen MS later: late and out of order\n"
    "  delay off;  release            no more of that; and show at once what is held back\n"
    "  log expire TABLE [before US]   log rows older than that go (without: all)\n"
    "  log count TABLE                how many rows the log has\n"
    "  rowttl expire TABLE            the expiry service deletes the rows whose TTL column is past\n"
    "  dump TABLE;  hash TABLE        rows with their write times, as one text; the SHA-256 of their "
    "values\n";

struct options {
    struct sy_server_options server;
    struct sy_service_options service;
    char host[64];
    const char *control;
    bool tls;
    char cert[1024];
    char key[1024];
};

struct process {
    struct options options;
    struct sy_service *service;
    pthread_mutex_t lock; /* guards what follows: a restart and the stop exclude each other */
    struct sy_server *server;
    bool up;
};

static struct process process;

static bool complain(const char *option, const char *value, const char *hint)
{
    fprintf(stderr, PROGRAM ": bad value '%s' for --%s. HINT: %s\n", value, option, hint);
    return false;
}

static bool parse_number(const char *option, const char *text, uint64_t min, uint64_t max,
                         uint64_t *ret_number)
{
    char *end;
    errno = 0;
    unsigned long long number = strtoull(text, &end, 10);
    if (errno != 0 || *end != '\0' || text[0] < '0' || text[0] > '9' || number < min || number > max) {
        char hint[80];
        snprintf(hint, sizeof(hint), "give a whole number from %llu to %llu", (unsigned long long)min,
                 (unsigned long long)max);
        return complain(option, text, hint);
    }
    *ret_number = number;
    return true;
}

static bool parse_count(const char *option, const char *text, uint32_t max, uint32_t *ret_count)
{
    uint64_t number;
    if (!parse_number(option, text, 1, max, &number))
        return false;
    *ret_count = (uint32_t)number;
    return true;
}

static bool parse_port(const char *option, const char *text, uint16_t *ret_port)
{
    uint64_t port;
    if (!parse_number(option, text, 0, UINT16_MAX, &port))
        return false;
    *ret_port = (uint16_t)port;
    return true;
}

static bool parse_listen(const char *text, struct options *options)
{
    const char *colon = strrchr(text, ':');
    if (colon == NULL || colon == text || (size_t)(colon - text) >= sizeof(options->host))
        return complain("listen", text, "give HOST:PORT, for example 127.0.0.1:9042");
    snprintf(options->host, sizeof(options->host), "%.*s", (int)(colon - text), text);
    if (strcmp(options->host, "localhost") == 0)
        snprintf(options->host, sizeof(options->host), "127.0.0.1");
    return parse_port("listen", colon + 1, &options->service.port);
}

enum flag {
    FLAG_STATE = 1000,
    FLAG_LISTEN,
    FLAG_NODES,
    FLAG_ONE_ADDRESS,
    FLAG_SHARDS,
    FLAG_SHARD_PORT,
    FLAG_VNODES,
    FLAG_SEED,
    FLAG_AUTH,
    FLAG_TLS,
    FLAG_CERT,
    FLAG_KEY,
    FLAG_CLIENT_CA,
    FLAG_CONTROL,
    FLAG_MANUAL_CLOCK,
    FLAG_CLOCK_START,
    FLAG_VERSION,
    FLAG_HELP
};

static const struct option flags[] = {
    {"state", required_argument, NULL, FLAG_STATE},
    {"listen", required_argument, NULL, FLAG_LISTEN},
    {"nodes", required_argument, NULL, FLAG_NODES},
    {"one-address", no_argument, NULL, FLAG_ONE_ADDRESS},
    {"shards", required_argument, NULL, FLAG_SHARDS},
    {"shard-port", required_argument, NULL, FLAG_SHARD_PORT},
    {"vnodes", required_argument, NULL, FLAG_VNODES},
    {"seed", required_argument, NULL, FLAG_SEED},
    {"auth", no_argument, NULL, FLAG_AUTH},
    {"tls", no_argument, NULL, FLAG_TLS},
    {"tls-cert", required_argument, NULL, FLAG_CERT},
    {"tls-key", required_argument, NULL, FLAG_KEY},
    {"tls-client-ca", required_argument, NULL, FLAG_CLIENT_CA},
    {"control", required_argument, NULL, FLAG_CONTROL},
    {"manual-clock", no_argument, NULL, FLAG_MANUAL_CLOCK},
    {"clock-start", required_argument, NULL, FLAG_CLOCK_START},
    {"version", no_argument, NULL, FLAG_VERSION},
    {"help", no_argument, NULL, FLAG_HELP},
    {0},
};

static void print_help(void)
{
    fputs(help, stdout);
    fputs(sy_service_help, stdout);
    fputs(more_orders, stdout);
}

static bool parse_clock(const char *text, struct sy_server_options *options)
{
    uint64_t ms;
    if (!parse_number("clock-start", text, 0, INT64_MAX / 1000, &ms))
        return false;
    options->manual_clock = true;
    options->start_us = (int64_t)ms * 1000;
    return true;
}

static bool set_option(int flag, const char *value, struct options *options)
{
    struct sy_service_options *service = &options->service;
    switch ((enum flag)flag) {
    case FLAG_STATE: options->server.state_dir = value; return true;
    case FLAG_LISTEN: return parse_listen(value, options);
    case FLAG_NODES: return parse_count("nodes", value, 64, &service->n_nodes);
    case FLAG_ONE_ADDRESS: service->ports_differ = true; return true;
    case FLAG_SHARDS: return parse_count("shards", value, 256, &service->n_shards);
    case FLAG_SHARD_PORT:
        service->no_shard_port = strcmp(value, "off") == 0;
        return service->no_shard_port || parse_port("shard-port", value, &service->shard_port);
    case FLAG_VNODES: return parse_count("vnodes", value, 1024, &options->server.vnodes);
    case FLAG_SEED: return parse_number("seed", value, 0, UINT64_MAX, &options->server.seed);
    case FLAG_AUTH: service->authenticate = true; return true;
    case FLAG_TLS: options->tls = true; return true;
    case FLAG_CERT: snprintf(options->cert, sizeof(options->cert), "%s", value); return true;
    case FLAG_KEY: snprintf(options->key, sizeof(options->key), "%s", value); return true;
    case FLAG_CLIENT_CA: service->tls_client_ca = value; return true;
    case FLAG_CONTROL: options->control = value; return true;
    case FLAG_MANUAL_CLOCK:
        options->server.manual_clock = true;
        options->server.start_us = (int64_t)time(NULL) * 1000000;
        return true;
    case FLAG_CLOCK_START: return parse_clock(value, &options->server);
    case FLAG_VERSION: printf(PROGRAM " %s\n", SLUICE_VERSION); exit(0);
    case FLAG_HELP: print_help(); exit(0);
    default: fprintf(stderr, "HINT: see " PROGRAM " --help\n"); return false;
    }
}

/* TLS is on when any of its options is given; files that were not named are in the state directory. */
static bool choose_tls(struct options *options)
{
    struct sy_service_options *service = &options->service;
    bool pair = options->cert[0] != '\0' || options->key[0] != '\0';
    if (pair && (options->cert[0] == '\0' || options->key[0] == '\0')) {
        fprintf(stderr,
                PROGRAM ": a certificate needs its key. HINT: give --tls-cert and --tls-key together\n");
        return false;
    }
    if (!options->tls && !pair && service->tls_client_ca == NULL)
        return true;
    if (!pair) {
        snprintf(options->cert, sizeof(options->cert), "%.1000s/tls-cert.pem", options->server.state_dir);
        snprintf(options->key, sizeof(options->key), "%.1000s/tls-key.pem", options->server.state_dir);
        if (mkdir(options->server.state_dir, 0777) != 0 && errno != EEXIST)
            return complain("state", options->server.state_dir, "choose a directory that can be made");
    }
    service->tls_cert = options->cert;
    service->tls_key = options->key;
    return true;
}

static bool check_options(struct options *options)
{
    if (options->server.state_dir == NULL) {
        fprintf(stderr, PROGRAM ": --state is missing. HINT: give a directory for the tables\n");
        return false;
    }
    struct sy_service_options *service = &options->service;
    service->address = options->host;
    options->server.n_nodes = service->n_nodes;
    options->server.n_shards = service->n_shards;
    options->server.authenticate = service->authenticate;
    options->server.ports_differ = service->ports_differ;
    options->server.address = options->host;
    return choose_tls(options);
}

static bool read_options(int argc, char **argv, struct options *options)
{
    *options = (struct options){.server = {.seed = 1, .vnodes = 16},
                                .service = {.port = 9042, .n_nodes = 1, .n_shards = 2},
                                .host = "127.0.0.1"};
    int flag;
    while ((flag = getopt_long(argc, argv, "", flags, NULL)) != -1) {
        if (!set_option(flag, optarg, options))
            return false;
    }
    if (optind < argc) {
        fprintf(stderr, PROGRAM ": unknown argument '%s'. HINT: see --help\n", argv[optind]);
        return false;
    }
    return check_options(options);
}

static bool explain(char *text, size_t size, const char *why)
{
    snprintf(text, size, "%s", why);
    return false;
}

/* The caller holds `lock`. */
static bool restart(char *text, size_t size)
{
    if (process.up && !sy_service_detach(process.service, STOP_TIMEOUT_MS))
        return explain(text, size, "some connections did not end in time");
    if (process.up)
        sy_server_close(process.server);
    process.up = false;
    process.server = sy_server_open(&process.options.server);
    if (process.server == NULL)
        return explain(text, size, "cannot open again; see the simulator's stderr");
    process.up = true;
    return sy_service_attach(process.service, process.server) ||
           explain(text, size, "cannot listen again: a port was taken meanwhile");
}

static bool on_command(void *ctx, const char *line, char *ret_text, size_t size)
{
    (void)ctx;
    pthread_mutex_lock(&process.lock);
    bool ok;
    if (strcmp(line, "restart") == 0)
        ok = restart(ret_text, size);
    else if (!process.up)
        ok = explain(ret_text, size, "the server is down. HINT: restart");
    else
        ok = sy_service_command(process.service, line, ret_text, size);
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
    struct options *options = &process.options;
    pthread_mutex_init(&process.lock, NULL);
    process.service = sy_service_bind(&options->service);
    if (process.service == NULL)
        return false;
    options->server.port = sy_service_port(process.service, 0);
    process.server = sy_server_open(&options->server);
    if (process.server == NULL || !sy_service_start(process.service, process.server))
        return false;
    process.up = true;
    const struct sim_control_handler handler = {.run = on_command, .program = PROGRAM};
    return options->control == NULL || sim_control_start(control, options->control, handler);
}

static bool stop_process(void)
{
    pthread_mutex_lock(&process.lock);
    bool stopped = sy_service_stop(process.service, STOP_TIMEOUT_MS);
    if (stopped && process.up)
        sy_server_close(process.server);
    pthread_mutex_unlock(&process.lock);
    return stopped;
}

int main(int argc, char **argv)
{
    if (argc == 4 && strcmp(argv[1], "ctl") == 0)
        return sim_control_send(PROGRAM, argv[2], argv[3]);
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
    for (uint32_t i = 0; i < process.options.service.n_nodes; i++)
        printf("node %u: shard-aware port %u\nlistening on %s:%u\n", i,
               sy_service_shard_port(process.service, i), sy_service_address(process.service, i),
               sy_service_port(process.service, i));
    fflush(stdout);
    wait_for_stop(&stop_signals);
    if (process.options.control != NULL)
        sim_control_stop(&control);
    if (!stop_process()) {
        fprintf(stderr, PROGRAM ": some requests did not stop in time; what was written is on disk\n");
        _exit(1);
    }
    sy_service_free(process.service);
    return 0;
}
