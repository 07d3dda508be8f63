# SPDX-License-Identifier: Apache-2.0
"""ScyllaDB to PostgreSQL: every change once, in order, through stops, kills, outages and moves of the streams."""
import re
import threading

import pytest

from harness import scylla_pipeline, wait


@pytest.fixture
def make_scylla(tmp_path, build):
    made = []

    def make(target, **options):
        made.append(scylla_pipeline.ScyllaPipeline(tmp_path / f"scylla{len(made)}", build, target, **options))
        return made[-1]

    yield make
    for each in made:
        each.close()


SETTLED = {"sluice.scylla.early.reads": "true", "sluice.scylla.read.again": "true", "sluice.scylla.sweep.ms": "5000",
           "sluice.scylla.sweep.interval.ms": "1000", "sluice.scylla.early.interval.ms": "50"}


def test_changes_arrive_once_and_in_order(make_scylla, cluster):
    p = make_scylla(cluster)
    p.change(400)
    p.wait_equal()
    p.change(50)
    p.wait_equal()


@pytest.mark.parametrize("images", ["", ", 'preimage': true, 'postimage': true"])
def test_the_advanced_shape(make_scylla, cluster, images):
    """Deletes without a row before have neither before nor after: unwrapping drops them, the tombstone deletes."""
    p = make_scylla(cluster, cdc="'enabled': true" + images, ledger_without=("d",), options={
        "cdc.output.format": "advanced", "cdc.include.before": "full",
        "cdc.include.after": "full" if images else "only-updated"})
    p.change(400)
    p.wait_equal()


def test_tasks_share_the_streams(make_scylla, cluster):
    p = make_scylla(cluster, options={"tasks.max": "3"}, shards=4)
    p.change(400)
    p.wait_equal()


@pytest.mark.parametrize("early", [False, True])
@pytest.mark.parametrize("how", ["SIGTERM", "SIGKILL"])
def test_restart_while_streaming(make_scylla, cluster, how, early):
    p = make_scylla(cluster, options=SETTLED if early else None)
    writer = threading.Thread(target=p.change, args=(3000,))
    writer.start()
    for rows in (300, 1000, 1800):
        wait.until(lambda: (p.query("SELECT sum(next_offset) FROM sluice_offsets WHERE connector = 'sink'")[0][0] or 0)
                   >= rows, f"{rows} records", 60)
        if how == "SIGTERM":
            assert p.sluice.stop() == 0
        else:
            p.sluice.kill()
        p.sluice.start()
    writer.join()
    p.wait_equal()


def test_a_generation_ends_under_load(make_scylla, cluster):
    p = make_scylla(cluster)
    writer = threading.Thread(target=p.change, args=(2000,))
    writer.start()
    for _ in range(2):
        wait.until(lambda: p.ledger("items"), "the first changes")
        p.source.ctl("generation new")
    writer.join()
    p.wait_equal()


def test_a_generation_ends_while_sluice_is_away(make_scylla, cluster):
    p = make_scylla(cluster, options={"tasks.max": "2"})
    p.change(200)
    p.wait_equal()
    assert p.sluice.stop() == 0
    p.change(100)
    p.source.ctl("generation new")
    p.change(100)
    p.sluice.start()
    p.wait_equal()


def test_tablets_split_under_load(make_scylla, cluster):
    p = make_scylla(cluster, tablets=True, options={"tasks.max": "2"})
    writer = threading.Thread(target=p.change, args=(2000,))
    writer.start()
    wait.until(lambda: p.ledger("items"), "the first changes")
    p.source.ctl("tablets split app.items")
    writer.join()
    p.wait_equal()


def test_a_node_is_away_for_a_while(make_scylla, cluster):
    p = make_scylla(cluster, nodes=3)
    p.change(200)
    p.wait_equal()
    p.source.ctl("node 2 down")
    p.change(200)
    p.wait_equal()
    p.source.ctl("node 2 up")
    p.change(100)
    p.wait_equal()


def test_the_cluster_goes_away_and_comes_back(make_scylla, cluster):
    p = make_scylla(cluster)
    p.change(200)
    p.wait_equal()
    p.source.restart()
    p.reconnect()
    wait.until(lambda: p.change(1), "the simulator to take writes")
    p.change(200)
    p.wait_equal()


def test_a_column_is_added_under_load(make_scylla, cluster):
    p = make_scylla(cluster, sink_options={"auto.evolve": "true"})
    p.change(100)
    p.wait_equal()
    writer = threading.Thread(target=p.change, args=(500,))
    writer.start()
    p.execute("ALTER TABLE app.items ADD extra text")
    for ck in range(100, 140):
        p.execute("INSERT INTO app.items (pk, ck, v, n, price, extra) VALUES (1, %s, 'v', 1, 1.5, %s)", ck, f"x{ck}")
    writer.join()
    p.wait_equal()
    assert p.query("SELECT count(*) FROM items WHERE extra LIKE 'x1%'")[0][0] == 40


def test_a_column_is_dropped_under_load(make_scylla, cluster):
    """The log loses the column with its table: what was not read yet comes without it, and nothing else is lost."""
    p = make_scylla(cluster, sink_options={"auto.evolve": "true"}, options=SETTLED)
    p.execute("ALTER TABLE app.items ADD extra text")
    for ck in range(100, 120):
        p.execute("INSERT INTO app.items (pk, ck, v, n, price, extra) VALUES (1, %s, 'v', 1, 1.5, %s)", ck, f"x{ck}")
    wait.until(lambda: p.query("SELECT count(*) FROM items WHERE ck >= 100")[0][0] == 20, "the first rows")
    writer = threading.Thread(target=p.change, args=(600,))
    writer.start()
    p.execute("ALTER TABLE app.items DROP extra")
    for ck in range(120, 140):
        p.execute("INSERT INTO app.items (pk, ck, v, n, price) VALUES (1, %s, 'v', 1, 1.5)", ck)
    writer.join()
    p.wait_equal()
    assert p.query("SELECT count(*), count(extra) FROM items WHERE ck >= 100") == [(40, 20)]


@pytest.mark.parametrize("kind", ["overload", "read-timeout", "drop"])
def test_a_cluster_that_fails_one_read_in_four_loses_no_change(make_scylla, cluster, kind):
    p = make_scylla(cluster, options=SETTLED)
    p.source.ctl(f"fail {kind} every 4 text _scylla_cdc_log")
    p.change(400)
    wait.until(p.equal, "the target to equal the source while reads fail", 60)
    p.source.ctl("fail off")
    p.wait_equal()


def test_changes_that_turn_up_late_are_found(make_scylla, cluster):
    """Log rows that are seen long after their window was closed: each comes once, and the rows are right in the end."""
    p = make_scylla(cluster, options={**SETTLED, "sluice.scylla.sweep.ms": "60000"})
    p.change(100)
    p.source.ctl("delay log app.items 2500 every 4")
    p.source.ctl("delay log app.users 1500 every 3")
    p.change(600)
    p.source.ctl("delay off")
    p.has_ledger = False  # its order is that of finding
    p.wait_equal()
    for table in scylla_pipeline.TABLES:
        wait.until(lambda t=table: len(p.ledger(t)) >= len(p.expected(t)), f"the ledger of {table} to be complete")
        assert sorted(p.ledger(table)) == sorted(p.expected(table))


@pytest.mark.parametrize("how", [None, "SIGKILL"])
def test_rows_from_before_the_log_come_with_a_snapshot(make_scylla, cluster, how):
    """What is not in the log any more (here: written before CDC was on) comes by the snapshot, beside new writes."""
    p = make_scylla(cluster, start=False, ledger=False, cdc="'enabled': false",
                    options={"snapshot.mode": "initial", "tasks.max": "2", "scylla.query.options.fetch.size": "20",
                             "max.batch.size": "50", **SETTLED})
    p.change(1500)
    for table in scylla_pipeline.TABLES:
        p.execute(f"ALTER TABLE app.{table} WITH cdc = {{'enabled': true}}")
    writer = threading.Thread(target=p.change, args=(500,))
    writer.start()
    p.sluice.start()
    if how:
        wait.until(lambda: p.query("SELECT count(*) FROM items")[0][0] > 20, "the first rows")
        p.sluice.kill()
        p.sluice.start()
    writer.join()
    p.wait_equal()
    # Killed behind the last row, the first run has not said it, and the second finds it so.
    wait.until(lambda: re.search("the snapshot (is|was) complete", p.sluice.output()), "the snapshot's end")
