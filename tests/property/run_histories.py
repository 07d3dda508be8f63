#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
Truth with the real program: random histories against the simulator, sluice and PostgreSQL, with kills.

    tests/property/run_histories.py [--build build/release] [--seed 1] [--count 30] [--at-once 10] [--statements 200]

Histories run several at a time, each on a table of its own; meanwhile sluice is killed, stopped and started, and so is
PostgreSQL. In the end each target table must equal its base table, and a key-less ledger must hold each change of
the log exactly once. A seed that fails is named with the command that runs it alone. Exit 1 when one failed.
"""
import argparse
import collections
import json
import pathlib
import random
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from harness import postgres, scylla, sluice, wait  # noqa: E402

UNIT_US = 100_000  # the scale of pauses and old timestamps
WINDOWS = {"scylla.query.time.window.size": "1000", "scylla.confidence.window.size": "1000",
           "sluice.scylla.early.interval.ms": "100", "sluice.scylla.sweep.ms": "600000",
           "sluice.scylla.sweep.interval.ms": "2000"}
TYPES = {"p": "int", "c1": "int", "c2": 'text COLLATE "C"', "a": "int", "b": "text", "d": "bigint", "s1": "int",
         "s2": "text", "m": "jsonb", "e": "jsonb", "l": "jsonb", "f": "jsonb", "u": "jsonb", "t": "jsonb"}
PLAIN = ("a", "b", "d", "s1", "s2")
EVENTS = {1: "u", 2: "c", 3: "d", 4: "d", 5: "d", 6: "d", -3: "d", -4: "d"}


class History:
    """One table's history: its statements, its columns, what it is compared with."""

    def __init__(self, build, seed, statements, keyspace, tablets):
        done = subprocess.run([build / "tests/property/print-history", str(seed), str(statements), str(UNIT_US), "1", "4",
                               keyspace, "yes" if tablets else "no"], capture_output=True, text=True, check=True)
        lines = done.stdout.splitlines()
        self.seed = seed
        self.table = json.loads(lines[0])
        self.name = self.table["name"]
        self.setup = [line[2:] for line in lines[1:] if line.startswith("D ")]
        self.steps = [line for line in lines[1:] if not line.startswith("D ")]
        self.keys = ["p", "c1", "c2"] if self.table["clustering"] else ["p"]
        self.columns = list(self.keys) + ["a", "b", "d"]
        if self.table["statics"]:
            self.columns += ["s1", "s2"]
        if self.table["collections"]:
            self.columns += ["m", "e", "l", "f"]
        if self.table["udt"]:
            self.columns += ["u", "t"]
        self.registers = {}
        self.refused = 0
        self.failure = None

    def put_times(self, text):
        def time_of(match):
            register, offset = match.groups()
            if register not in self.registers:
                self.registers[register] = time.time_ns() // 1000 + int(offset)
            return str(self.registers[register])
        return re.sub(r"@(\d+):(-?\d+)@", time_of, text)

    def run(self, session, order, stop):
        from cassandra import InvalidRequest
        for step in self.steps:
            if stop.is_set():
                return
            kind, _, rest = step.partition(" ")
            if kind == "P":
                time.sleep(int(rest) / 1e6)
            elif kind == "G":
                order(self)
            elif kind == "S":
                try:
                    session.execute(self.put_times(rest.partition(" ")[2]))
                except InvalidRequest:  # a list's index, a time before the first stream
                    self.refused += 1

    def ddl(self):
        columns = ", ".join(f'"{c}" {TYPES[c]}' for c in self.columns)
        return (f'CREATE TABLE "{self.name}" ({columns}, PRIMARY KEY ({", ".join(self.keys)}));'
                f'CREATE TABLE "ledger_{self.name}" (seq bigserial, __op text, __source_ts_us bigint, '
                "__source_sequence text)")


def plain(value):
    """A driver's value as JSON would have it."""
    if value is None or isinstance(value, (int, str)):
        return value
    if hasattr(value, "_asdict"):
        return {k: plain(v) for k, v in value._asdict().items()}
    if hasattr(value, "items"):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, tuple):
        return {f"field_{i}": plain(v) for i, v in enumerate(value)}
    if isinstance(value, (list, set, frozenset)) or hasattr(value, "__iter__"):
        return [plain(v) for v in value]
    raise TypeError(f"no such value in a history: {value!r}")


class Round:
    def __init__(self, folder, build, histories, advanced, tablets, seed):
        self.folder, self.build, self.histories = pathlib.Path(folder), build, histories
        self.advanced, self.tablets = advanced, tablets
        self.random = random.Random(seed)
        self.stop = threading.Event()
        self.lock = threading.Lock()
        self.kills = collections.Counter()
        self.source = scylla.Scylla(self.folder / "scylla", build).start()
        self.target = postgres.Postgres(self.folder / "pg", {"fsync": "off"}).create().start()
        self.session = self.source.session()
        self.target.execute("CREATE DATABASE histories")
        for history in histories:
            for statement in history.setup:
                self.session.execute(statement)
            self.target.execute(history.ddl(), database="histories")
        self.sluice = sluice.Sluice(self.folder / "sluice", build)
        self.sluice.connector("source", self.source_config())
        self.sluice.connector("sink", self.sink_config())
        self.sluice.connector("ledger", self.ledger_config())

    def source_config(self):
        shape = {"cdc.output.format": "legacy"}
        if self.advanced:
            shape = {"cdc.output.format": "advanced", "cdc.include.after": "full"}
        return {"connector.class": "com.scylladb.cdc.debezium.connector.ScyllaConnector", "tasks.max": "1",
                "scylla.cluster.ip.addresses": f"{self.source.host}:{self.source.port}", "topic.prefix": "h",
                "scylla.table.names": ",".join(f"{h.table['keyspace']}.{h.name}" for h in self.histories),
                **WINDOWS, **shape}

    def sink_config(self):
        unwrap = "com.scylladb.cdc.debezium.connector.transforms.ScyllaExtractNewRecordState"
        keyspace = self.histories[0].table["keyspace"]
        return {"connector.class": "io.confluent.connect.jdbc.JdbcSinkConnector", "tasks.max": "1",
                "connection.url": self.target.url("histories"), "connection.user": self.target.user,
                "connection.password": self.target.password,
                "topics": ",".join(f"h.{keyspace}.{h.name}" for h in self.histories),
                "insert.mode": "upsert", "pk.mode": "record_key", "delete.enabled": "true", "auto.evolve": "false",
                "table.name.format": "${topic}", "transforms": "unwrap,route",
                "transforms.unwrap.type": unwrap, "transforms.unwrap.drop.tombstones": "false",
                "transforms.unwrap.delete.handling.mode": "drop",
                "transforms.route.type": "org.apache.kafka.connect.transforms.RegexRouter",
                "transforms.route.regex": f"h\\.{keyspace}\\.(.*)", "transforms.route.replacement": "$1"}

    def ledger_config(self):
        """Of each event the time and the operation, whatever its shape: unwrapping would drop deletes without a before."""
        kafka = "org.apache.kafka.connect.transforms."
        columns = {"op": "__op", "source_ts_us": "__source_ts_us", "source_sequence": "__source_sequence"}
        return {**{k: v for k, v in self.sink_config().items() if "unwrap" not in k},
                "insert.mode": "insert", "pk.mode": "none", "delete.enabled": "false",
                "predicates": "tombstone", "predicates.tombstone.type": f"{kafka}predicates.RecordIsTombstone",
                "transforms": "drop,head,flat,columns,route",
                "transforms.drop.type": f"{kafka}Filter", "transforms.drop.predicate": "tombstone",
                "transforms.head.type": f"{kafka}ReplaceField$Value", "transforms.head.include": "op,source",
                "transforms.flat.type": f"{kafka}Flatten$Value", "transforms.flat.delimiter": "_",
                "transforms.columns.type": f"{kafka}ReplaceField$Value", "transforms.columns.include": ",".join(columns),
                "transforms.columns.renames": ",".join(f"{k}:{v}" for k, v in columns.items()),
                "transforms.route.replacement": "ledger_$1"}

    # what happens meanwhile

    def new_streams(self, history):
        with self.lock:
            if self.tablets:
                self.source.ctl(f"tablets split {history.table['keyspace']}.{history.name} in 1500")
            else:
                self.source.ctl("generation new in 1500")

    def trouble(self):
        while not self.stop.wait(self.random.uniform(1.0, 5.0)):
            what = self.random.choice(["kill", "kill", "stop", "postgres"])
            self.kills[what] += 1
            if what == "kill":
                self.sluice.kill()
                self.sluice.start(detached=True)  # what a thread starts would end with the thread
            elif what == "stop":
                self.sluice.stop()
                self.sluice.start(detached=True)
            else:
                self.target.stop("immediate")
                self.target.start()

    def run(self):
        self.sluice.start()
        writers = [threading.Thread(target=self.write, args=(h,)) for h in self.histories]
        trouble = threading.Thread(target=self.trouble)
        for thread in (*writers, trouble):
            thread.start()
        for thread in writers:
            thread.join()
        self.stop.set()
        trouble.join()
        return self.settle()

    def write(self, history):
        try:
            history.run(self.session, self.new_streams, threading.Event())
        except Exception as failure:  # noqa: BLE001 (the thread's end must be told)
            history.failure = f"the server refused a statement: {failure}"

    # the end

    def base_rows(self, history):
        rows = {}
        for row in self.session.execute(f"SELECT * FROM {history.table['keyspace']}.{history.name}"):
            values = row._asdict()
            if history.table["clustering"] and values["c1"] is None:
                continue  # only statics are left of the partition
            rows[tuple(values[k] for k in history.keys)] = {
                c: plain(values[c]) for c in history.columns if self.advanced or c in PLAIN}
        return rows

    def target_rows(self, history):
        columns = [c for c in history.columns if self.advanced or c in PLAIN]
        names = ", ".join(f'"{c}"' for c in (*history.keys, *(c for c in columns if c not in history.keys)))
        found = self.target.execute(f'SELECT {names} FROM "{history.name}"', database="histories")
        rest = [c for c in columns if c not in history.keys]
        return {tuple(row[:len(history.keys)]): {**dict(zip(history.keys, row)), **dict(zip(rest, row[len(history.keys):]))}
                for row in found}

    def difference(self, history):
        base, target = self.base_rows(history), self.target_rows(history)
        for key in base.keys() | target.keys():
            if key not in base:
                return f"row {key} is in the target and not in the base table"
            if key not in target:
                return f"row {key} is not in the target"
            for column, value in base[key].items():
                if column not in history.keys and target[key].get(column) != value:
                    return f"row {key}, column {column}: {target[key].get(column)!r} in the target, {value!r} in the base table"
        return None

    def ledger_fault(self, history):
        """Each change of the log once, by time and operation."""
        log = f"{history.table['keyspace']}.{history.name}_scylla_cdc_log"
        want, have = collections.Counter(), collections.Counter()
        for row in self.session.execute(f'SELECT "cdc$time", "cdc$operation" FROM {log}'):
            if row[1] in EVENTS:
                want[((row[0].time - 0x01B21DD213814000) // 10, EVENTS[row[1]])] += 1
        for row in self.target.execute(f'SELECT __source_ts_us, __op FROM "ledger_{history.name}" '
                                     "WHERE __source_sequence IS NULL", database="histories"):
            have[tuple(row)] += 1
        for change in want.keys() | have.keys():
            if want[change] != have[change]:
                return f"change {change} is {want[change]} times in the log and {have[change]} times in the ledger"
        return None

    def settle(self):
        self.sluice.assert_running()
        for history in self.histories:
            if history.failure:
                continue
            try:
                wait.until(lambda h=history: self.difference(h) is None, f"table {history.name} to be equal", 60)
                wait.until(lambda h=history: self.ledger_fault(h) is None, f"ledger of {history.name} to be whole", 30)
            except AssertionError:
                history.failure = self.difference(history) or self.ledger_fault(history)
        self.sluice.assert_running()
        return [h for h in self.histories if h.failure]

    def close(self):
        self.stop.set()
        for each in (self.sluice.kill, self.source.stop, self.target.close):
            try:
                each()
            except Exception as failure:  # noqa: BLE001 (what is left is thrown away)
                print(f"    at the end: {failure}", file=sys.stderr)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default=ROOT / "build/release", type=pathlib.Path)
    parser.add_argument("--seed", default=1, type=int)
    parser.add_argument("--count", default=30, type=int)
    parser.add_argument("--at-once", default=10, type=int)
    parser.add_argument("--statements", default=200, type=int)
    parser.add_argument("--shape", choices=("legacy", "advanced"), help="of all; without it they take turns")
    parser.add_argument("--tablets", choices=("no", "yes"), help="for all; without it they take turns")
    parser.add_argument("--keep", action="store_true", help="leave the folders of failed rounds")
    options = parser.parse_args()
    failed, kills, seed = [], collections.Counter(), options.seed
    while seed < options.seed + options.count:
        number = (seed - options.seed) // options.at_once
        advanced = options.shape == "advanced" if options.shape else number % 3 != 2
        tablets = options.tablets == "yes" if options.tablets else number % 4 == 3
        last = min(seed + options.at_once, options.seed + options.count)
        histories = [History(options.build.resolve(), s, options.statements, "ht" if tablets else "hv", tablets)
                     for s in range(seed, last)]
        folder = pathlib.Path(tempfile.mkdtemp(prefix="sluice-histories-"))
        folder.chmod(0o755)
        one = Round(folder, options.build.resolve(), histories, advanced, tablets, seed)
        try:
            wrong = one.run()
        finally:
            one.close()
        kills += one.kills
        shape = f"--statements {options.statements} --shape {'advanced' if advanced else 'legacy'} " \
                f"--tablets {'yes' if tablets else 'no'}"
        for history in wrong:
            print(f"seed {history.seed}: {history.failure}\n    again: {sys.argv[0]} --seed {history.seed} --count 1 {shape}",
                  flush=True)
        if wrong and len(histories) > 1:  # kills and neighbours come from the first seed of a round
            print(f"    again, with the same kills and neighbours: {sys.argv[0]} --seed {histories[0].seed} "
                  f"--count {len(histories)} --at-once {len(histories)} {shape}", flush=True)
        print(f"seeds {seed} to {last - 1}, {'advanced' if advanced else 'legacy'}, {'tablets' if tablets else 'vnodes'}: "
              f"{len(histories) - len(wrong)} equal, {len(wrong)} not", flush=True)
        failed += wrong
        if not (wrong and options.keep):
            shutil.rmtree(folder, ignore_errors=True)
        seed = last
    print(f"{options.count} histories, {len(failed)} failed; " + ", ".join(f"{k}: {n}" for k, n in sorted(kills.items())))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
