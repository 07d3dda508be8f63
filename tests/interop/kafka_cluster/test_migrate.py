# SPDX-License-Identifier: Apache-2.0
"""An embedded log moves to Kafka while its pipeline has work left, and goes on there without repeat or gap."""
import contextlib
import sqlite3
import threading

import pytest

from harness import kafka, pipeline, postgres, scylla_pipeline, wait

EMBEDDED = {"listeners": "", "sluice.registry.listeners": ""}


@pytest.fixture(scope="module")
def broker(cache, tmp_path_factory):
    with kafka.Cluster(tmp_path_factory.mktemp("kafka"), cache, heap="256m") as cluster:
        yield cluster


@pytest.fixture
def target(tmp_path):
    cluster = postgres.Postgres(tmp_path / "pg", {"fsync": "off"}).create().start()
    yield cluster
    cluster.close()


def warehouse(folder, build, target):
    return pipeline.Pipeline(folder, build, target, worker=EMBEDDED, topic_prefix="busy")


def app(folder, build, target):
    return scylla_pipeline.ScyllaPipeline(folder, build, target, worker=EMBEDDED, start=False,
                                          options={"sluice.scylla.read.again": "true"})


def leave_memories(made, n):
    """Rows that run out after an hour: the source remembers each until then."""
    for pk in range(1000, 1000 + n, 100):
        made.execute("BEGIN UNLOGGED BATCH " + "".join(
            f"INSERT INTO app.items (pk, ck, v) VALUES ({pk}, {ck}, 'short-lived') USING TTL 3600;" for ck in range(100))
            + " APPLY BATCH")
    made.wait_equal()
    with contextlib.closing(sqlite3.connect(f"file:{made.sluice.state / 'sluice.db'}?mode=ro", uri=True)) as db:
        assert db.execute("SELECT count(*) FROM source_notes").fetchone()[0] >= n


def choose_kafka(made, broker, group):
    """What the docs say is to be added to the worker's file; a registry of its own, since ids move, too."""
    with open(made.sluice.worker, "a") as file:
        file.write(f"bootstrap.servers={broker.bootstrap}\ngroup.id={group}\nkafkastore.topic={group}-schemas\n" + "".join(
            f"{kind}.storage.topic={group}-{kind}\n{kind}.storage.replication.factor=1\n"
            for kind in ("config", "offset", "status")))


def refused(made, *arguments):
    done = made.sluice.command(*arguments, made.sluice.worker, check=False)
    assert done.returncode == 1, done.stdout + done.stderr
    return done.stderr


def test_an_embedded_log_moves_to_kafka_and_goes_on_where_it_was(tmp_path, build, target, broker):
    made = pipeline.Pipeline(tmp_path / "pipeline", build, target, worker=EMBEDDED)
    with contextlib.closing(made):
        made.sluice.start()
        made.change(2000)
        made.wait_equal()
        # Records that no sink has applied: the target is away while the source writes.
        made.target.stop("immediate")
        made.change(500)
        wait.until(lambda: made.sluice.status() and "lag_records" in str(made.sluice.status()), "a status")
        made.sluice.stop()
        made.target.start()

        choose_kafka(made, broker, "moved")
        assert "sluice migrate" in refused(made, "run")
        said = made.sluice.command("migrate", made.sluice.worker).stdout
        assert said.startswith("moved: 3 connectors, "), said
        assert "moved already" in refused(made, "migrate")

        made.sluice.connectors = []
        made.sluice.start()
        made.change(1000)
        made.wait_equal(90)

        kept = made.sluice.worker.read_text()
        made.sluice.stop()
        made.sluice.worker.write_text("".join(line + "\n" for line in kept.splitlines() if not line.startswith("bootstrap")))
        assert "has been moved to Kafka" in refused(made, "run")


class Application(threading.Thread):
    """Writes to the source until it is told to end, whatever becomes of sluice."""

    def __init__(self, made):
        super().__init__(daemon=True)
        self.made, self.written, self.error = made, 0, None
        self.ended = threading.Event()

    def run(self):
        try:
            while not self.ended.wait(0.02):
                self.made.change(20)
                self.written += 20
        except Exception as error:  # told by those who wait
            self.error = error

    def wrote(self, more):
        goal = self.written + more

        def enough():
            assert not self.error, self.error
            return self.written >= goal
        wait.until(enough, f"{more} more writes", 60)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.join(60)


@pytest.mark.parametrize("make", [warehouse, app], ids=["sqlserver", "scylla"])
def test_the_application_writes_on_while_its_pipeline_moves(make, tmp_path, build, target, broker):
    made = make(tmp_path / "pipeline", build, target)
    with contextlib.closing(made):
        made.sluice.start()
        made.change(300)
        made.wait_equal()
        if make is app:
            leave_memories(made, 600)
        with Application(made) as application:
            application.wrote(400)
            made.sluice.stop()
            choose_kafka(made, broker, make.__name__)
            assert "sluice migrate" in refused(made, "run")
            application.wrote(100)
            assert made.sluice.command("migrate", made.sluice.worker).stdout.startswith("moved: 3 connectors, ")
            application.wrote(100)
            made.sluice.connectors = []
            made.sluice.start()
            application.wrote(400)
            made.sluice.kill()
            application.wrote(100)
            made.sluice.start()
        made.wait_equal(90)
        assert made.sluice.stop() == 0
