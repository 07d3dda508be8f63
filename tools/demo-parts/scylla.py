# SPDX-License-Identifier: Apache-2.0
"""
A ScyllaDB (our simulator), a PostgreSQL of its own, and sluice between them.

Fills the source, starts sluice with the connector files of examples/scylla, writes what an application writes while a
line shows the rows arriving, kills sluice half-way with SIGKILL and starts it again, and compares every row when the
last rows with a time to live have run out.
"""
import collections
import json
import os
import pathlib
import re
import shutil
import tempfile
import threading
import time

import brokers
from harness import app_data, postgres, process, scylla, sluice
from show import KEEP, PAUSE, ROOT, SEED, Meter, dead_letters, lag_of, say, show_line

EXAMPLES = ROOT / "examples/scylla"
CHANGES = int(os.environ.get("SCYLLA_CHANGES", "30000"))
IN_FLIGHT = 64
# Thirty seconds each by default, for clusters whose nodes' clocks and replicas differ by that much: more than a demo has.
WINDOWS_MS = 3000


def place_connectors(folder, source, target, shape):
    """The example files with the addresses of this run, and its shape."""
    config = json.loads((EXAMPLES / "source.json").read_text())
    config["config"].update({"scylla.cluster.ip.addresses": f"{source.host}:{source.port}",
                             "scylla.user": source.user, "scylla.password": source.password,
                             "scylla.query.time.window.size": str(WINDOWS_MS),
                             "scylla.confidence.window.size": str(WINDOWS_MS)})
    sink = json.loads((EXAMPLES / "sink.json").read_text())
    sink["config"].update({"connection.url": target.url("warehouse"), "connection.user": target.user,
                           "connection.password": target.password})
    if shape == "legacy":
        config["config"]["cdc.output.format"] = "legacy"
        del config["config"]["cdc.include.after"]
        sink["config"]["transforms.unwrap.type"] = \
            "com.scylladb.cdc.debezium.connector.transforms.ScyllaExtractNewRecordState"
    paths = []
    for name, content in (("source.json", config), ("sink.json", sink)):
        (folder / name).write_text(json.dumps(content, indent=2))
        paths.append(folder / name)
    return paths


class Application(threading.Thread):
    """Writes to the source, several statements in flight."""

    def __init__(self, session, writes):
        super().__init__(daemon=True)
        self.session, self.writes = session, writes
        self.prepared = {}
        self.made = 0
        self.kinds = collections.Counter()
        self.error = None

    def write_all(self):
        waiting = collections.deque()
        for write in self.writes:
            if write.cql not in self.prepared:
                self.prepared[write.cql] = self.session.prepare(write.cql)
            waiting.append(self.session.execute_async(self.prepared[write.cql], write.values))
            if len(waiting) >= IN_FLIGHT:
                waiting.popleft().result()
            self.made += 1
            self.kinds[write.kind] += 1
        for one in waiting:
            one.result()
        return self

    def run(self):
        try:
            self.write_all()
        except Exception as error:  # told by the main thread
            self.error = error


def differences(session, target, maps):
    connection = target.connect("warehouse")
    try:
        return [app_data.compare(session, connection, table, maps) for table in app_data.TABLES]
    finally:
        connection.close()


def follow(run, writer, meter):
    """Show the stream, kill sluice half-way, end when everything was written and applied once more."""
    killed = False
    began = time.monotonic()
    last, moved = -1, began
    while writer.is_alive() or not killed:
        if writer.error:
            raise SystemExit(f"the workload failed: {writer.error}")
        if not run.process.running():
            raise SystemExit(f"sluice ended by itself:\n{run.output()[-3000:]}")
        applied = meter.applied()
        show_line(f"  {time.monotonic() - began:5.1f} s   written at the source {writer.made:>7,}   records applied "
                  f"{applied:>7,}   {meter.rate(applied):>7,.0f} rows/s   lag {lag_of(run)}")
        if not killed and applied and (writer.made >= CHANGES / 2 or not writer.is_alive()):
            run.kill()
            killed = True
            say("  kill -9 sluice, half-way; and start it again")
            run.start(detached=KEEP)
        last, moved = (applied, time.monotonic()) if applied != last else (last, moved)
        if time.monotonic() - moved > 60:
            raise SystemExit(f"nothing moved for a minute:\n{run.output()[-3000:]}")
        time.sleep(PAUSE)


def settle(run, session, target, maps, seconds=45):
    """
    Rows that run out and rows that are read again come last. Wait until every time to live has passed and both sides
    agree, but not for ever.
    """
    run_out = time.monotonic() + max(app_data.TTL_SECONDS) + 1
    deadline = time.monotonic() + seconds
    told = None
    while True:
        if not run.process.running():
            raise SystemExit(f"sluice ended by itself:\n{run.output()[-3000:]}")
        found = differences(session, target, maps)
        differing = sum(d.differing for d in found)
        if differing != told:
            show_line(f"  waiting for what runs out and what is read again: {differing:,} rows differ")
        told = differing
        if (differing == 0 and time.monotonic() > run_out) or time.monotonic() > deadline:
            return found
        time.sleep(0.5)


def report(found, maps):
    say("")
    say(f"  {'table':<24} {'live in source':>14} {'live in target':>14} {'differing':>10}")
    for d in found:
        left_out = "" if maps or d.table not in app_data.MAPS else \
            f"   without {', '.join(app_data.MAPS[d.table])}: the legacy shape carries no maps"
        say(f"  {d.table:<24} {d.source_rows:>14,} {d.target_rows:>14,} {d.differing:>10,}{left_out}")
        for example in d.examples:
            say(f"      {example}")
    say("")
    return sum(d.differing for d in found)


def main(shape):
    folder = pathlib.Path(tempfile.mkdtemp(prefix="sluice-demo-"))
    folder.chmod(0o755)
    build = ROOT / "build/release"
    began = time.monotonic()
    maps = shape == "advanced"

    say("1. a PostgreSQL cluster and a ScyllaDB simulator, both in " + str(folder))
    target = postgres.Postgres(folder / "postgres").create().start()
    target.execute("CREATE DATABASE warehouse")
    target.execute((EXAMPLES / "target.sql").read_text(), database="warehouse")
    source = scylla.Scylla(folder / "scylla", build, nodes=1, user="cassandra", password="cassandra",
                           arguments=("--seed", SEED))
    source.start(detached=KEEP)
    source.script((EXAMPLES / "source.cql").read_text())

    session = source.session()
    app = app_data.AppData(SEED)
    filled = Application(session, app.fill()).write_all()
    say(f"2. {filled.made:,} rows stand in the source before sluice starts; they come as well")
    if shape == "advanced":
        for table in app_data.TABLES:
            source.ctl(f"log expire app_data.{table}")
        say("   and the change log, as after its 24 hours, does not hold them any more: a snapshot brings them")

    run = sluice.Sluice(folder / "sluice", build)
    run.worker.write_text(re.sub(r"(?m)^sluice\.state\.dir=.*$", f"sluice.state.dir={run.state}",
                                 (EXAMPLES / "worker.properties").read_text()))
    with run.worker.open("a") as more:
        more.write("\nlisteners=http://127.0.0.1:0\n")  # its REST API, on a port that nobody uses
        more.write(brokers.worker_lines())
    run.connectors = place_connectors(run.folder, source, target, shape)
    say(f"3. sluice run {run.worker.name} source.json sink.json; then {CHANGES:,} writes (windows of "
        f"{WINDOWS_MS / 1000:.0f} s instead of 30)")
    run.start(detached=KEEP)
    meter = Meter(target, "warehouse")
    writer = Application(session, app.changes(CHANGES))
    writer.start()
    follow(run, writer, meter)
    found = settle(run, session, target, maps)
    say("  " + ", ".join(f"{n:,} {kind}" for kind, n in writer.kinds.most_common()))
    dead = dead_letters(run)
    say(f"  {writer.made:,} writes; {meter.applied():,} records applied, {dead:,} dead letters")

    faults = report(found, maps) + dead
    if KEEP:
        process.forget(run.process)
        process.forget(source.process)
        say(f"left running: ScyllaDB {source.host}:{source.port} ({source.user} / {source.password}), PostgreSQL "
            f"127.0.0.1:{target.port} (postgres / {target.password}, database warehouse), sluice pid "
            f"{run.process.pid}, state {run.state}")
        say(f"stop with: kill {run.process.pid} {source.process.pid}; then stop PostgreSQL in {target.data}")
    else:
        status = run.stop()
        source.stop()
        target.stop()
        shutil.rmtree(folder, ignore_errors=True)
        say(f"stopped cleanly (sluice's exit status {status}) after {time.monotonic() - began:.0f} s")
        faults += status != 0
    say("the target equals the source" if faults == 0 else f"NOT EQUAL: {faults} faults")
    return 1 if faults else 0
