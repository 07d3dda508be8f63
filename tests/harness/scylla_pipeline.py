# SPDX-License-Identifier: Apache-2.0
"""
The whole way from ScyllaDB as tests use it: a few tables with their change logs, their copies in PostgreSQL, and a
ledger, a second sink that inserts one row per applied change into tables without keys.
"""
import itertools
import pathlib
import random
import uuid

from . import ledger, scylla, sluice, wait

_numbers = itertools.count(1)

TABLES = {
    "users": """
        CREATE TABLE app.users (id uuid PRIMARY KEY, name text, email text, age int)
        WITH cdc = {'enabled': true}""",
    "items": """
        CREATE TABLE app.items (pk int, ck int, v text, n bigint, price decimal, PRIMARY KEY (pk, ck))
        WITH cdc = {'enabled': true}""",
}
TARGETS = {
    "users": "CREATE TABLE users (id text PRIMARY KEY, name text, email text, age integer)",
    "items": "CREATE TABLE items (pk integer, ck integer, v text, n bigint, price numeric, PRIMARY KEY (pk, ck))",
}
LEDGERS = {
    "users": "CREATE TABLE ledger_users (seq bigserial, id text, name text, email text, age integer, __deleted text, "
             "__op text, __source_ts_us bigint, __source_sequence text)",
    "items": "CREATE TABLE ledger_items (seq bigserial, pk integer, ck integer, v text, n bigint, price numeric, "
             "__deleted text, __op text, __source_ts_us bigint, __source_sequence text)",
}
KEYS = {"users": ("id",), "items": ("pk", "ck")}
COLUMNS = {"users": ("id", "name", "email", "age"), "items": ("pk", "ck", "v", "n", "price")}
OPERATIONS = {1: "u", 2: "c", 3: "d", 4: "d"}


class ScyllaPipeline:
    def __init__(self, folder, build, target, ledger=True, seed=1, nodes=1, shards=2, tablets=False, options=None,
                 sink_options=None, worker=None, user=None, password=None, simulator_arguments=(), start=True, cdc="'enabled': true",
                 ledger_without=()):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True)
        self.target, self.has_ledger, self.ledger_without = target, ledger, ledger_without
        self.random = random.Random(seed)
        self.database = f"scylla_{next(_numbers)}"
        target.execute(f'CREATE DATABASE "{self.database}"')
        self.source = scylla.Scylla(self.folder / "scylla", build, nodes=nodes, shards=shards, user=user,
                                    password=password, arguments=simulator_arguments).start()
        self._session = None
        self.users = []
        self.execute("CREATE KEYSPACE app WITH replication = {'class': 'NetworkTopologyStrategy', "
                     f"'replication_factor': {min(nodes, 3)}}} AND tablets = "
                     f"{{{chr(39)}enabled{chr(39)}: {'true' if tablets else 'false'}}}")
        for table, text in TABLES.items():
            self.execute(text.replace("'enabled': true", cdc))
            target.execute(TARGETS[table], database=self.database)
            if ledger:
                target.execute(LEDGERS[table], database=self.database)
        self.sluice = sluice.Sluice(self.folder / "sluice", build, worker)
        self.sluice.connector("source", {**self.source_config(), **(options or {})})
        self.sluice.connector("sink", {**self.sink_config(), **(sink_options or {})})
        if ledger:
            self.sluice.connector("ledger", {**self.ledger_config(), **{
                key: value for key, value in (sink_options or {}).items() if key == "auto.evolve"}})
        if start:
            self.sluice.start()

    # Configuration

    def source_config(self):
        return {
            "connector.class": "com.scylladb.cdc.debezium.connector.ScyllaConnector",
            "tasks.max": "1",
            "scylla.cluster.ip.addresses": ",".join(f"{host}:{self.source.port}" for host in self.source.hosts),
            "scylla.table.names": ",".join(f"app.{table}" for table in TABLES),
            "topic.prefix": "scylla",
            "scylla.query.time.window.size": "400", "scylla.confidence.window.size": "300",
            "sluice.scylla.early.reads": "false", "sluice.scylla.read.again": "false", "sluice.scylla.sweep.ms": "0",
            **({"scylla.user": self.source.user, "scylla.password": self.source.password} if self.source.user else {}),
        }

    def sink_config(self):
        return {
            "connector.class": "io.confluent.connect.jdbc.JdbcSinkConnector",
            "tasks.max": "1",
            "connection.url": self.target.url(self.database),
            "connection.user": self.target.user, "connection.password": self.target.password,
            "topics": ",".join(f"scylla.app.{table}" for table in TABLES),
            "insert.mode": "upsert", "pk.mode": "record_key", "delete.enabled": "true",
            "table.name.format": "${topic}",
            "transforms": "unwrap,route",
            "transforms.unwrap.type": "com.scylladb.cdc.debezium.connector.transforms.ScyllaExtractNewRecordState",
            "transforms.unwrap.drop.tombstones": "false",
            "transforms.unwrap.delete.handling.mode": "none",
            "transforms.route.type": "org.apache.kafka.connect.transforms.RegexRouter",
            "transforms.route.regex": "scylla\\.app\\.(.*)",
            "transforms.route.replacement": "$1",
        }

    def ledger_config(self):
        return {
            **self.sink_config(),
            "insert.mode": "insert", "pk.mode": "none", "delete.enabled": "false",
            "transforms.unwrap.drop.tombstones": "true",
            "transforms.unwrap.delete.handling.mode": "rewrite",
            "transforms.unwrap.add.fields": "op,source.ts_us,source.sequence",
            "transforms.route.replacement": "ledger_$1",
        }

    # The application

    @property
    def session(self):
        self._session = self._session or self.source.session()
        return self._session

    def execute(self, cql, *values):
        return list(self.session.execute(cql, values or None))

    def reconnect(self):
        self._session = None

    def change(self, total):
        """Single-row writes: inserts, partial updates, deletes."""
        for _ in range(total):
            if self.random.random() < .4:
                self._change_user()
            else:
                self._change_item()
        return total

    def _change_user(self):
        r = self.random
        if not self.users or r.random() < .4:
            self.users.append(uuid.UUID(int=r.getrandbits(128), version=4))
            self.execute("INSERT INTO app.users (id, name, email, age) VALUES (%s, %s, %s, %s)", self.users[-1],
                         f"name {r.randrange(1000)}", None if r.random() < .2 else f"a{r.randrange(1000)}@example.org",
                         r.randrange(100))
        elif r.random() < .8:
            self.execute("UPDATE app.users SET age = %s WHERE id = %s", r.randrange(100), r.choice(self.users))
        else:
            self.execute("DELETE FROM app.users WHERE id = %s", self.users.pop(r.randrange(len(self.users))))

    def _change_item(self):
        r = self.random
        pk, ck, choice = r.randrange(40), r.randrange(10), r.random()
        if choice < .5:
            self.execute(f"INSERT INTO app.items (pk, ck, v, n, price) VALUES (%s, %s, %s, %s, {r.randrange(10000) / 100})",
                         pk, ck, f"v {r.randrange(1000)}", r.randrange(1 << 40))
        elif choice < .85:
            self.execute("UPDATE app.items SET v = %s WHERE pk = %s AND ck = %s", f"u {r.randrange(1000)}", pk, ck)
        else:
            self.execute("DELETE FROM app.items WHERE pk = %s AND ck = %s", pk, ck)

    # What happened

    def query(self, sql, *parameters):
        return self.target.execute(sql, *parameters, database=self.database)

    def rows(self, table):
        left = {tuple(str(v) if i < len(KEYS[table]) else v for i, v in enumerate(row))
                for row in self.execute(f"SELECT {', '.join(COLUMNS[table])} FROM app.{table}")}
        right = {tuple(str(v) if i < len(KEYS[table]) else v for i, v in enumerate(row))
                 for row in self.query(f"SELECT {', '.join(COLUMNS[table])} FROM {table}")}
        return left, right

    def equal(self):
        return all(left == right for left, right in (self.rows(table) for table in TABLES))

    def expected(self, table):
        """Every change of the log: (microseconds, op, key), by key in the order of the log."""
        keys = KEYS[table]
        rows = self.execute(f'SELECT "cdc$time", "cdc$batch_seq_no", "cdc$operation", {", ".join(keys)} '
                            f'FROM app.{table}_scylla_cdc_log')
        changes = [((row[0].time - 0x01B21DD213814000) // 10, OPERATIONS[row[2]], tuple(str(v) for v in row[3:]))
                   for row in rows if OPERATIONS.get(row[2], "") not in ("", *self.ledger_without)]
        return sorted(changes, key=lambda change: change[0])

    def ledger(self, table):
        return [(row[0], row[1], tuple(str(v) for v in row[2:])) for row in self.query(
            f"SELECT __source_ts_us, __op, {', '.join(KEYS[table])} FROM ledger_{table} "
            "WHERE __source_sequence IS NULL ORDER BY seq")  # rows that were read again tell of themselves
                if row[1] not in self.ledger_without]

    def wait_equal(self, seconds=60):
        def caught_up():
            self.sluice.assert_running()
            return self.equal()
        try:
            wait.until(caught_up, "the target to equal the source", seconds, every=0.2)
        except wait.Timeout:
            shown = "\n".join(f"{table}: only at the source {sorted(left - right)[:5]}, only in the target "
                              f"{sorted(right - left)[:5]}" for table in TABLES for left, right in [self.rows(table)])
            raise AssertionError(f"target and source differ:\n{shown}\n{self.sluice.output()[-4000:]}") from None
        if self.has_ledger:
            try:
                wait.until(lambda: all(len(self.ledger(t)) >= len(self.expected(t)) for t in TABLES),
                           "the ledger to be complete", seconds, every=0.2)
            finally:
                self.check_ledger()

    def check_ledger(self):
        """No repeat, no gap, order per key."""
        for table in TABLES:
            ledger.check(table, self.ledger(table), self.expected(table), 2)

    def close(self):
        self.sluice.process and self.sluice.kill()
        self.source.stop()
