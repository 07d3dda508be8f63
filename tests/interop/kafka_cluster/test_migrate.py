# SPDX-License-Identifier: Apache-2.0
"""An embedded log moves to Kafka while its pipeline has work left, and goes on there without repeat or gap."""
import pytest

from harness import kafka, pipeline, postgres, wait


@pytest.fixture
def moved(tmp_path, build, cache):
    target = postgres.Postgres(tmp_path / "pg", {"fsync": "off"}).create().start()
    made = pipeline.Pipeline(tmp_path / "pipeline", build, target, worker={"listeners": "", "sluice.registry.listeners": ""})
    with kafka.Cluster(tmp_path / "kafka", cache, heap="256m") as broker:
        yield made, broker
        made.close()
    target.close()


def test_an_embedded_log_moves_to_kafka_and_goes_on_where_it_was(moved):
    made, broker = moved
    made.sluice.start()
    made.change(2000)
    made.wait_equal()
    # Records that no sink has applied: the target is away while the source writes.
    made.target.stop("immediate")
    made.change(500)
    wait.until(lambda: made.sluice.status() and "lag_records" in str(made.sluice.status()), "a status")
    made.sluice.stop()
    made.target.start()

    with open(made.sluice.worker, "a") as file:
        file.write(f"bootstrap.servers={broker.bootstrap}\ngroup.id=moved\n" + "".join(
            f"{kind}.storage.topic=moved-{kind}\n{kind}.storage.replication.factor=1\n" for kind in ("config", "offset", "status")))
    refused = made.sluice.command("run", made.sluice.worker, check=False)
    assert refused.returncode == 1 and "sluice migrate" in refused.stderr, refused.stderr

    said = made.sluice.command("migrate", made.sluice.worker).stdout
    assert said.startswith("moved: 3 connectors, "), said
    again = made.sluice.command("migrate", made.sluice.worker, check=False)
    assert again.returncode == 1 and "moved already" in again.stderr, again.stderr

    made.sluice.connectors = []
    made.sluice.start()
    made.change(1000)
    made.wait_equal(90)

    kept = made.sluice.worker.read_text()
    made.sluice.stop()
    made.sluice.worker.write_text("".join(line + "\n" for line in kept.splitlines() if not line.startswith("bootstrap")))
    old = made.sluice.command("run", made.sluice.worker, check=False)
    assert old.returncode == 1 and "has been moved to Kafka" in old.stderr, old.stderr
