# SPDX-License-Identifier: Apache-2.0
"""
The whole way over the brokers that people run: the oldest, with ZooKeeper; 3.9 with ZooKeeper; the newest, which has none.
(3.9 in KRaft mode is what every other test of this folder stands on.)
"""
import pytest

from harness import kafka, wait, workload

FILL = {"customers": 40, "products": 20, "orders": 60, "lines": 100}
BROKERS = {"2.8-zookeeper": ("2.8.2", True), "3.9-zookeeper": ("3.9.2", True), "4.3": ("4.3.1", False)}


@pytest.fixture(scope="module", params=list(BROKERS))
def cluster(request, cache, tmp_path_factory):
    version, zookeeper = BROKERS[request.param]
    with kafka.Cluster(tmp_path_factory.mktemp("kafka"), cache, version=version, zookeeper=zookeeper) as started:
        yield started


def committed(cluster, topic):
    """How many records of a topic a reader of committed records sees."""
    return len(cluster.kcat("-C", "-e", "-q", "-t", topic, "-X", "isolation.level=read_committed", "-f", "%o\n").splitlines())


@pytest.mark.parametrize("transactions", [pytest.param(False, marks=pytest.mark.full, id="idempotent"),
                                          pytest.param(True, id="transactional")])
def test_a_pipeline_that_is_killed_goes_on_without_loss_or_repeat(cluster, make_pipeline, transactions):
    worker = {"exactly.once.source.support": "enabled"} if transactions else {}
    pipeline = make_pipeline(cluster, fill=FILL, worker=worker)
    pipeline.sluice.start()
    pipeline.change(300)
    wait.until(lambda: sum(d.target_rows for d in pipeline.differences()) > 100, "rows to flow", 60)
    pipeline.sluice.kill()
    pipeline.change(300)
    pipeline.sluice.start()
    pipeline.change(300)
    pipeline.wait_equal(90)
    if transactions:  # the ledger holds each change once; a delete has a tombstone behind it
        for table in workload.TABLES:
            rows = pipeline.ledger(table)
            wanted = len(rows) + sum(row[2] == "d" for row in rows)
            assert committed(cluster, f"{pipeline.topic_prefix}.warehouse_source.dbo.{table}") == wanted, table
    assert pipeline.sluice.stop() == 0
