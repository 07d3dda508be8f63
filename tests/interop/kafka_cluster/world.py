# SPDX-License-Identifier: Apache-2.0
"""
Eight databases of SQL Server, a cluster of workers on Kafka, and their copies in PostgreSQL.

24 tasks: a source with a task for each database, a sink that upserts and a sink that inserts one row per applied change
(the ledger), with eight tasks each. An upserted table hides repeats, gaps and wrong order; the ledger hides nothing.
"""
import collections
import contextlib
import random
import threading
import time

import pyodbc

from harness import kafka, ledger, pipeline, sluice, sqlserver, wait

DATABASES = tuple(f"d{number}" for number in range(1, 9))
TABLE = "CREATE TABLE dbo.t (id int IDENTITY(1,1) PRIMARY KEY, n int NOT NULL, v nvarchar(60) NULL)"
CAPTURE = ("EXEC sys.sp_cdc_enable_db;",
           "EXEC sys.sp_cdc_enable_table @source_schema = N'dbo', @source_name = N't', @role_name = NULL, "
           "@supports_net_changes = 0;")


class World:
    def __init__(self, folder, build, target, seed=1, databases=DATABASES):
        self.folder, self.build, self.target, self.databases = folder, build, target, databases
        self.random = random.Random(seed)
        self.name = f"cluster_{next(pipeline._numbers)}_{int(time.time())}"  # of the target's database and of the topics
        self.source = sqlserver.SqlServer(folder / "sqlserver", build, 20).start()
        target.execute(f'CREATE DATABASE "{self.name}"')
        for database in databases:
            self.source.execute(f"CREATE DATABASE {database}")
            self.source.execute(TABLE, database=database)
            for step in CAPTURE:
                self.source.execute(step, database=database)
            self.query(f"CREATE TABLE {database} (id int PRIMARY KEY, n int, v text, __deleted text)")
            self.query(f"CREATE TABLE ledger_{database} (seq bigserial, id int, n int, v text, __deleted text, __op text, "
                       "__source_commit_lsn text, __source_change_lsn text)")
        self.connections = {}
        self.made = {}
        self.load = None

    # Configuration

    def connectors(self):
        common = {
            "connector.class": "io.confluent.connect.jdbc.JdbcSinkConnector", "tasks.max": str(len(self.databases)),
            "connection.url": self.target.url(self.name), "connection.user": self.target.user,
            "connection.password": self.target.password, "topics": ",".join(f"{self.name}.{d}.dbo.t" for d in self.databases),
            "table.name.format": "${topic}", "transforms": "unwrap,route",
            "transforms.unwrap.type": "io.debezium.transforms.ExtractNewRecordState",
            "transforms.unwrap.drop.tombstones": "true", "transforms.unwrap.delete.handling.mode": "rewrite",
            "transforms.route.type": "org.apache.kafka.connect.transforms.RegexRouter",
            "transforms.route.regex": f"{self.name}\\.(.*)\\.dbo\\.t",
        }
        return {
            "source": {
                "connector.class": "io.debezium.connector.sqlserver.SqlServerConnector",
                "tasks.max": str(len(self.databases)), "database.hostname": self.source.host,
                "database.port": str(self.source.port), "database.user": self.source.user,
                "database.password": self.source.password, "database.names": ",".join(self.databases),
                "database.encrypt": "false", "table.include.list": "dbo.t", "topic.prefix": self.name,
                "schema.history.internal.kafka.topic": "history",
                "schema.history.internal.kafka.bootstrap.servers": "unused:9092", "snapshot.mode": "initial",
                "snapshot.locking.mode": "none", "poll.interval.ms": "50",
            },
            "sink": {**common, "insert.mode": "upsert", "pk.mode": "record_value", "pk.fields": "id",
                     "transforms.unwrap.add.fields": "deleted", "transforms.route.replacement": "$1"},
            "ledger": {**common, "insert.mode": "insert", "pk.mode": "none",
                       "transforms.unwrap.add.fields": "op,source.commit_lsn,source.change_lsn",
                       "transforms.route.replacement": "ledger_$1"},
        }

    def query(self, sql, *parameters):
        return self.target.execute(sql, *parameters, database=self.name)

    # The application

    def connection(self, database):
        if database not in self.connections:
            self.connections[database] = self.source.connect(database)
        return self.connections[database]

    def change(self, database):
        """One small transaction."""
        kind = self.random.randrange(10)
        number = self.random.randrange(1_000_000)
        if kind < 5:
            rows = ", ".join(f"({number}, N'row {i}')" for i in range(self.random.choice((1, 1, 3, 20))))
            sql = f"INSERT INTO dbo.t (n, v) VALUES {rows}"
            self.made[database] = self.made.get(database, 0) + rows.count("(")
        else:
            first = self.random.randrange(self.made.get(database, 0) + 1)
            some = f"id >= {first} AND id < {first + 20} AND n >= 0"  # marks are left alone
            sql = f"UPDATE dbo.t SET n = {number} WHERE {some}" if kind < 9 else f"DELETE FROM dbo.t WHERE {some} AND id % 3 = 0"
        sqlserver.rows_of(self.connection(database).execute(sql))

    def start_load(self, pause=0.02):
        self.loading = threading.Event()
        self.failure = None

        def run():
            try:
                while not self.loading.is_set():
                    self.change(self.random.choice(self.databases))
                    time.sleep(pause)
            except pyodbc.Error as error:
                self.failure = error
        self.load = threading.Thread(target=run, daemon=True)
        self.load.start()

    def stop_load(self):
        if self.load:
            self.loading.set()
            self.load.join()
            self.load = None
            assert not self.failure, self.failure

    def mark(self, word):
        """A row in each database, by connections of its own: it can be waited for."""
        for database in self.databases:
            self.source.execute(f"INSERT INTO dbo.t (n, v) VALUES (-1, N'{word}')", database=database)

    def unmarked(self, word):
        """Tables that the mark has not reached."""
        return [table for d in self.databases for table in (d, f"ledger_{d}")
                if not self.query(f"SELECT count(*) FROM {table} WHERE v = '{word}' AND n = -1")[0][0]]

    def wait_marked(self, word, seconds=60):
        """Seconds until the mark is through everywhere."""
        began = time.monotonic()
        self.mark(word)
        try:
            wait.until(lambda: not self.unmarked(word), f"the mark {word!r} in every table", seconds, 0.1)
        except wait.Timeout as timeout:
            raise AssertionError(f"{timeout}; it is missing in {self.unmarked(word)}") from None
        return time.monotonic() - began

    # What happened

    def rows(self, database):
        return {tuple(r) for r in self.source.execute("SELECT id, n, v FROM dbo.t", database=database)}

    def copies(self, database):
        return {tuple(r) for r in self.query(f"SELECT id, n, v FROM {database} WHERE __deleted IS DISTINCT FROM 'true'")}

    def expected(self, database):
        rows = self.source.execute("SELECT __$start_lsn, __$seqval, __$operation, id FROM cdc.dbo_t_CT WHERE __$operation <> 3 "
                                   "ORDER BY __$start_lsn, __$command_id, __$seqval, __$operation", database=database)
        return [(pipeline.lsn_text(r[0]), pipeline.lsn_text(r[1]), pipeline.OPERATIONS[r[2]], r[3]) for r in rows]

    def ledger(self, database):
        return [tuple(r) for r in self.query(
            f"SELECT __source_commit_lsn, __source_change_lsn, __op, id FROM ledger_{database} ORDER BY seq")]

    def check(self, seconds=90):
        """The copies equal the source, and the ledger has neither repeat nor gap."""
        try:
            wait.until(lambda: all(self.rows(d) == self.copies(d) for d in self.databases), "copies equal to the source",
                       seconds, 0.3)
        except wait.Timeout as timeout:
            raise AssertionError(f"{timeout}\n" + "\n".join(
                f"{d}: not in the target {sorted(self.rows(d) - self.copies(d))[:3]}, "
                f"not in the source {sorted(self.copies(d) - self.rows(d))[:3]}" for d in self.databases)) from None
        for database in self.databases:
            rows = self.ledger(database)
            bound = max((r[0] for r in rows if r[2] == "r"), default="")
            ledger.check(database, [r for r in rows if r[2] != "r"], [e for e in self.expected(database) if e[0] > bound], 3)

    def close(self):
        with contextlib.suppress(AssertionError):
            self.stop_load()
        self.source.kill()


class Workers:
    """Several processes with one group.id."""

    def __init__(self, folder, build, bootstrap, n=3, group="workers", copies=1, settings=None):
        self.group, self.all, self.names, self.tasks = group, [], [], 0
        for number in range(1, n + 1):
            own = {
                "bootstrap.servers": bootstrap, "group.id": group,
                "config.storage.topic": f"{group}-configs", "config.storage.replication.factor": copies,
                "offset.storage.topic": f"{group}-offsets", "offset.storage.replication.factor": copies,
                "offset.storage.partitions": 3, "status.storage.topic": f"{group}-status",
                "status.storage.replication.factor": copies, "status.storage.partitions": 3,
                "key.converter": "org.apache.kafka.connect.json.JsonConverter",
                "value.converter": "org.apache.kafka.connect.json.JsonConverter",
                # As Connect's files have it: five minutes, for which nothing here waits.
                "scheduled.rebalance.max.delay.ms": 300000,
                "sluice.log.level": "info", **(settings or {}),
            }
            self.all.append(sluice.Sluice(folder / f"worker{number}", build, own, rest=True))

    def start(self, connectors):
        """The first brings the connectors along."""
        for name, config in connectors.items():
            self.all[0].connector(name, config)
            self.names.append(name)
            self.tasks += int(config["tasks.max"])
        for worker in self.all:
            worker.start()
        self.all[0].connectors = []
        return self

    def spread(self):
        """Running tasks of each worker, as the first one's REST API tells; what does not run stands by its name."""
        counts = collections.Counter()
        for name in self.names:
            for task in self.all[0].rest("GET", f"/connectors/{name}/status")[1]["tasks"]:
                running = task["state"] == "RUNNING"
                counts[task["worker_id"] if running else f"{name}/{task['id']} {task['state']}"] += 1
        return counts

    def wait_spread(self, seconds=60):
        """Until no worker runs two tasks more than another, and every task runs."""
        def even():
            counts = self.spread()
            return len(counts) == len(self.all) and sum(counts.values()) == self.tasks and \
                max(counts.values()) - min(counts.values()) < 2
        try:
            wait.until(even, "the tasks to be spread evenly", seconds, 0.2)
        except wait.Timeout as timeout:
            raise AssertionError(f"{timeout}: {self.spread()}") from None

    def output(self):
        return "\n".join(f"--- {w.folder.name}\n{w.output()[-3000:]}" for w in self.all)

    def close(self):
        for worker in self.all:
            if worker.process:
                worker.kill()
