# SPDX-License-Identifier: Apache-2.0
"""Tables without a key, and tables whose structure changes under the stream: a newer capture instance takes over."""
import contextlib
import json
import signal
import sqlite3
import threading

from harness import sqlserver, wait

DATABASE = "warehouse_source"
TOPIC = f"sqlserver.{DATABASE}.dbo.visits"


def enable(p, instance, table="visits"):
    p.source.execute(
        f"EXEC sys.sp_cdc_enable_table @source_schema = N'dbo', @source_name = N'{table}', @role_name = NULL, "
        f"@capture_instance = N'{instance}', @supports_net_changes = 0", database=DATABASE)


def make(make_pipeline, cluster, columns, instance="dbo_visits", tables="dbo.visits"):
    """The warehouse with one more table, and a ledger of its own for it."""
    p = make_pipeline(cluster, ledger=False, source_config={"table.include.list": tables})
    p.source.execute(f"CREATE TABLE dbo.visits ({columns})", database=DATABASE)
    enable(p, instance)
    p.query("CREATE TABLE ledger_visits (seq bigserial, id integer, who text, __deleted text, __op text, "
            "__source_commit_lsn text, __source_change_lsn text, __source_event_serial_no bigint)")
    p.sluice.connector("ledger", {**p._ledger_config(), "topics": TOPIC, "auto.evolve": "true"})
    return p


def ledger(p, what="id, __op"):
    return [tuple(r) for r in p.query(f"SELECT {what} FROM ledger_visits ORDER BY seq")]


def end_of_topic(p):
    with contextlib.closing(sqlite3.connect(f"file:{p.sluice.state / 'sluice.db'}?mode=ro", uri=True)) as db:
        return db.execute("SELECT sum(p.next_offset) FROM partitions p JOIN topics t ON t.id = p.topic_id "
                          "WHERE t.name = ?", (TOPIC,)).fetchone()[0] or 0


def test_a_delete_without_a_key_is_followed_by_a_record_of_nulls_that_hurts_nobody(make_pipeline, cluster):
    p = make(make_pipeline, cluster, "id int NOT NULL, who nvarchar(20) NULL")
    p.sluice.start()
    p.sluice.wait_for_log("streaming")
    p.source.execute("INSERT dbo.visits VALUES (1, N'a'), (2, N'b')", database=DATABASE)
    p.source.execute("DELETE dbo.visits WHERE id = 1", database=DATABASE)
    p.source.execute("INSERT dbo.visits VALUES (3, N'c')", database=DATABASE)
    wait.until(lambda: len(ledger(p)) >= 4, "four changes in the ledger")
    assert ledger(p) == [(1, "c"), (2, "c"), (1, "d"), (3, "c")]
    assert end_of_topic(p) == 5, "three inserts, a delete and its tombstone"
    assert p.sluice.stop() == 0


class Writer:
    """One row after the other, each a transaction, until told to stop; with a mood once the column is there."""

    def __init__(self, p):
        self.connection = p.source.connect(DATABASE)
        self.moody = self.stopped = False
        self.written = []  # (id, mood or None)
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        while not self.stopped:
            number, moody = len(self.written) + 1, self.moody
            sql = "INSERT dbo.visits (id, who, mood) VALUES (?, N'v', N'fine')" if moody else \
                "INSERT dbo.visits (id, who) VALUES (?, N'v')"
            sqlserver.rows_of(self.connection.execute(sql, number))
            self.written.append((number, "fine" if moody else None))

    def wait_for(self, more):
        wanted = len(self.written) + more
        wait.until(lambda: len(self.written) >= wanted, f"{more} more rows", every=0.01)

    def stop(self):
        self.stopped = True
        self.thread.join()
        self.connection.close()


def change_structure(p, writer):
    """A column, a second instance, and from then on rows that fill it."""
    p.source.execute("ALTER TABLE dbo.visits ADD mood nvarchar(10) NULL", database=DATABASE)
    writer.wait_for(20)
    enable(p, "dbo_visits_2")
    writer.moody = True
    writer.wait_for(50)


def check_every_row_came_once(p, writer):
    with contextlib.suppress(wait.Timeout): # what is missing says more than how long it was waited for
        wait.until(lambda: len(ledger(p)) >= len(writer.written), "every row in the ledger", 20)
    p.sluice.assert_running()
    rows = ledger(p, "id, __op, mood")
    assert [r[0] for r in rows] == [n for n, _ in writer.written], "a row is lost, repeated or out of order"
    assert {r[1] for r in rows} <= {"c", "r"}
    wrong = [(r, w) for r, w in zip(rows, writer.written) if r[2] != w[1]]
    assert not wrong, f"the new column is not what was written: {wrong[:5]}"


def test_a_newer_capture_instance_takes_over_while_streaming(make_pipeline, cluster):
    p = make(make_pipeline, cluster, "id int NOT NULL PRIMARY KEY, who nvarchar(20) NULL")
    p.sluice.start()
    p.sluice.wait_for_log("streaming")
    writer = Writer(p)
    try:
        writer.wait_for(50)
        change_structure(p, writer)
        wait.until(lambda: p.query("SELECT count(*) FROM information_schema.columns WHERE table_name = "
                                   "'ledger_visits' AND column_name = 'mood'")[0][0], "the new column at the target")
        wait.until(lambda: p.query("SELECT count(mood) FROM ledger_visits")[0][0] > 0, "rows of the newer instance")
        p.source.execute("EXEC sys.sp_cdc_disable_table @source_schema = N'dbo', @source_name = N'visits', "
                         "@capture_instance = N'dbo_visits'", database=DATABASE)
        writer.wait_for(50)
    finally:
        writer.stop()
    check_every_row_came_once(p, writer)
    assert p.sluice.stop() == 0


def test_a_newer_capture_instance_takes_over_after_an_absence(make_pipeline, cluster):
    p = make(make_pipeline, cluster, "id int NOT NULL PRIMARY KEY, who nvarchar(20) NULL")
    p.sluice.start()
    p.sluice.wait_for_log("streaming")
    writer = Writer(p)
    try:
        writer.wait_for(50)
        wait.until(lambda: len(ledger(p)) >= 10, "the first rows")
        p.sluice.kill()
        writer.wait_for(50)
        change_structure(p, writer)
        p.sluice.start()
        wait.until(lambda: p.query("SELECT max(id) FROM ledger_visits")[0][0] > 150, "the stream to go on", 60)
        p.sluice.kill()  # and once more, in the newer instance
        p.sluice.start()
    finally:
        writer.stop()
    check_every_row_came_once(p, writer)
    assert p.sluice.stop() == 0


def test_an_instance_dropped_before_it_was_read_stops_the_task_by_name(make_pipeline, cluster):
    p = make(make_pipeline, cluster, "id int NOT NULL PRIMARY KEY, who nvarchar(20) NULL")
    p.sluice.start()
    p.sluice.wait_for_log("streaming")
    p.source.execute("INSERT dbo.visits VALUES (1, N'a')", database=DATABASE)
    wait.until(lambda: ledger(p) == [(1, "c")], "the first row")
    p.sluice.process.signal(signal.SIGSTOP)
    p.source.execute("INSERT dbo.visits VALUES (2, N'b')", database=DATABASE)
    wait.until(lambda: p.source.captured(DATABASE, ["dbo_visits"]) == [2], "the second row to be captured")
    enable(p, "dbo_visits_2")
    p.source.execute("EXEC sys.sp_cdc_disable_table @source_schema = N'dbo', @source_name = N'visits', "
                     "@capture_instance = N'dbo_visits'", database=DATABASE)
    p.sluice.process.signal(signal.SIGCONT)
    p.sluice.wait_for_log("the task failed")
    assert "capture instance 'dbo_visits' was dropped before all its changes were read" in p.sluice.output()
    assert ledger(p) == [(1, "c")]


def test_a_table_that_changed_incompatibly_stops_with_the_registrys_own_explanation(make_pipeline, cluster):
    p = make(make_pipeline, cluster, "id int NOT NULL, who nvarchar(20) NULL")
    p.sluice.start()
    p.sluice.wait_for_log("streaming")
    p.source.execute("INSERT dbo.visits VALUES (1, N'a')", database=DATABASE)
    wait.until(lambda: len(ledger(p)) == 1, "the first row")
    p.source.execute("DELETE dbo.visits", database=DATABASE)
    p.source.execute("ALTER TABLE dbo.visits ADD must int NOT NULL", database=DATABASE)
    enable(p, "dbo_visits_2")
    p.source.execute("INSERT dbo.visits (id, who, must) VALUES (2, N'b', 3)", database=DATABASE)
    wait.until(lambda: "the task failed" in p.sluice.output(), "the source to stop")
    said = next(line for line in p.sluice.output().splitlines() if "the task failed" in line)
    assert "Schema being registered is incompatible with an earlier schema" in said
    assert f"{TOPIC}-value" in said and "must" in said and "HINT" in said


def structures(p):
    """What the schema-change topic tells: of which table, and with which columns."""
    lines = p.sluice.command("topics", "tail", "--state", p.sluice.state, "--from-beginning", "--no-follow", "-o", "json",
                             "sqlserver").stdout.splitlines()
    changes = [change for line in lines for change in json.loads(line)["value"]["tableChanges"]]
    return [(c["type"], c["id"].split(".")[-1].strip('"'), [column["name"] for column in c["table"]["columns"]]) for c in changes]


def test_a_structure_is_told_once_whatever_stops_fall_between_it_and_its_first_row(make_pipeline, cluster):
    p = make(make_pipeline, cluster, "id int NOT NULL PRIMARY KEY, who nvarchar(20) NULL", tables="dbo.(visits|guests)")

    def write(number, more=""):
        p.source.execute(f"INSERT dbo.visits VALUES ({number}, N'a'{more})", database=DATABASE)
        wait.until(lambda: ledger(p)[-1:] == [(number, "c")], f"row {number}", 30)
    told = [("CREATE", "visits", ["id", "who"])]
    p.sluice.start()
    p.sluice.wait_for_log("streaming")
    write(1)
    assert structures(p) == told
    p.source.execute("ALTER TABLE dbo.visits ADD mood nvarchar(10) NULL", database=DATABASE)
    enable(p, "dbo_visits_2")
    p.sluice.stop()
    p.source.execute("CREATE TABLE dbo.guests (id int NOT NULL PRIMARY KEY)", database=DATABASE)
    enable(p, "dbo_guests", "guests")
    p.sluice.start()
    write(2, ", N'fine'")
    told.append(("ALTER", "visits", ["id", "who", "mood"]))
    assert structures(p) == told
    p.sluice.kill()
    p.sluice.start()
    p.source.execute("INSERT dbo.guests VALUES (1)", database=DATABASE)
    write(3, ", N'fine'")
    told.append(("CREATE", "guests", ["id"]))
    assert structures(p) == told
    assert p.sluice.stop() == 0
    # A version that kept no notes of it has told what there is.
    with contextlib.closing(sqlite3.connect(p.sluice.state / "sluice.db")) as db, db:
        assert db.execute("DELETE FROM source_notes WHERE CAST(key AS text) LIKE 'structure/%'").rowcount == 2
    p.sluice.start()
    write(4, ", N'fine'")
    assert structures(p) == told
    assert p.sluice.stop() == 0
