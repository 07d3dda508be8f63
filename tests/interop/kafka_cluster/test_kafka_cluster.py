# SPDX-License-Identifier: Apache-2.0
"""Three workers share 24 tasks on three brokers, and each of them is killed in turn under load."""
import contextlib
import datetime
import itertools
import json
import os
import signal
import statistics
import time

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


class Rounds:
    """What is done to workers and brokers while everything flows, and how long until all goes on."""

    def __init__(self, world, workers, brokers):
        self.world, self.workers, self.brokers = world, workers, brokers
        self.report = []

    def resumed(self, kind, what, left):
        """Until a change that was made now is through everywhere; with the steps that those who are left said they took."""
        began = time.time()
        seconds = self.world.wait_marked(f"{what} {len(self.report)}", 90)
        self.report.append((kind, what, seconds, workers_said(left, began)))

    def settled(self):
        """All workers have their share, so that the next blow meets a whole cluster."""
        self.workers.wait_spread()

    def kill_worker(self, worker):
        worker.kill()
        self.resumed("worker killed", f"{worker.folder.name} killed", [w for w in self.workers.all if w is not worker])
        worker.start()

    def pause_worker(self, worker):
        worker.process.signal(signal.SIGSTOP)
        self.resumed("worker stopped", f"{worker.folder.name} stopped by SIGSTOP", [w for w in self.workers.all if w is not worker])
        worker.process.signal(signal.SIGCONT)
        self.resumed("worker goes on", f"{worker.folder.name} goes on", self.workers.all)

    def kill_broker(self, broker):
        who = {"coordinator": self.brokers.coordinator(self.workers.group), "controller": self.brokers.controller()}
        kind = " and ".join(name for name in who if who[name] == broker.number) or "another broker"
        broker.kill()
        self.resumed(f"{kind} killed", f"broker{broker.number}, {kind}, killed", self.workers.all)
        broker.start()
        wait.until(lambda: in_sync(self.brokers), "replicas in sync", 90, 0.5)

    def one(self, patient):
        """patient: each blow falls on a whole cluster; else on one that is still moving tasks because of the last."""
        for worker in self.workers.all:
            self.kill_worker(worker)
            if patient:
                self.settled()
        self.pause_worker(self.workers.all[len(self.report) % 3])
        self.settled()
        for broker in self.brokers.brokers:
            self.kill_broker(broker)

    def text(self):
        lines = [f"{what}: resumed after {seconds:.1f} s{steps}" for _, what, seconds, steps in self.report]
        for kind in sorted({kind for kind, *_ in self.report}):
            times = [seconds for k, _, seconds, _ in self.report if k == kind]
            lines.append(f"{kind}: {len(times)} times, median {statistics.median(times):.1f} s, longest {max(times):.1f} s")
        lines.append(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} CPUs")
        return "\n".join(lines) + "\n"


STEPS = {"slots gained": "slots taken over", "placing tasks": "tasks placed", "streaming starts": "sources running",
         "sink assigned": "sinks running"}


def workers_said(workers, began):
    """When each step was said last, in seconds since began: " (slots taken over 6.1, ...)"."""
    last = {}
    for worker in workers:
        for line in worker.process.output().splitlines():
            with contextlib.suppress(ValueError, KeyError):
                said = json.loads(line)
                since = datetime.datetime.fromisoformat(said["ts"].replace("Z", "+00:00")).timestamp() - began
                if said["msg"] in STEPS and since > 0:
                    last[said["msg"]] = max(since, last.get(said["msg"], 0))
    return " (" + ", ".join(f"{STEPS[step]} {last[step]:.1f}" for step in STEPS if step in last) + ")" if last else ""


@pytest.mark.parametrize("n", [1, pytest.param(10, marks=pytest.mark.full)])
def test_each_worker_and_each_broker_dies_in_turn_under_load(cluster, brokers, out, n):
    world, workers = cluster()
    rounds = Rounds(world, workers, brokers)
    world.wait_marked("begin", 90)
    workers.wait_spread()
    world.start_load()
    try:
        for number in range(n):
            rounds.one(patient=number % 2 == 0)
    except AssertionError as failure:
        raise AssertionError(f"{failure}\n{rounds.text()}\n{workers.output()}") from failure
    finally:
        world.stop_load()
    world.check()
    for worker in workers.all:
        assert worker.process.running(), worker.output()[-4000:]
        failed = [line for line in worker.process.output().splitlines() if "the task failed" in line]
        # One that stood still may meet its successor in the target before it hears that its slots are gone.
        assert all('"FENCED"' in line for line in failed), failed
    (out / f"kafka_cluster_{n}.txt").write_text(rounds.text())
    print(rounds.text())


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
    """Nobody else's work moves while a worker is away for less than its session, which is long here: nothing waits for its end."""
    world, workers = cluster(3, DATABASES[:3], **{"session.timeout.ms": 45000})
    world.wait_marked("begin", 90)
    workers.wait_spread()

    def gains():
        return {other.folder.name: other.output().count('"slots gained"') for other in workers.all if other is not worker}
    world.start_load()
    for worker in workers.all:
        before = gains()
        assert worker.stop() == 0
        worker.start()
        world.wait_marked(f"{worker.folder.name} restarted", 40)
        worker.assert_running()
        assert gains() == before, "slots went to others"
    world.stop_load()
    world.check()
