# SPDX-License-Identifier: Apache-2.0
"""The examples' pipelines over a real broker, with the connectors' JSON unchanged."""
import pytest

from harness import scylla_pipeline

FILL = {"customers": 60, "products": 20, "orders": 120, "lines": 300}


@pytest.mark.parametrize("group", [False, True], ids=["standalone", "distributed"])
def test_sql_server_to_postgresql(broker, make_pipeline, group):
    pipeline = make_pipeline(broker, group, fill=FILL)
    pipeline.sluice.start()
    pipeline.change(1500)
    pipeline.wait_equal()
    pipeline.sluice.stop()
    pipeline.change(500)
    pipeline.sluice.start()
    pipeline.change(500)
    pipeline.wait_equal()
    pipeline.sluice.kill()
    pipeline.change(500)
    pipeline.sluice.start()
    pipeline.wait_equal()
    pipeline.sluice.stop()


def test_scylla_to_postgresql(broker, target, build, tmp_path):
    worker = {"bootstrap.servers": broker.bootstrap, "group.id": "scylla-workers", "config.storage.topic": "scylla-configs",
              "offset.storage.topic": "scylla-offsets", "status.storage.topic": "scylla-status"}
    pipeline = scylla_pipeline.ScyllaPipeline(tmp_path / "scylla", build, target, worker=worker)
    try:
        pipeline.change(300)
        pipeline.wait_equal()
        pipeline.sluice.kill()
        pipeline.change(200)
        pipeline.sluice.start()
        pipeline.wait_equal()
        pipeline.sluice.stop()
    finally:
        pipeline.close()
