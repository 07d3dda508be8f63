# SPDX-License-Identifier: Apache-2.0
"""What goes wrong with brokers and topics, at a real broker: sluice resumes by itself, or stops and says why. It never jumps."""
import pathlib
import signal

import pytest

from harness import kafka, wait

FILL = {"customers": 40, "products": 20, "orders": 60, "lines": 100}


def topic(pipeline, table="customers"):
    return f"{pipeline.topic_prefix}.warehouse_source.dbo.{table}"


def until_failed(pipeline, *words):
    """A task has stopped for a reason that holds all these words."""
    def told():
        lines = [line for line in pipeline.sluice.process.output().splitlines() if "the task failed" in line]
        return any(all(word in line for word in words) for line in lines)
    try:
        wait.until(told, f"a task to fail with {words}", 60, 0.1)
    except wait.Timeout:
        raise AssertionError(f"no task failed with {words}:\n{pipeline.sluice.output()[-5000:]}") from None


def copied(pipeline):
    return sum(d.target_rows for d in pipeline.differences())


def test_a_broker_that_dies_and_comes_back_is_waited_for(own_broker, make_pipeline):
    pipeline = make_pipeline(own_broker, fill=FILL)
    pipeline.sluice.start()
    pipeline.change(300)
    wait.until(lambda: copied(pipeline) > 100, "rows to flow", 60)
    own_broker.brokers[0].kill()
    pipeline.change(300)
    pipeline.sluice.wait_for_log("Kafka does not answer")
    own_broker.brokers[0].start()
    pipeline.change(300)
    pipeline.wait_equal()
    own_broker.brokers[0].kill()
    pipeline.change(100)
    pipeline.sluice.stop()  # a stop does not wait for brokers
    own_broker.brokers[0].start()
    pipeline.sluice.start()
    pipeline.wait_equal()


def megabytes(process):
    """What it holds in memory."""
    status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) // 1024


def test_a_source_stops_reading_while_a_broker_stands_still_and_its_queue_is_full(own_broker, make_pipeline):
    """Each transaction is several times what the producer's queue takes, and all of them several times the bound."""
    pipeline = make_pipeline(own_broker, fill={**FILL, "lines": 1500}, worker={"producer.buffer.memory": "262144"})
    broker = own_broker.brokers[0].process

    def write(times):
        for _ in range(times):
            pipeline.source.execute("UPDATE dbo.line_items SET product = REVERSE(product)", database="warehouse_source")
            sizes.append(megabytes(pipeline.sluice.process))
    pipeline.sluice.start()
    pipeline.wait_equal()
    sizes = [megabytes(pipeline.sluice.process)]
    broker.signal(signal.SIGSTOP)
    try:
        write(12)
        assert max(sizes) - sizes[0] < 16, f"megabytes before and while the broker stood still: {sizes}"
        pipeline.sluice.stop()  # does not wait for it either
        pipeline.sluice.start()
    finally:
        broker.signal(signal.SIGCONT)
    pipeline.wait_equal(90)
    broker.signal(signal.SIGSTOP)
    write(2)
    broker.signal(signal.SIGCONT)
    pipeline.wait_equal(90)
    assert pipeline.sluice.stop() == 0


@pytest.mark.full  # a minute and more; see test_kafka_cluster.py for the rounds
def test_each_of_three_brokers_dies_in_turn(cache, tmp_path, make_pipeline):
    settings = {"broker.session.timeout.ms": "3000"}
    with kafka.Cluster(tmp_path / "kafka", cache, brokers=3, settings=settings) as cluster:
        pipeline = make_pipeline(cluster, fill=FILL)
        pipeline.sluice.start()
        pipeline.wait_equal()
        for broker in cluster.brokers:
            pipeline.change(200)
            broker.kill()
            pipeline.change(200)
            pipeline.wait_equal()
            broker.start()
        pipeline.wait_equal()


def test_a_topic_that_was_deleted_while_nobody_looked_is_noticed(broker, make_pipeline):
    pipeline = make_pipeline(broker, fill=FILL, ledger=False)
    pipeline.sluice.start()
    pipeline.wait_equal()
    pipeline.sluice.stop()
    before = copied(pipeline)
    broker.tool("TopicCommand", "--delete", "--topic", topic(pipeline))
    # Made again, and longer than it was: offsets alone would not tell.
    broker.kcat("-P", "-t", topic(pipeline), given="".join(f"line {n}\n" for n in range(500)))
    pipeline.sluice.start()
    until_failed(pipeline, "FOREIGN_POSITION", "customers")
    assert copied(pipeline) == before


def test_a_topic_that_is_deleted_under_a_reader_stops_it(broker, make_pipeline):
    pipeline = make_pipeline(broker, fill=FILL, ledger=False)
    pipeline.sluice.start()
    pipeline.wait_equal()
    broker.tool("TopicCommand", "--delete", "--topic", topic(pipeline))
    until_failed(pipeline, "customers")


def test_records_that_retention_removed_before_they_were_read_are_a_gap(broker, make_pipeline):
    pipeline = make_pipeline(broker, fill=FILL, ledger=False)
    name = topic(pipeline, "line_items")

    def end():
        return int(broker.kcat("-Q", "-t", f"{name}:0:-1").split()[-1])
    pipeline.sluice.start()
    pipeline.wait_equal()
    pipeline.sluice.stop()
    sink, before, copies = pipeline.sluice.connectors.pop(), end(), copied(pipeline)
    worker, both = pipeline.sluice.worker, pipeline.sluice.worker.read_text()
    # The source alone: the topic of configs would bring the sink along, whatever files are given.
    worker.write_text(both.replace("config.storage.topic=configs", "config.storage.topic=source-alone"))
    pipeline.sluice.start()
    pipeline.change(400)
    wait.until(lambda: end() > before + 20, "more records", 60)
    pipeline.sluice.stop()
    plan = pipeline.folder / "delete.json"
    plan.write_text('{"partitions": [{"topic": "%s", "partition": 0, "offset": %d}], "version": 1}' % (name, before + 10))
    broker.run("org.apache.kafka.tools.DeleteRecordsCommand", "--offset-json-file", str(plan))
    pipeline.sluice.connectors.append(sink)
    worker.write_text(both)
    pipeline.sluice.start()
    until_failed(pipeline, "GAP", "line_items", str(before), str(before + 10))
    assert copied(pipeline) == copies


def test_a_record_that_is_too_large_stops_its_source_and_passes_when_allowed(broker, make_pipeline):
    # Without a schema history: its records are larger than the rows'.
    pipeline = make_pipeline(broker, fill=FILL, ledger=False, worker={"producer.max.request.size": "1500"},
                             source_config={"schema.history.internal.kafka.topic": ""})
    pipeline.sluice.start()
    pipeline.wait_equal()
    for letter in "\u6f22\u5b57":
        pipeline.source.execute(f"UPDATE dbo.orders SET note = REPLICATE(N'{letter}', 200) WHERE id = 1",
                                database="warehouse_source")
    until_failed(pipeline, "DATA", "dbo.orders", "producer.max.request.size")
    assert pipeline.sluice.process.running()
    pipeline.sluice.stop()
    worker = pipeline.sluice.worker
    worker.write_text(worker.read_text().replace("max.request.size=1500", "max.request.size=1000000"))
    pipeline.sluice.start()
    pipeline.change(100)
    pipeline.wait_equal()
