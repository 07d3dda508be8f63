# SPDX-License-Identifier: Apache-2.0
"""A sink's offsets on Kafka, shown, altered and reset through REST: what Connect and sluice answer, and what is read then."""
import json

import pytest

from harness import sluice, wait
from side import Side

TOPIC = "moves"
RECORDS = 5


def record(number):
    fields = [{"field": "id", "type": "int32"}, {"field": "name", "type": "string"}]
    return json.dumps({"schema": {"type": "struct", "optional": False, "fields": fields},
                       "payload": {"id": number, "name": f"row {number}"}})


@pytest.fixture(scope="module")
def moves(broker):
    """Two partitions with five records each."""
    broker.tool("TopicCommand", "--create", "--topic", TOPIC, "--partitions", "2")
    for partition in range(2):
        given = "".join(record(partition * 100 + number) + "\n" for number in range(RECORDS))
        broker.kcat("-P", "-t", TOPIC, "-p", str(partition), given=given)


@pytest.fixture
def in_group(broker, build, target, tmp_path):
    """Sluice on the same brokers, in a group of its own."""
    program = sluice.Sluice(tmp_path / "sluice", build, {
        "bootstrap.servers": broker.bootstrap, "group.id": "movers", "config.storage.topic": "movers-configs",
        "offset.storage.topic": "movers-offsets", "status.storage.topic": "movers-status",
        "value.converter": "org.apache.kafka.connect.json.JsonConverter",
        "key.converter": "org.apache.kafka.connect.storage.StringConverter"}, rest=True).start()
    wait.until(lambda: '"this worker leads' in program.output(), "sluice to lead", 60)
    yield Side("sluice", program.url, "JdbcSinkConnector", {
        "connector.class": "JdbcSink", "tasks.max": "1", "topics": TOPIC, "insert.mode": "insert", "pk.mode": "none",
        "auto.create": "true", "table.name.format": "moves", "connection.url": target.url("postgres"),
        "connection.user": target.user, "connection.password": target.password})
    program.stop()


def offsets(side, name):
    status, body, _ = side.ask("GET", f"/connectors/{name}/offsets")
    assert status == 200, body
    return {entry["partition"]["kafka_partition"]: entry["offset"]["kafka_offset"] for entry in body["offsets"]}


def move(side, name, *moves):
    entries = [{"partition": {"kafka_topic": topic, "kafka_partition": partition},
                "offset": None if offset is None else {"kafka_offset": offset}} for topic, partition, offset in moves]
    status, body, _ = side.ask("PATCH", f"/connectors/{name}/offsets", {"offsets": entries})
    return status, body["message"]


def wait_offsets(side, name, wanted):
    wait.until(lambda: offsets(side, name) == wanted, f"{side.name} to be at {wanted}", 90)


def stop(side, name):
    assert side.ask("PUT", f"/connectors/{name}/stop")[0] == 204
    side.wait_state(name, "STOPPED", 0)


def committed(broker, name):
    """As Kafka's own tool tells it: {partition: offset}; partitions without one are left out."""
    told = broker.run("org.apache.kafka.tools.consumer.group.ConsumerGroupCommand", "--describe", "--group", f"connect-{name}")
    lines = [line.split() for line in told.splitlines() if f" {TOPIC} " in line]
    return {int(line[2]): int(line[3]) for line in lines if line[3] != "-"}


def go_through(side, broker, name, count):
    """The same for both; what each answered. count: how many records arrived until now."""
    end = {0: RECORDS, 1: RECORDS}
    said = []
    assert side.ask("PUT", f"/connectors/{name}/config", {**side.config, "topics": TOPIC})[0] == 201
    wait_offsets(side, name, end)
    arrived = [count()]
    said.append(move(side, name, (TOPIC, 0, 1))[0])  # it runs
    said.append(side.ask("DELETE", f"/connectors/{name}/offsets")[0])
    stop(side, name)
    said.append(committed(broker, name))
    said.append(move(side, name, (TOPIC, 0, 1)))
    said.append((offsets(side, name), committed(broker, name)))
    said.append(move(side, name, (TOPIC, 1, None)))
    said.append(offsets(side, name))
    said.append(move(side, name, (TOPIC, 0, -1))[0] in (400, 500))  # ours 400: the client's mistake
    said.append(side.ask("PATCH", f"/connectors/{name}/offsets", {"offsets": []})[0])
    said.append(side.ask("PATCH", f"/connectors/{name}/offsets", {"offsets": [{"partition": {"x": 1}, "offset": None}]})[0])
    assert side.ask("PUT", f"/connectors/{name}/resume")[0] == 202
    wait_offsets(side, name, end)
    arrived.append(count())  # 4 of partition 0, all of partition 1
    stop(side, name)
    status, body, _ = side.ask("DELETE", f"/connectors/{name}/offsets")
    said.append((status, body["message"], offsets(side, name)))
    assert side.ask("PUT", f"/connectors/{name}/resume")[0] == 202
    wait_offsets(side, name, end)
    arrived.append(count())
    stop(side, name)
    said.append(committed(broker, name))
    assert side.ask("DELETE", f"/connectors/{name}")[0] == 204
    return said, arrived


def test_offsets_are_moved_and_forgotten_as_with_connect(broker, connect, in_group, moves, target):
    file = connect.config["file"]
    theirs = go_through(connect, broker, "moves-theirs", lambda: len(open(file).readlines()))
    ours = go_through(in_group, broker, "moves-ours", lambda: target.execute("SELECT count(*)::int FROM moves")[0][0])
    assert ours[1] == [10, 19, 29]
    assert theirs[1] == [10, 19, 29]
    for number, (one, other) in enumerate(zip(ours[0], theirs[0])):
        assert one == other, f"answer {number}: ours {one}, Connect's {other}"
