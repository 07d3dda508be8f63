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


def test_topics_are_made_and_written_as_the_connector_says(broker, make_pipeline):
    """Groups of topic.creation, the default for the rest, and the connector's own producer settings."""
    pipeline = make_pipeline(broker, fill=FILL, source_config={
        "topic.creation.groups": "wide",
        "topic.creation.wide.include": ".*\\.line_items", "topic.creation.wide.partitions": "3",
        "topic.creation.wide.cleanup.policy": "compact", "topic.creation.wide.compression.type": "lz4",
        "topic.creation.default.partitions": "2", "topic.creation.default.replication.factor": "1",
        "topic.creation.default.retention.ms": "3600000", "topic.creation.default.retention.bytes": "50000000",
        "topic.creation.default.max.message.bytes": "2000000",
        "producer.override.compression.type": "gzip"})
    pipeline.sluice.start()
    pipeline.change(300)
    pipeline.wait_equal()

    def described(table):
        name = f"{pipeline.topic_prefix}.warehouse_source.dbo.{table}"
        first = broker.tool("TopicCommand", "--describe", "--topic", name)
        line = next(line for line in first.splitlines() if "PartitionCount" in line)
        return name, int(line.split("PartitionCount:")[1].split()[0]), dict(
            pair.split("=", 1) for pair in line.split("Configs:")[1].strip().split(","))
    name, partitions, settings = described("line_items")
    assert partitions == 3 and settings["cleanup.policy"] == "compact" and settings["compression.type"] == "lz4", settings
    assert "retention.ms" not in settings
    assert codecs(broker, name) == {"lz4"}  # the topic's word is the last
    name, partitions, settings = described("orders")
    assert partitions == 2 and settings["retention.ms"] == "3600000" and settings["retention.bytes"] == "50000000", settings
    assert settings["max.message.bytes"] == "2000000", settings
    assert codecs(broker, name) == {"gzip"}
    # The history's brokers are not the worker's, and cannot be asked: it is written nowhere, and that is said.
    assert "the schema history is not kept" in pipeline.sluice.output()
    assert "history" not in broker.tool("TopicCommand", "--list").split()
    assert pipeline.sluice.stop() == 0


def codecs(broker, topic):
    """How the batches of a topic are compressed, from their heads in the broker's files."""
    seen = set()
    for path in (broker.brokers[0].folder / "data").glob(f"{topic}-[0-9]/*.log"):
        log, at = path.read_bytes(), 0
        while at + 61 <= len(log) and log[at + 16] == 2:  # a batch of format 2: 8 bytes offset, 4 length, ..., 2 attributes
            seen.add({0: "none", 1: "gzip", 2: "snappy", 3: "lz4", 4: "zstd"}[log[at + 22] & 7])
            at += 12 + int.from_bytes(log[at + 8:at + 12], "big")
    return seen
