# SPDX-License-Identifier: Apache-2.0
"""
ScyllaDB's own readers of the change log, for Java and for Rust, read the simulator's: streams of generations and of
tablets, across a switch to new streams. Each must see every row of the log once, and read it as the log has it.
"""
import collections
import json
import os
import pathlib
import re
import shutil
import time

import pytest
from cassandra import query, util

from harness import fetch, process, scylla, wait
from harness.java import JAVA

HERE = pathlib.Path(__file__).resolve().parent
KINDS = {"vnodes": "{'enabled': false}", "tablets": "{'initial': 4}"}
# How each library calls the log's operations.
NAMES = {"java": {"PRE_IMAGE": 0, "ROW_UPDATE": 1, "ROW_INSERT": 2, "ROW_DELETE": 3, "PARTITION_DELETE": 4,
                  "ROW_RANGE_DELETE_INCLUSIVE_LEFT_BOUND": 5, "ROW_RANGE_DELETE_EXCLUSIVE_LEFT_BOUND": 6,
                  "ROW_RANGE_DELETE_INCLUSIVE_RIGHT_BOUND": 7, "ROW_RANGE_DELETE_EXCLUSIVE_RIGHT_BOUND": 8,
                  "POST_IMAGE": 9},
         "rust": {"PreImage": 0, "RowUpdate": 1, "RowInsert": 2, "RowDelete": 3, "PartitionDelete": 4,
                  "RowRangeDelInclLeft": 5, "RowRangeDelExclLeft": 6, "RowRangeDelInclRight": 7,
                  "RowRangeDelExclRight": 8, "PostImage": 9}}


@pytest.fixture(scope="module")
def printers(cache):
    """How each printer is started."""
    def make_java(folder):
        fetch.run(["javac", "-cp", fetch.jars(HERE / "java", folder, cache), "-d", folder / "classes",
                   HERE / "java/Printer.java"])

    def make_rust(folder):
        shutil.copytree(HERE / "rust", folder, dirs_exist_ok=True)
        fetch.run(["cargo", "build", "-j2", "--locked"], cwd=folder, timeout=1800,
                  env={**os.environ, "CARGO_HOME": str(cache / "cargo")})
    stamp = "".join((HERE / "java" / f).read_text() for f in ("pom.xml", "Printer.java"))
    java = fetch.once(cache / "scylla-cdc/java", stamp, make_java)
    stamp = "".join((HERE / "rust" / f).read_text() for f in ("Cargo.toml", "Cargo.lock", "src/main.rs"))
    rust = fetch.once(cache / "scylla-cdc/rust", stamp, make_rust)
    return {"java": lambda host, port, *rest: [*JAVA, "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-cp",
                                               f"{java}/classes:{java}/libs/*", "Printer", host, port, *rest],
            "rust": lambda host, port, *rest: [rust / "target/debug/cdcprinter", f"{host}:{port}", *rest]}


def write(session, first):
    """Some forty changes of all kinds, to partitions first and on."""
    run = session.execute
    for pk in range(first, first + 8):
        run(f"INSERT INTO ks.t (pk, ck, v, m) VALUES ({pk}, 1, 'one', {{'a': 'b'}})")
        run(f"UPDATE ks.t SET v = 'two' WHERE pk = {pk} AND ck = 2")
        run(f"UPDATE ks.t SET s = {{'x', 'y'}}, st = 'static' WHERE pk = {pk} AND ck = 1")
    run(f"UPDATE ks.t USING TTL 5000 SET v = 'fading' WHERE pk = {first} AND ck = 3")
    run(f"DELETE v FROM ks.t WHERE pk = {first} AND ck = 1")
    run(f"UPDATE ks.t SET m = m + {{'c': 'd'}}, s = s - {{'x'}} WHERE pk = {first} AND ck = 1")
    run(f"DELETE FROM ks.t WHERE pk = {first + 1} AND ck = 1")
    run(f"DELETE FROM ks.t WHERE pk = {first + 2} AND ck > 1 AND ck <= 7")
    run(f"DELETE FROM ks.t WHERE pk = {first + 3}")
    run(f"BEGIN BATCH INSERT INTO ks.t (pk, ck) VALUES ({first + 4}, 10); "
        f"UPDATE ks.t SET v = 'batch' WHERE pk = {first + 4} AND ck = 11; APPLY BATCH")


@pytest.fixture(scope="module", params=list(KINDS))
def cluster(request, tmp_path_factory, build):
    """A table whose log holds changes of two generations or sets of streams; the rows of that log."""
    kind = request.param
    server = scylla.Scylla(tmp_path_factory.mktemp(kind), build).start()
    server.script(f"""
        CREATE KEYSPACE ks WITH replication = {{'class': 'NetworkTopologyStrategy', 'replication_factor': 1}}
          AND tablets = {KINDS[kind]};
        CREATE TABLE ks.t (pk int, ck int, v text, m map<text, text>, s set<text>, st text STATIC,
          PRIMARY KEY (pk, ck)) WITH cdc = {{'enabled': true}};""")
    session = server.session()
    write(session, 0)
    told = server.ctl("generation new in 700" if kind == "vnodes" else "tablets split ks.t in 700")
    start_ms = int(re.search(r"\d{13}", told).group(0))
    wait.until(lambda: int(server.ctl("now")) > start_ms * 1000, "the new streams")
    write(session, 100)
    yield server, log_rows(session)
    server.stop()


def text(value):
    """The text that the printers print."""
    if value is None:
        return None
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, (dict, util.OrderedMap)):
        return "{" + ",".join(sorted(f"{k}={v}" for k, v in value.items())) + "}" if value else None
    if isinstance(value, (set, util.SortedSet)):
        return "[" + ",".join(sorted(value)) + "]" if value else None
    return str(value)


def log_rows(session):
    """The log as the packaged driver reads it: (stream, time, operation, ttl, columns, deleted) of each row."""
    session.row_factory = query.dict_factory
    rows = []
    for row in session.execute("SELECT * FROM ks.t_scylla_cdc_log"):
        columns = {c: text(v) for c, v in row.items() if not c.startswith("cdc$")}
        deleted = sorted(c for c in columns if row.get(f"cdc$deleted_{c}"))
        rows.append(line(row["cdc$stream_id"].hex(), str(row["cdc$time"]), row["cdc$operation"], row["cdc$ttl"], columns,
                         deleted))
    return rows


def line(stream, time, operation, ttl, columns, deleted):
    return json.dumps([stream, time, operation, ttl, sorted(columns.items()), deleted])


def printed(name, output):
    """The rows that a printer printed, in the same words."""
    rows = []
    for one in output.splitlines():
        if not one.startswith("{"):
            continue
        row = json.loads(one)
        columns = {c: v if v not in ("{}", "[]") else None for c, v in row["columns"].items() if not c.startswith("cdc$")}
        rows.append(line(row["stream"], row["time"], NAMES[name][row["operation"]], row["ttl"], columns, row["deleted"]))
    return rows


class Held:
    """True when a number has not changed for three seconds: what comes twice comes soon after."""

    def __init__(self):
        self.number, self.since = None, 0

    def still(self, number):
        if number != self.number:
            self.number, self.since = number, time.monotonic()
        return time.monotonic() - self.since > 3


def test_every_row_of_the_log_is_seen_once(cluster, printers, tmp_path):
    server, rows = cluster
    streams = [{r[0] for r in map(json.loads, rows) if (int(dict(r[4])["pk"]) < 100) == first} for first in (True, False)]
    assert len(rows) > 60 and streams[0] and streams[1] and not streams[0] & streams[1]
    running = {name: process.Process(start(server.host, server.port, "ks", "t", "600"), tmp_path / f"{name}.log")
               for name, start in printers.items()}
    for name, program in running.items():
        wait.until(lambda n=name, p=program: len(printed(n, p.output())) >= len(rows) or not p.running(),
                   f"all rows from {name}", seconds=120)
        wait.until(lambda p=program, held=Held(): held.still(len(p.output())), f"{name} to have said all", seconds=60)
        seen = collections.Counter(printed(name, program.output()))
        program.kill()
        missing = collections.Counter(rows) - seen
        assert not missing, f"{name} did not see {list(missing)[:3]} ... of {len(rows)}:\n{program.output()[-2000:]}"
        more = seen - collections.Counter(rows)
        assert not more, f"{name} saw what is not there, or twice: {list(more)[:3]}"
