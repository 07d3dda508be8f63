# SPDX-License-Identifier: Apache-2.0
"""The servers at both ends go away and come back; sluice goes on by itself."""
import threading

from harness import wait


def test_postgres_stopped_and_started(make_pipeline, own_cluster):
    p = make_pipeline(own_cluster)
    p.sluice.start()
    p.change(500)
    p.wait_equal()
    own_cluster.stop("immediate")
    p.change(500)
    own_cluster.start()
    p.wait_equal()


def test_postgres_restarted_under_load(make_pipeline, own_cluster):
    p = make_pipeline(own_cluster)
    p.sluice.start()
    p.sluice.wait_for_log("streaming starts")
    writer = threading.Thread(target=p.change, args=(3000,))
    writer.start()
    for rows in (200, 1000):
        wait.until(lambda: (p.query("SELECT sum(next_offset) FROM sluice_offsets")[0][0] or 0) > rows, f"{rows} records")
        own_cluster.stop("immediate")
        own_cluster.start()
    writer.join()
    p.wait_equal()


def test_simulator_stopped_and_started(make_pipeline, cluster):
    p = make_pipeline(cluster)
    p.sluice.start()
    p.change(500)
    p.wait_equal()
    for stop in (p.source.stop, p.source.kill):
        stop()
        p.source.start()
        p.reconnect()
        p.change(300)
        p.wait_equal()


def test_connections_to_the_source_are_cut(make_pipeline, cluster):
    p = make_pipeline(cluster)
    p.sluice.start()
    p.change(200)
    p.wait_equal()
    for bytes_sent in (1, 100, 1000, 5000, 20000):
        p.source.control(f"cut after {bytes_sent}")
        p.reconnect()
        try:
            p.change(100)
        except Exception:  # our own connection may be the one that was cut; what it did is in the source or not
            p.reconnect()
    p.change(100)
    p.wait_equal()


def test_capture_job_stopped_and_started(make_pipeline, cluster):
    p = make_pipeline(cluster)
    p.sluice.start()
    p.change(100)
    p.wait_equal()
    p.source.control("capture stop")
    p.change(400)
    p.source.control("capture start")
    p.wait_equal()
