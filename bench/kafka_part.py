# SPDX-License-Identifier: Apache-2.0
"""
Kafka: sluice's way to a real broker and back (kafka_loop) beside librdkafka's own rdkafka_performance, which Debian's
librdkafka-dev brings as source, with the same records, the same acknowledgements and the same broker, in turns.
"""
import json
import os
import pathlib
import re
import shutil
import subprocess

from harness import kafka

EXAMPLE = pathlib.Path("/usr/share/doc/librdkafka-dev/examples/rdkafka_performance.c")
ROUNDS = 3


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


def theirs(program, arguments, rows):
    done = subprocess.run([program, *arguments, "-c", str(rows), "-q"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=300, check=False)
    found = re.findall(r"messages .*? in (\d+)ms", done.stdout)
    if not found:
        raise SystemExit(f"rdkafka_performance said nothing to the point:\n{done.stdout[-2000:]}")
    return int(found[-1]) / 1000


def run(table, folder, build_folder, rows, wanted):
    if not wanted("kafka") or not (os.environ.get("KAFKA", "") not in ("", "0") or "kafka" in os.environ.get("ONLY", "")):
        return
    cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache")) / "sluice"
    cache.mkdir(parents=True, exist_ok=True)
    program, best = build(folder), {}
    with kafka.Cluster(folder / "kafka", cache, heap="1g") as cluster:
        for number in range(ROUNDS):  # in turns; the best of each, for the machine is never quiet
            name = f"theirs-{number}"
            cluster.tool("TopicCommand", "--create", "--topic", name, "--partitions", "1")
            common = ["-t", name, "-p", "0", "-b", cluster.bootstrap]
            keep(best, "rdkafka_performance produces", theirs(
                program, ["-P", *common, "-s", "250", "-a", "-1", "-X", "enable.idempotence=true", "-X", "linger.ms=1"], rows))
            keep(best, "rdkafka_performance consumes", theirs(program, ["-C", *common, "-o", "beginning"], rows))
            done = subprocess.run([build_folder / "bench/kafka_loop", cluster.bootstrap, f"ours-{number}", str(rows),
                                   folder / f"state-{number}"], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                                  check=True, timeout=300)
            ours = json.loads(done.stdout)
            for way in ("produce", "consume"):
                keep(best, f"sluice {way}s", ours[way]["seconds"], ours[way]["cpu"])
    for way in ("produces", "consumes"):
        beside = best[f"rdkafka_performance {way}"]
        for who in (f"rdkafka_performance {way}", f"sluice {way}"):
            seconds, cpu = best[who]
            table.add("kafka", who, rows, seconds, cpu, ratio=beside[0] / seconds)


def keep(best, what, seconds, cpu=0.0):
    if what not in best or seconds < best[what][0]:
        best[what] = (seconds, cpu)
