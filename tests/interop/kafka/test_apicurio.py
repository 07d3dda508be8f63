# SPDX-License-Identifier: Apache-2.0
"""A real Connect worker with Apicurio's Avro converter in Confluent's wire format: it writes and sluice reads, sluice
writes and Debezium's JDBC sink in it reads, both through Apicurio's registry."""
import json
import pathlib
import sys

import pytest

from harness import fetch, kafka, wait

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "registry"))

import registries  # noqa: E402

CONVERTER = "io.apicurio.registry.utils.converter.AvroConverter"


@pytest.fixture(scope="module")
def apicurio(cache, tmp_path_factory):
    with registries.Apicurio(tmp_path_factory.mktemp("apicurio"), cache) as server:
        yield server


def plugin(cache, name):
    """A folder for plugin.path."""
    pom = registries.HERE / name
    return fetch.once(cache / name.replace("_", "-"), (pom / "pom.xml").read_text(), lambda made: fetch.jars(pom, made, cache))


@pytest.fixture(scope="module")
def connect(broker, cache, tmp_path_factory):
    plugins = ",".join(str(plugin(cache, name)) for name in ("apicurio_converter", "debezium_jdbc"))
    worker = kafka.Connect(tmp_path_factory.mktemp("connect"), cache, broker.bootstrap, group="apicurio",
                           plugin_path=plugins, settings={"plugin.discovery": "hybrid_warn"})
    with worker:
        yield worker


def converter(apicurio, side):
    settings = {"apicurio.registry.url": apicurio.native_url, "apicurio.registry.auto-register": "true",
                "apicurio.registry.find-latest": "true", "apicurio.registry.as-confluent": "true",
                "apicurio.registry.use-id": "contentId", "apicurio.registry.headers.enabled": "false"}
    return {f"{side}.converter": CONVERTER, **{f"{side}.converter.{key}": value for key, value in settings.items()}}


def ours(apicurio, side):
    return {f"{side}.converter": "io.confluent.connect.avro.AvroConverter",
            f"{side}.converter.schema.registry.url": apicurio.url}


def test_sluice_reads_what_connect_wrote_and_connect_what_sluice_wrote(broker, connect, apicurio, make_pipeline, tmp_path):
    lines = tmp_path / "lines"
    lines.write_text("".join(f"line {n}\n" for n in range(50)))
    connect.call("PUT", "/connectors/file/config", {
        "connector.class": "org.apache.kafka.connect.file.FileStreamSourceConnector", "tasks.max": "1", "file": str(lines),
        "topic": "connect-lines", "transforms": "hoist",
        "transforms.hoist.type": "org.apache.kafka.connect.transforms.HoistField$Value", "transforms.hoist.field": "line",
        "key.converter": "org.apache.kafka.connect.storage.StringConverter", **converter(apicurio, "value")})

    p = make_pipeline(broker, True, worker={"sluice.registry.aliases": ""}, ledger=False,
                      source_config={**ours(apicurio, "key"), **ours(apicurio, "value")},
                      sink_config={**ours(apicurio, "key"), **ours(apicurio, "value")},
                      fill={"customers": 30, "products": 1, "orders": 0, "lines": 0})
    p.query("CREATE TABLE lines (line text)")
    p.sluice.connector("lines", {
        "connector.class": "io.confluent.connect.jdbc.JdbcSinkConnector", "tasks.max": "1", "topics": "connect-lines",
        "connection.url": p.target.url(p.database), "connection.user": p.target.user, "connection.password": p.target.password,
        "insert.mode": "insert", "pk.mode": "none", "table.name.format": "lines",
        "key.converter": "org.apache.kafka.connect.storage.StringConverter", **ours(apicurio, "value")})
    p.sluice.start()
    p.wait_equal()
    wait.until(lambda: p.query("SELECT count(*) FROM lines")[0][0] == 50, "sluice to read what Connect wrote", 60)
    assert {row[0] for row in p.query("SELECT line FROM lines")} == set(lines.read_text().splitlines())

    topic = f"{p.topic_prefix}.warehouse_source.dbo.customers"
    connect.call("PUT", "/connectors/out/config", {
        "connector.class": "io.debezium.connector.jdbc.JdbcSinkConnector", "tasks.max": "1", "topics": topic,
        "connection.url": p.target.url(p.database), "connection.username": p.target.user,
        "connection.password": p.target.password, "insert.mode": "upsert", "delete.enabled": "true",
        "primary.key.mode": "record_key", "primary.key.fields": "id", "schema.evolution": "basic",
        "collection.name.format": "theirs", "consumer.override.auto.offset.reset": "earliest",
        **converter(apicurio, "key"), **converter(apicurio, "value")})
    p.change(200)
    p.wait_equal()

    def equal():
        state = connect.call("GET", "/connectors/out/status")["tasks"]
        assert all(task["state"] != "FAILED" for task in state), json.dumps(state)[:3000]
        if not p.query("SELECT 1 FROM information_schema.tables WHERE table_name = 'theirs'"):
            return False
        # Ours marks what was deleted, theirs deletes it.
        return p.query("SELECT id, email FROM theirs ORDER BY id") == \
            p.query("SELECT id, email FROM customers WHERE __deleted IS DISTINCT FROM 'true' ORDER BY id")
    wait.until(equal, "Debezium's JDBC sink to make the same table of what sluice wrote", 90)
    assert p.query("SELECT count(*) FROM theirs")[0][0] > 20
    assert p.sluice.stop() == 0
