# SPDX-License-Identifier: Apache-2.0
"""One broker for most of the tests, a PostgreSQL cluster, and pipelines whose log is Kafka."""
import itertools
import pathlib

import pytest

from harness import fetch, kafka, pipeline, postgres

REGISTRY = pathlib.Path(__file__).resolve().parent.parent / "registry"
_groups = itertools.count(1)


@pytest.fixture(scope="session")
def broker(cache, tmp_path_factory):
    with kafka.Cluster(tmp_path_factory.mktemp("kafka"), cache) as cluster:
        yield cluster


@pytest.fixture(scope="session")
def target(tmp_path_factory):
    cluster = postgres.Postgres(tmp_path_factory.mktemp("pg") / "cluster", {"fsync": "off"}).create().start()
    yield cluster
    cluster.close()


@pytest.fixture(scope="session")
def confluent_python(cache):
    """A Python with confluent-kafka in it."""
    wanted = REGISTRY / "requirements.txt"

    def make(folder):
        fetch.run(["/usr/bin/python3", "-m", "venv", folder])
        fetch.run([folder / "bin/pip", "install", "-q", "-r", wanted])
    return fetch.once(cache / "confluent-python", wanted.read_text(), make) / "bin/python"


@pytest.fixture(scope="session")
def newer_librdkafka(confluent_python, tmp_path_factory):
    """A folder for LD_LIBRARY_PATH with the librdkafka that Confluent's Python client brings."""
    folder = tmp_path_factory.mktemp("librdkafka")
    brought = next(confluent_python.parent.parent.glob("lib/python3*/site-packages/confluent_kafka.libs/librdkafka-*.so.1"))
    (folder / "librdkafka.so.1").symlink_to(brought)
    return folder


@pytest.fixture
def own_broker(cache, tmp_path):
    with kafka.Cluster(tmp_path / "kafka", cache) as cluster:
        yield cluster


@pytest.fixture
def make_pipeline(tmp_path, build, target):
    """SQL Server to PostgreSQL over a Kafka cluster; group False: Connect's standalone."""
    made = []

    def make(cluster, group=True, worker=None, **options):
        number = next(_groups)
        settings = {"bootstrap.servers": cluster.bootstrap}
        if group:
            settings |= {"group.id": f"workers-{number}", "config.storage.topic": f"configs-{number}",
                         "offset.storage.topic": f"offsets-{number}", "status.storage.topic": f"status-{number}",
                         "offset.storage.partitions": "3", "status.storage.partitions": "2"}
        prefix = f"s{number}"
        each = pipeline.Pipeline(tmp_path / f"pipeline{number}", build, target, worker={**settings, **(worker or {})},
                                 topic_prefix=prefix, **options)
        made.append(each)
        return each

    yield make
    for each in made:
        each.close()
