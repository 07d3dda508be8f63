# SPDX-License-Identifier: Apache-2.0
"""
Kafka: sluice's way to a real broker and back (kafka_loop) beside librdkafka's own rdkafka_performance, which Debian's
librdkafka-dev brings as source: the same sizes, the same acknowledgements, the same broker, in turns; both read the same topic.
"""
import json
import os
import pathlib
import re
import shutil
import subprocess

from harness import kafka

EXAMPLE = pathlib.Path("/usr/share/doc/librdkafka-dev/examples/rdkafka_performance.c")
ROUNDS = 5
LONGER = 4  # times as many rows as elsewhere: a million would be read in a quarter of a second
PRODUCING = ["-s", "242", "-k", "8 bytes.", "-a", "-1", "-X", "enable.idempotence=true", "-X", "linger.ms=1"]
PAUSE_US = 10000  # of the reader that has something to do between two batches


# The example stands in librdkafka's source tree and takes this much of its inner headers.
RD = """#include <ctype.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/types.h>
#include <unistd.h>
#define RD_UNUSED __attribute__((unused))
#define rd_snprintf snprintf
#define RD_MIN(a, b) ((a) < (b) ? (a) : (b))
#define RD_MAX(a, b) ((a) > (b) ? (a) : (b))
"""
RDTIME = """#include <stdint.h>
#include <time.h>
typedef int64_t rd_ts_t;
static inline rd_ts_t rd_clock(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (rd_ts_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}
"""


def build(folder):
    place, program = folder / "rdkafka/examples", folder / "rdkafka_performance"
    for path, text in ((place / "rd.h", RD), (folder / "rdkafka/src/rd.h", RD), (place / "rdtime.h", RDTIME)):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    shutil.copy(EXAMPLE, place)
    subprocess.run(["cc", "-O2", "-w", "-I/usr/include/librdkafka", place / EXAMPLE.name, "-o", program, "-lrdkafka", "-lm"],
                   check=True)
    return program


def run_one(arguments):
    """What it printed, and the processor seconds of the whole process."""
    with subprocess.Popen([str(a) for a in arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True) as process:
        told = process.stdout.read()
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{arguments[0]} ended with status {process.returncode}:\n{told[-2000:]}")
    return told, used.ru_utime + used.ru_stime


class Side:
    """One of the two programs: what it is started with, and where its answer stands."""

    def __init__(self, name, best, rows):
        self.name, self.best, self.rows = name, best, rows

    def keep(self, what, arguments):
        told, cpu = run_one(arguments)
        figures = {"rows": self.rows, "cpu": cpu, **self.figures(told)}
        kept = self.best.setdefault(f"{self.name} {what}", figures)
        if figures["seconds"] < kept["seconds"]:
            self.best[f"{self.name} {what}"] = figures


class Theirs(Side):
    def figures(self, told):
        found = re.findall(r"messages .*? in (\d+)ms", told)
        if not found:
            raise SystemExit(f"rdkafka_performance said nothing to the point:\n{told[-2000:]}")
        return {"seconds": int(found[-1]) / 1000}

    def go(self, program, way, bootstrap, topic):
        os.sync()  # nobody writes while the disk is busy with what the other wrote
        mode = ["-P", *PRODUCING] if way == "produce" else ["-C", "-o", "beginning"]
        self.keep(f"{way}s", [program, *mode, "-b", bootstrap, "-t", topic, "-p", "0", "-c", self.rows, "-q"])


class Ours(Side):
    def figures(self, told):
        return json.loads(told.splitlines()[-1])

    def go(self, program, way, bootstrap, topic, state, *more):
        os.sync()
        self.keep(f"{way}s" + ", 10 ms of work a batch" * bool(more), [program, way, bootstrap, topic, self.rows, state, *more])


def run(table, folder, build_folder, rows, wanted):
    if not wanted("kafka") or not (os.environ.get("KAFKA", "") not in ("", "0") or "kafka" in os.environ.get("ONLY", "")):
        return
    cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache")) / "sluice"
    cache.mkdir(parents=True, exist_ok=True)
    example, loop, best = build(folder), build_folder / "bench/kafka_loop", {}
    theirs, ours = Theirs("rdkafka_performance", best, rows * LONGER), Ours("sluice", best, rows * LONGER)
    with kafka.Cluster(folder / "kafka", cache, heap="1g") as cluster:
        for number in range(ROUNDS):  # in turns; the best of each, for the machine is never quiet
            topics = [f"theirs-{number}", f"ours-{number}"]
            cluster.tool("TopicCommand", "--create", "--topic", topics[0], "--partitions", "1")
            there, state = (cluster.bootstrap, topics[1]), folder / f"state-{number}"
            theirs.go(example, "produce", cluster.bootstrap, topics[0])
            ours.go(loop, "produce", *there, state)
            theirs.go(example, "consume", *there)
            ours.go(loop, "consume", *there, state)
            if not number:
                ours.go(loop, "consume", *there, state, PAUSE_US)
            for topic in topics:
                cluster.tool("TopicCommand", "--delete", "--topic", topic)
    tell(table, best)


def tell(table, best):
    for way in ("produces", "consumes"):
        beside = best[f"rdkafka_performance {way}"]
        for what, figures in best.items():
            if way in what:
                ratio = None if "," in what else beside["seconds"] / figures["seconds"]
                table.add("kafka", what, figures["rows"], figures["seconds"], figures["cpu"], figures.get("rss_mb"), ratio)
