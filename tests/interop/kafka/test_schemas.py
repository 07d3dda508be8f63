# SPDX-License-Identifier: Apache-2.0
"""The built-in registry on Kafka: in the topic _schemas, shared by workers, and used by Confluent's own client."""
import concurrent.futures
import json
import pathlib
import subprocess
import sys

import pytest

from harness import sluice, wait
from harness.postgres import free_port

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "registry"))

import registries  # noqa: E402


def test_confluents_client_reads_what_sluice_wrote(broker, make_pipeline, confluent_python):
    url = f"http://127.0.0.1:{free_port()}"
    p = make_pipeline(broker, True, worker={"sluice.registry.listeners": url}, ledger=False,
                      fill={"customers": 25, "products": 1, "orders": 0, "lines": 0})
    p.sluice.start()
    p.wait_equal()
    topic = f"{p.topic_prefix}.warehouse_source.dbo.customers"
    done = subprocess.run([confluent_python, HERE / "avro_consumer.py", broker.bootstrap, url, topic], capture_output=True,
                          text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr[-3000:]
    seen = json.loads(done.stdout)
    assert len(seen["values"]) == 25 and len({key["id"] for key in seen["keys"]}) == 25
    assert all(value["op"] == "r" and value["after"]["id"] == key["id"] for key, value in zip(seen["keys"], seen["values"]))
    keys = [key for key, _ in seen["schemas"]]
    assert {"keytype": "SCHEMA", "subject": f"{topic}-value", "version": 1, "magic": 1} in keys
    stored = next(value for key, value in seen["schemas"] if key.get("subject") == f"{topic}-value")
    assert stored["version"] == 1 and stored["deleted"] is False
    assert json.loads(stored["schema"])["name"] == "Envelope"
    status, made = registries.ask(f"{url}/subjects/{topic}-python-value/versions/1")
    assert status == 200 and seen["framed"] == f"00{made['id']:08x}0e020278"
    assert p.sluice.stop() == 0


@pytest.mark.full
def test_clients_that_register_at_once_get_the_ids_that_stay(broker, build, tmp_path):
    """Who registers next must see what was committed just before: else a version is given twice, and its first id is lost."""
    url = f"http://127.0.0.1:{free_port()}"
    worker = sluice.Sluice(tmp_path / "worker", build, {
        "bootstrap.servers": broker.bootstrap, "group.id": "at-once", "config.storage.topic": "at-once-configs",
        "offset.storage.topic": "at-once-offsets", "status.storage.topic": "at-once-status", "kafkastore.topic": "_at_once",
        "sluice.registry.listeners": url}).start()
    worker.wait_for_log('"ready"', 60)

    def register(number):
        schema = json.dumps({"type": "fixed", "name": f"F{number}", "size": 8})
        status, made = registries.ask(f"{url}/subjects/s{number}/versions", "POST", {"schema": schema})
        assert status == 200, made
        return made["id"]

    numbers = [number for number in range(60) for _ in range(4)]  # each by four, nearly at once, as tasks do
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        ids = list(pool.map(register, numbers))
    given = {number: {i for n, i in zip(numbers, ids) if n == number} for number in range(60)}
    assert all(len(got) == 1 for got in given.values()), {n: got for n, got in given.items() if len(got) != 1}
    assert sorted(i for got in given.values() for i in got) == list(range(1, 61))
    assert all(registries.ask(f"{url}/schemas/ids/{i}")[0] == 200 for i in range(1, 61))
    assert worker.stop() == 0


def test_workers_share_one_registry_and_never_one_id(broker, build, tmp_path):
    group = {"bootstrap.servers": broker.bootstrap, "group.id": "sharing", "config.storage.topic": "sharing-configs",
             "offset.storage.topic": "sharing-offsets", "status.storage.topic": "sharing-status",
             "kafkastore.topic": "_sharing"}
    urls = [f"http://127.0.0.1:{free_port()}" for _ in range(2)]
    workers = [sluice.Sluice(tmp_path / f"w{i}", build, {**group, "sluice.registry.listeners": url,
                                                         "rest.advertised.host.name": f"worker{i}"}).start()
               for i, url in enumerate(urls)]
    for worker in workers:
        worker.wait_for_log('"ready"', 60)

    def register(number):
        schema = json.dumps({"type": "fixed", "name": f"F{number}", "size": number + 1})
        status, made = registries.ask(f"{urls[number % 2]}/subjects/s{number}/versions", "POST", {"schema": schema})
        assert status == 200, made
        return made["id"]

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        ids = list(pool.map(register, range(12)))
    assert sorted(ids) == list(range(1, 13))
    for url in urls:
        wait.until(lambda: len(registries.ask(f"{url}/subjects")[1]) == 12, "every worker to see every subject")
        for number, schema_id in enumerate(ids):
            assert registries.ask(f"{url}/subjects/s{number}/versions/latest")[1]["id"] == schema_id
    workers[0].kill()
    assert registries.ask(f"{urls[1]}/subjects/s0", "DELETE") == (200, [1])
    status, made = registries.ask(f"{urls[1]}/subjects/last/versions", "POST", {"schema": '"long"'})
    assert (status, made) == (200, {"id": 13})
    assert workers[1].stop() == 0
