# SPDX-License-Identifier: Apache-2.0
"""
The whole way as tests use it: the warehouse's tables in SQL Server, their copies in PostgreSQL, and a ledger.

The ledger is a second sink that inserts one row per applied change, with its position, into tables without keys: an
upserted table hides repeats, gaps and wrong order; the ledger hides nothing.
"""
import contextlib
import itertools
import pathlib

from . import compare, ledger, sluice, sqlserver, wait, workload

EXAMPLES = pathlib.Path(__file__).resolve().parent.parent.parent / "examples/sqlserver"
COLUMNS = {
    "customers": ("id", "name", "email", "city", "credit_limit", "created_at"),
    "orders": ("id", "customer_id", "status", "total", "placed_at", "note"),
    "line_items": ("id", "order_id", "product", "quantity", "price"),
    "products": ("id", "title", "price", "stock", "changed_at"),
}
OPERATIONS = {1: "d", 2: "c", 4: "u"}
_numbers = itertools.count(1)

LEDGER_TABLE = """
CREATE TABLE ledger_{table} (
    seq bigserial,
    {columns},
    __deleted text,
    __op text,
    __source_commit_lsn text,
    __source_change_lsn text,
    __source_event_serial_no bigint
)"""
LEDGER_TYPES = {"id": {"products": "text"}, "customer_id": "integer", "order_id": "integer", "quantity": "integer",
                "stock": "integer", "credit_limit": "numeric", "total": "numeric", "price": "numeric",
                "created_at": "timestamp", "placed_at": "timestamp", "changed_at": "timestamp"}


def ledger_ddl(table):
    def kind(column):
        if column == "id":
            return "text" if table == "products" else "integer"
        return LEDGER_TYPES.get(column, "text")
    return LEDGER_TABLE.format(table=table, columns=",\n    ".join(f"{c} {kind(c)}" for c in COLUMNS[table]))


class Pipeline:
    def __init__(self, folder, build, target, ledger=True, seed=1, worker=None, source_config=None, sink_config=None,
                 capture_interval_ms=20, fill=None, simulator_arguments=(), topic_prefix="sqlserver"):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True)
        self.target, self.topic_prefix = target, topic_prefix
        self.database = f"warehouse_{next(_numbers)}"
        target.execute(f'CREATE DATABASE "{self.database}"')
        target.execute((EXAMPLES / "target.sql").read_text(), database=self.database)
        self.source = sqlserver.SqlServer(self.folder / "sqlserver", build, capture_interval_ms,
                                          simulator_arguments).start()
        self.source.script(EXAMPLES / "source.sql")
        self.warehouse = workload.Warehouse(seed)
        self.connection = None
        self.sluice = sluice.Sluice(self.folder / "sluice", build, worker)
        self.sluice.connector("source", {**self._source_config(), **(source_config or {})})
        self.sluice.connector("sink", {**self._sink_config(), **(sink_config or {})})
        if ledger:
            for table in workload.TABLES:
                target.execute(ledger_ddl(table), database=self.database)
            self.sluice.connector("ledger", self._ledger_config())
        self.has_ledger = ledger
        if fill:
            self.apply(self.warehouse.fill(**fill))

    # Configuration

    def _source_config(self):
        return {
            "connector.class": "io.debezium.connector.sqlserver.SqlServerConnector",
            "tasks.max": "1",
            "database.hostname": self.source.host, "database.port": str(self.source.port),
            "database.user": self.source.user, "database.password": self.source.password,
            "database.names": "warehouse_source", "database.encrypt": "false",
            "table.include.list": "dbo.customers,dbo.orders,dbo.line_items,dbo.products",
            "topic.prefix": self.topic_prefix,
            "schema.history.internal.kafka.topic": "history",
            "schema.history.internal.kafka.bootstrap.servers": "unused:9092",
            "snapshot.mode": "initial", "snapshot.locking.mode": "none", "poll.interval.ms": "100",
        }

    def _sink_config(self):
        return {
            "connector.class": "io.confluent.connect.jdbc.JdbcSinkConnector",
            "tasks.max": "1",
            "connection.url": self.target.url(self.database),
            "connection.user": self.target.user, "connection.password": self.target.password,
            "topics": ",".join(f"{self.topic_prefix}.warehouse_source.dbo.{t}" for t in workload.TABLES),
            "insert.mode": "upsert", "pk.mode": "record_value", "pk.fields": "id",
            "auto.evolve": "true", "table.name.format": "${topic}",
            "transforms": "unwrap,route",
            "transforms.unwrap.type": "io.debezium.transforms.ExtractNewRecordState",
            "transforms.unwrap.drop.tombstones": "true",
            "transforms.unwrap.delete.handling.mode": "rewrite",
            "transforms.unwrap.add.fields": "op,deleted",
            "transforms.route.type": "org.apache.kafka.connect.transforms.RegexRouter",
            "transforms.route.regex": self.topic_prefix + "\\.warehouse_source\\.dbo\\.(.*)",
            "transforms.route.replacement": "$1",
        }

    def _ledger_config(self):
        return {
            **self._sink_config(),
            "insert.mode": "insert", "pk.mode": "none", "pk.fields": "", "auto.evolve": "false",
            "transforms.unwrap.add.fields": "op,source.commit_lsn,source.change_lsn,source.event_serial_no",
            "transforms.route.replacement": "ledger_$1",
        }

    # The application

    def writer(self):
        self.connection = self.connection or self.source.connect("warehouse_source")
        return self.connection

    def apply(self, steps):
        """Run transactions at the source; the number of row changes."""
        made = 0
        for step in steps:
            sqlserver.rows_of(self.writer().execute(step.sql))
            made += step.changes
        return made

    def change(self, total, largest=50):
        return self.apply(self.warehouse.changes(total, largest))

    def reconnect(self):
        """After the source was restarted."""
        with contextlib.suppress(Exception):
            self.connection.close()
        self.connection = None

    # What happened

    def query(self, sql, *parameters):
        return self.target.execute(sql, *parameters, database=self.database)

    def differences(self):
        left, right = self.source.connect("warehouse_source"), self.target.connect(self.database)
        try:
            return [compare.compare(left, right, t, COLUMNS[t]) for t in workload.TABLES]
        finally:
            left.close()
            right.close()

    def equal(self):
        return all(d.differing == 0 and d.wrongly_deleted == 0 for d in self.differences())

    def wait_equal(self, seconds=60):
        def caught_up():
            self.sluice.assert_running()
            return self.equal()
        try:
            wait.until(caught_up, "the target to equal the source", seconds, every=0.2)
        except wait.Timeout:
            shown = "\n".join(str(d) for d in self.differences())
            raise AssertionError(f"target and source differ:\n{shown}\n{self.sluice.output()[-4000:]}") from None
        if self.has_ledger:
            try:
                wait.until(self.ledger_complete, "the ledger to be complete", seconds, every=0.2)
            finally:
                self.check_ledger()

    def expected(self, table):
        """Every captured change: (commit lsn, change lsn, operation, key), in the order of the change table."""
        rows = self.source.execute(
            f"SELECT __$start_lsn, __$seqval, __$operation, id FROM cdc.dbo_{table}_CT WHERE __$operation <> 3 "
            f"ORDER BY __$start_lsn, __$command_id, __$seqval, __$operation", database="warehouse_source")
        return [(lsn_text(r[0]), lsn_text(r[1]), OPERATIONS[r[2]], r[3]) for r in rows]

    def ledger(self, table):
        return self.query(f"SELECT __source_commit_lsn, __source_change_lsn, __op, id FROM ledger_{table} ORDER BY seq")

    def snapshot_lsn(self):
        """The position of the snapshot: everything at or below it came as op r."""
        found = [row[0] for t in workload.TABLES
                 for row in self.query(f"SELECT max(__source_commit_lsn) FROM ledger_{t} WHERE __op = 'r'") if row[0]]
        return max(found) if found else ""

    def ledger_complete(self):
        bound = self.snapshot_lsn()
        return all(len([r for r in self.ledger(t) if r[2] != "r"]) >= len([e for e in self.expected(t) if e[0] > bound])
                   for t in workload.TABLES)

    def check_ledger(self, snapshot_once=True):
        """No repeat, no gap, order per key."""
        bound = self.snapshot_lsn()
        for table in workload.TABLES:
            rows = [tuple(r) for r in self.ledger(table)]
            streamed = [r for r in rows if r[2] != "r"]
            wanted = [e for e in self.expected(table) if e[0] > bound]
            ledger.check(table, streamed, wanted, 3)
            if snapshot_once:
                keys = [r[3] for r in rows if r[2] == "r"]
                assert len(keys) == len(set(keys)), f"{table}: snapshot rows came twice: {ledger.repeated(keys)[:5]}"

    def close(self):
        self.sluice.process and self.sluice.kill()
        self.source.kill()


def lsn_text(value):
    digits = bytes(value).hex()
    return f"{digits[:8]}:{digits[8:16]}:{digits[16:]}"
