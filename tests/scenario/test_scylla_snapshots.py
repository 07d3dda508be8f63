# SPDX-License-Identifier: Apache-2.0
"""Which rows that exist already are read, and when: the modes of snapshot.mode."""
import time

import pytest

from harness import scylla_pipeline, wait

SETTLED = {"sluice.scylla.early.reads": "true", "sluice.scylla.read.again": "true", "sluice.scylla.sweep.ms": "5000",
           "sluice.scylla.sweep.interval.ms": "1000", "sluice.scylla.early.interval.ms": "50"}
COMPLETE = "the snapshot is complete"


@pytest.fixture
def make_scylla(tmp_path, build):
    made = []

    def make(target, mode, cdc="'enabled': true", **options):
        """Rows that no log has, tables with CDC, and sluice not started yet."""
        p = scylla_pipeline.ScyllaPipeline(tmp_path / f"scylla{len(made)}", build, target, start=False, ledger=False,
                                           cdc="'enabled': false", options={"snapshot.mode": mode, **SETTLED, **options})
        made.append(p)
        p.change(300)
        for table in scylla_pipeline.TABLES:
            p.execute(f"ALTER TABLE app.{table} WITH cdc = {{{cdc}}}")
        return p

    yield make
    for each in made:
        each.close()


def completions(p):
    return p.sluice.output().count(COMPLETE)


def reads_of_logs(p):
    statements = p.source.stats()["statements"]
    return [statements.get(f"select app.{table}_scylla_cdc_log") for table in scylla_pipeline.TABLES]


def lose_rows(p):
    """The target's rows go: what comes back comes by a snapshot."""
    p.target.execute("DELETE FROM users; DELETE FROM items", database=p.database)


def test_initial_only_reads_the_rows_and_stays_idle(make_scylla, cluster):
    p = make_scylla(cluster, "initial_only", **{"tasks.max": "2"})
    p.sluice.start()
    p.wait_equal()
    wait.until(lambda: completions(p) == 1, "the snapshot's end")
    before = {table: p.rows(table)[1] for table in scylla_pipeline.TABLES}
    for _ in range(2):  # and once is enough
        read = reads_of_logs(p)
        p.change(50)
        p.sluice.assert_running()
        assert reads_of_logs(p) == read
        p.sluice.stop()
        p.sluice.start()
        wait.until(lambda: p.sluice.runs == p.sluice.output().count("nothing more is read"), "the start")
        assert {table: p.rows(table)[1] for table in scylla_pipeline.TABLES} == before and completions(p) == 1


@pytest.mark.parametrize("mode", ["initial", "always", "when_needed", "no_data", "schema_only", "never"])
def test_what_a_second_start_reads(make_scylla, cluster, mode):
    """The rows of the target are lost while sluice is down: only always brings them back."""
    p = make_scylla(cluster, mode, **{"tasks.max": "2"})
    p.sluice.start()
    if mode in ("no_data", "schema_only", "never"):
        p.sluice.wait_for_log("reading a table's change log")
        p.execute("INSERT INTO app.items (pk, ck, v) VALUES (100, 1, 'new')")
        wait.until(lambda: p.query("SELECT count(*) FROM items")[0][0] == 1, "the one change")
        assert p.query("SELECT count(*) FROM users")[0][0] == 0 and not completions(p)
        return
    p.wait_equal()
    wait.until(lambda: completions(p) == 1, "the snapshot's end")
    p.change(50)
    p.wait_equal()
    p.sluice.stop()
    lose_rows(p)
    p.sluice.start()
    p.execute("INSERT INTO app.items (pk, ck, v) VALUES (100, 1, 'new')")
    wait.until(lambda: p.query("SELECT count(*) FROM items WHERE pk = 100")[0][0] == 1, "the change after the start")
    if mode == "always":
        p.wait_equal()
        wait.until(lambda: completions(p) == 2, "the second snapshot's end")
    else:
        assert p.query("SELECT count(*) FROM users")[0][0] < 20 and completions(p) == 1


@pytest.mark.parametrize("how", ["stop", "SIGKILL"])
def test_an_expired_position_has_all_rows_read_anew_when_needed(make_scylla, cluster, how):
    p = make_scylla(cluster, "when_needed", cdc="'enabled': true, 'ttl': 6", **{"tasks.max": "2"})
    p.sluice.start()
    p.wait_equal()
    wait.until(lambda: completions(p) == 1, "the snapshot's end")
    p.sluice.stop()
    stopped = time.monotonic()
    p.execute("INSERT INTO app.items (pk, ck, v) VALUES (100, 1, 'while it was away')")
    for number in range(300):
        p.execute("INSERT INTO app.items (pk, ck, v) VALUES (101, %s, 'too')", number)
    wait.until(lambda: time.monotonic() > stopped + 7, "the log to expire")
    p.sluice.start()
    p.sluice.wait_for_log("going on where the snapshot began")
    if how == "SIGKILL":
        p.sluice.kill()
        p.sluice.start()
    p.change(100)
    p.wait_equal()
    wait.until(lambda: completions(p) == 2, "the second snapshot's end")
    assert p.query("SELECT count(*) FROM items WHERE pk = 101")[0][0] == 300
    p.change(50)
    p.wait_equal()
