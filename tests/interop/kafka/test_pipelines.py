# SPDX-License-Identifier: Apache-2.0
"""The examples' pipelines over a real broker, with the connectors' JSON unchanged."""
import pytest

from harness import scylla_pipeline, workload

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


def test_exactly_once_into_the_topics_as_well(broker, make_pipeline):
    """Records and offsets in transactions: who reads committed records sees none twice, whenever sluice was killed."""
    pipeline = make_pipeline(broker, fill=FILL, worker={"exactly.once.source.support": "enabled"})
    pipeline.sluice.start()
    for _ in range(3):
        pipeline.change(400)
        pipeline.sluice.kill()
        pipeline.change(100)
        pipeline.sluice.start()
    pipeline.wait_equal(90)
    for table in workload.TABLES:  # the ledger holds each change once; a delete has a tombstone behind it
        rows = pipeline.ledger(table)
        seen = broker.kcat("-C", "-e", "-q", "-t", f"{pipeline.topic_prefix}.warehouse_source.dbo.{table}", "-X",
                           "isolation.level=read_committed", "-f", "%o\n").splitlines()
        assert len(seen) == len(rows) + sum(row[2] == "d" for row in rows), table
    pipeline.sluice.stop()
