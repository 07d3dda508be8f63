# SPDX-License-Identifier: Apache-2.0
"""sluice stopped and killed in every phase: the target ends equal, and the ledger shows no repeat, gap or disorder."""
import contextlib
import shutil
import signal
import sqlite3
import threading

import pytest

from harness import sluice as program
from harness import wait, workload

FILL = {"customers": 600, "products": 100, "orders": 1500, "lines": 3000}


def in_log(p):
    with contextlib.closing(sqlite3.connect(f"file:{p.sluice.state / 'sluice.db'}?mode=ro", uri=True)) as db:
        return db.execute("SELECT sum(next_offset) FROM partitions").fetchone()[0] or 0


def stop_by(p, how):
    if how == "SIGTERM":
        assert p.sluice.stop() == 0
    else:
        p.sluice.kill()


@pytest.mark.parametrize("how", ["SIGTERM", "SIGKILL"])
def test_restart_in_the_snapshot(make_pipeline, cluster, how):
    p = make_pipeline(cluster, fill=FILL)
    p.sluice.start()
    wait.until(lambda: p.query("SELECT count(*) FROM customers")[0][0] > 0, "the snapshot to begin")
    stop_by(p, how)
    p.sluice.start()
    p.change(300)
    p.wait_equal()


def test_an_interrupted_snapshot_goes_on_behind_its_last_row(make_pipeline, cluster):
    """Killed again and again: each row comes once, as if nothing had happened; products have keys of text."""
    p = make_pipeline(cluster, fill={"customers": 1500, "products": 2500, "orders": 500, "lines": 500},
                      source_config={"max.batch.size": "10"})  # so that it takes a while
    p.sluice.start()
    for rows in (300, 1000, 2000, 3000, 4000):
        wait.until(lambda: in_log(p) >= rows, f"{rows} rows of the snapshot", every=0.005)
        p.sluice.kill()
        p.sluice.start()
    p.wait_equal()
    runs = [log.read_text() for log in sorted(p.sluice.folder.glob("sluice-*.log"))]
    tables = {t for run in runs for t in workload.TABLES if f'"table":"dbo.{t}","behind_rows"' in run}
    assert "customers" in tables and "products" in tables, f"killed elsewhere: {tables}"
    assert sum("snapshot is complete" in run for run in runs) == 1


@pytest.mark.parametrize("how", ["SIGTERM", "SIGKILL"])
def test_restart_while_streaming(make_pipeline, cluster, how):
    p = make_pipeline(cluster)
    p.sluice.start()
    p.sluice.wait_for_log("streaming starts")  # else the snapshot brings what this test wants to see streamed
    writer = threading.Thread(target=p.change, args=(4000,))
    writer.start()
    for rows in (500, 1500, 2500):
        wait.until(lambda: (p.query("SELECT sum(next_offset) FROM sluice_offsets WHERE connector = 'sink'")[0][0] or 0) >= rows,
                   f"{rows} records")
        stop_by(p, how)
        p.sluice.start()
    writer.join()
    p.wait_equal()


@pytest.mark.parametrize("how", ["SIGTERM", "SIGKILL"])
def test_restart_while_idle(make_pipeline, cluster, how):
    p = make_pipeline(cluster, fill={"customers": 20, "products": 5, "orders": 20, "lines": 20})
    p.sluice.start()
    p.wait_equal()
    stop_by(p, how)
    p.change(200)
    p.sluice.start()
    p.wait_equal()


def test_sigterm_stops_within_a_second(make_pipeline, cluster):
    p = make_pipeline(cluster, ledger=False)
    p.sluice.start()
    p.change(200)
    p.wait_equal()
    assert p.sluice.stop(seconds=3) == 0  # a second, and room for the sanitizers


def test_a_second_worker_on_the_same_state_is_refused(make_pipeline, cluster):
    p = make_pipeline(cluster, ledger=False)
    p.sluice.start()
    p.change(50)
    p.wait_equal()
    second = p.sluice.command("run", p.sluice.worker, *p.sluice.connectors, check=False)
    assert second.returncode == 1
    assert str(p.sluice.process.pid) in second.stderr
    p.sluice.assert_running()


def test_a_paused_process_that_wakes_up_beside_its_successor_commits_nothing(make_pipeline, cluster):
    """SIGSTOP, the same connector started elsewhere over a copy of the log, SIGCONT: the first is fenced off."""
    p = make_pipeline(cluster)
    p.sluice.start()
    p.change(300)
    p.wait_equal()
    p.sluice.process.signal(signal.SIGSTOP)
    other = program.Sluice(p.folder / "other", p.sluice.build)
    shutil.copytree(p.sluice.state, other.state)
    for lock in other.state.glob("*lock*"):
        lock.unlink()
    other.connectors = p.sluice.connectors
    other.start()
    p.change(300)
    first = p.sluice
    p.sluice = other
    p.wait_equal()
    first.process.signal(signal.SIGCONT)
    p.change(300)
    p.wait_equal()
    wait.until(lambda: "FENCED" in first.output() or not first.process.running(), "the first one to notice")
    first.kill()
    p.wait_equal()
