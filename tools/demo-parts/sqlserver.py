# SPDX-License-Identifier: Apache-2.0
"""
A SQL Server (our simulator), a PostgreSQL of its own, and sluice between them.

Fills the source, starts sluice with the connector files of examples/sqlserver, changes 100,000 rows in transactions
while a line shows the rows arriving, kills sluice half-way with SIGKILL and starts it again, and compares every row at
the end.
"""
import json
import os
import pathlib
import re
import shutil
import tempfile
import threading
import time

import brokers
from harness import compare, postgres, process, sluice, sqlserver, workload
from show import KEEP, PAUSE, ROOT, SEED, Meter, dead_letters, lag_of, say, show_line

EXAMPLES = ROOT / "examples/sqlserver"
CHANGES = int(os.environ.get("CHANGES", "100000"))
COLUMNS = {
    "customers": ("id", "name", "email", "city", "credit_limit", "created_at"),
    "orders": ("id", "customer_id", "status", "total", "placed_at", "note"),
    "line_items": ("id", "order_id", "product", "quantity", "price"),
    "products": ("id", "title", "price", "stock", "changed_at"),
}


def place_connectors(folder, source, target):
    """The example files with the addresses of this run."""
    config = json.loads((EXAMPLES / "source.json").read_text())
    config["config"].update({"database.hostname": source.host, "database.port": str(source.port),
                             "database.user": source.user, "database.password": source.password})
    sink = json.loads((EXAMPLES / "sink.json").read_text())
    sink["config"].update({"connection.url": target.url("warehouse_target"), "connection.user": target.user,
                           "connection.password": target.password})
    paths = []
    for name, content in (("source.json", config), ("sink.json", sink)):
        (folder / name).write_text(json.dumps(content, indent=2))
        paths.append(folder / name)
    return paths


class Writer(threading.Thread):
    """The application: changes rows at the source, one transaction after another."""

    def __init__(self, source, warehouse, total):
        super().__init__(daemon=True)
        self.source, self.warehouse, self.total = source, warehouse, total
        self.made = 0
        self.transactions = 0
        self.error = None

    def run(self):
        try:
            connection = self.source.connect("warehouse_source")
            for step in self.warehouse.changes(self.total):
                sqlserver.rows_of(connection.execute(step.sql))
                self.made += step.changes
                self.transactions += 1
            connection.close()
        except Exception as error:  # told by the main thread
            self.error = error


def changes_captured(source):
    """Rows in the change tables: deletes, inserts, and updates counted once."""
    total = 0
    connection = source.connect("warehouse_source")
    for table in workload.TABLES:
        total += connection.execute(f"SELECT COUNT(*) FROM cdc.dbo_{table}_CT WHERE __$operation <> 3").fetchone()[0]
    connection.close()
    return total


def await_snapshot(run, meter, rows_before, seconds=120):
    """Changes begin when the snapshot has arrived, so that there is something to see of both."""
    deadline = time.monotonic() + seconds
    applied = 0
    while applied < rows_before:
        if not run.process.running() or time.monotonic() > deadline:
            raise SystemExit(f"the snapshot does not come:\n{run.output()[-3000:]}")
        applied = meter.applied()
        show_line(f"  the snapshot: {applied:>7,} of {rows_before:,} rows   {meter.rate(applied):>7,.0f} rows/s")
        time.sleep(PAUSE)


def follow(run, writer, meter, rows_before):
    """Show the stream, kill sluice half-way, end when the target holds still and everything was written."""
    killed = False
    began = time.monotonic()
    still_since, last = time.monotonic(), -1
    while True:
        if writer.error:
            raise SystemExit(f"the workload failed: {writer.error}")
        if not run.process.running():
            raise SystemExit(f"sluice ended by itself:\n{run.output()[-3000:]}")
        applied = meter.applied()
        lag = lag_of(run)
        line = (f"  {time.monotonic() - began:5.1f} s   changed at the source {writer.made:>7,}   records applied "
                f"{applied:>7,}   {meter.rate(applied):>7,.0f} rows/s   lag {lag}")
        show_line(line)
        if not killed and writer.made >= writer.total / 2 and applied > rows_before:
            run.kill()
            killed = True
            say("  kill -9 sluice, half-way; and start it again")
            run.start(detached=KEEP)
        if applied != last:
            still_since, last = time.monotonic(), applied
        if not writer.is_alive() and killed and time.monotonic() - still_since > 2.0:
            return applied
        if time.monotonic() - still_since > 60:
            raise SystemExit(f"nothing moved for a minute:\n{run.output()[-3000:]}")
        time.sleep(PAUSE)


def report(source, target):
    left, right = source.connect("warehouse_source"), target.connect("warehouse_target")
    faults = 0
    say("")
    say(f"  {'table':<12} {'live in source':>14} {'live in target':>14} {'marked deleted':>14} {'differing':>10}")
    for table in workload.TABLES:
        d = compare.compare(left, right, table, COLUMNS[table])
        say(f"  {table:<12} {d.source_rows:>14,} {d.target_rows:>14,} {d.marked_deleted:>14,} {d.differing:>10,}")
        for example in d.examples:
            say(f"      {example}")
        faults += d.differing + d.wrongly_deleted
    return faults


def main():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="sluice-demo-"))
    folder.chmod(0o755)
    build = ROOT / "build/release"
    began = time.monotonic()

    say("1. a PostgreSQL cluster and a SQL Server simulator, both in " + str(folder))
    target = postgres.Postgres(folder / "postgres").create().start()
    target.execute("CREATE DATABASE warehouse_target")
    target.execute((EXAMPLES / "target.sql").read_text(), database="warehouse_target")
    source = sqlserver.SqlServer(folder / "sqlserver", build, capture_interval_ms=100)
    source.start(detached=KEEP)
    source.script(EXAMPLES / "source.sql")

    warehouse = workload.Warehouse(SEED)
    connection = source.connect("warehouse_source")
    rows_before = 0
    for step in warehouse.fill():
        sqlserver.rows_of(connection.execute(step.sql))
        rows_before += step.changes
    connection.close()
    say(f"2. {rows_before:,} rows stand in the source before sluice starts; its snapshot will bring them")

    run = sluice.Sluice(folder / "sluice", build)
    run.worker.write_text(re.sub(r"(?m)^sluice\.state\.dir=.*$", f"sluice.state.dir={run.state}",
                                 (EXAMPLES / "worker.properties").read_text()))
    with run.worker.open("a") as more:
        more.write("\nlisteners=http://127.0.0.1:0\n")  # its REST API, on a port that nobody uses
        more.write(brokers.worker_lines())
    run.connectors = place_connectors(run.folder, source, target)
    say(f"3. sluice run {run.worker.name} source.json sink.json; then {CHANGES:,} changes in transactions")
    run.start(detached=KEEP)
    meter = Meter(target, "warehouse_target")
    await_snapshot(run, meter, rows_before)
    writer = Writer(source, warehouse, CHANGES)
    writer.start()
    applied = follow(run, writer, meter, rows_before)
    say(f"  {writer.made:,} changes in {writer.transactions:,} transactions; {changes_captured(source):,} in the change "
        f"tables; {applied:,} records applied (tombstones included), {dead_letters(run):,} dead letters")

    faults = report(source, target) + dead_letters(run)
    say("")
    if KEEP:
        process.forget(run.process)
        process.forget(source.process)
        say(f"left running: SQL Server 127.0.0.1:{source.port} (sa / {source.password}), PostgreSQL "
            f"127.0.0.1:{target.port} (postgres / {target.password}, database warehouse_target), sluice pid "
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
