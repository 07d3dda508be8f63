# SPDX-License-Identifier: Apache-2.0
"""ScyllaDB's parts of tools/bench: reading beside the Java library, latency, and the requests of idle streams."""
import json
import os
import pathlib
import shutil
import subprocess
import time

from harness import fetch, postgres, process, scylla, sluice, wait
from meters import cluster_cpu_seconds, cpu_seconds, peak_rss_mb

HERE = pathlib.Path(__file__).resolve().parent
PRINTER = HERE.parent / "tests/interop/scylla_cdc/java"
PARTS = ("scylla-source", "scylla-latency", "scylla-idle")
COLUMNS = ("(id bigint PRIMARY KEY, customer uuid, status text, total {decimal}, placed_at timestamp, note text, "
           "written_us bigint)")


class Bench:
    """A cluster with some tables of orders, and what reads and writes them."""

    def __init__(self, folder, build, tables=("orders",), **cluster):
        self.folder, self.build = folder, build
        self.tables = [f"bench.{t}" for t in tables]
        self.source = scylla.Scylla(folder / "scylla", build, **cluster).start()
        self.address = f"{self.source.host}:{self.source.port}"
        self.source.script(";\n".join([
            "CREATE KEYSPACE bench WITH replication = {'class': 'NetworkTopologyStrategy', 'replication_factor': 1} "
            "AND tablets = {'enabled': false}",
            *(f"CREATE TABLE {t} {COLUMNS.format(decimal='decimal')} WITH cdc = {{'enabled': true}}" for t in self.tables)]))

    def sluice(self, name, **options):
        program = sluice.Sluice(self.folder / name, self.build)
        program.connector("source", {
            "connector.class": "com.scylladb.cdc.debezium.connector.ScyllaConnector", "tasks.max": "1",
            "scylla.cluster.ip.addresses": ",".join(f"{host}:{self.source.port}" for host in self.source.hosts),
            "scylla.table.names": ",".join(self.tables), "topic.prefix": "scylla",
            "cdc.output.format": "advanced", "cdc.include.after": "only-updated", **options})
        return program

    def sink(self, program, target, database):
        program.connector("sink", {
            "connector.class": "io.confluent.connect.jdbc.JdbcSinkConnector", "tasks.max": "1",
            "connection.url": target.url(database), "connection.user": target.user,
            "connection.password": target.password, "topics": ",".join(f"scylla.{t}" for t in self.tables),
            "insert.mode": "upsert", "pk.mode": "record_key", "delete.enabled": "true",
            "transforms": "unwrap,route",
            "transforms.unwrap.type": "com.scylladb.cdc.debezium.connector.transforms.ScyllaExtractNewRecordState",
            "transforms.route.type": "org.apache.kafka.connect.transforms.RegexRouter",
            "transforms.route.regex": "scylla\\.bench\\.(.*)", "transforms.route.replacement": "$1"})

    def writing(self, rate, seconds, keys, updates=0):
        """bench/cql_write, running; with rate 0, seconds is a number of writes."""
        log = self.folder / "writer.log"
        log.unlink(missing_ok=True)
        return process.Process([self.build / "bench/cql_write", self.address, rate, seconds, keys, updates, *self.tables], log)

    def written(self, writer, seconds=600):
        """What it says when it has ended."""
        wait.until(lambda: not writer.running(), "the writer", seconds, 0.2)
        if writer.child.returncode:
            raise SystemExit(f"the writer failed: {writer.output()[-500:]}")
        return json.loads(writer.output().splitlines()[-1])

    def requests(self):
        """Requests of clients so far, without the writer's: all, and by what they are."""
        stats = self.source.stats()
        inserts = sum(n for text, n in stats["statements"].items() if text.split()[0] in ("insert", "update"))
        return sum(stats["opcodes"].values()) - inserts, stats


def logged(program):
    """Records in sluice's log, of every topic of rows."""
    listed = json.loads(program.command("topics", "list", "--state", program.state, "-o", "json").stdout)
    return sum(t["next_offset"] for t in listed["topics"] if t["topic"].startswith("scylla.bench."))


# ---------------------------------------------------------------- reading

def read_with_sluice(bench, name, rows, **options):
    """sluice with the source and no sink, until its log holds the rows: (seconds, CPU seconds, peak RSS)."""
    program = bench.sluice(name, **{"scylla.confidence.window.size": "1000", **options})
    began = time.monotonic()
    program.start()
    try:
        wait.until(lambda: program.assert_running() or program.state.exists() and logged(program) >= rows,
                   "the source to read all", 600, 0.1)
        return time.monotonic() - began, cpu_seconds(program.process.pid), peak_rss_mb(program.process.pid)
    finally:
        program.stop()


def java_programs(folder):
    """The class path of the interop tests' printer and of our counter; None without Java."""
    if not shutil.which("javac") or not shutil.which("mvn"):
        return None
    cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache")) / "sluice"

    def make(into):
        fetch.run(["javac", "-cp", fetch.jars(PRINTER, into, cache), "-d", into / "classes", PRINTER / "Printer.java"])
    stamp = "".join((PRINTER / f).read_text() for f in ("pom.xml", "Printer.java"))
    made = fetch.once(cache / "scylla-cdc/java", stamp, make)
    fetch.run(["javac", "-cp", f"{made}/libs/*", "-d", folder / "classes", HERE / "ChangeCounter.java"])
    return f"{folder}/classes:{made}/classes:{made}/libs/*"


class Lines:
    """Counts the lines of a growing file, each byte once."""

    def __init__(self, path):
        self.file, self.lines, self.last = open(path, "rb"), 0, b""

    def count(self):
        while block := self.file.read(1 << 20):
            self.lines += block.count(b"\n")
            self.last = (self.last + block)[-200:]
        return self.lines

    def last_number(self):
        self.count()
        numbers = [line for line in self.last.split(b"\n")[1:-1] if line.isdigit()]
        return int(numbers[-1]) if numbers else 0


def read_with_java(bench, classes, program, rows):
    """(seconds, CPU seconds, peak RSS) until it has seen the rows."""
    log = bench.folder / f"{program}.out"
    arguments = [bench.source.host, bench.source.port, "bench", "orders", *(["600"] if program == "Printer" else [])]
    began = time.monotonic()
    java = process.Process(["java", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-cp", classes, program, *arguments], log)
    lines = Lines(log)
    seen = lines.count if program == "Printer" else lines.last_number
    try:
        wait.until(lambda: seen() >= rows or not java.running(), f"{program} to read all", 600, 0.1)
        if not java.running():
            raise SystemExit(f"{program} ended: {java.output()[-1000:]}")
        return time.monotonic() - began, cpu_seconds(java.pid), peak_rss_mb(java.pid)
    finally:
        java.kill()
        log.unlink()


def measure_readers(table, bench, rows, runs):
    """The bare loop, which the ratios are to, and the runs: (name, function) with (seconds, CPU seconds, peak RSS) as result."""
    bare = min((json.loads(subprocess.run([bench.build / "bench/cql_loop", bench.address, "bench.orders_scylla_cdc_log"],
                                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, check=True).stdout)
                for _ in range(3)), key=lambda b: b["cpu"])
    if bare["rows"] != rows:
        raise SystemExit(f"the bare loop read {bare['rows']} of {rows} rows")
    table.add("scylla", "bare paged SELECT loop", rows, bare["seconds"], bare["cpu"], bare["rss_mb"], 1)
    for what, read in runs:
        seconds, cpu, rss = read()
        table.add("scylla", what, rows, seconds, cpu, rss, bare["seconds"] / seconds,
                  note=f"{cpu / rows * 1e6:.2f} core-seconds per million events")


def source_part(table, folder, build, rows):
    """Java's first, on a tenth of the rows, with sluice beside it; then the rest of the rows is written."""
    bench = Bench(folder / "scylla-source", build)
    try:
        few = bench.written(bench.writing(0, max(1, rows // 10), 1 << 40))["rows"]
        time.sleep(2)  # the confidence window of one second is past
        classes = java_programs(bench.folder)
        measure_readers(table, bench, few, [
            ("sluice's source into the log", lambda: read_with_sluice(bench, "sluice-few", few)),
            *((f"scylla-cdc-java 1.3.9, {what}", lambda p=program: read_with_java(bench, classes, p, few))
              for program, what in (("Printer", "printing"), ("ChangeCounter", "counting")) if classes)])
        rows = few + bench.written(bench.writing(0, max(1, rows - few), 1 << 40))["rows"]
        time.sleep(2)
        measure_readers(table, bench, rows, [("sluice's source into the log", lambda: min(
            (read_with_sluice(bench, f"sluice-{i}", rows) for i in range(3)), key=lambda m: m[1]))])
    finally:
        bench.source.stop()


# ---------------------------------------------------------------- latency

def latency_part(table, folder, build, rate=2000, seconds=75):
    """From the write's own timestamp to PostgreSQL's commit; long enough that windows of the usual size close."""
    target = postgres.Postgres(folder / "pg-scylla", {"track_commit_timestamp": "on"}).create().start()
    bench = Bench(folder / "scylla-latency", build)
    program = bench.sluice("sluice")
    bench.sink(program, target, "bench")

    def query(sql, *values):
        return target.execute(sql, *values, database="bench")

    def used():
        return {"sluice": cpu_seconds(program.process.pid), "simulator": cpu_seconds(bench.source.process.pid),
                "postgres": cluster_cpu_seconds(target)}
    try:
        target.execute("CREATE DATABASE bench")
        query(f"CREATE TABLE orders {COLUMNS.format(decimal='numeric')}")
        bench.written(bench.writing(0, 1, 1))
        program.start()
        wait.until(lambda: query("SELECT count(*) FROM orders")[0][0], "the first row", 60)
        asked, began = bench.requests()[0], used()
        first_us = int(time.time() * 1e6) + 3000000
        done = bench.written(bench.writing(rate, seconds, 1 << 40, updates=4))
        cpu = {name: round(now - began[name], 2) for name, now in used().items()}
        asked = bench.requests()[0] - asked
        times = [row[0] for row in bench.source.execute("SELECT written_us FROM bench.orders")]
        wait.until(lambda: tuple(map(int, query("SELECT count(*), sum(written_us) FROM orders")[0])) == (len(times), sum(times)),
                   "the target to equal the source", 60, 0.5)
        late = sorted(float(row[0]) / 1000 for row in query(
            "SELECT extract(epoch FROM pg_xact_commit_timestamp(xmin)) * 1e6 - written_us FROM orders WHERE written_us > %s",
            first_us))
        shown = {p: round(late[min(len(late) - 1, int(len(late) * q))], 1)
                 for p, q in (("p50", .5), ("p90", .9), ("p99", .99), ("max", 1.0))}
        table.add("scylla", f"latency: {rate:,} writes/s, windows of 30 s", done["rows"], done["seconds"], cpu["sluice"],
                  peak_rss_mb(program.process.pid), latency_ms=shown, cpu_seconds_of=cpu,
                  queries_per_second=round(asked / done["seconds"], 1),
                  note=f"p99 {shown['p99']:,.0f} ms over {len(late):,} rows (aim: at most 2,000)")
    finally:
        program.process and program.kill()
        bench.source.stop()
        target.close()


# ---------------------------------------------------------------- idle streams

def idle_part(table, folder, build, seconds=60):
    """Five tables on 3,072 streams each (3 nodes, 4 shards, 256 vnodes), of which one in twenty is written to."""
    bench = Bench(folder / "scylla-idle", build, [f"orders_{i}" for i in range(5)], nodes=3, shards=4,
                  arguments=["--vnodes", "256"])
    program = bench.sluice("sluice")
    try:
        streams = sum(len(row[0]) for row in bench.source.execute(
            "SELECT streams FROM system_distributed.cdc_streams_descriptions_v2"))
        program.start()
        writer = bench.writing(200, 50 + seconds, 154)
        time.sleep(45)  # the first windows have been closed
        program.assert_running()
        before, began, cpu = bench.requests(), time.monotonic(), cpu_seconds(program.process.pid)
        wait.until(lambda: time.monotonic() - began >= seconds, "the time to pass", seconds + 10)
        program.assert_running()
        after, took, cpu = bench.requests(), time.monotonic() - began, cpu_seconds(program.process.pid) - cpu
        read = {row[0] for t in bench.tables for row in bench.source.execute(
            f'SELECT "cdc$stream_id" FROM {t}_scylla_cdc_log')}
        rate = (after[0] - before[0]) / took
        by_node = {}
        for shard, n in after[1]["shards"].items():
            node = f"node {shard.split('/')[0]}"
            by_node[node] = by_node.get(node, 0) + n - before[1]["shards"].get(shard, 0)
        statements = {text: round((n - before[1]["statements"].get(text, 0)) / took, 1)
                      for text, n in after[1]["statements"].items() if n - before[1]["statements"].get(text, 0) > took}
        table.add("scylla", f"{streams:,} streams x 5 tables, 95 % idle", 0, took, cpu, peak_rss_mb(program.process.pid),
                  queries_per_second=round(rate, 1), requests_by_statement=statements,
                  requests_by_node_with_the_writer={node: round(n / took, 1) for node, n in by_node.items()}, streams_written_to=len(read),
                  note=f"{rate:,.0f} requests/s (aim: at most 1,000), {cpu / took * 100:.1f} % of a core")
        bench.written(writer)
    finally:
        program.process and program.kill()
        bench.source.stop()


def run(table, folder, build, rows, wanted):
    if wanted("scylla-source"):
        source_part(table, folder, build, rows)
    if wanted("scylla-latency"):
        latency_part(table, folder, build)
    if wanted("scylla-idle"):
        idle_part(table, folder, build)
