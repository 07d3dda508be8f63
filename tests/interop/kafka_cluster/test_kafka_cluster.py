# SPDX-License-Identifier: Apache-2.0
"""Three workers share 24 tasks on three brokers, and each of them is killed in turn under load."""
import itertools
import json
import signal

import pytest

from harness import kafka, postgres, wait

from world import DATABASES, Workers, World


@pytest.fixture(scope="module")
def target(tmp_path_factory):
    server = postgres.Postgres(tmp_path_factory.mktemp("pg"), {"fsync": "off"}).create().start()
    yield server
    server.close()


@pytest.fixture(scope="module")
def brokers(tmp_path_factory, cache):
    settings = {"broker.session.timeout.ms": "3000"}
    with kafka.Cluster(tmp_path_factory.mktemp("kafka"), cache, brokers=3, settings=settings, heap="256m") as cluster:
        yield cluster


GROUPS = (f"group-{number}" for number in itertools.count(1))


@pytest.fixture
def cluster(tmp_path, build, target, brokers):
    made = []

    def make(n=3, databases=DATABASES, **settings):
        world = World(tmp_path, build, target, databases=databases)
        workers = Workers(tmp_path, build, brokers.bootstrap, n, next(GROUPS), copies=3, settings=settings)
        made.extend([world, workers])
        workers.start(world.connectors())
        return world, workers
    yield make
    for part in reversed(made):
        part.close()


def in_sync(brokers):
    topics = json.loads(brokers.kcat("-L", "-J"))["topics"]
    return all(len(part["isrs"]) == len(part["replicas"]) for topic in topics for part in topic["partitions"])


def kill_workers(world, workers, report):
    """Each in turn; how long until everything goes on without it."""
    for number, worker in enumerate(workers.all, 1):
        worker.kill()
        report.append((f"worker {number} killed", world.wait_marked(f"worker {number} {len(report)}")))
        worker.start()
        world.wait_marked(f"worker {number} back {len(report)}")


def kill_brokers(world, brokers, report):
    for number, broker in enumerate(brokers.brokers, 1):
        broker.kill()
        report.append((f"broker {number} killed", world.wait_marked(f"broker {number} {len(report)}", 90)))
        broker.start()
        wait.until(lambda: in_sync(brokers), "replicas in sync", 60, 0.5)


def under_load(world, workers, out, name, rounds):
    """Run the rounds; then the copies equal the source, and the ledger has neither repeat nor gap."""
    report = []
    world.wait_marked("begin", 90)
    world.start_load()
    try:
        rounds(report)
    except AssertionError as failure:
        raise AssertionError(f"{failure}\n{report}\n{workers.output()}") from failure
    finally:
        world.stop_load()
    world.check()
    text = "\n".join(f"{what}: resumed after {seconds:.1f} s" for what, seconds in report)
    (out / f"{name}.txt").write_text(text + "\n")
    print(text)
    slow = [line for line in report if line[1] > 30]
    assert not slow, slow


def test_every_worker_can_be_killed(cluster, out):
    world, workers = cluster()
    under_load(world, workers, out, "kafka_cluster_workers", lambda report: kill_workers(world, workers, report))


@pytest.mark.full
def test_ten_rounds_of_killing_workers_and_brokers(cluster, brokers, out):
    world, workers = cluster()

    def rounds(report):
        for _ in range(10):
            kill_workers(world, workers, report)
            kill_brokers(world, brokers, report)
    under_load(world, workers, out, "kafka_cluster", rounds)


@pytest.mark.parametrize("support", ["disabled", "enabled"])
def test_a_stopped_worker_that_goes_on_later_makes_nothing_durable(cluster, support):
    world, workers = cluster(2, DATABASES[:2], **{"exactly.once.source.support": support})
    world.wait_marked("begin", 90)
    world.start_load(0.01)
    for worker in workers.all:
        worker.process.signal(signal.SIGSTOP)
        world.wait_marked(f"{worker.folder.name} stopped")
        worker.process.signal(signal.SIGCONT)
        world.wait_marked(f"{worker.folder.name} goes on")
    world.stop_load()
    world.check()


def test_a_rolling_restart_does_not_stop_the_flow(cluster):
    world, workers = cluster(3, DATABASES[:3])
    world.wait_marked("begin", 90)
    world.start_load()
    for worker in workers.all:
        assert worker.stop() == 0
        worker.start()
        world.wait_marked(f"{worker.folder.name} restarted")
        worker.assert_running()
    world.stop_load()
    world.check()
